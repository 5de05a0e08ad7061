// Package rpc is the impact service's face: it decodes requests, runs one
// transaction and encodes the answer, and applies other services' events.
package rpc

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"

	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
	"github.com/trama-suite/trama/services/impact/internal/domain"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/outbox"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Server holds what the service's methods need.
type Server struct {
	DB     *sqldb.DB
	Outbox *outbox.Outbox
	Now    func() time.Time
	NewID  ids.Source
	// Owners checks whom an operator creates something for.
	Owners auth.Owners
	// Threshold is how many organisations other than the caller's own must stand
	// behind a figure before the caller sees it.
	Threshold int
}

// Register registers the four gRPC services.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	impactv1.RegisterTheoryServiceServer(r, theories{Server: s})
	impactv1.RegisterIndicatorServiceServer(r, indicators{Server: s})
	impactv1.RegisterMeasurementServiceServer(r, measurements{Server: s})
	impactv1.RegisterRollUpServiceServer(r, rollUps{Server: s})
}

// visible returns nil where the caller may see a row of that owner: the
// network's own, or one within the scope.
func visible(ctx context.Context, owner, name string) error {
	if owner == "" {
		return nil
	}
	return auth.Require(ctx, owner, name)
}

// writable returns nil where the caller may change a row of that owner. Rows of
// the network are seen by all and written by its operators.
func writable(ctx context.Context, owner, name string) error {
	if owner == "" {
		if auth.ScopeFrom(ctx).All {
			return nil
		}
		return errs.New(errs.PermissionDenied, domain.NetworkOnly, "this belongs to the network: only its operators write it")
	}
	return auth.Require(ctx, owner, name)
}

// creatable is writable for something that is about to be created: an owner that
// an operator names must exist.
func (s *Server) creatable(ctx context.Context, field, owner string) error {
	if owner == "" {
		return writable(ctx, owner, owner)
	}
	return s.Owners.Require(ctx, field, owner)
}

// under puts the name of the request's field before the paths of a rule's error.
func under(field string, err error) error {
	if e, ok := errors.AsType[*errs.Error](err); ok && len(e.Fields) > 0 {
		return e.Under(field)
	}
	return err
}

// instant returns the time of an optional timestamp: zero for now, also where it
// lies ahead.
func (s *Server) instant(t interface{ AsTime() time.Time }, set bool) time.Time {
	if !set {
		return time.Time{}
	}
	at := t.AsTime().Truncate(time.Microsecond)
	if !at.Before(s.Now()) {
		return time.Time{}
	}
	return at
}

// parse reads the identifiers of a resource name that no shape rule has checked.
func parse(pattern, field, name string) ([]string, error) {
	parts, ok := ids.Parse(pattern, name)
	if !ok {
		return nil, errs.InvalidField(errs.InvalidRequest, field, "%q is not of the form %s", name, pattern)
	}
	return parts, nil
}
