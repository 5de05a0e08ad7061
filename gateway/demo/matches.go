package demo

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
)

// programmeTitle is by what the programme is found again.
const programmeTitle = "Bisogni digitali ↔ soluzioni e servizi"

// What becomes of the best candidate of each need, in the order of the needs:
// the first are accepted by both sides, one is declined, some wait for an
// answer of the supplier, and the last are not proposed yet.
const (
	acceptedMatches = 9
	declinedMatches = 1
	openMatches     = 3
)

func programme() *matchingv1.Programme {
	return &matchingv1.Programme{
		Title:       it(programmeTitle),
		DemandKind:  matchingv1.EntryKind_ENTRY_KIND_NEED,
		SupplyKinds: []matchingv1.EntryKind{matchingv1.EntryKind_ENTRY_KIND_SOLUTION, matchingv1.EntryKind_ENTRY_KIND_SERVICE_OFFERING},
		Rules:       []matchingv1.Rule{matchingv1.Rule_RULE_LANGUAGE, matchingv1.Rule_RULE_BUDGET},
		Features: []*matchingv1.Feature{
			{Kind: matchingv1.FeatureKind_FEATURE_KIND_CATEGORY, Weight: 400_000},
			{Kind: matchingv1.FeatureKind_FEATURE_KIND_SECTOR, Weight: 100_000},
			{Kind: matchingv1.FeatureKind_FEATURE_KIND_TAG, Weight: 150_000},
			{Kind: matchingv1.FeatureKind_FEATURE_KIND_TEXT, Weight: 250_000},
			{Kind: matchingv1.FeatureKind_FEATURE_KIND_MATURITY, Weight: 100_000},
		},
		MinimumScore: 300_000,
		AnswerDays:   365,
	}
}

// findProgramme returns the name of the scenario's programme, empty where it is
// not there.
func (l *loader) findProgramme(ctx context.Context) (string, error) {
	page := &matchingv1.ListProgrammesResponse{}
	all, err := list(ctx, l, "/v1/programmes", "", page, page.GetProgrammes)
	for _, p := range all {
		if p.GetTitle().GetText() == programmeTitle {
			return p.GetName(), err
		}
	}
	return "", err
}

func (l *loader) statistics(ctx context.Context, programme string) (*matchingv1.MatchingStatistics, error) {
	out := &matchingv1.MatchingStatistics{}
	return out, l.get(ctx, "/v1/matching:statistics?programme="+programme, out)
}

// matches proposes the best candidate of each need and has it answered.
func (l *loader) matches(ctx context.Context, w *world) error {
	name, err := l.findProgramme(ctx)
	if err != nil {
		return err
	}
	if name == "" {
		made := &matchingv1.Programme{}
		if err := l.post(ctx, "/v1/programmes", "programme", programme(), made); err != nil {
			return err
		}
		name = made.GetName()
	}
	err = l.until(ctx, "the candidates", func(ctx context.Context) (string, error) {
		s, err := l.statistics(ctx, name)
		if n, m := s.GetDemands(), s.GetSupplies(); n < interviewed || m < int64(chainSolutions+len(offerings)) {
			return fmt.Sprintf("%d needs and %d supplies have arrived, of %d and %d", n, m, interviewed, chainSolutions+len(offerings)), err
		}
		return "", err
	})
	if err != nil {
		return err
	}
	page := &matchingv1.ListMatchesResponse{}
	all, err := list(ctx, l, "/v1/matches", fmt.Sprintf("programme = %q", name), page, page.GetMatches)
	if err != nil {
		return err
	}
	have := map[string]*matchingv1.Match{}
	for _, m := range all {
		have[m.GetDemand()] = m
	}
	for i := range acceptedMatches + declinedMatches + openMatches {
		need := w.needs[needKey(i)]
		m := have[need]
		if m == nil {
			best, err := l.bestCandidate(ctx, name, need)
			if err != nil {
				return err
			}
			m = &matchingv1.Match{}
			req := &matchingv1.ProposeMatchRequest{Programme: name, Demand: need, Supply: best.GetSupply(), Note: "Proposta dell'operatore di rete: primo candidato per punteggio"}
			if err := l.post(ctx, "/v1/matches:propose", "match/"+needKey(i), req, m); err != nil {
				return err
			}
		}
		w.matches[needKey(i)] = m.GetName()
		if err := l.answer(ctx, i, m); err != nil {
			return err
		}
	}
	return nil
}

// bestCandidate is the one with the highest score; of several, the first by its
// title.
func (l *loader) bestCandidate(ctx context.Context, programme, need string) (*matchingv1.Candidate, error) {
	page := &matchingv1.ListCandidatesResponse{}
	all, err := list(ctx, l, "/v1/"+programme+"/candidates", "", page, page.GetCandidates, "demand", need)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s has no candidate", need)
	}
	return slices.MinFunc(all, func(a, b *matchingv1.Candidate) int {
		return cmp.Or(cmp.Compare(b.GetScore(), a.GetScore()), cmp.Compare(a.GetSupplyTitle(), b.GetSupplyTitle()))
	}), nil
}

// answer gives both sides' answers to the match of the i-th need.
func (l *loader) answer(ctx context.Context, i int, m *matchingv1.Match) error {
	if m.GetState() != matchingv1.MatchState_MATCH_STATE_PROPOSED {
		return nil
	}
	accept := func(side matchingv1.Side, word string) error {
		req := &matchingv1.AcceptMatchRequest{Side: side}
		return l.post(ctx, "/v1/"+m.GetName()+":accept", "match/"+needKey(i)+"/accept-"+word, req, nil)
	}
	if m.GetDemandAcceptTime() == nil {
		if err := accept(matchingv1.Side_SIDE_DEMAND, "demand"); err != nil {
			return err
		}
	}
	switch {
	case i < acceptedMatches:
		return accept(matchingv1.Side_SIDE_SUPPLY, "supply")
	case i < acceptedMatches+declinedMatches:
		req := &matchingv1.DeclineMatchRequest{Side: matchingv1.Side_SIDE_SUPPLY, Reason: "Capacità esaurita fino alla fine dell'anno"}
		return l.post(ctx, "/v1/"+m.GetName()+":decline", "match/"+needKey(i)+"/decline", req, nil)
	}
	return nil
}
