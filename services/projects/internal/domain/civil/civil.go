// Package civil is calendar dates without a time of day or a time zone, as
// projects and funders state them.
package civil

import (
	"fmt"
	"time"
)

// Date is a day of the proleptic Gregorian calendar in ISO 8601
// ("2026-01-31"), or empty for no date. Dates compare as strings do.
type Date string

const layout = "2006-01-02"

// Parse reads a date from 1900 to 2999: so dates that are computed from it stay
// far from the year 10000, with which the order of strings would end.
func Parse(s string) (Date, error) {
	t, err := time.Parse(layout, s)
	if err != nil || t.Year() < 1900 || t.Year() > 2999 {
		return "", fmt.Errorf("%q is not a day of the calendar from 1900-01-01 to 2999-12-31", s)
	}
	return Date(s), nil
}

// Of returns the day of an instant in the time zone that it is expressed in.
func Of(t time.Time) Date { return Date(t.Format(layout)) }

// Days returns the days since 1970-01-01. The date must be a parsed one.
func (d Date) Days() int {
	t, err := time.Parse(layout, string(d))
	if err != nil {
		panic("civil: Days of " + string(d))
	}
	return int(t.Unix() / 86400)
}

// FromDays returns the date so many days after 1970-01-01.
func FromDays(n int) Date { return Of(time.Unix(int64(n)*86400, 0).UTC()) }

// AddDays returns the date n days later.
func (d Date) AddDays(n int) Date { return FromDays(d.Days() + n) }
