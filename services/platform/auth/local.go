package auth

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
)

// LocalIssuerURL is the "iss" of tokens from a local issuer.
const LocalIssuerURL = "urn:trama:local"

// LocalKeyFile is where, under the data folder, a local issuer keeps its key.
const LocalKeyFile = "auth/issuer.pem"

// LocalIssuer mints tokens with a key of its own, so that one process or a
// development setup needs no identity provider. Whoever can read the key file
// can be anyone: it is created for its owner's eyes only.
type LocalIssuer struct {
	key      ed25519.PrivateKey
	id       string
	audience string
	now      func() time.Time
}

// NewLocalIssuer returns an issuer with that key. An empty audience is
// DefaultAudience; a nil now is time.Now.
func NewLocalIssuer(key ed25519.PrivateKey, audience string, now func() time.Time) *LocalIssuer {
	if audience == "" {
		audience = DefaultAudience
	}
	if now == nil {
		now = time.Now
	}
	return &LocalIssuer{key: key, id: thumbprint(key.Public().(ed25519.PublicKey)), audience: audience, now: now}
}

// OpenLocalIssuer reads the issuer's Ed25519 key (PKCS #8 in PEM) from a file,
// and creates the file with a fresh key, mode 0600, where there is none. Several
// processes may open the same file at once: they end up with the same key.
func OpenLocalIssuer(path, audience string, now func() time.Time) (*LocalIssuer, error) {
	key, err := readKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := createKey(path); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("local issuer: %w", err)
		}
		key, err = readKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("local issuer: %w", err)
	}
	return NewLocalIssuer(key, audience, now), nil
}

func readKey(path string) (ed25519.PrivateKey, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(raw)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, fmt.Errorf("%s holds no PEM block PRIVATE KEY", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s holds a %T; an Ed25519 key is needed", path, parsed)
	}
	return key, nil
}

// createKey writes a fresh key aside and links it into place: the file appears
// whole or not at all, and only one of several processes creates it.
func createKey(path string) error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".issuer-*") // CreateTemp gives mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	err = pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Link(f.Name(), path)
}

// thumbprint is the key's id by RFC 7638: the hash of its canonical JWK.
func thumbprint(key ed25519.PublicKey) string {
	canonical := `{"crv":"Ed25519","kty":"OKP","x":"` + base64.RawURLEncoding.EncodeToString(key) + `"}`
	sum := sha256.Sum256([]byte(canonical))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Trusted returns the issuer as one that a Verifier may trust.
func (i *LocalIssuer) Trusted() Issuer {
	return Issuer{URL: LocalIssuerURL, Keys: static(publicKey{
		id: i.id, algorithm: "EdDSA", key: i.key.Public().(ed25519.PublicKey),
	})}
}

// Mint returns a token for a subject with network-wide roles, valid from now
// for ttl. Roles in an organisation are not in tokens: give the subject a
// membership in the catalogue instead.
func (i *LocalIssuer) Mint(subject string, roles []Role, ttl time.Duration) (string, error) {
	if subject == "" || len(subject) > maxSubject {
		return "", fmt.Errorf("local issuer: the subject must have 1 to %d bytes", maxSubject)
	}
	if ttl <= 0 {
		return "", fmt.Errorf("local issuer: a token must live longer than %s", ttl)
	}
	names := make([]string, 0, len(roles))
	for _, r := range roles {
		if !NetworkRole(r) {
			return "", fmt.Errorf("local issuer: %s is a role in an organisation: it comes from a membership, not from a token", RoleName(r))
		}
		names = append(names, RoleName(r))
	}
	now := i.now()
	payload, err := json.Marshal(map[string]any{
		"iss": LocalIssuerURL, "sub": subject, "aud": i.audience,
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(ttl).Unix(),
		RolesClaim: names,
	})
	if err != nil {
		return "", fmt.Errorf("local issuer: %w", err)
	}
	headers := jws.NewHeaders()
	if err := errors.Join(headers.Set(jws.KeyIDKey, i.id), headers.Set(jws.TypeKey, "JWT")); err != nil {
		return "", fmt.Errorf("local issuer: %w", err)
	}
	token, err := jws.Sign(payload, jws.WithKey(jwa.EdDSA(), i.key, jws.WithProtectedHeaders(headers)))
	if err != nil {
		return "", fmt.Errorf("local issuer: %w", err)
	}
	return string(token), nil
}

// Source returns tokens for a service of the suite (role service), minted an
// hour at a time.
func (i *LocalIssuer) Source(service string) TokenSource {
	return newSource(i.now, func(context.Context) (string, time.Time, error) {
		const ttl = time.Hour
		token, err := i.Mint("service:"+service, []Role{authzv1.Role_ROLE_SERVICE}, ttl)
		return token, i.now().Add(ttl), err
	})
}
