package outbox_test

import (
	"context"
	"flag"
	"fmt"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/types/known/wrapperspb"

	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/outbox"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

// serversOwn are goroutines that a NATS server leaves behind where a stream is
// made while it stops: the file store's flusher and its clock. What is held to
// account here is our own.
func serversOwn() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.(*fileStore).flushStreamStateLoop"),
		goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server/ats.Register.func1"),
	}
}

func TestMain(m *testing.M) {
	// A story takes servers and databases: a few of them for each run, more with
	// the flag.
	if err := flag.Set("rapid.checks", "15"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, serversOwn()...)
}

// counts has a row for each effect of a consumer, and no unique key: an effect
// that came twice shows.
var counts = fstest.MapFS{"00001_counts.sql": {Data: []byte(`-- +goose Up
CREATE TABLE counts (event_id TEXT NOT NULL);`)}}

// add commits events first … first+n-1 of some aggregates, each in its own
// transaction.
func add(t testing.TB, db *sqldb.DB, o *outbox.Outbox, first, n, aggregates int) {
	t.Helper()
	for k := first; k < first+n; k++ {
		err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			return o.Add(ctx, tx, event(k, aggregates))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func event(k, aggregates int) outbox.Event {
	return outbox.Event{
		Aggregate: fmt.Sprintf("things/%d", k%aggregates), Version: int64(k/aggregates + 1),
		Time: time.Now(), Data: wrapperspb.Int64(int64(k)),
	}
}

func id(k, aggregates int) string {
	e := event(k, aggregates)
	return fmt.Sprintf("training/%s/%d", e.Aggregate, e.Version)
}

// relay runs a relay until the function that it returns is called, or the test
// ends.
func relay(t testing.TB, o *outbox.Outbox, b *bus.Bus, cfg outbox.RelayConfig) (stop func()) {
	t.Helper()
	cfg.Log = testkit.Log(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- o.Relay(b, cfg).Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// counter is a consumer that notes every effect.
type counter struct {
	db     *sqldb.DB
	name   string
	landed chan string
}

func newCounter(db *sqldb.DB, name string) *counter {
	return &counter{db: db, name: name, landed: make(chan string, 100000)}
}

func (c *counter) consume(t testing.TB, b *bus.Bus) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	consumer := bus.Consumer{Name: c.name, Source: "training", DB: c.db, Handlers: []bus.Handler{bus.On(
		func(_ context.Context, tx *sqldb.Tx, env *eventv1.Envelope, _ *wrapperspb.Int64Value) error {
			tx.Queue(`INSERT INTO counts (event_id) VALUES ($1)`, env.GetId())
			tx.AfterCommit(func() { c.landed <- env.GetId() })
			return nil
		})}}
	go func() { done <- b.Consume(ctx, consumer) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Consume: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func (c *counter) await(t testing.TB, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for i := range n {
		select {
		case <-c.landed:
		case <-ctx.Done():
			t.Fatalf("%d effects of %d", i, n)
		}
	}
}

// checkOnce checks that the first n events had their effect, once.
func (c *counter) checkOnce(t testing.TB, n, aggregates int) {
	t.Helper()
	times := map[string]int{}
	err := c.db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT event_id FROM counts`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			times[id]++
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	for k := range n {
		if times[id(k, aggregates)] != 1 {
			t.Errorf("%s had its effect %d times", id(k, aggregates), times[id(k, aggregates)])
		}
	}
	if len(times) != n {
		t.Errorf("%d events had an effect, want %d", len(times), n)
	}
}

// eventually waits until a condition holds that nothing announces.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("in vain: %s", what)
		}
	}
}

// drained waits until everything is published and marked.
func drained(t testing.TB, o *outbox.Outbox) {
	t.Helper()
	eventually(t, "the outbox is empty", func() bool {
		lag, err := o.Lag(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return lag.Count == 0
	})
}

// journal returns how many events the journal has.
func journal(t testing.TB, db *sqldb.DB) (n int64) {
	t.Helper()
	err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM outbox`).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func connect(t testing.TB, n *testkit.NATS) *bus.Bus {
	t.Helper()
	b, err := bus.Connect(t.Context(), bus.Config{URL: n.URL(), Log: testkit.Log(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// published returns the ids in the stream, in its order.
func published(t testing.TB, js jetstream.JetStream) []string {
	t.Helper()
	s, err := js.Stream(t.Context(), bus.StreamName("training"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for seq := range s.CachedInfo().State.LastSeq {
		m, err := s.GetMsg(t.Context(), seq+1)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m.Header.Get("Nats-Msg-Id"))
	}
	return out
}
