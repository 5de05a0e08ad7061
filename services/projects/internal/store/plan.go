package store

import (
	"context"

	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

// Tasks is what lists of tasks can be filtered and ordered by.
var Tasks = page.New(
	page.Column{Field: "id", SQL: "t.id", Kind: page.String},
	page.Column{Field: "organisation", SQL: "t.organisation", Kind: page.String},
	page.Column{Field: "critical", SQL: "t.critical", Kind: page.Bool},
	page.Column{Field: "summary", SQL: "t.summary", Kind: page.Bool},
	page.Column{Field: "progress_percent", SQL: "t.done", Kind: page.Int},
	page.Column{Field: "early_start_date", SQL: "t.early_start", Kind: page.String, Orderable: true},
	page.Column{Field: "early_finish_date", SQL: "t.early_finish", Kind: page.String, Orderable: true},
	page.Column{Field: "start_date", SQL: "t.start_date", Kind: page.String, Orderable: true},
	page.Column{Field: "finish_date", SQL: "t.finish_date", Kind: page.String, Orderable: true},
	page.Column{Field: "total_float_minutes", SQL: "t.float_minutes", Kind: page.Int, Orderable: true},
	page.Column{Field: "create_time", SQL: "t.created", Kind: page.Time, Orderable: true},
)

const taskColumns = `t.id, t.project, t.organisation, t.start_date, t.finish_date,
	t.float_minutes, t.critical, t.summary, t.done, t.computed, t.version, t.created, t.updated, t.doc`

// computedDoc is what is computed of a task and has no column of its own.
type computedDoc struct {
	StartTime   schedule.Time `json:"start,omitempty"`
	FinishTime  schedule.Time `json:"finish,omitempty"`
	EarlyStart  schedule.Time `json:"earlyStart,omitempty"`
	EarlyFinish schedule.Time `json:"earlyFinish,omitempty"`
	LateStart   schedule.Time `json:"lateStart,omitempty"`
	LateFinish  schedule.Time `json:"lateFinish,omitempty"`
	FreeFloat   int64         `json:"freeFloat,omitempty"`
	Missed      bool          `json:"missed,omitempty"`
	Cause       string        `json:"cause,omitempty"`
	Driving     string        `json:"driving,omitempty"`
}

func scanTask(r row) (*domain.Task, error) {
	t := &domain.Task{}
	var s stamp
	var computed, text string
	x := &t.Times
	if err := r.Scan(&t.ID, &t.Project, &t.Organisation, &x.Start, &x.Finish, &x.Float, &x.Critical, &x.Summary, &t.Done,
		&computed, &s.version, &s.created, &s.updated, &text); err != nil {
		return nil, err
	}
	var c computedDoc
	if err := readDoc(computed, &c); err != nil {
		return nil, err
	}
	x.StartTime, x.FinishTime, x.EarlyStart, x.EarlyFinish, x.LateStart, x.LateFinish = c.StartTime, c.FinishTime, c.EarlyStart, c.EarlyFinish, c.LateStart, c.LateFinish
	x.FreeFloat, x.Missed, x.Cause, x.Driving = c.FreeFloat, c.Missed, c.Cause, c.Driving
	t.Stamp = s.read()
	return t, readDoc(text, t)
}

// timesArgs are the values of the computed columns, from $2 on.
func timesArgs(t *domain.Task) []any {
	x := t.Times
	return []any{t.ID, x.EarlyStart.Date(), x.EarlyFinish.Date(), x.LateStart.Date(), x.LateFinish.Date(), x.Start, x.Finish, x.Float,
		x.Critical, x.Summary, t.Done, doc(computedDoc{x.StartTime, x.FinishTime, x.EarlyStart, x.EarlyFinish, x.LateStart, x.LateFinish,
			x.FreeFloat, x.Missed, x.Cause, x.Driving})}
}

// Task reads a task of a project.
func Task(ctx context.Context, tx *sqldb.Tx, project, id string) (*domain.Task, error) {
	t, err := scanTask(tx.QueryRow(ctx, `SELECT `+taskColumns+` FROM tasks t WHERE t.project = $1 AND t.id = $2`, project, id))
	return t, absent(domain.TaskName(project, id), err)
}

// AllTasks reads a project's whole plan, in the order of creation.
func AllTasks(ctx context.Context, tx *sqldb.Tx, project string) ([]*domain.Task, error) {
	return collect(ctx, tx, scanTask, `SELECT `+taskColumns+` FROM tasks t WHERE t.project = $1 ORDER BY t.id`, project)
}

// InsertTask stores a new task.
func InsertTask(tx *sqldb.Tx, t *domain.Task) {
	tx.Queue(`INSERT INTO tasks (id, early_start, early_finish, late_start, late_finish, start_date, finish_date, float_minutes,
		critical, summary, done, computed, project, organisation, version, created, updated, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		append(timesArgs(t), t.Project, t.Organisation, t.Version, micros(t.Created), micros(t.Updated), doc(t))...)
	logProgress(tx, t)
}

// SaveTask stores what people have written of a task that was read at version
// was. SaveTimes stores the rest.
func SaveTask(ctx context.Context, tx *sqldb.Tx, t *domain.Task, was int64) error {
	n, err := tx.Exec(ctx, `UPDATE tasks SET organisation = $3, version = $4, updated = $5, doc = $6 WHERE id = $1 AND version = $2`,
		t.ID, was, t.Organisation, t.Version, micros(t.Updated), doc(t))
	if err := one(t.Name(), n, err); err != nil {
		return err
	}
	logProgress(tx, t)
	return nil
}

// Computed is what of a task is computed.
type Computed struct {
	times domain.Times
	done  int32
}

// ComputedOf remembers what is computed of each task, so that SaveTimes writes
// only what has changed.
func ComputedOf(tasks []*domain.Task) map[string]Computed {
	out := make(map[string]Computed, len(tasks))
	for _, t := range tasks {
		out[t.ID] = Computed{t.Times, t.Done}
	}
	return out
}

// SaveTimes stores what is computed of the tasks where it differs from before.
// Tasks that are not in before are inserted.
func SaveTimes(tx *sqldb.Tx, tasks []*domain.Task, before map[string]Computed) {
	for _, t := range tasks {
		was, known := before[t.ID]
		switch {
		case !known:
			InsertTask(tx, t)
		case was != Computed{t.Times, t.Done}:
			tx.Queue(`UPDATE tasks SET early_start = $2, early_finish = $3, late_start = $4, late_finish = $5, start_date = $6, finish_date = $7,
				float_minutes = $8, critical = $9, summary = $10, done = $11, computed = $12 WHERE id = $1`, timesArgs(t)...)
		}
	}
}

// DeleteTask deletes a task that was read at version was.
func DeleteTask(ctx context.Context, tx *sqldb.Tx, t *domain.Task, was int64) error {
	DropResponsibilities(tx, t.ID)
	n, err := tx.Exec(ctx, `DELETE FROM tasks WHERE id = $1 AND version = $2`, t.ID, was)
	return one(t.Name(), n, err)
}

// ListTasks reads a page of a project's tasks.
func ListTasks(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, project string) ([]*domain.Task, string, error) {
	return page.List(ctx, tx, plan, page.Select{Columns: taskColumns, From: "tasks t", Where: "t.project = $1", Args: []any{project}}, scanner(scanTask))
}

// Deliverables is what lists of deliverables can be filtered and ordered by.
var Deliverables = page.New(
	page.Column{Field: "id", SQL: "d.id", Kind: page.String},
	page.Column{Field: "organisation", SQL: "d.organisation", Kind: page.String},
	enum("state", "d.state", "DELIVERABLE_STATE_"),
	page.Column{Field: "due_date", SQL: "d.due_date", Kind: page.String, Orderable: true},
	page.Column{Field: "create_time", SQL: "d.created", Kind: page.Time, Orderable: true},
)

const deliverableColumns = `d.id, d.project, d.organisation, COALESCE(d.task, ''), d.due_date, d.state, d.version, d.created, d.updated, d.doc`

func scanDeliverable(r row) (*domain.Deliverable, error) {
	d := &domain.Deliverable{}
	var s stamp
	var text string
	if err := r.Scan(&d.ID, &d.Project, &d.Organisation, &d.Task, &d.Due, &d.State, &s.version, &s.created, &s.updated, &text); err != nil {
		return nil, err
	}
	d.Stamp = s.read()
	return d, readDoc(text, d)
}

// Deliverable reads a deliverable of a project.
func Deliverable(ctx context.Context, tx *sqldb.Tx, project, id string) (*domain.Deliverable, error) {
	d, err := scanDeliverable(tx.QueryRow(ctx, `SELECT `+deliverableColumns+` FROM deliverables d WHERE d.project = $1 AND d.id = $2`, project, id))
	return d, absent((&domain.Deliverable{Project: project, ID: id}).Name(), err)
}

// AllDeliverables reads all deliverables of a project, in the order of creation.
func AllDeliverables(ctx context.Context, tx *sqldb.Tx, project string) ([]*domain.Deliverable, error) {
	return collect(ctx, tx, scanDeliverable, `SELECT `+deliverableColumns+` FROM deliverables d WHERE d.project = $1 ORDER BY d.id`, project)
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// InsertDeliverable stores a new deliverable.
func InsertDeliverable(tx *sqldb.Tx, d *domain.Deliverable) {
	tx.Queue(`INSERT INTO deliverables (id, project, organisation, task, due_date, state, version, created, updated, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		d.ID, d.Project, d.Organisation, nullable(d.Task), d.Due, d.State, d.Version, micros(d.Created), micros(d.Updated), doc(d))
}

// SaveDeliverable stores a deliverable that was read at version was.
func SaveDeliverable(ctx context.Context, tx *sqldb.Tx, d *domain.Deliverable, was int64) error {
	n, err := tx.Exec(ctx, `UPDATE deliverables SET organisation = $3, task = $4, due_date = $5, state = $6, version = $7, updated = $8, doc = $9
		WHERE id = $1 AND version = $2`, d.ID, was, d.Organisation, nullable(d.Task), d.Due, d.State, d.Version, micros(d.Updated), doc(d))
	return one(d.Name(), n, err)
}

// DeleteDeliverable deletes a deliverable that was read at version was.
func DeleteDeliverable(ctx context.Context, tx *sqldb.Tx, d *domain.Deliverable, was int64) error {
	DropChecks(tx, d.Project, d.ID)
	n, err := tx.Exec(ctx, `DELETE FROM deliverables WHERE id = $1 AND version = $2`, d.ID, was)
	return one(d.Name(), n, err)
}

// ListDeliverables reads a page of a project's deliverables.
func ListDeliverables(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, project string) ([]*domain.Deliverable, string, error) {
	return page.List(ctx, tx, plan, page.Select{Columns: deliverableColumns, From: "deliverables d", Where: "d.project = $1", Args: []any{project}}, scanner(scanDeliverable))
}

// NeededTasks names, by the ids of a project's tasks, the deliverables and budget
// lines that need them.
func NeededTasks(ctx context.Context, tx *sqldb.Tx, project string) (map[string][]string, error) {
	type need struct{ task, user string }
	found, err := collect(ctx, tx, func(r row) (need, error) {
		var n need
		return n, r.Scan(&n.task, &n.user)
	}, `SELECT task, 'projects/' || project || '/deliverables/' || id FROM deliverables WHERE project = $1 AND task IS NOT NULL
		UNION SELECT work_package, 'projects/' || project || '/budgetLines/' || id FROM budget_lines WHERE project = $1 AND work_package <> '' ORDER BY 2`, project)
	out := map[string][]string{}
	for _, n := range found {
		out[n.task] = append(out[n.task], n.user)
	}
	return out, err
}

// TaskNeededBy names the deliverables that a task makes and the budget lines that
// pay for it.
func TaskNeededBy(ctx context.Context, tx *sqldb.Tx, t *domain.Task) ([]string, error) {
	return collect(ctx, tx, text, `SELECT 'projects/' || project || '/deliverables/' || id FROM deliverables WHERE task = $1
		UNION SELECT 'projects/' || project || '/budgetLines/' || id FROM budget_lines WHERE work_package = $1 AND work_package <> '' ORDER BY 1`, t.ID)
}
