package store

import (
	"context"
	"slices"

	"github.com/trama-suite/trama/services/impact/internal/domain"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// PutOrganisation stores what the catalogue says of an organisation, unless
// something newer is known.
func PutOrganisation(ctx context.Context, tx *sqldb.Tx, o domain.Organisation, version int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO organisations (name, title, parent, published, country, region, nuts1, nuts2, nuts3, municipality, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (name) DO UPDATE SET title = excluded.title, parent = excluded.parent, published = excluded.published, country = excluded.country,
		region = excluded.region, nuts1 = excluded.nuts1, nuts2 = excluded.nuts2, nuts3 = excluded.nuts3, municipality = excluded.municipality, version = excluded.version
		WHERE organisations.version < excluded.version`,
		o.Name, o.Title, o.Parent, o.Published, o.Place.Country, o.Place.Region, o.Place.NUTS1, o.Place.NUTS2, o.Place.NUTS3, o.Place.Municipality, version)
	return err
}

// ArchiveOrganisation notes that an organisation is published no more, and keeps
// the rest of what is known of it.
func ArchiveOrganisation(ctx context.Context, tx *sqldb.Tx, name string, version int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO organisations (name, title, parent, published, country, region, nuts1, nuts2, nuts3, municipality, version)
		VALUES ($1, '', '', FALSE, '', '', '', '', '', '', $2)
		ON CONFLICT (name) DO UPDATE SET published = FALSE, version = excluded.version WHERE organisations.version < excluded.version`, name, version)
	return err
}

// PutProject stores what the projects service says of a project, unless
// something newer is known. Its partners are added to those known: what somebody
// measured while taking part goes on counting.
func PutProject(ctx context.Context, tx *sqldb.Tx, p domain.Project, version int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO projects (name, organisation, title, version) VALUES ($1, $2, $3, $4)
		ON CONFLICT (name) DO UPDATE SET organisation = excluded.organisation, title = excluded.title, version = excluded.version
		WHERE projects.version < excluded.version`, p.Name, p.Organisation, p.Title, version)
	if err != nil {
		return err
	}
	for _, o := range p.Partners {
		tx.Queue("INSERT INTO project_partners (project, organisation) VALUES ($1, $2) ON CONFLICT (project, organisation) DO NOTHING", p.Name, o)
	}
	return nil
}

// chunk is how many names one IN holds.
const chunk = 500

// Organisations returns what is known of those of the names that are known.
func Organisations(ctx context.Context, tx *sqldb.Tx, names []string) (map[string]domain.Organisation, error) {
	out := make(map[string]domain.Organisation, len(names))
	for part := range slices.Chunk(names, chunk) {
		var args []any
		err := each(ctx, tx, `SELECT name, title, parent, published, country, region, nuts1, nuts2, nuts3, municipality
			FROM organisations WHERE name IN (`+list(part, &args)+")", args, func(scan func(dest ...any) error) error {
			var o domain.Organisation
			err := scan(&o.Name, &o.Title, &o.Parent, &o.Published, &o.Place.Country, &o.Place.Region, &o.Place.NUTS1, &o.Place.NUTS2, &o.Place.NUTS3, &o.Place.Municipality)
			out[o.Name] = o
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Projects returns what is known of those of the names that are known.
func Projects(ctx context.Context, tx *sqldb.Tx, names []string) (map[string]domain.Project, error) {
	out := make(map[string]domain.Project, len(names))
	for part := range slices.Chunk(names, chunk) {
		var args []any
		in := " IN (" + list(part, &args) + ")"
		err := each(ctx, tx, "SELECT name, organisation, title FROM projects WHERE name"+in, args, func(scan func(dest ...any) error) error {
			var p domain.Project
			err := scan(&p.Name, &p.Organisation, &p.Title)
			out[p.Name] = p
			return err
		})
		if err != nil {
			return nil, err
		}
		err = each(ctx, tx, "SELECT project, organisation FROM project_partners WHERE project"+in, args, func(scan func(dest ...any) error) error {
			var name, organisation string
			err := scan(&name, &organisation)
			p := out[name]
			p.Partners = append(p.Partners, organisation)
			out[name] = p
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// levelColumns are the columns of the territorial axes.
var levelColumns = map[domain.Axis]string{
	domain.ByMunicipality: "municipality", domain.ByNUTS3: "nuts3", domain.ByNUTS2: "nuts2", domain.ByNUTS1: "nuts1",
	domain.ByCountry: "country", domain.ByRegion: "region",
}

// Expected counts the published organisations at each node of a territorial
// axis, and under the empty node all of them; within a territory, where one is
// given.
func Expected(ctx context.Context, tx *sqldb.Tx, axis domain.Axis, territory string) (total int, nodes map[string]int, err error) {
	column, nodes := "''", map[string]int{}
	if c, ok := levelColumns[axis]; ok {
		column = c
	}
	where, args := "published = TRUE", []any(nil)
	if territory != "" {
		where += " AND (municipality = $1 OR nuts3 = $1 OR nuts2 = $1 OR nuts1 = $1 OR region = $1 OR country = $1)"
		args = []any{territory}
	}
	err = each(ctx, tx, "SELECT "+column+", COUNT(*) FROM organisations WHERE "+where+" GROUP BY 1", args, func(scan func(dest ...any) error) error {
		var node string
		var n int
		if err := scan(&node, &n); err != nil {
			return err
		}
		total += n
		if _, territorial := levelColumns[axis]; territorial {
			nodes[node] = n
		}
		return nil
	})
	return total, nodes, err
}

// PutMark stores what an event says of an enrolment's attendance. It reports
// false where that event's word is known already.
func PutMark(ctx context.Context, tx *sqldb.Tx, enrolment string, m domain.Mark) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO attendance_marks (enrolment, version, minutes, day, organisation, project) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (enrolment, version) DO NOTHING`, enrolment, m.Version, m.Minutes, int64(m.Day), m.Organisation, m.Project)
	return n > 0, err
}

// Marks returns all that is known of an enrolment's attendance.
func Marks(ctx context.Context, tx *sqldb.Tx, enrolment string) ([]domain.Mark, error) {
	var out []domain.Mark
	err := each(ctx, tx, "SELECT version, minutes, day, organisation, project FROM attendance_marks WHERE enrolment = $1 ORDER BY version", []any{enrolment},
		func(scan func(dest ...any) error) error {
			var m domain.Mark
			err := scan(&m.Version, &m.Minutes, &m.Day, &m.Organisation, &m.Project)
			out = append(out, m)
			return err
		})
	return out, err
}
