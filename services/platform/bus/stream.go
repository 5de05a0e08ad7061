package bus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const (
	deadStream = "TRAMA_DEAD"
	// journalKey marks, in a stream's metadata, that the service's journal is
	// in the stream. A stream without it is new.
	journalKey = "trama-journal"
	// dedupWindow is how long the server remembers event ids: an optimisation
	// for a relay that was killed between publish and mark, no more.
	dedupWindow = 2 * time.Minute
)

// StreamName returns the name of a service's stream: TRAMA_CATALOGUE.
func StreamName(service string) string { return "TRAMA_" + strings.ToUpper(service) }

// Subject returns the subject of an event of a service, by the event's message:
// trama.catalogue.need_published.
func Subject(service string, event proto.Message) string {
	return subject(service, event.ProtoReflect().Descriptor().Name())
}

func subject(service string, message protoreflect.Name) string {
	return "trama." + service + "." + snakeCase(string(message))
}

// snakeCase turns NeedPublished into need_published and B2BMeetingHeld into
// b2b_meeting_held: a word starts at an upper case letter that stands after or
// before a lower case one.
func snakeCase(camel string) string {
	upper := func(i int) bool { return i < len(camel) && camel[i] >= 'A' && camel[i] <= 'Z' }
	lower := func(i int) bool { return i < len(camel) && camel[i] >= 'a' && camel[i] <= 'z' }
	var out strings.Builder
	for i := range len(camel) {
		if !upper(i) {
			out.WriteByte(camel[i])
			continue
		}
		if i > 0 && (lower(i-1) || lower(i+1)) {
			out.WriteByte('_')
		}
		out.WriteByte(camel[i] + 'a' - 'A')
	}
	return out.String()
}

// Stream is what the relay needs to know of a service's stream.
type Stream struct {
	// Journalled: the service's journal has been brought into this stream. False
	// for a stream that was just made, also after the old one was wiped.
	Journalled bool
	// Last is the sequence number of the last event in it.
	Last uint64
}

// Stream returns a service's stream and makes it where it does not exist.
func (b *Bus) Stream(ctx context.Context, service string) (Stream, error) {
	s, err := b.ensure(ctx, jetstream.StreamConfig{
		Name:     StreamName(service),
		Subjects: []string{"trama." + service + ".>"},
		MaxAge:   b.cfg.MaxAge,
	})
	if err != nil {
		return Stream{}, err
	}
	info := s.CachedInfo()
	return Stream{Journalled: info.Config.Metadata[journalKey] != "", Last: info.State.LastSeq}, nil
}

// SetJournalled records in a service's stream that the journal is in it, or
// that all of it has been marked for publishing.
func (b *Bus) SetJournalled(ctx context.Context, service string) error {
	s, err := b.js.Stream(ctx, StreamName(service))
	if err != nil {
		return fmt.Errorf("bus: stream %s: %w", StreamName(service), err)
	}
	cfg := s.CachedInfo().Config
	cfg.Metadata = maps.Clone(cfg.Metadata)
	if cfg.Metadata == nil {
		cfg.Metadata = map[string]string{}
	}
	cfg.Metadata[journalKey] = "1"
	if _, err := b.js.UpdateStream(ctx, cfg); err != nil {
		return fmt.Errorf("bus: mark stream %s: %w", cfg.Name, err)
	}
	return nil
}

func (b *Bus) dead(ctx context.Context) (jetstream.Stream, error) {
	return b.ensure(ctx, jetstream.StreamConfig{
		Name:     deadStream,
		Subjects: []string{"trama.dead.*"},
		MaxAge:   b.cfg.DeadMaxAge,
	})
}

// ensure returns the stream, made or brought to the wanted settings where
// needed. It may be called by any number of processes at once.
func (b *Bus) ensure(ctx context.Context, want jetstream.StreamConfig) (jetstream.Stream, error) {
	want.Retention = jetstream.LimitsPolicy
	want.Discard = jetstream.DiscardOld
	want.Storage = jetstream.FileStorage
	want.Replicas = b.cfg.Replicas
	want.Duplicates = dedupWindow
	if want.MaxAge > 0 {
		want.Duplicates = min(dedupWindow, want.MaxAge)
	}
	want.AllowAtomicPublish = true
	want.AllowDirect = true

	s, err := b.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		s, err = b.create(ctx, want)
	}
	if err != nil {
		return nil, fmt.Errorf("bus: stream %s: %w", want.Name, err)
	}
	have := s.CachedInfo().Config
	if have.MaxAge == want.MaxAge && have.Replicas == want.Replicas && have.Duplicates == want.Duplicates &&
		have.AllowAtomicPublish && have.AllowDirect {
		return s, nil
	}
	have.MaxAge, have.Replicas, have.Duplicates = want.MaxAge, want.Replicas, want.Duplicates
	have.AllowAtomicPublish, have.AllowDirect = true, true
	if s, err = b.js.UpdateStream(ctx, have); err != nil {
		return nil, fmt.Errorf("bus: update stream %s: %w", want.Name, err)
	}
	return s, nil
}

// storeBusy is the server's error code for a stream whose folder it cannot make.
const storeBusy = 10049

func (b *Bus) create(ctx context.Context, want jetstream.StreamConfig) (jetstream.Stream, error) {
	for attempt := 1; ; attempt++ {
		s, err := b.js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another process was faster
			return b.js.Stream(ctx, want.Name)
		}
		refused, ok := errors.AsType[*jetstream.APIError](err)
		if !ok || refused.ErrorCode != storeBusy || attempt == 10 {
			return s, err
		}
		// A stream of that name was deleted just now and its files are still
		// being removed.
		if !pause(ctx, 50*time.Millisecond) {
			return nil, ctx.Err()
		}
	}
}
