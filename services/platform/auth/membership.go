package auth

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Memberships tells in which organisations a person holds which roles.
type Memberships interface {
	// Of returns the subject's memberships; none is not an error. The slice is
	// shared: read only.
	Of(ctx context.Context, subject string) ([]Membership, error)
}

// MembershipsFunc is a function that is a Memberships.
type MembershipsFunc func(ctx context.Context, subject string) ([]Membership, error)

// Of implements Memberships.
func (f MembershipsFunc) Of(ctx context.Context, subject string) ([]Membership, error) {
	return f(ctx, subject)
}

// Limits of the membership cache.
const (
	membershipTTL   = 30 * time.Second
	membershipLimit = 50_000
	// lookupTimeout bounds one look-up, which serves every caller that waits.
	lookupTimeout = 5 * time.Second
)

// MembershipCache remembers memberships, their absence too, for 30 seconds.
// Events of the catalogue (MembershipChanged) end that sooner by Invalidate;
// the time is the bound where an event is late.
type MembershipCache struct {
	next   Memberships
	now    func() time.Time
	flight singleflight.Group

	mu      sync.RWMutex
	entries map[string]membershipEntry
	epoch   uint64 // counts invalidations: a look-up older than one is not kept
}

type membershipEntry struct {
	memberships []Membership
	until       time.Time
}

// NewMembershipCache returns a cache in front of next. A nil now is time.Now.
func NewMembershipCache(next Memberships, now func() time.Time) *MembershipCache {
	if now == nil {
		now = time.Now
	}
	return &MembershipCache{next: next, now: now, entries: map[string]membershipEntry{}}
}

// Of implements Memberships. Callers that ask for the same subject at the same
// time share one look-up; a failed one is not remembered.
func (c *MembershipCache) Of(ctx context.Context, subject string) ([]Membership, error) {
	c.mu.RLock()
	e, ok := c.entries[subject]
	c.mu.RUnlock()
	if ok && c.now().Before(e.until) {
		return e.memberships, nil
	}
	done := c.flight.DoChan(subject, func() (any, error) {
		c.mu.RLock()
		epoch := c.epoch
		c.mu.RUnlock()
		// One caller that gives up must not end the look-up of the others.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
		defer cancel()
		memberships, err := c.next.Of(ctx, subject)
		if err != nil {
			return nil, err
		}
		c.keep(subject, memberships, epoch)
		return memberships, nil
	})
	select {
	case r := <-done:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.([]Membership), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *MembershipCache) keep(subject string, memberships []Membership, epoch uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch != epoch {
		return
	}
	now := c.now()
	if len(c.entries) >= membershipLimit {
		for s, e := range c.entries {
			if !now.Before(e.until) {
				delete(c.entries, s)
			}
		}
		for s := range c.entries { // still full: make an eighth free
			if len(c.entries) <= membershipLimit*7/8 {
				break
			}
			delete(c.entries, s)
		}
	}
	c.entries[subject] = membershipEntry{memberships: memberships, until: now.Add(membershipTTL)}
}

// Invalidate forgets what is known of a subject, and keeps look-ups that are
// under way from being remembered.
func (c *MembershipCache) Invalidate(subject string) {
	c.mu.Lock()
	delete(c.entries, subject)
	c.epoch++
	c.mu.Unlock()
	c.flight.Forget(subject)
}
