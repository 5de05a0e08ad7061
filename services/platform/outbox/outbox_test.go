package outbox_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/outbox"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

func TestEnvelope(t *testing.T) {
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{0x0a, 15: 0xff}, SpanID: trace.SpanID{0x01}, TraceFlags: trace.FlagsSampled,
	}))
	at := time.Date(2026, 3, 29, 3, 0, 0, 1500, time.FixedZone("CEST", 7200))
	env, err := outbox.Event{
		Aggregate: "needs/1", Version: 3, Owner: "organisations/2", Licence: "CC-BY-4.0", Time: at, Data: wrapperspb.String("x"),
	}.Envelope(ctx, "catalogue", "it-21")
	if err != nil {
		t.Fatal(err)
	}
	for field, pair := range map[string][2]string{
		"id":          {env.GetId(), "catalogue/needs/1/3"},
		"service":     {env.GetService(), "catalogue"},
		"aggregate":   {env.GetAggregate(), "needs/1"},
		"owner":       {env.GetOwner(), "organisations/2"},
		"region":      {env.GetRegion(), "it-21"},
		"licence":     {env.GetLicence(), "CC-BY-4.0"},
		"event_time":  {env.GetEventTime().AsTime().Format(time.RFC3339Nano), "2026-03-29T01:00:00.000001Z"},
		"traceparent": {env.GetTraceparent(), "00-0a0000000000000000000000000000ff-0100000000000000-01"},
		"data":        {string(env.GetData().MessageName()), "google.protobuf.StringValue"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s = %q, want %q", field, pair[0], pair[1])
		}
	}
	plain, err := event(0, 1).Envelope(t.Context(), "catalogue", "it-21")
	if err != nil {
		t.Fatal(err)
	}
	if plain.GetTraceparent() != "" || plain.GetLicence() != outbox.Internal {
		t.Errorf("traceparent %q, licence %q", plain.GetTraceparent(), plain.GetLicence())
	}
}

func TestWrongEventsAreRefused(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "training", nil)
		o := outbox.New(db, "training", "it-21")
		for want, spoil := range map[string]func(e *outbox.Event){
			"aggregate": func(e *outbox.Event) { e.Aggregate = "" },
			"version":   func(e *outbox.Event) { e.Version = 0 },
			"time":      func(e *outbox.Event) { e.Time = time.Time{} },
			"data":      func(e *outbox.Event) { e.Data = nil },
		} {
			e := event(0, 1)
			spoil(&e)
			err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return o.Add(ctx, tx, e) })
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("without %s: %v", want, err)
			}
		}
		add(t, db, o, 0, 1, 1)
		err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return o.Add(ctx, tx, event(0, 1)) })
		if !sqldb.IsUnique(err) {
			t.Errorf("a second event of the same version: %v", err)
		}
		broken := errors.New("the rule says no")
		err = db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			return errors.Join(o.Add(ctx, tx, event(1, 1)), broken)
		})
		if !errors.Is(err, broken) {
			t.Error(err)
		}
		if n := journal(t, db); n != 1 {
			t.Errorf("the journal has %d events", n)
		}
		lag, err := o.Lag(t.Context())
		if err != nil || lag.Count != 1 || lag.Age <= 0 || lag.Age > time.Minute {
			t.Errorf("lag %+v, %v", lag, err)
		}
	})
}

// An event that no stream takes must not get into the journal, where it would
// hold up the relay for ever; the largest that does get in is published.
func TestAnEventIsNotLargerThanAStreamTakes(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "training", nil)
		o := outbox.New(db, "training", "it-21")
		large := func(version int64, size int) outbox.Event {
			e := event(0, 1)
			e.Version = version
			e.Data = wrapperspb.String(strings.Repeat("x", size))
			return e
		}
		put := func(e outbox.Event) error {
			return db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return o.Add(ctx, tx, e) })
		}
		if err := put(large(1, outbox.MaxSize)); errs.KindOf(err) != errs.Invalid {
			t.Errorf("an event above the bound: %v", err)
		}
		if n := journal(t, db); n != 0 {
			t.Errorf("the journal has %d events", n)
		}
		if err := put(large(1, outbox.MaxSize-300)); err != nil {
			t.Fatal(err)
		}
		if err := put(large(2, 1)); err != nil {
			t.Fatal(err)
		}
		for _, read := range []struct {
			limit, bytes, want int
			more               bool
		}{{10, 1 << 30, 2, false}, {1, 1 << 30, 1, true}, {10, 1000, 1, true}} {
			if n, more, err := o.Unpublished(t.Context(), read.limit, read.bytes); n != read.want || more != read.more || err != nil {
				t.Errorf("reading %+v gave %d, more %t, %v", read, n, more, err)
			}
		}
		relay(t, o, testkit.Bus(t), outbox.RelayConfig{})
		drained(t, o)
	})
}
