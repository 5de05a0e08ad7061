package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/trama-suite/trama/gateway"
)

type doctorCommand struct {
	URLs []string `arg:"" optional:"" name:"url" help:"HTTP addresses of the processes to look at (default: the configured one)."`
}

// Run checks the configuration and asks each process for its checks: database,
// schema, stream, outbox, dead letters and each service's own. It fails where
// one check does, and where a process does not answer.
func (c doctorCommand) Run(ctx context.Context, g globals) error {
	cfg, err := g.load(nil)
	if err != nil {
		return err
	}
	fmt.Println("configuration  ok")
	if len(c.URLs) == 0 {
		c.URLs = []string{cfg.HTTP}
	}
	var failures int
	for _, url := range c.URLs {
		if !strings.Contains(url, "://") {
			url = "http://" + url
		}
		n, err := examine(ctx, url)
		if err != nil {
			fmt.Printf("%s  does not answer: %v\n", url, err)
			n = 1
		}
		failures += n
	}
	if failures > 0 {
		return fmt.Errorf("%d checks failed", failures)
	}
	fmt.Println("all is well")
	return nil
}

// examine prints the checks of one process and returns how many failed.
func examine(ctx context.Context, url string) (failed int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(url, "/")+"/checks", nil)
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	var answer struct {
		Checks []gateway.CheckResult `json:"checks"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || res.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s: no list of checks (%w)", res.Status, err)
	}
	fmt.Println(url)
	table := tabwriter.NewWriter(os.Stdout, 2, 0, 2, ' ', 0)
	for _, c := range answer.Checks {
		outcome := "ok"
		if !c.OK {
			outcome = "FAILED: " + c.Detail
			failed++
		}
		if _, err := fmt.Fprintf(table, "  %s\t%s\n", c.Name, outcome); err != nil {
			return failed, err
		}
	}
	return failed, table.Flush()
}
