package bus_test

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/outbox"
	"github.com/trama-suite/trama/services/platform/testkit"
)

// publishAgain publishes envelopes under other message ids, as happens when the
// server has forgotten the first ones.
func publishAgain(t *testing.T, b *bus.Bus, envelopes []*eventv1.Envelope, tag string) {
	t.Helper()
	messages := make([]bus.Message, len(envelopes))
	for i, env := range envelopes {
		data, err := proto.Marshal(env)
		if err != nil {
			t.Fatal(err)
		}
		messages[i] = bus.Message{Subject: bus.Subject(env.GetService(), &wrapperspb.Int64Value{}), ID: tag + env.GetId(), Data: data}
	}
	if _, _, err := b.Publish(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
}

func TestEffectsAreMadeOnceAndInOrder(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		n := testkit.StartNATS(t)
		b := connect(t, n)
		s := newSink(open(t, "matching", effects), "matching")
		envelopes := testkit.Publish(t, b, "catalogue", events(0, 300, 7)...)
		publishAgain(t, b, envelopes[100:200], "again/")
		stop := consume(t, b, s.consumer("catalogue"))
		s.await(t, 300)
		settled(t, b, "matching", "catalogue")
		s.checkOnce(t, envelopes)
		s.checkOrder(t)

		// The consumer forgets its place: everything comes once more.
		stop()
		if err := n.JetStream().DeleteConsumer(t.Context(), bus.StreamName("catalogue"), "matching_catalogue"); err != nil {
			t.Fatal(err)
		}
		stop = consume(t, b, s.consumer("catalogue"))
		more := testkit.Publish(t, b, "catalogue", events(300, 1, 7)...)
		s.await(t, 1)
		settled(t, b, "matching", "catalogue")
		s.checkOnce(t, append(envelopes, more...))
		stop()
	})
}

func TestReplicasShareTheWork(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		b := testkit.Bus(t)
		one := newSink(open(t, "matching", effects), "matching")
		two := &sink{db: open(t, "matching", effects), name: "matching", landed: one.landed}
		envelopes := testkit.Publish(t, b, "catalogue", events(0, 1000, 50)...)
		for i := range 3 {
			publishAgain(t, b, envelopes, []string{"a", "b", "c"}[i])
		}
		stopOne := consume(t, b, one.consumer("catalogue"))
		stopTwo := consume(t, b, two.consumer("catalogue"))
		one.await(t, 500)
		stopOne()
		one.await(t, 500)
		settled(t, b, "matching", "catalogue")
		stopTwo()
		one.checkOnce(t, envelopes)
	})
}

func TestFailuresThatPassAreRetried(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		b := testkit.Bus(t)
		s := newSink(open(t, "matching", effects), "matching")
		random := rand.New(rand.NewPCG(1, 2))
		left := map[string]int{} // failures to come; one handler runs at a time
		envelopes := testkit.Publish(t, b, "catalogue", events(0, 200, 200)...)
		for _, env := range envelopes {
			if random.IntN(10) == 0 {
				left[env.GetId()] = 1 + random.IntN(8)
			}
		}
		s.before = func(_ context.Context, env *eventv1.Envelope) error {
			if left[env.GetId()] > 0 {
				left[env.GetId()]--
				return errPassing
			}
			return nil
		}
		stop := consume(t, b, s.consumer("catalogue"))
		s.await(t, 200)
		settled(t, b, "matching", "catalogue")
		stop()
		s.checkOnce(t, envelopes)
		if letters, err := b.DeadLetters(t.Context()); err != nil || len(letters) > 0 {
			t.Errorf("dead letters %v, %v", letters, err)
		}
	})
}

func TestOnlyHandledTypesAreDelivered(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		b := testkit.Bus(t)
		s := newSink(open(t, "matching", effects), "matching")
		other := outbox.Event{Aggregate: "others/1", Version: 1, Data: wrapperspb.String("not handled")}
		testkit.Publish(t, b, "catalogue", other)
		envelopes := testkit.Publish(t, b, "catalogue", events(0, 1, 1)...)
		// The subject says Int64Value, the data is something else: not an error
		// of anybody's, but a type that this program does not handle.
		env := proto.CloneOf(envelopes[0])
		env.Id = "catalogue/things/0/99"
		env.Data.TypeUrl = "type.googleapis.com/trama.later.v2.Int64Value"
		publishAgain(t, b, []*eventv1.Envelope{env}, "")
		stop := consume(t, b, s.consumer("catalogue"))
		s.await(t, 1)
		settled(t, b, "matching", "catalogue")
		stop()
		s.checkOnce(t, envelopes)
	})
}

func TestHandlersSeeTheTraceOfTheirEvent(t *testing.T) {
	b := testkit.Bus(t)
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		s := newSink(open(t, "matching", effects), "matching")
		var seen atomic.Value
		s.before = func(ctx context.Context, _ *eventv1.Envelope) error {
			seen.Store(trace.SpanContextFromContext(ctx).TraceID())
			return nil
		}
		want := trace.TraceID{1, 2, 3}
		ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: want, SpanID: trace.SpanID{4}}))
		env, err := events(0, 1, 1)[0].Envelope(ctx, "catalogue", "it-21")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Stream(ctx, "catalogue"); err != nil {
			t.Fatal(err)
		}
		publishAgain(t, b, []*eventv1.Envelope{env}, t.Name())
		stop := consume(t, b, s.consumer("catalogue"))
		s.await(t, 1)
		stop()
		if seen.Load() != want {
			t.Errorf("trace %v, want %v", seen.Load(), want)
		}
	})
}

func TestConsumersSurviveTheServer(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		n := testkit.StartNATS(t)
		b := connect(t, n)
		s := newSink(open(t, "matching", effects), "matching")
		first := testkit.Publish(t, b, "catalogue", events(0, 50, 5)...)
		consume(t, b, s.consumer("catalogue"))
		s.await(t, 50)
		n.Stop()
		n.Start()
		eventually(t, "the bus reconnects", func() bool { return b.Ready(t.Context()) == nil })
		second := testkit.Publish(t, b, "catalogue", events(50, 50, 5)...)
		s.await(t, 50)
		s.checkOnce(t, append(first, second...))
		s.checkOrder(t)

		// And a stream that somebody wipes.
		if err := n.JetStream().DeleteStream(t.Context(), bus.StreamName("catalogue")); err != nil {
			t.Fatal(err)
		}
		third := testkit.Publish(t, b, "catalogue", append(events(0, 100, 5), events(100, 50, 5)...)...)
		s.await(t, 50)
		s.checkOnce(t, third)
	})
}

func TestAnEmbeddedServerKeepsItsEvents(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		dir := t.TempDir()
		start := func() *bus.Bus {
			b, err := bus.Embedded(bus.Config{StoreDir: dir, Log: testkit.Log(t)})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(b.Close)
			return b
		}
		s := newSink(open(t, "matching", effects), "matching")
		// Stopped with a hundred events in its hands, the consumer gives them
		// back. (Those that were on their way to it come again after
		// handlingWait, so the order is not kept here.)
		begun := make(chan struct{}, 100)
		s.before = func(ctx context.Context, _ *eventv1.Envelope) error {
			begun <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}
		b := start()
		envelopes := testkit.Publish(t, b, "catalogue", events(0, 100, 3)...)
		stop := consume(t, b, s.consumer("catalogue"))
		<-begun
		stop()
		b.Close()
		s.before = nil
		b = start()
		more := testkit.Publish(t, b, "catalogue", events(100, 20, 3)...)
		consume(t, b, s.consumer("catalogue"))
		settled(t, b, "matching", "catalogue")
		s.checkOnce(t, append(envelopes, more...))
	})
}

func TestWrongConsumersAreRefused(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		b := testkit.Bus(t)
		good := newSink(open(t, "matching", effects), "matching").consumer("catalogue")
		for name, spoil := range map[string]func(c *bus.Consumer){
			"name":           func(c *bus.Consumer) { c.Name = "a.b" },
			"source":         func(c *bus.Consumer) { c.Source = "" },
			"database":       func(c *bus.Consumer) { c.DB = nil },
			"no handlers":    func(c *bus.Consumer) { c.Handlers = nil },
			"empty handler":  func(c *bus.Consumer) { c.Handlers = []bus.Handler{{}} },
			"handlers twice": func(c *bus.Consumer) { c.Handlers = append(c.Handlers, c.Handlers...) },
		} {
			c := good
			spoil(&c)
			if err := b.Consume(t.Context(), c); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
	})
}
