package auth

import (
	"context"
	"crypto"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/trama-suite/trama/services/platform/errs"
)

// Times of a remote key set.
const (
	// refreshAfter is the age at which keys are fetched again, in the
	// background: the longest that a removed key stays trusted.
	refreshAfter = 10 * time.Minute
	// retryAfter is the least time between two fetches, so that tokens with
	// invented key ids cannot make this server hammer the identity provider.
	retryAfter = 10 * time.Second
	// fetchTimeout bounds one fetch.
	fetchTimeout = 10 * time.Second
	// maxKeySet is the longest key set that is read, in bytes.
	maxKeySet = 1 << 20
)

// RemoteKeys are the keys that an issuer publishes. They are fetched at first
// use, so the issuer need not be up when the server starts; again when a token
// names an unknown key; and again once they are ten minutes old.
type RemoteKeys struct {
	issuer string
	client *http.Client
	now    func() time.Time

	held       atomic.Pointer[generation]
	fetched    atomic.Int64 // when the last fetch began, Unix nanoseconds
	refreshing atomic.Bool

	mu  sync.Mutex // one fetch at a time; guards url and err
	url string
	err error // of the last fetch
}

// generation is the keys as they were from one change to the next.
type generation struct {
	keys   keySet
	number uint64
}

// NewRemoteKeys returns the keys of an OpenID Connect issuer. With a keySetURL
// they come from there; without, the issuer's discovery document tells where
// they are (OpenID Connect Discovery 1.0). Client and now may be nil.
func NewRemoteKeys(issuer, keySetURL string, client *http.Client, now func() time.Time) *RemoteKeys {
	if client == nil {
		client = http.DefaultClient
	}
	if now == nil {
		now = time.Now
	}
	return &RemoteKeys{issuer: issuer, url: keySetURL, client: client, now: now}
}

// Generation implements Keys, and starts a refresh where the keys are old.
func (k *RemoteKeys) Generation() uint64 {
	if k.held.Load() != nil && k.age() > refreshAfter && k.refreshing.CompareAndSwap(false, true) {
		go func() {
			defer k.refreshing.Store(false)
			ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
			defer cancel()
			_ = k.refresh(ctx) // kept for the next Find that misses; until then the old keys serve
		}()
	}
	if g := k.held.Load(); g != nil {
		return g.number
	}
	return 0
}

// Find implements Keys.
func (k *RemoteKeys) Find(ctx context.Context, id, algorithm string) (crypto.PublicKey, uint64, error) {
	if g := k.held.Load(); g != nil {
		if key, ok := g.keys.find(id, algorithm); ok {
			return key, g.number, nil
		}
	}
	// A fetch serves every caller: one caller that gives up must not end it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	defer cancel()
	err := k.refresh(ctx)
	g := k.held.Load()
	if g == nil {
		return nil, 0, errs.New(errs.Unavailable, errs.ServiceDown,
			"the identity provider's keys cannot be had at the moment: try again").Because(err)
	}
	if key, ok := g.keys.find(id, algorithm); ok {
		return key, g.number, nil
	}
	return nil, 0, errNoKey(id)
}

func (k *RemoteKeys) age() time.Duration {
	return time.Duration(k.now().UnixNano() - k.fetched.Load())
}

// refresh fetches the keys unless that has just been done.
func (k *RemoteKeys) refresh(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fetched.Load() != 0 && k.age() < retryAfter {
		return k.err
	}
	k.fetched.Store(k.now().UnixNano())
	set, err := k.fetch(ctx)
	k.err = err
	if err != nil {
		return err
	}
	switch old := k.held.Load(); {
	case old == nil:
		k.held.Store(&generation{keys: set, number: 1})
	case !slices.EqualFunc(old.keys, set, sameKey):
		k.held.Store(&generation{keys: set, number: old.number + 1})
	}
	return nil
}

func sameKey(a, b publicKey) bool {
	equal, ok := a.key.(interface{ Equal(crypto.PublicKey) bool })
	return a.id == b.id && a.algorithm == b.algorithm && ok && equal.Equal(b.key)
}

func (k *RemoteKeys) fetch(ctx context.Context) (keySet, error) {
	if k.url == "" {
		url, err := discoverKeySet(ctx, k.client, k.issuer)
		if err != nil {
			return nil, err
		}
		k.url = url
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	resp, err := k.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("key set: %s answered %s", k.url, resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxKeySet+1))
	if err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	if len(body) > maxKeySet {
		return nil, fmt.Errorf("key set: longer than %d bytes", maxKeySet)
	}
	return parseKeys(body)
}

// discoverKeySet reads jwks_uri from the issuer's discovery document; go-oidc
// checks that the document is the issuer's own.
func discoverKeySet(ctx context.Context, client *http.Client, issuer string) (string, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, client), issuer)
	if err != nil {
		return "", fmt.Errorf("discovery of %s: %w", issuer, err)
	}
	var doc struct {
		KeySet string `json:"jwks_uri"`
	}
	if err := provider.Claims(&doc); err != nil || doc.KeySet == "" {
		return "", fmt.Errorf("discovery of %s: no jwks_uri", issuer)
	}
	return doc.KeySet, nil
}
