package rules

import (
	"fmt"
	"testing"
)

const smoke = `
id: smoke
version: 1
title: {it: Prova, en: Trial}
funder: Nobody
effective_from: 2021-01-01
sources:
  - {key: x, title: "A regulation"}
parameters:
  - {name: travel_rate, title: {it: viaggi, en: travel}, unit: percent, value: 15, source: x art. 1, verified: true}
categories:
  - {key: staff, title: {it: a, en: b}, takes: [STAFF], allowed: true, source: x art. 2, verified: true}
facts:
  - {name: staff_costs, value: "budget.of(STAFF) + sum(budget.lines.filter(l, l.category == OTHER).map(l, l.amount))"}
  - {name: s2, scope: claim, value: "sum(claim.lines.filter(l, l.category == TRAVEL || l.amount > 10).map(l, l.amount))"}
  - {name: late, scope: claim, value: "claim.lines.exists(l, has(l.payment_date) && l.payment_date > funder.eligible_to)"}
rules:
  - id: period
    title: {it: "nel periodo {p.travel_rate|percent}", en: "in the period"}
    scope: claim_line
    severity: block
    when: has(line.document_date)
    check: line.document_date >= funder.eligible_from && line.document_date <= funder.eligible_to
    amount: line.amount
    message:
      it: "La spesa {line.key} di {line.amount|money} del {line.document_date} è fuori."
      en: "Expenditure {line.key} of {line.amount|money} dated {line.document_date} is out."
    source: x art. 3
    verified: true
  - id: ceiling
    title: {it: "x", en: "y"}
    scope: claim_line
    severity: warn
    values:
      - {name: limit, value: "share(line.budget.amount, 12000)"}
    check: line.budget.reported + line.budget.claimed <= limit
    message: {it: "a {limit|money}", en: "b {limit|money}"}
    source: x art. 3
    verified: true
columns:
  - {key: n, header: {it: n, en: n}, value: line.number}
  - {key: d, header: {it: n, en: n}, when: has(line.payment_date), value: line.payment_date}
`

func big(n int) Input {
	in := Input{
		Project: Project{Name: "projects/x", Start: "2026-01-01", End: "2026-12-31", Currency: "EUR"},
		Budget:  []BudgetLine{{Key: "b", Category: "STAFF", Method: "REAL", Amount: 1 << 40, Organisation: "o"}}, Claim: &Claim{Number: 1},
	}
	for i := range n {
		in.Claim.Lines = append(in.Claim.Lines, ClaimLine{Key: fmt.Sprint(i), BudgetLine: "b", Amount: 123_45, DocumentDate: "2026-05-05"})
	}
	return in
}

func TestSmoke(t *testing.T) {
	s, err := Load([]byte(smoke))
	if err != nil {
		t.Fatal(err)
	}
	in := big(3)
	in.Claim.Lines[1].DocumentDate = "2027-01-01"
	r, err := s.Evaluate(in)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v %+v", r, s.rules[0].title)
	rows, err := s.Rows(in)
	t.Log(rows, err)
}

func BenchmarkSmoke(b *testing.B) {
	s, err := Load([]byte(smoke))
	if err != nil {
		b.Fatal(err)
	}
	in := big(5000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Evaluate(in); err != nil {
			b.Fatal(err)
		}
	}
}
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		Load([]byte(smoke))
	}
}
