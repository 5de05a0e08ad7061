package domain

import (
	"slices"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
)

// RoleAdmin is the role of an organisation's admin.
const RoleAdmin = "ROLE_ORGANISATION_ADMIN"

// organisationRoles are the roles that a membership can give. Every other role
// is network-wide, above all of them, and comes from the token only: so nobody
// gives a role above their own.
var organisationRoles = []string{
	RoleAdmin,
	"ROLE_PROJECT_MANAGER",
	"ROLE_PROJECT_PARTNER",
	"ROLE_TRAINER",
	"ROLE_LEARNER",
	"ROLE_SUPPLIER",
	"ROLE_FUNDER",
}

// MaxMemberships is how many memberships one person may have.
const MaxMemberships = 1000

// Membership says that a person has a role in an organisation. It is made and
// ended, never changed.
type Membership struct {
	Name         string // resource name
	Organisation string // resource name
	Subject      string // of the person's token
	Role         string
	CreateTime   time.Time
}

// Versions of a membership, as its events carry them.
const (
	MembershipMade  int64 = 1
	MembershipEnded int64 = 2
)

// NewMembership makes a person who has held memberships so far a member.
func NewMembership(name, organisation, subject, role string, held int64, now time.Time) (*Membership, error) {
	if !slices.Contains(organisationRoles, role) {
		return nil, errs.InvalidField(RoleNotOfOrganisation, "membership.role", "%s is not a role in an organisation", role)
	}
	if held >= MaxMemberships {
		return nil, errs.New(errs.FailedPrecondition, TooManyMemberships,
			"the person has %d memberships, which is the most", held)
	}
	return &Membership{Name: name, Organisation: organisation, Subject: subject, Role: role, CreateTime: now}, nil
}

// End says whether the membership may end, by an operator or by somebody of the
// organisation, where admins are its admins before. An organisation must not
// lock itself out: its last admin is for an operator to remove.
func (m *Membership) End(byOperator bool, admins int64) error {
	if m.Role == RoleAdmin && admins <= 1 && !byOperator {
		return errs.New(errs.FailedPrecondition, LastAdmin,
			"%s would be left without an admin: make another one first, or ask an operator", m.Organisation).
			With("resource", m.Name)
	}
	return nil
}
