package bus_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/testkit"
)

func mustMarshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func mustClone(env *eventv1.Envelope) *eventv1.Envelope { return proto.CloneOf(env) }

func publishRaw(t *testing.T, b *bus.Bus, service, id string, data []byte) {
	t.Helper()
	m := bus.Message{Subject: bus.Subject(service, &wrapperspb.Int64Value{}), ID: id, Data: data}
	if _, _, err := b.Publish(t.Context(), []bus.Message{m}); err != nil {
		t.Fatal(err)
	}
}

func messages(from, to, size int) []bus.Message {
	var out []bus.Message
	for i := from; i < to; i++ {
		out = append(out, bus.Message{
			Subject: fmt.Sprintf("trama.training.e%d", i%3), ID: fmt.Sprint(i), Data: fmt.Appendf(bytes.Repeat([]byte("."), size), "%d", i),
		})
	}
	return out
}

func TestPublishKeepsOrderAndKnowsWhatIsThere(t *testing.T) {
	n := testkit.StartNATS(t)
	b := connect(t, n)
	publish := func(from, to, size int, wantLast uint64) {
		t.Helper()
		got, last, err := b.Publish(t.Context(), messages(from, to, size))
		if err != nil || got != to-from || last != wantLast {
			t.Errorf("publishing %d to %d: %d, last %d, %v; want last %d", from, to, got, last, err, wantLast)
		}
	}
	if got, _, err := b.Publish(t.Context(), messages(0, 1, 0)); got != 0 || !errors.Is(err, bus.ErrNoStream) {
		t.Errorf("without a stream: %d, %v", got, err)
	}
	if got, _, err := b.Publish(t.Context(), messages(0, 100, 0)); got != 0 || !errors.Is(err, bus.ErrNoStream) {
		t.Errorf("without a stream: %d, %v", got, err)
	}
	if s, err := b.Stream(t.Context(), "training"); err != nil || s.Journalled || s.Last != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	publish(0, 1, 0, 1)              // one
	publish(1, 100, 0, 100)          // a batch
	publish(60, 160, 0, 160)         // a batch part of which is there
	publish(60, 160, 0, 0)           // all there
	publish(155, 157, 0, 0)          // two that are there
	publish(160, 1300, 0, 1300)      // more than the server takes in a batch
	publish(1300, 1360, 1<<18, 1360) // so large that few go together: singles
	got, _, err := b.Publish(t.Context(), append(messages(1360, 1400, 0), messages(1360, 1401, 0)...))
	if err != nil || got != 81 { // one of them twice in a batch
		t.Errorf("%d, %v", got, err)
	}
	if got, last, err := b.Publish(t.Context(), nil); got != 0 || last != 0 || err != nil {
		t.Errorf("%d, %d, %v", got, last, err)
	}

	stream, err := n.JetStream().Stream(t.Context(), bus.StreamName("training"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1401 {
		m, err := stream.GetMsg(t.Context(), uint64(i+1))
		if err != nil {
			t.Fatal(err)
		}
		if want := messages(i, i+1, 0)[0]; m.Subject != want.Subject || m.Header.Get("Nats-Msg-Id") != want.ID {
			t.Fatalf("place %d holds %s %s, want %s", i+1, m.Subject, m.Header.Get("Nats-Msg-Id"), want.ID)
		}
		if together := m.Header.Get("Nats-Batch-Id") != ""; together != (i >= 1 && i < 100 || i >= 160 && i < 1300) {
			t.Fatalf("place %d was published in a batch: %t", i+1, together)
		}
	}
	if last := stream.CachedInfo().State.LastSeq; last != 1401 {
		t.Errorf("the stream has %d events", last)
	}
}

func TestAMessageThatIsTooLargeStopsThoseAfterIt(t *testing.T) {
	b := testkit.Bus(t)
	if _, err := b.Stream(t.Context(), "training"); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{10, 100} { // singles, a batch
		id := n * 1000
		all := messages(id, id+n, 0)
		all[n/2].Data = make([]byte, 2<<20)
		got, _, err := b.Publish(t.Context(), all)
		if err == nil || got > n/2 {
			t.Errorf("%d: published %d, %v", n, got, err)
		}
	}
}

func TestStreamsAreBroughtToTheConfiguration(t *testing.T) {
	n := testkit.StartNATS(t)
	first := connect(t, n)
	if _, err := first.Stream(t.Context(), "training"); err != nil {
		t.Fatal(err)
	}
	if err := first.SetJournalled(t.Context(), "training"); err != nil {
		t.Fatal(err)
	}
	second, err := bus.Connect(t.Context(), bus.Config{URL: n.URL(), MaxAge: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	s, err := second.Stream(t.Context(), "training")
	if err != nil || !s.Journalled {
		t.Errorf("%+v, %v: the mark was lost", s, err)
	}
	stream, err := n.JetStream().Stream(t.Context(), "TRAMA_TRAINING")
	if err != nil {
		t.Fatal(err)
	}
	if cfg := stream.CachedInfo().Config; cfg.MaxAge != 0 || !cfg.AllowAtomicPublish {
		t.Errorf("max age %s, atomic %t", cfg.MaxAge, cfg.AllowAtomicPublish)
	}
}

func TestAServerThatIsNotThereYetIsNoError(t *testing.T) {
	n := testkit.StartNATS(t)
	url := n.URL()
	n.Stop()
	b, err := bus.Connect(t.Context(), bus.Config{URL: url, Log: testkit.Log(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Ready(t.Context()); err == nil {
		t.Error("ready without a server")
	}
	if _, _, err := b.Publish(t.Context(), messages(0, 1, 0)); err == nil {
		t.Error("published without a server")
	}
	n.Start()
	eventually(t, "the bus connects", func() bool { return b.Ready(t.Context()) == nil })
	if _, err := bus.Connect(t.Context(), bus.Config{}); err == nil {
		t.Error("connected to nowhere")
	}
	if _, err := bus.Embedded(bus.Config{}); err == nil {
		t.Error("embedded a server without a folder")
	}
}
