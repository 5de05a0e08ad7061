package store

import (
	"context"

	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
	"github.com/trama-suite/trama/services/training/internal/domain/interval"
)

// span is an interval as it is kept, in microseconds.
type span [2]int64

func spansText(intervals []interval.Interval) string {
	out := make([]span, 0, len(intervals))
	for _, i := range intervals {
		out = append(out, span{sqldb.Micros(i.In), sqldb.Micros(i.Out)})
	}
	return pack(out)
}

func spans(name, doc string) ([]interval.Interval, error) {
	var list []span
	if err := unpack(name, doc, &list); err != nil {
		return nil, err
	}
	out := make([]interval.Interval, 0, len(list))
	for _, s := range list {
		out = append(out, interval.Interval{In: sqldb.Time(s[0]), Out: sqldb.Time(s[1])})
	}
	return out, nil
}

const presenceColumns = "session, enrolment, learner, minutes, revision, doc"

func scanPresence(scan func(dest ...any) error) (domain.Presence, error) {
	var p domain.Presence
	var doc string
	err := scan(&p.Session, &p.Enrolment, &p.Learner, &p.Minutes, &p.Revision, &doc)
	if err != nil {
		return p, err
	}
	p.Intervals, err = spans(p.Session, doc)
	return p, err
}

// PresencesIn reads the lines of a session's register, by enrolment.
func (s *Store) PresencesIn(ctx context.Context, tx *sqldb.Tx, session string) (map[string]domain.Presence, error) {
	rows, err := tx.Query(ctx, "SELECT "+presenceColumns+" FROM presences WHERE session = $1", session)
	list, err := collect(rows, err, scanPresence)
	out := make(map[string]domain.Presence, len(list))
	for _, p := range list {
		out[p.Enrolment] = p
	}
	return out, err
}

// PresencesOf reads all lines of an edition's registers.
func (s *Store) PresencesOf(ctx context.Context, tx *sqldb.Tx, edition string) ([]domain.Presence, error) {
	rows, err := tx.Query(ctx, "SELECT "+presenceColumns+" FROM presences WHERE session IN (SELECT name FROM sessions WHERE edition = $1)", edition)
	return collect(rows, err, scanPresence)
}

// Elsewhere reads the lines of the learner of a presence, in other sessions or
// under other enrolments, that may overlap its time; under the learner's lock.
func (s *Store) Elsewhere(ctx context.Context, tx *sqldb.Tx, p domain.Presence) ([]domain.Presence, error) {
	if len(p.Intervals) == 0 {
		return nil, nil
	}
	rows, err := tx.Query(ctx, "SELECT "+presenceColumns+` FROM presences WHERE learner = $1
		AND first_in < $2 AND last_out > $3 AND NOT (session = $4 AND enrolment = $5)`,
		p.Learner, sqldb.Micros(p.Intervals[len(p.Intervals)-1].Out), sqldb.Micros(p.Intervals[0].In), p.Session, p.Enrolment)
	return collect(rows, err, scanPresence)
}

// HasAttendance reports whether anything is on a session's register.
func (s *Store) HasAttendance(ctx context.Context, tx *sqldb.Tx, session string) (bool, error) {
	var n int
	err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM presences WHERE session = $1", session).Scan(&n)
	return n > 0, err
}

// SavePresence writes a line's next revision, as it stands now and into its history.
func (s *Store) SavePresence(tx *sqldb.Tx, r domain.Revision) {
	doc := spansText(r.Intervals)
	var first, last int64
	if n := len(r.Intervals); n > 0 {
		first, last = sqldb.Micros(r.Intervals[0].In), sqldb.Micros(r.Intervals[n-1].Out)
	}
	tx.Queue(`INSERT INTO presences (session, enrolment, learner, minutes, revision, first_in, last_out, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (session, enrolment) DO UPDATE
		SET minutes = $4, revision = $5, first_in = $6, last_out = $7, doc = $8`,
		r.Session, r.Enrolment, r.Learner, int64(r.Minutes), int64(r.Revision), first, last, doc)
	tx.Queue(`INSERT INTO presence_revisions (session, enrolment, revision, minutes, reason, recorded_by, recorded, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		r.Session, r.Enrolment, int64(r.Revision), int64(r.Minutes), r.Reason, r.By, sqldb.Micros(r.At), doc)
}

// RevisionsIn reads the history of all lines of a session's register, oldest first.
func (s *Store) RevisionsIn(ctx context.Context, tx *sqldb.Tx, session string) (map[string][]domain.Revision, error) {
	rows, err := tx.Query(ctx, `SELECT enrolment, revision, minutes, reason, recorded_by, recorded, doc
		FROM presence_revisions WHERE session = $1 ORDER BY enrolment, revision`, session)
	list, err := collect(rows, err, func(scan func(dest ...any) error) (domain.Revision, error) {
		var r domain.Revision
		var recorded int64
		var doc string
		if err := scan(&r.Enrolment, &r.Revision, &r.Minutes, &r.Reason, &r.By, &recorded, &doc); err != nil {
			return r, err
		}
		var err error
		r.Session, r.At = session, sqldb.Time(recorded)
		r.Intervals, err = spans(session, doc)
		return r, err
	})
	out := map[string][]domain.Revision{}
	for _, r := range list {
		out[r.Enrolment] = append(out[r.Enrolment], r)
	}
	return out, err
}
