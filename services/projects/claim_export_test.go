package projects_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/rules"
)

func (s *suite) exportClaim(as context.Context, c *projectsv1.Claim, f projectsv1.ExportFormat, language string) ([]byte, error) {
	b, _, name, err := fetch(s.ExportClaim(as, &projectsv1.ExportClaimRequest{Name: c.GetName(), Format: f, LanguageCode: language}))
	if err == nil && !strings.HasPrefix(name, map[string]string{"": "rendicontazione.", "en": "claim."}[language]) {
		s.t.Errorf("the file is called %s", name)
	}
	return b, err
}

// amounts is a column of money in minor units.
func amounts(t *testing.T, cells []string) (out []int64) {
	t.Helper()
	for _, c := range cells {
		var whole, cents int64
		if _, err := fmt.Sscanf(strings.ReplaceAll(c, ",", ""), "%d.%d", &whole, &cents); err != nil {
			t.Fatalf("%q is no amount", c)
		}
		out = append(out, whole*100+cents)
	}
	return out
}

// A claim of thousands of lines in its funder's columns sums up to the cent, for
// those who see the claim, and for nobody else.
func TestAClaimIsExported(t *testing.T) {
	const n = 5_000
	set, _ := rules.ShippedSet("horizon-europe")
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.shared(func(p *projectsv1.Project) {
			p.Funders[0].RuleSet, p.Funders[0].Grant = "ruleSets/horizon-europe", eur(100_000_000)
			p.Partners[1].VatTreatment = projectsv1.VatTreatment_VAT_TREATMENT_NOT_RECOVERABLE
		})
		l := must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: member, Category: external, Amount: eur(100_000_000),
			FunderCategories: map[string]string{"f1": "subcontracting"}}))
		s.fill(l, n)
		c, me, they := s.claim(p, member, "f1"), s.As(partner, member), s.As(funder, payer)
		for who, as := range map[string]context.Context{"the funder before": they, "another partner": s.As(partner, other), "a stranger": s.As(manager, stranger)} {
			if _, err := s.exportClaim(as, c, 0, ""); err == nil {
				t.Errorf("%s has the claim", who)
			} else {
				refused(t, err, codes.NotFound, errs.Absent)
			}
		}
		c = s.submit(c)
		_, err := s.exportClaim(s.As(funder, otherPayer), c, 0, "")
		refused(t, err, codes.NotFound, errs.Absent)

		rows := table(t, must[[]byte](t)(s.exportClaim(me, c, 0, "")), "Rendicontazione")
		if len(rows) != n+2 || len(rows[0]) != len(set.Columns()) || rows[0][1] != set.Columns()[1].Header.IT || rows[1][1] != "B. Subappalto" || rows[n+1][0] == "" {
			t.Fatalf("%d rows from %q, %q to %q", len(rows), rows[0], rows[1], rows[len(rows)-1])
		}
		declared := amounts(t, column(t, rows, "Importo rendicontato"))
		var sum int64
		for _, x := range declared[:n] {
			sum += x
		}
		if declared[n] != c.GetClaimed().GetMinorUnits() || sum != declared[n] {
			t.Errorf("the lines sum to %d, the last row says %d, the claim %v", sum, declared[n], c.GetClaimed())
		}
		// The funder cuts; the table follows.
		line := s.claimLines(they, c)[0]
		must[*projectsv1.Claim](t)(s.StartClaimControl(they, &projectsv1.StartClaimControlRequest{Name: c.GetName()}))
		must[*projectsv1.ClaimLine](t)(s.CorrectClaimLine(they, &projectsv1.CorrectClaimLineRequest{Name: line.GetName(), Cut: eur(7), Reason: "x"}))
		b := must[[]byte](t)(s.exportClaim(they, c, projectsv1.ExportFormat_EXPORT_FORMAT_CSV, "en"))
		text := must[[][]string](t)(csv.NewReader(bytes.NewReader(b)).ReadAll())
		accepted := must[*projectsv1.Claim](t)(s.GetClaim(me, &projectsv1.GetClaimRequest{Name: c.GetName()})).GetAccepted().GetMinorUnits()
		if got := amounts(t, column(t, text, "Amount declared")); got[n] != accepted || accepted != sum-7 {
			t.Errorf("accepted %d, the table says %d", accepted, got[n])
		}
	})
}

// Without rules, a claim has the plain columns.
func TestAClaimWithoutRulesIsExported(t *testing.T) {
	set, _ := rules.ShippedSet("own-funds")
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.shared()
		s.invoice(s.line(p, member, 100_000), "1", 12_345)
		rows := table(t, must[[]byte](t)(s.exportClaim(s.As(partner, member), s.claim(p, member, "f1"), 0, "")), "Rendicontazione")
		if len(rows) != 3 || len(rows[0]) != len(set.Columns()) || !slices.Contains(rows[2], "123.45") {
			t.Errorf("rows %q", rows)
		}
	})
}

// What the rules of a funder do not allow keeps a budget from being approved, in
// the rule's words.
func TestRulesOfABudget(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.shared(func(p *projectsv1.Project) { p.Funders[0].RuleSet = "ruleSets/erdf-interreg-2021-27" })
		lead := s.As(manager, leader)
		must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: member, Category: staff, Amount: eur(100_000)}))
		office := must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: member, Category: projectsv1.CostCategory_COST_CATEGORY_OFFICE, CostMethod: flatRate,
			FlatRate: &projectsv1.FlatRate{RateBasisPoints: 1_501, Base: projectsv1.FlatRateBase_FLAT_RATE_BASE_STAFF}}))
		check := func() *projectsv1.CheckBudgetResponse {
			return must[*projectsv1.CheckBudgetResponse](t)(s.CheckBudget(lead, &projectsv1.CheckBudgetRequest{Name: p.GetName()}))
		}
		got := check()
		i := slices.IndexFunc(got.GetFindings(), func(f *projectsv1.BudgetFinding) bool { return f.GetFinding().GetRule() == "indirect-of-staff" })
		if i < 0 || !got.GetBlocked() {
			t.Fatalf("found %v", got)
		}
		if f := got.GetFindings()[i]; f.GetFunder() != "f1" || f.GetOrganisation() != member || f.GetFinding().GetResource() != office.GetName() ||
			f.GetFinding().GetSeverity() != projectsv1.ClaimFindingSeverity_CLAIM_FINDING_SEVERITY_BLOCK {
			t.Errorf("found %v", f)
		}
		_, err := s.CheckBudget(s.As(partner, member), &projectsv1.CheckBudgetRequest{Name: p.GetName()})
		if err == nil {
			t.Error("a partner sees what is wrong with all")
		}
		_, err = s.CheckBudget(s.As(manager, stranger), &projectsv1.CheckBudgetRequest{Name: p.GetName()})
		refused(t, err, codes.NotFound, errs.Absent)
		freeze := func() error {
			_, err := s.CreateBudgetVersion(lead, &projectsv1.CreateBudgetVersionRequest{Parent: p.GetName(), BudgetVersion: &projectsv1.BudgetVersion{Reason: "prima"}})
			return err
		}
		e := refused(t, freeze(), codes.FailedPrecondition, domain.BudgetBlocked)
		if e.Metadata["rules"] != "indirect-of-staff" || len(e.Fields) != 1 || e.Fields[0].Path != office.GetName() || !strings.Contains(e.Error(), "at most") {
			t.Errorf("refused by %+v", e)
		}
		// The partner's claim is blocked by its own budget, too.
		c := must[*projectsv1.Claim](t)(s.CreateClaim(s.As(partner, member), &projectsv1.CreateClaimRequest{Parent: p.GetName(), Claim: &projectsv1.Claim{Organisation: member, Funder: "f1"}}))
		found := must[*projectsv1.CheckClaimResponse](t)(s.CheckClaim(s.As(partner, member), &projectsv1.CheckClaimRequest{Name: c.GetName()}))
		if !slices.ContainsFunc(found.GetFindings(), func(f *projectsv1.ClaimFinding) bool {
			return f.GetRule() == "indirect-of-staff" && f.GetSeverity() == projectsv1.ClaimFindingSeverity_CLAIM_FINDING_SEVERITY_BLOCK
		}) {
			t.Errorf("a claim on it finds %v", found)
		}
		office.FlatRate.RateBasisPoints = 1_500
		must[*projectsv1.BudgetLine](t)(s.UpdateBudgetLine(lead, &projectsv1.UpdateBudgetLineRequest{BudgetLine: &projectsv1.BudgetLine{Name: office.GetName(), FlatRate: office.GetFlatRate()}, UpdateMask: mask("flat_rate")}))
		if got := check(); got.GetBlocked() {
			t.Errorf("still blocked by %v", got)
		}
		if err := freeze(); err != nil {
			t.Error(err)
		}
		_, err = s.plan(p, &projectsv1.BudgetLine{Organisation: member, Category: external, Amount: eur(1), FunderCategories: map[string]string{"f1": "nothing"}})
		refused(t, err, codes.InvalidArgument, domain.FunderCategoryWrong)
		_, err = s.plan(p, &projectsv1.BudgetLine{Organisation: member, Category: external, Amount: eur(1), FunderCategories: map[string]string{"f9": "external"}})
		refused(t, err, codes.InvalidArgument, domain.FunderKeyWrong)
	})
}

// A rule on VAT holds where the partner recovers it, and says that it was not
// evaluated while the partner has not told.
func TestVATOfAPartner(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.shared(func(p *projectsv1.Project) { p.Funders[0].RuleSet = "ruleSets/fondazione-cofinanziamento" })
		l, me := s.line(p, member, 100_000), s.As(partner, member)
		s.invoiced(l, &projectsv1.Document{Issuer: "Fornitore", IssuerId: "01234567897", Number: "1", Date: "2026-02-02", Net: eur(10_000), Vat: eur(2_200), Gross: eur(12_200)}, 12_200)
		c := s.claim(p, member, "f1")
		say := func(v projectsv1.VatTreatment) *projectsv1.ClaimFinding {
			p = must[*projectsv1.Project](t)(s.GetProject(s.As(manager, leader), &projectsv1.GetProjectRequest{Name: p.GetName()}))
			p.Partners[1].VatTreatment = v
			must[*projectsv1.Project](t)(s.UpdateProject(s.As(manager, leader), &projectsv1.UpdateProjectRequest{Project: p, UpdateMask: mask("partners")}))
			for _, f := range must[*projectsv1.CheckClaimResponse](t)(s.CheckClaim(me, &projectsv1.CheckClaimRequest{Name: c.GetName()})).GetFindings() {
				if f.GetRule() == "vat" {
					return f
				}
			}
			return nil
		}
		warn, block := projectsv1.ClaimFindingSeverity_CLAIM_FINDING_SEVERITY_WARN, projectsv1.ClaimFindingSeverity_CLAIM_FINDING_SEVERITY_BLOCK
		if f := say(0); f.GetSeverity() != warn || !strings.Contains(f.GetMessage().GetText(), "Regola non valutata") || !strings.Contains(f.GetMessage().GetTranslations()["en"], "line.vat_recoverable") {
			t.Errorf("untold: %v", f)
		}
		if f := say(projectsv1.VatTreatment_VAT_TREATMENT_RECOVERABLE); f.GetSeverity() != block || f.GetAmount().GetMinorUnits() != 2_200 {
			t.Errorf("recovered: %v", f)
		}
		if f := say(projectsv1.VatTreatment_VAT_TREATMENT_NOT_RECOVERABLE); f != nil {
			t.Errorf("not recovered: %v", f)
		}
	})
}
