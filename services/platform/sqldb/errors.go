package sqldb

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/trama-suite/trama/services/platform/errs"
)

// Errors that a caller may want to tell apart.
var (
	// ErrNoRows says that a QueryRow found nothing.
	ErrNoRows = errors.New("sqldb: no rows")
	// ErrClosed says that the database has been closed.
	ErrClosed = errors.New("sqldb: the database is closed")
	// ErrNested says that a transaction was begun inside another one. With one
	// writer, or a bounded pool, that could wait for itself for ever.
	ErrNested = errors.New("sqldb: a transaction was begun inside another one: pass the outer Tx on")
	// ErrReadOnly says that a Read transaction was asked to write.
	ErrReadOnly = errors.New("sqldb: this is a Read transaction: use Write to change anything")
	// ErrRowsOpen says that a statement was run while the Rows of an earlier one
	// were open, which a PostgreSQL connection cannot do.
	ErrRowsOpen = errors.New("sqldb: the rows of an earlier Query are still open: read them to their end or close them first")
	// ErrInUse says that a SQLite database is open elsewhere. It has one writer,
	// so a second opener is refused.
	ErrInUse = errors.New("sqldb: the database is in use by another process, or open twice in this one")

	errTxDone = errors.New("sqldb: the transaction is over: a Tx may not be used after its function has returned")
)

// IsUnique reports whether err is the violation of a UNIQUE or PRIMARY KEY
// constraint. The transaction is lost by then: where a duplicate is expected and
// the transaction should go on, use INSERT … ON CONFLICT DO NOTHING and look at
// the number of rows.
func IsUnique(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "23505"
	}
	if e, ok := errors.AsType[*sqliteError](err); ok {
		return e.code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return false
}

// IsCheck reports whether err is the violation of a CHECK constraint, or a value
// that a column's type does not take, which SQLite knows only by its CHECK.
func IsCheck(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "23514" || e.Code == "22P02" || e.Code == "22003"
	}
	if e, ok := errors.AsType[*sqliteError](err); ok {
		return e.code == sqlite3.SQLITE_CONSTRAINT_CHECK
	}
	return false
}

// unavailable says that the database cannot do its work at present.
func unavailable(cause error) error {
	if errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return errs.New(errs.Unavailable, errs.ServiceDown, "the database cannot serve this request at present: try again later").Because(cause)
}

// lost says that a transaction lost against others too often.
func lost(cause error) error {
	return errs.New(errs.Conflict, errs.ConcurrentUpdate, "the change met other changes at the same time again and again: try again").Because(cause)
}

// statementError names the statement that failed.
type statementError struct {
	query string
	cause error
}

func (e *statementError) Error() string {
	const most = 160
	query := e.query
	if len(query) > most {
		query = query[:most] + "…"
	}
	return fmt.Sprintf("%v (in %q)", e.cause, query)
}

func (e *statementError) Unwrap() error { return e.cause }

// queryError names the statement, unless a statement queued before it is to
// blame and has been named.
func queryError(query string, err error) error {
	if _, named := errors.AsType[*statementError](err); named {
		return err
	}
	return &statementError{query: query, cause: err}
}
