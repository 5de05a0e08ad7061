package auth_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"pgregory.net/rapid"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/testkit"
)

const (
	whoAmI  = "/trama.catalogue.v1.AccessService/WhoAmI"             // SELF, every role
	resolve = "/trama.catalogue.v1.AccessService/ResolveMemberships" // NETWORK, service
	list    = "/trama.catalogue.v1.AccessService/ListMemberships"    // ORGANISATION, operators and admin
)

const (
	orgA = "organisations/0190a000-0000-7000-8000-00000000000a"
	orgB = "organisations/0190a000-0000-7000-8000-00000000000b"
)

type fixture struct {
	guard   *auth.Guard
	issuer  *auth.LocalIssuer
	members *testkit.Memberships
	lookups int
	broken  error
}

func (f *fixture) Of(ctx context.Context, subject string) ([]auth.Membership, error) {
	f.lookups++
	if f.broken != nil {
		return nil, f.broken
	}
	return f.members.Of(ctx, subject)
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	c := newClock()
	f := &fixture{issuer: testkit.Issuer(c.now), members: &testkit.Memberships{}}
	table, err := auth.NewTable(&cataloguev1.AccessService_ServiceDesc)
	if err != nil {
		t.Fatal(err)
	}
	f.guard = auth.NewGuard(newVerifier(t, c, f.issuer.Trusted()), f, table)
	return f
}

func (f *fixture) as(t testing.TB, subject string, roles ...auth.Role) context.Context {
	t.Helper()
	token, err := f.issuer.Mint(subject, roles, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	return metadata.NewIncomingContext(t.Context(), metadata.Pairs("authorization", "Bearer "+token))
}

func TestWhoMayCallAndWhatTheyMayTouch(t *testing.T) {
	f := newFixture(t)
	f.members.Add("anna", orgB, authzv1.Role_ROLE_ORGANISATION_ADMIN)
	f.members.Add("anna", orgA, authzv1.Role_ROLE_ORGANISATION_ADMIN)
	f.members.Add("anna", orgA, authzv1.Role_ROLE_TRAINER)
	f.members.Add("teo", orgA, authzv1.Role_ROLE_TRAINER)
	// Nobody should hold these in an organisation; if they did, it must not count.
	f.members.Add("eve", orgA, authzv1.Role_ROLE_NETWORK_OPERATOR)
	f.members.Add("eve", orgA, authzv1.Role_ROLE_SERVICE)
	f.members.Add("mal", "", authzv1.Role_ROLE_ORGANISATION_ADMIN)

	operator, service := authzv1.Role_ROLE_NETWORK_OPERATOR, authzv1.Role_ROLE_SERVICE
	for name, c := range map[string]struct {
		ctx     context.Context
		method  string
		reason  errs.Reason
		scope   auth.Scope
		lookups int
	}{
		"no token":                {ctx: t.Context(), method: list, reason: errs.TokenAbsent},
		"admin of two":            {ctx: f.as(t, "anna"), method: list, scope: auth.Scope{Subject: "anna", Organisations: []string{orgA, orgB}}, lookups: 1},
		"wrong role":              {ctx: f.as(t, "teo"), method: list, reason: errs.RoleMissing, lookups: 1},
		"no role":                 {ctx: f.as(t, "zoe"), method: list, reason: errs.RoleMissing, lookups: 1},
		"operator":                {ctx: f.as(t, "olga", operator), method: list, scope: auth.Scope{Subject: "olga", All: true}},
		"operator who is admin":   {ctx: f.as(t, "anna", operator), method: list, scope: auth.Scope{Subject: "anna", All: true}},
		"auditor not in table":    {ctx: f.as(t, "aldo", authzv1.Role_ROLE_AUDITOR), method: list, reason: errs.RoleMissing, lookups: 1},
		"service":                 {ctx: f.as(t, "s", service), method: resolve, scope: auth.Scope{Subject: "s", All: true}},
		"operator is no service":  {ctx: f.as(t, "olga", operator), method: resolve, reason: errs.RoleMissing},
		"network role as member":  {ctx: f.as(t, "eve"), method: list, reason: errs.RoleMissing, lookups: 1},
		"service as member":       {ctx: f.as(t, "eve"), method: resolve, reason: errs.RoleMissing},
		"member of nothing":       {ctx: f.as(t, "mal"), method: list, reason: errs.RoleMissing, lookups: 1},
		"self, by membership":     {ctx: f.as(t, "teo"), method: whoAmI, scope: auth.Scope{Subject: "teo", Self: true}, lookups: 1},
		"self, operator":          {ctx: f.as(t, "olga", operator), method: whoAmI, scope: auth.Scope{Subject: "olga", Self: true}},
		"method out of the table": {ctx: f.as(t, "olga", operator), method: "/x/Y", reason: errs.InternalFailure},
	} {
		t.Run(name, func(t *testing.T) {
			f.lookups = 0
			ctx, err := f.guard.Admit(c.ctx, c.method)
			if errs.ReasonOf(err) != c.reason {
				t.Fatalf("got %v, want %q", err, c.reason)
			}
			if f.lookups != c.lookups {
				t.Errorf("memberships were looked up %d times, want %d", f.lookups, c.lookups)
			}
			if err != nil {
				return
			}
			if got := auth.ScopeFrom(ctx); !reflect.DeepEqual(got, c.scope) {
				t.Errorf("scope %+v, want %+v", got, c.scope)
			}
			if auth.CallerFrom(ctx).Subject != c.scope.Subject {
				t.Errorf("caller %+v", auth.CallerFrom(ctx))
			}
		})
	}
}

func TestMembershipsThatCannotBeLookedUp(t *testing.T) {
	f := newFixture(t)
	f.broken = errors.New("the catalogue is down")
	_, err := f.guard.Admit(f.as(t, "anna"), list)
	wantReason(t, err, errs.ServiceDown)
	if _, err := f.guard.Admit(f.as(t, "olga", authzv1.Role_ROLE_NETWORK_OPERATOR), list); err != nil {
		t.Errorf("an operator needs no memberships: %v", err)
	}
}

func TestOnlyOneAuthorizationOfTheRightForm(t *testing.T) {
	f := newFixture(t)
	operator, err := f.issuer.Mint("olga", []auth.Role{authzv1.Role_ROLE_NETWORK_OPERATOR}, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		md   metadata.MD
		want errs.Reason
	}{
		"bearer":                  {metadata.Pairs("authorization", "Bearer "+operator), ""},
		"in lower case":           {metadata.Pairs("authorization", "bearer "+operator), ""},
		"basic":                   {metadata.Pairs("authorization", "Basic b2xnYTpvbGdh"), errs.TokenInvalid},
		"bare token":              {metadata.Pairs("authorization", operator), errs.TokenInvalid},
		"bearer of nothing":       {metadata.Pairs("authorization", "Bearer "), errs.TokenInvalid},
		"two":                     {metadata.Pairs("authorization", "Bearer "+operator, "authorization", "Bearer "+operator), errs.TokenInvalid},
		"forwarded by a client":   {metadata.Pairs("grpc-metadata-authorization", "Bearer "+operator), errs.TokenAbsent},
		"proxy's":                 {metadata.Pairs("grpcgateway-authorization", "Bearer "+operator), errs.TokenAbsent},
		"roles by other metadata": {metadata.Pairs("trama_roles", "network-operator", "x-subject", "olga"), errs.TokenAbsent},
	} {
		_, err := f.guard.Admit(metadata.NewIncomingContext(t.Context(), c.md), list)
		if errs.ReasonOf(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// service makes a gRPC service with one method that has those options, known
// to a registry of its own.
func method(t *testing.T, access *authzv1.Access) protoreflect.MethodDescriptor {
	t.Helper()
	options := &descriptorpb.MethodOptions{}
	if access != nil {
		proto.SetExtension(options, authzv1.E_Access, access)
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("x.proto"), Package: proto.String("trama.x.v1"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("S"), Method: []*descriptorpb.MethodDescriptorProto{{
			Name: proto.String("Do"), InputType: proto.String(".trama.x.v1.M"), OutputType: proto.String(".trama.x.v1.M"), Options: options,
		}}}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = dynamicpb.NewMessage(file.Messages().Get(0))
	return file.Services().Get(0).Methods().Get(0)
}

func TestAMethodThatDoesNotSayWhoMayCallIsRefused(t *testing.T) {
	admin := []authzv1.Role{authzv1.Role_ROLE_ORGANISATION_ADMIN}
	for name, c := range map[string]struct {
		access *authzv1.Access
		want   string
	}{
		"no option":       {nil, "has no (trama.authz.v1.access) option"},
		"empty option":    {&authzv1.Access{}, "does not say its scope"},
		"no scope":        {&authzv1.Access{Roles: admin}, "does not say its scope"},
		"no role":         {&authzv1.Access{Scope: authzv1.Scope_SCOPE_NETWORK}, "names no role"},
		"unspecified":     {&authzv1.Access{Scope: authzv1.Scope_SCOPE_NETWORK, Roles: []authzv1.Role{0}}, "unknown role 0"},
		"unknown role":    {&authzv1.Access{Scope: authzv1.Scope_SCOPE_NETWORK, Roles: []authzv1.Role{99}}, "unknown role 99"},
		"roles and scope": {&authzv1.Access{Scope: authzv1.Scope_SCOPE_NETWORK, Roles: admin}, ""},
		"anonymous":       {&authzv1.Access{Scope: authzv1.Scope_SCOPE_NETWORK, Anonymous: true}, ""},
	} {
		_, err := auth.RuleOf(method(t, c.access))
		if (err == nil) != (c.want == "") || (err != nil && (!strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "trama.x.v1.S.Do"))) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := auth.NewTable(&grpc.ServiceDesc{ServiceName: "trama.unheard.v1.S"}); err == nil {
		t.Error("a service that is in no registry got a table")
	}
	// The access option's own package has no methods; a service without one of
	// ours is any of gRPC's.
	if _, err := auth.NewTable(&grpc.ServiceDesc{ServiceName: "grpc.health.v1.Health", Methods: []grpc.MethodDesc{{MethodName: "Check"}}}); err != nil {
		t.Errorf("health is exempt: %v", err)
	}
}

func TestScopeWhereSelectsWhatCoversCovers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		org := rapid.SampledFrom([]string{"", "a", "b", "c", "d"})
		scope := auth.Scope{
			All: rapid.Bool().Draw(t, "all"), Self: rapid.Bool().Draw(t, "self"), Subject: org.Draw(t, "subject"),
			Organisations: rapid.SliceOf(rapid.SampledFrom([]string{"a", "b", "c"})).Draw(t, "organisations"),
		}
		if scope.Self { // as Guard makes it
			scope.All, scope.Organisations = false, nil
		}
		owner := org.Draw(t, "owner")
		args := []any{"one", "two"}
		where := scope.Where("owner", &args)
		if got, want := evaluate(t, where, owner, args), scope.Covers(owner); got != want {
			t.Fatalf("%+v: %q with %v says %v of %q, Covers says %v", scope, where, args, got, owner, want)
		}
	})
}

// evaluate works out the three forms that Where has.
func evaluate(t *rapid.T, where, owner string, args []any) bool {
	switch where {
	case "1=1":
		return true
	case "1=0":
		return false
	}
	list := strings.TrimPrefix(where, "owner = ")
	list = strings.TrimSuffix(strings.TrimPrefix(list, "owner IN ("), ")")
	for parameter := range strings.SplitSeq(list, ",") {
		var n int
		if _, err := fmt.Sscanf(parameter, "$%d", &n); err != nil || n < 3 || n > len(args) {
			t.Fatalf("%q with %d arguments", where, len(args))
		}
		if args[n-1] == owner {
			return true
		}
	}
	return false
}

func TestOutsideACallNothingIsCovered(t *testing.T) {
	if s := auth.ScopeFrom(t.Context()); s.Covers(orgA) || s.Covers("") {
		t.Errorf("%+v", s)
	}
	err := auth.Require(t.Context(), orgA, "needs/1")
	if absent := errs.AbsentResource("needs/1"); err.Error() != absent.Error() || errs.ReasonOf(err) != errs.Absent {
		t.Errorf("%v must look like %v", err, absent)
	}
}

func TestRoleNames(t *testing.T) {
	for n := range authzv1.Role_name {
		r := auth.Role(n)
		if r == 0 {
			continue
		}
		if back, ok := auth.RoleByName(auth.RoleName(r)); !ok || back != r {
			t.Errorf("%s reads back as %s", auth.RoleName(r), back)
		}
	}
	for _, wrong := range []string{"", "unspecified", "ROLE_AUDITOR", "network_operator", "king"} {
		if r, ok := auth.RoleByName(wrong); ok {
			t.Errorf("%q is %s", wrong, r)
		}
	}
}

func BenchmarkAdmit(b *testing.B) {
	f := newFixture(b)
	f.members.Add("anna", orgA, authzv1.Role_ROLE_ORGANISATION_ADMIN)
	for name, ctx := range map[string]context.Context{
		"operator": f.as(b, "olga", authzv1.Role_ROLE_NETWORK_OPERATOR), "member": f.as(b, "anna"),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.guard.Admit(ctx, list); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
