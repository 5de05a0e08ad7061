package impact_test

import (
	"maps"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/impact/internal/domain"
)

const trainingHours = domain.TrainingHours

func stamp(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t) }

// What happens in the other services stands on the network's dashboard.
func TestDashboardFillsItself(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		e.publishOrganisation(1, "001272")
		e.publishOrganisation(2, "015146")
		enrolment := func(n byte) string { return "enrolments/" + uuid('d', n) }
		learner := func(n byte) string { return "learners/" + uuid('e', n) }
		for n := byte(1); n <= 3; n++ { // the third is the first person again
			e.Apply("training", enrolment(n), 1, &trainingv1.EnrolmentConfirmed{Enrolment: &trainingv1.Enrolment{
				Name: enrolment(n), Learner: learner(n % 2), Organisation: org(1), Project: project(1),
			}})
			e.Apply("training", enrolment(n), 2, &trainingv1.AttendanceRecorded{
				Enrolment: enrolment(n), Organisation: org(1), Project: project(1), AttendedMinutes: 90, Date: "2026-02-03",
			})
		}
		e.Apply("training", enrolment(1), 3, &trainingv1.AttendanceRecorded{
			Enrolment: enrolment(1), Organisation: org(1), Project: project(1), AttendedMinutes: 210, Date: "2026-02-10",
		})
		e.Apply("training", enrolment(1), 4, &trainingv1.EnrolmentCompleted{
			Enrolment: enrolment(1), Organisation: org(1), Project: project(1), Learner: learner(1), Minutes: 210, Date: "2026-02-10",
		})
		expenditure := func(n byte) string { return project(1) + "/expenditures/" + uuid('f', n) }
		spend := func(n byte, by byte, currency string) *projectsv1.Expenditure {
			return &projectsv1.Expenditure{Name: expenditure(n), Organisation: org(by), Document: &projectsv1.Document{Date: "2026-03-01"},
				Amount: &typev1.Money{MinorUnits: 12_345, CurrencyCode: currency}}
		}
		e.Apply("projects", expenditure(1), 1, &projectsv1.ExpenditureRecorded{Expenditure: spend(1, 1, "EUR"), Project: project(1)})
		e.Apply("projects", expenditure(2), 1, &projectsv1.ExpenditureRecorded{Expenditure: spend(2, 2, "EUR"), Project: project(1)})
		e.Apply("projects", expenditure(3), 1, &projectsv1.ExpenditureRecorded{Expenditure: spend(3, 2, "SEK"), Project: project(1)})
		e.Apply("projects", expenditure(2), 2, &projectsv1.ExpenditureVoided{Expenditure: spend(2, 2, "EUR"), Project: project(1)})
		e.Apply("projects", project(1), 1, &projectsv1.ProjectOpened{Project: &projectsv1.Project{Name: project(1), Organisation: org(1), Title: text("DigiCompSoc")}})
		e.Apply("projects", project(1), 9, &projectsv1.ProjectClosed{Project: &projectsv1.Project{Name: project(1), Organisation: org(1), Title: text("DigiCompSoc")}})
		// Closed, and opened again: it is not closed.
		again := &projectsv1.Project{Name: project(2), Organisation: org(1), Title: text("Di nuovo")}
		e.Apply("projects", project(2), 9, &projectsv1.ProjectClosed{Project: again})
		e.Apply("projects", project(2), 10, &projectsv1.ProjectPhaseChanged{Project: again, From: projectsv1.Phase_PHASE_CLOSED, To: projectsv1.Phase_PHASE_CLOSING})
		e.Apply("matching", "matches/"+uuid('c', 1), 4, &matchingv1.MatchActivated{Match: &matchingv1.Match{DemandOrganisation: org(2)}})

		dashboard := must[*impactv1.Dashboard](t)(e.rollUps.GetDashboard(e.operator(), &impactv1.GetDashboardRequest{
			StartDate: "2026-01-01", EndDate: "2027-01-01", Axis: impactv1.Axis_AXIS_REGION,
		}))
		got := map[string]string{}
		for _, r := range dashboard.GetRollUps() {
			got[r.GetIndicator().GetTitle().GetTranslations()["en"]] = r.GetTotal().GetValue().GetDecimal()
		}
		want := map[string]string{
			"People enrolled": "2", "People trained": "1", "Training hours attended": "6.5", "Projects closed": "1", "Amount spent": "123.45", "Matches made": "1",
		}
		if !maps.Equal(got, want) {
			t.Errorf("dashboard %v, want %v", got, want)
		}
		last := dashboard.GetRollUps()[5]
		if parts := show(last.GetParts()); !maps.Equal(parts, map[string]string{"it-25": "1"}) || last.GetParts()[0].GetTitle() != "Lombardia" {
			t.Errorf("matches by region %v", last.GetParts())
		}
		if c := last.GetTotal().GetCoverage(); c.GetReporting() != 1 || c.GetExpected() != 2 {
			t.Errorf("coverage %v", c)
		}
		february := e.rollUp(trainingHours, func(r *impactv1.RollUpRequest) { r.StartDate, r.EndDate = "2026-02-01", "2026-02-08" })
		if february.GetTotal().GetValue().GetDecimal() != "4.5" {
			t.Errorf("first week of February = %v", february.GetTotal())
		}
		titled := e.rollUp(trainingHours, by(impactv1.Axis_AXIS_PROJECT)).GetParts()
		if len(titled) != 1 || titled[0].GetTitle() != "DigiCompSoc" {
			t.Errorf("hours by project %v", titled)
		}

		list := must[*impactv1.ListContributionsResponse](t)(e.rollUps.ListContributions(e.admin(1), &impactv1.ListContributionsRequest{
			Parent: trainingHours, Filter: `date >= "2026-02-04"`,
		})).GetContributions()
		if len(list) != 1 || list[0].GetSource() != "training/"+enrolment(1) || list[0].GetValue().GetExact() != "2" || list[0].GetDate() != "2026-02-10" {
			t.Errorf("contributions %v", list)
		}
		if list := must[*impactv1.ListContributionsResponse](t)(e.rollUps.ListContributions(e.admin(2), &impactv1.ListContributionsRequest{Parent: trainingHours})); len(list.GetContributions()) != 0 {
			t.Errorf("another organisation is shown %v", list)
		}
	})
}
