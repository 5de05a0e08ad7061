package bus_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/fstest"
	"time"

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

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, serversOwn()...) }

// effects has no unique key: an effect that came twice shows.
var effects = fstest.MapFS{"00001_effects.sql": {Data: []byte(`-- +goose Up
CREATE TABLE effects (
    place     BIGINT NOT NULL CHECK (place BETWEEN 0 AND 1000000),
    consumer  TEXT   NOT NULL,
    event_id  TEXT   NOT NULL,
    aggregate TEXT   NOT NULL,
    version   BIGINT NOT NULL CHECK (version BETWEEN 1 AND 1000000)
);`)}}

// sink is a consumer's effects, and what its handler is told to do first.
type sink struct {
	db     *sqldb.DB
	name   string
	before func(ctx context.Context, env *eventv1.Envelope) error
	landed chan string // ids of committed effects
}

func newSink(db *sqldb.DB, name string) *sink {
	return &sink{db: db, name: name, landed: make(chan string, 10000)}
}

func (s *sink) consumer(source string) bus.Consumer {
	return bus.Consumer{
		Name: s.name, Source: source, DB: s.db, Retry: time.Millisecond,
		Handlers: []bus.Handler{bus.On(s.handle)},
	}
}

func (s *sink) handle(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, _ *wrapperspb.Int64Value) error {
	if s.before != nil {
		if err := s.before(ctx, env); err != nil {
			return err
		}
	}
	var place int64
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM effects WHERE consumer = $1`, s.name).Scan(&place); err != nil {
		return err
	}
	tx.Queue(`INSERT INTO effects (place, consumer, event_id, aggregate, version) VALUES ($1, $2, $3, $4, $5)`,
		place, s.name, env.GetId(), env.GetAggregate(), env.GetAggregateVersion())
	tx.AfterCommit(func() { s.landed <- env.GetId() })
	return nil
}

// await waits for n committed effects.
func (s *sink) await(t *testing.T, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for i := range n {
		select {
		case <-s.landed:
		case <-ctx.Done():
			t.Fatalf("%d effects of %d", i, n)
		}
	}
}

type effect struct {
	id, aggregate string
	version       int64
}

// all returns the effects in the order in which they were made.
func (s *sink) all(t *testing.T) []effect {
	t.Helper()
	var out []effect
	err := s.db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		out = nil
		rows, err := tx.Query(ctx, `SELECT event_id, aggregate, version FROM effects WHERE consumer = $1 ORDER BY place, event_id`, s.name)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var e effect
			if err := rows.Scan(&e.id, &e.aggregate, &e.version); err != nil {
				return err
			}
			out = append(out, e)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// checkOnce checks that each of the envelopes had its effect once, and that
// nothing else had.
func (s *sink) checkOnce(t *testing.T, envelopes []*eventv1.Envelope) {
	t.Helper()
	times := map[string]int{}
	for _, e := range s.all(t) {
		times[e.id]++
	}
	for _, env := range envelopes {
		if n := times[env.GetId()]; n != 1 {
			t.Errorf("%s had its effect %d times", env.GetId(), n)
		}
		delete(times, env.GetId())
	}
	if len(times) > 0 {
		t.Errorf("effects of events that were not published: %v", times)
	}
}

// checkOrder checks that each aggregate's versions came in order.
func (s *sink) checkOrder(t *testing.T) {
	t.Helper()
	last := map[string]int64{}
	for _, e := range s.all(t) {
		if e.version <= last[e.aggregate] {
			t.Errorf("%s: version %d after %d", e.aggregate, e.version, last[e.aggregate])
		}
		last[e.aggregate] = e.version
	}
}

// consume runs a consumer until the function that it returns is called, or the
// test ends.
func consume(t *testing.T, b *bus.Bus, c bus.Consumer) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Consume(ctx, c) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Consume: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// events makes n events of some aggregates, versions in order.
func events(from, n, aggregates int) []outbox.Event {
	out := make([]outbox.Event, n)
	for i := range n {
		k := from + i
		out[i] = outbox.Event{
			Aggregate: fmt.Sprintf("things/%d", k%aggregates), Version: int64(k/aggregates + 1),
			Time: time.Date(2026, 1, 5, 8, 0, 0, k*1000, time.UTC), Data: wrapperspb.Int64(int64(k)),
		}
	}
	return out
}

// eventually waits until a condition holds that nothing announces.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // longer than the server waits for an ack
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

// settled waits until the consumer has answered for everything.
func settled(t *testing.T, b *bus.Bus, consumer, source string) {
	t.Helper()
	var lag bus.Lag
	defer func() {
		if t.Failed() {
			t.Logf("lag of %s: %+v", consumer, lag)
		}
	}()
	eventually(t, consumer+" settles all events of "+source, func() bool {
		var err error
		if lag, err = b.Lag(t.Context(), consumer, source); err != nil {
			t.Fatal(err)
		}
		return lag == bus.Lag{}
	})
}

func connect(t *testing.T, n *testkit.NATS) *bus.Bus {
	t.Helper()
	b, err := bus.Connect(t.Context(), bus.Config{URL: n.URL(), Log: testkit.Log(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

var errPassing = errors.New("out of sorts")
