package domain

import (
	"math/big"

	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// WatchFacts are what alert rules look at in a project.
type WatchFacts struct {
	// Tasks that are not summaries and not complete.
	Tasks []TaskFact
	// Deliverables that are not submitted.
	Deliverables []DeliverableFact
	// Lines on which something is spent.
	Lines []LineFact
	// Entries of registers that ask for something: failed quality checks, and what
	// is old or overdue.
	Entries []EntryFact
	// Planned and Spent are the project's totals.
	Planned, Spent int64
	// Claimed is the funding asked in submitted claims, by funder's key.
	Claimed map[string]int64
	// ClaimedPeriods are the keys of the periods with a submitted claim.
	ClaimedPeriods map[string]bool
	// Measured is nil where earned value was not computed.
	Measured *Measured
}

// TaskFact is a task that is not complete.
type TaskFact struct {
	ID, Organisation string
	Finish           civil.Date
	Float            int64 // working minutes
	Milestone        bool
}

// DeliverableFact is a deliverable that is not submitted.
type DeliverableFact struct {
	ID, Organisation string
	Due              civil.Date
}

// EntryFact is an entry of a register that asks for something.
type EntryFact struct {
	Register, ID, Organisation, State string
	// Due is until when it does; empty for no date.
	Due civil.Date
	// Noted is the day on which it was entered.
	Noted civil.Date
	// Round is how many results were recorded, of a quality check.
	Round int32
}

// LineFact is a budget line on which something is spent.
type LineFact struct {
	ID, Organisation string
	Amount, Spent    int64
}

// Measured is what is read off earned value; nil is undefined.
type Measured struct{ SPI, CPI, Burn *big.Rat }

// Performing reports whether performance is looked at in a phase: before the
// execution nothing is to be earned.
func (p *Project) Performing() bool { return p.Phase == Execution || p.Phase == Closing }

// Look returns what is wrong with a project by the rules, on a day. open tells
// which causes have an alert.
func (p *Project) Look(rules []*AlertRule, facts *WatchFacts, open map[Cause]bool, today civil.Date) []Finding {
	if p.Phase == Closed {
		return nil
	}
	l := look{project: p, facts: facts, open: open, today: today}
	for _, r := range rules {
		if !r.Disabled {
			l.rule = r
			l.apply()
		}
	}
	return l.found
}

// basisPoints is what 1 is in basis points.
const basisPoints = 10_000

type look struct {
	project *Project
	facts   *WatchFacts
	open    map[Cause]bool
	today   civil.Date
	rule    *AlertRule
	found   []Finding
}

// see adds a finding where the value is on the bad side.
func (l *look) see(resource, organisation string, value int64) {
	if organisation == "" {
		organisation = l.project.Lead
	}
	c := Cause{Rule: l.rule.ID, Resource: resource, Organisation: organisation}
	if l.rule.holds(value, l.open[c]) {
		l.found = append(l.found, Finding{c, value})
	}
}

// seeRatio is see for a ratio, which may be undefined: then nothing is wrong.
func (l *look) seeRatio(resource, organisation string, value *big.Rat) {
	if value == nil {
		return
	}
	// Rounded to the bad side, so that a cent too much is too much.
	n, rest := new(big.Int).DivMod(new(big.Int).Mul(value.Num(), big.NewInt(basisPoints)), value.Denom(), new(big.Int))
	if rest.Sign() > 0 && !l.rule.Kind.low() {
		n.Add(n, big.NewInt(1))
	}
	if !n.IsInt64() {
		n.SetInt64(1<<63 - 1)
	}
	l.see(resource, organisation, n.Int64())
}

func (l *look) days(day civil.Date) int64 { return int64(l.today.Days() - day.Days()) }

// near is see for a day that comes closer: value is the days until then.
func (l *look) near(resource, organisation string, day civil.Date) {
	if left := -l.days(day); left >= 0 && left <= l.rule.Threshold {
		if organisation == "" {
			organisation = l.project.Lead
		}
		l.found = append(l.found, Finding{Cause{l.rule.ID, resource, organisation}, left})
	}
}

func (l *look) apply() {
	p := l.project
	switch l.rule.Kind {
	case TaskLate, MilestoneLate, FloatLow:
		l.tasks()
	case DeliverableOverdue:
		for _, d := range l.facts.Deliverables {
			l.see(ids.Name("projects", p.ID, "deliverables", d.ID), d.Organisation, l.days(d.Due))
		}
	case DeadlineNear:
		l.deadlines()
	case QualityFailed, IssueOld, EntryOverdue:
		l.entries()
	case LineOverspent:
		for _, x := range l.facts.Lines {
			if x.Spent > 0 {
				l.seeRatio(LineName(p.ID, x.ID), x.Organisation, ratio(x.Spent, x.Amount))
			}
		}
	case SchedulePerformance, CostPerformance, BurnHigh:
		l.performance()
	case Underspend:
		if left := -l.days(p.End); left >= 0 && left <= int64(l.rule.Days) && l.facts.Planned > 0 {
			l.seeRatio(p.Name(), p.Lead, ratio(l.facts.Spent, l.facts.Planned))
		}
	case ClaimAboveGrant:
		for _, f := range p.Funders {
			if claimed := l.facts.Claimed[f.Key]; claimed > 0 && f.Grant.Minor > 0 {
				l.seeRatio(ids.Name("projects", p.ID, "funders", f.Key), p.Lead, ratio(claimed, f.Grant.Minor))
			}
		}
	case ReportDue:
		for _, x := range p.Periods {
			if x.ReportDue != "" && !l.facts.ClaimedPeriods[x.Key] && -l.days(x.ReportDue) <= l.rule.Threshold {
				l.found = append(l.found, Finding{Cause{l.rule.ID, ids.Name("projects", p.ID, "reportingPeriods", x.Key), p.Lead}, -l.days(x.ReportDue)})
			}
		}
	}
}

func (l *look) tasks() {
	for _, t := range l.facts.Tasks {
		name := TaskName(l.project.ID, t.ID)
		switch {
		case l.rule.Kind == FloatLow:
			l.see(name, t.Organisation, floorDays(t.Float))
		case t.Milestone == (l.rule.Kind == MilestoneLate):
			l.see(name, t.Organisation, l.days(t.Finish))
		}
	}
}

func (l *look) entries() {
	for _, x := range l.facts.Entries {
		failed := x.Register == QualityChecks.Collection && x.State == CheckFailed
		unsolved := x.Register == Issues.Collection && (x.State == IssueOpen || x.State == IssueInProgress)
		var value int64
		switch {
		case l.rule.Kind == QualityFailed && failed:
			value = int64(x.Round)
		case l.rule.Kind == IssueOld && unsolved:
			value = l.days(x.Noted)
		case l.rule.Kind == EntryOverdue && !failed && x.Due != "": // a failed check has an alert of its own
			value = l.days(x.Due)
		default:
			continue
		}
		l.see(ids.Name("projects", l.project.ID, x.Register, x.ID), x.Organisation, value)
	}
}

// MinutesPerDay is a working day, where minutes are told in days.
const MinutesPerDay = 480

func floorDays(minutes int64) int64 {
	days := minutes / MinutesPerDay
	if minutes%MinutesPerDay < 0 {
		days--
	}
	return days
}

func (l *look) deadlines() {
	for _, t := range l.facts.Tasks {
		if t.Milestone {
			l.near(TaskName(l.project.ID, t.ID), t.Organisation, t.Finish)
		}
	}
	for _, d := range l.facts.Deliverables {
		l.near(ids.Name("projects", l.project.ID, "deliverables", d.ID), d.Organisation, d.Due)
	}
	l.near(l.project.Name(), l.project.Lead, l.project.End)
}

func (l *look) performance() {
	m := l.facts.Measured
	if m == nil || !l.project.Performing() {
		return
	}
	name, lead := l.project.Name(), l.project.Lead
	switch l.rule.Kind {
	case SchedulePerformance:
		l.seeRatio(name, lead, m.SPI)
	case CostPerformance:
		l.seeRatio(name, lead, m.CPI)
	default:
		l.seeRatio(name, lead, m.Burn)
	}
}

// ratio of nothing planned is more than any threshold.
func ratio(a, b int64) *big.Rat {
	if b == 0 {
		return new(big.Rat).SetInt64(1 << 40)
	}
	return big.NewRat(a, b)
}

// Horizon is how many days ahead the rules look at deadlines, and the most float
// at which they look at tasks: what lies beyond need not be read.
func Horizon(rules []*AlertRule) (days, float int64) {
	float = -100_000
	for _, r := range rules {
		switch {
		case r.Disabled:
		case r.Kind == DeadlineNear:
			days = max(days, r.Threshold)
		case r.Kind == FloatLow:
			float = max(float, r.from(true), r.Threshold)
		}
	}
	return days, float
}
