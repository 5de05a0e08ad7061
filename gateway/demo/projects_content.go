package demo

import (
	"context"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

func (l *loader) risks(ctx context.Context, _ *world, p plan, project string) error {
	page := &projectsv1.ListRisksResponse{}
	all, err := list(ctx, l, "/v1/"+project+"/risks", "", page, page.GetRisks)
	if err != nil {
		return err
	}
	have := map[string]bool{}
	for _, r := range all {
		have[r.GetTitle().GetText()] = true
	}
	for _, r := range p.risks {
		if have[r.GetTitle().GetText()] {
			continue
		}
		if err := l.post(ctx, "/v1/"+project+"/risks", "project/"+p.key+"/risk/"+slug(r.GetTitle().GetText()), r, nil); err != nil {
			return err
		}
	}
	return nil
}

// minutesPerDay is a working day of the standard calendar.
const minutesPerDay = 8 * 60

func (l *loader) tasks(ctx context.Context, w *world, p plan, project string) error {
	page := &projectsv1.ListTasksResponse{}
	all, err := list(ctx, l, "/v1/"+project+"/tasks", "", page, page.GetTasks)
	if err != nil {
		return err
	}
	have, names := map[string]string{}, map[string]string{}
	for _, t := range all {
		have[t.GetTitle().GetText()] = t.GetName()
	}
	for _, t := range p.tasks {
		if name := have[t.title]; name != "" {
			names[t.key] = name
			continue
		}
		task := &projectsv1.Task{
			Title: it(t.title), Organisation: w.organisations[t.organisation], ParentTask: names[t.parent],
			DurationMinutes: int64(t.days) * minutesPerDay, ProgressPercent: t.percent,
		}
		if t.from != "" { // of a milestone, the day at whose end it is reached
			hour := "T08:00"
			if t.days == 0 {
				hour = "T17:00"
			}
			task.Constraint = &projectsv1.Constraint{Type: projectsv1.ConstraintType_CONSTRAINT_TYPE_START_NO_EARLIER_THAN, Time: t.from + hour}
		}
		if t.after != "" {
			task.Predecessors = []*projectsv1.Link{{Task: names[t.after]}}
		}
		made := &projectsv1.Task{}
		if err := l.post(ctx, "/v1/"+project+"/tasks", "project/"+p.key+"/task/"+t.key, task, made); err != nil {
			return err
		}
		names[t.key] = made.GetName()
	}
	return nil
}

func (l *loader) listLines(ctx context.Context, project string) (map[string]*projectsv1.BudgetLine, error) {
	page := &projectsv1.ListBudgetLinesResponse{}
	all, err := list(ctx, l, "/v1/"+project+"/budgetLines", "", page, page.GetBudgetLines)
	out := map[string]*projectsv1.BudgetLine{}
	for _, b := range all {
		out[b.GetDescription()] = b
	}
	return out, err
}

func (l *loader) budgetLines(ctx context.Context, w *world, p plan, project string) error {
	have, err := l.listLines(ctx, project)
	if err != nil {
		return err
	}
	for _, b := range p.lines {
		if have[b.description] != nil {
			continue
		}
		in := &projectsv1.BudgetLine{Category: b.category, Organisation: w.organisations[b.organisation], Description: b.description, Amount: b.amount}
		if err := l.post(ctx, "/v1/"+project+"/budgetLines", "project/"+p.key+"/line/"+b.key, in, nil); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) expenditures(ctx context.Context, w *world, p plan, project string) error {
	lines, err := l.listLines(ctx, project)
	if err != nil {
		return err
	}
	page := &projectsv1.ListExpendituresResponse{}
	all, err := list(ctx, l, "/v1/"+project+"/expenditures", "", page, page.GetExpenditures)
	if err != nil {
		return err
	}
	have := map[string]bool{}
	for _, e := range all {
		have[e.GetDocument().GetNumber()] = true
	}
	for _, b := range p.lines {
		for _, x := range b.spent {
			if have[x.number] {
				continue
			}
			in := &projectsv1.Expenditure{
				Organisation: w.organisations[b.organisation], BudgetLine: lines[b.description].GetName(), Amount: x.amount, Description: x.description,
				Document: &projectsv1.Document{Issuer: "Fornitore campione", Number: x.number, Date: x.date},
			}
			if err := l.post(ctx, "/v1/"+project+"/expenditures", "project/"+p.key+"/expenditure/"+x.number, in, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// deliverables are planned and, where the plan says so, handed in and accepted.
func (l *loader) deliverables(ctx context.Context, w *world, p plan, project string) error {
	page := &projectsv1.ListDeliverablesResponse{}
	all, err := list(ctx, l, "/v1/"+project+"/deliverables", "", page, page.GetDeliverables)
	if err != nil {
		return err
	}
	have := map[string]*projectsv1.Deliverable{}
	for _, d := range all {
		have[d.GetTitle().GetText()] = d
	}
	for _, d := range p.deliverables {
		key := "project/" + p.key + "/deliverable/" + d.key
		made := have[d.title]
		if made == nil {
			made = &projectsv1.Deliverable{}
			in := &projectsv1.Deliverable{Title: it(d.title), Organisation: w.organisations[d.organisation], DueDate: d.due}
			if err := l.post(ctx, "/v1/"+project+"/deliverables", key, in, made); err != nil {
				return err
			}
		}
		if d.accepted && made.GetState() == projectsv1.DeliverableState_DELIVERABLE_STATE_PLANNED {
			req := &projectsv1.SubmitDeliverableRequest{Uri: "https://example.org/" + p.key + "/" + d.key + ".pdf"}
			if err := l.post(ctx, "/v1/"+made.GetName()+":submit", key+"/submit", req, made); err != nil {
				return err
			}
		}
		if d.accepted && made.GetState() == projectsv1.DeliverableState_DELIVERABLE_STATE_SUBMITTED {
			if err := l.post(ctx, "/v1/"+made.GetName()+":accept", key+"/accept", nil, made); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *loader) listLessons(ctx context.Context, project string) ([]*projectsv1.Lesson, error) {
	page := &projectsv1.ListLessonsResponse{}
	return list(ctx, l, "/v1/"+project+"/lessons", "", page, page.GetLessons)
}

func (l *loader) lessons(ctx context.Context, _ *world, p plan, project string) error {
	all, err := l.listLessons(ctx, project)
	if err != nil {
		return err
	}
	have := map[string]bool{}
	for _, x := range all {
		have[x.GetTitle().GetText()] = true
	}
	for _, x := range p.lessons {
		if have[x.title] {
			continue
		}
		in := &projectsv1.Lesson{
			Title: it(x.title), Context: it(x.context), WhatHappened: it(x.happened), Recommendation: it(x.recommendation),
			Tags: []string{p.key}, Sharing: projectsv1.Sharing_SHARING_NETWORK,
		}
		if err := l.post(ctx, "/v1/"+project+"/lessons", "project/"+p.key+"/lesson/"+slug(x.title), in, nil); err != nil {
			return err
		}
	}
	return nil
}
