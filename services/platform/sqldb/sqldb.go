// Package sqldb runs one SQL text on SQLite and on PostgreSQL.
//
// Parameters are $1, $2 …; types are TEXT, BIGINT, BOOLEAN and BYTEA (and
// DOUBLE PRECISION where a measure needs it); JSON is kept as TEXT, times as
// microseconds (see [Micros]). SQLite takes text in a BIGINT column unless a
// CHECK with an upper bound forbids it: write CHECK (n BETWEEN 1 AND 1000) or
// CHECK (n IN (…)), as n > 0 is true of any text there. Text compares and sorts
// by its bytes on both. Arguments and results are converted by this package, not
// by the drivers, so that both databases accept, refuse and return the same.
//
// SQLite has one writer with group commit: transactions that wait at the same
// time run one after another and share one COMMIT, at synchronous=FULL; each is
// rolled back alone where it fails, and answered after the fsync. Reads see a
// snapshot and never wait for it. PostgreSQL is reached over native pgx: BEGIN
// travels with the first statement, queued statements with COMMIT, and
// serialisation failures and deadlocks are run again.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"regexp"
	"strings"

	"github.com/pressly/goose/v3"
)

// Config says where a service's database is.
type Config struct {
	// URL is "sqlite:DIR" (the database is the file DIR/<schema>.db) or
	// "postgres://user@host/database" with pgx's parameters, for example
	// pool_max_conns.
	URL string
	// Schema is the service's name: lower-case letters, digits and underscores.
	// On PostgreSQL it is created where it is absent.
	Schema string
	// Log takes what nobody else is told, such as retried transactions. Optional.
	Log *slog.Logger
}

// DB is a service's database. Its methods may be used by many goroutines.
type DB struct {
	backend    backend
	migrations fs.FS
}

// backend is what the two databases do differently.
type backend interface {
	migrate(ctx context.Context, run func(db *sql.DB) error) error
	start() error
	// write returns the Tx that was committed: each attempt has its own.
	write(ctx context.Context, tx func() *Tx, fn func(ctx context.Context, tx *Tx) error) (*Tx, error)
	read(ctx context.Context, tx *Tx, fn func(ctx context.Context, tx *Tx) error) error
	ping(ctx context.Context) error
	lead(ctx context.Context, name string) (release func(), ok bool, err error)
	close() error
}

var schemaName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,49}$`)

// Open opens a database and migrates it: first the platform's tables, then the
// service's migrations (goose, numbered SQL files; nil for none). Replicas that
// start at the same time wait for one another. A SQLite database that is open
// elsewhere is refused with ErrInUse.
func Open(ctx context.Context, cfg Config, migrations fs.FS) (*DB, error) {
	if !schemaName.MatchString(cfg.Schema) {
		return nil, fmt.Errorf("sqldb: %q is not a schema's name: use lower-case letters, digits and underscores, at most 50", cfg.Schema)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	var b backend
	var dialect goose.Dialect
	var err error
	switch {
	case strings.HasPrefix(cfg.URL, "sqlite:"):
		dialect = goose.DialectSQLite3
		b, err = openSQLite(strings.TrimPrefix(cfg.URL, "sqlite:"), cfg.Schema)
	case strings.HasPrefix(cfg.URL, "postgres://"), strings.HasPrefix(cfg.URL, "postgresql://"):
		dialect = goose.DialectPostgres
		b, err = openPostgres(ctx, cfg)
	default:
		return nil, errors.New("sqldb: the database URL must begin with sqlite: or postgres://")
	}
	if err != nil {
		return nil, err
	}
	err = b.migrate(ctx, func(db *sql.DB) error { return migrateAll(ctx, db, dialect, migrations) })
	if err == nil {
		err = b.start()
	}
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	return &DB{backend: b, migrations: migrations}, nil
}

type inTransaction struct{}

// Write runs fn in one transaction and returns once it is durable. fn's error
// rolls it back and is returned as it is. fn may run more than once, when the
// database asks for the transaction to be run again, so it must have no effect
// but through tx; what must happen after the commit goes to tx.AfterCommit.
func (db *DB) Write(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	inner, err := enter(ctx)
	if err != nil {
		return err
	}
	tx, err := db.backend.write(inner, func() *Tx { return &Tx{write: true} }, fn)
	if err != nil {
		return err
	}
	for _, hook := range tx.after {
		hook()
	}
	return nil
}

// Read runs fn in a transaction that sees one snapshot and cannot write.
func (db *DB) Read(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	inner, err := enter(ctx)
	if err != nil {
		return err
	}
	return db.backend.read(inner, &Tx{}, fn)
}

// enter refuses a transaction inside a transaction, and one that nobody waits
// for any more.
func enter(ctx context.Context) (context.Context, error) {
	if ctx.Value(inTransaction{}) != nil {
		return nil, ErrNested
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return context.WithValue(ctx, inTransaction{}, true), nil
}

// SchemaVersion returns the number of the service's newest migration that the
// database has, and of the newest that this program has. 0 is none.
func (db *DB) SchemaVersion(ctx context.Context) (have, want int64, err error) {
	if want, err = newest(db.migrations); err != nil || want == 0 {
		return 0, 0, err
	}
	err = db.Read(ctx, func(ctx context.Context, tx *Tx) error {
		return tx.QueryRow(ctx, "SELECT max(version_id) FROM "+serviceVersions).Scan(&have)
	})
	return have, want, err
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.backend.ping(ctx) }

// TryLead tries to become the one leader of this schema under a name, among all
// replicas, for work that must not be done twice at a time. ok is false where
// another leads; ask again later. On PostgreSQL leadership hangs on a connection
// of its own, so it ends with the process; on SQLite the one process always
// leads. release gives it up, and may be called again.
func (db *DB) TryLead(ctx context.Context, name string) (release func(), ok bool, err error) {
	return db.backend.lead(ctx, name)
}

// Close takes no more transactions, waits for those under way and closes the
// database.
func (db *DB) Close() error { return db.backend.close() }
