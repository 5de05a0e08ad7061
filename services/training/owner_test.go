package training_test

import (
	"testing"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
)

// Whose subject a learner has decides who may act for them: an administrator
// gives none but that of a member, and learns nothing of others.
func TestASubjectIsAMembers(t *testing.T) {
	each(t, func(w *world) {
		w.Members.Add("sub-elsewhere", other, authzv1.Role_ROLE_LEARNER)
		for _, subject := range []string{"sub-elsewhere", "sub-nobody"} {
			_, err := w.learners.CreateLearner(w.hr, &trainingv1.CreateLearnerRequest{Learner: &trainingv1.Learner{
				Organisation: coop, GivenName: "Ada", FamilyName: "Neri", Mail: "ada@coop.example", Subject: subject,
				Role: trainingv1.LearnerRole_LEARNER_ROLE_COORDINATOR,
			}})
			w.refused(err, "REFERENCE_NOT_FOUND")
			anna := w.person("Anna" + subject[4:])
			anna.Subject = subject
			_, err = w.learners.UpdateLearner(w.hr, &trainingv1.UpdateLearnerRequest{Learner: anna})
			w.refused(err, "REFERENCE_NOT_FOUND")
		}
	})
}

// An operator may create for any organisation, but not for one that nobody
// knows.
func TestAnOperatorNamesAnOrganisationThatExists(t *testing.T) {
	each(t, func(w *world) {
		operator := w.As(authzv1.Role_ROLE_NETWORK_OPERATOR, "")
		course := &trainingv1.CreateCourseRequest{Course: &trainingv1.Course{Organisation: cgm, Title: text("Corso")}}
		must[*trainingv1.Course](t)(w.courses.CreateCourse(operator, course))
		w.NoOrganisation(cgm)
		_, err := w.courses.CreateCourse(operator, course)
		w.refused(err, "REFERENCE_NOT_FOUND")
		_, err = w.learners.CreateLearner(operator, &trainingv1.CreateLearnerRequest{Learner: &trainingv1.Learner{
			Organisation: cgm, GivenName: "Ada", FamilyName: "Neri", Mail: "ada@cgm.example",
			Role: trainingv1.LearnerRole_LEARNER_ROLE_COORDINATOR,
		}})
		w.refused(err, "REFERENCE_NOT_FOUND")
	})
}
