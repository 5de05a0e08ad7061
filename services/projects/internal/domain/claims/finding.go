package claims

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// Finding is what a rule has found in a claim.
type Finding struct {
	Rule     string                `json:"rule"`
	Set      string                `json:"set,omitempty"` // resource name; empty for the service's own
	Version  int32                 `json:"version,omitempty"`
	Block    bool                  `json:"-"`
	Resource string                `json:"resource,omitempty"`
	Amount   *int64                `json:"amount,omitempty"`
	Limit    *int64                `json:"limit,omitempty"`
	Italian  string                `json:"it"`
	English  string                `json:"en"`
	Source   string                `json:"source,omitempty"`
	Verified bool                  `json:"verified,omitempty"`
	Places   []domain.SameDocument `json:"places,omitempty"`
}

// Rules of the service's own.
const (
	RuleEmpty         = "trama.empty"
	RuleUnavailable   = "trama.unavailable"
	RuleIncomplete    = "trama.incomplete"
	RuleDoubleFunding = "trama.double-funding"
	RuleOverFunded    = "trama.over-funded"
	RuleOtherTotal    = "trama.other-total"
	RuleOtherIssuer   = "trama.other-issuer"
	RuleOverspent     = "trama.over-budget"
	RuleOverGrant     = "trama.over-grant"
	RuleNoShare       = "trama.no-share"
)

const mostNamed = 20

// blocked returns the error for a claim that cannot be submitted, in the words of
// the first finding that blocks it; the fields have the words of all. Double
// funding is told by a reason of its own, before the rest.
func (c *Claim) blocked(findings []Finding) error {
	var rules []string
	first, more := "", 0
	reason := domain.ClaimBlocked
	for _, f := range findings {
		if !f.Block {
			continue
		}
		if first == "" {
			first = f.English
		} else {
			more++
		}
		if !slices.Contains(rules, f.Rule) && len(rules) < mostNamed {
			rules = append(rules, f.Rule)
		}
		if f.Rule == RuleDoubleFunding {
			reason = domain.DoubleFunding
		}
	}
	if len(rules) == 0 {
		return nil
	}
	if more > 0 {
		first = fmt.Sprintf("%s And %d more.", first, more)
	}
	e := errs.New(errs.FailedPrecondition, reason, "%s cannot be submitted (%s): %s", c.Name(), strings.Join(rules, ", "), first).
		With("resource", c.Name()).With("rules", strings.Join(rules, ","))
	for _, f := range findings {
		if f.Block && len(e.Fields) < mostNamed {
			path := f.Resource
			if path == "" {
				path = "claim"
			}
			e = e.WithField(path, errs.Reason(f.Rule), f.English)
		}
	}
	return e
}
