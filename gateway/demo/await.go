package demo

import (
	"context"
	"fmt"
	"math/big"
	"net/url"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// outcome is what the services must have worked out from one another's events
// when all of them have arrived: it follows from the scenario alone.
type outcome struct {
	people, trained int            // different persons
	minutes         int            // attended
	spent           int64          // cents
	closed          int            // projects
	found           map[string]int // entries found by the label i3s, by kind
	alerts          int            // open
}

// expected is the outcome with the funded project, or without it.
func expected(funded bool) outcome {
	out := outcome{closed: 1, alerts: lateTasks + overspentLines, found: map[string]int{
		"NEED": interviewed, "SOLUTION": chainSolutions, "SERVICE_OFFERING": len(offerings), "IDEA": collectedIdeas, "JOB_PROFILE": jobProfiles,
		"EVENT": i3sEvents + workingTables,
	}}
	enrolled, trained := map[int]bool{}, map[int]bool{}
	for _, r := range runs() {
		r.people(func(place, n int, late bool) {
			enrolled[n] = true
			minutes, _ := r.attended(place, late)
			out.minutes += minutes
			if r.completes(place, late) {
				trained[n] = true
			}
		})
		if r.state == scheduled {
			for n := range convertedSeats {
				enrolled[firstInterested+n] = true
			}
		}
	}
	if funded {
		out.closed++
		out.spent += fundedSpent()
	}
	out.people, out.trained = len(enrolled), len(trained)
	for _, p := range plans {
		for _, b := range p.lines {
			for _, x := range b.spent {
				out.spent += x.amount.GetMinorUnits()
			}
		}
	}
	return out
}

// figures are what the automatic indicators must show, by title.
func (o outcome) figures() map[string]*big.Rat {
	return map[string]*big.Rat{
		"Persone iscritte":              big.NewRat(int64(o.people), 1),
		"Persone formate":               big.NewRat(int64(o.trained), 1),
		"Ore di formazione frequentate": big.NewRat(int64(o.minutes), 60),
		"Progetti chiusi":               big.NewRat(int64(o.closed), 1),
		"Importo speso":                 big.NewRat(o.spent, 100),
		"Abbinamenti attivati":          big.NewRat(acceptedMatches, 1),
	}
}

// await returns once everything that follows from events is there. Figures that
// are larger than the scenario's will do: the deployment may hold more.
func (l *loader) await(ctx context.Context) error {
	want := expected(l.people != nil)
	err := l.until(ctx, "the automatic indicators", func(ctx context.Context) (string, error) {
		all, err := l.rollUps(ctx)
		for title, least := range want.figures() {
			have, ok := new(big.Rat).SetString(all[title].GetTotal().GetValue().GetExact())
			if !ok || have.Cmp(least) < 0 {
				return fmt.Sprintf("“%s” is %q, not yet %s", title, all[title].GetTotal().GetValue().GetDecimal(), least.FloatString(2)), err
			}
		}
		return "", err
	})
	if err != nil {
		return err
	}
	err = l.until(ctx, "the search", func(ctx context.Context) (string, error) {
		found, err := l.search(ctx)
		for kind, least := range want.found {
			if found[kind] < least {
				return fmt.Sprintf("it finds %d of %d entries of the kind %s", found[kind], least, kind), err
			}
		}
		return "", err
	})
	if err != nil {
		return err
	}
	return l.until(ctx, "the alerts", func(ctx context.Context) (string, error) {
		p, err := l.portfolio(ctx)
		if n := p.GetTotal().GetOpenAlertCount(); n < int64(want.alerts) {
			return fmt.Sprintf("%d of %d are open", n, want.alerts), err
		}
		return "", err
	})
}

// rollUps returns the headline figures of the network, by title.
func (l *loader) rollUps(ctx context.Context) (map[string]*impactv1.RollUpResponse, error) {
	page := &impactv1.Dashboard{}
	err := l.get(ctx, "/v1/impactDashboard?startDate="+impactFrom+"&endDate="+impactTo, page)
	out := map[string]*impactv1.RollUpResponse{}
	for _, r := range page.GetRollUps() {
		out[r.GetIndicator().GetTitle().GetText()] = r
	}
	return out, err
}

// search counts the entries with the label i3s, by kind.
func (l *loader) search(ctx context.Context) (map[string]int, error) {
	query := url.Values{"tags": {i3s}, "facets": {cataloguev1.SearchFacet_SEARCH_FACET_KIND.String()}, "facetSize": {"10"}, "pageSize": {"1"}}
	answer := &cataloguev1.SearchResponse{}
	err := l.get(ctx, "/v1/catalogue:search?"+query.Encode(), answer)
	out := map[string]int{}
	for _, f := range answer.GetFacets() {
		for _, v := range f.GetValues() {
			out[kindWord(v.GetValue())] = int(v.GetCount())
		}
	}
	return out, err
}

func (l *loader) portfolio(ctx context.Context) (*projectsv1.Portfolio, error) {
	out := &projectsv1.Portfolio{}
	return out, l.get(ctx, "/v1/portfolio?groupBy=PORTFOLIO_GROUPING_PHASE", out)
}
