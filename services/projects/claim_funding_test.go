package projects_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// invoiced records an expenditure with a document as it is.
func (s *suite) invoiced(l *projectsv1.BudgetLine, d *projectsv1.Document, amount int64) *projectsv1.Expenditure {
	s.t.Helper()
	e := expenditure(l, amount)
	e.Document = d
	return must[*projectsv1.Expenditure](s.t)(s.CreateExpenditure(s.As(manager, l.GetOrganisation()), &projectsv1.CreateExpenditureRequest{Parent: projectOf(l.GetName()), Expenditure: e}))
}

// foreign is a project of a stranger with a line of its own.
func (s *suite) foreign() (*projectsv1.Project, *projectsv1.BudgetLine) {
	s.t.Helper()
	p := s.shared(func(p *projectsv1.Project) {
		p.Organisation, p.Team = stranger, nil
		p.Partners = []*projectsv1.Partner{{Organisation: stranger, Role: projectsv1.PartnerRole_PARTNER_ROLE_LEAD}}
	})
	return p, must[*projectsv1.BudgetLine](s.t)(s.CreateBudgetLine(s.As(manager, stranger), &projectsv1.CreateBudgetLineRequest{Parent: p.GetName(),
		BudgetLine: &projectsv1.BudgetLine{Organisation: stranger, Category: projectsv1.CostCategory_COST_CATEGORY_STAFF, Amount: eur(100_000)}}))
}

func TestADocumentIsClaimedOnceInTheNetwork(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		ours := s.shared()
		line := s.line(ours, member, 100_000)
		theirs, foreign := s.foreign()
		document := func(number string, gross int64) *projectsv1.Document {
			return &projectsv1.Document{IssuerId: "IT01234567897", Number: number, Date: "2026-02-02", Gross: eur(gross)}
		}
		first := s.invoiced(line, document("FT 12/2026", 10_000), 6_000)
		s.submit(s.claim(ours, member, "f1"))
		s.submit(s.claim(ours, member, "f2")) // the other funder of the same cost is shown the same

		second := s.invoiced(foreign, &projectsv1.Document{Issuer: "Altro nome", IssuerId: "01234567897", Number: "ft-0012-2026", Date: "2026-02-02", Gross: eur(10_000)}, 4_001)
		c := s.claim(theirs, stranger, "f1")
		refusal := func(as context.Context) *errs.Error {
			_, err := s.SubmitClaim(as, &projectsv1.SubmitClaimRequest{Name: c.GetName()})
			return refused(t, err, codes.FailedPrecondition, domain.DoubleFunding)
		}
		if e := refusal(s.As(manager, stranger)); e.Metadata["places"] != "" || e.Metadata["elsewhere"] != "true" || strings.Contains(fmt.Sprint(e), first.GetName()) {
			t.Errorf("a stranger is told %+v", e)
		}
		if e := refusal(s.As(operator, "")); e.Metadata["places"] != first.GetName() || !strings.HasPrefix(e.Fields[0].Path, c.GetName()) {
			t.Errorf("an operator is told %+v", e)
		}
		got := must[*projectsv1.CheckClaimResponse](t)(s.CheckClaim(s.As(operator, ""), &projectsv1.CheckClaimRequest{Name: c.GetName()}))
		if f := got.GetFindings()[0]; !got.GetBlocked() || f.GetRule() != "trama.double-funding" || !slices.Equal(f.GetPlaces(), []string{first.GetName()}) ||
			f.GetAmount().GetMinorUnits() != 10_001 || f.GetLimit().GetMinorUnits() != 10_000 || f.GetResource() == "" {
			t.Errorf("found %v", f)
		}

		// To the cent: the rest can be claimed.
		me := s.As(manager, stranger)
		must[*projectsv1.Expenditure](t)(s.UpdateExpenditure(me, &projectsv1.UpdateExpenditureRequest{Expenditure: &projectsv1.Expenditure{Name: second.GetName(), Amount: eur(4_000)}, UpdateMask: mask("amount")}))
		must[*projectsv1.Claim](t)(s.RemoveClaimLines(me, &projectsv1.RemoveClaimLinesRequest{Name: c.GetName(), Lines: []string{s.claimLines(me, c)[0].GetName()}}))
		must[*projectsv1.Claim](t)(s.CollectClaimLines(me, &projectsv1.CollectClaimLinesRequest{Name: c.GetName()}))
		s.submit(c)

		// False friends: another issuer, another number, another date pass; another
		// total is told.
		next, friends := s.foreign()
		s.invoiced(friends, &projectsv1.Document{IssuerId: "00743110157", Number: "FT 12/2026", Date: "2026-02-02", Gross: eur(10_000)}, 10_000)
		s.invoiced(friends, document("FT 1/22026", 10_000), 10_000)
		s.invoiced(friends, &projectsv1.Document{IssuerId: "01234567897", Number: "FT 12/2026", Date: "2026-02-03", Gross: eur(10_000)}, 10_000)
		s.invoiced(friends, document("FT 12/2026", 10_050), 10_050)
		c = s.submit(s.claim(next, stranger, "f1"))
		var rules []string
		for _, f := range must[*projectsv1.ListClaimFindingsResponse](t)(s.ListClaimFindings(me, &projectsv1.ListClaimFindingsRequest{Parent: c.GetName()})).GetFindings() {
			rules = append(rules, f.GetRule())
			if f.GetSeverity() != projectsv1.ClaimFindingSeverity_CLAIM_FINDING_SEVERITY_WARN || !f.GetElsewhere() || !slices.Equal(f.GetPlaces(), []string{second.GetName()}) {
				t.Errorf("warned of %v", f)
			}
		}
		if !slices.Equal(rules, []string{"trama.other-total"}) || c.GetWarningCount() != 1 {
			t.Errorf("warned of %v", rules)
		}
	})
}

// What is sent back, withdrawn or cut can be claimed by others.
func TestADocumentIsSetFree(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		document := &projectsv1.Document{IssuerId: "01234567897", Number: "1", Date: "2026-02-02"}
		ours := s.shared()
		s.invoiced(s.line(ours, member, 100_000), document, 10_000)
		theirs, foreign := s.foreign()
		s.invoiced(foreign, document, 10_000)
		rival := s.claim(theirs, stranger, "f1")
		try := func() error {
			_, err := s.SubmitClaim(s.As(manager, stranger), &projectsv1.SubmitClaimRequest{Name: rival.GetName()})
			return err
		}
		c := s.submit(s.claim(ours, member, "f1"))
		refused(t, try(), codes.FailedPrecondition, domain.DoubleFunding)
		controller := s.As(funder, payer)
		must[*projectsv1.Claim](t)(s.StartClaimControl(controller, &projectsv1.StartClaimControlRequest{Name: c.GetName()}))
		must[*projectsv1.ClaimLine](t)(s.CorrectClaimLine(controller, &projectsv1.CorrectClaimLineRequest{Name: s.claimLines(controller, c)[0].GetName(), Cut: eur(10_000), Reason: "di un altro progetto"}))
		refused(t, try(), codes.FailedPrecondition, domain.DoubleFunding) // not before it is decided
		must[*projectsv1.Claim](t)(s.CertifyClaim(controller, &projectsv1.CertifyClaimRequest{Name: c.GetName()}))
		if err := try(); err != nil {
			t.Error(err)
		}
		must[*projectsv1.Claim](t)(s.ReturnClaim(s.As(manager, stranger), &projectsv1.ReturnClaimRequest{Name: rival.GetName(), Reason: "x"}))
		last, again := s.foreign()
		s.invoiced(again, document, 10_000)
		s.submit(s.claim(last, stranger, "f1"))
		refused(t, try(), codes.FailedPrecondition, domain.DoubleFunding)
	})
}

// Many projects hand in the same document at once: at most its total passes.
func TestTheSameDocumentAtOnce(t *testing.T) {
	const rivals = 8
	eachDB(t, func(t *testing.T, s *suite) {
		var all []*projectsv1.Claim
		for range rivals {
			p, l := s.foreign()
			s.invoiced(l, &projectsv1.Document{IssuerId: "01234567897", Number: "1", Date: "2026-02-02", Gross: eur(10_000)}, 4_000)
			all = append(all, s.claim(p, stranger, "f1"))
		}
		me := s.As(manager, stranger)
		passed := 0
		for i, err := range together(rivals, func(i int) error {
			_, err := s.SubmitClaim(me, &projectsv1.SubmitClaimRequest{Name: all[i].GetName()})
			return err
		}) {
			if err == nil {
				passed++
			} else if reasonOf(err) != domain.DoubleFunding {
				t.Errorf("claim %d: %v", i, err)
			}
		}
		if passed != 2 {
			t.Errorf("%d claims of 40 %% of a document have passed", passed)
		}
		var claimed int64
		if err := s.DB.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			return tx.QueryRow(ctx, `SELECT claimed FROM claimed_documents`).Scan(&claimed)
		}); err != nil || claimed != 8_000 {
			t.Errorf("claimed %d, %v", claimed, err)
		}
	})
}

// Two edit one claim at once: one wins, the other is told; nothing is lost.
func TestTwoEditOneClaim(t *testing.T) {
	const editors = 8
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.shared()
		l := s.line(p, member, 100_000)
		for i := range editors {
			s.invoice(l, fmt.Sprint(i), 1_000)
		}
		c := s.submit(s.claim(p, member, "f1"))
		boss := s.As(operator, "")
		c = must[*projectsv1.Claim](t)(s.StartClaimControl(boss, &projectsv1.StartClaimControlRequest{Name: c.GetName()}))
		lines := s.claimLines(boss, c)
		cut := func(i int, etag string) error {
			_, err := s.CorrectClaimLine(boss, &projectsv1.CorrectClaimLineRequest{Name: lines[i].GetName(), Cut: eur(int64(i + 1)), Reason: "x", Etag: etag})
			return err
		}
		won := 0
		for i, err := range together(editors, func(i int) error { return cut(i, c.GetEtag()) }) {
			if err == nil {
				won++
			} else if r := reasonOf(err); r != errs.StaleEtag && r != errs.ConcurrentUpdate {
				t.Errorf("editor %d: %v", i, err)
			}
		}
		if won != 1 {
			t.Errorf("%d editors have won", won)
		}
		for i, err := range together(editors, func(i int) error { return cut(i, "") }) { // whatever it is now: all of them
			if err != nil {
				t.Errorf("editor %d: %v", i, err)
			}
		}
		if got := must[*projectsv1.Claim](t)(s.GetClaim(boss, &projectsv1.GetClaimRequest{Name: c.GetName()})); figures(got) != "8000 36 0 0 0 0" {
			t.Errorf("the claim is %s", figures(got))
		}
	})
}
