package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/trama-suite/trama/gateway/rest"
)

// keyPrefix begins every idempotency key. The number changes when the scenario
// does, so that an older one that is loaded already does not refuse it.
const keyPrefix = "demo-1/"

// loader calls the API, patiently.
type loader struct {
	client   *rest.Client
	patience time.Duration
	progress func(string)
	// people returns a client that calls as one of the scenario's people; nil
	// where nobody but the operator can.
	people func(subject string) (*rest.Client, error)
}

const (
	firstPause = 50 * time.Millisecond
	longPause  = 2 * time.Second
	// callTime bounds one attempt: a process that was killed may have left a
	// connection on which nothing ever comes.
	callTime = 30 * time.Second
)

// again repeats a call while the server cannot answer it. That is safe: reads
// change nothing, and all else carries an idempotency key.
func (l *loader) again(ctx context.Context, call func(context.Context) error) error {
	deadline := time.Now().Add(l.patience)
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		attempt, cancel := context.WithTimeout(ctx, callTime)
		err := call(attempt)
		cancel()
		if err == nil || ctx.Err() != nil || !passing(err) || time.Now().After(deadline) {
			return err
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// passing reports whether an error may be gone at the next attempt.
func passing(err error) bool {
	p, ok := errors.AsType[*rest.Problem](err)
	if !ok {
		// No answer, or one of something that stands before the gateway; but not
		// one that cannot be read.
		return !errors.Is(err, proto.Error)
	}
	switch p.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return p.Reason == "CONCURRENT_UPDATE"
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (l *loader) get(ctx context.Context, path string, out proto.Message) error {
	err := l.again(ctx, func(ctx context.Context) error { return l.client.Get(ctx, path, out) })
	if err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	return nil
}

// post creates something, or carries out a verb, under an idempotency key.
func (l *loader) post(ctx context.Context, path, key string, in, out proto.Message) error {
	err := l.again(ctx, func(ctx context.Context) error {
		return l.client.Post(ctx, path, in, out, rest.IdempotencyKey(keyPrefix+key))
	})
	if err != nil {
		return fmt.Errorf("POST %s (%s): %w", path, key, err)
	}
	return nil
}

// patch changes the fields of a resource that are given.
func (l *loader) patch(ctx context.Context, path string, in, out proto.Message) error {
	err := l.again(ctx, func(ctx context.Context) error { return l.client.Patch(ctx, path, in, out) })
	if err != nil {
		return fmt.Errorf("PATCH %s: %w", path, err)
	}
	return nil
}

// download reads a file whole.
func (l *loader) download(ctx context.Context, path string) (content []byte, err error) {
	err = l.again(ctx, func(ctx context.Context) error {
		content, _, err = l.client.Download(ctx, path)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", path, err)
	}
	return content, nil
}

// as returns a loader that calls as one of the scenario's people.
func (l *loader) as(subject string) (*loader, error) {
	client, err := l.people(subject)
	if err != nil {
		return nil, err
	}
	out := *l
	out.client = client
	return &out, nil
}

// pageOf is an answer to a list method.
type pageOf interface {
	proto.Message
	GetNextPageToken() string
}

// list reads all pages of a collection. filter may be empty; more are further
// parameters, names and values in turn.
func list[T any](ctx context.Context, l *loader, path, filter string, page pageOf, items func() []T, more ...string) ([]T, error) {
	query := url.Values{"pageSize": {"1000"}}
	if filter != "" {
		query.Set("filter", filter)
	}
	for i := 0; i+1 < len(more); i += 2 {
		query.Add(more[i], more[i+1])
	}
	var out []T
	for {
		proto.Reset(page)
		if err := l.get(ctx, path+"?"+query.Encode(), page); err != nil {
			return nil, err
		}
		out = append(out, items()...)
		if page.GetNextPageToken() == "" {
			return out, nil
		}
		query.Set("pageToken", page.GetNextPageToken())
	}
}

// workers is how many calls are under way at once where their order does not
// matter.
const workers = 8

// each calls fn for every item, several at once, and returns the first error.
func each[T any](ctx context.Context, items []T, fn func(ctx context.Context, i int, item T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range next {
				if err := fn(ctx, i, items[i]); err != nil {
					cancel(err)
				}
			}
		})
	}
feed:
	for i := range items {
		select {
		case next <- i:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	wg.Wait()
	return context.Cause(ctx)
}

// until asks again and again, until nothing is missing or patience ends. what is
// awaited, and what of it is missing, stand in the error.
func (l *loader) until(ctx context.Context, what string, ask func(context.Context) (missing string, err error)) error {
	deadline := time.Now().Add(l.patience)
	for pause := firstPause; ; pause = min(2*pause, time.Second) {
		missing, err := ask(ctx)
		if err != nil || missing == "" {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: %s, after %s", what, missing, l.patience)
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}
