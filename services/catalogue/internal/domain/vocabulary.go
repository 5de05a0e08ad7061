package domain

import "time"

// VocabularyProfile is what people write about a vocabulary.
type VocabularyProfile struct {
	Title       LocalizedText `json:"title"`
	Description LocalizedText `json:"description,omitzero"`
	Source      string        `json:"source,omitempty"`
	Licence     string        `json:"licence,omitempty"`
	ValidFrom   string        `json:"valid_from,omitempty"` // first day in force; empty: since ever
	ValidTo     string        `json:"valid_to,omitempty"`   // last day in force; empty: until further notice
}

// Vocabulary is a controlled list in one version of it.
type Vocabulary struct {
	Name       string // resource name
	Code       string // the same in all its versions; never changes
	Edition    string // which version; never changes
	Profile    VocabularyProfile
	Version    int64 // of the row; the etag stands for it
	CreateTime time.Time
	UpdateTime time.Time
}

// NewVocabulary returns a vocabulary without terms.
func NewVocabulary(name, code, edition string, profile VocabularyProfile, now time.Time) (*Vocabulary, error) {
	if err := profile.check(); err != nil {
		return nil, err
	}
	return &Vocabulary{
		Name: name, Code: code, Edition: edition, Profile: profile, Version: 1, CreateTime: now, UpdateTime: now,
	}, nil
}

// Update replaces the profile; the same profile changes nothing, the version
// neither.
func (v *Vocabulary) Update(profile VocabularyProfile, now time.Time) error {
	if profile.Equal(v.Profile) {
		return nil
	}
	if err := profile.check(); err != nil {
		return err
	}
	v.Profile = profile
	v.Version++
	v.UpdateTime = now
	return nil
}

// Equal reports whether two profiles say the same.
func (p VocabularyProfile) Equal(other VocabularyProfile) bool {
	return p.Title.Equal(other.Title) && p.Description.Equal(other.Description) && p.Source == other.Source &&
		p.Licence == other.Licence && p.ValidFrom == other.ValidFrom && p.ValidTo == other.ValidTo
}

func (p VocabularyProfile) check() error {
	var f faults
	f.text("title", p.Title, maxName)
	if !p.Description.IsZero() {
		f.text("description", p.Description, maxDescription)
	}
	f.interval("valid_from", p.ValidFrom, "valid_to", p.ValidTo)
	return f.err()
}
