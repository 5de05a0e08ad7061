package rules

import (
	"reflect"
	"strings"
	"testing"
)

// asking is a set whose rules ask for facts that may be unknown: directly, by a
// fact of the set, by a value, and where something else settles it first.
var asking = func() string {
	var b strings.Builder
	b.WriteString(small[:strings.Index(small, "facts:")])
	b.WriteString("facts:\n  - {name: coop, value: 'organisation.kind == \"SOCIAL_COOPERATIVE_A\"'}\nrules:\n")
	for _, r := range [][3]string{
		{"direct", "claim_line", "check: '!line.vat_recoverable'"},
		{"by-fact", "organisation", "check: coop"},
		{"by-value", "organisation", "values: [{name: x, value: 'organisation.profit'}]\n    check: '!x'"},
		{"settled", "claim_line", "when: line.amount < 0 && line.vat_recoverable\n    check: 'false'"},
		{"asked-first", "organisation", "when: has(organisation.kind)\n    check: coop"},
	} {
		b.WriteString("  - id: " + r[0] + "\n    scope: " + r[1] + "\n    " + r[2] +
			"\n    title: {it: x, en: x}\n    severity: block\n    message: {it: x, en: x}\n    source: call\n    verified: true\n")
	}
	return b.String()
}()

// TestUnknownFacts: a rule that asks for what nobody has told is not evaluated,
// and says so; one that is settled without it is.
func TestUnknownFacts(t *testing.T) {
	set, err := Load([]byte(asking))
	if err != nil {
		t.Fatal(err)
	}
	in := Input{
		Project: Project{Currency: "EUR"}, Organisation: Organisation{Name: "o"},
		Budget: []BudgetLine{{Key: "b", Organisation: "o", Category: "STAFF", Method: "REAL"}},
		Claim:  &Claim{Lines: []ClaimLine{{Key: "1", BudgetLine: "b"}, {Key: "2", BudgetLine: "b", VATRecoverable: true}}},
	}
	look := func() (unknown map[string][]string, broken []string) {
		t.Helper()
		report := evaluate(t, set, in)
		unknown = map[string][]string{}
		for _, o := range report.Outcomes {
			if o.Unknown != nil {
				unknown[o.Rule] = o.Unknown
			}
		}
		for _, f := range report.Findings {
			broken = append(broken, f.Rule+f.Key)
		}
		return unknown, broken
	}
	unknown, broken := look()
	if want := map[string][]string{"direct": {"line.vat_recoverable"}, "by-fact": {"organisation.kind"}, "by-value": {"organisation.profit"}}; !reflect.DeepEqual(unknown, want) {
		t.Errorf("unknown %v, want %v", unknown, want)
	}
	if !reflect.DeepEqual(broken, []string{"direct2"}) { // its document says so
		t.Errorf("broken %v", broken)
	}
	in.Organisation = Organisation{Name: "o", Kind: "COMPANY", Profit: new(true), VATRecoverable: new(false)}
	if unknown, broken = look(); len(unknown) != 0 || !reflect.DeepEqual(broken, []string{"direct2", "by-fact", "by-value", "asked-first"}) {
		t.Errorf("unknown %v, broken %v", unknown, broken)
	}
	want := []string{"ClaimLine.amount", "ClaimLine.vat_recoverable", "Organisation.kind", "Organisation.profit"}
	if got := set.Reads(); !reflect.DeepEqual(got, want) {
		t.Errorf("reads %v, want %v", got, want)
	}
}
