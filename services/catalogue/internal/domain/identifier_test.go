package domain_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/catalogue/internal/domain"
)

// Plain references, written apart from the code under test.

// bodyCheckDigit returns the eleventh digit for ten.
func bodyCheckDigit(ten string) byte {
	x, y := 0, 0
	for i, c := range ten {
		d := int(c - '0')
		if i%2 == 0 {
			x += d
			continue
		}
		y += []int{0, 2, 4, 6, 8, 1, 3, 5, 7, 9}[d]
	}
	return byte('0' + (10-(x+y)%10)%10)
}

// personCheckLetter returns the sixteenth character for fifteen, from the two
// tables of the decree.
func personCheckLetter(fifteen string) byte {
	odd := map[rune]int{
		'0': 1, '1': 0, '2': 5, '3': 7, '4': 9, '5': 13, '6': 15, '7': 17, '8': 19, '9': 21,
		'A': 1, 'B': 0, 'C': 5, 'D': 7, 'E': 9, 'F': 13, 'G': 15, 'H': 17, 'I': 19, 'J': 21, 'K': 2, 'L': 4, 'M': 18,
		'N': 20, 'O': 11, 'P': 3, 'Q': 6, 'R': 8, 'S': 12, 'T': 14, 'U': 16, 'V': 10, 'W': 22, 'X': 25, 'Y': 24, 'Z': 23,
	}
	even := func(c rune) int {
		if c <= '9' {
			return int(c - '0')
		}
		return int(c - 'A')
	}
	sum := 0
	for i, c := range fifteen {
		if (i+1)%2 == 1 {
			sum += odd[c]
		} else {
			sum += even(c)
		}
	}
	return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[sum%26]
}

func right(t interface{ Fatalf(string, ...any) }, id domain.Identifier) {
	if reason, words := id.Check(); reason != "" {
		t.Fatalf("%s %s is refused: %s, %s", id.Type, id.Value, reason, words)
	}
}

func wrongDigit(t interface{ Fatalf(string, ...any) }, id domain.Identifier) {
	if reason, _ := id.Check(); reason != domain.CheckDigitWrong {
		t.Fatalf("%s %s gives %q, not CHECK_DIGIT_WRONG", id.Type, id.Value, reason)
	}
}

func digits(n int) *rapid.Generator[string] {
	return rapid.StringOfN(rapid.RuneFrom([]rune("0123456789")), n, n, -1)
}

// Every single wrong digit of a body's tax code or a VAT number shows.
func TestElevenDigits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ten := digits(10).Filter(func(s string) bool { return s != "0000000000" }).Draw(t, "ten")
		code := ten + string(bodyCheckDigit(ten))
		kind := rapid.SampledFrom([]domain.IdentifierType{domain.TaxCode, domain.VATNumber}).Draw(t, "type")
		right(t, domain.Identifier{Type: kind, Value: code})
		right(t, domain.Identifier{Type: domain.EUVATNumber, Value: "IT" + code})

		at := rapid.IntRange(0, 10).Draw(t, "at")
		other := byte('0' + (int(code[at]-'0')+rapid.IntRange(1, 9).Draw(t, "by"))%10)
		changed := code[:at] + string(other) + code[at+1:]
		if changed == "00000000000" {
			return // refused for its shape
		}
		wrongDigit(t, domain.Identifier{Type: kind, Value: changed})
		wrongDigit(t, domain.Identifier{Type: domain.EUVATNumber, Value: "IT" + changed})
	})
}

// Every single wrong character of a person's tax code shows, as long as a letter
// stays a letter and a digit a digit; with omocodia too.
func TestPersonTaxCode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := rapid.IntRange(1, 31).Draw(t, "day") + 40*rapid.IntRange(0, 1).Draw(t, "woman")
		letters := func(n int, label string) string {
			return rapid.StringOfN(rapid.RuneFrom([]rune("ABCDEFGHIJKLMNOPQRSTUVWXYZ")), n, n, -1).Draw(t, label)
		}
		fifteen := []byte(letters(6, "name") + digits(2).Draw(t, "year") +
			string(rapid.SampledFrom([]rune("ABCDEHLMPRST")).Draw(t, "month")) +
			fmt.Sprintf("%02d", day) + letters(1, "place") + digits(3).Draw(t, "number"))
		numeric := []int{6, 7, 9, 10, 12, 13, 14}
		for i := range rapid.IntRange(0, len(numeric)).Draw(t, "omocodia") {
			at := numeric[len(numeric)-1-i]
			fifteen[at] = "LMNPQRSTUV"[fifteen[at]-'0']
		}
		code := string(fifteen) + string(personCheckLetter(string(fifteen)))
		right(t, domain.Identifier{Type: domain.TaxCode, Value: code})

		at := rapid.IntRange(0, 15).Draw(t, "at")
		alphabet := "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		if code[at] <= '9' {
			alphabet = "0123456789"
		}
		other := alphabet[rapid.IntRange(0, len(alphabet)-1).Draw(t, "other")]
		if other == code[at] {
			return
		}
		changed := code[:at] + string(other) + code[at+1:]
		if reason, _ := (domain.Identifier{Type: domain.TaxCode, Value: changed}).Check(); reason == "" {
			t.Fatalf("%s is taken for right, as is %s", changed, code)
		}
	})
}

// MOD 97-10 shows every single wrong character of an LEI, as long as a letter
// stays a letter and a digit a digit.
func TestLEI(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		first := rapid.StringOfN(rapid.RuneFrom([]rune(alphabet)), 18, 18, -1).Draw(t, "first")
		// The reference works on the whole number, digit by digit.
		remainder := 0
		for _, c := range first + "00" {
			for _, d := range fmt.Sprint(strings.IndexRune(alphabet, c)) {
				remainder = (remainder*10 + int(d-'0')) % 97
			}
		}
		lei := fmt.Sprintf("%s%02d", first, 98-remainder)
		right(t, domain.Identifier{Type: domain.LEI, Value: lei})
		at := rapid.IntRange(0, 17).Draw(t, "at")
		other := alphabet[rapid.IntRange(0, 35).Draw(t, "other")]
		if other != lei[at] && (other <= '9') == (lei[at] <= '9') {
			wrongDigit(t, domain.Identifier{Type: domain.LEI, Value: lei[:at] + string(other) + lei[at+1:]})
		}
	})
}

func TestIdentifierExamples(t *testing.T) {
	for _, c := range []struct {
		kind   domain.IdentifierType
		value  string
		reason string
	}{
		{domain.TaxCode, "80051890152", ""},
		{domain.TaxCode, " 800518 90152", ""},
		{domain.TaxCode, "RSSMRA85T10A562S", ""},
		{domain.TaxCode, "rssmra85t10a562s", ""},
		{domain.TaxCode, "RSSMRA85T10A562T", "CHECK_DIGIT_WRONG"},
		{domain.TaxCode, "RSSMRA85T32A562S", "IDENTIFIER_SHAPE_WRONG"},
		{domain.TaxCode, "RSSMRA85F10A562S", "IDENTIFIER_SHAPE_WRONG"},
		{domain.TaxCode, "80051890153", "CHECK_DIGIT_WRONG"},
		{domain.TaxCode, "8005189015", "IDENTIFIER_SHAPE_WRONG"},
		{domain.TaxCode, "00000000000", "IDENTIFIER_SHAPE_WRONG"},
		{domain.TaxCode, "８００５１８９０１５２", "IDENTIFIER_SHAPE_WRONG"},
		{domain.VATNumber, "IT 00577500101", ""},
		{domain.EUVATNumber, "ES X1234567X", ""},
		{domain.EUVATNumber, "SE556703748501", ""},
		{domain.EUVATNumber, "LV40003521600", ""},
		{domain.EUVATNumber, "LT119511515", ""},
		{domain.EUVATNumber, "DE12345678", "IDENTIFIER_SHAPE_WRONG"},
		{domain.EUVATNumber, "US123456789", "IDENTIFIER_SHAPE_WRONG"},
		{domain.EUVATNumber, "IT00577500102", "CHECK_DIGIT_WRONG"},
		{domain.RUNTSNumber, "081234", ""},
		{domain.RUNTSNumber, "12345678", "IDENTIFIER_SHAPE_WRONG"},
		{domain.RUNTSNumber, "0", "IDENTIFIER_SHAPE_WRONG"},
		{domain.CUP, "b11b23000110001", ""},
		{domain.CUP, "B11B2300011000", "IDENTIFIER_SHAPE_WRONG"},
		{domain.LEI, "8156 00A9C6B47A5F0E 00", "CHECK_DIGIT_WRONG"},
		{domain.OtherIdentifier, "", "IDENTIFIER_SHAPE_WRONG"},
		{"IDENTIFIER_TYPE_UNSPECIFIED", "1", "IDENTIFIER_SHAPE_WRONG"},
	} {
		reason, words := domain.Identifier{Type: c.kind, Value: c.value}.Tidy().Check()
		if string(reason) != c.reason || (reason != "") != (words != "") {
			t.Errorf("%s %q gives %q (%s), want %q", c.kind, c.value, reason, words, c.reason)
		}
	}
}

// What a spreadsheet cuts off is put back only where that gives a right code.
func TestRestoreZeros(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zeros := rapid.IntRange(1, 5).Draw(t, "zeros")
		ten := strings.Repeat("0", zeros) + digits(10-zeros).Draw(t, "rest")
		code := ten + string(bodyCheckDigit(ten))
		cut := strings.TrimLeft(code, "0")
		if len(cut) < 6 {
			return
		}
		got, ok := domain.Identifier{Type: domain.TaxCode, Value: cut}.RestoreZeros()
		if !ok || got.Value != code {
			t.Fatalf("%s becomes %s, %v; want %s", cut, got.Value, ok, code)
		}
		last := '0' + (cut[len(cut)-1]-'0'+1)%10
		wrong := cut[:len(cut)-1] + string(last)
		if got, ok := (domain.Identifier{Type: domain.TaxCode, Value: wrong}).RestoreZeros(); ok || got.Value != wrong {
			t.Fatalf("%s, which has a wrong check digit, becomes %s", wrong, got.Value)
		}
	})
}

func TestTidyIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := domain.Identifier{
			Type:  rapid.SampledFrom([]domain.IdentifierType{domain.TaxCode, domain.EUVATNumber, domain.RUNTSNumber, domain.LEI, domain.OtherIdentifier}).Draw(t, "type"),
			Value: rapid.StringN(0, 30, -1).Draw(t, "value"),
		}
		once := id.Tidy()
		if twice := once.Tidy(); twice != once {
			t.Fatalf("%q is tidied to %q and then to %q", id.Value, once.Value, twice.Value)
		}
	})
}
