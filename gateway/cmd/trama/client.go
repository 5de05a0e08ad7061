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
	cfg, err := g.load(nil)
	if err != nil {
		return nil, err
	}
	out := &rest.Client{Base: strings.TrimSuffix(c.Server, "/"), Token: c.Token, HTTP: &http.Client{Timeout: 2 * time.Minute}}
	if out.Base == "" {
		out.Base = "http://" + cfg.HTTP
	}
	if out.Token != "" {
		return out, nil
	}
	if cfg.Auth.Issuer != "" {
		return nil, fmt.Errorf("tokens come from %s: give one with --token", cfg.Auth.Issuer)
	}
	issuer, err := suite.OpenLocalIssuer(cfg)
	if err != nil {
		return nil, err
	}
	out.Token, err = issuer.Mint("trama", []auth.Role{authzv1.Role_ROLE_NETWORK_OPERATOR}, time.Hour)
	return out, err
}
