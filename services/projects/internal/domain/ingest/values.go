package ingest

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"

	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// maxDigits bounds how long a number may be written.
const maxDigits = 40

var plainNumber = regexp.MustCompile(`^[+-]?[0-9]{1,20}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,2})?$`)

// Amount reads an amount in minor units (hundredths), as people and spreadsheets
// write it: digits in groups, a currency sign, an exponent. Fractions of a minor
// unit are rounded half away from zero, and rounded is then true.
func Amount(text string, decimal byte) (minor int64, rounded bool, err error) {
	clean := strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\u00a0', '\u202f', '\'', '’', '€':
			return -1
		}
		return r
	}, text)
	if clean, err = ungroup(clean, decimal); err != nil || len(clean) > maxDigits || !plainNumber.MatchString(clean) {
		return 0, false, fmt.Errorf("%q is not an amount with the decimal separator %q", text, string(decimal))
	}
	x, ok := new(big.Rat).SetString(clean)
	if !ok {
		return 0, false, fmt.Errorf("%q is not an amount", text)
	}
	x.Mul(x, big.NewRat(100, 1))
	rounded = !x.IsInt()
	half := big.NewRat(1, 2)
	if x.Sign() < 0 {
		half.Neg(half)
	}
	if rounded {
		x.Add(x, half)
	}
	n := new(big.Int).Quo(x.Num(), x.Denom()) // towards zero
	if !n.IsInt64() || n.CmpAbs(big.NewInt(domain.MaxAmount)) > 0 {
		return 0, false, fmt.Errorf("%q is more than %d minor units", text, int64(domain.MaxAmount))
	}
	return n.Int64(), rounded, nil
}

// ungroup takes the group separators away, of which each must be followed by
// three digits, and writes the decimal separator as a point.
func ungroup(s string, decimal byte) (string, error) {
	group := byte(',')
	if decimal == ',' {
		group = '.'
	}
	whole, fraction, has := strings.Cut(s, string(decimal))
	for i, part := range strings.Split(whole, string(group)) {
		if i > 0 && len(part) != 3 {
			return "", fmt.Errorf("%q has groups of other than three digits", s)
		}
	}
	out := strings.ReplaceAll(whole, string(group), "")
	if has {
		out += "." + fraction
	}
	return out, nil
}

// layout is how dates are written.
type layout struct{ written, reference string }

func newLayout(s string) (layout, error) {
	if s == "" {
		s = "yyyy-mm-dd"
	}
	out := strings.NewReplacer("yyyy", "2006", "mm", "01", "dd", "02").Replace(s)
	if strings.Count(s, "yyyy") != 1 || strings.Count(s, "mm") != 1 || strings.Count(s, "dd") != 1 ||
		strings.ContainsAny(strings.NewReplacer("yyyy", "", "mm", "", "dd", "").Replace(s), "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		return layout{}, fmt.Errorf("%q must have yyyy, mm and dd once each, for example dd/mm/yyyy", s)
	}
	return layout{s, out}, nil
}

// date reads a date. In a workbook it may be the number of a day.
func (t *Table) date(text string, l layout) (civil.Date, error) {
	if t.Sheet && plainNumber.MatchString(text) {
		whole, _, _ := strings.Cut(text, ".")
		if days := number(whole); days > 60 && days < 2_958_466 { // after the day that 1900 did not have
			epoch := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
			if t.From1904 {
				epoch = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
			}
			return civil.Parse(string(civil.Of(epoch.AddDate(0, 0, int(days)))))
		}
	}
	day, err := time.Parse(l.reference, strings.TrimSpace(text))
	if err != nil {
		return "", fmt.Errorf("%q is not a date of the layout %s", text, l.written)
	}
	return civil.Parse(day.Format(time.DateOnly))
}
