package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/trama-suite/trama/services/impact/internal/domain"
	"github.com/trama-suite/trama/services/impact/internal/domain/rollup"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Indicators is what indicators are listed by.
var Indicators = page.New(
	page.Column{Field: "name", SQL: "'indicators/' || i.id", Kind: page.String},
	page.Column{Field: "organisation", SQL: "i.organisation", Kind: page.String},
	page.Column{Field: "title", SQL: "i.title", Kind: page.String, Orderable: true},
	page.Column{Field: "unit", SQL: "i.unit", Kind: page.String},
	page.Column{Field: "theory", SQL: "i.theory", Kind: page.String},
	page.Column{Field: "headline", SQL: "i.headline", Kind: page.Bool},
	page.Column{Field: "automatic", SQL: "i.automatic", Kind: page.Bool},
	page.Column{Field: "retired", SQL: "i.retired", Kind: page.Bool},
	page.Column{Field: "create_time", SQL: "i.created", Kind: page.Time, Orderable: true},
	page.Column{Field: "update_time", SQL: "i.updated", Kind: page.Time, Orderable: true},
)

const indicatorColumns = "i.id, i.organisation, i.unit, i.method, i.theory, i.node, i.headline, i.automatic, i.retired, i.number, i.version, i.created, i.updated, i.doc"

// versionDoc is a version of an indicator: what the row's columns hold beside
// its document can change from version to version too.
type versionDoc struct {
	domain.Indicator
	Theory   string `json:"theory,omitempty"`
	Node     string `json:"node,omitempty"`
	Headline bool   `json:"headline,omitempty"`
}

func scanIndicator(scan func(dest ...any) error) (domain.Indicator, error) {
	var i domain.Indicator
	var created, updated int64
	var method, doc string
	if err := scan(&i.Name, &i.Organisation, &i.Unit, &method, &i.Theory, &i.Node, &i.Headline, &i.Automatic, &i.Retired,
		&i.Number, &i.Version, &created, &updated, &doc); err != nil {
		return domain.Indicator{}, err
	}
	i.Name = "indicators/" + i.Name
	var known bool
	if i.Method, known = rollup.ParseMethod(method); !known {
		return domain.Indicator{}, fmt.Errorf("stored indicator %s: unknown method %q", i.Name, method)
	}
	i.CreateTime, i.UpdateTime = sqldb.Time(created), sqldb.Time(updated)
	return i, decode(i.Name, doc, &i)
}

// InsertIndicator stores a new indicator with its version 1.
func InsertIndicator(ctx context.Context, tx *sqldb.Tx, i domain.Indicator) error {
	doc, err := encode(i)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO indicators (id, organisation, title, unit, method, theory, node, headline, automatic, retired, number, version, created, updated, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		id(i.Name), i.Organisation, i.Title.Text, i.Unit, i.Method.String(), i.Theory, i.Node, i.Headline, i.Automatic, i.Retired,
		i.Number, i.Version, sqldb.Micros(i.CreateTime), sqldb.Micros(i.UpdateTime), doc)
	if err != nil {
		return err
	}
	return insertVersion(ctx, tx, i)
}

// SaveIndicator stores an indicator's next row version; where its number rose,
// the version too.
func SaveIndicator(ctx context.Context, tx *sqldb.Tx, before, i domain.Indicator) error {
	doc, err := encode(i)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `UPDATE indicators SET title = $3, theory = $4, node = $5, headline = $6, retired = $7, number = $8, version = $9, updated = $10, doc = $11
		WHERE id = $1 AND version = $2`, id(i.Name), before.Version, i.Title.Text, i.Theory, i.Node, i.Headline, i.Retired, i.Number, i.Version,
		sqldb.Micros(i.UpdateTime), doc)
	if err != nil {
		return err
	}
	if err := saved(n, i.Name); err != nil || i.Number == before.Number {
		return err
	}
	return insertVersion(ctx, tx, i)
}

func insertVersion(ctx context.Context, tx *sqldb.Tx, i domain.Indicator) error {
	doc, err := encode(versionDoc{Indicator: i, Theory: i.Theory, Node: i.Node, Headline: i.Headline})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO indicator_versions (indicator, number, created, doc) VALUES ($1, $2, $3, $4)",
		id(i.Name), i.Number, sqldb.Micros(i.UpdateTime), doc)
	return err
}

// Indicator returns an indicator, errs.NotFound where there is none.
func Indicator(ctx context.Context, tx *sqldb.Tx, name string) (domain.Indicator, error) {
	i, err := scanIndicator(tx.QueryRow(ctx, "SELECT "+indicatorColumns+" FROM indicators i WHERE i.id = $1", id(name)).Scan)
	if errors.Is(err, sqldb.ErrNoRows) {
		return domain.Indicator{}, errs.AbsentResource(name)
	}
	return i, err
}

// ListIndicators lists the indicators within a scope and the network's own.
func ListIndicators(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, scope auth.Scope) ([]domain.Indicator, string, error) {
	var args []any
	where := "i.organisation = '' OR " + scope.Where("i.organisation", &args)
	return page.List(ctx, tx, plan, page.Select{Columns: indicatorColumns, From: "indicators i", Where: where, Args: args}, scanIndicator)
}

// Headlines returns the headline indicators in use, in order of creation.
func Headlines(ctx context.Context, tx *sqldb.Tx) ([]domain.Indicator, error) {
	var out []domain.Indicator
	err := each(ctx, tx, "SELECT "+indicatorColumns+" FROM indicators i WHERE i.organisation = '' AND i.headline = TRUE AND i.retired = FALSE ORDER BY i.created, i.id",
		nil, func(scan func(dest ...any) error) error {
			i, err := scanIndicator(scan)
			out = append(out, i)
			return err
		})
	return out, err
}

// IndicatorVersion is one version of an indicator and when it was made.
type IndicatorVersion struct {
	Indicator  domain.Indicator
	CreateTime time.Time
}

// IndicatorVersions is what an indicator's versions are listed by: their number.
var IndicatorVersions = page.New(page.Column{Field: "number", SQL: "v.number", Kind: page.Int})

const indicatorVersionColumns = "v.number, v.created, v.doc"

// scanVersion returns a scanner of the versions of an indicator whose newest
// version is known.
func scanVersion(newest domain.Indicator) func(scan func(dest ...any) error) (IndicatorVersion, error) {
	return func(scan func(dest ...any) error) (IndicatorVersion, error) {
		var number int32
		var created int64
		var doc string
		if err := scan(&number, &created, &doc); err != nil {
			return IndicatorVersion{}, err
		}
		v := versionDoc{}
		if err := decode(versionName(newest.Name, number), doc, &v); err != nil {
			return IndicatorVersion{}, err
		}
		i := v.Indicator
		i.Name, i.Organisation, i.Unit, i.Method = newest.Name, newest.Organisation, newest.Unit, newest.Method
		i.Automatic, i.CreateTime, i.UpdateTime = newest.Automatic, newest.CreateTime, sqldb.Time(created)
		i.Theory, i.Node, i.Headline, i.Number = v.Theory, v.Node, v.Headline, number
		return IndicatorVersion{Indicator: i, CreateTime: sqldb.Time(created)}, nil
	}
}

// VersionOf returns one version of an indicator, errs.NotFound where there is none.
func VersionOf(ctx context.Context, tx *sqldb.Tx, newest domain.Indicator, number int32) (IndicatorVersion, error) {
	v, err := scanVersion(newest)(tx.QueryRow(ctx, "SELECT "+indicatorVersionColumns+" FROM indicator_versions v WHERE v.indicator = $1 AND v.number = $2",
		id(newest.Name), number).Scan)
	if errors.Is(err, sqldb.ErrNoRows) {
		return IndicatorVersion{}, errs.AbsentResource(versionName(newest.Name, number))
	}
	return v, err
}

// VersionAt returns the version that was in force at an instant, the first one
// for instants before it.
func VersionAt(ctx context.Context, tx *sqldb.Tx, newest domain.Indicator, at time.Time) (domain.Indicator, error) {
	v, err := scanVersion(newest)(tx.QueryRow(ctx, `SELECT `+indicatorVersionColumns+` FROM indicator_versions v
		WHERE v.indicator = $1 AND (v.created <= $2 OR v.number = 1) ORDER BY v.number DESC LIMIT 1`, id(newest.Name), sqldb.Micros(at)).Scan)
	return v.Indicator, err
}

// ListIndicatorVersions lists an indicator's versions.
func ListIndicatorVersions(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, newest domain.Indicator) ([]IndicatorVersion, string, error) {
	return page.List(ctx, tx, plan, page.Select{
		Columns: indicatorVersionColumns, From: "indicator_versions v", Where: "v.indicator = $1", Args: []any{id(newest.Name)},
	}, scanVersion(newest))
}

func versionName(parent string, number int32) string {
	return parent + "/versions/" + strconv.Itoa(int(number))
}
