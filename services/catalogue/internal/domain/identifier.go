package domain

import (
	"regexp"
	"strings"

	"github.com/trama-suite/trama/services/platform/errs"
)

// IdentifierType says by which register an identifier is given.
type IdentifierType string

// The types of identifiers.
const (
	TaxCode         IdentifierType = "IDENTIFIER_TYPE_TAX_CODE"
	VATNumber       IdentifierType = "IDENTIFIER_TYPE_VAT_NUMBER"
	EUVATNumber     IdentifierType = "IDENTIFIER_TYPE_EU_VAT_NUMBER"
	RUNTSNumber     IdentifierType = "IDENTIFIER_TYPE_RUNTS_NUMBER"
	CUP             IdentifierType = "IDENTIFIER_TYPE_CUP"
	LEI             IdentifierType = "IDENTIFIER_TYPE_LEI"
	OtherIdentifier IdentifierType = "IDENTIFIER_TYPE_OTHER"
)

// Identifier is what a register calls an organisation.
type Identifier struct {
	Type   IdentifierType `json:"type"`
	Value  string         `json:"value"`
	Scheme string         `json:"scheme,omitempty"` // for OtherIdentifier only
}

// Key is what tells an identifier apart from all others in the deployment.
func (id Identifier) Key() string {
	if id.Type == OtherIdentifier {
		return string(id.Type) + "/" + id.Scheme + "/" + id.Value
	}
	return string(id.Type) + "/" + id.Value
}

// Unique reports whether at most one organisation may hold the identifier: the
// partners of a project share its CUP.
func (id Identifier) Unique() bool { return id.Type != CUP }

// separators are what people put into identifiers for legibility.
var separators = strings.NewReplacer(" ", "", "\u00a0", "", ".", "", "-", "", "/", "", "\t", "")

// Tidy returns the identifier as it is kept: without separators and in upper
// case, a partita IVA without its prefix. Identifiers of other registers only
// lose the spaces around them.
func (id Identifier) Tidy() Identifier {
	if id.Type == OtherIdentifier {
		id.Value = strings.TrimSpace(id.Value)
		return id
	}
	id.Value = strings.ToUpper(separators.Replace(id.Value))
	switch id.Type {
	case VATNumber:
		id.Value = strings.TrimPrefix(id.Value, "IT")
	case RUNTSNumber:
		if trimmed := strings.TrimLeft(id.Value, "0"); trimmed != "" {
			id.Value = trimmed
		}
	}
	return id
}

// RestoreZeros returns the identifier with the leading zeros that spreadsheets
// drop from what they take for a number. It reports false, and changes nothing,
// where that does not make a valid identifier of 11 digits.
func (id Identifier) RestoreZeros() (Identifier, bool) {
	const digits = 11
	n := len(id.Value)
	if (id.Type != TaxCode && id.Type != VATNumber) || n < 6 || n >= digits || !allDigits(id.Value) {
		return id, false
	}
	padded := strings.Repeat("0", digits-n) + id.Value
	if !luhnItalian(padded) {
		return id, false
	}
	id.Value = padded
	return id, true
}

// Check returns what is wrong with a tidied identifier: a reason, and words
// that describe its value. An empty reason means that it is right.
func (id Identifier) Check() (errs.Reason, string) {
	switch id.Type {
	case TaxCode:
		if len(id.Value) == 16 {
			return checkPersonTaxCode(id.Value)
		}
		return checkElevenDigits(id.Value, "a codice fiscale has 11 digits (bodies) or 16 characters (persons)")
	case VATNumber:
		return checkElevenDigits(id.Value, "a partita IVA has 11 digits")
	case EUVATNumber:
		return checkEUVAT(id.Value)
	case RUNTSNumber:
		return shape(runtsShape, id.Value, "a RUNTS number has 1 to 7 digits")
	case CUP:
		return shape(cupShape, id.Value, "a CUP has 15 characters: a letter, two digits, a letter and eleven digits")
	case LEI:
		if reason, words := shape(leiShape, id.Value, "an LEI has 20 characters, the last two of them digits"); reason != "" {
			return reason, words
		}
		if mod97(id.Value) != 1 {
			return CheckDigitWrong, "the check digits do not agree with the rest of the LEI"
		}
		return "", ""
	case OtherIdentifier:
		if id.Value == "" || len(id.Value) > 64 {
			return IdentifierShapeWrong, "an identifier has 1 to 64 bytes"
		}
		return "", ""
	}
	return IdentifierShapeWrong, "the type of the identifier is not known"
}

var (
	runtsShape = regexp.MustCompile(`^[1-9][0-9]{0,6}$`)
	cupShape   = regexp.MustCompile(`^[A-Z][0-9]{2}[A-Z][0-9]{11}$`)
	leiShape   = regexp.MustCompile(`^[A-Z0-9]{18}[0-9]{2}$`)
)

func shape(re *regexp.Regexp, value, words string) (errs.Reason, string) {
	if !re.MatchString(value) {
		return IdentifierShapeWrong, words
	}
	return "", ""
}

// checkElevenDigits holds the codice fiscale of a body, or a partita IVA,
// against its check digit.
func checkElevenDigits(value, words string) (errs.Reason, string) {
	if len(value) != 11 || !allDigits(value) || value == "00000000000" {
		return IdentifierShapeWrong, words
	}
	if !luhnItalian(value) {
		return CheckDigitWrong, "the check digit does not agree with the other ten digits"
	}
	return "", ""
}

// luhnItalian verifies the last of eleven digits: digits in odd positions count
// as they are, those in even positions doubled and, above 9, less 9; the sum is
// a multiple of ten (DM 23 December 1976, art. 7; Agenzia delle Entrate, partita
// IVA). Doubling so permutes the digits: every single wrong digit shows.
func luhnItalian(value string) bool {
	sum := 0
	for i := range len(value) {
		d := int(value[i] - '0')
		if i%2 == 1 {
			d *= 2
			if d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// mod97 is ISO 7064 MOD 97-10 with A = 10 … Z = 35: a valid LEI gives 1.
func mod97(value string) int {
	r := 0
	for i := range len(value) {
		if c := value[i]; c >= 'A' {
			r = (r*100 + int(c-'A') + 10) % 97
		} else {
			r = (r*10 + int(c-'0')) % 97
		}
	}
	return r
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// identifiers holds a list of tidied identifiers against the rules.
func (f *faults) identifiers(path string, list []Identifier) {
	seen := map[string]int{}
	for i, id := range list {
		at := path + "[" + itoa(i) + "]"
		if reason, words := id.Check(); reason != "" {
			f.add(reason, at+".value", "%s", words)
			continue
		}
		switch {
		case id.Type == OtherIdentifier && id.Scheme == "":
			f.add(IdentifierShapeWrong, at+".scheme", "must name the register")
		case id.Type != OtherIdentifier && id.Scheme != "":
			f.add(IdentifierShapeWrong, at+".scheme", "is only for the type OTHER")
		}
		if first, twice := seen[id.Key()]; twice {
			f.add(IdentifierRepeated, at+".value", "is the same as %s[%d]", path, first)
		}
		seen[id.Key()] = i
	}
}
