package store

import (
	"context"
	"strings"

	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// ImportedRow is what a row of an imported table became.
type ImportedRow struct {
	Source, Kind, Key, Hash, CUP string
	Project                      string // id; empty for details of several
	Line                         string // id of the budget line, or of the expenditure
	Phase                        domain.Phase
}

const importedColumns = `r.source, r.kind, r.key, r.hash, r.cup, COALESCE(r.project, ''), r.line, COALESCE(p.phase, '')`
const importedTables = `imported_rows r LEFT JOIN projects p ON p.id = r.project`

func scanImported(r row) (ImportedRow, error) {
	var x ImportedRow
	return x, r.Scan(&x.Source, &x.Kind, &x.Key, &x.Hash, &x.CUP, &x.Project, &x.Line, &x.Phase)
}

// importedAtOnce is how many rows one statement asks for.
const importedAtOnce = 500

// ImportedByKey reads what the rows of a source with these keys became.
func ImportedByKey(ctx context.Context, tx *sqldb.Tx, source, kind string, keys []string) (map[string]ImportedRow, error) {
	out := map[string]ImportedRow{}
	err := inChunks(keys, func(in string, args []any) error {
		found, err := collect(ctx, tx, scanImported, `SELECT `+importedColumns+` FROM `+importedTables+`
			WHERE r.source = $1 AND r.kind = $2 AND r.key IN (`+in+`)`, append([]any{source, kind}, args...)...)
		for _, x := range found {
			out[x.Key] = x
		}
		return err
	}, 2)
	return out, err
}

// ImportedByCUP reads which projects of a source have these CUPs, in the order of
// their keys.
func ImportedByCUP(ctx context.Context, tx *sqldb.Tx, source string, cups []string) (map[string][]ImportedRow, error) {
	out := map[string][]ImportedRow{}
	err := inChunks(cups, func(in string, args []any) error {
		found, err := collect(ctx, tx, scanImported, `SELECT `+importedColumns+` FROM `+importedTables+`
			WHERE r.source = $1 AND r.kind = 'PROJECTS' AND r.cup <> '' AND r.cup IN (`+in+`) ORDER BY r.key`, append([]any{source}, args...)...)
		for _, x := range found {
			out[x.CUP] = append(out[x.CUP], x)
		}
		return err
	}, 1)
	return out, err
}

// inChunks runs a query for at most importedAtOnce values at a time; in is the
// list of their placeholders, after so many other arguments.
func inChunks(values []string, query func(in string, args []any) error, before int) error {
	for len(values) > 0 {
		n := min(len(values), importedAtOnce)
		args := make([]any, before, before+n)
		var in []string
		for _, v := range values[:n] {
			args = append(args, v)
			in = append(in, placeholder(args))
		}
		if err := query(strings.Join(in, ", "), args[before:]); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// SaveImported notes what a row has become.
func SaveImported(tx *sqldb.Tx, x ImportedRow) {
	tx.Queue(`INSERT INTO imported_rows (source, kind, key, hash, cup, project, line) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (source, kind, key) DO UPDATE SET hash = $4, cup = $5, project = $6, line = $7`,
		x.Source, x.Kind, x.Key, x.Hash, x.CUP, nullable(x.Project), x.Line)
}
