package training_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	"github.com/trama-suite/trama/services/platform/testkit"
)

func TestCourseAndItsModules(t *testing.T) {
	each(t, func(w *world) {
		_, err := w.courses.CreateCourse(w.teacher, &trainingv1.CreateCourseRequest{Course: &trainingv1.Course{Organisation: other, Title: text("Di altri")}})
		w.absent(err)
		module := func(id string) *trainingv1.Module {
			return &trainingv1.Module{ModuleId: id, Title: text("Modulo"), Minutes: 60}
		}
		_, err = w.courses.CreateCourse(w.teacher, &trainingv1.CreateCourseRequest{Course: &trainingv1.Course{
			Organisation: cgm, Title: text("Doppio"), Modules: []*trainingv1.Module{module("a"), module("a")}}})
		w.refused(err, "DUPLICATE_MODULE")
		_, err = w.courses.CreateCourse(w.teacher, &trainingv1.CreateCourseRequest{Course: &trainingv1.Course{
			Organisation: cgm, Title: text(strings.Repeat("x", 301))}})
		w.refused(err, "INVALID_REQUEST")

		draft := must[*trainingv1.Course](t)(w.courses.CreateCourse(w.teacher, &trainingv1.CreateCourseRequest{Course: &trainingv1.Course{Organisation: cgm, Title: text("Bozza")}}))
		if draft.GetThresholdPercent() != 80 {
			t.Fatalf("the policy's threshold is %d", draft.GetThresholdPercent())
		}
		_, err = w.courses.PublishCourse(w.teacher, &trainingv1.PublishCourseRequest{Name: draft.GetName()})
		w.refused(err, "COURSE_HAS_NO_MODULES")
		_, err = w.courses.GetCourse(w.outsider, &trainingv1.GetCourseRequest{Name: draft.GetName()})
		w.absent(err)
		_, err = w.interests.ExpressInterest(w.self("Anna"), &trainingv1.ExpressInterestRequest{Name: draft.GetName()})
		w.absent(err)

		c := w.course()
		if c.GetTotalMinutes() != 22*60 {
			t.Fatalf("%d minutes", c.GetTotalMinutes())
		}
		e := w.scheduled(c, 1, 16, 0)
		c.Modules[3].Minutes = 300
		changed := must[*trainingv1.Course](t)(w.courses.UpdateCourse(w.teacher, &trainingv1.UpdateCourseRequest{Course: c, UpdateMask: mask("modules")}))
		if m := changed.GetModules(); m[0].GetVersion() != 1 || m[3].GetVersion() != 2 || e.GetModules()[3].GetVersion() != 1 {
			t.Fatalf("versions: %v; the edition keeps %v", m, e.GetModules())
		}
		_, err = w.courses.UpdateCourse(w.teacher, &trainingv1.UpdateCourseRequest{Course: c, UpdateMask: mask("modules")})
		w.refused(err, "STALE_ETAG")
		_, err = w.courses.UpdateCourse(w.outsider, &trainingv1.UpdateCourseRequest{Course: &trainingv1.Course{Name: c.GetName(), Title: text("Mio")}})
		w.absent(err)
		// Out and back in: the module goes on counting, it does not start again.
		out := must[*trainingv1.Course](t)(w.courses.UpdateCourse(w.teacher, &trainingv1.UpdateCourseRequest{
			Course: &trainingv1.Course{Name: c.GetName(), Modules: changed.GetModules()[:3]}, UpdateMask: mask("modules")}))
		back := must[*trainingv1.Course](t)(w.courses.UpdateCourse(w.teacher, &trainingv1.UpdateCourseRequest{
			Course: &trainingv1.Course{Name: c.GetName(), Modules: append(out.GetModules(), c.GetModules()[3])}, UpdateMask: mask("modules")}))
		if v := back.GetModules()[3].GetVersion(); v != 3 {
			t.Fatalf("version %d", v)
		}
		must[*trainingv1.Course](t)(w.courses.ArchiveCourse(w.teacher, &trainingv1.ArchiveCourseRequest{Name: c.GetName()}))
		_, err = w.courses.UpdateCourse(w.teacher, &trainingv1.UpdateCourseRequest{Course: &trainingv1.Course{Name: c.GetName(), Title: text("Altro")}})
		w.refused(err, "COURSE_ARCHIVED")
		list := must[*trainingv1.ListCoursesResponse](t)(w.courses.ListCourses(w.outsider, &trainingv1.ListCoursesRequest{}))
		if len(list.GetCourses()) != 1 || list.GetCourses()[0].GetName() != c.GetName() {
			t.Fatalf("an outsider lists %v", list)
		}
	})
}

func TestEditionStates(t *testing.T) {
	each(t, func(w *world) {
		course := w.course()
		create := func(e *trainingv1.Edition) (*trainingv1.Edition, error) {
			e.Organisation, e.Capacity = cgm, 16
			return w.editions.CreateEdition(w.teacher, &trainingv1.CreateEditionRequest{Edition: e})
		}
		_, err := create(&trainingv1.Edition{Kind: trainingv1.EditionKind_EDITION_KIND_COURSE, Number: 1})
		w.refused(err, "COURSE_REQUIRED")
		_, err = create(&trainingv1.Edition{Kind: trainingv1.EditionKind_EDITION_KIND_EVENT})
		w.refused(err, "TITLE_REQUIRED")
		_, err = create(&trainingv1.Edition{Kind: trainingv1.EditionKind_EDITION_KIND_WEBINAR, Title: text("W"), StartDate: "2026-02-30"})
		w.refused(err, "DATES_REVERSED")
		e := must[*trainingv1.Edition](t)(create(&trainingv1.Edition{Kind: trainingv1.EditionKind_EDITION_KIND_COURSE, Course: course.GetName(), Number: 1}))
		_, err = create(&trainingv1.Edition{Kind: trainingv1.EditionKind_EDITION_KIND_COURSE, Course: course.GetName(), Number: 1})
		w.refused(err, "EDITION_NUMBER_TAKEN")
		_, err = w.editions.ScheduleEdition(w.teacher, &trainingv1.ScheduleEditionRequest{Name: e.GetName()})
		w.refused(err, "DATES_REQUIRED")
		_, err = w.editions.OpenEdition(w.teacher, &trainingv1.OpenEditionRequest{Name: e.GetName()})
		w.refused(err, "ILLEGAL_TRANSITION")
		must[*trainingv1.Edition](t)(w.editions.UpdateEdition(w.teacher, &trainingv1.UpdateEditionRequest{
			Edition: &trainingv1.Edition{Name: e.GetName(), StartDate: "2026-02-01", EndDate: "2026-03-01"}}))
		e = must[*trainingv1.Edition](t)(w.editions.ScheduleEdition(w.teacher, &trainingv1.ScheduleEditionRequest{Name: e.GetName()}))
		if e.GetThresholdPercent() != 80 || e.GetProject() != course.GetProject() || len(e.GetModules()) != 4 || e.GetTitle().GetText() == "" {
			t.Fatalf("%v", e)
		}
		e = w.start(w.open(e))
		e = must[*trainingv1.Edition](t)(w.editions.CloseEdition(w.teacher, &trainingv1.CloseEditionRequest{Name: e.GetName()}))
		_, err = w.editions.CancelEdition(w.teacher, &trainingv1.CancelEditionRequest{Name: e.GetName(), Reason: "tardi"})
		w.refused(err, "ILLEGAL_TRANSITION")
		_, err = w.editions.UpdateEdition(w.teacher, &trainingv1.UpdateEditionRequest{Edition: &trainingv1.Edition{Name: e.GetName(), Capacity: 20}})
		w.refused(err, "EDITION_FINISHED")

		// One event for each change from scheduling on, numbered without gaps.
		if n := len(testkit.EventsOf[*trainingv1.EditionScheduled](w.Env)); n != 1 {
			t.Fatalf("%d scheduled", n)
		}
		for i, p := range w.Events() {
			if p.Envelope.GetAggregateVersion() != int64(i+1) || p.Envelope.GetAggregate() != e.GetName() || p.Envelope.GetOwner() != cgm {
				t.Fatalf("event %d: %v", i, p.Envelope)
			}
		}
	})
}

func TestSessions(t *testing.T) {
	each(t, func(w *world) {
		e := w.scheduled(w.course(), 1, 16, 0)
		day := time.Date(2026, 1, 12, 9, 0, 0, 0, time.UTC)
		create := func(module string, from, to int) (*trainingv1.Session, error) {
			at := func(m int) *timestamppb.Timestamp { return timestamppb.New(day.Add(time.Duration(m) * time.Minute)) }
			return w.sessions.CreateSession(w.teacher, &trainingv1.CreateSessionRequest{Parent: e.GetName(),
				Session: &trainingv1.Session{ModuleId: module, StartTime: at(from), EndTime: at(to)}})
		}
		must[*trainingv1.Session](t)(create("people", 60, 120))
		for _, bad := range []struct {
			module   string
			from, to int
			want     string
		}{
			{"people", 100, 160, "SESSION_OVERLAP"}, {"people", 30, 30, "SESSION_TIMES"}, {"people", 200, 200 + 25*60, "SESSION_TIMES"},
			{"cucina", 200, 260, "UNKNOWN_MODULE"},
		} {
			_, err := create(bad.module, bad.from, bad.to)
			w.refused(err, bad.want)
		}
		for _, year := range []int{1026, 1970, 2300, 9999} { // slips of the pen, and the epoch
			at := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
			_, err := w.sessions.CreateSession(w.teacher, &trainingv1.CreateSessionRequest{Parent: e.GetName(),
				Session: &trainingv1.Session{StartTime: timestamppb.New(at), EndTime: timestamppb.New(at.Add(time.Hour))}})
			w.refused(err, "SESSION_TIMES")
		}
		must[*trainingv1.Session](t)(create("people", 0, 60))
		list := must[*trainingv1.ListSessionsResponse](t)(w.sessions.ListSessions(w.outsider, &trainingv1.ListSessionsRequest{Parent: e.GetName()}))
		if len(list.GetSessions()) != 2 || !list.GetSessions()[0].GetStartTime().AsTime().Equal(day) {
			t.Fatalf("%v", list)
		}
		_, err := w.sessions.CreateSession(w.outsider, &trainingv1.CreateSessionRequest{Parent: e.GetName(), Session: &trainingv1.Session{
			StartTime: timestamppb.New(day.AddDate(0, 0, 1)), EndTime: timestamppb.New(day.AddDate(0, 0, 1).Add(time.Hour))}})
		w.absent(err)
	})
}
