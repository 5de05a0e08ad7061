package sqldb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/platform/errs"
)

var rowsSchema = fstest.MapFS{"00001_rows.sql": {Data: []byte(`-- +goose Up
CREATE TABLE rows (id BIGINT NOT NULL PRIMARY KEY, filling TEXT NOT NULL);
CREATE TABLE twins (id BIGINT NOT NULL PRIMARY KEY);`)}}

func openRows(t testing.TB, dir string) (*DB, *sqliteWriter) {
	t.Helper()
	db, err := Open(t.Context(), Config{URL: "sqlite:" + dir, Schema: "rows"}, rowsSchema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db, db.backend.(*sqliteDB).writer
}

// present returns the ids in both tables, which every transaction here fills
// alike.
func present(t testing.TB, db *DB) map[int]bool {
	t.Helper()
	ids := map[int]bool{}
	err := db.Read(t.Context(), func(ctx context.Context, tx *Tx) error {
		for _, table := range []string{"rows", "twins"} {
			rows, err := tx.Query(ctx, "SELECT id FROM "+table)
			if err != nil {
				return err
			}
			n := 0
			for rows.Next() {
				var id int
				if err := rows.Scan(&id); err != nil {
					return err
				}
				if table == "rows" {
					ids[id] = true
				} else if !ids[id] {
					t.Errorf("%d is half-written", id)
				}
				n++
			}
			if err := rows.Err(); err != nil {
				return err
			}
			if n != len(ids) {
				t.Errorf("%d rows in %s, %d ids", n, table, len(ids))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func both(tx *Tx, id int, filling string) {
	tx.Queue("INSERT INTO rows (id, filling) VALUES ($1, $2)", id, filling)
	tx.Queue("INSERT INTO twins (id) VALUES ($1)", id)
}

// hold keeps the writer busy until released, so that what is written meanwhile
// makes one group with it.
func hold(t testing.TB, db *DB, group *sync.WaitGroup, id int) (release func()) {
	in, out := make(chan struct{}), make(chan struct{})
	group.Go(func() {
		err := db.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
			both(tx, id, "")
			close(in)
			<-out
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-in
	return sync.OnceFunc(func() { close(out) })
}

func awaitQueued(w *sqliteWriter, n int) {
	for len(w.queue) < n {
		runtime.Gosched()
	}
}

// A group's members end each in their own way; the table then holds exactly what
// those who were told so have written.
func TestGroupMembersFailAlone(t *testing.T) {
	db, w := openRows(t, t.TempDir())
	next := 0
	boom := errors.New("boom")
	rapid.Check(t, func(rt *rapid.T) {
		fates := rapid.SliceOfN(rapid.SampledFrom([]string{"good", "good", "error", "swallowed", "panic", "exit", "cancelled", "cancelled inside"}), 1, 12).Draw(rt, "fates")
		before := present(t, db)
		var group sync.WaitGroup
		first := next
		next++
		before[first] = true
		release := hold(t, db, &group, first)
		for i, fate := range fates {
			id := next
			next++
			ctx, cancel := context.WithCancel(t.Context())
			hooked := false
			ended := make(chan struct{})
			group.Go(func() {
				defer close(ended)
				defer func() {
					v := recover()
					if (v == boom) != (fate == "panic") || hooked != before[id] {
						t.Errorf("%s: recovered %v, hook ran: %v", fate, v, hooked)
					}
				}()
				err := db.Write(ctx, func(ctx context.Context, tx *Tx) error {
					tx.AfterCommit(func() { hooked = true })
					both(tx, id, fate)
					switch fate {
					case "error":
						return boom
					case "swallowed":
						_, _ = tx.Exec(ctx, "INSERT INTO rows (id, filling) VALUES ($1, '')", id)
					case "panic":
						panic(boom)
					case "exit":
						runtime.Goexit()
					case "cancelled":
						t.Error("ran")
					case "cancelled inside":
						cancel()
						if _, err := tx.Exec(ctx, "UPDATE rows SET filling = 'late' WHERE id = $1", id); err != nil {
							t.Errorf("a cancelled caller's statement: %v", err)
						}
					}
					return nil
				})
				good := fate == "good" || fate == "cancelled inside"
				if (err == nil) != good ||
					fate == "error" && err != boom ||
					fate == "swallowed" && !IsUnique(err) ||
					fate == "cancelled" && !errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v", fate, err)
				}
			})
			if fate == "good" || fate == "cancelled inside" {
				before[id] = true
			}
			awaitQueued(w, i+1)
			if fate == "cancelled" {
				cancel()
				<-ended
			}
			defer cancel()
		}
		release()
		group.Wait()
		if got := present(t, db); fmt.Sprint(got) != fmt.Sprint(before) {
			rt.Fatalf("%v:\nhave %v\nwant %v", fates, got, before)
		}
	})
}

// A disk that is full fails all who share the transaction in which it shows, also
// those whose own statements had gone well, and the writer goes on afterwards.
func TestFullDiskFailsTheGroup(t *testing.T) {
	db, w := openRows(t, t.TempDir())
	var pages int64
	err := db.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
		both(tx, 0, "")
		return tx.QueryRow(ctx, "PRAGMA page_count").Scan(&pages)
	})
	if err != nil {
		t.Fatal(err)
	}
	limit := func(pages int64) {
		if err := w.conn.run(fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages + 20)
	var group sync.WaitGroup
	in, out := make(chan struct{}), make(chan struct{})
	written := make([]bool, 9)
	written[0] = true
	for id := 1; id <= 8; id++ {
		group.Go(func() {
			err := db.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
				if id == 1 {
					close(in)
					<-out
				}
				both(tx, id, strings.Repeat("x", 15000))
				return nil
			})
			written[id] = err == nil
			if err != nil && errs.KindOf(err) != errs.Unavailable {
				t.Errorf("member %d: %v", id, err)
			}
		})
		if id == 1 {
			<-in
		}
		awaitQueued(w, id-1)
	}
	close(out)
	group.Wait()
	limit(1 << 30)
	if written[1] || written[2] {
		t.Error("the first members were told that they are written, with no room for their group")
	}
	got := present(t, db)
	for id, told := range written {
		if got[id] != told {
			t.Errorf("member %d: there %v, told %v", id, got[id], told)
		}
	}
	if err := db.Write(t.Context(), func(_ context.Context, tx *Tx) error { both(tx, 99, ""); return nil }); err != nil {
		t.Errorf("the writer does not go on: %v", err)
	}
}

// A function that ends the group's transaction is answered with an error, and so
// are those who share it; nobody waits for ever.
func TestEndingTheTransactionFromWithin(t *testing.T) {
	db, _ := openRows(t, t.TempDir())
	err := db.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
		both(tx, 1, "")
		_, err := tx.Exec(ctx, "ROLLBACK")
		return err
	})
	if errs.KindOf(err) != errs.Unavailable {
		t.Errorf("got %v", err)
	}
	if err := db.Write(t.Context(), func(_ context.Context, tx *Tx) error { both(tx, 2, ""); return nil }); err != nil {
		t.Error(err)
	}
	if got := present(t, db); len(got) != 1 || !got[2] {
		t.Errorf("there are %v", got)
	}
}

func TestSQLiteIsSetForDurability(t *testing.T) {
	db, _ := openRows(t, t.TempDir())
	err := db.Write(t.Context(), func(ctx context.Context, tx *Tx) error {
		for pragma, want := range map[string]int64{"synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000} {
			var got int64
			if err := tx.QueryRow(ctx, "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s = %d, %v", pragma, got, err)
			}
		}
		var mode string
		if err := tx.QueryRow(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil || mode != "wal" {
			t.Errorf("journal_mode = %s, %v", mode, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

const crashVariable = "TRAMA_SQLDB_CRASH"

// TestMain doubles as the process that TestKilledWriter kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv(crashVariable); dir != "" {
		writeUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// writeUntilKilled writes from several goroutines and prints what was
// acknowledged.
func writeUntilKilled(dir string) {
	db, err := Open(context.Background(), Config{URL: "sqlite:" + dir, Schema: "rows"}, rowsSchema)
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	for caller := range 8 {
		go func() {
			for n := 0; ; n++ {
				id := n*8 + caller
				err := db.Write(context.Background(), func(_ context.Context, tx *Tx) error { both(tx, id, "x"); return nil })
				if err != nil {
					fmt.Println("error:", err)
				}
				fmt.Println(id)
			}
		}()
	}
	select {}
}

// What was acknowledged before SIGKILL is there afterwards, and nothing is
// half-written. The same shows that another process is refused, and that the
// lock goes with the process that held it.
func TestKilledWriter(t *testing.T) {
	dir := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), crashVariable+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	acknowledged := []int{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var id int
		if _, err := fmt.Sscan(lines.Text(), &id); err != nil {
			t.Fatalf("the writing process says %q", lines.Text())
		}
		acknowledged = append(acknowledged, id)
		switch len(acknowledged) {
		case 100:
			if db, err := Open(t.Context(), Config{URL: "sqlite:" + dir, Schema: "rows"}, rowsSchema); !errors.Is(err, ErrInUse) {
				t.Errorf("opened while in use: %v %v", db, err)
			}
		case 500:
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = child.Wait()
	db, _ := openRows(t, dir)
	have := present(t, db)
	for _, id := range acknowledged {
		if !have[id] {
			t.Fatalf("%d was acknowledged and is gone; %d of %d there", id, len(have), len(acknowledged))
		}
	}
}

func TestOpenTwiceIsRefused(t *testing.T) {
	dir := t.TempDir()
	db, _ := openRows(t, dir)
	if _, err := Open(t.Context(), Config{URL: "sqlite:" + dir, Schema: "rows"}, nil); !errors.Is(err, ErrInUse) {
		t.Errorf("second opener: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), Config{URL: "sqlite:" + dir, Schema: "rows"}, rowsSchema)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
