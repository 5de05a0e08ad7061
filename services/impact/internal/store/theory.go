package store

import (
	"context"
	"errors"

	"github.com/trama-suite/trama/services/impact/internal/domain"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Theories is what theories are listed by.
var Theories = page.New(
	page.Column{Field: "name", SQL: "'theories/' || t.id", Kind: page.String},
	page.Column{Field: "organisation", SQL: "t.organisation", Kind: page.String},
	page.Column{Field: "project", SQL: "t.project", Kind: page.String},
	page.Column{Field: "title", SQL: "t.title", Kind: page.String, Orderable: true},
	page.Column{Field: "published_version", SQL: "t.published", Kind: page.Int},
	page.Column{Field: "create_time", SQL: "t.created", Kind: page.Time, Orderable: true},
	page.Column{Field: "update_time", SQL: "t.updated", Kind: page.Time, Orderable: true},
)

const theoryColumns = "t.id, t.organisation, t.project, t.published, t.version, t.created, t.updated, t.doc"

func scanTheory(scan func(dest ...any) error) (domain.Theory, error) {
	var t domain.Theory
	var created, updated int64
	var doc string
	if err := scan(&t.Name, &t.Organisation, &t.Project, &t.Published, &t.Version, &created, &updated, &doc); err != nil {
		return domain.Theory{}, err
	}
	t.Name = "theories/" + t.Name
	t.CreateTime, t.UpdateTime = sqldb.Time(created), sqldb.Time(updated)
	return t, decode(t.Name, doc, &t)
}

// InsertTheory stores a new theory.
func InsertTheory(ctx context.Context, tx *sqldb.Tx, t domain.Theory) error {
	doc, err := encode(t)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO theories (id, organisation, project, title, published, version, created, updated, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, id(t.Name), t.Organisation, t.Project, t.Title.Text, t.Published, t.Version,
		sqldb.Micros(t.CreateTime), sqldb.Micros(t.UpdateTime), doc)
	return err
}

// SaveTheory stores a theory's next version over the one before.
func SaveTheory(ctx context.Context, tx *sqldb.Tx, t domain.Theory) error {
	doc, err := encode(t)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `UPDATE theories SET project = $3, title = $4, published = $5, version = $6, updated = $7, doc = $8
		WHERE id = $1 AND version = $2`, id(t.Name), t.Version-1, t.Project, t.Title.Text, t.Published, t.Version,
		sqldb.Micros(t.UpdateTime), doc)
	if err != nil {
		return err
	}
	return saved(n, t.Name)
}

// Theory returns a theory, errs.NotFound where there is none.
func Theory(ctx context.Context, tx *sqldb.Tx, name string) (domain.Theory, error) {
	t, err := scanTheory(tx.QueryRow(ctx, "SELECT "+theoryColumns+" FROM theories t WHERE t.id = $1", id(name)).Scan)
	if errors.Is(err, sqldb.ErrNoRows) {
		return domain.Theory{}, errs.AbsentResource(name)
	}
	return t, err
}

// LockTheory makes others who change a theory, or measure a node of it, wait until
// this transaction ends. It comes before the theory is read.
func LockTheory(tx *sqldb.Tx, name string) {
	tx.Queue("UPDATE theories SET published = published WHERE id = $1", id(name))
}

// ListTheories lists the theories within a scope and the network's own.
func ListTheories(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, scope auth.Scope) ([]domain.Theory, string, error) {
	var args []any
	where := "t.organisation = '' OR " + scope.Where("t.organisation", &args)
	return page.List(ctx, tx, plan, page.Select{Columns: theoryColumns, From: "theories t", Where: where, Args: args}, scanTheory)
}

// DeleteTheory removes a theory and its versions.
func DeleteTheory(ctx context.Context, tx *sqldb.Tx, t domain.Theory) error {
	tx.Queue("DELETE FROM theory_versions WHERE theory = $1", id(t.Name))
	n, err := tx.Exec(ctx, "DELETE FROM theories WHERE id = $1 AND version = $2", id(t.Name), t.Version)
	if err != nil {
		return err
	}
	return saved(n, t.Name)
}

// MeasuredNodes returns the keys of a theory's nodes that an indicator measures;
// with inUse, only indicators that are not retired count.
func MeasuredNodes(ctx context.Context, tx *sqldb.Tx, theory string, inUse bool) (map[string]bool, error) {
	out := map[string]bool{}
	err := each(ctx, tx, "SELECT DISTINCT node FROM indicators WHERE theory = $1 AND (retired = FALSE OR $2 = FALSE)", []any{theory, inUse},
		func(scan func(dest ...any) error) error {
			var node string
			if err := scan(&node); err != nil {
				return err
			}
			out[node] = true
			return nil
		})
	return out, err
}

// TheoryVersions is what a theory's versions are listed by: their number.
var TheoryVersions = page.New(page.Column{Field: "number", SQL: "v.number", Kind: page.Int})

const theoryVersionColumns = "v.theory, v.number, v.published, v.doc"

func scanTheoryVersion(scan func(dest ...any) error) (domain.TheoryVersion, error) {
	var v domain.TheoryVersion
	var published int64
	var doc string
	if err := scan(&v.Theory, &v.Number, &published, &doc); err != nil {
		return domain.TheoryVersion{}, err
	}
	v.Theory, v.PublishTime = "theories/"+v.Theory, sqldb.Time(published)
	return v, decode(v.Theory, doc, &v)
}

// InsertTheoryVersion stores a published version.
func InsertTheoryVersion(ctx context.Context, tx *sqldb.Tx, v domain.TheoryVersion) error {
	doc, err := encode(v)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO theory_versions (theory, number, published, doc) VALUES ($1, $2, $3, $4)",
		id(v.Theory), v.Number, sqldb.Micros(v.PublishTime), doc)
	return err
}

// TheoryVersion returns one published version, errs.NotFound where there is none.
func TheoryVersion(ctx context.Context, tx *sqldb.Tx, theory string, number int32) (domain.TheoryVersion, error) {
	v, err := scanTheoryVersion(tx.QueryRow(ctx, "SELECT "+theoryVersionColumns+" FROM theory_versions v WHERE v.theory = $1 AND v.number = $2",
		id(theory), number).Scan)
	if errors.Is(err, sqldb.ErrNoRows) {
		return domain.TheoryVersion{}, errs.AbsentResource(versionName(theory, number))
	}
	return v, err
}

// ListTheoryVersions lists a theory's published versions.
func ListTheoryVersions(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, theory string) ([]domain.TheoryVersion, string, error) {
	return page.List(ctx, tx, plan, page.Select{
		Columns: theoryVersionColumns, From: "theory_versions v", Where: "v.theory = $1", Args: []any{id(theory)},
	}, scanTheoryVersion)
}
