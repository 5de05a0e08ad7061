package schedule

import (
	"time"

	"github.com/rickar/cal/v2/it"
)

// The feast of Saint Francis of Assisi, 4 October, is a national holiday from
// 2026 on (legge 8 ottobre 2025, n. 151); the library does not have it.
const saintFrancisSince = 2026

// italianHolidays returns the national public holidays of the years, as days
// since 0001-01-01. Sundays are holidays too; a week says so by itself.
func italianHolidays(from, to int) []int {
	out := make([]int, 0, (to-from+1)*(len(it.Holidays)+1))
	for year := from; year <= to; year++ {
		for _, h := range it.Holidays {
			if d, _ := h.Calc(year); !d.IsZero() {
				out = append(out, dayNumber(d.Date()))
			}
		}
		if year >= saintFrancisSince {
			out = append(out, dayNumber(year, time.October, 4))
		}
	}
	return out
}

// patronDays returns a yearly day; 29 February only in leap years.
func patronDays(d MonthDay, from, to int) []int {
	var out []int
	for year := from; year <= to; year++ {
		if t := time.Date(year, d.Month, d.Day, 0, 0, 0, 0, time.UTC); t.Month() == d.Month {
			out = append(out, dayNumber(t.Date()))
		}
	}
	return out
}

// dayNumber returns the days since 0001-01-01.
func dayNumber(year int, month time.Month, d int) int {
	return int(time.Date(year, month, d, 0, 0, 0, 0, time.UTC).Unix()/86400) + unixEpoch
}
