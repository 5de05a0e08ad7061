package domain

import (
	"time"

	"github.com/trama-suite/trama/services/matching/internal/domain/scoring"
	"github.com/trama-suite/trama/services/platform/errs"
)

// Side is one of the two sides of a match.
type Side string

// The sides.
const (
	DemandSide Side = "demand"
	SupplySide Side = "supply"
)

// State is where a match stands.
type State string

// The states. Only a proposed match moves: to active, declined or expired.
const (
	Proposed State = "proposed"
	Active   State = "active"
	Declined State = "declined"
	Expired  State = "expired"
)

// Match is a proposal to bring a demand and a supply together.
type Match struct {
	ID                 string
	Version            int64
	Programme          string
	Demand             string
	DemandOrganisation string
	DemandTitle        string
	Supply             string
	SupplyOrganisation string
	SupplyTitle        string
	State              State
	Score              int64
	Terms              []scoring.Term
	Note               string
	DemandAccepted     time.Time
	SupplyAccepted     time.Time
	DeclinedBy         Side
	DeclineReason      string
	ExpireTime         time.Time
	CreateTime         time.Time
	UpdateTime         time.Time
}

// MatchEvent is what happened to a match.
type MatchEvent string

// The events of a match.
const (
	MatchProposed  MatchEvent = "proposed"
	MatchAccepted  MatchEvent = "accepted"
	MatchActivated MatchEvent = "activated"
	MatchDeclined  MatchEvent = "declined"
	MatchExpired   MatchEvent = "expired"
)

// Propose opens a match between the two sides of a pair that keeps the
// programme's rules. by is the side that proposes and has thereby accepted;
// empty where an operator does.
func Propose(id string, p *Programme, demand, supply scoring.Entry, by Side, note string, now time.Time) (*Match, MatchEvent, error) {
	verdict := scoring.Judge(p.Policy, demand, supply)
	if !verdict.Candidate {
		return nil, "", notACandidate(p, demand, supply, verdict)
	}
	m := &Match{
		ID: id, Version: 1, Programme: p.ID,
		Demand: demand.Name, DemandOrganisation: demand.Organisation, DemandTitle: demand.Title,
		Supply: supply.Name, SupplyOrganisation: supply.Organisation, SupplyTitle: supply.Title,
		State: Proposed, Score: verdict.Score, Terms: verdict.Terms, Note: note,
		ExpireTime: now.AddDate(0, 0, p.AnswerDays), CreateTime: now, UpdateTime: now,
	}
	m.accept(by, now)
	return m, MatchProposed, nil
}

func notACandidate(p *Programme, demand, supply scoring.Entry, v scoring.Verdict) error {
	err := errs.New(errs.FailedPrecondition, ReasonNotACandidate, "%s scores %d points for %s; the programme asks for %d", supply.Name, v.Score, demand.Name, p.Policy.Minimum)
	for _, c := range v.Checks {
		if !c.Kept {
			err = errs.New(errs.FailedPrecondition, ReasonNotACandidate, "%s is no candidate for %s: %s", supply.Name, demand.Name, c.Detail).With("rule", string(c.Rule))
			break
		}
	}
	return err.With("demand", demand.Name).With("supply", supply.Name)
}

// Accept takes one side's yes. With both, the match is active. A side that has
// accepted already changes nothing: the event is then empty.
func (m *Match) Accept(by Side, now time.Time) (MatchEvent, error) {
	if err := m.open(now); err != nil {
		return "", err
	}
	if !m.accepted(by).IsZero() {
		return "", nil
	}
	m.accept(by, now)
	m.Version++
	m.UpdateTime = now
	if m.DemandAccepted.IsZero() || m.SupplyAccepted.IsZero() {
		return MatchAccepted, nil
	}
	m.State = Active
	return MatchActivated, nil
}

// Decline takes one side's no, with the reason. A side that has accepted may
// still decline while the other has not answered.
func (m *Match) Decline(by Side, reason string, now time.Time) (MatchEvent, error) {
	if err := m.open(now); err != nil {
		return "", err
	}
	m.State, m.DeclinedBy, m.DeclineReason = Declined, by, reason
	m.Version++
	m.UpdateTime = now
	return MatchDeclined, nil
}

// Expire ends a proposal whose time is over. It reports false, and changes
// nothing, where there is nothing to end.
func (m *Match) Expire(now time.Time) (MatchEvent, bool) {
	if m.State != Proposed || now.Before(m.ExpireTime) {
		return "", false
	}
	m.State = Expired
	m.Version++
	m.UpdateTime = now
	return MatchExpired, true
}

// open refuses an answer to a match that takes none: one whose time is over
// takes none even before the clock has marked it.
func (m *Match) open(now time.Time) error {
	name := "matches/" + m.ID
	if m.State != Proposed {
		return errs.New(errs.FailedPrecondition, ReasonMatchNotOpen, "%s is %s and takes no answer", name, m.State).With("state", string(m.State))
	}
	if !now.Before(m.ExpireTime) {
		return errs.New(errs.FailedPrecondition, ReasonMatchExpired, "%s could be answered until %s", name, m.ExpireTime.UTC().Format(time.RFC3339))
	}
	return nil
}

// Withdrawn refuses to agree on an entry that has been taken out of view: there
// is nothing left to agree on but a no.
func (m *Match) Withdrawn(entry string) error {
	return errs.New(errs.FailedPrecondition, ReasonMatchNotOpen, "%s has been withdrawn from the catalogue: matches/%s can only be declined", entry, m.ID).
		With("state", string(m.State)).With("resource", entry)
}

func (m *Match) accepted(by Side) time.Time {
	if by == DemandSide {
		return m.DemandAccepted
	}
	return m.SupplyAccepted
}

func (m *Match) accept(by Side, now time.Time) {
	switch by {
	case DemandSide:
		m.DemandAccepted = now
	case SupplySide:
		m.SupplyAccepted = now
	}
}

// SideOf works out for which side a caller answers. owns says whether the
// caller may act for an organisation; asked is the side named in the request,
// empty where none is.
func (m *Match) SideOf(owns func(organisation string) bool, asked Side) (Side, error) {
	demand, supply := owns(m.DemandOrganisation), owns(m.SupplyOrganisation)
	switch {
	case asked == DemandSide && demand, asked == SupplySide && supply:
		return asked, nil
	case asked == "" && demand && !supply:
		return DemandSide, nil
	case asked == "" && supply && !demand:
		return SupplySide, nil
	case asked == "" && demand && supply:
		return "", errs.New(errs.Invalid, ReasonSideNotYours, "side: say for which side, you may answer for both").
			WithField("side", ReasonSideNotYours, "say for which side, you may answer for both")
	}
	return "", errs.New(errs.PermissionDenied, ReasonSideNotYours, "you may not answer for the %s side of matches/%s", asked, m.ID)
}
