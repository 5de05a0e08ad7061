package projects_test

import (
	"context"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// claimReads are the RPCs that show a claim.
func (s *suite) claimReads(c *projectsv1.Claim, line *projectsv1.ClaimLine) []call {
	name := c.GetName()
	return []call{
		{"GetClaim", func(as context.Context) error {
			_, err := s.GetClaim(as, &projectsv1.GetClaimRequest{Name: name})
			return err
		}},
		{"CheckClaim", func(as context.Context) error {
			_, err := s.CheckClaim(as, &projectsv1.CheckClaimRequest{Name: name})
			return err
		}},
		{"ListClaimLines", func(as context.Context) error {
			_, err := s.ListClaimLines(as, &projectsv1.ListClaimLinesRequest{Parent: name})
			return err
		}},
		{"ListClaimFindings", func(as context.Context) error {
			_, err := s.ListClaimFindings(as, &projectsv1.ListClaimFindingsRequest{Parent: name})
			return err
		}},
		{"ListClaimEvents", func(as context.Context) error {
			_, err := s.ListClaimEvents(as, &projectsv1.ListClaimEventsRequest{Parent: name})
			return err
		}},
		{"GetClaimLine", func(as context.Context) error {
			_, err := s.GetClaimLine(as, &projectsv1.GetClaimLineRequest{Name: line.GetName()})
			return err
		}},
		{"GetExpenditure", func(as context.Context) error {
			_, err := s.GetExpenditure(as, &projectsv1.GetExpenditureRequest{Name: line.GetExpenditure()})
			return err
		}},
	}
}

// claimVerbs are the RPCs of who prepares and of who controls.
func (s *suite) claimVerbs(c *projectsv1.Claim, line *projectsv1.ClaimLine) (prepare, control []call) {
	name := c.GetName()
	prepare = []call{
		{"AddClaimLines", func(as context.Context) error {
			_, err := s.AddClaimLines(as, &projectsv1.AddClaimLinesRequest{Name: name, Lines: []*projectsv1.ClaimLineInput{{Expenditure: line.GetExpenditure()}}})
			return err
		}},
		{"RemoveClaimLines", func(as context.Context) error {
			_, err := s.RemoveClaimLines(as, &projectsv1.RemoveClaimLinesRequest{Name: name, Lines: []string{line.GetName()}})
			return err
		}},
		{"CollectClaimLines", func(as context.Context) error {
			_, err := s.CollectClaimLines(as, &projectsv1.CollectClaimLinesRequest{Name: name})
			return err
		}},
		{"SubmitClaim", func(as context.Context) error {
			_, err := s.SubmitClaim(as, &projectsv1.SubmitClaimRequest{Name: name})
			return err
		}},
		{"WithdrawClaim", func(as context.Context) error {
			_, err := s.WithdrawClaim(as, &projectsv1.WithdrawClaimRequest{Name: name, Reason: "x"})
			return err
		}},
	}
	control = []call{
		{"StartClaimControl", func(as context.Context) error {
			_, err := s.StartClaimControl(as, &projectsv1.StartClaimControlRequest{Name: name})
			return err
		}},
		{"CorrectClaimLine", func(as context.Context) error {
			_, err := s.CorrectClaimLine(as, &projectsv1.CorrectClaimLineRequest{Name: line.GetName(), Cut: eur(1), Reason: "x"})
			return err
		}},
		{"ParkClaimLine", func(as context.Context) error {
			_, err := s.ParkClaimLine(as, &projectsv1.ParkClaimLineRequest{Name: line.GetName(), Reason: "x"})
			return err
		}},
		{"AcceptClaimLine", func(as context.Context) error {
			_, err := s.AcceptClaimLine(as, &projectsv1.AcceptClaimLineRequest{Name: line.GetName()})
			return err
		}},
		{"CertifyClaim", func(as context.Context) error {
			_, err := s.CertifyClaim(as, &projectsv1.CertifyClaimRequest{Name: name})
			return err
		}},
		{"RecordClaimPayment", func(as context.Context) error {
			_, err := s.RecordClaimPayment(as, &projectsv1.RecordClaimPaymentRequest{Name: name,
				Payment: &projectsv1.ClaimPayment{Kind: projectsv1.ClaimPaymentKind_CLAIM_PAYMENT_KIND_INTERIM, Amount: eur(1), Date: "2026-01-05"}})
			return err
		}},
	}
	return prepare, control
}

func TestWhoSeesAndMovesAClaim(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.shared()
		for _, o := range []string{member, other} {
			s.invoice(s.line(p, o, 100_000), "FT "+o, 10_000)
		}
		draft, theirs := s.claim(p, member, "f1"), s.submit(s.claim(p, other, "f2"))
		line, theirLine := s.claimLines(s.As(partner, member), draft)[0], s.claimLines(s.As(partner, other), theirs)[0]
		unseen := map[string]context.Context{
			"another partner": s.As(partner, other), "another partner's admin": s.As(admin, other), "a stranger": s.As(manager, stranger),
			"the funder before": s.As(funder, payer), "another funder": s.As(funder, otherPayer), "somebody who funds elsewhere": s.As(funder, stranger),
			"somebody of the lead": s.As(partner, leader),
		}
		seen := map[string]context.Context{
			"the partner": s.As(partner, member), "its admin": s.As(admin, member), "the lead": s.As(manager, leader),
			"an operator": s.As(operator, ""), "an auditor": s.As(auditor, ""), "a service": s.As(authzv1.Role_ROLE_SERVICE, ""),
		}
		for _, c := range s.claimReads(draft, line) {
			for who, as := range unseen {
				refusedAs(t, c, who, c.run(as), codes.NotFound, errs.Absent)
			}
			for who, as := range seen {
				if err := c.run(as); err != nil {
					t.Errorf("%s: %s: %v", who, c.name, err)
				}
			}
			refusedAs(t, c, "a learner", c.run(s.As(learner, member)), codes.PermissionDenied, errs.RoleMissing)
			refusedAs(t, c, "nobody", c.run(s.Anonymous()), codes.Unauthenticated, errs.TokenAbsent)
		}
		prepare, control := s.claimVerbs(draft, line)
		for _, c := range prepare {
			for _, who := range []string{"another partner", "another partner's admin", "a stranger", "somebody of the lead"} {
				refusedAs(t, c, who, c.run(unseen[who]), codes.NotFound, errs.Absent)
			}
			refusedAs(t, c, "a funder", c.run(s.As(funder, payer)), codes.PermissionDenied, errs.RoleMissing)
			refusedAs(t, c, "an auditor", c.run(s.As(auditor, "")), codes.PermissionDenied, errs.RoleMissing)
		}
		submitted := s.submit(draft)
		for _, c := range s.claimReads(submitted, line) {
			if err := c.run(s.As(funder, payer)); err != nil { // now it is the funder's to see
				t.Errorf("the funder: %s: %v", c.name, err)
			}
			for _, who := range []string{"another partner", "another funder", "somebody who funds elsewhere", "a stranger"} {
				refusedAs(t, c, who, c.run(unseen[who]), codes.NotFound, errs.Absent)
			}
		}
		for _, c := range control {
			for who, as := range map[string]context.Context{"another funder": s.As(funder, otherPayer), "somebody who funds elsewhere": s.As(funder, stranger)} {
				refusedAs(t, c, who, c.run(as), codes.NotFound, errs.Absent)
			}
			for who, as := range map[string]context.Context{"the partner": s.As(partner, member), "the lead": s.As(admin, leader), "an auditor": s.As(auditor, ""), "a stranger": s.As(manager, stranger)} {
				refusedAs(t, c, who, c.run(as), codes.PermissionDenied, errs.RoleMissing)
			}
		}
		_, err := s.ReturnClaim(s.As(manager, member), &projectsv1.ReturnClaimRequest{Name: submitted.GetName(), Reason: "x"})
		refused(t, err, codes.PermissionDenied, domain.LeadOnly)
		for _, as := range []context.Context{s.As(manager, other), s.As(funder, otherPayer), s.As(manager, stranger)} {
			_, err := s.ReturnClaim(as, &projectsv1.ReturnClaimRequest{Name: submitted.GetName(), Reason: "x"})
			refused(t, err, codes.NotFound, errs.Absent)
		}
		for _, c := range control { // all of this was the caller's, not the call's fault
			if err := c.run(s.As(funder, payer)); status.Code(err) == codes.NotFound || status.Code(err) == codes.PermissionDenied {
				t.Errorf("the funder: %s: %v", c.name, err)
			}
		}

		// Lists show the same, of one project and of all.
		for who, c := range map[string]struct {
			as     context.Context
			claims []string
			costs  []string
		}{
			"the partner":     {s.As(partner, member), []string{submitted.GetName()}, []string{line.GetExpenditure()}},
			"another partner": {s.As(partner, other), []string{theirs.GetName()}, []string{theirLine.GetExpenditure()}},
			"the lead":        {s.As(manager, leader), []string{submitted.GetName(), theirs.GetName()}, []string{line.GetExpenditure(), theirLine.GetExpenditure()}},
			"the funder":      {s.As(funder, payer), []string{submitted.GetName()}, []string{line.GetExpenditure()}},
			"another funder":  {s.As(funder, otherPayer), []string{theirs.GetName()}, []string{theirLine.GetExpenditure()}},
			"an auditor":      {s.As(auditor, ""), []string{submitted.GetName(), theirs.GetName()}, []string{line.GetExpenditure(), theirLine.GetExpenditure()}},
		} {
			for _, parent := range []string{p.GetName(), "projects/-"} {
				var got []string
				for _, x := range must[*projectsv1.ListClaimsResponse](t)(s.ListClaims(c.as, &projectsv1.ListClaimsRequest{Parent: parent})).GetClaims() {
					got = append(got, x.GetName())
				}
				if !slices.Equal(got, c.claims) {
					t.Errorf("%s sees in %s the claims %v, want %v", who, parent, got, c.claims)
				}
			}
			var got []string
			for _, x := range must[*projectsv1.ListExpendituresResponse](t)(s.ListExpenditures(c.as, &projectsv1.ListExpendituresRequest{Parent: p.GetName()})).GetExpenditures() {
				got = append(got, x.GetName())
			}
			slices.Sort(c.costs)
			if !slices.Equal(got, c.costs) {
				t.Errorf("%s sees the costs %v, want %v", who, got, c.costs)
			}
		}
		for _, as := range []context.Context{s.As(manager, stranger), s.As(funder, stranger)} {
			_, err := s.ListClaims(as, &projectsv1.ListClaimsRequest{Parent: p.GetName()})
			refused(t, err, codes.NotFound, errs.Absent)
			_, err = s.ListExpenditures(as, &projectsv1.ListExpendituresRequest{Parent: p.GetName()})
			refused(t, err, codes.NotFound, errs.Absent)
			if got := must[*projectsv1.ListClaimsResponse](t)(s.ListClaims(as, &projectsv1.ListClaimsRequest{Parent: "projects/-"})).GetClaims(); len(got) != 0 {
				t.Errorf("a stranger sees %v", got)
			}
		}
		// A funder has no part in the project beyond that.
		_, err = s.GetProject(s.As(funder, payer), &projectsv1.GetProjectRequest{Name: p.GetName()})
		refused(t, err, codes.PermissionDenied, errs.RoleMissing)
		_, err = s.ListBudgetLines(s.As(funder, payer), &projectsv1.ListBudgetLinesRequest{Parent: p.GetName()})
		refused(t, err, codes.PermissionDenied, errs.RoleMissing)
		// A partner opens no claim for another.
		_, err = s.CreateClaim(s.As(partner, member), &projectsv1.CreateClaimRequest{Parent: p.GetName(), Claim: &projectsv1.Claim{Organisation: other, Funder: "f1"}})
		refused(t, err, codes.PermissionDenied, domain.LeadOnly)
		_, err = s.CreateClaim(s.As(manager, stranger), &projectsv1.CreateClaimRequest{Parent: p.GetName(), Claim: &projectsv1.Claim{Organisation: stranger, Funder: "f1"}})
		refused(t, err, codes.NotFound, errs.Absent)
	})
}
