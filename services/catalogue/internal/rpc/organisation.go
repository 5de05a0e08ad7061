package rpc

import (
	"context"
	"strings"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/catalogue/internal/store"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// organisationServer implements OrganisationService.
type organisationServer struct {
	cataloguev1.UnimplementedOrganisationServiceServer
	Base
}

// CreateOrganisation implements OrganisationService.
func (s *organisationServer) CreateOrganisation(ctx context.Context, req *cataloguev1.CreateOrganisationRequest) (*cataloguev1.Organisation, error) {
	out, err := rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*cataloguev1.Organisation, error) {
		o, err := domain.NewOrganisation(ids.Name("organisations", s.NewID()), profileFromProto(req.GetOrganisation()), s.now())
		if err == nil {
			err = s.checkReferences(ctx, tx, o, domain.Profile{})
		}
		if err != nil {
			return nil, under("organisation", err)
		}
		if err := store.InsertOrganisation(tx, o); err != nil {
			return nil, err
		}
		return organisationToProto(o), nil
	})
	return out, takenMeanwhile(err)
}

// GetOrganisation implements OrganisationService.
func (s *organisationServer) GetOrganisation(ctx context.Context, req *cataloguev1.GetOrganisationRequest) (*cataloguev1.Organisation, error) {
	if err := checkName("name", organisationName, req.GetName()); err != nil {
		return nil, err
	}
	var o *domain.Organisation
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		o, err = visibleOrganisation(ctx, tx, req.GetName())
		return err
	})
	if err != nil {
		return nil, err
	}
	return organisationToProto(o), nil
}

// LookupOrganisation implements OrganisationService.
func (s *organisationServer) LookupOrganisation(ctx context.Context, req *cataloguev1.LookupOrganisationRequest) (*cataloguev1.Organisation, error) {
	id := identifierFromProto(req.GetType(), req.GetValue(), req.GetScheme()).Tidy()
	if reason, words := id.Check(); reason != "" {
		return nil, errs.InvalidField(reason, "value", "%s", words)
	}
	var o *domain.Organisation
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		holders, err := store.IdentifierHolders(ctx, tx, []string{id.Key()})
		if err == nil && holders[id.Key()] != "" {
			o, err = store.Organisation(ctx, tx, holders[id.Key()])
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if o == nil || !canSee(ctx, o) {
		return nil, errs.New(errs.NotFound, errs.Absent, "no organisation that you can see has that identifier")
	}
	return organisationToProto(o), nil
}

// ListOrganisations implements OrganisationService.
func (s *organisationServer) ListOrganisations(ctx context.Context, req *cataloguev1.ListOrganisationsRequest) (*cataloguev1.ListOrganisationsResponse, error) {
	scope := auth.ScopeFrom(ctx)
	args := []any{string(domain.OrganisationPublished)}
	where := "state = $1 OR " + scope.Where("name", &args)
	if scope.All {
		where, args = "", nil
	}
	plan, err := store.Organisations.Plan(req, scopeKey(scope))
	if err != nil {
		return nil, err
	}
	resp := &cataloguev1.ListOrganisationsResponse{}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		list, next, err := store.ListOrganisations(ctx, tx, plan, where, args)
		resp.NextPageToken = next
		for _, o := range list {
			resp.Organisations = append(resp.Organisations, organisationToProto(o))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// UpdateOrganisation implements OrganisationService.
func (s *organisationServer) UpdateOrganisation(ctx context.Context, req *cataloguev1.UpdateOrganisationRequest) (*cataloguev1.Organisation, error) {
	patch := req.GetOrganisation()
	if err := checkName("organisation.name", organisationName, patch.GetName()); err != nil {
		return nil, err
	}
	out, err := rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*cataloguev1.Organisation, error) {
		return s.change(ctx, tx, patch.GetName(), patch.GetEtag(), func(o *domain.Organisation) ([]domain.Change, error) {
			merged, err := rpc.UpdateMask("organisation", organisationToProto(o), patch, req.GetUpdateMask())
			if err != nil {
				return nil, err
			}
			before := o.Profile
			changes, err := o.Update(profileFromProto(merged), s.now())
			if err == nil {
				err = s.checkReferences(ctx, tx, o, before)
			}
			return changes, under("organisation", err)
		})
	})
	return out, takenMeanwhile(err)
}

// PublishOrganisation implements OrganisationService.
func (s *organisationServer) PublishOrganisation(ctx context.Context, req *cataloguev1.PublishOrganisationRequest) (*cataloguev1.Organisation, error) {
	return organisationVerb(ctx, s, req, func(o *domain.Organisation) ([]domain.Change, error) { return o.Publish(s.now()) })
}

// ArchiveOrganisation implements OrganisationService.
func (s *organisationServer) ArchiveOrganisation(ctx context.Context, req *cataloguev1.ArchiveOrganisationRequest) (*cataloguev1.Organisation, error) {
	return organisationVerb(ctx, s, req, func(o *domain.Organisation) ([]domain.Change, error) { return o.Archive(s.now()) })
}

// RestoreOrganisation implements OrganisationService.
func (s *organisationServer) RestoreOrganisation(ctx context.Context, req *cataloguev1.RestoreOrganisationRequest) (*cataloguev1.Organisation, error) {
	return organisationVerb(ctx, s, req, func(o *domain.Organisation) ([]domain.Change, error) { return nil, o.Restore(s.now()) })
}

// verbRequest is the request of a custom verb.
type verbRequest interface {
	*cataloguev1.PublishOrganisationRequest | *cataloguev1.ArchiveOrganisationRequest | *cataloguev1.RestoreOrganisationRequest
	namedRequest
}

func organisationVerb[Req verbRequest](ctx context.Context, s *organisationServer, req Req, step func(o *domain.Organisation) ([]domain.Change, error)) (*cataloguev1.Organisation, error) {
	if err := checkName("name", organisationName, req.GetName()); err != nil {
		return nil, err
	}
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*cataloguev1.Organisation, error) {
		return s.change(ctx, tx, req.GetName(), req.GetEtag(), step)
	})
}

// change loads an organisation that is the caller's to change, takes the step
// and saves what came of it.
func (s *organisationServer) change(ctx context.Context, tx *sqldb.Tx, name, etag string, step func(o *domain.Organisation) ([]domain.Change, error)) (*cataloguev1.Organisation, error) {
	if err := auth.Require(ctx, name, name); err != nil {
		return nil, err
	}
	o, err := store.Organisation(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	if o == nil {
		return nil, errs.AbsentResource(name)
	}
	if err := rpc.CheckEtag(name, etag, o.Version); err != nil {
		return nil, err
	}
	was, held := o.Version, o.Profile.Identifiers
	changes, err := step(o)
	if err != nil {
		return nil, err
	}
	if o.Version == was {
		return organisationToProto(o), nil
	}
	if err := store.SaveOrganisation(ctx, tx, o, was, held); err != nil {
		return nil, err
	}
	if err := s.tellOrganisation(ctx, tx, o, changes); err != nil {
		return nil, err
	}
	return organisationToProto(o), nil
}

// canSee reports whether the caller may see the organisation.
func canSee(ctx context.Context, o *domain.Organisation) bool {
	return o.Public() || auth.ScopeFrom(ctx).Covers(o.Name)
}

func visibleOrganisation(ctx context.Context, tx *sqldb.Tx, name string) (*domain.Organisation, error) {
	o, err := store.Organisation(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	if o == nil || !canSee(ctx, o) {
		return nil, errs.AbsentResource(name)
	}
	return o, nil
}

// scopeKey tells scopes apart in page tokens.
func scopeKey(scope auth.Scope) string {
	if scope.All {
		return "all"
	}
	return strings.Join(scope.Organisations, ",")
}
