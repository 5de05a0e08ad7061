package projects_test

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// controlled takes a claim in control by the funder that it was submitted to, and
// certifies it after what is done there.
func (s *suite) controlled(c *projectsv1.Claim, decide ...func(as context.Context)) *projectsv1.Claim {
	s.t.Helper()
	as := s.As(funder, c.GetFunderOrganisation())
	must[*projectsv1.Claim](s.t)(s.StartClaimControl(as, &projectsv1.StartClaimControlRequest{Name: c.GetName()}))
	for _, d := range decide {
		d(as)
	}
	return must[*projectsv1.Claim](s.t)(s.CertifyClaim(as, &projectsv1.CertifyClaimRequest{Name: c.GetName()}))
}

// Two funders who are shown the same cost owe no more than all of it, even where
// the shares of the budget line change between their claims.
func TestFundersTogetherOweNoMoreThanTheCost(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.shared()
		l := s.line(p, member, 100_000)
		s.invoice(l, "1", 10_000)
		share := func(key string, points int32) {
			must[*projectsv1.BudgetLine](t)(s.UpdateBudgetLine(s.As(manager, leader), &projectsv1.UpdateBudgetLineRequest{UpdateMask: mask("funder_shares"),
				BudgetLine: &projectsv1.BudgetLine{Name: l.GetName(), FunderShares: []*projectsv1.FunderShare{
					{Funder: key, ShareBasisPoints: points}, {Funder: "own", ShareBasisPoints: 10_000 - points}}}}))
		}
		share("f1", 9_999)
		first := s.submit(s.claim(p, member, "f1"))
		share("f2", 10_000)
		c := s.claim(p, member, "f2")
		try := func(points int32) error {
			share("f2", points)
			_, err := s.SubmitClaim(s.As(partner, member), &projectsv1.SubmitClaimRequest{Name: c.GetName()})
			return err
		}
		overFunded := func(points int32) {
			if e := refused(t, try(points), codes.FailedPrecondition, domain.ClaimBlocked); e.Metadata["rules"] != "trama.over-funded" {
				t.Errorf("refused by %v", e)
			}
		}
		overFunded(10_000) // what is not certified yet counts by its share
		first = s.controlled(first)
		if first.GetFunding().GetMinorUnits() != 9_999 {
			t.Errorf("the first owes %v", first.GetFunding())
		}
		overFunded(2)
		if err := try(1); err != nil {
			t.Errorf("the rest of the cost: %v", err)
		}
	})
}

func TestALumpSumIsRecordedOnce(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.shared()
		thing := must[*projectsv1.Deliverable](t)(s.CreateDeliverable(s.As(manager, leader), &projectsv1.CreateDeliverableRequest{Parent: p.GetName(),
			Deliverable: &projectsv1.Deliverable{Title: text("Rapporto"), DueDate: "2026-06-30"}}))
		lump := must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: member, Category: rest, CostMethod: lumpSum,
			LumpSum: &projectsv1.LumpSum{Amount: eur(7_000), Deliverable: thing.GetName()}}))
		record := func(day string) (*projectsv1.Expenditure, error) {
			return s.CreateExpenditure(s.As(partner, member), &projectsv1.CreateExpenditureRequest{Parent: p.GetName(), Expenditure: &projectsv1.Expenditure{
				Organisation: member, BudgetLine: lump.GetName(), Document: &projectsv1.Document{Date: day}}})
		}
		e := must[*projectsv1.Expenditure](t)(record("2026-02-02"))
		_, err := record("2026-02-03")
		refused(t, err, codes.InvalidArgument, domain.CostMethodWrong)
		// It can be put right, and recorded again once it is voided.
		must[*projectsv1.Expenditure](t)(s.UpdateExpenditure(s.As(partner, member), &projectsv1.UpdateExpenditureRequest{
			Expenditure: &projectsv1.Expenditure{Name: e.GetName(), Description: "Rapporto"}, UpdateMask: mask("description")}))
		must[*projectsv1.Expenditure](t)(s.VoidExpenditure(s.As(partner, member), &projectsv1.VoidExpenditureRequest{Name: e.GetName(), Reason: "errore"}))
		must[*projectsv1.Expenditure](t)(record("2026-02-03"))
	})
}

// What a control has parked can be put right for the next claim; what it has
// accepted or cut cannot be changed.
func TestWhatIsParkedCanBePutRight(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p, me := s.shared(), s.As(partner, member)
		l := s.line(p, member, 100_000)
		kept, parked := s.invoice(l, "1", 10_000), s.invoice(l, "2", 20_000)
		change := func(e *projectsv1.Expenditure) error {
			_, err := s.UpdateExpenditure(me, &projectsv1.UpdateExpenditureRequest{UpdateMask: mask("payment"),
				Expenditure: &projectsv1.Expenditure{Name: e.GetName(), Payment: &projectsv1.Payment{Date: "2026-01-05", Reference: "CRO 1"}}})
			return err
		}
		c := s.submit(s.claim(p, member, "f1"))
		c = s.controlled(c, func(as context.Context) {
			must[*projectsv1.ClaimLine](t)(s.ParkClaimLine(as, &projectsv1.ParkClaimLineRequest{Name: s.claimLines(as, c)[1].GetName(), Reason: "manca la quietanza"}))
			refused(t, change(parked), codes.FailedPrecondition, domain.ExpenditureClaimed)
		})
		if figures(c) != "30000 0 20000 10000 5000 0" {
			t.Errorf("certified %s", figures(c))
		}
		refused(t, change(kept), codes.FailedPrecondition, domain.ExpenditureClaimed)
		if err := change(parked); err != nil {
			t.Errorf("what is parked: %v", err)
		}
		next := s.claim(p, member, "f1")
		if err := change(parked); err != nil || next.GetClaimed().GetMinorUnits() != 20_000 {
			t.Errorf("what a draft takes up again: %v, %v", err, next)
		}
		s.submit(next)
		refused(t, change(parked), codes.FailedPrecondition, domain.ExpenditureClaimed)
	})
}

// A certified claim for which nothing is owed keeps no project from closing.
func TestAClaimThatIsOwedNothingIsSettled(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.shared(func(p *projectsv1.Project) { p.Funders[0].Grant = eur(5_000) })
		l := s.line(p, member, 100_000)
		open := func() (n int) {
			if err := s.DB.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				stored, err := store.Project(ctx, tx, strings.TrimPrefix(p.GetName(), "projects/"))
				if err != nil {
					return err
				}
				facts, err := store.Facts(ctx, tx, stored, "2026-06-30")
				n = facts.OpenClaims
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return n
		}
		s.invoice(l, "1", 10_000)
		c := s.controlled(s.submit(s.claim(p, member, "f1")))
		if got := open(); got != 1 {
			t.Errorf("open with %v owed: %v", c.GetFunding(), got)
		}
		must[*projectsv1.Claim](t)(s.RecordClaimPayment(s.As(funder, payer), &projectsv1.RecordClaimPaymentRequest{Name: c.GetName(),
			Payment: &projectsv1.ClaimPayment{Kind: projectsv1.ClaimPaymentKind_CLAIM_PAYMENT_KIND_BALANCE, Amount: eur(5_000), Date: "2026-01-05"}}))
		s.invoice(l, "2", 10_000)
		c = s.claim(p, member, "f1")
		if got := open(); got != 1 {
			t.Errorf("open with a draft: %v", got)
		}
		c = s.controlled(s.submit(c))
		if got := open(); got != 0 || c.GetFunding().GetMinorUnits() != 0 || c.GetOverGrant().GetMinorUnits() != 5_000 {
			t.Errorf("open beyond the grant: %v, %v", got, c)
		}
	})
}

// What the rules say of another partner's budget lines is not told with a claim.
func TestAClaimTellsNothingOfOtherPartnersLines(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.shared(func(p *projectsv1.Project) {
			p.Funders[0].RuleSet, p.Funders[0].RuleSetVersion = "ruleSets/erdf-interreg-2021-27", 1
		})
		tooMuch := func(organisation string) string {
			l := must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: organisation, Category: office, CostMethod: flatRate,
				FlatRate: &projectsv1.FlatRate{RateBasisPoints: 9_000, Base: projectsv1.FlatRateBase_FLAT_RATE_BASE_STAFF}}))
			return l.GetName()
		}
		l := s.line(p, member, 100_000)
		mine, theirs := tooMuch(member), tooMuch(other)
		s.invoice(l, "1", 10_000)
		c := s.claim(p, member, "f1")
		found := map[string]bool{}
		for _, f := range must[*projectsv1.CheckClaimResponse](t)(s.CheckClaim(s.As(partner, member), &projectsv1.CheckClaimRequest{Name: c.GetName()})).GetFindings() {
			found[f.GetResource()] = true
			if strings.Contains(f.String(), theirs) {
				t.Errorf("told %v", f)
			}
		}
		if !found[mine] {
			t.Errorf("found only %v", found)
		}
	})
}

// A cost of which the funder has no share is told of, and keeps the rules from
// nothing.
func TestACostWithoutAShareIsOnlyWarnedOf(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.shared(func(p *projectsv1.Project) {
			p.Funders[0].RuleSet, p.Funders[0].RuleSetVersion = "ruleSets/own-funds", 1
		})
		l := must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: member, Category: external, Amount: eur(10_000),
			FunderShares: []*projectsv1.FunderShare{{Funder: "f2", ShareBasisPoints: 10_000}}}))
		e := s.invoice(l, "1", 10_000)
		must[*projectsv1.Expenditure](t)(s.UpdateExpenditure(s.As(partner, member), &projectsv1.UpdateExpenditureRequest{UpdateMask: mask("payment"),
			Expenditure: &projectsv1.Expenditure{Name: e.GetName(), Payment: &projectsv1.Payment{Date: "2026-01-05"}}}))
		c := s.submit(s.claim(p, member, "f1"))
		findings := must[*projectsv1.ListClaimFindingsResponse](t)(s.ListClaimFindings(s.As(partner, member), &projectsv1.ListClaimFindingsRequest{Parent: c.GetName()})).GetFindings()
		if len(findings) == 0 || findings[0].GetRule() != "trama.no-share" {
			t.Errorf("found %v", findings)
		}
		if c = s.controlled(c); c.GetFunding().GetMinorUnits() != 0 {
			t.Errorf("owed %v", c.GetFunding())
		}
	})
}

// The budget line of a flat rate stays while a claim that was submitted holds it.
func TestAClaimedFlatRateStaysInTheBudget(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.shared()
		l := s.line(p, member, 100_000)
		rate := must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: member, Category: office, CostMethod: flatRate,
			FlatRate: &projectsv1.FlatRate{RateBasisPoints: 1_500, Base: projectsv1.FlatRateBase_FLAT_RATE_BASE_STAFF}}))
		s.invoice(l, "1", 10_000)
		c := s.submit(s.claim(p, member, "f1"))
		remove := func() error {
			_, err := s.DeleteBudgetLine(s.As(manager, leader), &projectsv1.DeleteBudgetLineRequest{Name: rate.GetName()})
			return err
		}
		refused(t, remove(), codes.FailedPrecondition, domain.LineInUse)
		c = must[*projectsv1.Claim](t)(s.ReturnClaim(s.As(funder, payer), &projectsv1.ReturnClaimRequest{Name: c.GetName(), Reason: "x"}))
		if err := remove(); err != nil {
			t.Fatal(err)
		}
		// Submitted again, the claim has lost what it was no part of.
		if c = s.submit(c); figures(c) != "10000 0 0 0 0 0" || c.GetLineCount() != 1 {
			t.Errorf("submitted %v", c)
		}
	})
}

// Leaving out the issuer's VAT number hides no document: whoever records or
// claims it is warned.
func TestADocumentByNameAndByNumber(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.shared()
		l, foreign := s.line(p, member, 100_000), s.line(p, other, 100_000)
		document := func(issuer, id string) *projectsv1.Document {
			return &projectsv1.Document{Issuer: issuer, IssuerId: id, Number: "FT 1", Date: "2026-02-02"}
		}
		warned := func(e *projectsv1.Expenditure, want int) {
			t.Helper()
			w := e.GetWarnings()
			if len(w) != want || want > 0 && (w[0].GetKind() != projectsv1.DocumentWarningKind_DOCUMENT_WARNING_KIND_OTHER_ISSUER || !w[0].GetElsewhere()) {
				t.Errorf("warned of %v", w)
			}
		}
		warned(s.invoiced(l, document("Fornitore", "01234567897"), 10_000), 0)
		warned(s.invoiced(foreign, document("Terzo", ""), 10_001), 0) // another total is another paper
		warned(s.invoiced(foreign, document("Un altro", "00743110157"), 10_000), 0)
		warned(s.invoiced(foreign, document("Fornitore", ""), 10_000), 1)
		c := s.submit(s.claim(p, member, "f1"))
		findings := must[*projectsv1.ListClaimFindingsResponse](t)(s.ListClaimFindings(s.As(partner, member), &projectsv1.ListClaimFindingsRequest{Parent: c.GetName()})).GetFindings()
		if len(findings) != 1 || findings[0].GetRule() != "trama.other-issuer" || !findings[0].GetElsewhere() || len(findings[0].GetPlaces()) != 0 {
			t.Errorf("found %v", findings)
		}
	})
}
