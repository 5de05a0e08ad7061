package store

import (
	"context"

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
