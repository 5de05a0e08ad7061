package search

import (
	"fmt"
	"strings"
)

// Document is what the index knows of one published entry or organisation.
type Document struct {
	Key
	// Kind as in domain.Kind, or KindOrganisation.
	Kind string
	// Audience is who may find it: AudiencePublic, AudienceNetwork or AudienceOf.
	Audience     string
	Organisation string // owner; the organisation itself for an organisation
	Titles       []Text
	Texts        []Text
	Category     string
	Sectors      []string
	Tags         []string
	Regions      []string // ISO 3166-2
	Territories  []string // all other codes that it can be filtered by
	LegalForm    string
	Urgency      string
}

// KindOrganisation is the kind of the documents that are not entries.
const KindOrganisation = "organisation"

// Text is text in one language (BCP 47).
type Text struct{ Language, Text string }

// Key is what tells whether the index has a document as the database has it.
type Key struct {
	Name    string // resource name
	Version int64
	// UpdateMicros is the update time in µs: with the version it also tells a
	// database from an older one that was restored.
	UpdateMicros int64
}

// The audiences.
const (
	AudiencePublic  = "public"
	AudienceNetwork = "network"
)

// AudienceOf returns the audience of what only its own organisation may find.
func AudienceOf(organisation string) string { return "own:" + organisation }

func (k Key) term() string { return fmt.Sprintf("%s@%d.%d", k.Name, k.Version, k.UpdateMicros) }

func nameOfTerm(term string) string {
	name, _, _ := strings.Cut(term, "@")
	return name
}

// fields returns the document as the mapping wants it.
func (d *Document) fields() map[string]any {
	out := map[string]any{
		fieldKey:          d.term(),
		fieldAudience:     d.Audience,
		fieldKind:         d.Kind,
		fieldOrganisation: d.Organisation,
	}
	set := func(field string, values ...string) {
		if len(values) > 0 && values[0] != "" {
			out[field] = values
		}
	}
	set(fieldCategory, d.Category)
	set(fieldLegalForm, d.LegalForm)
	set(fieldUrgency, d.Urgency)
	set(fieldSector, distinct(d.Sectors)...)
	set(fieldTag, d.Tags...)
	set(fieldRegion, distinct(d.Regions)...)
	set(fieldTerritory, d.Territories...)
	var counted []string
	for _, f := range Facets() {
		values, _ := out[string(f)].([]string)
		if f == ByKind {
			values = []string{d.Kind}
		}
		for _, v := range values {
			counted = append(counted, facetTerm(f, v))
		}
	}
	out[fieldFacets] = counted
	addTexts(out, titleField, d.Titles)
	addTexts(out, textField, d.Texts)
	return out
}

func addTexts(out map[string]any, field func(string) string, texts []Text) {
	for _, t := range texts {
		if t.Text == "" {
			continue
		}
		name := field(fieldLanguage(t.Language))
		have, _ := out[name].([]string)
		out[name] = append(have, t.Text)
	}
}

// distinct returns the values without repetitions: a facet counts documents.
func distinct(values []string) []string {
	seen := make(map[string]bool, len(values))
	var out []string
	for _, v := range values {
		if v != "" && !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}
