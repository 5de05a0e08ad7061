package auth

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// TokenSource gives the token with which a service calls another.
type TokenSource interface {
	// Token returns a token that is valid now. It is cheap to call for every call.
	Token(ctx context.Context) (string, error)
}

// source keeps a token until four fifths of its life have gone.
type source struct {
	now   func() time.Time
	fetch func(ctx context.Context) (string, time.Time, error)

	held atomic.Pointer[held]
	mu   sync.Mutex // one renewal at a time
}

type held struct {
	token          string
	renew, expires time.Time
}

func newSource(now func() time.Time, fetch func(ctx context.Context) (string, time.Time, error)) *source {
	return &source{now: now, fetch: fetch}
}

// Token implements TokenSource.
func (s *source) Token(ctx context.Context) (string, error) {
	now := s.now()
	if h := s.held.Load(); h != nil && now.Before(h.renew) {
		return h.token, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.held.Load()
	if h != nil && now.Before(h.renew) {
		return h.token, nil
	}
	token, expires, err := s.fetch(ctx)
	if err != nil {
		if h != nil && now.Before(h.expires) {
			return h.token, nil // still good; the next call tries again
		}
		return "", err
	}
	s.held.Store(&held{token: token, renew: now.Add(expires.Sub(now) * 4 / 5), expires: expires})
	return token, nil
}

// ClientCredentials describes a service account at an OpenID Connect issuer.
type ClientCredentials struct {
	// Issuer whose discovery document tells the token endpoint.
	Issuer string
	// ClientID and ClientSecret of the account.
	ClientID, ClientSecret string
	// Audience asked for. Empty: DefaultAudience.
	Audience string
	// Client for HTTP; nil: http.DefaultClient.
	Client *http.Client
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Source returns tokens by the client credentials grant (RFC 6749, 4.4). The
// issuer is asked at first use, so it need not be up when the server starts.
func (c ClientCredentials) Source() TokenSource {
	if c.Audience == "" {
		c.Audience = DefaultAudience
	}
	if c.Client == nil {
		c.Client = http.DefaultClient
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	var endpoint string
	return newSource(c.Now, func(ctx context.Context) (string, time.Time, error) {
		ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
		defer cancel()
		if endpoint == "" {
			provider, err := oidc.NewProvider(oidc.ClientContext(ctx, c.Client), c.Issuer)
			if err != nil {
				return "", time.Time{}, fmt.Errorf("discovery of %s: %w", c.Issuer, err)
			}
			endpoint = provider.Endpoint().TokenURL
		}
		grant := clientcredentials.Config{
			ClientID: c.ClientID, ClientSecret: c.ClientSecret, TokenURL: endpoint,
			EndpointParams: url.Values{"audience": {c.Audience}},
		}
		token, err := grant.Token(context.WithValue(ctx, oauth2.HTTPClient, c.Client))
		if err != nil {
			return "", time.Time{}, fmt.Errorf("client credentials at %s: %w", c.Issuer, err)
		}
		life := 5 * time.Minute // where the issuer does not say
		if !token.Expiry.IsZero() {
			life = time.Until(token.Expiry) // the library has read the system's clock
		}
		return token.AccessToken, c.Now().Add(life), nil
	})
}
