package rpc

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// changes is the change log on the wire.
var changes = register[domain.ChangeRequest, *domain.ChangeRequest, *projectsv1.ChangeRequest]{show: showChangeRequest, write: writeChangeRequest, lists: store.Entries("CHANGE_REQUEST_STATE_"),
	lead: func(x *domain.ChangeRequest) string { return x.Approver }}

func showChangeRequest(x *domain.ChangeRequest, today civil.Date) *projectsv1.ChangeRequest {
	return &projectsv1.ChangeRequest{
		Name: domain.NameOf(x), Title: textProto(x.Title), Reason: x.Reason, ImpactDays: x.ImpactDays, ImpactCost: optionalMoney(x.ImpactCost),
		ImpactScope: x.ImpactScope, Affects: x.Affects, Organisation: x.Organisation, OwnerSubject: x.Owner, DueDate: string(x.Due),
		ApproverRole: roleProto(x.Approver), DeciderSubject: x.Decider, DecisionNote: x.Note, State: value[projectsv1.ChangeRequestState](projectsv1.ChangeRequestState_value, "CHANGE_REQUEST_STATE_", x.State),
		Overdue:    domain.Overdue(x, today),
		CreateTime: timeProto(x.Created), UpdateTime: timeProto(x.Updated), Etag: platform.Etag(x.Version),
	}
}

func writeChangeRequest(x *domain.ChangeRequest, m *projectsv1.ChangeRequest) {
	x.Title, x.Reason, x.ImpactDays, x.ImpactScope = textOf(m.GetTitle()), m.GetReason(), m.GetImpactDays(), m.GetImpactScope()
	x.ImpactCost, x.Affects, x.Organisation, x.Owner = moneyOf(m.GetImpactCost()), m.GetAffects(), m.GetOrganisation(), m.GetOwnerSubject()
	x.Due, x.Approver = civil.Date(m.GetDueDate()), word(authzv1.Role_name, "ROLE_", m.GetApproverRole())
	if x.Approver == "" {
		x.Approver = domain.DefaultChangeApprover
	}
}

// CreateChangeRequest adds a change request.
func (s *Server) CreateChangeRequest(ctx context.Context, req *projectsv1.CreateChangeRequestRequest) (*projectsv1.ChangeRequest, error) {
	return changes.create(ctx, s, req, req.GetParent(), req.GetChangeRequest())
}

// GetChangeRequest reads a change request.
func (s *Server) GetChangeRequest(ctx context.Context, req *projectsv1.GetChangeRequestRequest) (*projectsv1.ChangeRequest, error) {
	return changes.get(ctx, s, req.GetName())
}

// ListChangeRequests lists the change log.
func (s *Server) ListChangeRequests(ctx context.Context, req *projectsv1.ListChangeRequestsRequest) (*projectsv1.ListChangeRequestsResponse, error) {
	l, err := changes.list(ctx, s, req, req.GetParent())
	return &projectsv1.ListChangeRequestsResponse{ChangeRequests: l.items, NextPageToken: l.next}, err
}

// UpdateChangeRequest changes a change request.
func (s *Server) UpdateChangeRequest(ctx context.Context, req *projectsv1.UpdateChangeRequestRequest) (*projectsv1.ChangeRequest, error) {
	return changes.update(ctx, s, req, req.GetChangeRequest(), req.GetUpdateMask())
}

// DeleteChangeRequest deletes a change request.
func (s *Server) DeleteChangeRequest(ctx context.Context, req *projectsv1.DeleteChangeRequestRequest) (*emptypb.Empty, error) {
	return changes.remove(ctx, s, req)
}

// MoveChangeRequest takes a change request to another state: who proposed it
// withdraws it, who holds its approver role decides, the lead does the rest.
func (s *Server) MoveChangeRequest(ctx context.Context, req *projectsv1.MoveChangeRequestRequest) (*projectsv1.ChangeRequest, error) {
	return changes.step(ctx, s, req, true, func(ctx context.Context, _ *sqldb.Tx, p *domain.Project, x *domain.ChangeRequest) (domain.TrailEntry, error) {
		to := word(projectsv1.ChangeRequestState_name, "CHANGE_REQUEST_STATE_", req.GetState())
		by := s.act(ctx, req.GetNote())
		if to != domain.ChangeWithdrawn {
			if err := requireLead(ctx, p); err != nil {
				return domain.TrailEntry{}, err
			}
		}
		if x.Decides(to) {
			if !holds(ctx, p)(x.Approver) {
				return domain.TrailEntry{}, errs.New(errs.PermissionDenied, domain.ApproverRole, "%s is decided by: %s", domain.NameOf(x), x.Approver)
			}
			by.Role = x.Approver
		}
		entry, err := domain.MoveEntry(x, p, to, by)
		if err == nil && x.Decides(to) {
			x.Decider, x.Note = by.Actor, by.Note
		}
		return entry, err
	})
}
