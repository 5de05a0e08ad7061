package domain

import (
	"strings"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/money"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Text is what a person has written, in its language, with translations.
type Text struct {
	Text         string            `json:"text,omitempty"`
	Language     string            `json:"language,omitempty"`
	Translations map[string]string `json:"translations,omitempty"`
}

// Empty reports whether nothing but space is written.
func (t Text) Empty() bool { return strings.TrimSpace(t.Text) == "" }

func (t Text) require(path string) error {
	if t.Empty() {
		return errs.InvalidField(FieldMissing, path, "must not be empty")
	}
	return nil
}

func readDate(path string, d civil.Date) error {
	if d == "" {
		return errs.InvalidField(FieldMissing, path, "must be given, as in 2026-01-31")
	}
	return optionalDate(path, d)
}

func optionalDate(path string, d civil.Date) error {
	if d == "" {
		return nil
	}
	if _, err := civil.Parse(string(d)); err != nil {
		return errs.InvalidField(DatesWrong, path, "%s", err)
	}
	return nil
}

// MaxAmount is the largest single amount in minor units: ten thousand billion
// euros, so that sums of thousands of them still fit.
const MaxAmount = 1_000_000_000_000_000

func checkAmount(path string, a money.Amount, currency string, least int64) error {
	if a.Currency == "" {
		return errs.InvalidField(FieldMissing, path, "must be given, with its currency")
	}
	if a.Currency != currency {
		return errs.InvalidField(CurrencyMismatch, path, "is in %q, but the project's currency is %s", a.Currency, currency)
	}
	if a.Minor < least || a.Minor > MaxAmount {
		return errs.InvalidField(AmountWrong, path, "must be %d to %d minor units, is %d", least, int64(MaxAmount), a.Minor)
	}
	return nil
}

// first returns the first error that is not nil.
func first(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// Stamp is what every stored thing has: its version and its times.
type Stamp struct {
	Version int64     `json:"-"`
	Created time.Time `json:"-"`
	Updated time.Time `json:"-"`
}

// NewStamp is the stamp of something created now.
func NewStamp(now time.Time) Stamp { return Stamp{Version: 1, Created: now, Updated: now} }

// Touch makes the stamp that of the next version.
func (s *Stamp) Touch(now time.Time) {
	s.Version++
	s.Updated = now
}

// CurrentVersion is the version that the etag stands for.
func (s *Stamp) CurrentVersion() int64 { return s.Version }
