package store

import (
	"context"

	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
)

// Sessions are the columns that lists of sessions filter and order by.
var Sessions = page.New(
	page.Column{Field: "name", SQL: "name"},
	page.Column{Field: "module_id", SQL: "module", Orderable: true},
	page.Column{Field: "state", SQL: "'SESSION_STATE_' || state", Orderable: true},
	page.Column{Field: "start_time", SQL: "starts", Kind: page.Time, Orderable: true},
	page.Column{Field: "end_time", SQL: "ends", Kind: page.Time, Orderable: true},
)

const sessionColumns = "name, edition, module, state, starts, ends, version, created, updated, doc"

// sessionDoc is what of a session has no column.
type sessionDoc struct {
	Title    string `json:"title,omitempty"`
	Place    string `json:"place,omitempty"`
	Link     string `json:"link,omitempty"`
	Teacher  string `json:"teacher,omitempty"`
	Sequence int    `json:"sequence,omitempty"`
}

func sessionText(x *domain.Session) string {
	return pack(sessionDoc{Title: x.Title, Place: x.Place, Link: x.Link, Teacher: x.Teacher, Sequence: x.Sequence})
}

func scanSession(scan func(dest ...any) error) (domain.Session, error) {
	var x domain.Session
	var starts, ends, created, updated int64
	var doc string
	if err := scan(&x.Name, &x.Edition, &x.Module, &x.State, &starts, &ends, &x.Version, &created, &updated, &doc); err != nil {
		return x, err
	}
	var d sessionDoc
	if err := unpack(x.Name, doc, &d); err != nil {
		return x, err
	}
	x.Title, x.Place, x.Link, x.Teacher, x.Sequence = d.Title, d.Place, d.Link, d.Teacher, d.Sequence
	x.Start, x.End, x.Created, x.Updated = sqldb.Time(starts), sqldb.Time(ends), sqldb.Time(created), sqldb.Time(updated)
	return x, nil
}

// InsertSession writes a new session.
func (s *Store) InsertSession(tx *sqldb.Tx, x *domain.Session) {
	tx.Queue(`INSERT INTO sessions (name, edition, module, state, starts, ends, version, created, updated, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		x.Name, x.Edition, x.Module, string(x.State), sqldb.Micros(x.Start), sqldb.Micros(x.End), x.Version,
		sqldb.Micros(x.Created), sqldb.Micros(x.Updated), sessionText(x))
}

// SaveSession writes a changed session.
func (s *Store) SaveSession(ctx context.Context, tx *sqldb.Tx, x *domain.Session) error {
	n, err := tx.Exec(ctx, `UPDATE sessions SET module = $3, state = $4, starts = $5, ends = $6, version = $7, updated = $8, doc = $9
		WHERE name = $1 AND version = $2`,
		x.Name, x.Version-1, x.Module, string(x.State), sqldb.Micros(x.Start), sqldb.Micros(x.End), x.Version,
		sqldb.Micros(x.Updated), sessionText(x))
	return saved(x.Name, n, err)
}

// Session reads a session.
func (s *Store) Session(ctx context.Context, tx *sqldb.Tx, name string) (*domain.Session, error) {
	x, err := scanSession(tx.QueryRow(ctx, "SELECT "+sessionColumns+" FROM sessions WHERE name = $1", name).Scan)
	return &x, found(name, err)
}

// SessionsOf reads all sessions of an edition, by start.
func (s *Store) SessionsOf(ctx context.Context, tx *sqldb.Tx, edition string) ([]domain.Session, error) {
	rows, err := tx.Query(ctx, "SELECT "+sessionColumns+" FROM sessions WHERE edition = $1 ORDER BY starts, name", edition)
	return collect(rows, err, scanSession)
}

// ListSessions reads a page of an edition's sessions.
func (s *Store) ListSessions(ctx context.Context, tx *sqldb.Tx, p *page.Plan, edition string) ([]domain.Session, string, error) {
	return page.List(ctx, tx, p, page.Select{Columns: sessionColumns, From: "sessions", Where: "edition = $1", Args: []any{edition}}, scanSession)
}
