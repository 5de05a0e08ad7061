// Package demo loads the demonstration scenario through the public REST API
// and reports what the network then looks like. The scenario is written from
// the public texts about the projects I3S, DigiCompSoc, DO Impact and POSITIVE:
// organisations and titles that they name are real; where they give only a
// number, the entries are generated and plainly marked as samples.
//
// Loading can be repeated, interrupted and repeated again: everything has a
// natural key that is looked up first, and everything that is created or
// changed is sent with an idempotency key that is always the same.
package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trama-suite/trama/gateway/rest"
)

// Options of a run.
type Options struct {
	// ReportOnly loads nothing: the scenario must be there.
	ReportOnly bool
	// Patience is how long one call is repeated against a server that does not
	// answer, and how long the effects of events are awaited. 0: 90 seconds.
	Patience time.Duration
	// As returns a client that calls as one of the scenario's people, whom the
	// loading makes members of their organisations. Who submits a claim may not
	// control it: where it is nil the funded project is left out.
	As func(subject string) (*rest.Client, error)
	// Progress, which may be nil, is told each step as it begins.
	Progress func(step string)
}

// Run loads the scenario and reports. The report depends on nothing but the
// scenario: not on ids, times, or the shape in which the suite runs.
func Run(ctx context.Context, client *rest.Client, opt Options) (*Report, error) {
	if opt.Patience == 0 {
		opt.Patience = 90 * time.Second
	}
	if opt.Progress == nil {
		opt.Progress = func(string) {}
	}
	l := &loader{client: client, patience: opt.Patience, progress: opt.Progress, people: opt.As}
	w := newWorld()
	if !opt.ReportOnly {
		for _, step := range []struct {
			title string
			load  func(context.Context, *world) error
		}{
			{"organisations", l.organisations},
			{"needs, solutions, services, ideas, job profiles and events", l.entries},
			{"matches", l.matches},
			{"projects", l.projects},
			{"funded project", l.funded},
			{"ideas on their way", l.ideasAdvance},
			{"training", l.training},
			{"impact", l.impact},
		} {
			opt.Progress(step.title)
			if err := step.load(ctx, w); err != nil {
				return nil, fmt.Errorf("%s: %w", step.title, err)
			}
		}
	}
	if opt.ReportOnly {
		have, err := l.listOrganisations(ctx)
		if err != nil {
			return nil, err
		}
		if len(have) < len(organisationsOf()) {
			return nil, errors.New("the scenario is not there, or not all of it: load it first")
		}
		if project, err := l.findFunded(ctx); err != nil {
			return nil, err
		} else if project == nil {
			l.people = nil // it was loaded without
		}
	}
	opt.Progress("effects of events")
	if err := l.await(ctx); err != nil {
		return nil, fmt.Errorf("effects of events: %w", err)
	}
	return l.report(ctx)
}

// world holds the resource names of what is loaded, by the scenario's keys.
type world struct {
	organisations map[string]string
	needs         map[string]string
	ideas         map[string]string
	projects      map[string]string
	matches       map[string]string // by need
}

func newWorld() *world {
	return &world{
		organisations: map[string]string{}, needs: map[string]string{}, ideas: map[string]string{},
		projects: map[string]string{}, matches: map[string]string{},
	}
}
