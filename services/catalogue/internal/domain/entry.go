package domain

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
)

// Kind is one of the six kinds of entries.
type Kind string

// The kinds of entries.
const (
	KindSolution        Kind = "solution"
	KindServiceOffering Kind = "service_offering"
	KindNeed            Kind = "need"
	KindIdea            Kind = "idea"
	KindJobProfile      Kind = "job_profile"
	KindEvent           Kind = "event"
)

// Kinds lists the kinds of entries.
func Kinds() []Kind {
	return []Kind{KindSolution, KindServiceOffering, KindNeed, KindIdea, KindJobProfile, KindEvent}
}

// Collection returns the first segment of the kind's resource names.
func (k Kind) Collection() string {
	switch k {
	case KindSolution:
		return "solutions"
	case KindServiceOffering:
		return "serviceOfferings"
	case KindNeed:
		return "needs"
	case KindIdea:
		return "ideas"
	case KindJobProfile:
		return "jobProfiles"
	case KindEvent:
		return "events"
	}
	return ""
}

// KindOfCollection returns the kind whose resource names start with collection.
func KindOfCollection(collection string) (Kind, bool) {
	for _, k := range Kinds() {
		if k.Collection() == collection {
			return k, true
		}
	}
	return "", false
}

// EntryState is where an entry stands in its life. The values of this and of
// the other enumerations of entries are the names of the proto's enum values.
type EntryState string

// The states: draft → published → archived → draft or published.
const (
	EntryDraft     EntryState = "ENTRY_STATE_DRAFT"
	EntryPublished EntryState = "ENTRY_STATE_PUBLISHED"
	EntryArchived  EntryState = "ENTRY_STATE_ARCHIVED"
)

// EntryVisibility says who may see an entry once it is published.
type EntryVisibility string

// The visibilities, from the narrowest to the widest.
const (
	VisibleToOwn     EntryVisibility = "ENTRY_VISIBILITY_OWN"
	VisibleToNetwork EntryVisibility = "ENTRY_VISIBILITY_NETWORK"
	VisibleToPublic  EntryVisibility = "ENTRY_VISIBILITY_PUBLIC"
)

// LicenceInternal marks what must not leave the deployment.
const LicenceInternal = "LicenseRef-internal"

// Card is what the people who keep an entry write, the same for every kind.
type Card struct {
	Title       LocalizedText     `json:"title"`
	Description LocalizedText     `json:"description,omitzero"`
	Visibility  EntryVisibility   `json:"visibility"`
	Category    string            `json:"category,omitempty"`
	Sectors     []string          `json:"sectors,omitempty"`
	Tags        []string          `json:"tags,omitempty"`
	Territories []string          `json:"territories,omitempty"`
	ValidFrom   string            `json:"valid_from,omitempty"`
	ValidUntil  string            `json:"valid_until,omitempty"`
	Attributes  map[string]string `json:"attributes,omitempty"`
	Licence     string            `json:"licence,omitempty"`
	AssuredDate string            `json:"assured_date,omitempty"`
}

// Body is what only one kind of entry has.
type Body interface {
	// Kind returns the kind of entry that the body belongs to.
	Kind() Kind
	// Detail returns the value that lists filter this kind by: maturity, mode,
	// urgency, stage, area or kind of event. Empty: not said.
	Detail() string
	// check adds what is wrong with the body itself.
	check(f *faults, now time.Time)
	// missing adds what publishing asks for and the body lacks.
	missing(f *faults)
	// terms adds the vocabulary terms that the body names, with their paths.
	terms(add func(path string, terms ...string))
	// references adds the resources that the body names, with their paths.
	references(add func(path, name string))
}

// NewBody returns an empty body of a kind; nil for a kind that is none.
func NewBody(kind Kind) Body {
	switch kind {
	case KindSolution:
		return &Solution{}
	case KindServiceOffering:
		return &ServiceOffering{}
	case KindNeed:
		return &Need{}
	case KindIdea:
		return &Idea{}
	case KindJobProfile:
		return &JobProfile{}
	case KindEvent:
		return &Event{}
	}
	return nil
}

// Entry is one entry of the catalogue, of whatever kind.
type Entry struct {
	Name         string // resource name
	Organisation string // resource name of the owner; never changes
	State        EntryState
	Version      int64 // counts the changes; the etag stands for it
	Events       int64 // counts the events told to the world, see Change
	Card         Card
	Body         Body
	CreateTime   time.Time
	UpdateTime   time.Time
	PublishTime  time.Time // zero: never published
}

// Change is an event that a change tells the world. Version is its number among
// the events of the entry or organisation, from 1 without gaps, whatever
// happens to a draft in between.
type Change struct {
	What    ChangeKind
	Version int64
	// Of an advanced idea only.
	From, To IdeaStage
	Project  string
}

// ChangeKind is what happened to an entry or an organisation.
type ChangeKind uint8

// What the world is told of.
const (
	Published ChangeKind = iota + 1 // published, or changed while published
	Archived                        // a published entry was taken out of view
	Advanced                        // an idea moved one stage on
)

// NewEntry returns a draft with that identifier.
func NewEntry(id, organisation string, card Card, body Body, now time.Time) (*Entry, error) {
	e := &Entry{
		Name: body.Kind().Collection() + "/" + id, Organisation: organisation, State: EntryDraft, Version: 1,
		Card: card.withDefaults(), Body: body, CreateTime: now, UpdateTime: now,
	}
	if err := e.check(now); err != nil {
		return nil, err
	}
	return e, nil
}

// Licence returns the licence under which the entry's events travel: what only
// its own organisation may see does not leave the deployment.
func (e *Entry) Licence() string {
	if e.Card.Visibility == VisibleToOwn {
		return LicenceInternal
	}
	return e.Card.Licence
}

// Update replaces the card and the body. An archived entry is read-only. Where
// nothing differs, nothing changes, the version neither.
func (e *Entry) Update(card Card, body Body, now time.Time) ([]Change, error) {
	if e.State == EntryArchived {
		return nil, e.refuse("is archived and read-only: restore it first")
	}
	next := *e
	next.Card, next.Body = card.withDefaults(), body
	if err := next.check(now); err != nil {
		return nil, err
	}
	if e.State == EntryPublished {
		if err := next.complete(); err != nil {
			return nil, err
		}
	}
	if reflect.DeepEqual(next, *e) {
		return nil, nil
	}
	*e = next
	e.touch(now)
	return e.changed(), nil
}

// Publish makes a draft visible to those whom its visibility admits.
func (e *Entry) Publish(now time.Time) ([]Change, error) {
	if e.State != EntryDraft {
		return nil, e.refuse("is not a draft")
	}
	if err := e.complete(); err != nil {
		return nil, err
	}
	e.State, e.PublishTime = EntryPublished, now
	e.touch(now)
	return e.changed(), nil
}

// Archive takes an entry out of view and makes it read-only. The world hears of
// it only where it had heard of the entry.
func (e *Entry) Archive(now time.Time) ([]Change, error) {
	if e.State == EntryArchived {
		return nil, e.refuse("is archived already")
	}
	wasPublished := e.State == EntryPublished
	e.State = EntryArchived
	e.touch(now)
	if !wasPublished {
		return nil, nil
	}
	return []Change{e.tell(Archived)}, nil
}

// Restore brings an archived entry back, as a draft or published.
func (e *Entry) Restore(to EntryState, now time.Time) ([]Change, error) {
	if e.State != EntryArchived {
		return nil, e.refuse("is not archived")
	}
	if to == EntryPublished {
		if err := e.complete(); err != nil {
			return nil, err
		}
		e.PublishTime = now
	} else {
		to = EntryDraft
	}
	e.State = to
	e.touch(now)
	return e.changed(), nil
}

// Use is a resource that an entry names, and the path of the field that does.
type Use struct{ Path, Name string }

// Terms lists the vocabulary terms that the entry names. Plain words are not
// among them.
func (e *Entry) Terms() []Use {
	var out []Use
	add := func(path string, terms ...string) {
		for i, t := range terms {
			if isTermName(t) {
				out = append(out, Use{Path: path + "[" + itoa(i) + "]", Name: t})
			}
		}
	}
	if isTermName(e.Card.Category) {
		out = append(out, Use{Path: "category", Name: e.Card.Category})
	}
	add("sectors", e.Card.Sectors...)
	add("tags", e.Card.Tags...)
	e.Body.terms(add)
	return out
}

// CheckTerms holds the terms that the entry names against those that exist. A
// term that the entry has named before may have ended; a new one must be in
// force today.
func (e *Entry) CheckTerms(known map[string]Validity, before []Use, now time.Time) error {
	had := make(map[string]bool, len(before))
	for _, u := range before {
		had[u.Name] = true
	}
	today := now.UTC().Format(time.DateOnly)
	var f faults
	for _, u := range e.Terms() {
		validity, exists := known[u.Name]
		switch {
		case !exists:
			f.add(errs.ReferenceNotFound, u.Path, "%s does not exist", u.Name)
		case !had[u.Name] && !validity.On(today):
			f.add(TermNotInForce, u.Path, "%s is not in force on %s", u.Name, today)
		}
	}
	return f.err()
}

// References lists the resources of this catalogue, besides terms and the owner,
// that the entry names.
func (e *Entry) References() []Use {
	var out []Use
	e.Body.references(func(path, name string) {
		if name != "" {
			out = append(out, Use{Path: path, Name: name})
		}
	})
	return out
}

// changed returns the event of a change: nothing unless it is published.
func (e *Entry) changed() []Change {
	if e.State != EntryPublished {
		return nil
	}
	return []Change{e.tell(Published)}
}

func (e *Entry) tell(what ChangeKind) Change {
	e.Events++
	return Change{What: what, Version: e.Events}
}

func (e *Entry) touch(now time.Time) {
	e.Version++
	e.UpdateTime = now
}

func (e *Entry) refuse(why string) error {
	return errs.New(errs.FailedPrecondition, WrongState, "%s %s", e.Name, why).With("resource", e.Name).With("state", string(e.State))
}

func (c Card) withDefaults() Card {
	if c.Visibility == "" {
		c.Visibility = VisibleToNetwork
	}
	if c.Licence == "" {
		c.Licence = LicenceInternal
	}
	c.Sectors, c.Tags, c.Territories = slices.Clone(c.Sectors), slices.Clone(c.Tags), slices.Clone(c.Territories)
	c.Attributes = maps.Clone(c.Attributes)
	return c
}
