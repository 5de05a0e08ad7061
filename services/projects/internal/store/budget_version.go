package store

import (
	"context"
	"errors"

	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// BudgetVersions is what lists of budget versions can be filtered and ordered by.
var BudgetVersions = page.New(
	page.Column{Field: "id", SQL: "v.id", Kind: page.String},
	page.Column{Field: "number", SQL: "v.number", Kind: page.Int, Orderable: true},
	page.Column{Field: "create_time", SQL: "v.created", Kind: page.Time, Orderable: true},
)

const versionColumns = `v.id, v.project, v.number, v.created, v.doc`

func scanVersion(r row) (*domain.BudgetVersion, error) {
	v := &domain.BudgetVersion{}
	var number, created int64
	var text string
	if err := r.Scan(&v.ID, &v.Project, &number, &created, &text); err != nil {
		return nil, err
	}
	v.Number, v.Created = int(number), sqldb.Time(created)
	return v, readDoc(text, v)
}

// BudgetVersion reads an approved budget of a project.
func BudgetVersion(ctx context.Context, tx *sqldb.Tx, project, id string) (*domain.BudgetVersion, error) {
	v, err := scanVersion(tx.QueryRow(ctx, `SELECT `+versionColumns+` FROM budget_versions v WHERE v.project = $1 AND v.id = $2`, project, id))
	return v, absent(ids.Name("projects", project, "budgetVersions", id), err)
}

// LatestVersion reads the approved budget that holds; nil where there is none.
func LatestVersion(ctx context.Context, tx *sqldb.Tx, project string) (*domain.BudgetVersion, error) {
	v, err := scanVersion(tx.QueryRow(ctx, `SELECT `+versionColumns+` FROM budget_versions v WHERE v.project = $1 ORDER BY v.number DESC LIMIT 1`, project))
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, nil
	}
	return v, err
}

// CountVersions counts a project's approved budgets, under its lock.
func CountVersions(ctx context.Context, tx *sqldb.Tx, project string) (int, error) {
	var n int64
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM budget_versions WHERE project = $1`, project).Scan(&n)
	return int(n), err
}

// InsertVersion stores a new approved budget.
func InsertVersion(tx *sqldb.Tx, v *domain.BudgetVersion) {
	tx.Queue(`INSERT INTO budget_versions (id, project, number, created, doc) VALUES ($1, $2, $3, $4, $5)`,
		v.ID, v.Project, int64(v.Number), micros(v.Created), doc(v))
}

// ListVersions reads a page of a project's approved budgets.
func ListVersions(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, project string) ([]*domain.BudgetVersion, string, error) {
	return page.List(ctx, tx, plan, page.Select{Columns: versionColumns, From: "budget_versions v", Where: "v.project = $1", Args: []any{project}},
		scanner(scanVersion))
}

// Costs reads what was spent on a project's lines, by the period of the
// documents, and what claims hold of flat rates, which have none, by the period
// of the claims.
func Costs(ctx context.Context, tx *sqldb.Tx, p *domain.Project) ([]domain.LineCost, error) {
	costs, err := collect(ctx, tx, func(r row) (domain.LineCost, error) {
		var c domain.LineCost
		var day civil.Date
		err := r.Scan(&c.Line, &day, &c.Spent, &c.Reported, &c.Certified, &c.Paid)
		c.Period = p.PeriodOn(day)
		return c, err
	}, `SELECT line, document_date, CAST(SUM(amount) AS BIGINT), CAST(SUM(reported) AS BIGINT), CAST(SUM(certified) AS BIGINT), CAST(SUM(paid) AS BIGINT)
		FROM expenditures WHERE project = $1 AND state <> 'VOIDED' GROUP BY line, document_date`, p.ID)
	if err != nil {
		return nil, err
	}
	flat, err := collect(ctx, tx, func(r row) (domain.FlatClaim, error) {
		var c domain.FlatClaim
		return c, r.Scan(&c.Line, &c.Funder, &c.Period, &c.Reported, &c.Certified, &c.Paid)
	}, `SELECT l.budget_line, c.funder, c.period, CAST(SUM(CASE WHEN c.state IN (`+standing+`) THEN `+reportedSum+` ELSE 0 END) AS BIGINT),
		CAST(SUM(CASE WHEN c.state IN ('CERTIFIED', 'PAID') THEN l.claimed - l.cut - l.parked ELSE 0 END) AS BIGINT), CAST(SUM(l.paid) AS BIGINT)
		FROM claims c JOIN claim_lines l ON l.claim = c.id WHERE c.project = $1 AND l.expenditure IS NULL
		GROUP BY l.budget_line, c.funder, c.period`, p.ID)
	return append(costs, domain.MostClaimed(flat)...), err
}

// DueLumpSums reads the ids of the lump sums of a project whose deliverable is
// accepted or whose work package is complete.
func DueLumpSums(ctx context.Context, tx *sqldb.Tx, project string) ([]string, error) {
	return collect(ctx, tx, text, `SELECT l.id FROM budget_lines l WHERE l.project = $1 AND l.method = 'LUMP_SUM' AND (
		EXISTS (SELECT 1 FROM deliverables d WHERE d.id = l.deliverable AND d.project = l.project AND d.state = 'ACCEPTED')
		OR l.deliverable = '' AND EXISTS (SELECT 1 FROM tasks t WHERE t.id = l.work_package AND t.project = l.project AND t.done = 100))`, project)
}
