package demo

import (
	"context"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// step is a task of the funded project.
type step struct {
	key, title, partner, parent string // parent: key of the work package
	days                        int64  // 0: a milestone
	partTime                    bool   // on the part-time calendar
	from                        string // starts no earlier than this day
	after                       []tie
}

// tie is a link to an earlier task; days of lag are negative for a lead.
type tie struct {
	task string
	kind projectsv1.LinkType
	lag  int64
}

const (
	finishStart  = projectsv1.LinkType_LINK_TYPE_FINISH_START
	startStart   = projectsv1.LinkType_LINK_TYPE_START_START
	finishFinish = projectsv1.LinkType_LINK_TYPE_FINISH_FINISH
	startFinish  = projectsv1.LinkType_LINK_TYPE_START_FINISH
)

// fundedSteps are in an order in which each comes after those that it names.
var fundedSteps = []step{
	{key: "wp1", title: "Coordinamento", partner: fundedLead},
	{key: "wp2", title: "Formazione", partner: fundedTrainer},
	{key: "wp3", title: "Sportelli digitali", partner: fundedSupplier},
	{key: "kick-off", title: "Avvio e accordi di partenariato", partner: fundedLead, parent: "wp1", days: 15, from: fundedStart},
	{key: "steering", title: "Coordinamento e monitoraggio", partner: fundedLead, parent: "wp1", days: 420, after: []tie{{"kick-off", startStart, 5}}},
	{key: "design", title: "Progettazione dei percorsi", partner: fundedTrainer, parent: "wp2", days: 40, after: []tie{{"kick-off", finishStart, 0}}},
	{key: "courses", title: "Edizioni per operatori e volontari", partner: fundedTrainer, parent: "wp2", days: 180, partTime: true, after: []tie{{"design", finishStart, 5}}},
	{key: "analysis", title: "Analisi con i Comuni", partner: fundedSupplier, parent: "wp3", days: 30, after: []tie{{"kick-off", startStart, 10}}},
	{key: "development", title: "Sviluppo e prove", partner: fundedSupplier, parent: "wp3", days: 120, after: []tie{{"analysis", finishStart, -5}}},
	{key: "desks", title: "Apertura degli sportelli", partner: fundedSupplier, parent: "wp3", days: 200, after: []tie{{"development", finishStart, 0}}},
	{key: "stand-in", title: "Sportello provvisorio, fino all'apertura", partner: fundedSupplier, parent: "wp3", days: 20, after: []tie{{"desks", startFinish, 0}}},
	{key: "report", title: "Relazioni ai finanziatori", partner: fundedLead, parent: "wp1", days: 20, after: []tie{{"steering", finishFinish, 0}}},
	{key: "end", title: "Sportelli consegnati ai Comuni", partner: fundedSupplier, parent: "wp3", after: []tie{{"desks", finishStart, 0}, {"courses", finishStart, 0}}},
}

const (
	officeHours   = "Orario d'ufficio, Torino"
	partTimeHours = "Tutor a tempo parziale: da lunedì a mercoledì"
)

// fundedPlan makes calendars, tasks and the baseline.
func (l *loader) fundedPlan(ctx context.Context, w *world, who *cast, project *projectsv1.Project) error {
	if project.GetPhase() != projectsv1.Phase_PHASE_PLANNING {
		return nil
	}
	calendars, err := who.manager.calendars(ctx, project.GetName())
	if err != nil {
		return err
	}
	tasks, err := l.taskNames(ctx, project.GetName())
	if err != nil {
		return err
	}
	for _, s := range fundedSteps {
		if tasks[s.key] != "" {
			continue
		}
		t := &projectsv1.Task{
			Title: it(s.title), Organisation: w.organisations[s.partner], ParentTask: tasks[s.parent], DurationMinutes: s.days * minutesPerDay,
		}
		if s.partTime {
			t.Calendar = calendars[partTimeHours]
		}
		if s.from != "" {
			t.Constraint = &projectsv1.Constraint{Type: projectsv1.ConstraintType_CONSTRAINT_TYPE_START_NO_EARLIER_THAN, Time: s.from + "T08:00"}
		}
		for _, a := range s.after {
			t.Predecessors = append(t.Predecessors, &projectsv1.Link{Task: tasks[a.task], Type: a.kind, LagMinutes: a.lag * minutesPerDay})
		}
		made := &projectsv1.Task{}
		if err := who.manager.post(ctx, "/v1/"+project.GetName()+"/tasks", "project/"+projectFunded+"/task/"+s.key, t, made); err != nil {
			return err
		}
		tasks[s.key] = made.GetName()
	}
	if err := who.manager.responsibilities(ctx, w, plan{key: projectFunded, lead: fundedLead}, project.GetName()); err != nil {
		return err
	}
	return who.manager.baseline(ctx, project.GetName())
}

// taskNames reads the tasks' names by the scenario's keys.
func (l *loader) taskNames(ctx context.Context, project string) (map[string]string, error) {
	page := &projectsv1.ListTasksResponse{}
	all, err := list(ctx, l, "/v1/"+project+"/tasks", "", page, page.GetTasks)
	byTitle, out := map[string]string{}, map[string]string{}
	for _, t := range all {
		byTitle[t.GetTitle().GetText()] = t.GetName()
	}
	for _, s := range fundedSteps {
		if name := byTitle[s.title]; name != "" {
			out[s.key] = name
		}
	}
	return out, err
}

// calendars makes the project's calendar, with Italian holidays and the patron of
// Torino, and one for who works part of the week; it returns them by title.
func (l *loader) calendars(ctx context.Context, project string) (map[string]string, error) {
	path := "/v1/" + project + "/calendars"
	page := &projectsv1.ListCalendarsResponse{}
	all, err := list(ctx, l, path, "", page, page.GetCalendars)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, c := range all {
		names[c.GetTitle().GetText()] = c.GetName()
	}
	hours := []*projectsv1.WorkingTime{{Start: "08:00", End: "12:00"}, {Start: "13:00", End: "17:00"}}
	office := &projectsv1.Calendar{Title: it(officeHours), ItalianHolidays: true, PatronDay: "--06-24", Exceptions: []*projectsv1.CalendarException{
		{StartDate: "2023-08-14", EndDate: "2023-08-18", DisplayName: "Chiusura estiva"}, {StartDate: "2024-08-12", EndDate: "2024-08-16", DisplayName: "Chiusura estiva"},
	}}
	for day := range int32(5) {
		office.WeekDays = append(office.WeekDays, &projectsv1.WeekDay{Day: day + 1, WorkingTimes: hours})
	}
	partTime := &projectsv1.Calendar{Title: it(partTimeHours), ItalianHolidays: true, PatronDay: "--06-24", WeekDays: office.GetWeekDays()[:3]}
	for _, c := range []*projectsv1.Calendar{office, partTime} {
		title := c.GetTitle().GetText()
		if names[title] != "" {
			continue
		}
		made := &projectsv1.Calendar{}
		if err := l.post(ctx, path, "project/"+projectFunded+"/calendar/"+slug(title), c, made); err != nil {
			return nil, err
		}
		names[title] = made.GetName()
	}
	schedule := &projectsv1.Schedule{}
	if err := l.get(ctx, "/v1/"+project+"/schedule", schedule); err != nil {
		return nil, err
	}
	if schedule.GetCalendar() == names[officeHours] {
		return names, nil
	}
	return names, l.patch(ctx, "/v1/"+project+"/schedule", &projectsv1.Schedule{Calendar: names[officeHours]}, nil)
}

// baseline keeps the plan as it was approved.
func (l *loader) baseline(ctx context.Context, project string) error {
	page := &projectsv1.ListBaselinesResponse{}
	path := "/v1/" + project + "/baselines"
	all, err := list(ctx, l, path, "", page, page.GetBaselines)
	if err != nil || len(all) > 0 {
		return err
	}
	return l.post(ctx, path, "project/"+projectFunded+"/baseline", &projectsv1.Baseline{Title: it("Piano approvato")}, nil)
}

// finishTasks reports every task as done.
func (l *loader) finishTasks(ctx context.Context, who *cast, project *projectsv1.Project) error {
	page := &projectsv1.ListTasksResponse{}
	all, err := list(ctx, l, "/v1/"+project.GetName()+"/tasks", "", page, page.GetTasks)
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.GetSummary() || t.GetProgressPercent() == 100 {
			continue
		}
		if err := who.manager.patch(ctx, "/v1/"+t.GetName(), &projectsv1.Task{ProgressPercent: 100}, nil); err != nil {
			return err
		}
	}
	return nil
}

// fundedResults are the deliverables: title, partner, task, due, criterion.
var fundedResults = [][5]string{
	{"Percorso formativo con materiali aperti", fundedTrainer, "courses", "2024-06-28", "I materiali sono pubblicati con licenza aperta"},
	{"Quattro sportelli digitali", fundedSupplier, "desks", "2024-12-13", "I quattro sportelli sono aperti e collaudati"},
}

// fundedDeliverables hands in and accepts the results, which were planned in the
// register of the plan.
func (l *loader) fundedDeliverables(ctx context.Context, w *world, who *cast, project *projectsv1.Project) error {
	all, err := l.planDeliverables(ctx, w, who, project.GetName())
	if err != nil {
		return err
	}
	for _, d := range all {
		key := "project/" + projectFunded + "/deliverable/" + slug(d.GetTitle().GetText())
		if d.GetState() == projectsv1.DeliverableState_DELIVERABLE_STATE_PLANNED {
			file, err := who.manager.file(ctx, project.GetName(), slug(d.GetTitle().GetText())+".pdf", "application/pdf", pdf(d.GetTitle().GetText(), fundedTitle))
			if err != nil {
				return err
			}
			if err := who.manager.post(ctx, "/v1/"+d.GetName()+":submit", key+"/submit", &projectsv1.SubmitDeliverableRequest{Sha256: file.GetSha256()}, d); err != nil {
				return err
			}
		}
		if d.GetState() == projectsv1.DeliverableState_DELIVERABLE_STATE_SUBMITTED {
			if err := who.manager.post(ctx, "/v1/"+d.GetName()+":accept", key+"/accept", nil, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// planDeliverables makes the deliverables that are missing and returns all.
func (l *loader) planDeliverables(ctx context.Context, w *world, who *cast, project string) ([]*projectsv1.Deliverable, error) {
	path := "/v1/" + project + "/deliverables"
	page := &projectsv1.ListDeliverablesResponse{}
	all, err := list(ctx, l, path, "", page, page.GetDeliverables)
	if err != nil {
		return nil, err
	}
	tasks, err := l.taskNames(ctx, project)
	if err != nil {
		return nil, err
	}
	have := map[string]bool{}
	for _, d := range all {
		have[d.GetTitle().GetText()] = true
	}
	for _, r := range fundedResults {
		if have[r[0]] {
			continue
		}
		made := &projectsv1.Deliverable{}
		in := &projectsv1.Deliverable{Title: it(r[0]), Organisation: w.organisations[r[1]], Task: tasks[r[2]], DueDate: r[3], AcceptanceCriteria: texts(r[4])}
		if err := who.manager.post(ctx, path, "project/"+projectFunded+"/deliverable/"+slug(r[0]), in, made); err != nil {
			return nil, err
		}
		all = append(all, made)
	}
	return all, nil
}
