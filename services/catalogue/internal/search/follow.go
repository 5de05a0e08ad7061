package search

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"time"
)

const (
	// batchSize is how many documents are read and written at once.
	batchSize = 500
	// buildSize is the same where the index is brought in step: larger, as it
	// makes fewer segments to merge.
	buildSize = 2000
	// keysAtOnce is how many keys are compared in one read.
	keysAtOnce = 5000
	// patience is how long a search waits for changes that came before it.
	patience = 2 * time.Second
	// remembered bounds how many applied events are kept in mind, so that the
	// echo of a large import is known when it comes.
	remembered = 1 << 16
)

// Note says that documents have changed: after a commit, or because an event
// says so. It returns at once; a search that starts after it has returned waits
// for the change. A change that is known already, by its event's number, costs
// nothing, so the local commit and its event may both be noted.
func (x *Index) Note(changes ...Change) {
	x.mu.Lock()
	for _, c := range changes {
		if known, ok := x.applied[c.Name]; ok && c.Event > 0 && c.Event <= known {
			continue
		}
		if waits, ok := x.latest[c.Name]; ok {
			// It will be read after this moment: once is enough.
			x.latest[c.Name] = max(waits, c.Event)
			continue
		}
		x.latest[c.Name] = c.Event
		x.waiting = append(x.waiting, c)
		x.arrived++
	}
	x.mu.Unlock()
	select {
	case x.awake <- struct{}{}:
	default:
	}
}

// Run opens the index, compares it with the source and then applies what is
// noted, until ctx ends. One Run may be under way at a time: as it reads each document
// itself, one after another, an older state never overwrites a newer one.
// Subscribe to the events before: what changes during the comparison is noted
// and applied after it.
func (x *Index) Run(ctx context.Context) (err error) {
	started := time.Now()
	stop, err := x.start()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if err := x.learnLanguages(); err != nil {
		return err
	}
	written, removed, err := x.compare(ctx)
	if err != nil {
		return err
	}
	if err := x.drain(ctx); err != nil {
		return err
	}
	if written > 10*buildSize {
		debug.FreeOSMemory() // a large build has left the heap far larger than what stays in it
	}
	x.inStep.Store(true)
	x.log.Info("search index is in step with the database", "written", written, "removed", removed, "took", time.Since(started))
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-x.awake:
		}
		if err := x.drain(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
}

// drain applies everything that waits.
func (x *Index) drain(ctx context.Context) error {
	for {
		x.mu.Lock()
		n := min(batchSize, len(x.waiting))
		names := make([]string, n)
		events := make([]int64, n)
		for i, c := range x.waiting[:n] {
			names[i], events[i] = c.Name, x.latest[c.Name]
			delete(x.latest, c.Name)
		}
		x.waiting = x.waiting[n:]
		if len(x.waiting) == 0 {
			x.waiting = nil // let go of a long queue's memory
		}
		x.mu.Unlock()
		if n == 0 {
			return nil
		}
		if err := x.apply(ctx, names); err != nil {
			x.putBack(names, events)
			return err
		}
		x.mu.Lock()
		x.settled += uint64(n)
		x.state++
		if len(x.applied)+n > remembered {
			x.applied = map[string]int64{} // not cleared: that would keep its memory
		}
		for i, name := range names {
			x.applied[name] = events[i]
		}
		close(x.progress)
		x.progress = make(chan struct{})
		x.mu.Unlock()
	}
}

// putBack returns what could not be applied to the front of the queue.
func (x *Index) putBack(names []string, events []int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	front := make([]Change, 0, len(names)+len(x.waiting))
	for i, name := range names {
		if waits, ok := x.latest[name]; ok {
			x.latest[name] = max(waits, events[i])
			x.settled++ // it waits further back
			continue
		}
		x.latest[name] = events[i]
		front = append(front, Change{Name: name, Event: events[i]})
	}
	x.waiting = append(front, x.waiting...)
}

// settle waits until everything noted so far has been applied, or for as long
// as people wait: an answer without the last change is better than none.
func (x *Index) settle(ctx context.Context) error {
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	x.mu.Lock()
	target := x.arrived
	for x.settled < target {
		progress := x.progress
		x.mu.Unlock()
		select {
		case <-progress:
		case <-wait.Done():
			return ctx.Err()
		}
		x.mu.Lock()
	}
	x.mu.Unlock()
	return nil
}

// apply reads the named documents and writes them as they are now: those that
// are not published any more are removed.
func (x *Index) apply(ctx context.Context, names []string) error {
	docs, err := x.source.Load(ctx, names)
	if err != nil {
		return fmt.Errorf("search index: load: %w", err)
	}
	batch := x.bleve.NewBatch() // only Run writes, and it has the index open
	found := make(map[string]bool, len(docs))
	for i := range docs {
		found[docs[i].Name] = true
		if err := batch.Index(docs[i].Name, docs[i].fields()); err != nil {
			return fmt.Errorf("search index: %s: %w", docs[i].Name, err)
		}
	}
	for _, name := range names {
		if !found[name] {
			batch.Delete(name)
		}
	}
	if err := x.bleve.Batch(batch); err != nil {
		return fmt.Errorf("search index: write: %w", err)
	}
	return x.learnLanguages()
}

// compare brings the index in step with the source: both are walked in order of
// name, and what differs is written or removed. An index that was right is only
// read; an empty one is built.
func (x *Index) compare(ctx context.Context) (written, removed int, err error) {
	indexed, done, err := x.terms()
	if err != nil {
		return 0, 0, err
	}
	defer done()
	next, stop := iter.Pull(indexed)
	defer stop()

	var differ []string
	flush := func(least int) error {
		for len(differ) > 0 && len(differ) >= least {
			n := min(buildSize, len(differ))
			if err := x.apply(ctx, differ[:n]); err != nil {
				return err
			}
			differ = differ[n:]
		}
		return nil
	}
	have, more := next()
	after := ""
	for {
		keys, err := x.source.Keys(ctx, after, keysAtOnce)
		if err != nil {
			return written, removed, fmt.Errorf("search index: keys: %w", err)
		}
		for _, want := range keys {
			for more && nameOfTerm(have) < want.Name {
				removed++
				differ = append(differ, nameOfTerm(have))
				have, more = next()
			}
			// A removed document's terms stay in the index for a while: only one
			// single term, the right one, proves that all is well.
			matches, count := false, 0
			for more && nameOfTerm(have) == want.Name {
				matches = have == want.term()
				count++
				have, more = next()
			}
			if !matches || count != 1 {
				written++
				differ = append(differ, want.Name)
			}
			after = want.Name
		}
		if err := flush(buildSize); err != nil {
			return written, removed, err
		}
		if len(keys) < keysAtOnce {
			break
		}
	}
	for more {
		removed++
		differ = append(differ, nameOfTerm(have))
		have, more = next()
	}
	return written, removed, flush(1)
}

// terms walks the keys in the index in ascending order.
func (x *Index) terms() (terms iter.Seq[string], done func(), err error) {
	dictionary, err := x.bleve.FieldDict(fieldKey)
	if err != nil {
		return nil, nil, fmt.Errorf("search index: %w", err)
	}
	return func(yield func(string) bool) {
		for {
			entry, err := dictionary.Next()
			if err != nil || entry == nil || !yield(entry.Term) {
				return
			}
		}
	}, func() { _ = dictionary.Close() }, nil
}
