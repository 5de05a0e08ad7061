package sqldb

import "time"

// Micros returns a time as the databases hold it: microseconds since 1970 UTC.
// The zero time is 0.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time returns the UTC time of a count of microseconds since 1970. 0 is the
// zero time.
func Time(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
