package projects_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// kept is what the test itself knows of a project.
type kept struct {
	phase                   projectsv1.Phase
	currency, territory     string
	programme               string
	partners                []string
	granted, planned, spent int64
	late                    bool
	name, end               string
	partPlanned, partSpent  map[string]int64
}

// waive opens the project's next gate by waiving all that is missing.
func (s *suite) waive(p *projectsv1.Project) {
	s.t.Helper()
	me := s.As(manager, leader)
	for _, g := range must[*projectsv1.ListGatesResponse](s.t)(s.ListGates(me, &projectsv1.ListGatesRequest{Parent: p.GetName()})).GetGates() {
		if g.GetPassed() {
			continue
		}
		for _, a := range g.GetArtefacts() {
			if a.GetReadiness() == projectsv1.Readiness_READINESS_MISSING {
				must[*projectsv1.Gate](s.t)(s.WaiveArtefact(me, &projectsv1.WaiveArtefactRequest{Name: g.GetName(), Artefact: a.GetArtefact(), Reason: "prova"}))
			}
		}
		must[*projectsv1.Project](s.t)(s.AdvanceProject(me, &projectsv1.AdvanceProjectRequest{Name: p.GetName()}))
		return
	}
}

func TestThePortfolioEqualsBruteForce(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		random := rand.New(rand.NewPCG(7, 21))
		pick := func(of ...string) string { return of[random.IntN(len(of))] }
		me := s.As(manager, leader)
		var all []kept
		// Performance is not what is tested here: no project is at risk by it.
		for _, id := range []string{"schedule-performance", "cost-performance"} {
			must[*projectsv1.AlertRule](t)(s.UpdateAlertRule(s.As(operator, ""), &projectsv1.UpdateAlertRuleRequest{
				AlertRule: &projectsv1.AlertRule{Name: "alertRules/" + id, Severity: projectsv1.AlertSeverity_ALERT_SEVERITY_WARNING}, Reason: "prova"}))
		}
		for range 24 {
			k := kept{currency: pick("EUR", "EUR", "SEK"), territory: pick("it-21", "it-25", "it-25-mi", "it-250"), programme: pick("Bando A", "Bando B", ""), partners: []string{leader}, end: "2026-12-31",
				partPlanned: map[string]int64{}, partSpent: map[string]int64{}}
			amount := func(minor int64) *projectsv1.BudgetLine {
				l := &projectsv1.BudgetLine{Organisation: k.partners[random.IntN(len(k.partners))], Category: projectsv1.CostCategory_COST_CATEGORY_OTHER, Amount: eur(minor)}
				l.Amount.CurrencyCode = k.currency
				return l
			}
			p := s.project(func(p *projectsv1.Project) {
				p.CurrencyCode, p.Territory = k.currency, k.territory
				p.Partners = p.Partners[:1]
				p.Partners[0].ShareBasisPoints = 0
				if random.IntN(2) == 0 {
					k.partners = append(k.partners, member)
					p.Partners = append(p.Partners, &projectsv1.Partner{Organisation: member, Role: projectsv1.PartnerRole_PARTNER_ROLE_PARTNER})
				}
				k.granted = random.Int64N(900_000_000_000_000)
				p.Funders = []*projectsv1.Funder{{DisplayName: "F", Programme: k.programme, Grant: eur(k.granted)}, {DisplayName: "G", Programme: k.programme, Grant: eur(3)}}
				k.granted += 3
				p.Funders[0].Grant.CurrencyCode, p.Funders[1].Grant.CurrencyCode = k.currency, k.currency
				if random.IntN(4) == 0 {
					p.EndDate = "2026-03-01" // past, by the day of the reading
					k.late, k.end = true, "2026-03-01"
				}
			})
			k.name = p.GetName()
			for range random.IntN(3) {
				planned, spent := random.Int64N(900_000_000_000_000), 1+random.Int64N(1_000_000_000)
				l := must[*projectsv1.BudgetLine](t)(s.CreateBudgetLine(me, &projectsv1.CreateBudgetLineRequest{Parent: p.GetName(), BudgetLine: amount(planned)}))
				e := expenditure(l, spent)
				e.Amount.CurrencyCode = k.currency
				must[*projectsv1.Expenditure](t)(s.CreateExpenditure(me, &projectsv1.CreateExpenditureRequest{Parent: p.GetName(), Expenditure: e}))
				k.planned, k.spent = k.planned+planned, k.spent+spent
				k.partPlanned[l.GetOrganisation()] += planned
				k.partSpent[l.GetOrganisation()] += spent
			}
			for range random.IntN(3) {
				x := &projectsv1.Task{Title: text("x"), DurationMinutes: days(1 + random.Int32N(100)), ProgressPercent: 50 * random.Int32N(3)}
				x = must[*projectsv1.Task](t)(s.CreateTask(me, &projectsv1.CreateTaskRequest{Parent: p.GetName(), Task: x}))
				k.late = k.late || x.GetEarlyFinishDate() < "2026-04-01" && x.GetProgressPercent() < 100
			}
			k.phase = projectsv1.Phase_PHASE_INITIATION
			for range random.IntN(5) {
				s.waive(p)
				k.phase++
			}
			k.late = k.late && k.phase != projectsv1.Phase_PHASE_CLOSED
			all = append(all, k)
		}
		s.Clock.Set(time.Date(2026, time.April, 1, 8, 0, 0, 0, time.UTC))
		s.checkPortfolio(all)
		// What changes is seen at once.
		for range 3 {
			k := &all[random.IntN(len(all))]
			if k.phase == projectsv1.Phase_PHASE_CLOSED {
				continue
			}
			l := &projectsv1.BudgetLine{Organisation: leader, Category: projectsv1.CostCategory_COST_CATEGORY_OTHER, Amount: eur(17)}
			l.Amount.CurrencyCode = k.currency
			must[*projectsv1.BudgetLine](t)(s.CreateBudgetLine(me, &projectsv1.CreateBudgetLineRequest{Parent: k.name, BudgetLine: l}))
			k.planned += 17
			k.partPlanned[leader] += 17
			s.checkPortfolio(all)
		}
	})
}

func TestASumThatDoesNotFitIsTold(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		// More than 64 bits of cents take ten thousand of the largest projects;
		// the rows are put in place here without their cards.
		err := s.DB.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			for i := range 3 {
				tx.Queue(`INSERT INTO projects (id, organisation, currency, phase, territory, start_date, end_date, closed, granted, planned, spent, version, created, updated, doc)
					VALUES ($1, 'o', 'EUR', 'PLANNING', '', '2026-01-01', '2026-12-31', 0, $2, $3, 1, 1, 1, 1, '{}')`, fmt.Sprint(i), int64(4_000_000_000_000_000_001), int64(i))
			}
			tx.Queue(`INSERT INTO project_parts (part, changes) VALUES ('', 1)`)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.QueryPortfolio(s.As(operator, ""), &projectsv1.QueryPortfolioRequest{})
		refused(t, err, codes.FailedPrecondition, domain.AmountWrong)
	})
}

func TestLessonsGoAsFarAsTheyAreShared(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		me := s.As(manager, leader)
		p := s.project()
		names := map[projectsv1.Sharing]string{}
		for _, level := range []projectsv1.Sharing{projectsv1.Sharing_SHARING_UNSPECIFIED, projectsv1.Sharing_SHARING_NETWORK, projectsv1.Sharing_SHARING_PUBLIC} {
			l := must[*projectsv1.Lesson](t)(s.CreateLesson(me, &projectsv1.CreateLessonRequest{Parent: p.GetName(), Lesson: &projectsv1.Lesson{
				Title: text("Titolo"), Context: text("Dove"), WhatHappened: text("Che cosa"), Recommendation: text("La prossima volta"), Tags: []string{"Acquisti", "tempi"}, Sharing: level}}))
			names[l.GetSharing()] = l.GetName()
			if !slices.Equal(l.GetTags(), []string{"acquisti", "tempi"}) {
				t.Errorf("tags %v", l.GetTags())
			}
		}
		own := names[projectsv1.Sharing_SHARING_OWN]
		_, err := s.CreateLesson(me, &projectsv1.CreateLessonRequest{Parent: p.GetName(), Lesson: &projectsv1.Lesson{Title: text("x"), WhatHappened: text(" "), Recommendation: text("x")}})
		refused(t, err, codes.InvalidArgument, domain.FieldMissing)

		for who, c := range map[string]struct {
			as    context.Context
			count int
		}{
			"the lead": {me, 3}, "somebody of a partner": {s.As(partner, member), 3}, "a partner's learner": {s.As(learner, other), 3},
			"a stranger's manager": {s.As(manager, stranger), 2}, "a stranger's learner": {s.As(learner, stranger), 2}, "an operator": {s.As(operator, ""), 3},
		} {
			for _, parent := range []string{p.GetName(), "projects/-"} {
				got := must[*projectsv1.ListLessonsResponse](t)(s.ListLessons(c.as, &projectsv1.ListLessonsRequest{Parent: parent, Tags: []string{"tempi", "Acquisti"}})).GetLessons()
				if len(got) != c.count {
					t.Errorf("%s finds %d lessons in %s, want %d", who, len(got), parent, c.count)
				}
			}
			if got := must[*projectsv1.ListLessonsResponse](t)(s.ListLessons(c.as, &projectsv1.ListLessonsRequest{Parent: "projects/-", Tags: []string{"tempi", "costi"}})).GetLessons(); len(got) != 0 {
				t.Errorf("%s finds lessons by a tag that they do not have", who)
			}
			_, err := s.GetLesson(c.as, &projectsv1.GetLessonRequest{Name: own})
			if c.count == 3 && err != nil {
				t.Errorf("%s: %v", who, err)
			} else if c.count == 2 {
				refused(t, err, codes.NotFound, errs.Absent)
			}
		}

		// Sharing it wider tells of it again, and shows it to others.
		must[*projectsv1.Lesson](t)(s.UpdateLesson(me, &projectsv1.UpdateLessonRequest{Lesson: &projectsv1.Lesson{Name: own, Sharing: projectsv1.Sharing_SHARING_PUBLIC, Tags: []string{"costi"}}, UpdateMask: mask("sharing", "tags")}))
		got := must[*projectsv1.ListLessonsResponse](t)(s.ListLessons(s.As(learner, stranger), &projectsv1.ListLessonsRequest{Parent: "projects/-", Tags: []string{"costi"}})).GetLessons()
		if len(got) != 1 || got[0].GetName() != own || got[0].GetRecommendation().GetText() != "La prossima volta" {
			t.Errorf("found %v", got)
		}
		_, err = s.UpdateLesson(s.As(manager, stranger), &projectsv1.UpdateLessonRequest{Lesson: &projectsv1.Lesson{Name: own, Title: text("x")}})
		refused(t, err, codes.NotFound, errs.Absent)
		licences := map[string]int{}
		for _, e := range s.Events() {
			if m, ok := e.Data.(*projectsv1.LessonPublished); ok {
				licences[m.GetLesson().GetSharing().String()+" "+e.Envelope.GetLicence()]++
			}
		}
		if licences["SHARING_PUBLIC CC-BY-4.0"] != 2 || licences["SHARING_OWN LicenseRef-internal"] != 1 || licences["SHARING_NETWORK LicenseRef-internal"] != 1 {
			t.Errorf("told of %v", licences)
		}
	})
}

func TestListsPage(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		var want, got []string
		for range 7 {
			want = append(want, s.project().GetName())
		}
		as := s.As(partner, member)
		req := &projectsv1.ListProjectsRequest{PageSize: 3, Filter: `phase = PHASE_INITIATION AND organisation = "` + leader + `"`, OrderBy: "create_time desc"}
		for {
			page := must[*projectsv1.ListProjectsResponse](t)(s.ListProjects(as, req))
			for _, p := range page.GetProjects() {
				got = append(got, p.GetName())
			}
			if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
				break
			}
			_, err := s.ListProjects(s.As(partner, other), req)
			refused(t, err, codes.InvalidArgument, errs.InvalidPageToken)
		}
		slices.Reverse(got)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("paged %v, want %v", got, want)
		}
		_, err := s.ListProjects(as, &projectsv1.ListProjectsRequest{Filter: "doc = 1"})
		refused(t, err, codes.InvalidArgument, errs.InvalidFilter)
		_, err = s.ListProjects(as, &projectsv1.ListProjectsRequest{OrderBy: "phase"})
		refused(t, err, codes.InvalidArgument, errs.InvalidOrderBy)
	})
}

// matches stands in for the matching service.
type matches struct {
	matchingv1.UnimplementedMatchServiceServer
	known map[string]*matchingv1.Match
}

func (m *matches) GetMatch(_ context.Context, req *matchingv1.GetMatchRequest) (*matchingv1.Match, error) {
	if found := m.known[req.GetName()]; found != nil {
		return found, nil
	}
	return nil, errs.AbsentResource(req.GetName())
}

func TestAMatchOpensOneProject(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		match := func(n int, state matchingv1.MatchState) *matchingv1.Match {
			id := fmt.Sprintf("00000000-0000-7000-8000-%012d", n)
			return &matchingv1.Match{Name: "matches/" + id, State: state, Demand: "needs/" + id, DemandOrganisation: leader,
				Supply: "solutions/" + id, SupplyOrganisation: member}
		}
		active, proposed, second := match(1, matchingv1.MatchState_MATCH_STATE_ACTIVE), match(2, matchingv1.MatchState_MATCH_STATE_PROPOSED), match(3, matchingv1.MatchState_MATCH_STATE_ACTIVE)
		open := func(as context.Context, m *matchingv1.Match, change ...func(r *projectsv1.OpenProjectFromMatchRequest)) (*projectsv1.Project, error) {
			req := &projectsv1.OpenProjectFromMatchRequest{Match: m.GetName(), Title: text("Dal bisogno"), StartDate: "2026-01-05", EndDate: "2026-12-31", CurrencyCode: "EUR"}
			for _, f := range change {
				f(req)
			}
			return s.OpenProjectFromMatch(as, req)
		}
		me := s.As(manager, leader)
		_, err := open(me, active)
		refused(t, err, codes.Unavailable, errs.ServiceDown)
		s.Peer("matching", func(r grpc.ServiceRegistrar) {
			matchingv1.RegisterMatchServiceServer(r, &matches{known: map[string]*matchingv1.Match{active.GetName(): active, proposed.GetName(): proposed, second.GetName(): second}})
		})
		_, err = open(me, proposed)
		refused(t, err, codes.FailedPrecondition, domain.MatchNotActive)
		_, err = open(me, match(9, 0))
		refused(t, err, codes.NotFound, errs.Absent)
		_, err = open(s.As(manager, stranger), active)
		refused(t, err, codes.NotFound, errs.Absent)
		_, err = open(s.As(manager, member), active)
		refused(t, err, codes.PermissionDenied, domain.LeadOnly)
		lead := func(o string) func(r *projectsv1.OpenProjectFromMatchRequest) {
			return func(r *projectsv1.OpenProjectFromMatchRequest) { r.Organisation = o }
		}
		_, err = open(me, active, lead(stranger))
		refused(t, err, codes.InvalidArgument, domain.LeadPartner)

		// Many at once, from both sides: one project.
		names := make([]string, 10)
		callers := []context.Context{me, s.As(admin, leader), s.As(operator, "")}
		for i, err := range together(len(names), func(i int) error {
			p, err := open(callers[i%3], active)
			names[i] = p.GetName()
			return err
		}) {
			if err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		}
		slices.Sort(names)
		if names = slices.Compact(names); len(names) != 1 {
			t.Fatalf("opened %v", names)
		}
		p := must[*projectsv1.Project](t)(open(s.As(manager, member), active)) // by now both sides find it
		if p.GetName() != names[0] || p.GetMatch() != active.GetName() || !slices.Equal(p.GetNeeds(), []string{active.GetDemand()}) {
			t.Errorf("found %v", p)
		}
		if got := p.GetPartners(); len(got) != 2 || got[0].GetOrganisation() != leader || got[0].GetRole() != projectsv1.PartnerRole_PARTNER_ROLE_LEAD || got[1].GetOrganisation() != member {
			t.Errorf("partners %v", got)
		}
		led := must[*projectsv1.Project](t)(open(s.As(manager, member), second, lead(member)))
		if led.GetOrganisation() != member || len(led.GetPartners()) != 2 {
			t.Errorf("led by the supply: %v", led)
		}
		if n := len(testkit.EventsOf[*projectsv1.ProjectOpened](s.Env)); n != 2 {
			t.Errorf("%d openings told of, want 2", n)
		}
		if gates := must[*projectsv1.ListGatesResponse](t)(s.ListGates(me, &projectsv1.ListGatesRequest{Parent: p.GetName()})).GetGates(); len(gates) != 4 {
			t.Errorf("%d gates", len(gates))
		}
	})
}
