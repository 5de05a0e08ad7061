package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

func TestMisuseIsRefused(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "misuse", things)
		var kept *sqldb.Tx
		write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			kept = tx
			insert(tx, "a")
			insert(tx, "b")
			nothing := func(context.Context, *sqldb.Tx) error { return nil }
			if err := db.Write(ctx, nothing); !errors.Is(err, sqldb.ErrNested) {
				t.Errorf("Write in Write: %v", err)
			}
			if err := db.Read(ctx, nothing); !errors.Is(err, sqldb.ErrNested) {
				t.Errorf("Read in Write: %v", err)
			}
			rows, err := tx.Query(ctx, "SELECT id FROM things")
			if err != nil {
				return err
			}
			if !rows.Next() {
				t.Error("no row")
			}
			if err := tx.QueryRow(ctx, "SELECT 1").Scan(new(int)); !errors.Is(err, sqldb.ErrRowsOpen) {
				t.Errorf("statement while rows are open: %v", err)
			}
			return rows.Close()
		})
		if _, err := kept.Exec(t.Context(), "DELETE FROM things"); err == nil {
			t.Error("Exec after the end")
		}
		kept.Queue("DELETE FROM things")
		if err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.Query(ctx, "SELECT id FROM things")
			return err // and the rows stay open
		}); !errors.Is(err, sqldb.ErrRowsOpen) {
			t.Errorf("rows left open: %v", err)
		}
		read(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			if _, err := tx.Exec(ctx, "DELETE FROM things"); !errors.Is(err, sqldb.ErrReadOnly) {
				t.Errorf("Exec in Read: %v", err)
			}
			return nil
		})
		if err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			return tx.QueryRow(ctx, "INSERT INTO things (id) VALUES ('c') RETURNING id").Scan(new(string))
		}); err == nil {
			t.Error("a Read wrote through Query")
		}
		if n := count(t, db); n != 2 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestNoRows(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "norows", things)
		write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			if err := tx.QueryRow(ctx, "SELECT id FROM things WHERE id = $1", "x").Scan(new(string)); !errors.Is(err, sqldb.ErrNoRows) {
				t.Errorf("got %v", err)
			}
			insert(tx, "x")
			return nil
		})
		if n := count(t, db); n != 1 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestErrorPanicAndExitRollBack(t *testing.T) {
	boom := errors.New("boom")
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "rollback", things)
		hook := func() { t.Error("a hook ran without a commit") }
		err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			tx.AfterCommit(hook)
			insert(tx, "a")
			if _, err := tx.Exec(ctx, "INSERT INTO things (id) VALUES ('b')"); err != nil {
				return err
			}
			return boom
		})
		if err != boom {
			t.Errorf("error: %v", err)
		}
		func() {
			defer func() {
				if v := recover(); v != boom {
					t.Errorf("recovered %v", v)
				}
			}()
			_ = db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				tx.AfterCommit(hook)
				if _, err := tx.Exec(ctx, "INSERT INTO things (id) VALUES ('c')"); err != nil {
					return err
				}
				panic(boom)
			})
		}()
		for _, run := range []func(context.Context, func(context.Context, *sqldb.Tx) error) error{db.Write, db.Read} {
			var gone sync.WaitGroup
			gone.Go(func() {
				_ = run(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
					_, _ = tx.Query(ctx, "SELECT id FROM things")
					runtime.Goexit() // what t.FailNow does
					return nil
				})
			})
			gone.Wait()
		}
		if n := count(t, db); n != 0 {
			t.Errorf("%d rows", n)
		}
		write(t, db, func(ctx context.Context, tx *sqldb.Tx) error { insert(tx, "d"); return nil })
	})
}

func TestAfterCommitRunsAfterTheCommit(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "hooks", things)
		var order []int
		write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			for i := range 3 {
				tx.AfterCommit(func() { order = append(order, i*10+count(t, db)) })
			}
			insert(tx, "a")
			return nil
		})
		if fmt.Sprint(order) != "[1 11 21]" {
			t.Errorf("hooks saw %v", order)
		}
	})
}

func TestReadSeesOneSnapshot(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "snapshot", things)
		other := open(t, "snapshot", things)
		read(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			for range 3 {
				var n int
				if err := tx.QueryRow(ctx, "SELECT count(*) FROM things").Scan(&n); err != nil {
					return err
				}
				if n != 0 {
					t.Errorf("the snapshot grew to %d", n)
				}
				write(t, other, func(ctx context.Context, tx *sqldb.Tx) error {
					tx.Queue("INSERT INTO things (id) VALUES ($1)", fmt.Sprint(n, count(t, other)))
					return nil
				})
			}
			return nil
		})
		if n := count(t, db); n != 3 {
			t.Errorf("%d rows in the end", n)
		}
	})
}

// Callers who change the same row by its version never lose an update, also
// through two pools.
func TestConcurrentUpdates(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		dbs := []*sqldb.DB{open(t, "updates", things), open(t, "updates", things)}
		write(t, dbs[0], func(ctx context.Context, tx *sqldb.Tx) error {
			tx.Queue("INSERT INTO things (id, n) VALUES ('counter', 0)")
			return nil
		})
		const each = 25
		stale := errors.New("stale")
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				for done := 0; done < each; {
					err := dbs[i%2].Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
						var n int64
						if err := tx.QueryRow(ctx, "SELECT n FROM things WHERE id = 'counter'").Scan(&n); err != nil {
							return err
						}
						changed, err := tx.Exec(ctx, "UPDATE things SET n = $1 WHERE id = 'counter' AND n = $2", n+1, n)
						if err == nil && changed == 0 {
							err = stale
						}
						return err
					})
					if err == nil {
						done++
					} else if !errors.Is(err, stale) {
						t.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
		read(t, dbs[0], func(ctx context.Context, tx *sqldb.Tx) error {
			var n int
			if err := tx.QueryRow(ctx, "SELECT n FROM things").Scan(&n); err != nil || n != 8*each {
				t.Errorf("counted %d, %v", n, err)
			}
			return nil
		})
	})
}

func TestCancelledContext(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "cancelled", things)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		never := func(context.Context, *sqldb.Tx) error { t.Error("ran"); return nil }
		if err := db.Write(ctx, never); !errors.Is(err, context.Canceled) {
			t.Errorf("Write: %v", err)
		}
		if err := db.Read(ctx, never); !errors.Is(err, context.Canceled) {
			t.Errorf("Read: %v", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		err := db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			cancel()
			var n int64
			return tx.QueryRow(ctx, "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 100000000) SELECT count(*) FROM c").Scan(&n)
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a long Read is not interrupted: %v", err)
		}
		if n := count(t, db); n != 0 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestClose(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "closing", things)
		var group sync.WaitGroup
		started := make(chan struct{})
		var once sync.Once
		for i := range 4 {
			group.Go(func() {
				for n := 0; ; n++ {
					err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
						insert(tx, fmt.Sprint(i, " ", n))
						return nil
					})
					if errors.Is(err, sqldb.ErrClosed) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					once.Do(func() { close(started) })
				}
			})
		}
		<-started
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		group.Wait()
		if err := db.Read(t.Context(), func(context.Context, *sqldb.Tx) error { return nil }); !errors.Is(err, sqldb.ErrClosed) {
			t.Errorf("Read after Close: %v", err)
		}
		if err := db.Ping(t.Context()); err == nil {
			t.Error("Ping after Close")
		}
		if err := db.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
	})
}
