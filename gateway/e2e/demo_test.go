package e2e

import (
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/trama-suite/trama/gateway/demo"
	"github.com/trama-suite/trama/gateway/rest"
)

// saboteur kills one process after another, with SIGKILL, at even distances in a
// sequence of calls.
type saboteur struct {
	t     *testing.T
	s     *shape
	every int64 // calls between two kills
	calls atomic.Int64

	mu     sync.Mutex
	left   []string
	killed map[string]int // process to the id that it had
}

// RoundTrip implements http.RoundTripper.
func (x *saboteur) RoundTrip(r *http.Request) (*http.Response, error) {
	if n := x.calls.Add(1); x.every > 0 && n%x.every == 0 {
		x.strike()
	}
	return http.DefaultTransport.RoundTrip(r)
}

func (x *saboteur) strike() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.left) == 0 {
		return
	}
	process := x.left[0]
	x.left = x.left[1:]
	pid, err := x.s.pid(process)
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil {
		x.t.Errorf("kill %s: %v", process, err)
		return
	}
	x.killed[process] = pid
}

// TestDemoIsTheSameInBothShapes: the scenario, loaded into one process, and into
// separate processes each of which is killed once meanwhile, gives one report,
// and it says what the sources say.
func TestDemoIsTheSameInBothShapes(t *testing.T) {
	load := func(s *shape, x *saboteur) string {
		t.Helper()
		client := &rest.Client{Base: s.base, Token: s.operator(t).Token, HTTP: &http.Client{Transport: x, Timeout: time.Minute}}
		report, err := demo.Run(t.Context(), client, demo.Options{Patience: 2 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range report.Differences() {
			t.Errorf("%s, %s: the sources say %s, the platform %s", s.name, d.What, d.Source, d.Platform)
		}
		until(t, "all checks to be well", func() bool { return len(s.failing(t)) == 0 })
		return report.String()
	}

	one, err := runOne(filepath.Join(work, "demo one"))
	if err != nil {
		t.Fatal(err)
	}
	defer one.stop()
	calm := &saboteur{t: t, s: one}
	whole := load(one, calm)

	split, err := runSplit(filepath.Join(work, "demo-split"))
	if err != nil {
		t.Fatal(err)
	}
	defer split.stop()
	processes := append([]string{"nats", "postgres", "gateway"}, services...)
	x := &saboteur{t: t, s: split, every: calm.calls.Load() / int64(len(processes)+1), left: processes, killed: map[string]int{}}
	parts := load(split, x)

	if whole != parts {
		t.Errorf("one process reports\n%s\nseparate processes\n%s", whole, parts)
	}
	if len(x.killed) != len(processes) {
		t.Errorf("only %v were killed", x.killed)
	}
	for process, was := range x.killed {
		if now, err := split.pid(process); err != nil || now == was {
			t.Errorf("%s runs as %d, was %d (%v): it was not started again", process, now, was, err)
		}
	}
	// Once more, undisturbed: everything is there already, and counts once.
	if again := load(split, &saboteur{t: t, s: split}); again != whole {
		t.Errorf("loaded again it reports\n%s\nfirst it was\n%s", again, whole)
	}
}
