package store

import (
	"context"
	"strconv"
	"time"

	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
)

// Figures are counts over a set of editions.
type Figures struct {
	// Editions by state.
	Editions map[domain.EditionState]int64
	// Seats of editions that are not cancelled.
	Seats int64
	// Claims by kind; Enrolled includes those Completed.
	Enrolled, Offered, Waiting, Completed int64
	// Minutes attended, Certificates issued, Interest that is open.
	Minutes, Certificates, Interest int64
}

// CourseFigures are the figures of one course.
type CourseFigures struct {
	Course  *domain.Course
	Figures Figures
}

// ListCourseFigures reads a page of courses that meet a condition, with figures.
func (s *Store) ListCourseFigures(ctx context.Context, tx *sqldb.Tx, p *page.Plan, where string, args []any, now time.Time) ([]CourseFigures, string, error) {
	courses, next, err := s.ListCourses(ctx, tx, p, where, args)
	if err != nil || len(courses) == 0 {
		return nil, next, err
	}
	in, names := "", make([]any, 0, len(courses))
	for i, c := range courses {
		if i > 0 {
			in += ", "
		}
		in += "$" + strconv.Itoa(i+2)
		names = append(names, c.Name)
	}
	figures, err := s.figures(ctx, tx, "course IN ("+in+")", names, now)
	out := make([]CourseFigures, 0, len(courses))
	for _, c := range courses {
		out = append(out, CourseFigures{c, figures[c.Name]})
	}
	return out, next, err
}

// Totals adds up the figures of all editions whose owner meets a condition, with
// arguments from $2 on.
func (s *Store) Totals(ctx context.Context, tx *sqldb.Tx, where string, args []any, now time.Time) (Figures, error) {
	byCourse, err := s.figures(ctx, tx, where, args, now)
	total := Figures{Editions: map[domain.EditionState]int64{}}
	for _, f := range byCourse {
		for state, n := range f.Editions {
			total.Editions[state] += n
		}
		total.Seats += f.Seats
		total.Enrolled += f.Enrolled
		total.Offered += f.Offered
		total.Waiting += f.Waiting
		total.Completed += f.Completed
		total.Minutes += f.Minutes
		total.Certificates += f.Certificates
		total.Interest += f.Interest
	}
	return total, err
}

// figures counts by course; editions without a course are under the empty name.
// The condition is on columns that all four tables have; $1 is the present
// instant.
func (s *Store) figures(ctx context.Context, tx *sqldb.Tx, where string, args []any, now time.Time) (map[string]Figures, error) {
	args = append([]any{sqldb.Micros(now)}, args...)
	out := map[string]Figures{}
	each := func(query string, add func(f *Figures, key string, a, b int64)) error {
		rows, err := tx.Query(ctx, query, args...)
		_, err = collect(rows, err, func(scan func(dest ...any) error) (struct{}, error) {
			var course, key string
			var a, b int64
			err := scan(&course, &key, &a, &b)
			f := out[course]
			if f.Editions == nil {
				f.Editions = map[domain.EditionState]int64{}
			}
			add(&f, key, a, b)
			out[course] = f
			return struct{}{}, err
		})
		return err
	}
	err := each("SELECT course, state, COUNT(*), CAST(SUM(capacity) AS BIGINT) FROM editions WHERE CAST($1 AS BIGINT) >= 0 AND "+where+" GROUP BY course, state",
		func(f *Figures, state string, n, capacity int64) {
			f.Editions[domain.EditionState(state)] += n
			if domain.EditionState(state) != domain.EditionCancelled {
				f.Seats += capacity
			}
		})
	if err != nil {
		return nil, err
	}
	err = each("SELECT course, state, COUNT(*), CAST(SUM(minutes) AS BIGINT) FROM enrolments WHERE (state <> 'OFFERED' OR offer_expires > $1) AND "+where+" GROUP BY course, state",
		func(f *Figures, state string, n, minutes int64) {
			f.Minutes += minutes
			switch domain.EnrolmentState(state) {
			case domain.Completed:
				f.Completed += n
				f.Enrolled += n
			case domain.Enrolled:
				f.Enrolled += n
			case domain.Offered:
				f.Offered += n
			case domain.Waiting:
				f.Waiting += n
			}
		})
	if err != nil {
		return nil, err
	}
	err = each("SELECT course, '', COUNT(*), 0 FROM certificates WHERE CAST($1 AS BIGINT) >= 0 AND "+where+" GROUP BY course",
		func(f *Figures, _ string, n, _ int64) { f.Certificates += n })
	if err != nil {
		return nil, err
	}
	err = each("SELECT course, '', COUNT(*), 0 FROM interests WHERE CAST($1 AS BIGINT) >= 0 AND state = 'OPEN' AND "+where+" GROUP BY course",
		func(f *Figures, _ string, n, _ int64) { f.Interest += n })
	return out, err
}
