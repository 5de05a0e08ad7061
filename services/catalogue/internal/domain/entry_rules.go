package domain

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
)

// Reasons of entries and of the search; they belong to CatalogueError like the
// others, and the same test holds them to it.
const (
	EntryInvalid        errs.Reason = "ENTRY_INVALID"
	EntryIncomplete     errs.Reason = "ENTRY_INCOMPLETE"
	IdeaStageIllegal    errs.Reason = "IDEA_STAGE_ILLEGAL"
	IdeaProjectRequired errs.Reason = "IDEA_PROJECT_REQUIRED"
	IdeaServiceRequired errs.Reason = "IDEA_SERVICE_REQUIRED"
	SearchTooLong       errs.Reason = "SEARCH_TOO_LONG"
	SearchTooDeep       errs.Reason = "SEARCH_TOO_DEEP"
	SearchNotReady      errs.Reason = "SEARCH_NOT_READY"
)

// Bounds of what one entry may hold, in characters. The proto states the same
// for what a request can carry; here they also guard what is merged from two.
const (
	maxTitle      = 300
	maxText       = 20_000
	maxAttributes = 50
)

// check returns what is wrong with the entry in every state.
func (e *Entry) check(now time.Time) error {
	var f faults
	if _, ok := ids.Parse("organisations/{organisation}", e.Organisation); !ok {
		f.add(EntryInvalid, "organisation", "is required: organisations/{uuid}")
	}
	e.Card.check(&f, now)
	e.Body.check(&f, now)
	return f.err()
}

// complete returns what publishing asks for and the entry lacks.
func (e *Entry) complete() error {
	var f faults
	if strings.TrimSpace(e.Card.Description.Text) == "" {
		f.add(EntryIncomplete, "description", "is required to publish")
	}
	e.Body.missing(&f)
	if len(f) == 0 {
		return nil
	}
	out := errs.New(errs.FailedPrecondition, EntryIncomplete, "%s is not complete", e.Name).With("resource", e.Name)
	for _, field := range f {
		out.Message += "; " + field.Path + " " + field.Description
		_ = out.WithField(field.Path, field.Reason, field.Description)
	}
	return out
}

func (c *Card) check(f *faults, now time.Time) {
	f.text("title", c.Title, maxTitle)
	f.optionalText("description", c.Description, maxText)
	switch c.Visibility {
	case VisibleToOwn, VisibleToNetwork, VisibleToPublic:
	default:
		f.add(EntryInvalid, "visibility", "is none of own, network, public")
	}
	f.interval("valid_from", c.ValidFrom, "valid_until", c.ValidUntil)
	if len(c.Attributes) > maxAttributes {
		f.add(EntryInvalid, "attributes", "has %d, at most %d", len(c.Attributes), maxAttributes)
	}
	for key, value := range c.Attributes {
		if utf8.RuneCountInString(value) > 1000 {
			f.add(EntryInvalid, "attributes["+key+"]", "is longer than 1000 characters")
		}
	}
	f.pastDate("assured_date", c.AssuredDate, now)
}

// optionalText is text for a text that may be absent.
func (f *faults) optionalText(path string, t LocalizedText, most int) {
	if !t.IsZero() && (t.Text != "" || len(t.Translations) > 0) {
		f.text(path, t, most)
	}
}

// isTermName tells a vocabulary term's resource name from a plain word.
func isTermName(term string) bool { return strings.HasPrefix(term, "vocabularies/") }
