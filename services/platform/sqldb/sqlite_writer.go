package sqldb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A group is bounded in number and in time, so that the first in it is answered
// soon however many follow.
const (
	groupMost = 256
	groupTime = 20 * time.Millisecond
)

// sqliteWriter owns the one connection that writes. Its goroutine takes waiting
// transactions one after another, gives each the connection for a turn, and
// commits them together: one fsync for all. A transaction's function runs in
// its caller's goroutine, so a panic or runtime.Goexit in it stays there.
type sqliteWriter struct {
	conn    *sqliteConn
	queue   chan *turn
	done    chan error    // the function under way has ended
	closing chan struct{} // closed: take no more
	stopped chan struct{} // closed: the goroutine has ended
	closer  sync.Once
}

// turn is one waiting transaction.
type turn struct {
	state  atomic.Int32 // turnWaiting, then turnTaken or turnGone
	start  chan error   // nil: the connection is yours
	answer chan error   // after the group's COMMIT
}

const (
	turnWaiting = iota
	turnTaken
	turnGone
)

var (
	errAbandoned = errors.New("sqldb: the transaction's function did not return")
	turns        = sync.Pool{New: func() any {
		return &turn{start: make(chan error, 1), answer: make(chan error, 1)}
	}}
)

func startSQLiteWriter(conn *sqliteConn) *sqliteWriter {
	w := &sqliteWriter{
		conn:    conn,
		queue:   make(chan *turn, groupMost),
		done:    make(chan error, 1),
		closing: make(chan struct{}),
		stopped: make(chan struct{}),
	}
	go w.loop()
	return w
}

// write waits for its turn, runs fn in it, and returns after the COMMIT that
// holds its changes. A context that ends while waiting withdraws the
// transaction; later it has no effect, as others share the COMMIT.
func (w *sqliteWriter) write(ctx context.Context, tx *Tx, fn func(ctx context.Context, tx *Tx) error) error {
	select {
	case <-w.closing:
		return ErrClosed
	default:
	}
	t := turns.Get().(*turn)
	t.state.Store(turnWaiting)
	select {
	case w.queue <- t:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.closing:
		return ErrClosed
	}
	if err := w.wait(ctx, t); err != nil {
		return err
	}
	if err := w.runTurn(ctx, tx, fn); err != nil {
		return err
	}
	err := <-t.answer
	turns.Put(t)
	return err
}

// wait returns nil when the connection is the turn's.
func (w *sqliteWriter) wait(ctx context.Context, t *turn) error {
	var gone error
	select {
	case err := <-t.start:
		return err
	case <-ctx.Done():
		gone = ctx.Err()
	case <-w.stopped:
		gone = ErrClosed
	}
	if t.state.CompareAndSwap(turnWaiting, turnGone) {
		return gone
	}
	return <-t.start // it has just been taken
}

// runTurn runs fn and tells the writer how it ended, even where it panics.
func (w *sqliteWriter) runTurn(ctx context.Context, tx *Tx, fn func(ctx context.Context, tx *Tx) error) (err error) {
	tx.session = sqliteSession{w.conn}
	returned := false
	defer func() {
		err = tx.finish(err)
		if !returned {
			err = errAbandoned
		}
		told := err
		if told != nil && tx.failed != nil { // fn may have put its own words in the error's place
			told = tx.failed
		}
		w.done <- told
		if err != nil && endsTransaction(told) {
			err = unavailable(err)
		}
	}()
	err = fn(ctx, tx)
	returned = true
	return err
}

// loop forms groups until the writer is closed and nobody waits.
func (w *sqliteWriter) loop() {
	defer close(w.stopped)
	for {
		select {
		case t := <-w.queue:
			w.group(t)
		case <-w.closing:
			for {
				select {
				case t := <-w.queue:
					w.group(t)
				default:
					return
				}
			}
		}
	}
}

// group runs waiting transactions from first on, commits them and answers all.
// One that fails is rolled back alone and is not among those answered: its
// caller has the error already.
func (w *sqliteWriter) group(first *turn) {
	var waiting []*turn
	var broken error
	began := time.Now()
	for t := first; t != nil; t = w.next(len(waiting), began) {
		if !t.state.CompareAndSwap(turnWaiting, turnTaken) {
			continue // its caller has gone
		}
		var joined bool
		if joined, broken = w.take(t, len(waiting) == 0); joined {
			waiting = append(waiting, t)
		}
		if broken != nil {
			break
		}
	}
	w.finish(broken, waiting)
}

// take gives a transaction its turn. The first needs no savepoint: there is
// nothing else to protect. It returns whether the transaction awaits the group's
// COMMIT, and what broke the whole group.
func (w *sqliteWriter) take(t *turn, first bool) (joined bool, broken error) {
	begin, end, undo := "SAVEPOINT turn", "RELEASE turn", []string{"ROLLBACK TO turn", "RELEASE turn"}
	if first {
		begin, end, undo = "BEGIN IMMEDIATE", "", []string{"ROLLBACK"}
	}
	if err := w.conn.run(begin); err != nil {
		t.start <- unavailable(err)
		return false, err
	}
	t.start <- nil
	err := <-w.done
	switch {
	case !w.conn.inTransaction():
		return err == nil, fmt.Errorf("the transaction was ended from within: %w", cmp.Or(err, errAbandoned))
	case endsTransaction(err):
		return false, err
	case err == nil && end == "":
		return true, nil
	case err == nil:
		return true, w.conn.run(end)
	}
	for _, query := range undo {
		if err := w.conn.run(query); err != nil {
			return false, err
		}
	}
	return false, nil
}

// next returns another transaction for the group, nil where nobody waits or the
// group is full.
func (w *sqliteWriter) next(members int, began time.Time) *turn {
	if members >= groupMost || time.Since(began) > groupTime {
		return nil
	}
	select {
	case t := <-w.queue:
		return t
	default:
		return nil
	}
}

// finish commits the group, or rolls it back, and answers its members.
func (w *sqliteWriter) finish(broken error, waiting []*turn) {
	if w.conn.inTransaction() && broken == nil {
		broken = w.conn.run("COMMIT")
	}
	if w.conn.inTransaction() { // COMMIT has failed, or was not to be tried
		_ = w.conn.run("ROLLBACK")
	}
	var answer error
	if broken != nil {
		answer = unavailable(fmt.Errorf("sqldb: the group of transactions was rolled back: %w", broken))
	}
	for _, t := range waiting {
		t.answer <- answer
	}
}

// close takes no more transactions and waits for those that wait.
func (w *sqliteWriter) close() error {
	w.closer.Do(func() { close(w.closing) })
	<-w.stopped
	return w.conn.close()
}

// sqliteSession runs a transaction's statements on a connection. No context
// reaches them: on the writer an interrupt would roll back the whole group, and
// a reader is interrupted as a whole.
type sqliteSession struct{ conn *sqliteConn }

func (s sqliteSession) exec(_ context.Context, query string, args []any) (int64, error) {
	return s.conn.exec(query, args)
}

func (s sqliteSession) queue(query string, args []any) error {
	_, err := s.conn.exec(query, args)
	return err
}

func (s sqliteSession) query(_ context.Context, query string, args []any) (cursor, error) {
	return s.conn.query(query, args)
}
