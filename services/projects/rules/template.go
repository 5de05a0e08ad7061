package rules

import (
	"fmt"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// language of a text.
type tongue int

const (
	italian tongue = iota
	english
)

// template is a text with holes, compiled.
type template struct {
	tongue tongue
	parts  []part
}

// part is literal text, or a hole.
type part struct {
	literal string
	hole    *compiled
	unit    Unit
}

// template compiles a text such as "at most {limit|money}". A hole is an
// expression, with a unit where it is money or a percentage.
func (c *compiler) template(env *cel.Env, e Expression, path string, in tongue) *template {
	t := &template{tongue: in}
	rest, offset := e.Source, 0
	for rest != "" {
		open := strings.IndexAny(rest, "{}")
		if open < 0 {
			t.parts = append(t.parts, part{literal: rest})
			break
		}
		end := strings.IndexAny(rest[open+1:], "{}")
		if rest[open] == '}' || end < 0 || rest[open+1+end] == '{' {
			c.report(c.within(e, 1, offset+open), path, "a brace stands alone: a hole is written {expression} or {expression|money}")
			return nil
		}
		if open > 0 {
			t.parts = append(t.parts, part{literal: rest[:open]})
		}
		source, unit := splitUnit(rest[open+1 : open+1+end])
		hole := e
		hole.Source = source
		hole.At.Column += len([]rune(e.Source[:offset+open+1]))
		kinds := []*cel.Type{cel.IntType, cel.StringType, cel.BoolType, dayType}
		if unit != "" {
			kinds = kinds[:1]
		}
		before := len(c.problems)
		p := c.expression(env, hole, path, 1, kinds...)
		if p == nil {
			if len(c.problems) == before {
				c.report(c.within(e, 1, offset+open), path, "a hole is empty")
			}
			return nil
		}
		t.parts = append(t.parts, part{hole: p, unit: unit})
		rest = rest[open+end+2:]
		offset = len(e.Source) - len(rest)
	}
	return t
}

// splitUnit cuts the unit off a hole.
func splitUnit(hole string) (string, Unit) {
	if i := strings.LastIndexByte(hole, '|'); i > 0 && hole[i-1] != '|' {
		switch unit := Unit(strings.TrimSpace(hole[i+1:])); unit {
		case UnitMoney, UnitPercent:
			return hole[:i], unit
		}
	}
	return hole, ""
}

// text fills the holes.
func (t *template) text(vars *scopeVars, currency string) (string, error) {
	var b strings.Builder
	for _, p := range t.parts {
		if p.hole == nil {
			b.WriteString(p.literal)
			continue
		}
		v, err := p.hole.eval(vars)
		if err != nil {
			return "", err
		}
		b.WriteString(show(v, p.unit, currency, t.tongue))
	}
	return b.String(), nil
}

// show writes a value for people.
func show(v ref.Val, unit Unit, currency string, in tongue) string {
	switch v := v.(type) {
	case types.Int:
		switch unit {
		case UnitMoney:
			return decimal(int64(v), 2, in) + "\u00a0" + sign(currency)
		case UnitPercent:
			if v%100 == 0 {
				return decimal(int64(v)/100, 0, in) + "\u00a0%"
			}
			return strings.TrimRight(decimal(int64(v), 2, in), "0") + "\u00a0%"
		}
		return strconv.FormatInt(int64(v), 10)
	case types.Bool:
		return map[tongue]map[types.Bool]string{italian: {true: "sì", false: "no"}, english: {true: "yes", false: "no"}}[in][v]
	case day:
		if in == italian {
			return v.time().Format("02/01/2006")
		}
		return v.time().Format("2 January 2006")
	case types.String:
		return string(v)
	}
	return fmt.Sprint(v.Value())
}

// decimal writes a number of hundredths (places 2) or units (0), with the
// separators of the language.
func decimal(v int64, places int, in tongue) string {
	point, group := ",", "."
	if in == english {
		point, group = ".", ","
	}
	digits := strconv.FormatInt(v, 10)
	minus := ""
	if v < 0 {
		minus, digits = "-", digits[1:]
	}
	for len(digits) <= places {
		digits = "0" + digits
	}
	units, rest := digits[:len(digits)-places], digits[len(digits)-places:]
	for i := len(units) - 3; i > 0; i -= 3 {
		units = units[:i] + group + units[i:]
	}
	if places == 0 {
		return minus + units
	}
	return minus + units + point + rest
}

func sign(currency string) string {
	if currency == "EUR" {
		return "€"
	}
	return currency
}
