package store

import (
	"context"

	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// Lines is what lists of budget lines can be filtered and ordered by.
var Lines = page.New(
	page.Column{Field: "id", SQL: "l.id", Kind: page.String},
	page.Column{Field: "organisation", SQL: "l.organisation", Kind: page.String},
	enum("category", "l.category", "COST_CATEGORY_"),
	enum("cost_method", "l.method", "COST_METHOD_"),
	page.Column{Field: "work_package", SQL: "CASE WHEN l.work_package = '' THEN '' ELSE 'projects/' || l.project || '/tasks/' || l.work_package END", Kind: page.String},
	page.Column{Field: "create_time", SQL: "l.created", Kind: page.Time, Orderable: true},
)

const lineColumns = `l.id, l.project, l.organisation, l.category, l.amount, l.spent, p.currency,
	l.work_package, l.method, l.deliverable, l.version, l.created, l.updated, l.doc`
const lineTables = `budget_lines l JOIN projects p ON p.id = l.project`

func scanLine(r row) (*domain.Line, error) {
	l := &domain.Line{}
	var s stamp
	var text string
	if err := r.Scan(&l.ID, &l.Project, &l.Organisation, &l.Category, &l.Amount.Minor, &l.Spent.Minor, &l.Amount.Currency,
		&l.WorkPackage, &l.Method, &l.Deliverable, &s.version, &s.created, &s.updated, &text); err != nil {
		return nil, err
	}
	l.Spent.Currency = l.Amount.Currency
	l.Stamp = s.read()
	return l, readDoc(text, l)
}

// Line reads a budget line of a project.
func Line(ctx context.Context, tx *sqldb.Tx, project, id string) (*domain.Line, error) {
	l, err := scanLine(tx.QueryRow(ctx, `SELECT `+lineColumns+` FROM `+lineTables+` WHERE l.project = $1 AND l.id = $2`, project, id))
	return l, absent(domain.LineName(project, id), err)
}

// AllLines reads the lines of a project whose partner is in the scope, in the
// order of creation.
func AllLines(ctx context.Context, tx *sqldb.Tx, project string, scope Scope) ([]*domain.Line, error) {
	args := []any{project}
	where := scope("l.organisation", &args)
	return collect(ctx, tx, scanLine, `SELECT `+lineColumns+` FROM `+lineTables+` WHERE l.project = $1 AND `+where+` ORDER BY l.id`, args...)
}

// LinesFor names the lump sums for a deliverable.
func LinesFor(ctx context.Context, tx *sqldb.Tx, d *domain.Deliverable) ([]string, error) {
	return collect(ctx, tx, text, `SELECT 'projects/' || project || '/budgetLines/' || id FROM budget_lines
		WHERE deliverable = $1 AND deliverable <> '' ORDER BY id LIMIT 10`, d.ID)
}

// InsertLine stores a new line.
func InsertLine(tx *sqldb.Tx, l *domain.Line) {
	tx.Queue(`INSERT INTO budget_lines (id, project, organisation, category, amount, spent, work_package, method, deliverable, version, created, updated, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`, l.ID, l.Project, l.Organisation, l.Category, l.Amount.Minor, l.Spent.Minor,
		l.WorkPackage, l.Method, l.Deliverable, l.Version, micros(l.Created), micros(l.Updated), doc(l))
}

// SaveLine stores a line that was read at version was. What is spent on it goes
// by SaveSpent.
func SaveLine(ctx context.Context, tx *sqldb.Tx, l *domain.Line, was int64) error {
	n, err := tx.Exec(ctx, `UPDATE budget_lines SET category = $3, amount = $4, version = $5, updated = $6, doc = $7,
		work_package = $8, method = $9, deliverable = $10 WHERE id = $1 AND version = $2`,
		l.ID, was, l.Category, l.Amount.Minor, l.Version, micros(l.Updated), doc(l), l.WorkPackage, l.Method, l.Deliverable)
	return one(l.Name(), n, err)
}

// SaveSpent stores what is spent on a line, under the project's lock.
func SaveSpent(tx *sqldb.Tx, l *domain.Line) {
	tx.Queue(`UPDATE budget_lines SET spent = $2 WHERE id = $1`, l.ID, l.Spent.Minor)
}

// DeleteLine deletes a line that was read at version was.
func DeleteLine(ctx context.Context, tx *sqldb.Tx, l *domain.Line, was int64) error {
	n, err := tx.Exec(ctx, `DELETE FROM budget_lines WHERE id = $1 AND version = $2`, l.ID, was)
	return one(l.Name(), n, err)
}

// ListLines reads a page of a project's lines whose partner is in the scope.
func ListLines(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, project string, scope Scope) ([]*domain.Line, string, error) {
	q := page.Select{Columns: lineColumns, From: lineTables, Args: []any{project}}
	q.Where = "l.project = $1 AND " + scope("l.organisation", &q.Args)
	return page.List(ctx, tx, plan, q, scanner(scanLine))
}

// UsersOfLine names the expenditures on a line, voided ones too, and the claims
// that were submitted, stand, and hold something of it: of a flat rate there are
// only those.
func UsersOfLine(ctx context.Context, tx *sqldb.Tx, l *domain.Line) ([]string, error) {
	return collect(ctx, tx, text, `SELECT x.name FROM (SELECT 'projects/' || project || '/expenditures/' || id AS name FROM expenditures WHERE line = $1
		UNION SELECT 'projects/' || c.project || '/claims/' || c.id FROM claim_lines l JOIN claims c ON c.id = l.claim
			WHERE l.budget_line = $1 AND c.state IN (`+standing+`)) x ORDER BY x.name LIMIT 10`, l.ID)
}
