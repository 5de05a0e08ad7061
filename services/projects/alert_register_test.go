package projects_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// causesOf are the kinds and causes of a project's open alerts, without mere
// notices, in order.
func (s *suite) causesOf(p *projectsv1.Project) []string {
	s.t.Helper()
	out := []string{}
	for _, x := range s.openAlerts(s.As(manager, leader), p.GetName()) {
		out = append(out, strings.TrimPrefix(x.GetKind().String(), "ALERT_KIND_")+" "+x.GetCause()+" "+x.GetOrganisation())
	}
	slices.Sort(out)
	return out
}

func TestRegistersOpenAlerts(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		me := s.As(manager, leader)
		p := s.project()
		is := func(when string, want ...string) {
			t.Helper()
			if got := s.causesOf(p); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
				t.Errorf("%s:\ngot  %q\nwant %q", when, got, want)
			}
		}
		becomes := func(when string, want ...string) {
			t.Helper()
			s.Until(when, func() bool { return slices.Equal(s.causesOf(p), slices.Sorted(slices.Values(want))) })
		}
		d := must[*projectsv1.Deliverable](t)(s.CreateDeliverable(me, &projectsv1.CreateDeliverableRequest{Parent: p.GetName(),
			Deliverable: &projectsv1.Deliverable{Title: text("Rapporto"), DueDate: "2026-06-30", Organisation: other}}))
		check := must[*projectsv1.QualityCheck](t)(s.CreateQualityCheck(me, &projectsv1.CreateQualityCheckRequest{Parent: p.GetName(),
			QualityCheck: &projectsv1.QualityCheck{Criterion: text("Leggibile"), Deliverable: d.GetName(), Organisation: member, PlannedDate: "2026-01-06"}}))
		record := func(passed bool) {
			t.Helper()
			must[*projectsv1.QualityCheck](t)(s.RecordQualityCheck(me, &projectsv1.RecordQualityCheckRequest{Name: check.GetName(), Passed: passed, Findings: "illeggibile"}))
		}
		is("a planned check")
		record(false)
		failed := "CHECK_FAILED " + check.GetName() + " " + other // who made the thing
		is("a failed check", failed)
		record(false)
		is("failed again, one alert", failed)
		record(true)
		is("passed")
		must[*projectsv1.QualityCheck](t)(s.ReplanQualityCheck(me, &projectsv1.ReplanQualityCheckRequest{Name: check.GetName(), PlannedDate: "2026-01-07"}))

		issue := must[*projectsv1.Issue](t)(s.CreateIssue(me, &projectsv1.CreateIssueRequest{Parent: p.GetName(),
			Issue: &projectsv1.Issue{Title: text("Docente malato"), Severity: 3, Urgency: 4, Organisation: member}}))
		dated := must[*projectsv1.Issue](t)(s.CreateIssue(me, &projectsv1.CreateIssueRequest{Parent: p.GetName(),
			Issue: &projectsv1.Issue{Title: text("Aula chiusa"), Severity: 1, Urgency: 1, DueDate: "2026-01-07"}}))
		must[*projectsv1.Communication](t)(s.CreateCommunication(me, &projectsv1.CreateCommunicationRequest{Parent: p.GetName(),
			Communication: &projectsv1.Communication{Title: text("Notizie"), Audience: "rete", Channel: "newsletter", NextDate: "2026-07-31"}}))
		// The last day is still in time, in the deployment's zone.
		s.Clock.Set(time.Date(2026, time.January, 7, 22, 59, 0, 0, time.UTC))
		must[*projectsv1.Risk](t)(s.CreateRisk(me, &projectsv1.CreateRiskRequest{Parent: p.GetName(), Risk: &projectsv1.Risk{Title: text("x"), Probability: 1, Impact: 1}}))
		is("on the last day")
		s.Clock.Advance(time.Hour)
		overdue := []string{"ENTRY_OVERDUE " + check.GetName() + " " + member, "ENTRY_OVERDUE " + dated.GetName() + " " + leader}
		becomes("the day after", overdue...)
		record(false)
		is("what failed is not overdue as well", failed, overdue[1])
		record(true)
		must[*projectsv1.Issue](t)(s.UpdateIssue(me, &projectsv1.UpdateIssueRequest{Issue: &projectsv1.Issue{Name: dated.GetName(), DueDate: "2026-12-01"}}))
		is("put off")

		// From the 31st day on an issue is old, whatever its date, until it is solved.
		s.Clock.Set(time.Date(2026, time.February, 4, 12, 0, 0, 0, time.UTC))
		must[*projectsv1.Risk](t)(s.CreateRisk(me, &projectsv1.CreateRiskRequest{Parent: p.GetName(), Risk: &projectsv1.Risk{Title: text("y"), Probability: 1, Impact: 1}}))
		is("after 30 days")
		s.Clock.Advance(12 * time.Hour)
		old := []string{"ISSUE_OLD " + issue.GetName() + " " + member, "ISSUE_OLD " + dated.GetName() + " " + leader}
		becomes("after 31 days", old...)
		must[*projectsv1.Issue](t)(s.UpdateIssue(s.As(partner, member), &projectsv1.UpdateIssueRequest{Issue: &projectsv1.Issue{Name: issue.GetName(), Resolution: "supplente"}}))
		must[*projectsv1.Issue](t)(s.MoveIssue(s.As(partner, member), &projectsv1.MoveIssueRequest{Name: issue.GetName(), State: projectsv1.IssueState_ISSUE_STATE_RESOLVED}))
		is("one is solved", old[1])
		if _, err := s.DeleteIssue(me, &projectsv1.DeleteIssueRequest{Name: dated.GetName()}); err != nil {
			t.Fatal(err)
		}
		is("the other is gone")
	})
}
