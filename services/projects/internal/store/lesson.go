package store

import (
	"context"
	"strconv"

	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// Lessons is what lists of lessons can be filtered and ordered by.
var Lessons = page.New(
	page.Column{Field: "id", SQL: "l.id", Kind: page.String},
	page.Column{Field: "organisation", SQL: "l.organisation", Kind: page.String},
	enum("sharing", "l.sharing", "SHARING_"),
	enum("phase", "l.phase", "PHASE_"),
	page.Column{Field: "category", SQL: "l.category", Kind: page.String},
	enum("outcome", "l.outcome", "LESSON_OUTCOME_"),
	page.Column{Field: "create_time", SQL: "l.created", Kind: page.Time, Orderable: true},
)

const lessonColumns = `l.id, l.project, l.organisation, l.sharing, l.phase, l.category, l.outcome, l.version, l.created, l.updated, l.doc`

// lessonDoc has the tags too: their table is only for finding.
type lessonDoc struct {
	*domain.Lesson
	Tags []string `json:"tags,omitempty"`
}

func scanLesson(r row) (*domain.Lesson, error) {
	l := &domain.Lesson{}
	var s stamp
	var text string
	if err := r.Scan(&l.ID, &l.Project, &l.Organisation, &l.Sharing, &l.Phase, &l.Category, &l.Outcome, &s.version, &s.created, &s.updated, &text); err != nil {
		return nil, err
	}
	l.Stamp = s.read()
	d := lessonDoc{Lesson: l}
	err := readDoc(text, &d)
	l.Tags = d.Tags
	return l, err
}

// Lesson reads a lesson of a project that is shared with those of the scope.
func Lesson(ctx context.Context, tx *sqldb.Tx, project, id string, scope LessonScope) (*domain.Lesson, error) {
	args := []any{project, id}
	where := and("l.project = $1 AND l.id = $2", scope.where("l", &args))
	l, err := scanLesson(tx.QueryRow(ctx, `SELECT `+lessonColumns+` FROM lessons l WHERE `+where, args...))
	return l, absent((&domain.Lesson{Project: project, ID: id}).Name(), err)
}

// InsertLesson stores a new lesson.
func InsertLesson(tx *sqldb.Tx, l *domain.Lesson) {
	tx.Queue(`INSERT INTO lessons (id, project, organisation, sharing, phase, category, outcome, version, created, updated, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		l.ID, l.Project, l.Organisation, l.Sharing, l.Phase, l.Category, l.Outcome, l.Version, micros(l.Created), micros(l.Updated), doc(lessonDoc{l, l.Tags}))
	insertTags(tx, l)
}

// SaveLesson stores a lesson that was read at version was.
func SaveLesson(ctx context.Context, tx *sqldb.Tx, l *domain.Lesson, was int64) error {
	n, err := tx.Exec(ctx, `UPDATE lessons SET sharing = $3, phase = $4, category = $5, outcome = $6, version = $7, updated = $8, doc = $9 WHERE id = $1 AND version = $2`,
		l.ID, was, l.Sharing, l.Phase, l.Category, l.Outcome, l.Version, micros(l.Updated), doc(lessonDoc{l, l.Tags}))
	if err := one(l.Name(), n, err); err != nil {
		return err
	}
	tx.Queue(`DELETE FROM lesson_tags WHERE lesson = $1`, l.ID)
	tx.Queue(`DELETE FROM lesson_words WHERE lesson = $1`, l.ID)
	insertTags(tx, l)
	return nil
}

// insertTags stores what a lesson is found by.
func insertTags(tx *sqldb.Tx, l *domain.Lesson) {
	for _, tag := range l.Tags {
		tx.Queue(`INSERT INTO lesson_tags (lesson, tag) VALUES ($1, $2)`, l.ID, tag)
	}
	insertWords(tx, l)
}

// ListLessons reads a page of the lessons shared with those of the scope, of one
// project or of all where project is empty, that carry all of the tags.
func ListLessons(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, project string, tags []string, scope LessonScope) ([]*domain.Lesson, string, error) {
	q := page.Select{Columns: lessonColumns, From: "lessons l"}
	q.Where = scope.where("l", &q.Args)
	if project != "" {
		q.Args = append(q.Args, project)
		q.Where = and(q.Where, "l.project = "+placeholder(q.Args))
	}
	for _, tag := range tags {
		q.Args = append(q.Args, tag)
		q.Where = and(q.Where, "EXISTS (SELECT 1 FROM lesson_tags lt WHERE lt.lesson = l.id AND lt.tag = "+placeholder(q.Args)+")")
	}
	return page.List(ctx, tx, plan, q, scanner(scanLesson))
}

// and joins two conditions, either of which may be empty.
func and(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return a + " AND " + b
}

// placeholder is that of the last argument.
func placeholder(args []any) string { return "$" + strconv.Itoa(len(args)) }
