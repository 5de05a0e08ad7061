package rules

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func trial(t testing.TB, change ...string) *Set {
	t.Helper()
	set, err := Load([]byte(strings.NewReplacer(change...).Replace(small)))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestReport(t *testing.T) {
	set := trial(t)
	in := base()
	in.Claim.Lines[0].Amount = 150_001
	report := evaluate(t, set, in)
	if len(report.Findings) != 2 || report.Set != "trial" || report.Version != 1 || !report.Blocked() || report.Blocked(ScopeBudget) || !report.Blocked(ScopeBudget, ScopeClaimLine) {
		t.Fatalf("%+v", report)
	}
	one, limit := int64(1), int64(150_000)
	want := Finding{
		Rule: "ceiling", Set: "trial", Version: 1, Severity: Block, Scope: ScopeClaimLine, Index: 0, Key: "c1", Amount: &one, Limit: &limit,
		Message: Text{"c1 supera di 0,01\u00a0€", "c1 is over by 0.01\u00a0€"}, Source: "Call art. 3", Verified: true, Trace: []TraceValue{{"over", "1"}},
	}
	if got := report.Findings[0]; !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := report.Line("c1"); len(got) != 1 || got[0].Rule != "ceiling" {
		t.Errorf("%+v", got)
	}
	second := report.Findings[1]
	if second.Index != -1 || second.Key != "" || second.Amount != nil || second.Verified ||
		second.Message.IT != "troppo il 60\u00a0% (Regola non verificata sulla fonte.)" {
		t.Errorf("%+v", second)
	}
	if o := report.Outcomes; len(o) != 2 || o[0].Rule != "ceiling" || o[0].Looked != 2 || o[0].Applied != 1 || o[0].Broken != 1 || o[1].Looked != 1 {
		t.Errorf("%+v", o)
	}
	in.Claim = nil
	if report := evaluate(t, set, in); report.Outcomes[0].Looked != 0 || report.Outcomes[1].Broken != 1 {
		t.Errorf("without a claim: %+v", report)
	}
}

func TestColumns(t *testing.T) {
	set := trial(t)
	in := base()
	in.Claim.Lines[1].PaymentDate = ""
	rows, err := set.Rows(in)
	want := [][]Cell{
		{{Kind: KindNumber, Number: 5_000 * euros}, {Kind: KindDate, Date: "2026-04-10"}},
		{{Kind: KindNumber, Number: 2_000 * euros}, {Kind: KindDate, Empty: true}},
	}
	if err != nil || !reflect.DeepEqual(rows, want) {
		t.Errorf("%+v, %v", rows, err)
	}
	if c := set.Columns(); len(c) != 2 || c[0].Kind() != KindNumber || c[0].Unit != UnitMoney || c[1].Kind() != KindDate {
		t.Errorf("%+v", c)
	}
	for _, s := range AllShipped() {
		rows, err := s.Set.Rows(baseOf(s.Set.ID()))
		if err != nil || len(rows) != 2 || len(rows[0]) != len(s.Set.Columns()) {
			t.Errorf("%s: %v, %v", s.Set.ID(), rows, err)
		}
	}
}

// TestRulesThatCannotBeWorkedOut: the error names the rule and the line.
func TestRulesThatCannotBeWorkedOut(t *testing.T) {
	for name, c := range map[string]struct {
		check   string
		message string
	}{
		"absent date":                        {"line.payment_date <= p.until", "payment_date is not given; ask has() first"},
		"nothing":                            {"pct(line.amount, 0) > 1", "fraction"},
		"overflow":                           {"line.amount * 9223372036854775807 > 1", "overflow"},
		"not a day":                          {"line.document_date <= day(line.key)", "not a day of the calendar"},
		"much too far":                       {"add_months(line.document_date, 999999) > p.until", "too far"},
		"a share of a sum that does not fit": {"share(9223372036854775807, 20000) > 1", "64 bits"},
	} {
		set := trial(t, "check: line.amount <= p.top", "check: "+c.check)
		in := base()
		in.Claim.Lines[0].PaymentDate = ""
		_, err := set.Evaluate(in)
		e, ok := errors.AsType[*EvaluationError](err)
		if !ok || e.Rule != "rule ceiling" || e.Key != "c1" || !strings.Contains(e.Error(), c.message) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFactsThatCannotBe: what the caller gets wrong is told by its field.
func TestFactsThatCannotBe(t *testing.T) {
	set := trial(t)
	many := func(n int) []ClaimLine { return make([]ClaimLine, n) }
	for field, change := range map[string]func(*Input){
		"project.currency":            func(in *Input) { in.Project.Currency = "" },
		"project.start":               func(in *Input) { in.Project.Start = "1 January" },
		"funder.grant":                func(in *Input) { in.Funder.Grant = maxAmount + 1 },
		"budget":                      func(in *Input) { in.Budget = make([]BudgetLine, MaxBudgetLines+1) },
		"budget[1].key":               func(in *Input) { in.Budget[1].Key = in.Budget[0].Key },
		"budget[1].category":          func(in *Input) { in.Budget[1].Category = "FUN" },
		"budget[1].method":            func(in *Input) { in.Budget[1].Method = "" },
		"budget[1].funder_share":      func(in *Input) { in.Budget[1].FunderShare = 10_001 },
		"budget[1].funder_category":   func(in *Input) { in.Budget[1].FunderCategory = "none" },
		"claim.lines":                 func(in *Input) { in.Claim.Lines = many(MaxClaimLines + 1) },
		"claim.lines[1].budget_line":  func(in *Input) { in.Claim.Lines[1].BudgetLine = "none" },
		"claim.lines[1].key":          func(in *Input) { in.Claim.Lines[1].Key = in.Claim.Lines[0].Key },
		"claim.lines[1].amount":       func(in *Input) { in.Claim.Lines[1].VAT = -maxAmount - 1 },
		"claim.lines[1].payment_date": func(in *Input) { in.Claim.Lines[1].PaymentDate = "2026-13-01" },
		"claim.period_end":            func(in *Input) { in.Claim.PeriodEnd = "x" },
	} {
		in := base()
		change(&in)
		_, err := set.Evaluate(in)
		if e, ok := errors.AsType[*InputError](err); !ok || e.Field != field || e.Reason == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// draw is a claim as they may come: dates missing, amounts of all sizes.
func draw(t *rapid.T) Input {
	in := base()
	day := rapid.SampledFrom([]Date{"", "2025-06-01", "2026-01-01", "2026-12-31", "2029-12-31", "2031-01-01"})
	amount := rapid.OneOf(rapid.Int64Range(-10_000, 10_000_000), rapid.SampledFrom([]int64{0, maxAmount, -maxAmount}))
	in.Organisation.VATRecoverable, in.Claim.Final = new(rapid.Bool().Draw(t, "vat")), rapid.Bool().Draw(t, "final")
	in.Project.Start, in.Project.End = day.Draw(t, "start"), day.Draw(t, "end")
	in.Funder.Grant = amount.Draw(t, "grant")
	in.Funder.InterimsPaid = rapid.SliceOfN(amount, 0, 4).Draw(t, "interims")
	in.Budget = nil
	for i := range rapid.IntRange(1, 12).Draw(t, "budget lines") {
		in.Budget = append(in.Budget, BudgetLine{
			Key: fmt.Sprint("b", i), Organisation: rapid.SampledFrom([]string{us, them}).Draw(t, "organisation"),
			Category: rapid.SampledFrom(Categories).Draw(t, "category"), Method: rapid.SampledFrom(Methods).Draw(t, "method"),
			Base: rapid.SampledFrom([]string{"", "STAFF", "DIRECT"}).Draw(t, "base"), Rate: rapid.Int64Range(0, 10_000).Draw(t, "rate"),
			Amount: amount.Draw(t, "planned"), FunderShare: rapid.Int64Range(0, 10_000).Draw(t, "share"), Reported: amount.Draw(t, "reported"),
		})
	}
	in.Claim.Lines = nil
	for i := range rapid.IntRange(0, 20).Draw(t, "lines") {
		in.Claim.Lines = append(in.Claim.Lines, ClaimLine{
			Key: fmt.Sprint("c", i), BudgetLine: rapid.SampledFrom(in.Budget).Draw(t, "line").Key, Amount: amount.Draw(t, "amount"),
			Net: amount.Draw(t, "net"), Gross: amount.Draw(t, "gross"), DocumentDate: day.Draw(t, "document"), PaymentDate: day.Draw(t, "payment"),
			Documents: rapid.Int64Range(0, 2).Draw(t, "documents"), PaymentProof: rapid.Bool().Draw(t, "proof"),
		})
	}
	return in
}

// TestEvaluationOfAnything: the shipped sets can be worked out over any facts, and
// the same facts give the same report; the order of lines changes the places that
// findings tell, and nothing else.
func TestEvaluationOfAnything(t *testing.T) {
	for _, s := range AllShipped() {
		t.Run(s.Set.ID(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				in := draw(t)
				once, err := s.Set.Evaluate(in)
				if err != nil {
					t.Fatal(err)
				}
				if again, err := s.Set.Evaluate(in); err != nil || !reflect.DeepEqual(once, again) {
					t.Fatalf("evaluated twice: %+v and %+v, %v", once, again, err)
				}
				in.Budget = rapid.Permutation(in.Budget).Draw(t, "budget order")
				in.Claim.Lines = rapid.Permutation(in.Claim.Lines).Draw(t, "order")
				other, err := s.Set.Evaluate(in)
				if err != nil {
					t.Fatal(err)
				}
				if a, b := placeless(once.Findings), placeless(other.Findings); !reflect.DeepEqual(a, b) || !reflect.DeepEqual(once.Outcomes, other.Outcomes) {
					t.Fatalf("in another order: %+v and %+v", a, b)
				}
			})
		})
	}
}

func placeless(findings []Finding) []Finding {
	out := slices.Clone(findings)
	for i := range out {
		out[i].Index = 0
	}
	slices.SortStableFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Key, b.Key))
	})
	return out
}

// TestDays: months are counted as funders do, with the first and the last day.
func TestDays(t *testing.T) {
	for _, c := range []struct {
		first, last Date
		months      int
	}{
		{"2026-01-01", "2026-12-31", 12}, {"2026-01-01", "2026-12-30", 11}, {"2026-01-31", "2026-02-26", 0}, {"2026-01-31", "2026-02-27", 1},
		{"2026-03-15", "2029-03-14", 36}, {"2026-03-15", "2029-03-13", 35}, {"2026-05-01", "2026-04-01", 0}, {"2024-02-29", "2025-02-26", 11}, {"2024-02-29", "2025-02-27", 12},
	} {
		if got := dayOf(c.first).monthsUntil(dayOf(c.last)); got != c.months {
			t.Errorf("%s to %s: %d months, want %d", c.first, c.last, got, c.months)
		}
	}
	if got := dayOf("2026-01-31").addMonths(1).date(); got != "2026-02-28" {
		t.Error(got)
	}
	if got := dayOf("2024-01-31").addMonths(-11).date(); got != "2023-02-28" {
		t.Error(got)
	}
}

// FuzzLoad: no text makes the reader panic, and what loads can be explained and
// evaluated or says why not.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(small))
	for _, s := range AllShipped() {
		f.Add(s.Source)
	}
	f.Add([]byte("id: [\n"))
	f.Fuzz(func(t *testing.T, source []byte) {
		set, err := Load(source)
		if err != nil {
			if problems, ok := errors.AsType[Problems](err); !ok || len(problems) == 0 {
				t.Fatal(err)
			}
			return
		}
		set.Explain()
		_, err = set.Evaluate(base())
		if err != nil && !errors.As(err, new(*EvaluationError)) && !errors.As(err, new(*InputError)) {
			t.Fatal(err)
		}
	})
}

// BenchmarkClaim is a claim of 5,000 lines over 100 budget lines.
func BenchmarkClaim(b *testing.B) {
	in := base()
	in.Budget = in.Budget[:1]
	for i := range 99 {
		in.Budget = append(in.Budget, BudgetLine{Key: fmt.Sprint("b", i), Organisation: us, Category: Categories[i%2*3], Method: "REAL", Amount: 10_000 * euros, FunderShare: 5_000})
	}
	model := in.Claim.Lines[0]
	in.Claim.Lines = nil
	for i := range 5_000 {
		l := model
		l.Key, l.BudgetLine, l.Amount = fmt.Sprint("c", i), in.Budget[i%len(in.Budget)].Key, 100
		if i%50 == 0 {
			l.PaymentProof = false
		}
		in.Claim.Lines = append(in.Claim.Lines, l)
	}
	for _, s := range AllShipped() {
		b.Run(s.Set.ID(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Set.Evaluate(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	source := AllShipped()[0].Source
	for b.Loop() {
		if _, err := Load(source); err != nil {
			b.Fatal(err)
		}
	}
}
