package ical_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/trama-suite/trama/services/projects/internal/domain/ical"
)

func TestAFeedIsWhatCalendarProgramsRead(t *testing.T) {
	now := time.Date(2026, 1, 5, 9, 30, 0, 0, time.UTC)
	title := strings.Repeat("Già finito; però, «così» \\ è\n", 12)
	f := ical.Feed{Title: "Rete, digitale", Zone: "Europe/Rome", Now: now, Events: []ical.Event{
		{UID: "tasks/1@trama", Title: title, Day: "2026-03-01", Category: "MILESTONE", Changed: now, Version: 3, Details: "x\r\nBEGIN:VEVENT"},
		{UID: "tasks/2@trama", Title: "Scadenza", At: time.Date(2026, 6, 1, 15, 0, 0, 0, time.UTC), Category: "DEADLINE", Changed: now, Version: 1},
	}}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, line := range strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		if len(line) > 75 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("a line of %d octets: %q", len(line), line)
		}
	}
	if strings.Count(text, "\nBEGIN:VEVENT") != 2 {
		t.Errorf("an event was smuggled in:\n%s", text)
	}
	for _, want := range []string{"UID:tasks/1@trama\r\n", "DTSTAMP:20260105T093000Z\r\n", "DTSTART;VALUE=DATE:20260301\r\n", "DTEND;VALUE=DATE:20260302\r\n", "DTSTART:20260601T150000Z\r\n", "SEQUENCE:3\r\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if !strings.Contains(text, "REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n") {
		t.Errorf("the refresh interval is not written as RFC 7986 says:\n%s", text)
	}
	if strings.Contains(text, "DTEND:20260601T150000Z") {
		t.Error("an event ends when it starts, but RFC 5545 wants an end to be later")
	}
	back, err := ics.ParseCalendar(strings.NewReader(text))
	if err != nil || len(back.Events()) != 2 {
		t.Fatalf("%v: %d events", err, len(back.Events()))
	}
	if got := back.Events()[0].GetProperty(ics.ComponentPropertySummary).Value; got != title {
		t.Errorf("the title became %q", got)
	}
	var again bytes.Buffer
	if err := f.Write(&again); err != nil || again.String() != text {
		t.Error("the same feed is not written the same")
	}
}
