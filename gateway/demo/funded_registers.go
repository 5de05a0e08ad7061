package demo

import (
	"context"

	"google.golang.org/protobuf/proto"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// titled is an entry of a register.
type titled interface {
	proto.Message
	GetName() string
}

// keep creates an entry of a register under a fixed key where the register is
// empty, and returns the entry that is there: the funded project keeps one in
// each.
func keep[E titled](ctx context.Context, l *loader, project, register string, page pageOf, items func() []E, fresh func() E, in E) (E, error) {
	path := "/v1/" + project + "/" + register
	all, err := list(ctx, l, path, "", page, items)
	if err != nil || len(all) > 0 {
		return first(all), err
	}
	made := fresh()
	return made, l.post(ctx, path, "project/"+projectFunded+"/"+register, in, made)
}

func first[E any](all []E) E {
	var none E
	if len(all) == 0 {
		return none
	}
	return all[0]
}

// fundedRegisters fills the registers that the plan wants: risks, communication,
// procurement, quality, deliverables; and opens what execution will settle.
func (l *loader) fundedRegisters(ctx context.Context, w *world, who *cast, project *projectsv1.Project) error {
	if project.GetPhase() != projectsv1.Phase_PHASE_PLANNING {
		return nil
	}
	m, name := who.manager, project.GetName()
	p := plan{key: projectFunded, risks: []*projectsv1.Risk{{
		Title: it("I Comuni mettono a disposizione i locali in ritardo"), Probability: 3, Impact: 4,
		Response: projectsv1.RiskResponse_RISK_RESPONSE_REDUCE, ResponseText: "Sportello provvisorio presso il partner",
	}}}
	if err := m.risks(ctx, w, p, name); err != nil {
		return err
	}
	if _, err := l.planDeliverables(ctx, w, who, name); err != nil {
		return err
	}
	for _, enter := range []func() error{
		func() error { return only(theCommunication(ctx, m, w, name)) },
		func() error { return only(theProcurement(ctx, m, w, name)) },
		func() error { return only(theQualityCheck(ctx, m, w, name)) },
		func() error { return only(theIssue(ctx, m, w, name)) },
		func() error { return only(theDecision(ctx, m, name)) },
		func() error { return only(theChange(ctx, m, w, name)) },
	} {
		if err := enter(); err != nil {
			return err
		}
	}
	return nil
}

// only is the error of a call whose answer is not wanted.
func only[E any](_ E, err error) error { return err }

func theCommunication(ctx context.Context, l *loader, w *world, project string) (*projectsv1.Communication, error) {
	page := &projectsv1.ListCommunicationsResponse{}
	return keep(ctx, l, project, "communications", page, page.GetCommunications, func() *projectsv1.Communication { return &projectsv1.Communication{} },
		&projectsv1.Communication{
			Title: it("Aggiornamento ai Comuni"), Audience: "Comuni della cintura torinese", Channel: "Riunione e nota scritta", NextDate: "2023-06-15",
			Frequency: projectsv1.CommunicationFrequency_COMMUNICATION_FREQUENCY_QUARTERLY, Organisation: w.organisations[fundedLead],
		})
}

func theProcurement(ctx context.Context, l *loader, w *world, project string) (*projectsv1.Procurement, error) {
	page := &projectsv1.ListProcurementsResponse{}
	return keep(ctx, l, project, "procurements", page, page.GetProcurements, func() *projectsv1.Procurement { return &projectsv1.Procurement{} },
		&projectsv1.Procurement{
			Title: it("Quattro postazioni per gli sportelli"), Procedure: projectsv1.ProcurementProcedure_PROCUREMENT_PROCEDURE_QUOTES, EstimatedAmount: cents(7_777_77),
			PlannedDate: "2023-07-03", Organisation: w.organisations[fundedSupplier],
			Supplier: w.organisations[firmKey(4)], ContractReference: "Ordine 12/2023", ContractAmount: cents(7_600_00),
		})
}

func theQualityCheck(ctx context.Context, l *loader, w *world, project string) (*projectsv1.QualityCheck, error) {
	tasks, err := l.taskNames(ctx, project)
	if err != nil {
		return nil, err
	}
	page := &projectsv1.ListQualityChecksResponse{}
	return keep(ctx, l, project, "qualityChecks", page, page.GetQualityChecks, func() *projectsv1.QualityCheck { return &projectsv1.QualityCheck{} },
		&projectsv1.QualityCheck{
			Criterion: it("Nove utenti su dieci completano da soli la pratica di prova"), Method: "Prova con dieci utenti", Mandatory: true, Task: tasks["desks"],
			Organisation: w.organisations[fundedSupplier], PlannedDate: "2024-03-15",
		})
}

func theIssue(ctx context.Context, l *loader, w *world, project string) (*projectsv1.Issue, error) {
	page := &projectsv1.ListIssuesResponse{}
	return keep(ctx, l, project, "issues", page, page.GetIssues, func() *projectsv1.Issue { return &projectsv1.Issue{} },
		&projectsv1.Issue{Title: it("Locali di un Comune non accessibili"), Description: "Manca la rampa", Severity: 3, Urgency: 4, Organisation: w.organisations[fundedSupplier]})
}

func theDecision(ctx context.Context, l *loader, project string) (*projectsv1.Decision, error) {
	page := &projectsv1.ListDecisionsResponse{}
	return keep(ctx, l, project, "decisions", page, page.GetDecisions, func() *projectsv1.Decision { return &projectsv1.Decision{} },
		&projectsv1.Decision{
			Title: it("Sportello provvisorio presso il partner"), Question: "Dove accogliere gli utenti finché mancano i locali?", Options: []string{"Presso il partner", "Aspettare i locali"},
			Outcome: "Presso il partner", Reason: "Il primo anno va rendicontato con utenti serviti", Deciders: []string{FundedManager}, DecideDate: "2023-05-10",
		})
}

func theChange(ctx context.Context, l *loader, w *world, project string) (*projectsv1.ChangeRequest, error) {
	tasks, err := l.taskNames(ctx, project)
	if err != nil {
		return nil, err
	}
	page := &projectsv1.ListChangeRequestsResponse{}
	return keep(ctx, l, project, "changeRequests", page, page.GetChangeRequests, func() *projectsv1.ChangeRequest { return &projectsv1.ChangeRequest{} },
		&projectsv1.ChangeRequest{Title: it("Apertura serale di due sportelli"), Reason: "Lo chiedono gli utenti che lavorano", ImpactDays: 10, Affects: []string{tasks["desks"]}, Organisation: w.organisations[fundedSupplier]})
}

// settleRegisters takes what the registers hold to its end.
func (l *loader) settleRegisters(ctx context.Context, who *cast, project *projectsv1.Project) error {
	m, w, name := who.manager, newWorld(), project.GetName()
	key := "project/" + projectFunded + "/settle/"
	x, err := theIssue(ctx, m, w, name)
	if err != nil {
		return err
	}
	if x.GetResolution() == "" {
		if err := m.patch(ctx, "/v1/"+x.GetName(), &projectsv1.Issue{Resolution: "Il Comune ha montato una rampa"}, nil); err != nil {
			return err
		}
	}
	for s := x.GetState() + 1; s <= projectsv1.IssueState_ISSUE_STATE_CLOSED; s++ {
		if err := m.post(ctx, "/v1/"+x.GetName()+":move", key+s.String(), &projectsv1.MoveIssueRequest{State: s, Note: "Comitato di progetto"}, nil); err != nil {
			return err
		}
	}
	c, err := theChange(ctx, m, w, name)
	if err != nil {
		return err
	}
	for _, s := range []projectsv1.ChangeRequestState{
		projectsv1.ChangeRequestState_CHANGE_REQUEST_STATE_UNDER_REVIEW, projectsv1.ChangeRequestState_CHANGE_REQUEST_STATE_APPROVED,
		projectsv1.ChangeRequestState_CHANGE_REQUEST_STATE_IMPLEMENTED,
	} {
		if s <= c.GetState() {
			continue
		}
		if err := m.post(ctx, "/v1/"+c.GetName()+":move", key+s.String(), &projectsv1.MoveChangeRequestRequest{State: s, Note: "Comitato di progetto"}, nil); err != nil {
			return err
		}
	}
	o, err := theProcurement(ctx, m, w, name)
	if err != nil {
		return err
	}
	for s := o.GetState() + 1; s <= projectsv1.ProcurementState_PROCUREMENT_STATE_CLOSED; s++ {
		if err := m.post(ctx, "/v1/"+o.GetName()+":move", key+s.String(), &projectsv1.MoveProcurementRequest{State: s, Note: "Tre preventivi agli atti"}, nil); err != nil {
			return err
		}
	}
	return l.settleRecords(ctx, m, w, name, key)
}

// settleRecords takes the decision, records the quality check, and ends the
// communication.
func (l *loader) settleRecords(ctx context.Context, m *loader, w *world, project, key string) error {
	d, err := theDecision(ctx, m, project)
	if err != nil {
		return err
	}
	if d.GetState() == projectsv1.DecisionState_DECISION_STATE_DRAFT {
		if err := m.post(ctx, "/v1/"+d.GetName()+":take", key+"decision", nil, nil); err != nil {
			return err
		}
	}
	q, err := theQualityCheck(ctx, m, w, project)
	if err != nil {
		return err
	}
	if q.GetState() == projectsv1.QualityCheckState_QUALITY_CHECK_STATE_PLANNED {
		req := &projectsv1.RecordQualityCheckRequest{Passed: true, Findings: "Nove su dieci", CheckDate: "2024-03-15"}
		if err := m.post(ctx, "/v1/"+q.GetName()+":record", key+"quality", req, nil); err != nil {
			return err
		}
	}
	c, err := theCommunication(ctx, m, w, project)
	if err != nil {
		return err
	}
	if c.GetState() == projectsv1.CommunicationState_COMMUNICATION_STATE_ACTIVE {
		req := &projectsv1.LogCommunicationRequest{DoneDate: "2024-12-10", Note: "Consegna degli sportelli"}
		if err := m.post(ctx, "/v1/"+c.GetName()+":log", key+"communication", req, nil); err != nil {
			return err
		}
		if err := m.post(ctx, "/v1/"+c.GetName()+":end", key+"communication-end", nil, nil); err != nil {
			return err
		}
	}
	return nil
}
