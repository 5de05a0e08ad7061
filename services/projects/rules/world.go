package rules

import (
	"fmt"
	"slices"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// InputError tells that the facts cannot be: the field, and why.
type InputError struct {
	Field  string // for example claim.lines[3].budget_line
	Reason string
}

// Error is the field and the reason.
func (e *InputError) Error() string { return e.Field + ": " + e.Reason }

// maxAmount bounds the size of an amount, 10^15 minor units, so that sums of all
// lines fit.
const maxAmount = 1_000_000_000_000_000

// world is an input made ready: records for the expressions and their sums.
type world struct {
	scopeVars
	currency    string
	budgetLines []object[budgetLineData]
	claimLines  []object[claimLineData]
}

// gathering checks an input while it is made ready, and keeps the first error.
type gathering struct{ err *InputError }

func (g *gathering) refuse(field, format string, args ...any) {
	if g.err == nil {
		g.err = &InputError{field, fmt.Sprintf(format, args...)}
	}
}

func (g *gathering) most(field string, n, limit int) {
	if n > limit {
		g.refuse(field, "%d are given; at most %d are allowed", n, limit)
	}
}

func (g *gathering) day(field string, d Date) day {
	if d == "" {
		return noDay
	}
	if _, err := civil.Parse(string(d)); err != nil {
		g.refuse(field, "%s", err)
		return noDay
	}
	return dayOf(d)
}

func (g *gathering) amount(field string, amounts ...int64) {
	for _, a := range amounts {
		if a > maxAmount || a < -maxAmount {
			g.refuse(field, "%d is out of range: at most 10^15 minor units", a)
		}
	}
}

func (g *gathering) word(field, value string, all []string) {
	if !slices.Contains(all, value) {
		g.refuse(field, "%q is none of %v", shorten(value), all)
	}
}

// add adds an amount to a sum that must stay within 10^18 minor units.
func (g *gathering) add(sum *int64, amount int64) {
	const most = 1_000 * maxAmount
	next := *sum + amount // both are far from the ends of 64 bits
	if next > most || next < -most {
		g.refuse("claim.lines", "a total is out of range: at most 10^18 minor units")
		return
	}
	*sum = next
}

// listOf is a list of records for expressions.
func listOf[T any](objects []object[T]) ref.Val {
	values := make([]ref.Val, len(objects))
	for i := range objects {
		values[i] = &objects[i]
	}
	return types.NewRefValList(types.DefaultTypeAdapter, values)
}

// prepare checks the facts and makes them ready.
func (s *Set) prepare(in *Input) (*world, error) {
	g := &gathering{}
	g.most("budget", len(in.Budget), MaxBudgetLines)
	g.most("project.partners", len(in.Project.Partners), MaxPartners)
	g.most("organisation.choices", len(in.Organisation.Choices), MaxChoices)
	g.most("funder.interims_paid", len(in.Funder.InterimsPaid), 300)
	if in.Claim != nil {
		g.most("claim.lines", len(in.Claim.Lines), MaxClaimLines)
	}
	if g.err != nil {
		return nil, g.err
	}
	w := &world{currency: in.Project.Currency, scopeVars: scopeVars{facts: map[string]ref.Val{}}}
	s.prepareProject(g, w, in)
	lines := s.prepareBudget(g, w, in)
	if in.Claim != nil {
		prepareClaim(g, w, in.Claim, lines, in.Organisation.VATRecoverable)
	}
	w.budget = budgetOf(g, w.budgetLines, "")
	w.own = budgetOf(g, w.budgetLines, in.Organisation.Name)
	if g.err != nil {
		return nil, g.err
	}
	return w, nil
}

func (s *Set) prepareProject(g *gathering, w *world, in *Input) {
	if in.Project.Currency == "" {
		g.refuse("project.currency", "must be given")
	}
	partners := make([]object[Partner], len(in.Project.Partners))
	for i, p := range in.Project.Partners {
		partners[i] = object[Partner]{partnerType, p}
	}
	project := projectData{Project: in.Project, start: g.day("project.start", in.Project.Start), end: g.day("project.end", in.Project.End), partners: listOf(partners)}
	w.project = &object[projectData]{projectType, project}

	funder := funderData{Funder: in.Funder, from: g.day("funder.eligible_from", in.Funder.EligibleFrom), to: g.day("funder.eligible_to", in.Funder.EligibleTo)}
	if funder.from == noDay {
		funder.from = project.start
	}
	if funder.to == noDay {
		funder.to = project.end
	}
	g.amount("funder.grant", in.Funder.Grant)
	g.amount("funder.advance_paid", in.Funder.AdvancePaid)
	g.amount("funder.interims_paid", in.Funder.InterimsPaid...)
	interims := make([]ref.Val, len(in.Funder.InterimsPaid))
	funder.paid = in.Funder.AdvancePaid
	for i, p := range in.Funder.InterimsPaid {
		interims[i] = types.Int(p)
		funder.paid += p
	}
	funder.interims = types.NewRefValList(types.DefaultTypeAdapter, interims)
	w.funder = &object[funderData]{funderType, funder}

	organisation := organisationData{Organisation: in.Organisation, methods: map[string]ref.Val{}}
	choices, methods := make([]object[Choice], len(in.Organisation.Choices)), map[string][]string{}
	for i, c := range in.Organisation.Choices {
		choices[i] = object[Choice]{choiceType, c}
		if !slices.Contains(methods[c.Category], c.Method) {
			methods[c.Category] = append(methods[c.Category], c.Method)
		}
	}
	organisation.choices = listOf(choices)
	for category, all := range methods {
		slices.Sort(all)
		organisation.methods[category] = types.NewStringList(types.DefaultTypeAdapter, all)
	}
	w.organisation = &object[organisationData]{organisationType, organisation}
}

// prepareBudget returns the lines by their keys.
func (s *Set) prepareBudget(g *gathering, w *world, in *Input) map[string]*object[budgetLineData] {
	w.budgetLines = make([]object[budgetLineData], len(in.Budget))
	byKey := make(map[string]*object[budgetLineData], len(in.Budget))
	for i, l := range in.Budget {
		path := index("budget", i)
		g.word(path+".category", l.Category, Categories)
		g.word(path+".method", l.Method, Methods)
		g.amount(path, l.Amount, l.Reported, l.Spent, l.UnitPrice)
		if l.FunderShare < 0 || l.FunderShare > whole {
			g.refuse(path+".funder_share", "%d is not 0 to 10,000 basis points", l.FunderShare)
		}
		if l.FunderCategory == "" {
			l.FunderCategory = s.category[l.Category]
		} else if _, ok := s.allowed[l.FunderCategory]; !ok {
			g.refuse(path+".funder_category", "%q is not a category of the rule set", shorten(l.FunderCategory))
		}
		if l.Key == "" || byKey[l.Key] != nil {
			g.refuse(path+".key", "%q is empty or given twice", shorten(l.Key))
		}
		w.budgetLines[i] = object[budgetLineData]{budgetLineType, budgetLineData{BudgetLine: l, index: i, allowed: s.allowed[l.FunderCategory]}}
		byKey[l.Key] = &w.budgetLines[i]
	}
	return byKey
}

func prepareClaim(g *gathering, w *world, claim *Claim, lines map[string]*object[budgetLineData], recovers *bool) {
	yes := true
	w.claimLines = make([]object[claimLineData], len(claim.Lines))
	sums, keys := map[string]int64{}, make(map[string]bool, len(claim.Lines))
	for i := range claim.Lines {
		l := &claim.Lines[i]
		// The path is only written where something is wrong: there are many lines.
		fail := func(field, format string, args ...any) { g.refuse(index("claim.lines", i)+"."+field, format, args...) }
		line := lines[l.BudgetLine]
		if line == nil {
			fail("budget_line", "%q is not the key of a budget line", shorten(l.BudgetLine))
			return
		}
		if l.Key == "" || keys[l.Key] {
			fail("key", "%q is empty or given twice", shorten(l.Key))
		}
		keys[l.Key] = true
		for _, a := range [...]int64{l.Amount, l.Net, l.VAT, l.Gross} {
			if a > maxAmount || a < -maxAmount {
				fail("amount", "%d is out of range: at most 10^15 minor units", a)
				return
			}
		}
		if l.DocumentDate != "" {
			if _, err := civil.Parse(string(l.DocumentDate)); err != nil {
				fail("document_date", "%s", err)
				return
			}
		}
		if l.PaymentDate != "" {
			if _, err := civil.Parse(string(l.PaymentDate)); err != nil {
				fail("payment_date", "%s", err)
				return
			}
		}
		w.claimLines[i] = object[claimLineData]{claimLineType, claimLineData{
			ClaimLine: *l, index: i, document: dayOf(l.DocumentDate), paid: dayOf(l.PaymentDate), budget: line, recoverable: recovers,
		}}
		if l.VATRecoverable {
			w.claimLines[i].data.recoverable = &yes
		}
		g.add(&line.data.claimed, l.Amount)
		for i, key := range [...]string{"", line.data.Category, line.data.FunderCategory} {
			if i == 0 || key != "" {
				sum := sums[key]
				g.add(&sum, l.Amount)
				sums[key] = sum
			}
		}
	}
	w.claim = &object[claimData]{claimType, claimData{
		Claim: *claim, start: g.day("claim.period_start", claim.PeriodStart), end: g.day("claim.period_end", claim.PeriodEnd),
		lines: listOf(w.claimLines), sums: sums,
	}}
}

// budgetOf is the budget of one organisation, or of all.
func budgetOf(g *gathering, lines []object[budgetLineData], organisation string) ref.Val {
	sums := map[string]tally{}
	var values []ref.Val
	for i := range lines {
		l := &lines[i].data
		if organisation != "" && l.Organisation != organisation {
			continue
		}
		values = append(values, &lines[i])
		for i, key := range [...]string{"", l.Category, l.FunderCategory} {
			if i > 0 && key == "" {
				continue
			}
			t := sums[key]
			g.add(&t.amount, l.Amount)
			g.add(&t.reported, l.Reported)
			g.add(&t.claimed, l.claimed)
			g.add(&t.spent, l.Spent)
			sums[key] = t
		}
	}
	return &object[budgetData]{budgetType, budgetData{lines: types.NewRefValList(types.DefaultTypeAdapter, values), sums: sums}}
}
