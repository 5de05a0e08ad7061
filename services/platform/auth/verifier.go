package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v3/jws"

	"github.com/trama-suite/trama/services/platform/errs"
)

// Limits and defaults of token checking.
const (
	// DefaultAudience is the audience that tokens for Trama carry.
	DefaultAudience = "trama"
	// maxToken is the longest token that is looked at, in bytes. Identity
	// providers stay below 4 KiB, as proxies cut longer headers.
	maxToken = 16 << 10
	// maxSubject is the longest subject, in bytes (OpenID Connect Core, 2).
	maxSubject = 255
	// lastInstant is the end of the year 9999 in Unix seconds: no honest token
	// lives longer, and greater numbers overflow time arithmetic.
	lastInstant = 253402300799
)

// Issuer is a trusted issuer of tokens: its "iss" and its public keys.
type Issuer struct {
	// URL is the exact "iss" claim.
	URL string
	// Keys are the issuer's public keys.
	Keys Keys
}

// VerifierConfig says which tokens to accept.
type VerifierConfig struct {
	// Issuers that are trusted. A token's "iss" selects one, and only that
	// one's keys are tried.
	Issuers []Issuer
	// Audience that must be among the token's "aud". Empty: DefaultAudience.
	Audience string
	// Leeway for exp and nbf, for clocks that differ. Zero: 30 seconds.
	Leeway time.Duration
	// CacheSize is how many verified tokens are remembered. Zero: 10,000.
	CacheSize int
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// Identity is what a valid token proves. It is shared between calls: read only.
type Identity struct {
	// Subject is the token's "sub".
	Subject string
	// Roles are the network-wide roles of the token.
	Roles []Role
	// Expires is when the token does.
	Expires time.Time

	roles roleSet
}

// Verifier checks bearer tokens. Checking an RS256 signature costs about 50 µs,
// as much as the rest of a call, so verified tokens are remembered until they
// expire or their issuer's keys change.
type Verifier struct {
	issuers  map[string]Keys
	audience string
	leeway   time.Duration
	now      func() time.Time
	size     int

	seed  maphash.Seed
	mu    sync.RWMutex
	cache map[uint64]cached // by the token's hash
}

// cached is a token that has been verified. The hash is a fast one, not a
// cryptographic one, so the token itself decides.
type cached struct {
	token      string
	identity   *Identity
	keys       Keys
	generation uint64
}

// NewVerifier returns a verifier for the configuration.
func NewVerifier(cfg VerifierConfig) (*Verifier, error) {
	v := &Verifier{
		issuers: map[string]Keys{}, audience: cfg.Audience, leeway: cfg.Leeway,
		now: cfg.Now, size: cfg.CacheSize, cache: map[uint64]cached{}, seed: maphash.MakeSeed(),
	}
	if v.audience == "" {
		v.audience = DefaultAudience
	}
	if v.leeway == 0 {
		v.leeway = 30 * time.Second
	}
	if v.now == nil {
		v.now = time.Now
	}
	if v.size == 0 {
		v.size = 10_000
	}
	for _, i := range cfg.Issuers {
		if i.URL == "" || i.Keys == nil {
			return nil, fmt.Errorf("auth: an issuer needs a URL and keys")
		}
		if _, twice := v.issuers[i.URL]; twice {
			return nil, fmt.Errorf("auth: issuer %s is given twice", i.URL)
		}
		v.issuers[i.URL] = i.Keys
	}
	if len(v.issuers) == 0 {
		return nil, fmt.Errorf("auth: no issuer is trusted, so nobody could call")
	}
	return v, nil
}

// Verify checks a token and returns what it proves. Errors: TOKEN_ABSENT,
// TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_AUDIENCE, and UNAVAILABLE where the
// issuer's keys cannot be had.
func (v *Verifier) Verify(ctx context.Context, token string) (*Identity, error) {
	if token == "" {
		return nil, errAbsent()
	}
	if len(token) > maxToken {
		return nil, errInvalid("it is longer than %d bytes", maxToken)
	}
	now := v.now()
	hash := maphash.String(v.seed, token)
	v.mu.RLock()
	c, hit := v.cache[hash]
	v.mu.RUnlock()
	if hit && c.token == token && c.generation == c.keys.Generation() {
		if now.Before(c.identity.Expires.Add(v.leeway)) {
			return c.identity, nil
		}
		v.mu.Lock()
		delete(v.cache, hash)
		v.mu.Unlock()
		return nil, errExpired(c.identity.Expires)
	}
	c, err := v.verify(ctx, token, now)
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	if len(v.cache) >= v.size {
		v.makeRoom(now)
	}
	v.cache[hash] = c
	v.mu.Unlock()
	return c.identity, nil
}

// makeRoom drops what has expired, and where that is less than an eighth, as
// many arbitrary others: being dropped costs one verification, no more.
func (v *Verifier) makeRoom(now time.Time) {
	target := v.size - max(v.size/8, 1)
	for k, c := range v.cache {
		if !now.Before(c.identity.Expires.Add(v.leeway)) {
			delete(v.cache, k)
		}
	}
	for k := range v.cache {
		if len(v.cache) <= target {
			return
		}
		delete(v.cache, k)
	}
}

// header is the part of a JOSE header (RFC 7515) that decides anything here.
type header struct {
	Algorithm string          `json:"alg"`
	KeyID     string          `json:"kid"`
	Critical  json.RawMessage `json:"crit"`
}

// claims are the claims (RFC 7519) that decide anything here.
type claims struct {
	Issuer    string     `json:"iss"`
	Subject   string     `json:"sub"`
	Audience  stringList `json:"aud"`
	Expires   *float64   `json:"exp"`
	NotBefore *float64   `json:"nbf"`
	Roles     stringList `json:"trama_roles"`
}

// stringList is a string or an array of strings, as RFC 7519 has for "aud".
type stringList []string

// UnmarshalJSON reads either shape.
func (s *stringList) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var one string
		if err := json.Unmarshal(b, &one); err != nil {
			return err
		}
		*s = stringList{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(s))
}

func (v *Verifier) verify(ctx context.Context, token string, now time.Time) (cached, error) {
	head, body, err := dissect(token)
	if err != nil {
		return cached{}, err
	}
	algorithm, ok := algorithms[head.Algorithm]
	if !ok {
		return cached{}, errInvalid("its algorithm is %q; RS256, ES256 and EdDSA are accepted", clip(head.Algorithm))
	}
	if head.Critical != nil {
		return cached{}, errInvalid("it asks for critical extensions, of which none is known here")
	}
	keys, ok := v.issuers[body.Issuer]
	if !ok {
		return cached{}, errInvalid("its issuer %q is not trusted here", clip(body.Issuer))
	}
	key, generation, err := keys.Find(ctx, head.KeyID, head.Algorithm)
	if err != nil {
		return cached{}, err
	}
	payload, err := jws.Verify([]byte(token), jws.WithCompact(), jws.WithKey(algorithm, key))
	if err != nil {
		return cached{}, errInvalid("its signature does not verify").Because(err)
	}
	// From here on only what the signature covers counts.
	var proven claims
	if err := json.Unmarshal(payload, &proven); err != nil {
		return cached{}, errInvalid("its claims cannot be read").Because(err)
	}
	identity, err := v.accept(proven, now)
	if err != nil {
		return cached{}, err
	}
	return cached{token: token, identity: identity, keys: keys, generation: generation}, nil
}

// accept checks the claims of a token whose signature has been verified.
func (v *Verifier) accept(c claims, now time.Time) (*Identity, error) {
	if c.Expires == nil {
		return nil, errInvalid("it never expires (no exp)")
	}
	expires, ok := instant(*c.Expires)
	if !ok {
		return nil, errInvalid("its exp is out of range")
	}
	if !now.Before(expires.Add(v.leeway)) {
		return nil, errExpired(expires)
	}
	if c.NotBefore != nil {
		start, ok := instant(*c.NotBefore)
		if !ok {
			return nil, errInvalid("its nbf is out of range")
		}
		if now.Add(v.leeway).Before(start) {
			return nil, errs.New(errs.Unauthenticated, errs.TokenExpired,
				"the token is not valid before %s", start.UTC().Format(time.RFC3339))
		}
	}
	if !slices.Contains(c.Audience, v.audience) {
		return nil, errs.New(errs.Unauthenticated, errs.TokenAudience,
			"the token was issued for another audience; this one is %q", v.audience)
	}
	if c.Subject == "" || len(c.Subject) > maxSubject {
		return nil, errInvalid("its subject (sub) must have 1 to %d bytes", maxSubject)
	}
	roles := tokenRoles(c.Roles)
	return &Identity{Subject: c.Subject, Roles: roles, Expires: expires, roles: setOf(roles...)}, nil
}

// dissect reads the header and the still unproven claims of a compact JWS.
func dissect(token string) (header, claims, error) {
	var h header
	var c claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return h, c, errInvalid("it does not have the three parts of a signed JWT")
	}
	for i, into := range []any{&h, &c} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return h, c, errInvalid("it is not base64url").Because(err)
		}
		if err := json.Unmarshal(raw, into); err != nil {
			return h, c, errInvalid("its JSON cannot be read").Because(err)
		}
	}
	return h, c, nil
}

func instant(seconds float64) (time.Time, bool) {
	if math.IsNaN(seconds) || seconds < 0 || seconds > lastInstant {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), true
}

// clip keeps a stranger's text in an error short.
func clip(s string) string {
	if len(s) > 100 {
		return s[:100] + "…"
	}
	return s
}

func errAbsent() *errs.Error {
	return errs.New(errs.Unauthenticated, errs.TokenAbsent, "the call needs a bearer token in the authorization header")
}

func errInvalid(format string, args ...any) *errs.Error {
	return errs.New(errs.Unauthenticated, errs.TokenInvalid, "the token is not valid: "+format, args...)
}

func errExpired(at time.Time) *errs.Error {
	return errs.New(errs.Unauthenticated, errs.TokenExpired, "the token expired at %s", at.UTC().Format(time.RFC3339))
}
