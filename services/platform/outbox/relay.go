package outbox

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"

	"github.com/trama-suite/trama/services/platform/bus"
)

// RelayConfig tunes a relay; the zero value is right.
type RelayConfig struct {
	// Poll is how often the relay looks for events that another process has
	// written; those of its own process wake it. 0 means 100 ms.
	Poll time.Duration
	// Term is how long a relay leads before it competes again and checks that
	// the stream is still the one that it knows. 0 means 30 s.
	Term time.Duration
	// Retention is how long published events stay in the journal; 0 means for
	// ever. A stream that is filled again gets what the journal has.
	Retention time.Duration
	// Log and Metrics; the process's defaults where nil.
	Log     *slog.Logger
	Metrics metric.MeterProvider
}

// Relay publishes a service's events, in the order of the journal. Of all the
// replicas' relays one leads at a time.
type Relay struct {
	outbox *Outbox
	bus    *bus.Bus
	cfg    RelayConfig
	log    *slog.Logger

	last   uint64    // the stream's highest sequence number that is known
	pruned time.Time // when the journal was last cut
}

// Relay returns a relay of the outbox to a bus.
func (o *Outbox) Relay(b *bus.Bus, cfg RelayConfig) *Relay {
	if cfg.Poll == 0 {
		cfg.Poll = 100 * time.Millisecond
	}
	if cfg.Term == 0 {
		cfg.Term = 30 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Metrics == nil {
		cfg.Metrics = otel.GetMeterProvider()
	}
	return &Relay{outbox: o, bus: b, cfg: cfg, log: cfg.Log.With("service", o.service)}
}

const (
	backoffMin = 50 * time.Millisecond
	backoffMax = 5 * time.Second
)

// Run relays until ctx ends, and then returns nil. It survives what NATS and
// the database do: an event that could not be published waits in the journal.
func (r *Relay) Run(ctx context.Context) error {
	unregister, err := r.observe()
	if err != nil {
		return err
	}
	defer unregister()
	backoff := backoffMin
	for ctx.Err() == nil {
		leading, err := r.term(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			r.log.Warn("relay interrupted, starting again", "error", err, "delay", backoff)
			pause(ctx, backoff)
			backoff = min(2*backoff, backoffMax)
		case !leading:
			// Another replica leads, until its term or its process ends.
			pause(ctx, min(2*time.Second, r.cfg.Term))
			backoff = backoffMin
		default:
			backoff = backoffMin
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// term leads for one term, or reports that another does.
func (r *Relay) term(ctx context.Context) (leading bool, err error) {
	release, ok, err := r.outbox.db.TryLead(ctx, "outbox."+r.outbox.service)
	if err != nil || !ok {
		return false, err
	}
	defer release()
	if err := r.verify(ctx); err != nil {
		return true, err
	}
	if err := r.prune(ctx); err != nil {
		return true, err
	}
	end := time.NewTimer(r.cfg.Term)
	defer end.Stop()
	poll := time.NewTicker(r.cfg.Poll)
	defer poll.Stop()
	for {
		if err := r.drain(ctx); err != nil {
			return true, err
		}
		select {
		case <-r.outbox.wake:
		case <-poll.C:
		case <-end.C:
			return true, nil
		case <-ctx.Done():
			return true, nil
		}
	}
}

// verify looks whether the stream is one that the journal has been brought
// into. A new one, also where someone wiped the old one, is to receive the
// whole journal again; consumers know by their inbox what they had.
func (r *Relay) verify(ctx context.Context) error {
	s, err := r.bus.Stream(ctx, r.outbox.service)
	if err != nil {
		return err
	}
	r.last = s.Last
	if s.Journalled {
		return nil
	}
	n, err := r.outbox.unpublishAll(ctx)
	if err != nil {
		return err
	}
	if n > 0 {
		r.log.Warn("stream is new, publishing the journal again", "events", n)
	}
	return r.bus.SetJournalled(ctx, r.outbox.service)
}

// How many events are read, published and marked at a time, and how many bytes.
const (
	pageSize  = 500
	pageBytes = 16 << 20
)

// errWiped means that the stream counts from the beginning again.
var errWiped = errors.New("outbox: the stream is not the one it was")

// drain publishes what waits. It always starts from the oldest unpublished
// event, never from a remembered place: a transaction that took its number
// early and committed late would be passed over.
func (r *Relay) drain(ctx context.Context) error {
	for {
		rows, more, err := r.outbox.unpublished(ctx, pageSize, pageBytes)
		if err != nil || len(rows) == 0 {
			return err
		}
		messages := make([]bus.Message, len(rows))
		for i, row := range rows {
			messages[i] = row.message
		}
		n, last, failure := r.bus.Publish(ctx, messages)
		// Published is published, also when the process is being stopped.
		if err := r.outbox.mark(context.WithoutCancel(ctx), rows[:n]); err != nil {
			return errors.Join(err, failure)
		}
		if failure != nil {
			return failure
		}
		if last > 0 && last <= r.last {
			return errWiped
		}
		r.last = max(r.last, last)
		if !more {
			return nil
		}
	}
}

// prune cuts what the journal need not keep any longer, once a minute at most.
func (r *Relay) prune(ctx context.Context) error {
	now := time.Now()
	if r.cfg.Retention <= 0 || now.Sub(r.pruned) < min(time.Minute, r.cfg.Term) {
		return nil
	}
	if err := r.outbox.prune(ctx, now.Add(-r.cfg.Retention)); err != nil {
		return err
	}
	r.pruned = now
	return nil
}

// observe registers the gauges of what waits.
func (r *Relay) observe() (unregister func(), err error) {
	meter := r.cfg.Metrics.Meter("github.com/trama-suite/trama/services/platform/outbox")
	pending, err1 := meter.Int64ObservableGauge("trama.outbox.pending",
		metric.WithDescription("Events that wait to be published."))
	age, err2 := meter.Float64ObservableGauge("trama.outbox.age", metric.WithUnit("s"),
		metric.WithDescription("How long the oldest of them has waited."))
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	service := metric.WithAttributes(attributeService(r.outbox.service))
	registration, err := meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		lag, err := r.outbox.Lag(ctx)
		if err != nil {
			return err
		}
		o.ObserveInt64(pending, lag.Count, service)
		o.ObserveFloat64(age, lag.Age.Seconds(), service)
		return nil
	}, pending, age)
	if err != nil {
		return nil, err
	}
	return func() { _ = registration.Unregister() }, nil
}
