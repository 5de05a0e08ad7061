package document

import (
	"fmt"
	"strings"
)

const (
	vatLength     = 11 // partita IVA, and the tax code of bodies
	taxCodeLength = 16 // codice fiscale of persons
)

// CheckIssuerID returns what is wrong with a VAT number or tax code, nil where
// nothing is. Of Italian ones the check digit is looked at: VAT numbers by the
// Luhn formula (D.P.R. 633/1972, art. 35; Ministerial Decree of 23 December
// 1976), tax codes of persons by that of the Ministerial Decree of 23 December
// 1976, n. 13814. Those of other countries begin with the country's code.
func CheckIssuerID(s string) error {
	id := IssuerID(s)
	switch {
	case len(id) == vatLength && digitsOnly(id):
		if want := vatCheckDigit(id[:10]); id[10] != want {
			return fmt.Errorf("%s is no Italian VAT number: its last digit would be %c", s, want)
		}
		return nil
	case len(id) == taxCodeLength && isTaxCode(id):
		if want := taxCodeCheck(id[:15]); id[15] != want {
			return fmt.Errorf("%s is no Italian tax code: its last letter would be %c", s, want)
		}
		return nil
	case strings.HasPrefix(id, "IT") || digitsOnly(id):
		return fmt.Errorf("%s is no Italian VAT number (11 digits) or tax code (16 characters)", s)
	case len(id) >= 4 && len(id) <= 15 && letter(id[0]) && letter(id[1]) && strings.ContainsAny(id, "0123456789") && ascii(id):
		return nil
	}
	return fmt.Errorf("%s is no VAT number or tax code: give 11 digits, an Italian tax code, or another country's number with its code, for example DE123456789", s)
}

func letter(c byte) bool { return c >= 'A' && c <= 'Z' }

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func vatCheckDigit(digits string) byte {
	sum := 0
	for i := range len(digits) {
		d := int(digits[i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return byte('0' + (10-sum%10)%10)
}

// taxCodePattern: L a letter, D a digit, or the letter that stands for it where
// two persons would have the same code.
const taxCodePattern = "LLLLLLDDLDDLDDDL"

func isTaxCode(id string) bool {
	for i := range len(id) {
		isDigit := id[i] >= '0' && id[i] <= '9'
		switch taxCodePattern[i] {
		case 'L':
			if !letter(id[i]) {
				return false
			}
		default:
			if !isDigit && !strings.ContainsRune("LMNPQRSTUV", rune(id[i])) {
				return false
			}
		}
	}
	return true
}

// oddValues are the values of 0 to 9 and of A to Z in odd places.
var oddValues = [26]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}

func taxCodeCheck(code string) byte {
	sum := 0
	for i := range len(code) {
		v := int(code[i] - 'A')
		if code[i] <= '9' {
			v = int(code[i] - '0')
		}
		if i%2 == 0 {
			v = oddValues[v]
		}
		sum += v
	}
	return byte('A' + sum%26)
}
