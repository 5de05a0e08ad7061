// Package search is the catalogue's full-text index: a copy of what is
// published, made to be searched. The database is the record. The index is
// built from it, compared with it at every start, kept fresh by changes, and
// may be deleted at any time.
package search

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/mapping"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Source is the database as the index sees it.
type Source interface {
	// Load returns those of the named documents that are published now.
	Load(ctx context.Context, names []string) ([]Document, error)
	// Keys returns the keys of published documents whose name is above after, in
	// ascending order of name (by bytes), at most limit.
	Keys(ctx context.Context, after string, limit int) ([]Key, error)
}

// Index is the index of one replica. Its methods may be used by many goroutines.
type Index struct {
	log     *slog.Logger
	source  Source
	mapping *mapping.IndexMappingImpl
	dir     string

	life   sync.RWMutex // held for writing while the engine is opened or closed
	bleve  bleve.Index  // nil unless Run is under way
	inStep atomic.Bool  // Run is under way and has compared the index with the database
	speaks atomic.Pointer[[]string]

	mu       sync.Mutex
	waiting  []Change         // in order of arrival
	latest   map[string]int64 // newest event of what waits, by name
	applied  map[string]int64 // newest event of what was applied of late, by name
	arrived  uint64           // changes that ever waited
	settled  uint64           // of these, applied
	state    uint64           // counts what happened to the index, for the cache
	cache    cache
	awake    chan struct{} // something waits
	progress chan struct{} // closed and replaced whenever settled grows
}

// Change says that a document has changed. Event is the number of its event, 0
// where it has none.
type Change struct {
	Name  string
	Event int64
}

// New returns the index that lives in a folder of its own below dir; with an
// empty dir it lives in a temporary folder while Run is under way. It touches
// nothing: Run does.
func New(dir string, source Source, log *slog.Logger) *Index {
	return &Index{
		log: log, source: source, mapping: newMapping(), dir: dir,
		latest: map[string]int64{}, applied: map[string]int64{},
		awake: make(chan struct{}, 1), progress: make(chan struct{}),
	}
}

// Ready reports, as an error, that searches cannot be answered.
func (x *Index) Ready(context.Context) error {
	if !x.inStep.Load() {
		return errors.New("the search index is being built, or cannot be opened: the log says more")
	}
	return nil
}

// start opens the index, and makes it where it is absent, of another layout or
// broken. stop closes it once the searches under way have ended.
func (x *Index) start() (stop func() error, err error) {
	dir, scratch := x.dir, ""
	if dir == "" {
		if scratch, err = os.MkdirTemp("", "trama-search-"); err != nil {
			return nil, fmt.Errorf("search index: %w", err)
		}
		dir = scratch
	}
	opened, err := x.open(filepath.Join(dir, "search"))
	if err != nil {
		return nil, fmt.Errorf("search index: %w", err)
	}
	x.life.Lock()
	x.bleve = opened
	x.life.Unlock()
	x.mu.Lock()
	x.state++
	x.mu.Unlock()
	return func() error {
		x.inStep.Store(false)
		x.life.Lock()
		defer x.life.Unlock()
		x.bleve = nil
		err := opened.Close()
		if scratch != "" {
			err = errors.Join(err, os.RemoveAll(scratch))
		}
		return err
	}, nil
}

// settings of the engine. Batches are not waited for until they are on disk:
// what a crash loses, the comparison at the next start finds. An index that
// another process has open is an error, not a wait.
func settings() map[string]any {
	return map[string]any{"unsafe_batch": true, "bolt_timeout": "2s", "numSnapshotsToKeep": 1}
}

func (x *Index) open(folder string) (bleve.Index, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	// Folders of other layouts are of no use any more.
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Name() != layout {
			if err := os.RemoveAll(filepath.Join(folder, e.Name())); err != nil {
				return nil, err
			}
		}
	}
	path := filepath.Join(folder, layout)
	opened, err := bleve.OpenUsing(path, settings())
	if err == nil || errors.Is(err, bolterrors.ErrTimeout) {
		return opened, err
	}
	if !errors.Is(err, bleve.ErrorIndexPathDoesNotExist) {
		x.log.Warn("search index is broken and is built anew", "error", err)
	}
	if err := os.RemoveAll(path); err != nil {
		return nil, err
	}
	return bleve.NewUsing(path, x.mapping, scorch.Name, scorch.Name, settings())
}

// learnLanguages finds out in which languages the index has text, so that a
// search asks those only.
func (x *Index) learnLanguages() error {
	fields, err := x.bleve.Fields()
	if err != nil {
		return fmt.Errorf("search index: %w", err)
	}
	have := map[string]bool{}
	for _, f := range fields {
		if _, language, ok := strings.Cut(f, "_"); ok {
			have[language] = true
		}
	}
	var out []string
	for _, language := range languages {
		if have[language] {
			out = append(out, language)
		}
	}
	x.speaks.Store(&out)
	return nil
}
