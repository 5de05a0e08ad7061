package store

import (
	"context"

	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// Selection says which projects an export has; empty fields select all.
type Selection struct {
	Organisation string // lead or partner
	Territory    string
	Programme    string
}

func (s Selection) where(args *[]any) string {
	where := "1=1"
	add := func(value, before, after string) {
		if value != "" {
			*args = append(*args, value)
			where += " AND " + before + placeholder(*args) + after
		}
	}
	add(s.Organisation, "EXISTS (SELECT 1 FROM project_partners pp WHERE pp.project = p.id AND pp.organisation = ", ")")
	add(s.Territory, "p.territory = ", "")
	add(s.Programme, "EXISTS (SELECT 1 FROM project_programmes pr WHERE pr.project = p.id AND pr.programme = ", ")")
	return where
}

// Currencies reads in which currencies the selected projects are.
func Currencies(ctx context.Context, tx *sqldb.Tx, s Selection) ([]string, error) {
	var args []any
	where := s.where(&args)
	return collect(ctx, tx, text, `SELECT DISTINCT p.currency FROM projects p WHERE `+where+` ORDER BY p.currency`, args...)
}

// ProjectSum is a project with its money, in minor units of its currency.
type ProjectSum struct {
	*domain.Project
	Granted, Planned, Spent, Reported, Certified, Paid int64
}

// ProjectSums reads the selected projects after an id, in the order of creation,
// so many at most.
func ProjectSums(ctx context.Context, tx *sqldb.Tx, s Selection, after string, most int64) ([]ProjectSum, error) {
	args := []any{after, most}
	where := s.where(&args)
	return collect(ctx, tx, func(r row) (ProjectSum, error) {
		var x ProjectSum
		var err error
		x.Project, err = scanProject(scanFunc(func(dest ...any) error {
			return r.Scan(append(dest, &x.Granted, &x.Planned, &x.Spent, &x.Reported, &x.Certified, &x.Paid)...)
		}))
		return x, err
	}, `SELECT `+projectColumns+`, p.granted, p.planned, p.spent, p.reported, p.certified, p.paid
		FROM projects p WHERE p.id > $1 AND `+where+` ORDER BY p.id LIMIT $2`, args...)
}

// AllMoves reads a project's changes of phase, oldest first.
func AllMoves(ctx context.Context, tx *sqldb.Tx, project string) ([]domain.PhaseMove, error) {
	return collect(ctx, tx, func(r row) (domain.PhaseMove, error) {
		var m domain.PhaseMove
		s, err := text(r)
		if err != nil {
			return m, err
		}
		return m, readDoc(s, &m)
	}, `SELECT doc FROM phase_moves WHERE project = $1 ORDER BY version`, project)
}

// AllRisks reads a project's risks, the highest score first.
func AllRisks(ctx context.Context, tx *sqldb.Tx, project string) ([]*domain.Risk, error) {
	return collect(ctx, tx, scanEntry[domain.Risk], `SELECT `+entryColumns+` FROM register_entries e WHERE e.project = $1 AND e.register = 'risks' ORDER BY e.score DESC, e.id`, project)
}

// LessonsOf reads a project's lessons in the order of creation.
func LessonsOf(ctx context.Context, tx *sqldb.Tx, project string) ([]*domain.Lesson, error) {
	return collect(ctx, tx, scanLesson, `SELECT `+lessonColumns+` FROM lessons l WHERE l.project = $1 ORDER BY l.id`, project)
}
