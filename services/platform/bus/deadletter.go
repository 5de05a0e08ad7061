package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/trama-suite/trama/services/platform/errs"
)

// Headers of a dead letter. Its payload is the event's, byte for byte.
const (
	consumerHeader   = "Trama-Consumer"
	subjectHeader    = "Trama-Subject"
	eventHeader      = "Trama-Event-Id"
	reasonHeader     = "Trama-Reason"
	errorHeader      = "Trama-Error"
	deliveriesHeader = "Trama-Deliveries"
	// redriveHeader names the only consumer that an event published again is for.
	redriveHeader = "Trama-Redrive"
)

// Reasons of dead letters that no error's own reason explains.
const (
	// ReasonUndecodable: the bytes are no envelope, or the data not of its type.
	ReasonUndecodable = "UNDECODABLE"
	// ReasonRetriesExhausted: it failed on every delivery.
	ReasonRetriesExhausted = "RETRIES_EXHAUSTED"
)

func deadSubject(consumer string) string { return "trama.dead." + consumer }

// bury moves an event to the dead-letter stream. Only when it is safely there
// the consumer lets go of it.
func (w *worker) bury(ctx context.Context, d delivery, cause error) {
	reason := string(errs.ReasonOf(cause))
	switch {
	case errors.Is(cause, errUndecodable):
		reason = ReasonUndecodable
	case !permanent(cause):
		reason = ReasonRetriesExhausted
	}
	msg := nats.NewMsg(deadSubject(w.Name))
	msg.Data = d.msg.Data()
	msg.Header.Set(consumerHeader, w.Name)
	msg.Header.Set(subjectHeader, d.msg.Subject())
	msg.Header.Set(eventHeader, d.env.GetId())
	msg.Header.Set(reasonHeader, reason)
	msg.Header.Set(errorHeader, headerText(cause.Error()))
	msg.Header.Set(deliveriesHeader, strconv.FormatUint(d.deliveries, 10))
	if meta, err := d.msg.Metadata(); err == nil {
		// Buried twice, as after a lost ack, is buried once.
		msg.Header.Set(jetstream.MsgIDHeader, fmt.Sprintf("%s/%s/%d", w.Name, meta.Stream, meta.Sequence.Stream))
	}
	if err := w.bus.publishDead(ctx, msg); err != nil {
		w.log.Error("dead letter not stored, will try again", "event_id", d.env.GetId(), "error", err)
		_ = d.msg.NakWithDelay(w.delay(d.deliveries))
		return
	}
	w.log.Error("event became a dead letter", "event_id", d.env.GetId(), "subject", d.msg.Subject(),
		"deliveries", d.deliveries, "reason", reason, "error", cause)
	w.meters.dead(ctx, reason)
	if err := d.msg.DoubleAck(ctx); err != nil {
		w.log.Warn("dead letter's event not acknowledged", "error", err)
	}
}

func (b *Bus) publishDead(ctx context.Context, msg *nats.Msg) error {
	_, err := b.publish(ctx, msg)
	if !errors.Is(err, ErrNoStream) {
		return err
	}
	if _, err := b.dead(ctx); err != nil {
		return err
	}
	_, err = b.publish(ctx, msg)
	return err
}

// headerText makes text fit for a header: one line of at most 500 characters.
func headerText(text string) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(clean); len(runes) > 500 {
		return string(runes[:499]) + "…"
	}
	return clean
}

// DeadLetters is what one consumer could not digest.
type DeadLetters struct {
	Consumer string
	Count    int
	Oldest   time.Time      // when the oldest of them was given up
	Reasons  map[string]int // how many for each reason
}

// DeadLetters returns the dead letters of every consumer that has some, sorted
// by consumer.
func (b *Bus) DeadLetters(ctx context.Context) ([]DeadLetters, error) {
	byConsumer := map[string]*DeadLetters{}
	var out []DeadLetters
	err := b.eachDead(ctx, "trama.dead.*", true, func(_ jetstream.Stream, m jetstream.Msg, meta *jetstream.MsgMetadata) error {
		name := m.Headers().Get(consumerHeader)
		d := byConsumer[name]
		if d == nil {
			d = &DeadLetters{Consumer: name, Oldest: meta.Timestamp, Reasons: map[string]int{}}
			byConsumer[name] = d
		}
		d.Count++
		d.Reasons[m.Headers().Get(reasonHeader)]++
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, d := range byConsumer {
		out = append(out, *d)
	}
	sortDeadLetters(out)
	return out, nil
}

// Redrive gives the dead letters of a consumer back to it, and to no other, and
// returns how many. Doing so twice, or after a crash half way, does no harm:
// the consumer's inbox knows what has been applied.
func (b *Bus) Redrive(ctx context.Context, consumer string) (int, error) {
	n := 0
	err := b.eachDead(ctx, deadSubject(consumer), false, func(s jetstream.Stream, m jetstream.Msg, meta *jetstream.MsgMetadata) error {
		msg := nats.NewMsg(m.Headers().Get(subjectHeader))
		msg.Data = m.Data()
		msg.Header.Set(redriveHeader, consumer)
		// Not the event's own id: the dedup window may remember that.
		msg.Header.Set(jetstream.MsgIDHeader, fmt.Sprintf("redrive/%d/%d", meta.Timestamp.UnixNano(), meta.Sequence.Stream))
		if _, err := b.publish(ctx, msg); err != nil {
			return err
		}
		if err := s.DeleteMsg(ctx, meta.Sequence.Stream); err != nil {
			return fmt.Errorf("bus: delete dead letter %d: %w", meta.Sequence.Stream, err)
		}
		n++
		return nil
	})
	return n, err
}

// eachDead visits the dead letters that exist now, oldest first.
func (b *Bus) eachDead(ctx context.Context, filter string, headersOnly bool, visit func(jetstream.Stream, jetstream.Msg, *jetstream.MsgMetadata) error) error {
	s, err := b.dead(ctx)
	if err != nil {
		return err
	}
	info, err := s.Info(ctx, jetstream.WithSubjectFilter(filter))
	if err != nil {
		return fmt.Errorf("bus: dead letters: %w", err)
	}
	if len(info.State.Subjects) == 0 {
		return nil
	}
	cons, err := b.js.OrderedConsumer(ctx, deadStream, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{filter}, HeadersOnly: headersOnly, DeliverPolicy: jetstream.DeliverAllPolicy,
	})
	if err != nil {
		return fmt.Errorf("bus: dead letters: %w", err)
	}
	messages, err := cons.Messages()
	if err != nil {
		return fmt.Errorf("bus: dead letters: %w", err)
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("bus: dead letters: %w", err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("bus: dead letters: %w", err)
		}
		if meta.Sequence.Stream > info.State.LastSeq {
			return nil
		}
		if err := visit(s, m, meta); err != nil {
			return err
		}
		if meta.NumPending == 0 {
			return nil
		}
	}
}
