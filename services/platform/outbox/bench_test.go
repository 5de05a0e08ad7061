package outbox_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/outbox"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

func eachDB(b *testing.B, fn func(b *testing.B, db *sqldb.DB)) {
	for name, url := range map[string]func(b *testing.B) string{
		"sqlite":   func(b *testing.B) string { return "sqlite:" + b.TempDir() },
		"postgres": func(b *testing.B) string { return testkit.DurablePostgres(b) },
	} {
		b.Run(name, func(b *testing.B) {
			schema := fmt.Sprintf("bench_%d", time.Now().UnixNano())
			db, err := sqldb.Open(b.Context(), sqldb.Config{URL: url(b), Schema: schema}, counts)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() {
				if err := db.Close(); err != nil {
					b.Error(err)
				}
			})
			fn(b, db)
		})
	}
}

// BenchmarkRelay is a backlog in the journal: an operation is one event read,
// published and marked.
func BenchmarkRelay(b *testing.B) {
	eachDB(b, func(b *testing.B, db *sqldb.DB) {
		server := testkit.Bus(b)
		o := outbox.New(db, "training", "it-21")
		for k := 0; k < b.N; k += 1000 {
			err := db.Write(b.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				for i := k; i < min(k+1000, b.N); i++ {
					if err := o.Add(ctx, tx, event(i, 1000)); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportAllocs()
		b.ResetTimer()
		stop := relay(b, o, server, outbox.RelayConfig{})
		// Not by o.Lag, which would count a long backlog over and over.
		eventually(b, "everything is published", func() bool {
			s, err := server.Stream(b.Context(), "training")
			return err == nil && s.Last == uint64(b.N)
		})
		drained(b, o)
		b.StopTimer()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		stop()
	})
}

// BenchmarkLag is the way of an event from its commit to the consumer's
// committed effect: alone, and among two thousand others a second.
func BenchmarkLag(b *testing.B) {
	eachDB(b, func(b *testing.B, db *sqldb.DB) {
		server := testkit.Bus(b)
		o := outbox.New(db, "training", "it-21")
		lags := make(chan time.Duration, 100000)
		var committed sync.Map // event id → when
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan error, 1)
		c := bus.Consumer{Name: "impact", Source: "training", DB: db, Handlers: []bus.Handler{bus.On(
			func(_ context.Context, tx *sqldb.Tx, env *eventv1.Envelope, _ *wrapperspb.Int64Value) error {
				tx.Queue(`INSERT INTO counts (event_id) VALUES ($1)`, env.GetId())
				tx.AfterCommit(func() {
					now := time.Now()
					if at, ok := committed.Load(env.GetId()); ok {
						lags <- now.Sub(at.(time.Time))
					} else {
						lags <- 0 // applied before the writer had woken up
					}
				})
				return nil
			})}}
		go func() { done <- server.Consume(ctx, c) }()
		stop := relay(b, o, server, outbox.RelayConfig{})
		k := 0
		commit := func() {
			add(b, db, o, k, 1, 1000)
			committed.Store(id(k, 1000), time.Now())
			k++
		}
		commit() // now the streams are there
		<-lags
		b.Run("alone", func(b *testing.B) {
			var all []time.Duration
			for range b.N {
				commit()
				all = append(all, <-lags)
			}
			report(b, all)
		})
		b.Run("busy", func(b *testing.B) {
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			for i := range b.N {
				if i%2 == 0 {
					<-tick.C
				}
				commit()
			}
			var all []time.Duration
			for range b.N {
				all = append(all, <-lags)
			}
			report(b, all)
		})
		cancel()
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
}

func report(b *testing.B, lags []time.Duration) {
	slices.Sort(lags)
	b.ReportMetric(float64(lags[len(lags)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(lags[len(lags)*99/100].Microseconds())/1000, "p99-ms")
}
