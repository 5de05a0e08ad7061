// Package rpc serves the projects service over gRPC: it decodes a request, runs
// one transaction, and encodes the answer.
package rpc

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/outbox"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Server answers the calls of all gRPC services of this package. The Unsafe
// interfaces make the compiler refuse a Server that lacks a method.
type Server struct {
	projectsv1.UnsafeProjectServiceServer
	projectsv1.UnsafeRiskServiceServer
	projectsv1.UnsafeIssueServiceServer
	projectsv1.UnsafeDecisionServiceServer
	projectsv1.UnsafeChangeServiceServer
	projectsv1.UnsafeCommunicationServiceServer
	projectsv1.UnsafeProcurementServiceServer
	projectsv1.UnsafeQualityServiceServer
	projectsv1.UnsafeResponsibilityServiceServer
	projectsv1.UnsafeTrailServiceServer
	projectsv1.UnsafeGateServiceServer
	projectsv1.UnsafePlanServiceServer
	projectsv1.UnsafeCalendarServiceServer
	projectsv1.UnsafeResourceServiceServer
	projectsv1.UnsafeScheduleServiceServer
	projectsv1.UnsafeBudgetServiceServer
	projectsv1.UnsafeProjectImportServiceServer
	projectsv1.UnsafeExpenditureServiceServer
	projectsv1.UnsafeClaimServiceServer
	projectsv1.UnsafeAlertServiceServer
	projectsv1.UnsafeAlertRuleServiceServer
	projectsv1.UnsafeEarnedValueServiceServer
	projectsv1.UnsafeLessonServiceServer
	projectsv1.UnsafeDashboardServiceServer
	projectsv1.UnsafeFileServiceServer
	projectsv1.UnsafeExportServiceServer
	projectsv1.UnsafeRuleSetServiceServer

	db     *sqldb.DB
	outbox *outbox.Outbox
	zone   *time.Location
	// heartbeat is how often a stream tells that it lives.
	heartbeat time.Duration
	portfolio *portfolioCache
	feed      *feed
	woken     chan struct{}
	clock     func() time.Time
	newID     ids.Source
	// plans are those that were changed lately.
	plans         plans
	owners        auth.Owners
	organisations cataloguev1.OrganisationServiceClient
	matches       matchingv1.MatchServiceClient
	files         Files

	ruleBook *ruleBook
}

// New returns a server. Days begin and end where zone says.
func New(db *sqldb.DB, out *outbox.Outbox, zone *time.Location, heartbeat time.Duration, clock func() time.Time, newID ids.Source, owners auth.Owners, organisations cataloguev1.OrganisationServiceClient, matches matchingv1.MatchServiceClient, files Files) *Server {
	return &Server{db: db, outbox: out, zone: zone, heartbeat: heartbeat, portfolio: &portfolioCache{}, feed: newFeed(), woken: make(chan struct{}, 1), clock: clock, newID: newID, owners: owners, organisations: organisations, matches: matches, files: files, ruleBook: newRuleBook()}
}

// Register registers all gRPC services.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	projectsv1.RegisterProjectServiceServer(r, s)
	projectsv1.RegisterRiskServiceServer(r, s)
	projectsv1.RegisterIssueServiceServer(r, s)
	projectsv1.RegisterDecisionServiceServer(r, s)
	projectsv1.RegisterChangeServiceServer(r, s)
	projectsv1.RegisterCommunicationServiceServer(r, s)
	projectsv1.RegisterProcurementServiceServer(r, s)
	projectsv1.RegisterQualityServiceServer(r, s)
	projectsv1.RegisterResponsibilityServiceServer(r, s)
	projectsv1.RegisterTrailServiceServer(r, s)
	projectsv1.RegisterGateServiceServer(r, s)
	projectsv1.RegisterPlanServiceServer(r, s)
	projectsv1.RegisterCalendarServiceServer(r, s)
	projectsv1.RegisterResourceServiceServer(r, s)
	projectsv1.RegisterScheduleServiceServer(r, s)
	projectsv1.RegisterBudgetServiceServer(r, s)
	projectsv1.RegisterProjectImportServiceServer(r, s)
	projectsv1.RegisterExpenditureServiceServer(r, s)
	projectsv1.RegisterClaimServiceServer(r, s)
	projectsv1.RegisterAlertServiceServer(r, s)
	projectsv1.RegisterAlertRuleServiceServer(r, s)
	projectsv1.RegisterEarnedValueServiceServer(r, s)
	projectsv1.RegisterLessonServiceServer(r, s)
	projectsv1.RegisterDashboardServiceServer(r, s)
	projectsv1.RegisterFileServiceServer(r, s)
	projectsv1.RegisterExportServiceServer(r, s)
	projectsv1.RegisterRuleSetServiceServer(r, s)
}

// now is the present instant as the database holds it, on the deployment's clock:
// the day that it falls on is the deployment's.
func (s *Server) now() time.Time { return s.clock().In(s.zone).Truncate(time.Microsecond) }

// today is the present day in the deployment's time zone.
func (s *Server) today() civil.Date { return civil.Of(s.now()) }

// emit adds an event to the outbox.
func (s *Server) emit(ctx context.Context, tx *sqldb.Tx, aggregate string, version int64, owner, licence string, at time.Time, data proto.Message) error {
	return s.outbox.Add(ctx, tx, outbox.Event{Aggregate: aggregate, Version: version, Owner: owner, Licence: licence, Time: at, Data: data})
}

// read runs fn in a read transaction and returns its answer.
func read[T any](ctx context.Context, s *Server, fn func(ctx context.Context, tx *sqldb.Tx) (T, error)) (T, error) {
	var out T
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		out, err = fn(ctx, tx)
		return err
	})
	return out, err
}

// projectOf reads the project's id out of its name.
func projectOf(name string) (string, error) {
	id, ok := ids.Parse("projects/{project}", name)
	if !ok {
		return "", errs.AbsentResource(name)
	}
	return id[0], nil
}

// childOf reads the identifiers out of the name of something in a project.
func childOf(collection, name string) (project, id string, err error) {
	got, ok := ids.Parse("projects/{project}/"+collection+"/{id}", name)
	if !ok {
		return "", "", errs.AbsentResource(name)
	}
	return got[0], got[1], nil
}

// parentOf reads the project out of the parent of a list that may go over all
// projects: "projects/-" is an empty id.
func parentOf(parent string) (string, error) {
	if parent == "projects/-" {
		return "", nil
	}
	return projectOf(parent)
}
