// Package app is what a service is made of and how a process runs it: a service
// gets its Deps, and returns what to serve (Register), what to run (Loops) and
// how to tell that it is well (Checks). App supervises the loops and stops
// everything in the reverse order of its start.
package app

import (
	"context"
	"io/fs"
	"log/slog"
	"time"

	"google.golang.org/grpc"

	"github.com/trama-suite/trama/services/platform/blob"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Deps is what a process gives to a service.
type Deps struct {
	// Log is already marked with the service's name.
	Log *slog.Logger
	// Now is the clock. Domain code never reads another.
	Now func() time.Time
	// NewID makes identifiers.
	NewID ids.Source
	// Region is the deployment's home region, ISO 3166-2 in lower case: "it-21".
	Region string
	// OpenDB opens the service's own schema and brings it up to date with the
	// migrations. The app closes it, not the service.
	OpenDB func(ctx context.Context, migrations fs.FS) (*sqldb.DB, error)
	// Bus carries events between services.
	Bus *bus.Bus
	// Dial returns a connection to another service ("catalogue"), on which this
	// service calls as itself (role SERVICE). It returns at once; calls wait
	// until the other service is there, as long as their context allows.
	Dial func(service string) grpc.ClientConnInterface
	// OpenFiles opens the service's own area of the deployment's file store.
	OpenFiles func() (blob.Store, error)
	// DataDir is a folder for derived local files (a search index), which may
	// be lost at any time. Empty: keep them in memory.
	DataDir string
}

// Service is a service that is ready to run.
type Service struct {
	// Name as in the proto package: "catalogue".
	Name string
	// Register registers the gRPC services.
	Register func(grpc.ServiceRegistrar)
	// Loops run as long as the service does.
	Loops []Loop
	// Checks tell whether the service can do its work.
	Checks []Check
}

// Loop is something that runs in the background: the outbox relay, a consumer,
// a clock.
type Loop struct {
	// Name for the log, unique within the service: "outbox relay".
	Name string
	// Run works until its context ends. An error or a panic makes it start
	// again after a while; nil means that it is done for good.
	Run func(ctx context.Context) error
}

// Check is one thing that must be right: asked by /readyz and `trama doctor`.
type Check struct {
	// Name for people, unique within the service: "database".
	Name string
	// Run returns nil, or what is wrong. It has a few seconds.
	Run func(ctx context.Context) error
}
