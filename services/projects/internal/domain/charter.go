package domain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trama-suite/trama/services/platform/errs"
)

// Charter is what a project's charter says beyond the card.
type Charter struct {
	BusinessNeed    Text             `json:"businessNeed,omitzero"`
	SuccessCriteria []Text           `json:"successCriteria,omitempty"`
	Constraints     []Text           `json:"constraints,omitempty"`
	Assumptions     []Text           `json:"assumptions,omitempty"`
	Exclusions      []Text           `json:"exclusions,omitempty"`
	Governance      []GovernanceBody `json:"governance,omitempty"`
}

// GovernanceBody is a body that governs a project.
type GovernanceBody struct {
	DisplayName   string   `json:"displayName"`
	Mandate       string   `json:"mandate,omitempty"`
	Organisations []string `json:"organisations,omitempty"`
	Meets         string   `json:"meets,omitempty"`
}

// Stakeholder is somebody whom the project touches. Levels and engagements are
// those of the proto, without their prefix.
type Stakeholder struct {
	DisplayName  string   `json:"displayName"`
	Interest     string   `json:"interest"`
	Influence    string   `json:"influence"`
	Engagement   string   `json:"engagement,omitempty"`
	Needs        []string `json:"needs,omitempty"`
	Current      string   `json:"current,omitempty"`
	Desired      string   `json:"desired,omitempty"`
	Expectations string   `json:"expectations,omitempty"`
}

func (c *Card) checkCharter() error {
	p := Project{Card: *c}
	for i, b := range c.Charter.Governance {
		for k, o := range b.Organisations {
			if err := p.RequirePartner(fmt.Sprintf("project.charter.governance[%d].organisations[%d]", i, k), o); err != nil {
				return err
			}
		}
	}
	for i, x := range c.Stakeholders {
		for k, need := range x.Needs {
			if !slices.Contains(c.Needs, need) {
				return errs.InvalidField(NeedUnknown, fmt.Sprintf("project.stakeholders[%d].needs[%d]", i, k), "%s is not one of the project's needs", need)
			}
		}
	}
	return nil
}

// GovernanceGaps names the parts of the charter that are still to be written.
func (p *Project) GovernanceGaps() []string {
	var out []string
	for _, x := range []struct {
		missing bool
		what    string
	}{
		{len(p.Charter.SuccessCriteria) == 0, "charter.success_criteria"}, {len(p.Charter.Constraints) == 0, "charter.constraints"},
		{len(p.Charter.Assumptions) == 0, "charter.assumptions"}, {len(p.Charter.Governance) == 0, "charter.governance"},
	} {
		if x.missing {
			out = append(out, x.what)
		}
	}
	return out
}

// NeedGaps names the project's needs that are no stakeholder's.
func (p *Project) NeedGaps() []string {
	var out []string
	for _, need := range p.Needs {
		if !slices.ContainsFunc(p.Stakeholders, func(x Stakeholder) bool { return slices.Contains(x.Needs, need) }) {
			out = append(out, need)
		}
	}
	return out
}

// CharterGaps names the fields that a complete charter still lacks.
func (p *Project) CharterGaps() []string {
	var out []string
	lacks := func(missing bool, what string) {
		if missing {
			out = append(out, what)
		}
	}
	objective := false
	for _, o := range p.Objectives {
		objective = objective || !o.Empty()
	}
	manager := false
	for _, m := range p.Team {
		manager = manager || m.Role == TeamManager
	}
	lacks(!objective, "objectives")
	lacks(strings.TrimSpace(p.Territory) == "", "territory")
	lacks(len(p.Sectors) == 0, "sectors")
	lacks(len(p.Funders) == 0, "funders")
	lacks(!manager, "team: a member with the role MANAGER")
	return out
}
