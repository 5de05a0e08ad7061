// Package rpc answers the catalogue's calls: it decodes, runs one transaction of
// load, domain rule and save, and encodes.
package rpc

import (
	"context"
	"time"

	"google.golang.org/grpc"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/outbox"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Base is what every server of the catalogue works with.
type Base struct {
	DB     *sqldb.DB
	Outbox *outbox.Outbox
	Now    func() time.Time
	NewID  ids.Source
	// Changed hears, after each commit, of the events of what can be found by
	// searching: resource name and the event's number. May be nil.
	Changed func(name string, event int64)
}

// now is the present as the databases can hold it.
func (b Base) now() time.Time { return b.Now().UTC().Truncate(time.Microsecond) }

// RegisterOrganisations registers the services of organisations, memberships,
// vocabularies and imports.
func RegisterOrganisations(r grpc.ServiceRegistrar, b Base) {
	cataloguev1.RegisterOrganisationServiceServer(r, &organisationServer{Base: b})
	cataloguev1.RegisterAccessServiceServer(r, &accessServer{Base: b})
	cataloguev1.RegisterVocabularyServiceServer(r, &vocabularyServer{Base: b})
	cataloguev1.RegisterImportServiceServer(r, &importServer{Base: b})
}

// tellOrganisation writes the events of an organisation's changes.
func (b Base) tellOrganisation(ctx context.Context, tx *sqldb.Tx, o *domain.Organisation, changes []domain.Change) error {
	for _, change := range changes {
		event := outbox.Event{
			Aggregate: o.Name, Version: change.Version, Owner: o.Name, Licence: o.Profile.Licence, Time: o.UpdateTime,
		}
		switch change.What {
		case domain.Published:
			event.Data = &cataloguev1.OrganisationPublished{Organisation: organisationToProto(o)}
		case domain.Archived:
			event.Data = &cataloguev1.OrganisationArchived{Organisation: o.Name}
		}
		if err := b.Outbox.Add(ctx, tx, event); err != nil {
			return err
		}
		b.noteAfter(tx, o.Name, change.Version)
	}
	return nil
}

// The patterns of the resource names.
const (
	organisationName = "organisations/{organisation}"
	membershipName   = "organisations/{organisation}/memberships/{membership}"
	vocabularyName   = "vocabularies/{vocabulary}"
	termName         = "vocabularies/{vocabulary}/terms/{term}"
)

// checkName refuses what is not a resource name of the pattern.
func checkName(field, pattern, name string) error {
	if _, ok := ids.Parse(pattern, name); !ok {
		return errs.InvalidField(errs.InvalidRequest, field, "is not a name of the form %s, with UUIDs in the braces", pattern)
	}
	return nil
}
