package rpc

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/money"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/portfolio"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// portfolioCache keeps what a portfolio knows of all projects in memory, by
// parts. Before every reading it asks, in the reader's own snapshot, which parts
// have changed, and reads those again: so a reading is as fresh as the database
// on every replica.
type portfolioCache struct {
	mu      sync.RWMutex
	loaded  bool
	parts   map[string][]*portfolio.Project
	changes map[string]int64
}

// manyParts is from how many changed parts on everything is read at once.
const manyParts = 200

// refresh reads again what has changed.
func (c *portfolioCache) refresh(ctx context.Context, tx *sqldb.Tx) error {
	now, err := store.Parts(ctx, tx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var stale []string
	for part, n := range now {
		if n > c.changes[part] { // another reader may have a later snapshot already
			stale = append(stale, part)
		}
	}
	if !c.loaded || len(stale) > manyParts {
		all, err := store.Standing(ctx, tx, "")
		if err != nil {
			return err
		}
		parts := make(map[string][]*portfolio.Project, 4096)
		for _, p := range all {
			at := store.PartOf(p.ID)
			parts[at] = append(parts[at], p)
		}
		for part, n := range c.changes {
			if c.loaded && n > now[part] { // read in a later snapshot than this one
				parts[part], now[part] = c.parts[part], n
			}
		}
		c.loaded, c.parts, c.changes = true, parts, now
		return nil
	}
	for _, part := range stale {
		if c.parts[part], err = store.Standing(ctx, tx, part); err != nil {
			c.loaded = false // what was read is of no known age
			return err
		}
		c.changes[part] = now[part]
	}
	return nil
}

// all goes over the projects. It must be called under the lock.
func (c *portfolioCache) all(yield func(*portfolio.Project) bool) {
	for _, part := range c.parts {
		for _, p := range part {
			if !yield(p) {
				return
			}
		}
	}
}

// mostGroups is how many groups an answer has.
const mostGroups = 1000

// QueryPortfolio sums up many projects.
func (s *Server) QueryPortfolio(ctx context.Context, req *projectsv1.QueryPortfolioRequest) (*projectsv1.Portfolio, error) {
	match, err := portfolio.Parse(req.GetFilter())
	if err != nil {
		return nil, err
	}
	by := portfolio.Grouping(word(projectsv1.PortfolioGrouping_name, "PORTFOLIO_GROUPING_", req.GetGroupBy()))
	if err := s.db.Read(ctx, s.portfolio.refresh); err != nil {
		return nil, err
	}
	s.portfolio.mu.RLock()
	got, err := portfolio.Query(s.portfolio.all, match, by, s.today())
	s.portfolio.mu.RUnlock()
	if errors.Is(err, portfolio.ErrOverflow) {
		return nil, errs.New(errs.FailedPrecondition, domain.AmountWrong, "the sum of the projects does not fit: select fewer")
	}
	if err != nil {
		return nil, err
	}
	out := &projectsv1.Portfolio{Total: sumProto(got.Total), GroupCount: int32(len(got.Groups)), GroupsOverlap: by.Overlap(), AsOfTime: timeProto(s.now())}
	if len(got.Groups) > mostGroups {
		slices.SortStableFunc(got.Groups, func(a, b portfolio.Group) int { return cmp.Compare(b.Projects, a.Projects) })
		got.Groups = got.Groups[:mostGroups]
		slices.SortFunc(got.Groups, func(a, b portfolio.Group) int { return cmp.Compare(a.Key, b.Key) })
	}
	for _, g := range got.Groups {
		key := g.Key
		if by == portfolio.ByPhase {
			key = "PHASE_" + key
		}
		out.Groups = append(out.Groups, &projectsv1.PortfolioGroup{Key: key, Sum: sumProto(g.Sum)})
	}
	return out, nil
}

func sumProto(x portfolio.Sum) *projectsv1.PortfolioSum {
	out := &projectsv1.PortfolioSum{ProjectCount: x.Projects, LateCount: x.Late, AtRiskCount: x.AtRisk, OpenAlertCount: x.Open}
	for _, m := range x.Money {
		amount := func(a portfolio.Amount) money.Amount { return money.Amount{Minor: m.Amounts[a], Currency: m.Currency} }
		out.Totals = append(out.Totals, &projectsv1.CurrencyTotal{
			Granted: moneyProto(amount(portfolio.Granted)), Planned: moneyProto(amount(portfolio.Planned)), Spent: moneyProto(amount(portfolio.Spent)),
			Reported: moneyProto(amount(portfolio.Reported)), Certified: moneyProto(amount(portfolio.Certified)), Paid: moneyProto(amount(portfolio.Paid)),
		})
	}
	return out
}
