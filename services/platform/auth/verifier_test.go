package auth_test

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
)

func claims(issuer string, change map[string]any) map[string]any {
	out := map[string]any{
		"iss": issuer, "sub": "anna", "aud": []string{"other", "trama"}, "exp": start.Add(time.Hour).Unix(),
		"trama_roles": []string{"auditor", "organisation-admin", "offline_access"},
	}
	for k, v := range change {
		if v == nil {
			delete(out, k)
		} else {
			out[k] = v
		}
	}
	return out
}

func newVerifier(t testing.TB, c *clock, issuers ...auth.Issuer) *auth.Verifier {
	t.Helper()
	v, err := auth.NewVerifier(auth.VerifierConfig{Issuers: issuers, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func trusted(p *provider, c *clock) auth.Issuer {
	return auth.Issuer{URL: p.URL, Keys: auth.NewRemoteKeys(p.URL, "", p.Client(), c.now)}
}

func wantReason(t *testing.T, err error, want errs.Reason) {
	t.Helper()
	if errs.ReasonOf(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestEveryAcceptedAlgorithmVerifies(t *testing.T) {
	c := newClock()
	rs, es, ed := newSigners(t)
	p := newProvider(t, rs, es, ed)
	v := newVerifier(t, c, trusted(p, c))
	for _, s := range []signer{rs, es, ed} {
		id, err := v.Verify(t.Context(), s.sign(t, claims(p.URL, nil)))
		if err != nil {
			t.Errorf("%s: %v", s.kid, err)
			continue
		}
		if id.Subject != "anna" || !slices.Equal(id.Roles, []auth.Role{authzv1.Role_ROLE_AUDITOR}) {
			t.Errorf("%s: %+v; only network-wide roles may come from a token", s.kid, id)
		}
	}
	if n := p.fetches.Load(); n != 1 {
		t.Errorf("keys were fetched %d times", n)
	}
}

func TestTokensThatMustNotPass(t *testing.T) {
	c := newClock()
	rs, es, ed := newSigners(t)
	p := newProvider(t, rs, es, ed)
	v := newVerifier(t, c, trusted(p, c))
	raw := base64.RawURLEncoding.EncodeToString
	payload, _ := json.Marshal(claims(p.URL, nil))
	unsigned := raw([]byte(`{"alg":"none","kid":"rs"}`)) + "." + raw(payload) + "."

	// HS256 with the RSA public key as the secret, in each form it is known in.
	public, err := x509.MarshalPKIXPublicKey(rsaKey().Public())
	if err != nil {
		t.Fatal(err)
	}
	confused := func(secret []byte) string {
		signed := raw([]byte(`{"alg":"HS256","kid":"rs"}`)) + "." + raw(payload)
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(signed))
		return signed + "." + raw(mac.Sum(nil))
	}
	good := rs.sign(t, claims(p.URL, nil))
	parts := strings.Split(good, ".")
	stranger, _, otherEd := newSigners(t)
	stranger.kid = "nobody"
	otherEd.kid = "ed" // the right name, another key
	esAsRS := es
	esAsRS.kid = "rs"
	noKid := ed
	noKid.kid = ""
	small, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tampered := raw([]byte(strings.Replace(string(payload), "anna", "root", 1)))

	for name, x := range map[string]struct {
		token string
		want  errs.Reason
	}{
		"absent":                       {"", errs.TokenAbsent},
		"alg none":                     {unsigned, errs.TokenInvalid},
		"alg none with a signature":    {unsigned + parts[2], errs.TokenInvalid},
		"HS256 with the key's DER":     {confused(public), errs.TokenInvalid},
		"HS256 with the key's PEM":     {confused(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})), errs.TokenInvalid},
		"unknown key id":               {stranger.sign(t, claims(p.URL, nil)), errs.TokenInvalid},
		"known id, other key":          {otherEd.sign(t, claims(p.URL, nil)), errs.TokenInvalid},
		"id of a key of another kind":  {esAsRS.sign(t, claims(p.URL, nil)), errs.TokenInvalid},
		"signed by another RSA key":    {signer{"rs", jwa.RS256(), small}.sign(t, claims(p.URL, nil)), errs.TokenInvalid},
		"RS512":                        {signer{"rs", jwa.RS512(), rsaKey()}.sign(t, claims(p.URL, nil)), errs.TokenInvalid},
		"PS256":                        {signer{"rs", jwa.PS256(), rsaKey()}.sign(t, claims(p.URL, nil)), errs.TokenInvalid},
		"expired":                      {rs.sign(t, claims(p.URL, map[string]any{"exp": start.Add(-time.Minute).Unix()})), errs.TokenExpired},
		"not yet valid":                {rs.sign(t, claims(p.URL, map[string]any{"nbf": start.Add(time.Minute).Unix()})), errs.TokenExpired},
		"without exp":                  {rs.sign(t, claims(p.URL, map[string]any{"exp": nil})), errs.TokenInvalid},
		"exp out of range":             {rs.sign(t, claims(p.URL, map[string]any{"exp": 1e300})), errs.TokenInvalid},
		"negative exp":                 {rs.sign(t, claims(p.URL, map[string]any{"exp": -1})), errs.TokenInvalid},
		"exp as text":                  {rs.sign(t, claims(p.URL, map[string]any{"exp": "tomorrow"})), errs.TokenInvalid},
		"another audience":             {rs.sign(t, claims(p.URL, map[string]any{"aud": "erp"})), errs.TokenAudience},
		"audience in part":             {rs.sign(t, claims(p.URL, map[string]any{"aud": "trama-test"})), errs.TokenAudience},
		"no audience":                  {rs.sign(t, claims(p.URL, map[string]any{"aud": nil})), errs.TokenAudience},
		"another issuer":               {rs.sign(t, claims("https://evil.example.org", nil)), errs.TokenInvalid},
		"issuer with a slash too many": {rs.sign(t, claims(p.URL+"/", nil)), errs.TokenInvalid},
		"no subject":                   {rs.sign(t, claims(p.URL, map[string]any{"sub": nil})), errs.TokenInvalid},
		"subject too long":             {rs.sign(t, claims(p.URL, map[string]any{"sub": strings.Repeat("x", 256)})), errs.TokenInvalid},
		"no key id, one key":           {noKid.sign(t, claims(p.URL, map[string]any{"exp": start.Unix() - 3600})), errs.TokenExpired}, // found, so it gets as far as exp
		"truncated":                    {good[:len(good)-10], errs.TokenInvalid},
		"without its signature":        {parts[0] + "." + parts[1] + ".", errs.TokenInvalid},
		"two parts":                    {parts[0] + "." + parts[1], errs.TokenInvalid},
		"four parts":                   {good + ".x", errs.TokenInvalid},
		"tampered":                     {parts[0] + "." + tampered + "." + parts[2], errs.TokenInvalid},
		"padded base64":                {parts[0] + "==." + parts[1] + "." + parts[2], errs.TokenInvalid},
		"critical extension":           {raw([]byte(`{"alg":"RS256","kid":"rs","crit":["exp"],"exp":1}`)) + "." + parts[1] + "." + parts[2], errs.TokenInvalid},
		"JSON serialisation":           {`{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`, errs.TokenInvalid},
		"a megabyte":                   {strings.Repeat("a", 1<<20), errs.TokenInvalid},
		"a megabyte of a good start":   {good + strings.Repeat("a", 1<<20), errs.TokenInvalid},
		"not UTF-8":                    {"\xff.\xff.\xff", errs.TokenInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := v.Verify(t.Context(), x.token)
			if id != nil {
				t.Errorf("accepted as %+v", id)
			}
			wantReason(t, err, x.want)
			if errs.KindOf(err) != errs.Unauthenticated {
				t.Errorf("kind of %v", err)
			}
			if len(err.Error()) > 1000 {
				t.Errorf("the error is %d bytes long", len(err.Error()))
			}
		})
	}
	if _, err := v.Verify(t.Context(), good); err != nil {
		t.Errorf("the good one, after all that: %v", err)
	}
}

func TestLeewayIsHalfAMinuteEachWay(t *testing.T) {
	c := newClock()
	rs, _, _ := newSigners(t)
	p := newProvider(t, rs)
	v := newVerifier(t, c, trusted(p, c))
	for after, want := range map[time.Duration]errs.Reason{-29 * time.Second: "", -30 * time.Second: errs.TokenExpired} {
		_, err := v.Verify(t.Context(), rs.sign(t, claims(p.URL, map[string]any{"exp": start.Add(after).Unix()})))
		wantReason(t, err, want)
	}
	for after, want := range map[time.Duration]errs.Reason{30 * time.Second: "", 31 * time.Second: errs.TokenExpired} {
		_, err := v.Verify(t.Context(), rs.sign(t, claims(p.URL, map[string]any{"nbf": start.Add(after).Unix()})))
		wantReason(t, err, want)
	}
}

func TestAVerifiedTokenExpiresAllTheSame(t *testing.T) {
	c := newClock()
	rs, _, _ := newSigners(t)
	p := newProvider(t, rs)
	v := newVerifier(t, c, trusted(p, c))
	token := rs.sign(t, claims(p.URL, nil))
	first, err := v.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := v.Verify(t.Context(), token); err != nil || again != first {
		t.Errorf("not remembered: %v, %v", again, err)
	}
	c.advance(time.Hour + 31*time.Second)
	for range 2 {
		_, err = v.Verify(t.Context(), token)
		wantReason(t, err, errs.TokenExpired)
	}
}

func TestTokenOfARemovedKeyIsRefused(t *testing.T) {
	c := newClock()
	rs, es, _ := newSigners(t)
	p := newProvider(t, rs)
	v := newVerifier(t, c, trusted(p, c))
	old := rs.sign(t, claims(p.URL, nil))
	if _, err := v.Verify(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	p.set(es) // rotated
	c.advance(15 * time.Second)
	// A token of the new key makes the keys be fetched again, and with that the
	// old one's tokens lose their standing, remembered or not.
	if _, err := v.Verify(t.Context(), es.sign(t, claims(p.URL, nil))); err != nil {
		t.Fatal(err)
	}
	_, err := v.Verify(t.Context(), old)
	wantReason(t, err, errs.TokenInvalid)
}

func TestRemovedKeyIsNoticedByTimeAlone(t *testing.T) {
	c := newClock()
	rs, es, _ := newSigners(t)
	p := newProvider(t, rs)
	v := newVerifier(t, c, trusted(p, c))
	old := rs.sign(t, claims(p.URL, nil))
	if _, err := v.Verify(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	p.set(es)
	c.advance(11 * time.Minute)
	deadline := time.After(10 * time.Second)
	for {
		_, err := v.Verify(t.Context(), old) // starts the refresh in the background
		if errs.ReasonOf(err) == errs.TokenInvalid {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("still accepted: %v", err)
		default:
		}
	}
}

func TestInventedKeyIDsDoNotHammerTheProvider(t *testing.T) {
	c := newClock()
	rs, _, ed := newSigners(t)
	p := newProvider(t, rs)
	v := newVerifier(t, c, trusted(p, c))
	for i := range 50 {
		ed.kid = fmt.Sprint("invented-", i)
		_, err := v.Verify(t.Context(), ed.sign(t, claims(p.URL, nil)))
		wantReason(t, err, errs.TokenInvalid)
	}
	if n := p.fetches.Load(); n > 2 {
		t.Errorf("50 tokens made %d fetches", n)
	}
}

func TestProviderThatIsDown(t *testing.T) {
	c := newClock()
	rs, _, _ := newSigners(t)
	p := newProvider(t, rs)
	p.down.Store(true)
	v := newVerifier(t, c, trusted(p, c))
	token := rs.sign(t, claims(p.URL, nil))
	_, err := v.Verify(t.Context(), token)
	wantReason(t, err, errs.ServiceDown)
	p.down.Store(false)
	c.advance(11 * time.Second)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("after it came back: %v", err)
	}
	p.down.Store(true)
	c.advance(30 * time.Minute)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("known keys must serve while it is away: %v", err)
	}
}

func TestKeysThatCannotVerifyAreLeftOut(t *testing.T) {
	c := newClock()
	rs, _, _ := newSigners(t)
	p := newProvider(t, rs)
	p.extra = []map[string]any{
		{"kty": "oct", "kid": "shared", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"},
		{"kty": "EC", "kid": "broken", "crv": "P-256", "x": "AA", "y": "AA"},
		{"kty": "unheard-of", "kid": "new"},
	}
	v := newVerifier(t, c, trusted(p, c))
	if _, err := v.Verify(t.Context(), rs.sign(t, claims(p.URL, nil))); err != nil {
		t.Error(err)
	}
}

func TestOneIssuersKeysDoNotSpeakForAnother(t *testing.T) {
	c := newClock()
	rs, _, ed := newSigners(t)
	one, other := newProvider(t, rs), newProvider(t, ed)
	v := newVerifier(t, c, trusted(one, c), trusted(other, c))
	_, err := v.Verify(t.Context(), ed.sign(t, claims(one.URL, nil)))
	wantReason(t, err, errs.TokenInvalid)
	if _, err := v.Verify(t.Context(), ed.sign(t, claims(other.URL, nil))); err != nil {
		t.Error(err)
	}
}

func TestCacheStaysBounded(t *testing.T) {
	c := newClock()
	_, _, ed := newSigners(t)
	p := newProvider(t, ed)
	v, err := auth.NewVerifier(auth.VerifierConfig{Issuers: []auth.Issuer{trusted(p, c)}, Now: c.now, CacheSize: 16})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		if _, err := v.Verify(t.Context(), ed.sign(t, claims(p.URL, map[string]any{"jti": i}))); err != nil {
			t.Fatal(err)
		}
		if n := auth.CacheLen(v); n > 16 {
			t.Fatalf("%d tokens are remembered", n)
		}
	}
}

func TestConcurrentCallersShareTheVerifier(t *testing.T) {
	c := newClock()
	rs, es, ed := newSigners(t)
	p := newProvider(t, rs, es, ed)
	v := newVerifier(t, c, trusted(p, c))
	tokens := []string{rs.sign(t, claims(p.URL, nil)), es.sign(t, claims(p.URL, nil)), ed.sign(t, claims(p.URL, nil))}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				if i%50 == 0 {
					c.advance(time.Minute)
				}
				if _, err := v.Verify(context.Background(), tokens[(g+i)%3]); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func FuzzToken(f *testing.F) {
	c := newClock()
	local := auth.NewLocalIssuer(ed25519.NewKeyFromSeed(make([]byte, 32)), "", c.now)
	v := newVerifier(f, c, local.Trusted())
	good, err := local.Mint("anna", nil, time.Hour)
	if err != nil {
		f.Fatal(err)
	}
	parts := strings.Split(good, ".")
	f.Add(good)
	f.Add("")
	f.Add("..")
	f.Add(parts[0] + "." + parts[1] + ".")
	f.Add("eyJhbGciOiJub25lIn0." + parts[1] + ".")
	f.Add(parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"urn:trama:local","aud":[1],"exp":1e999}`)) + "." + parts[2])
	f.Add(parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":["urn:trama:local"],"aud":null,"trama_roles":{}}`)) + "." + parts[2])
	f.Fuzz(func(t *testing.T, token string) {
		id, err := v.Verify(t.Context(), token)
		if err == nil {
			// The only text that verifies is one that the issuer signed. A
			// signature's last character has spare bits, so compare its bytes.
			got := strings.Split(token, ".")
			a, _ := base64.RawURLEncoding.DecodeString(got[2])
			b, _ := base64.RawURLEncoding.DecodeString(parts[2])
			if got[0] != parts[0] || got[1] != parts[1] || string(a) != string(b) || id.Subject != "anna" {
				t.Fatalf("accepted %q as %+v", token, id)
			}
			return
		}
		if id != nil || errs.KindOf(err) != errs.Unauthenticated {
			t.Fatalf("%q: %+v, %v", token, id, err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	c := newClock()
	rs, _, ed := newSigners(b)
	p := newProvider(b, rs, ed)
	for name, s := range maps.All(map[string]signer{"RS256": rs, "EdDSA": ed}) {
		v := newVerifier(b, c, trusted(p, c))
		token := s.sign(b, claims(p.URL, nil))
		b.Run(name+"/remembered", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/first", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				auth.ForgetTokens(v)
				if _, err := v.Verify(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
