package testkit

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/outbox"
)

// patience is how long a test waits for an event before it fails.
const patience = 10 * time.Second

// Bus starts an embedded NATS server with streams in a temporary folder and
// stops it at the end of the test. What it logs from warnings on goes to the
// test's log.
func Bus(t testing.TB) *bus.Bus {
	t.Helper()
	b, err := bus.Embedded(bus.Config{StoreDir: t.TempDir(), Log: Log(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// Log returns a logger whose warnings and errors are shown with the test's
// output.
func Log(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// Publish publishes events as if a service's relay had done it, and returns
// their envelopes.
func Publish(t testing.TB, b *bus.Bus, service string, events ...outbox.Event) []*eventv1.Envelope {
	t.Helper()
	envelopes := make([]*eventv1.Envelope, len(events))
	messages := make([]bus.Message, len(events))
	for i, e := range events {
		if e.Time.IsZero() {
			e.Time = time.Now()
		}
		env, err := e.Envelope(t.Context(), service, "it-21")
		if err != nil {
			t.Fatal(err)
		}
		data, err := proto.Marshal(env)
		if err != nil {
			t.Fatal(err)
		}
		envelopes[i] = env
		messages[i] = bus.Message{Subject: bus.Subject(service, e.Data), ID: env.GetId(), Data: data}
	}
	if _, err := b.Stream(t.Context(), service); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Publish(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
	return envelopes
}

// Events collects what a service publishes.
type Events struct {
	t       testing.TB
	service string

	mu   sync.Mutex
	all  []Published
	more chan struct{} // closed when another has come
}

// Published is an event that was published.
type Published struct {
	Envelope *eventv1.Envelope
	Data     proto.Message
}

// Follow collects what a service publishes from now to the end of the test.
func Follow(t testing.TB, b *bus.Bus, service string) *Events {
	t.Helper()
	e := &Events{t: t, service: service, more: make(chan struct{})}
	if err := b.Watch(t.Context(), service, e.add); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *Events) add(env *eventv1.Envelope, data proto.Message) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, Published{env, data})
	close(e.more)
	e.more = make(chan struct{})
}

// All returns what has come so far.
func (e *Events) All() []Published {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.all[:len(e.all):len(e.all)]
}

// Await waits until n events have come and returns them. The test fails where
// they do not come.
func (e *Events) Await(n int) []Published {
	e.t.Helper()
	var got []Published
	e.wait(fmt.Sprintf("%d events", n), func(all []Published) bool {
		got = all
		return len(all) >= n
	})
	return got
}

// AwaitEvent waits for the first event whose data is an M that match accepts
// (nil accepts any), among those that have come already and those to come. The
// test fails where none does.
func AwaitEvent[M proto.Message](e *Events, match func(env *eventv1.Envelope, m M) bool) (*eventv1.Envelope, M) {
	e.t.Helper()
	var zero, data M
	var env *eventv1.Envelope
	seen := 0
	e.wait(string(zero.ProtoReflect().Descriptor().FullName()), func(all []Published) bool {
		for _, p := range all[seen:] {
			seen++
			if m, ok := p.Data.(M); ok && (match == nil || match(p.Envelope, m)) {
				env, data = p.Envelope, m
				return true
			}
		}
		return false
	})
	return env, data
}

func (e *Events) wait(what string, done func(all []Published) bool) {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), patience)
	defer cancel()
	for {
		e.mu.Lock()
		all, more := e.all[:len(e.all):len(e.all)], e.more
		e.mu.Unlock()
		if done(all) {
			return
		}
		select {
		case <-more:
		case <-ctx.Done():
			ids := make([]string, len(all))
			for i, p := range all {
				ids[i] = p.Envelope.GetId() + " " + string(p.Envelope.GetData().MessageName())
			}
			e.t.Fatalf("%s did not come from %s; what came is:\n%s", what, e.service, strings.Join(ids, "\n"))
		}
	}
}
