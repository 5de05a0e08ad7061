package testkit

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	"github.com/trama-suite/trama/services/platform/outbox"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Events waits until every event in the service's journal has been published,
// and returns them all, in the order in which they were. For one event among
// others see AwaitEvent with env.Followed.
func (e *Env) Events() []Published {
	e.t.Helper()
	var journalled int
	err := e.DB.Read(e.t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, "SELECT count(*) FROM outbox").Scan(&journalled)
	})
	if err != nil {
		e.t.Fatalf("counting journalled events: %v", err)
	}
	return e.Followed.Await(journalled)
}

// EventsOf returns the data of the events of one type among env.Events.
func EventsOf[M proto.Message](e *Env) []M {
	e.t.Helper()
	var out []M
	for _, p := range e.Events() {
		if m, ok := p.Data.(M); ok {
			out = append(out, m)
		}
	}
	return out
}

// Publish publishes an event as another service does, at the env's time and in
// its region, and returns its envelope. It does not wait for an effect: see
// Apply.
func (e *Env) Publish(service, aggregate string, version int64, data proto.Message) *eventv1.Envelope {
	e.t.Helper()
	return e.PublishEvent(service, outbox.Event{Aggregate: aggregate, Version: version, Data: data})
}

// PublishEvent is Publish for an event with an owner or a licence.
func (e *Env) PublishEvent(service string, event outbox.Event) *eventv1.Envelope {
	e.t.Helper()
	if event.Time.IsZero() {
		event.Time = e.Clock.Now()
	}
	return Publish(e.t, e.Bus, service, event)[0]
}

// Apply publishes an event as another service does and waits until this
// service has committed its effect. An event that the service has no handler
// for, or whose handler refuses it, fails the test.
func (e *Env) Apply(service, aggregate string, version int64, data proto.Message) {
	e.t.Helper()
	e.WaitApplied(e.Publish(service, aggregate, version, data))
}

// WaitApplied waits until this service has committed the effect of an event.
func (e *Env) WaitApplied(env *eventv1.Envelope) {
	e.t.Helper()
	e.Until("the effect of "+env.GetId(), func() bool {
		var n int
		err := e.DB.Read(e.t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			return tx.QueryRow(ctx, "SELECT count(*) FROM inbox WHERE event_id = $1", env.GetId()).Scan(&n)
		})
		if err != nil {
			e.t.Fatalf("reading the inbox: %v", err)
		}
		return n > 0
	})
}

// Until asks again and again until the condition holds, and fails the test
// where it does not in a while. What says what is waited for.
func (e *Env) Until(what string, condition func() bool) {
	e.t.Helper()
	deadline := time.After(patience)
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for !condition() {
		select {
		case <-again.C:
		case <-deadline:
			e.t.Fatalf("waited %s in vain for %s", patience, what)
		}
	}
}
