package projects_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

func (s *suite) addTask(p *projectsv1.Project, x *projectsv1.Task) *projectsv1.Task {
	s.t.Helper()
	return must[*projectsv1.Task](s.t)(s.CreateTask(s.As(manager, leader), &projectsv1.CreateTaskRequest{Parent: p.GetName(), Task: x}))
}

func (s *suite) schedule(p *projectsv1.Project) *projectsv1.Schedule {
	s.t.Helper()
	return must[*projectsv1.Schedule](s.t)(s.GetSchedule(s.As(partner, member), &projectsv1.GetScheduleRequest{Name: p.GetName() + "/schedule"}))
}

func working(start, end string) []*projectsv1.WorkingTime {
	return []*projectsv1.WorkingTime{{Start: start, End: end}}
}

// body reads a download to its end.
func body(stream grpc.ServerStreamingClient[httpbody.HttpBody], err error) (string, error) {
	var out strings.Builder
	for err == nil {
		var chunk *httpbody.HttpBody
		if chunk, err = stream.Recv(); err == nil {
			out.Write(chunk.GetData())
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return out.String(), err
}

func TestLinksConstraintsAndCalendarsMakeTheDates(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		me := s.As(manager, leader)
		p := s.project()
		part := must[*projectsv1.Calendar](t)(s.CreateCalendar(me, &projectsv1.CreateCalendarRequest{Parent: p.GetName(), Calendar: &projectsv1.Calendar{
			Title: text("Mattine"), ItalianHolidays: true, WeekDays: []*projectsv1.WeekDay{
				{Day: 1, WorkingTimes: working("08:00", "12:00")}, {Day: 3, WorkingTimes: working("08:00", "12:00")}}}}))
		a := s.addTask(p, &projectsv1.Task{Title: text("A"), DurationMinutes: days(2)}) // 5 and 7 January
		link := func(kind projectsv1.LinkType, lag int64, elapsed bool) []*projectsv1.Link {
			return []*projectsv1.Link{{Task: a.GetName(), Type: kind, LagMinutes: lag, Elapsed: elapsed}}
		}
		for what, c := range map[string]struct {
			task          *projectsv1.Task
			start, finish string
		}{
			"finish to start with a lag":   {&projectsv1.Task{DurationMinutes: days(1), Predecessors: link(projectsv1.LinkType_LINK_TYPE_FINISH_START, 480, false)}, "2026-01-09T08:00", "2026-01-09T17:00"},
			"finish to start by the clock": {&projectsv1.Task{DurationMinutes: days(1), Predecessors: link(projectsv1.LinkType_LINK_TYPE_UNSPECIFIED, 1440, true)}, "2026-01-09T08:00", "2026-01-09T17:00"},
			"start to start":               {&projectsv1.Task{DurationMinutes: days(1), Predecessors: link(projectsv1.LinkType_LINK_TYPE_START_START, 240, false)}, "2026-01-05T13:00", "2026-01-07T12:00"},
			"finish to finish":             {&projectsv1.Task{DurationMinutes: days(1), Predecessors: link(projectsv1.LinkType_LINK_TYPE_FINISH_FINISH, 0, false)}, "2026-01-07T08:00", "2026-01-07T17:00"},
			"start to finish":              {&projectsv1.Task{DurationMinutes: days(1), Predecessors: link(projectsv1.LinkType_LINK_TYPE_START_FINISH, 960, false)}, "2026-01-07T08:00", "2026-01-07T17:00"},
			"a lead":                       {&projectsv1.Task{DurationMinutes: days(1), Predecessors: link(projectsv1.LinkType_LINK_TYPE_FINISH_START, -480, false)}, "2026-01-07T08:00", "2026-01-07T17:00"},
			"its own calendar":             {&projectsv1.Task{DurationMinutes: 480, Calendar: part.GetName()}, "2026-01-05T08:00", "2026-01-07T12:00"},
			"by the clock":                 {&projectsv1.Task{DurationMinutes: 1440, ElapsedDuration: true}, "2026-01-05T00:00", "2026-01-06T00:00"},
			"not before":                   {&projectsv1.Task{DurationMinutes: 60, Constraint: notBefore("2026-02-02T10:00")}, "2026-02-02T10:00", "2026-02-02T11:00"},
			"as late as possible": {&projectsv1.Task{DurationMinutes: days(1), Constraint: &projectsv1.Constraint{Type: projectsv1.ConstraintType_CONSTRAINT_TYPE_AS_LATE_AS_POSSIBLE}},
				"2026-02-02T10:00", "2026-02-03T10:00"},
		} {
			if what == "as late as possible" {
				continue // the end of the project has to be known: below
			}
			c.task.Title = text(what)
			got := s.addTask(p, c.task)
			if got.GetStartTime() != c.start || got.GetFinishTime() != c.finish {
				t.Errorf("%s: %s to %s, want %s to %s", what, got.GetStartTime(), got.GetFinishTime(), c.start, c.finish)
			}
		}
		late := s.addTask(p, &projectsv1.Task{Title: text("ALAP"), DurationMinutes: days(1), Constraint: &projectsv1.Constraint{Type: projectsv1.ConstraintType_CONSTRAINT_TYPE_AS_LATE_AS_POSSIBLE}})
		if late.GetStartTime() != "2026-01-30T11:00" || late.GetEarlyStartTime() != "2026-01-05T08:00" || late.GetFinishDate() != "2026-02-02" {
			t.Errorf("as late as possible: %s to %s", late.GetStartTime(), late.GetFinishTime())
		}
		missed := s.addTask(p, &projectsv1.Task{Title: text("Scaduta"), DurationMinutes: days(3), DeadlineTime: "2026-01-07T17:00"})
		if !missed.GetDeadlineMissed() || missed.GetTotalFloatMinutes() != -480 || missed.GetNegativeFloatCause() != missed.GetName() {
			t.Errorf("past its deadline: float %d because of %s", missed.GetTotalFloatMinutes(), missed.GetNegativeFloatCause())
		}
		list := must[*projectsv1.ListTasksResponse](t)(s.ListTasks(me, &projectsv1.ListTasksRequest{Parent: p.GetName(), Filter: "total_float_minutes < 0"})).GetTasks()
		if len(list) != 1 || list[0].GetName() != missed.GetName() {
			t.Errorf("with negative float: %v", list)
		}
		if x := s.schedule(p); x.GetNegativeFloatCount() != 1 || x.GetMissedDeadlineCount() != 1 || x.GetFinishTime() != "2026-02-02T11:00" || x.GetStartTime() != "2026-01-05T08:00" || x.GetTaskCount() != 12 {
			t.Errorf("the schedule is %v", x)
		}
		b := s.addTask(p, &projectsv1.Task{Title: text("B"), DurationMinutes: 1, Predecessors: link(projectsv1.LinkType_LINK_TYPE_FINISH_START, 0, false)})
		if d := b.GetDrivingPredecessors(); len(d) != 1 || d[0] != a.GetName() {
			t.Errorf("driven by %v", d)
		}

		// Less working time moves what works by it; what is in use stays.
		must[*projectsv1.Calendar](t)(s.UpdateCalendar(me, &projectsv1.UpdateCalendarRequest{Calendar: &projectsv1.Calendar{Name: part.GetName(), Etag: part.GetEtag(),
			Exceptions: []*projectsv1.CalendarException{{StartDate: "2026-01-05", EndDate: "2026-01-09", DisplayName: "Chiusura"}}}}))
		_, err := s.DeleteCalendar(me, &projectsv1.DeleteCalendarRequest{Name: part.GetName()})
		user := refused(t, err, codes.FailedPrecondition, domain.CalendarInUse).Metadata["users"]
		if got := s.readTask(user); got.GetStartTime() != "2026-01-12T08:00" {
			t.Errorf("after the closure it starts on %s", got.GetStartTime())
		}
		other := s.project()
		for name, c := range map[string]struct {
			task   *projectsv1.Task
			code   codes.Code
			reason errs.Reason
		}{
			"a calendar of another project": {&projectsv1.Task{Calendar: strings.Replace(part.GetName(), p.GetName(), other.GetName(), 1)}, codes.InvalidArgument, domain.CalendarUnknown},
			"no such resource":              {&projectsv1.Task{Assignments: []*projectsv1.Assignment{{Resource: p.GetName() + "/resources/00000000-0000-7000-8000-000000000000"}}}, codes.InvalidArgument, domain.ResourceUnknown},
			"a constraint without a time":   {&projectsv1.Task{Constraint: notBefore("")}, codes.InvalidArgument, domain.ConstraintWrong},
			"linked twice in one way":       {&projectsv1.Task{Predecessors: append(link(1, 0, false), link(1, 5, false)...)}, codes.InvalidArgument, errs.InvalidRequest},
			"linked to itself":              {&projectsv1.Task{Name: a.GetName(), Predecessors: link(1, 0, false)}, codes.FailedPrecondition, domain.TaskCycle},
		} {
			if c.task.GetName() == "" {
				c.task.Name = b.GetName()
			}
			_, err := s.UpdateTask(me, &projectsv1.UpdateTaskRequest{Task: c.task})
			if name == "linked to itself" && reasonOf(err) == domain.LinkWrong {
				continue
			}
			t.Run(name, func(t *testing.T) { refused(t, err, c.code, c.reason) })
		}
		for name, c := range map[string]*projectsv1.Calendar{
			"overlapping":  {WeekDays: []*projectsv1.WeekDay{{Day: 1, WorkingTimes: append(working("08:00", "12:00"), working("11:00", "13:00")...)}}},
			"backwards":    {WeekDays: []*projectsv1.WeekDay{{Day: 1, WorkingTimes: working("12:00", "08:00")}}},
			"Monday twice": {WeekDays: []*projectsv1.WeekDay{{Day: 1}, {Day: 1}}},
			"30 February":  {PatronDay: "--02-30"},
		} {
			c.Title = text("x")
			_, err := s.CreateCalendar(me, &projectsv1.CreateCalendarRequest{Parent: p.GetName(), Calendar: c})
			t.Run(name, func(t *testing.T) { refused(t, err, codes.InvalidArgument, domain.CalendarWrong) })
		}
		_, err = s.UpdateCalendar(me, &projectsv1.UpdateCalendarRequest{Calendar: &projectsv1.Calendar{Name: part.GetName(), BaseCalendar: part.GetName()}})
		refused(t, err, codes.FailedPrecondition, domain.CalendarWrong)
	})
}

func TestBatchesAreAllOrNothing(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		me := s.As(manager, leader)
		p := s.project()
		standIn := func(n int) string { return fmt.Sprintf("%s/tasks/00000000-0000-7000-8000-%012d", p.GetName(), n) }
		req := &projectsv1.BatchCreateTasksRequest{Parent: p.GetName(), RequestId: "once", Tasks: []*projectsv1.Task{
			{Name: standIn(3), Title: text("Dopo"), DurationMinutes: days(1), ParentTask: standIn(1), Predecessors: []*projectsv1.Link{{Task: standIn(2)}}},
			{Name: standIn(1), Title: text("WP")},
			{Name: standIn(2), Title: text("Prima"), DurationMinutes: days(2), ParentTask: standIn(1)},
		}}
		made := must[*projectsv1.BatchCreateTasksResponse](t)(s.BatchCreateTasks(me, req)).GetTasks()
		again := must[*projectsv1.BatchCreateTasksResponse](t)(s.BatchCreateTasks(me, req)).GetTasks()
		if len(made) != 3 || made[0].GetName() == standIn(3) || made[0].GetParentTask() != made[1].GetName() ||
			made[0].GetPredecessors()[0].GetTask() != made[2].GetName() || made[0].GetStartTime() != "2026-01-08T08:00" || !made[1].GetSummary() {
			t.Errorf("made %v", made)
		}
		if again[0].GetName() != made[0].GetName() || s.schedule(p).GetTaskCount() != 2 {
			t.Error("the same request made more tasks")
		}
		version := s.schedule(p).GetPlanVersion()
		bad := proto.CloneOf(req)
		bad.RequestId, bad.Tasks[2].Title = "", text(" ")
		_, err := s.BatchCreateTasks(me, bad)
		refused(t, err, codes.InvalidArgument, domain.FieldMissing)
		if f := fieldsOf(t, err); len(f) != 1 || f[0] != "tasks[2].title" {
			t.Errorf("the error is about %v", f)
		}
		bad.Tasks[2].Title, bad.Tasks[2].Predecessors = text("x"), []*projectsv1.Link{{Task: standIn(3)}}
		_, err = s.BatchCreateTasks(me, bad)
		refused(t, err, codes.FailedPrecondition, domain.TaskCycle)

		change := func(name, etag string, minutes int64) *projectsv1.UpdateTaskRequest {
			return &projectsv1.UpdateTaskRequest{Task: &projectsv1.Task{Name: name, Etag: etag, DurationMinutes: minutes}}
		}
		_, err = s.BatchUpdateTasks(me, &projectsv1.BatchUpdateTasksRequest{Parent: p.GetName(), Requests: []*projectsv1.UpdateTaskRequest{
			change(made[0].GetName(), "", days(9)), change(made[2].GetName(), "W/\"v9\"", 1)}})
		if status.Code(err) != codes.Aborted {
			t.Errorf("a stale etag in a batch: %v", err)
		}
		_, err = s.BatchUpdateTasks(me, &projectsv1.BatchUpdateTasksRequest{Parent: p.GetName(), Requests: []*projectsv1.UpdateTaskRequest{
			change(made[0].GetName(), "", days(9)), {Task: &projectsv1.Task{Name: made[2].GetName(), Calendar: p.GetName() + "/calendars/00000000-0000-7000-8000-000000000000"}}}})
		if f := fieldsOf(t, err); len(f) != 1 || f[0] != "requests[1].task.calendar" {
			t.Errorf("the error is about %v", f)
		}
		_, err = s.BatchUpdateTasks(me, &projectsv1.BatchUpdateTasksRequest{Parent: p.GetName(), Requests: []*projectsv1.UpdateTaskRequest{
			{Task: &projectsv1.Task{Name: made[2].GetName(), ActualFinishDate: "2026-01-02"}}}})
		if f := fieldsOf(t, err); len(f) != 1 || f[0] != "requests[0].task.actual_start_date" {
			t.Errorf("the error is about %v", f)
		}
		if got := s.schedule(p); got.GetPlanVersion() != version || s.readTask(made[0].GetName()).GetDurationMinutes() != days(1) {
			t.Errorf("something was written: %v", got)
		}
		out := must[*projectsv1.BatchUpdateTasksResponse](t)(s.BatchUpdateTasks(me, &projectsv1.BatchUpdateTasksRequest{Parent: p.GetName(), Requests: []*projectsv1.UpdateTaskRequest{
			change(made[0].GetName(), made[0].GetEtag(), days(9)), change(made[2].GetName(), made[2].GetEtag(), days(1))}})).GetTasks()
		if out[0].GetStartTime() != "2026-01-07T08:00" || out[0].GetFinishTime() != "2026-01-19T17:00" {
			t.Errorf("changed to %v", out)
		}
	})
}

func TestBaselinesShowHowThePlanHasMoved(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		me := s.As(manager, leader)
		p := s.project()
		a := s.task(p, "A", 2)
		b := s.task(p, "B", 3, a)
		if a.GetBaselineVariance() != nil {
			t.Error("a variance without a baseline")
		}
		first := must[*projectsv1.Baseline](t)(s.CreateBaseline(me, &projectsv1.CreateBaselineRequest{Parent: p.GetName(), Baseline: &projectsv1.Baseline{Title: text("RfE")}}))
		if first.GetTaskCount() != 2 || first.GetFinishTime() != "2026-01-12T17:00" {
			t.Errorf("the baseline is %v", first)
		}
		must[*projectsv1.Task](t)(s.UpdateTask(me, &projectsv1.UpdateTaskRequest{Task: &projectsv1.Task{Name: a.GetName(), DurationMinutes: days(4)}}))
		v := s.readTask(b.GetName()).GetBaselineVariance()
		if v.GetStartMinutes() != 960 || v.GetFinishMinutes() != 960 || v.GetDurationMinutes() != 0 || v.GetBaseline() != first.GetName() || v.GetBaselineStartTime() != "2026-01-08T08:00" {
			t.Errorf("the variance is %v", v)
		}
		if v := s.readTask(a.GetName()).GetBaselineVariance(); v.GetStartMinutes() != 0 || v.GetFinishMinutes() != 960 || v.GetDurationMinutes() != 960 {
			t.Errorf("the variance is %v", v)
		}
		s.task(p, "C", 1)
		second := must[*projectsv1.Baseline](t)(s.CreateBaseline(me, &projectsv1.CreateBaselineRequest{Parent: p.GetName(), Baseline: &projectsv1.Baseline{Title: text("2")}}))
		if v := s.readTask(b.GetName()).GetBaselineVariance(); v.GetBaseline() != second.GetName() || v.GetStartMinutes() != 0 {
			t.Errorf("against the last: %v", v)
		}
		x := s.schedule(p)
		x = must[*projectsv1.Schedule](t)(s.UpdateSchedule(me, &projectsv1.UpdateScheduleRequest{Schedule: &projectsv1.Schedule{Name: x.GetName(), Etag: x.GetEtag(), Baseline: first.GetName()}}))
		if v := s.readTask(b.GetName()).GetBaselineVariance(); v.GetBaseline() != first.GetName() || x.GetBaseline() != first.GetName() {
			t.Errorf("against the chosen: %v", v)
		}
		for range domain.MaxBaselines - 2 {
			must[*projectsv1.Baseline](t)(s.CreateBaseline(me, &projectsv1.CreateBaselineRequest{Parent: p.GetName(), Baseline: &projectsv1.Baseline{Title: text("x")}}))
		}
		_, err := s.CreateBaseline(me, &projectsv1.CreateBaselineRequest{Parent: p.GetName(), Baseline: &projectsv1.Baseline{Title: text("x")}})
		refused(t, err, codes.FailedPrecondition, domain.BaselinesFull)
		if _, err := s.DeleteBaseline(me, &projectsv1.DeleteBaselineRequest{Name: first.GetName(), Etag: first.GetEtag()}); err != nil {
			t.Fatal(err)
		}
		list := must[*projectsv1.ListBaselinesResponse](t)(s.ListBaselines(me, &projectsv1.ListBaselinesRequest{Parent: p.GetName()})).GetBaselines()
		tasks := must[*projectsv1.ListBaselineTasksResponse](t)(s.ListBaselineTasks(me, &projectsv1.ListBaselineTasksRequest{Parent: second.GetName(), OrderBy: "start_time desc"})).GetTasks()
		if len(list) != domain.MaxBaselines-1 || len(tasks) != 3 || tasks[0].GetTask() != b.GetName() {
			t.Errorf("%d baselines; tasks %v", len(list), tasks)
		}
		for name, c := range map[string]*projectsv1.Schedule{
			"TIME_ZONE_UNKNOWN": {TimeZone: "Europe/Nowhere"}, "BASELINE_UNKNOWN": {Baseline: first.GetName()},
			"CALENDAR_UNKNOWN": {Calendar: p.GetName() + "/calendars/00000000-0000-7000-8000-000000000000"},
		} {
			c.Name = x.GetName()
			_, err := s.UpdateSchedule(me, &projectsv1.UpdateScheduleRequest{Schedule: c})
			refused(t, err, codes.InvalidArgument, errs.Reason(name))
		}
		_, err = s.UpdateSchedule(me, &projectsv1.UpdateScheduleRequest{Schedule: &projectsv1.Schedule{Name: x.GetName(), Etag: "W/\"v1\"", TimeZone: "Europe/Riga"}})
		refused(t, err, codes.Aborted, errs.StaleEtag)
	})
}

func TestLevellingKeepsWithinWhatThereIs(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		me := s.As(manager, leader)
		p := s.project()
		trainer := must[*projectsv1.Resource](t)(s.CreateResource(me, &projectsv1.CreateResourceRequest{Parent: p.GetName(), Resource: &projectsv1.Resource{
			Title: text("Formatrice"), Kind: projectsv1.ResourceKind_RESOURCE_KIND_PERSON, Subject: "s-7", Organisation: member, CapacityPercent: 100}}))
		busy := []*projectsv1.Assignment{{Resource: trainer.GetName()}}
		var tasks []*projectsv1.Task
		for i := range 3 {
			x := &projectsv1.Task{Title: text(fmt.Sprint("T", i)), DurationMinutes: days(1), Assignments: busy, Organisation: member}
			if i == 2 {
				x.DeadlineTime = "2026-01-05T17:00"
			}
			tasks = append(tasks, s.addTask(p, x))
		}
		name := p.GetName() + "/schedule"
		dry := must[*projectsv1.LevelScheduleResponse](t)(s.LevelSchedule(me, &projectsv1.LevelScheduleRequest{Name: name}))
		if dry.GetApplied() || len(dry.GetTasks()) != 2 || dry.GetMakespanMinutes() != days(3) || dry.GetLowerBoundMinutes() != days(3) || dry.GetGapBasisPoints() != 0 ||
			dry.GetFinishTime() != "2026-01-05T17:00" || dry.GetLevelledFinishTime() != "2026-01-08T17:00" {
			t.Errorf("levelling would give %v", dry)
		}
		if s.readTask(tasks[1].GetName()).GetLevelledStartTime() != "" || s.schedule(p).GetPlanVersion() != 3 {
			t.Error("a dry run has changed the plan")
		}
		_, err := s.LevelSchedule(me, &projectsv1.LevelScheduleRequest{Name: name, Apply: true, PlanVersion: 2})
		refused(t, err, codes.Aborted, errs.StaleEtag)
		apply := &projectsv1.LevelScheduleRequest{Name: name, Apply: true, PlanVersion: 3, RequestId: "l"}
		done := must[*projectsv1.LevelScheduleResponse](t)(s.LevelSchedule(me, apply))
		if again := must[*projectsv1.LevelScheduleResponse](t)(s.LevelSchedule(me, apply)); !proto.Equal(again, done) || s.schedule(p).GetPlanVersion() != 4 {
			t.Errorf("asked once more it gave %v", again)
		}
		if !done.GetApplied() || s.schedule(p).GetFinishTime() != "2026-01-08T17:00" {
			t.Errorf("levelling gave %v", done)
		}
		starts := map[string]bool{}
		for _, x := range tasks {
			starts[s.readTask(x.GetName()).GetStartDate()] = true
		}
		if len(starts) != 3 {
			t.Errorf("the tasks start on %v", starts)
		}
		must[*projectsv1.LevelScheduleResponse](t)(s.LevelSchedule(me, &projectsv1.LevelScheduleRequest{Name: name, Apply: true, Clear: true}))
		if got := s.schedule(p); got.GetFinishTime() != "2026-01-05T17:00" {
			t.Errorf("after the delays were taken away: %v", got)
		}
		_, err = s.DeleteResource(me, &projectsv1.DeleteResourceRequest{Name: trainer.GetName()})
		refused(t, err, codes.FailedPrecondition, domain.ResourceInUse)
		s.addTask(p, &projectsv1.Task{Title: text("Troppo"), DurationMinutes: 60, Assignments: []*projectsv1.Assignment{{Resource: trainer.GetName(), UnitsPercent: 150}}})
		_, err = s.LevelSchedule(me, &projectsv1.LevelScheduleRequest{Name: name})
		refused(t, err, codes.FailedPrecondition, domain.LevelImpossible)
	})
}

func TestPlansGoToOtherProgramsAndComeBack(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		me := s.As(manager, leader)
		p := s.project()
		wp := s.addTask(p, &projectsv1.Task{Title: text("WP1")})
		a := s.addTask(p, &projectsv1.Task{Title: text("Analisi è"), DurationMinutes: days(2), ParentTask: wp.GetName(), Organisation: member, DeadlineTime: "2026-01-30T17:00"})
		s.addTask(p, &projectsv1.Task{Title: text("Fatto"), ParentTask: wp.GetName(), Predecessors: []*projectsv1.Link{{Task: a.GetName(), LagMinutes: 480}}})
		must[*projectsv1.Deliverable](t)(s.CreateDeliverable(me, &projectsv1.CreateDeliverableRequest{Parent: p.GetName(), Deliverable: &projectsv1.Deliverable{Title: text("Rapporto"), DueDate: "2026-03-01", Task: a.GetName()}}))
		name := p.GetName() + "/schedule"
		as := s.As(partner, member) // reads the shared plan
		xml, err := body(s.ExportSchedule(as, &projectsv1.ExportScheduleRequest{Name: name}))
		if err != nil {
			t.Fatal(err)
		}
		ical, err := body(s.ExportCalendarFeed(as, &projectsv1.ExportCalendarFeedRequest{Name: name}))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"UID:milestone@", "UID:deadline@", "UID:deliverable@", "DTSTART;VALUE=DATE:20260301", "DTSTART:20260130T160000Z", "SUMMARY:Rapporto", "\r\n"} {
			if !strings.Contains(ical, want) {
				t.Errorf("no %q in %s", want, ical)
			}
		}
		_, err = body(s.ExportSchedule(s.As(manager, stranger), &projectsv1.ExportScheduleRequest{Name: name}))
		refused(t, err, codes.NotFound, errs.Absent)

		// Into another project, whose plan is empty.
		q := s.project()
		target := q.GetName() + "/schedule"
		file := s.uploaded(me, q, "piano.xml", []byte(xml))
		dry := must[*projectsv1.ImportScheduleResponse](t)(s.ImportSchedule(me, &projectsv1.ImportScheduleRequest{Name: target, File: file.GetName(), DryRun: true}))
		if dry.GetApplied() || dry.GetTaskCount() != 3 || dry.GetLinkCount() != 1 || dry.GetAgreeingCount() != 3 || dry.GetDifferingCount() != 0 || len(dry.GetDropped()) != 0 {
			t.Errorf("an import would do %v", dry)
		}
		if s.schedule(q).GetTaskCount() != 0 {
			t.Error("a dry run has changed the plan")
		}
		in := must[*projectsv1.ImportScheduleResponse](t)(s.ImportSchedule(me, &projectsv1.ImportScheduleRequest{Name: target, File: file.GetName(), RequestId: "i"}))
		if x := s.schedule(q); !in.GetApplied() || x.GetTaskCount() != 2 || x.GetFinishTime() != s.schedule(p).GetFinishTime() || x.GetCalendar() == "" {
			t.Errorf("the import gave %v, the schedule %v", in, x)
		}
		_, err = s.ImportSchedule(me, &projectsv1.ImportScheduleRequest{Name: target, File: file.GetName()})
		refused(t, err, codes.FailedPrecondition, domain.PlanNotEmpty)

		// Back into its own project: its tasks keep their names, and their deliverables.
		own := s.uploaded(me, p, "piano.xml", []byte(xml))
		_, err = s.ImportSchedule(me, &projectsv1.ImportScheduleRequest{Name: name, File: own.GetName(), Mode: projectsv1.ImportMode_IMPORT_MODE_REPLACE, PlanVersion: 1})
		refused(t, err, codes.Aborted, errs.StaleEtag)
		must[*projectsv1.ImportScheduleResponse](t)(s.ImportSchedule(me, &projectsv1.ImportScheduleRequest{Name: name, File: own.GetName(), Mode: projectsv1.ImportMode_IMPORT_MODE_REPLACE, PlanVersion: s.schedule(p).GetPlanVersion()}))
		if got := s.readTask(a.GetName()); got.GetOrganisation() != member || got.GetFinishTime() != a.GetFinishTime() || got.GetTitle().GetText() != "Analisi è" || got.GetEtag() == a.GetEtag() {
			t.Errorf("it came back as %v", got)
		}
		// Another document does not have the task that a deliverable needs.
		const head = `<Project xmlns="http://schemas.microsoft.com/project"><Tasks>`
		document := func(tasks string) []byte {
			return []byte(`<?xml version="1.0"?>` + head + tasks + `</Tasks></Project>`)
		}
		row := func(uid int, more string) string {
			return fmt.Sprintf("\n<Task><UID>%d</UID><Name>T%d</Name><OutlineLevel>1</OutlineLevel><Duration>PT8H0M0S</Duration>%s</Task>", uid, uid, more)
		}
		after := func(uid int) string {
			return fmt.Sprintf("<PredecessorLink><PredecessorUID>%d</PredecessorUID><Type>1</Type></PredecessorLink>", uid)
		}
		load := func(content []byte) error {
			f := s.uploaded(me, p, "x.xml", content)
			_, err := s.ImportSchedule(me, &projectsv1.ImportScheduleRequest{Name: name, File: f.GetName(), Mode: projectsv1.ImportMode_IMPORT_MODE_REPLACE})
			return err
		}
		before := s.schedule(p)
		refused(t, load(document(row(1, ""))), codes.FailedPrecondition, domain.TaskInUse)
		if e := refused(t, load(document(row(1, after(2))+row(2, after(1)))), codes.FailedPrecondition, domain.TaskCycle); !strings.Contains(e.Message, "task UID 1 (line 2)") || !strings.Contains(e.Message, "task UID 2 (line 3)") {
			t.Errorf("the cycle is told as %s", e.Message)
		}
		if e := refused(t, load(document(row(1, after(9)))), codes.InvalidArgument, domain.PlanFileWrong); e.Metadata["line"] != "2" {
			t.Errorf("the absent task is told as %s", e)
		}
		// What nobody may write is refused: the task could not be changed afterwards.
		language := `<ExtendedAttributes><ExtendedAttribute><FieldID>1</FieldID><Alias>Trama language</Alias></ExtendedAttribute></ExtendedAttributes>`
		strange := row(1, "<ExtendedAttribute><FieldID>1</FieldID><Value>!!</Value></ExtendedAttribute>")
		strange = strings.Replace(string(document(strange)), "<Tasks>", language+"<Tasks>", 1)
		if e := refused(t, load([]byte(strange)), codes.InvalidArgument, domain.PlanFileWrong); e.Metadata["line"] != "2" {
			t.Errorf("the strange language is told as %s", e)
		}
		if now := s.schedule(p); !proto.Equal(before, now) {
			t.Errorf("what failed has changed the plan: %v", now)
		}
		foreign := s.uploaded(me, q, "y.xml", document(row(1, "")))
		_, err = s.ImportSchedule(me, &projectsv1.ImportScheduleRequest{Name: name, File: foreign.GetName()})
		refused(t, err, codes.InvalidArgument, domain.FileUnknown)
		_, err = s.ImportSchedule(s.As(manager, member), &projectsv1.ImportScheduleRequest{Name: name, File: own.GetName()})
		refused(t, err, codes.PermissionDenied, domain.LeadOnly)
		_, err = s.LevelSchedule(s.As(manager, member), &projectsv1.LevelScheduleRequest{Name: name})
		refused(t, err, codes.PermissionDenied, domain.LeadOnly)
	})
}

// TestTwoPeopleEditOnePlan lets two people work on the same plan at the same time.
func TestTwoPeopleEditOnePlan(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		people := []string{"a", "b"}
		me := s.As(manager, leader)
		p := s.project()
		shared := s.task(p, "Condivisa", 1)
		own := []*projectsv1.Task{s.task(p, "Sua", 1), s.task(p, "Mia", 1)}
		for round := range 6 {
			now := s.readTask(shared.GetName())
			// The same task, as both have read it: one wins, the other is told to read again.
			won, winner := 0, -1
			for i, err := range together(len(people), func(i int) error {
				_, err := s.UpdateTask(me, &projectsv1.UpdateTaskRequest{Task: &projectsv1.Task{Name: now.GetName(), Etag: now.GetEtag(), Notes: fmt.Sprint(people[i], round)}})
				return err
			}) {
				if err == nil {
					won, winner = won+1, i
				} else if r := reasonOf(err); r != errs.StaleEtag && r != errs.ConcurrentUpdate {
					t.Fatalf("round %d: %v", round, err)
				}
			}
			if got := s.readTask(shared.GetName()).GetNotes(); won != 1 || got != fmt.Sprint(people[winner], round) {
				t.Fatalf("round %d: %d have won, the notes say %s", round, won, got)
			}
			// Different tasks: neither is in the other's way, and both count.
			for _, err := range together(len(people), func(i int) error {
				_, err := s.UpdateTask(me, &projectsv1.UpdateTaskRequest{Task: &projectsv1.Task{Name: own[i].GetName(), DurationMinutes: days(round + 2 + i)}})
				return err
			}) {
				if err != nil {
					t.Fatal(err)
				}
			}
			for i, x := range own {
				if got := s.readTask(x.GetName()).GetDurationMinutes(); got != days(round+2+i) {
					t.Errorf("round %d: the change of %s is lost: %d", round, people[i], got)
				}
			}
			// Different fields of one task without etags: nothing is lost either.
			for _, err := range together(len(people), func(i int) error {
				x := &projectsv1.Task{Name: shared.GetName(), DurationMinutes: days(round + 3)}
				if i == 1 {
					x = &projectsv1.Task{Name: shared.GetName(), AssigneeSubject: fmt.Sprint("s-", round)}
				}
				_, err := s.UpdateTask(me, &projectsv1.UpdateTaskRequest{Task: x})
				return err
			}) {
				if err != nil {
					t.Fatal(err)
				}
			}
			if got := s.readTask(shared.GetName()); got.GetDurationMinutes() != days(round+3) || got.GetAssigneeSubject() != fmt.Sprint("s-", round) {
				t.Errorf("round %d: a field is lost: %v", round, got)
			}
		}
		if got := s.schedule(p).GetPlanVersion(); got != 3+6*5 {
			t.Errorf("the plan is at version %d, want %d", got, 3+6*5)
		}
	})
}

// TestALargePlanIsBuiltAndChanged makes a plan of 2,000 tasks through the API.
func TestALargePlanIsBuiltAndChanged(t *testing.T) {
	const tasks, width = 2_000, 20
	eachDB(t, func(t *testing.T, s *suite) {
		began := time.Now()
		made := s.large(tasks, width)
		built := time.Since(began)
		began = time.Now()
		must[*projectsv1.Task](t)(s.UpdateTask(s.As(manager, leader), &projectsv1.UpdateTaskRequest{Task: &projectsv1.Task{Name: made[0].GetName(), DurationMinutes: days(3)}}))
		changed := time.Since(began)
		t.Logf("%d tasks built in %s, the first changed in %s", tasks, built, changed)
		if built > 30*time.Second || changed > 5*time.Second {
			t.Errorf("%d tasks took %s to build and %s to change one", tasks, built, changed)
		}
		if x := s.schedule(&projectsv1.Project{Name: projectOf(made[0].GetName())}); x.GetTaskCount() != tasks {
			t.Errorf("the schedule is %v", x)
		}
	})
}

// large makes a plan of so many tasks: chains side by side, in batches.
func (s *suite) large(tasks, width int) []*projectsv1.Task {
	s.t.Helper()
	p := s.project()
	var out []*projectsv1.Task
	for len(out) < tasks {
		req := &projectsv1.BatchCreateTasksRequest{Parent: p.GetName()}
		for i := len(out); i < min(tasks, len(out)+1_000); i++ {
			x := &projectsv1.Task{Name: fmt.Sprintf("%s/tasks/00000000-0000-7000-8000-%012d", p.GetName(), i), Title: text(fmt.Sprint("T", i)), DurationMinutes: 60 + int64(i%7)*60}
			switch from := i - width; {
			case from >= len(out):
				x.Predecessors = []*projectsv1.Link{{Task: req.Tasks[from-len(out)].GetName()}}
			case from >= 0:
				x.Predecessors = []*projectsv1.Link{{Task: out[from].GetName()}}
			}
			req.Tasks = append(req.Tasks, x)
		}
		out = append(out, must[*projectsv1.BatchCreateTasksResponse](s.t)(s.BatchCreateTasks(s.As(manager, leader), req)).GetTasks()...)
	}
	return out
}
