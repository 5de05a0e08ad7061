package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/trama-suite/trama/gateway/demo"
)

type demoCommand struct {
	clientFlags

	ReportOnly bool          `help:"Load nothing: report on the scenario that is there."`
	Patience   time.Duration `help:"How long to wait for a server that does not answer, and for the effects of events." default:"90s"`
	Bodies     string        `help:"Folder with 5x1000-it-2022/cinque_per_mille.zip, imported once the scenario is there." env:"TRAMA_DATA_DIR" placeholder:"DIR"`
}

// Run loads the scenario, prints the report and, where the data is at hand,
// imports the Italian five-per-mille bodies. A figure that differs from the
// sources is a failure.
func (c demoCommand) Run(ctx context.Context, g globals) error {
	client, err := c.client(g)
	if err != nil {
		return err
	}
	people, err := c.people(g)
	if err != nil {
		return err
	}
	if people == nil {
		fmt.Fprintln(os.Stderr, "the funded project is left out: who submits a claim may not control it, and there is one token only")
	}
	start := time.Now()
	report, err := demo.Run(ctx, client, demo.Options{
		ReportOnly: c.ReportOnly, Patience: c.Patience, As: people,
		Progress: func(step string) { fmt.Fprintf(os.Stderr, "%6.1f s  %s\n", time.Since(start).Seconds(), step) },
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%6.1f s  done\n", time.Since(start).Seconds())
	fmt.Print(report)
	if n := len(report.Differences()); n > 0 {
		return fmt.Errorf("%d figures are not what the sources say", n)
	}
	if c.Bodies == "" || c.ReportOnly {
		return nil
	}
	imported, err := demo.ImportBodies(ctx, client, filepath.Join(c.Bodies, "5x1000-it-2022", "cinque_per_mille.zip"))
	if err != nil {
		return err
	}
	fmt.Print(imported)
	return nil
}
