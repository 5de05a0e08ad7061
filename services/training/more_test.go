package training_test

import (
	"fmt"
	"testing"

	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
)

// An event with 30 reserved seats is an edition without a course.
func TestEventWithReservedSeats(t *testing.T) {
	each(t, func(w *world) {
		e := must[*trainingv1.Edition](t)(w.editions.CreateEdition(w.teacher, &trainingv1.CreateEditionRequest{Edition: &trainingv1.Edition{
			Organisation: cgm, Kind: trainingv1.EditionKind_EDITION_KIND_EVENT, Title: text("Celebration Social Innovation Trail"),
			Capacity: 30, StartDate: "2026-02-01", EndDate: "2026-02-01", Place: "Roma"}}))
		e = must[*trainingv1.Edition](t)(w.editions.ScheduleEdition(w.teacher, &trainingv1.ScheduleEditionRequest{Name: e.GetName()}))
		_, err := w.editions.ConvertInterest(w.teacher, &trainingv1.ConvertInterestRequest{Name: e.GetName()})
		w.refused(err, "COURSE_REQUIRED")
		w.open(e)
		for i := range 31 {
			_, err := w.enrol(e, w.person(fmt.Sprintf("Ospite%d", i)))
			if i < 30 && err != nil {
				t.Fatal(err)
			} else if i == 30 {
				w.refused(err, "EDITION_FULL")
			}
		}
		// Page by page, in the order of the claims, nobody twice and nobody missing.
		var seen []int64
		req := &trainingv1.ListEnrolmentsRequest{PageSize: 7, OrderBy: "sequence", Filter: fmt.Sprintf("edition = %q", e.GetName())}
		for {
			page := must[*trainingv1.ListEnrolmentsResponse](t)(w.enrolments.ListEnrolments(w.teacher, req))
			for _, n := range page.GetEnrolments() {
				seen = append(seen, n.GetSequence())
			}
			if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
				break
			}
		}
		for i, sequence := range seen {
			if len(seen) != 30 || sequence != int64(i+1) {
				t.Fatalf("%v", seen)
			}
		}
		stats := must[*trainingv1.ListCourseStatisticsResponse](t)(w.statistics.ListCourseStatistics(w.teacher, &trainingv1.ListCourseStatisticsRequest{}))
		if len(stats.GetCourses()) != 0 || stats.GetTotals().GetEnrolledCount() != 30 {
			t.Fatalf("%v", stats)
		}
		if stats := must[*trainingv1.ListCourseStatisticsResponse](t)(w.statistics.ListCourseStatistics(w.outsider, &trainingv1.ListCourseStatisticsRequest{})); stats.GetTotals().GetSeatCount() != 0 {
			t.Fatalf("an outsider counts %v", stats)
		}
	})
}

func TestConversionBySomeRoles(t *testing.T) {
	each(t, func(w *world) {
		course := w.course()
		var interests []*trainingv1.Interest
		for i, role := range []trainingv1.LearnerRole{1, 4, 1, 4, 1} {
			interests = append(interests, must[*trainingv1.Interest](t)(w.interests.CreateInterest(w.hr, &trainingv1.CreateInterestRequest{Interest: &trainingv1.Interest{
				Course: course.GetName(), Learner: w.person(fmt.Sprintf("Persona%d", i)).GetName(), Role: role}})))
		}
		_, err := w.interests.WithdrawInterest(w.outsider, &trainingv1.WithdrawInterestRequest{Name: interests[0].GetName()})
		w.absent(err)
		must[*trainingv1.Interest](t)(w.interests.WithdrawInterest(w.self("Persona0"), &trainingv1.WithdrawInterestRequest{Name: interests[0].GetName()}))
		_, err = w.interests.WithdrawInterest(w.self("Persona0"), &trainingv1.WithdrawInterestRequest{Name: interests[0].GetName()})
		w.refused(err, "ILLEGAL_TRANSITION")
		first, second := w.scheduled(course, 1, 16, 0), w.scheduled(course, 2, 16, 0)
		_, err = w.editions.UpdateEdition(w.teacher, &trainingv1.UpdateEditionRequest{Edition: &trainingv1.Edition{Name: second.GetName(), Number: 1}, UpdateMask: mask("number")})
		w.refused(err, "ILLEGAL_TRANSITION")
		out := must[*trainingv1.ConvertInterestResponse](t)(w.editions.ConvertInterest(w.teacher, &trainingv1.ConvertInterestRequest{
			Name: first.GetName(), Roles: []trainingv1.LearnerRole{trainingv1.LearnerRole_LEARNER_ROLE_OSS}, MaxCount: 1}))
		if out.GetEnrolledCount() != 1 || out.GetRemainingCount() != 3 || w.get(out.GetEnrolments()[0]).GetLearner() != interests[2].GetLearner() {
			t.Fatalf("%v", out)
		}
		out = must[*trainingv1.ConvertInterestResponse](t)(w.editions.ConvertInterest(w.teacher, &trainingv1.ConvertInterestRequest{Name: second.GetName()}))
		if out.GetEnrolledCount() != 3 || out.GetRemainingCount() != 0 {
			t.Fatalf("%v", out)
		}
	})
}
