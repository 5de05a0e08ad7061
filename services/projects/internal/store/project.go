package store

import (
	"context"
	"slices"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/money"
	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/funding"
)

// Projects is what lists of projects can be filtered and ordered by.
var Projects = page.New(
	page.Column{Field: "id", SQL: "p.id", Kind: page.String},
	page.Column{Field: "organisation", SQL: "p.organisation", Kind: page.String},
	enum("phase", "p.phase", "PHASE_"),
	page.Column{Field: "territory", SQL: "p.territory", Kind: page.String},
	page.Column{Field: "match", SQL: "p.match_name", Kind: page.String},
	page.Column{Field: "start_date", SQL: "p.start_date", Kind: page.String, Orderable: true},
	page.Column{Field: "end_date", SQL: "p.end_date", Kind: page.String, Orderable: true},
	page.Column{Field: "create_time", SQL: "p.created", Kind: page.Time, Orderable: true},
)

const projectColumns = `p.id, p.organisation, COALESCE(p.match_name, ''), p.currency, p.phase, p.territory,
	p.start_date, p.end_date, p.closed, p.version, p.created, p.updated, p.doc`

func scanProject(r row) (*domain.Project, error) {
	p := &domain.Project{}
	var s stamp
	var closed int64
	var text string
	if err := r.Scan(&p.ID, &p.Lead, &p.Match, &p.Currency, &p.Phase, &p.Territory, &p.Start, &p.End, &closed,
		&s.version, &s.created, &s.updated, &text); err != nil {
		return nil, err
	}
	p.Stamp, p.Closed = s.read(), sqldb.Time(closed)
	return p, readDoc(text, p)
}

// Project reads a project.
func Project(ctx context.Context, tx *sqldb.Tx, id string) (*domain.Project, error) {
	p, err := scanProject(tx.QueryRow(ctx, `SELECT `+projectColumns+` FROM projects p WHERE p.id = $1`, id))
	return p, absent(ids.Name("projects", id), err)
}

// changed tells those who keep something of a project in memory, and those who
// watch it, that it is about to change.
func changed(tx *sqldb.Tx, id string) {
	touch(tx, id)
	tx.Queue(`INSERT INTO watches (project, due, changes) VALUES ($1, 0, 1)
		ON CONFLICT (project) DO UPDATE SET due = 0, changes = watches.changes + 1`, id)
}

// LockProject takes the project's lock until the transaction ends, and reads it.
// Whatever changes of a project changes under it.
func LockProject(ctx context.Context, tx *sqldb.Tx, id string) (*domain.Project, error) {
	n, err := tx.Exec(ctx, `UPDATE projects SET locks = locks + 1 WHERE id = $1`, id)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, errs.AbsentResource(ids.Name("projects", id))
	}
	changed(tx, id)
	return Project(ctx, tx, id)
}

// ProjectOfMatch returns the id of the project that a match has opened, empty
// where it has opened none.
func ProjectOfMatch(ctx context.Context, tx *sqldb.Tx, match string) (string, error) {
	found, err := collect(ctx, tx, text, `SELECT id FROM projects WHERE match_name = $1`, match)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0], nil
}

// InsertProject stores a new project; false where its match has opened one
// already.
func InsertProject(ctx context.Context, tx *sqldb.Tx, p *domain.Project) (bool, error) {
	var match any
	if p.Match != "" {
		match = p.Match
	}
	granted, err := granted(p)
	if err != nil {
		return false, err
	}
	n, err := tx.Exec(ctx, `INSERT INTO projects (id, organisation, match_name, currency, phase, territory, start_date, end_date,
		closed, granted, planned, spent, version, created, updated, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, $11, $12, $13, $14) ON CONFLICT (match_name) DO NOTHING`,
		p.ID, p.Lead, match, p.Currency, p.Phase, p.Territory, p.Start, p.End, micros(p.Closed), granted,
		p.Version, micros(p.Created), micros(p.Updated), doc(p))
	if err != nil || n == 0 {
		return false, err
	}
	insertParties(tx, p)
	changed(tx, p.ID)
	return true, nil
}

// SaveProject stores a project that was read at version was.
func SaveProject(ctx context.Context, tx *sqldb.Tx, p *domain.Project, was int64) error {
	granted, err := granted(p)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `UPDATE projects SET phase = $3, territory = $4, start_date = $5, end_date = $6, closed = $7,
		granted = $8, version = $9, updated = $10, doc = $11 WHERE id = $1 AND version = $2`,
		p.ID, was, p.Phase, p.Territory, p.Start, p.End, micros(p.Closed), granted, p.Version, micros(p.Updated), doc(p))
	if err := one(p.Name(), n, err); err != nil {
		return err
	}
	tx.Queue(`DELETE FROM project_partners WHERE project = $1`, p.ID)
	tx.Queue(`DELETE FROM project_programmes WHERE project = $1`, p.ID)
	insertParties(tx, p)
	return nil
}

func granted(p *domain.Project) (int64, error) {
	grants := make([]money.Amount, len(p.Funders))
	for i, f := range p.Funders {
		grants[i] = f.Grant
	}
	sum, err := money.Sum(p.Currency, grants...)
	return sum.Minor, err
}

func insertParties(tx *sqldb.Tx, p *domain.Project) {
	for _, x := range p.Partners {
		tx.Queue(`INSERT INTO project_partners (project, organisation, lead) VALUES ($1, $2, $3)`, p.ID, x.Organisation, x.Lead)
	}
	var programmes []string
	for _, f := range p.Funders {
		if f.Programme != "" && !slices.Contains(programmes, f.Programme) {
			programmes = append(programmes, f.Programme)
			tx.Queue(`INSERT INTO project_programmes (project, programme) VALUES ($1, $2)`, p.ID, f.Programme)
		}
	}
}

// ListProjects reads a page of the projects in which an organisation of the
// scope takes part.
func ListProjects(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, scope Scope) ([]*domain.Project, string, error) {
	q := page.Select{Columns: projectColumns, From: "projects p"}
	q.Where = takesPart(scope, "p.id", &q.Args)
	return page.List(ctx, tx, plan, q, scanner(scanProject))
}

// takesPart is the condition that an organisation of the scope is a partner of
// the project that a column names.
func takesPart(scope Scope, column string, args *[]any) string {
	condition := scope("pp.organisation", args)
	if condition == "1=1" {
		return ""
	}
	return `EXISTS (SELECT 1 FROM project_partners pp WHERE pp.project = ` + column + ` AND ` + condition + `)`
}

// Totals reads a project's totals.
func Totals(ctx context.Context, tx *sqldb.Tx, p *domain.Project) (*domain.Totals, error) {
	t := &domain.Totals{Planned: money.Amount{Currency: p.Currency}, Spent: money.Amount{Currency: p.Currency}}
	return t, tx.QueryRow(ctx, `SELECT planned, spent FROM projects WHERE id = $1`, p.ID).Scan(&t.Planned.Minor, &t.Spent.Minor)
}

// SaveTotals stores a project's totals, under its lock.
func SaveTotals(tx *sqldb.Tx, p *domain.Project, t *domain.Totals) {
	tx.Queue(`UPDATE projects SET planned = $2, spent = $3 WHERE id = $1`, p.ID, t.Planned.Minor, t.Spent.Minor)
}

// UseOf reads what of the project's content hangs on its card.
func UseOf(ctx context.Context, tx *sqldb.Tx, id string) (domain.Use, error) {
	var use domain.Use
	var err error
	use.Partners, err = collect(ctx, tx, text, `SELECT organisation FROM budget_lines WHERE project = $1
		UNION SELECT organisation FROM tasks WHERE project = $1 AND organisation <> ''
		UNION SELECT organisation FROM deliverables WHERE project = $1 AND organisation <> ''
		UNION SELECT organisation FROM register_entries WHERE project = $1 AND organisation <> ''`, id)
	if err != nil {
		return use, err
	}
	if err := keysInUse(ctx, tx, id, &use); err != nil {
		return use, err
	}
	var first, last string
	err = tx.QueryRow(ctx, `SELECT COALESCE(MIN(document_date), ''), COALESCE(MAX(document_date), '')
		FROM expenditures WHERE project = $1 AND state = 'RECORDED'`, id).Scan(&first, &last)
	use.FirstDocument, use.LastDocument = civil.Date(first), civil.Date(last)
	return use, err
}

// keysInUse reads who names the project's funders and periods.
func keysInUse(ctx context.Context, tx *sqldb.Tx, id string, use *domain.Use) error {
	lines, err := AllLines(ctx, tx, id, Everything)
	if err != nil {
		return err
	}
	use.Funders, use.Periods = map[string][]string{}, map[string][]string{}
	for _, l := range lines {
		for _, x := range l.Shares {
			use.Funders[x.Fund] = append(use.Funders[x.Fund], l.Name())
		}
		for _, x := range l.Periods {
			use.Periods[x.Key] = append(use.Periods[x.Key], l.Name())
		}
	}
	delete(use.Funders, funding.Own)
	use.Reported = map[string][]string{}
	claims, err := collect(ctx, tx, func(r row) (c [3]string, err error) {
		err = r.Scan(&c[0], &c[1], &c[2])
		return c, err
	}, `SELECT funder, period, 'projects/' || project || '/claims/' || id FROM claims WHERE project = $1 AND state <> 'WITHDRAWN' ORDER BY id`, id)
	for _, c := range claims {
		use.Funders[c[0]] = append(use.Funders[c[0]], c[2])
		use.Periods[c[1]] = append(use.Periods[c[1]], c[2])
		use.Reported[c[1]] = append(use.Reported[c[1]], c[2])
	}
	delete(use.Periods, "") // a claim of its own days
	delete(use.Reported, "")
	return err
}
