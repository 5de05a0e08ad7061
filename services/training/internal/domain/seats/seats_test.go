package seats

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// ledger keeps claims the way the store does, and drives a Book.
type ledger struct {
	book   Book
	claims map[string]*claim // by person
}

type claim struct {
	place    Place
	sequence int64
}

func (l *ledger) promote() {
	var queue []Waiter
	for person, c := range l.claims {
		if c.place == Queue {
			queue = append(queue, Waiter{ID: person, Sequence: c.sequence})
		}
	}
	for _, w := range l.book.Promote(queue) {
		l.claims[w.ID].place = Seat
	}
}

// model is the plain reference: two ordered lists of people and nothing else.
// It is written from the rules, not from the Book.
type model struct {
	capacity, cap  int
	seated, queued []string
	offered        map[string]bool // of those seated
	frozen         bool
}

func (m *model) settle() {
	for !m.frozen && len(m.queued) > 0 && len(m.seated) < m.capacity {
		m.seated = append(m.seated, m.queued[0])
		m.queued = m.queued[1:]
	}
}

func (m *model) join(p string, offer bool) error {
	if slices.Contains(m.seated, p) || slices.Contains(m.queued, p) {
		return ErrHeld
	}
	if len(m.seated) < m.capacity && len(m.queued) == 0 {
		m.seated = append(m.seated, p)
		if offer {
			m.offered[p] = true
		}
		return nil
	}
	if len(m.queued) >= m.cap {
		return ErrFull
	}
	m.queued = append(m.queued, p)
	return nil
}

func (m *model) leave(p string) {
	m.seated = slices.DeleteFunc(m.seated, func(x string) bool { return x == p })
	m.queued = slices.DeleteFunc(m.queued, func(x string) bool { return x == p })
	delete(m.offered, p)
	m.settle()
}

func (m *model) resize(capacity, cap int) error {
	if capacity < len(m.seated) || cap < len(m.queued) {
		return ErrBelowUse
	}
	m.capacity, m.cap = capacity, cap
	m.settle()
	return nil
}

func TestBookAgainstSequentialModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity, waitingCap := rapid.IntRange(1, 6).Draw(t, "capacity"), rapid.IntRange(0, 5).Draw(t, "cap")
		l := &ledger{book: Book{Capacity: capacity, WaitingCap: waitingCap, Next: 1}, claims: map[string]*claim{}}
		m := &model{capacity: capacity, cap: waitingCap, offered: map[string]bool{}}
		person := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"})
		last := int64(0)
		t.Repeat(map[string]func(*rapid.T){
			"join": func(t *rapid.T) {
				p, offer := person.Draw(t, "person"), rapid.Bool().Draw(t, "offer")
				_, held := l.claims[p]
				place, sequence, err := l.book.Admit(held, offer)
				if want := m.join(p, offer); !errors.Is(err, want) {
					t.Fatalf("join %s: got %v, the model says %v", p, err, want)
				}
				if err == nil {
					if sequence <= last {
						t.Fatalf("place %d in the order was given after %d", sequence, last)
					}
					last = sequence
					l.claims[p] = &claim{place, sequence}
				}
			},
			"accept": func(t *rapid.T) {
				p := person.Draw(t, "person")
				if c := l.claims[p]; c != nil && c.place == Offer {
					l.book.Take()
					c.place = Seat
					delete(m.offered, p)
				}
			},
			"leave": func(t *rapid.T) {
				p := person.Draw(t, "person")
				if c := l.claims[p]; c != nil {
					l.book.Release(c.place)
					delete(l.claims, p)
					l.promote()
					m.leave(p)
				}
			},
			"resize": func(t *rapid.T) {
				c, w := rapid.IntRange(1, 8).Draw(t, "capacity"), rapid.IntRange(0, 6).Draw(t, "cap")
				err := l.book.Resize(c, w)
				if want := m.resize(c, w); !errors.Is(err, want) {
					t.Fatalf("resize to %d and %d: got %v, the model says %v", c, w, err, want)
				}
				l.promote()
			},
			"freeze or thaw": func(t *rapid.T) {
				m.frozen = !m.frozen
				l.book.Frozen = m.frozen
				l.promote()
				m.settle()
			},
			"": func(t *rapid.T) { agree(t, l, m) },
		})
	})
}

// agree compares the ledger with the model and checks the invariants.
func agree(t *rapid.T, l *ledger, m *model) {
	b := l.book
	if b.Enrolled+b.Offered > b.Capacity || b.Waiting > b.WaitingCap {
		t.Fatalf("oversold: %+v", b)
	}
	if b.Vacancies() != 0 {
		t.Fatalf("a seat is free and due to somebody who waits: %+v", b)
	}
	type waiter struct {
		person   string
		sequence int64
	}
	var queue []waiter
	seated, offered := 0, 0
	for p, c := range l.claims {
		switch c.place {
		case Queue:
			queue = append(queue, waiter{p, c.sequence})
			continue
		case Offer:
			offered++
		case Seat:
			seated++
		}
		if !slices.Contains(m.seated, p) || m.offered[p] != (c.place == Offer) {
			t.Fatalf("%s: place %d, the model seats %v and offers to %v", p, c.place, m.seated, m.offered)
		}
	}
	slices.SortFunc(queue, func(a, b waiter) int { return int(a.sequence - b.sequence) })
	names := []string{}
	for _, w := range queue {
		names = append(names, w.person)
	}
	if !slices.Equal(names, m.queued) && len(names)+len(m.queued) > 0 {
		t.Fatalf("the queue is %v, the model's %v", names, m.queued)
	}
	if seated != b.Enrolled || offered != b.Offered || len(queue) != b.Waiting || seated+offered != len(m.seated) {
		t.Fatalf("counts %+v do not match %d seated, %d offered, %d waiting", b, seated, offered, len(queue))
	}
}
