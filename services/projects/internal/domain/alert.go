package domain

import (
	"slices"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
)

// Cause is something that is wrong now, by a rule.
type Cause struct {
	Rule         string `json:"rule"`         // id
	Resource     string `json:"resource"`     // name of the task, line, deliverable …, or of the project
	Organisation string `json:"organisation"` // the partner in charge
}

// Finding is a cause with what was measured.
type Finding struct {
	Cause
	Value int64 `json:"value"`
}

// Alert is a cause that was seen: an aggregate of its own.
type Alert struct {
	ID      string `json:"id"`
	Project string `json:"project"` // id
	Finding
	Kind           AlertKind   `json:"kind"`
	Severity       Severity    `json:"severity"`
	Threshold      int64       `json:"threshold"`
	Title          Text        `json:"title"`
	Recipients     []Recipient `json:"recipients"`
	EscalateTo     []Recipient `json:"escalateTo,omitempty"`
	Escalates      time.Time   `json:"escalates,omitzero"` // when it does; zero: never, or done
	Escalated      time.Time   `json:"escalated,omitzero"`
	Acknowledged   time.Time   `json:"acknowledged,omitzero"`
	AcknowledgedBy string      `json:"acknowledgedBy,omitempty"`
	Note           string      `json:"note,omitempty"`
	Opened         time.Time   `json:"opened"`
	Closed         time.Time   `json:"closed,omitzero"` // zero while open
	Version        int64       `json:"version"`
}

// Name returns the resource name.
func (a *Alert) Name() string { return ids.Name("projects", a.Project, "alerts", a.ID) }

// CurrentVersion is the version that the etag stands for.
func (a *Alert) CurrentVersion() int64 { return a.Version }

// Costs reports whether only the lead and the partner in charge may see it.
func (a *Alert) Costs() bool { return a.Kind.Costs() }

// Acknowledge puts an open alert into somebody's charge: it escalates no more.
func (a *Alert) Acknowledge(by, note string, now time.Time) error {
	if !a.Closed.IsZero() {
		return errs.New(errs.FailedPrecondition, AlertClosed, "%s is closed already", a.Name()).With("resource", a.Name())
	}
	if !a.Acknowledged.IsZero() {
		return errs.New(errs.FailedPrecondition, AlertAcknowledged, "%s is in the charge of %s already", a.Name(), a.AcknowledgedBy).With("resource", a.Name())
	}
	a.Acknowledged, a.AcknowledgedBy, a.Note, a.Escalates = now, by, note, time.Time{}
	a.Version++
	return nil
}

// escalate tells further people, once, where nobody took charge in time.
func (a *Alert) escalate(now time.Time) bool {
	if a.Escalates.IsZero() || now.Before(a.Escalates) {
		return false
	}
	for _, r := range a.EscalateTo {
		if !slices.Contains(a.Recipients, r) {
			a.Recipients = append(a.Recipients, r)
		}
	}
	a.Escalated, a.Escalates = now, time.Time{}
	a.Version++
	return true
}

// Changes are what a look at a project has changed of its alerts.
type Changes struct{ Opened, Closed, Escalated []*Alert }

// None reports whether nothing has changed.
func (c *Changes) None() bool { return len(c.Opened)+len(c.Closed)+len(c.Escalated) == 0 }

// Reconcile compares the open alerts of a project with what is wrong now. A cause
// that has its alert already gets no second one; one that is in the charge of
// another partner now is another cause. Alerts of rules that looked says nothing
// of stay as they are.
func Reconcile(project string, open []*Alert, found []Finding, rules map[string]*AlertRule, looked func(AlertKind) bool, newID func() string, now time.Time) Changes {
	wrong := make(map[Cause]bool, len(found))
	for _, f := range found {
		wrong[f.Cause] = true
	}
	var out Changes
	known := make(map[Cause]bool, len(open))
	for _, a := range open {
		if !looked(a.Kind) || wrong[a.Cause] && !known[a.Cause] {
			known[a.Cause] = true
			if a.escalate(now) {
				out.Escalated = append(out.Escalated, a)
			}
			continue
		}
		a.Closed, a.Escalates = now, time.Time{}
		a.Version++
		out.Closed = append(out.Closed, a)
	}
	for _, f := range found {
		if known[f.Cause] {
			continue
		}
		known[f.Cause] = true
		r := rules[f.Rule]
		a := &Alert{ID: newID(), Project: project, Finding: f, Kind: r.Kind, Severity: r.Severity, Threshold: r.Threshold,
			Title: r.Title, Recipients: slices.Clone(r.Recipients), EscalateTo: r.EscalateTo, Opened: now, Version: 1}
		if r.EscalateAfter > 0 {
			a.Escalates = now.Add(r.EscalateAfter)
		}
		out.Opened = append(out.Opened, a)
	}
	return out
}
