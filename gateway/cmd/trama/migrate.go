package main

import (
	"context"
	"fmt"

	"github.com/trama-suite/trama/gateway/suite"
)

type migrateCommand struct {
	Targets []string `arg:"" optional:"" help:"Services; without any, all of them."`
}

// Run brings the databases up to date. `trama serve` does so too; this is for
// deployments that want it as a step of its own.
func (c migrateCommand) Run(ctx context.Context, g globals) error {
	cfg, err := g.load(c.Targets)
	if err != nil {
		return err
	}
	return suite.Migrate(ctx, cfg, func(service string, version int64) {
		fmt.Printf("%-10s schema version %d\n", service, version)
	})
}
