package auth

import (
	"fmt"
	"time"
)

// Options say whose tokens a process accepts and with which ones its services
// call; see config.Auth for what they mean to an operator.
type Options struct {
	Issuer, Audience, JWKSURL string
	// KeyFile of the local issuer. Needed unless there are an Issuer and a
	// ClientID; made where it does not exist.
	KeyFile                string
	ClientID, ClientSecret string
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// Authority is a process's side of identity.
type Authority struct {
	// Verifier checks the tokens of callers.
	Verifier *Verifier
	// Local is the local issuer, nil where an OpenID Connect issuer gives all
	// tokens.
	Local *LocalIssuer
	// Source returns the tokens with which one of this process's services
	// calls others.
	Source func(service string) TokenSource
}

// NewAuthority sets up identity:
//
//   - no Issuer: a local issuer mints all tokens;
//   - an Issuer: it mints people's tokens, and services' too where there is a
//     ClientID; otherwise services call with tokens of a local issuer, which is
//     then trusted as well.
func NewAuthority(o Options) (*Authority, error) {
	a := &Authority{}
	var trusted []Issuer
	if o.Issuer != "" {
		trusted = append(trusted, Issuer{URL: o.Issuer, Keys: NewRemoteKeys(o.Issuer, o.JWKSURL, nil, o.Now)})
	}
	if o.Issuer != "" && o.ClientID != "" {
		source := ClientCredentials{
			Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret, Audience: o.Audience, Now: o.Now,
		}.Source()
		a.Source = func(string) TokenSource { return source }
	} else {
		if o.KeyFile == "" {
			return nil, fmt.Errorf("auth: the local issuer needs a key file")
		}
		local, err := OpenLocalIssuer(o.KeyFile, o.Audience, o.Now)
		if err != nil {
			return nil, err
		}
		a.Local = local
		a.Source = local.Source
		trusted = append(trusted, local.Trusted())
	}
	verifier, err := NewVerifier(VerifierConfig{Issuers: trusted, Audience: o.Audience, Now: o.Now})
	if err != nil {
		return nil, err
	}
	a.Verifier = verifier
	return a, nil
}
