// Package domain holds the rules of impact measurement: theories of change,
// indicators, measurements, what happens by itself, and who may see which
// figure. It does no input or output and reads no clock.
package domain

import (
	"strings"
	"unicode/utf8"

	"github.com/trama-suite/trama/services/impact/internal/domain/territory"
	"github.com/trama-suite/trama/services/platform/errs"
)

// The reasons of this service; the proto enum ImpactError documents them.
const (
	TheoryCycle        errs.Reason = "THEORY_CYCLE"
	NodeKeyInvalid     errs.Reason = "NODE_KEY_INVALID"
	LinkNotAllowed     errs.Reason = "LINK_NOT_ALLOWED"
	LinkDuplicate      errs.Reason = "LINK_DUPLICATE"
	EvidenceMissing    errs.Reason = "EVIDENCE_MISSING"
	AssumptionNotFound errs.Reason = "ASSUMPTION_NOT_FOUND"
	NothingToPublish   errs.Reason = "NOTHING_TO_PUBLISH"
	NodeInUse          errs.Reason = "NODE_IN_USE"
	NumberInvalid      errs.Reason = "NUMBER_INVALID"
	PeriodInvalid      errs.Reason = "PERIOD_INVALID"
	ValueShape         errs.Reason = "VALUE_SHAPE"
	ValueNegative      errs.Reason = "VALUE_NEGATIVE"
	IndicatorRetired   errs.Reason = "INDICATOR_RETIRED"
	IndicatorAutomatic errs.Reason = "INDICATOR_AUTOMATIC"
	HeadlineNotNetwork errs.Reason = "HEADLINE_NOT_NETWORK"
	IndicatorNotOwn    errs.Reason = "INDICATOR_NOT_OWN"
	SharesInvalid      errs.Reason = "SHARES_INVALID"
	StateNotAllowed    errs.Reason = "STATE_NOT_ALLOWED"
	PeriodOverlap      errs.Reason = "PERIOD_OVERLAP"
	AcceptanceNotOwn   errs.Reason = "ACCEPTANCE_NOT_OWN"
	NetworkOnly        errs.Reason = "NETWORK_ONLY"
	TerritoryInvalid   errs.Reason = territory.Invalid
)

// Limits that keep one row from growing without end.
const (
	maxEvidence  = 100 // pieces on one assumption
	maxYears     = 100 // of a period
	maxTitle     = 200 // characters
	maxNodeTitle = 300
)

// Reasons lists them all, for the test that holds them against the proto.
var Reasons = []errs.Reason{
	TheoryCycle, NodeKeyInvalid, LinkNotAllowed, LinkDuplicate, EvidenceMissing, AssumptionNotFound, NothingToPublish,
	NodeInUse, NumberInvalid, PeriodInvalid, ValueShape, ValueNegative, IndicatorRetired,
	IndicatorAutomatic, HeadlineNotNetwork, IndicatorNotOwn, SharesInvalid, StateNotAllowed, PeriodOverlap,
	AcceptanceNotOwn, NetworkOnly, TerritoryInvalid,
}

// Text is text written by a person, with its language (BCP 47) and translations.
type Text struct {
	Text         string            `json:"text"`
	Language     string            `json:"language,omitempty"`
	Translations map[string]string `json:"translations,omitempty"`
}

// Empty reports whether nothing was written.
func (t Text) Empty() bool { return t.Text == "" && len(t.Translations) == 0 }

// title checks a title: written, in a language, and not too long.
func title(field string, t Text, most int) error {
	switch n := utf8.RuneCountInString(t.Text); {
	case n == 0:
		return errs.InvalidField(errs.InvalidRequest, field, "must not be empty")
	case n > most:
		return errs.InvalidField(errs.InvalidRequest, field, "has %d characters, at most %d are allowed", n, most)
	case strings.ContainsRune(t.Text, 0):
		return errs.InvalidField(errs.InvalidRequest, field, "holds a NUL character, which no text has a use for")
	case t.Language == "":
		return errs.InvalidField(errs.InvalidRequest, field+".language_code", "must say which language the text is in")
	}
	return nil
}
