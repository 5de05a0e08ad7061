package rpc

import (
	"context"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/catalogue/internal/store"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// namedRequest is a request about one resource.
type namedRequest interface {
	proto.Message
	GetName() string
	GetEtag() string
}

// checkReferences holds an organisation against the others, the vocabularies
// and the networks. Paths start at the organisation.
func (s *organisationServer) checkReferences(ctx context.Context, tx *sqldb.Tx, o *domain.Organisation, before domain.Profile) error {
	if err := checkIdentifiersFree(ctx, tx, o); err != nil {
		return err
	}
	if !slices.Equal(o.Profile.Sectors, before.Sectors) {
		known, err := store.TermValidities(ctx, tx, o.Profile.Sectors)
		if err != nil {
			return err
		}
		if err := domain.CheckTerms("sectors", o.Profile.Sectors, before.Sectors, known, s.now()); err != nil {
			return err
		}
	}
	if o.Profile.ParentNetwork != "" && o.Profile.ParentNetwork != before.ParentNetwork {
		return checkParentNetwork(ctx, tx, o)
	}
	return nil
}

// checkIdentifiersFree refuses identifiers that another organisation holds. It
// does not say which, as that may be a draft that is not the caller's to see.
func checkIdentifiersFree(ctx context.Context, tx *sqldb.Tx, o *domain.Organisation) error {
	var keys []string
	for _, id := range o.Profile.Identifiers {
		if id.Unique() {
			keys = append(keys, id.Key())
		}
	}
	holders, err := store.IdentifierHolders(ctx, tx, keys)
	if err != nil {
		return err
	}
	for i, id := range o.Profile.Identifiers {
		if holder := holders[id.Key()]; holder != "" && holder != o.Name {
			return errIdentifierTaken().WithField(identifierPath(i), domain.IdentifierTaken, "another organisation has this identifier")
		}
	}
	return nil
}

// checkParentNetwork refuses a network that the caller cannot see, and one that
// belongs to the organisation itself.
func checkParentNetwork(ctx context.Context, tx *sqldb.Tx, o *domain.Organisation) error {
	const path = "parent_network"
	network := o.Profile.ParentNetwork
	if err := checkName(path, organisationName, network); err != nil {
		return err
	}
	if err := store.TakeParentTurn(ctx, tx); err != nil {
		return err
	}
	_, err := visibleOrganisation(ctx, tx, network)
	if errs.KindOf(err) == errs.NotFound {
		return errs.InvalidField(errs.ReferenceNotFound, path, "%s does not exist, or is not yours to see", network).With("resource", network)
	}
	if err != nil {
		return err
	}
	above, err := store.Networks(ctx, tx, network)
	if err != nil {
		return err
	}
	if slices.Contains(above, o.Name) {
		return errs.InvalidField(domain.ParentCycle, path, "%s belongs to %s itself", network, o.Name)
	}
	return nil
}

func errIdentifierTaken() *errs.Error {
	return errs.New(errs.AlreadyExists, domain.IdentifierTaken, "another organisation has one of the identifiers")
}

// takenMeanwhile is the answer where somebody else took an identifier at the
// same time: the only UNIQUE constraint that such a transaction can meet.
func takenMeanwhile(err error) error {
	if sqldb.IsUnique(err) {
		return errIdentifierTaken().Because(err)
	}
	return err
}

func identifierPath(i int) string { return "identifiers[" + strconv.Itoa(i) + "].value" }
