package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
	"github.com/trama-suite/trama/services/training/internal/domain"
)

var (
	migrations = os.DirFS("../../migrations")
	clock      = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	org        = ids.Name("organisations", ids.New())
)

// edition writes an open edition and returns its name.
func edition(t testing.TB, db *sqldb.DB, capacity, waitingCap int) string {
	t.Helper()
	e := &domain.Edition{
		Name: ids.Name("editions", ids.New()), Organisation: org, Kind: domain.KindEvent, Title: domain.Text{Text: "Evento", Language: "it"},
		Capacity: capacity, WaitingCap: waitingCap, StartDate: "2026-03-01", EndDate: "2026-03-31", State: domain.EditionOpen, Published: true,
		NextSequence: 1, Version: 1, Created: clock, Updated: clock,
	}
	write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := New().InsertEdition(ctx, tx, e)
		return err
	})
	return e.Name
}

func write(t testing.TB, db *sqldb.DB, fn func(ctx context.Context, tx *sqldb.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func claim(ctx context.Context, s *Store, db *sqldb.DB, edition, person string, terms Terms) (n *domain.Enrolment, err error) {
	err = db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		x, err := s.OpenSeats(ctx, tx, edition, clock)
		if err != nil {
			return err
		}
		n = &domain.Enrolment{Name: ids.Name("enrolments", ids.New()), Learner: person}
		return x.Claim(ctx, n, terms)
	})
	return n, err
}

func leave(ctx context.Context, s *Store, db *sqldb.DB, edition, person string) error {
	return db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		x, err := s.OpenSeats(ctx, tx, edition, clock)
		if err != nil {
			return err
		}
		claims, err := s.ClaimsOf(ctx, tx, edition, person)
		if err != nil {
			return err
		}
		for _, n := range claims {
			if before := n.Place(); before != 0 {
				event, err := n.Cancel("", clock)
				if err != nil {
					return err
				}
				return x.Release(ctx, n, before, event)
			}
		}
		return errNone
	})
}

// accept takes up the person's offer.
func accept(ctx context.Context, s *Store, db *sqldb.DB, edition, person string) error {
	return db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		x, err := s.OpenSeats(ctx, tx, edition, clock)
		if err != nil {
			return err
		}
		claims, err := s.ClaimsOf(ctx, tx, edition, person)
		if err != nil {
			return err
		}
		for _, n := range claims {
			if n.State == domain.Offered {
				event, err := n.Accept(clock)
				if err != nil {
					return err
				}
				return x.Accept(ctx, n, event)
			}
		}
		return errNone
	})
}

// expire opens the seats two hours later, when every offer has run out.
func expire(ctx context.Context, s *Store, db *sqldb.DB, edition string) error {
	return db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := s.OpenSeats(ctx, tx, edition, clock.Add(2*time.Hour))
		return err
	})
}

var errNone = errors.New("no live claim")

func resize(ctx context.Context, s *Store, db *sqldb.DB, edition string, capacity, waitingCap int) error {
	return db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		x, err := s.OpenSeats(ctx, tx, edition, clock)
		if err != nil {
			return err
		}
		if err := x.Resize(ctx, capacity, waitingCap); err != nil {
			return err
		}
		next := *x.Edition
		next.Capacity, next.WaitingCap = capacity, waitingCap
		if err := x.Edition.Change(next, clock); err != nil {
			return err
		}
		return s.SaveEdition(ctx, tx, x.Edition)
	})
}

// expected says that an error is one of the answers that a contended edition gives.
func expected(err error) bool {
	switch errs.ReasonOf(err) {
	case domain.EditionFull, domain.AlreadyClaimed, domain.CapacityBelowUse:
		return true
	}
	return err == nil || errors.Is(err, errNone)
}

const callers = 300

// replicas opens the schema twice: two pools on PostgreSQL, as two servers have;
// SQLite has one opener by its nature.
func replicas(t *testing.T, open testkit.OpenDB) []*sqldb.DB {
	return []*sqldb.DB{open(t, "training", migrations), open(t, "training", migrations)}
}

// together starts all callers at once, spread over the replicas.
func together(n int, dbs []*sqldb.DB, call func(i int, db *sqldb.DB)) {
	gate := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-gate
			call(i, dbs[i%len(dbs)])
		})
	}
	close(gate)
	all.Wait()
}

// audit may run beside the callers, so it does not end the test.
func audit(t *testing.T, db *sqldb.DB, edition string) []Breach {
	t.Helper()
	var out []Breach
	err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		out, _, err = New().Audit(ctx, tx, edition, clock)
		return err
	})
	if err != nil {
		t.Errorf("audit: %v", err)
	}
	return out
}

func rows(t *testing.T, db *sqldb.DB, edition string) []*domain.Enrolment {
	t.Helper()
	var out []*domain.Enrolment
	err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		out, err = New().EnrolmentsOf(ctx, tx, edition)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func count(claims []*domain.Enrolment, state domain.EnrolmentState) (n int) {
	for _, c := range claims {
		if c.State == state {
			n++
		}
	}
	return n
}

func Test300CallersOn16Seats(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		dbs := replicas(t, open)
		name := edition(t, dbs[0], 16, 20)
		var full atomic.Int64
		together(callers, dbs, func(i int, db *sqldb.DB) {
			_, err := claim(t.Context(), New(), db, name, fmt.Sprintf("learners/%d", i), Terms{})
			switch {
			case errs.ReasonOf(err) == domain.EditionFull:
				full.Add(1)
			case err != nil:
				t.Errorf("caller %d: %v", i, err)
			}
		})
		got := rows(t, dbs[0], name)
		if e, w := count(got, domain.Enrolled), count(got, domain.Waiting); e != 16 || w != 20 || full.Load() != callers-36 {
			t.Fatalf("%d enrolled, %d waiting, %d turned away; want 16, 20 and %d", e, w, full.Load(), callers-36)
		}
		for i, n := range got {
			if n.Sequence != int64(i+1) || (n.State == domain.Enrolled) != (i < 16) {
				t.Fatalf("claim %d has place %d in the order and the state %s", i, n.Sequence, n.State)
			}
		}
		if b := audit(t, dbs[0], ""); len(b) > 0 {
			t.Fatalf("breaches: %v", b)
		}
	})
}

// The negative control: without the lock the same callers oversell, so the test
// above does prove something about the lock. SQLite has one writer and needs none.
func TestWithoutTheLockItOversells(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		dbs := replicas(t, open)
		oversold := false
		for attempt := range 20 {
			name := edition(t, dbs[0], 16, 0)
			together(callers, dbs, func(i int, db *sqldb.DB) {
				if _, err := claim(t.Context(), &Store{unlocked: true}, db, name, fmt.Sprintf("learners/%d-%d", attempt, i), Terms{}); !expected(err) {
					t.Errorf("caller %d: %v", i, err)
				}
			})
			for _, b := range audit(t, dbs[0], name) {
				oversold = oversold || b.Invariant == "CAPACITY" && b.Counted > b.Limit
			}
			if oversold {
				break
			}
		}
		if sqlite := dbs[0] == dbs[1]; oversold == sqlite {
			t.Fatalf("oversold: %t, on one writer: %t", oversold, sqlite)
		}
	})
}

// act is one caller's doing in the mixed run, and what came of it.
type act struct {
	kind, person         string
	capacity, waitingCap int
	err                  error
}

func TestMixedCallersKeepTheInvariants(t *testing.T) {
	for _, seed := range []uint64{1, 20260105} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) { mixed(t, replicas(t, open), seed) })
		})
	}
}

func mixed(t *testing.T, dbs []*sqldb.DB, seed uint64) {
	name := edition(t, dbs[0], 16, 30)
	random := rand.New(rand.NewPCG(seed, 1))
	acts := make([]act, callers)
	for i := range acts {
		a := act{kind: "claim", person: fmt.Sprintf("learners/%d", random.IntN(90))}
		switch p := random.IntN(100); {
		case p < 30:
			a.kind = "leave"
		case p < 40:
			a.kind, a.capacity, a.waitingCap = "resize", 10+random.IntN(14), 20+random.IntN(20)
		case p < 60:
			a.kind = "offer"
		case p < 68:
			a.kind = "accept"
		case p < 72:
			a.kind = "expire"
		}
		acts[i] = a
	}
	stop, watched := make(chan struct{}), make(chan int)
	go func() { // whoever reads at any moment must see the invariants hold
		seen := 0
		for {
			select {
			case <-stop:
				watched <- seen
				return
			default:
				if b := audit(t, dbs[seen%2], name); len(b) > 0 {
					t.Errorf("breaches while running: %v", b)
				}
				seen++
			}
		}
	}()
	together(callers, dbs, func(i int, db *sqldb.DB) {
		a := &acts[i]
		switch a.kind {
		case "claim":
			_, a.err = claim(t.Context(), New(), db, name, a.person, Terms{})
		case "offer":
			_, a.err = claim(t.Context(), New(), db, name, a.person, Terms{OfferUntil: clock.Add(time.Hour)})
		case "leave":
			a.err = leave(t.Context(), New(), db, name, a.person)
		case "accept":
			a.err = accept(t.Context(), New(), db, name, a.person)
		case "expire":
			a.err = expire(t.Context(), New(), db, name)
		case "resize":
			a.err = resize(t.Context(), New(), db, name, a.capacity, a.waitingCap)
		}
		if !expected(a.err) {
			t.Errorf("%+v: %v", a, a.err)
		}
	})
	close(stop)
	if n := <-watched; n == 0 {
		t.Error("nobody watched")
	}
	if b := audit(t, dbs[0], ""); len(b) > 0 {
		t.Fatalf("breaches: %v", b)
	}
	settled(t, dbs[0], name, acts)
}

// settled holds what the callers were told against what stands in the table.
func settled(t *testing.T, db *sqldb.DB, name string, acts []act) {
	t.Helper()
	balance := map[string]int{}
	for _, a := range acts {
		switch {
		case a.err != nil:
		case a.kind == "claim" || a.kind == "offer":
			balance[a.person]++
		case a.kind == "leave":
			balance[a.person]--
		}
	}
	claims := rows(t, db, name)
	live := map[string]int{}
	var lastSeat, firstWaiting int64
	for _, n := range claims {
		if n.Live() {
			live[n.Learner]++
		}
		if n.State == domain.Expired {
			balance[n.Learner]-- // the person was told of an offer, and the offer ran out
		}
		if n.State == domain.Waiting && firstWaiting == 0 {
			firstWaiting = n.Sequence
		}
		if n.State == domain.Enrolled || n.State == domain.Offered {
			lastSeat = max(lastSeat, n.Sequence)
		}
	}
	for person, n := range balance {
		if live[person] != n {
			t.Errorf("%s was told of %d live claims and has %d", person, n, live[person])
		}
	}
	if firstWaiting > 0 && firstWaiting < lastSeat {
		t.Errorf("place %d waits while place %d has a seat: somebody was overtaken", firstWaiting, lastSeat)
	}
	var e *domain.Edition
	err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		var err error
		e, err = New().Edition(ctx, tx, name, clock)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if free := e.Capacity - e.Use.Enrolled - e.Use.Offered; free > 0 && e.Use.Waiting > 0 {
		t.Errorf("%d seats are free while %d wait", free, e.Use.Waiting)
	}
}

// TestSameAsModel runs random histories one after another against the plain
// reference, on the tables: same answers, same people, same order.
func TestSameAsModel(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "training", migrations)
		random := rand.New(rand.NewPCG(7, 7))
		for range 3 {
			name := edition(t, db, 4, 3)
			capacity, waitingCap := 4, 3
			var seated, queued []string
			fill := func() {
				for len(queued) > 0 && len(seated) < capacity {
					seated, queued = append(seated, queued[0]), queued[1:]
				}
			}
			for range 60 {
				person := fmt.Sprintf("learners/%d", random.IntN(12))
				holds := slices.Contains(seated, person) || slices.Contains(queued, person)
				switch random.IntN(5) {
				case 0, 1, 2:
					_, err := claim(t.Context(), New(), db, name, person, Terms{})
					var want errs.Reason
					switch {
					case holds:
						want = domain.AlreadyClaimed
					case len(seated) < capacity:
						seated = append(seated, person)
					case len(queued) < waitingCap:
						queued = append(queued, person)
					default:
						want = domain.EditionFull
					}
					if errs.ReasonOf(err) != want {
						t.Fatalf("claim of %s: %v, the model says %q", person, err, want)
					}
				case 3:
					if err := leave(t.Context(), New(), db, name, person); (err == nil) != holds {
						t.Fatalf("%s leaves: %v, the model has it hold a claim: %t", person, err, holds)
					}
					is := func(p string) bool { return p == person }
					seated, queued = slices.DeleteFunc(seated, is), slices.DeleteFunc(queued, is)
					fill()
				case 4:
					c, w := 1+random.IntN(7), random.IntN(6)
					err := resize(t.Context(), New(), db, name, c, w)
					if refused := c < len(seated) || w < len(queued); refused != (errs.ReasonOf(err) == domain.CapacityBelowUse) {
						t.Fatalf("resize to %d and %d with %d and %d in use: %v", c, w, len(seated), len(queued), err)
					} else if !refused && err != nil {
						t.Fatal(err)
					} else if !refused {
						capacity, waitingCap = c, w
						fill()
					}
				}
				var gotSeated, gotQueued []string
				for _, n := range rows(t, db, name) {
					switch n.State {
					case domain.Enrolled:
						gotSeated = append(gotSeated, n.Learner)
					case domain.Waiting:
						gotQueued = append(gotQueued, n.Learner)
					}
				}
				if len(gotSeated) != len(seated) || !slices.Equal(gotQueued, queued) {
					t.Fatalf("seated %v, waiting %v; the model: %v, %v", gotSeated, gotQueued, seated, queued)
				}
			}
		}
	})
}

// Whoever takes what must be unique after it was looked up, and before it is
// written, makes the other try again: it is no failure of the server.
func TestWhatIsTakenMeanwhileIsAConflict(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db, s := open(t, "training", migrations), New()
		var people [2]*domain.Learner
		write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			for i := range people {
				people[i] = domain.NewLearner(domain.Learner{Name: ids.Name("learners", ids.New()), Organisation: org, Subject: fmt.Sprint("s-", i)}, clock)
				if _, err := s.InsertLearner(ctx, tx, people[i]); err != nil {
					return err
				}
			}
			return nil
		})
		next := *people[0]
		next.Subject = people[1].Subject
		people[0].Change(next, clock)
		err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return s.SaveLearner(ctx, tx, people[0]) })
		if errs.KindOf(err) != errs.Conflict || errs.ReasonOf(err) != errs.ConcurrentUpdate {
			t.Fatalf("%v", err)
		}
	})
}
