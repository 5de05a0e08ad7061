package catalogue_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/testkit"
)

func TestAccess(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		h := startHouse(t, open)
		t.Run("memberships", func(t *testing.T) { memberships(t, h) })
		t.Run("last admin", func(t *testing.T) { lastAdmin(t, h) })
		t.Run("who am I", func(t *testing.T) { whoAmI(t, h) })
		t.Run("rights", func(t *testing.T) { membershipRights(t, h) })
	})
}

func (h *house) join(ctx context.Context, organisation, subject string, role authzv1.Role) (*cataloguev1.Membership, error) {
	return h.access.CreateMembership(ctx, &cataloguev1.CreateMembershipRequest{
		Parent: organisation, Membership: &cataloguev1.Membership{Subject: subject, Role: role},
	})
}

func (h *house) leave(ctx context.Context, name string) error {
	_, err := h.access.DeleteMembership(ctx, &cataloguev1.DeleteMembershipRequest{Name: name})
	return err
}

func (h *house) resolve(t *testing.T, subject string) []*cataloguev1.Membership {
	t.Helper()
	resp, err := h.access.ResolveMemberships(h.As(authzv1.Role_ROLE_SERVICE, ""), &cataloguev1.ResolveMembershipsRequest{Subject: subject})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetMemberships()
}

func memberships(t *testing.T, h *house) {
	o := h.create(t, cooperative(100)).GetName()
	if got := h.resolve(t, "ada"); len(got) != 0 {
		t.Fatalf("a stranger has %v", got)
	}
	admin, err := h.join(h.operator, o, "ada", authzv1.Role_ROLE_ORGANISATION_ADMIN)
	if err != nil {
		t.Fatal(err)
	}
	trainer, err := h.join(h.admin(o), o, "ada", authzv1.Role_ROLE_TRAINER)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.join(h.admin(o), o, "ada", authzv1.Role_ROLE_TRAINER)
	refused(t, err, errs.AlreadyExists, errs.Exists, "")
	_, err = h.join(h.operator, o, "ada", authzv1.Role_ROLE_NETWORK_OPERATOR)
	refused(t, err, errs.Invalid, "ROLE_NOT_OF_ORGANISATION", "membership.role")
	if _, err := h.join(h.operator, o, "bruno", authzv1.Role_ROLE_LEARNER); err != nil {
		t.Fatal(err)
	}

	got := h.resolve(t, "ada")
	if len(got) != 2 || got[0].GetName() != admin.GetName() || got[1].GetName() != trainer.GetName() {
		t.Fatalf("got %v", got)
	}
	list, err := h.access.ListMemberships(h.admin(o), &cataloguev1.ListMembershipsRequest{Parent: o, Filter: `role = "ROLE_TRAINER"`})
	if err != nil || len(list.GetMemberships()) != 1 || list.GetMemberships()[0].GetSubject() != "ada" {
		t.Fatalf("got %v, %v", list, err)
	}
	if err := h.leave(h.admin(o), trainer.GetName()); err != nil {
		t.Fatal(err)
	}
	refused(t, h.leave(h.admin(o), trainer.GetName()), errs.NotFound, errs.Absent, "")
	if got := h.resolve(t, "ada"); len(got) != 1 {
		t.Fatalf("got %v", got)
	}
	for _, version := range []int64{domain.MembershipMade, domain.MembershipEnded} {
		env, changed := testkit.AwaitEvent(h.Followed, func(env *eventv1.Envelope, _ *cataloguev1.MembershipChanged) bool {
			return env.GetAggregate() == trainer.GetName() && env.GetAggregateVersion() == version
		})
		if changed.GetOrganisation() != o || changed.GetSubject() != "ada" || env.GetLicence() != "LicenseRef-internal" {
			t.Fatalf("got %v in %v", changed, env)
		}
	}
}

func lastAdmin(t *testing.T, h *house) {
	o := h.create(t, cooperative(110)).GetName()
	var names []string
	for _, subject := range []string{"a", "b"} {
		m, err := h.join(h.operator, o, subject, authzv1.Role_ROLE_ORGANISATION_ADMIN)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, m.GetName())
	}
	// Two admins who remove each other at the same time do not both go.
	results := make([]error, 2)
	var group sync.WaitGroup
	for i, name := range names {
		group.Go(func() { results[i] = h.leave(h.admin(o), name) })
	}
	group.Wait()
	stays := slices.IndexFunc(results, func(err error) bool { return err != nil })
	if stays < 0 || results[1-stays] != nil {
		t.Fatalf("got %v", results)
	}
	refused(t, results[stays], errs.FailedPrecondition, "LAST_ADMIN", "")
	if err := h.leave(h.operator, names[stays]); err != nil {
		t.Fatalf("an operator can remove the last admin: %v", err)
	}
}

func whoAmI(t *testing.T, h *house) {
	o := h.create(t, cooperative(120)).GetName()
	subject := testkit.Subject(authzv1.Role_ROLE_LEARNER, o)
	if _, err := h.join(h.operator, o, subject, authzv1.Role_ROLE_LEARNER); err != nil {
		t.Fatal(err)
	}
	me, err := h.access.WhoAmI(h.As(authzv1.Role_ROLE_LEARNER, o), &cataloguev1.WhoAmIRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if me.GetSubject() != subject || len(me.GetRoles()) != 0 || len(me.GetMemberships()) != 1 ||
		me.GetMemberships()[0].GetRole() != authzv1.Role_ROLE_LEARNER {
		t.Fatalf("got %v", me)
	}
	me, err = h.access.WhoAmI(h.operator, &cataloguev1.WhoAmIRequest{})
	if err != nil || !slices.Equal(me.GetRoles(), []authzv1.Role{authzv1.Role_ROLE_NETWORK_OPERATOR}) || len(me.GetMemberships()) != 0 {
		t.Fatalf("got %v, %v", me, err)
	}
	_, err = h.access.WhoAmI(h.Anonymous(), &cataloguev1.WhoAmIRequest{})
	refused(t, err, errs.Unauthenticated, errs.TokenAbsent, "")
}

func membershipRights(t *testing.T, h *house) {
	mine, other := h.create(t, cooperative(130)).GetName(), h.create(t, cooperative(131)).GetName()
	m, err := h.join(h.operator, mine, "carla", authzv1.Role_ROLE_LEARNER)
	if err != nil {
		t.Fatal(err)
	}
	h.publish(t, mine) // what is public of an organisation are not its members
	stranger := h.admin(other)
	_, err = h.join(stranger, mine, "dora", authzv1.Role_ROLE_LEARNER)
	refused(t, err, errs.NotFound, errs.Absent, "")
	_, err = h.access.ListMemberships(stranger, &cataloguev1.ListMembershipsRequest{Parent: mine})
	refused(t, err, errs.NotFound, errs.Absent, "")
	refused(t, h.leave(stranger, m.GetName()), errs.NotFound, errs.Absent, "")
	_, err = h.join(h.As(authzv1.Role_ROLE_PROJECT_MANAGER, mine), mine, "dora", authzv1.Role_ROLE_LEARNER)
	refused(t, err, errs.PermissionDenied, errs.RoleMissing, "")
	_, err = h.access.ResolveMemberships(h.operator, &cataloguev1.ResolveMembershipsRequest{Subject: "carla"})
	refused(t, err, errs.PermissionDenied, errs.RoleMissing, "")
	_, err = h.join(h.operator, "organisations/0190a8f0-0000-7000-8000-00000000ffff", "dora", authzv1.Role_ROLE_LEARNER)
	refused(t, err, errs.NotFound, errs.Absent, "")
}
