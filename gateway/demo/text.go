package demo

import (
	"maps"
	"strings"
	"unicode"

	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
)

// it is a text in Italian, the language of the scenario.
func it(words string) *typev1.LocalizedText { return text("it", words) }

// text is a text in a language; pairs are translations, language and text in turn.
func text(language, words string, pairs ...string) *typev1.LocalizedText {
	out := &typev1.LocalizedText{Text: words, LanguageCode: language}
	for i := 0; i+1 < len(pairs); i += 2 {
		if out.Translations == nil {
			out.Translations = map[string]string{}
		}
		out.Translations[pairs[i]] = pairs[i+1]
	}
	return out
}

// texts are texts in Italian.
func texts(words ...string) []*typev1.LocalizedText {
	out := make([]*typev1.LocalizedText, len(words))
	for i, w := range words {
		out[i] = it(w)
	}
	return out
}

// euros is an amount in whole euros.
func euros(amount int64) *typev1.Money { return cents(amount * 100) }

// cents is an amount in cents of a euro.
func cents(amount int64) *typev1.Money {
	return &typev1.Money{MinorUnits: amount, CurrencyCode: "EUR"}
}

// demoKey is the attribute by which an entry of the scenario is found again.
const demoKey = "demo_key"

// attributes are those of an entry; pairs are names and values in turn.
func attributes(key string, pairs ...string) map[string]string {
	out := map[string]string{demoKey: key}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}

// sample marks attributes of an entry for which the sources give only a number.
func sample(a map[string]string) map[string]string {
	out := maps.Clone(a)
	out["sample"] = "true"
	return out
}

// slug makes a short key of a text: its letters and digits, in lower case, with
// hyphens between words.
func slug(text string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		if b.Len() > 0 {
			b.WriteByte('-')
		}
		for _, r := range word {
			if r < unicode.MaxASCII {
				b.WriteRune(r)
			}
		}
	}
	return b.String()[:min(b.Len(), 60)]
}
