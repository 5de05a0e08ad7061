// Package words turns Italian text into the stems that it is searched by, and
// ranks by them.
package words

import (
	"math"
	"strings"
	"unicode"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/italian"
)

// longest is how many letters of a word count.
const longest = 40

// stop are the words that say nothing of what a text is about: articles,
// prepositions, pronouns, forms of to be and to have.
var stop = func() map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(`a ad ai agli al alla alle allo anche avere aveva c che chi ci come con contro cui d da dagli dai dal dall dalla
		dalle dallo degli dei del dell della delle dello di dove e è ed era erano essere fa fra gli ha hai hanno ho i il in io l la le lei li
		lo loro lui ma mi mia mio ne negli nei nel nell nella nelle nello noi non nostro o ogni per perché più quale quando quella quelle
		quelli quello questa queste questi questo qui se sei si sia sono sta stato su sua sue sugli sui sul sull sulla sulle sullo suo suoi
		tra tu tutti tutto un una uno vi voi the of and to in for`) {
		out[w] = true
	}
	return out
}()

var folding = strings.NewReplacer("à", "a", "á", "a", "è", "e", "é", "e", "ì", "i", "í", "i", "ò", "o", "ó", "o", "ù", "u", "ú", "u")

// Stems returns the stems of a text's words, in their order, without those that
// say nothing. An elided article is taken off: "l'ente" is "ente".
func Stems(text string) []string {
	var out []string
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if stop[w] || len(w) < 2 && !unicode.IsDigit(rune(w[0])) {
			continue
		}
		env := snowballstem.NewEnv(w)
		italian.Stem(env)
		stem := []rune(folding.Replace(env.Current()))
		out = append(out, string(stem[:min(len(stem), longest)]))
	}
	return out
}

// Index is how often a text's stems occur in it, each times the weight of its
// place.
type Index map[string]int64

// Add adds a text of some weight.
func (i Index) Add(text string, weight int64) {
	for _, s := range Stems(text) {
		i[s] += weight
	}
}

// Length is the sum over all stems.
func (i Index) Length() int64 {
	var n int64
	for _, w := range i {
		n += w
	}
	return n
}

// The parameters of BM25 (Robertson and Zaragoza, "The Probabilistic Relevance
// Framework", 2009) in thousandths: k1 = 1.2 and b = 0.75. Scores are whole
// millionths, so that every database and this package compute the same.
const (
	Saturation = 2200 // k1 + 1
	Floor      = 300  // k1 × (1 − b)
	Slope      = 900  // k1 × b
)

// Rarity is the inverse document frequency of a stem that so many of n texts have,
// in millionths.
func Rarity(n, having int64) int64 {
	return int64(math.Round(1e6 * math.Log(1+(float64(n-having)+0.5)/(float64(having)+0.5))))
}

// Score is what a stem adds to the score of a text: of its rarity, its weight in
// the text, the text's length, and the number and the length of all texts.
func Score(rarity, weight, length, n, total int64) int64 {
	return rarity * Saturation * weight / (1000*weight + Floor + Slope*length*n/max(total, 1))
}
