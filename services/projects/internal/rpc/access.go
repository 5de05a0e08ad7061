package rpc

import (
	"context"
	"slices"
	"strings"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// leadRoles are those whose holders in the lead read and write everything.
var leadRoles = []auth.Role{authzv1.Role_ROLE_ORGANISATION_ADMIN, authzv1.Role_ROLE_PROJECT_MANAGER}

// partRoles are those whose holders in a partner see what is that partner's.
var partRoles = []auth.Role{authzv1.Role_ROLE_ORGANISATION_ADMIN, authzv1.Role_ROLE_PROJECT_MANAGER, authzv1.Role_ROLE_PROJECT_PARTNER}

// heldAs is the caller's scope by some of the method's roles only: where they
// work for a partner and for a funder, each shows them something else.
func heldAs(ctx context.Context, roles ...auth.Role) auth.Scope {
	scope := auth.Scope{All: auth.ScopeFrom(ctx).All}
	for _, m := range auth.CallerFrom(ctx).Memberships {
		if slices.Contains(roles, m.Role) && !slices.Contains(scope.Organisations, m.Organisation) {
			scope.Organisations = append(scope.Organisations, m.Organisation)
		}
	}
	return scope
}

// funds is the caller's scope as somebody who works for funders.
func funds(ctx context.Context) auth.Scope { return heldAs(ctx, authzv1.Role_ROLE_FUNDER) }

// partOf reports whether the caller takes part in a project by a partner's role.
func partOf(ctx context.Context, p *domain.Project) bool {
	scope := heldAs(ctx, partRoles...)
	return slices.ContainsFunc(p.Partners, func(x domain.Partner) bool { return scope.Covers(x.Organisation) })
}

// costsOf reports whether the caller sees the costs that a partner has in a
// project, as that partner or as the lead.
func costsOf(ctx context.Context, p *domain.Project, organisation string) bool {
	return partOf(ctx, p) && (leads(ctx, p) || heldAs(ctx, partRoles...).Covers(organisation))
}

// nothing is the scope of those who see nothing.
func nothing(string, *[]any) string { return "1=0" }

// takesPart returns nil where the caller may see the project: an organisation in
// which they hold one of the method's roles takes part in it.
func takesPart(ctx context.Context, p *domain.Project) error {
	scope := auth.ScopeFrom(ctx)
	for _, x := range p.Partners {
		if scope.Covers(x.Organisation) {
			return nil
		}
	}
	return errs.AbsentResource(p.Name())
}

// leads reports whether the caller reads and writes everything of the project.
func leads(ctx context.Context, p *domain.Project) bool {
	if auth.ScopeFrom(ctx).All {
		return true
	}
	caller := auth.CallerFrom(ctx)
	return slices.ContainsFunc(leadRoles, func(r auth.Role) bool { return caller.HasIn(p.Lead, r) })
}

// requireLead returns nil where the caller leads. To a partner, who sees the
// project, it says why not; to others the project does not exist.
func requireLead(ctx context.Context, p *domain.Project) error {
	if leads(ctx, p) {
		return nil
	}
	if err := takesPart(ctx, p); err != nil {
		return err
	}
	return errs.New(errs.PermissionDenied, domain.LeadOnly,
		"only project managers and admins of the lead partner %s may do this", p.Lead).With("resource", p.Name())
}

// requireCharge returns nil where the caller leads, or manages the partner in
// charge of a task or deliverable, which reports on its own work. An empty
// organisation is nobody's but the lead's.
func requireCharge(ctx context.Context, p *domain.Project, organisation string) error {
	if leads(ctx, p) || takesPart(ctx, p) == nil && auth.ScopeFrom(ctx).Covers(organisation) {
		return nil
	}
	return requireLead(ctx, p)
}

// costScope is the scope of the caller over the costs of a project: all for the
// lead, its own for a partner.
func costScope(ctx context.Context, p *domain.Project) store.Scope {
	if leads(ctx, p) {
		return store.Everything
	}
	return auth.ScopeFrom(ctx).Where
}

// requireCosts returns nil where the caller may see the costs that a partner has
// in a project.
func requireCosts(ctx context.Context, p *domain.Project, organisation, name string) error {
	if takesPart(ctx, p) == nil && (leads(ctx, p) || auth.ScopeFrom(ctx).Covers(organisation)) {
		return nil
	}
	return errs.AbsentResource(name)
}

// binding ties a page token to what the caller may see.
func binding(ctx context.Context, more ...string) []string {
	scope := auth.ScopeFrom(ctx)
	if scope.All {
		return append(more, "*")
	}
	return append(more, strings.Join(scope.Organisations, ","))
}

// seeProject reads a project that the caller may see.
func seeProject(ctx context.Context, tx *sqldb.Tx, id string) (*domain.Project, error) {
	p, err := store.Project(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	return p, takesPart(ctx, p)
}

// lockProject locks and reads a project that the caller leads.
func lockProject(ctx context.Context, tx *sqldb.Tx, id string) (*domain.Project, error) {
	p, err := store.LockProject(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	return p, requireLead(ctx, p)
}

// holds tells whether the caller has a role, named without its prefix; in the
// lead where it is an organisation's.
func holds(ctx context.Context, p *domain.Project) func(role string) bool {
	caller := auth.CallerFrom(ctx)
	return func(role string) bool {
		r := auth.Role(authzv1.Role_value["ROLE_"+role])
		return caller.Has(r) || caller.HasIn(p.Lead, r)
	}
}

// actor is the caller's subject, for the histories.
func actor(ctx context.Context) string { return auth.CallerFrom(ctx).Subject }
