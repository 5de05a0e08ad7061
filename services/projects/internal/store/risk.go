package store

import (
	"context"

	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// Risks is what lists of risks can be filtered and ordered by.
var Risks = page.New(
	page.Column{Field: "id", SQL: "r.id", Kind: page.String},
	enum("state", "r.state", "RISK_STATE_"),
	page.Column{Field: "score", SQL: "r.score", Kind: page.Int, Orderable: true},
	page.Column{Field: "create_time", SQL: "r.created", Kind: page.Time, Orderable: true},
)

const riskColumns = `r.id, r.project, r.state, r.version, r.created, r.updated, r.doc`

func scanRisk(r row) (*domain.Risk, error) {
	x := &domain.Risk{}
	var s stamp
	var text string
	if err := r.Scan(&x.ID, &x.Project, &x.State, &s.version, &s.created, &s.updated, &text); err != nil {
		return nil, err
	}
	x.Stamp = s.read()
	return x, readDoc(text, x)
}

// Risk reads a risk of a project.
func Risk(ctx context.Context, tx *sqldb.Tx, project, id string) (*domain.Risk, error) {
	r, err := scanRisk(tx.QueryRow(ctx, `SELECT `+riskColumns+` FROM risks r WHERE r.project = $1 AND r.id = $2`, project, id))
	return r, absent((&domain.Risk{Project: project, ID: id}).Name(), err)
}

// InsertRisk stores a new risk.
func InsertRisk(tx *sqldb.Tx, r *domain.Risk) {
	tx.Queue(`INSERT INTO risks (id, project, state, score, version, created, updated, doc) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		r.ID, r.Project, r.State, r.Score(), r.Version, micros(r.Created), micros(r.Updated), doc(r))
}

// SaveRisk stores a risk that was read at version was.
func SaveRisk(ctx context.Context, tx *sqldb.Tx, r *domain.Risk, was int64) error {
	n, err := tx.Exec(ctx, `UPDATE risks SET state = $3, score = $4, version = $5, updated = $6, doc = $7 WHERE id = $1 AND version = $2`,
		r.ID, was, r.State, r.Score(), r.Version, micros(r.Updated), doc(r))
	return one(r.Name(), n, err)
}

// DeleteRisk deletes a risk that was read at version was.
func DeleteRisk(ctx context.Context, tx *sqldb.Tx, r *domain.Risk, was int64) error {
	n, err := tx.Exec(ctx, `DELETE FROM risks WHERE id = $1 AND version = $2`, r.ID, was)
	return one(r.Name(), n, err)
}

// ListRisks reads a page of a project's risks.
func ListRisks(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, project string) ([]*domain.Risk, string, error) {
	return page.List(ctx, tx, plan, page.Select{Columns: riskColumns, From: "risks r", Where: "r.project = $1", Args: []any{project}}, scanner(scanRisk))
}

// OpenRisks counts a project's open risks and finds the highest score of them.
func OpenRisks(ctx context.Context, tx *sqldb.Tx, project string) (count, highest int32, err error) {
	err = tx.QueryRow(ctx, `SELECT COUNT(*), COALESCE(MAX(score), 0) FROM risks WHERE project = $1 AND state = 'OPEN'`, project).Scan(&count, &highest)
	return count, highest, err
}
