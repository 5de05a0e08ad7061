package e2e

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	"github.com/trama-suite/trama/services/platform/auth"
)

// variant says whose resource a request names.
type variant string

const (
	own    variant = "own"
	other  variant = "another's"
	absent variant = "absent"
	// crossed is the parent of one's own with the child of another.
	crossed variant = "crossed"
)

const absentID = "0190a000-0000-7000-8000-00000000dead"

// slugged are names whose last part people give.
var slugged = regexp.MustCompile(`\b(ruleSets|alertRules|gateTemplates)/[a-z][a-z0-9-]*`)

// absentName is a name of the same kind that names nothing.
func absentName(name string) string {
	if uuid.MatchString(name) {
		return uuid.ReplaceAllString(name, absentID)
	}
	return slugged.ReplaceAllString(name, "$1/assente")
}

// matrix is the authorisation matrix's fixture: two organisations with one of
// everything, and a caller for each role, whose memberships are in the first.
type matrix struct {
	*shape
	own, other *world
	callers    []caller
	// granting is set while calls are made that have effects.
	granting bool
}

// caller is who calls: nobody where role is unspecified.
type caller struct {
	role  authzv1.Role
	token string
}

func (c caller) String() string {
	if c.role == 0 {
		return "nobody"
	}
	return auth.RoleName(c.role)
}

func newMatrix(t *testing.T, s *shape) *matrix {
	t.Helper()
	m := &matrix{shape: s, own: newWorld(t, s, "Ente proprio"), other: newWorld(t, s, "Ente altrui")}
	m.callers = []caller{{}}
	for _, role := range tokenRoles {
		m.callers = append(m.callers, caller{role, s.token(t, "e2e-"+auth.RoleName(role), role)})
	}
	for _, role := range memberRoles {
		m.callers = append(m.callers, caller{role, s.token(t, m.own.subject(role))})
	}
	return m
}

// name is the resource name of a world that stands for a pattern in a method.
func (w *world) name(m method, pattern string) string {
	switch {
	case m.service == "matching" && pattern == "needs/*":
		return w.need
	case pattern == "(solutions|serviceOfferings)/*":
		return w.solution
	}
	name, ok := w.names[pattern]
	if !ok {
		panic(fmt.Sprintf("the fixture has no %s, which %s wants", pattern, m.short()))
	}
	return name
}

// targets are the fields that say whose resource the method is about: what its
// path names; the owner of what is made; otherwise all that is named.
func targets(m method, req proto.Message) []binding {
	if t, ok := targetFields[m.short()]; ok {
		return t
	}
	if len(m.bound) > 0 {
		return m.bound
	}
	refs := references(req.ProtoReflect(), "")
	owner := slices.DeleteFunc(slices.Clone(refs), func(b binding) bool { return !strings.HasSuffix("."+b.field, ".organisation") })
	if len(owner) > 0 && !m.reads() {
		return owner
	}
	return refs
}

// build makes the request of a method for a variant; false where the variant
// makes no difference.
func (x *matrix) build(t *testing.T, m method, v variant) (proto.Message, bool) {
	t.Helper()
	w := x.own
	if v == other {
		w = x.other
	}
	req := minimal(m, w.name)
	fields := targets(m, req)
	differs := v == own || v != crossed && valueTargets[m.short()]
	for _, f := range fields {
		name := getPath(req.ProtoReflect(), f.field)
		switch v {
		case own:
			continue
		case absent:
			name = absentName(name)
		case crossed:
			ids := uuid.FindAllString(x.other.name(m, f.pattern), -1)
			if strings.Count(f.pattern, "/*") < 2 || len(ids) < 2 {
				continue
			}
			name = name[:strings.LastIndex(name, "/")+1] + ids[len(ids)-1]
		}
		differs = differs || name != x.own.name(m, f.pattern)
		setPath(req.ProtoReflect(), f.field, name)
	}
	if override := overrides[m.short()]; override != nil {
		override(t, x, w, v, req)
	}
	// A wrong etag shows that the call was let through, and leaves the fixture
	// as it is.
	if stale[m.verb] || strings.Contains(m.template, "}:") || m.short() == "GateService.UpdateGateTemplate" {
		staleEtag(req)
	}
	return req, differs
}

var stale = map[string]bool{"DELETE": true}

func staleEtag(req proto.Message) {
	m := req.ProtoReflect()
	if fd := m.Descriptor().Fields().ByName("etag"); fd != nil {
		setPath(m, "etag", "stale")
		return
	}
	for i := range m.Descriptor().Fields().Len() {
		if fd := m.Descriptor().Fields().Get(i); fd.Message() != nil && !fd.IsList() && !fd.IsMap() && m.Has(fd) && fd.Message().Fields().ByName("etag") != nil {
			setPath(m, string(fd.Name())+".etag", "stale")
		}
	}
}

// allowed reports whether the role table lets the caller call at all, and
// whether with rights over every organisation.
func (c caller) allowed(m method) (may, everywhere bool) {
	if networkRoutes[m.template] && !m.reads() && slices.Contains(memberRoles, c.role) {
		return false, false
	}
	if slices.Contains(m.access.GetRoles(), c.role) {
		return true, slices.Contains(tokenRoles, c.role) && m.access.GetScope() != authzv1.Scope_SCOPE_SELF
	}
	return m.access.GetAnonymous(), false
}

// TestAuthorisationMatrix: every RPC, every role, one's own organisation,
// another's, and an id that does not exist; over gRPC and REST.
func TestAuthorisationMatrix(t *testing.T) {
	eachShape(t, func(t *testing.T, s *shape) {
		x := newMatrix(t, s)
		over := map[string]transport{"gRPC": s.overGRPC}
		if s.name == "one process" {
			over["REST"] = s.overREST
		}
		methods := allMethods()
		if len(methods) < 200 {
			t.Fatalf("only %d methods found", len(methods))
		}
		counts := map[string]int{}
		for _, name := range slices.Sorted(maps.Keys(over)) {
			t.Run(name, func(t *testing.T) {
				before := x.digest(t)
				x.refused(t, over[name], methods, counts)
				if after := x.digest(t); before != after {
					t.Errorf("calls that were refused had an effect:\n%s", difference(before, after))
				}
				x.granting = true
				x.granted(t, over[name], methods, counts)
				x.granting = false
			})
		}
		t.Logf("%d methods: %v", len(methods), counts)
	})
}

// refused makes the calls that must not get through.
func (x *matrix) refused(t *testing.T, call transport, methods []method, counts map[string]int) {
	for _, m := range methods {
		if m.access == nil {
			t.Errorf("%s has no (trama.authz.v1.access) option", m.short())
			continue
		}
		requests := map[variant]proto.Message{}
		for _, v := range []variant{own, other, absent} {
			if req, ok := x.build(t, m, v); ok {
				requests[v] = req
			}
		}
		for _, c := range x.callers {
			may, everywhere := c.allowed(m)
			switch {
			case !may:
				for v, req := range requests {
					counts["refused"]++
					got := call(t, m, c.token, req)
					want := outcome{code: codes.PermissionDenied, reason: "ROLE_MISSING"}
					if c.role == 0 {
						want = outcome{code: codes.Unauthenticated, reason: "TOKEN_ABSENT"}
					}
					if got.code != want.code || got.reason != want.reason {
						t.Errorf("%s as %s on %s: got %s, want %s %s", m.short(), c, v, got, want.code, want.reason)
					}
				}
			case !everywhere && m.access.GetScope() != authzv1.Scope_SCOPE_NETWORK && requests[other] != nil && !networkRoutes[m.template] && !actsForOthers(m, c) && openToAll[m.short()] == "":
				counts["another's looks absent"]++
				x.looksAbsent(t, call, m, c, requests)
			}
		}
	}
}

// looksAbsent holds the answer about another's resource against the answer about
// one that does not exist.
func (x *matrix) looksAbsent(t *testing.T, call transport, m method, c caller, requests map[variant]proto.Message) {
	got := call(t, m, c.token, requests[other])
	if got.code == codes.InvalidArgument && !referenceMissing(got) {
		vacuous(t, m, c, other, got)
		return
	}
	if publicReads[m.short()] != "" && got.code == codes.OK {
		x.leaks(t, m, c, other, got)
		return
	}
	if readByAll[m.short()] && got.code == codes.PermissionDenied {
		return
	}
	want := call(t, m, c.token, requests[absent])
	if got.code != want.code || got.reason != want.reason || anonymous(got.text) != anonymous(want.text) || (got.code != codes.NotFound && !referenceMissing(got)) {
		t.Errorf("%s as %s: another's gives %s, an absent one %s", m.short(), c, got, want)
	}
}

func referenceMissing(o outcome) bool { return o.reason == "REFERENCE_NOT_FOUND" }

// anonymous hides ids, so that two texts that differ in them alone are equal.
func anonymous(text string) string {
	return slugged.ReplaceAllString(uuid.ReplaceAllString(text, "*"), "$1/*")
}

// granted makes the calls that must get through.
func (x *matrix) granted(t *testing.T, call transport, methods []method, counts map[string]int) {
	// What reads comes first: nothing has changed for it yet.
	methods = slices.Clone(methods)
	slices.SortStableFunc(methods, func(a, b method) int {
		switch {
		case a.reads() == b.reads():
			return 0
		case a.reads():
			return -1
		default:
			return 1
		}
	})
	for _, m := range methods {
		for _, c := range x.callers {
			may, everywhere := c.allowed(m)
			for _, v := range []variant{own, other, absent, crossed} {
				mine := x.mine(m, c, v)
				if !may || (!everywhere && !mine && v != crossed) {
					continue
				}
				req, ok := x.build(t, m, v)
				if !ok {
					continue
				}
				counts["granted"]++
				got := call(t, m, c.token, req)
				switch {
				case v == absent || v == crossed:
					// A mutation may meet another contradiction first.
					if got.broken() || got.code == codes.OK && publicReads[m.short()] == "" ||
						m.reads() && got.code != codes.OK && got.code != codes.NotFound {
						t.Errorf("%s as %s on %s: got %s, want NOT_FOUND", m.short(), c, v, got)
					}
				case got.code == codes.InvalidArgument && !domainRefusals[m.short()]:
					vacuous(t, m, c, v, got)
				default:
					x.mustPass(t, m, c, v, got)
				}
			}
		}
	}
}

// mine reports whether the request is about what is the caller's own, or the
// network's.
func (x *matrix) mine(m method, c caller, v variant) bool {
	if notForFunders[m.short()] && c.role == authzv1.Role_ROLE_FUNDER {
		return false
	}
	if openToAll[m.short()] != "" {
		return slices.Contains(memberRoles, c.role) && (v == own || v == other)
	}
	switch m.access.GetScope() {
	case authzv1.Scope_SCOPE_NETWORK:
		return v == own
	case authzv1.Scope_SCOPE_SELF:
		return v == own && theirOwn(c)
	default:
		return v == own && c.role != 0
	}
}

// mustPass checks that a call was let through: reads succeed, and what changes
// something may at most be refused for the state that things are in.
func (x *matrix) mustPass(t *testing.T, m method, c caller, v variant, got outcome) {
	t.Helper()
	switch {
	case got.broken(), got.code == codes.PermissionDenied, got.code == codes.Unauthenticated, got.code == codes.NotFound, m.reads() && got.code != codes.OK:
		t.Errorf("%s as %s on %s: got %s, want it to get through", m.short(), c, v, got)
	case got.code == codes.OK && !slices.Contains(tokenRoles, c.role):
		x.leaks(t, m, c, v, got)
	}
}

// leaks checks that an answer to a member names nothing that is only another
// organisation's to see.
func (x *matrix) leaks(t *testing.T, m method, c caller, v variant, got outcome) {
	t.Helper()
	for pattern, name := range x.other.names {
		if !shared[pattern] && !x.other.public[name] && strings.Contains(got.text, name) {
			t.Errorf("%s as %s on %s tells of another's %s: %.300s", m.short(), c, v, name, got.text)
		}
	}
}

// vacuous fails for a request that did not get as far as the rights.
func vacuous(t *testing.T, m method, c caller, v variant, got outcome) {
	t.Helper()
	t.Errorf("%s as %s on %s proves nothing, its request is malformed: %s", m.short(), c, v, got)
}

// digest is everything that the two worlds hold, as the operator reads it.
func (x *matrix) digest(t *testing.T) string {
	t.Helper()
	return x.shape.digest(t, x.own, x.other)
}

// digest is everything that some organisations, and the network's lists, hold as
// the operator reads it.
func (s *shape) digest(t *testing.T, worlds ...*world) string {
	t.Helper()
	var b strings.Builder
	operator := caller{role: authzv1.Role_ROLE_NETWORK_OPERATOR, token: s.operator(t).Token}
	for _, m := range allMethods() {
		if may, _ := operator.allowed(m); !m.reads() || unstable[m.short()] || valueTargets[m.short()] || !may {
			continue
		}
		for i, w := range worlds {
			req := minimal(m, w.name)
			if i > 0 && len(targets(m, req)) == 0 {
				continue // a list of the whole network
			}
			if fd := req.ProtoReflect().Descriptor().Fields().ByName("page_size"); fd != nil {
				req.ProtoReflect().Set(fd, protoreflect.ValueOfInt32(1000))
			}
			fmt.Fprintf(&b, "%s %s: %s\n", m.short(), w.organisation, withoutSpace(s.overGRPC(t, m, operator.token, req).text))
		}
	}
	return b.String()
}

// withoutSpace leaves out what protojson varies at random.
func withoutSpace(text string) string { return strings.ReplaceAll(text, " ", "") }

func difference(before, after string) string {
	b, a := strings.Split(before, "\n"), strings.Split(after, "\n")
	for i := range b {
		if i >= len(a) || a[i] != b[i] {
			return fmt.Sprintf("before %.2000s\nafter  %.2000s", b[i], a[min(i, len(a)-1)])
		}
	}
	return "more lines"
}
