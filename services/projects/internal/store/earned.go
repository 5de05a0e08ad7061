package store

import (
	"context"
	"time"

	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/earned"
)

// logProgress keeps what is reported of a task where it differs from the last
// report.
func logProgress(tx *sqldb.Tx, t *domain.Task) {
	tx.Queue(`INSERT INTO progress_log (project, task, at, percent)
		SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS BIGINT), CAST($4 AS BIGINT) WHERE CAST($4 AS BIGINT) <>
			COALESCE((SELECT l.percent FROM progress_log l WHERE l.project = $1 AND l.task = $2 ORDER BY l.at DESC LIMIT 1), 0)
		ON CONFLICT (project, task, at) DO UPDATE SET percent = excluded.percent`, t.Project, t.ID, micros(t.Updated), int64(t.Progress))
}

// EarnedLines reads the budget lines of a project as earned value knows them.
func EarnedLines(ctx context.Context, tx *sqldb.Tx, project string) ([]earned.Line, error) {
	return collect(ctx, tx, func(r row) (earned.Line, error) {
		var l earned.Line
		err := r.Scan(&l.Organisation, &l.WorkPackage, &l.Amount)
		return l, err
	}, `SELECT organisation, work_package, amount FROM budget_lines WHERE project = $1 ORDER BY id`, project)
}

// EarnedCosts reads the expenditures of a project as earned value knows them.
func EarnedCosts(ctx context.Context, tx *sqldb.Tx, project string) ([]earned.Cost, error) {
	return collect(ctx, tx, func(r row) (earned.Cost, error) {
		var c earned.Cost
		err := r.Scan(&c.Organisation, &c.WorkPackage, &c.Booked, &c.Reported, &c.Certified, &c.BookedDay, &c.ReportedDay, &c.CertifiedDay)
		return c, err
	}, `SELECT e.organisation, l.work_package, e.amount, e.reported, e.certified, e.document_date, e.reported_date, e.certified_date
		FROM expenditures e JOIN budget_lines l ON l.id = e.line WHERE e.project = $1 AND e.state = 'RECORDED'`, project)
}

// ProgressReports reads what was reported of each task of a project, in the order
// of days; of a day the last report counts.
func ProgressReports(ctx context.Context, tx *sqldb.Tx, project string, zone *time.Location) (map[string][]earned.Report, error) {
	out := map[string][]earned.Report{}
	_, err := collect(ctx, tx, func(r row) (struct{}, error) {
		var task string
		var at int64
		var percent int32
		if err := r.Scan(&task, &at, &percent); err != nil {
			return struct{}{}, err
		}
		x := earned.Report{Day: civil.Of(sqldb.Time(at).In(zone)), Percent: percent}
		if of := out[task]; len(of) > 0 && of[len(of)-1].Day == x.Day {
			of[len(of)-1] = x
		} else {
			out[task] = append(of, x)
		}
		return struct{}{}, nil
	}, `SELECT task, at, percent FROM progress_log WHERE project = $1 ORDER BY task, at`, project)
	return out, err
}
