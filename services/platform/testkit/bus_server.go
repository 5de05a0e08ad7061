package testkit

import (
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// NATS is a NATS server with JetStream on a loopback port, as a deployment in
// several processes has one, which a test may stop and start.
type NATS struct {
	t       testing.TB
	options server.Options
	server  *server.Server
}

// StartNATS starts a server with streams in a temporary folder and stops it at
// the end of the test.
func StartNATS(t testing.TB) *NATS {
	t.Helper()
	n := &NATS{t: t, options: server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true, NoSigs: true, NoLog: true,
	}}
	n.Start()
	t.Cleanup(n.Stop)
	return n
}

// Start starts the server, again with the same address and streams.
func (n *NATS) Start() {
	n.t.Helper()
	options := n.options
	s, err := server.NewServer(&options)
	if err != nil {
		n.t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		s.Shutdown()
		n.t.Fatalf("the NATS server did not start within %s", patience)
	}
	n.server = s
	n.options.Port = options.Port
}

// Stop stops the server.
func (n *NATS) Stop() {
	n.server.Shutdown()
	n.server.WaitForShutdown()
}

// URL is where the server listens.
func (n *NATS) URL() string { return n.server.ClientURL() }

// JetStream returns a connection of the test's own, to look at streams and to
// break them.
func (n *NATS) JetStream() jetstream.JetStream {
	n.t.Helper()
	nc, err := nats.Connect(n.URL(), nats.Timeout(5*time.Second))
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		n.t.Fatal(err)
	}
	return js
}
