package sqldb

import (
	"container/list"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteStatements is how many prepared statements a connection keeps. Filters
// make texts without end, so the number must have one.
const sqliteStatements = 256

// sqliteConn is one connection with its prepared statements, used by one
// goroutine at a time. It goes to the driver directly: database/sql's pool has
// nothing to add to a connection that has an owner.
type sqliteConn struct {
	conn  sqliteDriverConn
	stmts map[string]*list.Element // of *sqliteStmt
	order *list.List               // most recently used first
	args  []driver.NamedValue      // reused
	row   []driver.Value           // reused: one result is open at a time
}

type sqliteDriverConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ExecerContext
}

type sqliteStmt struct {
	query string
	stmt  sqliteDriverStmt
}

type sqliteDriverStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

func openSQLiteConn(dsn string) (*sqliteConn, error) {
	conn, err := (&sqlite.Driver{}).Open(dsn)
	if err != nil {
		return nil, err
	}
	return &sqliteConn{
		conn:  conn.(sqliteDriverConn),
		stmts: map[string]*list.Element{},
		order: list.New(),
	}, nil
}

// prepared returns the statement for a query in $n notation.
func (c *sqliteConn) prepared(query string) (sqliteDriverStmt, error) {
	if e, ok := c.stmts[query]; ok {
		c.order.MoveToFront(e)
		return e.Value.(*sqliteStmt).stmt, nil
	}
	s, err := c.conn.PrepareContext(context.Background(), translate(query))
	if err != nil {
		return nil, err
	}
	stmt := s.(sqliteDriverStmt)
	c.stmts[query] = c.order.PushFront(&sqliteStmt{query: query, stmt: stmt})
	if c.order.Len() > sqliteStatements {
		last := c.order.Back()
		old := c.order.Remove(last).(*sqliteStmt)
		delete(c.stmts, old.query)
		_ = old.stmt.Close()
	}
	return stmt, nil
}

func (c *sqliteConn) bind(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, arg := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: arg})
	}
	return c.args
}

// run executes a statement without arguments or result: BEGIN and its like.
func (c *sqliteConn) run(query string) error {
	_, err := c.exec(context.Background(), query, nil)
	return err
}

func (c *sqliteConn) exec(ctx context.Context, query string, args []any) (int64, error) {
	stmt, err := c.prepared(query)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(ctx, c.bind(args))
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (c *sqliteConn) query(ctx context.Context, query string, args []any) (cursor, error) {
	stmt, err := c.prepared(query)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(ctx, c.bind(args))
	if err != nil {
		return nil, err
	}
	n := len(rows.Columns())
	if cap(c.row) < n {
		c.row = make([]driver.Value, n)
	}
	return &sqliteCursor{rows: rows, row: c.row[:n]}, nil
}

func (c *sqliteConn) close() error {
	for e := c.order.Front(); e != nil; e = e.Next() {
		_ = e.Value.(*sqliteStmt).stmt.Close()
	}
	return c.conn.Close()
}

type sqliteCursor struct {
	rows driver.Rows
	row  []driver.Value
}

func (c *sqliteCursor) next() (bool, error) {
	err := c.rows.Next(c.row)
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	return err == nil, err
}

func (c *sqliteCursor) width() int   { return len(c.row) }
func (c *sqliteCursor) close() error { return c.rows.Close() }

func (c *sqliteCursor) column(i int) (value, error) {
	switch v := c.row[i].(type) {
	case nil:
		return value{}, nil
	case int64:
		return value{kind: kindInt, i: v}, nil
	case float64:
		return value{kind: kindFloat, f: v}, nil
	case string:
		return value{kind: kindText, s: v}, nil
	case []byte: // nil for an empty one
		return value{kind: kindBytes, b: v}, nil
	default:
		return value{}, fmt.Errorf("the driver returned a %T", v)
	}
}

// endsTransaction reports whether SQLite may have rolled back the whole
// transaction after this error, and not only the statement.
func endsTransaction(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_BUSY,
		sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_READONLY:
		return true
	}
	return false
}
