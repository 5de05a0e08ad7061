package domain

import (
	"strings"

	"github.com/trama-suite/trama/services/platform/errs"
)

// The codice fiscale of a person: six letters of the name, two digits of the
// year of birth, a letter for the month, two digits for the day (plus 40 for
// women), a letter and three digits of the place, and a check letter (DM 23
// December 1976). Where two persons would have the same code, digits are
// replaced from the right by the letters L to V (omocodia, art. 6).

// omocodia holds the letters that stand for the digits 0 to 9.
const omocodia = "LMNPQRSTUV"

// birthMonths holds the letters of the months, January to December.
const birthMonths = "ABCDEHLMPRST"

// oddValues are the values of the characters in odd positions, A to Z; a digit
// counts as the letter of the same rank (0 as A, 9 as J). In even positions the
// value is the rank itself.
var oddValues = [26]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}

const personShape = "the codice fiscale of a person has six letters, year, month and day of birth, place of birth and a check letter"

func checkPersonTaxCode(value string) (errs.Reason, string) {
	for i := range 6 {
		if !upper(value[i]) {
			return IdentifierShapeWrong, personShape
		}
	}
	day := 0
	for _, i := range []int{6, 7, 9, 10, 12, 13, 14} {
		d, ok := omocodiaDigit(value[i])
		if !ok {
			return IdentifierShapeWrong, personShape
		}
		switch i {
		case 9:
			day = 10 * d
		case 10:
			day += d
		}
	}
	if !upper(value[11]) || !upper(value[15]) || strings.IndexByte(birthMonths, value[8]) < 0 {
		return IdentifierShapeWrong, personShape
	}
	if day%40 < 1 || day%40 > 31 || day > 71 {
		return IdentifierShapeWrong, "the codice fiscale names a day of birth that does not exist"
	}
	if value[15] != personCheckLetter(value[:15]) {
		return CheckDigitWrong, "the check letter does not agree with the other fifteen characters"
	}
	return "", ""
}

// personCheckLetter returns the sixteenth character for the first fifteen.
func personCheckLetter(first15 string) byte {
	sum := 0
	for i := range len(first15) {
		rank := int(first15[i] - 'A')
		if first15[i] <= '9' {
			rank = int(first15[i] - '0')
		}
		if i%2 == 0 { // positions are counted from one: this one is odd
			sum += oddValues[rank]
		} else {
			sum += rank
		}
	}
	return byte('A' + sum%26)
}

func omocodiaDigit(c byte) (int, bool) {
	if c >= '0' && c <= '9' {
		return int(c - '0'), true
	}
	at := strings.IndexByte(omocodia, c)
	return at, at >= 0
}

func upper(c byte) bool { return c >= 'A' && c <= 'Z' }
