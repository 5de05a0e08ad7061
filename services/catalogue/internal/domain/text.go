package domain

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/trama-suite/trama/services/platform/errs"
)

// LocalizedText is text written by a person, in the language it was written in, with
// optional translations.
type LocalizedText struct {
	Text         string            `json:"text"`
	LanguageCode string            `json:"language_code"` // BCP 47
	Translations map[string]string `json:"translations,omitempty"`
}

// IsZero reports whether there is no text at all.
func (t LocalizedText) IsZero() bool {
	return t.Text == "" && t.LanguageCode == "" && len(t.Translations) == 0
}

// Equal reports whether two texts are the same in every language.
func (t LocalizedText) Equal(other LocalizedText) bool {
	return t.Text == other.Text && t.LanguageCode == other.LanguageCode && maps.Equal(t.Translations, other.Translations)
}

// faults gathers what is wrong, field by field, so that a caller learns of
// everything at once.
type faults []errs.Field

func (f *faults) add(reason errs.Reason, path, format string, args ...any) {
	*f = append(*f, errs.Field{Path: path, Reason: reason, Description: fmt.Sprintf(format, args...)})
}

// err returns nil where nothing is wrong; its reason is that of the first fault.
func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	words := make([]string, len(f))
	for i, field := range f {
		words[i] = field.Path + ": " + field.Description
	}
	e := errs.New(errs.Invalid, f[0].Reason, "%s", strings.Join(words, "; "))
	for _, field := range f {
		_ = e.WithField(field.Path, field.Reason, field.Description)
	}
	return e
}

// text holds a text against its length in characters, in every language.
func (f *faults) text(path string, t LocalizedText, most int) {
	switch {
	case strings.TrimSpace(t.Text) == "":
		f.add(TextWrong, path+".text", "must not be empty")
	case utf8.RuneCountInString(t.Text) > most:
		f.add(TextWrong, path+".text", "is longer than %d characters", most)
	}
	if t.LanguageCode == "" {
		f.add(TextWrong, path+".language_code", "must say the language of the text, for example it")
	}
	for _, language := range slices.Sorted(maps.Keys(t.Translations)) {
		field := path + ".translations[" + language + "]"
		if strings.EqualFold(language, t.LanguageCode) {
			f.add(TextWrong, field, "is a translation into the text's own language")
		}
		if utf8.RuneCountInString(t.Translations[language]) > most {
			f.add(TextWrong, field, "is longer than %d characters", most)
		}
	}
}

// date holds an ISO 8601 date against the calendar; empty is right.
func (f *faults) date(path, date string) {
	if date == "" {
		return
	}
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		f.add(DateWrong, path, "%s is not a date of the calendar: write it as 2026-01-31", date)
	}
}

// pastDate is date for a day that must not be in the future. It grants the day
// after today in UTC, which is today somewhere.
func (f *faults) pastDate(path, date string, now time.Time) {
	f.date(path, date)
	if date > now.UTC().AddDate(0, 0, 1).Format(time.DateOnly) {
		f.add(DateWrong, path, "%s is in the future", date)
	}
}

// interval holds two dates, each of which may be empty, against each other.
func (f *faults) interval(fromPath, from, toPath, to string) {
	f.date(fromPath, from)
	f.date(toPath, to)
	if from != "" && to != "" && to < from {
		f.add(DateWrong, toPath, "%s is before the beginning, %s", to, from)
	}
}
