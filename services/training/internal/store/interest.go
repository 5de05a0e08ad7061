package store

import (
	"context"

	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
)

// Interests are the columns that lists of interest filter and order by.
var Interests = page.New(
	page.Column{Field: "name", SQL: "name"},
	page.Column{Field: "course", SQL: "course", Orderable: true},
	page.Column{Field: "organisation", SQL: "organisation", Orderable: true},
	page.Column{Field: "learner_organisation", SQL: "learner_organisation", Orderable: true},
	page.Column{Field: "role", SQL: "CASE WHEN role = '' THEN '' ELSE 'LEARNER_ROLE_' || role END", Orderable: true},
	page.Column{Field: "territory", SQL: "territory", Orderable: true},
	page.Column{Field: "state", SQL: "'INTEREST_STATE_' || state", Orderable: true},
	page.Column{Field: "sequence", SQL: "sequence", Kind: page.Int, Orderable: true},
	page.Column{Field: "create_time", SQL: "created", Kind: page.Time, Orderable: true},
)

const interestColumns = "name, course, organisation, learner, learner_organisation, role, territory, sequence, state, enrolment, version, created, updated"

func scanInterest(scan func(dest ...any) error) (*domain.Interest, error) {
	var i domain.Interest
	var created, updated int64
	err := scan(&i.Name, &i.Course, &i.Organisation, &i.Learner, &i.LearnerOrganisation, &i.Role, &i.Territory, &i.Sequence, &i.State,
		&i.Enrolment, &i.Version, &created, &updated)
	i.Created, i.Updated = sqldb.Time(created), sqldb.Time(updated)
	return &i, err
}

// LockCourse makes everyone else who wants the course's order of interest wait.
// It comes after an edition's lock.
func (s *Store) LockCourse(tx *sqldb.Tx, course string) {
	tx.Queue("UPDATE courses SET lock = lock + 1 WHERE name = $1", course)
}

// InsertInterest gives new interest its place in the course's order and writes
// it, under the course's lock. It reports false where the person has open
// interest in the course.
func (s *Store) InsertInterest(ctx context.Context, tx *sqldb.Tx, i *domain.Interest) (bool, error) {
	if err := tx.QueryRow(ctx, "SELECT next_interest FROM courses WHERE name = $1", i.Course).Scan(&i.Sequence); err != nil {
		return false, found(i.Course, err)
	}
	n, err := tx.Exec(ctx, `INSERT INTO interests (name, course, organisation, learner, learner_organisation, role, territory, sequence, state,
		enrolment, version, created, updated) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING`,
		i.Name, i.Course, i.Organisation, i.Learner, i.LearnerOrganisation, i.Role, i.Territory, i.Sequence, string(i.State),
		i.Enrolment, i.Version, sqldb.Micros(i.Created), sqldb.Micros(i.Updated))
	if err != nil || n == 0 {
		return false, err
	}
	tx.Queue("UPDATE courses SET next_interest = $2 WHERE name = $1", i.Course, i.Sequence+1)
	return true, nil
}

// SaveInterest writes changed interest.
func (s *Store) SaveInterest(ctx context.Context, tx *sqldb.Tx, i *domain.Interest) error {
	n, err := tx.Exec(ctx, "UPDATE interests SET state = $3, enrolment = $4, version = $5, updated = $6 WHERE name = $1 AND version = $2",
		i.Name, i.Version-1, string(i.State), i.Enrolment, i.Version, sqldb.Micros(i.Updated))
	return saved(i.Name, n, err)
}

// Interest reads interest.
func (s *Store) Interest(ctx context.Context, tx *sqldb.Tx, name string) (*domain.Interest, error) {
	i, err := scanInterest(tx.QueryRow(ctx, "SELECT "+interestColumns+" FROM interests WHERE name = $1", name).Scan)
	return i, found(name, err)
}

// OpenInterest reads a course's open interest in its order.
func (s *Store) OpenInterest(ctx context.Context, tx *sqldb.Tx, course string) ([]*domain.Interest, error) {
	rows, err := tx.Query(ctx, "SELECT "+interestColumns+" FROM interests WHERE course = $1 AND state = 'OPEN' ORDER BY sequence", course)
	return collect(rows, err, scanInterest)
}

// ReopenInterest opens the interest that an edition's enrolments came from, under
// the course's lock, except that of people who have expressed it again since.
func (s *Store) ReopenInterest(tx *sqldb.Tx, edition string, now int64) {
	tx.Queue(`UPDATE interests SET state = 'OPEN', enrolment = '', version = version + 1, updated = $2
		WHERE state = 'CONVERTED' AND enrolment IN (SELECT name FROM enrolments WHERE edition = $1)
		AND NOT EXISTS (SELECT 1 FROM interests o WHERE o.course = interests.course AND o.learner = interests.learner
			AND (o.state = 'OPEN' OR o.state = 'CONVERTED' AND o.sequence > interests.sequence))`, edition, now)
}

// ListInterests reads a page of interest that meets a condition.
func (s *Store) ListInterests(ctx context.Context, tx *sqldb.Tx, p *page.Plan, where string, args []any) ([]*domain.Interest, string, error) {
	return page.List(ctx, tx, p, page.Select{Columns: interestColumns, From: "interests", Where: where, Args: args}, scanInterest)
}
