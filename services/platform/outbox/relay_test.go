package outbox_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/outbox"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

// slow is for relays that should be woken, not poll.
var slow = outbox.RelayConfig{Poll: time.Hour, Term: time.Hour}

// quick is for relays that should notice soon what nobody tells them.
var quick = outbox.RelayConfig{Poll: 5 * time.Millisecond, Term: 20 * time.Millisecond}

func TestEventsArePublishedOnceAndInOrder(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		n := testkit.StartNATS(t)
		b := connect(t, n)
		db := open(t, "training", counts)
		o := outbox.New(db, "training", "it-21")
		add(t, db, o, 0, 150, 4) // waiting before the relay runs: a batch
		c := newCounter(open(t, "impact", counts), "impact")
		c.consume(t, b)
		relay(t, o, b, slow)
		c.await(t, 150)
		add(t, db, o, 150, 50, 4) // singles, each announced by its commit
		c.await(t, 50)
		drained(t, o)
		c.checkOnce(t, 200, 4)
		for i, got := range published(t, n.JetStream()) {
			if got != id(i, 4) {
				t.Fatalf("place %d holds %s, want %s", i+1, got, id(i, 4))
			}
		}
	})
}

func TestACrashBetweenPublishAndMarkLosesAndDoublesNothing(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		n := testkit.StartNATS(t)
		b := connect(t, n)
		db := open(t, "training", counts)
		o := outbox.New(db, "training", "it-21")
		c := newCounter(open(t, "impact", counts), "impact")
		stop := c.consume(t, b)
		for i, size := range []int{1, 5, 60, 600} { // one, singles, a batch, more than a page
			first := []int{0, 1, 6, 66}[i]
			add(t, db, o, first, size, 7)
			published, err := o.PublishUnmarked(t.Context(), b)
			if err != nil || published == 0 {
				t.Fatalf("published %d, %v", published, err)
			}
			stopRelay := relay(t, o, b, slow)
			drained(t, o)
			stopRelay()
			c.await(t, size)
		}
		stop()
		c.checkOnce(t, 666, 7)
		if got := published(t, n.JetStream()); len(got) != 666 {
			t.Errorf("the stream has %d events", len(got))
		}
	})
}

func TestAWipedStreamIsFilledAgain(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		n := testkit.StartNATS(t)
		b := connect(t, n)
		js := n.JetStream()
		db := open(t, "training", counts)
		o := outbox.New(db, "training", "it-21")
		impact := newCounter(open(t, "impact", counts), "impact")
		impact.consume(t, b)
		wipe := func() {
			if err := js.DeleteStream(t.Context(), bus.StreamName("training")); err != nil {
				t.Fatal(err)
			}
		}
		full := func(want int) {
			t.Helper()
			drained(t, o)
			eventually(t, "the stream holds the journal", func() bool {
				s, err := js.Stream(t.Context(), bus.StreamName("training"))
				return err == nil && s.CachedInfo().State.Msgs == uint64(want)
			})
			ids := map[string]bool{}
			for _, id := range published(t, js) {
				ids[id] = true
			}
			if len(ids) != want {
				t.Errorf("the stream holds %d different events, want %d", len(ids), want)
			}
		}

		// Wiped while the relay is idle: it looks at each term.
		stop := relay(t, o, b, quick)
		add(t, db, o, 0, 100, 9)
		full(100)
		wipe()
		full(100)
		// Wiped between two events, and made again by somebody else.
		stop()
		stop = relay(t, o, b, slow)
		wipe()
		if _, err := b.Stream(t.Context(), "training"); err != nil {
			t.Fatal(err)
		}
		add(t, db, o, 100, 1, 9)
		full(101)
		// Wiped while no relay runs.
		stop()
		wipe()
		add(t, db, o, 101, 9, 9)
		relay(t, o, b, slow)
		full(110)

		impact.await(t, 110)
		impact.checkOnce(t, 110, 9)
		matching := newCounter(open(t, "matching", counts), "matching")
		matching.consume(t, b)
		matching.await(t, 110)
		matching.checkOnce(t, 110, 9)
	})
}

func TestEventsWaitForTheServer(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		n := testkit.StartNATS(t)
		b := connect(t, n)
		db := open(t, "training", counts)
		o := outbox.New(db, "training", "it-21")
		relay(t, o, b, quick)
		add(t, db, o, 0, 10, 3)
		drained(t, o)
		n.Stop()
		add(t, db, o, 10, 40, 3)
		if lag, err := o.Lag(t.Context()); err != nil || lag.Count != 40 {
			t.Errorf("lag %+v, %v", lag, err)
		}
		n.Start()
		drained(t, o)
		for i, got := range published(t, n.JetStream()) {
			if got != id(i, 3) {
				t.Fatalf("place %d holds %s, want %s", i+1, got, id(i, 3))
			}
		}
	})
}

// On SQLite there is one writer and so no late commit; with sequence numbers
// drawn by concurrent transactions there is.
func TestALateCommitIsPublished(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		n := testkit.StartNATS(t)
		b := connect(t, n)
		db := open(t, "training", counts)
		o := outbox.New(db, "training", "it-21")
		relay(t, o, b, slow)
		if strings.HasSuffix(t.Name(), "/sqlite") {
			add(t, db, o, 0, 2, 2)
			drained(t, o)
			return
		}
		numbered, release := make(chan struct{}), make(chan struct{})
		var late sync.WaitGroup
		late.Go(func() {
			err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				if err := o.Add(ctx, tx, event(0, 2)); err != nil {
					return err
				}
				// The statement that sends the queued one on its way.
				if _, err := tx.Exec(ctx, `DELETE FROM counts`); err != nil {
					return err
				}
				close(numbered)
				<-release
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		<-numbered
		add(t, db, o, 1, 1, 2)
		drained(t, o)
		close(release)
		late.Wait()
		drained(t, o)
		if got := published(t, n.JetStream()); !slices.Equal(got, []string{id(1, 2), id(0, 2)}) {
			t.Errorf("published %v", got)
		}
	})
}

func TestReplicasHandOver(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		n := testkit.StartNATS(t)
		const total, aggregates, replicas = 600, 5, 3
		var dbs []*sqldb.DB
		var outboxes []*outbox.Outbox
		var stops []func()
		c := newCounter(open(t, "impact", counts), "impact")
		c.consume(t, connect(t, n))
		for i := range replicas {
			dbs = append(dbs, open(t, "training", counts))
			outboxes = append(outboxes, outbox.New(dbs[i], "training", "it-21"))
			stops = append(stops, relay(t, outboxes[i], connect(t, n), quick))
		}
		for k := range total {
			add(t, dbs[k%replicas], outboxes[k%replicas], k, 1, aggregates)
			if k == total/3 || k == 2*total/3 {
				stops[k*replicas/total-1]()
			}
		}
		drained(t, outboxes[0])
		c.await(t, total)
		c.checkOnce(t, total, aggregates)
		last := map[string]int{}
		got := published(t, n.JetStream())
		for _, id := range got {
			aggregate, number := id[:strings.LastIndexByte(id, '/')], id[strings.LastIndexByte(id, '/')+1:]
			version, err := strconv.Atoi(number)
			if err != nil {
				t.Fatal(err)
			}
			if version != last[aggregate]+1 {
				t.Errorf("%s: version %d after %d", aggregate, version, last[aggregate])
			}
			last[aggregate] = version
		}
		if len(got) != total {
			t.Errorf("the stream has %d events, want %d", len(got), total)
		}
	})
}

func TestTheJournalIsCut(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		b := testkit.Bus(t)
		db := open(t, "training", counts)
		o := outbox.New(db, "training", "it-21")
		stop := relay(t, o, b, quick)
		add(t, db, o, 0, 30, 3)
		drained(t, o)
		stop()
		if n := journal(t, db); n != 30 {
			t.Errorf("kept for ever, the journal has %d events", n)
		}
		cut := quick
		cut.Retention = time.Millisecond
		relay(t, o, b, cut)
		eventually(t, "the journal is cut", func() bool { return journal(t, db) == 0 })
	})
}
