// Package auth says who is calling and what they may touch. A bearer token
// (JWT) proves the caller's subject and network-wide roles; memberships, held
// by the catalogue, give the roles in organisations; the method's
// (trama.authz.v1.access) option says which roles may call and on whose rows.
// The interceptor of the rpc package brings the three together with Guard and
// leaves the answer in the context, where services read it with ScopeFrom,
// CallerFrom and Require.
package auth

import (
	"context"
	"strconv"
	"strings"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	"github.com/trama-suite/trama/services/platform/errs"
)

// Role is what a person or a program may be; see the proto enum.
type Role = authzv1.Role

// Membership is one role that a person holds in one organisation.
type Membership struct {
	// Organisation is the resource name, "organisations/{uuid}".
	Organisation string
	// Role in it.
	Role Role
}

// Caller is who is calling. The zero value is an anonymous caller.
type Caller struct {
	// Subject is the token's "sub": opaque, unique within the issuer. Empty for
	// an anonymous caller.
	Subject string
	// Roles are the network-wide roles, from the token.
	Roles []Role
	// Memberships are the roles in organisations. They are looked up only where
	// the caller's network-wide roles do not already satisfy the method, so
	// they are empty for an operator's call.
	Memberships []Membership
}

// Anonymous reports whether the call carries no token.
func (c Caller) Anonymous() bool { return c.Subject == "" }

// Has reports whether the caller has the network-wide role.
func (c Caller) Has(role Role) bool {
	for _, r := range c.Roles {
		if r == role {
			return true
		}
	}
	return false
}

// HasIn reports whether the caller holds the role in the organisation. Only
// meaningful where the memberships were looked up; see Caller.Memberships.
func (c Caller) HasIn(organisation string, role Role) bool {
	for _, m := range c.Memberships {
		if m.Organisation == organisation && m.Role == role {
			return true
		}
	}
	return false
}

// Scope is what the caller may touch in the method being called. The zero value
// covers nothing.
type Scope struct {
	// All is true where the caller may touch every row of the deployment: a
	// network-wide role of the method's table, or a method of scope NETWORK.
	All bool
	// Organisations are the resource names of the organisations in which the
	// caller holds one of the method's roles, sorted, each once.
	Organisations []string
	// Subject is the caller's own; empty for an anonymous caller.
	Subject string
	// Self is true in a method of scope SELF: All and Organisations are then
	// empty, and Covers and Where compare with Subject: hand them the subject
	// (or the column that holds it) instead of the owner.
	Self bool
}

// Covers reports whether a row of that owner is within the scope. Owner is the
// organisation's resource name, or the row's subject in a method of scope SELF.
// An empty owner (a row of the network itself) is covered by All only.
func (s Scope) Covers(owner string) bool {
	switch {
	case s.All:
		return true
	case owner == "":
		return false
	case s.Self:
		return owner == s.Subject
	}
	for _, o := range s.Organisations {
		if o == owner {
			return true
		}
	}
	return false
}

// Where returns the SQL condition that keeps a query within the scope, for
// example "owner IN ($3,$4)", "1=1" for everything, "1=0" for nothing. It
// appends its parameters to args, whose length gives their numbers.
func (s Scope) Where(column string, args *[]any) string {
	switch {
	case s.All:
		return "1=1"
	case s.Self && s.Subject != "":
		*args = append(*args, s.Subject)
		return column + " = $" + strconv.Itoa(len(*args))
	case s.Self, len(s.Organisations) == 0:
		return "1=0"
	}
	var b strings.Builder
	b.WriteString(column)
	b.WriteString(" IN (")
	for i, o := range s.Organisations {
		*args = append(*args, o)
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(len(*args)))
	}
	b.WriteByte(')')
	return b.String()
}

// grant is what Guard leaves in the context: one value, one allocation a call.
type grant struct {
	caller Caller
	scope  Scope
}

type grantKey struct{}

func withGrant(ctx context.Context, g *grant) context.Context {
	return context.WithValue(ctx, grantKey{}, g)
}

// ScopeFrom returns what the caller may touch in this method. Outside a call it
// is the zero Scope, which covers nothing.
func ScopeFrom(ctx context.Context) Scope {
	if g, ok := ctx.Value(grantKey{}).(*grant); ok {
		return g.scope
	}
	return Scope{}
}

// CallerFrom returns who is calling. Outside a call it is the zero Caller.
func CallerFrom(ctx context.Context) Caller {
	if g, ok := ctx.Value(grantKey{}).(*grant); ok {
		return g.caller
	}
	return Caller{}
}

// Require returns nil where the caller's scope covers the owner, and otherwise
// the same error as for a resource that does not exist: an id must not tell
// whether it belongs to another tenant.
func Require(ctx context.Context, owner, name string) error {
	if g, ok := ctx.Value(grantKey{}).(*grant); ok && g.scope.Covers(owner) {
		return nil
	}
	return errs.AbsentResource(name)
}
