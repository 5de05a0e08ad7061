package store

import (
	"context"
	"errors"

	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

const templateColumns = `t.id, t.programme, t.organisation, t.version, t.created, t.updated, t.doc`

func scanTemplate(r row) (*domain.Template, error) {
	t := &domain.Template{}
	var s stamp
	var text string
	if err := r.Scan(&t.ID, &t.Programme, &t.Organisation, &s.version, &s.created, &s.updated, &text); err != nil {
		return nil, err
	}
	t.Stamp = s.read()
	return t, readDoc(text, t)
}

// Template reads a gate template: the network's, or as shipped.
func Template(ctx context.Context, tx *sqldb.Tx, id string) (*domain.Template, error) {
	t, err := scanTemplate(tx.QueryRow(ctx, `SELECT `+templateColumns+` FROM gate_templates t WHERE t.id = $1`, id))
	if errors.Is(err, sqldb.ErrNoRows) {
		if t := domain.ShippedTemplate(id); t != nil {
			return t, nil
		}
	}
	return t, absent(ids.Name("gateTemplates", id), err)
}

// TemplateFor reads the template of a project where none is named: that of a
// programme of its funders, else the lead's own, else the default. Of several,
// the body's own comes before the network's, and then the first by id.
func TemplateFor(ctx context.Context, tx *sqldb.Tx, p *domain.Project) (*domain.Template, error) {
	for _, f := range p.Funders {
		if f.Programme == "" {
			continue
		}
		found, err := collect(ctx, tx, scanTemplate, `SELECT `+templateColumns+` FROM gate_templates t
			WHERE t.programme = $1 AND (t.organisation = '' OR t.organisation = $2) ORDER BY t.organisation DESC, t.id LIMIT 1`, f.Programme, p.Lead)
		if err != nil || len(found) > 0 {
			return firstOf(found), err
		}
	}
	found, err := collect(ctx, tx, scanTemplate, `SELECT `+templateColumns+` FROM gate_templates t
		WHERE t.organisation = $1 AND t.programme = '' ORDER BY t.id LIMIT 1`, p.Lead)
	if err != nil || len(found) > 0 {
		return firstOf(found), err
	}
	return Template(ctx, tx, domain.DefaultTemplateID)
}

func firstOf[T any](found []*T) *T {
	if len(found) == 0 {
		return nil
	}
	return found[0]
}

// Templates reads them all, by id; those as shipped too.
func Templates(ctx context.Context, tx *sqldb.Tx) ([]*domain.Template, error) {
	out, err := collect(ctx, tx, scanTemplate, `SELECT `+templateColumns+` FROM gate_templates t ORDER BY t.id`)
	if err != nil {
		return nil, err
	}
	have := map[string]bool{}
	for _, t := range out {
		have[t.ID] = true
	}
	for _, id := range domain.ShippedTemplates {
		if !have[id] {
			out = append(out, domain.ShippedTemplate(id))
		}
	}
	return out, nil
}

// SaveTemplate stores a template that was read at version was, 0 for one that was
// as shipped or not there.
func SaveTemplate(ctx context.Context, tx *sqldb.Tx, t *domain.Template, was int64) error {
	n, err := tx.Exec(ctx, `INSERT INTO gate_templates (id, programme, organisation, version, created, updated, doc) VALUES ($2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (id) DO UPDATE SET programme = $3, version = $5, updated = $7, doc = $8 WHERE gate_templates.version = $1`,
		was, t.ID, t.Programme, t.Organisation, t.Version, micros(t.Created), micros(t.Updated), doc(t))
	return one(t.Name(), n, err)
}

// DeleteTemplate deletes a template that was read at version was.
func DeleteTemplate(ctx context.Context, tx *sqldb.Tx, t *domain.Template, was int64) error {
	n, err := tx.Exec(ctx, `DELETE FROM gate_templates WHERE id = $1 AND version = $2`, t.ID, was)
	return one(t.Name(), n, err)
}
