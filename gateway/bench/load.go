package main

import (
	"context"
	"slices"
	"sync"
	"syscall"
	"time"
)

// result is what a number of callers got so far.
type result struct {
	times []time.Duration // of each call
	took  time.Duration   // by the clock
	used  time.Duration   // processor time of the whole process, load generator included
}

// rate returns how many calls a second were answered.
func (r *result) rate() float64 { return float64(len(r.times)) / r.took.Seconds() }

// processor returns the processor time of one call. On a machine that has other
// things to do it says more than the clock.
func (r *result) processor() time.Duration { return r.used / time.Duration(max(1, len(r.times))) }

// percentile returns the time within which so many of a hundred calls were
// answered.
func (r *result) percentile(p int) time.Duration {
	if len(r.times) == 0 {
		return 0
	}
	slices.Sort(r.times)
	return r.times[min(len(r.times)*p/100, len(r.times)-1)]
}

// load makes n callers call for a while, each as soon as its last call has been
// answered, and adds what they got to a result. The first error ends it.
func load(ctx context.Context, n int, span time.Duration, call func(ctx context.Context, worker, n int) error, into *result) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	times := make([][]time.Duration, n)
	used, began := processorTime(), time.Now()
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
	into.took += time.Since(began)
	into.used += processorTime() - used
	into.times = append(into.times, slices.Concat(times...)...)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// processorTime returns what the process has used so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil { // it has no way to fail with these arguments
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
