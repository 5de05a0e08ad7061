// Package e2e runs the same tests against the suite in both its shapes: one
// process with SQLite and embedded NATS, and one process for each target with
// PostgreSQL and a NATS server. It uses the built binary and its public APIs
// only.
package e2e

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/trama-suite/trama/gateway/rest"
	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/rpc"
)

// startTime is how long a shape may take to be ready: the split one builds two
// binaries and makes a PostgreSQL cluster.
const startTime = 5 * time.Minute

// shape is a running suite.
type shape struct {
	name string
	base string            // of the REST API
	grpc map[string]string // address by service
	dir  string
	// operations are the addresses where each process tells of its health.
	operations []string
	// tokens mints what the suite accepts, with the key in keyFile.
	tokens  *auth.LocalIssuer
	keyFile string
	// pid is the id of a process, which a supervisor starts again when it dies.
	// Nil for the one-process shape.
	pid  func(process string) (int, error)
	stop func()
	// crash ends everything at once, by SIGKILL.
	crash func()

	mu    sync.Mutex
	conns map[string]*rpc.Client
}

var services = []string{"catalogue", "matching", "projects", "training", "impact"}

// shapes are started at first use and shared by all tests, which therefore
// make their own organisations and look at nothing else.
var shapes = map[string]func() (*shape, error){
	"one process": sync.OnceValues(startOne),
	"split":       sync.OnceValues(startSplit),
}

var (
	root = must(filepath.Abs("../.."))
	work = must(os.MkdirTemp("", "trama-e2e-"))
)

func TestMain(m *testing.M) {
	code := func() int {
		defer func() { _ = os.RemoveAll(work) }()
		defer func() {
			for _, s := range started {
				s.stop()
			}
		}()
		return m.Run()
	}()
	os.Exit(code)
}

var started []*shape

// eachShape runs a test on both shapes.
func eachShape(t *testing.T, test func(t *testing.T, s *shape)) {
	for _, name := range []string{"one process", "split"} {
		t.Run(name, func(t *testing.T) {
			s, err := shapes[name]()
			if err != nil {
				t.Fatal(err)
			}
			test(t, s)
		})
	}
}

// binary is the built program.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(work, "trama")
	build := exec.Command("go", "build", "-trimpath", "-o", path, "./gateway/cmd/trama")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

func startOne() (*shape, error) {
	s, err := runOne(filepath.Join(work, "one"))
	if err == nil {
		started = append(started, s)
	}
	return s, err
}

// runOne runs the suite in one process on a data folder.
func runOne(dir string) (*shape, error) {
	program, err := binary()
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	http, grpcAddr := local(ports), local(ports+1)
	cmd := exec.Command(program, "serve", "--data", dir, "--http", http, "--grpc", grpcAddr)
	addresses := map[string]string{}
	for _, s := range services {
		addresses[s] = grpcAddr
	}
	s := &shape{name: "one process", base: "http://" + http, operations: []string{"http://" + http}, grpc: addresses, dir: dir}
	return s, launch(s, cmd, filepath.Join(dir, auth.LocalKeyFile), nil)
}

func startSplit() (*shape, error) {
	s, err := runSplit(filepath.Join(work, "split"))
	if err == nil {
		started = append(started, s)
	}
	return s, err
}

// runSplit runs the suite as separate processes on a folder.
func runSplit(dir string) (*shape, error) {
	port, err := freePorts(14)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(root, "scripts", "split.sh"), dir, strconv.Itoa(port))
	addresses := map[string]string{}
	for i, s := range services {
		addresses[s] = local(port + 2 + i)
	}
	s := &shape{name: "split", base: "http://" + local(port), operations: []string{"http://" + local(port)}, grpc: addresses, dir: dir}
	for i := range services {
		s.operations = append(s.operations, "http://"+local(port+8+i))
	}
	s.pid = func(process string) (int, error) {
		raw, err := os.ReadFile(filepath.Join(dir, "run", process+".pid"))
		if err != nil {
			return 0, err
		}
		return strconv.Atoi(strings.TrimSpace(string(raw)))
	}
	err = launch(s, cmd, filepath.Join(dir, "issuer.pem"), func() bool {
		_, err := os.Stat(filepath.Join(dir, "run", "ready"))
		return err == nil
	})
	return s, err
}

// launch starts the command and waits until the suite is ready.
func launch(s *shape, cmd *exec.Cmd, keyFile string, ready func() bool) error {
	var output syncBuffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended is in its output
		close(ended)
	}()
	s.crash = func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-ended
	}
	s.stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(30 * time.Second):
			s.crash()
		}
	}
	s.conns = map[string]*rpc.Client{}
	deadline := time.Now().Add(startTime)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return fmt.Errorf("%s ended while starting: %s\n%s", s.name, cmd.ProcessState, output.String())
		case <-tick.C:
		}
		if (ready == nil || ready()) && s.ready() {
			break
		}
		if time.Now().After(deadline) {
			s.stop()
			return fmt.Errorf("%s was not ready in time\n%s", s.name, output.String())
		}
	}
	var err error
	s.keyFile = keyFile
	s.tokens, err = auth.OpenLocalIssuer(keyFile, "", time.Now)
	return err
}

func (s *shape) ready() bool {
	res, err := http.Get(s.base + "/readyz")
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// as returns a REST client for a subject with network-wide roles.
func (s *shape) as(t *testing.T, subject string, roles ...authzv1.Role) *rest.Client {
	t.Helper()
	return &rest.Client{Base: s.base, Token: s.token(t, subject, roles...), HTTP: &http.Client{Timeout: time.Minute}}
}

func (s *shape) token(t testing.TB, subject string, roles ...authzv1.Role) string {
	t.Helper()
	token, err := s.tokens.Mint(subject, roles, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// operator is a REST client of the network operator.
func (s *shape) operator(t *testing.T) *rest.Client {
	t.Helper()
	return s.as(t, "e2e-operator", authzv1.Role_ROLE_NETWORK_OPERATOR)
}

// member makes a subject a member of an organisation and returns its client.
func (s *shape) member(t *testing.T, organisation string, role authzv1.Role) *rest.Client {
	t.Helper()
	subject := auth.RoleName(role) + "@" + organisation
	err := s.operator(t).Post(t.Context(), "/v1/"+organisation+"/memberships", &cataloguev1.Membership{Subject: subject, Role: role}, nil)
	if err != nil && rest.ReasonOf(err) != "ALREADY_EXISTS" {
		t.Fatal(err)
	}
	return s.as(t, subject)
}

// dial returns a gRPC connection to a service, without a token of its own.
func (s *shape) dial(t testing.TB, service string) grpc.ClientConnInterface {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if conn, ok := s.conns[service]; ok {
		return conn
	}
	conn, err := rpc.Dial(s.grpc[service], nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.conns[service] = conn
	return conn
}

// outgoing returns a context to call over gRPC with, with that token.
func (s *shape) outgoing(t testing.TB, token string) context.Context {
	t.Helper()
	return metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token)
}

// until waits for what events bring about.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited in vain for %s", what)
		case <-t.Context().Done():
			t.Fatal(context.Cause(t.Context()))
		}
	}
}

// Ports are taken from below those that systems give to outgoing connections,
// one of which could otherwise sit on a port by the time that it is wanted.
const firstPort, lastPort = 15_000, 30_000

// freePorts returns the first of n ports in a row that are free.
func freePorts(n int) (int, error) {
	for range 1000 {
		first := firstPort + rand.IntN(lastPort-firstPort-n)
		free := true
		for p := first; free && p < first+n; p++ {
			l, err := net.Listen("tcp", local(p))
			if free = err == nil; free {
				_ = l.Close()
			}
		}
		if free {
			return first, nil
		}
	}
	return 0, fmt.Errorf("no %d free ports in a row from %d to %d", n, firstPort, lastPort)
}

func local(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// syncBuffer collects what a process prints.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
