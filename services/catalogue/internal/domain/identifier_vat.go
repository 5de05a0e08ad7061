package domain

import (
	"regexp"

	"github.com/trama-suite/trama/services/platform/errs"
)

// euVATShapes are the shapes of VAT numbers after the prefix of their state, as
// the European Commission's VIES service describes them. Greece writes EL,
// Northern Ireland XI.
var euVATShapes = compileShapes(map[string]string{
	"AT": `U[0-9]{8}`,
	"BE": `[01][0-9]{9}`,
	"BG": `[0-9]{9,10}`,
	"CY": `[0-9]{8}[A-Z]`,
	"CZ": `[0-9]{8,10}`,
	"DE": `[0-9]{9}`,
	"DK": `[0-9]{8}`,
	"EE": `[0-9]{9}`,
	"EL": `[0-9]{9}`,
	"ES": `[A-Z0-9][0-9]{7}[A-Z]|[A-Z][0-9]{8}`,
	"FI": `[0-9]{8}`,
	"FR": `[A-HJ-NP-Z0-9]{2}[0-9]{9}`,
	"HR": `[0-9]{11}`,
	"HU": `[0-9]{8}`,
	"IE": `[0-9]{7}[A-Z]{1,2}|[0-9][A-Z+*][0-9]{5}[A-Z]`,
	"IT": `[0-9]{11}`,
	"LT": `[0-9]{9}|[0-9]{12}`,
	"LU": `[0-9]{8}`,
	"LV": `[0-9]{11}`,
	"MT": `[0-9]{8}`,
	"NL": `[A-Z0-9+*]{9}B[A-Z0-9+*]{2}`,
	"PL": `[0-9]{10}`,
	"PT": `[0-9]{9}`,
	"RO": `[0-9]{2,10}`,
	"SE": `[0-9]{12}`,
	"SI": `[0-9]{8}`,
	"SK": `[0-9]{10}`,
	"XI": `[0-9]{9}|[0-9]{12}|GD[0-9]{3}|HA[0-9]{3}`,
})

func compileShapes(patterns map[string]string) map[string]*regexp.Regexp {
	out := make(map[string]*regexp.Regexp, len(patterns))
	for state, pattern := range patterns {
		out[state] = regexp.MustCompile("^(?:" + pattern + ")$")
	}
	return out
}

// checkEUVAT holds a VAT number against the shape of its state, an Italian one
// against its check digit too.
func checkEUVAT(value string) (errs.Reason, string) {
	if len(value) < 3 {
		return IdentifierShapeWrong, "an EU VAT number begins with the prefix of its state"
	}
	state, number := value[:2], value[2:]
	re, known := euVATShapes[state]
	switch {
	case !known:
		return IdentifierShapeWrong, "an EU VAT number begins with the prefix of its state, for example ES or EL"
	case !re.MatchString(number):
		return IdentifierShapeWrong, "the number has not the shape of the VAT numbers of " + state
	case state == "IT":
		return checkElevenDigits(number, "a partita IVA has 11 digits")
	}
	return "", ""
}
