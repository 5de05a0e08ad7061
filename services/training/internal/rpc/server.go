// Package rpc serves the training service over gRPC: it decodes a request, runs
// one transaction, and encodes the answer.
package rpc

import (
	"context"
	"time"

	"google.golang.org/grpc"

	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/outbox"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
	"github.com/trama-suite/trama/services/training/internal/store"
)

// Server answers the calls of all gRPC services of this package. The Unsafe
// interfaces make the compiler refuse a Server that lacks a method.
type Server struct {
	trainingv1.UnsafeCourseServiceServer
	trainingv1.UnsafeEditionServiceServer
	trainingv1.UnsafeSessionServiceServer
	trainingv1.UnsafeLearnerServiceServer
	trainingv1.UnsafeInterestServiceServer
	trainingv1.UnsafeEnrolmentServiceServer
	trainingv1.UnsafeAttendanceServiceServer
	trainingv1.UnsafeCertificateServiceServer
	trainingv1.UnsafeStatisticsServiceServer

	// DB, Outbox, Now and NewID as the process gives them.
	DB     *sqldb.DB
	Outbox *outbox.Outbox
	Now    func() time.Time
	// Owners checks whom an operator creates something for.
	Owners auth.Owners
	// Members tells whose subject an administrator may give to a learner.
	Members auth.Memberships
	NewID   ids.Source
	// Threshold is the policy for courses that name none, in percent.
	Threshold int

	store *store.Store
}

// New returns a server over a database.
func New(s Server) *Server {
	s.store = store.New()
	return &s
}

// Register registers all gRPC services.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	trainingv1.RegisterCourseServiceServer(r, s)
	trainingv1.RegisterEditionServiceServer(r, s)
	trainingv1.RegisterSessionServiceServer(r, s)
	trainingv1.RegisterLearnerServiceServer(r, s)
	trainingv1.RegisterInterestServiceServer(r, s)
	trainingv1.RegisterEnrolmentServiceServer(r, s)
	trainingv1.RegisterAttendanceServiceServer(r, s)
	trainingv1.RegisterCertificateServiceServer(r, s)
	trainingv1.RegisterStatisticsServiceServer(r, s)
}

// now is the present instant as the databases hold it. A call reads it once.
func (s *Server) now() time.Time { return domain.Clock(s.Now()) }

// name returns a fresh resource name in a collection.
func (s *Server) name(collection string) string { return ids.Name(collection, s.NewID()) }

// read runs fn in a read transaction and returns its answer.
func read[T any](ctx context.Context, s *Server, fn func(ctx context.Context, tx *sqldb.Tx) (T, error)) (T, error) {
	var out T
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		out, err = fn(ctx, tx)
		return err
	})
	return out, err
}

// viewer is who is calling, as far as it matters to rows that several parties
// may see.
type viewer struct {
	// all is true for callers of the network as a whole.
	all bool
	// subject is the caller's own.
	subject string
	// manages are the organisations in which the caller is an administrator or a
	// trainer; administers those in which it is an administrator; member all.
	manages, administers, member []string
}

// viewerOf returns the caller for methods that change something: of the
// network-wide roles only the operators' count.
func viewerOf(ctx context.Context) viewer {
	return viewerAs(auth.CallerFrom(ctx), roleNetworkOperator, roleRegionalOperator)
}

// readerOf returns the caller for methods that only read: auditors and services
// see what operators see. Somebody may be an auditor and, by a membership,
// something else too: that must not let them change what is not theirs.
func readerOf(ctx context.Context) viewer {
	return viewerAs(auth.CallerFrom(ctx), roleNetworkOperator, roleRegionalOperator, roleAuditor, roleService)
}

func viewerAs(caller auth.Caller, networkWide ...auth.Role) viewer {
	v := viewer{subject: caller.Subject}
	for _, role := range networkWide {
		v.all = v.all || caller.Has(role)
	}
	for _, m := range caller.Memberships {
		v.member = append(v.member, m.Organisation)
		switch m.Role {
		case roleAdmin:
			v.administers = append(v.administers, m.Organisation)
			v.manages = append(v.manages, m.Organisation)
		case roleTrainer:
			v.manages = append(v.manages, m.Organisation)
		}
	}
	return v
}

// managed returns the scope of what the viewer manages.
func (v viewer) managed() auth.Scope { return auth.Scope{All: v.all, Organisations: v.manages} }

// administered returns the scope of what the viewer administers.
func (v viewer) administered() auth.Scope {
	return auth.Scope{All: v.all, Organisations: v.administers}
}
