package search

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// SnippetLength is the most characters of a snippet.
	SnippetLength = 240
	// searchedForSnippet bounds how far into a text a snippet is looked for.
	searchedForSnippet = 4000
	// leadIn is about how many characters stand before the first word found.
	leadIn = 40
)

// Span is a part of a text, in characters: the first one and one past the last.
type Span struct{ Start, End int }

// Marker finds the words of one query in texts, by the analysers that found the
// texts in the first place.
type Marker struct {
	index *Index
	query string
	terms map[string]map[string]bool // by field language
}

// Marker returns a marker for a query's text.
func (x *Index) Marker(query string) *Marker {
	return &Marker{index: x, query: query, terms: map[string]map[string]bool{}}
}

// Mark returns where words of the query stand in a text of a language (BCP 47).
func (m *Marker) Mark(language, text string) []Span {
	if m.query == "" || text == "" {
		return nil
	}
	wanted := m.wanted(fieldLanguage(language))
	if len(wanted) == 0 {
		return nil
	}
	tokens, err := m.index.mapping.AnalyzeText(analysers[fieldLanguage(language)], []byte(text))
	if err != nil {
		return nil
	}
	var out []Span
	at, characters := 0, 0 // tokens come in order: count the characters on the way
	for _, t := range tokens {
		if !wanted[string(t.Term)] || t.Start < at || t.End > len(text) || t.End < t.Start {
			continue
		}
		start := characters + utf8.RuneCountInString(text[at:t.Start])
		end := start + utf8.RuneCountInString(text[t.Start:t.End])
		at, characters = t.End, end
		out = append(out, Span{Start: start, End: end})
	}
	return out
}

func (m *Marker) wanted(language string) map[string]bool {
	if terms, ok := m.terms[language]; ok {
		return terms
	}
	terms := map[string]bool{}
	if tokens, err := m.index.mapping.AnalyzeText(analysers[language], []byte(m.query)); err == nil {
		for _, t := range tokens {
			terms[string(t.Term)] = true
		}
	}
	m.terms[language] = terms
	return terms
}

// Snippet returns the part of the texts that has most of the query's words, and
// where they stand in it: the beginning of the first text where none does.
func (m *Marker) Snippet(texts []Text) (string, []Span) {
	for _, t := range texts {
		text := []rune(t.Text)
		text = text[:min(len(text), searchedForSnippet)]
		if spans := m.Mark(t.Language, string(text)); len(spans) > 0 {
			return cut(text, spans)
		}
	}
	if len(texts) == 0 {
		return "", nil
	}
	text := []rune(texts[0].Text)
	return cut(text[:min(len(text), searchedForSnippet)], nil)
}

// cut returns at most SnippetLength characters around the densest spans, begun
// and ended between words where there is a space to do so.
func cut(text []rune, spans []Span) (string, []Span) {
	start, best := 0, 0
	for i, first := range spans {
		from := max(0, first.Start-leadIn)
		n := 0
		for _, s := range spans[i:] { // they come in order
			if s.End > from+SnippetLength {
				break
			}
			n++
		}
		if n > best {
			start, best = from, n
		}
	}
	for limit := start + leadIn; start > 0 && start < limit && start < len(text) && !unicode.IsSpace(text[start-1]); {
		start++
	}
	end := min(len(text), start+SnippetLength)
	if end < len(text) {
		for e := end; e > start+SnippetLength/2; e-- {
			if unicode.IsSpace(text[e]) {
				end = e
				break
			}
		}
	}
	for start < end && unicode.IsSpace(text[start]) {
		start++
	}
	var inside []Span
	for _, s := range spans {
		if s.Start >= start && s.End <= end {
			inside = append(inside, Span{Start: s.Start - start, End: s.End - start})
		}
	}
	return strings.TrimRightFunc(string(text[start:end]), unicode.IsSpace), inside
}
