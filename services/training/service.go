// Package training is the training service: courses and their editions,
// interest, enrolment with seats and waiting lists, attendance, completion and
// certificates.
package training

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/trama-suite/trama/services/platform/app"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/outbox"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/training/internal/rpc"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config of the service. The zero value works.
type Config struct {
	// ThresholdPercent is the share of the scheduled minutes to attend for
	// courses that name none, 1 to 100 percent; 0 means 80. The sources give no
	// figure, so this is each deployment's own policy.
	ThresholdPercent int
	// JournalRetention is how long published events stay in the journal; 0 means
	// for ever.
	JournalRetention time.Duration
}

const (
	defaultThreshold = 80
	// mailboxFolder is where notices go, under the folder for local files.
	mailboxFolder = "mailbox"
)

// New returns the service, its database opened and migrated.
func New(ctx context.Context, deps app.Deps, cfg Config) (*app.Service, error) {
	if cfg.ThresholdPercent == 0 {
		cfg.ThresholdPercent = defaultThreshold
	}
	if cfg.ThresholdPercent < 1 || cfg.ThresholdPercent > 100 {
		return nil, fmt.Errorf("training: threshold percent %d: want 1 to 100", cfg.ThresholdPercent)
	}
	scripts, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	db, err := deps.OpenDB(ctx, scripts)
	if err != nil {
		return nil, err
	}
	journal := outbox.New(db, "training", deps.Region)
	server := rpc.New(rpc.Server{DB: db, Outbox: journal, Owners: auth.OwnersOf(deps.Dial("catalogue")), Members: auth.FromCatalogue(deps.Dial("catalogue")), Now: deps.Now, NewID: deps.NewID, Threshold: cfg.ThresholdPercent})
	service := &app.Service{
		Name:     "training",
		Register: server.Register,
		Loops: []app.Loop{
			{Name: "outbox relay", Run: journal.Relay(deps.Bus, outbox.RelayConfig{Retention: cfg.JournalRetention, Log: deps.Log}).Run},
			{Name: "expired offers", Run: server.SweepOffers},
			{Name: "old request ids", Run: platform.ForgetRequests(db, deps.Now)},
		},
		Checks: []app.Check{
			{Name: "database", Run: db.Ping},
			{Name: "seats", Run: server.CheckSeats},
		},
	}
	if deps.DataDir != "" {
		folder := filepath.Join(deps.DataDir, mailboxFolder)
		service.Loops = append(service.Loops, app.Loop{Name: "notices", Run: func(ctx context.Context) error { return server.Mail(ctx, folder) }})
	}
	return service, nil
}
