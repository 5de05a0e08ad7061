package bus

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Handler is what a consumer does about one type of event. On makes it.
type Handler struct {
	message protoreflect.Descriptor
	apply   func(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope) error
}

// On returns the handler for events whose data is an M. fn has its effect
// through tx alone: it may run more than once and be rolled back. It is not
// called again for an event whose effect has been committed, but events may
// reach it out of order after a retry, so a projection applies an event only
// when env.AggregateVersion is newer than what it holds.
//
// An error of kind Invalid, NotFound, FailedPrecondition or AlreadyExists is
// final: the event becomes a dead letter. After any other the event is
// delivered again.
func On[M proto.Message](fn func(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, m M) error) Handler {
	var zero M
	message := zero.ProtoReflect().Type()
	return Handler{
		message: message.Descriptor(),
		apply: func(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope) error {
			m := message.New().Interface()
			if err := env.GetData().UnmarshalTo(m); err != nil {
				return fmt.Errorf("%w: data: %w", errUndecodable, err)
			}
			return fn(ctx, tx, env, m.(M))
		},
	}
}

// Consumer says what one service does about another's events.
type Consumer struct {
	// Name of the consuming service, for example "matching". Together with
	// Source it names the durable consumer, which remembers its place in the
	// stream: all replicas of the service share it.
	Name string
	// Source is the publishing service, for example "catalogue".
	Source string
	// DB holds the inbox and the effects.
	DB *sqldb.DB
	// Handlers, one for each type of event. Events of other types are not
	// delivered. A type added later is handled from then on; what was
	// published before has passed.
	Handlers []Handler
	// MaxDeliveries after which an event that fails again and again becomes a
	// dead letter; 0 means 10.
	MaxDeliveries int
	// Retry is the wait before the second delivery; each later wait is twice
	// the one before, up to 30 s. 0 means 200 ms.
	Retry time.Duration
}

const retryMax = 30 * time.Second

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

func (c Consumer) check() error {
	switch {
	case !namePattern.MatchString(c.Name):
		return fmt.Errorf("bus: consumer name %q: want lower case letters, digits and hyphens", c.Name)
	case !namePattern.MatchString(c.Source):
		return fmt.Errorf("bus: consumer %s: source %q: want lower case letters, digits and hyphens", c.Name, c.Source)
	case c.DB == nil:
		return fmt.Errorf("bus: consumer %s: DB is nil", c.Name)
	case len(c.Handlers) == 0:
		return fmt.Errorf("bus: consumer %s of %s has no handlers", c.Name, c.Source)
	}
	seen := map[protoreflect.FullName]bool{}
	for _, h := range c.Handlers {
		if h.message == nil {
			return errors.New("bus: a handler was not made by On")
		}
		if seen[h.message.FullName()] {
			return fmt.Errorf("bus: consumer %s has two handlers for %s", c.Name, h.message.FullName())
		}
		seen[h.message.FullName()] = true
	}
	return nil
}

func durable(consumer, source string) string { return consumer + "_" + source }

func (c Consumer) subjects() []string {
	seen := map[string]bool{}
	var out []string
	for _, h := range c.Handlers {
		// Two versions of a message (v1, v2) share a subject.
		if s := subject(c.Source, h.message.Name()); !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// delay returns how long to wait before the next delivery, after the given
// number of them.
func (c Consumer) delay(deliveries uint64) time.Duration {
	wait := c.Retry
	for range deliveries - 1 {
		if wait *= 2; wait >= retryMax {
			return retryMax
		}
	}
	return min(wait, retryMax)
}
