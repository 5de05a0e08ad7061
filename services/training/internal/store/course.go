package store

import (
	"context"

	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
)

// Courses are the columns that lists of courses filter and order by.
var Courses = page.New(
	page.Column{Field: "name", SQL: "name"},
	page.Column{Field: "organisation", SQL: "organisation", Orderable: true},
	page.Column{Field: "state", SQL: "'COURSE_STATE_' || state", Orderable: true},
	page.Column{Field: "project", SQL: "project", Orderable: true},
	page.Column{Field: "create_time", SQL: "created", Kind: page.Time, Orderable: true},
	page.Column{Field: "update_time", SQL: "updated", Kind: page.Time, Orderable: true},
)

const courseColumns = "name, organisation, state, project, threshold, version, created, updated, doc"

// courseDoc is what of a course has no column.
type courseDoc struct {
	Title       domain.Text     `json:"title"`
	Description domain.Text     `json:"description"`
	Audience    []string        `json:"audience,omitempty"`
	Modules     []domain.Module `json:"modules,omitempty"`
}

func scanCourse(scan func(dest ...any) error) (*domain.Course, error) {
	var c domain.Course
	var created, updated int64
	var doc string
	if err := scan(&c.Name, &c.Organisation, &c.State, &c.Project, &c.ThresholdPercent, &c.Version, &created, &updated, &doc); err != nil {
		return nil, err
	}
	var d courseDoc
	if err := unpack(c.Name, doc, &d); err != nil {
		return nil, err
	}
	c.Title, c.Description, c.Audience, c.Modules = d.Title, d.Description, d.Audience, d.Modules
	c.Created, c.Updated = sqldb.Time(created), sqldb.Time(updated)
	return &c, nil
}

// InsertCourse writes a new course and its modules' first versions.
func (s *Store) InsertCourse(tx *sqldb.Tx, c *domain.Course) {
	tx.Queue(`INSERT INTO courses (name, organisation, state, project, threshold, version, created, updated, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		c.Name, c.Organisation, string(c.State), c.Project, int64(c.ThresholdPercent), c.Version,
		sqldb.Micros(c.Created), sqldb.Micros(c.Updated), courseText(c))
	keepModules(tx, c)
}

// SaveCourse writes a changed course and its modules' new versions.
func (s *Store) SaveCourse(ctx context.Context, tx *sqldb.Tx, c *domain.Course) error {
	n, err := tx.Exec(ctx, `UPDATE courses SET state = $3, project = $4, threshold = $5, version = $6, updated = $7, doc = $8
		WHERE name = $1 AND version = $2`,
		c.Name, c.Version-1, string(c.State), c.Project, int64(c.ThresholdPercent), c.Version, sqldb.Micros(c.Updated), courseText(c))
	if err := saved(c.Name, n, err); err != nil {
		return err
	}
	keepModules(tx, c)
	return nil
}

func courseText(c *domain.Course) string {
	return pack(courseDoc{Title: c.Title, Description: c.Description, Audience: c.Audience, Modules: c.Modules})
}

// keepModules adds the versions of modules that are not on record yet.
func keepModules(tx *sqldb.Tx, c *domain.Course) {
	for _, m := range c.Modules {
		tx.Queue(`INSERT INTO module_versions (course, module, version, created, doc) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (course, module, version) DO NOTHING`,
			c.Name, m.Key, int64(m.Version), sqldb.Micros(c.Updated), pack(m))
	}
}

// Course reads a course.
func (s *Store) Course(ctx context.Context, tx *sqldb.Tx, name string) (*domain.Course, error) {
	c, err := scanCourse(tx.QueryRow(ctx, "SELECT "+courseColumns+" FROM courses WHERE name = $1", name).Scan)
	return c, found(name, err)
}

// NewestModules returns the newest version that each module of a course ever had.
func (s *Store) NewestModules(ctx context.Context, tx *sqldb.Tx, course string) (map[string]int, error) {
	out := map[string]int{}
	rows, err := tx.Query(ctx, "SELECT module, MAX(version) FROM module_versions WHERE course = $1 GROUP BY module", course)
	_, err = collect(rows, err, func(scan func(dest ...any) error) (struct{}, error) {
		var key string
		var version int
		err := scan(&key, &version)
		out[key] = version
		return struct{}{}, err
	})
	return out, err
}

// ListCourses reads a page of courses that meet a condition.
func (s *Store) ListCourses(ctx context.Context, tx *sqldb.Tx, p *page.Plan, where string, args []any) ([]*domain.Course, string, error) {
	return page.List(ctx, tx, p, page.Select{Columns: courseColumns, From: "courses", Where: where, Args: args}, scanCourse)
}
