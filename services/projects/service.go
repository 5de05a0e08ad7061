// Package projects is the projects service: the life of a funded project, from
// its card through gates, plan, budget and expenditures to its lessons.
package projects

import (
	"context"
	"embed"
	"io/fs"
	"time"
	_ "time/tzdata" // containers need not have a time zone database

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
	"github.com/trama-suite/trama/services/platform/app"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/outbox"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/projects/internal/rpc"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config of the service. The zero value works.
type Config struct {
	// AlertInterval is how often the clock is looked at for alerts that the
	// passing of time opens, and for changes of other replicas; 0 means half a
	// second.
	AlertInterval time.Duration
	// MaxFileSize is how large an uploaded file may be, in bytes; 0 means 20 MiB.
	MaxFileSize int64
	// FileInterval is how often contents of files that are gone are looked for; 0
	// means an hour.
	FileInterval time.Duration
	// StreamHeartbeat is how often a stream of alerts tells that it lives, and
	// looks again who its caller is; 0 means ten seconds.
	StreamHeartbeat time.Duration
	// JournalRetention is how long published events stay in the journal; 0 means
	// for ever.
	JournalRetention time.Duration
	// TimeZone is where days begin and end; nil means Europe/Rome.
	TimeZone *time.Location
}

// What the zero Config stands for.
const (
	defaultAlertInterval   = 500 * time.Millisecond
	defaultMaxFileSize     = 20 << 20
	defaultFileInterval    = time.Hour
	defaultStreamHeartbeat = 10 * time.Second
)

// New returns the service, its database opened and migrated.
func New(ctx context.Context, deps app.Deps, config Config) (*app.Service, error) {
	if config.AlertInterval <= 0 {
		config.AlertInterval = defaultAlertInterval
	}
	if config.StreamHeartbeat <= 0 {
		config.StreamHeartbeat = defaultStreamHeartbeat
	}
	if config.TimeZone == nil {
		rome, err := time.LoadLocation("Europe/Rome")
		if err != nil {
			return nil, err
		}
		config.TimeZone = rome
	}
	if config.MaxFileSize <= 0 {
		config.MaxFileSize = defaultMaxFileSize
	}
	if config.FileInterval <= 0 {
		config.FileInterval = defaultFileInterval
	}
	scripts, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	db, err := deps.OpenDB(ctx, scripts)
	if err != nil {
		return nil, err
	}
	files, err := deps.OpenFiles()
	if err != nil {
		return nil, err
	}
	out := outbox.New(db, "projects", deps.Region)
	server := rpc.New(db, out, config.TimeZone, config.StreamHeartbeat, deps.Now, deps.NewID, auth.OwnersOf(deps.Dial("catalogue")), cataloguev1.NewOrganisationServiceClient(deps.Dial("catalogue")),
		matchingv1.NewMatchServiceClient(deps.Dial("matching")),
		rpc.Files{Store: files, MaxSize: config.MaxFileSize})
	if err := server.SeedRuleSets(ctx); err != nil {
		return nil, err
	}
	return &app.Service{
		Name:     "projects",
		Register: server.Register,
		Loops: []app.Loop{
			{Name: "outbox relay", Run: out.Relay(deps.Bus, outbox.RelayConfig{Retention: config.JournalRetention, Log: deps.Log}).Run},
			{Name: "contents without a file", Run: func(ctx context.Context) error { return server.CollectFiles(ctx, config.FileInterval) }},
			{Name: "alert rules", Run: func(ctx context.Context) error { return server.Watch(ctx, config.AlertInterval) }},
			{Name: "portfolio", Run: server.KeepPortfolio},
			{Name: "alert feed", Run: func(ctx context.Context) error { return server.Follow(ctx) }},
			{Name: "alert news", Run: func(ctx context.Context) error { return server.Listen(ctx, deps.Bus) }},
			{Name: "old request ids", Run: platform.ForgetRequests(db, deps.Now)},
		},
		Checks: []app.Check{{Name: "database", Run: db.Ping}, {Name: "file store", Run: files.Ready}},
	}, nil
}
