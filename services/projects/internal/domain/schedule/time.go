package schedule

import (
	"fmt"
	"time"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Time is a local date-time in whole minutes, without a zone: the minutes since
// 0001-01-01T00:00, a Monday. Zero is no date-time.
type Time int64

const (
	day       = 24 * 60
	unixEpoch = 719_162 // days from 0001-01-01 to 1970-01-01
	layout    = "2006-01-02T15:04"
)

// At returns the date-time so many minutes after the beginning of a date, which
// must be a parsed one.
func At(date civil.Date, minute int) Time {
	return Time(date.Days()+unixEpoch)*day + Time(minute)
}

// ParseTime reads an ISO 8601 local date-time to the minute
// ("2026-01-31T17:00"), with or without zero seconds, from 1900 to 2999.
func ParseTime(s string) (Time, error) {
	t, err := time.Parse(layout, s)
	if err != nil {
		t, err = time.Parse(layout+":05", s)
	}
	if err != nil || t.Second() != 0 || t.Nanosecond() != 0 || t.Year() < 1900 || t.Year() > 2999 {
		return 0, fmt.Errorf("%q is not a local date-time in whole minutes, such as 2026-01-31T17:00, from 1900 to 2999", s)
	}
	return Time(t.Unix()/60) + unixEpoch*day, nil
}

// String returns the date-time in ISO 8601, or nothing for none.
func (t Time) String() string {
	if t == 0 {
		return ""
	}
	return t.std().Format(layout)
}

// Date returns the day of the date-time, or nothing for none.
func (t Time) Date() civil.Date {
	if t == 0 {
		return ""
	}
	return civil.Of(t.std())
}

// Minute returns the minutes since the beginning of the day.
func (t Time) Minute() int { return int(t % day) }

func (t Time) std() time.Time { return time.Unix(int64(t-unixEpoch*day)*60, 0).UTC() }

// weekday returns the day of the week of a number of days since 0001-01-01.
func weekday(days int) time.Weekday { return time.Weekday((days + 1) % 7) }
