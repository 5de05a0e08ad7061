package rpc

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/catalogue/internal/store"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/outbox"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// accessServer implements AccessService.
type accessServer struct {
	cataloguev1.UnimplementedAccessServiceServer
	Base
}

// WhoAmI implements AccessService.
func (s *accessServer) WhoAmI(ctx context.Context, _ *cataloguev1.WhoAmIRequest) (*cataloguev1.WhoAmIResponse, error) {
	caller := auth.CallerFrom(ctx)
	memberships, err := s.membershipsOf(ctx, caller.Subject)
	if err != nil {
		return nil, err
	}
	return &cataloguev1.WhoAmIResponse{Subject: caller.Subject, Roles: caller.Roles, Memberships: memberships}, nil
}

// ResolveMemberships implements AccessService.
func (s *accessServer) ResolveMemberships(ctx context.Context, req *cataloguev1.ResolveMembershipsRequest) (*cataloguev1.ResolveMembershipsResponse, error) {
	memberships, err := s.membershipsOf(ctx, req.GetSubject())
	if err != nil {
		return nil, err
	}
	return &cataloguev1.ResolveMembershipsResponse{Memberships: memberships}, nil
}

func (s *accessServer) membershipsOf(ctx context.Context, subject string) ([]*cataloguev1.Membership, error) {
	var list []*domain.Membership
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		list, err = store.MembershipsOf(ctx, tx, subject)
		return err
	})
	if err != nil {
		return nil, err
	}
	return membershipsToProto(list), nil
}

// CreateMembership implements AccessService.
func (s *accessServer) CreateMembership(ctx context.Context, req *cataloguev1.CreateMembershipRequest) (*cataloguev1.Membership, error) {
	if err := checkName("parent", organisationName, req.GetParent()); err != nil {
		return nil, err
	}
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*cataloguev1.Membership, error) {
		if err := ownOrganisation(ctx, tx, req.GetParent()); err != nil {
			return nil, err
		}
		subject := req.GetMembership().GetSubject()
		held, err := store.CountMemberships(ctx, tx, subject)
		if err != nil {
			return nil, err
		}
		m, err := domain.NewMembership(ids.Name(req.GetParent(), "memberships", s.NewID()), req.GetParent(), subject,
			req.GetMembership().GetRole().String(), held, s.now())
		if err != nil {
			return nil, err
		}
		fresh, err := store.InsertMembership(ctx, tx, m)
		if err != nil {
			return nil, err
		}
		if !fresh {
			return nil, errs.New(errs.AlreadyExists, errs.Exists, "the person has that role in %s already", req.GetParent())
		}
		if err := s.tell(ctx, tx, m, domain.MembershipMade); err != nil {
			return nil, err
		}
		return membershipToProto(m), nil
	})
}

// ListMemberships implements AccessService.
func (s *accessServer) ListMemberships(ctx context.Context, req *cataloguev1.ListMembershipsRequest) (*cataloguev1.ListMembershipsResponse, error) {
	if err := checkName("parent", organisationName, req.GetParent()); err != nil {
		return nil, err
	}
	plan, err := store.Memberships.Plan(req, req.GetParent())
	if err != nil {
		return nil, err
	}
	resp := &cataloguev1.ListMembershipsResponse{}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := ownOrganisation(ctx, tx, req.GetParent()); err != nil {
			return err
		}
		list, next, err := store.ListMemberships(ctx, tx, plan, req.GetParent())
		resp.Memberships, resp.NextPageToken = membershipsToProto(list), next
		return err
	})
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// DeleteMembership implements AccessService.
func (s *accessServer) DeleteMembership(ctx context.Context, req *cataloguev1.DeleteMembershipRequest) (*emptypb.Empty, error) {
	if err := checkName("name", membershipName, req.GetName()); err != nil {
		return nil, err
	}
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*emptypb.Empty, error) {
		m, err := store.Membership(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		if m == nil {
			return nil, errs.AbsentResource(req.GetName())
		}
		if err := auth.Require(ctx, m.Organisation, req.GetName()); err != nil {
			return nil, err
		}
		admins, err := store.CountAdmins(ctx, tx, m.Organisation)
		if err != nil {
			return nil, err
		}
		if err := m.End(auth.ScopeFrom(ctx).All, admins); err != nil {
			return nil, err
		}
		gone, err := store.DeleteMembership(ctx, tx, m.Name)
		if err != nil {
			return nil, err
		}
		if !gone {
			return nil, errs.AbsentResource(req.GetName())
		}
		if err := s.tell(ctx, tx, m, domain.MembershipEnded); err != nil {
			return nil, err
		}
		return &emptypb.Empty{}, nil
	})
}

func (s *accessServer) tell(ctx context.Context, tx *sqldb.Tx, m *domain.Membership, version int64) error {
	return s.Outbox.Add(ctx, tx, outbox.Event{
		Aggregate: m.Name, Version: version, Owner: m.Organisation, Licence: domain.LicenceInternal, Time: s.now(),
		Data: &cataloguev1.MembershipChanged{Organisation: m.Organisation, Subject: m.Subject},
	})
}

// ownOrganisation refuses an organisation that is absent or not the caller's.
func ownOrganisation(ctx context.Context, tx *sqldb.Tx, name string) error {
	if err := auth.Require(ctx, name, name); err != nil {
		return err
	}
	o, err := store.Organisation(ctx, tx, name)
	if err == nil && o == nil {
		err = errs.AbsentResource(name)
	}
	return err
}

func membershipToProto(m *domain.Membership) *cataloguev1.Membership {
	return &cataloguev1.Membership{
		Name: m.Name, Subject: m.Subject, Role: authzv1.Role(authzv1.Role_value[m.Role]), CreateTime: timeToProto(m.CreateTime),
	}
}

func membershipsToProto(list []*domain.Membership) []*cataloguev1.Membership {
	out := make([]*cataloguev1.Membership, len(list))
	for i, m := range list {
		out[i] = membershipToProto(m)
	}
	return out
}
