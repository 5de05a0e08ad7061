package rpc

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// OpenProjectFromMatch opens a project from a match, or answers with the one
// that the match has opened.
func (s *Server) OpenProjectFromMatch(ctx context.Context, req *projectsv1.OpenProjectFromMatchRequest) (*projectsv1.Project, error) {
	match, err := s.match(ctx, req.GetMatch())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Project, error) {
		if found, err := openedBy(ctx, tx, match); found != nil || err != nil {
			return found, err
		}
		lead, err := leadOf(ctx, match, req.GetOrganisation())
		if err != nil {
			return nil, err
		}
		p, event, err := domain.OpenProject(s.newID(), lead, req.GetCurrencyCode(), match.GetName(), cardFrom(match, lead, req), s.now())
		if err != nil {
			return nil, err
		}
		fresh, err := s.open(ctx, tx, p, "", event)
		if err != nil {
			return nil, err
		}
		if !fresh { // the insert has waited for somebody who opened it at the same time
			return openedBy(ctx, tx, match)
		}
		return projectProto(p), nil
	})
}

// cardFrom is the first card of a project that a match opens.
func cardFrom(match *matchingv1.Match, lead string, req *projectsv1.OpenProjectFromMatchRequest) domain.Card {
	card := domain.Card{
		Title: textOf(req.GetTitle()), Start: civil.Date(req.GetStartDate()), End: civil.Date(req.GetEndDate()),
		Needs:    []string{match.GetDemand()},
		Partners: []domain.Partner{{Organisation: lead, Lead: true}},
	}
	for _, organisation := range []string{match.GetDemandOrganisation(), match.GetSupplyOrganisation()} {
		if organisation != lead {
			card.Partners = append(card.Partners, domain.Partner{Organisation: organisation})
		}
	}
	return card
}

// openedBy returns the project that a match has opened, nil where it has opened
// none.
func openedBy(ctx context.Context, tx *sqldb.Tx, match *matchingv1.Match) (*projectsv1.Project, error) {
	id, err := store.ProjectOfMatch(ctx, tx, match.GetName())
	if err != nil || id == "" {
		return nil, err
	}
	p, err := seeProject(ctx, tx, id)
	if err != nil {
		return nil, under(match.GetName(), err)
	}
	return projectProto(p), nil
}

// match asks the matching service, which shows services every match. To a caller
// of neither side it looks absent.
func (s *Server) match(ctx context.Context, name string) (*matchingv1.Match, error) {
	m, err := s.matches.GetMatch(ctx, &matchingv1.GetMatchRequest{Name: name})
	if err != nil {
		if code := status.Code(err); code == codes.Unavailable || code == codes.DeadlineExceeded {
			return nil, errs.New(errs.Unavailable, errs.ServiceDown, "the matching service does not answer: try again").Because(err)
		}
		if errs.KindOf(platform.FromStatus(err)) == errs.NotFound {
			return nil, errs.AbsentResource(name)
		}
		return nil, err
	}
	scope := auth.ScopeFrom(ctx)
	if !scope.Covers(m.GetDemandOrganisation()) && !scope.Covers(m.GetSupplyOrganisation()) {
		return nil, errs.AbsentResource(name)
	}
	if m.GetState() != matchingv1.MatchState_MATCH_STATE_ACTIVE {
		return nil, errs.New(errs.FailedPrecondition, domain.MatchNotActive, "%s is not active: both sides have to accept it first", name).With("resource", name)
	}
	return m, nil
}

// leadOf says which organisation is to lead.
func leadOf(ctx context.Context, m *matchingv1.Match, wanted string) (string, error) {
	lead := m.GetDemandOrganisation()
	if wanted != "" {
		lead = wanted
	}
	if lead != m.GetDemandOrganisation() && lead != m.GetSupplyOrganisation() {
		return "", errs.InvalidField(domain.LeadPartner, "organisation", "%s is of neither side of the match", lead)
	}
	if !auth.ScopeFrom(ctx).Covers(lead) {
		return "", errs.New(errs.PermissionDenied, domain.LeadOnly, "only project managers and admins of %s may open a project that it leads", lead).With("resource", lead)
	}
	return lead, nil
}
