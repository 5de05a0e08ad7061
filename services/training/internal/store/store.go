// Package store keeps training's tables. Every function works in the caller's
// transaction.
package store

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Store is the way into the tables.
type Store struct {
	// unlocked leaves out the lock on an edition's seats. Only the negative
	// control among this package's tests can set it, to show what the lock is for.
	unlocked bool
}

// New returns the store.
func New() *Store { return &Store{} }

// pack writes the part of an aggregate that has no columns of its own.
func pack(doc any) string {
	out, err := json.Marshal(doc)
	if err != nil {
		panic(fmt.Sprintf("store: %T cannot be written as JSON: %v", doc, err)) // plain structs always can
	}
	return string(out)
}

// unpack is the inverse of pack.
func unpack(name, doc string, into any) error {
	if err := json.Unmarshal([]byte(doc), into); err != nil {
		return fmt.Errorf("store: the document of %s: %w", name, err)
	}
	return nil
}

// found turns the absence of a row into the error for an absent resource.
func found(name string, err error) error {
	if errors.Is(err, sqldb.ErrNoRows) {
		return errs.AbsentResource(name)
	}
	return err
}

// saved checks that an update by version has found its row, and that nobody has
// taken what must be unique since it was looked up.
func saved(name string, rows int64, err error) error {
	if err == nil && rows == 0 || sqldb.IsUnique(err) {
		return errs.New(errs.Conflict, errs.ConcurrentUpdate, "%s was changed at the same instant: try again", name).With("resource", name)
	}
	return err
}

// collect reads all rows with scan.
func collect[T any](rows *sqldb.Rows, err error, scan func(scan func(dest ...any) error) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		item, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	return out, rows.Err()
}
