package search

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

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

// Search finds documents. The answer may be shared: it is not to be changed. It sees every change that was noted before.
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
	x.mu.Lock()
	state := x.state
	x.mu.Unlock()
	key := cacheKey(q)
	if r, ok := x.cache.get(key, state); ok {
		return r, nil
	}
	r, err := x.search(ctx, q)
	if err != nil {
		return Result{}, err
	}
	x.mu.Lock()
	unchanged := x.state == state
	x.mu.Unlock()
	if unchanged {
		x.cache.put(key, state, r)
	}
	return r, nil
}

func (x *Index) search(ctx context.Context, q Query) (Result, error) {
	speaks := *x.speaks.Load()
	main := bleve.NewSearchRequestOptions(q.build(speaks, ""), q.Size, q.From, false)
	main.SortByCustom(order(q.Text))
	// A facet without a filter of its own is counted along with the results; one
	// with a filter needs a search without that filter.
	var along, apart []Facet
	for _, f := range q.Facets {
		if len(q.Filters[f]) > 0 {
			apart = append(apart, f)
		} else {
			along = append(along, f)
		}
	}
	countBy(main, along)
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
	counts := valuesByFacet(found)
	for _, f := range apart {
		r := bleve.NewSearchRequestOptions(q.build(speaks, f), 0, 0, false)
		r.Score = "none"
		countBy(r, []Facet{f})
		found, err := x.bleve.SearchInContext(ctx, r)
		if err != nil {
			return Result{}, fmt.Errorf("search: %w", err)
		}
		counts[f] = valuesByFacet(found)[f]
	}
	for _, f := range q.Facets {
		out.Facets = append(out.Facets, facetCount(f, counts[f], q.FacetValues))
	}
	return out, nil
}

// countBy has a search count the values of facets.
func countBy(r *bleve.SearchRequest, facets []Facet) {
	if len(facets) == 0 {
		return
	}
	f := bleve.NewFacetRequest(fieldFacets, math.MaxInt32) // all: they are cut to size by facet
	if len(facets) == 1 {
		f.SetPrefixFilter(facetPrefix(facets[0]))
	}
	r.AddFacet(fieldFacets, f)
}

// valuesByFacet returns the counted values by facet.
func valuesByFacet(found *bleve.SearchResult) map[Facet][]ValueCount {
	out := map[Facet][]ValueCount{}
	if counted := found.Facets[fieldFacets]; counted != nil {
		for _, t := range counted.Terms.Terms() {
			f, value, _ := strings.Cut(t.Term, "=")
			out[Facet(f)] = append(out[Facet(f)], ValueCount{Value: value, Count: t.Count})
		}
	}
	return out
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

// facetCount puts the values with most documents first, equal ones by value, and
// cuts them to size.
func facetCount(f Facet, values []ValueCount, size int) FacetCount {
	slices.SortFunc(values, func(a, b ValueCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	out := FacetCount{Facet: f, Values: values[:min(size, len(values))]}
	for _, v := range values[len(out.Values):] {
		out.Other += v.Count
	}
	return out
}
