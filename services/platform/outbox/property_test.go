package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"
	"pgregory.net/rapid"

	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/outbox"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

// TestWhateverHappensEveryEventHasItsEffectOnce runs random stories of commits,
// rollbacks, crashes of the relay between publish and mark, wiped streams,
// forgotten consumers and handlers that fail for a while, and compares the
// effects with the commits.
func TestWhateverHappensEveryEventHasItsEffectOnce(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		n := testkit.StartNATS(t)
		b := connect(t, n)
		js := n.JetStream()
		const service = "training"
		db := open(t, service, counts)
		rapid.Check(t, func(r *rapid.T) {
			clean(t, db)
			_ = js.DeleteStream(t.Context(), bus.StreamName(service))
			o := outbox.New(db, service, "it-21")
			story := &story{t: t, db: db, failures: map[string]int{}}
			stopRelay, stopConsumer := func() {}, func() {}
			defer func() { stopRelay(); stopConsumer() }()
			var committed []string
			versions := map[int]int64{}
			for range rapid.IntRange(1, 12).Draw(r, "steps") {
				switch rapid.SampledFrom([]string{"commit", "commit", "burst", "rollback", "crash", "relay", "consumer", "wipe", "forget"}).Draw(r, "step") {
				case "commit":
					committed = append(committed, story.commit(o, service, versions, 1, rapid.IntRange(0, 3).Draw(r, "failures"), nil)...)
				case "burst":
					committed = append(committed, story.commit(o, service, versions, rapid.IntRange(2, 80).Draw(r, "size"), 0, nil)...)
				case "rollback":
					story.commit(o, service, versions, 1, 0, errors.New("the rule says no"))
				case "crash":
					stopRelay()
					if _, err := o.PublishUnmarked(t.Context(), b); err != nil {
						t.Fatal(err)
					}
				case "relay":
					stopRelay()
					stopRelay = relay(t, o, b, quick)
				case "consumer":
					stopConsumer()
					stopConsumer = story.consume(b, service)
				case "wipe":
					_ = js.DeleteStream(t.Context(), bus.StreamName(service))
				case "forget":
					stopConsumer()
					_ = js.DeleteConsumer(t.Context(), bus.StreamName(service), "impact_"+service)
				}
			}
			stopRelay()
			stopRelay = relay(t, o, b, quick)
			stopConsumer()
			stopConsumer = story.consume(b, service)
			eventually(t, "all effects", func() bool { return len(story.effects()) >= len(committed) })
			drained(t, o)
			eventually(t, "the consumer settles all", func() bool {
				lag, err := b.Lag(t.Context(), "impact", service)
				return err == nil && lag == bus.Lag{}
			})
			got := story.effects()
			slices.Sort(got)
			slices.Sort(committed)
			if !slices.Equal(got, committed) {
				r.Fatalf("effects %v\ncommits %v", got, committed)
			}
		})
	})
}

func clean(t *testing.T, db *sqldb.DB) {
	err := db.Write(t.Context(), func(_ context.Context, tx *sqldb.Tx) error {
		for _, table := range []string{"outbox", "inbox", "counts"} {
			tx.Queue(`DELETE FROM ` + table)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

type story struct {
	t  *testing.T
	db *sqldb.DB

	mu       sync.Mutex
	failures map[string]int // how often the handler is still to fail
}

// commit writes events in one transaction, which ends with an error where one
// is given, and returns their ids.
func (s *story) commit(o *outbox.Outbox, service string, versions map[int]int64, n, failures int, fail error) []string {
	var ids []string
	next := map[int]int64{}
	err := s.db.Write(s.t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		ids = nil
		clear(next)
		for i := range n {
			next[i%3]++
			e := outbox.Event{
				Aggregate: fmt.Sprintf("things/%d", i%3), Version: versions[i%3] + next[i%3], Time: time.Now(), Data: wrapperspb.Int64(int64(i)),
			}
			if err := o.Add(ctx, tx, e); err != nil {
				return err
			}
			ids = append(ids, fmt.Sprintf("%s/%s/%d", service, e.Aggregate, e.Version))
		}
		return fail
	})
	if !errors.Is(err, fail) {
		s.t.Fatal(err)
	}
	if fail != nil {
		return nil
	}
	for i, v := range next {
		versions[i] += v
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if failures > 0 {
		s.failures[ids[0]] = failures
	}
	return ids
}

func (s *story) consume(b *bus.Bus, service string) (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan error, 1)
	c := bus.Consumer{Name: "impact", Source: service, DB: s.db, Retry: time.Millisecond, Handlers: []bus.Handler{bus.On(
		func(_ context.Context, tx *sqldb.Tx, env *eventv1.Envelope, _ *wrapperspb.Int64Value) error {
			tx.Queue(`INSERT INTO counts (event_id) VALUES ($1)`, env.GetId())
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.failures[env.GetId()] > 0 {
				s.failures[env.GetId()]--
				return errors.New("out of sorts")
			}
			return nil
		})}}
	go func() { done <- b.Consume(ctx, c) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Errorf("Consume: %v", err)
		}
	})
	s.t.Cleanup(stop)
	return stop
}

func (s *story) effects() []string {
	var out []string
	err := s.db.Read(s.t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		out = nil
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
			out = append(out, strings.Clone(id))
		}
		return rows.Err()
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}
