// Package testkit gives tests the real thing: both databases, an embedded message
// server, a whole service behind its interceptors, and a clock that they hold.
package testkit

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/trama-suite/trama/services/platform/sqldb"
)

// OpenDB opens the database of a service, migrated, and closes it when the test
// of EachDB ends. Opening a schema again opens the same database: on PostgreSQL
// through a pool of its own, as a second replica would; on SQLite it returns the
// same DB, as there can be one opener only.
type OpenDB func(t testing.TB, schema string, migrations fs.FS) *sqldb.DB

// EachDB runs a test on SQLite and on PostgreSQL, each with fresh databases, as
// the subtests "sqlite" and "postgres". Where PostgreSQL is not installed the
// test fails: a suite that was not run on both databases has not passed.
func EachDB(t *testing.T, fn func(t *testing.T, open OpenDB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, sqliteOpener(t)) })
	t.Run("postgres", func(t *testing.T) { fn(t, postgresOpener(t, Postgres(t))) })
}

// BenchDB runs a benchmark on SQLite and on a PostgreSQL that writes to disk
// before it answers, as EachDB runs tests.
func BenchDB(b *testing.B, fn func(b *testing.B, open OpenDB)) {
	b.Helper()
	b.Run("sqlite", func(b *testing.B) { fn(b, sqliteOpener(b)) })
	b.Run("postgres", func(b *testing.B) { fn(b, postgresOpener(b, DurablePostgres(b))) })
}

func sqliteOpener(owner testing.TB) OpenDB {
	dir := owner.TempDir()
	var mu sync.Mutex
	open := map[string]*sqldb.DB{}
	return func(t testing.TB, schema string, migrations fs.FS) *sqldb.DB {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if db, ok := open[schema]; ok {
			return db
		}
		db := openDB(t, owner, sqldb.Config{URL: "sqlite:" + dir, Schema: schema}, migrations)
		open[schema] = db
		return db
	}
}

var schemas atomic.Int64

func postgresOpener(owner testing.TB, url string) OpenDB {
	suffix := fmt.Sprintf("_%d_%d", os.Getpid(), schemas.Add(1))
	var mu sync.Mutex
	seen := map[string]bool{}
	return func(t testing.TB, schema string, migrations fs.FS) *sqldb.DB {
		t.Helper()
		name := schema + suffix
		mu.Lock()
		if !seen[name] && os.Getenv(postgresVariable) != "" {
			owner.Cleanup(func() { dropSchema(owner, url, name) })
		}
		seen[name] = true
		mu.Unlock()
		return openDB(t, owner, sqldb.Config{URL: url, Schema: name}, migrations)
	}
}

func openDB(t, owner testing.TB, cfg sqldb.Config, migrations fs.FS) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), cfg, migrations)
	if err != nil {
		t.Fatalf("cannot open the database %s: %v", cfg.Schema, err)
	}
	owner.Cleanup(func() {
		if err := db.Close(); err != nil {
			owner.Errorf("closing the database %s: %v", cfg.Schema, err)
		}
	})
	return db
}

// dropSchema tidies a server that is not this process's own.
func dropSchema(t testing.TB, url, schema string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Errorf("dropping schema %s: %v", schema, err)
		return
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "DROP SCHEMA IF EXISTS "+pgx.Identifier{schema}.Sanitize()+" CASCADE"); err != nil {
		t.Errorf("dropping schema %s: %v", schema, err)
	}
}
