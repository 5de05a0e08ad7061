package domain

import (
	"fmt"
	"strings"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
)

// Phase is where in its life a project is.
type Phase string

// The phases, in their order. Monitoring runs across them.
const (
	Initiation Phase = "INITIATION"
	Planning   Phase = "PLANNING"
	Execution  Phase = "EXECUTION"
	Closing    Phase = "CLOSING"
	Closed     Phase = "CLOSED"
)

// Phases lists them in their order.
var Phases = []Phase{Initiation, Planning, Execution, Closing, Closed}

func (p Phase) index() int {
	for i, x := range Phases {
		if x == p {
			return i
		}
	}
	return -1
}

// Before reports whether p comes before q.
func (p Phase) Before(q Phase) bool { return p.index() < q.index() }

// GateKey names a gate.
type GateKey string

// Gates lists the gates in their order: the i-th ends the i-th phase.
var Gates = []GateKey{"rfp", "rfe", "rfc", "close"}

// From returns the phase that the gate ends.
func (k GateKey) From() Phase { return Phases[k.index()] }

// To returns the phase that the gate opens.
func (k GateKey) To() Phase { return Phases[k.index()+1] }

func (k GateKey) index() int {
	for i, x := range Gates {
		if x == k {
			return i
		}
	}
	panic("domain: no gate " + string(k))
}

// NextGate returns the gate that the project stands before; false once closed.
func (p *Project) NextGate() (GateKey, bool) {
	if p.Phase == Closed {
		return "", false
	}
	return Gates[p.Phase.index()], true
}

// PhaseMove is one change of phase, kept for ever.
type PhaseMove struct {
	Project  string // id
	Version  int64  // the project's after the move
	From, To Phase
	Actor    string
	Reason   string
	Waived   []string
	Time     time.Time
}

// Opening is the first move of every project: into the initiation phase.
func (p *Project) Opening(actor string) PhaseMove {
	return PhaseMove{Project: p.ID, Version: p.Version, To: Initiation, Actor: actor, Time: p.Created}
}

// Advance approves the gate that the project stands before. holds tells whether
// the actor has a role, in the lead where it is an organisation's.
func (p *Project) Advance(g *Gate, facts Facts, holds func(role string) bool, actor, note string, now time.Time) (PhaseMove, []Event, error) {
	if err := p.Writable(); err != nil {
		return PhaseMove{}, nil, err
	}
	if key, _ := p.NextGate(); g.Key != key || g.Project != p.ID {
		return PhaseMove{}, nil, errs.New(errs.FailedPrecondition, GatePassed, "%s does not stand before the gate %s", p.Name(), g.Key)
	}
	approver := false
	for _, role := range g.Approvers {
		approver = approver || holds(role)
	}
	if !approver {
		return PhaseMove{}, nil, errs.New(errs.PermissionDenied, ApproverRole,
			"the gate %s is approved by one of: %s", g.Key, strings.Join(g.Approvers, ", ")).With("gate", g.Name())
	}
	if err := g.notReady(facts); err != nil {
		return PhaseMove{}, nil, err
	}
	move := p.move(g.Key.To(), actor, note, now)
	for _, item := range g.Items {
		if item.Waived {
			move.Waived = append(move.Waived, item.Key)
		}
	}
	events := []Event{{What: PhaseChanged, Version: p.Version, From: move.From, To: move.To}}
	if p.Phase == Closed {
		p.Closed = now
		p.Touch(now)
		events = append(events, Event{What: WasClosed, Version: p.Version})
	}
	return move, events, nil
}

func (g *Gate) notReady(facts Facts) error {
	var keys, words []string
	err := errs.New(errs.FailedPrecondition, GateNotReady, "")
	for _, s := range g.Readiness(facts) {
		if s.State != Missing {
			continue
		}
		keys = append(keys, s.Item.Key)
		what := s.Item.Key
		if len(s.Shortcomings) > 0 {
			what = fmt.Sprintf("%s (%s)", what, strings.Join(s.Shortcomings, "; "))
		}
		words = append(words, what)
	}
	if len(keys) == 0 {
		return nil
	}
	err.Message = fmt.Sprintf("the gate %s stays shut: missing %s", g.Key, strings.Join(words, ", "))
	return err.With("gate", g.Name()).With("missing", strings.Join(keys, ","))
}

// Return takes the project back to an earlier phase.
func (p *Project) Return(to Phase, actor, reason string, now time.Time) (PhaseMove, Event, error) {
	if err := p.Writable(); err != nil {
		return PhaseMove{}, Event{}, err
	}
	if strings.TrimSpace(reason) == "" {
		return PhaseMove{}, Event{}, errs.InvalidField(FieldMissing, "reason", "must say why the project goes back")
	}
	if to.index() < 0 || !to.Before(p.Phase) {
		return PhaseMove{}, Event{}, errs.New(errs.FailedPrecondition, PhaseNotEarlier,
			"%s is in %s and cannot be returned to %s", p.Name(), p.Phase, to)
	}
	move := p.move(to, actor, reason, now)
	return move, Event{What: PhaseChanged, Version: p.Version, From: move.From, To: move.To}, nil
}

func (p *Project) move(to Phase, actor, reason string, now time.Time) PhaseMove {
	from := p.Phase
	p.Phase = to
	p.Touch(now)
	return PhaseMove{Project: p.ID, Version: p.Version, From: from, To: to, Actor: actor, Reason: reason, Time: now}
}
