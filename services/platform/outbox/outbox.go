// Package outbox is a service's event journal: an event is written in the
// transaction of the change that it tells of, and a relay publishes it. So an
// event is published if, and only if, its change was committed, and the streams
// can be filled again from the journal at any time.
package outbox

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Internal is the licence of an event that must not leave the deployment. An
// event that names no licence has this one.
const Internal = "LicenseRef-internal"

// MaxSize is how many bytes an event takes in its envelope: a NATS server takes
// messages of 1 MiB, headers included, unless told otherwise.
const MaxSize = 1<<20 - 16<<10

// Event is something that has happened to one aggregate.
type Event struct {
	// Aggregate is the resource name of what changed: "needs/0190…".
	Aggregate string
	// Version of the aggregate after the change, at least 1. There is one event
	// for each version: an aggregate that tells of two things at once takes two
	// versions.
	Version int64
	// Owner is the resource name of the organisation that the aggregate belongs
	// to; empty for what belongs to the network.
	Owner string
	// Licence under which the data may be reused: an SPDX identifier. Empty
	// means Internal.
	Licence string
	// Time when it happened.
	Time time.Time
	// Data is what happened: a message of the service's events.proto.
	Data proto.Message
}

// Envelope returns the envelope in which an event of a service travels. The
// trace in ctx travels with it.
func (e Event) Envelope(ctx context.Context, service, region string) (*eventv1.Envelope, error) {
	switch {
	case e.Aggregate == "":
		return nil, errors.New("outbox: event without an aggregate")
	case e.Version < 1:
		return nil, fmt.Errorf("outbox: event of %s with version %d: want at least 1", e.Aggregate, e.Version)
	case e.Time.IsZero():
		return nil, fmt.Errorf("outbox: event of %s without a time", e.Aggregate)
	case e.Data == nil:
		return nil, fmt.Errorf("outbox: event of %s without data", e.Aggregate)
	}
	data, err := anypb.New(e.Data)
	if err != nil {
		return nil, fmt.Errorf("outbox: event of %s: %w", e.Aggregate, err)
	}
	licence := e.Licence
	if licence == "" {
		licence = Internal
	}
	return &eventv1.Envelope{
		Id:               service + "/" + e.Aggregate + "/" + strconv.FormatInt(e.Version, 10),
		Service:          service,
		Aggregate:        e.Aggregate,
		AggregateVersion: e.Version,
		Owner:            e.Owner,
		Region:           region,
		Licence:          licence,
		EventTime:        timestamppb.New(e.Time.UTC().Truncate(time.Microsecond)),
		Traceparent:      traceparent(trace.SpanContextFromContext(ctx)),
		Data:             data,
	}, nil
}

// traceparent writes a span's identity as W3C Trace Context, version 00.
func traceparent(s trace.SpanContext) string {
	if !s.IsValid() {
		return ""
	}
	id, span := s.TraceID(), s.SpanID()
	out := make([]byte, 0, 55)
	out = append(out, "00-"...)
	out = hex.AppendEncode(out, id[:])
	out = append(out, '-')
	out = hex.AppendEncode(out, span[:])
	out = append(out, '-')
	out = hex.AppendEncode(out, []byte{byte(s.TraceFlags() & trace.FlagsSampled)})
	return string(out)
}

// Outbox writes a service's events into its journal.
type Outbox struct {
	db      *sqldb.DB
	service string
	region  string
	wake    chan struct{}
	signal  func()
}

// New returns the outbox of a service in a region (ISO 3166-2, lower case).
func New(db *sqldb.DB, service, region string) *Outbox {
	o := &Outbox{db: db, service: service, region: region, wake: make(chan struct{}, 1)}
	o.signal = func() {
		select {
		case o.wake <- struct{}{}:
		default: // it is awake already
		}
	}
	return o
}

// Add writes an event in the caller's transaction. It is published after the
// commit, by the relay. An aggregate's version that has had its event already
// makes the transaction fail. An event above MaxSize is refused, as the caller's
// mistake: no stream would take it, and it would keep all after it waiting.
func (o *Outbox) Add(ctx context.Context, tx *sqldb.Tx, e Event) error {
	env, err := e.Envelope(ctx, o.service, o.region)
	if err != nil {
		return err
	}
	payload, err := proto.Marshal(env)
	if err != nil {
		return fmt.Errorf("outbox: event of %s: %w", e.Aggregate, err)
	}
	if len(payload) > MaxSize {
		return errs.New(errs.Invalid, errs.InvalidRequest,
			"%s would have %d bytes, translations and all; what others are told of may have %d: shorten its texts", e.Aggregate, len(payload), MaxSize).
			With("resource", e.Aggregate)
	}
	tx.Queue(`INSERT INTO outbox (id, aggregate, version, type, subject, payload, created) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		env.GetId(), e.Aggregate, e.Version, string(e.Data.ProtoReflect().Descriptor().FullName()),
		bus.Subject(o.service, e.Data), payload, sqldb.Micros(time.Now()))
	tx.AfterCommit(o.signal)
	return nil
}

// Lag is what waits to be published.
type Lag struct {
	Count int64         // events
	Age   time.Duration // how long the oldest of them has waited
}

// Lag returns what waits to be published.
func (o *Outbox) Lag(ctx context.Context) (Lag, error) {
	var count, oldest int64
	err := o.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*), COALESCE(MIN(created), 0) FROM outbox WHERE published IS NULL`).Scan(&count, &oldest)
	})
	if err != nil || count == 0 {
		return Lag{}, err
	}
	return Lag{Count: count, Age: max(0, time.Since(sqldb.Time(oldest)))}, nil
}
