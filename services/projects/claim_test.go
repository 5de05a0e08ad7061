package projects_test

import (
	"context"
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/testkit"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

var (
	payer      = organisation(11) // funds the project, as f1
	otherPayer = organisation(12) // funds it too, as f2
)

// shared is a project with two funders, both in the catalogue.
func (s *suite) shared(change ...func(p *projectsv1.Project)) *projectsv1.Project {
	s.t.Helper()
	return s.project(append([]func(p *projectsv1.Project){func(p *projectsv1.Project) {
		p.Funders = []*projectsv1.Funder{
			{Key: "f1", DisplayName: "Fondazione Uno", Organisation: payer, Grant: eur(10_000_000), ShareBasisPoints: 5_000},
			{Key: "f2", DisplayName: "Fondazione Due", Organisation: otherPayer, Grant: eur(5_000_000), ShareBasisPoints: 3_000},
		}
	}}, change...)...)
}

// invoice records an expenditure with a document of its own.
func (s *suite) invoice(l *projectsv1.BudgetLine, number string, amount int64) *projectsv1.Expenditure {
	s.t.Helper()
	e := expenditure(l, amount)
	e.Document = &projectsv1.Document{Issuer: "Fornitore", IssuerId: "01234567897", Number: number, Date: "2026-02-02"}
	return must[*projectsv1.Expenditure](s.t)(s.CreateExpenditure(s.As(partner, l.GetOrganisation()), &projectsv1.CreateExpenditureRequest{Parent: projectOf(l.GetName()), Expenditure: e}))
}

// claim opens a claim of a partner to a funder, with all that it can claim.
func (s *suite) claim(p *projectsv1.Project, organisation, key string) *projectsv1.Claim {
	s.t.Helper()
	as := s.As(partner, organisation)
	c := must[*projectsv1.Claim](s.t)(s.CreateClaim(as, &projectsv1.CreateClaimRequest{Parent: p.GetName(), Claim: &projectsv1.Claim{Organisation: organisation, Funder: key}}))
	return must[*projectsv1.Claim](s.t)(s.CollectClaimLines(as, &projectsv1.CollectClaimLinesRequest{Name: c.GetName()}))
}

func (s *suite) submit(c *projectsv1.Claim) *projectsv1.Claim {
	s.t.Helper()
	return must[*projectsv1.Claim](s.t)(s.SubmitClaim(s.As(partner, c.GetOrganisation()), &projectsv1.SubmitClaimRequest{Name: c.GetName()}))
}

func (s *suite) claimLines(as context.Context, c *projectsv1.Claim) []*projectsv1.ClaimLine {
	s.t.Helper()
	return must[*projectsv1.ListClaimLinesResponse](s.t)(s.ListClaimLines(as, &projectsv1.ListClaimLinesRequest{Parent: c.GetName(), PageSize: 1000})).GetLines()
}

// figures are a claim's amounts: claimed, cut, parked, certified, funding, paid.
func figures(c *projectsv1.Claim) string {
	return fmt.Sprint(c.GetClaimed().GetMinorUnits(), c.GetCut().GetMinorUnits(), c.GetParked().GetMinorUnits(), c.GetCertified().GetMinorUnits(),
		c.GetFunding().GetMinorUnits(), c.GetPaid().GetMinorUnits())
}

func TestAClaimGoesAllTheWay(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.shared()
		l := s.line(p, member, 100_000)
		for i, amount := range []int64{10_001, 20_000, 30_000} {
			s.invoice(l, fmt.Sprint("FT ", i), amount)
		}
		c := s.submit(s.claim(p, member, "f1"))
		if got := figures(c); got != "60001 0 0 0 0 0" || c.GetNumber() != 1 || c.GetLineCount() != 3 || c.GetFunderOrganisation() != payer {
			t.Fatalf("submitted %v", c)
		}
		controller := s.As(funder, payer)
		lines := s.claimLines(controller, c)
		_, err := s.CorrectClaimLine(controller, &projectsv1.CorrectClaimLineRequest{Name: lines[1].GetName(), Cut: eur(1), Reason: "x"})
		refused(t, err, codes.FailedPrecondition, domain.ClaimState)
		must[*projectsv1.Claim](t)(s.StartClaimControl(controller, &projectsv1.StartClaimControlRequest{Name: c.GetName()}))
		for _, cut := range []int64{0, -1, 20_001} {
			_, err := s.CorrectClaimLine(controller, &projectsv1.CorrectClaimLineRequest{Name: lines[1].GetName(), Cut: eur(cut), Reason: "IVA"})
			refused(t, err, codes.InvalidArgument, domain.AmountWrong)
		}
		must[*projectsv1.ClaimLine](t)(s.CorrectClaimLine(controller, &projectsv1.CorrectClaimLineRequest{Name: lines[1].GetName(), Cut: eur(5_000), Reason: "IVA non ammissibile"}))
		must[*projectsv1.ClaimLine](t)(s.ParkClaimLine(controller, &projectsv1.ParkClaimLineRequest{Name: lines[2].GetName(), Reason: "manca la quietanza"}))
		c = must[*projectsv1.Claim](t)(s.CertifyClaim(controller, &projectsv1.CertifyClaimRequest{Name: c.GetName()}))
		// Half of 10,001 rounded down, and of 15,000.
		if got := figures(c); got != "60001 5000 30000 25001 12500 0" || c.GetAccepted().GetMinorUnits() != 25_001 {
			t.Errorf("certified %s", got)
		}
		pay := func(amount int64, kind projectsv1.ClaimPaymentKind) (*projectsv1.Claim, error) {
			return s.RecordClaimPayment(controller, &projectsv1.RecordClaimPaymentRequest{Name: c.GetName(),
				Payment: &projectsv1.ClaimPayment{Kind: kind, Amount: eur(amount), Withheld: eur(amount / 25), Date: "2026-01-05"}})
		}
		c = must[*projectsv1.Claim](t)(pay(2_501, projectsv1.ClaimPaymentKind_CLAIM_PAYMENT_KIND_INTERIM))
		_, err = pay(10_000, projectsv1.ClaimPaymentKind_CLAIM_PAYMENT_KIND_BALANCE)
		refused(t, err, codes.InvalidArgument, domain.PaymentTooLarge)
		c = must[*projectsv1.Claim](t)(pay(9_999, projectsv1.ClaimPaymentKind_CLAIM_PAYMENT_KIND_BALANCE))
		if got := figures(c); got != "60001 5000 30000 25001 12500 12500" || c.GetState() != projectsv1.ClaimState_CLAIM_STATE_PAID || len(c.GetPayments()) != 2 {
			t.Errorf("paid %s, %v", got, c.GetState())
		}
		var reported, certified, paid []int64
		for _, e := range must[*projectsv1.ListExpendituresResponse](t)(s.ListExpenditures(s.As(partner, member), &projectsv1.ListExpendituresRequest{Parent: p.GetName()})).GetExpenditures() {
			reported, certified, paid = append(reported, e.GetReported().GetMinorUnits()), append(certified, e.GetCertified().GetMinorUnits()), append(paid, e.GetPaid().GetMinorUnits())
		}
		if fmt.Sprint(reported, certified, paid) != "[10001 15000 0] [10001 15000 0] [5000 7500 0]" {
			t.Errorf("reported %v, certified %v, paid %v", reported, certified, paid)
		}

		// What was parked is taken up by the next claim, and only that.
		next := s.claim(p, member, "f1")
		taken := s.claimLines(s.As(partner, member), next)
		if next.GetNumber() != 2 || len(taken) != 1 || taken[0].GetClaimed().GetMinorUnits() != 30_000 || taken[0].GetParkedIn() != lines[2].GetName() {
			t.Errorf("the next claim takes up %v", taken)
		}
		old := must[*projectsv1.ClaimLine](t)(s.GetClaimLine(controller, &projectsv1.GetClaimLineRequest{Name: lines[2].GetName()}))
		if old.GetState() != projectsv1.ClaimLineState_CLAIM_LINE_STATE_REINCLUDED || old.GetReincludedIn() != taken[0].GetName() || old.GetParked().GetMinorUnits() != 30_000 {
			t.Errorf("the parked line is %v", old)
		}
		must[*projectsv1.Claim](t)(s.WithdrawClaim(s.As(partner, member), &projectsv1.WithdrawClaimRequest{Name: next.GetName(), Reason: "errore"}))
		old = must[*projectsv1.ClaimLine](t)(s.GetClaimLine(controller, &projectsv1.GetClaimLineRequest{Name: lines[2].GetName()}))
		if old.GetState() != projectsv1.ClaimLineState_CLAIM_LINE_STATE_PARKED || old.GetReincludedIn() != "" {
			t.Errorf("the parked line is %v", old)
		}

		var steps []string
		for _, e := range must[*projectsv1.ListClaimEventsResponse](t)(s.ListClaimEvents(controller, &projectsv1.ListClaimEventsRequest{Parent: c.GetName()})).GetEvents() {
			steps = append(steps, e.GetWhat())
			if e.GetActor() == "" || e.GetTime() == nil {
				t.Errorf("nobody did %v", e)
			}
		}
		if fmt.Sprint(steps) != "[CREATED LINES_COLLECTED SUBMITTED CONTROL_STARTED LINE_CORRECTED LINE_PARKED CERTIFIED PAID PAID]" {
			t.Errorf("history %v", steps)
		}
		for _, e := range s.Events() {
			if m, ok := e.Data.(*projectsv1.ClaimPaid); ok && (m.GetClaim().GetSubmittedBy() != "" || m.GetClaim().GetPayments()[0].GetRecordedBy() != "") {
				t.Errorf("told who: %v", m)
			}
		}
		if n := len(testkit.EventsOf[*projectsv1.ClaimPaid](s.Env)); n != 2 {
			t.Errorf("%d payments told of", n)
		}
	})
}

func TestAClaimInTheWrongState(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.shared()
		l := s.line(p, member, 100_000)
		e := s.invoice(l, "1", 10_000)
		me, controller := s.As(partner, member), s.As(operator, "")
		empty := must[*projectsv1.Claim](t)(s.CreateClaim(me, &projectsv1.CreateClaimRequest{Parent: p.GetName(), Claim: &projectsv1.Claim{Organisation: member, Funder: "f2"}}))
		_, err := s.SubmitClaim(me, &projectsv1.SubmitClaimRequest{Name: empty.GetName()})
		refused(t, err, codes.FailedPrecondition, domain.ClaimBlocked)
		for _, bad := range []*projectsv1.Claim{{Organisation: member, Funder: "f9"}} {
			_, err := s.CreateClaim(me, &projectsv1.CreateClaimRequest{Parent: p.GetName(), Claim: bad})
			refused(t, err, codes.InvalidArgument, domain.FunderKeyWrong)
		}
		c := s.claim(p, member, "f1")
		_, err = s.AddClaimLines(me, &projectsv1.AddClaimLinesRequest{Name: c.GetName(), Lines: []*projectsv1.ClaimLineInput{{Expenditure: e.GetName()}}})
		refused(t, err, codes.InvalidArgument, domain.ExpenditureUnavailable)
		c = s.submit(c)
		_, err = s.UpdateExpenditure(me, &projectsv1.UpdateExpenditureRequest{Expenditure: &projectsv1.Expenditure{Name: e.GetName(), Description: "x"}})
		refused(t, err, codes.FailedPrecondition, domain.ExpenditureClaimed)
		_, err = s.VoidExpenditure(me, &projectsv1.VoidExpenditureRequest{Name: e.GetName(), Reason: "x"})
		refused(t, err, codes.FailedPrecondition, domain.ExpenditureClaimed)
		_, err = s.CertifyClaim(controller, &projectsv1.CertifyClaimRequest{Name: c.GetName()})
		refused(t, err, codes.FailedPrecondition, domain.ClaimState)
		_, err = s.SubmitClaim(me, &projectsv1.SubmitClaimRequest{Name: c.GetName(), Etag: "W/\"1\""})
		refused(t, err, codes.Aborted, errs.StaleEtag)

		// The lead sends it back; the partner puts it right and hands it in again.
		c = must[*projectsv1.Claim](t)(s.ReturnClaim(s.As(manager, leader), &projectsv1.ReturnClaimRequest{Name: c.GetName(), Reason: "manca un allegato"}))
		must[*projectsv1.Expenditure](t)(s.UpdateExpenditure(me, &projectsv1.UpdateExpenditureRequest{Expenditure: &projectsv1.Expenditure{Name: e.GetName(), Amount: eur(8_000)}, UpdateMask: mask("amount")}))
		_, err = s.SubmitClaim(me, &projectsv1.SubmitClaimRequest{Name: c.GetName()}) // the line claims more than there is now
		refused(t, err, codes.FailedPrecondition, domain.ClaimBlocked)
		must[*projectsv1.Claim](t)(s.RemoveClaimLines(me, &projectsv1.RemoveClaimLinesRequest{Name: c.GetName(), Lines: []string{s.claimLines(me, c)[0].GetName()}}))
		must[*projectsv1.Claim](t)(s.CollectClaimLines(me, &projectsv1.CollectClaimLinesRequest{Name: c.GetName()}))
		if c = s.submit(c); figures(c) != "8000 0 0 0 0 0" {
			t.Errorf("submitted %s", figures(c))
		}
		c = must[*projectsv1.Claim](t)(s.WithdrawClaim(me, &projectsv1.WithdrawClaimRequest{Name: c.GetName(), Reason: "x"}))
		_, err = s.SubmitClaim(me, &projectsv1.SubmitClaimRequest{Name: c.GetName()})
		refused(t, err, codes.FailedPrecondition, domain.ClaimState)
		must[*projectsv1.Expenditure](t)(s.VoidExpenditure(me, &projectsv1.VoidExpenditureRequest{Name: e.GetName(), Reason: "x"}))
	})
}

func TestFourEyes(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.shared()
		s.invoice(s.line(p, member, 100_000), "1", 10_000)
		c := s.claim(p, member, "f1")
		boss := s.As(operator, "")
		must[*projectsv1.Claim](t)(s.SubmitClaim(boss, &projectsv1.SubmitClaimRequest{Name: c.GetName()}))
		_, err := s.StartClaimControl(boss, &projectsv1.StartClaimControlRequest{Name: c.GetName()})
		refused(t, err, codes.PermissionDenied, domain.FourEyes)
		must[*projectsv1.Claim](t)(s.StartClaimControl(s.As(funder, payer), &projectsv1.StartClaimControlRequest{Name: c.GetName()}))
		_, err = s.CertifyClaim(boss, &projectsv1.CertifyClaimRequest{Name: c.GetName()})
		refused(t, err, codes.PermissionDenied, domain.FourEyes)
		_, err = s.ParkClaimLine(boss, &projectsv1.ParkClaimLineRequest{Name: s.claimLines(boss, c)[0].GetName(), Reason: "x"})
		refused(t, err, codes.PermissionDenied, domain.FourEyes)
		must[*projectsv1.Claim](t)(s.CertifyClaim(s.AsSubject("another operator", operator), &projectsv1.CertifyClaimRequest{Name: c.GetName()}))
	})
}
