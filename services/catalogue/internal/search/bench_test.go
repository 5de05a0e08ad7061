package search_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/trama-suite/trama/services/catalogue/internal/search"
)

// large returns a catalogue as large as the list of the bodies that Italian tax
// payers may give to, with words as unevenly spread as those of a language.
func large() *database {
	const bodies = 71_498
	random := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(random, 1.1, 3, 20_000)
	db := &database{}
	for i := range bodies {
		var title []string
		for range 2 + random.IntN(5) {
			title = append(title, fmt.Sprintf("parola%d", zipf.Uint64()))
		}
		d := doc(i, "associazione "+strings.Join(title, " "))
		d.Kind = search.KindOrganisation
		d.Organisation = d.Name
		d.Regions = []string{fmt.Sprintf("IT-%02d", random.IntN(20))}
		d.LegalForm = fmt.Sprintf("FORM_%d", random.IntN(18))
		d.Sectors = []string{fmt.Sprintf("sector%d", random.IntN(40))}
		db.put(d)
	}
	return db
}

// BenchmarkBuild builds an index of 71,498 organisations from nothing.
func BenchmarkBuild(b *testing.B) {
	db := large()
	for b.Loop() {
		_, stop := run(b, b.TempDir(), db)
		stop()
	}
}

// BenchmarkSearch searches 71,498 organisations, with all facets; no answer is
// one that was kept.
func BenchmarkSearch(b *testing.B) {
	db := large()
	x, _ := run(b, b.TempDir(), db)
	for _, c := range []struct{ name, text string }{
		{"everything", ""}, {"a word in all", "associazione"}, {"a common word", "parola1"}, {"three words", "parola7 parola50 parola300"}, {"a rare word", "parola15000"},
	} {
		b.Run(c.name, func(b *testing.B) {
			i := 0
			for b.Loop() {
				i++
				q := search.Query{Text: c.text, Reader: everybody, Size: 20, Facets: search.Facets(), FacetValues: 20 + i} // never asked before
				if _, err := x.Search(context.Background(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
