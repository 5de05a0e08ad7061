package store

import (
	"context"
	"slices"
	"strings"

	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// Alerts is what lists of alerts can be filtered and ordered by.
var Alerts = page.New(
	page.Column{Field: "id", SQL: "a.id", Kind: page.String},
	enum("state", "a.state", "ALERT_STATE_"),
	enum("kind", "a.kind", "ALERT_KIND_"),
	enum("severity", "a.severity", "ALERT_SEVERITY_"),
	page.Column{Field: "rule", SQL: "'alertRules/' || a.rule", Kind: page.String},
	page.Column{Field: "cause", SQL: "a.cause", Kind: page.String},
	page.Column{Field: "organisation", SQL: "a.organisation", Kind: page.String},
	page.Column{Field: "acknowledged", SQL: "(a.acknowledged > 0)", Kind: page.Bool},
	page.Column{Field: "open_time", SQL: "a.opened", Kind: page.Time, Orderable: true},
)

func scanAlert(r row) (*domain.Alert, error) {
	var text string
	if err := r.Scan(&text); err != nil {
		return nil, err
	}
	a := &domain.Alert{}
	return a, readDoc(text, a)
}

func alertState(a *domain.Alert) string {
	if a.Closed.IsZero() {
		return "OPEN"
	}
	return "CLOSED"
}

// told is the column of recipients.
func told(a *domain.Alert) string {
	var b strings.Builder
	for _, r := range a.Recipients {
		b.WriteString("," + string(r) + ",")
	}
	return b.String()
}

// AlertScope says which alerts a caller may see: all of the projects in which an
// organisation of Part takes part, but alerts on costs only where the project's
// lead is in Lead or the partner in charge in Part.
type AlertScope struct {
	Part, Lead Scope
	// Mine keeps to alerts of which somebody is told, where it is not nil.
	Mine *Told
}

// Told is as whom somebody is told of alerts: the organisations in which they are
// a recipient of each kind, or, for the network's, that they are.
type Told struct {
	Of      map[domain.Recipient]Scope
	Network []domain.Recipient
}

func (s AlertScope) where(args *[]any) string {
	where := takesPart(s.Part, "a.project", args)
	if where != "" {
		own := s.Part("a.organisation", args)
		lead := s.Lead("p.organisation", args)
		where += ` AND (NOT a.costs OR ` + own + ` OR ` + lead + `)`
	}
	if s.Mine != nil {
		where = and(where, s.Mine.where(args))
	}
	return where
}

func (t *Told) where(args *[]any) string {
	names := func(r domain.Recipient) string {
		*args = append(*args, ","+string(r)+",")
		return `replace(a.told, ` + placeholder(*args) + `, '') <> a.told`
	}
	conditions := []string{"1=0"}
	for _, r := range t.Network {
		conditions = append(conditions, names(r))
	}
	for _, r := range []domain.Recipient{domain.LeadManager, domain.LeadAdmin, domain.PartnerPeople, domain.PartnerAdmin} {
		scope, some := t.Of[r]
		if !some {
			continue
		}
		column := "a.organisation"
		if r == domain.LeadManager || r == domain.LeadAdmin {
			column = "p.organisation"
		}
		conditions = append(conditions, names(r)+" AND "+scope(column, args))
	}
	return "(" + strings.Join(conditions, " OR ") + ")"
}

// Alert reads an alert of a project.
func Alert(ctx context.Context, tx *sqldb.Tx, project, id string) (*domain.Alert, error) {
	a, err := scanAlert(tx.QueryRow(ctx, `SELECT a.doc FROM alerts a WHERE a.project = $1 AND a.id = $2`, project, id))
	return a, absent((&domain.Alert{Project: project, ID: id}).Name(), err)
}

// OpenAlerts reads a project's open alerts, oldest first.
func OpenAlerts(ctx context.Context, tx *sqldb.Tx, project string) ([]*domain.Alert, error) {
	return collect(ctx, tx, scanAlert, `SELECT a.doc FROM alerts a WHERE a.project = $1 AND a.state = 'OPEN' ORDER BY a.opened, a.id`, project)
}

// InsertAlert stores a new alert.
func InsertAlert(tx *sqldb.Tx, a *domain.Alert) {
	tx.Queue(`INSERT INTO alerts (id, project, organisation, rule, kind, cause, told, severity, costs, state, opened, closed, escalates, acknowledged, version, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		a.ID, a.Project, a.Organisation, a.Rule, a.Kind, a.Resource, told(a), a.Severity, a.Costs(), alertState(a),
		micros(a.Opened), micros(a.Closed), micros(a.Escalates), micros(a.Acknowledged), a.Version, doc(a))
}

// SaveAlert stores an alert that was read at the version before, under the
// project's lock.
func SaveAlert(ctx context.Context, tx *sqldb.Tx, a *domain.Alert) error {
	n, err := tx.Exec(ctx, `UPDATE alerts SET told = $3, state = $4, closed = $5, escalates = $6, acknowledged = $7, version = $8, doc = $9
		WHERE id = $1 AND version = $2`, a.ID, a.Version-1, told(a), alertState(a), micros(a.Closed), micros(a.Escalates), micros(a.Acknowledged), a.Version, doc(a))
	return one(a.Name(), n, err)
}

// ListAlerts reads a page of alerts, of one project or of all where project is
// empty.
func ListAlerts(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, project string, scope AlertScope) ([]*domain.Alert, string, error) {
	q := page.Select{Columns: "a.doc", From: "alerts a JOIN projects p ON p.id = a.project"}
	q.Where = scope.where(&q.Args)
	if project != "" {
		q.Args = append(q.Args, project)
		q.Where = and(q.Where, "a.project = "+placeholder(q.Args))
	}
	return page.List(ctx, tx, plan, q, scanner(scanAlert))
}

// AlertChange is one change of an alert.
type AlertChange struct {
	Sequence int64
	Alert    *domain.Alert // as it was after it
	Lead     string        // of the project, as it is now
	Partners []string
}

// InsertAlertChange numbers a change of an alert and keeps it. The number is
// taken under a lock that is held until the commit, so that numbers are seen in
// their order.
func InsertAlertChange(tx *sqldb.Tx, a *domain.Alert, at int64) {
	tx.Queue(`UPDATE alert_sequence SET last = last + 1 WHERE id = 1`)
	tx.Queue(`INSERT INTO alert_changes (sequence, project, at, doc) SELECT last, CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS TEXT) FROM alert_sequence WHERE id = 1`,
		a.Project, at, doc(a))
}

// LastAlertChange reads the number of the last change, and the number up to which
// changes may have been forgotten.
func LastAlertChange(ctx context.Context, tx *sqldb.Tx) (last, gone int64, err error) {
	err = tx.QueryRow(ctx, `SELECT last, gone FROM alert_sequence WHERE id = 1`).Scan(&last, &gone)
	return last, gone, err
}

// AlertChanges reads the changes after a number, at most limit, in their order.
func AlertChanges(ctx context.Context, tx *sqldb.Tx, after int64, limit int) ([]*AlertChange, error) {
	changes, err := collect(ctx, tx, func(r row) (*AlertChange, error) {
		c := &AlertChange{Alert: &domain.Alert{}}
		var text string
		if err := r.Scan(&c.Sequence, &text, &c.Lead); err != nil {
			return nil, err
		}
		return c, readDoc(text, c.Alert)
	}, `SELECT c.sequence, c.doc, p.organisation FROM alert_changes c JOIN projects p ON p.id = c.project
		WHERE c.sequence > $1 ORDER BY c.sequence LIMIT $2`, after, limit)
	if err != nil || len(changes) == 0 {
		return changes, err
	}
	var projects []string
	for _, c := range changes {
		if !slices.Contains(projects, c.Alert.Project) {
			projects = append(projects, c.Alert.Project)
		}
	}
	partners := map[string][]string{}
	for _, id := range projects {
		if partners[id], err = collect(ctx, tx, text, `SELECT organisation FROM project_partners WHERE project = $1`, id); err != nil {
			return nil, err
		}
	}
	for _, c := range changes {
		c.Partners = partners[c.Alert.Project]
	}
	return changes, nil
}

// ForgetAlertChanges removes changes of before a time, at most limit; it returns
// how many.
func ForgetAlertChanges(ctx context.Context, tx *sqldb.Tx, before int64, limit int) (int64, error) {
	var last int64
	err := tx.QueryRow(ctx, `SELECT COALESCE(MAX(sequence), 0) FROM (SELECT sequence FROM alert_changes WHERE at < $1 ORDER BY sequence LIMIT $2) x`, before, limit).Scan(&last)
	if err != nil || last == 0 {
		return 0, err
	}
	tx.Queue(`UPDATE alert_sequence SET gone = $1 WHERE id = 1 AND gone < $1`, last)
	return tx.Exec(ctx, `DELETE FROM alert_changes WHERE sequence <= $1`, last)
}
