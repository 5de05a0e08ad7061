package catalogue_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	internalrpc "github.com/trama-suite/trama/services/catalogue/internal/rpc"
	"github.com/trama-suite/trama/services/catalogue/internal/search"
	"github.com/trama-suite/trama/services/platform/errs"
)

// search waits for the index and asks it.
func (h *house) search(t *testing.T, ctx context.Context, req *cataloguev1.SearchRequest) *cataloguev1.SearchResponse {
	t.Helper()
	h.Until("the search index", func() bool { return h.ready() == nil })
	out, err := cataloguev1.NewSearchServiceClient(h.Conn).Search(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (h *house) ready() error {
	_, err := cataloguev1.NewSearchServiceClient(h.Conn).Search(h.Anonymous(), &cataloguev1.SearchRequest{PageSize: 1})
	return err
}

func resultNames(r *cataloguev1.SearchResponse) []string {
	out := []string{}
	for _, x := range r.GetResults() {
		out = append(out, x.GetName())
	}
	return out
}

// whoFindsWhat makes needs of two organisations in every state and visibility,
// and holds reading, listing, finding and counting against each other for every
// kind of reader.
func whoFindsWhat(t *testing.T, h *house, mine, other string) {
	type made struct{ name, organisation, state, visibility string }
	var all []made
	for _, organisation := range []string{mine, other} {
		for _, visibility := range []string{"OWN", "NETWORK", "PUBLIC"} {
			for _, state := range []string{"DRAFT", "PUBLISHED", "ARCHIVED"} {
				need := with(card(organisation, "Visibile "+state), kindsOfEntries(mine)["Need"])
				need["visibility"], need["category"] = "ENTRY_VISIBILITY_"+visibility, "visibilità"
				name := h.createEntry(t, h.operator, "Need", need).GetName()
				if state != "DRAFT" {
					h.must(t, h.operator, "Need", "PublishNeed", fields{"name": name})
				}
				if state == "ARCHIVED" {
					h.must(t, h.operator, "Need", "ArchiveNeed", fields{"name": name})
				}
				all = append(all, made{name, organisation, state, visibility})
			}
		}
	}
	outsider := h.AsSubject("a person without a role")
	for reader, c := range map[string]struct {
		ctx context.Context
		may func(made) bool
	}{
		"operator": {h.operator, func(made) bool { return true }},
		"own admin": {h.admin(mine), func(m made) bool {
			return m.organisation == mine || m.state == "PUBLISHED" && m.visibility != "OWN"
		}},
		"own learner": {h.As(authzv1.Role_ROLE_LEARNER, mine), func(m made) bool {
			return m.organisation == mine || m.state == "PUBLISHED" && m.visibility != "OWN"
		}},
		"supplier of a third": {h.As(authzv1.Role_ROLE_SUPPLIER, "organisations/01900000-0000-7000-8000-0000000000ff"), func(m made) bool {
			return m.state == "PUBLISHED" && m.visibility != "OWN"
		}},
		"nobody":         {h.Anonymous(), func(m made) bool { return m.state == "PUBLISHED" && m.visibility == "PUBLIC" }},
		"without a role": {outsider, func(m made) bool { return m.state == "PUBLISHED" && m.visibility == "PUBLIC" }},
	} {
		var listed, found []string
		for _, m := range all {
			if c.may(m) {
				listed = append(listed, m.name)
				if m.state == "PUBLISHED" {
					found = append(found, m.name)
				}
			}
			_, err := h.call(c.ctx, "Need", "GetNeed", fields{"name": m.name})
			if (err == nil) != c.may(m) {
				t.Errorf("%s reads %+v: %v", reader, m, err)
			}
		}
		slices.Sort(listed)
		slices.Sort(found)
		list := h.must(t, c.ctx, "Need", "ListNeeds", fields{"filter": `category = "visibilità"`, "page_size": 100}).(*cataloguev1.ListNeedsResponse)
		var got []string
		for _, n := range list.GetNeeds() {
			got = append(got, n.GetName())
		}
		if !slices.Equal(got, listed) {
			t.Errorf("%s lists %v, want %v", reader, got, listed)
		}
		answer := h.search(t, c.ctx, &cataloguev1.SearchRequest{
			Query: "visibile", Categories: []string{"visibilità"}, PageSize: 100,
			Facets: []cataloguev1.SearchFacet{cataloguev1.SearchFacet_SEARCH_FACET_KIND, cataloguev1.SearchFacet_SEARCH_FACET_CATEGORY},
		})
		names := resultNames(answer)
		slices.Sort(names)
		if !slices.Equal(names, found) || int(answer.GetTotalSize()) != len(found) {
			t.Errorf("%s finds %v of %d, want %v", reader, names, answer.GetTotalSize(), found)
		}
		for _, f := range answer.GetFacets() {
			for _, v := range f.GetValues() {
				if (v.GetValue() == "SEARCH_KIND_NEED" || v.GetValue() == "visibilità") && int(v.GetCount()) != len(found) {
					t.Errorf("%s counts %d by %s, want %d", reader, v.GetCount(), f.GetFacet(), len(found))
				}
			}
		}
	}
}

// searching holds freshness, highlights, filters and pages.
func searching(t *testing.T, h *house, mine string) {
	admin := h.admin(mine)
	need := with(card(mine, "Piattaforma per l'assistenza domiciliare"), kindsOfEntries(mine)["Need"])
	need["description"] = fields{"text": "Serve un servizio di assistenza: le assistenti non hanno turni.", "language_code": "it"}
	name := h.createEntry(t, admin, "Need", need).GetName()
	ask := func(query string) *cataloguev1.SearchResponse {
		return h.search(t, h.Anonymous(), &cataloguev1.SearchRequest{Query: query, Kinds: []cataloguev1.SearchKind{cataloguev1.SearchKind_SEARCH_KIND_NEED}})
	}
	expect := func(when, query string, want bool) {
		t.Helper()
		if got := slices.Contains(resultNames(ask(query)), name); got != want {
			t.Errorf("%s: found by %q: %t, want %t", when, query, got, want)
		}
	}
	expect("draft", "domiciliari", false)
	h.must(t, admin, "Need", "PublishNeed", fields{"name": name})
	expect("published", "dell'assistenza domiciliari", true)
	var hit *cataloguev1.SearchResult
	for _, r := range ask("assistenze").GetResults() {
		if r.GetName() == name {
			hit = r
		}
	}
	if hit == nil {
		t.Fatal("not found")
	}
	if got := marked(hit.GetTitle().GetText(), hit.GetTitleHighlights()); !slices.Equal(got, []string{"l'assistenza"}) {
		t.Errorf("the title marks %q", got)
	}
	if got := marked(hit.GetSnippet(), hit.GetSnippetHighlights()); !slices.Equal(got, []string{"assistenza"}) {
		t.Errorf("%q marks %q", hit.GetSnippet(), got)
	}
	if hit.GetKind() != cataloguev1.SearchKind_SEARCH_KIND_NEED || hit.GetOrganisation() != mine || hit.GetScore() <= 0 || hit.GetCategory() != "digitalizzazione" {
		t.Errorf("found %v", hit)
	}
	h.must(t, admin, "Need", "UpdateNeed", fields{"need": fields{"name": name, "title": fields{"text": "Teleriscaldamento", "language_code": "it"}}, "update_mask": "title"})
	expect("updated", "domiciliare", false)
	expect("updated", "teleriscaldamenti", true)
	h.must(t, admin, "Need", "ArchiveNeed", fields{"name": name})
	expect("archived", "teleriscaldamento", false)
	h.must(t, admin, "Need", "RestoreNeed", fields{"name": name, "target_state": "ENTRY_STATE_PUBLISHED"})
	expect("restored", "teleriscaldamento", true)

	// Organisations are found too, and withdrawn at once.
	coop := cooperative(110)
	coop.DisplayName = italian("Cooperativa Lanterna Magica")
	coop.Territory.NutsCode = "ITC11"
	org := h.publish(t, h.create(t, coop).GetName()).GetName()
	find := &cataloguev1.SearchRequest{
		Query: "lanterne", Regions: []string{"IT-21"}, Territories: []string{"ITC1"},
		LegalForms: []cataloguev1.LegalForm{cataloguev1.LegalForm_LEGAL_FORM_SOCIAL_COOPERATIVE_A},
	}
	if got := resultNames(h.search(t, h.Anonymous(), find)); !slices.Equal(got, []string{org}) {
		t.Errorf("found %v, want %s", got, org)
	}
	if _, err := h.organisations.ArchiveOrganisation(h.operator, &cataloguev1.ArchiveOrganisationRequest{Name: org}); err != nil {
		t.Fatal(err)
	}
	if got := resultNames(h.search(t, h.Anonymous(), find)); len(got) != 0 {
		t.Errorf("found %v after it was archived", got)
	}

	// A sector is a vocabulary's term: counted by its name, shown by its label.
	vocabulary, err := h.vocabularies.CreateVocabulary(h.operator, &cataloguev1.CreateVocabularyRequest{Vocabulary: &cataloguev1.Vocabulary{
		Code: "settori-cercati", Version: "1", Title: italian("Settori"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	term, err := h.vocabularies.CreateTerm(h.operator, &cataloguev1.CreateTermRequest{
		Parent: vocabulary.GetName(), Term: &cataloguev1.Term{Code: "88", Label: italian("Assistenza sociale non residenziale")},
	})
	if err != nil {
		t.Fatal(err)
	}
	sectored := with(card(mine, "Di settore"), kindsOfEntries(mine)["Solution"])
	sectored["sectors"], sectored["tags"] = []any{term.GetName(), "altro settore"}, []any{"settoriale"}
	h.must(t, admin, "Solution", "PublishSolution", fields{"name": h.createEntry(t, admin, "Solution", sectored).GetName()})
	counted := h.search(t, h.Anonymous(), &cataloguev1.SearchRequest{
		Query: `"di settore"`, Tags: []string{"settoriale"}, Sectors: []string{term.GetName()}, Facets: []cataloguev1.SearchFacet{cataloguev1.SearchFacet_SEARCH_FACET_SECTOR},
	})
	values := counted.GetFacets()[0].GetValues()
	if counted.GetTotalSize() != 1 || len(values) != 2 {
		t.Fatalf("found %v", counted)
	}
	for _, v := range values {
		want := map[string]string{term.GetName(): "Assistenza sociale non residenziale"}[v.GetValue()]
		if v.GetCount() != 1 || v.GetLabel().GetText() != want {
			t.Errorf("counted %v, want once with the label %q", v, want)
		}
	}

	// Pages, and tokens that belong to one search.
	for i := range 7 {
		f := with(card(mine, fmt.Sprintf("Paginabile %d", i)), kindsOfEntries(mine)["Solution"])
		f["tags"] = []any{"pagine"}
		h.must(t, admin, "Solution", "PublishSolution", fields{"name": h.createEntry(t, admin, "Solution", f).GetName()})
	}
	req := &cataloguev1.SearchRequest{Query: "paginabile", Tags: []string{"pagine"}, Organisations: []string{mine}, PageSize: 3}
	var joined []string
	for {
		page := h.search(t, h.Anonymous(), req)
		joined = append(joined, resultNames(page)...)
		if page.GetTotalSize() != 7 {
			t.Errorf("total %d", page.GetTotalSize())
		}
		if page.GetNextPageToken() == "" {
			break
		}
		req.PageToken = page.GetNextPageToken()
	}
	whole := resultNames(h.search(t, h.Anonymous(), &cataloguev1.SearchRequest{Query: "paginabile", Tags: []string{"pagine"}}))
	if len(whole) != 7 || !slices.Equal(joined, whole) {
		t.Errorf("pages join to %v, want %v", joined, whole)
	}
	client := cataloguev1.NewSearchServiceClient(h.Conn)
	req.Query = "altro"
	_, err = client.Search(h.Anonymous(), req)
	refused(t, err, errs.Invalid, errs.InvalidPageToken, "page_token")
	_, err = client.Search(h.Anonymous(), &cataloguev1.SearchRequest{Query: strings.Repeat("a ", 65)})
	refused(t, err, errs.Invalid, "SEARCH_TOO_LONG", "query")
}

func marked(text string, spans []*cataloguev1.Highlight) []string {
	var out []string
	for _, s := range spans {
		out = append(out, string([]rune(text)[s.GetStart():s.GetEnd()]))
	}
	return out
}

// anotherReplica runs a second index on the same database that hears of changes
// by events only.
func anotherReplica(t *testing.T, h *house, mine string) {
	index := search.New(t.TempDir(), internalrpc.SearchSource{DB: h.DB}, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- internalrpc.FollowSearch(h.Bus, index)(ctx) }()
	find := func(text string) []string {
		r, err := index.Search(ctx, search.Query{Text: text, Reader: search.Reader{All: true}, Size: 100})
		if err != nil {
			return nil
		}
		out := []string{}
		for _, hit := range r.Hits {
			out = append(out, hit.Name)
		}
		return out
	}
	h.Until("the other replica's index", func() bool { return find("") != nil })
	// Built from the same database, it answers the same.
	mineAll := resultNames(h.search(t, h.operator, &cataloguev1.SearchRequest{Query: "titolo descrizione", PageSize: 100}))
	theirs := find("titolo descrizione")
	slices.Sort(mineAll)
	slices.Sort(theirs)
	if len(mineAll) == 0 || !slices.Equal(mineAll, theirs) {
		t.Errorf("the other replica finds %v, want %v", theirs, mineAll)
	}
	admin := h.admin(mine)
	name := h.createEntry(t, admin, "Solution", with(card(mine, "Xilofono condiviso"), kindsOfEntries(mine)["Solution"])).GetName()
	h.must(t, admin, "Solution", "PublishSolution", fields{"name": name})
	h.Until("the event of the publication", func() bool { return slices.Equal(find("xilofono"), []string{name}) })
	h.must(t, admin, "Solution", "ArchiveSolution", fields{"name": name})
	h.Until("the event of the archiving", func() bool { return len(find("xilofono")) == 0 })
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
