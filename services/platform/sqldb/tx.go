package sqldb

import (
	"context"
	"fmt"
)

// Tx is one transaction. It belongs to the goroutine that runs the function it
// was given to, and ends with it. After a statement has failed the transaction
// is lost, on both databases: every later statement returns the same error, and
// so does Write even where the function swallows it.
type Tx struct {
	session session
	write   bool
	done    bool
	open    *Rows
	failed  error
	after   []func()
}

// session runs statements on one database's connection. Arguments are
// normalised.
type session interface {
	exec(ctx context.Context, query string, args []any) (int64, error)
	queue(query string, args []any) error
	query(ctx context.Context, query string, args []any) (cursor, error)
}

// cursor walks the rows of a result. close is called exactly once.
type cursor interface {
	next() (bool, error)
	width() int
	column(i int) (value, error) // of the present row
	close() error
}

// ready says why the transaction cannot run a statement, nil where it can.
func (tx *Tx) ready(write bool) error {
	switch {
	case tx.done:
		return errTxDone
	case write && !tx.write:
		return ErrReadOnly
	case tx.failed != nil:
		return tx.failed
	case tx.open != nil:
		return ErrRowsOpen
	}
	return nil
}

func (tx *Tx) fail(query string, err error) error {
	err = queryError(query, err)
	if tx.failed == nil {
		tx.failed = err
	}
	return err
}

// Exec runs a statement, after those queued before, and returns how many rows it
// changed. Errors of queued statements surface here too.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := tx.ready(true); err != nil {
		return 0, err
	}
	in, err := normalise(args)
	if err != nil {
		tx.failed = err
		return 0, err
	}
	n, err := tx.session.exec(ctx, query, in)
	if err != nil {
		return 0, tx.fail(query, err)
	}
	return n, nil
}

// Queue runs a statement whose number of rows does not matter. On PostgreSQL it
// travels with the next statement or with COMMIT, which saves a round trip; its
// error surfaces there, at the latest from Write.
func (tx *Tx) Queue(query string, args ...any) {
	err := tx.ready(true)
	if err == nil {
		if args, err = normalise(args); err == nil {
			if err = tx.session.queue(query, args); err != nil {
				err = queryError(query, err)
			}
		}
	}
	if err != nil && tx.failed == nil {
		tx.failed = err
	}
}

// Query runs a statement that returns rows, after those queued before. The Rows
// must be closed, or read to their end, before the next statement.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*Rows, error) {
	if err := tx.ready(false); err != nil {
		return nil, err
	}
	in, err := normalise(args)
	if err != nil {
		tx.failed = err
		return nil, err
	}
	c, err := tx.session.query(ctx, query, in)
	if err != nil {
		return nil, tx.fail(query, err)
	}
	tx.open = &Rows{tx: tx, cursor: c, sql: query}
	return tx.open, nil
}

// QueryRow runs a statement that returns at most one row that matters. Its error
// comes from Scan: ErrNoRows where there is none.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) *Row {
	rows, err := tx.Query(ctx, query, args...)
	return &Row{rows: rows, err: err}
}

// AfterCommit has fn run once the transaction has been committed, in the
// goroutine that called Write, and not at all where it is rolled back.
func (tx *Tx) AfterCommit(fn func()) { tx.after = append(tx.after, fn) }

// finish ends the Tx's use and returns the error that it ended with.
func (tx *Tx) finish(err error) error {
	if tx.open != nil {
		open := tx.open
		_ = open.Close()
		if err == nil && tx.failed == nil {
			tx.failed = ErrRowsOpen
		}
	}
	tx.done = true
	if err == nil {
		err = tx.failed
	}
	return err
}

// Rows is the result of a Query.
type Rows struct {
	tx     *Tx
	cursor cursor
	sql    string
	err    error
	closed bool
}

// Next goes to the next row. It reports false at the end, and after an error,
// which Err then returns; either closes the Rows.
func (r *Rows) Next() bool {
	if r.closed {
		return false
	}
	more, err := r.cursor.next()
	if err != nil {
		r.err = r.tx.fail(r.sql, err)
	}
	if !more || err != nil {
		_ = r.Close()
		return false
	}
	return true
}

// Scan copies the present row into the destinations: pointers to string, bool,
// int64 and the other integers, float64, []byte, named types of these, pointers
// to them for columns that may be NULL, or a sql.Scanner. TEXT also fits a
// []byte.
func (r *Rows) Scan(dest ...any) error {
	if r.closed {
		return fmt.Errorf("sqldb: Scan of closed rows (in %q)", r.sql)
	}
	if len(dest) != r.cursor.width() {
		return fmt.Errorf("sqldb: %d destinations for %d columns (in %q)", len(dest), r.cursor.width(), r.sql)
	}
	for i, d := range dest {
		v, err := r.cursor.column(i)
		if err == nil {
			err = assign(d, v)
		}
		if err != nil {
			return fmt.Errorf("sqldb: column %d: %w (in %q)", i+1, err, r.sql)
		}
	}
	return nil
}

// Err returns the error that ended the rows, nil where they ended well.
func (r *Rows) Err() error { return r.err }

// Close ends the reading. It may be called again.
func (r *Rows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	r.tx.open = nil
	if err := r.cursor.close(); err != nil && r.err == nil {
		r.err = r.tx.fail(r.sql, err)
		return r.err
	}
	return nil
}

// Row is the result of a QueryRow.
type Row struct {
	rows *Rows
	err  error
}

// Scan copies the row into the destinations, as Rows.Scan does. It returns
// ErrNoRows where there is no row; the transaction goes on then.
func (r *Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	return r.rows.Close()
}
