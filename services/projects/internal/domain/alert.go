package domain

import (
	"time"

	"github.com/trama-suite/trama/services/platform/ids"
)

// AlertKind is a kind of alert.
type AlertKind string

// The kinds of alerts.
const (
	TaskLate           AlertKind = "TASK_LATE"
	LineOverspent      AlertKind = "LINE_OVERSPENT"
	DeliverableOverdue AlertKind = "DELIVERABLE_OVERDUE"
)

// Cause is something that is wrong now.
type Cause struct {
	Kind         AlertKind
	Resource     string // name of the task, line or deliverable
	Organisation string // the partner in charge
}

// Alert is a cause that was seen: an aggregate of its own.
type Alert struct {
	ID      string
	Project string // id
	Cause   Cause
	Closed  time.Time // zero while open
	Stamp
}

// Name returns the resource name.
func (a *Alert) Name() string { return ids.Name("projects", a.Project, "alerts", a.ID) }

// Reconcile compares the open alerts of a project with what is wrong now. It
// returns the alerts to open and those, now closed, whose cause is gone. A cause
// that has its alert already gets no second one; one that is in the charge of
// another partner now is another cause.
func Reconcile(project string, open []*Alert, causes []Cause, newID func() string, now time.Time) (opened, closed []*Alert) {
	wrong := make(map[Cause]bool, len(causes))
	for _, c := range causes {
		wrong[c] = true
	}
	known := make(map[Cause]bool, len(open))
	for _, a := range open {
		if wrong[a.Cause] && !known[a.Cause] {
			known[a.Cause] = true
			continue
		}
		a.Closed = now
		a.Touch(now)
		closed = append(closed, a)
	}
	for _, c := range causes {
		if known[c] {
			continue
		}
		known[c] = true
		opened = append(opened, &Alert{ID: newID(), Project: project, Cause: c, Stamp: NewStamp(now)})
	}
	return opened, closed
}
