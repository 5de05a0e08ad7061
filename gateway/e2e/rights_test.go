package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// party is one of those around a shared project.
type party struct {
	name         string
	role         authzv1.Role
	organisation string
	token        string
	// sees are the parties whose costs it sees, or of which it sees what was
	// submitted.
	sees []string
}

// cost is what one partner has in the shared project that others must not see.
type cost struct {
	// names are its resources, by pattern.
	names map[string][]string
	// submitted are those of names that a funder sees.
	submitted []string
	// amounts are figures, in cents, that stand for nothing else.
	amounts []int64
}

// consortium is a project of three partners and two funders.
type consortium struct {
	*shape
	project string
	parties []*party
	costs   map[string]*cost
	// all are figures that only who sees all may see.
	all []int64
	// fixed are the names of what is the project's.
	fixed map[string]string
	// heard is what each party was told, by its name.
	heard map[string]*strings.Builder
}

func newConsortium(t *testing.T, s *shape) *consortium {
	t.Helper()
	x := &consortium{shape: s, costs: map[string]*cost{}, fixed: map[string]string{}, heard: map[string]*strings.Builder{}}
	for _, p := range []*party{
		{name: "lead", role: authzv1.Role_ROLE_PROJECT_MANAGER, sees: []string{"lead", "partner", "other"}},
		{name: "partner", role: authzv1.Role_ROLE_PROJECT_PARTNER, sees: []string{"partner"}},
		{name: "other", role: authzv1.Role_ROLE_ORGANISATION_ADMIN, sees: []string{"other"}},
		{name: "funder", role: authzv1.Role_ROLE_FUNDER, sees: []string{"partner"}},
		{name: "other funder", role: authzv1.Role_ROLE_FUNDER, sees: []string{"other"}},
		{name: "stranger", role: authzv1.Role_ROLE_ORGANISATION_ADMIN},
		{name: "funder elsewhere", role: authzv1.Role_ROLE_FUNDER},
	} {
		p.organisation = s.organisation(t, p.name)
		p.token = s.member(t, p.organisation, p.role).Token
		x.parties, x.heard[p.name] = append(x.parties, p), &strings.Builder{}
	}
	op := s.operator(t)
	of := func(name string) string { return x.party(name).organisation }
	x.project = post[*projectsv1.Project](t, op, "projects", &projectsv1.Project{
		Organisation: of("lead"), Title: text("Progetto in tre"), CurrencyCode: "EUR", StartDate: day(-30), EndDate: day(300),
		Partners: []*projectsv1.Partner{
			{Organisation: of("lead"), Role: projectsv1.PartnerRole_PARTNER_ROLE_LEAD},
			{Organisation: of("partner"), Role: projectsv1.PartnerRole_PARTNER_ROLE_PARTNER},
			{Organisation: of("other"), Role: projectsv1.PartnerRole_PARTNER_ROLE_PARTNER},
		},
		Funders: []*projectsv1.Funder{
			{Key: "f1", DisplayName: "Fondazione", Organisation: of("funder"), Grant: euros(90_000_000), ShareBasisPoints: 4_000},
			{Key: "f2", DisplayName: "Regione", Organisation: of("other funder"), Grant: euros(90_000_000), ShareBasisPoints: 4_000},
		},
	}).GetName()
	task := post[*projectsv1.Task](t, op, x.project+"/tasks", &projectsv1.Task{Title: text("Lavoro comune"), DurationMinutes: 4_800})
	x.fixed["projects/*/tasks/*"] = task.GetName()
	x.fixed["projects/*/gates/*"] = x.project + "/gates/rfp"
	for _, one := range []string{"dashboard", "schedule", "earnedValue", "sCurve", "budgetSummary"} {
		x.fixed["projects/*/"+one] = x.project + "/" + one
	}
	x.fixed["projects/*"] = x.project
	x.fixed["projects/*/calendars/*"] = post[*projectsv1.Calendar](t, op, x.project+"/calendars", &projectsv1.Calendar{Title: text("Orario")}).GetName()
	x.cost(t, "lead", "f1", 51_111_111, 15_151_515, false)
	x.cost(t, "partner", "f1", 62_222_221, 26_262_626, true)
	x.cost(t, "other", "f2", 73_333_337, 37_373_737, true)
	x.all = []int64{51_111_111 + 62_222_221 + 73_333_337, 15_151_515 + 26_262_626 + 37_373_737 + 3}
	x.fixed["projects/*/budgetVersions/*"] = post[*projectsv1.BudgetVersion](t, op, x.project+"/budgetVersions", &projectsv1.BudgetVersion{Reason: "Approvato"}).GetName()
	return x
}

func (x *consortium) party(name string) *party {
	return x.parties[slices.IndexFunc(x.parties, func(p *party) bool { return p.name == name })]
}

// cost makes a partner's budget line, an expenditure with its document, and a
// claim of it; and a cent that stays in a claim in preparation.
func (x *consortium) cost(t *testing.T, name, funder string, planned, spent int64, submit bool) {
	t.Helper()
	op, p := x.operator(t), x.party(name)
	c := &cost{names: map[string][]string{}, amounts: []int64{planned, spent}}
	x.costs[name] = c
	keep := func(pattern, resource string, submitted bool) string {
		c.names[pattern] = append(c.names[pattern], resource)
		if submitted {
			c.submitted = append(c.submitted, resource)
		}
		return resource
	}
	line := keep("projects/*/budgetLines/*", post[*projectsv1.BudgetLine](t, op, x.project+"/budgetLines", &projectsv1.BudgetLine{
		Organisation: p.organisation, Category: projectsv1.CostCategory_COST_CATEGORY_EXTERNAL, Amount: euros(planned), FunderShares: []*projectsv1.FunderShare{
			{Funder: "f1", ShareBasisPoints: 4_000}, {Funder: "f2", ShareBasisPoints: 4_000}, {Funder: "own", ShareBasisPoints: 2_000},
		},
	}).GetName(), submit) // named by what is submitted
	for _, cents := range []int64{spent, 1} {
		handedIn := submit && cents > 1
		counter++
		file := x.uploadFile(t, p.token, x.project, "fattura.pdf", document(int(counter)))
		keep("projects/*/files/*", file, handedIn)
		e := keep("projects/*/expenditures/*", post[*projectsv1.Expenditure](t, op, x.project+"/expenditures", &projectsv1.Expenditure{
			Organisation: p.organisation, BudgetLine: line, Amount: euros(cents), Files: []string{file},
			Document: &projectsv1.Document{Issuer: "Fornitore", Number: unique(), Date: day(-2)},
		}).GetName(), handedIn)
		claim := keep("projects/*/claims/*", post[*projectsv1.Claim](t, op, x.project+"/claims", &projectsv1.Claim{Organisation: p.organisation, Funder: funder}).GetName(), handedIn)
		post[*projectsv1.Claim](t, op, claim+":addLines", &projectsv1.AddClaimLinesRequest{Lines: []*projectsv1.ClaimLineInput{{Expenditure: e}}})
		if handedIn {
			post[*projectsv1.Claim](t, op, claim+":submit", &projectsv1.SubmitClaimRequest{})
		}
		keep("projects/*/claims/*/lines/*", get[*projectsv1.ListClaimLinesResponse](t, op, claim+"/lines").GetLines()[0].GetName(), handedIn)
	}
}

// figures are the ways in which answers and files write an amount.
func figures(cents int64) []string {
	whole, rest := cents/100, cents%100
	dotted := fmt.Sprint(whole)
	for i := len(dotted) - 3; i > 0; i -= 3 {
		dotted = dotted[:i] + "." + dotted[i:]
	}
	return []string{fmt.Sprint(cents), fmt.Sprintf("%d.%02d", whole, rest), fmt.Sprintf("%d,%02d", whole, rest), fmt.Sprintf("%s,%02d", dotted, rest)}
}

// shows reports whether a party may see a resource of a partner.
func (x *consortium) shows(p *party, owner, resource string) bool {
	if p.role == authzv1.Role_ROLE_FUNDER && !slices.Contains(x.costs[owner].submitted, resource) {
		return false
	}
	return slices.Contains(p.sees, owner)
}

// told checks that an answer tells a party nothing that is not its to see.
func (x *consortium) told(t *testing.T, p *party, m method, text string) {
	t.Helper()
	never := func(secret string) {
		if strings.Contains(text, secret) {
			t.Errorf("%s tells %s of %s: %.400s", m.short(), p.name, secret, text)
		}
	}
	for owner, c := range x.costs {
		for _, names := range c.names {
			for _, name := range names {
				if !x.shows(p, owner, name) {
					never(name)
				}
			}
		}
		if !slices.Contains(p.sees, owner) {
			for _, cents := range c.amounts {
				for _, figure := range figures(cents) {
					never(figure)
				}
			}
		}
	}
	if p.name != "lead" {
		for _, cents := range x.all {
			for _, figure := range figures(cents) {
				never(figure)
			}
		}
	}
}

// owned lists what a method can be about: who owns it ("" for all), and its name.
func (x *consortium) owned(pattern string) map[string]string {
	out := map[string]string{}
	for owner, c := range x.costs {
		for _, name := range c.names[pattern] {
			out[name] = owner
		}
	}
	if name := x.fixed[pattern]; name != "" {
		out[name] = ""
	}
	return out
}

// forCosts are the reads that a partner is refused as a whole, since they are of
// the whole project, and the reason.
var forCosts = map[string]string{
	"ExportService.DownloadClosingReport": "LEAD_ONLY",
}

// TestWhoSeesWhichCosts: every read of the projects service that is about a
// project, by everybody around it, over REST: a partner reads the shared plan and
// only its own costs, the lead all, a funder what was submitted to it and nothing
// else.
func TestWhoSeesWhichCosts(t *testing.T) {
	eachShape(t, func(t *testing.T, s *shape) {
		x := newConsortium(t, s)
		calls, seen := 0, map[string]bool{}
		for _, m := range allMethods() {
			if m.service != "projects" || !m.reads() || len(m.bound) != 1 || !strings.HasPrefix(m.bound[0].pattern, "projects/*") {
				continue
			}
			for name, owner := range x.owned(m.bound[0].pattern) {
				req := minimal(m, func(method, string) string { return x.project })
				setPath(req.ProtoReflect(), m.bound[0].field, name)
				if fd := req.ProtoReflect().Descriptor().Fields().ByName("format"); fd != nil {
					req.ProtoReflect().Set(fd, protoreflect.ValueOfEnum(projectsv1.ExportFormat_EXPORT_FORMAT_CSV.Number()))
				}
				for _, p := range x.parties {
					calls++
					seen[m.short()] = true
					x.read(t, m, p, owner, name, req)
				}
			}
		}
		x.heardAll(t)
		if len(seen) < 50 {
			t.Errorf("only %d reads were tried", len(seen))
		}
		t.Logf("%d calls of %d methods", calls, len(seen))
	})
}

// heardAll checks that everybody was told all that is theirs to see.
func (x *consortium) heardAll(t *testing.T) {
	t.Helper()
	for _, p := range x.parties {
		heard := x.heard[p.name].String()
		for owner, c := range x.costs {
			for _, names := range c.names {
				for _, name := range names {
					if x.shows(p, owner, name) && !strings.Contains(heard, name) {
						t.Errorf("%s never hears of %s's %s", p.name, owner, name)
					}
				}
			}
			for _, cents := range c.amounts[1:] {
				if slices.Contains(p.sees, owner) && !strings.Contains(heard, fmt.Sprint(cents)) {
					t.Errorf("%s never hears of %s's %d", p.name, owner, cents)
				}
			}
		}
		for _, cents := range x.all {
			if p.name == "lead" && !strings.Contains(heard, fmt.Sprint(cents)) {
				t.Errorf("the lead never hears of all: %d", cents)
			}
		}
	}
}

func (x *consortium) read(t *testing.T, m method, p *party, owner, name string, req proto.Message) {
	t.Helper()
	got := x.overREST(t, m, p.token, req)
	if got.code == codes.OK { // a refusal names what was asked for
		x.told(t, p, m, got.text)
		x.heard[p.name].WriteString(got.text)
	}
	may := slices.Contains(m.access.GetRoles(), p.role)
	want, reason := http.StatusNotFound, "NOT_FOUND"
	switch {
	case !may && !m.access.GetAnonymous():
		want, reason = http.StatusForbidden, "ROLE_MISSING"
	case m.access.GetAnonymous():
		return // filtered: what it tells is looked at above
	case owner != "" && x.shows(p, owner, name), owner == "" && len(p.sees) > 0:
		want, reason = http.StatusOK, ""
	}
	if r := forCosts[m.short()]; r != "" && want == http.StatusOK && p.name != "lead" {
		want, reason = http.StatusForbidden, r
	}
	if code, ok := codeOf[want]; !ok || got.code != code || got.reason != reason {
		t.Errorf("%s of %s's %s by %s: %s, want %d %s", m.short(), owner, name, p.name, got, want, reason)
	}
}

// TestWhoChangesWhichCosts: nobody moves another's costs, nor controls what was
// not submitted to them; a refusal changes nothing.
func TestWhoChangesWhichCosts(t *testing.T) {
	eachShape(t, func(t *testing.T, s *shape) {
		x := newConsortium(t, s)
		one := func(owner, pattern string, i int) string { return x.costs[owner].names[pattern][i] }
		line := func(owner string) string { return one(owner, "projects/*/budgetLines/*", 0) }
		spent := func(owner string, i int) string { return one(owner, "projects/*/expenditures/*", i) }
		claim := func(owner string, i int) string { return one(owner, "projects/*/claims/*", i) }
		claimLine := func(owner string) string { return one(owner, "projects/*/claims/*/lines/*", 0) }
		of := func(name string) string { return x.party(name).organisation }
		bill := func(owner, line string) string {
			return `{"organisation": "` + of(owner) + `", "budgetLine": "` + line + `", "amount": {"minorUnits": "100", "currencyCode": "EUR"}, "document": {"issuer": "x", "number": "` + unique() + `", "date": "` + day(-1) + `"}}`
		}
		const why = `{"reason": "prova"}`
		before := x.digestOf(t)
		for _, c := range []struct {
			who, method, path, body string
			status                  int
			reason                  string
		}{
			{"partner", "POST", x.project + "/expenditures", bill("partner", line("other")), 400, "REFERENCE_NOT_FOUND"},
			{"partner", "POST", x.project + "/expenditures", bill("other", line("other")), 400, "REFERENCE_NOT_FOUND"},
			{"partner", "POST", x.project + "/expenditures", bill("lead", line("partner")), 403, "LEAD_ONLY"},
			{"stranger", "POST", x.project + "/expenditures", bill("partner", line("partner")), 404, "NOT_FOUND"},
			{"funder", "POST", x.project + "/expenditures", bill("partner", line("partner")), 403, "ROLE_MISSING"},
			{"partner", "POST", spent("other", 1) + ":void", why, 404, "NOT_FOUND"},
			{"partner", "PATCH", spent("other", 1), `{"description": "mia"}`, 404, "NOT_FOUND"},
			{"partner", "POST", spent("partner", 0) + ":void", why, 409, "EXPENDITURE_CLAIMED"},
			{"partner", "POST", x.project + "/claims", `{"organisation": "` + of("other") + `", "funder": "f1"}`, 403, "LEAD_ONLY"},
			{"partner", "POST", claim("partner", 1) + ":addLines", `{"lines": [{"expenditure": "` + spent("other", 1) + `"}]}`, 400, "EXPENDITURE_UNAVAILABLE"},
			{"partner", "POST", claim("other", 1) + ":submit", `{}`, 404, "NOT_FOUND"},
			{"partner", "POST", claim("other", 0) + ":withdraw", why, 404, "NOT_FOUND"},
			{"partner", "POST", claim("partner", 0) + ":certify", `{}`, 403, "ROLE_MISSING"},
			{"lead", "POST", claim("partner", 0) + ":certify", `{}`, 403, "ROLE_MISSING"},
			{"funder", "POST", claim("partner", 1) + ":startControl", `{}`, 404, "NOT_FOUND"},
			{"funder", "POST", claim("other", 0) + ":startControl", `{}`, 404, "NOT_FOUND"},
			{"funder", "POST", claim("lead", 0) + ":startControl", `{}`, 404, "NOT_FOUND"},
			{"other funder", "POST", claim("partner", 0) + ":certify", `{}`, 404, "NOT_FOUND"},
			{"other funder", "POST", claimLine("partner") + ":correct", `{"cut": {"minorUnits": "1", "currencyCode": "EUR"}, "reason": "no"}`, 404, "NOT_FOUND"},
			{"other funder", "POST", claim("partner", 0) + ":return", why, 404, "NOT_FOUND"},
			{"funder elsewhere", "POST", claim("partner", 0) + ":return", why, 404, "NOT_FOUND"},
			{"funder", "POST", claim("partner", 1) + ":submit", `{}`, 403, "ROLE_MISSING"},
			{"partner", "POST", x.project + "/budgetLines", `{"organisation": "` + of("partner") + `", "category": "COST_CATEGORY_STAFF", "amount": {"minorUnits": "100", "currencyCode": "EUR"}}`, 403, "ROLE_MISSING"},
			{"other", "POST", x.project + "/budgetLines", `{"organisation": "` + of("other") + `", "category": "COST_CATEGORY_STAFF", "amount": {"minorUnits": "100", "currencyCode": "EUR"}}`, 403, "LEAD_ONLY"},
			{"other", "DELETE", line("partner"), "", 403, "LEAD_ONLY"},
			{"other", "DELETE", one("partner", "projects/*/files/*", 1), "", 404, "NOT_FOUND"},
			{"funder", "DELETE", one("partner", "projects/*/files/*", 0), "", 403, "ROLE_MISSING"},
		} {
			r := request{method: c.method, path: "/v1/" + c.path, token: x.party(c.who).token}
			if c.body != "" {
				r.body = strings.NewReader(c.body)
			}
			a := s.do(t, r)
			if a.status != c.status || a.problem().Reason != c.reason {
				t.Errorf("%s: %s %s: %d %.300s, want %d %s", c.who, c.method, uuid.ReplaceAllString(c.path, "*"), a.status, a.body, c.status, c.reason)
			}
		}
		if after := x.digestOf(t); before != after {
			t.Errorf("what was refused has changed something:\n%s", difference(before, after))
		}
	})
}

// digestOf is everything that the project holds, as the operator reads it.
func (x *consortium) digestOf(t *testing.T) string {
	t.Helper()
	w := &world{organisation: x.party("lead").organisation, names: map[string]string{}}
	for pattern, name := range x.fixed {
		w.keep(pattern, name)
	}
	var b strings.Builder
	for pattern, names := range x.costs["partner"].names {
		w.keep(pattern, names[0])
	}
	operator := caller{role: authzv1.Role_ROLE_NETWORK_OPERATOR, token: x.operator(t).Token}
	for _, m := range allMethods() {
		if m.service != "projects" || !m.reads() || unstable[m.short()] || len(m.bound) != 1 || w.names[m.bound[0].pattern] == "" {
			continue
		}
		req := minimal(m, func(method, string) string { return x.project })
		setPath(req.ProtoReflect(), m.bound[0].field, w.names[m.bound[0].pattern])
		fmt.Fprintf(&b, "%s: %s\n", m.short(), withoutSpace(x.overGRPC(t, m, operator.token, req).text))
	}
	return b.String()
}
