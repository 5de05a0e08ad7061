package suite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"google.golang.org/grpc"

	"github.com/trama-suite/trama/gateway"
	"github.com/trama-suite/trama/services/platform/app"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/blob"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/config"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/obs"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Suite is the running targets of one process.
type Suite struct {
	// HTTP and GRPC are the addresses that are served; GRPC is empty where no
	// service runs here.
	HTTP, GRPC string
	// Targets that run here.
	Targets []string
	// LocalIssuer says that this deployment mints its own tokens.
	LocalIssuer bool

	cfg       config.Config
	log       *slog.Logger
	app       *app.App
	obs       *obs.Obs
	bus       *bus.Bus
	id        *identity
	server    *rpc.Server
	late      map[string]*rpc.Late // by the calling service
	conns     map[string]grpc.ClientConnInterface
	diagnoses []app.Check
}

// Start starts the targets of the configuration and returns once they serve.
// Whatever was started is stopped again where it fails.
func Start(ctx context.Context, cfg config.Config, version string) (_ *Suite, err error) {
	targets, err := chosen(cfg.Targets)
	if err != nil {
		return nil, err
	}
	s := &Suite{cfg: cfg, Targets: targets, late: map[string]*rpc.Late{}, conns: map[string]grpc.ClientConnInterface{}}
	s.obs, err = obs.Start(ctx, obs.Config{
		Service: s.processName(), Version: version, Region: cfg.Region,
		SampleRatio: sampleRatio(cfg), Level: cfg.Level(),
	})
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	s.obs.Install()
	s.log = s.obs.Logger
	s.app = app.New(s.log)
	s.app.OnStop("telemetry", s.obs.Close)
	defer func() {
		if err != nil {
			stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			err = errors.Join(err, s.Stop(stopCtx))
		}
	}()
	if s.id, err = newIdentity(cfg); err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	s.LocalIssuer = s.id.local
	if err = s.startBus(ctx); err != nil {
		return nil, fmt.Errorf("NATS: %w", err)
	}
	if err = s.startServices(ctx); err != nil {
		return nil, err
	}
	if err = s.startHTTP(ctx); err != nil {
		return nil, fmt.Errorf("HTTP: %w", err)
	}
	return s, nil
}

// Stop stops everything in the reverse order of its start.
func (s *Suite) Stop(ctx context.Context) error { return s.app.Stop(ctx) }

// processName is how the process calls itself in telemetry.
func (s *Suite) processName() string {
	if len(s.Targets) == 1 {
		return s.Targets[0]
	}
	return "trama"
}

// Runs reports whether a target runs here.
func (s *Suite) Runs(target string) bool { return slices.Contains(s.Targets, target) }

func (s *Suite) startBus(ctx context.Context) (err error) {
	cfg := bus.Config{
		URL: s.cfg.NATS, Name: s.processName(),
		Log: s.log, Traces: s.obs.TracerProvider, Metrics: s.obs.MeterProvider,
	}
	if s.cfg.NATS == "" {
		cfg.StoreDir = filepath.Join(s.cfg.DataDir, "nats")
		s.bus, err = bus.Embedded(cfg)
	} else {
		s.bus, err = bus.Connect(ctx, cfg)
	}
	if err != nil {
		return err
	}
	s.app.OnStop("NATS", func(context.Context) error { s.bus.Close(); return nil })
	s.app.Check(app.Check{Name: "NATS: JetStream", Run: s.bus.Ready})
	return nil
}

// startServices makes the services that run here, serves them on one server
// and then starts their loops.
func (s *Suite) startServices(ctx context.Context) error {
	var made []*app.Service
	var register []func(grpc.ServiceRegistrar)
	for _, target := range services {
		if !s.Runs(target.name) {
			continue
		}
		svc, err := target.make(ctx, s.deps(target.name), s.cfg)
		if err != nil {
			return fmt.Errorf("%s: %w", target.name, err)
		}
		made = append(made, svc)
		register = append(register, svc.Register)
	}
	if len(made) == 0 {
		return nil
	}
	memberships := auth.NewMembershipCache(auth.FromCatalogue(s.dial(s.processName(), "catalogue")), time.Now)
	tlsConfig, err := s.cfg.TLS.Server()
	if err != nil {
		return err
	}
	server, err := rpc.NewServer(rpc.Config{
		Log: s.log, Verifier: s.id.verifier, Memberships: memberships, Register: register,
		TLS: tlsConfig, Tracer: s.obs.TracerProvider, Meter: s.obs.MeterProvider,
	})
	if err != nil {
		return err
	}
	s.server = server
	for caller, conn := range s.late {
		conn.Bind(server.InProcess(s.id.source(caller)))
	}
	listener, err := net.Listen("tcp", s.cfg.GRPC)
	if err != nil {
		return fmt.Errorf("gRPC: %w", err)
	}
	s.GRPC = listener.Addr().String()
	s.app.OnStop("gRPC server", server.Stop)
	go func() {
		if err := server.Serve(listener); err != nil {
			s.log.Error("gRPC server stopped", slog.Any("error", err))
		}
	}()
	s.app.Go(app.Loop{Name: "membership changes", Run: s.watchMemberships(memberships)})
	for _, svc := range made {
		s.app.Start(svc)
	}
	return nil
}

// deps is what the process gives to one of its services.
func (s *Suite) deps(name string) app.Deps {
	return app.Deps{
		Log:    s.log.With(slog.String("service", name)),
		Now:    time.Now,
		NewID:  ids.New,
		Region: s.cfg.Region,
		OpenDB: func(ctx context.Context, migrations fs.FS) (*sqldb.DB, error) {
			db, err := openDB(ctx, s.cfg, name, migrations, s.log)
			if err != nil {
				return nil, err
			}
			s.app.OnStop(name+": database", func(context.Context) error { return db.Close() })
			s.diagnoses = append(s.diagnoses, s.diagnose(name, db)...)
			return db, nil
		},
		Bus:       s.bus,
		OpenFiles: func() (blob.Store, error) { return openFiles(s.cfg, name) },
		Dial:      func(callee string) grpc.ClientConnInterface { return s.dial(name, callee) },
		DataDir:   filepath.Join(s.cfg.DataDir, "derived", name),
	}
}

// openDB opens the database of one service: a file in the data folder, or a
// schema of the configured PostgreSQL.
func openDB(ctx context.Context, cfg config.Config, name string, migrations fs.FS, log *slog.Logger) (*sqldb.DB, error) {
	url := cfg.Database
	if url == "" {
		url = "sqlite:" + filepath.Join(cfg.DataDir, "db")
	}
	return sqldb.Open(ctx, sqldb.Config{URL: url, Schema: name, Log: log}, migrations)
}

// openFiles opens one service's area of the file store: a folder in the data
// folder unless the configuration says otherwise.
func openFiles(cfg config.Config, name string) (blob.Store, error) {
	url := cfg.Files.URL
	if url == "" {
		url = "file:" + filepath.Join(cfg.DataDir, "files")
	}
	return blob.Open(blob.Config{
		URL: url, AccessKey: cfg.Files.AccessKey, SecretKey: string(cfg.Files.SecretKey), Area: name,
		Scratch: filepath.Join(cfg.DataDir, "derived", name),
	})
}

// dial returns the connection on which caller calls callee: within the process
// where callee runs here, over TCP otherwise.
func (s *Suite) dial(caller, callee string) grpc.ClientConnInterface {
	if s.Runs(callee) {
		conn, ok := s.late[caller]
		if !ok {
			conn = rpc.NewLate()
			s.late[caller] = conn
		}
		return conn
	}
	return s.connect(caller+" to "+callee, callee, s.id.source(caller))
}

// Conn returns a connection to a service on which callers bring their own
// tokens, as the gateway's do.
func (s *Suite) Conn(callee string) grpc.ClientConnInterface {
	if s.Runs(callee) {
		return s.server.InProcess(nil)
	}
	return s.connect("callers to "+callee, callee, nil)
}

// connect opens a TCP connection to a service once.
func (s *Suite) connect(key, callee string, source auth.TokenSource) grpc.ClientConnInterface {
	if conn, ok := s.conns[key]; ok {
		return conn
	}
	address := s.cfg.Peers[callee]
	if address == "" {
		address = callee + ":9090" // the service's name, as compose and Kubernetes resolve it
	}
	tlsConfig, err := s.cfg.TLS.Client()
	if err != nil {
		return unreachable{err}
	}
	client, err := rpc.Dial(address, tlsConfig, source)
	if err != nil {
		return unreachable{fmt.Errorf("%s at %q: %w", callee, address, err)}
	}
	s.app.OnStop("connection "+key, func(context.Context) error { return client.Close() })
	s.conns[key] = client
	return client
}

// watchMemberships drops what the cache knows of people whose memberships change.
func (s *Suite) watchMemberships(cache *auth.MembershipCache) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := s.bus.Watch(ctx, "catalogue", invalidate(cache)); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}
}

// startHTTP serves REST where the gateway runs here, and the process's own
// health, checks and metrics in any case.
func (s *Suite) startHTTP(ctx context.Context) error {
	operations := gateway.Operations{Ready: s.ready, Checks: s.checks, Metrics: s.obs.Handler()}
	handler := operations.Handler()
	stopping := make(chan struct{})
	if s.Runs(Gateway) {
		conns := map[string]grpc.ClientConnInterface{}
		for _, target := range services {
			conns[target.name] = s.Conn(target.name)
		}
		var err error
		handler, err = gateway.New(ctx, gateway.Config{
			Origins:    s.cfg.CORS.Origins,
			RateLimit:  gateway.RateLimit{PerSecond: s.cfg.RateLimit.PerSecond, Burst: s.cfg.RateLimit.Burst},
			MaxUpload:  s.cfg.Files.MaxSize,
			Operations: operations,
			Stopping:   stopping,
			Tracer:     s.obs.TracerProvider, Meter: s.obs.MeterProvider, Propagator: s.obs.Propagator, Now: time.Now,
		}, conns)
		if err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", s.cfg.HTTP)
	if err != nil {
		return err
	}
	s.HTTP = listener.Addr().String()
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      3 * time.Minute, // reading, the call behind it, and a slow line
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(func() { close(stopping) })
	s.app.OnStop("HTTP server", server.Shutdown)
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("HTTP server stopped", slog.Any("error", err))
		}
	}()
	return nil
}

// sampleRatio turns the configuration's 0, which means none, into telemetry's
// word for it.
func sampleRatio(cfg config.Config) float64 {
	if cfg.Trace.SampleRatio == 0 {
		return -1
	}
	return cfg.Trace.SampleRatio
}

// Migrate opens the database of each service among the targets, which brings
// it up to date, and reports its schema version.
func Migrate(ctx context.Context, cfg config.Config, report func(service string, version int64)) error {
	targets, err := chosen(cfg.Targets)
	if err != nil {
		return err
	}
	for _, target := range services {
		if !slices.Contains(targets, target.name) {
			continue
		}
		if err := migrate(ctx, cfg, target, report); err != nil {
			return fmt.Errorf("%s: %w", target.name, err)
		}
	}
	return nil
}

// errMigrated ends the making of a service once its database is open.
var errMigrated = errors.New("migrated")

func migrate(ctx context.Context, cfg config.Config, target service, report func(string, int64)) error {
	_, err := target.make(ctx, app.Deps{
		Log: slog.New(slog.DiscardHandler), Now: time.Now, NewID: ids.New, Region: cfg.Region,
		OpenDB: func(ctx context.Context, migrations fs.FS) (*sqldb.DB, error) {
			db, err := openDB(ctx, cfg, target.name, migrations, nil)
			if err != nil {
				return nil, err
			}
			have, _, err := db.SchemaVersion(ctx)
			if err = errors.Join(err, db.Close()); err != nil {
				return nil, err
			}
			report(target.name, have)
			return nil, errMigrated
		},
	}, cfg)
	if errors.Is(err, errMigrated) {
		return nil
	}
	return err
}
