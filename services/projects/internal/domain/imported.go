package domain

import "time"

// PassImported takes a project that comes in a later phase there, or on to it:
// each gate before it is passed with all that it asks for waived, for the reason
// given. gates are the project's. Those that have changed are among the moves'
// gates.
func (p *Project) PassImported(gates map[GateKey]*Gate, to Phase, actor, reason string, now time.Time) ([]PhaseMove, []Event, error) {
	var moves []PhaseMove
	var events []Event
	for p.Phase.Before(to) {
		key, _ := p.NextGate()
		g := gates[key]
		var waived []string
		for _, item := range g.Items {
			if !item.Waived {
				if err := g.ahead(p); err != nil {
					return nil, nil, err
				}
				g.waive(g.index(item.Key), "", Act{Actor: actor, Note: reason, Time: now})
			}
			waived = append(waived, item.Key)
		}
		move := p.move(key.To(), actor, reason, now)
		move.Waived = waived
		moves = append(moves, move)
		events = append(events, Event{What: PhaseChanged, Version: p.Version, From: move.From, To: move.To})
	}
	if p.Phase == Closed && len(moves) > 0 {
		p.Closed, p.Outcome = now, Completed
		p.Touch(now)
		events = append(events, Event{What: WasClosed, Version: p.Version})
	}
	return moves, events, nil
}
