package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/trama-suite/trama/services/platform/blob"
)

// fixture is a store with a way to spoil what it keeps behind its back.
type fixture struct {
	blob.Store
	drafts string
	spoil  func(t *testing.T, sum blob.Sum, content []byte)
}

func inFolder(t *testing.T) fixture {
	dir := t.TempDir()
	s, err := blob.Open(blob.Config{URL: "file:" + dir, Area: "projects"})
	if err != nil {
		t.Fatal(err)
	}
	return fixture{s, filepath.Join(dir, "projects", "drafts"), func(t *testing.T, sum blob.Sum, content []byte) {
		p := filepath.Join(dir, "projects", string(sum[:2]), string(sum[2:4]), string(sum))
		if err := os.WriteFile(p, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}}
}

func inBucket(t *testing.T) fixture {
	backend := s3mem.New()
	if err := backend.CreateBucket("trama"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	t.Cleanup(server.Close)
	scratch := t.TempDir()
	s, err := blob.Open(blob.Config{URL: "s3://trama/files?region=eu-south-1&endpoint=" + server.URL, Area: "projects",
		AccessKey: "key", SecretKey: "secret", Scratch: scratch})
	if err != nil {
		t.Fatal(err)
	}
	return fixture{s, filepath.Join(scratch, "trama-drafts"), func(t *testing.T, sum blob.Sum, content []byte) {
		_, err := backend.PutObject("trama", "files/projects/"+string(sum[:2])+"/"+string(sum), map[string]string{}, bytes.NewReader(content), int64(len(content)), nil)
		if err != nil {
			t.Fatal(err)
		}
	}}
}

// each runs the conformance suite's test on every implementation.
func each(t *testing.T, fn func(t *testing.T, s fixture)) {
	for name, make := range map[string]func(*testing.T) fixture{"folder": inFolder, "bucket": inBucket} {
		t.Run(name, func(t *testing.T) { fn(t, make(t)) })
	}
}

func content(n int) []byte {
	out := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(out)
	return out
}

func sumOf(b []byte) blob.Sum {
	s := sha256.Sum256(b)
	return blob.Sum(hex.EncodeToString(s[:]))
}

func keep(t *testing.T, s blob.Store, b []byte) blob.Sum {
	t.Helper()
	d, err := s.Draft()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	if _, err := io.Copy(d, bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	if err := s.Keep(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	return d.Sum()
}

func read(t *testing.T, s blob.Store, sum blob.Sum) ([]byte, error) {
	t.Helper()
	r, size, err := s.Open(t.Context(), sum)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(r)
	if err == nil && int64(len(b)) != size {
		t.Errorf("%d bytes, said %d", len(b), size)
	}
	return b, err
}

func TestWhatIsKeptIsReadBack(t *testing.T) {
	each(t, func(t *testing.T, s fixture) {
		for _, n := range []int{1, 2, 63, 64, 512, 4096, 1 << 20, 6<<20 + 17} {
			want := content(n)
			sum := keep(t, s, want)
			if sum != sumOf(want) || !sum.Valid() {
				t.Errorf("%d bytes have the sum %s, want %s", n, sum, sumOf(want))
			}
			if got, err := read(t, s, sum); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes: read %d, %v", n, len(got), err)
			}
		}
	})
}

func TestAbsentAndRemoved(t *testing.T) {
	each(t, func(t *testing.T, s fixture) {
		for _, sum := range []blob.Sum{"", "ab", blob.Sum(strings.Repeat("../", 21) + "x"), sumOf([]byte("never"))} {
			if _, err := read(t, s, sum); !errors.Is(err, blob.ErrAbsent) {
				t.Errorf("%q: %v", sum, err)
			}
			if err := s.Remove(t.Context(), sum); err != nil {
				t.Errorf("removing %q: %v", sum, err)
			}
		}
		sum := keep(t, s, []byte("once"))
		if err := s.Remove(t.Context(), sum); err != nil {
			t.Fatal(err)
		}
		if _, err := read(t, s, sum); !errors.Is(err, blob.ErrAbsent) {
			t.Errorf("after removal: %v", err)
		}
	})
}

// A disk that rots, or a hand in the folder: whoever reads learns of it, and
// never has all of what is wrong. Keeping the right content again mends it.
func TestDamageIsFound(t *testing.T) {
	each(t, func(t *testing.T, s fixture) {
		for _, n := range []int{1, 100, 100_000} {
			right := content(n)
			sum := keep(t, s, right)
			flipped := bytes.Clone(right)
			flipped[n/2] ^= 1
			for name, wrong := range map[string][]byte{"flipped": flipped, "short": right[:n-1], "long": append(bytes.Clone(right), 0), "empty": nil} {
				s.spoil(t, sum, wrong)
				got, err := read(t, s, sum)
				if !errors.Is(err, blob.ErrDamaged) || len(got) >= max(n, len(wrong)) {
					t.Errorf("%s %d: read %d bytes, %v", name, n, len(got), err)
				}
			}
			if again := keep(t, s, right); again != sum {
				t.Fatal(again)
			}
			if got, err := read(t, s, sum); err != nil || !bytes.Equal(got, right) {
				t.Errorf("mended: %d bytes, %v", len(got), err)
			}
		}
	})
}

// Many at once, of one content and of many, with readers and a remover between.
func TestManyWritersAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s fixture) {
		shared := content(50_000)
		sum := keep(t, s, shared)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for range 5 {
					if got := keep(t, s, shared); got != sum {
						t.Errorf("sum %s", got)
					}
					own := content(1000 + i)
					if got, err := read(t, s, keep(t, s, own)); err != nil || !bytes.Equal(got, own) {
						t.Errorf("own content: %v", err)
					}
					if got, err := read(t, s, sum); err != nil || !bytes.Equal(got, shared) {
						t.Errorf("shared content: %v", err)
					}
				}
			})
		}
		wg.Wait()
		empty(t, s.drafts)
	})
}

func empty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("%d drafts are left", len(left))
	}
}

func TestDraftsLeaveNothing(t *testing.T) {
	each(t, func(t *testing.T, s fixture) {
		d, err := s.Draft()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Write([]byte("half of it")); err != nil {
			t.Fatal(err)
		}
		var p [4]byte
		if n, err := d.ReadAt(p[:], 5); n != 4 || err != nil || string(p[:]) != "of i" {
			t.Errorf("read %q, %v", p[:n], err)
		}
		sum := d.Sum()
		if _, err := d.Write([]byte("more")); err == nil {
			t.Error("a draft was written to after its sum was taken")
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		empty(t, s.drafts)
		if _, err := read(t, s, sum); !errors.Is(err, blob.ErrAbsent) {
			t.Errorf("a draft that was not kept can be read: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		d, err = s.Draft()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Keep(ctx, d); err == nil {
			t.Error("kept though the context had ended")
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		empty(t, s.drafts)
	})
}

// What a process leaves behind that was killed goes; what somebody writes stays.
func TestSweep(t *testing.T) {
	each(t, func(t *testing.T, s fixture) {
		abandoned := filepath.Join(s.drafts, "draft-of-a-dead-process")
		if err := os.WriteFile(abandoned, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		day := time.Now().Add(-24 * time.Hour)
		if err := os.Chtimes(abandoned, day, day); err != nil {
			t.Fatal(err)
		}
		live, err := s.Draft()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = live.Close() }()
		if err := s.Sweep(time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(abandoned); !os.IsNotExist(err) {
			t.Errorf("the abandoned draft: %v", err)
		}
		if _, err := live.Write([]byte("alive")); err != nil {
			t.Fatal(err)
		}
		if err := s.Keep(t.Context(), live); err != nil {
			t.Errorf("the live draft: %v", err)
		}
	})
}

func TestReady(t *testing.T) {
	each(t, func(t *testing.T, s fixture) {
		if err := s.Ready(t.Context()); err != nil {
			t.Error(err)
		}
		empty(t, s.drafts)
	})
	server := httptest.NewServer(gofakes3.New(s3mem.New(), gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	defer server.Close()
	s, err := blob.Open(blob.Config{URL: "s3://nothing?endpoint=" + server.URL, AccessKey: "k", SecretKey: "s", Scratch: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "no bucket") {
		t.Errorf("without its bucket: %v", err)
	}
}

func TestURLs(t *testing.T) {
	for raw, ok := range map[string]bool{
		"file:/var/lib/trama": true, "file:data/files": true, "file:///srv/files": true, "s3://trama": true,
		"s3://trama/a/b?endpoint=http://127.0.0.1:9000&region=eu-south-1": true,
		"file:": false, "file://host/x": false, "s3://": false, "s3://UPPER": false, "s3://trama?endpoint=host": false,
		"s3://k:s@trama": false, "s3://trama?acess_key=x": false, "ftp://x": false, "/plain": false, "%": false,
		"s3://trama?endpoint=https://k:s@host": false,
	} {
		if err := blob.Check(raw); (err == nil) != ok {
			t.Errorf("%s: %v", raw, err)
		}
	}
}
