package blob

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// draftPrefix begins the names of drafts, for the sweeping.
const draftPrefix = "draft-"

// Draft is a content that is being written. It is for one goroutine.
type Draft struct {
	file *os.File
	hash hash.Hash
	size int64
	sum  Sum
	gone bool // moved into the store
}

func newDraft(dir string) (*Draft, error) {
	f, err := os.CreateTemp(dir, draftPrefix+"*")
	if err != nil {
		return nil, fmt.Errorf("blob draft: %w", err)
	}
	return &Draft{file: f, hash: sha256.New()}, nil
}

// Write appends to the content. Not after Sum.
func (d *Draft) Write(p []byte) (int, error) {
	if d.sum != "" {
		return 0, fmt.Errorf("blob draft: written to after its sum was taken")
	}
	n, err := d.file.Write(p)
	d.hash.Write(p[:n])
	d.size += int64(n)
	return n, err
}

// ReadAt implements io.ReaderAt over what has been written.
func (d *Draft) ReadAt(p []byte, off int64) (int, error) { return d.file.ReadAt(p, off) }

// Size is the length of the content in bytes.
func (d *Draft) Size() int64 { return d.size }

// Sum returns the content's sum and ends the writing.
func (d *Draft) Sum() Sum {
	if d.sum == "" {
		d.sum = Sum(hex.EncodeToString(d.hash.Sum(nil)))
	}
	return d.sum
}

// Close ends the draft and removes its file. A content that was kept stays.
func (d *Draft) Close() error {
	err := d.file.Close()
	if !d.gone {
		err = firstOf(err, os.Remove(d.file.Name()))
	}
	return err
}

// sweep removes the drafts in a folder that were last written to before a time.
func sweep(dir string, before time.Time) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("blob drafts: %w", err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), draftPrefix) || e.IsDir() {
			continue
		}
		info, err := e.Info()
		if os.IsNotExist(err) {
			continue // closed meanwhile
		}
		if err == nil && info.ModTime().Before(before) {
			err = os.Remove(filepath.Join(dir, e.Name()))
		}
		if err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("blob drafts: %w", err)
		}
	}
	return nil
}

func firstOf(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}
