package projects_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/testkit"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// registers has a client for each of the services of the registers.
type registers struct {
	projectsv1.IssueServiceClient
	projectsv1.DecisionServiceClient
	projectsv1.ChangeServiceClient
	projectsv1.CommunicationServiceClient
	projectsv1.ProcurementServiceClient
	projectsv1.QualityServiceClient
	projectsv1.ResponsibilityServiceClient
	projectsv1.TrailServiceClient
}

func registersOf(c grpc.ClientConnInterface) registers {
	return registers{
		projectsv1.NewIssueServiceClient(c), projectsv1.NewDecisionServiceClient(c), projectsv1.NewChangeServiceClient(c), projectsv1.NewCommunicationServiceClient(c),
		projectsv1.NewProcurementServiceClient(c), projectsv1.NewQualityServiceClient(c), projectsv1.NewResponsibilityServiceClient(c), projectsv1.NewTrailServiceClient(c),
	}
}

// answersFor makes the matrix complete for a task.
func (s *suite) answersFor(task *projectsv1.Task) *projectsv1.Responsibility {
	s.t.Helper()
	return must[*projectsv1.Responsibility](s.t)(s.CreateResponsibility(s.As(manager, leader), &projectsv1.CreateResponsibilityRequest{
		Parent: projectOf(task.GetName()), Responsibility: &projectsv1.Responsibility{Task: task.GetName(), Assignments: []*projectsv1.RaciAssignment{
			{Part: projectsv1.RaciPart_RACI_PART_ACCOUNTABLE, Organisation: leader}, {Part: projectsv1.RaciPart_RACI_PART_RESPONSIBLE, Organisation: member},
		}}}))
}

// trail lists what was done to something, by everybody.
func (s *suite) trail(project, resource string) []*projectsv1.TrailEntry {
	s.t.Helper()
	return must[*projectsv1.ListTrailEntriesResponse](s.t)(s.ListTrailEntries(s.As(partner, member), &projectsv1.ListTrailEntriesRequest{
		Parent: project, Filter: `resource = "` + resource + `"`, PageSize: 1000})).GetTrailEntries()
}

// logs is one entry of each register of a world.
type logs struct {
	issue          *projectsv1.Issue // the member's
	decision       *projectsv1.Decision
	change         *projectsv1.ChangeRequest // the member's
	communication  *projectsv1.Communication // the member's
	procurement    *projectsv1.Procurement   // the member's
	check          *projectsv1.QualityCheck  // by the member
	responsibility *projectsv1.Responsibility
	approval       *projectsv1.GateApproval
}

func (w *world) registers() *logs {
	w.t.Helper()
	me, p := w.As(manager, leader), w.p.GetName()
	return &logs{
		issue: must[*projectsv1.Issue](w.t)(w.CreateIssue(me, &projectsv1.CreateIssueRequest{Parent: p,
			Issue: &projectsv1.Issue{Title: text("Docente malato"), Severity: 3, Urgency: 4, Organisation: member, DueDate: "2026-01-09", Task: w.task.GetName()}})),
		decision: must[*projectsv1.Decision](w.t)(w.CreateDecision(me, &projectsv1.CreateDecisionRequest{Parent: p,
			Decision: &projectsv1.Decision{Title: text("Sede"), Options: []string{"Torino", "Cuneo"}, Deciders: []string{"s-1"}, Outcome: "Torino", DecideDate: "2026-01-05", About: []string{w.task.GetName()}}})),
		change: must[*projectsv1.ChangeRequest](w.t)(w.CreateChangeRequest(me, &projectsv1.CreateChangeRequestRequest{Parent: p,
			ChangeRequest: &projectsv1.ChangeRequest{Title: text("Un mese in più"), Reason: "ritardo", ImpactDays: 30, ImpactCost: eur(-5), Organisation: member, Affects: []string{w.task.GetName()}}})),
		communication: must[*projectsv1.Communication](w.t)(w.CreateCommunication(me, &projectsv1.CreateCommunicationRequest{Parent: p,
			Communication: &projectsv1.Communication{Title: text("Notizie"), Audience: "rete", Channel: "newsletter", NextDate: "2026-01-31",
				Frequency: projectsv1.CommunicationFrequency_COMMUNICATION_FREQUENCY_MONTHLY, Organisation: member}})),
		procurement: must[*projectsv1.Procurement](w.t)(w.CreateProcurement(me, &projectsv1.CreateProcurementRequest{Parent: p,
			Procurement: &projectsv1.Procurement{Title: text("Tablet"), Procedure: projectsv1.ProcurementProcedure_PROCUREMENT_PROCEDURE_QUOTES,
				EstimatedAmount: eur(900), PlannedDate: "2026-02-01", Organisation: member, BudgetLine: w.lines[member].GetName()}})),
		check: must[*projectsv1.QualityCheck](w.t)(w.CreateQualityCheck(me, &projectsv1.CreateQualityCheckRequest{Parent: p,
			QualityCheck: &projectsv1.QualityCheck{Criterion: text("Leggibile"), Deliverable: w.thing.GetName(), Mandatory: true, Organisation: member, PlannedDate: "2026-06-01"}})),
		responsibility: w.answersFor(w.task),
		approval:       must[*projectsv1.GateApproval](w.t)(w.RequestGate(me, &projectsv1.RequestGateRequest{Name: p + "/gates/rfp"})),
	}
}

// readers and writers of the registers, for the tests of rights.
func (w *world) registerCalls(l *logs) (reads, charge, leads []call) {
	p := w.p.GetName()
	reads = []call{
		{"GetIssue", func(as context.Context) error {
			_, err := w.GetIssue(as, &projectsv1.GetIssueRequest{Name: l.issue.GetName()})
			return err
		}},
		{"ListIssues", func(as context.Context) error {
			_, err := w.ListIssues(as, &projectsv1.ListIssuesRequest{Parent: p})
			return err
		}},
		{"GetDecision", func(as context.Context) error {
			_, err := w.GetDecision(as, &projectsv1.GetDecisionRequest{Name: l.decision.GetName()})
			return err
		}},
		{"ListChangeRequests", func(as context.Context) error {
			_, err := w.ListChangeRequests(as, &projectsv1.ListChangeRequestsRequest{Parent: p})
			return err
		}},
		{"GetProcurement", func(as context.Context) error {
			_, err := w.GetProcurement(as, &projectsv1.GetProcurementRequest{Name: l.procurement.GetName()})
			return err
		}},
		{"GetQualityCheck", func(as context.Context) error {
			_, err := w.GetQualityCheck(as, &projectsv1.GetQualityCheckRequest{Name: l.check.GetName()})
			return err
		}},
		{"ListResponsibilityGaps", func(as context.Context) error {
			_, err := w.ListResponsibilityGaps(as, &projectsv1.ListResponsibilityGapsRequest{Parent: p})
			return err
		}},
		{"ListTrailEntries", func(as context.Context) error {
			_, err := w.ListTrailEntries(as, &projectsv1.ListTrailEntriesRequest{Parent: p})
			return err
		}},
		{"GetGateApproval", func(as context.Context) error {
			_, err := w.GetGateApproval(as, &projectsv1.GetGateApprovalRequest{Name: l.approval.GetName()})
			return err
		}},
	}
	charge = []call{
		{"CreateIssue", func(as context.Context) error {
			_, err := w.CreateIssue(as, &projectsv1.CreateIssueRequest{Parent: p, Issue: &projectsv1.Issue{Title: text("x"), Severity: 1, Urgency: 1, Organisation: member}})
			return err
		}},
		{"UpdateIssue", func(as context.Context) error {
			_, err := w.UpdateIssue(as, &projectsv1.UpdateIssueRequest{Issue: &projectsv1.Issue{Name: l.issue.GetName(), Resolution: "sostituito"}})
			return err
		}},
		{"MoveIssue", func(as context.Context) error {
			_, err := w.MoveIssue(as, &projectsv1.MoveIssueRequest{Name: l.issue.GetName(), State: projectsv1.IssueState_ISSUE_STATE_RESOLVED})
			return err
		}},
		{"CreateChangeRequest", func(as context.Context) error {
			_, err := w.CreateChangeRequest(as, &projectsv1.CreateChangeRequestRequest{Parent: p, ChangeRequest: &projectsv1.ChangeRequest{Title: text("x"), Organisation: member}})
			return err
		}},
		{"UpdateProcurement", func(as context.Context) error {
			_, err := w.UpdateProcurement(as, &projectsv1.UpdateProcurementRequest{Procurement: &projectsv1.Procurement{Name: l.procurement.GetName(), Description: "x"}})
			return err
		}},
		{"MoveProcurement", func(as context.Context) error {
			_, err := w.MoveProcurement(as, &projectsv1.MoveProcurementRequest{Name: l.procurement.GetName(), State: projectsv1.ProcurementState_PROCUREMENT_STATE_LAUNCHED})
			return err
		}},
		{"LogCommunication", func(as context.Context) error {
			_, err := w.LogCommunication(as, &projectsv1.LogCommunicationRequest{Name: l.communication.GetName(), Note: "a 40 enti"})
			return err
		}},
		{"RecordQualityCheck", func(as context.Context) error {
			_, err := w.RecordQualityCheck(as, &projectsv1.RecordQualityCheckRequest{Name: l.check.GetName(), Passed: true})
			return err
		}},
	}
	leads = []call{
		{"CreateIssue for the lead", func(as context.Context) error {
			_, err := w.CreateIssue(as, &projectsv1.CreateIssueRequest{Parent: p, Issue: &projectsv1.Issue{Title: text("x"), Severity: 1, Urgency: 1}})
			return err
		}},
		{"handing over", func(as context.Context) error {
			_, err := w.UpdateIssue(as, &projectsv1.UpdateIssueRequest{Issue: &projectsv1.Issue{Name: l.issue.GetName(), Organisation: other}})
			return err
		}},
		{"UpdateRisk", func(as context.Context) error {
			_, err := w.UpdateRisk(as, &projectsv1.UpdateRiskRequest{Risk: &projectsv1.Risk{Name: w.risk.GetName(), Impact: 5}})
			return err
		}},
		{"MoveChangeRequest", func(as context.Context) error {
			_, err := w.MoveChangeRequest(as, &projectsv1.MoveChangeRequestRequest{Name: l.change.GetName(), State: projectsv1.ChangeRequestState_CHANGE_REQUEST_STATE_UNDER_REVIEW})
			return err
		}},
		{"approver role", func(as context.Context) error {
			_, err := w.UpdateChangeRequest(as, &projectsv1.UpdateChangeRequestRequest{ChangeRequest: &projectsv1.ChangeRequest{Name: l.change.GetName(), ApproverRole: admin}})
			return err
		}},
	}
	return reads, charge, leads
}

func TestWhoReadsAndWritesTheRegisters(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		w := build(t, s)
		elsewhere := s.project()
		reads, charge, lead := w.registerCalls(w.registers())
		for _, c := range reads {
			for _, as := range []context.Context{s.As(manager, leader), s.As(partner, member), s.As(auditor, "")} {
				if err := c.run(as); err != nil {
					t.Errorf("%s: %v", c.name, err)
				}
			}
			if err := c.run(s.As(manager, stranger)); status.Code(err) != codes.NotFound {
				t.Errorf("%s by a stranger: %v", c.name, err)
			}
		}
		for _, c := range slices.Concat(lead, charge) {
			if err := c.run(s.As(manager, stranger)); status.Code(err) != codes.NotFound {
				t.Errorf("%s by a stranger: %v", c.name, err)
			}
			refused(t, c.run(s.As(manager, other)), codes.PermissionDenied, domain.LeadOnly)
			if err := c.run(s.As(auditor, "")); status.Code(err) != codes.PermissionDenied {
				t.Errorf("%s by an auditor: %v", c.name, err)
			}
		}
		for _, c := range lead {
			refused(t, c.run(s.As(partner, member)), codes.PermissionDenied, domain.LeadOnly)
		}
		for _, c := range charge {
			if err := c.run(s.As(partner, member)); err != nil {
				t.Errorf("%s by the partner in charge: %v", c.name, err)
			}
		}
		// Nothing of another project is referred to, or found under it.
		task := must[*projectsv1.Task](t)(s.CreateTask(s.As(manager, leader), &projectsv1.CreateTaskRequest{Parent: elsewhere.GetName(), Task: &projectsv1.Task{Title: text("x")}}))
		_, err := s.CreateIssue(s.As(manager, leader), &projectsv1.CreateIssueRequest{Parent: w.p.GetName(), Issue: &projectsv1.Issue{Title: text("x"), Severity: 1, Urgency: 1, Task: task.GetName()}})
		refused(t, err, codes.InvalidArgument, errs.ReferenceNotFound)
		_, err = s.GetRisk(s.As(manager, leader), &projectsv1.GetRiskRequest{Name: strings.Replace(w.risk.GetName(), w.p.GetName(), elsewhere.GetName(), 1)})
		if status.Code(err) != codes.NotFound {
			t.Errorf("a risk under another project: %v", err)
		}
	})
}

func TestIssuesAndRisks(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		w := build(t, s)
		me := s.As(manager, leader)
		move := func(x *projectsv1.Issue, to projectsv1.IssueState, note string) (*projectsv1.Issue, error) {
			return s.MoveIssue(me, &projectsv1.MoveIssueRequest{Name: x.GetName(), State: to, Note: note})
		}
		risk := must[*projectsv1.Risk](t)(s.UpdateRisk(me, &projectsv1.UpdateRiskRequest{Risk: &projectsv1.Risk{Name: w.risk.GetName(), Organisation: member,
			ReviewDate: "2026-01-04", ResidualProbability: 2, ResidualImpact: 2, Response: projectsv1.RiskResponse_RISK_RESPONSE_REDUCE}}))
		if risk.GetResidualScore() != 4 || risk.GetScore() != 12 || !risk.GetOverdue() {
			t.Errorf("risk %v", risk)
		}
		_, err := s.UpdateRisk(me, &projectsv1.UpdateRiskRequest{Risk: &projectsv1.Risk{Name: w.risk.GetName(), ResidualProbability: 5, ResidualImpact: 5}})
		refused(t, err, codes.InvalidArgument, domain.ScoreWrong)
		x := must[*projectsv1.Issue](t)(s.RaiseIssue(s.As(partner, member), &projectsv1.RaiseIssueRequest{Name: risk.GetName(), Urgency: 5, DueDate: "2026-01-20", Description: "È successo"}))
		risk = must[*projectsv1.Risk](t)(s.GetRisk(me, &projectsv1.GetRiskRequest{Name: risk.GetName()}))
		if x.GetRisk() != risk.GetName() || risk.GetIssue() != x.GetName() || risk.GetState() != projectsv1.RiskState_RISK_STATE_HAPPENED || x.GetOrganisation() != member || x.GetScore() != 20 || risk.GetOverdue() {
			t.Errorf("issue %v of risk %v", x, risk)
		}
		_, err = s.RaiseIssue(me, &projectsv1.RaiseIssueRequest{Name: risk.GetName(), Urgency: 5})
		refused(t, err, codes.FailedPrecondition, domain.EntryState)

		_, err = move(x, projectsv1.IssueState_ISSUE_STATE_CLOSED, "")
		refused(t, err, codes.FailedPrecondition, domain.EntryState)
		_, err = move(x, projectsv1.IssueState_ISSUE_STATE_RESOLVED, "")
		refused(t, err, codes.InvalidArgument, domain.FieldMissing)
		must[*projectsv1.Issue](t)(s.UpdateIssue(s.As(partner, member), &projectsv1.UpdateIssueRequest{Issue: &projectsv1.Issue{Name: x.GetName(), Resolution: "sostituito"}}))
		must[*projectsv1.Issue](t)(move(x, projectsv1.IssueState_ISSUE_STATE_RESOLVED, ""))
		_, err = s.MoveIssue(s.As(partner, member), &projectsv1.MoveIssueRequest{Name: x.GetName(), State: projectsv1.IssueState_ISSUE_STATE_CLOSED})
		refused(t, err, codes.PermissionDenied, domain.LeadOnly)
		must[*projectsv1.Issue](t)(move(x, projectsv1.IssueState_ISSUE_STATE_CLOSED, "va bene"))
		_, err = s.UpdateIssue(me, &projectsv1.UpdateIssueRequest{Issue: &projectsv1.Issue{Name: x.GetName(), Description: "altro"}})
		refused(t, err, codes.FailedPrecondition, domain.EntryFrozen)
		_, err = s.DeleteIssue(me, &projectsv1.DeleteIssueRequest{Name: x.GetName()})
		refused(t, err, codes.FailedPrecondition, domain.EntryFrozen)
		_, err = move(x, projectsv1.IssueState_ISSUE_STATE_OPEN, "")
		refused(t, err, codes.InvalidArgument, domain.FieldMissing)
		must[*projectsv1.Issue](t)(move(x, projectsv1.IssueState_ISSUE_STATE_OPEN, "di nuovo"))
		var way []string
		for _, e := range s.trail(w.p.GetName(), x.GetName()) {
			way = append(way, e.GetAction()+" "+e.GetToState()+" "+e.GetNote())
		}
		if got := strings.Join(way, "; "); got != "CREATED OPEN ; MOVED RESOLVED ; MOVED CLOSED va bene; MOVED OPEN di nuovo" {
			t.Errorf("trail %s", got)
		}
		list := must[*projectsv1.ListIssuesResponse](t)(s.ListIssues(me, &projectsv1.ListIssuesRequest{Parent: w.p.GetName(),
			Filter: `pending = true AND score >= 20 AND state = ISSUE_STATE_OPEN AND due_date <= "2026-01-20" AND organisation = "` + member + `"`, OrderBy: "due_date"})).GetIssues()
		if len(list) != 1 || list[0].GetName() != x.GetName() {
			t.Errorf("found %v", list)
		}
		// What an entry is about may be deleted: the entry can be changed all the same.
		gone := s.addTask(w.p, &projectsv1.Task{Title: text("Via")})
		about := must[*projectsv1.Issue](t)(s.CreateIssue(me, &projectsv1.CreateIssueRequest{Parent: w.p.GetName(), Issue: &projectsv1.Issue{Title: text("Ritardo"), Severity: 2, Urgency: 2, Task: gone.GetName()}}))
		must[*emptypb.Empty](t)(s.DeleteTask(me, &projectsv1.DeleteTaskRequest{Name: gone.GetName()}))
		must[*projectsv1.Issue](t)(s.UpdateIssue(me, &projectsv1.UpdateIssueRequest{Issue: &projectsv1.Issue{Name: about.GetName(), Description: "non serve più"}}))
		_, err = s.UpdateIssue(me, &projectsv1.UpdateIssueRequest{Issue: &projectsv1.Issue{Name: x.GetName(), Task: gone.GetName()}})
		refused(t, err, codes.InvalidArgument, errs.ReferenceNotFound)
		_, err = s.UpdateProject(me, &projectsv1.UpdateProjectRequest{Project: &projectsv1.Project{Name: w.p.GetName(), Partners: []*projectsv1.Partner{{Organisation: leader, Role: projectsv1.PartnerRole_PARTNER_ROLE_LEAD}}}})
		refused(t, err, codes.FailedPrecondition, domain.PartnerInUse)
	})
}

func TestDecisionsAndChangesAreFinalOnceTaken(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		w := build(t, s)
		l := w.registers()
		me := s.As(manager, leader)
		take := func(x *projectsv1.Decision) (*projectsv1.Decision, error) {
			return s.TakeDecision(me, &projectsv1.TakeDecisionRequest{Name: x.GetName()})
		}
		empty := must[*projectsv1.Decision](t)(s.CreateDecision(me, &projectsv1.CreateDecisionRequest{Parent: w.p.GetName(), Decision: &projectsv1.Decision{Title: text("x"), DecideDate: "2026-01-06"}}))
		_, err := take(empty)
		refused(t, err, codes.InvalidArgument, domain.FieldMissing)
		must[*projectsv1.Decision](t)(s.UpdateDecision(me, &projectsv1.UpdateDecisionRequest{Decision: &projectsv1.Decision{Name: empty.GetName(), Outcome: "Cuneo", Deciders: []string{"cabina di regia"}, Supersedes: l.decision.GetName()}}))
		_, err = take(empty) // tomorrow
		refused(t, err, codes.InvalidArgument, domain.DatesWrong)
		must[*projectsv1.Decision](t)(s.UpdateDecision(me, &projectsv1.UpdateDecisionRequest{Decision: &projectsv1.Decision{Name: empty.GetName(), DecideDate: "2026-01-05"}}))
		_, err = take(empty) // what it replaces is a draft
		refused(t, err, codes.FailedPrecondition, domain.EntryState)
		must[*projectsv1.Decision](t)(take(l.decision))
		_, err = s.UpdateDecision(me, &projectsv1.UpdateDecisionRequest{Decision: &projectsv1.Decision{Name: l.decision.GetName(), Outcome: "Asti"}})
		refused(t, err, codes.FailedPrecondition, domain.EntryFrozen)
		_, err = s.DeleteDecision(me, &projectsv1.DeleteDecisionRequest{Name: l.decision.GetName()})
		refused(t, err, codes.FailedPrecondition, domain.EntryFrozen)
		must[*projectsv1.Decision](t)(take(empty))
		before := must[*projectsv1.Decision](t)(s.GetDecision(me, &projectsv1.GetDecisionRequest{Name: l.decision.GetName()}))
		if before.GetState() != projectsv1.DecisionState_DECISION_STATE_SUPERSEDED || before.GetSupersededBy() != empty.GetName() || before.GetOutcome() != "Torino" {
			t.Errorf("replaced: %v", before)
		}

		move := func(as context.Context, to projectsv1.ChangeRequestState, note string) (*projectsv1.ChangeRequest, error) {
			return s.MoveChangeRequest(as, &projectsv1.MoveChangeRequestRequest{Name: l.change.GetName(), State: to, Note: note})
		}
		_, err = move(me, projectsv1.ChangeRequestState_CHANGE_REQUEST_STATE_APPROVED, "")
		refused(t, err, codes.FailedPrecondition, domain.EntryState)
		must[*projectsv1.ChangeRequest](t)(s.UpdateChangeRequest(me, &projectsv1.UpdateChangeRequestRequest{ChangeRequest: &projectsv1.ChangeRequest{Name: l.change.GetName(), ApproverRole: admin}}))
		must[*projectsv1.ChangeRequest](t)(move(me, projectsv1.ChangeRequestState_CHANGE_REQUEST_STATE_UNDER_REVIEW, ""))
		_, err = move(me, projectsv1.ChangeRequestState_CHANGE_REQUEST_STATE_APPROVED, "")
		refused(t, err, codes.PermissionDenied, domain.ApproverRole)
		// What is under review is not changed any more by who proposed it.
		own := must[*projectsv1.ChangeRequest](t)(s.CreateChangeRequest(s.As(partner, member), &projectsv1.CreateChangeRequestRequest{Parent: w.p.GetName(),
			ChangeRequest: &projectsv1.ChangeRequest{Title: text("Più tempo"), Reason: "ritardo", ImpactDays: 5, Organisation: member}}))
		longer := &projectsv1.UpdateChangeRequestRequest{ChangeRequest: &projectsv1.ChangeRequest{Name: own.GetName(), ImpactDays: 900}}
		must[*projectsv1.ChangeRequest](t)(s.UpdateChangeRequest(s.As(partner, member), longer))
		must[*projectsv1.ChangeRequest](t)(s.MoveChangeRequest(me, &projectsv1.MoveChangeRequestRequest{Name: own.GetName(), State: projectsv1.ChangeRequestState_CHANGE_REQUEST_STATE_UNDER_REVIEW}))
		_, err = s.UpdateChangeRequest(s.As(partner, member), longer)
		refused(t, err, codes.PermissionDenied, domain.LeadOnly)
		must[*projectsv1.ChangeRequest](t)(s.UpdateChangeRequest(me, longer))
		_, err = move(s.As(admin, leader), projectsv1.ChangeRequestState_CHANGE_REQUEST_STATE_REJECTED, "")
		refused(t, err, codes.InvalidArgument, domain.FieldMissing)
		got := must[*projectsv1.ChangeRequest](t)(move(s.As(admin, leader), projectsv1.ChangeRequestState_CHANGE_REQUEST_STATE_APPROVED, "va bene"))
		if got.GetDeciderSubject() != testkit.Subject(admin, leader) || got.GetDecisionNote() != "va bene" || got.GetImpactCost().GetMinorUnits() != -5 || !slices.Equal(got.GetAffects(), []string{w.task.GetName()}) {
			t.Errorf("approved as %v", got)
		}
		_, err = s.UpdateChangeRequest(me, &projectsv1.UpdateChangeRequestRequest{ChangeRequest: &projectsv1.ChangeRequest{Name: l.change.GetName(), ImpactDays: 60}})
		refused(t, err, codes.FailedPrecondition, domain.EntryFrozen)
		must[*projectsv1.ChangeRequest](t)(move(me, projectsv1.ChangeRequestState_CHANGE_REQUEST_STATE_IMPLEMENTED, ""))
	})
}

func TestAcceptanceWaitsForTheChecks(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		w := build(t, s)
		l := w.registers()
		me := s.As(manager, leader)
		d := w.thing.GetName()
		accept := func() error {
			_, err := s.AcceptDeliverable(me, &projectsv1.AcceptDeliverableRequest{Name: d})
			return err
		}
		submit := func(as context.Context) error {
			_, err := s.SubmitDeliverable(as, &projectsv1.SubmitDeliverableRequest{Name: d, Uri: "https://example.org/r"})
			return err
		}
		must[*projectsv1.Deliverable](t)(s.UpdateDeliverable(me, &projectsv1.UpdateDeliverableRequest{Deliverable: &projectsv1.Deliverable{Name: d, Organisation: other, AcceptanceCriteria: []*typev1.LocalizedText{text("Leggibile")}}}))
		refused(t, submit(s.As(partner, member)), codes.PermissionDenied, domain.LeadOnly)
		if err := submit(s.As(partner, other)); err != nil { // a plain member of the partner in charge may
			t.Fatal(err)
		}
		e := refused(t, accept(), codes.FailedPrecondition, domain.ChecksOpen)
		if e.Metadata["checks"] != l.check.GetName() {
			t.Errorf("names %q", e.Metadata["checks"])
		}
		_, err := s.RecordQualityCheck(me, &projectsv1.RecordQualityCheckRequest{Name: l.check.GetName()})
		refused(t, err, codes.InvalidArgument, domain.FieldMissing)
		failed := must[*projectsv1.QualityCheck](t)(s.RecordQualityCheck(s.As(partner, member), &projectsv1.RecordQualityCheckRequest{Name: l.check.GetName(), Findings: "illeggibile", OpenIssue: true}))
		issue := must[*projectsv1.Issue](t)(s.GetIssue(me, &projectsv1.GetIssueRequest{Name: failed.GetIssue()}))
		if issue.GetOrganisation() != other || issue.GetQualityCheck() != l.check.GetName() || failed.GetCheckDate() != "2026-01-05" {
			t.Errorf("issue %v of %v", issue, failed)
		}
		refused(t, accept(), codes.FailedPrecondition, domain.ChecksOpen)
		must[*projectsv1.QualityCheck](t)(s.RecordQualityCheck(s.As(partner, member), &projectsv1.RecordQualityCheckRequest{Name: l.check.GetName(), Passed: true}))
		if err := accept(); err != nil {
			t.Fatal(err)
		}
		// Accepted, it changes no more, but for being returned: then it is checked again.
		_, err = s.UpdateDeliverable(me, &projectsv1.UpdateDeliverableRequest{Deliverable: &projectsv1.Deliverable{Name: d, DueDate: "2026-07-01"}})
		refused(t, err, codes.FailedPrecondition, domain.DeliverableState)
		_, err = s.DeleteDeliverable(me, &projectsv1.DeleteDeliverableRequest{Name: d})
		refused(t, err, codes.FailedPrecondition, domain.DeliverableState)
		_, err = s.ReplanQualityCheck(me, &projectsv1.ReplanQualityCheckRequest{Name: l.check.GetName()})
		refused(t, err, codes.FailedPrecondition, domain.DeliverableState)
		must[*projectsv1.Deliverable](t)(s.ReturnDeliverable(me, &projectsv1.ReturnDeliverableRequest{Name: d, Reason: "manca un capitolo"}))
		if err := submit(me); err != nil {
			t.Fatal(err)
		}
		refused(t, accept(), codes.FailedPrecondition, domain.ChecksOpen)
		// Who made a thing does not check it.
		must[*projectsv1.QualityCheck](t)(s.UpdateQualityCheck(me, &projectsv1.UpdateQualityCheckRequest{QualityCheck: &projectsv1.QualityCheck{Name: l.check.GetName(), Organisation: other}}))
		_, err = s.RecordQualityCheck(s.As(manager, other), &projectsv1.RecordQualityCheckRequest{Name: l.check.GetName(), Passed: true})
		refused(t, err, codes.PermissionDenied, domain.SelfChecked)
		// Without a check, where one is required.
		if _, err := s.DeleteQualityCheck(me, &projectsv1.DeleteQualityCheckRequest{Name: l.check.GetName()}); err != nil {
			t.Fatal(err)
		}
		must[*projectsv1.Deliverable](t)(s.UpdateDeliverable(me, &projectsv1.UpdateDeliverableRequest{Deliverable: &projectsv1.Deliverable{Name: d, CheckRequired: true}}))
		refused(t, accept(), codes.FailedPrecondition, domain.ChecksOpen)
	})
}

func TestPurchasesAndCommunications(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		w := build(t, s)
		l := w.registers()
		as := s.As(partner, member)
		move := func(to projectsv1.ProcurementState, note string) error {
			_, err := s.MoveProcurement(as, &projectsv1.MoveProcurementRequest{Name: l.procurement.GetName(), State: to, Note: note})
			return err
		}
		refused(t, move(projectsv1.ProcurementState_PROCUREMENT_STATE_CANCELLED, ""), codes.InvalidArgument, domain.FieldMissing)
		refused(t, move(projectsv1.ProcurementState_PROCUREMENT_STATE_AWARDED, ""), codes.FailedPrecondition, domain.EntryState)
		for _, to := range []projectsv1.ProcurementState{projectsv1.ProcurementState_PROCUREMENT_STATE_LAUNCHED, projectsv1.ProcurementState_PROCUREMENT_STATE_PLANNED, projectsv1.ProcurementState_PROCUREMENT_STATE_LAUNCHED} {
			if err := move(to, "deserta"); err != nil {
				t.Fatal(err)
			}
		}
		refused(t, move(projectsv1.ProcurementState_PROCUREMENT_STATE_AWARDED, ""), codes.InvalidArgument, domain.FieldMissing)
		must[*projectsv1.Procurement](t)(s.UpdateProcurement(as, &projectsv1.UpdateProcurementRequest{Procurement: &projectsv1.Procurement{Name: l.procurement.GetName(), Supplier: stranger, ContractReference: "CIG Z0000000", ContractAmount: eur(880)}}))
		for _, to := range []projectsv1.ProcurementState{projectsv1.ProcurementState_PROCUREMENT_STATE_AWARDED, projectsv1.ProcurementState_PROCUREMENT_STATE_DELIVERED, projectsv1.ProcurementState_PROCUREMENT_STATE_CLOSED} {
			if err := move(to, ""); err != nil {
				t.Fatal(err)
			}
		}
		_, err := s.UpdateProcurement(s.As(manager, leader), &projectsv1.UpdateProcurementRequest{Procurement: &projectsv1.Procurement{Name: l.procurement.GetName(), ContractAmount: eur(1)}})
		refused(t, err, codes.FailedPrecondition, domain.EntryFrozen)
		wrong := &projectsv1.Procurement{Title: text("x"), Procedure: projectsv1.ProcurementProcedure_PROCUREMENT_PROCEDURE_OPEN, PlannedDate: "2026-02-02", EstimatedAmount: &typev1.Money{MinorUnits: 1, CurrencyCode: "SEK"}}
		_, err = s.CreateProcurement(s.As(manager, leader), &projectsv1.CreateProcurementRequest{Parent: w.p.GetName(), Procurement: wrong})
		refused(t, err, codes.InvalidArgument, domain.CurrencyMismatch)

		_, err = s.LogCommunication(as, &projectsv1.LogCommunicationRequest{Name: l.communication.GetName(), DoneDate: "2026-01-06"})
		refused(t, err, codes.InvalidArgument, domain.DatesWrong)
		x := must[*projectsv1.Communication](t)(s.LogCommunication(as, &projectsv1.LogCommunicationRequest{Name: l.communication.GetName(), DoneDate: "2025-12-31", Note: "40 enti"}))
		if x.GetNextDate() != "2026-01-31" || x.GetDoneCount() != 1 || x.GetLastDoneDate() != "2025-12-31" {
			t.Errorf("after the first: %v", x)
		}
		if log := s.trail(w.p.GetName(), x.GetName()); len(log) != 2 || log[1].GetNote() != "40 enti" {
			t.Errorf("done log %v", log)
		}
		x = must[*projectsv1.Communication](t)(s.UpdateCommunication(as, &projectsv1.UpdateCommunicationRequest{Communication: &projectsv1.Communication{Name: x.GetName(), Frequency: projectsv1.CommunicationFrequency_COMMUNICATION_FREQUENCY_ONCE}}))
		x = must[*projectsv1.Communication](t)(s.LogCommunication(as, &projectsv1.LogCommunicationRequest{Name: x.GetName()}))
		if x.GetState() != projectsv1.CommunicationState_COMMUNICATION_STATE_ENDED || x.GetNextDate() != "" {
			t.Errorf("after the last: %v", x)
		}
		_, err = s.LogCommunication(as, &projectsv1.LogCommunicationRequest{Name: x.GetName()})
		refused(t, err, codes.FailedPrecondition, domain.EntryFrozen)
	})
}

func TestTheMatrixTellsItsGaps(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		w := build(t, s)
		me := s.As(manager, leader)
		child := must[*projectsv1.Task](t)(s.CreateTask(me, &projectsv1.CreateTaskRequest{Parent: w.p.GetName(), Task: &projectsv1.Task{Title: text("Sotto"), ParentTask: w.task.GetName()}}))
		gaps := func() []*projectsv1.ResponsibilityGap {
			return must[*projectsv1.ListResponsibilityGapsResponse](t)(s.ListResponsibilityGaps(s.As(partner, member), &projectsv1.ListResponsibilityGapsRequest{Parent: w.p.GetName()})).GetGaps()
		}
		if got := gaps(); len(got) != 1 || got[0].GetTask() != child.GetName() || !got[0].GetAccountableMissing() {
			t.Errorf("gaps %v", got)
		}
		row := s.answersFor(w.task) // the summary's holds below it
		if got := gaps(); len(got) != 0 {
			t.Errorf("gaps %v", got)
		}
		a := func(part projectsv1.RaciPart, o string) *projectsv1.RaciAssignment {
			return &projectsv1.RaciAssignment{Part: part, Organisation: o}
		}
		for reason, wrong := range map[errs.Reason][]*projectsv1.RaciAssignment{
			domain.ResponsibilityWrong: {a(projectsv1.RaciPart_RACI_PART_ACCOUNTABLE, leader), a(projectsv1.RaciPart_RACI_PART_ACCOUNTABLE, member)},
			domain.NotAPartner:         {a(projectsv1.RaciPart_RACI_PART_ACCOUNTABLE, stranger)},
		} {
			_, err := s.UpdateResponsibility(me, &projectsv1.UpdateResponsibilityRequest{Responsibility: &projectsv1.Responsibility{Name: row.GetName(), Assignments: wrong}})
			refused(t, err, codes.InvalidArgument, reason)
		}
		_, err := s.CreateResponsibility(me, &projectsv1.CreateResponsibilityRequest{Parent: w.p.GetName(), Responsibility: &projectsv1.Responsibility{Task: w.task.GetName()}})
		refused(t, err, codes.AlreadyExists, domain.EntryExists)
		_, err = s.CreateResponsibility(s.As(manager, member), &projectsv1.CreateResponsibilityRequest{Parent: w.p.GetName(), Responsibility: &projectsv1.Responsibility{Task: child.GetName()}})
		refused(t, err, codes.PermissionDenied, domain.LeadOnly)
		half := must[*projectsv1.Responsibility](t)(s.UpdateResponsibility(me, &projectsv1.UpdateResponsibilityRequest{Responsibility: &projectsv1.Responsibility{Name: row.GetName(),
			Assignments: []*projectsv1.RaciAssignment{a(projectsv1.RaciPart_RACI_PART_RESPONSIBLE, member)}}}))
		if len(half.GetGaps()) != 1 || len(gaps()) != 1 {
			t.Errorf("half a row: %v, gaps %v", half, gaps())
		}
		own := s.answersFor(child)
		if _, err := s.DeleteTask(me, &projectsv1.DeleteTaskRequest{Name: child.GetName()}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.GetResponsibility(me, &projectsv1.GetResponsibilityRequest{Name: own.GetName()}); status.Code(err) != codes.NotFound {
			t.Errorf("a deleted task's row: %v", err)
		}
	})
}

func TestOneOfTwoWritersWins(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		w := build(t, s)
		l := w.registers()
		const writers = 8
		var wg sync.WaitGroup
		errors := make([]error, writers)
		for i := range writers {
			wg.Go(func() {
				_, errors[i] = s.UpdateIssue(s.As(manager, leader), &projectsv1.UpdateIssueRequest{Issue: &projectsv1.Issue{Name: l.issue.GetName(), Etag: l.issue.GetEtag(), Resolution: strings.Repeat("x", i+1)}})
			})
		}
		wg.Wait()
		won := 0
		for i, err := range errors {
			if err == nil {
				won = i + 1
				continue
			}
			refused(t, err, codes.Aborted, errs.StaleEtag)
		}
		got := must[*projectsv1.Issue](t)(s.GetIssue(s.As(manager, leader), &projectsv1.GetIssueRequest{Name: l.issue.GetName()}))
		if won == 0 || got.GetResolution() != strings.Repeat("x", won) {
			t.Errorf("%d won, there is %q", won, got.GetResolution())
		}
	})
}

func TestGateRequestsTemplatesAndCancellation(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		boss, me := s.As(operator, ""), s.As(manager, leader)
		template := must[*projectsv1.GateTemplate](t)(s.GetGateTemplate(me, &projectsv1.GetGateTemplateRequest{Name: "gateTemplates/default"}))
		for _, g := range template.GetGates() {
			g.FourEyes, g.Artefacts = true, g.GetArtefacts()[:1]
		}
		create := func(as context.Context, id, programme, organisation string) (*projectsv1.GateTemplate, error) {
			return s.CreateGateTemplate(as, &projectsv1.CreateGateTemplateRequest{GateTemplateId: id,
				GateTemplate: &projectsv1.GateTemplate{Title: text("Bando"), Gates: template.GetGates(), Programme: programme, Organisation: organisation}})
		}
		_, err := create(s.As(admin, leader), "mio", "Bando 2026", "")
		refused(t, err, codes.PermissionDenied, errs.RoleMissing)
		_, err = create(s.As(admin, leader), "loro", "", member)
		refused(t, err, codes.NotFound, errs.Absent)
		must[*projectsv1.GateTemplate](t)(create(boss, "bando-2026", "Bando 2026", ""))
		_, err = create(boss, "bando-2026", "", "")
		refused(t, err, codes.AlreadyExists, domain.EntryExists)
		must[*projectsv1.GateTemplate](t)(create(s.As(admin, member), "loro", "", member))
		_, err = s.CreateProject(me, &projectsv1.CreateProjectRequest{Project: card(), GateTemplate: "gateTemplates/loro"})
		refused(t, err, codes.InvalidArgument, errs.ReferenceNotFound)
		_, err = s.DeleteGateTemplate(boss, &projectsv1.DeleteGateTemplateRequest{Name: "gateTemplates/registers"})
		refused(t, err, codes.FailedPrecondition, domain.TemplateInUse)
		all := must[*projectsv1.ListGateTemplatesResponse](t)(s.ListGateTemplates(me, &projectsv1.ListGateTemplatesRequest{})).GetGateTemplates()
		if len(all) != 4 || all[0].GetName() != "gateTemplates/default" {
			t.Errorf("%d templates, first %s", len(all), all[0].GetName())
		}
		chosen := must[*projectsv1.Project](t)(s.CreateProject(me, &projectsv1.CreateProjectRequest{Project: card(), GateTemplate: "gateTemplates/registers"}))
		if chosen.GetGateTemplate() != "gateTemplates/registers" {
			t.Errorf("made from %s", chosen.GetGateTemplate())
		}
		p := s.project() // its funder's programme has a template
		if p.GetGateTemplate() != "gateTemplates/bando-2026" {
			t.Fatalf("made from %s", p.GetGateTemplate())
		}
		gate := p.GetName() + "/gates/rfp"
		request := func(as context.Context) (*projectsv1.GateApproval, error) {
			return s.RequestGate(as, &projectsv1.RequestGateRequest{Name: gate, Note: "pronti"})
		}
		approve := func(as context.Context, x *projectsv1.GateApproval) error {
			_, err := s.ApproveGate(as, &projectsv1.ApproveGateRequest{Name: x.GetName()})
			return err
		}
		x := must[*projectsv1.GateApproval](t)(request(me))
		if x.GetReady() || len(x.GetArtefacts()) != 1 || x.GetArtefacts()[0].GetReadiness() != projectsv1.Readiness_READINESS_MISSING {
			t.Errorf("asked with %v", x)
		}
		_, err = request(me)
		refused(t, err, codes.FailedPrecondition, domain.RequestPending)
		refused(t, approve(s.As(admin, leader), x), codes.FailedPrecondition, domain.GateNotReady)
		must[*projectsv1.GateApproval](t)(s.RejectGate(s.As(admin, leader), &projectsv1.RejectGateRequest{Name: x.GetName(), Reason: "manca la richiesta"}))
		refused(t, approve(s.As(admin, leader), x), codes.FailedPrecondition, domain.EntryState)
		// A waiver until a day, and not longer.
		waived := must[*projectsv1.Gate](t)(s.WaiveArtefact(me, &projectsv1.WaiveArtefactRequest{Name: gate, Artefact: "initiation-request", Reason: "arriva", ExpireDate: "2026-01-05"}))
		if a := waived.GetArtefacts()[0]; !waived.GetReady() || a.GetRole() != authzv1.Role_ROLE_PROJECT_MANAGER || a.GetActor() != testkit.Subject(manager, leader) || a.GetWaiverExpireDate() != "2026-01-05" {
			t.Errorf("waived %v", a)
		}
		x = must[*projectsv1.GateApproval](t)(request(me))
		refused(t, approve(me, x), codes.FailedPrecondition, domain.FourEyes)
		s.Clock.Advance(24 * 3600e9)
		refused(t, approve(s.As(admin, leader), x), codes.FailedPrecondition, domain.GateNotReady)
		must[*projectsv1.Gate](t)(s.RecordArtefact(me, &projectsv1.RecordArtefactRequest{Name: gate, Artefact: "initiation-request", Uri: "https://example.org/a"}))
		if err := approve(s.As(admin, leader), x); err != nil {
			t.Fatal(err)
		}
		x = must[*projectsv1.GateApproval](t)(s.GetGateApproval(s.As(partner, member), &projectsv1.GetGateApprovalRequest{Name: x.GetName()}))
		if x.GetState() != projectsv1.GateApprovalState_GATE_APPROVAL_STATE_APPROVED || x.GetDecider() != testkit.Subject(admin, leader) || x.GetDeciderRole() != admin ||
			x.GetArtefactsAtDecision()[0].GetReadiness() != projectsv1.Readiness_READINESS_PRESENT || x.GetArtefacts()[0].GetReadiness() != projectsv1.Readiness_READINESS_WAIVED {
			t.Errorf("approved as %v", x)
		}

		// Cancelled, it is closed; only an operator opens it again, where it was.
		x = must[*projectsv1.GateApproval](t)(s.RequestGate(me, &projectsv1.RequestGateRequest{Name: p.GetName() + "/gates/rfe"}))
		_, err = s.CancelProject(s.As(manager, member), &projectsv1.CancelProjectRequest{Name: p.GetName(), Reason: "x"})
		refused(t, err, codes.PermissionDenied, domain.LeadOnly)
		p = must[*projectsv1.Project](t)(s.CancelProject(me, &projectsv1.CancelProjectRequest{Name: p.GetName(), Reason: "il finanziatore si è ritirato"}))
		if p.GetPhase() != projectsv1.Phase_PHASE_CLOSED || p.GetOutcome() != projectsv1.Outcome_OUTCOME_CANCELLED || p.GetCloseTime() == nil {
			t.Errorf("cancelled as %v", p)
		}
		if got := must[*projectsv1.GateApproval](t)(s.GetGateApproval(me, &projectsv1.GetGateApprovalRequest{Name: x.GetName()})); got.GetState() != projectsv1.GateApprovalState_GATE_APPROVAL_STATE_WITHDRAWN {
			t.Errorf("the request of a cancelled project is %v", got.GetState())
		}
		_, err = s.CreateIssue(me, &projectsv1.CreateIssueRequest{Parent: p.GetName(), Issue: &projectsv1.Issue{Title: text("x"), Severity: 1, Urgency: 1}})
		refused(t, err, codes.FailedPrecondition, domain.ProjectClosed)
		_, err = s.CancelProject(me, &projectsv1.CancelProjectRequest{Name: p.GetName(), Reason: "x"})
		refused(t, err, codes.FailedPrecondition, domain.ProjectClosed)
		_, err = s.ReopenProject(s.As(admin, leader), &projectsv1.ReopenProjectRequest{Name: p.GetName(), Reason: "x"})
		refused(t, err, codes.PermissionDenied, errs.RoleMissing)
		p = must[*projectsv1.Project](t)(s.ReopenProject(boss, &projectsv1.ReopenProjectRequest{Name: p.GetName(), Reason: "un altro finanziatore"}))
		if p.GetPhase() != projectsv1.Phase_PHASE_PLANNING || p.GetOutcome() != 0 || p.GetCloseTime() != nil {
			t.Errorf("opened again as %v", p)
		}
		_, err = s.ReopenProject(boss, &projectsv1.ReopenProjectRequest{Name: p.GetName(), Reason: "x"})
		refused(t, err, codes.FailedPrecondition, domain.ProjectNotClosed)
		if n := len(testkit.EventsOf[*projectsv1.ProjectClosed](s.Env)); n != 0 {
			t.Errorf("%d closings told of a cancelled project", n)
		}
	})
}

func TestTheRegistersOfAClosedProjectDoNotChange(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		w := build(t, s)
		_, charge, lead := w.registerCalls(w.registers())
		must[*projectsv1.Project](t)(s.CancelProject(s.As(manager, leader), &projectsv1.CancelProjectRequest{Name: w.p.GetName(), Reason: "x"}))
		for _, c := range slices.Concat(charge, lead) {
			refused(t, c.run(s.As(manager, leader)), codes.FailedPrecondition, domain.ProjectClosed)
		}
	})
}

func TestTheCharterIsKeptAndChecked(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		need := "needs/00000000-0000-7000-8000-000000000009"
		p := s.project(func(p *projectsv1.Project) {
			p.Needs = []string{need}
			p.Charter = &projectsv1.Charter{BusinessNeed: text("Perché"), SuccessCriteria: []*typev1.LocalizedText{text("41 enti")},
				Governance: []*projectsv1.GovernanceBody{{DisplayName: "Cabina di regia", Organisations: []string{leader, member}, Meets: "ogni mese"}}}
			p.Stakeholders = []*projectsv1.Stakeholder{{DisplayName: "ASL", Interest: projectsv1.Level_LEVEL_HIGH, Influence: projectsv1.Level_LEVEL_LOW, Needs: []string{need},
				CurrentEngagement: projectsv1.Engagement_ENGAGEMENT_NEUTRAL, DesiredEngagement: projectsv1.Engagement_ENGAGEMENT_LEADING}}
		})
		me := s.As(manager, leader)
		got := must[*projectsv1.Project](t)(s.GetProject(me, &projectsv1.GetProjectRequest{Name: p.GetName()}))
		if got.GetCharter().GetGovernance()[0].GetMeets() != "ogni mese" || got.GetStakeholders()[0].GetDesiredEngagement() != projectsv1.Engagement_ENGAGEMENT_LEADING {
			t.Errorf("read %v", got)
		}
		for path, wrong := range map[string]*projectsv1.Project{
			"project.charter.governance[0].organisations[0]": {Charter: &projectsv1.Charter{Governance: []*projectsv1.GovernanceBody{{DisplayName: "x", Organisations: []string{stranger}}}}},
			"project.stakeholders[0].needs[0]": {Stakeholders: []*projectsv1.Stakeholder{{DisplayName: "x", Interest: 1, Influence: 1,
				Needs: []string{"needs/00000000-0000-7000-8000-000000000008"}}}},
		} {
			wrong.Name = p.GetName()
			_, err := s.UpdateProject(me, &projectsv1.UpdateProjectRequest{Project: wrong})
			if e := fieldsOf(t, err); !slices.Contains(e, path) {
				t.Errorf("%s: the error names %v", path, e)
			}
		}
		for _, e := range testkit.EventsOf[*projectsv1.ProjectOpened](s.Env) {
			if e.GetProject().GetCharter() != nil {
				t.Error("the charter is told to everybody")
			}
		}
	})
}
