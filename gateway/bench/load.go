package main

import (
	"context"
	"slices"
	"sync"
	"time"
)

// result is what a number of callers got.
type result struct {
	rate     float64 // calls a second
	p50, p99 time.Duration
}

// load makes n callers call for a while, each as soon as its last call has been
// answered, and returns how many calls a second were answered and how fast. The
// first error ends it.
func load(ctx context.Context, n int, span time.Duration, call func(ctx context.Context, worker, n int) error) (result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	times := make([][]time.Duration, n)
	began := time.Now()
	deadline := began.Add(span)
	var wg sync.WaitGroup
	for w := range n {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				start := time.Now()
				if start.After(deadline) {
					return
				}
				if err := call(ctx, w, i); err != nil {
					cancel(err)
					return
				}
				times[w] = append(times[w], time.Since(start))
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	if ctx.Err() != nil {
		return result{}, context.Cause(ctx)
	}
	all := slices.Concat(times...)
	slices.Sort(all)
	return result{
		rate: float64(len(all)) / took.Seconds(),
		p50:  all[len(all)/2],
		p99:  all[len(all)*99/100],
	}, nil
}
