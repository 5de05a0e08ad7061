package bus

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// process applies a group of events in one transaction. Where that fails, it
// applies the good ones without the bad one, so that one poisonous event costs
// its group a few transactions and nobody else's effect.
func (w *worker) process(ctx context.Context, group []delivery) {
	for len(group) > 0 {
		err := w.effect(ctx, group)
		switch {
		case err == nil:
			w.settle(ctx, group)
			return
		case ctx.Err() != nil:
			for _, d := range group {
				w.returned = append(w.returned, d.msg)
			}
			return
		case !permanent(err) && w.databaseDown(ctx, group):
			continue // back now, or ctx has ended
		case len(group) == 1:
			w.fail(ctx, group[0], err)
			return
		}
		at, ok := errors.AsType[*handlerError](err)
		if !ok {
			// A queued statement's error surfaces later than its handler: halve.
			at = &handlerError{index: len(group) / 2}
		}
		w.process(ctx, group[:at.index])
		w.process(ctx, group[at.index:at.index+1])
		group = group[at.index+1:]
	}
}

// handlerError says which event of a group failed.
type handlerError struct {
	index int
	err   error
}

func (e *handlerError) Error() string { return e.err.Error() }
func (e *handlerError) Unwrap() error { return e.err }

// effect applies the events of the group that are new to the inbox, in order,
// and records them there, all in one transaction.
func (w *worker) effect(ctx context.Context, group []delivery) error {
	if !w.repeating {
		err := w.effectOfNew(ctx, group)
		if !errors.Is(err, errRepeated) {
			return err
		}
	}
	// Some were here before, as after a restart or when a stream is filled
	// again. More of the kind is to be expected.
	repeated, err := w.effectOfSome(ctx, group)
	w.repeating = repeated > 0
	return err
}

// errRepeated means that the inbox has had some event of a group.
var errRepeated = errors.New("bus: event received before")

const insertInbox = `INSERT INTO inbox (consumer, event_id, received) VALUES `

// effectOfNew applies a group none of which has been received before, with one
// statement to the inbox. Otherwise it does nothing and returns errRepeated.
//
// There is no asking the inbox with SELECT first: PostgreSQL may answer that
// with a scan of the whole table as long as it has no statistics of it.
func (w *worker) effectOfNew(ctx context.Context, group []delivery) error {
	received := sqldb.Micros(time.Now())
	// The number of rows is a power of two, so that there are few statements to
	// prepare; the last row is repeated and changes nothing.
	n := 1
	for n < len(group) {
		n *= 2
	}
	var query strings.Builder
	query.WriteString(insertInbox)
	args := make([]any, 2, n+2)
	args[0], args[1] = w.Name, received
	for i := range n {
		if i > 0 {
			query.WriteByte(',')
		}
		query.WriteString(`($1,$`)
		query.WriteString(strconv.Itoa(i + 3))
		query.WriteString(`,$2)`)
		args = append(args, group[min(i, len(group)-1)].env.GetId())
	}
	query.WriteString(` ON CONFLICT DO NOTHING`)
	return w.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		fresh, err := tx.Exec(ctx, query.String(), args...)
		if err != nil {
			return err
		}
		if fresh != int64(len(group)) {
			return errRepeated
		}
		for i, d := range group {
			if err := w.handle(ctx, tx, d); err != nil {
				return &handlerError{index: i, err: err}
			}
		}
		return nil
	})
}

// effectOfSome applies those events of a group that have not been received
// before, and returns how many had been.
func (w *worker) effectOfSome(ctx context.Context, group []delivery) (repeated int, err error) {
	err = w.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		repeated = 0
		received := sqldb.Micros(time.Now())
		for i, d := range group {
			fresh, err := tx.Exec(ctx, insertInbox+`($1, $2, $3) ON CONFLICT DO NOTHING`, w.Name, d.env.GetId(), received)
			if err != nil {
				return err
			}
			if fresh == 0 {
				repeated++
				continue
			}
			if err := w.handle(ctx, tx, d); err != nil {
				return &handlerError{index: i, err: err}
			}
		}
		return nil
	})
	return repeated, err
}

// handle runs the handler inside the trace that the event comes from. A panic
// is that event's error: it must not stop the others.
func (w *worker) handle(ctx context.Context, tx *sqldb.Tx, d delivery) (err error) {
	if d.env.GetTraceparent() != "" {
		carrier := propagation.MapCarrier{"traceparent": d.env.GetTraceparent()}
		ctx = propagation.TraceContext{}.Extract(ctx, carrier)
	}
	ctx, span := w.bus.tracer.Start(ctx, "consume "+d.msg.Subject(),
		trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(attribute.String("trama.consumer", w.Name), attribute.String("trama.event_id", d.env.GetId())))
	defer func() {
		if p := recover(); p != nil {
			w.log.Error("event handler panicked", "event_id", d.env.GetId(), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("handler panicked: %v", p)
		}
		if err != nil {
			span.SetStatus(codes.Error, string(errs.ReasonOf(err)))
		}
		span.End()
	}()
	return d.handler.apply(ctx, tx, d.env)
}

// settle acknowledges events whose effect is committed.
func (w *worker) settle(ctx context.Context, group []delivery) {
	now := time.Now()
	for _, d := range group {
		w.ack(d.msg)
		w.meters.processed(ctx, now.Sub(d.env.GetEventTime().AsTime()))
	}
}

// permanent reports whether the same event would fail in the same way again.
func permanent(err error) bool {
	if errors.Is(err, errUndecodable) {
		return true
	}
	switch errs.KindOf(err) {
	case errs.Invalid, errs.NotFound, errs.FailedPrecondition, errs.AlreadyExists:
		return true
	default:
		return false
	}
}

// fail decides about one event that failed alone.
func (w *worker) fail(ctx context.Context, d delivery, cause error) {
	if permanent(cause) || d.deliveries >= uint64(w.MaxDeliveries) {
		w.bury(ctx, d, cause)
		return
	}
	delay := w.delay(d.deliveries)
	w.log.Warn("event failed, will be delivered again",
		"event_id", d.env.GetId(), "deliveries", d.deliveries, "delay", delay, "error", cause)
	w.meters.retried(ctx)
	if err := d.msg.NakWithDelay(delay); err != nil {
		w.log.Warn("event not returned", "error", err)
	}
}

// databaseDown reports whether the database does not answer at all, in which
// case no event is to blame: it then holds the group until the database is
// back, telling the server that the events are still being worked on.
func (w *worker) databaseDown(ctx context.Context, group []delivery) bool {
	down := false
	for {
		err := w.DB.Ping(ctx)
		if err == nil || ctx.Err() != nil {
			return down
		}
		if !down {
			w.log.Error("database does not answer, consumer waits", "error", err)
		}
		down = true
		for _, d := range group {
			_ = d.msg.InProgress()
		}
		pause(ctx, time.Second)
	}
}
