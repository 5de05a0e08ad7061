// Package matching brings demand and supply together: it keeps the candidates
// of every published need fresh from the catalogue's events, says why two were
// matched, and carries a match from proposal to agreement.
package matching

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/trama-suite/trama/services/matching/internal/rpc"
	"github.com/trama-suite/trama/services/platform/app"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/outbox"
	platform "github.com/trama-suite/trama/services/platform/rpc"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config is the service's own configuration.
type Config struct {
	// JournalRetention is how long published events stay in the journal; zero: for ever.
	JournalRetention time.Duration
}

// New returns the service.
func New(ctx context.Context, deps app.Deps, cfg Config) (*app.Service, error) {
	schema, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	db, err := deps.OpenDB(ctx, schema)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	journal := outbox.New(db, "matching", deps.Region)
	server := &rpc.Server{DB: db, Outbox: journal, Now: deps.Now, NewID: deps.NewID}
	relay := journal.Relay(deps.Bus, outbox.RelayConfig{Retention: cfg.JournalRetention, Log: deps.Log})
	return &app.Service{
		Name:     "matching",
		Register: server.Register,
		Loops: []app.Loop{
			{Name: "outbox relay", Run: relay.Run},
			{Name: "catalogue events", Run: func(ctx context.Context) error {
				return deps.Bus.Consume(ctx, bus.Consumer{Name: "matching", Source: "catalogue", DB: db, Handlers: rpc.Handlers()})
			}},
			{Name: "expiry of proposals", Run: server.Expire},
			{Name: "old request ids", Run: platform.ForgetRequests(db, deps.Now)},
		},
		Checks: []app.Check{{Name: "database", Run: db.Ping}},
	}, nil
}
