package store

import (
	"context"
	"errors"

	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// Calendars is what lists of calendars can be filtered and ordered by.
var Calendars = page.New(
	page.Column{Field: "id", SQL: "c.id", Kind: page.String},
	page.Column{Field: "create_time", SQL: "c.created", Kind: page.Time, Orderable: true},
)

const calendarColumns = `c.id, c.project, c.version, c.created, c.updated, c.doc`

func scanCalendar(r row) (*domain.Calendar, error) {
	c := &domain.Calendar{}
	var s stamp
	var text string
	if err := r.Scan(&c.ID, &c.Project, &s.version, &s.created, &s.updated, &text); err != nil {
		return nil, err
	}
	c.Stamp = s.read()
	return c, readDoc(text, c)
}

// Calendar reads a calendar of a project.
func Calendar(ctx context.Context, tx *sqldb.Tx, project, id string) (*domain.Calendar, error) {
	c, err := scanCalendar(tx.QueryRow(ctx, `SELECT `+calendarColumns+` FROM calendars c WHERE c.project = $1 AND c.id = $2`, project, id))
	return c, absent(domain.CalendarName(project, id), err)
}

// AllCalendars reads all calendars of a project, in the order of creation.
func AllCalendars(ctx context.Context, tx *sqldb.Tx, project string) ([]*domain.Calendar, error) {
	return collect(ctx, tx, scanCalendar, `SELECT `+calendarColumns+` FROM calendars c WHERE c.project = $1 ORDER BY c.id`, project)
}

// InsertCalendar stores a new calendar.
func InsertCalendar(tx *sqldb.Tx, c *domain.Calendar) {
	tx.Queue(`INSERT INTO calendars (id, project, version, created, updated, doc) VALUES ($1, $2, $3, $4, $5, $6)`,
		c.ID, c.Project, c.Version, micros(c.Created), micros(c.Updated), doc(c))
}

// SaveCalendar stores a calendar that was read at version was.
func SaveCalendar(ctx context.Context, tx *sqldb.Tx, c *domain.Calendar, was int64) error {
	n, err := tx.Exec(ctx, `UPDATE calendars SET version = $3, updated = $4, doc = $5 WHERE id = $1 AND version = $2`,
		c.ID, was, c.Version, micros(c.Updated), doc(c))
	return one(c.Name(), n, err)
}

// DeleteCalendar deletes a calendar that was read at version was.
func DeleteCalendar(ctx context.Context, tx *sqldb.Tx, c *domain.Calendar, was int64) error {
	n, err := tx.Exec(ctx, `DELETE FROM calendars WHERE id = $1 AND version = $2`, c.ID, was)
	return one(c.Name(), n, err)
}

// ListCalendars reads a page of a project's calendars.
func ListCalendars(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, project string) ([]*domain.Calendar, string, error) {
	return page.List(ctx, tx, plan, page.Select{Columns: calendarColumns, From: "calendars c", Where: "c.project = $1", Args: []any{project}}, scanner(scanCalendar))
}

// Resources is what lists of resources can be filtered and ordered by.
var Resources = page.New(
	page.Column{Field: "id", SQL: "r.id", Kind: page.String},
	page.Column{Field: "organisation", SQL: "r.organisation", Kind: page.String},
	enum("kind", "r.kind", "RESOURCE_KIND_"),
	page.Column{Field: "create_time", SQL: "r.created", Kind: page.Time, Orderable: true},
)

const resourceColumns = `r.id, r.project, r.organisation, r.kind, r.version, r.created, r.updated, r.doc`

func scanResource(from row) (*domain.Resource, error) {
	r := &domain.Resource{}
	var s stamp
	var text string
	if err := from.Scan(&r.ID, &r.Project, &r.Organisation, &r.Kind, &s.version, &s.created, &s.updated, &text); err != nil {
		return nil, err
	}
	r.Stamp = s.read()
	return r, readDoc(text, r)
}

// Resource reads a resource of a project.
func Resource(ctx context.Context, tx *sqldb.Tx, project, id string) (*domain.Resource, error) {
	r, err := scanResource(tx.QueryRow(ctx, `SELECT `+resourceColumns+` FROM resources r WHERE r.project = $1 AND r.id = $2`, project, id))
	return r, absent(domain.ResourceName(project, id), err)
}

// AllResources reads all resources of a project, in the order of creation.
func AllResources(ctx context.Context, tx *sqldb.Tx, project string) ([]*domain.Resource, error) {
	return collect(ctx, tx, scanResource, `SELECT `+resourceColumns+` FROM resources r WHERE r.project = $1 ORDER BY r.id`, project)
}

// InsertResource stores a new resource.
func InsertResource(tx *sqldb.Tx, r *domain.Resource) {
	tx.Queue(`INSERT INTO resources (id, project, organisation, kind, version, created, updated, doc) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		r.ID, r.Project, r.Organisation, r.Kind, r.Version, micros(r.Created), micros(r.Updated), doc(r))
}

// SaveResource stores a resource that was read at version was.
func SaveResource(ctx context.Context, tx *sqldb.Tx, r *domain.Resource, was int64) error {
	n, err := tx.Exec(ctx, `UPDATE resources SET organisation = $3, kind = $4, version = $5, updated = $6, doc = $7 WHERE id = $1 AND version = $2`,
		r.ID, was, r.Organisation, r.Kind, r.Version, micros(r.Updated), doc(r))
	return one(r.Name(), n, err)
}

// DeleteResource deletes a resource that was read at version was.
func DeleteResource(ctx context.Context, tx *sqldb.Tx, r *domain.Resource, was int64) error {
	n, err := tx.Exec(ctx, `DELETE FROM resources WHERE id = $1 AND version = $2`, r.ID, was)
	return one(r.Name(), n, err)
}

// ListResources reads a page of a project's resources.
func ListResources(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, project string) ([]*domain.Resource, string, error) {
	return page.List(ctx, tx, plan, page.Select{Columns: resourceColumns, From: "resources r", Where: "r.project = $1", Args: []any{project}}, scanner(scanResource))
}

// Schedule reads how a project's plan is scheduled; the defaults where nobody
// has said anything.
func Schedule(ctx context.Context, tx *sqldb.Tx, p *domain.Project) (*domain.Schedule, error) {
	x := &domain.Schedule{Project: p.ID}
	var s stamp
	var text string
	err := tx.QueryRow(ctx, `SELECT plan_version, plan_token, version, created, updated, doc FROM schedules WHERE project = $1`, p.ID).
		Scan(&x.PlanVersion, &x.Token, &s.version, &s.created, &s.updated, &text)
	if errors.Is(err, sqldb.ErrNoRows) {
		x.Stamp = domain.NewStamp(p.Created)
		return x, nil
	}
	if err != nil {
		return nil, err
	}
	x.Stamp = s.read()
	return x, readDoc(text, x)
}

// SaveSchedule stores a schedule, under the project's lock.
func SaveSchedule(tx *sqldb.Tx, x *domain.Schedule) {
	tx.Queue(`INSERT INTO schedules (project, plan_version, plan_token, version, created, updated, doc) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (project) DO UPDATE SET plan_version = excluded.plan_version, plan_token = excluded.plan_token, version = excluded.version, updated = excluded.updated, doc = excluded.doc`,
		x.Project, x.PlanVersion, x.Token, x.Version, micros(x.Created), micros(x.Updated), doc(x))
}
