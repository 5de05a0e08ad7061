package search_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/catalogue/internal/search"
	"github.com/trama-suite/trama/services/platform/errs"
)

// database is the plainest source there is.
type database struct {
	mu     sync.Mutex
	docs   map[string]search.Document
	sorted []string // names, nil after a change
}

func (d *database) put(docs ...search.Document) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.docs == nil {
		d.docs = map[string]search.Document{}
	}
	for _, doc := range docs {
		d.docs[doc.Name] = doc
	}
	d.sorted = nil
}

func (d *database) remove(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.docs, name)
	d.sorted = nil
}

func (d *database) Load(_ context.Context, names []string) ([]search.Document, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []search.Document
	for _, name := range names {
		if doc, ok := d.docs[name]; ok {
			out = append(out, doc)
		}
	}
	return out, nil
}

func (d *database) Keys(_ context.Context, after string, limit int) ([]search.Key, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sorted == nil {
		d.sorted = slices.Sorted(maps.Keys(d.docs))
	}
	from, found := slices.BinarySearch(d.sorted, after)
	if found {
		from++
	}
	var out []search.Key
	for _, name := range d.sorted[from:min(len(d.sorted), from+limit)] {
		out = append(out, d.docs[name].Key)
	}
	return out, nil
}

// run runs an index for as long as the test, or until stop is called.
func run(t testing.TB, dir string, source search.Source) (x *search.Index, stop func()) {
	t.Helper()
	x = search.New(dir, source, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- x.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the index ended with %v", err)
		}
	})
	t.Cleanup(stop)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for errs.ReasonOf(find(x, search.Query{}).err) == domain.SearchNotReady {
		<-tick.C
	}
	return x, stop
}

type answer struct {
	search.Result
	err error
}

func find(x *search.Index, q search.Query) answer {
	if q.Size == 0 {
		q.Size = 100
	}
	r, err := x.Search(context.Background(), q)
	return answer{r, err}
}

func (a answer) names() []string {
	out := []string{}
	for _, h := range a.Hits {
		out = append(out, h.Name)
	}
	return out
}

func doc(id int, title string) search.Document {
	return search.Document{
		Key:  search.Key{Name: fmt.Sprintf("needs/%08d", id), Version: 1, UpdateMicros: 1},
		Kind: "need", Audience: search.AudiencePublic, Organisation: "organisations/1",
		Titles: []search.Text{{Language: "it", Text: title}},
	}
}

var everybody = search.Reader{All: true}

func TestItalianIsSearchedAsItalian(t *testing.T) {
	db := &database{}
	db.put(
		doc(1, "Servizio dell'assistenza domiciliare agli anziani"),
		doc(2, "Cooperative sociali e lavoro"),
		doc(3, "Consulenza per la transizione digitale"),
		doc(4, "L’educativa di strada nell’area urbana"), // typographic apostrophes
	)
	swedish := doc(5, "Verktyg")
	swedish.Titles = append(swedish.Titles, search.Text{Language: "sv", Text: "Omsorgen om barnen"})
	latvian := doc(6, "Strumenti")
	latvian.Texts = []search.Text{{Language: "lv", Text: "Sociālais uzņēmums"}}
	db.put(swedish, latvian)
	x, _ := run(t, "", db)
	for text, want := range map[string][]int{
		"assistenza":                {1},
		"dell'assistenza":           {1},
		"ASSISTENZE":                {1},
		"anziano":                   {1},
		"cooperativa sociale":       {2},
		"la":                        {}, // a stop word
		"digitali":                  {3},
		"educativa":                 {4},
		"area":                      {4},
		`"assistenza domiciliare"`:  {1},
		`"domiciliare assistenza"`:  {},
		`"assistenza" digitale`:     {1},
		"omsorg":                    {5},
		"SOCIĀLAIS":                 {6},
		"assist*":                   {},
		"/assisten.*/":              {},
		"titolo: assistenza~2":      {1}, // words, nothing more
		"+assistenza -domiciliare ": {1},
	} {
		want := names(want...)
		got := find(x, search.Query{Text: text, Reader: everybody})
		if got.err != nil || !slices.Equal(got.names(), want) {
			t.Errorf("%q found %v (%v), want %v", text, got.names(), got.err, want)
		}
	}
}

func names(ids ...int) []string {
	out := []string{}
	for _, id := range ids {
		out = append(out, fmt.Sprintf("needs/%08d", id))
	}
	return out
}

func TestTitlesWeighMoreThanTexts(t *testing.T) {
	db := &database{}
	inText := doc(1, "Altro")
	inText.Texts = []search.Text{{Language: "it", Text: "formazione"}}
	db.put(inText, doc(2, "Formazione"))
	x, _ := run(t, "", db)
	if got := find(x, search.Query{Text: "formazione", Reader: everybody}).names(); !slices.Equal(got, names(2, 1)) {
		t.Errorf("found %v, want the title first", got)
	}
}

// The vocabulary of random catalogues: few words, so that things coincide.
var (
	words         = []string{"assistenza", "lavoro", "digitale", "scuola", "territorio"}
	kinds         = []string{"need", "solution", "organisation"}
	sectors       = []string{"care", "education", "environment", "culture"}
	regions       = []string{"IT-21", "IT-25", "ES-CT"}
	organisations = []string{"organisations/1", "organisations/2", "organisations/3"}
	urgencies     = []string{"", "LOW", "HIGH"}
)

func anyDocument(t *rapid.T, id int, version int64) search.Document {
	organisation := rapid.SampledFrom(organisations).Draw(t, "organisation")
	return search.Document{
		Key:          search.Key{Name: fmt.Sprintf("needs/%08d", id), Version: version, UpdateMicros: version},
		Kind:         rapid.SampledFrom(kinds).Draw(t, "kind"),
		Audience:     rapid.SampledFrom([]string{search.AudiencePublic, search.AudienceNetwork, search.AudienceOf(organisation)}).Draw(t, "audience"),
		Organisation: organisation,
		Titles:       []search.Text{{Language: "it", Text: strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 1, 3).Draw(t, "title"), " ")}},
		Category:     rapid.SampledFrom(append([]string{""}, sectors...)).Draw(t, "category"),
		Sectors:      rapid.SliceOfNDistinct(rapid.SampledFrom(sectors), 0, 3, rapid.ID[string]).Draw(t, "sectors"),
		Regions:      rapid.SliceOfNDistinct(rapid.SampledFrom(regions), 0, 2, rapid.ID[string]).Draw(t, "regions"),
		Urgency:      rapid.SampledFrom(urgencies).Draw(t, "urgency"),
	}
}

func valuesOf(d search.Document, f search.Facet) []string {
	switch f {
	case search.ByKind:
		return []string{d.Kind}
	case search.ByCategory:
		return []string{d.Category}
	case search.BySector:
		return d.Sectors
	case search.ByRegion:
		return d.Regions
	case search.ByUrgency:
		return []string{d.Urgency}
	}
	return nil
}

// passes is the plain reference for a query.
func passes(q search.Query, d search.Document, except search.Facet) bool {
	if !q.Reader.May(d.Audience) {
		return false
	}
	if q.Text != "" && !slices.ContainsFunc(strings.Fields(q.Text), func(w string) bool {
		return slices.Contains(strings.Fields(d.Titles[0].Text), w)
	}) {
		return false
	}
	for f, wanted := range q.Filters {
		if f != except && len(wanted) > 0 && !slices.ContainsFunc(wanted, func(w string) bool { return slices.Contains(valuesOf(d, f), w) }) {
			return false
		}
	}
	return len(q.Organisations) == 0 || slices.Contains(q.Organisations, d.Organisation)
}

func anyQuery(t *rapid.T) search.Query {
	some := func(from []string, label string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 0, 2, rapid.ID[string]).Draw(t, label)
	}
	q := search.Query{
		Text: strings.Join(some(words, "text"), " "),
		Filters: map[search.Facet][]string{
			search.ByKind: some(kinds, "kinds"), search.BySector: some(sectors, "sectors"), search.ByRegion: some(regions, "regions"),
			search.ByUrgency: some([]string{"LOW", "HIGH"}, "urgencies"), search.ByCategory: some(sectors, "categories"),
		},
		Size: 1000, Facets: search.Facets(), FacetValues: 100,
	}
	if rapid.IntRange(0, 3).Draw(t, "owned") == 0 {
		q.Organisations = some(organisations, "owners")
	}
	switch rapid.IntRange(0, 2).Draw(t, "reader") {
	case 0:
		q.Reader.All = true
	case 1:
		q.Reader.Anonymous = true
	default:
		q.Reader.Organisations = []string{rapid.SampledFrom(organisations).Draw(t, "member")}
	}
	return q
}

// check holds an answer against the reference: what is found, how often each
// facet's value is, and that nothing outside of the audience shows in either.
func check(t *rapid.T, x *search.Index, docs map[string]search.Document, q search.Query) {
	got := find(x, q)
	if got.err != nil {
		t.Fatal(got.err)
	}
	var want []string
	for name, d := range docs {
		if passes(q, d, "") {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	found := got.names()
	slices.Sort(found)
	if !slices.Equal(found, want) || got.Total != len(want) {
		t.Fatalf("%+v found %v of %d, want %v", q, found, got.Total, want)
	}
	for i, f := range q.Facets {
		counts := map[string]int{}
		for _, d := range docs {
			if passes(q, d, f) {
				for _, v := range valuesOf(d, f) {
					if v != "" {
						counts[v]++
					}
				}
			}
		}
		seen := map[string]int{}
		last := 1 << 30
		for _, v := range got.Facets[i].Values {
			if v.Count > last {
				t.Fatalf("facet %s is not in order of counts: %v", f, got.Facets[i].Values)
			}
			seen[v.Value], last = v.Count, v.Count
		}
		if got.Facets[i].Facet != f || !maps.Equal(seen, counts) || got.Facets[i].Other != 0 {
			t.Fatalf("%+v: facet %s counts %v and %d others, want %v", q, f, seen, got.Facets[i].Other, counts)
		}
	}
}

// TestAnswersEqualTheReference changes a catalogue at random and holds what is
// found and counted against a plain reading of all documents: at once after
// each change, after a restart that missed changes, and after a rebuild.
func TestAnswersEqualTheReference(t *testing.T) {
	db := &database{}
	dir := t.TempDir()
	x, stop := run(t, dir, db)
	version := int64(0)
	rapid.Check(t, func(rt *rapid.T) {
		q := anyQuery(rt) // asked before and after, as an answer may be kept
		check(rt, x, db.docs, q)
		for range rapid.IntRange(1, 8).Draw(rt, "changes") {
			version++
			id := rapid.IntRange(1, 30).Draw(rt, "id")
			name := fmt.Sprintf("needs/%08d", id)
			if rapid.IntRange(0, 3).Draw(rt, "archive") == 0 {
				db.remove(name)
			} else {
				db.put(anyDocument(rt, id, version))
			}
			x.Note(search.Change{Name: name, Event: version})
		}
		check(rt, x, db.docs, q)
	})

	rapid.Check(t, func(rt *rapid.T) {
		if rapid.IntRange(0, 9).Draw(rt, "restart") > 0 {
			check(rt, x, db.docs, anyQuery(rt))
			return
		}
		stop()
		for range rapid.IntRange(0, 5).Draw(rt, "missed") {
			version++
			id := rapid.IntRange(1, 30).Draw(rt, "id")
			if rapid.Bool().Draw(rt, "archive") {
				db.remove(fmt.Sprintf("needs/%08d", id))
			} else {
				db.put(anyDocument(rt, id, version))
			}
		}
		if rapid.Bool().Draw(rt, "lost") {
			if err := os.RemoveAll(filepath.Join(dir, "search")); err != nil {
				rt.Fatal(err)
			}
		}
		x, stop = run(t, dir, db)
		check(rt, x, db.docs, anyQuery(rt))
	})
}

func TestPagesJoinToTheWhole(t *testing.T) {
	db := &database{}
	for i := range 57 {
		db.put(doc(i, strings.Repeat("lavoro ", i%4+1)+words[i%5]))
	}
	x, _ := run(t, "", db)
	for _, text := range []string{"", "lavoro"} {
		q := search.Query{Text: text, Reader: everybody, Size: 100}
		whole := find(x, q).names()
		var joined []string
		for q.Size = 10; len(joined) < len(whole); q.From += q.Size {
			page := find(x, q)
			if page.Total != len(whole) || len(page.Hits) == 0 {
				t.Fatalf("%q from %d: %+v", text, q.From, page)
			}
			joined = append(joined, page.names()...)
		}
		if !slices.Equal(joined, whole) {
			t.Errorf("%q: pages join to %v, want %v", text, joined, whole)
		}
	}
}

func TestBoundsOfAQuery(t *testing.T) {
	x, _ := run(t, "", &database{})
	for name, c := range map[string]struct {
		q    search.Query
		want errs.Reason
	}{
		"long":          {search.Query{Text: strings.Repeat("à", search.MaxQueryLength+1)}, domain.SearchTooLong},
		"as long as":    {search.Query{Text: strings.Repeat("à", search.MaxQueryLength)}, ""},
		"many words":    {search.Query{Text: strings.Repeat("a ", search.MaxQueryTerms+1)}, domain.SearchTooLong},
		"as many as":    {search.Query{Text: strings.Repeat("a ", search.MaxQueryTerms)}, ""},
		"many by marks": {search.Query{Text: strings.Repeat("a'", search.MaxQueryTerms+1)}, domain.SearchTooLong},
		"deep":          {search.Query{From: search.MaxDepth, Size: 1}, domain.SearchTooDeep},
		"as deep as":    {search.Query{From: search.MaxDepth - 1, Size: 1}, ""},
	} {
		if got := errs.ReasonOf(find(x, c.q).err); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestNoTextIsAnError throws whatever a person or a program may type at the
// index: it finds something or nothing, and never fails.
func TestNoTextIsAnError(t *testing.T) {
	db := &database{}
	db.put(doc(1, "Scuola"), doc(2, "Lavoro"))
	x, _ := run(t, "", db)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`["*?/~^:+(){}\[\]\\ a-c'-]{0,40}`)).Draw(t, "text")
		got := find(x, search.Query{Text: text, Reader: everybody, Facets: search.Facets(), FacetValues: 10})
		if got.err != nil && (errs.ReasonOf(got.err) != domain.SearchTooLong || !search.TooLong(text)) {
			t.Fatalf("%q: %v", text, got.err)
		}
		if m := x.Marker(text); got.err == nil {
			m.Mark("it", text)
			m.Snippet([]search.Text{{Language: "xx-invalid", Text: text}})
		}
	})
}

func TestABrokenOrOldIndexIsBuiltAnew(t *testing.T) {
	db := &database{}
	db.put(doc(1, "Scuola"))
	dir := t.TempDir()
	_, stop := run(t, dir, db)
	stop()
	folders, err := filepath.Glob(filepath.Join(dir, "search", "*"))
	if err != nil || len(folders) != 1 {
		t.Fatalf("folders %v, %v", folders, err)
	}
	if err := os.WriteFile(filepath.Join(folders[0], "index_meta.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(dir, "search", "v0")
	if err := os.Mkdir(old, 0o700); err != nil {
		t.Fatal(err)
	}
	x, _ := run(t, dir, db)
	if got := find(x, search.Query{Text: "scuole", Reader: everybody}).names(); !slices.Equal(got, names(1)) {
		t.Errorf("found %v", got)
	}
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("the folder of an old layout is still there: %v", err)
	}
}

func TestMarkerShowsWhereTheWordsStand(t *testing.T) {
	x := search.New("", &database{}, slog.New(slog.DiscardHandler))
	text := "È il servizio dell'assistenza: assistenze, è così."
	m := x.Marker("assistenza")
	var marked []string
	for _, s := range m.Mark("it", text) {
		marked = append(marked, string([]rune(text)[s.Start:s.End]))
	}
	if !slices.Equal(marked, []string{"dell'assistenza", "assistenze"}) {
		t.Errorf("marked %q", marked)
	}
	if spans := m.Mark("en", "assistance"); spans != nil {
		t.Errorf("marked %v in English", spans)
	}
}

func TestSnippetsAreShortAndMarkedRight(t *testing.T) {
	x := search.New("", &database{}, slog.New(slog.DiscardHandler))
	rapid.Check(t, func(t *rapid.T) {
		var text []string
		for range rapid.IntRange(0, 300).Draw(t, "words") {
			text = append(text, rapid.SampledFrom([]string{"la", "però", "assistenza", "città,", "lavoro", "e", "amministrazione"}).Draw(t, "word"))
		}
		m := x.Marker("lavori assistenze")
		snippet, spans := m.Snippet([]search.Text{{Language: "it", Text: strings.Join(text, " ")}})
		runes := []rune(snippet)
		if len(runes) > search.SnippetLength || !strings.Contains(strings.Join(text, " "), snippet) {
			t.Fatalf("snippet %q of %d characters", snippet, len(runes))
		}
		for _, s := range spans {
			if w := string(runes[s.Start:s.End]); w != "assistenza" && w != "lavoro" {
				t.Fatalf("marked %q in %q", w, snippet)
			}
		}
		if slices.Contains(text, "lavoro") && len(spans) == 0 {
			t.Fatalf("no word marked in %q", snippet)
		}
	})
}
