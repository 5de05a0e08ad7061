package store

import (
	"context"

	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// PublishedKey is what tells whether a copy of something published is up to date.
type PublishedKey struct {
	Name         string
	Version      int64
	UpdateMicros int64
}

// PublishedKeys lists the published organisations and entries after a name, by
// name.
func PublishedKeys(ctx context.Context, tx *sqldb.Tx, after string, limit int64) ([]PublishedKey, error) {
	var out []PublishedKey
	err := eachRow(ctx, tx, `SELECT name, version, updated FROM entries WHERE name > $1 AND state = $2
		UNION ALL SELECT name, version, updated FROM organisations WHERE name > $1 AND state = $3
		ORDER BY name LIMIT $4`,
		[]any{after, string(domain.EntryPublished), string(domain.OrganisationPublished), limit},
		func(rows *sqldb.Rows) error {
			var k PublishedKey
			err := rows.Scan(&k.Name, &k.Version, &k.UpdateMicros)
			out = append(out, k)
			return err
		})
	return out, err
}

// TermLabels returns what people call the named terms, those that exist.
func TermLabels(ctx context.Context, tx *sqldb.Tx, names []string) (map[string]domain.LocalizedText, error) {
	out := make(map[string]domain.LocalizedText, len(names))
	err := inBatches(ctx, tx, "SELECT "+termColumns+" FROM terms WHERE name IN ", names, func(rows *sqldb.Rows) error {
		t, err := scanTerm(rows.Scan)
		if err == nil {
			out[t.Name] = t.Profile.Label
		}
		return err
	})
	return out, err
}
