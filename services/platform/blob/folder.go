package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// folder is a Store in a local folder: ab/cd/abcd…, two levels of 256, so that no
// folder gets large before there are tens of millions of contents. Drafts are in
// drafts/, on the same file system, so that keeping one is a rename: there is
// never a content that is half there.
type folder struct{ dir string }

func openFolder(dir string) (*folder, error) {
	f := &folder{dir: dir}
	if err := os.MkdirAll(f.drafts(), 0o750); err != nil {
		return nil, fmt.Errorf("blob store: %w", err)
	}
	return f, nil
}

func (f *folder) drafts() string { return filepath.Join(f.dir, "drafts") }

func (f *folder) path(sum Sum) string {
	return filepath.Join(f.dir, string(sum[:2]), string(sum[2:4]), string(sum))
}

// Draft implements Store.
func (f *folder) Draft() (*Draft, error) { return newDraft(f.drafts()) }

// Keep implements Store. The file is on the disk before it gets its name, and
// the folders that hold the name are too before it returns.
func (f *folder) Keep(ctx context.Context, d *Draft) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	to := f.path(d.Sum())
	if err := d.file.Sync(); err != nil {
		return fmt.Errorf("blob keep: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return fmt.Errorf("blob keep: %w", err)
	}
	if err := os.Rename(d.file.Name(), to); err != nil {
		return fmt.Errorf("blob keep: %w", err)
	}
	d.gone = true
	shard := filepath.Dir(to)
	for _, dir := range []string{shard, filepath.Dir(shard), f.dir} {
		if err := syncDir(dir); err != nil {
			return fmt.Errorf("blob keep: %w", err)
		}
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return firstOf(d.Sync(), d.Close())
}

// Open implements Store.
func (f *folder) Open(_ context.Context, sum Sum) (io.ReadCloser, int64, error) {
	if !sum.Valid() {
		return nil, 0, ErrAbsent
	}
	file, err := os.Open(f.path(sum))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, ErrAbsent
	}
	if err != nil {
		return nil, 0, fmt.Errorf("blob open: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, firstOf(fmt.Errorf("blob open: %w", err), file.Close())
	}
	return check(file, sum, info.Size()), info.Size(), nil
}

// Remove implements Store.
func (f *folder) Remove(_ context.Context, sum Sum) error {
	if !sum.Valid() {
		return nil
	}
	if err := os.Remove(f.path(sum)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("blob remove: %w", err)
	}
	return nil
}

// Sweep implements Store.
func (f *folder) Sweep(before time.Time) error { return sweep(f.drafts(), before) }

// Ready implements Store: it writes a draft, as a full or read-only disk shows
// no other way.
func (f *folder) Ready(context.Context) error {
	d, err := f.Draft()
	if err != nil {
		return err
	}
	_, err = d.Write([]byte("ready?"))
	return firstOf(err, d.Close())
}
