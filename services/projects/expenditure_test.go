package projects_test

import (
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/testkit"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

func TestExpendituresHoldTogether(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.project()
		l := s.line(p, member, 100_000)
		travel := must[*projectsv1.BudgetLine](t)(s.CreateBudgetLine(s.As(manager, leader), &projectsv1.CreateBudgetLineRequest{Parent: p.GetName(),
			BudgetLine: &projectsv1.BudgetLine{Organisation: member, Category: projectsv1.CostCategory_COST_CATEGORY_TRAVEL, Amount: eur(100_000)}}))
		me := s.As(partner, member)
		with := func(change func(e *projectsv1.Expenditure)) error {
			e := expenditure(l, 10_000)
			e.Document.Issuer, e.Document.IssuerId = "Fornitore", "IT01234567897"
			change(e)
			_, err := s.CreateExpenditure(me, &projectsv1.CreateExpenditureRequest{Parent: p.GetName(), Expenditure: e})
			return err
		}
		for name, c := range map[string]struct {
			reason errs.Reason
			change func(e *projectsv1.Expenditure)
		}{
			"no document": {domain.DocumentWrong, func(e *projectsv1.Expenditure) { e.Document = nil }},
			"no number":   {domain.DocumentWrong, func(e *projectsv1.Expenditure) { e.Document.Number = " " }},
			"check digit": {domain.IssuerIDWrong, func(e *projectsv1.Expenditure) { e.Document.IssuerId = "IT01234567890" }},
			"net and VAT": {domain.DocumentWrong, func(e *projectsv1.Expenditure) {
				e.Document.Net, e.Document.Vat, e.Document.Gross = eur(10_000), eur(2_200), eur(12_000)
			}},
			"VAT over the total": {domain.DocumentWrong, func(e *projectsv1.Expenditure) { e.Document.Vat = eur(10_001) }},
			"other currency":     {domain.CurrencyMismatch, func(e *projectsv1.Expenditure) { e.Document.Gross = eur(10_000); e.Document.Gross.CurrencyCode = "SEK" }},
			"over the total":     {domain.AmountWrong, func(e *projectsv1.Expenditure) { e.Document.Gross = eur(9_999) }},
			"paid tomorrow":      {domain.DatesWrong, func(e *projectsv1.Expenditure) { e.Payment = &projectsv1.Payment{Date: "2099-01-01"} }},
			"file of another": {domain.FileUnknown, func(e *projectsv1.Expenditure) {
				e.Files = []string{"projects/00000000-0000-7000-8000-000000000009/files/00000000-0000-7000-8000-000000000009"}
			}},
			"hours for travel": {domain.StaffCostWrong, func(e *projectsv1.Expenditure) {
				e.BudgetLine, e.Staff = travel.GetName(), &projectsv1.StaffCost{HoursE2: 100, AnnualCost: eur(3_440_000)}
			}},
			"other than hours × rate": {domain.StaffCostWrong, func(e *projectsv1.Expenditure) {
				e.Staff = &projectsv1.StaffCost{HoursE2: 750, AnnualCost: eur(3_440_000)}
			}},
		} {
			t.Run(name, func(t *testing.T) { refused(t, with(c.change), codes.InvalidArgument, c.reason) })
		}
		if err := with(func(e *projectsv1.Expenditure) { e.Document.Gross, e.AmountNote = eur(9_000), "Spese bancarie" }); err != nil {
			t.Error(err)
		}
		staff := expenditure(l, 0)
		staff.Amount, staff.Staff = nil, &projectsv1.StaffCost{HoursE2: 750, AnnualCost: eur(3_450_000)} // 20.05 an hour
		got := must[*projectsv1.Expenditure](t)(s.CreateExpenditure(me, &projectsv1.CreateExpenditureRequest{Parent: p.GetName(), Expenditure: staff}))
		if got.GetStaff().GetHourlyRate().GetMinorUnits() != 2_005 || got.GetAmount().GetMinorUnits() != 15_037 {
			t.Errorf("7.5 hours at %v make %v", got.GetStaff().GetHourlyRate(), got.GetAmount())
		}
		read := must[*projectsv1.Expenditure](t)(s.GetExpenditure(me, &projectsv1.GetExpenditureRequest{Name: got.GetName()}))
		got.Warnings = nil
		if !proto.Equal(read, got) {
			t.Errorf("recorded %v\nread %v", got, read)
		}
	})
}

func TestARecordedExpenditureIsPutRight(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.project()
		from, to, foreign := s.line(p, member, 100_000), s.line(p, member, 50_000), s.line(p, other, 50_000)
		me := s.As(partner, member)
		e := must[*projectsv1.Expenditure](t)(s.spend(me, from, 10_000))
		update := func(patch *projectsv1.Expenditure, paths ...string) (*projectsv1.Expenditure, error) {
			patch.Name = e.GetName()
			return s.UpdateExpenditure(me, &projectsv1.UpdateExpenditureRequest{Expenditure: patch, UpdateMask: mask(paths...)})
		}
		_, err := update(&projectsv1.Expenditure{BudgetLine: foreign.GetName()}, "budget_line")
		refused(t, err, codes.InvalidArgument, errs.ReferenceNotFound)
		_, err = s.UpdateExpenditure(s.As(partner, other), &projectsv1.UpdateExpenditureRequest{Expenditure: &projectsv1.Expenditure{Name: e.GetName(), Description: "x"}})
		refused(t, err, codes.NotFound, errs.Absent)
		_, err = update(&projectsv1.Expenditure{Etag: "W/\"7\"", Description: "x"}, "description")
		refused(t, err, codes.Aborted, errs.StaleEtag)
		doc := proto.CloneOf(e.GetDocument())
		doc.Number, doc.Gross = "2/2026", nil
		got, err := update(&projectsv1.Expenditure{BudgetLine: to.GetName(), Amount: eur(12_345), Document: doc}, "budget_line", "amount", "document")
		if err != nil || got.GetDocument().GetGross().GetMinorUnits() != 12_345 {
			t.Fatalf("%v, %v", got, err)
		}
		spent := map[string]int64{}
		for _, l := range must[*projectsv1.ListBudgetLinesResponse](t)(s.ListBudgetLines(me, &projectsv1.ListBudgetLinesRequest{Parent: p.GetName()})).GetBudgetLines() {
			spent[l.GetName()] = l.GetSpent().GetMinorUnits()
		}
		if spent[from.GetName()] != 0 || spent[to.GetName()] != 12_345 {
			t.Errorf("spent %v", spent)
		}
		told := testkit.EventsOf[*projectsv1.ExpenditureRecorded](s.Env)
		if len(told) != 2 || told[1].GetExpenditure().GetAmount().GetMinorUnits() != 12_345 || told[1].GetExpenditure().GetDocument().GetNumber() != "" {
			t.Errorf("told %v", told)
		}
		must[*projectsv1.Expenditure](t)(s.VoidExpenditure(me, &projectsv1.VoidExpenditureRequest{Name: e.GetName(), Reason: "errore"}))
		_, err = update(&projectsv1.Expenditure{Description: "x"}, "description")
		refused(t, err, codes.FailedPrecondition, domain.ExpenditureVoided)
	})
}

func TestAnOddDocumentIsToldWhenItIsRecorded(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		ours, theirs := s.project(), s.project(func(p *projectsv1.Project) {
			p.Organisation = stranger
			p.Partners = []*projectsv1.Partner{{Organisation: stranger, Role: projectsv1.PartnerRole_PARTNER_ROLE_LEAD}}
			p.Team = nil
		})
		line := s.line(ours, member, 100_000)
		foreign := must[*projectsv1.BudgetLine](t)(s.CreateBudgetLine(s.As(manager, stranger), &projectsv1.CreateBudgetLineRequest{Parent: theirs.GetName(),
			BudgetLine: &projectsv1.BudgetLine{Organisation: stranger, Category: projectsv1.CostCategory_COST_CATEGORY_OTHER, Amount: eur(1)}}))
		record := func(l *projectsv1.BudgetLine, number string, gross, amount int64) *projectsv1.Expenditure {
			e := expenditure(l, amount)
			e.Document = &projectsv1.Document{IssuerId: "01234567897", Number: number, Date: "2026-02-02", Gross: eur(gross)}
			return must[*projectsv1.Expenditure](t)(s.CreateExpenditure(s.As(manager, l.GetOrganisation()), &projectsv1.CreateExpenditureRequest{Parent: projectOf(l.GetName()), Expenditure: e}))
		}
		first := record(line, "FT 12/2026", 10_000, 6_000)
		if len(first.GetWarnings()) != 0 {
			t.Errorf("warned of %v", first.GetWarnings())
		}
		half := record(line, "ft-0012-2026", 10_000, 4_000) // a second line takes the rest
		if len(half.GetWarnings()) != 0 {
			t.Errorf("warned of %v", half.GetWarnings())
		}
		third := record(foreign, "FT12/2026", 10_000, 1)
		if w := third.GetWarnings(); len(w) != 1 || w[0].GetKind() != projectsv1.DocumentWarningKind_DOCUMENT_WARNING_KIND_OVER_TOTAL || !w[0].GetElsewhere() || len(w[0].GetExpenditures()) != 0 {
			t.Errorf("a stranger is warned of %v", w)
		}
		again := record(line, "FT12/2026", 10_000, 10)
		if w := again.GetWarnings(); len(w) != 1 || !w[0].GetElsewhere() || !slices.Equal(w[0].GetExpenditures(), []string{first.GetName(), half.GetName()}) {
			t.Errorf("warned of %v", w)
		}
		similar := record(line, "FT12/2026", 10_001, 10)
		if w := similar.GetWarnings(); len(w) != 1 || w[0].GetKind() != projectsv1.DocumentWarningKind_DOCUMENT_WARNING_KIND_OTHER_TOTAL {
			t.Errorf("warned of %v", w)
		}
	})
}
