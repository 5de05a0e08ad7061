package testkit_test

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

var notes = fstest.MapFS{"00001_notes.sql": {Data: []byte("-- +goose Up\nCREATE TABLE notes (id TEXT NOT NULL PRIMARY KEY);")}}

func countNotes(t *testing.T, db *sqldb.DB) (n int) {
	t.Helper()
	err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, "SELECT count(*) FROM notes").Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Each run starts empty, a schema opened again is the same one, and schemas are
// apart. The runs repeat so that the second would see the first's rows.
func TestEachDBIsFresh(t *testing.T) {
	for range 2 {
		ran := 0
		testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
			ran++
			one, again, other := open(t, "notes", notes), open(t, "notes", notes), open(t, "others", notes)
			if n := countNotes(t, one); n != 0 {
				t.Errorf("%d rows in a fresh schema", n)
			}
			err := one.Write(t.Context(), func(_ context.Context, tx *sqldb.Tx) error {
				tx.Queue("INSERT INTO notes (id) VALUES ('a')")
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if countNotes(t, again) != 1 || countNotes(t, other) != 0 {
				t.Error("the same schema is not the same, or another one is")
			}
		})
		if ran != 2 {
			t.Fatalf("ran on %d databases", ran)
		}
	}
}

const killedVariable = "TRAMA_TESTKIT_KILLED"

// TestPostgresEndsWithItsProcess kills a process of this test binary that has
// started a server, and waits for the server's folder to go.
func TestPostgresEndsWithItsProcess(t *testing.T) {
	if os.Getenv(killedVariable) != "" { // the process to be killed
		fmt.Println(testkit.Postgres(t))
		select {}
	}
	child := exec.Command(os.Args[0], "-test.run=^TestPostgresEndsWithItsProcess$")
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "TRAMA_TEST_POSTGRES=") {
			child.Env = append(child.Env, v)
		}
	}
	child.Env = append(child.Env, killedVariable+"=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	address, err := url.Parse(lines.Text())
	if err != nil {
		t.Fatal(err)
	}
	dir := address.Query().Get("host")
	if _, err := os.Stat(dir); err != nil {
		t.Fatalf("no server at %q: %v", lines.Text(), err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-every.C {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there", dir)
		}
	}
}
