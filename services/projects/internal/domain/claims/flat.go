package claims

import (
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/funding"
)

// Base is what a claim holds on one budget line: what flat rates are a part of.
type Base struct {
	BudgetLine string // id
	Category   string
	Claimed    int64
	Accepted   int64
	Parked     int64
}

// rates computes the flat rates among a partner's budget lines on a base, by
// budget line.
func rates(flats []*domain.Line, p *domain.Project, base []Base, amount func(Base) int64) (map[string]int64, error) {
	lines := make([]funding.Line, 0, len(base)+len(flats))
	for _, f := range flats {
		x := f.Funding(p)
		x.Amount, x.Periods = 0, nil
		lines = append(lines, x)
	}
	partner := ""
	if len(flats) > 0 {
		partner = flats[0].Organisation
	}
	for _, b := range base {
		lines = append(lines, funding.Line{Key: b.BudgetLine, Partner: partner, Category: funding.Category(b.Category), Amount: amount(b)})
	}
	if err := funding.Settle(lines); err != nil {
		return nil, errs.New(errs.FailedPrecondition, domain.FlatRateWrong, "the flat rates of the claim cannot be computed: %s", err)
	}
	out := make(map[string]int64, len(flats))
	for _, x := range lines[:len(flats)] {
		out[x.Key] = x.Amount
	}
	return out, nil
}

// SettleFlat puts the flat rates of a claim in preparation in step with its other
// lines. have are the computed lines that it has; the answer says which of them
// changed, which are new and which are gone.
func (c *Claim) SettleFlat(p *domain.Project, flats []*domain.Line, base []Base, have []*Line, newID func() string) (changed, added, gone []*Line, err error) {
	want, err := rates(flats, p, base, func(b Base) int64 { return b.Claimed })
	if err != nil {
		return nil, nil, nil, err
	}
	known := map[string]bool{}
	for _, l := range have {
		amount, still := want[l.BudgetLine]
		known[l.BudgetLine] = true
		if amount == l.Claimed {
			continue
		}
		c.exclude(l)
		if !still || amount == 0 {
			gone = append(gone, l)
			continue
		}
		l.Claimed = amount
		l.Version++
		if err := c.include(l); err != nil {
			return nil, nil, nil, err
		}
		changed = append(changed, l)
	}
	for _, f := range flats {
		if known[f.ID] || want[f.ID] == 0 {
			continue
		}
		l := &Line{ID: newID(), Claim: c.ID, BudgetLine: f.ID, Category: f.Category, State: Included, Claimed: want[f.ID], Version: 1}
		if err := c.include(l); err != nil {
			return nil, nil, nil, err
		}
		added = append(added, l)
	}
	return changed, added, gone, nil
}

// FlatReason is the reason of the cuts that follow from those of other lines.
const FlatReason = "calcolato sulle righe accettate (computed on the accepted lines)"

// RecomputeFlat puts the flat rates of a claim in control in step with what was
// decided of its other lines: what rests on a parked line is parked, what rests
// on a cut one is cut. It returns those that changed.
func (c *Claim) RecomputeFlat(p *domain.Project, flats []*domain.Line, base []Base, have []*Line, by string, now time.Time) ([]*Line, error) {
	if len(have) == 0 {
		return nil, nil
	}
	accepted, err := rates(flats, p, base, func(b Base) int64 { return b.Accepted })
	if err != nil {
		return nil, err
	}
	unparked, err := rates(flats, p, base, func(b Base) int64 { return b.Accepted + b.Parked })
	if err != nil {
		return nil, err
	}
	var changed []*Line
	for _, l := range have {
		// The budget may have changed since: never more than was claimed.
		whole := min(unparked[l.BudgetLine], l.Claimed)
		cut, parked := l.Claimed-whole, whole-min(accepted[l.BudgetLine], whole)
		if cut == l.Cut && parked == l.ParkedSum {
			continue
		}
		c.Cut += cut - l.Cut
		c.Parked += parked - l.ParkedSum
		l.Cut, l.ParkedSum, l.State, l.Reason, l.DecidedBy, l.DecidedAt, l.Decided = cut, parked, Included, "", by, now, true
		if cut+parked > 0 {
			l.State, l.Reason = Corrected, FlatReason
		}
		l.Version++
		changed = append(changed, l)
	}
	return changed, nil
}

// BaseOf sums up what lines hold on each budget line, the computed ones left out.
func BaseOf(lines []*Line) []Base {
	at := map[string]int{}
	var out []Base
	for _, l := range lines {
		if l.Computed() {
			continue
		}
		i, known := at[l.BudgetLine]
		if !known {
			i = len(out)
			at[l.BudgetLine] = i
			out = append(out, Base{BudgetLine: l.BudgetLine, Category: l.Category})
		}
		out[i].Claimed += l.Claimed
		out[i].Accepted += l.Accepted()
		out[i].Parked += l.ParkedSum
	}
	return out
}
