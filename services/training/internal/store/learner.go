package store

import (
	"context"
	"errors"
	"slices"

	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
)

// Learners are the columns that lists of learners filter and order by.
var Learners = page.New(
	page.Column{Field: "name", SQL: "name"},
	page.Column{Field: "organisation", SQL: "organisation", Orderable: true},
	page.Column{Field: "family_name", SQL: "family_name", Orderable: true},
	page.Column{Field: "mail", SQL: "mail", Orderable: true},
	page.Column{Field: "create_time", SQL: "created", Kind: page.Time, Orderable: true},
)

const learnerColumns = "name, organisation, subject, given_name, family_name, mail, role, version, created, updated"

func scanLearner(scan func(dest ...any) error) (*domain.Learner, error) {
	var l domain.Learner
	var created, updated int64
	err := scan(&l.Name, &l.Organisation, &l.Subject, &l.GivenName, &l.FamilyName, &l.Mail, &l.Role, &l.Version, &created, &updated)
	l.Created, l.Updated = sqldb.Time(created), sqldb.Time(updated)
	return &l, err
}

// InsertLearner writes a new learner. It reports false where the mail or the
// subject is taken.
func (s *Store) InsertLearner(ctx context.Context, tx *sqldb.Tx, l *domain.Learner) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO learners (name, organisation, subject, given_name, family_name, mail, role, version, created, updated)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
		l.Name, l.Organisation, l.Subject, l.GivenName, l.FamilyName, l.Mail, l.Role, l.Version, sqldb.Micros(l.Created), sqldb.Micros(l.Updated))
	return n == 1, err
}

// SaveLearner writes a changed learner.
func (s *Store) SaveLearner(ctx context.Context, tx *sqldb.Tx, l *domain.Learner) error {
	n, err := tx.Exec(ctx, `UPDATE learners SET subject = $3, given_name = $4, family_name = $5, mail = $6, role = $7, version = $8, updated = $9
		WHERE name = $1 AND version = $2`,
		l.Name, l.Version-1, l.Subject, l.GivenName, l.FamilyName, l.Mail, l.Role, l.Version, sqldb.Micros(l.Updated))
	return saved(l.Name, n, err)
}

// Learner reads a learner.
func (s *Store) Learner(ctx context.Context, tx *sqldb.Tx, name string) (*domain.Learner, error) {
	l, err := scanLearner(tx.QueryRow(ctx, "SELECT "+learnerColumns+" FROM learners WHERE name = $1", name).Scan)
	return l, found(name, err)
}

// LearnerOf reads the learner with a subject; nil where there is none.
func (s *Store) LearnerOf(ctx context.Context, tx *sqldb.Tx, subject string) (*domain.Learner, error) {
	if subject == "" {
		return nil, nil
	}
	return maybe(scanLearner(tx.QueryRow(ctx, "SELECT "+learnerColumns+" FROM learners WHERE subject = $1", subject).Scan))
}

// LearnerAt reads an organisation's learner with a mail address; nil where there
// is none.
func (s *Store) LearnerAt(ctx context.Context, tx *sqldb.Tx, organisation, mail string) (*domain.Learner, error) {
	if mail == "" {
		return nil, nil
	}
	return maybe(scanLearner(tx.QueryRow(ctx, "SELECT "+learnerColumns+" FROM learners WHERE organisation = $1 AND mail = $2", organisation, mail).Scan))
}

func maybe[T any](item *T, err error) (*T, error) {
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return item, nil
}

// ListLearners reads a page of learners that meet a condition.
func (s *Store) ListLearners(ctx context.Context, tx *sqldb.Tx, p *page.Plan, where string, args []any) ([]*domain.Learner, string, error) {
	return page.List(ctx, tx, p, page.Select{Columns: learnerColumns, From: "learners", Where: where, Args: args}, scanLearner)
}

// LockLearners makes everyone else who wants these learners' registers wait. It
// comes after the edition's lock and goes in the order of the names, so that no
// two transactions wait for each other.
func (s *Store) LockLearners(tx *sqldb.Tx, names []string) {
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	for _, name := range slices.Compact(sorted) {
		tx.Queue("UPDATE learners SET lock = lock + 1 WHERE name = $1", name)
	}
}

// People reads the learners who have a claim in an edition, by name.
func (s *Store) People(ctx context.Context, tx *sqldb.Tx, edition string) (map[string]*domain.Learner, error) {
	rows, err := tx.Query(ctx, "SELECT "+learnerColumns+" FROM learners WHERE name IN (SELECT learner FROM enrolments WHERE edition = $1)", edition)
	list, err := collect(rows, err, scanLearner)
	out := make(map[string]*domain.Learner, len(list))
	for _, l := range list {
		out[l.Name] = l
	}
	return out, err
}
