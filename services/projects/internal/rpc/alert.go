package rpc

import (
	"context"
	"errors"
	"time"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

func alertProto(a *domain.Alert) *projectsv1.Alert {
	state := projectsv1.AlertState_ALERT_STATE_OPEN
	if !a.Closed.IsZero() {
		state = projectsv1.AlertState_ALERT_STATE_CLOSED
	}
	return &projectsv1.Alert{
		Name: a.Name(), Kind: value[projectsv1.AlertKind](projectsv1.AlertKind_value, "ALERT_KIND_", a.Cause.Kind), Cause: a.Cause.Resource,
		State: state, Organisation: a.Cause.Organisation, OpenTime: timeProto(a.Created), CloseTime: timeProto(a.Closed), Etag: platform.Etag(a.Version),
	}
}

// refresh opens and closes a project's alerts, under its lock, so that they tell
// what is wrong now.
func (s *Server) refresh(ctx context.Context, tx *sqldb.Tx, p *domain.Project) error {
	now := s.now()
	causes, err := store.Causes(ctx, tx, p, s.today())
	if err != nil {
		return err
	}
	open, err := store.OpenAlerts(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	opened, closed := domain.Reconcile(p.ID, open, causes, s.newID, now)
	for _, a := range closed {
		if err := store.CloseAlert(ctx, tx, a); err != nil {
			return err
		}
		if err := s.emit(ctx, tx, a.Name(), a.Version, a.Cause.Organisation, "", now, &projectsv1.AlertClosed{Alert: alertProto(a)}); err != nil {
			return err
		}
	}
	for _, a := range opened {
		store.InsertAlert(tx, a)
		if err := s.emit(ctx, tx, a.Name(), a.Version, a.Cause.Organisation, "", now, &projectsv1.AlertOpened{Alert: alertProto(a)}); err != nil {
			return err
		}
	}
	return nil
}

// overdueBatch is how many projects the clock looks for at a time.
const overdueBatch = 100

// SeeOverdue opens the alerts that only the passing of time has caused. Each
// project is a transaction of its own, and one that fails does not keep the
// others waiting.
func (s *Server) SeeOverdue(ctx context.Context) error {
	for {
		found, err := read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) ([]string, error) {
			return store.Unseen(ctx, tx, s.today(), overdueBatch)
		})
		if err != nil {
			return err
		}
		var failed []error
		for _, id := range found {
			failed = append(failed, s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
				p, err := store.LockProject(ctx, tx, id)
				if err != nil {
					return err
				}
				return s.refresh(ctx, tx, p)
			}))
		}
		if err := errors.Join(failed...); err != nil || len(found) < overdueBatch {
			return err
		}
	}
}

// Watch looks for overdue work at once and then at every interval, until its
// context ends.
func (s *Server) Watch(ctx context.Context, interval time.Duration) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if err := s.SeeOverdue(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// GetAlert reads an alert.
func (s *Server) GetAlert(ctx context.Context, req *projectsv1.GetAlertRequest) (*projectsv1.Alert, error) {
	project, id, err := childOf("alerts", req.GetName())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Alert, error) {
		p, err := seeProject(ctx, tx, project)
		if err != nil {
			return nil, under(req.GetName(), err)
		}
		a, err := store.Alert(ctx, tx, project, id)
		if err != nil {
			return nil, err
		}
		if a.Cause.Kind == domain.LineOverspent {
			if err := requireCosts(ctx, p, a.Cause.Organisation, req.GetName()); err != nil {
				return nil, err
			}
		}
		return alertProto(a), nil
	})
}

// ListAlerts lists alerts of one project or of all.
func (s *Server) ListAlerts(ctx context.Context, req *projectsv1.ListAlertsRequest) (*projectsv1.ListAlertsResponse, error) {
	project, err := parentOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	plan, err := store.Alerts.Plan(req, binding(ctx, project)...)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListAlertsResponse, error) {
		if project != "" {
			if _, err := seeProject(ctx, tx, project); err != nil {
				return nil, err
			}
		}
		items, next, err := store.ListAlerts(ctx, tx, plan, project, alertScope(ctx))
		return &projectsv1.ListAlertsResponse{Alerts: each(items, alertProto), NextPageToken: next}, err
	})
}
