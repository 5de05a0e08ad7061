package schedule

import "github.com/trama-suite/trama/services/projects/internal/domain/civil"

// epochMonday is 1970-01-05, the first Monday after the epoch, in days.
const epochMonday = 4

// workday numbers the working days (Monday to Friday); a day of a weekend has
// the number of the Monday after it.
func workday(d civil.Date) int {
	n := d.Days() - epochMonday
	week, day := floorDiv(n, 7)
	return week*5 + min(day, 5)
}

// workdayDate is the inverse of workday.
func workdayDate(n int) civil.Date {
	week, day := floorDiv(n, 5)
	return civil.FromDays(week*7 + day + epochMonday)
}

func floorDiv(a, b int) (quotient, remainder int) {
	q, r := a/b, a%b
	if r < 0 {
		q, r = q-1, r+b
	}
	return q, r
}
