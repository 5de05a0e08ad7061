package search

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/search/query"
)

// Facet is a dimension by which results are counted and filtered.
type Facet string

// The facets.
const (
	ByKind      Facet = "kind"
	ByCategory  Facet = "category"
	BySector    Facet = "sector"
	ByRegion    Facet = "region"
	ByLegalForm Facet = "legal_form"
	ByUrgency   Facet = "urgency"
)

// Facets lists the facets.
func Facets() []Facet {
	return []Facet{ByKind, ByCategory, BySector, ByRegion, ByLegalForm, ByUrgency}
}

// Bounds of one search.
const (
	MaxQueryLength = 1000   // characters
	MaxQueryTerms  = 64     // words
	MaxDepth       = 10_000 // results that paging may reach
	MaxFacetValues = 100    // values that one facet may list
)

// Query is one search. The zero value of everything but the reader finds all
// that the reader may see.
type Query struct {
	// Text in plain words; words in straight double quotes are a phrase. Nothing
	// else in it has a meaning: there is no query language to inject into.
	Text string
	// Filters: a document passes where it has one of the values, for every facet
	// or field named.
	Filters map[Facet][]string
	// Territories, Organisations and Tags filter by fields that are not counted.
	Territories, Organisations, Tags []string
	// Reader says what may be found at all.
	Reader Reader
	// From is how many results to leave out, Size how many to return.
	From, Size int
	// Facets to count, with at most FacetValues values each.
	Facets      []Facet
	FacetValues int
}

// Reader is on whose behalf one searches.
type Reader struct {
	// All sees everything published (operators, services, auditors).
	All bool
	// Anonymous sees what is public only.
	Anonymous bool
	// Organisations whose own entries are seen too.
	Organisations []string
}

// May reports whether the reader may find what has the audience.
func (r Reader) May(audience string) bool {
	switch {
	case r.All || audience == AudiencePublic:
		return true
	case r.Anonymous:
		return false
	case audience == AudienceNetwork:
		return true
	}
	return slices.ContainsFunc(r.Organisations, func(o string) bool { return AudienceOf(o) == audience })
}

func (r Reader) query() query.Query {
	if r.All {
		return nil
	}
	audiences := []string{AudiencePublic}
	if !r.Anonymous {
		audiences = append(audiences, AudienceNetwork)
		for _, o := range r.Organisations {
			audiences = append(audiences, AudienceOf(o))
		}
	}
	return anyOf(fieldAudience, audiences)
}

// Terms counts the words of a text, as the bound on them does.
func Terms(text string) int {
	return len(strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }))
}

// TooLong reports whether a text is over the bounds.
func TooLong(text string) bool {
	return utf8.RuneCountInString(text) > MaxQueryLength || Terms(text) > MaxQueryTerms
}

// build returns the query with every filter, or with every filter but those on
// one facet: what a list of that facet's values has to be counted over, so that
// choosing one value does not hide the others.
func (q Query) build(languages []string, except Facet) query.Query {
	var filters []query.Query
	add := func(field string, values []string) {
		if len(values) > 0 {
			filters = append(filters, anyOf(field, values))
		}
	}
	if r := q.Reader.query(); r != nil {
		filters = append(filters, r)
	}
	for _, f := range Facets() { // in a fixed order: the same question, the same plan
		if f != except {
			add(string(f), q.Filters[f])
		}
	}
	add(fieldTerritory, q.Territories)
	add(fieldOrganisation, q.Organisations)
	add(fieldTag, q.Tags)

	text := textQuery(q.Text, languages)
	if len(filters) == 0 {
		if text == nil {
			return bleve.NewMatchAllQuery()
		}
		return text
	}
	filter := filters[0]
	if len(filters) > 1 {
		filter = bleve.NewConjunctionQuery(filters...)
	}
	b := bleve.NewBooleanQuery()
	if text == nil {
		text = bleve.NewMatchAllQuery()
	}
	b.AddMust(text)
	b.AddFilter(filter)
	return b
}

func anyOf(field string, values []string) query.Query {
	terms := make([]query.Query, len(values))
	for i, v := range values {
		t := bleve.NewTermQuery(v)
		t.SetField(field)
		terms[i] = t
	}
	if len(terms) == 1 {
		return terms[0]
	}
	return bleve.NewDisjunctionQuery(terms...)
}

// titleBoost is how much a word in the title counts against one in the text.
const titleBoost = 3

// textQuery finds loose words in any order, at least one of them, best matches
// first; a phrase must be there. Each language is asked by its own analyser.
// nil: nothing is asked.
func textQuery(text string, languages []string) query.Query {
	words, phrases := split(text)
	var must []query.Query
	for _, p := range phrases {
		must = append(must, inEachLanguage(languages, func(field string, boost float64) query.Query {
			m := bleve.NewMatchPhraseQuery(p)
			m.SetField(field)
			m.SetBoost(boost)
			return m
		}))
	}
	if words != "" {
		w := inEachLanguage(languages, func(field string, boost float64) query.Query {
			m := bleve.NewMatchQuery(words)
			m.SetField(field)
			m.SetBoost(boost)
			m.SetOperator(query.MatchQueryOperatorOr)
			return m
		})
		if len(must) == 0 {
			return w
		}
		b := bleve.NewBooleanQuery()
		b.AddMust(must...)
		b.AddShould(w)
		return b
	}
	switch len(must) {
	case 0:
		return nil
	case 1:
		return must[0]
	}
	return bleve.NewConjunctionQuery(must...)
}

func inEachLanguage(languages []string, in func(field string, boost float64) query.Query) query.Query {
	var any []query.Query
	for _, l := range languages {
		any = append(any, in(titleField(l), titleBoost), in(textField(l), 1))
	}
	if len(any) == 0 { // an empty index
		return bleve.NewMatchNoneQuery()
	}
	return bleve.NewDisjunctionQuery(any...)
}

// split takes the phrases in straight double quotes out of a text. An unclosed
// quote is no quote.
func split(text string) (words string, phrases []string) {
	var loose []string
	for {
		before, rest, found := strings.Cut(text, `"`)
		phrase, after, closed := strings.Cut(rest, `"`)
		if !found || !closed {
			loose = append(loose, strings.ReplaceAll(text, `"`, " "))
			break
		}
		loose = append(loose, before)
		if strings.TrimSpace(phrase) != "" {
			phrases = append(phrases, phrase)
		}
		text = after
	}
	return strings.TrimSpace(strings.Join(loose, " ")), phrases
}
