package testkit

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	"github.com/trama-suite/trama/services/platform/app"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/blob"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Region is the home region of every Env.
const Region = "it-21"

// Env is one service, running: with a database, an event bus of its own, its
// loops, and the same chain of checks before its methods as in production.
type Env struct {
	// Conn calls the service in process. Give its methods a context of As,
	// AsSubject or Anonymous.
	Conn grpc.ClientConnInterface
	// Clock is the service's clock, and the one that tokens are checked by.
	Clock *Clock
	// DB is the service's database, nil where it opened none.
	DB *sqldb.DB
	// Bus is the event bus that the service is on.
	Bus *bus.Bus
	// Members are the memberships that callers have.
	Members *Memberships
	// Service is what the constructor returned.
	Service *app.Service
	// Server serves it: over TCP too, where a test needs that.
	Server *rpc.Server
	// FilesDir is the folder of the service's file store.
	FilesDir string
	// Followed are the events that the service publishes; see Events.
	Followed *Events

	t        testing.TB
	issuer   *auth.LocalIssuer
	verifier *auth.Verifier

	mu            sync.Mutex
	peers         map[string]*peer
	organisations *organisations
}

// Start runs a service for the duration of a test:
//
//	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
//		env := testkit.Start(t, open, func(ctx context.Context, d app.Deps) (*app.Service, error) {
//			return training.New(ctx, d, training.Config{})
//		})
//		courses := trainingv1.NewCourseServiceClient(env.Conn)
//		c, err := courses.CreateCourse(env.As(authzv1.Role_ROLE_ORGANISATION_ADMIN, org), …)
//
// The service's loops run; they and everything else end with the test.
func Start(t testing.TB, open OpenDB, build Build) *Env {
	t.Helper()
	env := &Env{Clock: NewClock(), Members: &Memberships{}, t: t, peers: map[string]*peer{}}
	env.organisations = &organisations{members: env.Members, absent: map[string]bool{}}
	env.issuer = Issuer(env.Clock.Now)
	verifier, err := auth.NewVerifier(auth.VerifierConfig{Issuers: []auth.Issuer{env.issuer.Trusted()}, Now: env.Clock.Now})
	if err != nil {
		t.Fatalf("token verifier: %v", err)
	}
	env.verifier = verifier
	env.Bus = Bus(t)
	env.FilesDir = t.TempDir()
	env.run(open, build, 1)
	env.Followed = Follow(t, env.Bus, env.Service.Name)
	return env
}

// Build is a service's constructor.
type Build func(ctx context.Context, deps app.Deps) (*app.Service, error)

// Replica runs the service once more, as a second process would: on the same
// database, bus, files, clock and callers, with nothing else in common. Its own
// stand-ins for other services are those of its Peer. On SQLite, where there can
// be one opener only, both are on the same DB.
func (e *Env) Replica(open OpenDB, build Build) *Env {
	e.t.Helper()
	r := &Env{
		Clock: e.Clock, Bus: e.Bus, Members: e.Members, FilesDir: e.FilesDir, Followed: e.Followed,
		t: e.t, issuer: e.issuer, verifier: e.verifier, organisations: e.organisations, peers: map[string]*peer{},
	}
	r.run(open, build, 2)
	return r
}

// run builds the service and runs it to the end of the test.
func (e *Env) run(open OpenDB, build Build, seed uint64) {
	t := e.t
	t.Helper()
	log := Log(t)
	service, err := build(t.Context(), app.Deps{
		Log: log, Now: e.Clock.Now, NewID: IDs(seed, e.Clock.Now), Region: Region, Bus: e.Bus,
		OpenDB: func(_ context.Context, migrations fs.FS) (*sqldb.DB, error) {
			e.DB = open(t, "service", migrations)
			return e.DB, nil
		},
		OpenFiles: func() (blob.Store, error) {
			return blob.Open(blob.Config{URL: "file:" + e.FilesDir, Area: "service"})
		},
		Dial: func(name string) grpc.ClientConnInterface { return e.peer(name) },
	})
	if err != nil {
		t.Fatalf("the service did not start: %v", err)
	}
	e.Service = service
	e.Server = e.serve(log, service.Register)
	e.Conn = e.Server.InProcess(nil)
	e.peer(service.Name).bind(e.Server.InProcess(e.issuer.Source(service.Name)))
	if service.Name != "catalogue" {
		e.Peer("catalogue", e.organisations.register)
	}
	running := app.New(log)
	running.Start(service)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := running.Stop(ctx); err != nil {
			t.Errorf("the service did not stop cleanly: %v", err)
		}
	})
}

func (e *Env) serve(log *slog.Logger, register func(grpc.ServiceRegistrar)) *rpc.Server {
	e.t.Helper()
	server, err := rpc.NewServer(rpc.Config{
		Log: log, Verifier: e.verifier, Memberships: e.Members, Register: []func(grpc.ServiceRegistrar){register},
	})
	if err != nil {
		e.t.Fatalf("the server cannot be built: %v", err)
	}
	return server
}

// Subject returns the subject of the caller that As makes of a role in an
// organisation.
func Subject(role authzv1.Role, organisation string) string {
	if auth.NetworkRole(role) {
		return "test:" + auth.RoleName(role)
	}
	return "test:" + auth.RoleName(role) + ":" + organisation
}

// As returns a context to call with, as somebody who has the role. A
// network-wide role comes from the token, and organisation does not matter; for
// any other role the caller is made a member of the organisation
// ("organisations/{uuid}"). The same role and organisation is the same person.
func (e *Env) As(role authzv1.Role, organisation string) context.Context {
	e.t.Helper()
	subject := Subject(role, organisation)
	if auth.NetworkRole(role) {
		return e.AsSubject(subject, role)
	}
	e.Members.Add(subject, organisation, role)
	return e.AsSubject(subject)
}

// AsSubject returns a context to call with, as that subject, with the
// network-wide roles given. Memberships are those of env.Members.
func (e *Env) AsSubject(subject string, roles ...authzv1.Role) context.Context {
	e.t.Helper()
	return metadata.AppendToOutgoingContext(e.t.Context(), "authorization", "Bearer "+e.Token(subject, roles...))
}

// Token returns a token for a subject, which the service accepts for ten years
// of the env's clock.
func (e *Env) Token(subject string, roles ...authzv1.Role) string {
	e.t.Helper()
	token, err := e.issuer.Mint(subject, roles, 10*365*24*time.Hour)
	if err != nil {
		e.t.Fatalf("minting a token: %v", err)
	}
	return token
}

// Anonymous returns a context to call with, without a token.
func (e *Env) Anonymous() context.Context { return e.t.Context() }

// Peer registers stand-ins for another service: what this service reaches by
// Deps.Dial(name). They are behind the same chain of checks as the real ones,
// so a method that does not let services call refuses this one.
func (e *Env) Peer(name string, register func(grpc.ServiceRegistrar)) {
	e.t.Helper()
	server := e.serve(slog.New(slog.DiscardHandler), register)
	e.peer(name).bind(server.InProcess(e.issuer.Source(e.Service.Name)))
}

func (e *Env) peer(name string) *peer {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.peers[name] == nil {
		e.peers[name] = &peer{name: name}
	}
	return e.peers[name]
}

// peer is the connection to another service, UNAVAILABLE until Peer says what
// stands there.
type peer struct {
	name string
	mu   sync.Mutex
	conn grpc.ClientConnInterface
}

func (p *peer) bind(conn grpc.ClientConnInterface) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conn = conn
}

func (p *peer) bound() (grpc.ClientConnInterface, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == nil {
		return nil, status.Error(codes.Unavailable, fmt.Sprintf("nothing stands in for %s: see Env.Peer", p.name))
	}
	return p.conn, nil
}

// Invoke implements grpc.ClientConnInterface.
func (p *peer) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	conn, err := p.bound()
	if err != nil {
		return err
	}
	return conn.Invoke(ctx, method, args, reply, opts...)
}

// NewStream implements grpc.ClientConnInterface.
func (p *peer) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	conn, err := p.bound()
	if err != nil {
		return nil, err
	}
	return conn.NewStream(ctx, desc, method, opts...)
}
