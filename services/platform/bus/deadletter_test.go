package bus_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/testkit"
)

// letters waits until a number of dead letters lie there and returns them by
// consumer.
func letters(t *testing.T, b *bus.Bus, n int) map[string]bus.DeadLetters {
	t.Helper()
	var out map[string]bus.DeadLetters
	eventually(t, fmt.Sprintf("%d dead letters", n), func() bool {
		all, err := b.DeadLetters(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out = map[string]bus.DeadLetters{}
		count := 0
		for _, d := range all {
			out[d.Consumer] = d
			count += d.Count
		}
		return count == n
	})
	return out
}

func TestPoisonBecomesADeadLetterAndTheOthersGoOn(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		b := testkit.Bus(t)
		s := newSink(open(t, "matching", effects), "matching")
		envelopes := testkit.Publish(t, b, "catalogue", events(0, 100, 10)...)
		publishRaw(t, b, "catalogue", "garbage", []byte("\xff\xff not an envelope"))
		empty := &eventv1.Envelope{Service: "catalogue"}
		publishRaw(t, b, "catalogue", "empty", mustMarshal(t, empty))
		torn := mustClone(envelopes[0])
		torn.Id, torn.Data.Value = "catalogue/things/torn/1", []byte("\xff")
		publishRaw(t, b, "catalogue", "torn", mustMarshal(t, torn))
		last := testkit.Publish(t, b, "catalogue", events(100, 1, 10)...)

		poison := map[string]error{
			envelopes[3].GetId():  errs.New(errs.Invalid, "NEED_WITHOUT_TITLE", "the need has no title"),
			envelopes[50].GetId(): errs.AbsentResource("needs/1"),
			envelopes[51].GetId(): fmt.Errorf("applying: %w", errs.New(errs.FailedPrecondition, "CLOSED", "two\nlines")),
			envelopes[99].GetId(): errs.New(errs.AlreadyExists, errs.Exists, "exists"),
		}
		var cured atomic.Bool
		s.before = func(_ context.Context, env *eventv1.Envelope) error {
			if cured.Load() {
				return nil
			}
			return poison[env.GetId()]
		}
		before := time.Now()
		consume(t, b, s.consumer("catalogue"))
		s.await(t, 97)
		settled(t, b, "matching", "catalogue")
		d := letters(t, b, 7)["matching"]
		want := map[string]int{"NEED_WITHOUT_TITLE": 1, "NOT_FOUND": 1, "CLOSED": 1, "ALREADY_EXISTS": 1, bus.ReasonUndecodable: 3}
		if fmt.Sprint(d.Reasons) != fmt.Sprint(want) {
			t.Errorf("reasons %v, want %v", d.Reasons, want)
		}
		if d.Oldest.Before(before.Add(-time.Second)) || d.Oldest.After(time.Now().Add(time.Second)) {
			t.Errorf("oldest %v", d.Oldest)
		}

		s.checkOrder(t)

		// The cause is mended. What cannot be decoded dies again.
		cured.Store(true)
		if n, err := b.Redrive(t.Context(), "matching"); err != nil || n != 7 {
			t.Fatalf("redriven %d, %v", n, err)
		}
		s.await(t, 4)
		settled(t, b, "matching", "catalogue")
		if d := letters(t, b, 3)["matching"]; d.Reasons[bus.ReasonUndecodable] != 3 {
			t.Errorf("reasons %v", d.Reasons)
		}
		s.checkOnce(t, append(envelopes, last...))
	})
}

func TestWhatFailsAgainAndAgainBecomesADeadLetter(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		b := testkit.Bus(t)
		s := newSink(open(t, "matching", effects), "matching")
		envelopes := testkit.Publish(t, b, "catalogue", events(0, 10, 10)...)
		var attempts, panics atomic.Int64
		s.before = func(_ context.Context, env *eventv1.Envelope) error {
			switch env.GetId() {
			case envelopes[2].GetId():
				attempts.Add(1)
				return errs.New(errs.Unavailable, errs.ServiceDown, "%s", strings.Repeat("long ", 200))
			case envelopes[5].GetId():
				panics.Add(1)
				panic("a bug")
			}
			return nil
		}
		c := s.consumer("catalogue")
		c.MaxDeliveries = 4
		consume(t, b, c)
		s.await(t, 8)
		d := letters(t, b, 2)["matching"]
		settled(t, b, "matching", "catalogue")
		if d.Reasons[bus.ReasonRetriesExhausted] != 2 {
			t.Errorf("reasons %v", d.Reasons)
		}
		// An attempt in the group and one alone for the first delivery, one or
		// two for each of the others.
		for name, n := range map[string]int64{"failing": attempts.Load(), "panicking": panics.Load()} {
			if n < 4 || n > 8 {
				t.Errorf("%s handler was tried %d times in 4 deliveries", name, n)
			}
		}
	})
}

func TestRedriveIsForItsConsumerAlone(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		b := testkit.Bus(t)
		matching := newSink(open(t, "matching", effects), "matching")
		impact := newSink(open(t, "impact", effects), "impact")
		var cured atomic.Bool
		matching.before = func(context.Context, *eventv1.Envelope) error {
			if cured.Load() {
				return nil
			}
			return errs.New(errs.Invalid, "SICK", "sick")
		}
		var calls atomic.Int64
		impact.before = func(_ context.Context, env *eventv1.Envelope) error {
			calls.Add(1)
			if env.GetAggregate() == "things/0" {
				return errs.New(errs.Invalid, "SICK", "sick, and stays so")
			}
			return nil
		}
		followed := testkit.Follow(t, b, "catalogue")
		consume(t, b, matching.consumer("catalogue"))
		consume(t, b, impact.consumer("catalogue"))
		envelopes := testkit.Publish(t, b, "catalogue", events(0, 5, 5)...)
		letters(t, b, 6)
		impact.await(t, 4)
		handled := calls.Load()
		cured.Store(true)
		if n, err := b.Redrive(t.Context(), "matching"); err != nil || n != 5 {
			t.Errorf("redriven %d, %v", n, err)
		}
		matching.await(t, 5)
		settled(t, b, "matching", "catalogue")
		settled(t, b, "impact", "catalogue")
		letters(t, b, 1)
		if n, err := b.Redrive(t.Context(), "matching"); err != nil || n != 0 {
			t.Errorf("redriven again %d, %v", n, err)
		}
		matching.checkOnce(t, envelopes)
		impact.checkOnce(t, envelopes[1:])
		if calls.Load() != handled {
			t.Errorf("the other consumer's handler was called %d times more", calls.Load()-handled)
		}
		if n, err := b.Redrive(t.Context(), "impact"); err != nil || n != 1 {
			t.Errorf("redriven %d, %v", n, err)
		}
		testkit.Publish(t, b, "catalogue", events(5, 1, 6)...)
		if n := len(followed.Await(6)); n != 6 {
			t.Errorf("the watch saw %d events", n)
		}
	})
}
