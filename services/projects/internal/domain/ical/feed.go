// Package ical writes dates as an iCalendar feed (RFC 5545) that calendar
// programs subscribe to. It reads no clock.
package ical

import (
	"io"
	"strings"
	"time"
	"unicode"

	ics "github.com/arran4/golang-ical"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Feed is a calendar of dates.
type Feed struct {
	Title  string
	Zone   string // IANA name
	Now    time.Time
	Events []Event
}

// Event is one date. It fills the day, or where At is given stands at that
// instant.
type Event struct {
	// UID stays the same for the same thing, so that programs change the event in
	// place.
	UID      string
	Title    string
	Day      civil.Date
	At       time.Time
	Category string
	Details  string
	Changed  time.Time
	Version  int64 // counts the changes
	Done     bool
}

// Write writes the feed with lines of at most 75 octets that end in CRLF.
func (f *Feed) Write(to io.Writer) error {
	c := ics.NewCalendarFor("Trama")
	c.SetMethod(ics.MethodPublish)
	c.SetCalscale("GREGORIAN")
	c.SetName(clean(f.Title))
	c.SetXWRCalName(clean(f.Title))
	c.SetXWRTimezone(f.Zone)
	c.SetRefreshInterval("PT1H") // the library adds the type, and would do so twice
	c.SetXPublishedTTL("PT1H")
	for _, e := range f.Events {
		x := c.AddEvent(e.UID)
		x.SetDtStampTime(f.Now)
		x.SetModifiedAt(e.Changed)
		x.SetSequence(int(min(e.Version, 1<<31-1)))
		x.SetSummary(clean(e.Title))
		if e.Details != "" {
			x.SetDescription(clean(e.Details))
		}
		x.AddCategory(e.Category)
		if e.At.IsZero() {
			day := time.Unix(int64(e.Day.Days())*86_400, 0).UTC()
			x.SetAllDayStartAt(day)
			x.SetAllDayEndAt(day.AddDate(0, 0, 1)) // exclusive
		} else {
			x.SetStartAt(e.At) // without an end, which would have to be later, it ends when it starts (RFC 5545, 3.6.1)
		}
		x.SetTimeTransparency(ics.TransparencyTransparent)
		if e.Done {
			x.AddCategory("DONE")
		}
	}
	return c.SerializeTo(to, ics.WithNewLine("\r\n"))
}

// clean takes out the control characters that content lines cannot hold; a line
// feed is written as \n.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
