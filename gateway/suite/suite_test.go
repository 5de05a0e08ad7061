package suite

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trama-suite/trama/gateway"
	"github.com/trama-suite/trama/services/platform/config"
)

func local(t *testing.T, targets ...string) config.Config {
	t.Helper()
	cfg := config.Default()
	cfg.Targets, cfg.DataDir, cfg.HTTP, cfg.GRPC, cfg.LogLevel = targets, t.TempDir(), "127.0.0.1:0", "127.0.0.1:0", "error"
	return cfg
}

func start(t *testing.T, cfg config.Config) *Suite {
	t.Helper()
	s, err := Start(t.Context(), cfg, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t *testing.T, s *Suite) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// awaitReady waits until /readyz says so: an index may have to be built first.
func awaitReady(t *testing.T, s *Suite) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var last string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-tick.C {
		res, err := http.Get("http://" + s.HTTP + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if last = res.Status; res.StatusCode == http.StatusOK {
			return
		}
	}
	t.Errorf("/readyz: %s", last)
}

// checks returns what /checks says, by name.
func checks(t *testing.T, s *Suite) map[string]gateway.CheckResult {
	t.Helper()
	res, err := http.Get("http://" + s.HTTP + "/checks")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct{ Checks []gateway.CheckResult }
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	out := map[string]gateway.CheckResult{}
	for _, c := range answer.Checks {
		if _, twice := out[c.Name]; twice {
			t.Errorf("check %q twice", c.Name)
		}
		out[c.Name] = c
	}
	return out
}

func TestTheWholeSuiteInOneProcess(t *testing.T) {
	cfg := local(t)
	s := start(t, cfg)
	awaitReady(t, s)
	found := checks(t, s)
	for _, name := range []string{"NATS: JetStream", "catalogue: database", "matching: schema", "projects: outbox", "training: seats", "impact: dead letters"} {
		if c, ok := found[name]; !ok || !c.OK {
			t.Errorf("check %q: %+v", name, c)
		}
	}
	for path, want := range map[string]int{"/readyz": 200, "/healthz": 200, "/status": 200, "/metrics": 200, "/openapi.json": 200, "/docs/": 200, "/v1/me": 401} {
		res, err := http.Get("http://" + s.HTTP + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %s", path, res.Status)
		}
	}

	// The folder belongs to one process at a time.
	if second, err := Start(t.Context(), cfg, "test"); err == nil {
		stop(t, second)
		t.Error("a second process opened the same folder")
	}
	stop(t, s)
	again := start(t, cfg)
	if c := checks(t, again)["catalogue: database"]; !c.OK {
		t.Errorf("after a restart: %+v", c)
	}
}

// One target alone starts without the others: it waits for them when it needs
// them.
func TestOneTargetAlone(t *testing.T) {
	for _, target := range Targets() {
		t.Run(target, func(t *testing.T) {
			s := start(t, local(t, target))
			if (s.GRPC == "") != (target == Gateway) {
				t.Errorf("gRPC at %q", s.GRPC)
			}
			awaitReady(t, s)
		})
	}
}

func TestWhatDoesNotStart(t *testing.T) {
	unknown := local(t, "catalog")
	if _, err := Start(t.Context(), unknown, "test"); err == nil || !strings.Contains(err.Error(), `no target "catalog"`) {
		t.Errorf("an unknown target: %v", err)
	}
	taken := local(t, "matching")
	first := start(t, taken)
	busy := local(t, "matching")
	busy.HTTP = first.HTTP
	if _, err := Start(t.Context(), busy, "test"); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("an address that is taken: %v", err)
	}
	// What had been started before the failure has been stopped: the same
	// folder can be opened again.
	busy.HTTP = "127.0.0.1:0"
	start(t, busy)
}

func TestMigrate(t *testing.T) {
	cfg := local(t)
	var migrated []string
	for range 2 {
		migrated = nil
		err := Migrate(t.Context(), cfg, func(service string, version int64) {
			if version < 1 {
				t.Errorf("%s is at version %d", service, version)
			}
			migrated = append(migrated, service)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := Targets()[:5]; !slices.Equal(migrated, want) {
		t.Errorf("migrated %v, want %v", migrated, want)
	}
	if _, err := http.Get("http://" + cfg.HTTP); err == nil {
		t.Error("something is served")
	}
}
