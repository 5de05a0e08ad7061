package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// clock is a settable clock.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(start.UnixNano())
	return c
}
func (c *clock) now() time.Time          { return time.Unix(0, c.at.Load()) }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

// signer is one key of a provider.
type signer struct {
	kid string
	alg jwa.SignatureAlgorithm
	key crypto.Signer
}

func (s signer) sign(t testing.TB, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	h := jws.NewHeaders()
	if s.kid != "" {
		if err := h.Set(jws.KeyIDKey, s.kid); err != nil {
			t.Fatal(err)
		}
	}
	out, err := jws.Sign(payload, jws.WithKey(s.alg, s.key, jws.WithProtectedHeaders(h)))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func newSigners(t testing.TB) (rs, es, ed signer) {
	t.Helper()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{"rs", jwa.RS256(), rsaKey()}, signer{"es", jwa.ES256(), ec}, signer{"ed", jwa.EdDSA(), edKey}
}

// provider is an OpenID Connect issuer over HTTP.
type provider struct {
	*httptest.Server
	mu      sync.Mutex
	keys    []signer
	extra   []map[string]any
	fetches atomic.Int64
	down    atomic.Bool
}

func newProvider(t testing.TB, keys ...signer) *provider {
	t.Helper()
	p := &provider{keys: keys}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		if p.down.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q,"token_endpoint":%q,"authorization_endpoint":%q}`, p.URL, p.URL+"/keys", p.URL+"/token", p.URL+"/auth")
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		p.fetches.Add(1)
		if p.down.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		doc := map[string]any{}
		var list []any
		for _, s := range p.keys {
			k, err := jwk.Import(s.key.Public())
			if err == nil {
				err = k.Set(jwk.KeyIDKey, s.kid)
			}
			if err != nil {
				t.Error(err)
			}
			list = append(list, k)
		}
		for _, e := range p.extra {
			list = append(list, e)
		}
		doc["keys"] = list
		_ = json.NewEncoder(w).Encode(doc)
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) set(keys ...signer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = keys
}
