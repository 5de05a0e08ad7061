package sqldb

import (
	"container/list"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strings"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteStatements is how many prepared statements a connection keeps. Filters
// make texts without end, so the number must have one.
const sqliteStatements = 256

// sqliteConn is one connection with its prepared statements, used by one
// goroutine at a time. It calls the library directly: a connection that has an
// owner needs neither a pool nor the library's mutexes, and arguments and
// results go without being boxed. Nothing here keeps a pointer into Go memory;
// what the library reads lies in a buffer of its own.
type sqliteConn struct {
	tls    *libc.TLS
	handle uintptr
	stmts  map[string]*list.Element // of *sqliteStmt
	order  *list.List               // most recently used first
	buffer uintptr                  // texts and bytes of the statement under way
	size   int
}

type sqliteStmt struct {
	query  string
	handle uintptr
	params int
}

// sqliteError is an error of the library, with its extended code.
type sqliteError struct {
	code    int32
	message string
}

func (e *sqliteError) Error() string { return fmt.Sprintf("SQLite: %s (%d)", e.message, e.code) }

// openSQLiteConn opens a file and runs the pragmas.
func openSQLiteConn(path string, flags int32, pragmas ...string) (*sqliteConn, error) {
	c := &sqliteConn{tls: libc.NewTLS(), stmts: map[string]*list.Element{}, order: list.New()}
	pointer, err := c.reserve(pointerSize + len(path) + 1)
	if err != nil {
		c.tls.Close()
		return nil, err
	}
	name := pointer + pointerSize
	copy(libc.GoBytes(name, len(path)+1), path+"\x00")
	rc := sqlite3.Xsqlite3_open_v2(c.tls, name, pointer, flags|sqlite3.SQLITE_OPEN_NOMUTEX, 0)
	c.handle = pointerAt(pointer)
	if rc != sqlite3.SQLITE_OK {
		return nil, errors.Join(c.failure(rc), c.close())
	}
	sqlite3.Xsqlite3_extended_result_codes(c.tls, c.handle, 1)
	if err := c.keepPlans(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	for _, pragma := range pragmas {
		if err := c.run("PRAGMA " + pragma); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

// keepPlans makes a statement's plan independent of the values bound to it.
// Otherwise a bound LIMIT alone has the statement compiled anew at each use.
func (c *sqliteConn) keepPlans() error {
	const slot = 8 // of each variable argument, on every platform
	at, err := c.reserve(2 * slot)
	if err != nil {
		return err
	}
	if rc := sqlite3.Xsqlite3_db_config(c.tls, c.handle, sqlite3.SQLITE_DBCONFIG_ENABLE_QPSG, libc.VaList(at, int32(1), uintptr(0))); rc != sqlite3.SQLITE_OK {
		return c.failure(rc)
	}
	return nil
}

const pointerSize = bits.UintSize / 8

// pointerAt reads a pointer that the library has stored.
func pointerAt(p uintptr) uintptr {
	b := libc.GoBytes(p, pointerSize)
	if pointerSize == 4 {
		return uintptr(binary.NativeEndian.Uint32(b))
	}
	return uintptr(binary.NativeEndian.Uint64(b))
}

// reserve returns the buffer, grown to n bytes. What was in it is lost.
func (c *sqliteConn) reserve(n int) (uintptr, error) {
	if n > c.size {
		size := max(n, 4096)
		sqlite3.Xsqlite3_free(c.tls, c.buffer)
		c.size = 0
		if c.buffer = sqlite3.Xsqlite3_malloc64(c.tls, uint64(size)); c.buffer == 0 {
			return 0, &sqliteError{code: sqlite3.SQLITE_NOMEM, message: "out of memory"}
		}
		c.size = size
	}
	return c.buffer, nil
}

// failure returns the connection's latest error.
func (c *sqliteConn) failure(rc int32) error {
	message := libc.GoString(sqlite3.Xsqlite3_errstr(c.tls, rc))
	if c.handle != 0 {
		message = libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.handle))
	}
	return &sqliteError{code: rc, message: message}
}

// prepared returns the statement for a query in $n notation.
func (c *sqliteConn) prepared(query string) (*sqliteStmt, error) {
	if e, ok := c.stmts[query]; ok {
		c.order.MoveToFront(e)
		return e.Value.(*sqliteStmt), nil
	}
	text := translate(query)
	pointers, err := c.reserve(2*pointerSize + len(text) + 1)
	if err != nil {
		return nil, err
	}
	start := pointers + 2*pointerSize
	copy(libc.GoBytes(start, len(text)+1), text+"\x00")
	rc := sqlite3.Xsqlite3_prepare_v2(c.tls, c.handle, start, int32(len(text)+1), pointers, pointers+pointerSize)
	if rc != sqlite3.SQLITE_OK {
		return nil, c.failure(rc)
	}
	s := &sqliteStmt{query: query, handle: pointerAt(pointers)}
	rest := text[pointerAt(pointers+pointerSize)-start:]
	if s.handle == 0 || strings.Trim(rest, "; \t\r\n") != "" {
		sqlite3.Xsqlite3_finalize(c.tls, s.handle)
		return nil, errors.New("sqldb: a query must be one statement")
	}
	s.params = int(sqlite3.Xsqlite3_bind_parameter_count(c.tls, s.handle))
	c.stmts[query] = c.order.PushFront(s)
	if c.order.Len() > sqliteStatements {
		old := c.order.Remove(c.order.Back()).(*sqliteStmt)
		delete(c.stmts, old.query)
		sqlite3.Xsqlite3_finalize(c.tls, old.handle)
	}
	return s, nil
}

// bind copies the arguments into the buffer, where they stay until the statement
// is reset.
func (c *sqliteConn) bind(s *sqliteStmt, args []any) error {
	if len(args) != s.params {
		return fmt.Errorf("sqldb: %d arguments for %d parameters", len(args), s.params)
	}
	n := 0
	for _, arg := range args {
		switch v := arg.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
	}
	at, err := c.reserve(n + 1) // an empty text must not be at 0, which is NULL
	if err != nil {
		return err
	}
	for i, arg := range args {
		var rc int32
		switch n := int32(i + 1); v := arg.(type) {
		case nil:
			rc = sqlite3.Xsqlite3_bind_null(c.tls, s.handle, n)
		case int64:
			rc = sqlite3.Xsqlite3_bind_int64(c.tls, s.handle, n, v)
		case float64:
			rc = sqlite3.Xsqlite3_bind_double(c.tls, s.handle, n, v)
		case bool:
			var bit int64
			if v {
				bit = 1
			}
			rc = sqlite3.Xsqlite3_bind_int64(c.tls, s.handle, n, bit)
		case string:
			copy(libc.GoBytes(at, len(v)), v)
			rc = sqlite3.Xsqlite3_bind_text(c.tls, s.handle, n, at, int32(len(v)), 0)
			at += uintptr(len(v))
		case []byte:
			copy(libc.GoBytes(at, len(v)), v)
			rc = sqlite3.Xsqlite3_bind_blob(c.tls, s.handle, n, at, int32(len(v)), 0)
			at += uintptr(len(v))
		}
		if rc != sqlite3.SQLITE_OK {
			return c.failure(rc)
		}
	}
	return nil
}

// step goes to the next row and reports whether there is one.
func (c *sqliteConn) step(s *sqliteStmt) (bool, error) {
	switch rc := sqlite3.Xsqlite3_step(c.tls, s.handle); rc {
	case sqlite3.SQLITE_ROW:
		return true, nil
	case sqlite3.SQLITE_DONE:
		return false, nil
	default:
		return false, c.failure(rc)
	}
}

// reset makes a statement ready for its next use. It returns the error of the
// step before once more, which has been dealt with.
func (c *sqliteConn) reset(s *sqliteStmt) { sqlite3.Xsqlite3_reset(c.tls, s.handle) }

// run executes a statement without arguments or result: BEGIN and its like.
func (c *sqliteConn) run(query string) error {
	_, err := c.exec(query, nil)
	return err
}

func (c *sqliteConn) exec(query string, args []any) (int64, error) {
	s, err := c.prepared(query)
	if err != nil {
		return 0, err
	}
	defer c.reset(s)
	if err := c.bind(s, args); err != nil {
		return 0, err
	}
	for {
		more, err := c.step(s)
		if err != nil {
			return 0, err
		}
		if !more {
			return sqlite3.Xsqlite3_changes64(c.tls, c.handle), nil
		}
	}
}

func (c *sqliteConn) query(query string, args []any) (cursor, error) {
	s, err := c.prepared(query)
	if err != nil {
		return nil, err
	}
	if err := c.bind(s, args); err != nil {
		c.reset(s)
		return nil, err
	}
	row, err := c.step(s)
	if err != nil {
		c.reset(s)
		return nil, err
	}
	return &sqliteCursor{
		conn: c, stmt: s, first: true, row: row,
		columns: int(sqlite3.Xsqlite3_column_count(c.tls, s.handle)),
	}, nil
}

// inTransaction reports whether a transaction is open. Some errors end it
// without being asked.
func (c *sqliteConn) inTransaction() bool {
	return sqlite3.Xsqlite3_get_autocommit(c.tls, c.handle) == 0
}

// interrupt stops the statement under way. It is called from another goroutine,
// so it must not use the connection's thread-local storage.
func (c *sqliteConn) interrupt() {
	tls := libc.NewTLS()
	defer tls.Close()
	sqlite3.Xsqlite3_interrupt(tls, c.handle)
}

func (c *sqliteConn) close() error {
	for e := c.order.Front(); e != nil; e = e.Next() {
		sqlite3.Xsqlite3_finalize(c.tls, e.Value.(*sqliteStmt).handle)
	}
	rc := sqlite3.Xsqlite3_close_v2(c.tls, c.handle)
	sqlite3.Xsqlite3_free(c.tls, c.buffer)
	c.tls.Close()
	if rc != sqlite3.SQLITE_OK {
		return &sqliteError{code: rc, message: "closing the database failed"}
	}
	return nil
}

// sqliteCursor walks a result. Its first row has been fetched with the query, so
// that an error shows there.
type sqliteCursor struct {
	conn       *sqliteConn
	stmt       *sqliteStmt
	columns    int
	first, row bool
}

func (c *sqliteCursor) next() (bool, error) {
	if c.first {
		c.first = false
		return c.row, nil
	}
	return c.conn.step(c.stmt)
}

func (c *sqliteCursor) width() int { return c.columns }

func (c *sqliteCursor) close() error {
	c.conn.reset(c.stmt)
	return nil
}

func (c *sqliteCursor) column(i int) (value, error) {
	tls, stmt, n := c.conn.tls, c.stmt.handle, int32(i)
	switch kind := sqlite3.Xsqlite3_column_type(tls, stmt, n); kind {
	case sqlite3.SQLITE_INTEGER:
		return value{kind: kindInt, i: sqlite3.Xsqlite3_column_int64(tls, stmt, n)}, nil
	case sqlite3.SQLITE_FLOAT:
		return value{kind: kindFloat, f: sqlite3.Xsqlite3_column_double(tls, stmt, n)}, nil
	case sqlite3.SQLITE_TEXT:
		p := sqlite3.Xsqlite3_column_text(tls, stmt, n)
		size := int(sqlite3.Xsqlite3_column_bytes(tls, stmt, n))
		return value{kind: kindText, b: libc.GoBytes(p, size)}, nil
	case sqlite3.SQLITE_BLOB:
		p := sqlite3.Xsqlite3_column_blob(tls, stmt, n) // 0 for an empty one
		size := int(sqlite3.Xsqlite3_column_bytes(tls, stmt, n))
		if size == 0 {
			return value{kind: kindBytes}, nil
		}
		return value{kind: kindBytes, b: libc.GoBytes(p, size)}, nil
	case sqlite3.SQLITE_NULL:
		return value{}, nil
	default:
		return value{}, fmt.Errorf("SQLite names an unknown type, %d", kind)
	}
}

// endsTransaction reports whether after this error SQLite's advice is to roll
// back the whole transaction, where it has not done so already.
func endsTransaction(err error) bool {
	e, ok := errors.AsType[*sqliteError](err)
	if !ok {
		return false
	}
	switch e.code & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_BUSY,
		sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_READONLY:
		return true
	}
	return false
}
