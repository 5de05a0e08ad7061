// Package store keeps the projects service's data. Every function works in the
// caller's transaction. A change to anything of a project first takes the
// project's lock (LockProject): so whoever computes the plan, a total or the
// alerts sees all of the project, and nobody else changes it meanwhile.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// Scope writes the condition that keeps a query to what the caller may see of a
// column of organisations, and appends its arguments.
type Scope func(column string, args *[]any) string

// Everything is the scope of those who see all.
func Everything(string, *[]any) string { return "1=1" }

// row is where a result is scanned from.
type row interface{ Scan(dest ...any) error }

// stamp scans a version and two times.
type stamp struct{ version, created, updated int64 }

func (s *stamp) read() domain.Stamp {
	return domain.Stamp{Version: s.version, Created: sqldb.Time(s.created), Updated: sqldb.Time(s.updated)}
}

func micros(t time.Time) int64 { return sqldb.Micros(t) }

// enum is a column that callers filter by the name of an enum's value as they
// read it in JSON, with its prefix.
func enum(field, column, prefix string) page.Column {
	return page.Column{Field: field, SQL: "'" + prefix + "' || " + column, Kind: page.String}
}

// doc writes what has no column of its own.
func doc(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("store: %T as JSON: %v", v, err)) // plain structs always marshal
	}
	return string(b)
}

func readDoc(text string, into any) error {
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("store: stored %T: %w", into, err)
	}
	return nil
}

// absent turns a missing row into the error for a resource that is not there.
func absent(name string, err error) error {
	if errors.Is(err, sqldb.ErrNoRows) {
		return errs.AbsentResource(name)
	}
	return err
}

// one checks that a guarded statement changed its row: otherwise somebody else
// changed it since it was read.
func one(name string, n int64, err error) error {
	if err == nil && n != 1 {
		return errs.New(errs.Conflict, errs.ConcurrentUpdate, "%s was changed by another request at the same time: try again", name).With("resource", name)
	}
	return err
}

// collect reads all rows.
func collect[T any](ctx context.Context, tx *sqldb.Tx, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	return out, rows.Err()
}

func text(r row) (string, error) {
	var s string
	err := r.Scan(&s)
	return s, err
}

// scanner makes a scan function for page.List of one that reads a row.
func scanner[T any](scan func(row) (T, error)) func(func(dest ...any) error) (T, error) {
	return func(s func(dest ...any) error) (T, error) { return scan(scanFunc(s)) }
}

type scanFunc func(dest ...any) error

func (f scanFunc) Scan(dest ...any) error { return f(dest...) }
