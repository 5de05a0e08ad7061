package training_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/platform/app"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/testkit"
	"github.com/trama-suite/trama/services/training"
)

const (
	operator = authzv1.Role_ROLE_NETWORK_OPERATOR
	admin    = authzv1.Role_ROLE_ORGANISATION_ADMIN
	trainer  = authzv1.Role_ROLE_TRAINER
	learner  = authzv1.Role_ROLE_LEARNER
)

var (
	cgm   = ids.Name("organisations", "01941f29-7c00-7000-8000-000000000001")
	coop  = ids.Name("organisations", "01941f29-7c00-7000-8000-000000000002")
	other = ids.Name("organisations", "01941f29-7c00-7000-8000-000000000003")
)

// world is the service with its clients and the people of the tests: an
// organisation that teaches, one whose people learn, and one that has nothing to
// do with either.
type world struct {
	*testkit.Env
	t            *testing.T
	mailbox      string
	courses      trainingv1.CourseServiceClient
	editions     trainingv1.EditionServiceClient
	sessions     trainingv1.SessionServiceClient
	learners     trainingv1.LearnerServiceClient
	interests    trainingv1.InterestServiceClient
	enrolments   trainingv1.EnrolmentServiceClient
	attendance   trainingv1.AttendanceServiceClient
	certificates trainingv1.CertificateServiceClient
	statistics   trainingv1.StatisticsServiceClient

	teacher, hr, outsider context.Context
}

func each(t *testing.T, fn func(w *world)) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		w := &world{t: t, mailbox: t.TempDir()}
		w.Env = testkit.Start(t, open, func(ctx context.Context, d app.Deps) (*app.Service, error) {
			d.DataDir = w.mailbox
			return training.New(ctx, d, training.Config{})
		})
		w.courses = trainingv1.NewCourseServiceClient(w.Conn)
		w.editions = trainingv1.NewEditionServiceClient(w.Conn)
		w.sessions = trainingv1.NewSessionServiceClient(w.Conn)
		w.learners = trainingv1.NewLearnerServiceClient(w.Conn)
		w.interests = trainingv1.NewInterestServiceClient(w.Conn)
		w.enrolments = trainingv1.NewEnrolmentServiceClient(w.Conn)
		w.attendance = trainingv1.NewAttendanceServiceClient(w.Conn)
		w.certificates = trainingv1.NewCertificateServiceClient(w.Conn)
		w.statistics = trainingv1.NewStatisticsServiceClient(w.Conn)
		w.teacher, w.hr, w.outsider = w.As(trainer, cgm), w.As(admin, coop), w.As(admin, other)
		fn(w)
	})
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// reason is the ErrorInfo reason of an error.
func reason(err error) string {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

func fact(err error, key string) string {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetMetadata()[key]
		}
	}
	return ""
}

func (w *world) refused(err error, want string) {
	w.t.Helper()
	if err == nil || reason(err) != want {
		w.t.Fatalf("got %v (%s), want %s", err, reason(err), want)
	}
}

func text(s string) *typev1.LocalizedText { return &typev1.LocalizedText{Text: s, LanguageCode: "it"} }

// course publishes the coordinators' path: 22 hours in 4 modules.
func (w *world) course() *trainingv1.Course {
	w.t.Helper()
	module := func(id, title string, hours int32) *trainingv1.Module {
		return &trainingv1.Module{ModuleId: id, Title: text(title), Minutes: hours * 60,
			Competences: []*trainingv1.Competence{{Framework: "digcomp-2.2", Code: "1." + id[:1]}}}
	}
	c := must[*trainingv1.Course](w.t)(w.courses.CreateCourse(w.teacher, &trainingv1.CreateCourseRequest{Course: &trainingv1.Course{
		Organisation: cgm, Title: text("Percorso coordinatori e responsabili di area"), Project: "projects/01941f29-7c00-7000-8000-0000000000aa",
		Modules: []*trainingv1.Module{
			module("digital-mindset", "Digital mindset", 6), module("projects", "Gestione di progetti complessi", 6),
			module("people", "Gestione dei collaboratori", 6), module("security", "Cybersecurity, privacy e archiviazione", 4),
		},
	}}))
	return must[*trainingv1.Course](w.t)(w.courses.PublishCourse(w.teacher, &trainingv1.PublishCourseRequest{Name: c.GetName(), Etag: c.GetEtag()}))
}

// scheduled makes an edition of the course with dates.
func (w *world) scheduled(course *trainingv1.Course, number, capacity, waiting int32) *trainingv1.Edition {
	w.t.Helper()
	e := must[*trainingv1.Edition](w.t)(w.editions.CreateEdition(w.teacher, &trainingv1.CreateEditionRequest{Edition: &trainingv1.Edition{
		Organisation: cgm, Course: course.GetName(), Kind: trainingv1.EditionKind_EDITION_KIND_COURSE, Number: number,
		Capacity: capacity, WaitingCap: waiting, StartDate: "2026-01-12", EndDate: "2026-02-28", Place: "Milano", Link: "https://meet.example/abc",
	}}))
	return must[*trainingv1.Edition](w.t)(w.editions.ScheduleEdition(w.teacher, &trainingv1.ScheduleEditionRequest{Name: e.GetName()}))
}

func (w *world) open(e *trainingv1.Edition) *trainingv1.Edition {
	w.t.Helper()
	return must[*trainingv1.Edition](w.t)(w.editions.OpenEdition(w.teacher, &trainingv1.OpenEditionRequest{Name: e.GetName()}))
}

func (w *world) start(e *trainingv1.Edition) *trainingv1.Edition {
	w.t.Helper()
	return must[*trainingv1.Edition](w.t)(w.editions.StartEdition(w.teacher, &trainingv1.StartEditionRequest{Name: e.GetName()}))
}

func (w *world) session(e *trainingv1.Edition, module string, start time.Time, minutes int) *trainingv1.Session {
	w.t.Helper()
	return must[*trainingv1.Session](w.t)(w.sessions.CreateSession(w.teacher, &trainingv1.CreateSessionRequest{Parent: e.GetName(), Session: &trainingv1.Session{
		ModuleId: module, StartTime: timestamppb.New(start), EndTime: timestamppb.New(start.Add(time.Duration(minutes) * time.Minute)), Teacher: "Ada Neri",
	}}))
}

// person registers somebody of the cooperative.
func (w *world) person(name string) *trainingv1.Learner {
	w.t.Helper()
	w.Members.Add("sub-"+name, coop, learner)
	return must[*trainingv1.Learner](w.t)(w.learners.CreateLearner(w.hr, &trainingv1.CreateLearnerRequest{Learner: &trainingv1.Learner{
		Organisation: coop, GivenName: name, FamilyName: "Rossi", Mail: strings.ToLower(name) + "@coop.example",
		Role: trainingv1.LearnerRole_LEARNER_ROLE_COORDINATOR, Subject: "sub-" + name,
	}}))
}

// self is a context to call as the person.
func (w *world) self(name string) context.Context {
	w.Members.Add("sub-"+name, coop, learner)
	return w.AsSubject("sub-" + name)
}

func (w *world) enrol(e *trainingv1.Edition, l *trainingv1.Learner) (*trainingv1.Enrolment, error) {
	return w.enrolments.CreateEnrolment(w.hr, &trainingv1.CreateEnrolmentRequest{Enrolment: &trainingv1.Enrolment{Edition: e.GetName(), Learner: l.GetName()}})
}

func (w *world) get(name string) *trainingv1.Enrolment {
	w.t.Helper()
	return must[*trainingv1.Enrolment](w.t)(w.enrolments.GetEnrolment(w.hr, &trainingv1.GetEnrolmentRequest{Name: name}))
}

func (w *world) absent(err error) {
	w.t.Helper()
	if status.Code(err) != codes.NotFound {
		w.t.Fatalf("got %v, want NOT_FOUND", err)
	}
}

func mask(paths ...string) *fieldmaskpb.FieldMask { return &fieldmaskpb.FieldMask{Paths: paths} }
