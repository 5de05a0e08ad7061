package domain

import "time"

// OfferingAvailability says whether a service runs or can be started.
type OfferingAvailability string

// OfferingMode is the form in which a service is given.
type OfferingMode string

// ServiceOffering is what only a service offering has.
type ServiceOffering struct {
	Availability    OfferingAvailability `json:"availability,omitempty"`
	Provider        string               `json:"provider,omitempty"` // organisation; empty: the owner
	Mode            OfferingMode         `json:"mode,omitempty"`
	DurationMinutes int64                `json:"duration_minutes,omitempty"` // 0: not said
	Eligibility     LocalizedText        `json:"eligibility,omitzero"`
	NeedCategories  []string             `json:"need_categories,omitempty"`
	Languages       []string             `json:"languages,omitempty"`
}

// Kind returns KindServiceOffering.
func (*ServiceOffering) Kind() Kind { return KindServiceOffering }

// Detail returns the mode.
func (s *ServiceOffering) Detail() string { return string(s.Mode) }

func (s *ServiceOffering) check(f *faults, _ time.Time) {
	if s.DurationMinutes < 0 {
		f.add(EntryInvalid, "duration_minutes", "is below 0")
	}
	f.optionalText("eligibility", s.Eligibility, maxText)
}

func (s *ServiceOffering) missing(f *faults) {
	if s.Availability == "" {
		f.add(EntryIncomplete, "availability", "is required to publish")
	}
	if s.Mode == "" {
		f.add(EntryIncomplete, "mode", "is required to publish")
	}
}

func (s *ServiceOffering) terms(add func(string, ...string)) {
	add("need_categories", s.NeedCategories...)
}

func (s *ServiceOffering) references(add func(string, string)) { add("provider", s.Provider) }
