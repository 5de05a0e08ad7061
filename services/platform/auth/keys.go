package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"fmt"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"

	"github.com/trama-suite/trama/services/platform/errs"
)

// algorithms is the allow-list: asymmetric signatures only, so that a public
// key can never serve as a shared secret, and never "none".
var algorithms = map[string]jwa.SignatureAlgorithm{
	"RS256": jwa.RS256(),
	"ES256": jwa.ES256(),
	"EdDSA": jwa.EdDSA(),
}

// Keys are an issuer's public keys.
type Keys interface {
	// Find returns the key of that id for that algorithm of the allow-list, and
	// the generation of keys that it is in. An empty id finds the only key for
	// the algorithm. Errors: TOKEN_INVALID where there is no such key,
	// UNAVAILABLE where the keys cannot be had.
	Find(ctx context.Context, id, algorithm string) (key crypto.PublicKey, generation uint64, err error)
	// Generation changes whenever the set of keys does. What was verified under
	// another generation has to be verified again.
	Generation() uint64
}

// publicKey is one key with the one algorithm that it serves.
type publicKey struct {
	id, algorithm string
	key           crypto.PublicKey
}

type keySet []publicKey

func (s keySet) find(id, algorithm string) (crypto.PublicKey, bool) {
	var found crypto.PublicKey
	matches := 0
	for _, k := range s {
		if k.algorithm == algorithm && (id == "" || k.id == id) {
			found = k.key
			matches++
		}
	}
	return found, matches == 1
}

func errNoKey(id string) *errs.Error {
	if id == "" {
		return errInvalid("it names no key (kid), and its issuer does not have exactly one for its algorithm")
	}
	return errInvalid("its issuer has no key %q for its algorithm", clip(id))
}

// static returns keys that never change.
func static(keys ...publicKey) Keys { return staticKeys(keys) }

type staticKeys keySet

func (s staticKeys) Find(_ context.Context, id, algorithm string) (crypto.PublicKey, uint64, error) {
	if k, ok := keySet(s).find(id, algorithm); ok {
		return k, s.Generation(), nil
	}
	return nil, 0, errNoKey(id)
}

func (s staticKeys) Generation() uint64 { return 1 }

// parseKeys reads a JSON Web Key Set (RFC 7517) and keeps the keys that may
// verify signatures of the allow-list. Others (encryption, symmetric, unknown
// kinds, RSA under 2048 bits) are left out, as providers publish them too.
func parseKeys(document []byte) (keySet, error) {
	var doc struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(document, &doc); err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	var out keySet
	for _, raw := range doc.Keys {
		k, err := jwk.ParseKey(raw)
		if err != nil {
			continue
		}
		if use, ok := k.KeyUsage(); ok && use != "" && use != "sig" {
			continue
		}
		var exported any
		if err := jwk.Export(k, &exported); err != nil {
			continue
		}
		pub, algorithm, ok := classify(exported)
		if !ok {
			continue
		}
		if declared, ok := k.Algorithm(); ok && declared.String() != algorithm {
			continue
		}
		id, _ := k.KeyID()
		out = append(out, publicKey{id: id, algorithm: algorithm, key: pub})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("key set: no key in it can verify RS256, ES256 or EdDSA")
	}
	return out, nil
}

// classify gives the one algorithm of the allow-list that a key serves.
func classify(key any) (crypto.PublicKey, string, bool) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return k, "RS256", k.N.BitLen() >= 2048
	case *ecdsa.PublicKey:
		return k, "ES256", k.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return k, "EdDSA", len(k) == ed25519.PublicKeySize
	}
	return nil, "", false
}
