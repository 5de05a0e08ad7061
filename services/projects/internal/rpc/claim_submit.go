package rpc

import (
	"context"
	"errors"
	"slices"
	"strings"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/claims"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// mostFindings is how many findings one answer holds, and how many are kept with
// a claim.
const mostFindings = 10_000

// CheckClaim holds a claim against the rules.
func (s *Server) CheckClaim(ctx context.Context, req *projectsv1.CheckClaimRequest) (*projectsv1.CheckClaimResponse, error) {
	project, id, err := claimOf(req.GetName())
	if err != nil {
		return nil, err
	}
	known, err := s.bodiesOf(ctx, project, id)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.CheckClaimResponse, error) {
		p, v, err := seeClaim(ctx, tx, project, id, req.GetName())
		if err != nil {
			return nil, err
		}
		x, err := s.examine(ctx, tx, p, v.Claim, known)
		if err != nil {
			return nil, err
		}
		return &projectsv1.CheckClaimResponse{Claim: claimProto(v), Findings: each(x.findings, findingProto(ctx, v.Claim)),
			Blocked: slices.ContainsFunc(x.findings, func(f claims.Finding) bool { return f.Block })}, nil
	})
}

// SubmitClaim hands a claim in.
func (s *Server) SubmitClaim(ctx context.Context, req *projectsv1.SubmitClaimRequest) (*projectsv1.Claim, error) {
	project, id, err := claimOf(req.GetName())
	if err != nil {
		return nil, err
	}
	known, err := s.bodiesOf(ctx, project, id)
	if err != nil {
		return nil, err
	}
	return s.changeClaim(ctx, req, prepares, func(ctx context.Context, tx *sqldb.Tx, p *domain.Project, v *store.ClaimView) (claims.Event, error) {
		c := v.Claim
		if err := c.Preparing(p); err != nil {
			return claims.Event{}, err
		}
		// First the lock on the documents: what is read after it stays true until
		// the end of the transaction, whatever other projects do.
		if err := store.LockDocuments(ctx, tx, c); err != nil {
			return claims.Event{}, err
		}
		x, err := s.examine(ctx, tx, p, c, known)
		if err != nil {
			return claims.Event{}, err
		}
		event, err := c.Submit(p, x.rules, x.findings, actor(ctx), s.now())
		if err != nil {
			return event, withPlaces(ctx, err, x.findings)
		}
		added := map[string]bool{}
		for _, l := range x.added {
			added[l.ID] = true
		}
		for _, l := range x.lines {
			if !added[l.ID] {
				store.SaveClaimLine(tx, l)
			}
		}
		saveFlat(tx, c, nil, x.added, x.gone)
		store.ReplaceFindings(tx, c.ID, x.findings)
		return event, nil
	})
}

// withPlaces names in the error for double funding the other places that the
// caller may see.
func withPlaces(ctx context.Context, err error, findings []claims.Finding) error {
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || e.Reason != domain.DoubleFunding {
		return err
	}
	var all []domain.SameDocument
	for _, f := range findings {
		if f.Rule == claims.RuleDoubleFunding {
			all = append(all, f.Places...)
		}
	}
	places, elsewhere := placesFor(ctx, all)
	slices.Sort(places)
	e = e.With("places", listOf(slices.Compact(places)))
	if elsewhere {
		e = e.With("elsewhere", "true")
	}
	return e
}

// examination is a claim as it was held against the rules.
type examination struct {
	rules    claims.Rules
	findings []claims.Finding // those that block first
	lines    []*claims.Line   // as they would be submitted
	added    []*claims.Line   // of lines: flat rates that are new
	gone     []*claims.Line   // flat rates that are no more
}

// gathered is a claim with what it is held against.
type gathered struct {
	subjects []*claims.Subject
	budget   []*domain.Line
	own      map[string]*domain.Line // of budget: the partner's, by id
	reported map[string]int64        // of the budget lines, in earlier claims
}

// preparing reports whether a claim still follows its expenditures.
func preparing(c *claims.Claim) bool { return !c.State.Standing() && c.State != claims.Withdrawn }

// gather reads a claim's lines and the budget. One in preparation is brought in
// step with its expenditures and the budget, in memory only.
func (s *Server) gather(ctx context.Context, tx *sqldb.Tx, p *domain.Project, c *claims.Claim, x *examination) (*gathered, error) {
	g := &gathered{own: map[string]*domain.Line{}}
	var err error
	if g.subjects, err = store.CheckedLines(ctx, tx, c); err != nil {
		return nil, err
	}
	if g.budget, err = store.AllLines(ctx, tx, p.ID, store.Everything); err != nil {
		return nil, err
	}
	for _, b := range g.budget {
		if b.Organisation == c.Organisation {
			g.own[b.ID] = b
		}
	}
	if preparing(c) {
		if g.subjects, err = s.inStep(p, c, g.subjects, g.own, x); err != nil {
			return nil, err
		}
	}
	g.reported, err = store.ReportedOn(ctx, tx, c)
	return g, err
}

// examine holds a claim against the service's own rules and the funder's.
func (s *Server) examine(ctx context.Context, tx *sqldb.Tx, p *domain.Project, c *claims.Claim, known bodies) (*examination, error) {
	x := &examination{}
	g, err := s.gather(ctx, tx, p, c, x)
	if err != nil {
		return nil, err
	}
	if preparing(c) {
		around, err := circumstances(ctx, tx, c, g.own, g.reported)
		if err != nil {
			return nil, err
		}
		if x.findings, err = c.Check(p, g.subjects, around); err != nil {
			return nil, err
		}
		if err := findPlaces(ctx, tx, x.findings); err != nil {
			return nil, err
		}
	}
	for _, y := range g.subjects {
		x.lines = append(x.lines, y.Line)
	}
	found, err := s.byRules(ctx, tx, p, c, g, known, x)
	x.findings = append(x.findings, found...)
	slices.SortStableFunc(x.findings, func(a, b claims.Finding) int {
		switch {
		case a.Block == b.Block:
			return 0
		case a.Block:
			return -1
		}
		return 1
	})
	x.findings = x.findings[:min(len(x.findings), mostFindings)]
	return x, err
}

// inStep brings the lines in step with the budget lines that their expenditures
// are on now, and the flat rates with them.
func (s *Server) inStep(p *domain.Project, c *claims.Claim, subjects []*claims.Subject, own map[string]*domain.Line, x *examination) ([]*claims.Subject, error) {
	var real []*claims.Subject
	var lines, flat []*claims.Line
	for _, y := range subjects {
		if y.Expenditure == nil {
			flat = append(flat, y.Line)
			continue
		}
		y.Line.BudgetLine = y.Expenditure.Line
		if b := own[y.Line.BudgetLine]; b != nil {
			y.Line.Category = b.Category
		}
		real, lines = append(real, y), append(lines, y.Line)
	}
	var flats []*domain.Line
	for _, b := range own {
		if b.Method == domain.FlatRate {
			flats = append(flats, b)
		}
	}
	slices.SortFunc(flats, func(a, b *domain.Line) int { return strings.Compare(a.ID, b.ID) })
	if len(flats)+len(flat) == 0 {
		return subjects, nil
	}
	_, added, gone, err := c.SettleFlat(p, flats, claims.BaseOf(lines), flat, s.newID)
	if err != nil {
		return nil, err
	}
	x.added, x.gone = added, gone
	for _, l := range flat {
		if !slices.Contains(gone, l) {
			real = append(real, &claims.Subject{Line: l})
		}
	}
	for _, l := range added {
		real = append(real, &claims.Subject{Line: l})
	}
	return real, nil
}

// circumstances reads what else the service's own rules look at.
func circumstances(ctx context.Context, tx *sqldb.Tx, c *claims.Claim, own map[string]*domain.Line, reported map[string]int64) (claims.Circumstances, error) {
	around := claims.Circumstances{Lines: own, Reported: reported}
	var err error
	if around.Completed, err = store.Completed(ctx, tx, c.Project); err != nil {
		return around, err
	}
	if around.Others, err = store.OtherTotals(ctx, tx, c); err != nil {
		return around, err
	}
	if around.Issuers, err = store.OtherIssuers(ctx, tx, c); err != nil {
		return around, err
	}
	if around.Funded, err = store.Funded(ctx, tx, c); err != nil {
		return around, err
	}
	around.GrantUsed, err = store.GrantUsed(ctx, tx, c)
	return around, err
}

// findPlaces reads where else the documents of double funding are claimed.
func findPlaces(ctx context.Context, tx *sqldb.Tx, findings []claims.Finding) error {
	known := map[string][]domain.SameDocument{}
	for i, f := range findings {
		if f.Rule != claims.RuleDoubleFunding {
			continue
		}
		key := f.Places[0].Key
		if _, seen := known[key]; !seen {
			places, err := store.ClaimedWith(ctx, tx, key)
			if err != nil {
				return err
			}
			known[key] = places
		}
		findings[i].Places = known[key]
	}
	return nil
}
