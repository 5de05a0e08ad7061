package claims_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/money"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/claims"
	"github.com/trama-suite/trama/services/projects/internal/domain/funding"
)

const (
	body  = "organisations/body"
	today = civil.Date("2026-06-01")
)

var monday = time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)

func eur(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "EUR"} }

// world is a project with a funder of half the costs, one line for external
// costs, one for staff and a flat rate for the office.
func world() (*domain.Project, map[string]*domain.Line) {
	p := &domain.Project{ID: "p", Lead: body, Currency: "EUR", Phase: domain.Execution, Card: domain.Card{
		Start: "2026-01-01", End: "2026-12-31", Partners: []domain.Partner{{Organisation: body, Lead: true}},
		Funders: []domain.Funder{{Key: "f", Share: 5_000, Grant: eur(1_000_000)}}}}
	lines := map[string]*domain.Line{}
	for _, l := range []*domain.Line{
		{ID: "staff", LinePlan: domain.LinePlan{Category: "STAFF", Method: domain.RealCost, Amount: eur(100_000)}},
		{ID: "external", LinePlan: domain.LinePlan{Category: "EXTERNAL", Method: domain.RealCost, Amount: eur(100_000)}},
		{ID: "office", LinePlan: domain.LinePlan{Category: "OFFICE", Method: domain.FlatRate, Flat: &domain.FlatPlan{Rate: 1_500, Base: funding.OfStaff}}},
	} {
		l.Project, l.Organisation = p.ID, body
		lines[l.ID] = l
	}
	return p, lines
}

func expenditure(id, line string, amount int64) *domain.Expenditure {
	return &domain.Expenditure{ID: id, Project: "p", Organisation: body, Cost: domain.Cost{Line: line, Amount: eur(amount),
		Document: domain.Document{Issuer: "x", Number: id, Date: "2026-02-02", Gross: eur(amount)}}}
}

// allowed is the machine as the package's comment draws it.
var allowed = map[claims.State]map[string]claims.State{
	claims.Draft:     {"submit": claims.Submitted, "withdraw": claims.Withdrawn},
	claims.Returned:  {"submit": claims.Submitted, "withdraw": claims.Withdrawn},
	claims.Submitted: {"start": claims.InControl, "return": claims.Returned, "withdraw": claims.Withdrawn},
	claims.InControl: {"certify": claims.Certified, "return": claims.Returned},
	claims.Certified: {},
	claims.Paid:      {},
	claims.Withdrawn: {},
}

// Whatever people do in whatever order: only the states of the machine are
// reached, whoever submitted does not control, no cent is lost at any level, and
// nobody is paid more than is owed.
func TestClaimsConserveCentsInEveryState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, lines := world()
		flats := []*domain.Line{lines["office"]}
		c := &claims.Claim{ID: "c", Organisation: body, Funder: "f"}
		if _, err := claims.Open(p, c, 1, "ann", monday); err != nil {
			t.Fatal(err)
		}
		var own []*claims.Line
		next := 0
		newID := func() string { next++; return fmt.Sprint("x", next) }
		actors := rapid.SampledFrom([]string{"ann", "bob", "eve"})
		flat := func() []*claims.Line {
			var out []*claims.Line
			for _, l := range own {
				if l.Computed() {
					out = append(out, l)
				}
			}
			return out
		}
		settle := func() {
			_, added, gone, err := c.SettleFlat(p, flats, claims.BaseOf(own), flat(), newID)
			if err != nil {
				t.Fatal(err)
			}
			own = slices.DeleteFunc(append(own, added...), func(l *claims.Line) bool { return slices.Contains(gone, l) })
		}
		// step runs a verb and holds its answer against the machine.
		step := func(t *rapid.T, verb, by string, run func() error) {
			before, version := c.State, c.Version
			err := run()
			want, may := allowed[before][verb]
			eyes := (verb == "start" || verb == "certify") && by == c.SubmittedBy
			blocked := verb == "submit" && len(own) == 0
			if ok := may && !eyes && !blocked; ok != (err == nil) {
				t.Fatalf("%s by %s in %s: %v", verb, by, before, err)
			}
			if err == nil && (c.State != want || c.Version != version+1) || err != nil && (c.State != before || c.Version != version) {
				t.Fatalf("%s took %s to %s, version %d to %d", verb, before, c.State, version, c.Version)
			}
		}
		decide := func(t *rapid.T, run func(l *claims.Line, by string) (claims.Event, error)) {
			if len(own) == 0 {
				return
			}
			l, by := rapid.SampledFrom(own).Draw(t, "line"), actors.Draw(t, "actor")
			e, err := run(l, by)
			if err == nil && (c.State != claims.InControl || by == c.SubmittedBy || l.Computed() || e.By != by || !l.Decided || l.DecidedBy != by) {
				t.Fatalf("%s decided of %+v in %s: %+v", by, l, c.State, e)
			}
			if err != nil {
				return
			}
			if (l.Cut > 0 || l.ParkedSum > 0) && l.Reason == "" {
				t.Fatalf("%+v is cut without a reason", l)
			}
			if _, err := c.RecomputeFlat(p, flats, claims.BaseOf(own), flat(), by, monday); err != nil {
				t.Fatal(err)
			}
		}
		amounts := rapid.Int64Range(1, 50_000)
		reasons := rapid.SampledFrom([]string{"because", "because", " "})
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				if c.Preparing(p) != nil {
					return
				}
				a := &claims.Available{Expenditure: expenditure(newID(), rapid.SampledFrom([]string{"staff", "external"}).Draw(t, "on"), amounts.Draw(t, "spent")),
					Claimed: rapid.Int64Range(0, 50_000).Draw(t, "claimed")}
				a.Category = lines[a.Expenditure.Line].Category
				left := a.Left()
				amount := rapid.SampledFrom([]int64{0, 1, left, left + 1, -1}).Draw(t, "amount")
				l, err := c.Add(a, newID(), amount, "lines[0]")
				if (err == nil) != (left > 0 && amount >= 0 && amount <= left) {
					t.Fatalf("%d of %d: %v", amount, left, err)
				}
				if err == nil {
					own = append(own, l)
				}
				settle()
			},
			"remove": func(t *rapid.T) {
				if len(own) == 0 || c.Preparing(p) != nil {
					return
				}
				l := rapid.SampledFrom(own).Draw(t, "line")
				if err := c.Remove(l); (err != nil) != l.Computed() {
					t.Fatal(err)
				} else if err == nil {
					own = slices.DeleteFunc(own, func(x *claims.Line) bool { return x == l })
				}
				settle()
			},
			"submit": func(t *rapid.T) {
				by := actors.Draw(t, "actor")
				step(t, "submit", by, func() error {
					if err := c.Preparing(p); err != nil {
						return err
					}
					var subjects []*claims.Subject
					for _, l := range own {
						x := &claims.Subject{Line: l}
						if !l.Computed() {
							x.Expenditure = expenditure(l.Expenditure, l.BudgetLine, 50_000)
						}
						subjects = append(subjects, x)
					}
					findings, err := c.Check(p, subjects, claims.Circumstances{Lines: lines})
					if err != nil {
						t.Fatal(err)
					}
					_, err = c.Submit(p, claims.Rules{Set: "ruleSets/x", Version: 3}, findings, by, monday)
					return err
				})
			},
			"start": func(t *rapid.T) {
				by := actors.Draw(t, "actor")
				step(t, "start", by, func() error { _, err := c.StartControl(by, monday); return err })
			},
			"correct": func(t *rapid.T) {
				decide(t, func(l *claims.Line, by string) (claims.Event, error) {
					return c.Correct(l, rapid.SampledFrom([]int64{-1, 0, 1, l.Claimed / 2, l.Claimed, l.Claimed + 1}).Draw(t, "cut"), reasons.Draw(t, "reason"), by, monday)
				})
			},
			"park": func(t *rapid.T) {
				decide(t, func(l *claims.Line, by string) (claims.Event, error) {
					return c.Park(l, reasons.Draw(t, "reason"), by, monday)
				})
			},
			"accept": func(t *rapid.T) {
				decide(t, func(l *claims.Line, by string) (claims.Event, error) { return c.Accept(l, by, monday) })
			},
			"certify": func(t *rapid.T) {
				by, left := actors.Draw(t, "actor"), rapid.SampledFrom([]int64{-1, 0, 100, 1_000_000}).Draw(t, "left")
				before := c.State
				step(t, "certify", by, func() error { _, err := c.Certify(own, left, by, monday); return err })
				if before != c.State && left >= 0 && c.Funding > left {
					t.Fatalf("%d of %d are owed", c.Funding, left)
				}
			},
			"pay": func(t *rapid.T) {
				before, paid := c.State, c.Paid
				x := claims.Payment{Kind: rapid.SampledFrom([]claims.PaymentKind{"INTERIM", claims.Advance, claims.Balance}).Draw(t, "kind"),
					Amount: rapid.SampledFrom([]int64{0, 1, 50, c.Funding - paid, c.Funding - paid + 1}).Draw(t, "amount"), Date: "2026-05-05", RecordedBy: "eve"}
				_, err := c.Pay(own, x, today, monday)
				if err == nil && (before != claims.Certified || x.Amount < 1 || paid+x.Amount > c.Funding) {
					t.Fatalf("%d was paid of %d in %s", x.Amount, c.Funding-paid, before)
				}
				if err == nil && (c.State == claims.Paid) != (x.Kind == claims.Balance || c.Paid == c.Funding) {
					t.Fatalf("%s after %+v", c.State, x)
				}
			},
			"return": func(t *rapid.T) {
				step(t, "return", "eve", func() error { _, err := c.Return(own, "because", "eve", monday); return err })
			},
			"withdraw": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "rarely") == 0 {
					step(t, "withdraw", "ann", func() error { _, err := c.Withdraw("because", "ann", monday); return err })
				}
			},
			"": func(t *rapid.T) { conserve(t, c, own) },
		})
	})
}

// conserve holds the sums against those of the lines.
func conserve(t *rapid.T, c *claims.Claim, own []*claims.Line) {
	t.Helper()
	var sum claims.Sums
	var accepted int64
	for _, l := range own {
		if l.Claimed < 1 || l.Cut < 0 || l.ParkedSum < 0 || l.Accepted() < 0 || l.Funding > l.Accepted() || l.Paid > l.Funding {
			t.Fatalf("line %+v", l)
		}
		if state := l.State; (state == claims.Parked) != (l.ParkedSum > 0 && !l.Computed()) || state == claims.Included && l.Cut+l.ParkedSum > 0 {
			t.Fatalf("line %+v", l)
		}
		sum.Claimed, sum.Cut, sum.Parked = sum.Claimed+l.Claimed, sum.Cut+l.Cut, sum.Parked+l.ParkedSum
		sum.Funding, sum.Paid, accepted = sum.Funding+l.Funding, sum.Paid+l.Paid, accepted+l.Accepted()
	}
	if c.State.Final() {
		sum.Certified = accepted
	}
	if c.Sums != sum || c.Accepted() != accepted || c.Lines != len(own) {
		t.Fatalf("the claim has %+v over %d lines, its lines %+v over %d", c.Sums, c.Lines, sum, len(own))
	}
	if c.Claimed != accepted+c.Cut+c.Parked || c.Paid > c.Funding || c.Funding > accepted {
		t.Fatalf("%+v", c.Sums)
	}
	// The flat rate is a part of the accepted staff costs, to the cent.
	if c.State == claims.InControl || c.State == claims.Draft {
		var staff, office int64
		for _, l := range own {
			switch l.Category {
			case "STAFF":
				staff += l.Accepted()
			case "OFFICE":
				office += l.Accepted()
			}
		}
		if office != staff*1_500/10_000 {
			t.Fatalf("office costs of %d on staff costs of %d", office, staff)
		}
	}
}

func TestOwnRules(t *testing.T) {
	p, lines := world()
	lines["lump"] = &domain.Line{ID: "lump", Project: "p", Organisation: body, LinePlan: domain.LinePlan{Category: "OTHER", Method: domain.LumpSum, Deliverable: "d", Amount: eur(500)}}
	lines["alien"] = &domain.Line{ID: "alien", Project: "p", Organisation: body, LinePlan: domain.LinePlan{Category: "OTHER", Method: domain.RealCost, Amount: eur(500),
		Shares: []funding.Share{{Fund: funding.Own, BasisPoints: 10_000}}}}
	subject := func(id, line string, spent, claimed int64, change ...func(x *claims.Subject)) *claims.Subject {
		x := &claims.Subject{Line: &claims.Line{ID: "l" + id, Claim: "c", Expenditure: id, BudgetLine: line, State: claims.Included, Claimed: claimed}, Expenditure: expenditure(id, line, spent)}
		for _, f := range change {
			f(x)
		}
		return x
	}
	around := func() claims.Circumstances {
		return claims.Circumstances{Lines: lines, Completed: map[string]bool{}, Reported: map[string]int64{}}
	}
	for name, c := range map[string]struct {
		want     []string
		subjects []*claims.Subject
		around   func(x *claims.Circumstances)
	}{
		"nothing":                  {want: []string{"trama.empty!"}},
		"fine":                     {subjects: []*claims.Subject{subject("1", "staff", 100, 100)}},
		"voided":                   {want: []string{"trama.unavailable!"}, subjects: []*claims.Subject{subject("1", "staff", 100, 100, func(x *claims.Subject) { x.Expenditure.Void = true })}},
		"held by another claim":    {want: []string{"trama.unavailable!"}, subjects: []*claims.Subject{subject("1", "staff", 100, 100, func(x *claims.Subject) { x.Held = 1 })}},
		"above the document":       {want: []string{"trama.unavailable!", "trama.double-funding!"}, subjects: []*claims.Subject{subject("1", "staff", 100, 100, func(x *claims.Subject) { x.Expenditure.Document.Gross = eur(99) })}},
		"on a flat rate":           {want: []string{"trama.unavailable!", "trama.over-budget"}, subjects: []*claims.Subject{subject("1", "office", 100, 100)}},
		"an open lump sum":         {want: []string{"trama.incomplete!"}, subjects: []*claims.Subject{subject("1", "lump", 500, 500)}},
		"a due lump sum":           {subjects: []*claims.Subject{subject("1", "lump", 500, 500)}, around: func(x *claims.Circumstances) { x.Completed["d"] = true }},
		"of no concern":            {want: []string{"trama.no-share"}, subjects: []*claims.Subject{subject("1", "alien", 100, 100)}},
		"over the budget":          {want: []string{"trama.over-budget"}, subjects: []*claims.Subject{subject("1", "staff", 100, 100)}, around: func(x *claims.Circumstances) { x.Reported["staff"] = 99_901 }},
		"over the grant":           {want: []string{"trama.over-grant"}, subjects: []*claims.Subject{subject("1", "staff", 100, 100)}, around: func(x *claims.Circumstances) { x.GrantUsed = 999_951 }},
		"within the grant":         {subjects: []*claims.Subject{subject("1", "staff", 100, 100)}, around: func(x *claims.Circumstances) { x.GrantUsed = 999_950 }},
		"claimed elsewhere":        {want: []string{"trama.double-funding!"}, subjects: []*claims.Subject{subject("1", "staff", 100, 100, func(x *claims.Subject) { x.ClaimedAll = 1 })}},
		"shown to another funder":  {subjects: []*claims.Subject{subject("1", "staff", 100, 100, func(x *claims.Subject) { x.ClaimedAll, x.Expenditure.Reported = 100, eur(100) })}},
		"half of it, half of that": {subjects: []*claims.Subject{subject("1", "staff", 100, 50, func(x *claims.Subject) { x.ClaimedAll = 50 })}},
		"twice in one claim": {want: []string{"trama.double-funding!", "trama.double-funding!"}, subjects: []*claims.Subject{subject("1", "staff", 100, 60),
			subject("2", "external", 100, 41, func(x *claims.Subject) { x.Expenditure.Document.Number = "1" })}},
	} {
		t.Run(name, func(t *testing.T) {
			x := around()
			if c.around != nil {
				c.around(&x)
			}
			claim := &claims.Claim{ID: "c", Project: "p", Organisation: body, Funder: "f", Currency: "EUR", State: claims.Draft}
			found, err := claim.Check(p, c.subjects, x)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			blocked := false
			for _, f := range found {
				rule := f.Rule
				if f.Block {
					rule += "!"
					blocked = true
				}
				got = append(got, rule)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("found %v, want %v", got, c.want)
			}
			_, err = claim.Submit(p, claims.Rules{}, found, "ann", monday)
			if (err != nil) != blocked {
				t.Errorf("submitting: %v", err)
			}
			if slices.Contains(got, "trama.double-funding!") && errs.ReasonOf(err) != domain.DoubleFunding {
				t.Errorf("refused by %v", err)
			}
		})
	}
}
