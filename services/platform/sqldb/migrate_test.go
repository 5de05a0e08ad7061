package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

func TestPlatformTables(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "platform", nil)
		write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			for i := range 3 {
				tx.Queue("INSERT INTO outbox (id, aggregate, version, type, subject, payload, created) VALUES ($1, 'a', 1, 't', 's', $2, 0)", fmt.Sprint(i), []byte{})
			}
			tx.Queue("INSERT INTO inbox (consumer, event_id, received) VALUES ('c', 'e', 0)")
			tx.Queue("INSERT INTO idempotency (subject, method, request_id, request_hash, response, created) VALUES ('', 'm', 'r', $1, $1, 0)", []byte{1})
			n, err := tx.Exec(ctx, "UPDATE outbox SET published = 5 WHERE seq = (SELECT min(seq) FROM outbox WHERE published IS NULL)")
			if n != 1 {
				t.Errorf("marked %d", n)
			}
			return err
		})
		read(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
			var first, last int64
			var id string
			if err := tx.QueryRow(ctx, "SELECT min(seq), max(seq), min(id) FROM outbox WHERE published IS NULL").Scan(&first, &last, &id); err != nil || last != first+1 || id != "1" {
				t.Error(first, last, id, err)
			}
			return nil
		})
		for _, again := range []string{
			"INSERT INTO inbox (consumer, event_id, received) VALUES ('c', 'e', 1)",
			"INSERT INTO outbox (id, aggregate, version, type, subject, payload, created) VALUES ('1', 'a', 2, 't', 's', '', 0)",
		} {
			if err := db.Write(t.Context(), func(_ context.Context, tx *sqldb.Tx) error { tx.Queue(again); return nil }); !sqldb.IsUnique(err) {
				t.Errorf("%s: %v", again, err)
			}
		}
	})
}

func TestMigrations(t *testing.T) {
	one := fstest.MapFS{"00001_a.sql": {Data: []byte("-- +goose Up\nCREATE TABLE a (id TEXT NOT NULL PRIMARY KEY);")}}
	two := fstest.MapFS{"00001_a.sql": one["00001_a.sql"], "00002_b.sql": {Data: []byte("-- +goose Up\nALTER TABLE a ADD COLUMN n BIGINT NOT NULL DEFAULT 7 CHECK (n BETWEEN 0 AND 9);")}}
	broken := fstest.MapFS{"00001_a.sql": one["00001_a.sql"], "00002_b.sql": {Data: []byte("-- +goose Up\nCREATE TABLE half (id TEXT);\nnonsense;")}}
	urls := map[string]string{"sqlite": "sqlite:" + t.TempDir(), "postgres": testkit.Postgres(t)}
	for name, url := range urls {
		t.Run(name, func(t *testing.T) {
			schema := fresh("migrations")
			versions := func(migrations fstest.MapFS, wantErr bool, want string) {
				t.Helper()
				db, err := sqldb.Open(t.Context(), sqldb.Config{URL: url, Schema: schema}, migrations)
				if (err != nil) != wantErr {
					t.Fatalf("Open: %v", err)
				}
				if err != nil {
					return
				}
				defer db.Close()
				have, wanted, err := db.SchemaVersion(t.Context())
				if got := fmt.Sprint(have, wanted); err != nil || got != want {
					t.Errorf("version %s, %v; want %s", got, err, want)
				}
			}
			versions(one, false, "1 1")
			versions(one, false, "1 1")
			versions(broken, true, "")
			versions(one, false, "1 1")
			versions(two, false, "2 2")
			versions(two, false, "2 2")
			versions(one, false, "2 1") // an older program on a newer schema
		})
	}
}

// Replicas that start together on an empty database migrate it once.
func TestReplicasMigrateTogether(t *testing.T) {
	url, schema := testkit.Postgres(t), fresh("replicas")
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			db, err := sqldb.Open(t.Context(), sqldb.Config{URL: url, Schema: schema}, things)
			if err != nil {
				t.Error(err)
				return
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestLeadership(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		first, second := open(t, "lead", nil), open(t, "lead", nil)
		lead := func(db *sqldb.DB, name string) (func(), bool) {
			t.Helper()
			release, ok, err := db.TryLead(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			return release, ok
		}
		release, ok := lead(first, "relay")
		if !ok {
			t.Fatal("nobody leads and nobody may")
		}
		if first == second { // SQLite: one process, which leads
			release()
			return
		}
		if _, ok := lead(second, "relay"); ok {
			t.Error("two lead")
		}
		other, ok := lead(second, "clock")
		if !ok {
			t.Error("names are not apart")
		}
		other()
		if _, ok := lead(open(t, "elsewhere", nil), "relay"); !ok {
			t.Error("schemas are not apart")
		}
		release()
		release()
		again, ok := lead(second, "relay")
		if !ok {
			t.Error("leadership was not given up")
		}
		again()
	})
}

func TestOpenErrors(t *testing.T) {
	dir := "sqlite:" + t.TempDir()
	for name, cfg := range map[string]sqldb.Config{
		"no URL":        {Schema: "x"},
		"other scheme":  {URL: "mysql://x", Schema: "x"},
		"no folder":     {URL: "sqlite:", Schema: "x"},
		"no schema":     {URL: dir},
		"bad schema":    {URL: dir, Schema: "a/b"},
		"quoted schema": {URL: dir, Schema: `a"b`},
		"broken URL":    {URL: "postgres://%zz", Schema: "x"},
		"nobody there":  {URL: "postgres:///x?host=/nonexistent", Schema: "x"},
	} {
		if _, err := sqldb.Open(t.Context(), cfg, nil); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sqldb.Open(ctx, sqldb.Config{URL: dir, Schema: "x"}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	db, err := sqldb.Open(t.Context(), sqldb.Config{URL: dir, Schema: "x"}, nil) // and nothing stays locked
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
}
