package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

const (
	// batchMin is where an atomic batch begins to pay: the server stages it in
	// files of its own, which costs about what 30 single publishes cost (see
	// BenchmarkPublish).
	batchMin = 32
	// batchMax stays well below the server's limit of 1,000 messages a batch.
	batchMax = 500
	// batchBytes bounds what the server stages for one batch.
	batchBytes = 4 << 20
	// ackWait is how long to wait for the server's word on one publish.
	ackWait = 5 * time.Second
)

// ErrNoStream means that the stream to publish into does not exist, or that no
// JetStream server is there at all.
var ErrNoStream = errors.New("bus: no stream answers")

// Message is an event ready to publish.
type Message struct {
	Subject string
	ID      string // the event's id, for the server's dedup window
	Data    []byte // a marshalled trama.event.v1.Envelope
}

// Publish publishes messages into one stream, in order, and returns how many,
// counted from the first, are safely there and the highest sequence number that
// the stream gave to one of them (0 where it already had all). An error
// concerns the message after those; nothing after it was published, so that a
// later attempt keeps the order.
func (b *Bus) Publish(ctx context.Context, messages []Message) (published int, last uint64, err error) {
	for published < len(messages) {
		next := messages[published : published+chunk(messages[published:])]
		n, seq, err := len(next), uint64(0), errRejected
		if n >= batchMin {
			seq, err = b.publishBatch(ctx, next)
		}
		switch {
		case errors.Is(err, errRejected):
			// Nothing of the batch was stored. Usually the stream has one of
			// its events already (published, then not marked): one by one the
			// server says which.
			n, seq, err = b.publishSingles(ctx, next)
		case err != nil:
			n = 0
		}
		published += n
		last = max(last, seq)
		if err != nil {
			return published, last, err
		}
	}
	return published, last, nil
}

// chunk returns how many of the messages to publish together.
func chunk(messages []Message) int {
	size := 0
	for i, m := range messages {
		size += len(m.Data)
		if i == batchMax || (i > 0 && size > batchBytes) {
			return i
		}
	}
	return len(messages)
}

// errRejected means that the server refused a batch as a whole.
var errRejected = errors.New("bus: batch rejected")

// publishBatch publishes messages as one atomic batch (NATS ADR-50), which
// the server stores completely or not at all, under one sync.
func (b *Bus) publishBatch(ctx context.Context, messages []Message) (last uint64, err error) {
	id := nuid.Next()
	for i, m := range messages {
		msg := nats.NewMsg(m.Subject)
		msg.Data = m.Data
		msg.Header.Set(jetstream.MsgIDHeader, m.ID)
		msg.Header.Set("Nats-Batch-Id", id)
		msg.Header.Set("Nats-Batch-Sequence", strconv.Itoa(i+1))
		if i < len(messages)-1 {
			if err := b.nc.PublishMsg(msg); err != nil {
				return 0, fmt.Errorf("bus: publish %s: %w", m.Subject, err)
			}
			continue
		}
		msg.Header.Set("Nats-Batch-Commit", "1")
		ack, err := b.request(ctx, msg)
		if err != nil {
			return 0, err
		}
		if ack.Error != nil {
			return 0, fmt.Errorf("%w: %w", errRejected, ack.Error)
		}
		if ack.BatchSize != len(messages) {
			return 0, fmt.Errorf("bus: server acknowledged %d of a batch of %d", ack.BatchSize, len(messages))
		}
		last = ack.Sequence
	}
	return last, nil
}

// publishSingles publishes one message after the other. Waiting for each ack
// costs little, as the server syncs each of them anyway, and it is what keeps
// the order when one fails.
func (b *Bus) publishSingles(ctx context.Context, messages []Message) (published int, last uint64, err error) {
	for i, m := range messages {
		msg := nats.NewMsg(m.Subject)
		msg.Data = m.Data
		msg.Header.Set(jetstream.MsgIDHeader, m.ID)
		seq, err := b.publish(ctx, msg)
		if err != nil {
			return i, last, err
		}
		last = max(last, seq)
	}
	return len(messages), last, nil
}

// publish publishes one message and returns its sequence number, 0 where the
// stream had it already.
func (b *Bus) publish(ctx context.Context, msg *nats.Msg) (seq uint64, err error) {
	ack, err := b.request(ctx, msg)
	if err != nil {
		return 0, err
	}
	if ack.Error != nil {
		return 0, fmt.Errorf("bus: publish %s: %w", msg.Subject, ack.Error)
	}
	if ack.Duplicate {
		return 0, nil
	}
	return ack.Sequence, nil
}

// pubAck is the server's answer to a publish.
type pubAck struct {
	Error     *jetstream.APIError `json:"error"`
	Stream    string              `json:"stream"`
	Sequence  uint64              `json:"seq"`
	Duplicate bool                `json:"duplicate"`
	BatchSize int                 `json:"count"`
}

func (b *Bus) request(ctx context.Context, msg *nats.Msg) (pubAck, error) {
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	reply, err := b.nc.RequestMsgWithContext(ctx, msg)
	if errors.Is(err, nats.ErrNoResponders) {
		return pubAck{}, fmt.Errorf("%w for %s", ErrNoStream, msg.Subject)
	}
	if err != nil {
		return pubAck{}, fmt.Errorf("bus: publish %s: %w", msg.Subject, err)
	}
	var ack pubAck
	if err := json.Unmarshal(reply.Data, &ack); err != nil {
		return pubAck{}, fmt.Errorf("bus: publish %s: answer of the server: %w", msg.Subject, err)
	}
	if ack.Error == nil && ack.Stream == "" {
		return pubAck{}, fmt.Errorf("bus: publish %s: the answer names no stream", msg.Subject)
	}
	return ack, nil
}
