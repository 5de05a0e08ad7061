package domain

import (
	"fmt"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Check is how the presence of an artefact is told.
type Check string

// The checks: a document is recorded, a point is confirmed, all others are worked
// out from the data.
const (
	CheckDocument            Check = "DOCUMENT"
	CheckConfirmation        Check = "CONFIRMATION"
	CheckCharter             Check = "CHARTER"
	CheckGovernance          Check = "GOVERNANCE"
	CheckNeedsMapped         Check = "NEEDS_MAPPED"
	CheckStakeholders        Check = "STAKEHOLDERS"
	CheckRisks               Check = "RISKS"
	CheckWorkPlan            Check = "WORK_PLAN"
	CheckResponsibilities    Check = "RESPONSIBILITIES"
	CheckDeliverables        Check = "DELIVERABLES"
	CheckBudget              Check = "BUDGET"
	CheckCommunications      Check = "COMMUNICATIONS"
	CheckProcurements        Check = "PROCUREMENTS"
	CheckProcurementsSettled Check = "PROCUREMENTS_SETTLED"
	CheckAcceptanceCriteria  Check = "ACCEPTANCE_CRITERIA"
	CheckQualityPassed       Check = "QUALITY_PASSED"
	CheckChangesSettled      Check = "CHANGES_SETTLED"
	CheckIssuesClosed        Check = "ISSUES_CLOSED"
	CheckAccepted            Check = "DELIVERABLES_ACCEPTED"
	CheckCostsSettled        Check = "COSTS_SETTLED"
	CheckLessons             Check = "LESSONS"
)

// Facts are the data from which presence is worked out. Lists name resources that
// every partner reads; of claims, which are each partner's own, there is a count.
type Facts struct {
	Today                                     civil.Date
	CharterGaps, GovernanceGaps, NeedGaps     []string
	Stakeholders, Risks, Tasks, Deliverables  int
	Lines, Lessons                            int
	Communications, Procurements              int
	NotAccepted, NoCriteria, Unassigned       []string
	OpenProcurements, OpenChecks, OpenChanges []string
	OpenIssues                                []string
	OpenClaims                                int
}

// listed says the same of at most 20 names, and how many more there are.
func listed(what string, names []string) []string {
	const most = 20
	var out []string
	for i, name := range names {
		if i == most {
			return append(out, fmt.Sprintf("and %d more", len(names)-most))
		}
		out = append(out, what+": "+name)
	}
	return out
}

func atLeastOne(n int, what string) []string {
	if n > 0 {
		return nil
	}
	return []string{"no " + what}
}

// shortcomings says what an artefact lacks, for people; nothing where it is
// there.
func (i Item) shortcomings(f Facts) []string {
	switch i.Check {
	case CheckConfirmation:
		if i.Confirmed {
			return nil
		}
		return []string{"nobody has confirmed it"}
	case CheckCharter:
		return f.CharterGaps
	case CheckGovernance:
		return f.GovernanceGaps
	case CheckNeedsMapped:
		return listed("no stakeholder has the need", f.NeedGaps)
	case CheckStakeholders:
		return atLeastOne(f.Stakeholders, "stakeholder")
	case CheckRisks:
		return atLeastOne(f.Risks, "risk in the register")
	case CheckWorkPlan:
		return atLeastOne(f.Tasks, "task")
	case CheckResponsibilities:
		return listed("nobody is accountable or responsible", f.Unassigned)
	case CheckDeliverables:
		return atLeastOne(f.Deliverables, "deliverable")
	case CheckBudget:
		return atLeastOne(f.Lines, "budget line")
	case CheckCommunications:
		return atLeastOne(f.Communications, "item in the communication plan")
	case CheckProcurements:
		return atLeastOne(f.Procurements, "item in the procurement plan")
	case CheckProcurementsSettled:
		return listed("not closed", f.OpenProcurements)
	case CheckAcceptanceCriteria:
		return append(atLeastOne(f.Deliverables, "deliverable"), listed("neither criteria nor a quality check", f.NoCriteria)...)
	case CheckQualityPassed:
		return listed("not passed", f.OpenChecks)
	case CheckChangesSettled:
		return listed("not settled", f.OpenChanges)
	case CheckIssuesClosed:
		return listed("not closed", f.OpenIssues)
	case CheckAccepted:
		return append(atLeastOne(f.Deliverables, "deliverable"), listed("not accepted", f.NotAccepted)...)
	case CheckCostsSettled:
		if f.OpenClaims == 0 {
			return nil
		}
		return []string{fmt.Sprintf("claims that are neither paid nor withdrawn: %d", f.OpenClaims)}
	case CheckLessons:
		return atLeastOne(f.Lessons, "lesson learned")
	default:
		if i.missing() {
			return []string{"neither a link nor a checksum is recorded"}
		}
		return nil
	}
}
