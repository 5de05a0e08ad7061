package rpc

import (
	"context"
	"slices"
	"strconv"
	"time"

	"google.golang.org/grpc"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// StreamAlerts sends the changes of alerts as they are committed.
func (s *Server) StreamAlerts(req *projectsv1.StreamAlertsRequest, stream grpc.ServerStreamingServer[projectsv1.StreamAlertsResponse]) error {
	f := follower{server: s, stream: stream, mine: req.GetMine()}
	ctx := stream.Context()
	var err error
	if f.project, err = parentOf(req.GetParent()); err != nil {
		return err
	}
	if err := f.look(ctx); err != nil {
		return err
	}
	if f.at, err = s.begin(ctx, req.GetResumeToken()); err != nil {
		return err
	}
	if err := f.send(nil); err != nil {
		return err
	}
	return f.run(ctx)
}

// begin is the number of the change after which a stream begins.
func (s *Server) begin(ctx context.Context, token string) (int64, error) {
	last, gone, err := s.lastChange(ctx)
	if err != nil || token == "" {
		return last, err
	}
	at, err := strconv.ParseInt(token, 10, 64)
	if err != nil || at > last {
		return 0, errs.InvalidField(errs.InvalidRequest, "resume_token", "is none that this stream has given")
	}
	if at < gone {
		return 0, errs.New(errs.FailedPrecondition, domain.StreamTokenOld,
			"the changes since then are no longer kept: list the alerts, and follow from now on")
	}
	return at, nil
}

// follower is one stream.
type follower struct {
	server  *Server
	stream  grpc.ServerStreamingServer[projectsv1.StreamAlertsResponse]
	project string // empty: all
	mine    bool
	at      int64 // number of the last change that was dealt with
	view    view
}

// view is what somebody may see of changes.
type view struct {
	caller auth.Caller
	part   auth.Scope
	lead   auth.Scope
}

// look takes down what the caller may see now.
func (f *follower) look(ctx context.Context) error {
	f.view = view{caller: auth.CallerFrom(ctx), part: auth.ScopeFrom(ctx), lead: leadScope(ctx)}
	if f.project == "" {
		return nil
	}
	return f.server.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := seeProject(ctx, tx, f.project)
		return err
	})
}

// run sends what there is until the stream ends. Between times it tells that it
// lives, and looks again who the caller is.
func (f *follower) run(ctx context.Context) error {
	beat := time.NewTicker(f.server.heartbeat)
	defer beat.Stop()
	for {
		changes, more, known, err := f.server.feed.after(f.at)
		if err != nil {
			return err
		}
		if !known {
			if changes, err = f.server.changesAfter(ctx, f.at); err != nil {
				return err
			}
		}
		for _, c := range changes {
			f.at = c.Sequence
			if !f.sees(c) {
				continue
			}
			if err := f.send(c.Alert); err != nil {
				return err
			}
		}
		if len(changes) > 0 {
			more = closed // go on at once, unless the beat is due
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-beat.C:
			again, err := auth.Renew(ctx)
			if err != nil {
				return err
			}
			if err := f.look(again); err != nil {
				return err
			}
			if err := f.send(nil); err != nil {
				return err
			}
		case <-more:
		}
	}
}

// closed is a channel on which nobody waits.
var closed = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

func (f *follower) send(a *domain.Alert) error {
	out := &projectsv1.StreamAlertsResponse{ResumeToken: strconv.FormatInt(f.at, 10)}
	if a != nil {
		out.Alert = alertProto(a)
	}
	return f.stream.Send(out)
}

// sees reports whether a change is the stream's to send: what ListAlerts would
// list.
func (f *follower) sees(c *store.AlertChange) bool {
	a := c.Alert
	if f.project != "" && a.Project != f.project {
		return false
	}
	if !slices.ContainsFunc(c.Partners, f.view.part.Covers) {
		return false
	}
	if a.Costs() && !f.view.part.Covers(a.Organisation) && !f.view.lead.Covers(c.Lead) {
		return false
	}
	return !f.mine || slices.ContainsFunc(a.Recipients, func(r domain.Recipient) bool { return f.view.is(r, c.Lead, a.Organisation) })
}

// is reports whether somebody is a recipient of an alert.
func (v *view) is(r domain.Recipient, lead, organisation string) bool {
	for _, n := range networkRecipients {
		if n.recipient == r {
			return v.caller.Has(n.role)
		}
	}
	of := organisation
	if r == domain.LeadManager || r == domain.LeadAdmin {
		of = lead
	}
	return slices.ContainsFunc(memberRecipients[r], func(role auth.Role) bool { return v.caller.HasIn(of, role) })
}
