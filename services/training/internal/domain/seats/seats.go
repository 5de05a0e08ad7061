// Package seats gives out the seats of one edition. It is arithmetic and order
// only: who locks the edition, reads the counts and writes the outcome is the
// store's affair.
//
// What holds after every operation, if it held before:
//
//   - enrolled + offered ≤ capacity;
//   - waiting ≤ the waiting list's cap;
//   - whoever waits, waits because no seat is free or nobody may join any more;
//   - places in the order are given once and never change.
//
// The one claim per person and edition is the caller's to look up (Held).
package seats

import (
	"cmp"
	"errors"
	"slices"
)

// Errors of the operations. The caller gives them words.
var (
	// ErrFull says that no seat and no place on the waiting list is free.
	ErrFull = errors.New("seats: full")
	// ErrHeld says that the person has a live claim already.
	ErrHeld = errors.New("seats: the person has a live claim")
	// ErrBelowUse says that a resize would leave less than is in use.
	ErrBelowUse = errors.New("seats: below what is in use")
)

// Place is what a claim got.
type Place int

// The places a claim may have.
const (
	// Seat: enrolled.
	Seat Place = iota + 1
	// Offer: a seat held until the offer expires.
	Offer
	// Queue: on the waiting list.
	Queue
)

// Book is the use of one edition's seats, as counted under the edition's lock.
type Book struct {
	// Capacity is the number of seats, WaitingCap that of places in the queue.
	Capacity, WaitingCap int
	// Enrolled counts people who hold a seat, Offered the offers that have not
	// expired, Waiting the queue.
	Enrolled, Offered, Waiting int
	// Next is the next place in the order of claims.
	Next int64
	// Frozen is true where nobody may join any more (the edition is over, or the
	// late-join cut-off has passed): then a free seat stays free.
	Frozen bool
}

// Waiter is somebody in the queue.
type Waiter struct {
	// ID of the claim.
	ID string
	// Sequence is the claim's place in the order.
	Sequence int64
}

// Free returns how many seats are free. It is never negative while the
// invariants hold.
func (b *Book) Free() int { return b.Capacity - b.Enrolled - b.Offered }

// Vacancies returns how many waiters the free seats are due to.
func (b *Book) Vacancies() int {
	if b.Frozen {
		return 0
	}
	return max(0, min(b.Free(), b.Waiting))
}

// Admit takes a new claim and returns its place in the seats and in the order.
// While anybody waits no seat is free for a newcomer: the caller promotes
// first. held says that the person has a live claim; offer
// that a free seat is to be offered instead of given.
func (b *Book) Admit(held, offer bool) (Place, int64, error) {
	if held {
		return 0, 0, ErrHeld
	}
	place := Queue
	free := b.Waiting == 0 && b.Free() > 0
	switch {
	case free && offer:
		place = Offer
		b.Offered++
	case free:
		place = Seat
		b.Enrolled++
	case b.Waiting < b.WaitingCap:
		b.Waiting++
	default:
		return 0, 0, ErrFull
	}
	sequence := b.Next
	b.Next++
	return place, sequence, nil
}

// Take turns an offer into a seat. The number of seats in use does not change.
func (b *Book) Take() {
	b.Offered--
	b.Enrolled++
}

// Release ends a claim: cancelled, declined or expired. What it held becomes
// free; the caller promotes next.
func (b *Book) Release(place Place) {
	switch place {
	case Seat:
		b.Enrolled--
	case Offer:
		b.Offered--
	case Queue:
		b.Waiting--
	}
}

// Promote gives seats to the first of the queue, as many as are due to it, and
// returns them. queue holds at least Vacancies() waiters from the head of the
// queue, in any order.
func (b *Book) Promote(queue []Waiter) []Waiter {
	n := b.Vacancies()
	if n == 0 {
		return nil
	}
	head := slices.Clone(queue)
	slices.SortFunc(head, func(x, y Waiter) int { return cmp.Compare(x.Sequence, y.Sequence) })
	head = head[:min(n, len(head))]
	b.Enrolled += len(head)
	b.Waiting -= len(head)
	return head
}

// Resize changes the capacity and the cap. Less than is in use is refused:
// nobody is evicted. The caller promotes next.
func (b *Book) Resize(capacity, waitingCap int) error {
	if capacity < b.Enrolled+b.Offered || waitingCap < b.Waiting {
		return ErrBelowUse
	}
	b.Capacity, b.WaitingCap = capacity, waitingCap
	return nil
}
