package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// EntryOf is a pointer to T that is an entry of a register: what the generic
// functions of this file read and write.
type EntryOf[T any] interface {
	*T
	domain.Registered
}

// Entries is what lists of a register can be filtered and ordered by; prefix is
// that of its states in the proto.
func Entries(prefix string) *page.Schema {
	return page.New(
		page.Column{Field: "id", SQL: "e.id", Kind: page.String},
		enum("state", "e.state", prefix),
		page.Column{Field: "organisation", SQL: "e.organisation", Kind: page.String},
		page.Column{Field: "pending", SQL: "e.pending", Kind: page.Bool},
		page.Column{Field: "task", SQL: entryLink("tasks", "e.task"), Kind: page.String},
		page.Column{Field: "deliverable", SQL: entryLink("deliverables", "e.deliverable"), Kind: page.String},
		page.Column{Field: "due_date", SQL: "e.due", Kind: page.String, Orderable: true},
		page.Column{Field: "score", SQL: "e.score", Kind: page.Int, Orderable: true},
		page.Column{Field: "create_time", SQL: "e.created", Kind: page.Time, Orderable: true},
	)
}

// entryLink is the resource name in a column of ids, empty for an empty one.
func entryLink(collection, column string) string {
	return `CASE ` + column + ` WHEN '' THEN '' ELSE 'projects/' || e.project || '/` + collection + `/' || ` + column + ` END`
}

const entryColumns = `e.id, e.project, e.organisation, e.state, e.due, e.task, e.deliverable, e.score, e.version, e.created, e.updated, e.doc`

func scanEntry[T any, X EntryOf[T]](r row) (X, error) {
	x := X(new(T))
	h := x.Head()
	var s stamp
	var text string
	if err := r.Scan(&h.ID, &h.Project, &h.Organisation, &h.State, &h.Due, &h.Task, &h.Deliverable, &h.Score, &s.version, &s.created, &s.updated, &text); err != nil {
		return nil, err
	}
	h.Stamp = s.read()
	return x, readDoc(text, x)
}

func registerOf[T any, X EntryOf[T]]() *domain.Register { return X(new(T)).Register() }

// ReadEntry reads an entry of a register of a project.
func ReadEntry[T any, X EntryOf[T]](ctx context.Context, tx *sqldb.Tx, project, id string) (X, error) {
	collection := registerOf[T, X]().Collection
	x, err := scanEntry[T, X](tx.QueryRow(ctx, `SELECT `+entryColumns+` FROM register_entries e WHERE e.register = $1 AND e.id = $2 AND e.project = $3`, collection, id, project))
	return x, absent(ids.Name("projects", project, collection, id), err)
}

// EntryExists reports whether a register has an entry of that id.
func EntryExists(ctx context.Context, tx *sqldb.Tx, x domain.Registered) (bool, error) {
	var n int64
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM register_entries WHERE register = $1 AND id = $2`, x.Register().Collection, x.Head().ID).Scan(&n)
	return n > 0, err
}

// AllEntries reads a register of a project, in the order of creation; of one
// deliverable only where that is not empty.
func AllEntries[T any, X EntryOf[T]](ctx context.Context, tx *sqldb.Tx, project, deliverable string) ([]X, error) {
	args := []any{project, registerOf[T, X]().Collection}
	where := ""
	if deliverable != "" {
		args = append(args, deliverable)
		where = ` AND e.deliverable = $3`
	}
	return collect(ctx, tx, scanEntry[T, X], `SELECT `+entryColumns+` FROM register_entries e WHERE e.project = $1 AND e.register = $2`+where+` ORDER BY e.id`, args...)
}

// ListEntries reads a page of a register of a project.
func ListEntries[T any, X EntryOf[T]](ctx context.Context, tx *sqldb.Tx, plan *page.Plan, project string) ([]X, string, error) {
	return page.List(ctx, tx, plan, page.Select{Columns: entryColumns, From: "register_entries e", Where: "e.project = $1 AND e.register = $2",
		Args: []any{project, registerOf[T, X]().Collection}}, scanner(scanEntry[T, X]))
}

// InsertEntry stores a new entry.
func InsertEntry(tx *sqldb.Tx, x domain.Registered) {
	h := x.Head()
	tx.Queue(`INSERT INTO register_entries (register, id, project, organisation, state, pending, due, task, deliverable, score, version, created, updated, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		x.Register().Collection, h.ID, h.Project, h.Organisation, h.State, domain.Pending(x), h.Due, h.Task, h.Deliverable, h.Score,
		h.Version, micros(h.Created), micros(h.Updated), doc(x))
}

// SaveEntry stores an entry that was read at version was.
func SaveEntry(ctx context.Context, tx *sqldb.Tx, x domain.Registered, was int64) error {
	h := x.Head()
	n, err := tx.Exec(ctx, `UPDATE register_entries SET organisation = $4, state = $5, pending = $6, due = $7, task = $8, deliverable = $9,
		score = $10, version = $11, updated = $12, doc = $13 WHERE register = $1 AND id = $2 AND version = $3`,
		x.Register().Collection, h.ID, was, h.Organisation, h.State, domain.Pending(x), h.Due, h.Task, h.Deliverable, h.Score,
		h.Version, micros(h.Updated), doc(x))
	return one(domain.NameOf(x), n, err)
}

// DeleteEntry deletes an entry that was read at version was.
func DeleteEntry(ctx context.Context, tx *sqldb.Tx, x domain.Registered, was int64) error {
	n, err := tx.Exec(ctx, `DELETE FROM register_entries WHERE register = $1 AND id = $2 AND version = $3`, x.Register().Collection, x.Head().ID, was)
	return one(domain.NameOf(x), n, err)
}

// mentionable are the tables of what entries may refer to beside each other.
var mentionable = map[string]string{"tasks": "tasks", "deliverables": "deliverables", "budgetLines": "budget_lines"}

// Unknown returns the first mention that is not of something in the project; nil
// where all are.
func Unknown(ctx context.Context, tx *sqldb.Tx, project string, mentions []domain.Mention) (*domain.Mention, error) {
	for i, m := range mentions {
		parts := strings.Split(m.Name, "/")
		if len(parts) != 4 || parts[1] != project {
			return &mentions[i], nil
		}
		query, args := `SELECT COUNT(*) FROM register_entries WHERE project = $1 AND id = $2 AND register = $3`, []any{project, parts[3], parts[2]}
		if table, ok := mentionable[parts[2]]; ok {
			query, args = `SELECT COUNT(*) FROM `+table+` WHERE project = $1 AND id = $2`, args[:2]
		}
		var n int64
		if err := tx.QueryRow(ctx, query, args...).Scan(&n); err != nil {
			return nil, err
		}
		if n == 0 {
			return &mentions[i], nil
		}
	}
	return nil, nil //nolint:nilnil // no mention is unknown: there is nothing to name
}

// DueItem is an entry of a register whose date has come while it asks for
// something.
type DueItem struct {
	Register     string // the collection
	Name         string // resource name
	Organisation string // the partner in charge; empty for the lead
	State        string
	Due          civil.Date
	Score        int32
}

// DueItems reads what a project's registers are to see to until a day, the
// earliest first: an issue's, change's or purchase's date, a risk's review, a
// planned quality check, the next communication.
func DueItems(ctx context.Context, tx *sqldb.Tx, project string, until civil.Date) ([]DueItem, error) {
	return collect(ctx, tx, func(r row) (DueItem, error) {
		var x DueItem
		var id string
		err := r.Scan(&x.Register, &id, &x.Organisation, &x.State, &x.Due, &x.Score)
		x.Name = ids.Name("projects", project, x.Register, id)
		return x, err
	}, `SELECT register, id, organisation, state, due, score FROM register_entries
		WHERE project = $1 AND pending AND due <> '' AND due <= $2 ORDER BY due, register, id`, project, until)
}

// ProjectsWithDueItems returns the ids of at most limit open projects after one
// in which a register has something to see to until a day.
func ProjectsWithDueItems(ctx context.Context, tx *sqldb.Tx, until civil.Date, after string, limit int) ([]string, error) {
	return collect(ctx, tx, text, `SELECT DISTINCT e.project FROM register_entries e JOIN projects p ON p.id = e.project
		WHERE e.pending AND e.due <> '' AND e.due <= $1 AND e.project > $2 AND p.phase <> 'CLOSED' ORDER BY e.project LIMIT $3`, until, after, limit)
}

// OpenRisks counts a project's open risks and finds the highest score of them.
func OpenRisks(ctx context.Context, tx *sqldb.Tx, project string) (count, highest int32, err error) {
	err = tx.QueryRow(ctx, `SELECT COUNT(*), COALESCE(MAX(score), 0) FROM register_entries WHERE project = $1 AND register = 'risks' AND state = 'OPEN'`, project).Scan(&count, &highest)
	return count, highest, err
}

// PendingApproval reads the gate request that waits for a decision; nil without
// one.
func PendingApproval(ctx context.Context, tx *sqldb.Tx, project string) (*domain.GateApproval, error) {
	found, err := collect(ctx, tx, scanEntry[domain.GateApproval], `SELECT `+entryColumns+` FROM register_entries e
		WHERE e.project = $1 AND e.register = 'gateApprovals' AND e.state = 'PENDING'`, project)
	return firstOf(found), err
}

// DropResponsibilities deletes what the matrix says of a task, with the task.
func DropResponsibilities(tx *sqldb.Tx, task string) {
	tx.Queue(`DELETE FROM register_entries WHERE register = 'responsibilities' AND id = $1`, task)
}

// DropChecks deletes the quality checks of a deliverable, with it.
func DropChecks(tx *sqldb.Tx, project, deliverable string) {
	tx.Queue(`DELETE FROM register_entries WHERE project = $1 AND register = 'qualityChecks' AND deliverable = $2`, project, deliverable)
}

// Trail is what lists of the trail can be filtered by.
var Trail = page.New(
	page.Column{Field: "id", SQL: "x.id", Kind: page.String},
	page.Column{Field: "resource", SQL: "x.resource", Kind: page.String},
	page.Column{Field: "action", SQL: "x.action", Kind: page.String},
	page.Column{Field: "act_time", SQL: "x.act_time", Kind: page.Time},
)

// InsertTrail keeps what was done.
func InsertTrail(tx *sqldb.Tx, x domain.TrailEntry) {
	tx.Queue(`INSERT INTO trail (id, project, resource, action, act_time, doc) VALUES ($1, $2, $3, $4, $5, $6)`,
		x.ID, x.Project, x.Resource, x.Action, micros(x.Time), doc(x))
}

// ListTrail reads a page of a project's trail, oldest first.
func ListTrail(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, project string) ([]domain.TrailEntry, string, error) {
	return page.List(ctx, tx, plan, page.Select{Columns: "x.id, x.project, x.resource, x.action, x.act_time, x.doc", From: "trail x", Where: "x.project = $1", Args: []any{project}},
		func(scan func(dest ...any) error) (domain.TrailEntry, error) {
			var x domain.TrailEntry
			var at int64
			var text string
			if err := scan(&x.ID, &x.Project, &x.Resource, &x.Action, &at, &text); err != nil {
				return x, fmt.Errorf("store: trail: %w", err)
			}
			x.Time = sqldb.Time(at)
			return x, readDoc(text, &x)
		})
}
