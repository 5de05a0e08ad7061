package sqldb_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

var benchSchema = migration(`
CREATE TABLE needs (
    id      TEXT   NOT NULL PRIMARY KEY,
    owner   TEXT   NOT NULL,
    state   TEXT   NOT NULL,
    version BIGINT NOT NULL CHECK (version BETWEEN 1 AND 9223372036854775807),
    created BIGINT NOT NULL CHECK (created BETWEEN 0 AND 9223372036854775807),
    doc     TEXT   NOT NULL
);
CREATE INDEX needs_owner ON needs (owner, id);`)

const (
	insertNeed   = "INSERT INTO needs (id, owner, state, version, created, doc) VALUES ($1, $2, $3, $4, $5, $6)"
	insertOutbox = "INSERT INTO outbox (id, aggregate, version, type, subject, payload, created) VALUES ($1, $2, $3, $4, $5, $6, $7)"
)

var (
	doc     = `{"title":"` + strings.Repeat("digital needs ", 20) + `"}`
	payload = []byte(strings.Repeat("event", 60))
	nextID  atomic.Int64
)

func need() (row, event []any) {
	id := fmt.Sprintf("0198c0de-0000-7000-8000-%012d", nextID.Add(1))
	return []any{id, "organisations/1", "DRAFT", int64(1), int64(1767600000000000), doc},
		[]any{"catalogue/needs/" + id + "/1", "needs/" + id, int64(1), "NeedPublished", "trama.catalogue.need", payload, int64(1767600000000000)}
}

// callers runs b.N operations from a number of goroutines and reports how many a
// second were done.
func callers(b *testing.B, n int, op func(ctx context.Context) error) {
	var todo atomic.Int64
	todo.Store(int64(b.N))
	var group sync.WaitGroup
	b.ResetTimer()
	for range n {
		group.Go(func() {
			for todo.Add(-1) >= 0 {
				if err := op(b.Context()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
}

func createNeed(ctx context.Context, db *sqldb.DB) error {
	return db.Write(ctx, func(_ context.Context, tx *sqldb.Tx) error {
		row, event := need()
		tx.Queue(insertNeed, row...)
		tx.Queue(insertOutbox, event...)
		return nil
	})
}

// BenchmarkSQLiteCreate writes a row and an outbox row, durably: one transaction
// per COMMIT (each caller waits for the one before), and with group commit.
func BenchmarkSQLiteCreate(b *testing.B) {
	for _, n := range []int{1, 16, 64} {
		b.Run("single/callers="+strconv.Itoa(n), func(b *testing.B) {
			db := benchDB(b, "sqlite:"+b.TempDir())
			var one sync.Mutex
			callers(b, n, func(ctx context.Context) error {
				one.Lock()
				defer one.Unlock()
				return createNeed(ctx, db)
			})
		})
		b.Run("group/callers="+strconv.Itoa(n), func(b *testing.B) {
			db := benchDB(b, "sqlite:"+b.TempDir())
			callers(b, n, func(ctx context.Context) error { return createNeed(ctx, db) })
		})
	}
}

// BenchmarkSQLiteGet reads one row by its key.
func BenchmarkSQLiteGet(b *testing.B) {
	db := benchDB(b, "sqlite:"+b.TempDir())
	id := benchRow(b, db)
	for _, n := range []int{1, 16} {
		b.Run("callers="+strconv.Itoa(n), func(b *testing.B) {
			callers(b, n, func(ctx context.Context) error { return getNeed(ctx, db, id) })
		})
	}
}

// BenchmarkPostgresCreate writes a row and an outbox row, durably: pipelined by
// sqldb, and statement by statement over the same native driver.
func BenchmarkPostgresCreate(b *testing.B) {
	url := testkit.DurablePostgres(b)
	for _, n := range []int{1, 16, 64} {
		b.Run("plain/callers="+strconv.Itoa(n), func(b *testing.B) {
			benchDB(b, url)
			pool, err := pgxpool.New(b.Context(), url+"&search_path=bench&pool_max_conns=16")
			if err != nil {
				b.Fatal(err)
			}
			defer pool.Close()
			callers(b, n, func(ctx context.Context) error {
				return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
					row, event := need()
					if _, err := tx.Exec(ctx, insertNeed, row...); err != nil {
						return err
					}
					_, err := tx.Exec(ctx, insertOutbox, event...)
					return err
				})
			})
		})
		b.Run("pipelined/callers="+strconv.Itoa(n), func(b *testing.B) {
			db := benchDB(b, url)
			callers(b, n, func(ctx context.Context) error { return createNeed(ctx, db) })
		})
	}
}

// BenchmarkPostgresGet reads one row by its key.
func BenchmarkPostgresGet(b *testing.B) {
	db := benchDB(b, testkit.DurablePostgres(b))
	id := benchRow(b, db)
	for _, n := range []int{1, 16} {
		b.Run("callers="+strconv.Itoa(n), func(b *testing.B) {
			callers(b, n, func(ctx context.Context) error { return getNeed(ctx, db, id) })
		})
	}
}

func benchDB(b *testing.B, url string) *sqldb.DB {
	b.Helper()
	db, err := sqldb.Open(b.Context(), sqldb.Config{URL: url, Schema: "bench"}, benchSchema)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	return db
}

func benchRow(b *testing.B, db *sqldb.DB) string {
	b.Helper()
	row, _ := need()
	err := db.Write(b.Context(), func(_ context.Context, tx *sqldb.Tx) error {
		tx.Queue(insertNeed, row...)
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return row[0].(string)
}

func getNeed(ctx context.Context, db *sqldb.DB, id string) error {
	return db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var owner, state, doc string
		var version, created int64
		return tx.QueryRow(ctx, "SELECT owner, state, version, created, doc FROM needs WHERE id = $1", id).Scan(&owner, &state, &version, &created, &doc)
	})
}
