package domain

import (
	"maps"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/trama-suite/trama/services/platform/errs"
)

// OrganisationState says who can see an organisation.
type OrganisationState string

// The states: draft → published → archived → draft, and draft → archived.
const (
	OrganisationDraft     OrganisationState = "ORGANISATION_STATE_DRAFT"
	OrganisationPublished OrganisationState = "ORGANISATION_STATE_PUBLISHED"
	OrganisationArchived  OrganisationState = "ORGANISATION_STATE_ARCHIVED"
)

// Legal forms that the code itself speaks of; the proto enum has all of them.
const (
	LegalFormAmateurSportsClub = "LEGAL_FORM_AMATEUR_SPORTS_CLUB"
	LegalFormPublicBody        = "LEGAL_FORM_PUBLIC_BODY"
	LegalFormOther             = "LEGAL_FORM_OTHER"
)

// KindListed marks an organisation that is known from a register only.
const KindListed = "ORGANISATION_KIND_LISTED"

// Contact is how to reach an organisation in public.
type Contact struct {
	Label string `json:"label,omitempty"`
	Email string `json:"email,omitempty"`
	Phone string `json:"phone,omitempty"`
}

// Profile is what people write about an organisation.
type Profile struct {
	DisplayName   LocalizedText     `json:"display_name"`
	Description   LocalizedText     `json:"description,omitzero"`
	LegalForm     string            `json:"legal_form"`
	Kinds         []string          `json:"kinds,omitempty"`
	Identifiers   []Identifier      `json:"identifiers,omitempty"`
	Territory     Territory         `json:"territory"`
	Sectors       []string          `json:"sectors,omitempty"`        // resource names of terms
	ParentNetwork string            `json:"parent_network,omitempty"` // resource name
	Contacts      []Contact         `json:"contacts,omitempty"`
	Website       string            `json:"website,omitempty"`
	Attributes    map[string]string `json:"attributes,omitempty"`
	Licence       string            `json:"licence,omitempty"`
	Source        string            `json:"source,omitempty"`
	AssuredDate   string            `json:"assured_date,omitempty"`
}

// Organisation is a body of the network.
type Organisation struct {
	Name    string // resource name; the organisation owns itself
	Profile Profile
	State   OrganisationState
	// Version counts the changes; the etag stands for it.
	Version int64
	// Events counts the events told to the world: the version that the envelope
	// of each carries, without gaps, whatever happens to a draft in between.
	Events      int64
	CreateTime  time.Time
	UpdateTime  time.Time
	PublishTime time.Time // of the last publication; zero before the first
}

// NewOrganisation returns a draft.
func NewOrganisation(name string, profile Profile, now time.Time) (*Organisation, error) {
	profile = profile.tidy()
	if err := profile.check(name, now); err != nil {
		return nil, err
	}
	return &Organisation{
		Name: name, Profile: profile, State: OrganisationDraft, Version: 1, CreateTime: now, UpdateTime: now,
	}, nil
}

// Update replaces the profile; the same profile changes nothing, the version
// neither. An archived organisation is restored first.
func (o *Organisation) Update(profile Profile, now time.Time) ([]Change, error) {
	if o.State == OrganisationArchived {
		return nil, o.refuse("is archived: restore it first")
	}
	profile = profile.tidy()
	if profile.Equal(o.Profile) {
		return nil, nil
	}
	if err := profile.check(o.Name, now); err != nil {
		return nil, err
	}
	o.Profile = profile
	o.touch(now)
	if o.State != OrganisationPublished {
		return nil, nil
	}
	return o.tell(Published), nil
}

// Publish makes a draft public.
func (o *Organisation) Publish(now time.Time) ([]Change, error) {
	if o.State != OrganisationDraft {
		return nil, o.refuse("is not a draft")
	}
	o.State, o.PublishTime = OrganisationPublished, now
	o.touch(now)
	return o.tell(Published), nil
}

// Archive withdraws a draft or published organisation. The world hears of it
// only where it had heard of the organisation.
func (o *Organisation) Archive(now time.Time) ([]Change, error) {
	if o.State == OrganisationArchived {
		return nil, o.refuse("is archived already")
	}
	was := o.State
	o.State = OrganisationArchived
	o.touch(now)
	if was != OrganisationPublished {
		return nil, nil
	}
	return o.tell(Archived), nil
}

// Restore makes an archived organisation a draft again.
func (o *Organisation) Restore(now time.Time) error {
	if o.State != OrganisationArchived {
		return o.refuse("is not archived")
	}
	o.State = OrganisationDraft
	o.touch(now)
	return nil
}

// Public reports whether everyone can see the organisation.
func (o *Organisation) Public() bool { return o.State == OrganisationPublished }

func (o *Organisation) touch(now time.Time) {
	o.Version++
	o.UpdateTime = now
}

func (o *Organisation) tell(what ChangeKind) []Change {
	o.Events++
	return []Change{{What: what, Version: o.Events}}
}

func (o *Organisation) refuse(words string) error {
	return errs.New(errs.FailedPrecondition, WrongState, "%s %s", o.Name, words).
		With("resource", o.Name).With("state", string(o.State))
}

// Equal reports whether two profiles say the same.
func (p Profile) Equal(other Profile) bool {
	return p.DisplayName.Equal(other.DisplayName) && p.Description.Equal(other.Description) &&
		p.LegalForm == other.LegalForm && slices.Equal(p.Kinds, other.Kinds) &&
		slices.Equal(p.Identifiers, other.Identifiers) && p.Territory == other.Territory &&
		slices.Equal(p.Sectors, other.Sectors) && p.ParentNetwork == other.ParentNetwork &&
		slices.Equal(p.Contacts, other.Contacts) && p.Website == other.Website &&
		maps.Equal(p.Attributes, other.Attributes) && p.Licence == other.Licence &&
		p.Source == other.Source && p.AssuredDate == other.AssuredDate
}

// tidy returns the profile as it is kept, sharing nothing with its origin.
func (p Profile) tidy() Profile {
	p.Kinds, p.Sectors, p.Contacts = slices.Clone(p.Kinds), slices.Clone(p.Sectors), slices.Clone(p.Contacts)
	p.Attributes = maps.Clone(p.Attributes)
	tidied := make([]Identifier, len(p.Identifiers))
	for i, id := range p.Identifiers {
		tidied[i] = id.Tidy()
	}
	p.Identifiers = tidied
	return p
}

// Bounds of what one organisation may hold. The proto states the same for what a
// request can carry; here they also guard what an import brings.
const (
	maxName        = 300
	maxDescription = 20_000
	maxIdentifiers = 20
	maxContacts    = 20
	maxAttribute   = 500
	maxWebsite     = 500
)

var (
	attributeShape = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
	phoneShape     = regexp.MustCompile(`^\+[0-9]{5,15}$`)
)

// check returns everything that is wrong with the profile by itself. Paths start
// at the organisation.
func (p Profile) check(name string, now time.Time) error {
	var f faults
	f.text("display_name", p.DisplayName, maxName)
	if !p.Description.IsZero() {
		f.text("description", p.Description, maxDescription)
	}
	if p.LegalForm == "" {
		f.add(ValueMissing, "legal_form", "must be given")
	}
	f.count("identifiers", len(p.Identifiers), maxIdentifiers)
	f.identifiers("identifiers", p.Identifiers)
	f.territory("territory", p.Territory)
	if p.ParentNetwork != "" && p.ParentNetwork == name {
		f.add(ParentCycle, "parent_network", "an organisation is not its own network")
	}
	f.count("contacts", len(p.Contacts), maxContacts)
	for i, c := range p.Contacts {
		f.contact("contacts["+itoa(i)+"]", c)
	}
	f.website("website", p.Website)
	f.count("attributes", len(p.Attributes), maxAttributes)
	for _, key := range slices.Sorted(maps.Keys(p.Attributes)) {
		if !attributeShape.MatchString(key) {
			f.add(TextWrong, "attributes["+key+"]", "a key has lower-case letters, digits and _, and begins with a letter")
		}
		f.length("attributes["+key+"]", p.Attributes[key], maxAttribute)
	}
	f.pastDate("assured_date", p.AssuredDate, now)
	return f.err()
}

func (f *faults) contact(path string, c Contact) {
	if c.Email == "" && c.Phone == "" {
		f.add(ValueMissing, path, "must have a mail address or a telephone number")
	}
	if c.Email != "" {
		if a, err := mail.ParseAddress(c.Email); err != nil || a.Address != c.Email || len(c.Email) > 254 {
			f.add(ValueUnknown, path+".email", "is not a mail address")
		}
	}
	if c.Phone != "" && !phoneShape.MatchString(c.Phone) {
		f.add(ValueUnknown, path+".phone", "is not a telephone number in international form, for example +390110000000")
	}
	f.length(path+".label", c.Label, 60)
}

func (f *faults) website(path, address string) {
	if address == "" {
		return
	}
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		f.add(ValueUnknown, path, "is not an address that begins with https:// or http://")
	}
	f.length(path, address, maxWebsite)
}

func (f *faults) length(path, s string, most int) {
	if utf8.RuneCountInString(s) > most {
		f.add(TextWrong, path, "is longer than %d characters", most)
	}
}

func (f *faults) count(path string, n, most int) {
	if n > most {
		f.add(TextWrong, path, "has %d entries, at most %d", n, most)
	}
}

func itoa(i int) string { return strconv.Itoa(i) }
