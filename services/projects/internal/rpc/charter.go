package rpc

import (
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// charterProto is nil where nothing is written.
func charterProto(c domain.Charter) *projectsv1.Charter {
	out := &projectsv1.Charter{
		BusinessNeed: textProto(c.BusinessNeed), SuccessCriteria: each(c.SuccessCriteria, textProto), Constraints: each(c.Constraints, textProto),
		Assumptions: each(c.Assumptions, textProto), Exclusions: each(c.Exclusions, textProto),
		Governance: each(c.Governance, func(b domain.GovernanceBody) *projectsv1.GovernanceBody {
			return &projectsv1.GovernanceBody{DisplayName: b.DisplayName, Mandate: b.Mandate, Organisations: b.Organisations, Meets: b.Meets}
		}),
	}
	if out.BusinessNeed == nil && len(out.SuccessCriteria)+len(out.Constraints)+len(out.Assumptions)+len(out.Exclusions)+len(out.Governance) == 0 {
		return nil
	}
	return out
}

func charterOf(m *projectsv1.Charter) domain.Charter {
	c := domain.Charter{BusinessNeed: textOf(m.GetBusinessNeed())}
	if m == nil {
		return c
	}
	c.SuccessCriteria, c.Constraints = each(m.GetSuccessCriteria(), textOf), each(m.GetConstraints(), textOf)
	c.Assumptions, c.Exclusions = each(m.GetAssumptions(), textOf), each(m.GetExclusions(), textOf)
	c.Governance = each(m.GetGovernance(), func(b *projectsv1.GovernanceBody) domain.GovernanceBody {
		return domain.GovernanceBody{DisplayName: b.GetDisplayName(), Mandate: b.GetMandate(), Organisations: b.GetOrganisations(), Meets: b.GetMeets()}
	})
	return c
}
