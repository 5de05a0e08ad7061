package e2e

import (
	"fmt"
	"strings"
	"testing"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"

	"github.com/trama-suite/trama/gateway/rest"
)

// The network's indicators that events feed, as the impact service seeds them.
const (
	peopleEnrolled = "indicators/0197f000-0000-7000-8000-000000000001"
	peopleTrained  = "indicators/0197f000-0000-7000-8000-000000000002"
	trainingHours  = "indicators/0197f000-0000-7000-8000-000000000003"
	amountSpent    = "indicators/0197f000-0000-7000-8000-000000000005"
	matchesMade    = "indicators/0197f000-0000-7000-8000-000000000006"
)

// figure is an indicator's value for one organisation, "" where there is none.
func figure(t *testing.T, c *rest.Client, indicator, organisation string) string {
	t.Helper()
	out := get[*impactv1.RollUpResponse](t, c, fmt.Sprintf("%s:rollUp?startDate=%s&endDate=%s&organisation=%s", indicator, day(-365), day(365), organisation))
	return out.GetTotal().GetValue().GetDecimal()
}

// wantFigures waits until the indicators say so of an organisation.
func wantFigures(t *testing.T, c *rest.Client, organisation string, want map[string]string) {
	t.Helper()
	for indicator, value := range want {
		var got string
		until(t, indicator+" of "+organisation+" to be "+value, func() bool {
			got = figure(t, c, indicator, organisation)
			return got == value
		})
	}
}

// TestJourney is one way through all five services: a need meets a solution, the
// match becomes a project that spends and trains, and the impact roll-up tells
// of all of it, each thing once.
func TestJourney(t *testing.T) {
	eachShape(t, func(t *testing.T, s *shape) {
		op := s.operator(t)
		cooperative := s.organisation(t, "Cooperativa Sociale L'Arca", cataloguev1.OrganisationKind_ORGANISATION_KIND_MEMBER)
		firm := s.organisation(t, "Tecnica per il Sociale", cataloguev1.OrganisationKind_ORGANISATION_KIND_SUPPLIER)
		admin := s.member(t, cooperative, authzv1.Role_ROLE_ORGANISATION_ADMIN)
		supplier := s.member(t, firm, authzv1.Role_ROLE_SUPPLIER)
		manager := s.member(t, cooperative, authzv1.Role_ROLE_PROJECT_MANAGER)
		trainer := s.member(t, cooperative, authzv1.Role_ROLE_TRAINER)
		learnerClient := s.member(t, cooperative, authzv1.Role_ROLE_LEARNER)

		// Need and solution are published by their own people; the candidate comes
		// from the events.
		category := "pianificazione " + cooperative[len(cooperative)-12:]
		programme := newProgramme(t, op)
		need := publishNeed(t, admin, cooperative, category)
		solution := publishSolution(t, supplier, firm, category)
		c := candidate(t, admin, programme, need.GetName(), solution.GetName())
		if c.GetScore() != 1000 || len(c.GetTerms()) == 0 {
			t.Errorf("candidate %v", c)
		}

		// One side proposes, the other accepts.
		m := post[*matchingv1.Match](t, admin, "matches:propose", &matchingv1.ProposeMatchRequest{
			Programme: programme, Demand: need.GetName(), Supply: solution.GetName(),
		})
		if m.GetState() != matchingv1.MatchState_MATCH_STATE_PROPOSED || m.GetDemandAcceptTime() == nil || m.GetSupplyAcceptTime() != nil {
			t.Fatalf("proposed by the demand side: %v", m)
		}
		m = post[*matchingv1.Match](t, supplier, m.GetName()+":accept", nil)
		if m.GetState() != matchingv1.MatchState_MATCH_STATE_ACTIVE {
			t.Fatalf("accepted by both sides: %v", m)
		}

		// The match opens a project, in which both have a part.
		open := &projectsv1.OpenProjectFromMatchRequest{
			Match: m.GetName(), Title: text("Turni in rete"), StartDate: day(-30), EndDate: day(330), CurrencyCode: "EUR",
		}
		var p *projectsv1.Project
		until(t, "the project of the match", func() bool {
			p = &projectsv1.Project{}
			err := manager.Post(t.Context(), "/v1/projects:openFromMatch", open, p)
			if err != nil && rest.ReasonOf(err) != "REFERENCE_NOT_FOUND" && rest.ReasonOf(err) != "NOT_FOUND" {
				t.Fatal(err)
			}
			return err == nil
		})
		if p.GetOrganisation() != cooperative || p.GetMatch() != m.GetName() || len(p.GetPartners()) != 2 || p.GetNeeds()[0] != need.GetName() {
			t.Fatalf("project %v", p)
		}
		line := post[*projectsv1.BudgetLine](t, manager, p.GetName()+"/budgetLines", &projectsv1.BudgetLine{
			Organisation: cooperative, Category: projectsv1.CostCategory_COST_CATEGORY_EXTERNAL, Amount: euros(1_000_000),
		})
		spend(t, manager, cooperative, line.GetName(), 123_456)
		wrong := spend(t, manager, cooperative, line.GetName(), 99_900)
		post[*projectsv1.Expenditure](t, manager, wrong.GetName()+":void", &projectsv1.VoidExpenditureRequest{Reason: "fattura di un altro progetto"})

		// Its people learn: a whole session of ninety minutes, to the certificate.
		course := newCourse(t, trainer, cooperative, 90)
		edition := openEdition(t, trainer, cooperative, course, p.GetName())
		learner := post[*trainingv1.Learner](t, trainer, "learners", &trainingv1.Learner{
			Organisation: cooperative, GivenName: "Anna", FamilyName: "Rossi", Subject: "learner@" + cooperative,
		})
		enrolment := post[*trainingv1.Enrolment](t, trainer, "enrolments", &trainingv1.Enrolment{Edition: edition, Learner: learner.GetName()})
		if enrolment.GetState() != trainingv1.EnrolmentState_ENROLMENT_STATE_ENROLLED {
			t.Fatalf("enrolment %v", enrolment)
		}
		session := hold(t, trainer, edition, 90)
		post[*trainingv1.SessionRegister](t, trainer, session.GetName()+":recordAttendance", attended(enrolment.GetName(), session))
		post[*trainingv1.Enrolment](t, trainer, enrolment.GetName()+":complete", nil)
		certificate := post[*trainingv1.Certificate](t, trainer, enrolment.GetName()+":issueCertificate", nil)
		if certificate.GetAttendedMinutes() != 90 {
			t.Errorf("certificate %v", certificate)
		}
		mine := get[*trainingv1.ListMyEnrolmentsResponse](t, learnerClient, "enrolments:mine")
		if len(mine.GetEnrolments()) != 1 || mine.GetEnrolments()[0].GetAttendedMinutes() != 90 {
			t.Errorf("the learner's own: %v", mine)
		}
		anyone := &rest.Client{Base: s.base}
		verified := get[*trainingv1.CertificateVerification](t, anyone, "certificates:verify?code="+certificate.GetVerificationCode())
		if verified.GetHolderInitials() != "A. R." {
			t.Errorf("anybody can verify, and learns no name: %v", verified)
		}

		// What events brought to the impact service, each thing once.
		want := map[string]string{peopleEnrolled: "1", peopleTrained: "1", trainingHours: "1.5", amountSpent: "1234.56", matchesMade: "1"}
		wantFigures(t, op, cooperative, want)
		for indicator, expected := range map[string]int{peopleEnrolled: 1, trainingHours: 1, amountSpent: 1, matchesMade: 1} {
			list := get[*impactv1.ListContributionsResponse](t, op, indicator+"/contributions?filter="+escape(`organisation = "`+cooperative+`"`))
			if len(list.GetContributions()) != expected {
				t.Errorf("%s has %d contributions, want %d: %v", indicator, len(list.GetContributions()), expected, list)
			}
		}
		// And what the project itself says of its money.
		d := get[*projectsv1.Dashboard](t, manager, p.GetName()+"/dashboard")
		if d.GetSpent().GetMinorUnits() != 123_456 || d.GetPlanned().GetMinorUnits() != 1_000_000 {
			t.Errorf("dashboard %v", d)
		}
		// A search finds what was published, and the stranger sees only what is public.
		until(t, "the need in the search", func() bool {
			found := get[*cataloguev1.SearchResponse](t, admin, "catalogue:search?query="+escape("turni domiciliare")+"&organisations="+cooperative)
			return len(found.GetResults()) > 0 && found.GetResults()[0].GetName() == need.GetName()
		})
		if err := anyone.Get(t.Context(), "/v1/"+need.GetName(), nil); rest.ReasonOf(err) != "NOT_FOUND" {
			t.Errorf("a stranger read a need of the network: %v", err)
		}
		wantFigures(t, op, cooperative, want)
	})
}

// escape writes a value of a query parameter.
func escape(s string) string {
	return strings.NewReplacer(" ", "%20", `"`, "%22", "&", "%26", "+", "%2B", "=", "%3D").Replace(s)
}
