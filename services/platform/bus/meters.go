package bus

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// meters are the instruments of all consumers.
type meters struct {
	processedTotal metric.Int64Counter
	retriedTotal   metric.Int64Counter
	deadTotal      metric.Int64Counter
	lag            metric.Float64Histogram
}

func newMeters(provider metric.MeterProvider) (meters, error) {
	meter := provider.Meter("github.com/trama-suite/trama/services/platform/bus")
	var m meters
	var err1, err2, err3, err4 error
	m.processedTotal, err1 = meter.Int64Counter("trama.events.processed",
		metric.WithDescription("Events whose effect is committed, or was before."))
	m.retriedTotal, err2 = meter.Int64Counter("trama.events.retried",
		metric.WithDescription("Failed attempts after which an event is delivered again."))
	m.deadTotal, err3 = meter.Int64Counter("trama.events.dead",
		metric.WithDescription("Events that became dead letters."))
	m.lag, err4 = meter.Float64Histogram("trama.events.lag", metric.WithUnit("s"),
		metric.WithDescription("Time from an event to its effect."),
		metric.WithExplicitBucketBoundaries(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60, 600, 3600))
	return m, errors.Join(err1, err2, err3, err4)
}

// consumerMeters are the instruments with one consumer's attributes.
type consumerMeters struct {
	meters
	attributes metric.MeasurementOption
	consumer   attribute.KeyValue
	source     attribute.KeyValue
}

func (m meters) of(c Consumer) consumerMeters {
	consumer, source := attribute.String("consumer", c.Name), attribute.String("source", c.Source)
	return consumerMeters{
		meters: m, consumer: consumer, source: source,
		attributes: metric.WithAttributeSet(attribute.NewSet(consumer, source)),
	}
}

func (m consumerMeters) processed(ctx context.Context, lag time.Duration) {
	m.processedTotal.Add(ctx, 1, m.attributes)
	m.lag.Record(ctx, max(0, lag.Seconds()), m.attributes)
}

func (m consumerMeters) retried(ctx context.Context) { m.retriedTotal.Add(ctx, 1, m.attributes) }

func (m consumerMeters) dead(ctx context.Context, reason string) {
	m.deadTotal.Add(ctx, 1, metric.WithAttributes(m.consumer, m.source, attribute.String("reason", reason)))
}

func sortDeadLetters(letters []DeadLetters) {
	slices.SortFunc(letters, func(a, b DeadLetters) int { return cmp.Compare(a.Consumer, b.Consumer) })
}
