package testkit_test

import (
	"context"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	"github.com/trama-suite/trama/services/platform/app"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/outbox"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

// echo is a small service: it creates memberships by publishing them, tells
// callers who they are, and counts what it consumes.
type echo struct {
	cataloguev1.UnimplementedAccessServiceServer
	deps   app.Deps
	db     *sqldb.DB
	outbox *outbox.Outbox
}

func newEcho(ctx context.Context, deps app.Deps) (*app.Service, error) {
	db, err := deps.OpenDB(ctx, fstest.MapFS{"00001_first.sql": {Data: []byte("-- +goose Up\nCREATE TABLE heard (seconds BIGINT NOT NULL);")}})
	if err != nil {
		return nil, err
	}
	e := &echo{deps: deps, db: db, outbox: outbox.New(db, "echo", deps.Region)}
	consumer := bus.Consumer{Name: "echo", Source: "clock", DB: db, Handlers: []bus.Handler{
		bus.On(func(_ context.Context, tx *sqldb.Tx, _ *eventv1.Envelope, m *durationpb.Duration) error {
			tx.Queue("INSERT INTO heard (seconds) VALUES ($1)", m.GetSeconds())
			return nil
		}),
	}}
	return &app.Service{
		Name:     "echo",
		Register: func(r grpc.ServiceRegistrar) { cataloguev1.RegisterAccessServiceServer(r, e) },
		Loops: []app.Loop{
			{Name: "relay", Run: e.outbox.Relay(deps.Bus, outbox.RelayConfig{}).Run},
			{Name: "clock", Run: func(ctx context.Context) error { return deps.Bus.Consume(ctx, consumer) }},
		},
	}, nil
}

func (e *echo) CreateMembership(ctx context.Context, req *cataloguev1.CreateMembershipRequest) (*cataloguev1.Membership, error) {
	if err := auth.Require(ctx, req.GetParent(), req.GetParent()); err != nil {
		return nil, err
	}
	return rpc.Mutate(ctx, e.db, req, func(ctx context.Context, tx *sqldb.Tx) (*cataloguev1.Membership, error) {
		m := req.GetMembership()
		m.Name = req.GetParent() + "/memberships/" + e.deps.NewID()
		return m, e.outbox.Add(ctx, tx, outbox.Event{Aggregate: m.GetName(), Version: 1, Time: e.deps.Now(), Data: m})
	})
}

func (e *echo) WhoAmI(ctx context.Context, _ *cataloguev1.WhoAmIRequest) (*cataloguev1.WhoAmIResponse, error) {
	// Asked of the peer "catalogue", as a service would.
	subject := auth.CallerFrom(ctx).Subject
	resp, err := cataloguev1.NewAccessServiceClient(e.deps.Dial("directory")).
		ResolveMemberships(ctx, &cataloguev1.ResolveMembershipsRequest{Subject: subject})
	if err != nil {
		return nil, err
	}
	return &cataloguev1.WhoAmIResponse{Subject: subject, Memberships: resp.GetMemberships()}, nil
}

type standIn struct {
	cataloguev1.UnimplementedAccessServiceServer
}

func (standIn) ResolveMemberships(ctx context.Context, req *cataloguev1.ResolveMembershipsRequest) (*cataloguev1.ResolveMembershipsResponse, error) {
	return &cataloguev1.ResolveMembershipsResponse{Memberships: []*cataloguev1.Membership{
		{Subject: req.GetSubject() + " asked by " + auth.CallerFrom(ctx).Subject},
	}}, nil
}

func TestStartRunsAServiceForReal(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		env := testkit.Start(t, open, newEcho)
		access := cataloguev1.NewAccessServiceClient(env.Conn)
		mine, other := ids.Name("organisations", ids.New()), ids.Name("organisations", ids.New())
		admin := env.As(authzv1.Role_ROLE_ORGANISATION_ADMIN, mine)
		create := func(ctx context.Context, parent, requestID string) (*cataloguev1.Membership, error) {
			return access.CreateMembership(ctx, &cataloguev1.CreateMembershipRequest{
				Parent: parent, RequestId: requestID,
				Membership: &cataloguev1.Membership{Subject: "someone", Role: authzv1.Role_ROLE_TRAINER},
			})
		}

		for name, c := range map[string]struct {
			ctx    context.Context
			parent string
			want   codes.Code
		}{
			"no token":               {env.Anonymous(), mine, codes.Unauthenticated},
			"own organisation":       {admin, mine, codes.OK},
			"another's":              {admin, other, codes.NotFound},
			"role that may not":      {env.As(authzv1.Role_ROLE_LEARNER, mine), mine, codes.PermissionDenied},
			"nobody in particular":   {env.AsSubject("stranger"), mine, codes.PermissionDenied},
			"operator, anywhere":     {env.As(authzv1.Role_ROLE_NETWORK_OPERATOR, ""), other, codes.OK},
			"request out of shape":   {admin, "", codes.InvalidArgument},
			"operator, out of shape": {env.As(authzv1.Role_ROLE_NETWORK_OPERATOR, ""), "", codes.InvalidArgument},
		} {
			if _, err := create(c.ctx, c.parent, ""); status.Code(err) != c.want {
				t.Errorf("%s: %v, want %s", name, err, c.want)
			}
		}

		first, err := create(admin, mine, "once")
		if err != nil {
			t.Fatal(err)
		}
		again, err := create(admin, mine, "once")
		if err != nil || again.GetName() != first.GetName() {
			t.Errorf("replay: %v, %v; want %s", again.GetName(), err, first.GetName())
		}
		events := testkit.EventsOf[*cataloguev1.Membership](env)
		if len(events) != 3 || !slices.ContainsFunc(events, func(m *cataloguev1.Membership) bool { return m.GetName() == first.GetName() }) {
			t.Errorf("events %v; want three, %s among them", events, first.GetName())
		}

		operator := env.As(authzv1.Role_ROLE_NETWORK_OPERATOR, "")
		if _, err := access.WhoAmI(operator, &cataloguev1.WhoAmIRequest{}); status.Code(err) != codes.Unavailable {
			t.Errorf("peer without a stand-in: %v", err)
		}
		env.Peer("directory", func(r grpc.ServiceRegistrar) { cataloguev1.RegisterAccessServiceServer(r, standIn{}) })
		who, err := access.WhoAmI(operator, &cataloguev1.WhoAmIRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if got := who.GetMemberships()[0].GetSubject(); got != "test:network-operator asked by service:echo" {
			t.Errorf("the peer saw %q", got)
		}

		env.Apply("clock", "clocks/1", 1, durationpb.New(42*time.Second))
		var heard int
		if err := env.DB.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			return tx.QueryRow(ctx, "SELECT seconds FROM heard").Scan(&heard)
		}); err != nil || heard != 42 {
			t.Errorf("heard %d, %v", heard, err)
		}
	})
}

func TestIDsAreValidOrderedAndTheSameForASeed(t *testing.T) {
	clock := testkit.NewClock()
	a, b := testkit.IDs(7, clock.Now), testkit.IDs(7, clock.Now)
	var last string
	for range 5000 { // more than the counter of one millisecond holds
		id := a()
		if !ids.Valid(id) || id <= last {
			t.Fatalf("%s after %s", id, last)
		}
		if other := b(); other != id {
			t.Fatalf("%s and %s from the same seed", id, other)
		}
		last = id
	}
}
