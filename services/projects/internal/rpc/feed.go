package rpc

import (
	"context"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// Bounds of the feed.
const (
	// feedKept is how many changes are kept in memory: those who follow closely
	// read them there, and those who fall behind from the database.
	feedKept = 2048
	// feedBatch is how many changes are read at a time.
	feedBatch = 256
	// feedPoll is how often the database is asked where nobody tells of a change:
	// the bus may be down.
	feedPoll = time.Second
)

// feed reads the changes of alerts once for all who follow them on this replica.
// Nobody's slowness holds anything: each follower asks for what comes after its
// own place.
type feed struct {
	dirty chan struct{}

	mu      sync.Mutex
	running bool
	ended   bool
	last    int64                // number of the last change that was read
	recent  []*store.AlertChange // up to last, without gaps
	grown   chan struct{}        // closed when there is more
}

func newFeed() *feed { return &feed{dirty: make(chan struct{}, 1), grown: make(chan struct{})} }

// wake makes the feed look for changes.
func (f *feed) wake() {
	select {
	case f.dirty <- struct{}{}:
	default: // it is awake already
	}
}

// grow adds changes and tells those who wait.
func (f *feed) grow(more []*store.AlertChange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.recent = append(f.recent, more...)
	f.last = more[len(more)-1].Sequence
	if n := len(f.recent); n > 2*feedKept {
		f.recent = slices.Clone(f.recent[n-feedKept:])
	}
	f.announce()
}

func (f *feed) announce() {
	close(f.grown)
	f.grown = make(chan struct{})
}

// errFeedEnded tells followers that the server is stopping.
var errFeedEnded = errs.New(errs.Unavailable, errs.ServiceDown, "the server is stopping: follow again with the last resume token")

// after returns changes that come after a number, or, where there are none, what
// to wait for. known is false where they are to be read from the database.
func (f *feed) after(n int64) (changes []*store.AlertChange, more <-chan struct{}, known bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return nil, nil, true, errFeedEnded
	}
	if !f.running || n >= f.last {
		return nil, f.grown, true, nil
	}
	if len(f.recent) == 0 || f.recent[0].Sequence > n+1 {
		return nil, f.grown, false, nil
	}
	i, _ := slices.BinarySearchFunc(f.recent, n+1, func(c *store.AlertChange, n int64) int { return int(c.Sequence - n) })
	return f.recent[i:min(i+feedBatch, len(f.recent)):min(i+feedBatch, len(f.recent))], f.grown, true, nil
}

// Listen wakes the feed at changes of other replicas, which the bus tells of,
// until its context ends.
func (s *Server) Listen(ctx context.Context, b *bus.Bus) error {
	err := b.Watch(ctx, "projects", func(_ *eventv1.Envelope, data proto.Message) {
		switch data.(type) {
		case *projectsv1.AlertOpened, *projectsv1.AlertClosed, *projectsv1.AlertChanged:
			s.feed.wake()
		}
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// Follow keeps the feed until its context ends: it looks for changes when it is
// woken, and every second.
func (s *Server) Follow(ctx context.Context) error {
	f := s.feed
	last, _, err := s.lastChange(ctx)
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.running, f.ended = true, false
	f.last, f.recent = last, nil
	f.announce()
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.running, f.ended = false, true
		f.announce()
		f.mu.Unlock()
	}()
	poll := time.NewTicker(feedPoll)
	defer poll.Stop()
	for {
		if err := s.feedOn(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-f.dirty:
		case <-poll.C:
		}
	}
}

// feedOn reads the changes since the last.
func (s *Server) feedOn(ctx context.Context) error {
	for {
		more, err := s.changesAfter(ctx, s.feed.last) // nobody else writes last
		if err != nil {
			return err
		}
		if len(more) > 0 {
			s.feed.grow(more)
		}
		if len(more) < feedBatch {
			return nil
		}
	}
}

func (s *Server) changesAfter(ctx context.Context, n int64) ([]*store.AlertChange, error) {
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) ([]*store.AlertChange, error) {
		return store.AlertChanges(ctx, tx, n, feedBatch)
	})
}

func (s *Server) lastChange(ctx context.Context) (last, gone int64, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		last, gone, err = store.LastAlertChange(ctx, tx)
		return err
	})
	return last, gone, err
}
