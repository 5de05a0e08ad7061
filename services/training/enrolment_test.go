package training_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	"github.com/trama-suite/trama/services/platform/testkit"
)

const (
	enrolled  = trainingv1.EnrolmentState_ENROLMENT_STATE_ENROLLED
	offered   = trainingv1.EnrolmentState_ENROLMENT_STATE_OFFERED
	waiting   = trainingv1.EnrolmentState_ENROLMENT_STATE_WAITING
	cancelled = trainingv1.EnrolmentState_ENROLMENT_STATE_CANCELLED
	declined  = trainingv1.EnrolmentState_ENROLMENT_STATE_DECLINED
	expired   = trainingv1.EnrolmentState_ENROLMENT_STATE_EXPIRED
)

func TestSeatsAndWaitingList(t *testing.T) {
	each(t, func(w *world) {
		e := w.scheduled(w.course(), 1, 2, 1)
		anna, bruno, carla, dario := w.person("Anna"), w.person("Bruno"), w.person("Carla"), w.person("Dario")
		_, err := w.enrol(e, anna)
		w.refused(err, "EDITION_NOT_OPEN")
		e = w.open(e)
		a := must[*trainingv1.Enrolment](w.t)(w.enrol(e, anna))
		_, err = w.enrol(e, anna)
		w.refused(err, "ALREADY_CLAIMED")
		must[*trainingv1.Enrolment](w.t)(w.enrol(e, bruno))
		c := must[*trainingv1.Enrolment](w.t)(w.enrol(e, carla))
		if a.GetState() != enrolled || c.GetState() != waiting {
			t.Fatalf("states %s, %s", a.GetState(), c.GetState())
		}
		_, err = w.enrol(e, dario)
		w.refused(err, "EDITION_FULL")

		_, err = w.editions.UpdateEdition(w.teacher, &trainingv1.UpdateEditionRequest{
			Edition: &trainingv1.Edition{Name: e.GetName(), Capacity: 1}, UpdateMask: mask("capacity")})
		w.refused(err, "CAPACITY_BELOW_USE")

		must[*trainingv1.Enrolment](w.t)(w.enrolments.CancelEnrolment(w.self("Anna"), &trainingv1.CancelEnrolmentRequest{Name: a.GetName()}))
		if got := w.get(c.GetName()).GetState(); got != enrolled {
			t.Fatalf("who waited first has the state %s", got)
		}
		d := must[*trainingv1.Enrolment](w.t)(w.enrol(e, dario))
		e = must[*trainingv1.Edition](w.t)(w.editions.UpdateEdition(w.teacher, &trainingv1.UpdateEditionRequest{
			Edition: &trainingv1.Edition{Name: e.GetName(), Capacity: 3}, UpdateMask: mask("capacity")}))
		if got := w.get(d.GetName()).GetState(); got != enrolled || e.GetEnrolledCount() != 3 || e.GetWaitingCount() != 0 {
			t.Fatalf("after more capacity: %s, %d enrolled", got, e.GetEnrolledCount())
		}
		mine := must[*trainingv1.ListMyEnrolmentsResponse](w.t)(w.enrolments.ListMyEnrolments(w.self("Anna"), &trainingv1.ListMyEnrolmentsRequest{}))
		if len(mine.GetEnrolments()) != 1 || mine.GetEnrolments()[0].GetState() != cancelled {
			t.Fatalf("Anna's enrolments: %v", mine)
		}
		audit := must[*trainingv1.AuditEditionResponse](w.t)(w.editions.AuditEdition(w.teacher, &trainingv1.AuditEditionRequest{Name: e.GetName()}))
		if len(audit.GetBreaches()) != 0 || audit.GetEnrolledCount() != 3 {
			t.Fatalf("audit: %v", audit)
		}

		confirmed := testkit.EventsOf[*trainingv1.EnrolmentConfirmed](w.Env)
		ended := testkit.EventsOf[*trainingv1.EnrolmentCancelled](w.Env)
		if len(confirmed) != 4 || len(ended) != 1 {
			t.Fatalf("%d confirmed and %d cancelled events", len(confirmed), len(ended))
		}
		for _, env := range w.Events() {
			if s := env.Envelope.String(); strings.Contains(s, "Rossi") || strings.Contains(s, "coop.example") || strings.Contains(s, "sub-") {
				t.Fatalf("an event carries personal data: %s", s)
			}
		}
	})
}

func TestWhoSeesWhat(t *testing.T) {
	each(t, func(w *world) {
		course := w.course()
		hidden := must[*trainingv1.Edition](w.t)(w.editions.CreateEdition(w.teacher, &trainingv1.CreateEditionRequest{Edition: &trainingv1.Edition{
			Organisation: cgm, Course: course.GetName(), Kind: trainingv1.EditionKind_EDITION_KIND_COURSE, Number: 9, Capacity: 16}}))
		_, err := w.editions.GetEdition(w.outsider, &trainingv1.GetEditionRequest{Name: hidden.GetName()})
		w.absent(err)
		_, err = w.editions.GetEditionCalendar(w.Anonymous(), &trainingv1.GetEditionCalendarRequest{Name: hidden.GetName()})
		w.absent(err)

		e := w.open(w.scheduled(course, 1, 5, 0))
		anna := w.person("Anna")
		n := must[*trainingv1.Enrolment](w.t)(w.enrol(e, anna))
		for who, link := range map[string]bool{"teacher": true, "Anna": true, "outsider": false, "Bruno": false} {
			ctx := map[string]func() *trainingv1.Edition{
				"teacher": func() *trainingv1.Edition {
					return must[*trainingv1.Edition](t)(w.editions.GetEdition(w.teacher, &trainingv1.GetEditionRequest{Name: e.GetName()}))
				},
				"Anna": func() *trainingv1.Edition {
					return must[*trainingv1.Edition](t)(w.editions.GetEdition(w.self("Anna"), &trainingv1.GetEditionRequest{Name: e.GetName()}))
				},
				"Bruno": func() *trainingv1.Edition {
					return must[*trainingv1.Edition](t)(w.editions.GetEdition(w.self("Bruno"), &trainingv1.GetEditionRequest{Name: e.GetName()}))
				},
				"outsider": func() *trainingv1.Edition {
					return must[*trainingv1.Edition](t)(w.editions.GetEdition(w.outsider, &trainingv1.GetEditionRequest{Name: e.GetName()}))
				},
			}[who]
			if got := ctx().GetLink() != ""; got != link {
				t.Errorf("%s sees the webinar link: %t, want %t", who, got, link)
			}
		}
		for _, ctx := range []struct {
			who string
			err error
		}{
			{"outsider", func() error {
				_, err := w.enrolments.GetEnrolment(w.outsider, &trainingv1.GetEnrolmentRequest{Name: n.GetName()})
				return err
			}()},
			{"colleague", func() error {
				_, err := w.enrolments.GetEnrolment(w.self("Bruno"), &trainingv1.GetEnrolmentRequest{Name: n.GetName()})
				return err
			}()},
			{"outsider cancels", func() error {
				_, err := w.enrolments.CancelEnrolment(w.outsider, &trainingv1.CancelEnrolmentRequest{Name: n.GetName()})
				return err
			}()},
			{"learner record", func() error {
				_, err := w.learners.GetLearner(w.outsider, &trainingv1.GetLearnerRequest{Name: anna.GetName()})
				return err
			}()},
			{"register", func() error {
				_, err := w.attendance.GetEditionRegister(w.hr, &trainingv1.GetEditionRegisterRequest{Name: e.GetName()})
				return err
			}()},
		} {
			t.Log(ctx.who)
			w.absent(ctx.err)
		}
		for _, ctx := range []struct {
			who string
			ok  error
		}{
			{"herself", func() error {
				_, err := w.enrolments.GetEnrolment(w.self("Anna"), &trainingv1.GetEnrolmentRequest{Name: n.GetName()})
				return err
			}()},
			{"teacher", func() error {
				_, err := w.enrolments.GetEnrolment(w.teacher, &trainingv1.GetEnrolmentRequest{Name: n.GetName()})
				return err
			}()},
			{"operator", func() error {
				_, err := w.enrolments.GetEnrolment(w.As(operator, ""), &trainingv1.GetEnrolmentRequest{Name: n.GetName()})
				return err
			}()},
		} {
			if ctx.ok != nil {
				t.Errorf("%s: %v", ctx.who, ctx.ok)
			}
		}
		// An auditor reads everything; being a learner somewhere as well does not let
		// one change what is somebody else's.
		w.Members.Add("test:auditor", other, learner)
		auditor := w.As(authzv1.Role_ROLE_AUDITOR, "")
		must[*trainingv1.Enrolment](t)(w.enrolments.GetEnrolment(auditor, &trainingv1.GetEnrolmentRequest{Name: n.GetName()}))
		_, err = w.enrolments.CancelEnrolment(auditor, &trainingv1.CancelEnrolmentRequest{Name: n.GetName()})
		w.absent(err)
		// Another organisation's person looks the same as nobody.
		_, err = w.enrolments.CreateEnrolment(w.outsider, &trainingv1.CreateEnrolmentRequest{Enrolment: &trainingv1.Enrolment{Edition: e.GetName(), Learner: anna.GetName()}})
		w.refused(err, "REFERENCE_NOT_FOUND")
		for who, want := range map[string]int{"hr": 1, "outsider": 0, "teacher": 1} {
			ctx := w.hr
			switch who {
			case "outsider":
				ctx = w.outsider
			case "teacher":
				ctx = w.teacher
			}
			list := must[*trainingv1.ListEnrolmentsResponse](t)(w.enrolments.ListEnrolments(ctx, &trainingv1.ListEnrolmentsRequest{
				Filter: fmt.Sprintf(`edition = %q AND state = "ENROLMENT_STATE_ENROLLED"`, e.GetName())}))
			if len(list.GetEnrolments()) != want {
				t.Errorf("%s lists %d enrolments, want %d", who, len(list.GetEnrolments()), want)
			}
		}
	})
}

func TestJoiningByOneself(t *testing.T) {
	each(t, func(w *world) {
		e := w.open(w.scheduled(w.course(), 1, 5, 0))
		ctx := w.self("Eva")
		_, err := w.enrolments.JoinEdition(ctx, &trainingv1.JoinEditionRequest{Name: e.GetName()})
		w.refused(err, "PERSON_REQUIRED")
		_, err = w.enrolments.JoinEdition(ctx, &trainingv1.JoinEditionRequest{Name: e.GetName(),
			Person: &trainingv1.Person{GivenName: "Eva", FamilyName: "Blu", Organisation: other}})
		w.refused(err, "REFERENCE_NOT_FOUND")
		n := must[*trainingv1.Enrolment](t)(w.enrolments.JoinEdition(ctx, &trainingv1.JoinEditionRequest{Name: e.GetName(),
			Person: &trainingv1.Person{GivenName: "Eva", FamilyName: "Blu", Mail: "Eva@coop.example"}}))
		if n.GetState() != enrolled || n.GetLearnerOrganisation() != coop {
			t.Fatalf("%v", n)
		}
		// Nobody becomes somebody else by naming their mail address.
		_, err = w.enrolments.JoinEdition(w.self("Finto"), &trainingv1.JoinEditionRequest{Name: e.GetName(),
			Person: &trainingv1.Person{GivenName: "Eva", FamilyName: "Blu", Mail: "eva@coop.example"}})
		w.refused(err, "LEARNER_EXISTS")
		w.Until("the confirmation", func() bool {
			files, err := filepath.Glob(filepath.Join(w.mailbox, "mailbox", "*.eml"))
			if err != nil || len(files) == 0 {
				return false
			}
			mail, err := os.ReadFile(files[0])
			return err == nil && strings.Contains(string(mail), "eva@coop.example") && strings.Contains(string(mail), "Iscrizione confermata")
		})
	})
}

func TestInterestBecomesOffers(t *testing.T) {
	each(t, func(w *world) {
		course := w.course()
		var people []*trainingv1.Learner
		for _, name := range []string{"Anna", "Bruno", "Carla", "Dario", "Elena"} {
			l := w.person(name)
			people = append(people, l)
			i := must[*trainingv1.Interest](t)(w.interests.CreateInterest(w.hr, &trainingv1.CreateInterestRequest{Interest: &trainingv1.Interest{
				Course: course.GetName(), Learner: l.GetName(), Territory: "it-21"}}))
			if int(i.GetSequence()) != len(people) || i.GetRole() != trainingv1.LearnerRole_LEARNER_ROLE_COORDINATOR {
				t.Fatalf("%v", i)
			}
		}
		_, err := w.interests.ExpressInterest(w.self("Anna"), &trainingv1.ExpressInterestRequest{Name: course.GetName()})
		w.refused(err, "INTEREST_EXISTS")
		e := w.scheduled(course, 1, 2, 2)
		out := must[*trainingv1.ConvertInterestResponse](t)(w.editions.ConvertInterest(w.teacher, &trainingv1.ConvertInterestRequest{Name: e.GetName(), OfferMinutes: 60}))
		if out.GetOfferedCount() != 2 || out.GetWaitingCount() != 2 || out.GetRemainingCount() != 1 {
			t.Fatalf("%v", out)
		}
		first, second, third, fourth := out.GetEnrolments()[0], out.GetEnrolments()[1], out.GetEnrolments()[2], out.GetEnrolments()[3]
		if n := w.get(first); n.GetLearner() != people[0].GetName() || n.GetState() != offered {
			t.Fatalf("%v", n)
		}
		must[*trainingv1.Enrolment](t)(w.enrolments.AcceptOffer(w.self("Anna"), &trainingv1.AcceptOfferRequest{Name: first}))
		if n := must[*trainingv1.Enrolment](t)(w.enrolments.DeclineOffer(w.hr, &trainingv1.DeclineOfferRequest{Name: second})); n.GetState() != declined {
			t.Fatalf("%v", n)
		}
		if n := w.get(third); n.GetState() != enrolled {
			t.Fatalf("%v", n)
		}
		if n := w.get(fourth); n.GetState() != waiting {
			t.Fatalf("%v", n)
		}
		// Called off: everybody's claim ends, and the interest opens again.
		gone := must[*trainingv1.Edition](t)(w.editions.CancelEdition(w.teacher, &trainingv1.CancelEditionRequest{Name: e.GetName(), Reason: "pochi iscritti"}))
		told := testkit.EventsOf[*trainingv1.EditionChanged](w.Env)
		if gone.GetCancelReason() != "pochi iscritti" || len(told) != 1 || told[0].GetEdition().GetCancelReason() != "" {
			t.Fatalf("%v, told of %v", gone, told)
		}
		if n := w.get(first); n.GetState() != cancelled || n.GetCancelReason() == "" {
			t.Fatalf("%v", n)
		}
		list := must[*trainingv1.ListInterestsResponse](t)(w.interests.ListInterests(w.teacher, &trainingv1.ListInterestsRequest{
			Filter: `state = "INTEREST_STATE_OPEN"`, OrderBy: "sequence"}))
		if len(list.GetInterests()) != 5 || list.GetInterests()[0].GetLearner() != people[0].GetName() {
			t.Fatalf("open interest: %v", list)
		}
	})
}

func TestOfferExpires(t *testing.T) {
	each(t, func(w *world) {
		course := w.course()
		for _, name := range []string{"Anna", "Bruno"} {
			must[*trainingv1.Interest](t)(w.interests.CreateInterest(w.hr, &trainingv1.CreateInterestRequest{Interest: &trainingv1.Interest{
				Course: course.GetName(), Learner: w.person(name).GetName()}}))
		}
		e := w.scheduled(course, 1, 1, 1)
		out := must[*trainingv1.ConvertInterestResponse](t)(w.editions.ConvertInterest(w.teacher, &trainingv1.ConvertInterestRequest{Name: e.GetName(), OfferMinutes: 60}))
		w.Clock.Advance(time.Hour)
		_, err := w.enrolments.AcceptOffer(w.self("Anna"), &trainingv1.AcceptOfferRequest{Name: out.GetEnrolments()[0]})
		w.refused(err, "OFFER_EXPIRED")
		w.Until("the offer to expire", func() bool { return w.get(out.GetEnrolments()[0]).GetState() == expired })
		if n := w.get(out.GetEnrolments()[1]); n.GetState() != enrolled {
			t.Fatalf("%v", n)
		}
	})
}

// An offer keeps a seat, but lets nobody in once joining is over.
func TestOfferDoesNotOutliveJoining(t *testing.T) {
	each(t, func(w *world) {
		course := w.course()
		for _, name := range []string{"Anna", "Bruno", "Carla"} {
			must[*trainingv1.Interest](t)(w.interests.CreateInterest(w.hr, &trainingv1.CreateInterestRequest{Interest: &trainingv1.Interest{
				Course: course.GetName(), Learner: w.person(name).GetName()}}))
		}
		e := w.scheduled(course, 1, 2, 1)
		out := must[*trainingv1.ConvertInterestResponse](t)(w.editions.ConvertInterest(w.teacher, &trainingv1.ConvertInterestRequest{Name: e.GetName(), OfferMinutes: 43200}))
		first, last := out.GetEnrolments()[0], out.GetEnrolments()[2]
		deadline := w.Clock.Now().Add(time.Hour)
		must[*trainingv1.Edition](t)(w.editions.UpdateEdition(w.teacher, &trainingv1.UpdateEditionRequest{
			Edition: &trainingv1.Edition{Name: e.GetName(), JoinDeadline: timestamppb.New(deadline)}, UpdateMask: mask("join_deadline")}))
		w.Clock.Set(deadline.Add(time.Minute))
		accept := func() error {
			_, err := w.enrolments.AcceptOffer(w.self("Anna"), &trainingv1.AcceptOfferRequest{Name: first})
			return err
		}
		w.refused(accept(), "LATE_JOIN_CUTOFF")
		// More seats do not let the one who waits past a deadline that is past.
		must[*trainingv1.Edition](t)(w.editions.UpdateEdition(w.teacher, &trainingv1.UpdateEditionRequest{
			Edition: &trainingv1.Edition{Name: e.GetName(), Capacity: 3}, UpdateMask: mask("capacity")}))
		if n := w.get(last); n.GetState() != waiting {
			t.Fatalf("%v", n)
		}
		w.open(e)
		w.start(e)
		must[*trainingv1.Edition](t)(w.editions.CloseEdition(w.teacher, &trainingv1.CloseEditionRequest{Name: e.GetName()}))
		w.refused(accept(), "EDITION_NOT_OPEN")
		if n := w.get(first); n.GetState() != offered {
			t.Fatalf("%v", n)
		}
	})
}

// A deadline that moves into the past together with a higher capacity lets nobody
// in any more.
func TestDeadlineAndCapacityChangeTogether(t *testing.T) {
	each(t, func(w *world) {
		e := w.open(w.scheduled(w.course(), 1, 1, 1))
		must[*trainingv1.Enrolment](t)(w.enrol(e, w.person("Anna")))
		n := must[*trainingv1.Enrolment](t)(w.enrol(e, w.person("Bruno")))
		must[*trainingv1.Edition](t)(w.editions.UpdateEdition(w.teacher, &trainingv1.UpdateEditionRequest{
			Edition:    &trainingv1.Edition{Name: e.GetName(), Capacity: 2, JoinDeadline: timestamppb.New(w.Clock.Now().Add(-time.Hour))},
			UpdateMask: mask("capacity", "join_deadline")}))
		if n = w.get(n.GetName()); n.GetState() != waiting {
			t.Fatalf("%v", n)
		}
	})
}

// Every caller sends each request three times under one id: one effect, one answer.
func TestRepeatedRequestsHaveOneEffect(t *testing.T) {
	each(t, func(w *world) {
		e := w.open(w.scheduled(w.course(), 1, 16, 4))
		people := make([]*trainingv1.Learner, 30)
		for i := range people {
			people[i] = w.person(fmt.Sprintf("Persona%d", i))
		}
		type answer struct{ name, reason string }
		answers := make([][3]answer, len(people))
		var all sync.WaitGroup
		for i, l := range people {
			for k := range 3 {
				all.Go(func() {
					n, err := w.enrolments.CreateEnrolment(w.hr, &trainingv1.CreateEnrolmentRequest{RequestId: fmt.Sprint("key-", i),
						Enrolment: &trainingv1.Enrolment{Edition: e.GetName(), Learner: l.GetName()}})
					answers[i][k] = answer{n.GetName(), reason(err)}
				})
			}
		}
		all.Wait()
		ok := 0
		for i, a := range answers {
			if a[0] != a[1] || a[1] != a[2] {
				t.Errorf("caller %d got %v", i, a)
			}
			if a[0].reason == "" {
				ok++
			} else if a[0].reason != "EDITION_FULL" {
				t.Errorf("caller %d: %s", i, a[0].reason)
			}
		}
		got := must[*trainingv1.Edition](t)(w.editions.GetEdition(w.teacher, &trainingv1.GetEditionRequest{Name: e.GetName()}))
		if ok != 20 || got.GetEnrolledCount() != 16 || got.GetWaitingCount() != 4 {
			t.Fatalf("%d were told yes; %d enrolled, %d waiting", ok, got.GetEnrolledCount(), got.GetWaitingCount())
		}
		_, err := w.enrolments.CreateEnrolment(w.hr, &trainingv1.CreateEnrolmentRequest{RequestId: "key-0",
			Enrolment: &trainingv1.Enrolment{Edition: e.GetName(), Learner: people[1].GetName()}})
		if answers[0][0].reason == "" {
			w.refused(err, "REQUEST_ID_REUSED")
		}
		if all := must[*trainingv1.AuditSeatsResponse](t)(w.editions.AuditSeats(w.As(operator, ""), &trainingv1.AuditSeatsRequest{})); len(all.GetBreaches()) != 0 || all.GetEditionCount() != 1 {
			t.Fatalf("%v", all)
		}
	})
}
