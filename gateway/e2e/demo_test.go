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

// saboteur kills one process after another, with SIGKILL, at fixed places in a
// sequence of calls.
type saboteur struct {
	t     *testing.T
	s     *shape
	calls atomic.Int64
	total int64 // calls of the scenario where nothing fails

	mu     sync.Mutex
	left   []attack
	killed map[string]int // process to the id that it had
}

// attack is one kill: when that many calls in a thousand of the scenario have
// been made.
type attack struct {
	process  string
	permille int64
}

// attacks strike each process while the scenario needs it. Organisations are
// loaded up to 135 ‰ of the calls, entries to 235, matches to 255, projects to
// 330; of the funded project costs and their files to 405 and claims to 455; then
// training up to 975, and impact.
var attacks = []attack{
	{"catalogue", 80}, {"nats", 160}, {"gateway", 210}, {"matching", 240}, {"projects", 390}, {"postgres", 430}, {"training", 700}, {"impact", 985},
}

// RoundTrip implements http.RoundTripper.
func (x *saboteur) RoundTrip(r *http.Request) (*http.Response, error) {
	x.strike(x.calls.Add(1))
	return http.DefaultTransport.RoundTrip(r)
}

func (x *saboteur) strike(call int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.left) == 0 || call < x.left[0].permille*x.total/1000 {
		return
	}
	process := x.left[0].process
	x.left = x.left[1:]
	pid, err := x.s.pid(process)
	x.t.Logf("%s kill %s", time.Now().Format("15:04:05.000"), process)
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
		as := func(subject string) (*rest.Client, error) {
			return &rest.Client{Base: s.base, Token: s.token(t, subject), HTTP: client.HTTP}, nil
		}
		report, err := demo.Run(t.Context(), client, demo.Options{Patience: 2 * time.Minute, As: as, Progress: func(step string) {
			t.Logf("%s %s, after %d calls: %s", time.Now().Format("15:04:05.000"), s.name, x.calls.Load(), step)
		}})
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
	x := &saboteur{t: t, s: split, total: calm.calls.Load(), left: attacks, killed: map[string]int{}}
	parts := load(split, x)

	if whole != parts {
		t.Errorf("one process reports\n%s\nseparate processes\n%s", whole, parts)
	}
	if len(x.killed) != len(attacks) {
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
