package rpc

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/catalogue/internal/search"
	"github.com/trama-suite/trama/services/catalogue/internal/store"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Sizes of what one search returns.
const (
	defaultSearchSize = 20
	maxSearchSize     = 100
	defaultFacetSize  = 20
)

var searchKinds = map[cataloguev1.SearchKind]string{
	cataloguev1.SearchKind_SEARCH_KIND_ORGANISATION:     search.KindOrganisation,
	cataloguev1.SearchKind_SEARCH_KIND_SOLUTION:         string(domain.KindSolution),
	cataloguev1.SearchKind_SEARCH_KIND_SERVICE_OFFERING: string(domain.KindServiceOffering),
	cataloguev1.SearchKind_SEARCH_KIND_NEED:             string(domain.KindNeed),
	cataloguev1.SearchKind_SEARCH_KIND_IDEA:             string(domain.KindIdea),
	cataloguev1.SearchKind_SEARCH_KIND_JOB_PROFILE:      string(domain.KindJobProfile),
	cataloguev1.SearchKind_SEARCH_KIND_EVENT:            string(domain.KindEvent),
}

var searchKindsByName = func() map[string]cataloguev1.SearchKind {
	out := map[string]cataloguev1.SearchKind{}
	for k, name := range searchKinds {
		out[name] = k
	}
	return out
}()

var searchFacets = map[cataloguev1.SearchFacet]search.Facet{
	cataloguev1.SearchFacet_SEARCH_FACET_KIND:       search.ByKind,
	cataloguev1.SearchFacet_SEARCH_FACET_CATEGORY:   search.ByCategory,
	cataloguev1.SearchFacet_SEARCH_FACET_SECTOR:     search.BySector,
	cataloguev1.SearchFacet_SEARCH_FACET_REGION:     search.ByRegion,
	cataloguev1.SearchFacet_SEARCH_FACET_LEGAL_FORM: search.ByLegalForm,
	cataloguev1.SearchFacet_SEARCH_FACET_URGENCY:    search.ByUrgency,
}

// searchServer implements SearchService.
type searchServer struct {
	cataloguev1.UnimplementedSearchServiceServer
	db    *sqldb.DB
	index *search.Index
}

// Search implements SearchService. The index says what is found; what is shown
// of it comes from the database, and only what is still the reader's to see.
func (s searchServer) Search(ctx context.Context, req *cataloguev1.SearchRequest) (*cataloguev1.SearchResponse, error) {
	q, err := searchQuery(ctx, req)
	if err != nil {
		return nil, err
	}
	found, err := s.index.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	resp := &cataloguev1.SearchResponse{TotalSize: int32(found.Total)}
	var shown published
	var labels map[string]domain.LocalizedText
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		if shown, err = loadPublished(ctx, tx, hitNames(found.Hits)); err != nil {
			return err
		}
		labels, err = store.TermLabels(ctx, tx, termsAmong(found.Facets))
		return err
	})
	if err != nil {
		return nil, err
	}
	resp.Results = s.results(q, found.Hits, shown)
	if next := q.From + len(found.Hits); len(found.Hits) == q.Size && next < found.Total {
		resp.NextPageToken = searchToken(req, next)
	}
	for i, f := range found.Facets {
		resp.Facets = append(resp.Facets, facetToProto(req.GetFacets()[i], f, labels))
	}
	return resp, nil
}

func facetToProto(facet cataloguev1.SearchFacet, f search.FacetCount, labels map[string]domain.LocalizedText) *cataloguev1.FacetCounts {
	out := &cataloguev1.FacetCounts{Facet: facet, Other: int32(f.Other)}
	for _, v := range f.Values {
		value := v.Value
		if f.Facet == search.ByKind {
			value = searchKindsByName[value].String()
		}
		out.Values = append(out.Values, &cataloguev1.FacetValue{
			Value: value, Count: int32(v.Count), Label: textToProto(labels[value]),
		})
	}
	return out
}

func hitNames(hits []search.Hit) []string {
	return names(hits, func(h search.Hit) string { return h.Name })
}

// termsAmong returns the facets' values that are resource names of terms.
func termsAmong(facets []search.FacetCount) []string {
	var out []string
	for _, f := range facets {
		for _, v := range f.Values {
			if _, ok := ids.Parse(termName, v.Value); ok {
				out = append(out, v.Value)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func searchQuery(ctx context.Context, req *cataloguev1.SearchRequest) (search.Query, error) {
	q := search.Query{
		Text:   req.GetQuery(),
		Reader: readerOf(auth.ScopeFrom(ctx)),
		Filters: map[search.Facet][]string{
			search.ByKind:      names(req.GetKinds(), func(k cataloguev1.SearchKind) string { return searchKinds[k] }),
			search.ByCategory:  req.GetCategories(),
			search.BySector:    req.GetSectors(),
			search.ByRegion:    req.GetRegions(),
			search.ByLegalForm: names(req.GetLegalForms(), cataloguev1.LegalForm.String),
			search.ByUrgency:   names(req.GetUrgencies(), cataloguev1.NeedUrgency.String),
		},
		Territories:   req.GetTerritories(),
		Organisations: req.GetOrganisations(),
		Tags:          req.GetTags(),
		Size:          min(int(req.GetPageSize()), maxSearchSize),
		FacetValues:   int(req.GetFacetSize()),
	}
	if q.Size == 0 {
		q.Size = defaultSearchSize
	}
	if q.FacetValues == 0 {
		q.FacetValues = defaultFacetSize
	}
	for _, f := range req.GetFacets() {
		q.Facets = append(q.Facets, searchFacets[f])
	}
	var err error
	q.From, err = searchStart(req)
	if q.From+q.Size > search.MaxDepth && q.From < search.MaxDepth {
		q.Size = search.MaxDepth - q.From
	}
	return q, err
}

// results shows the hits that are still the reader's to see.
func (s searchServer) results(q search.Query, hits []search.Hit, shown published) []*cataloguev1.SearchResult {
	marker := s.index.Marker(q.Text)
	out := make([]*cataloguev1.SearchResult, 0, len(hits))
	for _, h := range hits {
		r := &cataloguev1.SearchResult{Name: h.Name, Score: h.Score}
		var title, description domain.LocalizedText
		if o := shown.organisations[h.Name]; o != nil {
			r.Kind, r.Organisation, r.UpdateTime = cataloguev1.SearchKind_SEARCH_KIND_ORGANISATION, o.Name, timeToProto(o.UpdateTime)
			title, description = o.Profile.DisplayName, o.Profile.Description
		} else if e := shown.entries[h.Name]; e != nil && q.Reader.May(audienceOf(e)) {
			r.Kind, r.Organisation, r.UpdateTime = searchKindsByName[string(e.Body.Kind())], e.Organisation, timeToProto(e.UpdateTime)
			r.Category = e.Card.Category
			title, description = e.Card.Title, e.Card.Description
		} else {
			continue // withdrawn since the index was asked
		}
		r.Title = textToProto(title)
		r.TitleHighlights = highlights(marker.Mark(title.LanguageCode, title.Text))
		var spans []search.Span
		r.Snippet, spans = marker.Snippet(inOrder(description))
		r.SnippetHighlights = highlights(spans)
		out = append(out, r)
	}
	return out
}

// inOrder returns a text's languages, its own first, then the translations by
// tag.
func inOrder(t domain.LocalizedText) []search.Text {
	if t.IsZero() {
		return nil
	}
	out := []search.Text{{Language: t.LanguageCode, Text: t.Text}}
	for _, language := range slices.Sorted(maps.Keys(t.Translations)) {
		out = append(out, search.Text{Language: language, Text: t.Translations[language]})
	}
	return out
}

func highlights(spans []search.Span) []*cataloguev1.Highlight {
	var out []*cataloguev1.Highlight
	for _, s := range spans {
		out = append(out, &cataloguev1.Highlight{Start: int32(s.Start), End: int32(s.End)})
	}
	return out
}

func names[E any](values []E, name func(E) string) []string {
	var out []string
	for _, v := range values {
		out = append(out, name(v))
	}
	return out
}

// A page token is the number of results before the page, and a hash of the
// request that it was issued for.
const searchHash = 12

func searchToken(req *cataloguev1.SearchRequest, from int) string {
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(searchBinding(req), uint32(from)))
}

func searchStart(req *cataloguev1.SearchRequest) (int, error) {
	if req.GetPageToken() == "" {
		return 0, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(req.GetPageToken())
	if err != nil || len(raw) != searchHash+4 || string(raw[:searchHash]) != string(searchBinding(req)) {
		return 0, errs.InvalidField(errs.InvalidPageToken, "page_token", "was not issued for this search")
	}
	return int(binary.BigEndian.Uint32(raw[searchHash:])), nil
}

func searchBinding(req *cataloguev1.SearchRequest) []byte {
	asked := proto.CloneOf(req)
	asked.PageToken, asked.PageSize = "", 0
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(asked)
	if err != nil {
		return nil
	}
	hash := sha256.Sum256(raw)
	return hash[:searchHash]
}
