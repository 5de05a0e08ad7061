package demo

import (
	"context"
	"fmt"
	"strings"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// fundedBudget makes the budget lines.
func (l *loader) fundedBudget(ctx context.Context, w *world, who *cast, project *projectsv1.Project) error {
	if project.GetPhase() != projectsv1.Phase_PHASE_PLANNING {
		return nil
	}
	have, err := l.listLines(ctx, project.GetName())
	if err != nil {
		return err
	}
	tasks, err := l.taskNames(ctx, project.GetName())
	if err != nil {
		return err
	}
	for _, b := range fundedLines {
		if have[b.title] != nil {
			continue
		}
		in := &projectsv1.BudgetLine{Category: b.category, Organisation: w.organisations[b.partner], Description: b.title, WorkPackage: tasks[b.work]}
		switch {
		case b.flat > 0:
			in.CostMethod = projectsv1.CostMethod_COST_METHOD_FLAT_RATE
			in.FlatRate = &projectsv1.FlatRate{RateBasisPoints: int32(b.flat), Base: projectsv1.FlatRateBase_FLAT_RATE_BASE_STAFF}
		case b.units > 0:
			in.CostMethod = projectsv1.CostMethod_COST_METHOD_UNIT_COST
			in.UnitCost = &projectsv1.UnitCost{Unit: "ora", UnitsE4: b.units, UnitPrice: cents(b.price)}
		default:
			in.CostMethod, in.Amount = projectsv1.CostMethod_COST_METHOD_REAL, cents(b.amount)
		}
		if b.flat == 0 {
			half := b.planned() / 2
			in.PeriodAmounts = []*projectsv1.PeriodAmount{{Period: firstYear, Amount: cents(half)}, {Period: secondYear, Amount: cents(b.planned() - half)}}
		}
		if b.shares != nil {
			left := int64(whole)
			for _, f := range patrons {
				in.FunderShares = append(in.FunderShares, &projectsv1.FunderShare{Funder: f.key, ShareBasisPoints: int32(b.share(f))})
				left -= b.share(f)
			}
			in.FunderShares = append(in.FunderShares, &projectsv1.FunderShare{Funder: "own", ShareBasisPoints: int32(left)})
		}
		if err := who.manager.post(ctx, "/v1/"+project.GetName()+"/budgetLines", "project/"+projectFunded+"/line/"+b.key, in, nil); err != nil {
			return err
		}
	}
	return nil
}

// expenditureNumbers reads the expenditures that the caller may see, by the
// number of the document.
func (l *loader) expenditureNumbers(ctx context.Context, project string) (map[string]*projectsv1.Expenditure, error) {
	page := &projectsv1.ListExpendituresResponse{}
	all, err := list(ctx, l, "/v1/"+project+"/expenditures", "", page, page.GetExpenditures)
	out := map[string]*projectsv1.Expenditure{}
	for _, e := range all {
		out[e.GetDocument().GetNumber()] = e
	}
	return out, err
}

// fundedCosts has every partner record its costs: each with its document, and the
// bank's statement of the year as proof of payment.
func (l *loader) fundedCosts(ctx context.Context, w *world, who *cast, project *projectsv1.Project) error {
	if project.GetPhase() != projectsv1.Phase_PHASE_EXECUTION {
		return nil
	}
	have, err := l.expenditureNumbers(ctx, project.GetName())
	if err != nil {
		return err
	}
	lines, err := l.listLines(ctx, project.GetName())
	if err != nil {
		return err
	}
	for i, c := range fundedCosts {
		if have[c.number] != nil {
			continue
		}
		b := lineOf(c.line)
		partner := who.partners[b.partner]
		proof, err := partner.file(ctx, project.GetName(), "estratto-conto-"+b.partner+"-"+c.period+".csv", "text/csv", statement(b.partner, c.period))
		if err != nil {
			return err
		}
		document, err := partner.file(ctx, project.GetName(), slug(c.number)+".pdf", "application/pdf",
			pdf(c.title, "Documento "+c.number+" del "+c.date, "Totale "+amount(cents(c.gross())), fundedTitle))
		if err != nil {
			return err
		}
		in := &projectsv1.Expenditure{
			Organisation: w.organisations[b.partner], BudgetLine: lines[b.title].GetName(), Description: c.title, Amount: cents(max(c.amount, c.asked)), UnitsE4: c.units,
			Document: &projectsv1.Document{Issuer: "Fornitore campione", IssuerId: taxCode(1000 + i), Number: c.number, Date: c.date, Gross: cents(c.gross())},
			Files:    []string{document.GetName()}, Payment: &projectsv1.Payment{Date: c.paid, Reference: "Bonifico", Files: []string{proof.GetName()}},
		}
		if c.net > 0 {
			in.Document.Net, in.Document.Vat, in.Document.VatRecoverable = cents(c.net), cents(c.gross()-c.net), true
		}
		if err := partner.post(ctx, "/v1/"+project.GetName()+"/expenditures", "project/"+projectFunded+"/expenditure/"+slug(c.number), in, nil); err != nil {
			return err
		}
	}
	return nil
}

// statement is what a partner's bank says of the payments of a period, as CSV.
func statement(partner, period string) []byte {
	var b strings.Builder
	b.WriteString("data;riferimento;importo\n")
	for _, c := range fundedCosts {
		if lineOf(c.line).partner == partner && c.period == period {
			fmt.Fprintf(&b, "%s;%s;%d,%02d\n", c.paid, c.number, c.gross()/100, c.gross()%100)
		}
	}
	return []byte(b.String())
}
