package domain

import (
	"github.com/trama-suite/trama/services/platform/money"
)

// States of a change request.
const (
	ChangeProposed    = "PROPOSED"
	ChangeReview      = "UNDER_REVIEW"
	ChangeApproved    = "APPROVED"
	ChangeRejected    = "REJECTED"
	ChangeImplemented = "IMPLEMENTED"
	ChangeWithdrawn   = "WITHDRAWN"
)

// ChangeRequests is the change log.
var ChangeRequests = &Register{
	Collection: "changeRequests", Field: "change_request", Initial: ChangeProposed,
	Steps: map[string][]string{
		ChangeProposed: {ChangeReview, ChangeWithdrawn},
		ChangeReview:   {ChangeApproved, ChangeRejected, ChangeWithdrawn},
		ChangeApproved: {ChangeImplemented},
	},
	Settled:  []string{ChangeRejected, ChangeImplemented, ChangeWithdrawn},
	Frozen:   []string{ChangeApproved, ChangeRejected, ChangeImplemented, ChangeWithdrawn},
	Reviewed: []string{ChangeReview}, Shared: true, Raised: true,
}

// DefaultChangeApprover decides where a change request names no role.
const DefaultChangeApprover = "PROJECT_MANAGER"

// ChangeRequest is a wish to change what was planned.
type ChangeRequest struct {
	Entry
	Title       Text         `json:"title"`
	Reason      string       `json:"reason,omitempty"`
	ImpactDays  int32        `json:"impactDays,omitempty"`
	ImpactCost  money.Amount `json:"impactCost,omitzero"` // no currency: none
	ImpactScope string       `json:"impactScope,omitempty"`
	Affects     []string     `json:"affects,omitempty"`
	Owner       string       `json:"owner,omitempty"`
	Approver    string       `json:"approver"` // role
	Decider     string       `json:"decider,omitempty"`
	Note        string       `json:"note,omitempty"`
}

// Register returns the change log.
func (*ChangeRequest) Register() *Register { return ChangeRequests }

// Mentions returns what it changes.
func (x *ChangeRequest) Mentions() []Mention { return allNamed("change_request.affects", x.Affects) }

func (x *ChangeRequest) check(p *Project) error {
	if x.Approver == "" {
		x.Approver = DefaultChangeApprover
	}
	if x.ImpactCost.Currency != "" {
		if err := checkAmount("change_request.impact_cost", x.ImpactCost, p.Currency, -MaxAmount); err != nil {
			return err
		}
	}
	return first(x.Title.require("change_request.title"), optionalDate("change_request.due_date", x.Due))
}

// Decides reports whether going to a state is for the approver alone.
func (x *ChangeRequest) Decides(to string) bool { return to == ChangeApproved || to == ChangeRejected }

func (x *ChangeRequest) enter(to, note string) error {
	switch to {
	case ChangeReview:
		return wants(blank(x.Reason), "change_request.reason", to)
	case ChangeApproved:
		return wants(len(x.Affects) == 0, "change_request.affects", to)
	case ChangeRejected:
		return wants(blank(note), "note", to)
	default:
		return nil
	}
}
