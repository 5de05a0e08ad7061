package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/trama-suite/trama/gateway/suite"
	"github.com/trama-suite/trama/services/platform/config"
)

// stopTime is how long the parts of a process have to stop.
const stopTime = 20 * time.Second

type serveCommand struct {
	Targets []string `arg:"" optional:"" help:"Any of: catalogue, matching, projects, training, impact, gateway."`
}

// Run serves until a signal comes.
func (c serveCommand) Run(ctx context.Context, g globals) error {
	cfg, err := g.load(c.Targets)
	if err != nil {
		return err
	}
	suite.TuneGarbage()
	began := time.Now()
	s, err := suite.Start(ctx, cfg, version)
	if err != nil {
		return err
	}
	announce(s, cfg, time.Since(began))
	<-ctx.Done()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	return s.Stop(stopping)
}

// announce says what was started, where, and what to try next. It goes to
// standard output; the log goes to standard error.
func announce(s *suite.Suite, cfg config.Config, took time.Duration) {
	var b strings.Builder
	fmt.Fprintf(&b, "Trama %s is ready after %d ms\n", version, took.Milliseconds())
	fmt.Fprintf(&b, "  targets   %s\n", strings.Join(s.Targets, " "))
	fmt.Fprintf(&b, "  HTTP      http://%s\n", s.HTTP)
	if s.GRPC != "" {
		fmt.Fprintf(&b, "  gRPC      %s\n", s.GRPC)
	}
	storage, events := "SQLite in "+cfg.DataDir, "NATS JetStream in this process"
	if cfg.Database != "" {
		storage = "as configured"
	}
	if cfg.NATS != "" {
		events = "NATS as configured"
	}
	fmt.Fprintf(&b, "  storage   %s\n  events    %s\n  region    %s\n", storage, events, cfg.Region)
	if s.LocalIssuer {
		fmt.Fprintf(&b, "  tokens    this deployment mints its own: no OpenID Connect issuer is configured\n")
	} else {
		fmt.Fprintf(&b, "  tokens    from %s\n", cfg.Auth.Issuer)
	}
	if s.Runs(suite.Gateway) {
		fmt.Fprintf(&b, `
Try next
  http://%[1]s/docs
      the API, to read and to try
  %[2]s token --as network-operator
      a token to try it with
  %[2]s demo
      loads the demonstration network and prints its report
  %[2]s doctor
      says whether all is well
`, s.HTTP, os.Args[0])
	}
	fmt.Print(b.String())
}
