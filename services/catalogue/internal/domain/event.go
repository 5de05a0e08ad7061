package domain

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // time zones also where the system has none
)

// EventKind is the kind of a meeting.
type EventKind string

// DefaultTimeZone is where an event takes place unless it says otherwise.
const DefaultTimeZone = "Europe/Rome"

// maxEventLength bounds an event: a year and a day.
const maxEventLength = 366 * 24 * time.Hour

// Event is what only an event has.
type Event struct {
	EventKind  EventKind `json:"kind,omitempty"`
	StartTime  time.Time `json:"start_time"`
	EndTime    time.Time `json:"end_time"`
	TimeZone   string    `json:"time_zone"`
	Place      string    `json:"place,omitempty"`
	Link       string    `json:"link,omitempty"`
	Seats      int64     `json:"seats,omitempty"` // 0: without limit
	Organisers []string  `json:"organisers,omitempty"`
	Themes     []string  `json:"themes,omitempty"`
}

// Kind returns KindEvent.
func (*Event) Kind() Kind { return KindEvent }

// Detail returns the kind of meeting.
func (e *Event) Detail() string { return string(e.EventKind) }

func (e *Event) check(f *faults, _ time.Time) {
	switch {
	case e.StartTime.IsZero():
		f.add(EntryInvalid, "start_time", "is required")
	case e.EndTime.IsZero():
		f.add(EntryInvalid, "end_time", "is required")
	case !e.EndTime.After(e.StartTime):
		f.add(EntryInvalid, "end_time", "is not after start_time")
	case e.EndTime.Sub(e.StartTime) > maxEventLength:
		f.add(EntryInvalid, "end_time", "is more than 366 days after start_time")
	}
	// "Local" would mean the server's own zone.
	if _, err := time.LoadLocation(e.TimeZone); err != nil || e.TimeZone == "" || e.TimeZone == "Local" {
		f.add(EntryInvalid, "time_zone", "%q is not an IANA time zone", e.TimeZone)
	}
	if e.Seats < 0 {
		f.add(EntryInvalid, "seats", "is below 0")
	}
}

func (e *Event) missing(f *faults) {
	if e.EventKind == "" {
		f.add(EntryIncomplete, "kind", "is required to publish")
	}
	if strings.TrimSpace(e.Place) == "" && e.Link == "" {
		f.add(EntryIncomplete, "place", "is required to publish, or a link")
	}
}

func (e *Event) terms(add func(string, ...string)) { add("themes", e.Themes...) }

func (e *Event) references(add func(string, string)) {
	for i, o := range e.Organisers {
		add(fmt.Sprintf("organisers[%d]", i), o)
	}
}
