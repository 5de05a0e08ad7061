package suite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/trama-suite/trama/gateway"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	"github.com/trama-suite/trama/services/platform/app"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/outbox"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// slowOutbox is how long an event may wait to be published before that is a
// fault: the relay polls ten times a second.
const slowOutbox = 30 * time.Second

// diagnose returns what `trama doctor` looks at besides a service's own checks.
// These do not make the process unready: a service that waits for NATS serves.
func (s *Suite) diagnose(name string, db *sqldb.DB) []app.Check {
	journal := outbox.New(db, name, s.cfg.Region)
	return []app.Check{
		{Name: name + ": schema", Run: func(ctx context.Context) error {
			have, want, err := db.SchemaVersion(ctx)
			if err == nil && have < want {
				err = fmt.Errorf("the schema is at version %d, this program wants %d", have, want)
			}
			return err
		}},
		{Name: name + ": stream", Run: func(ctx context.Context) error {
			_, err := s.bus.Stream(ctx, name)
			return err
		}},
		{Name: name + ": outbox", Run: func(ctx context.Context) error {
			lag, err := journal.Lag(ctx)
			if err == nil && lag.Age > slowOutbox {
				err = fmt.Errorf("%d events wait to be published, the oldest for %s", lag.Count, lag.Age.Round(time.Second))
			}
			return err
		}},
		{Name: name + ": dead letters", Run: func(ctx context.Context) error { return s.deadLetters(ctx, name) }},
	}
}

// deadLetters fails where a consumer could not digest events.
func (s *Suite) deadLetters(ctx context.Context, consumer string) error {
	all, err := s.bus.DeadLetters(ctx)
	if err != nil {
		return err
	}
	for _, d := range all {
		if d.Consumer == consumer && d.Count > 0 {
			return fmt.Errorf("%d events could not be applied, the oldest of %s: %v", d.Count, d.Oldest.UTC().Format(time.RFC3339), d.Reasons)
		}
	}
	return nil
}

// ready reports why the process cannot serve, nil when it can.
func (s *Suite) ready(ctx context.Context) error {
	results, well := s.app.Ready(ctx)
	if well {
		return nil
	}
	var wrong []string
	for _, r := range results {
		if r.Err != nil {
			wrong = append(wrong, r.Name+": "+r.Err.Error())
		}
	}
	if len(wrong) == 0 {
		return errors.New("the process is stopping")
	}
	return errors.New(strings.Join(wrong, "; "))
}

// checks runs the readiness checks and the diagnoses.
func (s *Suite) checks(ctx context.Context) []gateway.CheckResult {
	ready, _ := s.app.Ready(ctx)
	var out []gateway.CheckResult
	for _, r := range ready {
		out = append(out, gateway.NewCheckResult(r.Name, r.Err))
	}
	// All at once: where NATS is down each of them takes its whole time.
	found := make([]gateway.CheckResult, len(s.diagnoses))
	var running sync.WaitGroup
	for i, c := range s.diagnoses {
		running.Go(func() {
			bounded, cancel := context.WithTimeout(ctx, 3*time.Second)
			defer cancel()
			found[i] = gateway.NewCheckResult(c.Name, c.Run(bounded))
		})
	}
	running.Wait()
	return append(out, found...)
}

// invalidate is the watch that keeps a membership cache fresh.
func invalidate(cache *auth.MembershipCache) func(*eventv1.Envelope, proto.Message) {
	return func(_ *eventv1.Envelope, data proto.Message) {
		if changed, ok := data.(*cataloguev1.MembershipChanged); ok {
			cache.Invalidate(changed.GetSubject())
		}
	}
}

// unreachable is a connection to an address that cannot be dialled at all.
type unreachable struct{ err error }

func (u unreachable) Invoke(context.Context, string, any, any, ...grpc.CallOption) error {
	return u.err
}

func (u unreachable) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, u.err
}
