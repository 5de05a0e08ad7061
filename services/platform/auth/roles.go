package auth

import (
	"slices"
	"strings"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
)

// RolesClaim is the token claim that holds the network-wide roles, an array of
// strings: network-operator, regional-operator, auditor, service.
const RolesClaim = "trama_roles"

// networkRoles are the roles that a token may carry. Every other role comes
// from a membership, so a token that names it gains nothing.
var networkRoles = []Role{
	authzv1.Role_ROLE_NETWORK_OPERATOR,
	authzv1.Role_ROLE_REGIONAL_OPERATOR,
	authzv1.Role_ROLE_AUDITOR,
	authzv1.Role_ROLE_SERVICE,
}

// NetworkRole reports whether the role is network-wide: from the token, not
// from a membership.
func NetworkRole(role Role) bool { return slices.Contains(networkRoles, role) }

// RoleName returns the role's name as it stands in tokens and on the command
// line: ROLE_ORGANISATION_ADMIN is "organisation-admin".
func RoleName(role Role) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(role.String(), "ROLE_")), "_", "-")
}

// RoleByName is the inverse of RoleName; false for a name that is no role.
func RoleByName(name string) (Role, bool) {
	v, ok := authzv1.Role_value["ROLE_"+strings.ReplaceAll(strings.ToUpper(name), "-", "_")]
	if !ok || v == 0 || strings.Contains(name, "_") {
		return 0, false
	}
	return Role(v), true
}

// tokenRoles keeps the network-wide roles among the claim's strings. Names that
// are unknown here are left out: an identity provider may hold roles of other
// systems in the same claim.
func tokenRoles(names []string) []Role {
	var out []Role
	for _, n := range names {
		if r, ok := RoleByName(n); ok && NetworkRole(r) && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

// roleSet is a set of roles as bits.
type roleSet uint64

func setOf(roles ...Role) roleSet {
	var s roleSet
	for _, r := range roles {
		s |= 1 << uint(r)
	}
	return s
}

func (s roleSet) has(r Role) bool { return s&(1<<uint(r)) != 0 }

// names lists the set's role names, in the enum's order.
func (s roleSet) names() []string {
	var out []string
	for r := Role(1); r < 64; r++ {
		if s.has(r) {
			out = append(out, RoleName(r))
		}
	}
	return out
}
