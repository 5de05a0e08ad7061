// Package catalogue is the catalogue service (catalogo): organisations and who
// belongs to them, controlled vocabularies, and the network's solutions,
// services, needs, ideas, job profiles and events, with search over all of them.
package catalogue

import (
	"context"
	"embed"
	"io/fs"

	"google.golang.org/grpc"

	"github.com/trama-suite/trama/services/catalogue/internal/rpc"
	"github.com/trama-suite/trama/services/catalogue/internal/search"
	"github.com/trama-suite/trama/services/platform/app"
	"github.com/trama-suite/trama/services/platform/outbox"
	platformrpc "github.com/trama-suite/trama/services/platform/rpc"
)

//go:embed migrations/*.sql
var embedded embed.FS

// Config of the catalogue. The zero value works; there is nothing to set yet.
type Config struct{}

// New opens the catalogue's database and returns the service.
func New(ctx context.Context, deps app.Deps, _ Config) (*app.Service, error) {
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
			{Name: "outbox relay", Run: base.Outbox.Relay(deps.Bus, outbox.RelayConfig{}).Run},
			{Name: "search index", Run: rpc.FollowSearch(deps.Bus, index)},
			{Name: "forgotten requests", Run: platformrpc.ForgetRequests(db, nil)},
		},
		Checks: []app.Check{
			{Name: "database", Run: db.Ping},
			{Name: "search index", Run: index.Ready},
		},
	}, nil
}
