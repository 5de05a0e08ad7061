package main

import (
	"regexp"
	"strings"
)

// listItem starts a line that stays a line of its own.
var listItem = regexp.MustCompile(`^([-*•]|\d+[.)])\s|^\s{3,}|^\|`)

// prose joins the lines of each paragraph of a comment, which was wrapped for
// an editor, and keeps lists and indented blocks as they are.
func prose(comment string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimSpace(comment)) {
		line = strings.TrimRight(line, " \n")
		switch {
		case b.Len() == 0 || strings.HasSuffix(b.String(), "\n"):
			if line == "" && strings.HasSuffix(b.String(), "\n\n") {
				continue
			}
		case line == "":
			b.WriteString("\n")
		case listItem.MatchString(line):
			b.WriteString("\n")
		default:
			b.WriteString(" ")
		}
		b.WriteString(line)
		if line == "" {
			b.WriteString("\n")
		}
	}
	return b.String()
}

var (
	sentenceEnd  = regexp.MustCompile(`[.!?](\s+)[\p{Lu}\x60"(0-9]`)
	abbreviation = regexp.MustCompile(`(?:\be\.g|\bi\.e|\bart|\bno|\bvs|\bcf)\.$`)
)

// firstSentence splits a text after its first sentence.
func firstSentence(text string) (first, rest string) {
	paragraph, others, _ := strings.Cut(text, "\n")
	for _, m := range sentenceEnd.FindAllStringSubmatchIndex(paragraph, -1) {
		if !abbreviation.MatchString(paragraph[:m[2]]) {
			return paragraph[:m[2]], strings.TrimSpace(paragraph[m[3]:] + "\n" + others)
		}
	}
	return paragraph, strings.TrimSpace(others)
}

// uncomment takes off the space that stands between // and a line.
func uncomment(comment string) string {
	return strings.TrimPrefix(strings.ReplaceAll(comment, "\n ", "\n"), " ")
}

// paragraphs joins those that say something.
func paragraphs(texts ...string) string {
	var kept []string
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			kept = append(kept, t)
		}
	}
	return strings.Join(kept, "\n\n")
}

// singular turns a collection of the API into its resource.
func singular(collection string) string {
	switch {
	case strings.HasSuffix(collection, "ies"):
		return strings.TrimSuffix(collection, "ies") + "y"
	case strings.HasSuffix(collection, "sses"), strings.HasSuffix(collection, "ches"):
		return strings.TrimSuffix(collection, "es")
	default:
		return strings.TrimSuffix(collection, "s")
	}
}

// spaced turns budgetLine into "budget line".
func spaced(name string) string {
	var b strings.Builder
	for _, r := range name {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte(' ')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
