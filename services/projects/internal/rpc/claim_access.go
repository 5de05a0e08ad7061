package rpc

import (
	"context"

	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/claims"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// claimOf reads the identifiers out of a claim's name.
func claimOf(name string) (project, claim string, err error) { return childOf("claims", name) }

// claimLineOf reads the identifiers out of the name of a claim's line.
func claimLineOf(name string) (project, claim, line string, err error) {
	got, ok := ids.Parse("projects/{project}/claims/{claim}/lines/{line}", name)
	if !ok {
		return "", "", "", errs.AbsentResource(name)
	}
	return got[0], got[1], got[2], nil
}

// seesClaim reports whether the caller may see a claim: as its partner, as the
// lead, or as the funder that it was submitted to and stands with.
func seesClaim(ctx context.Context, p *domain.Project, c *claims.Claim) bool {
	return costsOf(ctx, p, c.Organisation) || asFunder(ctx, c)
}

// asFunder reports whether the caller works for the funder that a claim stands
// with.
func asFunder(ctx context.Context, c *claims.Claim) bool {
	return c.State.Standing() && c.FunderOrganisation != "" && funds(ctx).Covers(c.FunderOrganisation)
}

// seeClaim reads a claim that the caller may see.
func seeClaim(ctx context.Context, tx *sqldb.Tx, project, id, name string) (*domain.Project, *store.ClaimView, error) {
	p, err := store.Project(ctx, tx, project)
	if err != nil {
		return nil, nil, under(name, err)
	}
	v, err := store.Claim(ctx, tx, project, id)
	if err != nil {
		return nil, nil, under(name, err)
	}
	if !seesClaim(ctx, p, v.Claim) {
		return nil, nil, errs.AbsentResource(name)
	}
	return p, v, nil
}

// right says whether the caller may do something with a claim; name is what they
// asked for.
type right func(ctx context.Context, p *domain.Project, c *claims.Claim, name string) error

// prepares is the right of the claim's partner and of the lead.
func prepares(ctx context.Context, p *domain.Project, c *claims.Claim, name string) error {
	if costsOf(ctx, p, c.Organisation) {
		return nil
	}
	return errs.AbsentResource(name)
}

// controls is the right of operators and of the funder's people.
func controls(ctx context.Context, _ *domain.Project, c *claims.Claim, name string) error {
	if auth.ScopeFrom(ctx).All || asFunder(ctx, c) {
		return nil
	}
	return errs.AbsentResource(name)
}

// returns is the right of who controls, and of the lead while nobody does.
func returns(ctx context.Context, p *domain.Project, c *claims.Claim, name string) error {
	switch {
	case controls(ctx, p, c, name) == nil:
		return nil
	case !costsOf(ctx, p, c.Organisation):
		return errs.AbsentResource(name)
	case !leads(ctx, p):
		return errs.New(errs.PermissionDenied, domain.LeadOnly, "only the lead partner and who controls %s may send it back: withdraw it instead", name).With("resource", name)
	case c.State == claims.InControl:
		return errs.New(errs.FailedPrecondition, domain.ClaimState, "%s is in control: who controls it may send it back", name).With("resource", name)
	}
	return nil
}

// lockClaim locks the project of a claim with which the caller may do something,
// reads the claim and checks the etag.
func lockClaim(ctx context.Context, tx *sqldb.Tx, project, id, name, etag string, may right) (*domain.Project, *store.ClaimView, error) {
	p, err := lockAny(ctx, tx, project, name)
	if err != nil {
		return nil, nil, err
	}
	v, err := store.Claim(ctx, tx, project, id)
	if err != nil {
		return nil, nil, under(name, err)
	}
	if err := may(ctx, p, v.Claim, name); err != nil {
		return nil, nil, err
	}
	return p, v, platform.CheckEtag(v.Name(), etag, v.Version)
}
