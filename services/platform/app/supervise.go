package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// Times of supervision.
const (
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 30 * time.Second
	// steady is how long a loop must have run for its next failure to count as
	// a first one.
	steady = time.Minute
	// checkTimeout bounds one check.
	checkTimeout = 3 * time.Second
)

// App is the running parts of a process. Add parts in the order in which they
// depend on each other; Stop goes through them backwards.
type App struct {
	log *slog.Logger

	mu      sync.Mutex
	stops   []part
	checks  []Check
	stopped bool
}

type part struct {
	name string
	stop func(ctx context.Context) error
}

// New returns an app without parts.
func New(log *slog.Logger) *App { return &App{log: log} }

// OnStop adds a part that has been started, with how to stop it. The context of
// stop ends when the time for stopping is up.
func (a *App) OnStop(name string, stop func(ctx context.Context) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stops = append(a.stops, part{name: name, stop: stop})
}

// Start starts a service's loops and adds its checks, both under its name. What
// Register registers must be served by then.
func (a *App) Start(s *Service) {
	for _, c := range s.Checks {
		a.Check(Check{Name: s.Name + ": " + c.Name, Run: c.Run})
	}
	for _, l := range s.Loops {
		a.Go(Loop{Name: s.Name + ": " + l.Name, Run: l.Run})
	}
}

// Go starts a loop and supervises it: a failure or a panic is logged and the
// loop starts again, after 100 ms at first, twice as long after each further
// failure, 30 s at most.
func (a *App) Go(loop Loop) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		supervise(ctx, a.log, loop)
	}()
	a.OnStop(loop.Name, func(deadline context.Context) error {
		cancel()
		select {
		case <-done:
			return nil
		case <-deadline.Done():
			return fmt.Errorf("loop %q did not end in time", loop.Name)
		}
	})
}

func supervise(ctx context.Context, log *slog.Logger, loop Loop) {
	backoff := firstBackoff
	for {
		started := time.Now()
		err := runOnce(ctx, loop)
		if ctx.Err() != nil || err == nil {
			return
		}
		if time.Since(started) >= steady {
			backoff = firstBackoff
		}
		log.LogAttrs(ctx, slog.LevelError, "loop failed, it starts again",
			slog.String("loop", loop.Name), slog.Any("error", err), slog.Duration("after", backoff))
		// Up to a quarter more, so that loops that fail together (the database
		// is down) do not all come back at the same instant.
		wait := time.NewTimer(backoff + rand.N(backoff/4))
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
		}
		backoff = min(backoff*2, lastBackoff)
	}
}

// runOnce runs a loop and turns a panic into an error.
func runOnce(ctx context.Context, loop Loop) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return loop.Run(ctx)
}

// Check adds a check.
func (a *App) Check(c Check) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.checks = append(a.checks, c)
}

// Result is the outcome of one check.
type Result struct {
	// Name of the check, with its service: "catalogue: database".
	Name string
	// Err is what is wrong; nil where nothing is.
	Err error
	// Took is how long the check ran.
	Took time.Duration
}

// Ready runs all checks at once, each with a few seconds at most, and returns
// the outcomes in the order in which the checks were added, and whether all is
// well. A process that is stopping is not ready.
func (a *App) Ready(ctx context.Context) ([]Result, bool) {
	a.mu.Lock()
	checks, stopped := slices.Clone(a.checks), a.stopped
	a.mu.Unlock()
	results := make([]Result, len(checks))
	var wg sync.WaitGroup
	for i, c := range checks {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, checkTimeout)
			defer cancel()
			started := time.Now()
			err := runOnce(ctx, Loop(c))
			results[i] = Result{Name: c.Name, Err: err, Took: time.Since(started)}
		})
	}
	wg.Wait()
	well := !stopped && !slices.ContainsFunc(results, func(r Result) bool { return r.Err != nil })
	return results, well
}

// Stop stops all parts in the reverse order of their start. A part that fails
// or does not end before the context does is logged and the next one stopped,
// so that nothing is left running for want of another's manners. It returns
// what went wrong; a second Stop does nothing.
func (a *App) Stop(ctx context.Context) error {
	a.mu.Lock()
	stops := a.stops
	a.stops, a.stopped = nil, true
	a.mu.Unlock()
	var failures []error
	for _, p := range slices.Backward(stops) {
		if err := runOnce(ctx, Loop{Name: p.name, Run: p.stop}); err != nil {
			a.log.LogAttrs(ctx, slog.LevelError, "part did not stop cleanly",
				slog.String("part", p.name), slog.Any("error", err))
			failures = append(failures, fmt.Errorf("%s: %w", p.name, err))
		}
	}
	return errors.Join(failures...)
}
