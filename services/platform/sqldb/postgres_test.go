package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

var schemas atomic.Int64

// fresh makes a schema's name that no test of this process has used.
func fresh(name string) string { return fmt.Sprintf("%s_%d", name, schemas.Add(1)) }

func openPostgres(t *testing.T, schema, params string) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), sqldb.Config{URL: testkit.Postgres(t) + params, Schema: schema}, things)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

const raise = "DO $$ BEGIN RAISE EXCEPTION 'made up' USING ERRCODE = '40001'; END $$"

func TestSerialisationFailureIsRunAgain(t *testing.T) {
	db := openPostgres(t, fresh("retry"), "")
	runs, hooks := 0, 0
	write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
		runs++
		tx.AfterCommit(func() { hooks++ })
		insert(tx, fmt.Sprint(runs))
		if runs < 3 {
			tx.Queue(raise)
		}
		return nil
	})
	if runs != 3 || hooks != 1 || count(t, db) != 1 {
		t.Errorf("%d runs, %d hooks, %d rows", runs, hooks, count(t, db))
	}
	runs = 0
	err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		runs++
		_, err := tx.Exec(ctx, raise)
		return err
	})
	if errs.ReasonOf(err) != errs.ConcurrentUpdate || runs < 5 || runs > 20 {
		t.Errorf("after %d runs: %v", runs, err)
	}
}

// Two transactions that take the same rows in opposite order both end well.
func TestDeadlockIsRunAgain(t *testing.T) {
	db := openPostgres(t, fresh("deadlock"), "&options=-c%20deadlock_timeout%3D20ms")
	write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
		tx.Queue("INSERT INTO things (id, n) VALUES ('a', 0), ('b', 0)")
		return nil
	})
	var runs atomic.Int64
	var meet sync.WaitGroup
	meet.Add(2)
	var group sync.WaitGroup
	for _, order := range [][2]string{{"a", "b"}, {"b", "a"}} {
		group.Go(func() {
			first := true
			err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				runs.Add(1)
				if _, err := tx.Exec(ctx, "UPDATE things SET n = n + 1 WHERE id = $1", order[0]); err != nil {
					return err
				}
				if first {
					first = false
					meet.Done()
					meet.Wait()
				}
				_, err := tx.Exec(ctx, "UPDATE things SET n = n + 1 WHERE id = $1", order[1])
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	read(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
		var sum int
		if err := tx.QueryRow(ctx, "SELECT sum(n) FROM things").Scan(&sum); err != nil || sum != 4 || runs.Load() < 3 {
			t.Errorf("sum %d after %d runs, %v", sum, runs.Load(), err)
		}
		return nil
	})
}

// Connections that the server has ended are replaced without anybody noticing.
func TestEndedConnections(t *testing.T) {
	schema := fresh("ended")
	db := openPostgres(t, schema, "")
	write(t, db, func(ctx context.Context, tx *sqldb.Tx) error { insert(tx, "a"); return nil })
	conn, err := pgx.Connect(t.Context(), testkit.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	end := func() {
		var n int
		err := conn.QueryRow(t.Context(), "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1", "trama "+schema).Scan(&n)
		if err != nil || n == 0 {
			t.Fatalf("ended %d connections: %v", n, err)
		}
	}
	end()
	if err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { insert(tx, "b"); return nil }); err != nil {
		t.Errorf("Write: %v", err)
	}
	end()
	if n := count(t, db); n != 2 {
		t.Errorf("%d rows", n)
	}
}

// All connections of a pool may have died at once: a read that comes upon one
// after another still answers.
func TestManyEndedConnections(t *testing.T) {
	schema := fresh("manyended")
	db := openPostgres(t, schema, "")
	conn, err := pgx.Connect(t.Context(), testkit.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	const together = 5
	var inside, done sync.WaitGroup
	inside.Add(together)
	for range together {
		done.Go(func() {
			err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				err := tx.QueryRow(ctx, "SELECT 1").Scan(new(int))
				inside.Done()
				inside.Wait() // each on a connection of its own
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	var n int
	err = conn.QueryRow(t.Context(), "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1", "trama "+schema).Scan(&n)
	if err != nil || n < together {
		t.Fatalf("ended %d connections: %v", n, err)
	}
	if n := count(t, db); n != 0 {
		t.Errorf("%d rows", n)
	}
}

func TestBytesAreNotText(t *testing.T) {
	db := openPostgres(t, fresh("bytes"), "")
	err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		tx.Queue("INSERT INTO things (id) VALUES ($1)", []byte("a"))
		return nil
	})
	if err == nil {
		t.Error("bytes went into a TEXT column, where SQLite would keep bytes that equal no text")
	}
}

// Nothing runs before a result is asked for, and BEGIN does not cost a round
// trip of its own: a failing queued statement shows at the next statement.
func TestQueuedErrorSurfacesAtTheNextStatement(t *testing.T) {
	db := openPostgres(t, fresh("queued"), "")
	var at error
	err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		tx.Queue("INSERT INTO things (id, n) VALUES ('a', $1)", "many")
		at = tx.QueryRow(ctx, "SELECT 1").Scan(new(int))
		return at
	})
	if !sqldb.IsCheck(at) || !errors.Is(err, at) {
		t.Errorf("next statement: %v; Write: %v", at, err)
	}
}

func TestCollationIsChecked(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), testkit.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	_, err = conn.Exec(t.Context(), `CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.Background(), testkit.Postgres(t))
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(context.Background(), "DROP DATABASE latin"); err != nil {
			t.Error(err)
		}
	})
	if _, err := sqldb.Open(t.Context(), sqldb.Config{URL: testkit.Postgres(t) + "&dbname=latin", Schema: "x"}, nil); err == nil {
		t.Error("a LATIN1 database was taken")
	}
}
