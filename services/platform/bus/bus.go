// Package bus carries domain events between services over NATS JetStream. The
// database is the record and NATS is transport: a stream may be wiped at any
// time and is filled again from the services' journals (package outbox).
//
// Each service has one stream, TRAMA_CATALOGUE with the subjects
// trama.catalogue.>, and what no consumer could digest goes to TRAMA_DEAD.
// Delivery is at least once; the effect is exactly once, because a consumer
// records the event's id in its inbox in the transaction of the effect.
package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Config says where the events travel and how long they stay. The zero value
// is right for tests; Connect needs a URL and Embedded a StoreDir.
type Config struct {
	// URL of the NATS servers, separated by commas, for Connect. Credentials
	// may stand in it.
	URL string
	// Options for the connection that a URL cannot say (TLS, credentials file).
	Options []nats.Option
	// StoreDir is where the embedded server keeps its streams.
	StoreDir string
	// MaxStore bounds the embedded server's streams on disk, in bytes; 0 means 8 GiB.
	MaxStore int64
	// MaxAge is how long a stream keeps an event; 0 means 30 days, negative
	// for ever. The journal, not the stream, is the archive.
	MaxAge time.Duration
	// DeadMaxAge is how long a dead letter is kept; 0 means for ever.
	DeadMaxAge time.Duration
	// Replicas of every stream in a NATS cluster; 0 means 1.
	Replicas int
	// Name of this client in the server's connection list.
	Name string
	// Log, Traces and Metrics; the process's defaults where nil.
	Log     *slog.Logger
	Traces  trace.TracerProvider
	Metrics metric.MeterProvider
}

func (c Config) withDefaults() Config {
	if c.MaxStore == 0 {
		c.MaxStore = 8 << 30
	}
	switch {
	case c.MaxAge == 0:
		c.MaxAge = 30 * 24 * time.Hour
	case c.MaxAge < 0:
		c.MaxAge = 0
	}
	if c.Replicas == 0 {
		c.Replicas = 1
	}
	if c.Name == "" {
		c.Name = "trama"
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Traces == nil {
		c.Traces = otel.GetTracerProvider()
	}
	if c.Metrics == nil {
		c.Metrics = otel.GetMeterProvider()
	}
	return c
}

// Bus is a connection to JetStream, the same to a server elsewhere and to the
// one embedded in this process. It is safe for concurrent use.
type Bus struct {
	cfg    Config
	log    *slog.Logger
	tracer trace.Tracer
	meters meters
	nc     *nats.Conn
	js     jetstream.JetStream
	server *server.Server // nil unless embedded

	live     context.Context // ends with Close
	end      context.CancelFunc
	watchers sync.WaitGroup
	closing  sync.Once
}

// Connect connects to the NATS servers of cfg.URL. It does not wait for them:
// services start in any order, and every operation reports its own failure
// until the server answers.
func Connect(_ context.Context, cfg Config) (*Bus, error) {
	if cfg.URL == "" {
		return nil, errors.New("bus: URL is empty")
	}
	return open(cfg.withDefaults(), nil, nats.RetryOnFailedConnect(true))
}

func open(cfg Config, embedded *server.Server, options ...nats.Option) (*Bus, error) {
	log := cfg.Log
	options = append([]nats.Option{
		nats.Name(cfg.Name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		// Without a buffer a publish on a broken connection fails at once; the
		// relay has the event safe and tries again.
		nats.ReconnectBufSize(-1),
		nats.DisconnectErrHandler(func(nc *nats.Conn, err error) {
			if !nc.IsClosed() && err != nil {
				log.Warn("bus disconnected", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) { log.Info("bus reconnected", "server", nc.ConnectedServerName()) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { log.Warn("bus error", "error", err) }),
	}, append(options, cfg.Options...)...)
	nc, err := nats.Connect(cfg.URL, options...)
	if err != nil {
		return nil, fmt.Errorf("bus: connect: %w", err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("bus: %w", err)
	}
	m, err := newMeters(cfg.Metrics)
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("bus: %w", err)
	}
	b := &Bus{
		cfg: cfg, log: log, meters: m, nc: nc, js: js, server: embedded,
		tracer: cfg.Traces.Tracer("github.com/trama-suite/trama/services/platform/bus"),
	}
	b.live, b.end = context.WithCancel(context.Background())
	return b, nil
}

// Ready reports whether JetStream answers, as an error that says why not.
func (b *Bus) Ready(ctx context.Context) error {
	if _, err := b.js.AccountInfo(ctx); err != nil {
		return fmt.Errorf("bus: JetStream does not answer: %w", err)
	}
	return nil
}

// Close ends the watches, closes the connection and stops the embedded server,
// in that order. Consume and the relay must have been stopped before.
func (b *Bus) Close() {
	b.closing.Do(func() {
		b.end()
		b.watchers.Wait()
		// Acknowledgements are still on their way to the server.
		if b.nc.IsConnected() {
			if err := b.nc.FlushTimeout(2 * time.Second); err != nil {
				b.log.Warn("bus not flushed on close", "error", err)
			}
		}
		b.nc.Close()
		if b.server != nil {
			b.server.Shutdown()
			b.server.WaitForShutdown()
		}
	})
}
