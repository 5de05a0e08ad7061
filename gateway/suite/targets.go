// Package suite wires the services to processes: which targets run here, over
// what they store and talk, and in which order everything starts and stops. It
// is the only package that imports all five services.
package suite

import (
	"context"
	"fmt"
	"slices"

	"github.com/trama-suite/trama/services/catalogue"
	"github.com/trama-suite/trama/services/impact"
	"github.com/trama-suite/trama/services/matching"
	"github.com/trama-suite/trama/services/platform/app"
	"github.com/trama-suite/trama/services/platform/config"
	"github.com/trama-suite/trama/services/projects"
	"github.com/trama-suite/trama/services/training"
)

// Gateway is the target that speaks REST; all others are services.
const Gateway = "gateway"

// service makes one service of the suite.
type service struct {
	name string
	make func(ctx context.Context, deps app.Deps, cfg config.Config) (*app.Service, error)
}

// services are the suite's, in the order of their start. The order is for
// tidy logs only: every call waits for the service it needs.
var services = []service{
	{"catalogue", func(ctx context.Context, d app.Deps, c config.Config) (*app.Service, error) {
		return catalogue.New(ctx, d, catalogue.Config{JournalRetention: c.Journal.Retention})
	}},
	{"matching", func(ctx context.Context, d app.Deps, c config.Config) (*app.Service, error) {
		return matching.New(ctx, d, matching.Config{JournalRetention: c.Journal.Retention})
	}},
	{"projects", func(ctx context.Context, d app.Deps, c config.Config) (*app.Service, error) {
		return projects.New(ctx, d, projects.Config{JournalRetention: c.Journal.Retention, TimeZone: c.Location(), MaxFileSize: c.Files.MaxSize})
	}},
	{"training", func(ctx context.Context, d app.Deps, c config.Config) (*app.Service, error) {
		return training.New(ctx, d, training.Config{JournalRetention: c.Journal.Retention})
	}},
	{"impact", func(ctx context.Context, d app.Deps, c config.Config) (*app.Service, error) {
		return impact.New(ctx, d, impact.Config{JournalRetention: c.Journal.Retention})
	}},
}

// Targets returns the names of all targets.
func Targets() []string {
	var out []string
	for _, s := range services {
		out = append(out, s.name)
	}
	return append(out, Gateway)
}

// chosen checks the targets that were asked for; none means all.
func chosen(targets []string) ([]string, error) {
	all := Targets()
	if len(targets) == 0 {
		return all, nil
	}
	for _, t := range targets {
		if !slices.Contains(all, t) {
			return nil, fmt.Errorf("there is no target %q; the targets are %v", t, all)
		}
	}
	return targets, nil
}
