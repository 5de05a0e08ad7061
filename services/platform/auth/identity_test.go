package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	"github.com/trama-suite/trama/services/platform/auth"
)

func TestProcessesThatShareAKeyFileTrustEachOther(t *testing.T) {
	c := newClock()
	path := filepath.Join(t.TempDir(), "fresh", "auth", "issuer.pem")
	issuers := make([]*auth.LocalIssuer, 8)
	var wg sync.WaitGroup
	for i := range issuers {
		wg.Go(func() {
			var err error
			if issuers[i], err = auth.OpenLocalIssuer(path, "", c.now); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	v := newVerifier(t, c, issuers[0].Trusted())
	for _, i := range issuers {
		token, err := i.Mint("anna", []auth.Role{authzv1.Role_ROLE_AUDITOR}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if id, err := v.Verify(t.Context(), token); err != nil || id.Subject != "anna" || len(id.Roles) != 1 {
			t.Errorf("%+v, %v", id, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v", info.Mode(), err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left beside the key: %v", left)
	}
}

func TestKeyFileThatIsNoKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "issuer.pem")
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.OpenLocalIssuer(path, "", nil); err == nil {
		t.Error("accepted")
	}
	if after, _ := os.ReadFile(path); string(after) != "hello" {
		t.Error("overwritten")
	}
}

func TestWhatTheLocalIssuerDoesNotMint(t *testing.T) {
	issuer, err := auth.OpenLocalIssuer(filepath.Join(t.TempDir(), "k.pem"), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := issuer.Mint("", nil, time.Hour); err == nil {
		t.Error("a token for nobody")
	}
	if _, err := issuer.Mint("anna", nil, 0); err == nil {
		t.Error("a token for no time")
	}
	if _, err := issuer.Mint("anna", []auth.Role{authzv1.Role_ROLE_TRAINER}, time.Hour); err == nil {
		t.Error("a membership in a token")
	}
}

func TestSourceRenewsBeforeItsTokenExpires(t *testing.T) {
	c := newClock()
	issuer, err := auth.OpenLocalIssuer(filepath.Join(t.TempDir(), "k.pem"), "", c.now)
	if err != nil {
		t.Fatal(err)
	}
	source, v := issuer.Source("training"), newVerifier(t, c, issuer.Trusted())
	seen := map[string]bool{}
	for range 24 {
		token, err := source.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		seen[token] = true
		id, err := v.Verify(t.Context(), token)
		if err != nil || id.Subject != "service:training" || id.Roles[0] != authzv1.Role_ROLE_SERVICE {
			t.Fatalf("%+v, %v", id, err)
		}
		if left := id.Expires.Sub(c.now()); left < 12*time.Minute {
			t.Errorf("handed out with %s to live", left)
		}
		c.advance(10 * time.Minute)
	}
	if len(seen) != 5 { // 0:00, 0:50, 1:40, 2:30, 3:20
		t.Errorf("%d tokens in four hours", len(seen))
	}
}

func TestClientCredentials(t *testing.T) {
	c := newClock()
	_, _, ed := newSigners(t)
	p := newProvider(t, ed)
	var grants atomic.Int64
	token := http.NewServeMux()
	token.Handle("GET /", p.Config.Handler)
	token.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		if p.down.Load() || id != "trama" || secret != "s3cret" || r.PostFormValue("grant_type") != "client_credentials" || r.PostFormValue("audience") != "trama" {
			http.Error(w, `{"error":"invalid_client"}`, http.StatusUnauthorized)
			return
		}
		n := grants.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"token_type": "Bearer", "expires_in": 600, "access_token": ed.sign(t, claims(p.URL, map[string]any{
			"sub": "trama-services", "trama_roles": "service", "exp": c.now().Add(10 * time.Minute).Unix(), "jti": n,
		}))})
	})
	p.Config.Handler = token
	p.down.Store(true)
	source := auth.ClientCredentials{Issuer: p.URL, ClientID: "trama", ClientSecret: "s3cret", Client: p.Client(), Now: c.now}.Source()
	if _, err := source.Token(t.Context()); err == nil {
		t.Error("a token from a provider that is down")
	}
	p.down.Store(false)
	v := newVerifier(t, c, trusted(p, c))
	for range 3 {
		got, err := source.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if id, err := v.Verify(t.Context(), got); err != nil || !sameRoles(id.Roles, authzv1.Role_ROLE_SERVICE) {
			t.Errorf("%+v, %v", id, err)
		}
	}
	if grants.Load() != 1 {
		t.Errorf("%d grants for one token's life", grants.Load())
	}
	c.advance(9 * time.Minute)
	p.down.Store(true)
	if _, err := source.Token(t.Context()); err != nil {
		t.Errorf("the token is still good while the provider is away: %v", err)
	}
	p.down.Store(false)
	if _, err := source.Token(t.Context()); err != nil || grants.Load() != 2 {
		t.Errorf("renewal: %v, %d grants", err, grants.Load())
	}
}

func sameRoles(got []auth.Role, want ...auth.Role) bool { return fmt.Sprint(got) == fmt.Sprint(want) }

// counted counts look-ups, and waits for leave where there is a gate.
type counted struct {
	calls atomic.Int64
	gate  chan struct{}
	role  atomic.Int32
	fail  atomic.Bool
}

func (m *counted) Of(ctx context.Context, subject string) ([]auth.Membership, error) {
	m.calls.Add(1)
	role := auth.Role(m.role.Load())
	if m.gate != nil {
		select {
		case <-m.gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if m.fail.Load() {
		return nil, errors.New("down")
	}
	if role == 0 {
		return nil, nil
	}
	return []auth.Membership{{Organisation: orgA, Role: role}}, nil
}

func TestMembershipsAreRememberedForAWhile(t *testing.T) {
	c := newClock()
	m := &counted{}
	cache := auth.NewMembershipCache(m, c.now)
	ask := func(want int, calls int64) {
		t.Helper()
		got, err := cache.Of(t.Context(), "anna")
		if err != nil || len(got) != want || m.calls.Load() != calls {
			t.Errorf("%v, %v after %d look-ups; want %d after %d", got, err, m.calls.Load(), want, calls)
		}
	}
	ask(0, 1)
	m.role.Store(int32(authzv1.Role_ROLE_TRAINER))
	ask(0, 1) // that there are none is remembered as well
	c.advance(31 * time.Second)
	ask(1, 2)
	m.role.Store(0)
	ask(1, 2)
	cache.Invalidate("anna")
	ask(0, 3)
	cache.Invalidate("anna")
	m.fail.Store(true)
	if _, err := cache.Of(t.Context(), "anna"); err == nil {
		t.Error("no error")
	}
	m.fail.Store(false)
	ask(0, 5) // a failure is not remembered
}

func TestCallersAtTheSameTimeShareALookUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &counted{gate: make(chan struct{})}
		cache := auth.NewMembershipCache(m, nil)
		impatient, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := cache.Of(impatient, "anna"); !errors.Is(err, context.Canceled) {
				t.Errorf("the one who left got %v", err)
			}
		})
		synctest.Wait()
		for range 20 {
			wg.Go(func() {
				if _, err := cache.Of(t.Context(), "anna"); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		leave()
		synctest.Wait()
		close(m.gate)
		wg.Wait()
		if m.calls.Load() != 1 {
			t.Errorf("%d look-ups", m.calls.Load())
		}
	})
}

func TestALookUpFromBeforeAChangeIsNotRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &counted{gate: make(chan struct{})}
		m.role.Store(int32(authzv1.Role_ROLE_ORGANISATION_ADMIN))
		cache := auth.NewMembershipCache(m, nil)
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = cache.Of(t.Context(), "anna") })
		synctest.Wait() // it has read "admin" and is on its way back
		m.role.Store(0) // the membership ends
		cache.Invalidate("anna")
		close(m.gate)
		wg.Wait()
		if got, err := cache.Of(t.Context(), "anna"); err != nil || len(got) != 0 {
			t.Errorf("%v, %v; want none", got, err)
		}
	})
}
