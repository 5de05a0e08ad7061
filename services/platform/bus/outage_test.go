package bus_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

// gate is a way to PostgreSQL that can be shut. (SQLite has no such way: there
// is nothing between it and the process.)
type gate struct {
	t        *testing.T
	to       string // socket
	address  string
	listener net.Listener
	mu       sync.Mutex
	open     map[net.Conn]bool
	running  sync.WaitGroup
}

// newGate opens a way to the server of a URL and returns it with the URL that
// leads through it.
func newGate(t *testing.T, server string) (*gate, string) {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	g := &gate{t: t, to: filepath.Join(query.Get("host"), ".s.PGSQL.5432"), address: "127.0.0.1:0", open: map[net.Conn]bool{}}
	g.unlock()
	t.Cleanup(g.shut)
	query.Del("host")
	query.Set("sslmode", "disable")
	u.Host, u.RawQuery = g.address, query.Encode()
	return g, u.String()
}

func (g *gate) unlock() {
	g.t.Helper()
	listener, err := net.Listen("tcp", g.address)
	if err != nil {
		g.t.Fatal(err)
	}
	g.listener, g.address = listener, listener.Addr().String()
	g.running.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("unix", g.to)
			if err != nil {
				in.Close()
				continue
			}
			g.mu.Lock()
			g.open[in], g.open[out] = true, true
			g.mu.Unlock()
			for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
				g.running.Go(func() {
					_, _ = io.Copy(way[0], way[1])
					way[0].Close()
				})
			}
		}
	})
}

// shut breaks every connection and lets no other in.
func (g *gate) shut() {
	g.listener.Close()
	g.mu.Lock()
	for c := range g.open {
		c.Close()
	}
	clear(g.open)
	g.mu.Unlock()
	g.running.Wait()
}

func TestADatabaseThatIsAwayKillsNoEvents(t *testing.T) {
	b := testkit.Bus(t)
	g, through := newGate(t, testkit.Postgres(t))
	db, err := sqldb.Open(t.Context(), sqldb.Config{URL: through, Schema: "outage", Log: testkit.Log(t)}, effects)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := newSink(db, "matching")
	c := s.consumer("catalogue")
	c.MaxDeliveries = 1 // whatever counted as the event's fault would be its end
	consume(t, b, c)
	first := testkit.Publish(t, b, "catalogue", events(0, 20, 4)...)
	s.await(t, 20)
	g.shut()
	second := testkit.Publish(t, b, "catalogue", events(20, 300, 4)...)
	noticed, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	<-noticed.Done() // long enough for each event to have failed, if it could
	cancel()
	g.unlock()
	s.await(t, 300)
	settled(t, b, "matching", "catalogue")
	s.checkOnce(t, append(first, second...))
	s.checkOrder(t)
	if letters, err := b.DeadLetters(t.Context()); err != nil || len(letters) > 0 {
		t.Errorf("dead letters %v, %v", letters, err)
	}
}
