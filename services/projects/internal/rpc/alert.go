package rpc

import (
	"context"
	"time"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/auth"
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
		Name: a.Name(), Kind: value[projectsv1.AlertKind](projectsv1.AlertKind_value, "ALERT_KIND_", a.Kind), Cause: a.Resource,
		State: state, Organisation: a.Organisation, OpenTime: timeProto(a.Opened), CloseTime: timeProto(a.Closed), Etag: platform.Etag(a.Version),
		Rule: "alertRules/" + a.Rule, Severity: severityProto(a.Severity), Value: a.Value, Threshold: a.Threshold,
		Recipients: each(a.Recipients, recipientProto), EscalateTime: timeProto(a.Escalated), AcknowledgeTime: timeProto(a.Acknowledged),
		AcknowledgedBy: a.AcknowledgedBy, Note: a.Note, Title: textProto(a.Title),
	}
}

func severityProto(s domain.Severity) projectsv1.AlertSeverity {
	return value[projectsv1.AlertSeverity](projectsv1.AlertSeverity_value, "ALERT_SEVERITY_", s)
}

func recipientProto(r domain.Recipient) projectsv1.AlertRecipient {
	return value[projectsv1.AlertRecipient](projectsv1.AlertRecipient_value, "ALERT_RECIPIENT_", r)
}

// eventAlert is an alert as events carry it: without who took charge and what
// they said.
func eventAlert(a *domain.Alert) *projectsv1.Alert {
	out := alertProto(a)
	out.AcknowledgedBy, out.Note = "", ""
	return out
}

// alertScope says which alerts the caller may see; with mine only those of which
// they are told.
func alertScope(ctx context.Context, mine bool) store.AlertScope {
	out := store.AlertScope{Part: auth.ScopeFrom(ctx).Where, Lead: leadScope(ctx).Where}
	if mine {
		caller := auth.CallerFrom(ctx)
		out.Mine = &store.Told{Of: map[domain.Recipient]store.Scope{}}
		for _, r := range networkRecipients {
			if caller.Has(r.role) {
				out.Mine.Network = append(out.Mine.Network, r.recipient)
			}
		}
		for r, roles := range memberRecipients {
			out.Mine.Of[r] = heldScope(caller, roles...).Where
		}
	}
	return out
}

// networkRecipients are the recipients that a network-wide role makes.
var networkRecipients = []struct {
	recipient domain.Recipient
	role      auth.Role
}{
	{domain.NetworkOperator, authzv1.Role_ROLE_NETWORK_OPERATOR},
	{domain.RegionalOperator, authzv1.Role_ROLE_REGIONAL_OPERATOR},
}

// memberRecipients are the roles in an organisation that make a recipient.
var memberRecipients = map[domain.Recipient][]auth.Role{
	domain.LeadManager:   {authzv1.Role_ROLE_PROJECT_MANAGER},
	domain.LeadAdmin:     {authzv1.Role_ROLE_ORGANISATION_ADMIN},
	domain.PartnerPeople: {authzv1.Role_ROLE_PROJECT_MANAGER, authzv1.Role_ROLE_PROJECT_PARTNER},
	domain.PartnerAdmin:  {authzv1.Role_ROLE_ORGANISATION_ADMIN},
}

// heldScope covers the organisations in which a caller holds one of the roles.
func heldScope(caller auth.Caller, roles ...auth.Role) auth.Scope {
	var out auth.Scope
	for _, m := range caller.Memberships {
		for _, r := range roles {
			if m.Role == r && !out.Covers(m.Organisation) {
				out.Organisations = append(out.Organisations, m.Organisation)
			}
		}
	}
	return out
}

// leadScope covers the organisations whose projects' costs the caller sees whole.
func leadScope(ctx context.Context) auth.Scope {
	out := heldScope(auth.CallerFrom(ctx), leadRoles...)
	out.All = auth.ScopeFrom(ctx).All
	return out
}

// apply stores what a look at a project has changed of its alerts, and tells of
// it.
func (s *Server) apply(ctx context.Context, tx *sqldb.Tx, changes domain.Changes, now time.Time) error {
	for _, a := range changes.Closed {
		if err := s.changeAlert(ctx, tx, a, now); err != nil {
			return err
		}
		if err := s.emit(ctx, tx, a.Name(), a.Version, a.Organisation, "", now, &projectsv1.AlertClosed{Alert: eventAlert(a)}); err != nil {
			return err
		}
	}
	for _, a := range changes.Escalated {
		if err := s.changeAlert(ctx, tx, a, now); err != nil {
			return err
		}
		if err := s.emit(ctx, tx, a.Name(), a.Version, a.Organisation, "", now, &projectsv1.AlertChanged{Alert: eventAlert(a)}); err != nil {
			return err
		}
	}
	for _, a := range changes.Opened {
		store.InsertAlert(tx, a)
		s.logAlert(tx, a, now)
		if err := s.emit(ctx, tx, a.Name(), a.Version, a.Organisation, "", now, &projectsv1.AlertOpened{Alert: eventAlert(a)}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) changeAlert(ctx context.Context, tx *sqldb.Tx, a *domain.Alert, now time.Time) error {
	if err := store.SaveAlert(ctx, tx, a); err != nil {
		return err
	}
	s.logAlert(tx, a, now)
	return nil
}

// logAlert keeps a change of an alert for those who follow, and wakes them after
// the commit.
func (s *Server) logAlert(tx *sqldb.Tx, a *domain.Alert, now time.Time) {
	store.InsertAlertChange(tx, a, sqldb.Micros(now))
	tx.AfterCommit(s.feed.wake)
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
		return alertProto(a), seeAlert(ctx, p, a)
	})
}

// seeAlert returns nil where the caller, who sees the project, may see the alert.
func seeAlert(ctx context.Context, p *domain.Project, a *domain.Alert) error {
	if !a.Costs() {
		return nil
	}
	return requireCosts(ctx, p, a.Organisation, a.Name())
}

// ListAlerts lists alerts of one project or of all.
func (s *Server) ListAlerts(ctx context.Context, req *projectsv1.ListAlertsRequest) (*projectsv1.ListAlertsResponse, error) {
	project, err := parentOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	bind := []string{project}
	if req.GetMine() {
		bind = append(bind, "mine")
	}
	plan, err := store.Alerts.Plan(req, binding(ctx, bind...)...)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListAlertsResponse, error) {
		if project != "" {
			if _, err := seeProject(ctx, tx, project); err != nil {
				return nil, err
			}
		}
		items, next, err := store.ListAlerts(ctx, tx, plan, project, alertScope(ctx, req.GetMine()))
		return &projectsv1.ListAlertsResponse{Alerts: each(items, alertProto), NextPageToken: next}, err
	})
}

// AcknowledgeAlert takes charge of an alert.
func (s *Server) AcknowledgeAlert(ctx context.Context, req *projectsv1.AcknowledgeAlertRequest) (*projectsv1.Alert, error) {
	project, id, err := childOf("alerts", req.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Alert, error) {
		p, err := lockShared(ctx, tx, project, req.GetName())
		if err != nil {
			return nil, err
		}
		a, err := store.Alert(ctx, tx, project, id)
		if err != nil {
			return nil, err
		}
		if err := seeAlert(ctx, p, a); err != nil {
			return nil, err
		}
		if err := requireCharge(ctx, p, a.Organisation); err != nil {
			return nil, err
		}
		if err := platform.CheckEtag(a.Name(), req.GetEtag(), a.Version); err != nil {
			return nil, err
		}
		now := s.now()
		if err := a.Acknowledge(actor(ctx), req.GetNote(), now); err != nil {
			return nil, err
		}
		if err := s.changeAlert(ctx, tx, a, now); err != nil {
			return nil, err
		}
		return alertProto(a), s.emit(ctx, tx, a.Name(), a.Version, a.Organisation, "", now, &projectsv1.AlertChanged{Alert: eventAlert(a)})
	})
}
