// Package impact is the impact measurement service (misurazione d'impatto):
// theories of change, indicators, measurements with their history, and roll-ups
// from project to organisation, territory and network, fed by hand and by the
// other services' events.
package impact

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"github.com/trama-suite/trama/services/impact/internal/rpc"
	"github.com/trama-suite/trama/services/platform/app"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/outbox"
	platform "github.com/trama-suite/trama/services/platform/rpc"
)

//go:embed migrations/*.sql
var embedded embed.FS

// Config of the impact service. The zero value works.
type Config struct {
	// MinContributors is how many organisations other than a caller's own must
	// stand behind a figure before that caller sees it; operators and auditors
	// see all. 0 means 3.
	MinContributors int
	// JournalRetention is how long published events stay in the journal; 0: for
	// ever.
	JournalRetention time.Duration
}

// New opens the service's database and returns the service.
func New(ctx context.Context, deps app.Deps, cfg Config) (*app.Service, error) {
	migrations, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return nil, err
	}
	db, err := deps.OpenDB(ctx, migrations)
	if err != nil {
		return nil, err
	}
	if cfg.MinContributors == 0 {
		cfg.MinContributors = 3
	}
	journal := outbox.New(db, "impact", deps.Region)
	server := &rpc.Server{
		DB: db, Outbox: journal, NewID: deps.NewID, Owners: auth.OwnersOf(deps.Dial("catalogue")), Threshold: cfg.MinContributors,
		// Microseconds are what is stored: an answer shows the same time as a
		// later reading.
		Now: func() time.Time { return deps.Now().UTC().Truncate(time.Microsecond) },
	}
	loops := []app.Loop{
		{Name: "outbox relay", Run: journal.Relay(deps.Bus, outbox.RelayConfig{Retention: cfg.JournalRetention, Log: deps.Log}).Run},
		{Name: "old request ids", Run: platform.ForgetRequests(db, deps.Now)},
	}
	for source, handlers := range server.Events() {
		consumer := bus.Consumer{Name: "impact", Source: source, DB: db, Handlers: handlers}
		loops = append(loops, app.Loop{Name: source + " events", Run: func(ctx context.Context) error { return deps.Bus.Consume(ctx, consumer) }})
	}
	return &app.Service{
		Name:     "impact",
		Register: server.Register,
		Loops:    loops,
		Checks:   []app.Check{{Name: "database", Run: db.Ping}},
	}, nil
}
