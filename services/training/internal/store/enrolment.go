package store

import (
	"context"

	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
)

// Enrolments are the columns that lists of enrolments filter and order by.
var Enrolments = page.New(
	page.Column{Field: "name", SQL: "name"},
	page.Column{Field: "edition", SQL: "edition", Orderable: true},
	page.Column{Field: "course", SQL: "course", Orderable: true},
	page.Column{Field: "organisation", SQL: "organisation", Orderable: true},
	page.Column{Field: "learner_organisation", SQL: "learner_organisation", Orderable: true},
	page.Column{Field: "learner", SQL: "learner", Orderable: true},
	page.Column{Field: "state", SQL: "'ENROLMENT_STATE_' || state", Orderable: true},
	page.Column{Field: "sequence", SQL: "sequence", Kind: page.Int, Orderable: true},
	page.Column{Field: "create_time", SQL: "created", Kind: page.Time, Orderable: true},
	page.Column{Field: "update_time", SQL: "updated", Kind: page.Time, Orderable: true},
)

const enrolmentColumns = "name, edition, course, organisation, project, learner, learner_organisation, role, state, sequence, " +
	"offer_expires, enrolled, completed, minutes, cancel_reason, version, created, updated"

func scanEnrolment(scan func(dest ...any) error) (*domain.Enrolment, error) {
	var n domain.Enrolment
	var expires, enrolled, completed, created, updated int64
	err := scan(&n.Name, &n.Edition, &n.Course, &n.Organisation, &n.Project, &n.Learner, &n.LearnerOrganisation, &n.Role, &n.State, &n.Sequence,
		&expires, &enrolled, &completed, &n.Minutes, &n.CancelReason, &n.Version, &created, &updated)
	n.OfferExpires, n.EnrolledAt, n.CompletedAt = sqldb.Time(expires), sqldb.Time(enrolled), sqldb.Time(completed)
	n.Created, n.Updated = sqldb.Time(created), sqldb.Time(updated)
	return &n, err
}

func insertEnrolment(tx *sqldb.Tx, n *domain.Enrolment) {
	tx.Queue(`INSERT INTO enrolments (name, edition, course, organisation, project, learner, learner_organisation, role, state, sequence,
		offer_expires, enrolled, completed, minutes, cancel_reason, version, created, updated)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		n.Name, n.Edition, n.Course, n.Organisation, n.Project, n.Learner, n.LearnerOrganisation, n.Role, string(n.State), n.Sequence,
		sqldb.Micros(n.OfferExpires), sqldb.Micros(n.EnrolledAt), sqldb.Micros(n.CompletedAt), int64(n.Minutes), n.CancelReason,
		n.Version, sqldb.Micros(n.Created), sqldb.Micros(n.Updated))
}

// SaveEnrolment writes a changed enrolment, under its edition's lock.
func (s *Store) SaveEnrolment(ctx context.Context, tx *sqldb.Tx, n *domain.Enrolment) error {
	rows, err := tx.Exec(ctx, `UPDATE enrolments SET state = $3, enrolled = $4, completed = $5, minutes = $6, cancel_reason = $7, version = $8, updated = $9
		WHERE name = $1 AND version = $2`,
		n.Name, n.Version-1, string(n.State), sqldb.Micros(n.EnrolledAt), sqldb.Micros(n.CompletedAt), int64(n.Minutes), n.CancelReason,
		n.Version, sqldb.Micros(n.Updated))
	return saved(n.Name, rows, err)
}

// Enrolment reads an enrolment.
func (s *Store) Enrolment(ctx context.Context, tx *sqldb.Tx, name string) (*domain.Enrolment, error) {
	n, err := scanEnrolment(tx.QueryRow(ctx, "SELECT "+enrolmentColumns+" FROM enrolments WHERE name = $1", name).Scan)
	return n, found(name, err)
}

// ClaimsOf reads all claims, live and ended, that a learner has made in an edition.
func (s *Store) ClaimsOf(ctx context.Context, tx *sqldb.Tx, edition, learner string) ([]*domain.Enrolment, error) {
	rows, err := tx.Query(ctx, "SELECT "+enrolmentColumns+" FROM enrolments WHERE learner = $1 AND edition = $2 ORDER BY sequence", learner, edition)
	return collect(rows, err, scanEnrolment)
}

// Earlier returns the minutes that the learner has attended in the edition under
// other enrolments.
func (s *Store) Earlier(ctx context.Context, tx *sqldb.Tx, n *domain.Enrolment) (int, error) {
	claims, err := s.ClaimsOf(ctx, tx, n.Edition, n.Learner)
	total := 0
	for _, c := range claims {
		if c.Name != n.Name {
			total += c.Minutes
		}
	}
	return total, err
}

// EnrolmentsOf reads all claims, live and ended, in an edition, in their order.
func (s *Store) EnrolmentsOf(ctx context.Context, tx *sqldb.Tx, edition string) ([]*domain.Enrolment, error) {
	rows, err := tx.Query(ctx, "SELECT "+enrolmentColumns+" FROM enrolments WHERE edition = $1 ORDER BY sequence", edition)
	return collect(rows, err, scanEnrolment)
}

// ListEnrolments reads a page of enrolments that meet a condition.
func (s *Store) ListEnrolments(ctx context.Context, tx *sqldb.Tx, p *page.Plan, where string, args []any) ([]*domain.Enrolment, string, error) {
	return page.List(ctx, tx, p, page.Select{Columns: enrolmentColumns, From: "enrolments", Where: where, Args: args}, scanEnrolment)
}
