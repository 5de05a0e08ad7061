package store

import (
	"context"
	"time"

	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
)

// Editions are the columns that lists of editions filter and order by.
var Editions = page.New(
	page.Column{Field: "name", SQL: "e.name"},
	page.Column{Field: "course", SQL: "e.course", Orderable: true},
	page.Column{Field: "organisation", SQL: "e.organisation", Orderable: true},
	page.Column{Field: "number", SQL: "e.number", Kind: page.Int, Orderable: true},
	page.Column{Field: "kind", SQL: "'EDITION_KIND_' || e.kind", Orderable: true},
	page.Column{Field: "state", SQL: "'EDITION_STATE_' || e.state", Orderable: true},
	page.Column{Field: "start_date", SQL: "e.start_date", Orderable: true},
	page.Column{Field: "create_time", SQL: "e.created", Kind: page.Time, Orderable: true},
	page.Column{Field: "update_time", SQL: "e.updated", Kind: page.Time, Orderable: true},
)

// Counts of an edition's claims. An offer whose time is up counts for nothing,
// whether or not it has been swept; $1 is the present instant.
const (
	countEnrolled = "(SELECT COUNT(*) FROM enrolments n WHERE n.edition = e.name AND n.state IN ('ENROLLED', 'COMPLETED'))"
	countOffered  = "(SELECT COUNT(*) FROM enrolments n WHERE n.edition = e.name AND n.state = 'OFFERED' AND n.offer_expires > $1)"
	countWaiting  = "(SELECT COUNT(*) FROM enrolments n WHERE n.edition = e.name AND n.state = 'WAITING')"
	countLapsed   = "(SELECT COUNT(*) FROM enrolments n WHERE n.edition = e.name AND n.state = 'OFFERED' AND n.offer_expires <= $1)"
	sumMinutes    = "(SELECT COALESCE(CAST(SUM((s.ends - s.starts) / 60000000) AS BIGINT), 0) FROM sessions s WHERE s.edition = e.name AND s.state = 'SCHEDULED')"

	editionColumns = "e.name, e.organisation, e.course, e.kind, e.number, e.state, e.published, e.capacity, e.waiting_cap, e.start_date, " +
		"e.project, e.events, e.next_sequence, e.version, e.created, e.updated, e.doc, " +
		countEnrolled + ", " + countOffered + ", " + countWaiting + ", " + sumMinutes + ", " + countLapsed
)

// editionDoc is what of an edition has no column.
type editionDoc struct {
	Title        domain.Text     `json:"title"`
	Description  domain.Text     `json:"description"`
	EndDate      string          `json:"end_date,omitempty"`
	Place        string          `json:"place,omitempty"`
	Link         string          `json:"link,omitempty"`
	JoinDeadline int64           `json:"join_deadline,omitempty"`
	Threshold    int             `json:"threshold,omitempty"`
	Modules      []domain.Module `json:"modules,omitempty"`
	CancelReason string          `json:"cancel_reason,omitempty"`
	Revision     int             `json:"revision,omitempty"`
	Revised      int64           `json:"revised,omitempty"`
}

func editionText(e *domain.Edition) string {
	return pack(editionDoc{
		Title: e.Title, Description: e.Description, EndDate: e.EndDate, Place: e.Place, Link: e.Link,
		JoinDeadline: sqldb.Micros(e.JoinDeadline), Threshold: e.Threshold, Modules: e.Modules, CancelReason: e.CancelReason,
		Revision: e.Revision, Revised: sqldb.Micros(e.Revised),
	})
}

func scanEdition(scan func(dest ...any) error) (*domain.Edition, error) {
	var e domain.Edition
	var created, updated int64
	var doc string
	err := scan(&e.Name, &e.Organisation, &e.Course, &e.Kind, &e.Number, &e.State, &e.Published, &e.Capacity, &e.WaitingCap, &e.StartDate,
		&e.Project, &e.Events, &e.NextSequence, &e.Version, &created, &updated, &doc,
		&e.Use.Enrolled, &e.Use.Offered, &e.Use.Waiting, &e.Use.Minutes, &e.Use.Lapsed)
	if err != nil {
		return nil, err
	}
	var d editionDoc
	if err := unpack(e.Name, doc, &d); err != nil {
		return nil, err
	}
	e.Title, e.Description, e.EndDate, e.Place, e.Link = d.Title, d.Description, d.EndDate, d.Place, d.Link
	e.JoinDeadline, e.Threshold, e.Modules, e.CancelReason = sqldb.Time(d.JoinDeadline), d.Threshold, d.Modules, d.CancelReason
	e.Revision, e.Revised = d.Revision, sqldb.Time(d.Revised)
	e.Created, e.Updated = sqldb.Time(created), sqldb.Time(updated)
	return &e, nil
}

// InsertEdition writes a new edition. It reports false where the course has an
// edition with that number.
func (s *Store) InsertEdition(ctx context.Context, tx *sqldb.Tx, e *domain.Edition) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO editions (name, organisation, course, kind, number, state, published, capacity, waiting_cap,
		start_date, project, events, next_sequence, version, created, updated, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) ON CONFLICT DO NOTHING`,
		e.Name, e.Organisation, e.Course, string(e.Kind), int64(e.Number), string(e.State), e.Published, int64(e.Capacity), int64(e.WaitingCap),
		e.StartDate, e.Project, e.Events, e.NextSequence, e.Version, sqldb.Micros(e.Created), sqldb.Micros(e.Updated), editionText(e))
	return n == 1, err
}

// NumberTaken reports whether another edition of the course has the number.
func (s *Store) NumberTaken(ctx context.Context, tx *sqldb.Tx, e *domain.Edition) (bool, error) {
	var n int
	err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM editions WHERE course = $1 AND number = $2 AND name <> $3 AND course <> ''",
		e.Course, int64(e.Number), e.Name).Scan(&n)
	return n > 0, err
}

// SaveEdition writes a changed edition. The order of claims is not touched: that
// belongs to OpenSeats.
func (s *Store) SaveEdition(ctx context.Context, tx *sqldb.Tx, e *domain.Edition) error {
	n, err := tx.Exec(ctx, `UPDATE editions SET number = $3, state = $4, published = $5, capacity = $6, waiting_cap = $7, start_date = $8,
		project = $9, events = $10, version = $11, updated = $12, doc = $13 WHERE name = $1 AND version = $2`,
		e.Name, e.Version-1, int64(e.Number), string(e.State), e.Published, int64(e.Capacity), int64(e.WaitingCap), e.StartDate,
		e.Project, e.Events, e.Version, sqldb.Micros(e.Updated), editionText(e))
	return saved(e.Name, n, err)
}

// Edition reads an edition with its use at an instant.
func (s *Store) Edition(ctx context.Context, tx *sqldb.Tx, name string, now time.Time) (*domain.Edition, error) {
	e, err := scanEdition(tx.QueryRow(ctx, "SELECT "+editionColumns+" FROM editions e WHERE e.name = $2", sqldb.Micros(now), name).Scan)
	return e, found(name, err)
}

// ListEditions reads a page of editions that meet a condition, whose arguments
// start at $2.
func (s *Store) ListEditions(ctx context.Context, tx *sqldb.Tx, p *page.Plan, where string, args []any) ([]*domain.Edition, string, error) {
	return page.List(ctx, tx, p, page.Select{Columns: editionColumns, From: "editions e", Where: where, Args: args}, scanEdition)
}

// Lock makes everyone else who wants the edition's seats or registers wait until
// this transaction ends. It comes before anything that is read under it.
func (s *Store) Lock(tx *sqldb.Tx, edition string) {
	if !s.unlocked {
		tx.Queue("UPDATE editions SET lock = lock + 1 WHERE name = $1", edition)
	}
}
