package rpc

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// responsibilities is the responsibility matrix on the wire: an entry has the id of its task.
var responsibilities = register[domain.Responsibility, *domain.Responsibility, *projectsv1.Responsibility]{show: showResponsibility, write: writeResponsibility, lists: store.Entries("RESPONSIBILITY_STATE_"),
	idOf: func(x *domain.Responsibility) string { return x.Task }}

func showResponsibility(x *domain.Responsibility, _ civil.Date) *projectsv1.Responsibility {
	return &projectsv1.Responsibility{
		Name: domain.NameOf(x), Task: link(x.Project, "tasks", x.Task), Gaps: x.Gaps(),
		Assignments: each(x.Assignments, func(a domain.RaciAssignment) *projectsv1.RaciAssignment {
			return &projectsv1.RaciAssignment{
				Part: value[projectsv1.RaciPart](projectsv1.RaciPart_value, "RACI_PART_", a.Part), Organisation: a.Organisation,
				TeamRole: value[projectsv1.TeamRole](projectsv1.TeamRole_value, "TEAM_ROLE_", a.TeamRole), Subject: a.Subject,
			}
		}),
		CreateTime: timeProto(x.Created), UpdateTime: timeProto(x.Updated), Etag: platform.Etag(x.Version),
	}
}

func writeResponsibility(x *domain.Responsibility, m *projectsv1.Responsibility) {
	x.Task = idIn(x.Project, m.GetTask())
	x.Assignments = each(m.GetAssignments(), func(a *projectsv1.RaciAssignment) domain.RaciAssignment {
		return domain.RaciAssignment{
			Part: word(projectsv1.RaciPart_name, "RACI_PART_", a.GetPart()), Organisation: a.GetOrganisation(),
			TeamRole: word(projectsv1.TeamRole_name, "TEAM_ROLE_", a.GetTeamRole()), Subject: a.GetSubject(),
		}
	})
}

// CreateResponsibility adds who answers for a task.
func (s *Server) CreateResponsibility(ctx context.Context, req *projectsv1.CreateResponsibilityRequest) (*projectsv1.Responsibility, error) {
	return responsibilities.create(ctx, s, req, req.GetParent(), req.GetResponsibility())
}

// GetResponsibility reads who answers for a task.
func (s *Server) GetResponsibility(ctx context.Context, req *projectsv1.GetResponsibilityRequest) (*projectsv1.Responsibility, error) {
	return responsibilities.get(ctx, s, req.GetName())
}

// ListResponsibilities lists the responsibility matrix.
func (s *Server) ListResponsibilities(ctx context.Context, req *projectsv1.ListResponsibilitiesRequest) (*projectsv1.ListResponsibilitiesResponse, error) {
	l, err := responsibilities.list(ctx, s, req, req.GetParent())
	return &projectsv1.ListResponsibilitiesResponse{Responsibilities: l.items, NextPageToken: l.next}, err
}

// UpdateResponsibility changes who answers for a task.
func (s *Server) UpdateResponsibility(ctx context.Context, req *projectsv1.UpdateResponsibilityRequest) (*projectsv1.Responsibility, error) {
	return responsibilities.update(ctx, s, req, req.GetResponsibility(), req.GetUpdateMask())
}

// DeleteResponsibility deletes who answers for a task.
func (s *Server) DeleteResponsibility(ctx context.Context, req *projectsv1.DeleteResponsibilityRequest) (*emptypb.Empty, error) {
	return responsibilities.remove(ctx, s, req)
}

// ListResponsibilityGaps lists the tasks for which nobody answers.
func (s *Server) ListResponsibilityGaps(ctx context.Context, req *projectsv1.ListResponsibilityGapsRequest) (*projectsv1.ListResponsibilityGapsResponse, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListResponsibilityGapsResponse, error) {
		if _, err := seeProject(ctx, tx, project); err != nil {
			return nil, err
		}
		gaps, err := store.ResponsibilityGaps(ctx, tx, project)
		return &projectsv1.ListResponsibilityGapsResponse{Gaps: each(gaps, func(g domain.Gap) *projectsv1.ResponsibilityGap {
			return &projectsv1.ResponsibilityGap{Task: domain.TaskName(project, g.Task), AccountableMissing: g.AccountableMissing, ResponsibleMissing: g.ResponsibleMissing}
		})}, err
	})
}
