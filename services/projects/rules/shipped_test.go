package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

// The bodies of the examples.
const (
	us    = "organisations/us"
	them  = "organisations/them"
	euros = 100
)

// base is a claim that every shipped set accepts without a word.
func base() Input {
	in := Input{
		Project:      Project{Name: "projects/x", Start: "2026-01-01", End: "2028-12-31", Currency: "EUR", Lead: us, Partners: []Partner{{Organisation: us, Kind: "SOCIAL_COOPERATIVE_A"}, {Organisation: them}}},
		Funder:       Funder{Key: "f1", Title: "Fund", Grant: 50_000 * euros},
		Organisation: Organisation{Name: us, Kind: "SOCIAL_COOPERATIVE_A", VATRecoverable: new(false)},
		Budget: []BudgetLine{
			{Key: "staff", Organisation: us, Category: "STAFF", Method: "REAL", Amount: 60_000 * euros, FunderShare: 5_000},
			{Key: "external", Organisation: us, Category: "EXTERNAL", Method: "REAL", Amount: 30_000 * euros, FunderShare: 5_000},
			{Key: "equipment", Organisation: them, Category: "EQUIPMENT", Method: "REAL", Amount: 10_000 * euros, FunderShare: 5_000},
		},
		Claim: &Claim{Name: "claim", Number: 1, PeriodStart: "2026-01-01", PeriodEnd: "2026-06-30"},
	}
	cost := func(key, line string, amount int64) {
		in.Claim.Lines = append(in.Claim.Lines, ClaimLine{
			Key: key, BudgetLine: line, Amount: amount, Net: amount, VAT: amount * 22 / 100, Gross: amount + amount*22/100,
			Issuer: "12345678903", Number: "1/" + key, DocumentDate: "2026-03-15", PaymentDate: "2026-04-10", Documents: 1, PaymentProof: true, Description: "lavoro",
		})
	}
	cost("c1", "staff", 5_000*euros)
	cost("c2", "external", 2_000*euros)
	return in
}

// evaluation is the base of a set whose budget needs more.
func baseOf(set string) Input {
	in := base()
	if set == "fondazione-cofinanziamento" {
		in.Budget[2].FunderCategory, in.Budget[2].Amount = "evaluation", 4_500*euros
	}
	return in
}

func line(l BudgetLine) func(*Input) {
	return func(in *Input) {
		l.Organisation = us
		if l.Key == "" {
			l.Key = "more"
		}
		in.Budget = append(in.Budget, l)
	}
}

func costs(change func(*ClaimLine)) func(*Input) {
	return func(in *Input) { change(&in.Claim.Lines[0]) }
}

func together(all ...func(*Input)) func(*Input) {
	return func(in *Input) {
		for _, f := range all {
			f(in)
		}
	}
}

func flatRate(category, base string, rate int64) func(*Input) {
	return line(BudgetLine{Category: category, Method: "FLAT_RATE", Base: base, Rate: rate, Amount: 1, FunderShare: 5_000})
}

// pair is an example of a rule kept and one of it broken. A nil kept is the base.
// By is what the broken one is found at.
type pair struct {
	kept, broken func(*Input)
	key          string
	amount       int64 // 0 where the rule gives none
}

var everywhere = map[string]pair{
	"category-allowed":  {nil, func(in *Input) { in.Budget[0].FunderCategory = "ineligible" }, "c1", 5_000 * euros},
	"cost-in-period":    {nil, costs(func(l *ClaimLine) { l.DocumentDate = "2025-12-31" }), "c1", 5_000 * euros},
	"document-required": {nil, costs(func(l *ClaimLine) { l.Documents = 0 }), "c1", 5_000 * euros},
	"payment-proof":     {nil, costs(func(l *ClaimLine) { l.PaymentProof = false }), "c1", 5_000 * euros},
	"within-document":   {nil, costs(func(l *ClaimLine) { l.Gross = l.Amount - 1 }), "c1", 5_000 * euros},
	"partner-budget":    {nil, func(in *Input) { in.Budget[0].Reported = 85_000 * euros }, "", 92_000 * euros},
}

// recovers lets the organisation recover VAT; broken claims it.
var vat = pair{
	func(in *Input) { in.Organisation.VATRecoverable = new(true) },
	together(func(in *Input) { in.Organisation.VATRecoverable = new(true) }, costs(func(l *ClaimLine) { l.Amount += 7 })), "c1", 7,
}

func withFlex(pairs map[string]pair) map[string]pair {
	// 60,000 and 20 % more.
	pairs["line-flexibility"] = pair{
		func(in *Input) { in.Budget[0].Reported = 67_000 * euros },
		func(in *Input) { in.Budget[0].Reported = 67_000*euros + 1 }, "staff", 72_000*euros + 1,
	}
	return pairs
}

func european(pairs map[string]pair) map[string]pair {
	large := func(in *Input) { in.Budget[2].Amount = 5_000_000 * euros; in.Organisation.VATRecoverable = new(true) }
	pairs["vat"] = pair{large, together(large, costs(func(l *ClaimLine) { l.Amount += 7 })), "c1", 7}
	pairs["paid-in-time"] = pair{costs(func(l *ClaimLine) { l.PaymentDate = "2029-12-31" }), costs(func(l *ClaimLine) { l.PaymentDate = "2030-01-01" }), "c1", 5_000 * euros}
	pairs["indirect-of-staff"] = pair{flatRate("OFFICE", "STAFF", 1_500), flatRate("OFFICE", "STAFF", 1_501), "more", 0}
	pairs["indirect-of-direct"] = pair{flatRate("OFFICE", "DIRECT", 700), flatRate("OFFICE", "DIRECT", 701), "more", 0}
	method := func(in *Input) { in.Funder.IndirectMethodology = true }
	pairs["indirect-calculated"] = pair{together(method, flatRate("OFFICE", "DIRECT", 2_500)), together(method, flatRate("OFFICE", "DIRECT", 2_501)), "more", 0}
	pairs["staff-flat-rate"] = pair{flatRate("STAFF", "DIRECT", 2_000), flatRate("STAFF", "DIRECT", 2_001), "more", 0}
	only := func(in *Input) {
		in.Budget = in.Budget[:1]
		in.Claim.Lines = in.Claim.Lines[:1]
	}
	pairs["remaining-costs-rate"] = pair{together(only, flatRate("OTHER", "STAFF", 4_000)), together(only, flatRate("OTHER", "STAFF", 4_001)), "more", 0}
	pairs["remaining-costs-alone"] = pair{together(only, flatRate("OTHER", "STAFF", 4_000)), flatRate("OTHER", "STAFF", 4_000), "", 30_000 * euros}
	return withFlex(pairs)
}

func foundation(pairs map[string]pair) map[string]pair {
	pairs["vat"] = vat
	return withFlex(pairs)
}

var examples = map[string]map[string]pair{
	"erdf-interreg-2021-27": european(map[string]pair{
		"travel-flat-rate": {flatRate("TRAVEL", "STAFF", 1_500), flatRate("TRAVEL", "STAFF", 1_501), "more", 0},
		"one-travel-option": {
			together(flatRate("TRAVEL", "STAFF", 1_500), func(in *Input) {
				in.Organisation.Choices = []Choice{{"projects/y", "TRAVEL", "FLAT_RATE"}, {"projects/z", "STAFF", "REAL"}}
			}),
			together(flatRate("TRAVEL", "STAFF", 1_500), func(in *Input) { in.Organisation.Choices = []Choice{{"projects/y", "TRAVEL", "REAL"}} }), "", 0,
		},
		"fund-share": {func(in *Input) { in.Budget[1].FunderShare = 8_000 }, func(in *Input) { in.Budget[1].FunderShare = 8_001 }, "external", 0},
		"other-is-flat": {
			flatRate("OTHER", "STAFF", 4_000), line(BudgetLine{Category: "OTHER", Method: "REAL", Amount: 1, FunderShare: 5_000}), "more", 0,
		},
	}),
	"esf-plus-2021-27": european(map[string]pair{
		"category-allowed": {nil, func(in *Input) { in.Budget[0].Category = "INFRASTRUCTURE" }, "c1", 5_000 * euros},
		"fund-share":       {func(in *Input) { in.Budget[1].FunderShare = 8_500 }, func(in *Input) { in.Budget[1].FunderShare = 8_501 }, "external", 0},
	}),
	"horizon-europe": {
		"category-allowed":   {nil, func(in *Input) { in.Budget[0].Category = "INFRASTRUCTURE" }, "c1", 5_000 * euros},
		"vat":                vat,
		"indirect-flat-rate": {flatRate("OFFICE", "DIRECT", 2_500), flatRate("OFFICE", "DIRECT", 2_400), "more", 0},
		// 60,000 of staff and 30,000 of subcontracting, which does not count: 15,000.
		"indirect-budget": {indirect(15_000*euros, 0, "subcontracting"), indirect(15_000*euros+1, 0, "subcontracting"), "", 15_000*euros + 1},
		"indirect-claim":  {indirect(0, 1_250*euros, "third_party"), indirect(0, 1_250*euros+1, "third_party"), "", 1_250*euros + 1},
		"third-party-support": {
			together(func(in *Input) { in.Budget[0].FunderCategory = "third_party" }, costs(func(l *ClaimLine) { l.Amount, l.Net, l.Gross = 60_000*euros, 60_000*euros, 60_000*euros })),
			together(func(in *Input) { in.Budget[0].FunderCategory = "third_party" }, costs(func(l *ClaimLine) { l.Amount, l.Net, l.Gross = 60_000*euros+1, 60_001*euros, 60_001*euros })),
			"c1", 60_000*euros + 1,
		},
	},
	"fondazione-anticipo-saldo": foundation(map[string]pair{
		"advance-share": {func(in *Input) { in.Funder.AdvancePaid = 20_000 * euros }, func(in *Input) { in.Funder.AdvancePaid = 20_000*euros + 1 }, "", 20_000*euros + 1},
		"interim-shares": {
			func(in *Input) { in.Funder.InterimsPaid = []int64{17_500 * euros} },
			func(in *Input) { in.Funder.InterimsPaid = []int64{10_000 * euros, 10_000*euros + 1} }, "", 20_000*euros + 1,
		},
		"balance-on-paid-costs": {
			func(in *Input) { in.Claim.Final = true },
			together(func(in *Input) { in.Claim.Final = true }, costs(func(l *ClaimLine) { l.PaymentDate = "" })), "", 5_000 * euros,
		},
	}),
	"fondazione-cofinanziamento": foundation(map[string]pair{
		"contribution-share": {nil, func(in *Input) { in.Budget[0].FunderShare = 5_001 }, "", 47_250*euros + 6*euros},
		"works-share": {
			line(BudgetLine{Category: "INFRASTRUCTURE", Method: "REAL", Amount: 10_000 * euros}),
			line(BudgetLine{Category: "INFRASTRUCTURE", Method: "REAL", Amount: 90_000 * euros}), "", 90_000 * euros,
		},
		"evaluation-share": {nil, func(in *Input) { in.Budget[2].Amount = 5_000 * euros }, "", 5_000 * euros},
		"duration":         {nil, func(in *Input) { in.Project.End = "2028-12-30" }, "", 0},
		"pro-rata-cut": {
			func(in *Input) { in.Claim.Final, in.Budget[0].Reported = true, 87_500*euros },
			// A tenth of 94,500 is missing, so a tenth of the grant.
			func(in *Input) { in.Claim.Final, in.Budget[0].Reported = true, 78_050*euros }, "", 5_000 * euros,
		},
	}),
	"own-funds": {
		"line-flexibility": {
			func(in *Input) { in.Budget[0].Reported = 61_000 * euros },
			func(in *Input) { in.Budget[0].Reported = 61_000*euros + 1 }, "staff", 66_000*euros + 1,
		},
	},
}

// indirect puts indirect costs in the budget or the claim, and makes the line for
// external services one of a category that bears none.
func indirect(planned, claimed int64, category string) func(*Input) {
	return func(in *Input) {
		in.Budget[1].FunderCategory = category
		line(BudgetLine{Category: "OFFICE", Method: "FLAT_RATE", Base: "DIRECT", Rate: 2_500, Amount: planned})(in)
		if claimed > 0 {
			in.Claim.Lines = append(in.Claim.Lines, ClaimLine{Key: "c3", BudgetLine: "more", Amount: claimed})
		}
	}
}

// TestShippedSetsByExample: every rule of every shipped set has an example of it
// kept and one of it broken, and the broken one is told with its place, amount
// and source, in both languages.
func TestShippedSetsByExample(t *testing.T) {
	for _, s := range AllShipped() {
		set := s.Set
		pairs := examples[set.ID()]
		if pairs == nil {
			t.Errorf("%s has no examples", set.ID())
			continue
		}
		t.Run(set.ID(), func(t *testing.T) {
			if r := evaluate(t, set, baseOf(set.ID())); len(r.Findings) > 0 {
				t.Errorf("the base is not clean: %+v", r.Findings)
			}
			for i := range set.Document().Rules {
				rule := &set.Document().Rules[i]
				p, ok := pairs[rule.ID]
				if !ok {
					if p, ok = everywhere[rule.ID]; !ok {
						t.Errorf("the rule %s has no examples", rule.ID)
						continue
					}
				}
				in := baseOf(set.ID())
				if p.kept != nil {
					p.kept(&in)
				}
				report := evaluate(t, set, in)
				if o := report.Outcomes[i]; o.Rule != rule.ID || o.Applied == 0 || o.Broken != 0 {
					t.Errorf("%s kept: %+v %+v", rule.ID, o, find(report, rule.ID))
				}
				in = baseOf(set.ID())
				p.broken(&in)
				found := find(evaluate(t, set, in), rule.ID)
				if len(found) != 1 {
					t.Errorf("%s broken: %+v", rule.ID, found)
					continue
				}
				f := found[0]
				if f.Key != p.key || (f.Amount == nil) != (p.amount == 0) || f.Amount != nil && *f.Amount != p.amount {
					t.Errorf("%s broken: at %q, amount %v: %+v", rule.ID, f.Key, f.Amount, f)
				}
				if f.Severity != rule.Severity || f.Scope != rule.Scope || f.Set != set.ID() || f.Version != set.Version() || f.Source == "" ||
					f.Message.IT == "" || f.Message.EN == "" || strings.ContainsAny(f.Message.IT+f.Message.EN, "{}") {
					t.Errorf("%s broken: %+v", rule.ID, f)
				}
				if !f.Verified && (!strings.Contains(f.Message.IT, "non verificata") || !strings.Contains(f.Message.EN, "not verified")) {
					t.Errorf("%s does not say that nobody checked it: %+v", rule.ID, f.Message)
				}
			}
			for id := range pairs {
				if !slices.ContainsFunc(set.Document().Rules, func(r Rule) bool { return r.ID == id }) {
					t.Errorf("examples of %s, which is no rule", id)
				}
			}
		})
	}
}

func evaluate(t testing.TB, set *Set, in Input) Report {
	t.Helper()
	report, err := set.Evaluate(in)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func find(r Report, rule string) []Finding {
	var out []Finding
	for _, f := range r.Findings {
		if f.Rule == rule {
			out = append(out, f)
		}
	}
	return out
}

// published is the SHA-256 of every version that was ever shipped. Claims are
// pinned to versions: to change a set, add a file with the next version.
var published = map[string]string{
	"erdf-interreg-2021-27":      "a4a6485e4ebe3460578497dde148d5ca1feb03bbeeb86619167dd5799bce8b5e",
	"esf-plus-2021-27":           "6fe9aa2bab3a70196c2411e710ddbdebe0f890c3233d885020546b75c854a9b2",
	"fondazione-anticipo-saldo":  "d4e9f7a7ae9ed0d6a5c849529802fe99891fa4effa77de6cfcac64d5335dce9d",
	"fondazione-cofinanziamento": "1e02a3d90eb8acbdedfa75ccf80b6654a0c9a36739892239815cbe4e9fd92b2b",
	"horizon-europe":             "05681954b51daa4414130fbbbdf966dc33955408eef830db2a07cb92f29688b5",
	"own-funds":                  "70f2124f4afe90e9e7d0293b0ac2f35eef40d94987d1528774ed31b8c3bf292e",
}

// TestShippedVersionsNeverChange: a text under a number stays as it is.
func TestShippedVersionsNeverChange(t *testing.T) {
	for _, s := range AllShipped() {
		sum := sha256.Sum256(s.Source)
		if got := hex.EncodeToString(sum[:]); published[s.Set.ID()] != got {
			t.Errorf("%s has changed: its digest is %s", s.Set.ID(), got)
		}
	}
	if len(published) != len(AllShipped()) {
		t.Error("a set that was shipped is gone")
	}
}
