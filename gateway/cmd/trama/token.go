package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/trama-suite/trama/gateway/suite"
	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/config"
	"github.com/trama-suite/trama/services/platform/rpc"
)

type tokenCommand struct {
	As           string        `help:"Role: network-operator, regional-operator, auditor, service; or, with --organisation, organisation-admin, project-manager, project-partner, trainer, learner, supplier, funder." required:""`
	Organisation string        `help:"Organisation in which the role is held, organisations/{uuid}." placeholder:"NAME"`
	Subject      string        `help:"Subject of the token (default: the role, and the organisation's id)."`
	For          time.Duration `help:"How long the token is valid." default:"8h"`
}

// Run prints a token of the local issuer. A role in an organisation is a
// membership in the catalogue, not a claim: it is created in the running suite
// where it is not there yet.
func (c tokenCommand) Run(ctx context.Context, g globals) error {
	cfg, err := g.load(nil)
	if err != nil {
		return err
	}
	if cfg.Auth.Issuer != "" {
		return fmt.Errorf("tokens come from %s: ask it for one", cfg.Auth.Issuer)
	}
	role, ok := auth.RoleByName(c.As)
	if !ok {
		return fmt.Errorf("there is no role %q; the roles are %s", c.As, strings.Join(roleNames(), ", "))
	}
	issuer, err := suite.OpenLocalIssuer(cfg)
	if err != nil {
		return err
	}
	if auth.NetworkRole(role) {
		if c.Organisation != "" {
			return fmt.Errorf("the role %s is not held in an organisation", c.As)
		}
		return c.print(issuer, c.subject(), []auth.Role{role})
	}
	if c.Organisation == "" {
		return fmt.Errorf("the role %s is held in an organisation: say which with --organisation", c.As)
	}
	if err := c.join(ctx, cfg, issuer, role); err != nil {
		return fmt.Errorf("make %s a member of %s: %w", c.subject(), c.Organisation, err)
	}
	return c.print(issuer, c.subject(), nil)
}

func (c tokenCommand) subject() string {
	if c.Subject != "" {
		return c.Subject
	}
	if c.Organisation == "" {
		return c.As
	}
	return c.As + "@" + strings.TrimPrefix(c.Organisation, "organisations/")
}

func (c tokenCommand) print(issuer *auth.LocalIssuer, subject string, roles []auth.Role) error {
	token, err := issuer.Mint(subject, roles, c.For)
	if err != nil {
		return err
	}
	fmt.Println(token)
	return nil
}

// join creates the membership, as an operator, where it does not exist.
func (c tokenCommand) join(ctx context.Context, cfg config.Config, issuer *auth.LocalIssuer, role auth.Role) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tlsConfig, err := cfg.TLS.Client()
	if err != nil {
		return err
	}
	conn, err := rpc.Dial(cfg.GRPC, tlsConfig, operator{issuer})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	_, err = cataloguev1.NewAccessServiceClient(conn).CreateMembership(ctx, &cataloguev1.CreateMembershipRequest{
		Parent: c.Organisation, Membership: &cataloguev1.Membership{Subject: c.subject(), Role: role},
	})
	if status.Code(err) == codes.AlreadyExists {
		return nil
	}
	return err
}

// operator signs calls as the network operator of this machine.
type operator struct{ issuer *auth.LocalIssuer }

// Token implements auth.TokenSource.
func (o operator) Token(context.Context) (string, error) {
	return o.issuer.Mint("trama token", []auth.Role{authzv1.Role_ROLE_NETWORK_OPERATOR}, time.Minute)
}

func roleNames() []string {
	var out []string
	for number := range authzv1.Role_name {
		if number != 0 {
			out = append(out, auth.RoleName(auth.Role(number)))
		}
	}
	slices.Sort(out)
	return out
}
