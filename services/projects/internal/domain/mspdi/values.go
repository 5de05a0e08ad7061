package mspdi

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// maxMinutes is the longest duration or lag: some 190 years. It keeps sums of
// thousands of them far from overflow.
const maxMinutes = 100_000_000

// elapsedFormat and percentFormat tell of the schema's DurationFormat and
// LagFormat numbers which count by the clock and which are in per cent; those
// from 35 on are the estimated ones ("1 day?").
func elapsedFormat(f int64) bool {
	switch f {
	case 4, 6, 8, 10, 12, 20, 36, 38, 40, 42, 44, 52:
		return true
	}
	return false
}

func percentFormat(f int64) bool { return f == 19 || f == 20 || f == 51 || f == 52 }

// Formats that are written: days, elapsed days, per cent, elapsed per cent.
const (
	formatDays           = 7
	formatElapsedDays    = 8
	formatPercent        = 19
	formatElapsedPercent = 20
)

const layout = "2006-01-02T15:04:05"

// parseTime reads a wall-clock time; what is written for no date is none.
// Seconds are rounded to the nearest minute, as some programs write 16:59:59.
func parseTime(s string) (time.Time, error) {
	if s == "" || s == "NA" {
		return time.Time{}, nil
	}
	if len(s) > 19 && (s[19] == '.' || s[19] == 'Z' || s[19] == '+' || s[19] == '-') {
		s = s[:19] // fractions and a zone say nothing: the times are the plan's own
	}
	if len(s) == 10 {
		s += "T00:00:00"
	}
	if len(s) == 16 {
		s += ":00"
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s is not a date-time such as 2026-01-31T08:00:00", quote(s))
	}
	if t.Year() < 1900 || t.Year() > 2999 {
		return time.Time{}, fmt.Errorf("%s is not within the years 1900 to 2999", quote(s))
	}
	return t.Round(time.Minute), nil
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(layout)
}

// parseMinutes reads an ISO 8601 duration (PT8H30M0S, P1DT0H, -PT1H) in minutes,
// rounded to the nearest.
func parseMinutes(s string) (int64, error) {
	bad := func() (int64, error) {
		return 0, fmt.Errorf("%s is not a duration such as PT8H0M0S of at most %d minutes", quote(s), maxMinutes)
	}
	rest, negative := strings.CutPrefix(s, "-")
	rest, ok := strings.CutPrefix(rest, "P")
	if !ok || rest == "" {
		return bad()
	}
	var seconds float64
	inTime := false
	for rest != "" {
		if rest[0] == 'T' && !inTime {
			inTime, rest = true, rest[1:]
			continue
		}
		n := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if n <= 0 {
			return bad()
		}
		value, err := strconv.ParseFloat(rest[:n], 64)
		if err != nil {
			return bad()
		}
		unit, known := unitSeconds(rest[n], inTime)
		if !known {
			return bad()
		}
		seconds += value * unit
		rest = rest[n+1:]
	}
	minutes := math.Round(seconds / 60)
	if minutes > maxMinutes {
		return bad()
	}
	if negative {
		minutes = -minutes
	}
	return int64(minutes), nil
}

func unitSeconds(unit byte, inTime bool) (float64, bool) {
	switch {
	case unit == 'D' && !inTime:
		return 86_400, true
	case unit == 'W' && !inTime:
		return 7 * 86_400, true
	case unit == 'H' && inTime:
		return 3_600, true
	case unit == 'M' && inTime:
		return 60, true
	case unit == 'S' && inTime:
		return 1, true
	}
	return 0, false // years and months have no length
}

func formatMinutes(m int64) string {
	sign := ""
	if m < 0 {
		sign, m = "-", -m
	}
	return fmt.Sprintf("%sPT%dH%dM0S", sign, m/60, m%60)
}

// parseClock reads a time of day in minutes.
func parseClock(s string) (int, error) {
	if len(s) == 5 {
		s += ":00"
	}
	if i := strings.IndexByte(s, 'T'); i >= 0 { // some write a whole date-time
		s = s[i+1:]
	}
	t, err := time.Parse("15:04:05", s)
	if err != nil {
		return 0, fmt.Errorf("%s is not a time of day such as 08:00:00", quote(s))
	}
	return t.Hour()*60 + t.Minute(), nil
}

func formatClock(m int) string {
	m %= 24 * 60 // the midnight that ends a day is written 00:00:00
	return fmt.Sprintf("%02d:%02d:00", m/60, m%60)
}

// parseUnits reads a share (1, 0.5, 1.25) in ten-thousandths.
func parseUnits(s string) (int64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || f < 0 || f > 60_000_000 {
		return 0, fmt.Errorf("%s is not a number of units", quote(s))
	}
	return int64(math.Round(f * 10_000)), nil
}

func formatUnits(n int64) string { return strconv.FormatFloat(float64(n)/10_000, 'f', -1, 64) }

// quote repeats no more of a value than helps.
func quote(s string) string {
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:60], "") + "…"
	}
	return strconv.Quote(s)
}
