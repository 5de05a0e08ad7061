package rpc

import (
	"context"
	"errors"

	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
	"github.com/trama-suite/trama/services/matching/internal/domain"
	"github.com/trama-suite/trama/services/matching/internal/domain/scoring"
	"github.com/trama-suite/trama/services/matching/internal/store"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// ListCandidates implements MatchService.
func (s *Server) ListCandidates(ctx context.Context, req *matchingv1.ListCandidatesRequest) (*matchingv1.ListCandidatesResponse, error) {
	var args []any
	within := sides(ctx, &args, 2)
	plan, err := store.CandidatePage.Plan(bestFirst{req}, append([]string{req.GetParent(), req.GetDemand()}, auth.ScopeFrom(ctx).Organisations...)...)
	if err != nil {
		return nil, err
	}
	out := &matchingv1.ListCandidatesResponse{}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := store.Programme(ctx, tx, id(req.GetParent())); err != nil {
			return absent(err, req.GetParent())
		}
		candidates, next, err := store.ListCandidates(ctx, tx, plan, id(req.GetParent()), req.GetDemand(), within, args)
		out.Candidates, out.NextPageToken = convert(candidates, candidateProto), next
		return err
	})
	return out, err
}

// bestFirst gives a request the one order that candidates are listed in.
type bestFirst struct {
	*matchingv1.ListCandidatesRequest
}

// GetOrderBy implements page.Request.
func (bestFirst) GetOrderBy() string { return "score desc" }

// sides is the condition that keeps a query to pairs one of whose sides is in
// the caller's scope. offset is how many parameters come before.
func sides(ctx context.Context, args *[]any, offset int) string {
	scope := auth.ScopeFrom(ctx)
	before := make([]any, offset)
	demand := scope.Where("demand_organisation", &before)
	supply := scope.Where("supply_organisation", &before)
	*args = append(*args, before[offset:]...)
	return "(" + demand + " OR " + supply + ")"
}

// Explain implements MatchService.
func (s *Server) Explain(ctx context.Context, req *matchingv1.ExplainRequest) (out *matchingv1.ExplainResponse, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		p, demand, supply, err := s.pair(ctx, tx, req.GetProgramme(), req.GetDemand(), req.GetSupply())
		if err != nil {
			return err
		}
		verdict := scoring.Judge(p.Policy, demand, supply)
		rank, err := store.Rank(ctx, tx, p.ID, demand.Name, supply.Name, verdict.Score)
		if err != nil {
			return err
		}
		out = explanation(p, verdict, rank)
		return nil
	})
	return out, err
}

// pair loads a programme and the two entries of a pair that stand on its sides,
// one of them the caller's.
func (s *Server) pair(ctx context.Context, tx *sqldb.Tx, programme, demand, supply string) (*domain.Programme, scoring.Entry, scoring.Entry, error) {
	var none scoring.Entry
	p, err := store.Programme(ctx, tx, id(programme))
	if err != nil {
		return nil, none, none, absent(err, programme)
	}
	d, demandErr := store.Entry(ctx, tx, demand)
	if demandErr != nil && !errors.Is(demandErr, sqldb.ErrNoRows) {
		return nil, none, none, demandErr
	}
	o, supplyErr := store.Entry(ctx, tx, supply)
	if supplyErr != nil && !errors.Is(supplyErr, sqldb.ErrNoRows) {
		return nil, none, none, supplyErr
	}
	// Who stands on neither side gets one answer, whichever of the two exists. An
	// absent entry has no organisation, which only an operator's scope covers.
	scope := auth.ScopeFrom(ctx)
	switch mine := scope.Covers(d.Organisation) || scope.Covers(o.Organisation); {
	case !mine, demandErr != nil:
		return nil, none, none, errs.AbsentResource(demand)
	case supplyErr != nil:
		return nil, none, none, errs.AbsentResource(supply)
	}
	if _, _, ok := p.Sides(d, o); !ok {
		return nil, none, none, errs.InvalidField(domain.ReasonNotACandidate, "supply", "%s does not match %s with %s", programme, d.Kind, o.Kind)
	}
	return p, d, o, nil
}

// ProposeMatch implements MatchService.
func (s *Server) ProposeMatch(ctx context.Context, req *matchingv1.ProposeMatchRequest) (*matchingv1.Match, error) {
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*matchingv1.Match, error) {
		p, demand, supply, err := s.pair(ctx, tx, req.GetProgramme(), req.GetDemand(), req.GetSupply())
		if err != nil {
			return nil, err
		}
		m, event, err := domain.Propose(s.NewID(), p, demand, supply, proposer(ctx, demand, supply), req.GetNote(), s.now())
		if err != nil {
			return nil, err
		}
		inserted, err := store.InsertMatch(ctx, tx, m)
		if err != nil {
			return nil, err
		}
		if !inserted {
			live, err := store.LiveMatch(ctx, tx, p.ID, demand.Name, supply.Name)
			if errors.Is(err, sqldb.ErrNoRows) { // it has ended this moment
				return nil, errs.New(errs.Conflict, errs.ConcurrentUpdate, "the pair's match has just ended: try again")
			}
			if err != nil {
				return nil, err
			}
			return nil, errs.New(errs.AlreadyExists, domain.ReasonMatchExists, "the pair has a match already: matches/%s", live).With("resource", "matches/"+live)
		}
		return matchProto(m), s.publish(ctx, tx, m, event)
	})
}

// proposer is the side that proposes and has thereby accepted; empty for an
// operator, and for somebody who belongs to both.
func proposer(ctx context.Context, demand, supply scoring.Entry) domain.Side {
	scope := auth.ScopeFrom(ctx)
	switch d, o := scope.Covers(demand.Organisation), scope.Covers(supply.Organisation); {
	case d && !o:
		return domain.DemandSide
	case o && !d:
		return domain.SupplySide
	}
	return ""
}

// GetMatch implements MatchService.
func (s *Server) GetMatch(ctx context.Context, req *matchingv1.GetMatchRequest) (out *matchingv1.Match, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		m, err := s.visible(ctx, tx, req.GetName())
		if err == nil {
			out = matchProto(m)
		}
		return err
	})
	return out, err
}

// visible loads a match that the caller stands on a side of.
func (s *Server) visible(ctx context.Context, tx *sqldb.Tx, name string) (*domain.Match, error) {
	m, err := store.Match(ctx, tx, id(name))
	if err != nil {
		return nil, absent(err, name)
	}
	if scope := auth.ScopeFrom(ctx); !scope.Covers(m.DemandOrganisation) && !scope.Covers(m.SupplyOrganisation) {
		return nil, errs.AbsentResource(name)
	}
	return m, nil
}

// ListMatches implements MatchService.
func (s *Server) ListMatches(ctx context.Context, req *matchingv1.ListMatchesRequest) (*matchingv1.ListMatchesResponse, error) {
	plan, err := store.MatchPage.Plan(req, auth.ScopeFrom(ctx).Organisations...)
	if err != nil {
		return nil, err
	}
	var args []any
	within := sides(ctx, &args, 0)
	out := &matchingv1.ListMatchesResponse{}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		matches, next, err := store.ListMatches(ctx, tx, plan, within, args)
		out.Matches, out.NextPageToken = convert(matches, matchProto), next
		return err
	})
	return out, err
}

// AcceptMatch implements MatchService.
func (s *Server) AcceptMatch(ctx context.Context, req *matchingv1.AcceptMatchRequest) (*matchingv1.Match, error) {
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*matchingv1.Match, error) {
		return s.answer(ctx, tx, req, func(m *domain.Match, side domain.Side) (domain.MatchEvent, error) {
			for _, name := range []string{m.Demand, m.Supply} {
				if _, err := store.Entry(ctx, tx, name); errors.Is(err, sqldb.ErrNoRows) {
					return "", m.Withdrawn(name)
				} else if err != nil {
					return "", err
				}
			}
			return m.Accept(side, s.now())
		})
	})
}

// DeclineMatch implements MatchService.
func (s *Server) DeclineMatch(ctx context.Context, req *matchingv1.DeclineMatchRequest) (*matchingv1.Match, error) {
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*matchingv1.Match, error) {
		return s.answer(ctx, tx, req, func(m *domain.Match, side domain.Side) (domain.MatchEvent, error) {
			return m.Decline(side, req.GetReason(), s.now())
		})
	})
}

// answerRequest is what accepting and declining have in common.
type answerRequest interface {
	GetName() string
	GetEtag() string
	GetSide() matchingv1.Side
}

// answer applies one side's answer to a match.
func (s *Server) answer(ctx context.Context, tx *sqldb.Tx, req answerRequest, apply func(*domain.Match, domain.Side) (domain.MatchEvent, error)) (*matchingv1.Match, error) {
	m, err := s.visible(ctx, tx, req.GetName())
	if err != nil {
		return nil, err
	}
	if err := rpc.CheckEtag(req.GetName(), req.GetEtag(), m.Version); err != nil {
		return nil, err
	}
	side, err := m.SideOf(auth.ScopeFrom(ctx).Covers, sideOf(req.GetSide()))
	if err != nil {
		return nil, err
	}
	event, err := apply(m, side)
	if err != nil {
		return nil, err
	}
	if event != "" {
		if err := store.UpdateMatch(ctx, tx, m); err != nil {
			return nil, err
		}
	}
	return matchProto(m), s.publish(ctx, tx, m, event)
}

// GetMatchingStatistics implements MatchService.
func (s *Server) GetMatchingStatistics(ctx context.Context, req *matchingv1.GetMatchingStatisticsRequest) (out *matchingv1.MatchingStatistics, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if name := req.GetProgramme(); name != "" {
			if _, err := store.Programme(ctx, tx, id(name)); err != nil {
				return absent(err, name)
			}
		}
		n, err := store.CountAll(ctx, tx, id(req.GetProgramme()))
		out = &matchingv1.MatchingStatistics{
			Demands: n.Demands, Supplies: n.Supplies,
			DemandsWithCandidates: n.DemandsWithCandidates, DemandsMatched: n.DemandsMatched,
			MatchesProposed: n.ByState[domain.Proposed], MatchesActive: n.ByState[domain.Active],
			MatchesDeclined: n.ByState[domain.Declined], MatchesExpired: n.ByState[domain.Expired],
		}
		return err
	})
	return out, err
}
