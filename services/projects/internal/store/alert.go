package store

import (
	"context"

	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Alerts is what lists of alerts can be filtered and ordered by.
var Alerts = page.New(
	page.Column{Field: "id", SQL: "a.id", Kind: page.String},
	enum("state", "a.state", "ALERT_STATE_"),
	enum("kind", "a.kind", "ALERT_KIND_"),
	page.Column{Field: "cause", SQL: "a.cause", Kind: page.String},
	page.Column{Field: "organisation", SQL: "a.organisation", Kind: page.String},
	page.Column{Field: "open_time", SQL: "a.opened", Kind: page.Time, Orderable: true},
)

const alertColumns = `a.id, a.project, a.organisation, a.kind, a.cause, a.opened, a.closed, a.version`

func scanAlert(r row) (*domain.Alert, error) {
	a := &domain.Alert{}
	var opened, closed int64
	if err := r.Scan(&a.ID, &a.Project, &a.Cause.Organisation, &a.Cause.Kind, &a.Cause.Resource, &opened, &closed, &a.Version); err != nil {
		return nil, err
	}
	a.Created, a.Closed = sqldb.Time(opened), sqldb.Time(closed)
	return a, nil
}

func alertState(a *domain.Alert) string {
	if a.Closed.IsZero() {
		return "OPEN"
	}
	return "CLOSED"
}

// AlertScope says which alerts a caller may see: all of the projects in which an
// organisation of Part takes part, but alerts on budget lines only where the
// project's lead is in Lead or the line's partner in Part.
type AlertScope struct{ Part, Lead Scope }

func (s AlertScope) where(args *[]any) string {
	part := takesPart(s.Part, "a.project", args)
	if part == "" {
		return ""
	}
	own := s.Part("a.organisation", args)
	lead := s.Lead("p.organisation", args)
	return part + ` AND (a.kind <> 'LINE_OVERSPENT' OR ` + own + ` OR ` + lead + `)`
}

// Alert reads an alert of a project.
func Alert(ctx context.Context, tx *sqldb.Tx, project, id string) (*domain.Alert, error) {
	a, err := scanAlert(tx.QueryRow(ctx, `SELECT `+alertColumns+` FROM alerts a WHERE a.project = $1 AND a.id = $2`, project, id))
	return a, absent((&domain.Alert{Project: project, ID: id}).Name(), err)
}

// OpenAlerts reads a project's open alerts, oldest first.
func OpenAlerts(ctx context.Context, tx *sqldb.Tx, project string) ([]*domain.Alert, error) {
	return collect(ctx, tx, scanAlert, `SELECT `+alertColumns+` FROM alerts a WHERE a.project = $1 AND a.state = 'OPEN' ORDER BY a.opened, a.id`, project)
}

// InsertAlert stores a new alert.
func InsertAlert(tx *sqldb.Tx, a *domain.Alert) {
	tx.Queue(`INSERT INTO alerts (id, project, organisation, kind, cause, state, opened, closed, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		a.ID, a.Project, a.Cause.Organisation, a.Cause.Kind, a.Cause.Resource, alertState(a), micros(a.Created), micros(a.Closed), a.Version)
}

// CloseAlert stores a closed alert that was read at the version before, under
// the project's lock.
func CloseAlert(ctx context.Context, tx *sqldb.Tx, a *domain.Alert) error {
	n, err := tx.Exec(ctx, `UPDATE alerts SET state = 'CLOSED', closed = $3, version = $4 WHERE id = $1 AND version = $2`,
		a.ID, a.Version-1, micros(a.Closed), a.Version)
	return one(a.Name(), n, err)
}

// ListAlerts reads a page of alerts, of one project or of all where project is
// empty.
func ListAlerts(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, project string, scope AlertScope) ([]*domain.Alert, string, error) {
	q := page.Select{Columns: alertColumns, From: "alerts a JOIN projects p ON p.id = a.project"}
	q.Where = scope.where(&q.Args)
	if project != "" {
		q.Args = append(q.Args, project)
		q.Where = and(q.Where, "a.project = "+placeholder(q.Args))
	}
	return page.List(ctx, tx, plan, q, scanner(scanAlert))
}

// Causes reads what is wrong with a project on a day. The lead is in charge of
// what names nobody.
func Causes(ctx context.Context, tx *sqldb.Tx, p *domain.Project, today civil.Date) ([]domain.Cause, error) {
	if p.Phase == domain.Closed {
		return nil, nil
	}
	return collect(ctx, tx, func(r row) (domain.Cause, error) {
		var c domain.Cause
		var collection, id string
		err := r.Scan(&c.Kind, &collection, &id, &c.Organisation)
		c.Resource = p.Name() + collection + id
		if c.Organisation == "" {
			c.Organisation = p.Lead
		}
		return c, err
	}, `SELECT 'TASK_LATE', '/tasks/', id, organisation FROM tasks WHERE project = $1 AND NOT summary AND done < 100 AND finish_date < $2
		UNION ALL SELECT 'DELIVERABLE_OVERDUE', '/deliverables/', id, organisation FROM deliverables
			WHERE project = $1 AND state IN ('PLANNED', 'RETURNED') AND due_date < $2
		UNION ALL SELECT 'LINE_OVERSPENT', '/budgetLines/', id, organisation FROM budget_lines WHERE project = $1 AND spent > amount
		ORDER BY 1, 3`, p.ID, today)
}

// Unseen returns the ids of projects, at most limit, in which something is late
// on a day and no alert tells of it yet.
func Unseen(ctx context.Context, tx *sqldb.Tx, today civil.Date, limit int) ([]string, error) {
	return collect(ctx, tx, text, `SELECT t.project FROM tasks t JOIN projects p ON p.id = t.project
			WHERE NOT t.summary AND t.done < 100 AND t.finish_date < $1 AND p.phase <> 'CLOSED'
			AND NOT EXISTS (SELECT 1 FROM alerts a WHERE a.kind = 'TASK_LATE' AND a.state = 'OPEN'
				AND a.cause = 'projects/' || t.project || '/tasks/' || t.id)
		UNION SELECT d.project FROM deliverables d JOIN projects p ON p.id = d.project
			WHERE d.state IN ('PLANNED', 'RETURNED') AND d.due_date < $1 AND p.phase <> 'CLOSED'
			AND NOT EXISTS (SELECT 1 FROM alerts a WHERE a.kind = 'DELIVERABLE_OVERDUE' AND a.state = 'OPEN'
				AND a.cause = 'projects/' || d.project || '/deliverables/' || d.id)
		ORDER BY 1 LIMIT $2`, today, limit)
}
