package search_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/trama-suite/trama/services/catalogue/internal/search"
)

// An index that cannot be opened is not ready, however long one waits.
func TestReadyMeansThatSearchesAreAnswered(t *testing.T) {
	dir := t.TempDir()
	blocked := filepath.Join(dir, "blocked")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	broken := search.New(blocked, &database{}, slog.New(slog.DiscardHandler))
	if err := broken.Run(t.Context()); err == nil {
		t.Fatal("an index was opened below a file")
	}
	if broken.Ready(t.Context()) == nil {
		t.Error("an index that could not be opened says that it is ready")
	}
	x, stop := run(t, dir, &database{})
	if err := x.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	stop()
	if x.Ready(t.Context()) == nil {
		t.Error("a stopped index says that it is ready")
	}
}
