package rpc

import (
	"cmp"
	"context"
	"slices"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/money"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// Bounds of a dashboard's lists.
const (
	mostShown     = 100
	mostDeadlines = 10
)

// GetDashboard reads how a project stands.
func (s *Server) GetDashboard(ctx context.Context, req *projectsv1.GetDashboardRequest) (*projectsv1.Dashboard, error) {
	got, ok := ids.Parse("projects/{project}/dashboard", req.GetName())
	if !ok {
		return nil, errs.AbsentResource(req.GetName())
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Dashboard, error) {
		p, err := seeProject(ctx, tx, got[0])
		if err != nil {
			return nil, under(req.GetName(), err)
		}
		out := &projectsv1.Dashboard{Name: req.GetName(), Phase: phaseProto(p.Phase), AsOfTime: timeProto(s.now())}
		tasks, err := store.AllTasks(ctx, tx, p.ID)
		if err != nil {
			return nil, err
		}
		today := s.today()
		showPlan(out, p, tasks, today)
		deliverables, err := store.AllDeliverables(ctx, tx, p.ID)
		if err != nil {
			return nil, err
		}
		out.NextDeadlines = deadlines(p, tasks, deliverables, today)
		if err := showMoney(ctx, tx, out, p); err != nil {
			return nil, err
		}
		if out.OpenRiskCount, out.HighestRiskScore, err = store.OpenRisks(ctx, tx, p.ID); err != nil {
			return nil, err
		}
		alerts, err := store.OpenAlerts(ctx, tx, p.ID)
		for _, a := range alerts {
			if seeAlert(ctx, p, a) == nil && len(out.OpenAlerts) < mostShown {
				out.OpenAlerts = append(out.OpenAlerts, alertProto(a))
			}
		}
		return out, err
	})
}

// showPlan fills in what the tasks tell.
func showPlan(out *projectsv1.Dashboard, p *domain.Project, tasks []*domain.Task, today civil.Date) {
	if percent, any := domain.Progress(tasks); any {
		out.ProgressPercent = &percent
	}
	var late []*domain.Task
	for _, t := range tasks {
		if t.Times.Summary {
			continue
		}
		out.TaskCount++
		out.ScheduleFinishDate = max(out.ScheduleFinishDate, string(t.Times.Finish))
		if t.Complete() {
			out.CompleteTaskCount++
		} else if t.Late(today) && p.Phase != domain.Closed {
			late = append(late, t)
		}
	}
	out.LateTaskCount = int32(len(late))
	slices.SortStableFunc(late, func(a, b *domain.Task) int { return cmp.Compare(a.Times.Finish, b.Times.Finish) })
	for _, t := range late[:min(len(late), mostShown)] {
		out.LateTasks = append(out.LateTasks, taskProto(t, today))
	}
}

// showMoney fills in the lines that the caller may see, and their sums.
func showMoney(ctx context.Context, tx *sqldb.Tx, out *projectsv1.Dashboard, p *domain.Project) error {
	lines, err := store.AllLines(ctx, tx, p.ID, costScope(ctx, p))
	if err != nil {
		return err
	}
	planned, spent := money.Amount{Currency: p.Currency}, money.Amount{Currency: p.Currency}
	for _, l := range lines {
		out.BudgetLines = append(out.BudgetLines, lineProto(p, l))
		if planned, err = money.Add(planned, l.Amount); err != nil {
			return err
		}
		if spent, err = money.Add(spent, l.Spent); err != nil {
			return err
		}
	}
	out.Planned, out.Spent = moneyProto(planned), moneyProto(spent)
	return nil
}

// deadlines are the next dates to keep.
func deadlines(p *domain.Project, tasks []*domain.Task, deliverables []*domain.Deliverable, today civil.Date) []*projectsv1.Deadline {
	if p.Phase == domain.Closed {
		return nil
	}
	var out []*projectsv1.Deadline
	add := func(date civil.Date, name string, title domain.Text) {
		if date >= today {
			out = append(out, &projectsv1.Deadline{Date: string(date), Resource: name, Title: textProto(title)})
		}
	}
	for _, t := range tasks {
		if !t.Times.Summary && !t.Complete() {
			add(t.Times.Finish, t.Name(), t.Title)
		}
	}
	for _, d := range deliverables {
		if d.State == domain.Planned || d.State == domain.Returned {
			add(d.Due, d.Name(), d.Title)
		}
	}
	add(p.End, p.Name(), p.Title)
	slices.SortStableFunc(out, func(a, b *projectsv1.Deadline) int { return cmp.Compare(a.GetDate(), b.GetDate()) })
	return out[:min(len(out), mostDeadlines)]
}
