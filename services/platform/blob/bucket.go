package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// bucket is a Store in a bucket of a service that speaks the S3 protocol. An
// object appears whole or not at all, and is read back as soon as it is there
// (all of them promise read-after-write for new objects).
type bucket struct {
	client  *minio.Client
	name    string
	prefix  string
	scratch string
}

// place is what the URL of a bucket says.
type place struct {
	endpoint, bucket, prefix, region string
	secure                           bool
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// defaultEndpoint is where a bucket is whose URL does not say.
const defaultEndpoint = "https://s3.amazonaws.com"

func placeOf(u *url.URL) (place, error) {
	p := place{bucket: u.Host, prefix: strings.Trim(u.Path, "/")}
	if !bucketName.MatchString(p.bucket) {
		return p, errors.New("s3: is followed by the name of a bucket, as in s3://trama/files?endpoint=https://s3.example.org")
	}
	if u.User != nil {
		return p, errors.New("keys do not belong in the URL: set files.access_key and files.secret_key")
	}
	q := u.Query()
	for key := range q {
		if key != "endpoint" && key != "region" {
			return p, fmt.Errorf("there is no parameter %q: endpoint and region are", key)
		}
	}
	endpoint := q.Get("endpoint")
	if endpoint == "" {
		endpoint = defaultEndpoint
	}
	e, err := url.Parse(endpoint)
	if err != nil || e.Host == "" || (e.Scheme != "https" && e.Scheme != "http") || strings.Trim(e.Path, "/") != "" || e.User != nil {
		return p, errors.New("endpoint must be http://host:port or https://host:port")
	}
	p.endpoint, p.secure, p.region = e.Host, e.Scheme == "https", q.Get("region")
	return p, nil
}

func openBucket(u *url.URL, cfg Config) (*bucket, error) {
	p, err := placeOf(u)
	if err != nil {
		return nil, fmt.Errorf("blob store: %w", err)
	}
	keys := credentials.NewEnvAWS()
	if cfg.AccessKey != "" {
		keys = credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, "")
	}
	client, err := minio.New(p.endpoint, &minio.Options{Creds: keys, Secure: p.secure, Region: p.region})
	if err != nil {
		return nil, fmt.Errorf("blob store: %w", err)
	}
	scratch := cfg.Scratch
	if scratch == "" {
		scratch = os.TempDir()
	}
	scratch = filepath.Join(scratch, "trama-drafts")
	if err := os.MkdirAll(scratch, 0o750); err != nil {
		return nil, fmt.Errorf("blob store: %w", err)
	}
	return &bucket{client: client, name: p.bucket, prefix: path.Join(p.prefix, cfg.Area), scratch: scratch}, nil
}

func (b *bucket) key(sum Sum) string { return path.Join(b.prefix, string(sum[:2]), string(sum)) }

// Draft implements Store.
func (b *bucket) Draft() (*Draft, error) { return newDraft(b.scratch) }

// Keep implements Store. The checksum travels along, so that the service refuses
// what arrives damaged.
func (b *bucket) Keep(ctx context.Context, d *Draft) error {
	_, err := b.client.PutObject(ctx, b.name, b.key(d.Sum()), io.NewSectionReader(d, 0, d.Size()), d.Size(), minio.PutObjectOptions{
		ContentType: "application/octet-stream", SendContentMd5: true, DisableMultipart: true,
	})
	if err != nil {
		return fmt.Errorf("blob keep: %w", err)
	}
	return nil
}

// Open implements Store.
func (b *bucket) Open(ctx context.Context, sum Sum) (io.ReadCloser, int64, error) {
	if !sum.Valid() {
		return nil, 0, ErrAbsent
	}
	object, err := b.client.GetObject(ctx, b.name, b.key(sum), minio.GetObjectOptions{})
	if err != nil {
		return nil, 0, fmt.Errorf("blob open: %w", err)
	}
	info, err := object.Stat() // the request is made here
	if err != nil {
		_ = object.Close()
		if absent(err) {
			return nil, 0, ErrAbsent
		}
		return nil, 0, fmt.Errorf("blob open: %w", err)
	}
	return check(object, sum, info.Size), info.Size, nil
}

func absent(err error) bool {
	answer := minio.ToErrorResponse(err)
	return answer.StatusCode == http.StatusNotFound && answer.Code != "NoSuchBucket"
}

// Remove implements Store.
func (b *bucket) Remove(ctx context.Context, sum Sum) error {
	if !sum.Valid() {
		return nil
	}
	if err := b.client.RemoveObject(ctx, b.name, b.key(sum), minio.RemoveObjectOptions{}); err != nil && !absent(err) {
		return fmt.Errorf("blob remove: %w", err)
	}
	return nil
}

// Sweep implements Store.
func (b *bucket) Sweep(before time.Time) error { return sweep(b.scratch, before) }

// Ready implements Store.
func (b *bucket) Ready(ctx context.Context) error {
	there, err := b.client.BucketExists(ctx, b.name)
	if err != nil {
		return fmt.Errorf("blob store: %w", err)
	}
	if !there {
		return fmt.Errorf("blob store: there is no bucket %s", b.name)
	}
	return nil
}
