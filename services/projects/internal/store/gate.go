package store

import (
	"context"
	"errors"

	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// PhaseMoves is the order of phase moves: they have neither filter nor order.
var PhaseMoves = page.New(page.Column{Field: "version", SQL: "m.version", Kind: page.Int})

func scanGate(r row) (*domain.Gate, error) {
	g := &domain.Gate{}
	var s stamp
	var text string
	if err := r.Scan(&g.Project, &g.Key, &s.version, &s.created, &s.updated, &text); err != nil {
		return nil, err
	}
	g.Stamp = s.read()
	return g, readDoc(text, g)
}

// Gate reads a gate of a project.
func Gate(ctx context.Context, tx *sqldb.Tx, project string, key domain.GateKey) (*domain.Gate, error) {
	g, err := scanGate(tx.QueryRow(ctx, `SELECT project, gate, version, created, updated, doc FROM gates WHERE project = $1 AND gate = $2`, project, key))
	return g, absent(ids.Name("projects", project, "gates", string(key)), err)
}

// InsertGate stores a new project's gate.
func InsertGate(tx *sqldb.Tx, g *domain.Gate) {
	tx.Queue(`INSERT INTO gates (project, gate, version, created, updated, doc) VALUES ($1, $2, $3, $4, $5, $6)`,
		g.Project, g.Key, g.Version, micros(g.Created), micros(g.Updated), doc(g))
}

// SaveGate stores a gate that was read at version was.
func SaveGate(ctx context.Context, tx *sqldb.Tx, g *domain.Gate, was int64) error {
	n, err := tx.Exec(ctx, `UPDATE gates SET version = $4, updated = $5, doc = $6 WHERE project = $1 AND gate = $2 AND version = $3`,
		g.Project, g.Key, was, g.Version, micros(g.Updated), doc(g))
	return one(g.Name(), n, err)
}

// Facts reads from what the presence of artefacts is told.
func Facts(ctx context.Context, tx *sqldb.Tx, p *domain.Project) (domain.Facts, error) {
	f := domain.Facts{CharterGaps: p.CharterGaps(), Stakeholders: len(p.Stakeholders)}
	var risks, tasks, deliverables, lines, lessons int64
	err := tx.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM risks WHERE project = $1),
		(SELECT COUNT(*) FROM tasks WHERE project = $1 AND NOT summary),
		(SELECT COUNT(*) FROM deliverables WHERE project = $1),
		(SELECT COUNT(*) FROM budget_lines WHERE project = $1),
		(SELECT COUNT(*) FROM lessons WHERE project = $1)`, p.ID).Scan(&risks, &tasks, &deliverables, &lines, &lessons)
	if err != nil {
		return f, err
	}
	f.Risks, f.Tasks, f.Deliverables, f.Lines, f.Lessons = int(risks), int(tasks), int(deliverables), int(lines), int(lessons)
	f.NotAccepted, err = collect(ctx, tx, text, `SELECT 'projects/' || project || '/deliverables/' || id FROM deliverables
		WHERE project = $1 AND state <> 'ACCEPTED' ORDER BY id`, p.ID)
	return f, err
}

// Template reads the network's gate template: its own, or the default.
func Template(ctx context.Context, tx *sqldb.Tx) (*domain.Template, error) {
	var s stamp
	var text string
	err := tx.QueryRow(ctx, `SELECT version, created, updated, doc FROM gate_template`).Scan(&s.version, &s.created, &s.updated, &text)
	if errors.Is(err, sqldb.ErrNoRows) {
		return domain.DefaultTemplate(), nil
	}
	if err != nil {
		return nil, err
	}
	t := &domain.Template{Stamp: s.read()}
	return t, readDoc(text, t)
}

// SaveTemplate stores the network's gate template, read at version was.
func SaveTemplate(ctx context.Context, tx *sqldb.Tx, t *domain.Template, was int64) error {
	n, err := tx.Exec(ctx, `INSERT INTO gate_template (id, version, created, updated, doc) VALUES ('gateTemplate', $2, $3, $4, $5)
		ON CONFLICT (id) DO UPDATE SET version = $2, updated = $4, doc = $5 WHERE gate_template.version = $1`,
		was, t.Version, micros(t.Created), micros(t.Updated), doc(t))
	return one("gateTemplate", n, err)
}

// InsertMove keeps a change of phase.
func InsertMove(tx *sqldb.Tx, m domain.PhaseMove) {
	tx.Queue(`INSERT INTO phase_moves (project, version, moved, doc) VALUES ($1, $2, $3, $4)`, m.Project, m.Version, micros(m.Time), doc(m))
}

// ListMoves reads a page of a project's changes of phase, oldest first.
func ListMoves(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, project string) ([]domain.PhaseMove, string, error) {
	return page.List(ctx, tx, plan, page.Select{Columns: "m.doc", From: "phase_moves m", Where: "m.project = $1", Args: []any{project}},
		func(scan func(dest ...any) error) (domain.PhaseMove, error) {
			var m domain.PhaseMove
			var text string
			if err := scan(&text); err != nil {
				return m, err
			}
			return m, readDoc(text, &m)
		})
}
