package store

import (
	"context"
	"errors"

	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// Baselines is what lists of baselines can be filtered and ordered by.
var Baselines = page.New(
	page.Column{Field: "id", SQL: "b.id", Kind: page.String},
	page.Column{Field: "create_time", SQL: "b.created", Kind: page.Time, Orderable: true},
)

const baselineColumns = `b.id, b.project, b.version, b.created, b.doc`

func scanBaseline(r row) (*domain.Baseline, error) {
	b := &domain.Baseline{}
	var s stamp
	var text string
	if err := r.Scan(&b.ID, &b.Project, &s.version, &s.created, &text); err != nil {
		return nil, err
	}
	s.updated = s.created
	b.Stamp = s.read()
	return b, readDoc(text, b)
}

// Baseline reads a baseline of a project, without its tasks.
func Baseline(ctx context.Context, tx *sqldb.Tx, project, id string) (*domain.Baseline, error) {
	b, err := scanBaseline(tx.QueryRow(ctx, `SELECT `+baselineColumns+` FROM baselines b WHERE b.project = $1 AND b.id = $2`, project, id))
	return b, absent(domain.BaselineName(project, id), err)
}

// AllBaselines reads all baselines of a project without their tasks, in the
// order of creation.
func AllBaselines(ctx context.Context, tx *sqldb.Tx, project string) ([]*domain.Baseline, error) {
	return collect(ctx, tx, scanBaseline, `SELECT `+baselineColumns+` FROM baselines b WHERE b.project = $1 ORDER BY b.id`, project)
}

// InsertBaseline stores a new baseline with its tasks.
func InsertBaseline(tx *sqldb.Tx, b *domain.Baseline) {
	tx.Queue(`INSERT INTO baselines (id, project, version, created, doc) VALUES ($1, $2, $3, $4, $5)`, b.ID, b.Project, b.Version, micros(b.Created), doc(b))
	for _, t := range b.Tasks {
		tx.Queue(`INSERT INTO baseline_tasks (baseline, task, start_time, doc) VALUES ($1, $2, $3, $4)`, b.ID, t.Task, t.Start.String(), doc(t))
	}
}

// DeleteBaseline deletes a baseline with its tasks.
func DeleteBaseline(tx *sqldb.Tx, b *domain.Baseline) {
	tx.Queue(`DELETE FROM baseline_tasks WHERE baseline = $1`, b.ID)
	tx.Queue(`DELETE FROM baselines WHERE id = $1`, b.ID)
}

// ListBaselines reads a page of a project's baselines.
func ListBaselines(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, project string) ([]*domain.Baseline, string, error) {
	return page.List(ctx, tx, plan, page.Select{Columns: baselineColumns, From: "baselines b", Where: "b.project = $1", Args: []any{project}}, scanner(scanBaseline))
}

// BaselineTasks is what lists of a baseline's tasks can be filtered and ordered
// by.
var BaselineTasks = page.New(
	page.Column{Field: "id", SQL: "k.task", Kind: page.String},
	page.Column{Field: "start_time", SQL: "k.start_time", Kind: page.String, Orderable: true},
)

func scanBaselineTask(r row) (domain.BaselineTask, error) {
	var t domain.BaselineTask
	var text string
	if err := r.Scan(&t.Task, &text); err != nil {
		return t, err
	}
	return t, readDoc(text, &t)
}

// ListBaselineTasks reads a page of a baseline's tasks.
func ListBaselineTasks(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, baseline string) ([]domain.BaselineTask, string, error) {
	return page.List(ctx, tx, plan, page.Select{Columns: "k.task, k.doc", From: "baseline_tasks k", Where: "k.baseline = $1", Args: []any{baseline}}, scanner(scanBaselineTask))
}

// AllBaselineTasks reads all tasks of a baseline.
func AllBaselineTasks(ctx context.Context, tx *sqldb.Tx, baseline string) ([]domain.BaselineTask, error) {
	return collect(ctx, tx, scanBaselineTask, `SELECT k.task, k.doc FROM baseline_tasks k WHERE k.baseline = $1 ORDER BY k.task`, baseline)
}

// CurrentBaseline is the id of the baseline that variances are measured against;
// empty where the project has none.
func CurrentBaseline(ctx context.Context, tx *sqldb.Tx, x *domain.Schedule) (string, error) {
	if x.Baseline != "" {
		return x.Baseline, nil
	}
	found, err := collect(ctx, tx, text, `SELECT id FROM baselines WHERE project = $1 ORDER BY created DESC, id DESC LIMIT 1`, x.Project)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0], nil
}

// InBaseline reads what a baseline holds of a task; false where it does not.
func InBaseline(ctx context.Context, tx *sqldb.Tx, baseline, task string) (domain.BaselineTask, bool, error) {
	t, err := scanBaselineTask(tx.QueryRow(ctx, `SELECT k.task, k.doc FROM baseline_tasks k WHERE k.baseline = $1 AND k.task = $2`, baseline, task))
	if errors.Is(err, sqldb.ErrNoRows) {
		return t, false, nil
	}
	return t, err == nil, err
}
