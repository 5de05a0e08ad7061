package rpc

import (
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/matching/internal/domain"
	"github.com/trama-suite/trama/services/matching/internal/domain/scoring"
	"github.com/trama-suite/trama/services/matching/internal/store"
	"github.com/trama-suite/trama/services/platform/rpc"
)

// The enums of the wire and their words in the domain.
var (
	kinds = table(map[matchingv1.EntryKind]scoring.Kind{
		matchingv1.EntryKind_ENTRY_KIND_NEED:             scoring.Need,
		matchingv1.EntryKind_ENTRY_KIND_SOLUTION:         scoring.Solution,
		matchingv1.EntryKind_ENTRY_KIND_SERVICE_OFFERING: scoring.ServiceOffering,
	})
	rules = table(map[matchingv1.Rule]scoring.Rule{
		matchingv1.Rule_RULE_TERRITORY: scoring.Territory,
		matchingv1.Rule_RULE_LANGUAGE:  scoring.Language,
		matchingv1.Rule_RULE_BUDGET:    scoring.Budget,
		matchingv1.Rule_RULE_DEADLINE:  scoring.Deadline,
	})
	features = table(map[matchingv1.FeatureKind]scoring.Feature{
		matchingv1.FeatureKind_FEATURE_KIND_CATEGORY:  scoring.Category,
		matchingv1.FeatureKind_FEATURE_KIND_SECTOR:    scoring.Sector,
		matchingv1.FeatureKind_FEATURE_KIND_TAG:       scoring.Tag,
		matchingv1.FeatureKind_FEATURE_KIND_TEXT:      scoring.Text,
		matchingv1.FeatureKind_FEATURE_KIND_PROXIMITY: scoring.Proximity,
		matchingv1.FeatureKind_FEATURE_KIND_MATURITY:  scoring.Maturity,
	})
	states = table(map[matchingv1.MatchState]domain.State{
		matchingv1.MatchState_MATCH_STATE_PROPOSED: domain.Proposed,
		matchingv1.MatchState_MATCH_STATE_ACTIVE:   domain.Active,
		matchingv1.MatchState_MATCH_STATE_DECLINED: domain.Declined,
		matchingv1.MatchState_MATCH_STATE_EXPIRED:  domain.Expired,
	})
)

// names translates between an enum of the wire and the domain's word for it.
type names[E, W comparable] struct {
	word map[E]W
	enum map[W]E
}

func table[E, W comparable](word map[E]W) names[E, W] {
	enum := make(map[W]E, len(word))
	for e, w := range word {
		enum[w] = e
	}
	return names[E, W]{word: word, enum: enum}
}

// convert applies f to each item.
func convert[A, B any](in []A, f func(A) B) []B {
	out := make([]B, len(in))
	for i, a := range in {
		out[i] = f(a)
	}
	return out
}

func programmeOf(p *matchingv1.Programme) domain.Programme {
	return domain.Programme{
		Title: domain.Text{
			Text: p.GetTitle().GetText(), Language: p.GetTitle().GetLanguageCode(), Translations: p.GetTitle().GetTranslations(),
		},
		Demand:   kinds.word[p.GetDemandKind()],
		Supplies: convert(p.GetSupplyKinds(), func(k matchingv1.EntryKind) scoring.Kind { return kinds.word[k] }),
		Policy: scoring.Policy{
			Rules: convert(p.GetRules(), func(r matchingv1.Rule) scoring.Rule { return rules.word[r] }),
			Weights: convert(p.GetFeatures(), func(f *matchingv1.Feature) scoring.Weight {
				return scoring.Weight{Feature: features.word[f.GetKind()], Points: f.GetWeight()}
			}),
			Minimum: p.GetMinimumScore(),
		},
		AnswerDays: int(p.GetAnswerDays()),
	}
}

func programmeProto(p *domain.Programme) *matchingv1.Programme {
	return &matchingv1.Programme{
		Name:        "programmes/" + p.ID,
		Title:       &typev1.LocalizedText{Text: p.Title.Text, LanguageCode: p.Title.Language, Translations: p.Title.Translations},
		DemandKind:  kinds.enum[p.Demand],
		SupplyKinds: convert(p.Supplies, func(k scoring.Kind) matchingv1.EntryKind { return kinds.enum[k] }),
		Rules:       convert(p.Policy.Rules, func(r scoring.Rule) matchingv1.Rule { return rules.enum[r] }),
		Features: convert(p.Policy.Weights, func(w scoring.Weight) *matchingv1.Feature {
			return &matchingv1.Feature{Kind: features.enum[w.Feature], Weight: w.Points}
		}),
		MinimumScore: p.Policy.Minimum,
		AnswerDays:   int32(p.AnswerDays), // at most 365 by the proto
		CreateTime:   timestamppb.New(p.CreateTime),
		UpdateTime:   timestamppb.New(p.UpdateTime),
		Etag:         rpc.Etag(p.Version),
	}
}

func termProto(t scoring.Term) *matchingv1.Term {
	return &matchingv1.Term{Feature: features.enum[t.Feature], Points: t.Points, Weight: t.Weight, Evidence: t.Evidence}
}

func candidateProto(c store.Candidate) *matchingv1.Candidate {
	return &matchingv1.Candidate{
		Demand: c.Demand, DemandOrganisation: c.DemandOrganisation, DemandTitle: c.DemandTitle,
		Supply: c.Supply, SupplyOrganisation: c.SupplyOrganisation, SupplyTitle: c.SupplyTitle,
		Score: c.Score, Terms: convert(c.Terms, termProto),
	}
}

func explanation(p *domain.Programme, v scoring.Verdict, rank int64) *matchingv1.ExplainResponse {
	return &matchingv1.ExplainResponse{
		Candidate: v.Candidate,
		Rules: convert(v.Checks, func(c scoring.Check) *matchingv1.RuleCheck {
			return &matchingv1.RuleCheck{Rule: rules.enum[c.Rule], Kept: c.Kept, Detail: c.Detail}
		}),
		Score: v.Score, MinimumScore: p.Policy.Minimum, Terms: convert(v.Terms, termProto), Rank: int32(min(rank, 1<<31-1)),
	}
}

func sideOf(s matchingv1.Side) domain.Side {
	switch s {
	case matchingv1.Side_SIDE_DEMAND:
		return domain.DemandSide
	case matchingv1.Side_SIDE_SUPPLY:
		return domain.SupplySide
	}
	return ""
}

func sideProto(s domain.Side) matchingv1.Side {
	switch s {
	case domain.DemandSide:
		return matchingv1.Side_SIDE_DEMAND
	case domain.SupplySide:
		return matchingv1.Side_SIDE_SUPPLY
	}
	return matchingv1.Side_SIDE_UNSPECIFIED
}

func matchProto(m *domain.Match) *matchingv1.Match {
	return &matchingv1.Match{
		Name: "matches/" + m.ID, Programme: "programmes/" + m.Programme,
		Demand: m.Demand, DemandOrganisation: m.DemandOrganisation, DemandTitle: m.DemandTitle,
		Supply: m.Supply, SupplyOrganisation: m.SupplyOrganisation, SupplyTitle: m.SupplyTitle,
		State: states.enum[m.State], Score: m.Score, Terms: convert(m.Terms, termProto), Note: m.Note,
		DemandAcceptTime: timeProto(m.DemandAccepted), SupplyAcceptTime: timeProto(m.SupplyAccepted),
		DeclinedBy: sideProto(m.DeclinedBy), DeclineReason: m.DeclineReason,
		ExpireTime: timeProto(m.ExpireTime), CreateTime: timeProto(m.CreateTime), UpdateTime: timeProto(m.UpdateTime),
		Etag: rpc.Etag(m.Version),
	}
}

// timeProto leaves out the zero time.
func timeProto(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func matchEvent(m *domain.Match, event domain.MatchEvent) proto.Message {
	match := matchProto(m)
	switch event {
	case domain.MatchProposed:
		return &matchingv1.MatchProposed{Match: match}
	case domain.MatchAccepted:
		return &matchingv1.MatchAccepted{Match: match}
	case domain.MatchActivated:
		return &matchingv1.MatchActivated{Match: match}
	case domain.MatchDeclined:
		return &matchingv1.MatchDeclined{Match: match}
	default:
		return &matchingv1.MatchExpired{Match: match}
	}
}
