package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/trama-suite/trama/gateway/rest"
	"github.com/trama-suite/trama/gateway/suite"
	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	"github.com/trama-suite/trama/services/platform/auth"
)

// clientFlags say which deployment a client command talks to, and as whom.
type clientFlags struct {
	Server string `help:"URL of the gateway (default: the configured HTTP address)." placeholder:"URL"`
	Token  string `help:"Bearer token (default: one of the local issuer, as network operator)." placeholder:"JWT"`
}

// client returns a client as the network operator.
func (c clientFlags) client(g globals) (*rest.Client, error) {
	out, issuer, err := c.base(g)
	if err != nil || c.Token != "" {
		return out, err
	}
	out.Token, err = issuer.Mint("trama", []auth.Role{authzv1.Role_ROLE_NETWORK_OPERATOR}, time.Hour)
	return out, err
}

// people returns a function that makes clients of other people, with no role but
// those of their memberships; nil where tokens are not ours to make.
func (c clientFlags) people(g globals) (func(subject string) (*rest.Client, error), error) {
	if c.Token != "" {
		return nil, nil
	}
	base, issuer, err := c.base(g)
	if err != nil {
		return nil, err
	}
	return func(subject string) (*rest.Client, error) {
		token, err := issuer.Mint(subject, nil, time.Hour)
		return &rest.Client{Base: base.Base, Token: token, HTTP: base.HTTP}, err
	}, nil
}

// base returns a client with the token that was given, or else the issuer of
// one.
func (c clientFlags) base(g globals) (*rest.Client, *auth.LocalIssuer, error) {
	cfg, err := g.load(nil)
	if err != nil {
		return nil, nil, err
	}
	out := &rest.Client{Base: strings.TrimSuffix(c.Server, "/"), Token: c.Token, HTTP: &http.Client{Timeout: 2 * time.Minute}}
	if out.Base == "" {
		out.Base = "http://" + cfg.HTTP
	}
	if out.Token != "" {
		return out, nil, nil
	}
	if cfg.Auth.Issuer != "" {
		return nil, nil, fmt.Errorf("tokens come from %s: give one with --token", cfg.Auth.Issuer)
	}
	issuer, err := suite.OpenLocalIssuer(cfg)
	return out, issuer, err
}
