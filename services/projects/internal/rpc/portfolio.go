package rpc

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

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
	book    *portfolio.Book // nil until all was read
	changes store.PartChanges
}

// manyParts is from how many changed parts on everything is read at once.
const manyParts = 200

// refresh reads again what has changed. Counts of changes only grow, and a later
// snapshot has those of an earlier one too: where a count is not above the one
// that is known, another reader has seen at least as much.
func (c *portfolioCache) refresh(ctx context.Context, tx *sqldb.Tx) error {
	sums, err := store.PartSums(ctx, tx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	stale, known := store.PartChanges{}, c.changes.Sums()
	for area, n := range sums {
		if c.book == nil || n > known[area] {
			if err := store.AddPartChanges(ctx, tx, area, stale); err != nil {
				return err
			}
		}
	}
	if c.book != nil {
		maps.DeleteFunc(stale, func(part string, n int64) bool { return n <= c.changes[part] })
	}
	if c.book == nil || len(stale) > manyParts {
		return c.load(ctx, tx, stale)
	}
	for part, n := range stale {
		projects, err := store.Standing(ctx, tx, part)
		if err != nil {
			c.book = nil // some parts are of this snapshot by now, and some are not
			return err
		}
		c.book.Put(part, projects)
		c.changes[part] = n
	}
	return nil
}

// load reads all projects, of which some parts have changed so often.
func (c *portfolioCache) load(ctx context.Context, tx *sqldb.Tx, changes store.PartChanges) error {
	all, err := store.Standing(ctx, tx, "")
	if err != nil {
		return err
	}
	parts := make(map[string][]*portfolio.Project, 4096)
	for _, p := range all {
		at := store.PartOf(p.ID)
		parts[at] = append(parts[at], p)
	}
	if c.book == nil {
		c.changes = store.PartChanges{}
	}
	maps.Copy(c.changes, changes)
	c.book = portfolio.NewBook()
	for part, projects := range parts {
		c.book.Put(part, projects)
	}
	return nil
}

// portfolioInterval is how often what has changed is read without anybody asking:
// whoever asks then waits for little.
const portfolioInterval = 5 * time.Second

// KeepPortfolio keeps the portfolio in memory near what it is until its context
// ends. It begins by reading all of it, so that nobody who asks waits for that.
func (s *Server) KeepPortfolio(ctx context.Context) error {
	ticker := time.NewTicker(portfolioInterval)
	defer ticker.Stop()
	for {
		if err := s.db.Read(ctx, s.portfolio.refresh); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// mostGroups is how many groups an answer has.
const mostGroups = 1000

// QueryPortfolio sums up many projects.
func (s *Server) QueryPortfolio(ctx context.Context, req *projectsv1.QueryPortfolioRequest) (*projectsv1.Portfolio, error) {
	by := portfolio.Grouping(word(projectsv1.PortfolioGrouping_name, "PORTFOLIO_GROUPING_", req.GetGroupBy()))
	if err := s.db.Read(ctx, s.portfolio.refresh); err != nil {
		return nil, err
	}
	s.portfolio.mu.RLock()
	got, err := s.portfolio.book.Query(req.GetFilter(), by, s.today())
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
