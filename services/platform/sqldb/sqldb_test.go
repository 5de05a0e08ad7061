package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

func migration(ddl string) fs.FS {
	return fstest.MapFS{"00001_first.sql": {Data: []byte("-- +goose Up\n" + ddl)}}
}

var things = migration(`
CREATE TABLE things (
    id     TEXT    NOT NULL PRIMARY KEY,
    n      BIGINT  CHECK (n BETWEEN -9223372036854775807 AND 9223372036854775807),
    flag   BOOLEAN CHECK (flag IN (TRUE, FALSE)),
    data   BYTEA,
    label  TEXT    UNIQUE
);
CREATE INDEX things_n ON things (n);`)

func TestSmoke(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "smoke", things)
		err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			for i := range 3 {
				tx.Queue("INSERT INTO things (id, n, flag, data) VALUES ($1, $2, $3, $4)", fmt.Sprint(i), i, i == 1, []byte{byte(i)})
			}
			n, err := tx.Exec(ctx, "UPDATE things SET n = n + 10 WHERE flag")
			if err == nil && n != 1 {
				err = fmt.Errorf("%d rows", n)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			var n int
			var flag bool
			if err := tx.QueryRow(ctx, "SELECT n, flag FROM things WHERE id = $1", "1").Scan(&n, &flag); err != nil {
				return err
			}
			if n != 11 || !flag {
				t.Errorf("got %d %v", n, flag)
			}
			if err := tx.QueryRow(ctx, "SELECT n FROM things WHERE id = $1", "9").Scan(&n); !errors.Is(err, sqldb.ErrNoRows) {
				t.Errorf("got %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
