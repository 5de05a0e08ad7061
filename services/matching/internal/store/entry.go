// Package store keeps matching's tables. Every function works in the caller's
// transaction.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/trama-suite/trama/services/matching/internal/domain/scoring"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// PutEntry records an entry at a version of the catalogue's, listed or taken
// out of view. It reports false, and changes nothing, where a newer version is
// known already.
func PutEntry(ctx context.Context, tx *sqldb.Tx, e scoring.Entry, version int64, listed bool) (bool, error) {
	doc, err := json.Marshal(e)
	if err != nil {
		return false, err
	}
	n, err := tx.Exec(ctx, `
		INSERT INTO entries (name, kind, organisation, version, listed, doc) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (name) DO UPDATE SET organisation = excluded.organisation, version = excluded.version,
			listed = excluded.listed, doc = excluded.doc
		WHERE entries.version < excluded.version`,
		e.Name, string(e.Kind), e.Organisation, version, listed, string(doc))
	if err != nil || n == 0 {
		return false, err
	}
	tx.Queue(`DELETE FROM entry_keys WHERE entry = $1`, e.Name)
	if listed {
		for _, key := range e.Keys() {
			tx.Queue(`INSERT INTO entry_keys (key, entry) VALUES ($1, $2)`, key, e.Name)
		}
	}
	return true, nil
}

// Entry returns a listed entry; sqldb.ErrNoRows where there is none.
func Entry(ctx context.Context, tx *sqldb.Tx, name string) (scoring.Entry, error) {
	var doc []byte
	err := tx.QueryRow(ctx, `SELECT doc FROM entries WHERE name = $1 AND listed`, name).Scan(&doc)
	if err != nil {
		return scoring.Entry{}, err
	}
	return decodeEntry(doc)
}

// EntryNames returns the names of the listed entries of a kind, in order.
func EntryNames(ctx context.Context, tx *sqldb.Tx, kind scoring.Kind) ([]string, error) {
	rows, err := tx.Query(ctx, `SELECT name FROM entries WHERE kind = $1 AND listed ORDER BY name`, string(kind))
	if err != nil {
		return nil, err
	}
	return collect(rows, func() (name string, err error) { return name, rows.Scan(&name) })
}

// Neighbours returns the listed entries that share a key with an entry.
func Neighbours(ctx context.Context, tx *sqldb.Tx, name string) ([]scoring.Entry, error) {
	rows, err := tx.Query(ctx, `
		SELECT e.doc FROM entries e
		WHERE e.listed AND e.name <> $1 AND e.name IN (
			SELECT theirs.entry FROM entry_keys mine JOIN entry_keys theirs ON theirs.key = mine.key
			WHERE mine.entry = $1)
		ORDER BY e.name`, name)
	if err != nil {
		return nil, err
	}
	return collect(rows, func() (scoring.Entry, error) {
		var doc []byte
		if err := rows.Scan(&doc); err != nil {
			return scoring.Entry{}, err
		}
		return decodeEntry(doc)
	})
}

func decodeEntry(doc []byte) (e scoring.Entry, err error) {
	if err = json.Unmarshal(doc, &e); err != nil {
		return e, fmt.Errorf("entry: %w", err)
	}
	return e, nil
}

// collect reads rows to their end.
func collect[T any](rows *sqldb.Rows, scan func() (T, error)) (out []T, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		item, err := scan()
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	return out, rows.Err()
}
