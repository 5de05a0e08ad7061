package testkit

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"slices"
	"sync"
	"time"

	"github.com/trama-suite/trama/services/platform/auth"
)

// Issuer returns an issuer of tokens with a key that is always the same one and
// the default audience.
func Issuer(now func() time.Time) *auth.LocalIssuer {
	seed := sha256.Sum256([]byte("the test issuer of Trama"))
	return auth.NewLocalIssuer(ed25519.NewKeyFromSeed(seed[:]), "", now)
}

// Memberships is who belongs to which organisation, held in memory: what the
// catalogue's AccessService is in production.
type Memberships struct {
	mu sync.Mutex
	of map[string][]auth.Membership
}

// Add makes the subject a member of an organisation ("organisations/{uuid}").
func (m *Memberships) Add(subject, organisation string, role auth.Role) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil {
		m.of = map[string][]auth.Membership{}
	}
	membership := auth.Membership{Organisation: organisation, Role: role}
	if !slices.Contains(m.of[subject], membership) {
		m.of[subject] = append(m.of[subject], membership)
	}
}

// Remove ends all memberships of a subject.
func (m *Memberships) Remove(subject string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.of, subject)
}

// Of implements auth.Memberships.
func (m *Memberships) Of(_ context.Context, subject string) ([]auth.Membership, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.of[subject]), nil
}
