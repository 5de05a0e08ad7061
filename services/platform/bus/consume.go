package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
)

const (
	// groupMax events share a transaction when they are waiting anyway.
	groupMax = 128
	// prefetch keeps the next group at hand while one is being applied.
	prefetch = 2 * groupMax
	// handlingWait is how long the server waits for an answer before it
	// delivers an event again, perhaps to another replica.
	handlingWait = 10 * time.Second
)

// Consume applies the events of c.Source until ctx ends, and then returns nil.
// It survives lost connections and wiped streams. An error means that c itself
// is wrong.
func (b *Bus) Consume(ctx context.Context, c Consumer) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.MaxDeliveries == 0 {
		c.MaxDeliveries = 10
	}
	if c.Retry == 0 {
		c.Retry = 200 * time.Millisecond
	}
	w := &worker{
		Consumer: c, bus: b,
		log:      b.log.With("consumer", c.Name, "source", c.Source),
		handlers: map[protoreflect.FullName]Handler{},
		meters:   b.meters.of(c),
	}
	for _, h := range c.Handlers {
		w.handlers[h.message.FullName()] = h
	}
	for wait := 50 * time.Millisecond; ; {
		started := time.Now()
		err := w.run(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the end that was asked for, whatever it interrupted
		}
		if time.Since(started) > time.Minute {
			wait = 50 * time.Millisecond
		}
		w.log.Warn("consumer interrupted, starting again", "error", err)
		if !pause(ctx, wait) {
			return nil
		}
		wait = min(2*wait, 5*time.Second)
	}
}

// pause waits, and reports whether it was to the end.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// worker is one running Consumer.
type worker struct {
	Consumer
	bus      *Bus
	log      *slog.Logger
	handlers map[protoreflect.FullName]Handler
	meters   consumerMeters

	repeating bool            // the last group had events that were received before
	answered  jetstream.Msg   // the last event that was acknowledged
	returned  []jetstream.Msg // events that were delivered and not tried
}

// run consumes until something breaks.
func (w *worker) run(ctx context.Context) error {
	if _, err := w.bus.Stream(ctx, w.Source); err != nil {
		return err
	}
	cons, err := w.bus.js.CreateOrUpdateConsumer(ctx, StreamName(w.Source), jetstream.ConsumerConfig{
		Durable:        durable(w.Name, w.Source),
		FilterSubjects: w.subjects(),
		AckPolicy:      jetstream.AckExplicitPolicy,
		AckWait:        handlingWait,
		MaxDeliver:     -1,
		MaxAckPending:  4 * prefetch,
	})
	if err != nil {
		return fmt.Errorf("bus: consumer %s: %w", durable(w.Name, w.Source), err)
	}
	messages, err := cons.Messages(jetstream.PullMaxMessages(prefetch), jetstream.PullHeartbeat(5*time.Second))
	if err != nil {
		return fmt.Errorf("bus: consumer %s: %w", durable(w.Name, w.Source), err)
	}

	ctx, cancel := context.WithCancel(ctx)
	incoming := make(chan jetstream.Msg, groupMax)
	var broken error
	var pump sync.WaitGroup
	pump.Go(func() {
		defer close(incoming)
		for {
			var m jetstream.Msg
			if m, broken = messages.Next(jetstream.NextContext(ctx)); broken != nil {
				return
			}
			incoming <- m // read to its end in any case
		}
	})
	defer func() {
		cancel()
		for m := range incoming {
			w.returned = append(w.returned, m)
		}
		pump.Wait()
		messages.Drain()
		for {
			m, err := messages.Next(jetstream.NextMaxWait(time.Second))
			if err != nil {
				break
			}
			w.returned = append(w.returned, m)
		}
		messages.Stop()
		w.handOver(context.WithoutCancel(ctx))
	}()

	group := make([]delivery, 0, groupMax)
	for m := range incoming {
		group = w.collect(ctx, m, incoming, group[:0])
		w.process(ctx, group)
		if ctx.Err() != nil {
			return nil
		}
	}
	return broken
}

// handOver gives back, at the end of a run, what was fetched and not tried, so
// that it goes to whoever asks next and not only after handlingWait. It waits
// for the server's word: a server that is stopped next would forget what it has
// not looked at yet. (A plain nak would not do either, as the server keeps its
// redelivery queue in memory; a delay is written down.) What the server was just
// sending when the consumer stopped listening still takes handlingWait.
func (w *worker) handOver(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	const nak = `-NAK {"delay": 1000000}` // nanoseconds
	last, word := w.answered, "+WPI"      // for an acknowledged event it changes nothing
	for i, m := range w.returned {
		if i == len(w.returned)-1 {
			last, word = m, nak
		} else if err := w.bus.nc.Publish(m.Reply(), []byte(nak)); err != nil {
			break
		}
	}
	if last != nil {
		if _, err := w.bus.nc.RequestWithContext(ctx, last.Reply(), []byte(word)); err != nil {
			w.log.Debug("events not handed over, they will be delivered again later", "error", err)
		}
	}
	w.returned, w.answered = nil, nil
}

// delivery is one event at hand.
type delivery struct {
	msg        jetstream.Msg
	env        *eventv1.Envelope
	handler    Handler
	deliveries uint64
}

// collect decodes m and what else has arrived by now, up to a group's size.
// What needs no transaction is settled here.
func (w *worker) collect(ctx context.Context, m jetstream.Msg, incoming <-chan jetstream.Msg, group []delivery) []delivery {
	for {
		if d, ok := w.decode(ctx, m); ok {
			group = append(group, d)
		}
		if len(group) == groupMax {
			return group
		}
		select {
		case next, ok := <-incoming:
			if !ok {
				return group
			}
			m = next
		default:
			return group
		}
	}
}

// errUndecodable is the error of bytes that are not what their type says.
var errUndecodable = errors.New("cannot be decoded")

func (w *worker) decode(ctx context.Context, m jetstream.Msg) (delivery, bool) {
	if to := m.Headers().Get(redriveHeader); to != "" && to != w.Name {
		w.ack(m) // a dead letter of another consumer, on its second way
		return delivery{}, false
	}
	d := delivery{msg: m, env: &eventv1.Envelope{}, deliveries: 1}
	if meta, err := m.Metadata(); err == nil {
		d.deliveries = meta.NumDelivered
	}
	if err := proto.Unmarshal(m.Data(), d.env); err != nil {
		w.bury(ctx, d, fmt.Errorf("%w: envelope: %w", errUndecodable, err))
		return delivery{}, false
	}
	if d.env.GetId() == "" || d.env.GetData() == nil {
		w.bury(ctx, d, fmt.Errorf("%w: envelope without id or data", errUndecodable))
		return delivery{}, false
	}
	var known bool
	if d.handler, known = w.handlers[d.env.GetData().MessageName()]; !known {
		w.ack(m)
		return delivery{}, false
	}
	return d, true
}

// ack acknowledges without waiting for the server's word: should it get lost,
// the event comes again and the inbox knows it.
func (w *worker) ack(m jetstream.Msg) {
	if err := m.Ack(); err != nil {
		w.log.Warn("event not acknowledged", "error", err)
	}
	w.answered = m
}
