package exact

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Limits of what Parse takes: they keep a request from holding a number that
// takes long to work with.
const (
	maxWhole    = 40 // digits before the point, or of numerator and denominator
	maxDecimals = 18 // digits after the point
)

// Parse reads a decimal ("-12.50") or a fraction ("1/3"). There is no exponent,
// no sign but a leading minus, and no white space.
func Parse(s string) (Number, error) {
	if head, tail, found := strings.Cut(s, "/"); found {
		num, err := parseDecimal(head, 0)
		if err != nil {
			return Number{}, err
		}
		if strings.HasPrefix(tail, "-") {
			return Number{}, fmt.Errorf("%q: the sign belongs to the numerator", s)
		}
		den, err := parseDecimal(tail, 0)
		if err != nil {
			return Number{}, err
		}
		out, ok := num.Quo(den)
		if !ok {
			return Number{}, fmt.Errorf("%q: the denominator is 0", s)
		}
		return out, nil
	}
	return parseDecimal(s, maxDecimals)
}

// ParseAny reads what String wrote, however long: for numbers of our own, whose
// size was bounded when they came in.
func ParseAny(s string) (Number, error) {
	if len(s) <= 18 {
		return Parse(s)
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return Number{}, fmt.Errorf("%q is not a number", s)
	}
	return reduce(r), nil
}

// MustParse is Parse for constants: it panics where s is malformed.
func MustParse(s string) Number {
	n, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return n
}

func parseDecimal(s string, decimals int) (Number, error) {
	digits := strings.TrimPrefix(s, "-")
	whole, after, point := strings.Cut(digits, ".")
	switch {
	case whole == "" || (point && after == "") || !allDigits(whole) || !allDigits(after):
		return Number{}, fmt.Errorf("%q is not a decimal number", s)
	case len(whole) > maxWhole:
		return Number{}, fmt.Errorf("%q has more than %d digits before the point", s, maxWhole)
	case len(after) > decimals:
		return Number{}, fmt.Errorf("%q has more than %d digits after the point", s, decimals)
	}
	if len(whole)+len(after) <= 18 {
		n, err := strconv.ParseInt(whole+after, 10, 64)
		if err != nil {
			return Number{}, err
		}
		if s != digits {
			n = -n
		}
		if after == "" {
			return Int(n), nil
		}
		return Fraction(n, pow10(len(after))), nil
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return Number{}, fmt.Errorf("%q is not a decimal number", s)
	}
	return reduce(r), nil
}

func allDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

func pow10(n int) int64 {
	out := int64(1)
	for range n {
		out *= 10
	}
	return out
}

// String returns the exact value as Parse reads it: a whole number, or a
// fraction in lowest terms.
func (a Number) String() string { return string(a.Append(nil)) }

// Append appends String to b.
func (a Number) Append(b []byte) []byte {
	if a.large != nil {
		return append(b, a.large.RatString()...)
	}
	num, den := a.parts()
	b = strconv.AppendInt(b, num, 10)
	if den != 1 {
		b = append(b, '/')
		b = strconv.AppendInt(b, den, 10)
	}
	return b
}

// Decimal returns the number with at most that many digits after the point,
// rounded half to even there (ISO 80000-1, rule A) where it does not end
// earlier, without trailing zeros.
func (a Number) Decimal(digits int) string {
	if short, ok := a.short(digits); ok {
		return short
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	r := a.rat()
	scaled := new(big.Int).Mul(new(big.Int).Abs(r.Num()), scale)
	quotient, rest := new(big.Int).QuoRem(scaled, r.Denom(), new(big.Int))
	switch rest.Lsh(rest, 1).Cmp(r.Denom()) {
	case 1:
		quotient.Add(quotient, big.NewInt(1))
	case 0:
		if quotient.Bit(0) == 1 {
			quotient.Add(quotient, big.NewInt(1))
		}
	}
	text := quotient.String()
	if len(text) <= digits {
		text = strings.Repeat("0", digits-len(text)+1) + text
	}
	whole, after := text[:len(text)-digits], strings.TrimRight(text[len(text)-digits:], "0")
	if r.Sign() < 0 && quotient.Sign() != 0 {
		whole = "-" + whole
	}
	if after == "" {
		return whole
	}
	return whole + "." + after
}

// short is Decimal for what needs no rounding and fits in 64 bits, which is
// nearly everything: amounts in cents, hours, counts.
func (a Number) short(digits int) (string, bool) {
	num, den := a.parts()
	if a.large != nil {
		return "", false
	}
	if den == 1 {
		return strconv.FormatInt(num, 10), true
	}
	scale, places := int64(10), 1
	for scale%den != 0 {
		if places++; places > min(digits, 15) {
			return "", false
		}
		scale *= 10
	}
	scaled, ok := mul64(num, scale/den)
	if !ok || places > digits {
		return "", false
	}
	text := strconv.FormatUint(magnitude(scaled), 10)
	if len(text) <= places {
		text = strings.Repeat("0", places-len(text)+1) + text
	}
	sign := ""
	if scaled < 0 {
		sign = "-"
	}
	return sign + text[:len(text)-places] + "." + text[len(text)-places:], true
}

// MarshalText implements encoding.TextMarshaler: numbers stand in JSON as text.
func (a Number) MarshalText() ([]byte, error) { return a.Append(nil), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Number) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAny(string(text))
	return err
}
