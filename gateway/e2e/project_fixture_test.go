package e2e

import (
	"fmt"
	"testing"

	"github.com/trama-suite/trama/gateway/rest"
	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// project makes a project with one of everything: its organisation leads it and
// funds it, so that each of the organisation's roles has something to see.
func (w *world) project(t *testing.T, s *shape, op *rest.Client) {
	t.Helper()
	p := post[*projectsv1.Project](t, op, "projects", &projectsv1.Project{
		Organisation: w.organisation, Title: text("Progetto di prova"), CurrencyCode: "EUR", StartDate: day(-30), EndDate: day(300),
		Partners:         []*projectsv1.Partner{{Organisation: w.organisation, Role: projectsv1.PartnerRole_PARTNER_ROLE_LEAD}},
		Funders:          []*projectsv1.Funder{{Key: "f1", DisplayName: "Fondazione", Organisation: w.organisation, Grant: euros(100_000), ShareBasisPoints: 8_000}},
		ReportingPeriods: []*projectsv1.ReportingPeriod{{Key: "p1", StartDate: day(-30), EndDate: day(60)}},
	}).GetName()
	w.keep("projects/*", p)
	for _, one := range []string{"dashboard", "schedule", "earnedValue", "sCurve", "budgetSummary"} {
		w.keep("projects/*/"+one, p+"/"+one)
	}
	w.keep("projects/*/gates/*", p+"/gates/rfp")
	w.keep("projects/*/risks/*", post[*projectsv1.Risk](t, op, p+"/risks", &projectsv1.Risk{Title: text("Ritardo"), Probability: 2, Impact: 3, Organisation: w.organisation}).GetName())
	w.keep("projects/*/lessons/*", post[*projectsv1.Lesson](t, op, p+"/lessons", &projectsv1.Lesson{
		Title: text("Lezione"), WhatHappened: text("È successo"), Recommendation: text("Meglio prima"), Sharing: projectsv1.Sharing_SHARING_OWN,
	}).GetName())
	w.plan(t, s, op, p)
	w.money(t, s, op, p)
	w.rules(t, op, p)
	w.registers(t, op, p)
	// More was spent than planned: that opens an alert.
	until(t, "the alert of the overspent line", func() bool {
		for _, a := range get[*projectsv1.ListAlertsResponse](t, op, p+"/alerts").GetAlerts() {
			w.keep("projects/*/alerts/*", a.GetName())
		}
		return w.names["projects/*/alerts/*"] != ""
	})
}

// smallPlan is a plan of two tasks as Microsoft Project writes it.
const smallPlan = `<?xml version="1.0" encoding="UTF-8"?><Project xmlns="http://schemas.microsoft.com/project"><Tasks>` +
	`<Task><UID>1</UID><ID>1</ID><Name>Uno</Name><Duration>PT8H0M0S</Duration></Task>` +
	`<Task><UID>2</UID><ID>2</ID><Name>Due</Name><Duration>PT8H0M0S</Duration><PredecessorLink><PredecessorUID>1</PredecessorUID><Type>1</Type></PredecessorLink></Task>` +
	`</Tasks></Project>`

func (w *world) plan(t *testing.T, s *shape, op *rest.Client, p string) {
	t.Helper()
	w.keep("projects/*/calendars/*", post[*projectsv1.Calendar](t, op, p+"/calendars", &projectsv1.Calendar{Title: text("Orario")}).GetName())
	w.keep("projects/*/resources/*", post[*projectsv1.Resource](t, op, p+"/resources", &projectsv1.Resource{
		Title: text("Educatrice"), Kind: projectsv1.ResourceKind_RESOURCE_KIND_PERSON, CapacityPercent: 100,
	}).GetName())
	w.keep("projects/*/tasks/*", post[*projectsv1.Task](t, op, p+"/tasks", &projectsv1.Task{Title: text("Analisi"), DurationMinutes: 5 * 480, Constraint: &projectsv1.Constraint{
		Type: projectsv1.ConstraintType_CONSTRAINT_TYPE_START_NO_EARLIER_THAN, Time: day(10) + "T08:00"}}).GetName())
	w.keep("projects/*/deliverables/*", post[*projectsv1.Deliverable](t, op, p+"/deliverables", &projectsv1.Deliverable{Title: text("Rapporto"), DueDate: day(100), Organisation: w.organisation}).GetName())
	w.keep("projects/*/baselines/*", post[*projectsv1.Baseline](t, op, p+"/baselines", &projectsv1.Baseline{Title: text("Piano iniziale")}).GetName())
	w.mspdi = s.uploadFile(t, op.Token, p, "piano.xml", []byte(smallPlan))
}

// money makes two budget lines, one of them overspent, and a claim that was
// submitted, with an expenditure that has its document.
func (w *world) money(t *testing.T, s *shape, op *rest.Client, p string) {
	t.Helper()
	budgetLine := func(category projectsv1.CostCategory, cents int64) string {
		return post[*projectsv1.BudgetLine](t, op, p+"/budgetLines", &projectsv1.BudgetLine{
			Organisation: w.organisation, Category: category, Amount: euros(cents), FunderShares: []*projectsv1.FunderShare{
				{Funder: "f1", ShareBasisPoints: 8_000}, {Funder: "own", ShareBasisPoints: 2_000},
			},
		}).GetName()
	}
	spend(t, op, w.organisation, budgetLine(projectsv1.CostCategory_COST_CATEGORY_TRAVEL, 1_000), 1_500)
	line := budgetLine(projectsv1.CostCategory_COST_CATEGORY_EXTERNAL, 50_000)
	w.keep("projects/*/budgetLines/*", line)
	w.keep("projects/*/budgetVersions/*", post[*projectsv1.BudgetVersion](t, op, p+"/budgetVersions", &projectsv1.BudgetVersion{Reason: "Approvato"}).GetName())
	counter++
	file := s.uploadFile(t, op.Token, p, "fattura.pdf", document(int(counter)))
	w.keep("projects/*/files/*", file)
	e := post[*projectsv1.Expenditure](t, op, p+"/expenditures", &projectsv1.Expenditure{
		Organisation: w.organisation, BudgetLine: line, Amount: euros(2_000), Files: []string{file},
		Document: &projectsv1.Document{Issuer: "Fornitore", Number: unique(), Date: day(-2)},
	}).GetName()
	w.keep("projects/*/expenditures/*", e)
	c := post[*projectsv1.Claim](t, op, p+"/claims", &projectsv1.Claim{Organisation: w.organisation, Funder: "f1", Period: "p1"}).GetName()
	w.keep("projects/*/claims/*", c)
	post[*projectsv1.Claim](t, op, c+":addLines", &projectsv1.AddClaimLinesRequest{Lines: []*projectsv1.ClaimLineInput{{Expenditure: e}}})
	// Who submits is nobody of the matrix: four eyes must not be what refuses.
	post[*projectsv1.Claim](t, s.as(t, "e2e-submitter", authzv1.Role_ROLE_NETWORK_OPERATOR), c+":submit", &projectsv1.SubmitClaimRequest{})
	w.keep("projects/*/claims/*/lines/*", get[*projectsv1.ListClaimLinesResponse](t, op, c+"/lines").GetLines()[0].GetName())
}

// ruleSet is the source of a funder's rule set of one rule.
func ruleSet(id string) string {
	return fmt.Sprintf(`id: %s
version: 1
title: {it: Bando di prova, en: Trial call}
funder: Fondazione
effective_from: 2020-01-01
sources: [{key: call, title: Bando}]
rules:
  - id: euro
    title: {it: In euro, en: In euro}
    scope: project
    severity: block
    check: project.currency == "EUR"
    message: {it: non è in euro, en: not in euro}
    source: call art. 1
    verified: true
`, id)
}

func ruleSetID() string {
	counter++
	return fmt.Sprintf("prova-%d", counter)
}

// rules makes a rule set, and alert rules of the network and of the project.
func (w *world) rules(t *testing.T, op *rest.Client, p string) {
	t.Helper()
	v := post[*projectsv1.RuleSetVersion](t, op, "ruleSets:publish", &projectsv1.PublishRuleSetRequest{Source: ruleSet(ruleSetID())}).GetName()
	w.keep("ruleSets/*/versions/*", v)
	w.keep("ruleSets/*", v[:len(v)-len("/versions/1")])
	w.keep("alertRules/*", post[*projectsv1.AlertRule](t, op, "alertRules?reason=prova&alertRuleId="+ruleSetID(), alertRule()).GetName())
	w.keep("projects/*/alertRules/*", post[*projectsv1.AlertRule](t, op, p+"/alertRules?reason=prova&alertRuleId=del-progetto", alertRule()).GetName())
}

// alertRule is a rule that opens no alert.
func alertRule() *projectsv1.AlertRule {
	return &projectsv1.AlertRule{
		Kind: projectsv1.AlertKind_ALERT_KIND_TASK_LATE, Title: text("Ritardo"), Disabled: true, Severity: projectsv1.AlertSeverity_ALERT_SEVERITY_NOTICE, Threshold: 10,
		Recipients: []projectsv1.AlertRecipient{projectsv1.AlertRecipient_ALERT_RECIPIENT_LEAD_MANAGER},
	}
}

// registers makes an entry of each register, and a gate that was asked for.
func (w *world) registers(t *testing.T, op *rest.Client, p string) {
	t.Helper()
	task, deliverable := w.names["projects/*/tasks/*"], w.names["projects/*/deliverables/*"]
	w.keep("projects/*/issues/*", post[*projectsv1.Issue](t, op, p+"/issues", &projectsv1.Issue{Title: text("Manca la sala"), Severity: 2, Urgency: 3, Organisation: w.organisation}).GetName())
	w.keep("projects/*/decisions/*", post[*projectsv1.Decision](t, op, p+"/decisions", &projectsv1.Decision{Title: text("Sede"), Question: "Dove?", Options: []string{"Qui", "Là"}}).GetName())
	w.keep("projects/*/changeRequests/*", post[*projectsv1.ChangeRequest](t, op, p+"/changeRequests", &projectsv1.ChangeRequest{Title: text("Proroga"), Reason: "Ritardo", ImpactDays: 30, Organisation: w.organisation}).GetName())
	w.keep("projects/*/communications/*", post[*projectsv1.Communication](t, op, p+"/communications", &projectsv1.Communication{
		Title: text("Notiziario"), Audience: "Soci", Channel: "posta", Frequency: projectsv1.CommunicationFrequency_COMMUNICATION_FREQUENCY_MONTHLY, Organisation: w.organisation,
	}).GetName())
	w.keep("projects/*/procurements/*", post[*projectsv1.Procurement](t, op, p+"/procurements", &projectsv1.Procurement{
		Title: text("Furgone"), EstimatedAmount: euros(100_000), Procedure: projectsv1.ProcurementProcedure_PROCUREMENT_PROCEDURE_QUOTES, PlannedDate: day(40), Organisation: w.organisation,
	}).GetName())
	w.keep("projects/*/qualityChecks/*", post[*projectsv1.QualityCheck](t, op, p+"/qualityChecks", &projectsv1.QualityCheck{Criterion: text("Leggibile"), Deliverable: deliverable, PlannedDate: day(90), Organisation: w.organisation}).GetName())
	w.keep("projects/*/responsibilities/*", post[*projectsv1.Responsibility](t, op, p+"/responsibilities", &projectsv1.Responsibility{Task: task, Assignments: []*projectsv1.RaciAssignment{
		{Part: projectsv1.RaciPart_RACI_PART_RESPONSIBLE, Organisation: w.organisation},
	}}).GetName())
	approval := post[*projectsv1.GateApproval](t, op, p+"/gates/rfp:request", &projectsv1.RequestGateRequest{Note: "Prova"}).GetName()
	w.keep("projects/*/gateApprovals/*", approval)
	post[*projectsv1.GateApproval](t, op, approval+":withdraw", nil)
	id := ruleSetID()
	w.keep("gateTemplates/*", post[*projectsv1.GateTemplate](t, op, "gateTemplates?gateTemplateId="+id, gateTemplate(w.organisation)).GetName())
}

// gateTemplate is a template of an organisation whose gates ask for nothing.
func gateTemplate(organisation string) *projectsv1.GateTemplate {
	out := &projectsv1.GateTemplate{Title: text("Modello di prova"), Organisation: organisation}
	for _, gate := range []string{"rfp", "rfe", "rfc", "close"} {
		out.Gates = append(out.Gates, &projectsv1.GateRule{Gate: gate, Approvers: []authzv1.Role{authzv1.Role_ROLE_NETWORK_OPERATOR}})
	}
	return out
}
