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
// that has its alert already gets no second one.
func Reconcile(project string, open []*Alert, causes []Cause, newID func() string, now time.Time) (opened, closed []*Alert) {
	type key struct {
		kind     AlertKind
		resource string
	}
	wrong := make(map[key]bool, len(causes))
	for _, c := range causes {
		wrong[key{c.Kind, c.Resource}] = true
	}
	known := make(map[key]bool, len(open))
	for _, a := range open {
		k := key{a.Cause.Kind, a.Cause.Resource}
		if wrong[k] && !known[k] {
			known[k] = true
			continue
		}
		a.Closed = now
		a.Touch(now)
		closed = append(closed, a)
	}
	for _, c := range causes {
		k := key{c.Kind, c.Resource}
		if known[k] {
			continue
		}
		known[k] = true
		opened = append(opened, &Alert{ID: newID(), Project: project, Cause: c, Stamp: NewStamp(now)})
	}
	return opened, closed
}
