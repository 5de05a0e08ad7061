// Package rpc is the gRPC side of matching: decode, one transaction, encode.
package rpc

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"

	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
	"github.com/trama-suite/trama/services/matching/internal/domain"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/outbox"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Server implements ProgrammeService and MatchService.
type Server struct {
	matchingv1.UnimplementedProgrammeServiceServer
	matchingv1.UnimplementedMatchServiceServer

	DB     *sqldb.DB
	Outbox *outbox.Outbox
	Now    func() time.Time
	NewID  ids.Source
}

// Register registers both services.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	matchingv1.RegisterProgrammeServiceServer(r, s)
	matchingv1.RegisterMatchServiceServer(r, s)
}

// now is the clock at the precision that is stored.
func (s *Server) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// absent turns a missing row into the error for a resource that does not exist.
func absent(err error, name string) error {
	if errors.Is(err, sqldb.ErrNoRows) {
		return errs.AbsentResource(name)
	}
	return err
}

// id reads the identifier out of a resource name whose shape has been validated.
func id(name string) string {
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '/' {
			return name[i+1:]
		}
	}
	return name
}

// publish writes the event of a match's change; an empty event is no change.
func (s *Server) publish(ctx context.Context, tx *sqldb.Tx, m *domain.Match, event domain.MatchEvent) error {
	if event == "" {
		return nil
	}
	return s.Outbox.Add(ctx, tx, outbox.Event{
		Aggregate: "matches/" + m.ID, Version: m.Version, Owner: m.DemandOrganisation,
		Time: m.UpdateTime, Data: matchEvent(m, event),
	})
}
