package rpc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/claims"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// CreateClaim opens a claim.
func (s *Server) CreateClaim(ctx context.Context, req *projectsv1.CreateClaimRequest) (*projectsv1.Claim, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	m := req.GetClaim()
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Claim, error) {
		p, err := lockShared(ctx, tx, project, req.GetParent())
		if err != nil {
			return nil, err
		}
		if p.HasPartner(m.GetOrganisation()) && !costsOf(ctx, p, m.GetOrganisation()) {
			return nil, errs.New(errs.PermissionDenied, domain.LeadOnly, "only the lead partner claims for others").With("resource", p.Name())
		}
		number, err := store.CountClaims(ctx, tx, project, m.GetOrganisation(), m.GetFunder())
		if err != nil {
			return nil, err
		}
		c := &claims.Claim{ID: s.newID(), Organisation: m.GetOrganisation(), Funder: m.GetFunder(), Period: m.GetPeriod(),
			Start: civil.Date(m.GetStartDate()), End: civil.Date(m.GetEndDate()), Final: m.GetFinal()}
		event, err := claims.Open(p, c, number+1, actor(ctx), s.now())
		if err != nil {
			return nil, err
		}
		store.InsertClaim(tx, c)
		store.AddClaimEvent(tx, c, event)
		return claimProto(&store.ClaimView{Claim: c, Card: p.Card}), nil
	})
}

// GetClaim reads a claim.
func (s *Server) GetClaim(ctx context.Context, req *projectsv1.GetClaimRequest) (*projectsv1.Claim, error) {
	project, id, err := claimOf(req.GetName())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Claim, error) {
		_, v, err := seeClaim(ctx, tx, project, id, req.GetName())
		if err != nil {
			return nil, err
		}
		return claimProto(v), nil
	})
}

// ListClaims lists the claims that the caller may see.
func (s *Server) ListClaims(ctx context.Context, req *projectsv1.ListClaimsRequest) (*projectsv1.ListClaimsResponse, error) {
	project, err := parentOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	plan, err := store.Claims.Plan(req, binding(ctx, project)...)
	if err != nil {
		return nil, err
	}
	scope := store.ClaimScope{Partner: heldAs(ctx, partRoles...).Where, Lead: heldAs(ctx, leadRoles...).Where, Funder: funds(ctx).Where}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListClaimsResponse, error) {
		if project != "" {
			p, err := store.Project(ctx, tx, project)
			if err != nil {
				return nil, err
			}
			if _, err := costsIn(ctx, tx, p); err != nil {
				return nil, err
			}
		}
		items, next, err := store.ListClaims(ctx, tx, plan, project, scope)
		return &projectsv1.ListClaimsResponse{Claims: each(items, claimProto), NextPageToken: next}, err
	})
}

// AddClaimLines puts expenditures into a claim.
func (s *Server) AddClaimLines(ctx context.Context, req *projectsv1.AddClaimLinesRequest) (*projectsv1.Claim, error) {
	return s.prepare(ctx, req, "LINES_ADDED", func(ctx context.Context, tx *sqldb.Tx, p *domain.Project, c *claims.Claim) error {
		var added []*claims.Line
		seen := map[string]bool{}
		for i, x := range req.GetLines() {
			path := fmt.Sprintf("lines[%d].expenditure", i)
			absent := errs.InvalidField(domain.ExpenditureUnavailable, path, "%s is not an expenditure of %s in the project", x.GetExpenditure(), c.Organisation)
			if !sameProject(p.ID, x.GetExpenditure()) {
				return absent
			}
			if seen[x.GetExpenditure()] {
				return errs.InvalidField(domain.ExpenditureUnavailable, path, "%s is given twice", x.GetExpenditure())
			}
			seen[x.GetExpenditure()] = true
			a, err := store.AvailableFor(ctx, tx, c, childID(x.GetExpenditure()))
			if errors.Is(err, sqldb.ErrNoRows) || err == nil && a.Expenditure.Organisation != c.Organisation {
				return absent
			}
			if err != nil {
				return err
			}
			var amount int64
			if m := x.GetAmount(); m != nil {
				if m.GetCurrencyCode() != c.Currency {
					return errs.InvalidField(domain.CurrencyMismatch, fmt.Sprintf("lines[%d].amount", i), "is in %q, but the project's currency is %s", m.GetCurrencyCode(), c.Currency)
				}
				if amount = m.GetMinorUnits(); amount < 1 {
					return errs.InvalidField(domain.AmountWrong, fmt.Sprintf("lines[%d].amount", i), "must be at least 1 minor unit, is %d", amount)
				}
			}
			l, err := c.Add(a, s.newID(), amount, path)
			if err != nil {
				return err
			}
			added = append(added, l)
		}
		return insertLines(ctx, tx, c, added)
	})
}

// insertLines stores new lines, and tells those of earlier claims that they take
// up again.
func insertLines(ctx context.Context, tx *sqldb.Tx, c *claims.Claim, lines []*claims.Line) error {
	store.InsertClaimLines(tx, c, lines)
	for _, l := range lines {
		if l.ParkedIn == "" {
			continue
		}
		old, err := earlierLine(ctx, tx, l)
		if err != nil {
			return err
		}
		old.TakeUp(claims.LineName(c.Project, c.ID, l.ID))
		store.SaveClaimLine(tx, old)
	}
	return nil
}

func earlierLine(ctx context.Context, tx *sqldb.Tx, l *claims.Line) (*claims.Line, error) {
	project, claim, line, err := claimLineOf(l.ParkedIn)
	if err != nil {
		return nil, err
	}
	return store.ClaimLine(ctx, tx, project, claim, line)
}

// letGo tells the lines of earlier claims that what they had parked is not taken
// up any more.
func letGo(ctx context.Context, tx *sqldb.Tx, lines []*claims.Line) error {
	for _, l := range lines {
		if l.ParkedIn == "" {
			continue
		}
		old, err := earlierLine(ctx, tx, l)
		if err != nil {
			return err
		}
		old.LetGo()
		store.SaveClaimLine(tx, old)
	}
	return nil
}

// RemoveClaimLines takes lines out of a claim.
func (s *Server) RemoveClaimLines(ctx context.Context, req *projectsv1.RemoveClaimLinesRequest) (*projectsv1.Claim, error) {
	return s.prepare(ctx, req, "LINES_REMOVED", func(ctx context.Context, tx *sqldb.Tx, _ *domain.Project, c *claims.Claim) error {
		var gone []*claims.Line
		for _, name := range req.GetLines() {
			project, claim, id, err := claimLineOf(name)
			if err != nil {
				return err
			}
			if project != c.Project || claim != c.ID {
				return errs.AbsentResource(name)
			}
			l, err := store.ClaimLine(ctx, tx, project, claim, id)
			if err != nil {
				return err
			}
			if err := c.Remove(l); err != nil {
				return err
			}
			store.DeleteClaimLine(tx, l.ID)
			gone = append(gone, l)
		}
		return letGo(ctx, tx, gone)
	})
}

// CollectClaimLines fills a claim with all that can be claimed.
func (s *Server) CollectClaimLines(ctx context.Context, req *projectsv1.CollectClaimLinesRequest) (*projectsv1.Claim, error) {
	return s.prepare(ctx, req, "LINES_COLLECTED", func(ctx context.Context, tx *sqldb.Tx, _ *domain.Project, c *claims.Claim) error {
		all, err := store.Collectable(ctx, tx, c)
		if err != nil {
			return err
		}
		var added []*claims.Line
		for _, a := range all {
			if a.Left() == 0 {
				continue
			}
			l, err := c.Add(a, s.newID(), 0, "name")
			if err != nil {
				return err
			}
			added = append(added, l)
		}
		return insertLines(ctx, tx, c, added)
	})
}

// claimRequest is a request about a claim as it was last read.
type claimRequest interface {
	GetName() string
	GetEtag() string
}

// prepare changes what is claimed, and brings the flat rates in step.
func (s *Server) prepare(ctx context.Context, req mutation, what string, change func(ctx context.Context, tx *sqldb.Tx, p *domain.Project, c *claims.Claim) error) (*projectsv1.Claim, error) {
	return s.changeClaim(ctx, req, prepares, func(ctx context.Context, tx *sqldb.Tx, p *domain.Project, v *store.ClaimView) (claims.Event, error) {
		c := v.Claim
		if err := c.Preparing(p); err != nil {
			return claims.Event{}, err
		}
		if err := change(ctx, tx, p, c); err != nil {
			return claims.Event{}, err
		}
		if err := s.settleFlat(ctx, tx, p, c); err != nil {
			return claims.Event{}, err
		}
		return c.Changed(what, actor(ctx), s.now()), nil
	})
}

// settleFlat brings the flat rates of a claim in preparation in step with its
// other lines.
func (s *Server) settleFlat(ctx context.Context, tx *sqldb.Tx, p *domain.Project, c *claims.Claim) error {
	flats, err := flatLines(ctx, tx, p, c)
	if err != nil {
		return err
	}
	have, err := store.FlatClaimLines(ctx, tx, c.ID)
	if err != nil || len(flats)+len(have) == 0 {
		return err
	}
	base, err := store.ClaimBase(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	changed, added, gone, err := c.SettleFlat(p, flats, base, have, s.newID)
	if err != nil {
		return err
	}
	saveFlat(tx, c, changed, added, gone)
	return nil
}

func saveFlat(tx *sqldb.Tx, c *claims.Claim, changed, added, gone []*claims.Line) {
	for _, l := range changed {
		store.SaveClaimLine(tx, l)
	}
	for _, l := range gone {
		store.DeleteClaimLine(tx, l.ID)
	}
	store.InsertClaimLines(tx, c, added)
}

// flatLines reads the flat rates among the budget lines of a claim's partner.
func flatLines(ctx context.Context, tx *sqldb.Tx, p *domain.Project, c *claims.Claim) ([]*domain.Line, error) {
	all, err := store.AllLines(ctx, tx, p.ID, store.Everything)
	return slices.DeleteFunc(all, func(l *domain.Line) bool { return l.Organisation != c.Organisation || l.Method != domain.FlatRate }), err
}

// seeClaimIn reads the parent of a list in a claim that the caller may see.
func seeClaimIn(ctx context.Context, tx *sqldb.Tx, parent string) (*claims.Claim, error) {
	project, id, err := claimOf(parent)
	if err != nil {
		return nil, err
	}
	_, v, err := seeClaim(ctx, tx, project, id, parent)
	if err != nil {
		return nil, err
	}
	return v.Claim, nil
}

// GetClaimLine reads a line.
func (s *Server) GetClaimLine(ctx context.Context, req *projectsv1.GetClaimLineRequest) (*projectsv1.ClaimLine, error) {
	project, claim, id, err := claimLineOf(req.GetName())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ClaimLine, error) {
		_, v, err := seeClaim(ctx, tx, project, claim, req.GetName())
		if err != nil {
			return nil, err
		}
		l, err := store.ClaimLine(ctx, tx, project, claim, id)
		if err != nil {
			return nil, err
		}
		return claimLineProto(v.Claim)(l), nil
	})
}

// ListClaimLines lists a claim's lines.
func (s *Server) ListClaimLines(ctx context.Context, req *projectsv1.ListClaimLinesRequest) (*projectsv1.ListClaimLinesResponse, error) {
	plan, err := store.ClaimLines.Plan(req, binding(ctx, req.GetParent())...)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListClaimLinesResponse, error) {
		c, err := seeClaimIn(ctx, tx, req.GetParent())
		if err != nil {
			return nil, err
		}
		items, next, err := store.ListClaimLines(ctx, tx, plan, c.ID)
		return &projectsv1.ListClaimLinesResponse{Lines: each(items, claimLineProto(c)), NextPageToken: next}, err
	})
}

// ListClaimFindings lists what was found in a claim as it was submitted.
func (s *Server) ListClaimFindings(ctx context.Context, req *projectsv1.ListClaimFindingsRequest) (*projectsv1.ListClaimFindingsResponse, error) {
	plan, err := store.ClaimFindings.Plan(req, binding(ctx, req.GetParent())...)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListClaimFindingsResponse, error) {
		c, err := seeClaimIn(ctx, tx, req.GetParent())
		if err != nil {
			return nil, err
		}
		items, next, err := store.ListClaimFindings(ctx, tx, plan, c.ID)
		return &projectsv1.ListClaimFindingsResponse{Findings: each(items, findingProto(ctx, c)), NextPageToken: next}, err
	})
}

// ListClaimEvents lists a claim's history.
func (s *Server) ListClaimEvents(ctx context.Context, req *projectsv1.ListClaimEventsRequest) (*projectsv1.ListClaimEventsResponse, error) {
	plan, err := store.ClaimEvents.Plan(req, binding(ctx, req.GetParent())...)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListClaimEventsResponse, error) {
		c, err := seeClaimIn(ctx, tx, req.GetParent())
		if err != nil {
			return nil, err
		}
		items, next, err := store.ListClaimEvents(ctx, tx, plan, c.ID)
		return &projectsv1.ListClaimEventsResponse{Events: each(items, claimEventProto(c)), NextPageToken: next}, err
	})
}
