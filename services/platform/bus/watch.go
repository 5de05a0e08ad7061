package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
)

// Watch calls fn with every event of a service from now on, in order and one at
// a time, until ctx ends: for caches and indexes that each replica keeps in
// memory. It returns as soon as the watch is in place, so that what is read
// from a database after Watch has returned, together with the events, is
// complete. Nothing remembers the place: a restarted replica reads the database
// again. After a break the watch goes on where it was; after a wiped stream it
// starts with what the journal brings again, so fn must not mind an event that
// it knows.
//
// data is the event's own message. Events of a type that is not linked into
// the program are left out.
func (b *Bus) Watch(ctx context.Context, source string, fn func(env *eventv1.Envelope, data proto.Message)) error {
	if _, err := b.Stream(ctx, source); err != nil {
		return err
	}
	messages, err := b.follow(ctx, source, jetstream.DeliverNewPolicy, 0)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(b.live, cancel)
	b.watchers.Go(func() {
		defer cancel()
		defer stop()
		b.watch(ctx, source, messages, fn)
	})
	return nil
}

func (b *Bus) follow(ctx context.Context, source string, policy jetstream.DeliverPolicy, start uint64) (jetstream.MessagesContext, error) {
	cons, err := b.js.OrderedConsumer(ctx, StreamName(source), jetstream.OrderedConsumerConfig{
		DeliverPolicy: policy, OptStartSeq: start, MaxResetAttempts: 1,
	})
	if err != nil {
		return nil, fmt.Errorf("bus: watch %s: %w", source, err)
	}
	messages, err := cons.Messages()
	if err != nil {
		return nil, fmt.Errorf("bus: watch %s: %w", source, err)
	}
	return messages, nil
}

func (b *Bus) watch(ctx context.Context, source string, messages jetstream.MessagesContext, fn func(*eventv1.Envelope, proto.Message)) {
	var last uint64
	for {
		err := b.deliver(ctx, messages, fn, &last)
		messages.Stop()
		for {
			if ctx.Err() != nil {
				return
			}
			b.log.Warn("watch interrupted, starting again", "source", source, "error", err)
			if !pause(ctx, 250*time.Millisecond) {
				return
			}
			if messages, err = b.resume(ctx, source, &last); err == nil {
				break
			}
		}
	}
}

// resume follows the stream from the event after last, or from its beginning
// where it is not the stream that it was.
func (b *Bus) resume(ctx context.Context, source string, last *uint64) (jetstream.MessagesContext, error) {
	s, err := b.Stream(ctx, source)
	if err != nil {
		return nil, err
	}
	if s.Last < *last || *last == 0 {
		*last = 0
		return b.follow(ctx, source, jetstream.DeliverAllPolicy, 0)
	}
	return b.follow(ctx, source, jetstream.DeliverByStartSequencePolicy, *last+1)
}

func (b *Bus) deliver(ctx context.Context, messages jetstream.MessagesContext, fn func(*eventv1.Envelope, proto.Message), last *uint64) error {
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		*last = meta.Sequence.Stream
		if m.Headers().Get(redriveHeader) != "" {
			continue // seen when it was first published
		}
		env := &eventv1.Envelope{}
		if err := proto.Unmarshal(m.Data(), env); err != nil {
			b.log.Warn("watched event cannot be decoded", "subject", m.Subject(), "error", err)
			continue
		}
		data, err := env.GetData().UnmarshalNew()
		if err != nil {
			b.log.Debug("watched event of an unknown type", "subject", m.Subject(), "error", err)
			continue
		}
		fn(env, data)
	}
}

// Lag is how far a consumer is behind.
type Lag struct {
	Pending  uint64 // events not yet delivered to it
	InFlight uint64 // delivered, and not settled: being applied, or waiting for a retry
}

// Lag returns how far the consumer is behind the source. A consumer that has
// never run is not behind.
func (b *Bus) Lag(ctx context.Context, consumer, source string) (Lag, error) {
	cons, err := b.js.Consumer(ctx, StreamName(source), durable(consumer, source))
	if errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
		return Lag{}, nil
	}
	if err != nil {
		return Lag{}, fmt.Errorf("bus: lag of %s: %w", durable(consumer, source), err)
	}
	info := cons.CachedInfo()
	return Lag{Pending: info.NumPending, InFlight: uint64(info.NumAckPending)}, nil
}
