package auth

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/platform/errs"
)

// Owners checks the owner of something that is about to be created. A member
// can name only an organisation that they belong to, so it exists; an operator
// may name any, so the catalogue is asked.
type Owners struct {
	organisations cataloguev1.OrganisationServiceClient
}

// OwnersOf returns the check that asks the catalogue over conn, on which calls
// must carry the role service.
func OwnersOf(conn grpc.ClientConnInterface) Owners {
	return Owners{organisations: cataloguev1.NewOrganisationServiceClient(conn)}
}

// Require returns nil where the caller's scope covers the organisation and it
// exists. Otherwise the error of the function Require, or REFERENCE_NOT_FOUND
// for the field of the request that names it. It calls another service: not
// from within a transaction.
func (o Owners) Require(ctx context.Context, field, organisation string) error {
	if err := Require(ctx, organisation, organisation); err != nil {
		return err
	}
	if !ScopeFrom(ctx).All {
		return nil
	}
	_, err := o.organisations.GetOrganisation(ctx, &cataloguev1.GetOrganisationRequest{Name: organisation})
	switch status.Code(err) {
	case codes.OK:
		return nil
	case codes.NotFound, codes.InvalidArgument:
		return errs.InvalidField(errs.ReferenceNotFound, field, "there is no organisation %s", organisation)
	default:
		return errs.New(errs.Unavailable, errs.ServiceDown, "the catalogue does not answer: try again").Because(err)
	}
}
