package projects_test

import (
	"testing"

	"google.golang.org/grpc/codes"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/testkit"
)

// An operator may open a project for any organisation, but not for one that
// nobody knows.
func TestAnOperatorNamesAnOrganisationThatExists(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		s := start(t, open)
		operator := s.As(authzv1.Role_ROLE_NETWORK_OPERATOR, "")
		p := card()
		if _, err := s.CreateProject(operator, &projectsv1.CreateProjectRequest{Project: p}); err != nil {
			t.Fatal(err)
		}
		s.NoOrganisation(p.GetOrganisation())
		_, err := s.CreateProject(operator, &projectsv1.CreateProjectRequest{Project: card()})
		e := refused(t, err, codes.InvalidArgument, errs.ReferenceNotFound)
		if len(e.Fields) != 1 || e.Fields[0].Path != "project.organisation" {
			t.Errorf("fields %v", e.Fields)
		}
	})
}
