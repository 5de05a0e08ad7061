package domain

import (
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
)

// States of a request to pass a gate.
const (
	ApprovalPending   = "PENDING"
	ApprovalApproved  = "APPROVED"
	ApprovalRejected  = "REJECTED"
	ApprovalWithdrawn = "WITHDRAWN"
)

// Approvals are the requests to pass gates; a project has one pending at most.
var Approvals = &Register{
	Collection: "gateApprovals", Field: "gate_approval", Initial: ApprovalPending,
	Steps:   map[string][]string{ApprovalPending: {ApprovalApproved, ApprovalRejected, ApprovalWithdrawn}},
	Settled: []string{ApprovalApproved, ApprovalRejected, ApprovalWithdrawn}, Frozen: []string{ApprovalPending, ApprovalApproved, ApprovalRejected, ApprovalWithdrawn},
}

// GateApproval is a request to pass a gate and what became of it.
type GateApproval struct {
	Entry
	Gate         GateKey    `json:"gate"`
	Requester    string     `json:"requester"`
	Note         string     `json:"note,omitempty"`
	Snapshot     []Snapshot `json:"snapshot"`
	Decider      string     `json:"decider,omitempty"`
	DeciderRole  string     `json:"deciderRole,omitempty"`
	DecisionNote string     `json:"decisionNote,omitempty"`
	Decided      time.Time  `json:"decided,omitzero"`
	AtDecision   []Snapshot `json:"atDecision,omitempty"`
}

// Snapshot is the readiness of an artefact at one time.
type Snapshot struct {
	Key          string    `json:"key"`
	State        Readiness `json:"state"`
	Shortcomings []string  `json:"shortcomings,omitempty"`
	WaivedBy     string    `json:"waivedBy,omitempty"`
}

// Register returns the gate requests.
func (*GateApproval) Register() *Register { return Approvals }

// Mentions returns nothing.
func (*GateApproval) Mentions() []Mention { return nil }

func (*GateApproval) check(*Project) error { return nil }

// Ready reports whether nothing was missing when the request was made.
func (x *GateApproval) Ready() bool {
	for _, s := range x.Snapshot {
		if s.State == Missing {
			return false
		}
	}
	return true
}

func (g *Gate) snapshot(facts Facts) []Snapshot {
	all := g.Readiness(facts)
	out := make([]Snapshot, len(all))
	for i, s := range all {
		out[i] = Snapshot{Key: s.Item.Key, State: s.State, Shortcomings: s.Shortcomings}
		if s.State == WaivedHere && s.Item.By != nil {
			out[i].WaivedBy = s.Item.By.Actor
		}
	}
	return out
}

// RequestGate asks for the gate that the project stands before to be approved.
func (p *Project) RequestGate(id string, g *Gate, facts Facts, by Act) (*GateApproval, TrailEntry, error) {
	if err := p.standsBefore(g); err != nil {
		return nil, TrailEntry{}, err
	}
	x := &GateApproval{Gate: g.Key, Requester: by.Actor, Note: by.Note, Snapshot: g.snapshot(facts)}
	entry, err := AddEntry(x, id, p, by)
	entry.Action, entry.Resource = "REQUESTED", g.Name()
	return x, entry, err
}

func (p *Project) standsBefore(g *Gate) error {
	if err := p.Writable(); err != nil {
		return err
	}
	if key, _ := p.NextGate(); g.Key != key || g.Project != p.ID {
		return errs.New(errs.FailedPrecondition, GatePassed, "%s does not stand before the gate %s", p.Name(), g.Key)
	}
	return nil
}

// Decide closes a request. holds tells whether the decider has a role, in the
// lead where it is an organisation's.
func (x *GateApproval) decide(p *Project, g *Gate, to string, holds func(role string) bool, by Act) (TrailEntry, error) {
	role, err := g.approver(holds)
	if err != nil {
		return TrailEntry{}, err
	}
	by.Role = role
	return x.settle(p, g, to, by)
}

func (x *GateApproval) settle(p *Project, g *Gate, to string, by Act) (TrailEntry, error) {
	entry, err := MoveEntry(x, p, to, by)
	if err != nil {
		return entry, err
	}
	x.Decider, x.DeciderRole, x.DecisionNote, x.Decided = by.Actor, by.Role, by.Note, by.Time
	entry.Action, entry.Resource = to, g.Name()
	return entry, nil
}

// Approve approves a request and takes the project through its gate. Where the
// gate wants four eyes, who asked does not approve.
func (p *Project) Approve(x *GateApproval, g *Gate, facts Facts, holds func(role string) bool, by Act) (PhaseMove, []Event, TrailEntry, error) {
	none := PhaseMove{}
	if x.State != ApprovalPending { // told before what the gate may lack by now
		_, err := MoveEntry(x, p, ApprovalApproved, by)
		return none, nil, TrailEntry{}, err
	}
	if err := p.standsBefore(g); err != nil {
		return none, nil, TrailEntry{}, err
	}
	if _, err := g.approver(holds); err != nil {
		return none, nil, TrailEntry{}, err
	}
	if g.FourEyes && x.Requester == by.Actor {
		return none, nil, TrailEntry{}, errs.New(errs.FailedPrecondition, FourEyes, "the gate %s is approved by somebody other than who asks for it", g.Key).With("gate", g.Name())
	}
	if err := g.notReady(facts); err != nil {
		return none, nil, TrailEntry{}, err
	}
	entry, err := x.decide(p, g, ApprovalApproved, holds, by)
	if err != nil {
		return none, nil, entry, err
	}
	x.AtDecision = g.snapshot(facts)
	move := p.move(g.Key.To(), by.Actor, by.Note, by.Time)
	for _, s := range x.AtDecision {
		if s.State == WaivedHere {
			move.Waived = append(move.Waived, s.Key)
		}
	}
	events := []Event{{What: PhaseChanged, Version: p.Version, From: move.From, To: move.To}}
	if p.Phase == Closed {
		p.Closed, p.Outcome = by.Time, Completed
		p.Touch(by.Time)
		events = append(events, Event{What: WasClosed, Version: p.Version})
	}
	return move, events, entry, nil
}

// Reject rejects a request, with a reason.
func (x *GateApproval) Reject(p *Project, g *Gate, holds func(role string) bool, by Act) (TrailEntry, error) {
	if err := requireText("reason", by.Note); err != nil {
		return TrailEntry{}, err
	}
	return x.decide(p, g, ApprovalRejected, holds, by)
}

// Withdraw takes a request back, or notes that it is overtaken.
func (x *GateApproval) Withdraw(p *Project, g *Gate, by Act) (TrailEntry, error) {
	return x.settle(p, g, ApprovalWithdrawn, by)
}
