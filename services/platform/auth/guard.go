package auth

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/grpc/metadata"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	"github.com/trama-suite/trama/services/platform/errs"
)

// membershipRoles are the roles that come from memberships.
var membershipRoles = ^setOf(networkRoles...)

// Guard admits calls: it authenticates the caller, gathers their roles, holds
// them against the method's row of the role table and works out the scope.
type Guard struct {
	verifier    *Verifier
	memberships Memberships
	table       Table
}

// NewGuard returns a guard over the methods of a table.
func NewGuard(verifier *Verifier, memberships Memberships, table Table) *Guard {
	return &Guard{verifier: verifier, memberships: memberships, table: table}
}

// Admit returns the context for a call's handler, which holds the caller and
// the scope, or the reason why the call may not go on: TOKEN_… (see Verify),
// ROLE_MISSING, or UNAVAILABLE where memberships cannot be looked up. Of the
// call's metadata only authorization is read.
func (g *Guard) Admit(ctx context.Context, method string) (context.Context, error) {
	rule := g.table[method]
	if rule == nil {
		return nil, errs.New(errs.Internal, errs.InternalFailure, "method %s is not in the role table", method)
	}
	if rule == open {
		return ctx, nil
	}
	token, err := bearer(ctx)
	if err != nil {
		return nil, err
	}
	if token == "" {
		if !rule.anonymous {
			return nil, errAbsent()
		}
		return withGrant(ctx, &grant{scope: Scope{
			All: rule.scope == authzv1.Scope_SCOPE_NETWORK, Self: rule.scope == authzv1.Scope_SCOPE_SELF,
		}}), nil
	}
	identity, err := g.verifier.Verify(ctx, token)
	if err != nil {
		return nil, err
	}
	granted := &grant{caller: Caller{Subject: identity.Subject, Roles: identity.Roles}}
	networkWide := identity.roles&rule.roles != 0
	var organisations []string
	if !networkWide && rule.roles&membershipRoles != 0 && g.memberships != nil {
		granted.caller.Memberships, err = g.memberships.Of(ctx, identity.Subject)
		if err != nil {
			return nil, errs.New(errs.Unavailable, errs.ServiceDown,
				"the caller's memberships cannot be looked up at the moment: try again").Because(err)
		}
		organisations = heldIn(granted.caller.Memberships, rule)
	}
	if !networkWide && len(organisations) == 0 && !rule.anonymous {
		return nil, errs.New(errs.PermissionDenied, errs.RoleMissing,
			"%s needs one of the roles %s", method[strings.LastIndexByte(method, '/')+1:], strings.Join(rule.roles.names(), ", ")).
			With("method", strings.TrimPrefix(method, "/"))
	}
	granted.scope = Scope{Subject: identity.Subject}
	switch rule.scope {
	case authzv1.Scope_SCOPE_SELF:
		granted.scope.Self = true
	case authzv1.Scope_SCOPE_NETWORK:
		granted.scope.All = true
		granted.scope.Organisations = organisations
	default:
		granted.scope.All = networkWide
		granted.scope.Organisations = organisations
	}
	return withGrant(ctx, granted), nil
}

// heldIn lists the organisations in which one of the rule's roles is held. A
// membership that names a network-wide role counts for nothing.
func heldIn(memberships []Membership, rule *Rule) []string {
	var out []string
	for _, m := range memberships {
		if (rule.roles & membershipRoles).has(m.Role) && m.Organisation != "" {
			out = append(out, m.Organisation)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// bearer returns the call's token, empty where there is none.
func bearer(ctx context.Context) (string, error) {
	values := metadata.ValueFromIncomingContext(ctx, "authorization")
	switch len(values) {
	case 0:
		return "", nil
	case 1:
	default:
		return "", errInvalid("the call carries more than one authorization")
	}
	scheme, token, found := strings.Cut(strings.TrimSpace(values[0]), " ")
	if !found || !strings.EqualFold(scheme, "bearer") {
		return "", errInvalid("the authorization is not of the form Bearer <token>")
	}
	return strings.TrimSpace(token), nil
}
