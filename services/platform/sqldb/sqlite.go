package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	_ "modernc.org/sqlite" // goose's driver
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteDB is a database in one file: one connection writes, a few read.
type sqliteDB struct {
	path    string
	lock    *os.File
	writer  *sqliteWriter
	slots   chan struct{}    // one for each reader that may exist
	idle    chan *sqliteConn // readers between uses
	closing sync.Once
	closed  chan struct{}
}

// Pragmas of the writer and of a reader. A checkpoint after 4,000 pages and not
// 1,000 writes a page that changes often once where it would be four times.
var (
	writerPragmas = []string{
		"busy_timeout = 5000", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "temp_store = MEMORY",
		"wal_autocheckpoint = 4000", "journal_size_limit = 67108864", "cache_size = -16000",
	}
	readerPragmas = []string{"busy_timeout = 5000", "query_only = ON", "temp_store = MEMORY", "cache_size = -4000"}
)

// openSQLite opens or creates dir/<schema>.db and makes sure that nobody else
// has it open.
func openSQLite(dir, schema string) (*sqliteDB, error) {
	if dir == "" {
		return nil, errors.New("sqldb: the URL names no folder: write sqlite:DIR")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("sqldb: cannot make the data folder: %w", err)
	}
	path, err := filepath.Abs(filepath.Join(dir, schema+".db"))
	if err != nil {
		return nil, err
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	readers := max(4, 2*runtime.GOMAXPROCS(0))
	return &sqliteDB{
		path:   path,
		lock:   lock,
		slots:  make(chan struct{}, readers),
		idle:   make(chan *sqliteConn, readers),
		closed: make(chan struct{}),
	}, nil
}

// lockFile takes a lock that the system drops when the process ends, however it
// ends.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("sqldb: cannot open the lock file: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w (%s)", ErrInUse, path)
		}
		return nil, fmt.Errorf("sqldb: cannot lock %s: %w", path, err)
	}
	return f, nil
}

func (s *sqliteDB) migrate(_ context.Context, run func(db *sql.DB) error) error {
	dsn := url.URL{Scheme: "file", Path: s.path, RawQuery: "_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	return run(db)
}

// start begins to serve, once the schema is there.
func (s *sqliteDB) start() error {
	conn, err := openSQLiteConn(s.path, sqlite3.SQLITE_OPEN_READWRITE|sqlite3.SQLITE_OPEN_CREATE, writerPragmas...)
	if err != nil {
		return fmt.Errorf("sqldb: cannot open the database: %w", err)
	}
	s.writer = startSQLiteWriter(conn)
	return nil
}

func (s *sqliteDB) write(ctx context.Context, tx func() *Tx, fn func(ctx context.Context, tx *Tx) error) (*Tx, error) {
	t := tx()
	return t, s.writer.write(ctx, t, fn)
}

func (s *sqliteDB) read(ctx context.Context, tx *Tx, fn func(ctx context.Context, tx *Tx) error) (err error) {
	conn, err := s.reader(ctx)
	if err != nil {
		return err
	}
	over, interrupted := make(chan struct{}), make(chan struct{})
	watch := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		for { // an interrupt between two statements is forgotten, so it is repeated
			conn.interrupt()
			select {
			case <-over:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	clean := false
	defer func() {
		_ = tx.finish(nil)
		close(over)
		switch {
		case !watch(): // the interrupt might still hit the connection's next user
			<-interrupted
			_ = conn.close()
		case clean:
			s.idle <- conn
		default:
			_ = conn.close()
		}
		<-s.slots
	}()
	if err := conn.run("BEGIN"); err != nil {
		return unavailable(err)
	}
	tx.session = sqliteSession{conn}
	err = tx.finish(fn(ctx, tx))
	clean = conn.run("ROLLBACK") == nil
	if e, ok := errors.AsType[*sqliteError](err); ok && e.code == sqlite3.SQLITE_INTERRUPT && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// reader returns a reading connection, waiting where all are in use.
func (s *sqliteDB) reader(ctx context.Context) (*sqliteConn, error) {
	select {
	case <-s.closed:
		return nil, ErrClosed
	default:
	}
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.closed:
		return nil, ErrClosed
	}
	select {
	case conn := <-s.idle:
		return conn, nil
	default:
	}
	conn, err := openSQLiteConn(s.path, sqlite3.SQLITE_OPEN_READONLY, readerPragmas...)
	if err != nil {
		<-s.slots
		return nil, unavailable(err)
	}
	return conn, nil
}

func (s *sqliteDB) ping(ctx context.Context) error {
	return s.read(ctx, &Tx{}, func(ctx context.Context, tx *Tx) error {
		var one int64
		return tx.QueryRow(ctx, "SELECT 1").Scan(&one)
	})
}

// lead always succeeds: the lock on the file has made this the only process.
func (s *sqliteDB) lead(context.Context, string) (func(), bool, error) {
	return func() {}, true, nil
}

// close waits for the writer and for every reader.
func (s *sqliteDB) close() error {
	var err error
	s.closing.Do(func() {
		close(s.closed)
		for range cap(s.slots) {
			s.slots <- struct{}{}
		}
		for {
			select {
			case conn := <-s.idle:
				_ = conn.close()
				continue
			default:
			}
			break
		}
		if s.writer != nil {
			err = s.writer.close()
		}
		err = errors.Join(err, s.lock.Close())
	})
	return err
}
