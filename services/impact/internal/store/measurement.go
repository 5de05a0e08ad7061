package store

import (
	"context"
	"errors"
	"time"

	"github.com/trama-suite/trama/services/impact/internal/domain"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Measurements is what measurements are listed by.
var Measurements = page.New(
	page.Column{Field: "name", SQL: "'measurements/' || m.id", Kind: page.String},
	page.Column{Field: "indicator", SQL: "m.indicator", Kind: page.String},
	page.Column{Field: "organisation", SQL: "m.organisation", Kind: page.String},
	page.Column{Field: "project", SQL: "m.project", Kind: page.String},
	page.Column{Field: "state", SQL: "'MEASUREMENT_STATE_' || m.state", Kind: page.String},
	page.Column{Field: "start_date", SQL: "m.start_date", Kind: page.String, Orderable: true},
	page.Column{Field: "end_date", SQL: "m.end_date", Kind: page.String, Orderable: true},
	page.Column{Field: "create_time", SQL: "m.created", Kind: page.Time, Orderable: true},
	page.Column{Field: "update_time", SQL: "m.updated", Kind: page.Time, Orderable: true},
)

func scanMeasurement(scan func(dest ...any) error) (domain.Measurement, error) {
	var name, doc string
	var m domain.Measurement
	if err := scan(&name, &doc); err != nil {
		return m, err
	}
	return m, decode(name, doc, &m)
}

// InsertMeasurement stores a new measurement and the change that made it.
func InsertMeasurement(ctx context.Context, tx *sqldb.Tx, m domain.Measurement, actor string) error {
	doc, err := encode(m)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO measurements (id, indicator, organisation, project, state, counts, start_date, end_date, version, created, updated, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`, id(m.Name), m.Indicator, m.Organisation, m.Content.Project, string(m.State), m.Counts(),
		m.Content.Period.Start.String(), m.Content.Period.End.String(), m.Version, sqldb.Micros(m.CreateTime), sqldb.Micros(m.UpdateTime), doc)
	if err != nil {
		return err
	}
	return insertChange(ctx, tx, m, actor, doc)
}

// SaveMeasurement stores a measurement's next version over the one before, and
// the change.
func SaveMeasurement(ctx context.Context, tx *sqldb.Tx, m domain.Measurement, actor string) error {
	doc, err := encode(m)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `UPDATE measurements SET project = $3, state = $4, start_date = $5, end_date = $6, version = $7, updated = $8, doc = $9, counts = $10
		WHERE id = $1 AND version = $2`, id(m.Name), m.Version-1, m.Content.Project, string(m.State),
		m.Content.Period.Start.String(), m.Content.Period.End.String(), m.Version, sqldb.Micros(m.UpdateTime), doc, m.Counts())
	if err != nil {
		return err
	}
	if err := saved(n, m.Name); err != nil {
		return err
	}
	return insertChange(ctx, tx, m, actor, doc)
}

func insertChange(ctx context.Context, tx *sqldb.Tx, m domain.Measurement, actor, doc string) error {
	_, err := tx.Exec(ctx, "INSERT INTO measurement_changes (measurement, version, changed, actor, doc) VALUES ($1, $2, $3, $4, $5)",
		id(m.Name), m.Version, sqldb.Micros(m.UpdateTime), actor, doc)
	return err
}

// Measurement returns a measurement, errs.NotFound where there is none.
func Measurement(ctx context.Context, tx *sqldb.Tx, name string) (domain.Measurement, error) {
	m, err := scanMeasurement(tx.QueryRow(ctx, "SELECT id, doc FROM measurements WHERE id = $1", id(name)).Scan)
	if errors.Is(err, sqldb.ErrNoRows) {
		return m, errs.AbsentResource(name)
	}
	return m, err
}

// MeasurementAt returns a measurement as it was at an instant, errs.NotFound
// where it was not there yet.
func MeasurementAt(ctx context.Context, tx *sqldb.Tx, name string, at time.Time) (domain.Measurement, error) {
	m, err := scanMeasurement(tx.QueryRow(ctx, `SELECT measurement, doc FROM measurement_changes
		WHERE measurement = $1 AND changed <= $2 ORDER BY version DESC LIMIT 1`, id(name), sqldb.Micros(at)).Scan)
	if errors.Is(err, sqldb.ErrNoRows) {
		return m, errs.AbsentResource(name)
	}
	return m, err
}

// Series returns the measurements of the indicator and organisation of m that are
// submitted or count in roll-ups: those that it could overlap with. It takes the
// series' turn first, so that two that are submitted at the same time see one
// another.
func Series(ctx context.Context, tx *sqldb.Tx, m domain.Measurement) ([]domain.Measurement, error) {
	takeTurn(tx, m.Indicator, m.Organisation)
	var out []domain.Measurement
	err := each(ctx, tx, `SELECT id, doc FROM measurements WHERE indicator = $1 AND organisation = $2
		AND (state = 'SUBMITTED' OR counts = TRUE) ORDER BY id`, []any{m.Indicator, m.Organisation},
		func(scan func(dest ...any) error) error {
			other, err := scanMeasurement(scan)
			out = append(out, other)
			return err
		})
	return out, err
}

// ListMeasurements lists the measurements within a scope.
func ListMeasurements(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, scope auth.Scope) ([]domain.Measurement, string, error) {
	var args []any
	where := scope.Where("m.organisation", &args)
	return page.List(ctx, tx, plan, page.Select{Columns: "m.id, m.doc", From: "measurements m", Where: where, Args: args}, scanMeasurement)
}

// Change is one thing that happened to a measurement.
type Change struct {
	Measurement domain.Measurement
	Actor       string
	Time        time.Time
}

// Changes is what a measurement's changes are listed by.
var Changes = page.New(page.Column{Field: "version", SQL: "c.version", Kind: page.Int})

// ListChanges lists what happened to a measurement.
func ListChanges(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, measurement string) ([]Change, string, error) {
	return page.List(ctx, tx, plan, page.Select{
		Columns: "c.actor, c.changed, c.doc", From: "measurement_changes c", Where: "c.measurement = $1", Args: []any{id(measurement)},
	}, func(scan func(dest ...any) error) (Change, error) {
		var c Change
		var changed int64
		var doc string
		if err := scan(&c.Actor, &changed, &doc); err != nil {
			return Change{}, err
		}
		c.Time = sqldb.Time(changed)
		return c, decode(measurement, doc, &c.Measurement)
	})
}
