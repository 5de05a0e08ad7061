package testkit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgresVariable names a running server to use instead of a private one.
const postgresVariable = "TRAMA_TEST_POSTGRES"

// Postgres returns the URL of a PostgreSQL database for this test process: the
// one that TRAMA_TEST_POSTGRES names, or a private server, started at the first
// call from the installed binaries. The private one listens on a socket in a
// folder of its own and is stopped and removed when the process ends, however
// it ends. It does not wait for the disk, so it is fast and loses everything in
// a crash of the machine.
func Postgres(t testing.TB) string {
	t.Helper()
	if url := os.Getenv(postgresVariable); url != "" {
		return url
	}
	url, err := quickServer()
	if err != nil {
		t.Fatalf("these tests need PostgreSQL: %v", err)
	}
	return url
}

// DurablePostgres is Postgres with a private server that waits for the disk as
// one in production does, for measurements.
func DurablePostgres(t testing.TB) string {
	t.Helper()
	url, err := durableServer()
	if err != nil {
		t.Fatalf("this measurement needs PostgreSQL: %v", err)
	}
	return url
}

var (
	quickServer   = sync.OnceValues(func() (string, error) { return startPostgres(false) })
	durableServer = sync.OnceValues(func() (string, error) { return startPostgres(true) })
	// lifelines hold the writing ends of the servers' pipes open. The system
	// closes them when the process ends.
	lifelines []*os.File
)

// supervise makes a server and runs it, and ends and removes it when its standard
// input closes, that is when the test process has ended, even by SIGKILL. The
// interrupt goes to the whole process group and means a fast shutdown to the
// server; it is repeated as initdb may be at work and the server not yet there.
const supervise = `dir=$1; bin=$2; shift 2
trap : INT
(
  "$bin/initdb" -D "$dir/data" -U trama -A trust -E UTF8 --locale=C --no-sync --no-instructions &&
  [ ! -e "$dir/stop" ] && "$bin/postgres" -D "$dir/data" "$@"
  : >"$dir/ended"
) >"$dir/log" 2>&1 </dev/null &
cat >/dev/null
tries=0; : >"$dir/stop"
until [ -e "$dir/ended" ] || [ $tries -gt 300 ]; do tries=$((tries+1)); kill -INT 0; sleep 0.1; done
rm -rf "$dir"`

func startPostgres(durable bool) (string, error) {
	bin, err := postgresBinaries()
	if err != nil {
		return "", err
	}
	as, err := serverUser()
	if err != nil {
		return "", err
	}
	dir, err := serverFolder(as)
	if err != nil {
		return "", err
	}
	args := []string{"-c", supervise, "supervise", dir, bin, "-c", "listen_addresses=", "-c", "unix_socket_directories=" + dir,
		"-c", "max_connections=200", "-c", "shared_buffers=64MB"}
	if !durable {
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	reading, writing, err := os.Pipe()
	if err != nil {
		return "", err
	}
	server := exec.Command("/bin/sh", args...)
	server.Dir = dir
	server.Stdin = reading
	server.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setpgid: true} // an interrupt from the keyboard reaches the tests alone
	if err := server.Start(); err != nil {
		return "", err
	}
	reading.Close()
	lifelines = append(lifelines, writing)
	address := (&url.URL{Scheme: "postgres", User: url.User("trama"), Path: "/postgres", RawQuery: url.Values{"host": {dir}}.Encode()}).String()
	if err := awaitServer(address, filepath.Join(dir, "ended")); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		writing.Close()
		return "", fmt.Errorf("the private server does not start: %w\n%s", err, log)
	}
	return address, nil
}

// awaitServer asks until the server answers, or has left the mark of its end.
func awaitServer(address, ended string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for {
		conn, err := pgx.Connect(ctx, address)
		if err == nil {
			return conn.Close(ctx)
		}
		if _, gone := os.Stat(ended); gone == nil {
			return errors.New("it ended")
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return err
		}
	}
}

// postgresBinaries finds the folder that holds initdb and postgres, preferring
// the one on the PATH, then the newest version.
func postgresBinaries() (string, error) {
	var folders []string
	if path, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			folders = append(folders, filepath.Dir(real))
		}
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/pgsql/bin"} {
		found, _ := filepath.Glob(pattern)
		slices.Reverse(found)
		folders = append(folders, found...)
	}
	for _, folder := range folders {
		if executable(filepath.Join(folder, "initdb")) && executable(filepath.Join(folder, "postgres")) {
			return folder, nil
		}
	}
	return "", errors.New("no initdb and postgres on the PATH or in /usr/lib/postgresql: install the package postgresql, or set " + postgresVariable + " to the URL of a server")
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// serverUser returns whom the server runs as: nil for the present user, another
// one where that is root, which PostgreSQL refuses.
func serverUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it as")
}

// serverFolder makes a folder that the server's user can reach and whose name
// leaves room for a socket's (108 bytes on Linux, 104 elsewhere).
func serverFolder(as *syscall.Credential) (string, error) {
	for _, parent := range []string{os.TempDir(), "/tmp", "/var/tmp"} {
		if len(parent) > 60 || as != nil && !open(parent) {
			continue
		}
		dir, err := os.MkdirTemp(parent, "trama-pg-")
		if err != nil {
			continue
		}
		if as != nil {
			if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
				return "", errors.Join(err, os.Remove(dir))
			}
		}
		return dir, nil
	}
	return "", errors.New("no temporary folder is short enough for a socket and open to the server's user")
}

// open reports whether everyone may pass through a folder and all above it.
func open(dir string) bool {
	for {
		info, err := os.Stat(dir)
		if err != nil || info.Mode()&fs.FileMode(0o001) == 0 {
			return false
		}
		up := filepath.Dir(dir)
		if up == dir {
			return true
		}
		dir = up
	}
}
