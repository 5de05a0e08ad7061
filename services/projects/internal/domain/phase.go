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

// Outcomes of a closed project.
const (
	Completed = "COMPLETED"
	Cancelled = "CANCELLED"
)

// Cancel closes a project before its end. It is closed like a completed one, so
// that nothing of it changes any more and nothing asks for attention; its costs
// and results stay and are counted. ProjectClosed is not told: that says that a
// project has come to its end.
func (p *Project) Cancel(by Act) (PhaseMove, Event, error) {
	if err := p.Writable(); err != nil {
		return PhaseMove{}, Event{}, err
	}
	if err := requireText("reason", by.Note); err != nil {
		return PhaseMove{}, Event{}, err
	}
	p.CancelledIn = p.Phase
	move := p.move(Closed, by.Actor, by.Note, by.Time)
	p.Closed, p.Outcome = by.Time, Cancelled
	return move, Event{What: PhaseChanged, Version: p.Version, From: move.From, To: move.To}, nil
}

// Reopen opens a closed project: a completed one in the closing phase, a
// cancelled one in the phase it was cancelled in.
func (p *Project) Reopen(by Act) (PhaseMove, Event, error) {
	if p.Phase != Closed {
		return PhaseMove{}, Event{}, errs.New(errs.FailedPrecondition, ProjectNotClosed, "%s is in %s and not closed", p.Name(), p.Phase).With("resource", p.Name())
	}
	if err := requireText("reason", by.Note); err != nil {
		return PhaseMove{}, Event{}, err
	}
	to := Closing
	if p.Outcome == Cancelled {
		to = p.CancelledIn
	}
	move := p.move(to, by.Actor, by.Note, by.Time)
	p.Closed, p.Outcome, p.CancelledIn = time.Time{}, "", ""
	return move, Event{What: PhaseChanged, Version: p.Version, From: move.From, To: move.To}, nil
}

func (p *Project) move(to Phase, actor, reason string, now time.Time) PhaseMove {
	from := p.Phase
	p.Phase = to
	p.Touch(now)
	return PhaseMove{Project: p.ID, Version: p.Version, From: from, To: to, Actor: actor, Reason: reason, Time: now}
}
