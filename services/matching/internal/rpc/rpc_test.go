package rpc

import (
	"strings"
	"testing"

	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
	"github.com/trama-suite/trama/services/matching/internal/domain"
	"github.com/trama-suite/trama/services/platform/errs"
)

// The domain's reasons and the proto's enum are the same set.
func TestReasonsAreDeclared(t *testing.T) {
	reasons := map[errs.Reason]bool{
		domain.ReasonProgrammeInvalid: true, domain.ReasonNotACandidate: true, domain.ReasonMatchExists: true,
		domain.ReasonMatchNotOpen: true, domain.ReasonMatchExpired: true, domain.ReasonSideNotYours: true,
	}
	for number, name := range matchingv1.MatchingError_name {
		if number != 0 && !reasons[errs.Reason(strings.TrimPrefix(name, "MATCHING_ERROR_"))] {
			t.Errorf("%s is declared and never given", name)
		}
	}
	if len(reasons) != len(matchingv1.MatchingError_name)-1 {
		t.Errorf("%d reasons, %d declared", len(reasons), len(matchingv1.MatchingError_name)-1)
	}
}

// Every value of an enum has its word, so that none is lost on the way.
func TestEnumsAreComplete(t *testing.T) {
	for name, missing := range map[string]int{
		"EntryKind":   len(matchingv1.EntryKind_name) - 1 - len(kinds.word),
		"Rule":        len(matchingv1.Rule_name) - 1 - len(rules.word),
		"FeatureKind": len(matchingv1.FeatureKind_name) - 1 - len(features.word),
		"MatchState":  len(matchingv1.MatchState_name) - 1 - len(states.word),
	} {
		if missing != 0 {
			t.Errorf("%s: %d values have no word", name, missing)
		}
	}
}
