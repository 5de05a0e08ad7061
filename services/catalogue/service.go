// Package catalogue is the catalogue service (catalogo): organisations and who
// belongs to them, controlled vocabularies, and the network's solutions,
// services, needs, ideas, job profiles and events, with search over all of them.
package catalogue

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"google.golang.org/grpc"

	"github.com/trama-suite/trama/services/catalogue/internal/rpc"
	"github.com/trama-suite/trama/services/catalogue/internal/search"
	"github.com/trama-suite/trama/services/platform/app"
	"github.com/trama-suite/trama/services/platform/outbox"
	platformrpc "github.com/trama-suite/trama/services/platform/rpc"
)

//go:embed migrations/*.sql
var embedded embed.FS

// Config is the catalogue's own configuration; the zero value works.
type Config struct {
	// JournalRetention is how long published events stay in the journal; 0 means
	// for ever.
	JournalRetention time.Duration
}

// New opens the catalogue's database and returns the service.
func New(ctx context.Context, deps app.Deps, cfg Config) (*app.Service, error) {
	migrations, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return nil, err
	}
	db, err := deps.OpenDB(ctx, migrations)
	if err != nil {
		return nil, err
	}
	base := rpc.Base{DB: db, Outbox: outbox.New(db, "catalogue", deps.Region), Now: deps.Now, NewID: deps.NewID}

	index := search.New(deps.DataDir, rpc.SearchSource{DB: db}, deps.Log)
	base.Changed = func(name string, event int64) { index.Note(search.Change{Name: name, Event: event}) }

	return &app.Service{
		Name: "catalogue",
		Register: func(r grpc.ServiceRegistrar) {
			rpc.RegisterOrganisations(r, base)
			rpc.RegisterEntries(r, base, index)
		},
		Loops: []app.Loop{
			{Name: "outbox relay", Run: base.Outbox.Relay(deps.Bus, outbox.RelayConfig{Retention: cfg.JournalRetention, Log: deps.Log}).Run},
			{Name: "search index", Run: rpc.FollowSearch(deps.Bus, index)},
			{Name: "old request ids", Run: platformrpc.ForgetRequests(db, deps.Now)},
		},
		Checks: []app.Check{
			{Name: "database", Run: db.Ping},
			{Name: "search index", Run: index.Ready},
		},
	}, nil
}
