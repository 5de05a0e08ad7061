package bus_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/outbox"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

// BenchmarkPublish compares publishes that are acknowledged one by one with
// atomic batches, on an embedded server that syncs before it acknowledges. An
// operation is one event of about 300 bytes.
func BenchmarkPublish(b *testing.B) {
	for _, size := range []int{1, 10, 20, 50, 100, 500} {
		b.Run(fmt.Sprintf("together=%d", size), func(b *testing.B) {
			server := testkit.Bus(b)
			if _, err := server.Stream(b.Context(), "training"); err != nil {
				b.Fatal(err)
			}
			all := messages(0, b.N, 300)
			b.ReportAllocs()
			b.ResetTimer()
			for len(all) > 0 {
				n := min(size, len(all))
				if _, _, err := server.Publish(b.Context(), all[:n]); err != nil {
					b.Fatal(err)
				}
				all = all[n:]
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func eachDB(b *testing.B, fn func(b *testing.B, db *sqldb.DB)) {
	for name, url := range map[string]func(b *testing.B) string{
		"sqlite":   func(b *testing.B) string { return "sqlite:" + b.TempDir() },
		"postgres": func(b *testing.B) string { return testkit.DurablePostgres(b) },
	} {
		b.Run(name, func(b *testing.B) {
			schema := fmt.Sprintf("bench_%d", time.Now().UnixNano())
			db, err := sqldb.Open(b.Context(), sqldb.Config{URL: url(b), Schema: schema}, effects)
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

// BenchmarkConsume is the work on a backlog: an operation is one event, its
// inbox row and an effect of one row, on a database that syncs every commit.
func BenchmarkConsume(b *testing.B) {
	eachDB(b, func(b *testing.B, db *sqldb.DB) {
		server := testkit.Bus(b)
		for k := 0; k < b.N; k += 1000 {
			all := make([]outbox.Event, 0, 1000)
			for i := k; i < min(k+1000, b.N); i++ {
				all = append(all, outbox.Event{Aggregate: fmt.Sprintf("things/%d", i), Version: 1, Data: wrapperspb.Int64(int64(i))})
			}
			testkit.Publish(b, server, "catalogue", all...)
		}
		landed := make(chan struct{}, b.N)
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan error, 1)
		c := bus.Consumer{Name: "matching", Source: "catalogue", DB: db, Handlers: []bus.Handler{bus.On(
			func(_ context.Context, tx *sqldb.Tx, env *eventv1.Envelope, m *wrapperspb.Int64Value) error {
				tx.Queue(`INSERT INTO effects (place, consumer, event_id, aggregate, version) VALUES ($1, $2, $3, $4, $5)`,
					0, "matching", env.GetId(), env.GetAggregate(), env.GetAggregateVersion())
				tx.AfterCommit(func() { landed <- struct{}{} })
				return nil
			})}}
		b.ReportAllocs()
		b.ResetTimer()
		go func() { done <- server.Consume(ctx, c) }()
		for range b.N {
			<-landed
		}
		b.StopTimer()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
}
