package domain_test

import (
	"errors"
	"math"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/money"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

func eur(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "EUR"} }

func amounts() *rapid.Generator[int64] {
	return rapid.OneOf(rapid.Int64Range(-2, 3), rapid.Int64Range(1, 10_000_000),
		rapid.SampledFrom([]int64{domain.MaxAmount - 1, domain.MaxAmount, domain.MaxAmount + 1, math.MaxInt64, math.MinInt64}))
}

func TestTotalsConserveCents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := open(t)
		totals := &domain.Totals{Planned: eur(0), Spent: eur(0)}
		budget := &domain.Budget{Project: p, Totals: totals}
		ids := 0
		var lines []*domain.Line
		var spent []*domain.Expenditure
		lineOf := map[*domain.Expenditure]*domain.Line{}
		organisations := rapid.SampledFrom([]string{lead, second, "organisations/other", ""})
		dates := rapid.SampledFrom([]string{"2026-01-05", "2026-12-31", "2026-06-15", "2026-01-04", "2027-01-01", "2026-02-30", ""})
		currency := rapid.SampledFrom([]string{"EUR", "EUR", "EUR", "SEK", ""})
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				ids++
				l := &domain.Line{ID: strconv.Itoa(ids), Project: p.ID, Organisation: organisations.Draw(t, "partner"), LinePlan: domain.LinePlan{
					Category: "STAFF", Amount: money.Amount{Minor: amounts().Draw(t, "amount"), Currency: currency.Draw(t, "currency")}}}
				if _, err := budget.Add(l, monday); err == nil {
					lines = append(lines, l)
				}
			},
			"revise": func(t *rapid.T) {
				if len(lines) > 0 {
					l := rapid.SampledFrom(lines).Draw(t, "line")
					next, _, err := budget.Revise(l.ID, domain.LinePlan{Category: "TRAVEL", Amount: eur(amounts().Draw(t, "amount"))}, monday)
					if err == nil {
						*l = *next
						for i, x := range budget.Lines {
							if x.ID == l.ID {
								budget.Lines[i] = l
							}
						}
					}
				}
			},
			"record": func(t *rapid.T) {
				if len(lines) == 0 {
					return
				}
				l := rapid.SampledFrom(lines).Draw(t, "line")
				e := &domain.Expenditure{Project: p.ID, Organisation: organisations.Draw(t, "partner"), Cost: domain.Cost{
					Document: domain.Document{Issuer: "Fornitore", Number: "1"},
					Amount:   money.Amount{Minor: amounts().Draw(t, "amount"), Currency: currency.Draw(t, "currency")}}}
				date := dates.Draw(t, "date")
				e.Document.Date = toDate(date)
				err := totals.Record(p, l, e, "2026-06-01", monday)
				inside := date >= "2026-01-05" && date <= "2026-12-31" && date != "2026-02-30"
				fine := inside && e.Organisation == l.Organisation && e.Amount.Currency == "EUR" && e.Amount.Minor >= 1 && e.Amount.Minor <= domain.MaxAmount
				if fine != (err == nil) {
					t.Fatalf("%+v on %+v: %v", e, l, err)
				}
				if err == nil {
					e.Line = l.ID
					spent = append(spent, e)
					lineOf[e] = l
				}
			},
			"void": func(t *rapid.T) {
				if len(spent) == 0 {
					return
				}
				e := rapid.SampledFrom(spent).Draw(t, "expenditure")
				was := e.Void
				if err := totals.VoidExpenditure(p, lineOf[e], e, "wrong", nil, monday); (err != nil) != was {
					t.Fatalf("voiding a voided one (%v): %v", was, err)
				}
			},
			"": func(t *rapid.T) {
				planned, total := int64(0), int64(0)
				byLine := map[*domain.Line]int64{}
				for _, e := range spent {
					if !e.Void {
						byLine[lineOf[e]] += e.Amount.Minor
					}
				}
				for _, l := range lines {
					planned += l.Amount.Minor
					total += l.Spent.Minor
					if l.Spent.Minor != byLine[l] || l.Overspent() != (byLine[l] > l.Amount.Minor) {
						t.Fatalf("line %+v, spent %d", l, byLine[l])
					}
				}
				if totals.Planned != eur(planned) || totals.Spent != eur(total) {
					t.Fatalf("totals %+v, want %d and %d", totals, planned, total)
				}
			},
		})
	})
}

func TestOverflowIsRefused(t *testing.T) {
	p := open(t)
	totals := &domain.Totals{Planned: eur(math.MaxInt64 - 10), Spent: eur(math.MaxInt64 - 10)}
	huge := &domain.Line{ID: "huge", Project: p.ID, Organisation: lead, LinePlan: domain.LinePlan{Category: "STAFF", Amount: eur(math.MaxInt64 - 10)}}
	budget := &domain.Budget{Project: p, Totals: totals, Lines: []*domain.Line{huge}}
	l := &domain.Line{ID: "l", Project: p.ID, Organisation: lead, LinePlan: domain.LinePlan{Category: "STAFF", Amount: eur(11)}}
	_, err := budget.Add(l, monday)
	if e, ok := errors.AsType[*errs.Error](err); !ok || e.Reason != domain.AmountWrong || e.Fields[0].Path != "budget_line.amount" {
		t.Errorf("a line too much: %v", err)
	}
	e := &domain.Expenditure{Project: p.ID, Organisation: lead, Cost: domain.Cost{Amount: eur(11), Document: domain.Document{Issuer: "Fornitore", Number: "1", Date: "2026-02-01"}}}
	l.Spent = eur(0)
	if err := totals.Record(p, l, e, "2026-06-01", monday); errs.ReasonOf(err) != domain.AmountWrong || l.Spent != eur(0) {
		t.Errorf("an expenditure too much: %v, spent %v", err, l.Spent)
	}
}
