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

// issues is the issue log on the wire.
var issues = register[domain.Issue, *domain.Issue, *projectsv1.Issue]{show: showIssue, write: writeIssue, lists: store.Entries("ISSUE_STATE_")}

func showIssue(x *domain.Issue, today civil.Date) *projectsv1.Issue {
	return &projectsv1.Issue{
		Name: domain.NameOf(x), Title: textProto(x.Title), Description: x.Description, Severity: x.Severity, Urgency: x.Urgency, Score: x.Score,
		Organisation: x.Organisation, OwnerSubject: x.Owner, DueDate: string(x.Due), Task: link(x.Project, "tasks", x.Task),
		Deliverable: link(x.Project, "deliverables", x.Deliverable), Risk: link(x.Project, "risks", x.Risk),
		QualityCheck: link(x.Project, "qualityChecks", x.Check), Resolution: x.Resolution, State: value[projectsv1.IssueState](projectsv1.IssueState_value, "ISSUE_STATE_", x.State),
		Overdue:    domain.Overdue(x, today),
		CreateTime: timeProto(x.Created), UpdateTime: timeProto(x.Updated), Etag: platform.Etag(x.Version),
	}
}

func writeIssue(x *domain.Issue, m *projectsv1.Issue) {
	x.Title, x.Description, x.Severity, x.Urgency = textOf(m.GetTitle()), m.GetDescription(), m.GetSeverity(), m.GetUrgency()
	x.Organisation, x.Owner, x.Due, x.Resolution = m.GetOrganisation(), m.GetOwnerSubject(), civil.Date(m.GetDueDate()), m.GetResolution()
	x.Task, x.Deliverable = idIn(x.Project, m.GetTask()), idIn(x.Project, m.GetDeliverable())
	x.Risk, x.Check = idIn(x.Project, m.GetRisk()), idIn(x.Project, m.GetQualityCheck())
}

// CreateIssue adds an issue.
func (s *Server) CreateIssue(ctx context.Context, req *projectsv1.CreateIssueRequest) (*projectsv1.Issue, error) {
	return issues.create(ctx, s, req, req.GetParent(), req.GetIssue())
}

// GetIssue reads an issue.
func (s *Server) GetIssue(ctx context.Context, req *projectsv1.GetIssueRequest) (*projectsv1.Issue, error) {
	return issues.get(ctx, s, req.GetName())
}

// ListIssues lists the issue log.
func (s *Server) ListIssues(ctx context.Context, req *projectsv1.ListIssuesRequest) (*projectsv1.ListIssuesResponse, error) {
	l, err := issues.list(ctx, s, req, req.GetParent())
	return &projectsv1.ListIssuesResponse{Issues: l.items, NextPageToken: l.next}, err
}

// UpdateIssue changes an issue.
func (s *Server) UpdateIssue(ctx context.Context, req *projectsv1.UpdateIssueRequest) (*projectsv1.Issue, error) {
	return issues.update(ctx, s, req, req.GetIssue(), req.GetUpdateMask())
}

// DeleteIssue deletes an issue.
func (s *Server) DeleteIssue(ctx context.Context, req *projectsv1.DeleteIssueRequest) (*emptypb.Empty, error) {
	return issues.remove(ctx, s, req)
}

// MoveIssue takes an issue to another state; only the lead closes it.
func (s *Server) MoveIssue(ctx context.Context, req *projectsv1.MoveIssueRequest) (*projectsv1.Issue, error) {
	return issues.step(ctx, s, req, true, func(ctx context.Context, _ *sqldb.Tx, p *domain.Project, x *domain.Issue) (domain.TrailEntry, error) {
		to := word(projectsv1.IssueState_name, "ISSUE_STATE_", req.GetState())
		if to == domain.IssueClosed || x.State == domain.IssueClosed {
			if err := requireLead(ctx, p); err != nil {
				return domain.TrailEntry{}, err
			}
		}
		return domain.MoveEntry(x, p, to, s.act(ctx, req.GetNote()))
	})
}
