package domain

import "time"

// Text is text in the language it was written in, with translations.
type Text struct {
	// Text as written.
	Text string `json:"text,omitempty"`
	// Language is its BCP 47 tag.
	Language string `json:"language,omitempty"`
	// Translations by BCP 47 tag.
	Translations map[string]string `json:"translations,omitempty"`
}

// validDate reports whether a date is a day of the calendar in ISO 8601.
func validDate(date string) bool {
	_, err := time.Parse(time.DateOnly, date)
	return err == nil
}

// Clock rounds an instant to what the databases keep: UTC, whole microseconds.
func Clock(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
