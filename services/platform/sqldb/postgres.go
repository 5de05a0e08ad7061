package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// postgresConns is for a server that takes 100 connections, as it does unless
	// told otherwise, and one process with five pools. More replicas than that
	// want a larger server or a smaller pool_max_conns in the URL.
	postgresConns = 16
	// postgresAttempts bounds how often a transaction is run again; with the
	// pauses between them that is about two seconds.
	postgresAttempts = 10
	// endTimeout bounds the COMMIT of a read and a ROLLBACK, which nobody waits
	// for.
	endTimeout = 5 * time.Second
)

// postgresDB is a schema of a PostgreSQL database.
type postgresDB struct {
	pool    *pgxpool.Pool
	schema  string
	log     *slog.Logger
	closing sync.Once
	closed  atomic.Bool
}

func openPostgres(ctx context.Context, cfg Config) (*postgresDB, error) {
	pc, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("sqldb: the database URL cannot be read: %w", err)
	}
	if !strings.Contains(cfg.URL, "pool_max_conns") {
		pc.MaxConns = postgresConns
	}
	pc.ConnConfig.RuntimeParams["search_path"] = cfg.Schema
	if pc.ConnConfig.RuntimeParams["application_name"] == "" {
		pc.ConnConfig.RuntimeParams["application_name"] = "trama " + cfg.Schema
	}
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, unavailable(err)
	}
	p := &postgresDB{pool: pool, schema: cfg.Schema, log: cfg.Log}
	if err := p.check(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return p, nil
}

// check refuses a database that sorts or stores text in its own way: the same
// query would answer differently from SQLite.
func (p *postgresDB) check(ctx context.Context) error {
	var bytewise bool
	var encoding string
	err := p.pool.QueryRow(ctx, `SELECT 'B' < 'a' AND 'a-c' < 'ab' AND 'z' < 'é', current_setting('server_encoding')`).Scan(&bytewise, &encoding)
	if err != nil {
		return unavailable(err)
	}
	if !bytewise || encoding != "UTF8" {
		return errors.New("sqldb: the PostgreSQL database must use UTF8 and the C collation: CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
	}
	return nil
}

// migrate creates the schema and runs the migrations, one replica at a time.
func (p *postgresDB) migrate(ctx context.Context, run func(db *sql.DB) error) error {
	conn, err := pgx.ConnectConfig(ctx, p.pool.Config().ConnConfig)
	if err != nil {
		return unavailable(err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) // and with it the lock
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", p.lockKey("migrate")); err != nil {
		return unavailable(err)
	}
	if _, err := conn.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+pgx.Identifier{p.schema}.Sanitize()); err != nil {
		return fmt.Errorf("sqldb: cannot create schema %s: %w", p.schema, err)
	}
	db := stdlib.OpenDB(*p.pool.Config().ConnConfig)
	defer db.Close()
	db.SetMaxOpenConns(1)
	return run(db)
}

func (p *postgresDB) start() error { return nil }

// lockKey is the number of an advisory lock. Locks are the database's, so the
// schema is part of it.
func (p *postgresDB) lockKey(name string) int64 {
	h := fnv.New64a()
	h.Write([]byte("trama\x00" + p.schema + "\x00" + name))
	return int64(h.Sum64())
}

func (p *postgresDB) write(ctx context.Context, newTx func() *Tx, fn func(ctx context.Context, tx *Tx) error) (*Tx, error) {
	for attempt := 1; ; attempt++ {
		tx := newTx()
		err := p.once(ctx, tx, fn)
		if err == nil || !again(err) || ctx.Err() != nil {
			return tx, err
		}
		if attempt == postgresAttempts {
			return tx, gaveUp(err)
		}
		p.log.DebugContext(ctx, "transaction is run again", "schema", p.schema, "attempt", attempt, "error", err)
		if err := pause(ctx, attempt); err != nil {
			return tx, err
		}
	}
}

// again reports whether a transaction failed in a way that running it once more
// can mend: a serialisation failure, a deadlock, a session ended by an
// administrator (which the server does between statements, never in a COMMIT), a
// plan made before a migration, or a connection that had died before anything
// was sent on it.
func again(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "40001" || e.Code == "40P01" || e.Code == "57P01" ||
			e.Code == "0A000" && strings.Contains(e.Message, "cached plan")
	}
	return pgconn.SafeToRetry(err)
}

// gaveUp tells a caller why the transaction was run in vain.
func gaveUp(err error) error {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && strings.HasPrefix(e.Code, "40") {
		return lost(err)
	}
	return unavailable(err)
}

// pause waits twice as long each time, 2 ms at first and 500 ms at most, less a
// random part so that those who met do not meet again.
func pause(ctx context.Context, attempt int) error {
	most := min(2*time.Millisecond<<(attempt-1), 500*time.Millisecond)
	timer := time.NewTimer(most/2 + rand.N(most/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// once makes one attempt at a transaction.
func (p *postgresDB) once(ctx context.Context, tx *Tx, fn func(ctx context.Context, tx *Tx) error) error {
	conn, err := p.acquire(ctx)
	if err != nil {
		return err
	}
	s := &postgresSession{conn: conn.Conn(), begin: "BEGIN ISOLATION LEVEL READ COMMITTED"}
	tx.session = s
	defer func() { // also where fn panics
		_ = tx.finish(nil) // for what it closes
		s.rollback(ctx)
		conn.Release()
	}()
	if err := tx.finish(fn(ctx, tx)); err != nil {
		return s.explain(err)
	}
	return s.explain(s.commit(ctx))
}

func (p *postgresDB) read(ctx context.Context, tx *Tx, fn func(ctx context.Context, tx *Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := p.readOnce(ctx, tx, fn)
		if err == nil || !again(err) || ctx.Err() != nil {
			return err
		}
		if attempt == postgresAttempts {
			return gaveUp(err)
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
		*tx = Tx{}
	}
}

// readOnce gives the snapshot back in the background: the answer need not wait
// for a round trip that changes nothing.
func (p *postgresDB) readOnce(ctx context.Context, tx *Tx, fn func(ctx context.Context, tx *Tx) error) error {
	conn, err := p.acquire(ctx)
	if err != nil {
		return err
	}
	s := &postgresSession{conn: conn.Conn(), begin: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}
	tx.session = s
	defer func() {
		_ = tx.finish(nil) // for what it closes
		if s.idle() {
			conn.Release()
			return
		}
		go func() {
			s.rollback(ctx)
			conn.Release()
		}()
	}()
	return s.explain(tx.finish(fn(ctx, tx)))
}

func (p *postgresDB) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if p.closed.Load() {
			return nil, ErrClosed
		}
		return nil, unavailable(err)
	}
	return conn, nil
}

func (p *postgresDB) ping(ctx context.Context) error {
	if err := p.pool.Ping(ctx); err != nil {
		return unavailable(err)
	}
	return nil
}

func (p *postgresDB) lead(ctx context.Context, name string) (func(), bool, error) {
	conn, err := pgx.ConnectConfig(ctx, p.pool.Config().ConnConfig)
	if err != nil {
		return nil, false, unavailable(err)
	}
	release := sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
		defer cancel()
		_ = conn.Close(ctx)
	})
	var ok bool
	if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", p.lockKey("lead "+name)).Scan(&ok); err != nil {
		release()
		return nil, false, unavailable(err)
	}
	if !ok {
		release()
		return func() {}, false, nil
	}
	return release, true, nil
}

// close waits until every connection has been given back.
func (p *postgresDB) close() error {
	p.closing.Do(func() {
		p.closed.Store(true)
		p.pool.Close()
	})
	return nil
}
