package rollup

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/trama-suite/trama/services/impact/internal/domain/exact"
)

// Encode returns the state as text, for storage: values, a, b and flags divided
// by blanks, then, after a bar, readings, counts or keys divided by commas. The
// measure is not in it.
func (s State) Encode() string {
	b := make([]byte, 0, 32)
	b = strconv.AppendInt(b, s.values, 10)
	b = append(b, ' ')
	b = s.a.Append(b)
	b = append(b, ' ')
	b = s.b.Append(b)
	b = append(b, ' ')
	b = s.append(b)
	if s.firm {
		b = append(b, 'f')
	}
	b = append(b, ' ')
	for i, r := range s.readings {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, r.holder...)
		b = append(b, ';')
		b = strconv.AppendInt(b, int64(r.start), 10)
		b = append(b, ';')
		b = strconv.AppendInt(b, int64(r.end), 10)
		b = append(b, ';')
		b = r.value.Append(b)
		b = append(b, ';')
		b = r.append(b)
	}
	b = append(b, ' ')
	for i, n := range s.counts {
		if i > 0 {
			b = append(b, ',')
		}
		b = n.Append(b)
	}
	b = append(b, ' ')
	for i, k := range s.keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, k...)
	}
	return strings.TrimRight(string(b), " ")
}

func (b bounds) append(out []byte) []byte {
	if b.above {
		out = append(out, 'a')
	}
	if b.below {
		out = append(out, 'b')
	}
	if b.estimated {
		out = append(out, 'e')
	}
	return out
}

func parseBounds(s string) bounds {
	return bounds{above: strings.Contains(s, "a"), below: strings.Contains(s, "b"), estimated: strings.Contains(s, "e")}
}

// Decode is Encode's inverse.
func Decode(m Measure, text string) (State, error) {
	s := State{measure: m}
	var err error
	part, rest, _ := strings.Cut(text, " ")
	if s.values, err = strconv.ParseInt(part, 10, 64); err != nil {
		return State{}, damaged(text, err)
	}
	part, rest, _ = strings.Cut(rest, " ")
	if s.a, err = exact.ParseAny(part); err != nil {
		return State{}, damaged(text, err)
	}
	part, rest, _ = strings.Cut(rest, " ")
	if s.b, err = exact.ParseAny(part); err != nil {
		return State{}, damaged(text, err)
	}
	if rest == "" {
		return s, nil
	}
	part, rest, _ = strings.Cut(rest, " ")
	s.bounds, s.firm = parseBounds(part), strings.Contains(part, "f")
	part, rest, _ = strings.Cut(rest, " ")
	if part != "" {
		s.readings = make([]reading, 0, 1+strings.Count(part, ","))
		for item := range strings.SplitSeq(part, ",") {
			r, err := decodeReading(item)
			if err != nil {
				return State{}, damaged(text, err)
			}
			s.readings = append(s.readings, r)
		}
	}
	part, rest, _ = strings.Cut(rest, " ")
	if part != "" {
		for item := range strings.SplitSeq(part, ",") {
			n, err := exact.ParseAny(item)
			if err != nil {
				return State{}, damaged(text, err)
			}
			s.counts = append(s.counts, n)
		}
	}
	if rest != "" {
		s.keys = strings.Split(rest, ",")
	}
	if m.Method == OrdinalHistogram && s.values > 0 && len(s.counts) != m.Categories {
		return State{}, damaged(text, fmt.Errorf("%d counts for %d categories", len(s.counts), m.Categories))
	}
	return s, nil
}

func decodeReading(item string) (reading, error) {
	fields := strings.Split(item, ";")
	if len(fields) != 5 {
		return reading{}, fmt.Errorf("reading %q", item)
	}
	start, err := strconv.ParseInt(fields[1], 10, 32)
	if err != nil {
		return reading{}, err
	}
	end, err := strconv.ParseInt(fields[2], 10, 32)
	if err != nil {
		return reading{}, err
	}
	value, err := exact.ParseAny(fields[3])
	if err != nil {
		return reading{}, err
	}
	return reading{holder: fields[0], start: int32(start), end: int32(end), value: value, bounds: parseBounds(fields[4])}, nil
}

func damaged(text string, err error) error {
	if len(text) > 80 {
		text = text[:80] + "…"
	}
	return fmt.Errorf("stored state %q is damaged: %w", text, err)
}
