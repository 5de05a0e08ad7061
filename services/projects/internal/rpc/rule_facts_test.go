package rpc

import (
	"reflect"
	"strings"
	"testing"
	"time"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/platform/money"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/claims"
	"github.com/trama-suite/trama/services/projects/internal/domain/funding"
	"github.com/trama-suite/trama/services/projects/internal/store"
	"github.com/trama-suite/trama/services/projects/rules"
)

// derived are fields that the rules work out themselves, and what of.
var derived = map[string]string{
	"Funder.paid": "Funder.advance_paid", "Organisation.methods": "Organisation.choices", "Project.partners": "Project.partners",
	"BudgetLine.index": "", "ClaimLine.index": "", "BudgetLine.allowed": "BudgetLine.category", "BudgetLine.claimed": "ClaimLine.amount",
	"Budget.amount": "BudgetLine.amount", "Budget.reported": "BudgetLine.reported", "Budget.claimed": "ClaimLine.amount", "Budget.spent": "BudgetLine.spent",
	"Budget.lines": "BudgetLine.key", "Budget.of": "BudgetLine.amount", "Budget.reported_of": "BudgetLine.reported", "Budget.claimed_of": "ClaimLine.amount",
	"Claim.amount": "ClaimLine.amount", "Claim.of": "ClaimLine.amount",
	"ClaimLine.budget": "ClaimLine.budget_line", "ClaimLine.category": "BudgetLine.category", "ClaimLine.funder_category": "BudgetLine.funder_category",
	"ClaimLine.allowed": "BudgetLine.category", "ClaimLine.method": "BudgetLine.method",
}

// TestEveryFactOfTheShippedRulesIsFilled: what an expression of a shipped set asks
// for is filled from a project that has everything.
func TestEveryFactOfTheShippedRulesIsFilled(t *testing.T) {
	const us = "organisations/1"
	eur := func(n int64) money.Amount { return money.Amount{Minor: n, Currency: "EUR"} }
	net, vat := eur(100), eur(22)
	p := &domain.Project{ID: "p", Lead: us, Currency: "EUR"}
	p.Start, p.End = "2026-01-01", "2026-12-31"
	p.Partners = []domain.Partner{{Organisation: us, Lead: true, VAT: domain.VATRecovered}}
	f := domain.Funder{Key: "f1", DisplayName: "F", Grant: eur(1_000), Share: 5_000, EligibleFrom: "2026-01-01", EligibleTo: "2026-12-31", IndirectMethodology: true}
	p.Funders = []domain.Funder{f}
	budget := []*domain.Line{
		{ID: "a", Project: "p", Organisation: us, Spent: eur(1), LinePlan: domain.LinePlan{Category: "STAFF", WorkPackage: "w", Method: domain.UnitCost, Amount: eur(10), Description: "d",
			Unit: &domain.UnitPlan{Units: 1, Price: eur(1)}, Categories: map[string]string{"f1": "subcontracting"}}},
		{ID: "b", Project: "p", Organisation: us, LinePlan: domain.LinePlan{Category: "OFFICE", Method: domain.FlatRate, Flat: &domain.FlatPlan{Rate: 700, Base: funding.OfStaff}}},
	}
	e := &domain.Expenditure{ID: "e", Project: "p", Organisation: us}
	e.Files, e.Description = []string{"x"}, "d"
	e.Document = domain.Document{Issuer: "Fornitore", Number: "1", Date: "2026-02-02", Net: &net, VAT: &vat, Gross: eur(122), VATRecoverable: true}
	e.Payment = &domain.Payment{Date: "2026-03-03", Files: []string{"y"}}
	c := &claims.Claim{ID: "c", Project: "p", Organisation: us, Funder: "f1", Number: 1, Final: true, Start: "2026-01-01", End: "2026-06-30"}
	paid := []*store.ClaimView{{Claim: &claims.Claim{Payments: []claims.Payment{{Kind: "INTERIM", Amount: 2, Date: "2026-05-05", At: time.Now()}, {Kind: claims.Advance, Amount: 1, Date: "2026-04-04"}}}}}
	for _, shipped := range rules.AllShipped() {
		set := shipped.Set
		in := projectFacts(p, f, us, set, budget, nil, map[string]int64{"a": 5}, paid, bodies{us: cataloguev1.LegalForm_LEGAL_FORM_SOCIAL_COOPERATIVE_A})
		in.Claim = claimFacts(c, []*claims.Subject{{Line: &claims.Line{ID: "l", BudgetLine: "a", Claimed: 100}, Expenditure: e}})
		in.Organisation.Choices = []rules.Choice{{Project: "q", Category: "TRAVEL", Method: "REAL"}} // read by choices
		filled := map[string]bool{}
		note(filled, reflect.ValueOf(in))
		for category := range map[string]bool{"subcontracting": true} {
			filled["BudgetLine.funder_category"] = filled["BudgetLine.funder_category"] || !set.HasCategory(category)
		}
		for _, field := range set.Reads() {
			source, works := derived[field]
			if !works {
				source = field
			}
			if source != "" && !filled[source] {
				t.Errorf("%s asks for %s, which nothing fills", set.ID(), field)
			}
		}
	}
}

// note marks the fields of records that hold something.
func note(filled map[string]bool, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		note(filled, v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			note(filled, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if x := v.Field(i); !x.IsZero() {
				tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
				filled[v.Type().Name()+"."+tag] = true
				note(filled, x)
			}
		}
	}
}

// What a legal form does not say is not known.
func TestLegalForms(t *testing.T) {
	known := bodies{"company": cataloguev1.LegalForm_LEGAL_FORM_COMPANY, "coop": cataloguev1.LegalForm_LEGAL_FORM_SOCIAL_COOPERATIVE_B,
		"other": cataloguev1.LegalForm_LEGAL_FORM_OTHER, "consortium": cataloguev1.LegalForm_LEGAL_FORM_CONSORTIUM}
	for name, want := range map[string]string{"company": "COMPANY", "coop": "SOCIAL_COOPERATIVE_B", "other": "", "consortium": "CONSORTIUM", "absent": ""} {
		if got := known.kind(name); got != want {
			t.Errorf("%s is a %s", name, got)
		}
	}
	for name, want := range map[string]*bool{"company": new(true), "coop": new(false), "other": nil, "consortium": nil, "absent": nil} {
		if got := known.profit(name); !reflect.DeepEqual(got, want) {
			t.Errorf("%s works for profit: %v", name, got)
		}
	}
}
