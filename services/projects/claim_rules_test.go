package projects_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// most is a rule set by which a line claims at most so many euros, and is warned
// of where its payment is not proved.
func most(version int, from, to string, limit int) string {
	return fmt.Sprintf(`
id: bando-righe
version: %d
title: {it: Bando di prova, en: Trial call}
funder: Fondazione Prova
effective_from: %s
effective_to: %s
sources: [{key: call, title: Bando}]
parameters:
  - {name: line_max, title: {it: riga, en: line}, unit: money, value: %d, source: call art. 3, verified: true}
categories:
  - {key: all, title: {it: tutto, en: all}, takes: [STAFF, OFFICE, TRAVEL, EXTERNAL, OTHER], allowed: true, source: call art. 1, verified: true}
rules:
  - id: line-max
    title: {it: riga, en: line}
    scope: claim_line
    severity: block
    check: line.amount <= p.line_max
    amount: line.amount
    limit: p.line_max
    message: {it: "troppo: {line.amount}", en: "too much: {line.amount}"}
    source: call art. 3
    verified: true
  - id: proof
    title: {it: quietanza, en: proof}
    scope: claim_line
    severity: warn
    check: line.payment_proof
    message: {it: manca la quietanza, en: no proof of payment}
    source: call art. 3
    verified: true
`, version, from, to, limit)
}

// A claim is held against the version that the project has pinned; what was said
// at its submission stays with it, whatever becomes of the rules.
func TestTheRulesOfAClaimStayAsTheyWere(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		sets := projectsv1.NewRuleSetServiceClient(s.Conn)
		publish := func(source string) {
			must[*projectsv1.RuleSetVersion](t)(sets.PublishRuleSet(s.As(operator, ""), &projectsv1.PublishRuleSetRequest{Source: source}))
		}
		publish(most(1, "2026-01-01", "2026-06-30", 100))
		p := s.shared(func(p *projectsv1.Project) {
			p.Funders[0].RuleSet, p.Funders[0].RuleSetVersion = "ruleSets/bando-righe", 1
		})
		me := s.As(partner, member)
		l := s.line(p, member, 100_000)
		small, large := s.invoice(l, "1", 10_000), s.invoice(l, "2", 10_001)
		c := s.claim(p, member, "f1")
		_, err := s.SubmitClaim(me, &projectsv1.SubmitClaimRequest{Name: c.GetName()})
		e := refused(t, err, codes.FailedPrecondition, domain.ClaimBlocked)
		lines := s.claimLines(me, c)
		if lines[1].GetExpenditure() != large.GetName() || e.Metadata["rules"] != "line-max" || len(e.Fields) != 1 || e.Fields[0].Path != lines[1].GetName() {
			t.Errorf("refused by %+v", e)
		}
		check := must[*projectsv1.CheckClaimResponse](t)(s.CheckClaim(me, &projectsv1.CheckClaimRequest{Name: c.GetName()}))
		f := check.GetFindings()[0]
		if !check.GetBlocked() || len(check.GetFindings()) != 3 || f.GetRule() != "line-max" || f.GetRuleSet() != "ruleSets/bando-righe" || f.GetRuleSetVersion() != 1 ||
			f.GetAmount().GetMinorUnits() != 10_001 || f.GetLimit().GetMinorUnits() != 10_000 || f.GetResource() != lines[1].GetName() ||
			f.GetMessage().GetTranslations()["en"] == "" || f.GetSource() == "" || !f.GetVerified() {
			t.Errorf("found %v", check)
		}
		must[*projectsv1.Claim](t)(s.RemoveClaimLines(me, &projectsv1.RemoveClaimLinesRequest{Name: c.GetName(), Lines: []string{lines[1].GetName()}}))
		must[*projectsv1.Claim](t)(s.AddClaimLines(me, &projectsv1.AddClaimLinesRequest{Name: c.GetName(), Lines: []*projectsv1.ClaimLineInput{{Expenditure: large.GetName(), Amount: eur(9_000)}}}))
		c = s.submit(c)
		if c.GetRuleSet() != "ruleSets/bando-righe" || c.GetRuleSetVersion() != 1 || c.GetWarningCount() != 2 || figures(c) != "19000 0 0 0 0 0" {
			t.Errorf("submitted %v", c)
		}
		list := func() *projectsv1.ListClaimFindingsResponse {
			return must[*projectsv1.ListClaimFindingsResponse](t)(s.ListClaimFindings(me, &projectsv1.ListClaimFindingsRequest{Parent: c.GetName()}))
		}
		before := list()

		// The call gets stricter, and the project takes its new rules.
		publish(most(2, "2026-07-01", "", 1))
		cards := proto.CloneOf(p)
		cards.Funders[0].RuleSetVersion = 2
		must[*projectsv1.Project](t)(s.UpdateProject(s.As(manager, leader), &projectsv1.UpdateProjectRequest{Project: cards, UpdateMask: mask("funders")}))
		after := must[*projectsv1.Claim](t)(s.GetClaim(me, &projectsv1.GetClaimRequest{Name: c.GetName()}))
		if !proto.Equal(after, c) || !proto.Equal(list(), before) {
			t.Errorf("the claim is now %v, with %v", after, list())
		}
		if again := must[*projectsv1.CheckClaimResponse](t)(s.CheckClaim(me, &projectsv1.CheckClaimRequest{Name: c.GetName()})); again.GetBlocked() {
			t.Errorf("the new rules hold for it: %v", again)
		}
		// Sent back, it is a draft again, and the new rules hold.
		must[*projectsv1.Claim](t)(s.ReturnClaim(s.As(funder, payer), &projectsv1.ReturnClaimRequest{Name: c.GetName(), Reason: "x"}))
		_, err = s.SubmitClaim(me, &projectsv1.SubmitClaimRequest{Name: c.GetName()})
		refused(t, err, codes.FailedPrecondition, domain.ClaimBlocked)
		_ = small
	})
}

// Flat rates follow their base at every step; units and lump sums are what the
// budget says.
func TestSimplifiedCostsInAClaim(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p, lead := s.shared(), s.As(manager, leader)
		me, controller := s.As(partner, member), s.As(funder, payer)
		plan := func(l *projectsv1.BudgetLine) *projectsv1.BudgetLine {
			l.Organisation = member
			return must[*projectsv1.BudgetLine](t)(s.plan(p, l))
		}
		thing := must[*projectsv1.Deliverable](t)(s.CreateDeliverable(lead, &projectsv1.CreateDeliverableRequest{Parent: p.GetName(),
			Deliverable: &projectsv1.Deliverable{Title: text("Rapporto"), DueDate: "2026-06-30"}}))
		people := plan(&projectsv1.BudgetLine{Category: staff, Amount: eur(100_000)})
		rate := plan(&projectsv1.BudgetLine{Category: office, CostMethod: flatRate, FlatRate: &projectsv1.FlatRate{RateBasisPoints: 1_500, Base: projectsv1.FlatRateBase_FLAT_RATE_BASE_STAFF}})
		units := plan(&projectsv1.BudgetLine{Category: external, CostMethod: unitCost, UnitCost: &projectsv1.UnitCost{UnitsE4: 1_000_000, UnitPrice: eur(333)}})
		lump := plan(&projectsv1.BudgetLine{Category: rest, CostMethod: lumpSum, LumpSum: &projectsv1.LumpSum{Amount: eur(7_000), Deliverable: thing.GetName()}})
		spend := func(l *projectsv1.BudgetLine, change func(e *projectsv1.Expenditure)) (*projectsv1.Expenditure, error) {
			e := &projectsv1.Expenditure{Organisation: member, BudgetLine: l.GetName(), Document: &projectsv1.Document{Date: "2026-02-02"}}
			change(e)
			return s.CreateExpenditure(me, &projectsv1.CreateExpenditureRequest{Parent: p.GetName(), Expenditure: e})
		}
		for _, c := range []struct {
			on     *projectsv1.BudgetLine
			change func(e *projectsv1.Expenditure)
			reason errs.Reason
		}{
			{rate, func(e *projectsv1.Expenditure) { e.Amount = eur(1) }, domain.CostMethodWrong},
			{units, func(e *projectsv1.Expenditure) { e.Amount = eur(1) }, domain.CostMethodWrong},
			{units, func(e *projectsv1.Expenditure) { e.UnitsE4, e.Amount = 15_000, eur(500) }, domain.CostMethodWrong},
			{lump, func(e *projectsv1.Expenditure) { e.Amount = eur(6_999) }, domain.CostMethodWrong},
			{people, func(e *projectsv1.Expenditure) { e.UnitsE4, e.Amount = 1, eur(1) }, domain.CostMethodWrong},
		} {
			_, err := spend(c.on, c.change)
			refused(t, err, codes.InvalidArgument, c.reason)
		}
		one := must[*projectsv1.Expenditure](t)(spend(units, func(e *projectsv1.Expenditure) { e.UnitsE4 = 15_000 }))
		if one.GetAmount().GetMinorUnits() != 499 {
			t.Errorf("1.5 units at 333 are %v", one.GetAmount())
		}
		whole := must[*projectsv1.Expenditure](t)(spend(lump, func(*projectsv1.Expenditure) {}))
		s.invoice(people, "1", 10_001)
		s.invoice(people, "2", 20_000)
		c := s.claim(p, member, "f1")
		if figures(c) != fmt.Sprintf("%d 0 0 0 0 0", 499+7_000+30_001+4_500) || c.GetLineCount() != 5 { // 15 % of 30,001 is 4,500.15
			t.Fatalf("collected %v", c)
		}
		_, err := s.SubmitClaim(me, &projectsv1.SubmitClaimRequest{Name: c.GetName()})
		if e := refused(t, err, codes.FailedPrecondition, domain.ClaimBlocked); e.Metadata["rules"] != "trama.incomplete" {
			t.Errorf("refused by %v", e)
		}
		must[*projectsv1.Deliverable](t)(s.SubmitDeliverable(lead, &projectsv1.SubmitDeliverableRequest{Name: thing.GetName(), Uri: "https://example.org/r"}))
		must[*projectsv1.Deliverable](t)(s.AcceptDeliverable(lead, &projectsv1.AcceptDeliverableRequest{Name: thing.GetName()}))
		c = s.submit(c)
		must[*projectsv1.Claim](t)(s.StartClaimControl(controller, &projectsv1.StartClaimControlRequest{Name: c.GetName()}))
		var flat *projectsv1.ClaimLine
		for _, l := range s.claimLines(controller, c) {
			switch {
			case l.GetExpenditure() == "":
				flat = l
			case l.GetClaimed().GetMinorUnits() == 20_000:
				must[*projectsv1.ClaimLine](t)(s.CorrectClaimLine(controller, &projectsv1.CorrectClaimLineRequest{Name: l.GetName(), Cut: eur(10_000), Reason: "x"}))
			case l.GetClaimed().GetMinorUnits() == 10_001:
				must[*projectsv1.ClaimLine](t)(s.ParkClaimLine(controller, &projectsv1.ParkClaimLineRequest{Name: l.GetName(), Reason: "x"}))
			}
		}
		_, err = s.AcceptClaimLine(controller, &projectsv1.AcceptClaimLineRequest{Name: flat.GetName()})
		refused(t, err, codes.FailedPrecondition, domain.LineComputed)
		flat = must[*projectsv1.ClaimLine](t)(s.GetClaimLine(controller, &projectsv1.GetClaimLineRequest{Name: flat.GetName()}))
		// 10,000 of staff are left, 10,001 are parked: 1,500 and 1,500 of it.
		if flat.GetAccepted().GetMinorUnits() != 1_500 || flat.GetParked().GetMinorUnits() != 1_500 || flat.GetCut().GetMinorUnits() != 1_500 || flat.GetReason() == "" {
			t.Errorf("the flat rate is %v", flat)
		}
		c = must[*projectsv1.Claim](t)(s.CertifyClaim(controller, &projectsv1.CertifyClaimRequest{Name: c.GetName()}))
		if want := 499 + 7_000 + 10_000 + 1_500; c.GetCertified().GetMinorUnits() != int64(want) {
			t.Errorf("certified %v", c)
		}
		_ = whole
	})
}

// What is reported, certified and paid of expenditures and of the project is what
// a plain sum over the claims says, whatever happens to them.
func TestReportedEqualsBruteForce(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		random := rand.New(rand.NewPCG(5, 11))
		p := s.shared()
		var all []*projectsv1.Expenditure
		plan := map[string]*projectsv1.BudgetLine{}
		for i, o := range []string{leader, member} {
			l := must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: o, Category: staff, Amount: eur(100_000)}))
			must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: o, Category: office, CostMethod: flatRate,
				FlatRate: &projectsv1.FlatRate{RateBasisPoints: 733, Base: projectsv1.FlatRateBase_FLAT_RATE_BASE_STAFF}}))
			plan[o] = l
			for j := range 6 {
				all = append(all, s.invoice(l, fmt.Sprint(i, "/", j), 1+random.Int64N(20_000)))
			}
		}
		boss := s.As(operator, "")
		var open []*projectsv1.Claim
		for range 60 {
			switch k := random.IntN(4); {
			case k == 0 || len(open) == 0:
				o := []string{leader, member}[random.IntN(2)]
				c := must[*projectsv1.Claim](t)(s.CreateClaim(s.As(partner, o), &projectsv1.CreateClaimRequest{Parent: p.GetName(), Claim: &projectsv1.Claim{Organisation: o, Funder: []string{"f1", "f2"}[random.IntN(2)]}}))
				open = append(open, c)
				e := all[random.IntN(len(all))]
				_, _ = s.AddClaimLines(s.As(partner, o), &projectsv1.AddClaimLinesRequest{Name: c.GetName(), Lines: []*projectsv1.ClaimLineInput{{Expenditure: e.GetName(), Amount: eur(1 + random.Int64N(e.GetAmount().GetMinorUnits()))}}})
				if random.IntN(2) == 0 {
					_, _ = s.CollectClaimLines(s.As(partner, o), &projectsv1.CollectClaimLinesRequest{Name: c.GetName()})
				}
				_, _ = s.SubmitClaim(s.As(partner, o), &projectsv1.SubmitClaimRequest{Name: c.GetName()})
			default:
				s.stir(random, boss, open[random.IntN(len(open))])
			}
			s.bruteForceClaims(p, all)
		}
		reached := map[projectsv1.ClaimState]bool{}
		for _, c := range must[*projectsv1.ListClaimsResponse](t)(s.ListClaims(boss, &projectsv1.ListClaimsRequest{Parent: p.GetName(), PageSize: 1000})).GetClaims() {
			reached[c.GetState()] = true
			reached[projectsv1.ClaimState_CLAIM_STATE_PAID] = reached[projectsv1.ClaimState_CLAIM_STATE_PAID] || c.GetPaid().GetMinorUnits() > 0
		}
		for _, want := range []projectsv1.ClaimState{projectsv1.ClaimState_CLAIM_STATE_CERTIFIED, projectsv1.ClaimState_CLAIM_STATE_PAID, projectsv1.ClaimState_CLAIM_STATE_WITHDRAWN} {
			if !reached[want] {
				t.Errorf("none is %s: the walk proves little", want)
			}
		}
	})
}

// stir does something to a claim, if its state allows that.
func (s *suite) stir(random *rand.Rand, boss context.Context, c *projectsv1.Claim) {
	lines := s.claimLines(boss, c)
	controller := s.AsSubject("controller", operator)
	switch random.IntN(7) {
	case 0, 1:
		_, _ = s.StartClaimControl(controller, &projectsv1.StartClaimControlRequest{Name: c.GetName()})
		if len(lines) > 0 {
			l := lines[random.IntN(len(lines))]
			if random.IntN(2) == 0 {
				_, _ = s.CorrectClaimLine(controller, &projectsv1.CorrectClaimLineRequest{Name: l.GetName(), Cut: eur(1 + random.Int64N(l.GetClaimed().GetMinorUnits())), Reason: "x"})
			} else {
				_, _ = s.ParkClaimLine(controller, &projectsv1.ParkClaimLineRequest{Name: l.GetName(), Reason: "x"})
			}
		}
	case 2, 3:
		_, _ = s.CertifyClaim(controller, &projectsv1.CertifyClaimRequest{Name: c.GetName()})
		_, _ = s.RecordClaimPayment(controller, &projectsv1.RecordClaimPaymentRequest{Name: c.GetName(),
			Payment: &projectsv1.ClaimPayment{Kind: projectsv1.ClaimPaymentKind_CLAIM_PAYMENT_KIND_INTERIM, Amount: eur(1 + random.Int64N(5_000)), Date: "2026-01-05"}})
	case 4:
		_, _ = s.ReturnClaim(boss, &projectsv1.ReturnClaimRequest{Name: c.GetName(), Reason: "x"})
	case 5:
		_, _ = s.WithdrawClaim(boss, &projectsv1.WithdrawClaimRequest{Name: c.GetName(), Reason: "x"})
	case 6:
		_, _ = s.CollectClaimLines(boss, &projectsv1.CollectClaimLinesRequest{Name: c.GetName()})
		_, _ = s.SubmitClaim(boss, &projectsv1.SubmitClaimRequest{Name: c.GetName()})
	}
}

// bruteForceClaims holds what is kept against the claims as they are read.
func (s *suite) bruteForceClaims(p *projectsv1.Project, all []*projectsv1.Expenditure) {
	s.t.Helper()
	boss := s.As(operator, "")
	type pair struct{ what, funder string }
	reported, certified, paid := map[pair]int64{}, map[pair]int64{}, map[string]int64{}
	held := map[pair]int64{}
	var paidAll int64
	for _, c := range must[*projectsv1.ListClaimsResponse](s.t)(s.ListClaims(boss, &projectsv1.ListClaimsRequest{Parent: p.GetName(), PageSize: 1000})).GetClaims() {
		state := c.GetState()
		final := state == projectsv1.ClaimState_CLAIM_STATE_CERTIFIED || state == projectsv1.ClaimState_CLAIM_STATE_PAID
		standing := final || state == projectsv1.ClaimState_CLAIM_STATE_SUBMITTED || state == projectsv1.ClaimState_CLAIM_STATE_IN_CONTROL
		var claimed, cut, parked, funding, lines int64
		for _, l := range s.claimLines(boss, c) {
			what := l.GetExpenditure()
			if what == "" {
				what = l.GetBudgetLine()
			}
			key := pair{what, c.GetFunder()}
			accepted := l.GetClaimed().GetMinorUnits() - l.GetCut().GetMinorUnits() - l.GetParked().GetMinorUnits()
			claimed, cut, parked = claimed+l.GetClaimed().GetMinorUnits(), cut+l.GetCut().GetMinorUnits(), parked+l.GetParked().GetMinorUnits()
			funding, lines = funding+l.GetFunding().GetMinorUnits(), lines+l.GetPaid().GetMinorUnits()
			paid[what] += l.GetPaid().GetMinorUnits()
			switch {
			case final:
				reported[key] += accepted
				certified[key] += accepted
				held[key] += l.GetClaimed().GetMinorUnits() - l.GetParked().GetMinorUnits()
			case standing:
				reported[key] += l.GetClaimed().GetMinorUnits()
				held[key] += l.GetClaimed().GetMinorUnits()
			}
		}
		if c.GetClaimed().GetMinorUnits() != claimed || c.GetCut().GetMinorUnits() != cut || c.GetParked().GetMinorUnits() != parked ||
			c.GetFunding().GetMinorUnits() != funding || c.GetPaid().GetMinorUnits() != lines {
			s.t.Fatalf("%v, its lines make %d %d %d %d %d", c, claimed, cut, parked, funding, lines)
		}
		paidAll += lines
	}
	largest := func(of map[pair]int64) (map[string]int64, int64) {
		out, sum := map[string]int64{}, int64(0)
		for k, v := range of {
			out[k.what] = max(out[k.what], v)
		}
		for _, v := range out {
			sum += v
		}
		return out, sum
	}
	wantReported, reportedAll := largest(reported)
	wantCertified, certifiedAll := largest(certified)
	for _, x := range all {
		e := must[*projectsv1.Expenditure](s.t)(s.GetExpenditure(boss, &projectsv1.GetExpenditureRequest{Name: x.GetName()}))
		n := e.GetName()
		if e.GetReported().GetMinorUnits() != wantReported[n] || e.GetCertified().GetMinorUnits() != wantCertified[n] || e.GetPaid().GetMinorUnits() != paid[n] {
			s.t.Fatalf("%v, the claims say %d %d %d", e, wantReported[n], wantCertified[n], paid[n])
		}
		for _, f := range []string{"f1", "f2"} {
			if held[pair{n, f}] > e.GetAmount().GetMinorUnits() {
				s.t.Fatalf("%s was claimed by %d of %d", n, held[pair{n, f}], e.GetAmount().GetMinorUnits())
			}
		}
		if (e.GetReportedDate() != "") != (wantReported[n] > 0) || (e.GetCertifiedDate() != "") != (wantCertified[n] > 0) {
			s.t.Fatalf("dates of %v", e)
		}
	}
	var got [3]int64
	if err := s.DB.Read(s.t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT reported, certified, paid FROM projects WHERE id = $1`, p.GetName()[len("projects/"):]).Scan(&got[0], &got[1], &got[2])
	}); err != nil || got != [3]int64{reportedAll, certifiedAll, paidAll} {
		s.t.Fatalf("the project has %v, the claims say %d %d %d: %v", got, reportedAll, certifiedAll, paidAll, err)
	}
}
