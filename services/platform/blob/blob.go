// Package blob keeps contents under the SHA-256 of their bytes: in a folder, or
// in a store that speaks the S3 protocol. What is kept never changes, the same
// content is kept once, and what is read is checked against its name. The
// package knows no names, types or owners: those are rows in a service's
// database, which also says what may be removed.
//
// A content is written to a Draft first, which is a file on the local disk, so
// that whoever takes it in can look at all of it before it is kept, with little
// memory:
//
//	draft, err := store.Draft()
//	defer draft.Close()       // removes it, kept or not
//	io.Copy(draft, r)
//	err = store.Keep(ctx, draft)
//	row := draft.Sum()        // only now may a row point to it
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/url"
	"path/filepath"
	"time"
)

// Errors of a store, to be asked for with errors.Is.
var (
	// ErrAbsent says that no content of that sum is kept.
	ErrAbsent = errors.New("blob: there is no such content")
	// ErrDamaged says that what is kept is not what was put there.
	ErrDamaged = errors.New("blob: the content is not what it was when it was kept")
)

// Sum is the SHA-256 of a content in lower-case hexadecimal, 64 characters.
type Sum string

// Valid reports whether the sum has the form of one.
func (s Sum) Valid() bool {
	if len(s) != 2*sha256.Size {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Store keeps contents. Its methods may be called at the same time, also by
// several processes on the same folder or bucket.
type Store interface {
	// Draft begins a content. Close must be called on it.
	Draft() (*Draft, error)
	// Keep keeps the content of a draft, durably once it returns nil. A content
	// that is there already is written anew, which mends a damaged one.
	Keep(ctx context.Context, d *Draft) error
	// Open returns the content of a sum from its beginning, and its length in
	// bytes. ErrAbsent where there is none. The reader ends with ErrDamaged
	// instead of io.EOF where the content is not that of the sum, and then
	// withholds the end of it.
	Open(ctx context.Context, sum Sum) (io.ReadCloser, int64, error)
	// Remove removes the content of a sum; nil where there is none.
	Remove(ctx context.Context, sum Sum) error
	// Sweep removes drafts that were left behind by processes that died, last
	// written to before that time.
	Sweep(before time.Time) error
	// Ready returns nil where contents can be kept and read, or what is wrong.
	Ready(ctx context.Context) error
}

// Config says where contents are kept.
type Config struct {
	// URL is file:DIRECTORY, or s3://BUCKET/PREFIX?endpoint=URL&region=NAME.
	URL string
	// AccessKey and SecretKey are the account at the S3 endpoint. Empty: those
	// of the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
	AccessKey, SecretKey string
	// Area is a folder of the store that is one service's own.
	Area string
	// Scratch is the folder for drafts of an S3 store; empty: the system's.
	Scratch string
}

// Open opens the store of a configuration. It makes the folder; the bucket must
// exist by the time of the first call.
func Open(cfg Config) (Store, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("blob store: the URL cannot be read") // it may hold a password
	}
	switch u.Scheme {
	case "file":
		return openFolder(filepath.Join(Directory(u), cfg.Area))
	case "s3":
		return openBucket(u, cfg)
	}
	return nil, fmt.Errorf("blob store: %q is neither file: nor s3: and a place", u.Scheme)
}

// Check returns what is wrong with a URL of a Config, nil where nothing is.
func Check(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return errors.New("it is not a URL")
	}
	switch u.Scheme {
	case "file":
		if Directory(u) == "" || u.Host != "" || u.RawQuery != "" {
			return errors.New("file: is followed by a folder, as in file:/var/lib/trama/files")
		}
		return nil
	case "s3":
		_, err := placeOf(u)
		return err
	}
	return errors.New("it must be file:DIRECTORY, s3://bucket/prefix?endpoint=https://host, or empty for a folder in the data folder")
}

// Directory returns the folder of a URL file:DIRECTORY.
func Directory(u *url.URL) string {
	if u.Opaque != "" {
		return u.Opaque // file:data/files, relative
	}
	return u.Path
}

// checked reads a content and checks it against its sum. The last byte is given
// only once the sum is right, so that a reader who got all has the right content.
type checked struct {
	from io.ReadCloser
	sum  Sum
	left int64
	hash hash.Hash
	held []byte // the last byte
	err  error
}

func check(from io.ReadCloser, sum Sum, size int64) io.ReadCloser {
	return &checked{from: from, sum: sum, left: size, hash: sha256.New()}
}

// Read implements io.Reader.
func (c *checked) Read(p []byte) (int, error) {
	if c.err != nil || len(p) == 0 {
		return 0, c.err
	}
	if len(c.held) > 0 {
		p[0] = c.held[0]
		c.held, c.err = nil, io.EOF
		return 1, nil
	}
	if c.left <= 1 {
		return c.finish(p)
	}
	n, err := c.from.Read(p[:min(int64(len(p)), c.left-1)])
	c.hash.Write(p[:n])
	c.left -= int64(n)
	if errors.Is(err, io.EOF) { // shorter than it was
		err = nil
		c.err = ErrDamaged
		if n == 0 {
			err = c.err
		}
	}
	return n, err
}

// finish reads the last byte and whatever should not be behind it.
func (c *checked) finish(p []byte) (int, error) {
	rest, err := io.ReadAll(io.LimitReader(c.from, c.left+1))
	if err != nil {
		return 0, err
	}
	c.hash.Write(rest)
	if int64(len(rest)) != c.left || hex.EncodeToString(c.hash.Sum(nil)) != string(c.sum) {
		c.err = ErrDamaged
		return 0, c.err
	}
	c.held = rest
	if len(rest) == 0 {
		c.err = io.EOF
		return 0, c.err
	}
	return c.Read(p)
}

// Close implements io.Closer.
func (c *checked) Close() error { return c.from.Close() }
