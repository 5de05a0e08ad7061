package suite

import (
	"path/filepath"
	"time"

	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/config"
)

// identity is whom this process trusts and as whom it calls.
type identity struct {
	verifier *auth.Verifier
	// source gives the tokens of one of our services.
	source func(service string) auth.TokenSource
	// local says that the deployment mints its own tokens.
	local bool
}

// newIdentity trusts the configured OpenID Connect issuer, and a local one whose
// key is in the data folder where no issuer, or no account at it for the
// services, is configured.
func newIdentity(cfg config.Config) (*identity, error) {
	id := &identity{local: cfg.Auth.Issuer == ""}
	var trusted []auth.Issuer
	if cfg.Auth.Issuer != "" {
		trusted = append(trusted, auth.Issuer{
			URL:  cfg.Auth.Issuer,
			Keys: auth.NewRemoteKeys(cfg.Auth.Issuer, cfg.Auth.JWKSURL, nil, nil),
		})
	}
	if cfg.Auth.ClientID != "" {
		account := auth.ClientCredentials{
			Issuer: cfg.Auth.Issuer, ClientID: cfg.Auth.ClientID, ClientSecret: string(cfg.Auth.ClientSecret), Audience: cfg.Auth.Audience,
		}.Source()
		id.source = func(string) auth.TokenSource { return account }
	} else {
		issuer, err := OpenLocalIssuer(cfg)
		if err != nil {
			return nil, err
		}
		trusted = append(trusted, issuer.Trusted())
		id.source = issuer.Source
	}
	var err error
	id.verifier, err = auth.NewVerifier(auth.VerifierConfig{Issuers: trusted, Audience: cfg.Auth.Audience})
	return id, err
}

// OpenLocalIssuer opens the deployment's own issuer of tokens.
func OpenLocalIssuer(cfg config.Config) (*auth.LocalIssuer, error) {
	path := cfg.Auth.KeyFile
	if path == "" {
		path = filepath.Join(cfg.DataDir, auth.LocalKeyFile)
	}
	return auth.OpenLocalIssuer(path, cfg.Auth.Audience, time.Now)
}
