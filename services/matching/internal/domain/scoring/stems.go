package scoring

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/german"
	"github.com/blevesearch/snowballstem/italian"
	"github.com/blevesearch/snowballstem/swedish"
)

// maxStems bounds what one entry contributes: more words than that say no more
// about what it is.
const maxStems = 300

// maxWord is how many letters a word has at most: what is longer is a code that
// somebody has pasted, and too long for a database's index of words.
const maxWord = 64

// stemmers by the primary subtag of the language. A language without one is
// compared by whole words.
var stemmers = map[string]func(*snowballstem.Env) bool{
	"it": italian.Stem, "en": english.Stem, "sv": swedish.Stem, "de": german.Stem,
}

// Stems returns the sorted set of word stems of texts in one language, without
// stop words and words of fewer than three letters or more than maxWord, by Snowball's algorithms
// (M. F. Porter, snowballstem.org).
func Stems(language string, texts ...string) []string {
	primary, _, _ := strings.Cut(strings.ToLower(language), "-")
	stem := stemmers[primary]
	var out []string
	for _, text := range texts {
		for word := range strings.FieldsFuncSeq(strings.ToLower(text), separates) {
			if n := utf8.RuneCountInString(word); n < 3 || n > maxWord || stopWords[word] {
				continue
			}
			if stem != nil {
				env := snowballstem.NewEnv(word)
				stem(env)
				word = env.Current()
			}
			out = append(out, word)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return out[:min(len(out), maxStems)]
}

// separates splits at everything but letters and digits, so an elided article
// (dell'assistenza) falls off its noun.
func separates(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// stopWords are function words of Italian and English, and words that stand in
// nearly every entry of such a catalogue and tell nothing apart.
var stopWords = set(`
alla alle allo agli anche ancora avere che chi come con così cui dal dalla dalle
dallo dagli degli dei del della delle dello dentro deve devono dopo dove due ecc
era essere fare fra gli hanno in la le loro lui lei ma mentre molto nei nel nella
nelle nello negli non nostro nostra nostri noi ogni oltre oppure per perché però
più poco può possono prima proprio proprie quale quali quando quanto quella quelle
quelli quello questa queste questi questo qui sarà senza sia siano solo sono
sopra sotto sua sue sugli sui sul sulla sulle sullo suo suoi tra tramite tutta
tutte tutti tutto una uno verso via voi
sull dall dell nell all quell
and are but for from has have into its not that the their them this through
with you your
ente enti bisogno soluzione servizio servizi sociale sociali settore terzo digitale digitali
`)

func set(words string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		out[w] = true
	}
	return out
}
