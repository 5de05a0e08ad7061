package sqldb_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

func migration(ddl string) fs.FS {
	return fstest.MapFS{"00001_first.sql": {Data: []byte("-- +goose Up\n" + ddl)}}
}

var things = migration(`
CREATE TABLE things (
    id    TEXT    NOT NULL PRIMARY KEY,
    n     BIGINT  CHECK (n BETWEEN -9223372036854775807 AND 9223372036854775807),
    flag  BOOLEAN CHECK (flag IN (TRUE, FALSE)),
    data  BYTEA,
    label TEXT    UNIQUE
);
CREATE TABLE parts (
    id    TEXT NOT NULL PRIMARY KEY,
    thing TEXT NOT NULL REFERENCES things (id)
);`)

// write and read are Write and Read that fail the test.
func write(t testing.TB, db *sqldb.DB, fn func(ctx context.Context, tx *sqldb.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, db *sqldb.DB, fn func(ctx context.Context, tx *sqldb.Tx) error) {
	t.Helper()
	if err := db.Read(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func count(t testing.TB, db *sqldb.DB) (n int) {
	t.Helper()
	read(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, "SELECT count(*) FROM things").Scan(&n)
	})
	return n
}

func insert(tx *sqldb.Tx, id string) { tx.Queue("INSERT INTO things (id) VALUES ($1)", id) }

type state string

func TestValuesComeBackAlike(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "conformance", things)
		rapid.Check(t, func(rt *rapid.T) {
			n := rapid.Ptr(rapid.Int64Min(-math.MaxInt64), true).Draw(rt, "n")
			flag := rapid.Ptr(rapid.Bool(), true).Draw(rt, "flag")
			data := rapid.Custom(func(t *rapid.T) []byte {
				if rapid.Bool().Draw(t, "nil") {
					return nil
				}
				return append([]byte{}, rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")...)
			}).Draw(rt, "data")
			label := rapid.Ptr(rapid.Custom(func(t *rapid.T) string {
				return strings.ReplaceAll(rapid.String().Draw(t, "text"), "\x00", "")
			}), true).Draw(rt, "label")
			err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				tx.Queue("DELETE FROM things")
				rows, err := tx.Exec(ctx, "INSERT INTO things (id, n, flag, data, label) VALUES ($1, $2, $3, $4, $5)", state("x"), n, flag, data, label)
				if err == nil && rows != 1 {
					err = fmt.Errorf("%d rows", rows)
				}
				return err
			})
			if err != nil {
				rt.Fatal(err)
			}
			err = db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				var (
					id        state
					gotN      *int64
					gotFlag   *bool
					gotData   []byte
					gotLabel  sql.NullString
					same, has bool
				)
				err := tx.QueryRow(ctx, `SELECT id, n, flag, data, label, n = $1, label IS NOT NULL FROM things WHERE id = $2 AND (n = $1 OR n IS NULL)`, n, "x").
					Scan(&id, &gotN, &gotFlag, &gotData, &gotLabel, new(*bool), &has)
				if err != nil {
					return err
				}
				same = id == "x" && equal(n, gotN) && equal(flag, gotFlag) && (data == nil) == (gotData == nil) && string(data) == string(gotData) &&
					gotLabel.Valid == (label != nil) && has == gotLabel.Valid && (label == nil || *label == gotLabel.String)
				if !same {
					rt.Fatalf("stored %v %v %q %v, got %v %v %q %v", n, flag, data, label, gotN, gotFlag, gotData, gotLabel)
				}
				return nil
			})
			if err != nil {
				rt.Fatal(err)
			}
		})
	})
}

func equal[T comparable](a, b *T) bool {
	return (a == nil) == (b == nil) && (a == nil || *a == *b)
}

func TestArguments(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "arguments", things)
		write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			tx.Queue("INSERT INTO things (id, n, label) VALUES ($1, $2, $3)", "a", uint32(7), json.RawMessage(`{"k":"v"}`))
			tx.Queue("INSERT INTO things (id, n, label) VALUES ($1, $2, $3)", "b", int8(-1), sql.NullString{})
			return nil
		})
		read(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			var n uint8
			var raw json.RawMessage
			var doc []byte
			if err := tx.QueryRow(ctx, "SELECT n, label, label FROM things WHERE label = $1", `{"k":"v"}`).Scan(&n, &raw, &doc); err != nil {
				return err
			}
			if n != 7 || string(raw) != `{"k":"v"}` || string(doc) != string(raw) {
				t.Errorf("got %d %s %s", n, raw, doc)
			}
			return nil
		})
		for name, arg := range map[string]any{
			"time": time.Now(), "map": map[string]int{}, "big": uint64(math.MaxUint64), "struct": struct{}{},
		} {
			err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				tx.Queue("INSERT INTO things (id, n) VALUES ('z', $1)", arg)
				return nil
			})
			if err == nil || !strings.Contains(err.Error(), "argument $1") {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, text := range []string{"a\x00b", "a\xffb"} {
			err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				_, err := tx.Exec(ctx, "INSERT INTO things (id) VALUES ($1)", text)
				return err
			})
			if errs.KindOf(err) != errs.Invalid {
				t.Errorf("%q: %v", text, err)
			}
		}
		if n := count(t, db); n != 2 {
			t.Errorf("%d rows after refused arguments", n)
		}
	})
}

func TestTextInABigintIsRefused(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "strict", things)
		for column, arg := range map[string]any{"n": "many", "flag": "perhaps"} {
			err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				tx.Queue("INSERT INTO things (id, "+column+") VALUES ('x', $1)", arg)
				return nil
			})
			if !sqldb.IsCheck(err) || sqldb.IsUnique(err) {
				t.Errorf("%s: %v", column, err)
			}
		}
		if n := count(t, db); n != 0 {
			t.Errorf("%d rows", n)
		}
	})
}

func TestTextSortsAndComparesByBytes(t *testing.T) {
	words := []string{"", " ", "-a", "0", "A", "B", "Z", "a", "a b", "a-c", "ab", "z", "Å", "é", "日", "🙂"}
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "collation", things)
		write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			for i, w := range words {
				tx.Queue("INSERT INTO things (id, label) VALUES ($1, $2)", fmt.Sprint((i*7)%len(words)), w)
			}
			return nil
		})
		read(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			rows, err := tx.Query(ctx, "SELECT label FROM things ORDER BY label")
			if err != nil {
				return err
			}
			var got []string
			for rows.Next() {
				var w string
				if err := rows.Scan(&w); err != nil {
					return err
				}
				got = append(got, w)
			}
			if !slices.Equal(got, words) {
				t.Errorf("got %q", got)
			}
			var n int
			if err := tx.QueryRow(ctx, "SELECT count(*) FROM things WHERE label = 'z' OR label = 'b'").Scan(&n); err != nil || n != 1 {
				t.Errorf("equality sees letter case: %d %v", n, err)
			}
			return rows.Err()
		})
	})
}

func TestExpressions(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "expressions", things)
		write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			tx.Queue("INSERT INTO things (id, n, flag) VALUES ('a', 7, TRUE), ('b', 2, FALSE), ('c', NULL, NULL)")
			n, err := tx.Exec(ctx, "INSERT INTO things (id, n) VALUES ('a', 1) ON CONFLICT (id) DO NOTHING")
			if n != 0 {
				t.Errorf("DO NOTHING: %d rows", n)
			}
			return err
		})
		read(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			var rows, sum, most, half int64
			var mean float64
			var some, none bool
			var literal, param, absent string
			err := tx.QueryRow(ctx, `SELECT count(*), sum(n), max(n), max(n) / 2, avg(n), count(*) > 1, sum(n) = $1, '$1 ''$2', $2, coalesce(min(label), '-') -- $9
				FROM things /* $3 */`, 0, "text").
				Scan(&rows, &sum, &most, &half, &mean, &some, &none, &literal, &param, &absent)
			if err != nil {
				return err
			}
			if rows != 3 || sum != 9 || most != 7 || half != 3 || mean != 4.5 || !some || none || literal != "$1 '$2" || param != "text" || absent != "-" {
				t.Error(rows, sum, most, half, mean, some, none, literal, param, absent)
			}
			return nil
		})
	})
}

func TestScanRefusesWhatDoesNotFit(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "scan", things)
		write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			tx.Queue("INSERT INTO things (id, n, data) VALUES ('a', 300, $1)", []byte("x"))
			return nil
		})
		for query, dest := range map[string]any{
			"SELECT id FROM things":    new(int64),
			"SELECT n FROM things":     new(string),
			"SELECT n + 0 FROM things": new(int8),
			"SELECT -n FROM things":    new(uint64),
			"SELECT n FROM  things":    new(bool),
			"SELECT label FROM things": new(string),
			"SELECT flag FROM things":  new(bool),
			"SELECT data FROM things":  new(string),
			"SELECT n  FROM things":    new(any),
			"SELECT  n FROM things":    new(time.Time),
		} {
			read(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
				err := tx.QueryRow(ctx, query).Scan(dest)
				if err == nil || !strings.Contains(err.Error(), "column 1") {
					t.Errorf("%s into %T: %v", query, dest, err)
				}
				var n int64 // and the transaction goes on
				if err := tx.QueryRow(ctx, "SELECT n FROM things").Scan(&n); err != nil || n != 300 {
					t.Errorf("after %s: %v", query, err)
				}
				if err := tx.QueryRow(ctx, "SELECT n, id FROM things").Scan(&n); err == nil {
					t.Error("one destination for two columns")
				}
				return nil
			})
		}
	})
}

func TestConstraints(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "constraints", things)
		write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			tx.Queue("INSERT INTO things (id, label) VALUES ('a', 'one')")
			return nil
		})
		for query, unique := range map[string]bool{
			"INSERT INTO things (id) VALUES ('a')":                 true,
			"INSERT INTO things (id, label) VALUES ('b', 'one')":   true,
			"INSERT INTO things (id) VALUES (NULL)":                false,
			"INSERT INTO parts (id, thing) VALUES ('p', 'absent')": false,
			"INSERT INTO nowhere (id) VALUES ('p')":                false,
			"nonsense":                                             false,
		} {
			for _, queued := range []bool{false, true} {
				err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
					tx.Queue("INSERT INTO things (id) VALUES ('before')")
					if queued {
						tx.Queue(query)
						tx.Queue("INSERT INTO things (id) VALUES ('after')")
						return nil
					}
					_, err := tx.Exec(ctx, query)
					return err
				})
				if err == nil || sqldb.IsUnique(err) != unique || !strings.Contains(err.Error(), query) {
					t.Errorf("%s (queued %v): %v", query, queued, err)
				}
			}
		}
		if n := count(t, db); n != 1 {
			t.Errorf("%d rows: something was half-written", n)
		}
	})
}

func TestFailedStatementEndsTheTransaction(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "failed", things)
		err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			insert(tx, "a")
			_, first := tx.Exec(ctx, "INSERT INTO things (id) VALUES ('a')")
			if _, second := tx.Exec(ctx, "INSERT INTO things (id) VALUES ('b')"); !errors.Is(second, first) {
				t.Errorf("after %v came %v", first, second)
			}
			return nil // swallowed
		})
		if !sqldb.IsUnique(err) {
			t.Errorf("Write: %v", err)
		}
		if n := count(t, db); n != 0 {
			t.Errorf("%d rows", n)
		}
	})
}
