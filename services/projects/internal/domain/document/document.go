// Package document tells whether two papers are the same document: an invoice
// that is written down by two projects has its issuer, number and date written
// in two ways. It also checks Italian VAT numbers and tax codes.
//
// Two documents are the same where issuer, number, date, total and currency are
// the same once written in one way: compatibility forms of Unicode are
// resolved, digits of any script are 0 to 9, accents and case are dropped,
// spaces and punctuation count nothing but between two digits (1/12 is not
// 112), leading zeros of a number count nothing, and the country code of an
// Italian VAT number may be left out.
package document

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Document is what identifies a document.
type Document struct {
	// Issuer by name and by VAT number or tax code; one of them may be empty.
	Issuer, IssuerID string
	Number           string
	Date             string // ISO 8601
	Total            int64  // minor units
	Currency         string // ISO 4217
}

// Base is issuer, number and date in one way of writing: what documents that may
// be the same have in common. Empty where there is nothing to compare by.
func (d Document) Base() string {
	issuer := d.issuer()
	number := Number(d.Number)
	if issuer == "" || number == "" || d.Date == "" {
		return ""
	}
	return issuer + "|" + number + "|" + d.Date
}

// Key is Base with the total and the currency: what documents that are the same
// have in common.
func (d Document) Key() string {
	base := d.Base()
	if base == "" {
		return ""
	}
	return base + "|" + strconv.FormatInt(d.Total, 10) + d.Currency
}

// Paper is the number, date, total and currency in one way of writing, whoever
// the issuer is: what a document has in common with itself where one names the
// issuer by name and another by VAT number. Empty where there is no number or
// date.
func (d Document) Paper() string {
	number := Number(d.Number)
	if number == "" || d.Date == "" {
		return ""
	}
	return number + "|" + d.Date + "|" + strconv.FormatInt(d.Total, 10) + d.Currency
}

// byName begins an issuer of whom only the name is known.
const byName = "~"

// issuer prefers the number. A name that is an Italian VAT number is one.
func (d Document) issuer() string {
	if d.IssuerID != "" {
		return IssuerID(d.IssuerID)
	}
	name := plain(d.Issuer)
	if id := strings.TrimPrefix(name, "IT"); len(id) == vatLength && digitsOnly(id) {
		return id
	}
	if name == "" {
		return ""
	}
	return byName + name
}

// IssuerID writes a VAT number or tax code in one way: without spaces and
// punctuation, in capitals, an Italian one without its country code.
func IssuerID(s string) string {
	id := plain(s)
	if rest := strings.TrimPrefix(id, "IT"); rest != id && len(rest) == vatLength && digitsOnly(rest) {
		return rest
	}
	return id
}

// Number writes a document's number in one way.
func Number(s string) string {
	var b strings.Builder
	var run []rune // the digits that have not been written yet
	afterDigits := false
	flush := func() {
		if len(run) == 0 {
			return
		}
		if afterDigits {
			b.WriteByte('.')
		}
		b.WriteString(strings.TrimLeft(string(run[:len(run)-1]), "0"))
		b.WriteRune(run[len(run)-1]) // a number that is zero keeps one
		run, afterDigits = run[:0], true
	}
	for _, r := range fold(s) {
		switch {
		case r >= '0' && r <= '9':
			run = append(run, r)
			continue
		case unicode.IsLetter(r):
			flush()
			afterDigits = false
			b.WriteRune(r)
		default:
			flush()
		}
	}
	flush()
	return b.String()
}

// plain keeps letters and digits only.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, fold(s))
}

// fold resolves compatibility forms, drops accents and invisible characters, and
// writes capitals and ASCII digits.
func fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		switch {
		case r < utf8.RuneSelf:
			if r >= 'a' && r <= 'z' {
				r -= 'a' - 'A'
			}
			b.WriteByte(byte(r))
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r):
		case unicode.IsDigit(r):
			b.WriteRune('0' + digit(r))
		default:
			b.WriteString(strings.ToUpper(string(r)))
		}
	}
	return b.String()
}

// digit is the value of a decimal digit of any script: each has its ten in a
// row, from zero.
func digit(r rune) rune {
	if r <= '9' {
		return r - '0'
	}
	for _, x := range unicode.Nd.R16 {
		if lo, hi := rune(x.Lo), rune(x.Hi); r >= lo && r <= hi {
			return (r - lo) % 10
		}
	}
	for _, x := range unicode.Nd.R32 {
		if lo, hi := rune(x.Lo), rune(x.Hi); r >= lo && r <= hi {
			return (r - lo) % 10
		}
	}
	return 0
}

func digitsOnly(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
