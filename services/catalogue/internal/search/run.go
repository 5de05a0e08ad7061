package search

import (
	"context"
	"fmt"
	"slices"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/search"

	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/platform/errs"
)

// Result is what a search found.
type Result struct {
	Hits   []Hit
	Total  int
	Facets []FacetCount // in the order asked for
}

// Hit is one document found.
type Hit struct {
	Name  string
	Score float64 // 0 where no text was looked for
}

// FacetCount is the counts by one facet.
type FacetCount struct {
	Facet  Facet
	Values []ValueCount
	Other  int // counts of the values that are not listed
}

// ValueCount is how many documents have one value.
type ValueCount struct {
	Value string
	Count int
}

// Search finds documents. It sees every change that was noted before.
func (x *Index) Search(ctx context.Context, q Query) (Result, error) {
	switch {
	case TooLong(q.Text):
		return Result{}, errs.InvalidField(domain.SearchTooLong, "query", "has more than %d characters or %d words", MaxQueryLength, MaxQueryTerms)
	case q.From < 0 || q.Size < 0 || q.From+q.Size > MaxDepth:
		return Result{}, errs.InvalidField(domain.SearchTooDeep, "page_token", "lies beyond result %d: narrow the search", MaxDepth)
	}
	x.life.RLock()
	defer x.life.RUnlock()
	if !x.inStep.Load() {
		return Result{}, errs.New(errs.Unavailable, domain.SearchNotReady, "the search index is being built: try again")
	}
	if err := x.settle(ctx); err != nil {
		return Result{}, err
	}
	speaks := *x.speaks.Load()

	// A facet without a filter of its own is counted along with the results; one
	// with a filter needs a search without that filter.
	main := bleve.NewSearchRequestOptions(q.build(speaks, ""), q.Size, q.From, false)
	main.SortByCustom(order(q.Text))
	var apart []Facet
	for _, f := range q.Facets {
		if len(q.Filters[f]) > 0 {
			apart = append(apart, f)
		} else {
			main.AddFacet(string(f), bleve.NewFacetRequest(string(f), q.FacetValues))
		}
	}
	found, err := x.bleve.SearchInContext(ctx, main)
	if err != nil {
		return Result{}, fmt.Errorf("search: %w", err)
	}
	out := Result{Total: int(found.Total), Hits: make([]Hit, len(found.Hits))}
	for i, h := range found.Hits {
		out.Hits[i] = Hit{Name: h.ID}
		if q.Text != "" {
			out.Hits[i].Score = h.Score
		}
	}
	counts := found.Facets
	for _, f := range apart {
		r := bleve.NewSearchRequestOptions(q.build(speaks, f), 0, 0, false)
		r.Score = "none"
		r.AddFacet(string(f), bleve.NewFacetRequest(string(f), q.FacetValues))
		found, err := x.bleve.SearchInContext(ctx, r)
		if err != nil {
			return Result{}, fmt.Errorf("search: %w", err)
		}
		if counts == nil {
			counts = search.FacetResults{}
		}
		counts[string(f)] = found.Facets[string(f)]
	}
	for _, f := range q.Facets {
		out.Facets = append(out.Facets, facetCount(f, counts[string(f)]))
	}
	return out, nil
}

// order is best matches first, equally good ones by name; by name alone where
// nothing tells them apart.
func order(text string) search.SortOrder {
	byName := &search.SortDocID{}
	if text == "" {
		return search.SortOrder{byName}
	}
	return search.SortOrder{&search.SortScore{Desc: true}, byName}
}

func facetCount(f Facet, found *search.FacetResult) FacetCount {
	out := FacetCount{Facet: f}
	if found == nil {
		return out
	}
	out.Other = found.Other
	for _, t := range found.Terms.Terms() {
		out.Values = append(out.Values, ValueCount{Value: t.Term, Count: t.Count})
	}
	slices.SortFunc(out.Values, func(a, b ValueCount) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		if a.Value < b.Value {
			return -1
		}
		return 1
	})
	return out
}
