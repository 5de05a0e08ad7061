// Package store keeps theories, indicators, measurements and the cells of
// roll-ups. Every function works in the caller's transaction.
package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// id returns the identifier at the end of a resource name.
func id(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

func encode(v any) (string, error) {
	doc, err := json.Marshal(v)
	return string(doc), err
}

func decode(name, doc string, into any) error {
	if err := json.Unmarshal([]byte(doc), into); err != nil {
		return fmt.Errorf("stored document of %s: %w", name, err)
	}
	return nil
}

// saved turns a conditional update's row count into an error: none changed means
// that somebody else changed the row since it was read.
func saved(n int64, name string) error {
	if n == 0 {
		return errs.New(errs.Conflict, errs.ConcurrentUpdate, "%s was changed at the same time: try again", name).With("resource", name)
	}
	return nil
}

// list appends values to args and returns their parameters for an IN, "$3,$4".
func list[T any](values []T, args *[]any) string {
	var b strings.Builder
	for i, v := range values {
		*args = append(*args, v)
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(len(*args)))
	}
	return b.String()
}

// each runs a query and scans every row.
func each(ctx context.Context, tx *sqldb.Tx, query string, args []any, row func(scan func(dest ...any) error) error) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // what went wrong is in Err
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
