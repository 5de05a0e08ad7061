package search

import (
	"strings"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/keyword"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/standard"
	"github.com/blevesearch/bleve/v2/analysis/lang/de"
	"github.com/blevesearch/bleve/v2/analysis/lang/en"
	"github.com/blevesearch/bleve/v2/analysis/lang/es"
	"github.com/blevesearch/bleve/v2/analysis/lang/fr"
	"github.com/blevesearch/bleve/v2/analysis/lang/it"
	"github.com/blevesearch/bleve/v2/analysis/lang/pt"
	"github.com/blevesearch/bleve/v2/analysis/lang/sv"
	"github.com/blevesearch/bleve/v2/mapping"
)

// layout names the shape of the index. Another shape is another folder: change
// it with the mapping, and the index is built anew.
const layout = "v2"

// otherLanguage is the field suffix of the languages without an analyser of
// their own: split into words and lower-cased, no stemming.
const otherLanguage = "xx"

// analysers by BCP 47 primary language.
var analysers = map[string]string{
	"it": it.AnalyzerName, "en": en.AnalyzerName, "es": es.AnalyzerName, "fr": fr.AnalyzerName,
	"de": de.AnalyzerName, "pt": pt.AnalyzerName, "sv": sv.AnalyzerName,
	otherLanguage: standard.Name,
}

// languages in a fixed order, Italian first.
var languages = []string{"it", "en", "es", "fr", "de", "pt", "sv", otherLanguage}

// fieldLanguage returns the suffix of the text fields for a BCP 47 tag.
func fieldLanguage(tag string) string {
	primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
	if _, ok := analysers[primary]; ok {
		return primary
	}
	return otherLanguage
}

// Keyword fields. Facets are filtered by a field of each, and counted by one for
// all of them together, whose terms begin with the facet's name: reading one
// field of every document found costs a fraction of reading six.
const (
	fieldFacets       = "facets"
	fieldKey          = "key" // name@version.update-time, to compare with the database
	fieldAudience     = "audience"
	fieldKind         = string(ByKind)
	fieldCategory     = string(ByCategory)
	fieldSector       = string(BySector)
	fieldTag          = "tag"
	fieldRegion       = string(ByRegion)
	fieldTerritory    = "territory"
	fieldOrganisation = "organisation"
	fieldLegalForm    = string(ByLegalForm)
	fieldUrgency      = string(ByUrgency)
)

func newMapping() *mapping.IndexMappingImpl {
	doc := bleve.NewDocumentStaticMapping()
	for _, name := range []string{
		fieldFacets, fieldKey, fieldAudience, fieldKind, fieldCategory, fieldSector, fieldTag,
		fieldRegion, fieldTerritory, fieldOrganisation, fieldLegalForm, fieldUrgency,
	} {
		f := bleve.NewTextFieldMapping()
		f.Analyzer = keyword.Name
		f.Store, f.IncludeInAll, f.IncludeTermVectors, f.SkipFreqNorm = false, false, false, true
		f.DocValues = name == fieldFacets
		doc.AddFieldMappingsAt(name, f)
	}
	for _, language := range languages {
		analyser := analysers[language]
		for _, name := range []string{titleField(language), textField(language)} {
			f := bleve.NewTextFieldMapping()
			f.Analyzer = analyser
			// Positions are what phrases need.
			f.Store, f.IncludeInAll, f.IncludeTermVectors, f.DocValues = false, false, true, false
			doc.AddFieldMappingsAt(name, f)
		}
	}
	m := bleve.NewIndexMapping()
	m.DefaultMapping = doc
	m.DefaultAnalyzer = standard.Name
	m.ScoringModel = "bm25"
	m.StoreDynamic, m.IndexDynamic, m.DocValuesDynamic = false, false, false
	return m
}

// facetTerm returns the term that counts a facet's value.
func facetTerm(f Facet, value string) string { return facetPrefix(f) + value }

func facetPrefix(f Facet) string { return string(f) + "=" }

func titleField(language string) string { return "title_" + language }
func textField(language string) string  { return "text_" + language }
