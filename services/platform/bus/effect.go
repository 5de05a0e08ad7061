package bus

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
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
	return w.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		seen, err := w.seen(ctx, tx, group)
		if err != nil {
			return err
		}
		received := sqldb.Micros(time.Now())
		for i, d := range group {
			if seen[d.env.GetId()] {
				continue
			}
			seen[d.env.GetId()] = true
			// A plain INSERT: should another replica be applying the same
			// event, one of the two transactions fails as a whole.
			tx.Queue(`INSERT INTO inbox (consumer, event_id, received) VALUES ($1, $2, $3)`, w.Name, d.env.GetId(), received)
			if err := w.handle(ctx, tx, d); err != nil {
				return &handlerError{index: i, err: err}
			}
		}
		return nil
	})
}

// seen returns which events of the group the inbox has. The number of
// parameters is a power of two, so that there are few statements to prepare.
func (w *worker) seen(ctx context.Context, tx *sqldb.Tx, group []delivery) (map[string]bool, error) {
	n := 1
	for n < len(group) {
		n *= 2
	}
	var query strings.Builder
	query.WriteString(`SELECT event_id FROM inbox WHERE consumer = $1 AND event_id IN (`)
	args := make([]any, 1, n+1)
	args[0] = w.Name
	for i := range n {
		if i > 0 {
			query.WriteByte(',')
		}
		query.WriteByte('$')
		query.WriteString(strconv.Itoa(i + 2))
		args = append(args, group[min(i, len(group)-1)].env.GetId())
	}
	query.WriteByte(')')
	rows, err := tx.Query(ctx, query.String(), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	seen := make(map[string]bool, len(group))
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		seen[id] = true
	}
	return seen, rows.Err()
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
