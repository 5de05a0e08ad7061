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
)

// sqliteDB is a database in one file: one connection writes, a few read.
type sqliteDB struct {
	dsn     string
	lock    *os.File
	writer  *sqliteWriter
	slots   chan struct{}    // one for each reader that may exist
	idle    chan *sqliteConn // readers between uses
	closing sync.Once
	closed  chan struct{}
}

const sqlitePragmas = "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
	"&_pragma=foreign_keys(1)&_pragma=temp_store(MEMORY)&_pragma=journal_size_limit(67108864)&_pragma=wal_autocheckpoint(4000)&_pragma=cache_size(-16000)"

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
		dsn:    (&url.URL{Scheme: "file", Path: path}).String() + sqlitePragmas,
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

func (s *sqliteDB) migrate(ctx context.Context, run func(db *sql.DB) error) error {
	db, err := sql.Open("sqlite", s.dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	return run(db)
}

// start begins to serve, once the schema is there.
func (s *sqliteDB) start() error {
	conn, err := openSQLiteConn(s.dsn)
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
	clean := false
	defer func() {
		if clean {
			s.idle <- conn
		} else {
			_ = conn.close()
		}
		<-s.slots
	}()
	if err := conn.run("BEGIN"); err != nil {
		return unavailable(err)
	}
	tx.session = &sqliteSession{conn: conn, reader: true}
	err = tx.finish(fn(ctx, tx))
	clean = conn.run("ROLLBACK") == nil && ctx.Err() == nil // an interrupted connection is not to be used again
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
	conn, err := openSQLiteConn(s.dsn + "&mode=ro&_pragma=query_only(1)")
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
