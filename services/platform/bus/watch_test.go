package bus_test

import (
	"context"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/testkit"
)

func TestWatchSeesWhatComesInOrder(t *testing.T) {
	n := testkit.StartNATS(t)
	b := connect(t, n)
	testkit.Publish(t, b, "catalogue", events(0, 10, 1)...)
	followed := testkit.Follow(t, b, "catalogue")
	testkit.Publish(t, b, "catalogue", events(10, 200, 1)...)
	testkit.Publish(t, b, "training", events(0, 10, 1)...)
	n.Stop()
	n.Start()
	eventually(t, "the bus reconnects", func() bool { return b.Ready(t.Context()) == nil })
	testkit.Publish(t, b, "catalogue", events(210, 50, 1)...)
	for i, p := range followed.Await(250) {
		if want := int64(11 + i); p.Envelope.GetAggregateVersion() != want || p.Data.(*wrapperspb.Int64Value).GetValue() != want-1 {
			t.Fatalf("event %d is version %d with %v", i, p.Envelope.GetAggregateVersion(), p.Data)
		}
	}
	env, _ := testkit.AwaitEvent(followed, func(_ *eventv1.Envelope, m *wrapperspb.Int64Value) bool { return m.GetValue() == 42 })
	if env.GetId() != "catalogue/things/0/43" {
		t.Errorf("found %s", env.GetId())
	}

	// A wiped stream: what is published then is seen.
	if err := n.JetStream().DeleteStream(t.Context(), bus.StreamName("catalogue")); err != nil {
		t.Fatal(err)
	}
	testkit.Publish(t, b, "catalogue", events(900, 3, 1)...)
	testkit.AwaitEvent(followed, func(_ *eventv1.Envelope, m *wrapperspb.Int64Value) bool { return m.GetValue() == 902 })
}

func TestWatchEndsWithItsContextAndWithTheBus(t *testing.T) {
	b, err := bus.Embedded(bus.Config{StoreDir: t.TempDir(), Log: testkit.Log(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ignore := func(*eventv1.Envelope, proto.Message) {}
	for _, ctx := range []context.Context{ctx, t.Context()} {
		if err := b.Watch(ctx, "catalogue", ignore); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	b.Close() // waits for both
	b.Close()
	if err := b.Watch(t.Context(), "catalogue", ignore); err == nil {
		t.Error("a closed bus took a watch")
	}
}
