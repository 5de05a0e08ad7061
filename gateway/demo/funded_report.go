package demo

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// sums are the amounts of claims, in cents.
type sums struct{ claimed, cut, parked, certified, paid int64 }

func (s *sums) add(x sums) {
	s.claimed, s.cut, s.parked, s.certified, s.paid = s.claimed+x.claimed, s.cut+x.cut, s.parked+x.parked, s.certified+x.certified, s.paid+x.paid
}

// expectedClaims works out from the scenario what is claimed from each funder and
// what comes of it. A funder's share of each line is rounded down to the cent.
func expectedClaims() map[string]sums {
	out := map[string]sums{}
	for _, f := range patrons {
		var total sums
		for _, partner := range fundedPartners {
			waiting := []cost{} // parked in the period before
			for _, period := range fundedPeriods {
				taken := append([]cost{}, waiting...)
				waiting = nil
				for _, c := range fundedCosts {
					if c.period == period[0] && lineOf(c.line).partner == partner {
						taken = append(taken, c)
					}
				}
				staff := int64(0)
				for _, c := range taken {
					b := lineOf(c.line)
					x := sums{claimed: c.amount}
					switch r := rulingOf(f.key, period[0], c.number); {
					case r == nil:
					case r.cut > 0:
						x.cut = r.cut
					default:
						x.parked, waiting = c.amount, append(waiting, c)
					}
					x.certified = x.claimed - x.cut - x.parked
					x.paid = x.certified * b.share(f) / whole
					if b.category == staffCost {
						staff += c.amount
					}
					total.add(x)
				}
				for _, b := range fundedLines {
					if b.flat > 0 && b.partner == partner {
						amount := staff * b.flat / whole
						total.add(sums{claimed: amount, certified: amount, paid: amount * b.share(f) / whole})
					}
				}
			}
		}
		out[f.key] = total
	}
	return out
}

// fundedSpent is the sum of all costs, in cents.
func fundedSpent() (sum int64) {
	for _, c := range fundedCosts {
		sum += c.amount
	}
	return sum
}

// fundedAnswers are what the platform says of the funded project.
type fundedAnswers struct {
	project   *projectsv1.Project
	moves     int
	atGate    string // why the first request to pass a gate was rejected
	inClaim   string // why a claim was refused, as noted with the cost
	summary   *projectsv1.BudgetSummary
	claims    []*projectsv1.Claim
	seen      map[string]int // claims that each funder's people see
	portfolio *projectsv1.Portfolio
	report    []byte // closing report
	lessons   int    // that somebody of another organisation finds
}

// gatherFunded asks for everything about the funded project, of each person what
// that person may see.
func (l *loader) gatherFunded(ctx context.Context, a *answers) error {
	if l.people == nil {
		return nil
	}
	out := &fundedAnswers{project: a.projects[projectFunded], seen: map[string]int{}, summary: &projectsv1.BudgetSummary{}, portfolio: &projectsv1.Portfolio{}}
	name := out.project.GetName()
	who, err := l.theCast()
	if err != nil {
		return err
	}
	moves := &projectsv1.ListPhaseMovesResponse{}
	all, err := list(ctx, l, "/v1/"+name+"/phaseMoves", "", moves, moves.GetPhaseMoves)
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.GetFrom() != projectsv1.Phase_PHASE_UNSPECIFIED { // the first is the project's opening
			out.moves++
		}
	}
	if out.atGate, err = l.rejected(ctx, name, "rfp"); err != nil {
		return err
	}
	spent, err := l.expenditureNumbers(ctx, name)
	if err != nil {
		return err
	}
	for _, c := range fundedCosts {
		if c.asked > 0 {
			out.inClaim = spent[c.number].GetAmountNote()
		}
	}
	if err := who.manager.get(ctx, "/v1/"+name+"/budgetSummary", out.summary); err != nil {
		return err
	}
	if out.claims, err = l.listClaims(ctx, name); err != nil {
		return err
	}
	for key, controller := range who.controllers {
		seen, err := controller.listClaims(ctx, name)
		if err != nil {
			return err
		}
		out.seen[key] = len(seen)
	}
	filter := url.Values{"filter": {fmt.Sprintf("programme = %q", fundedProgramme)}, "groupBy": {projectsv1.PortfolioGrouping_PORTFOLIO_GROUPING_FUNDER.String()}}
	if err := l.get(ctx, "/v1/portfolio?"+filter.Encode(), out.portfolio); err != nil {
		return err
	}
	if out.report, err = who.manager.download(ctx, "/v1/"+name+"/closingReport?languageCode=it"); err != nil {
		return err
	}
	a.funded = out
	return who.outsider.findLessons(ctx, out)
}

// findLessons searches the network's lessons for those of the funded project.
func (l *loader) findLessons(ctx context.Context, out *fundedAnswers) error {
	for _, words := range []string{"fatture IVA recuperabile", "foglio firme trasferte"} {
		hits := &projectsv1.SearchLessonsResponse{}
		if err := l.get(ctx, "/v1/lessons:search?"+url.Values{"query": {words}}.Encode(), hits); err != nil {
			return err
		}
		for _, h := range hits.GetHits() {
			if h.GetLesson().GetOrganisation() == out.project.GetOrganisation() && slices.Contains(h.GetLesson().GetTags(), projectFunded) {
				out.lessons++
				break
			}
		}
	}
	return nil
}

// byFunder sums the claims as the platform has them, by the funder's key.
func (x *fundedAnswers) byFunder() map[string]sums {
	out := map[string]sums{}
	for _, c := range x.claims {
		s := out[c.GetFunder()]
		s.add(sums{c.GetClaimed().GetMinorUnits(), c.GetCut().GetMinorUnits(), c.GetParked().GetMinorUnits(), c.GetCertified().GetMinorUnits(), c.GetPaid().GetMinorUnits()})
		out[c.GetFunder()] = s
	}
	return out
}

// fundedSection tells of the funded project as a person reads it.
func (a *answers) fundedSection() []Section {
	x := a.funded
	if x == nil {
		return nil
	}
	lines := [][2]string{
		{"project", fmt.Sprintf("%s, %s, %d partners, %d funders", x.project.GetAcronym(), phaseWord(x.project.GetPhase()), len(x.project.GetPartners()), len(x.project.GetFunders()))},
		{"refused at the gate", x.atGate},
		{"refused in a claim", x.inClaim},
	}
	have := x.byFunder()
	for _, f := range patrons {
		s := have[f.key]
		lines = append(lines, [2]string{funderName(f.organisation), fmt.Sprintf("claimed %s, cut %s, parked %s, certified %s, paid %s",
			amount(cents(s.claimed)), amount(cents(s.cut)), amount(cents(s.parked)), amount(cents(s.certified)), amount(cents(s.paid)))})
	}
	for _, r := range rulings {
		what := "cut"
		if r.cut == 0 {
			what = "parked"
		}
		lines = append(lines, [2]string{what + ", " + r.number, r.reason})
	}
	return []Section{{"A funded project, sample, from its request to its closing", lines}}
}

// fundedFigures are those of the funded project: what the scenario adds up to,
// each next to the platform's answer.
func (a *answers) fundedFigures() []Figure {
	x := a.funded
	if x == nil {
		return nil
	}
	number := func(what string, want, got int) Figure {
		return Figure{"Funded project: " + what, fmt.Sprint(want), fmt.Sprint(got)}
	}
	money := func(what string, want, got int64) Figure {
		return Figure{"Funded project: " + what, amount(cents(want)), amount(cents(got))}
	}
	refusals := 0
	for _, why := range []string{x.atGate, x.inClaim} {
		if why != "" {
			refusals++
		}
	}
	var planned int64
	for _, b := range fundedLines {
		planned += b.planned()
	}
	total := x.summary.GetTotals().GetTotal()
	out := []Figure{
		number("gates passed", 4, x.moves),
		number("refusals, told and corrected", 2, refusals),
		money("budget", planned, total.GetPlanned().GetMinorUnits()),
		money("spent on documents", fundedSpent(), spentOf(x.portfolio)),
	}
	want, have := expectedClaims(), x.byFunder()
	for _, f := range patrons {
		s, p, who := want[f.key], have[f.key], funderName(f.organisation)
		out = append(out,
			money(who+", claimed", s.claimed, p.claimed), money(who+", cut", s.cut, p.cut), money(who+", certified", s.certified, p.certified), money(who+", paid", s.paid, p.paid),
			number(who+", claims seen", len(fundedPartners)*len(fundedPeriods), x.seen[f.key]))
	}
	for _, t := range x.portfolio.GetTotal().GetTotals() {
		out = append(out,
			Figure{"Funded project: portfolio against budget, reported", amount(total.GetReported()), amount(t.GetReported())},
			Figure{"Funded project: portfolio against budget, certified", amount(total.GetCertified()), amount(t.GetCertified())},
			money("portfolio, paid by both funders", want[esf].paid+want[grantMaker].paid, t.GetPaid().GetMinorUnits()))
	}
	beginning := string(x.report[:min(5, len(x.report))])
	return append(out, number("lessons found by another organisation", len(fundedLessons), x.lessons), Figure{"Funded project: the closing report is", "%PDF-", beginning})
}

func spentOf(p *projectsv1.Portfolio) (sum int64) {
	for _, t := range p.GetTotal().GetTotals() {
		sum += t.GetSpent().GetMinorUnits()
	}
	return sum
}
