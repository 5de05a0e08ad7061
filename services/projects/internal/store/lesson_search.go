package store

import (
	"context"
	"strconv"
	"strings"

	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/words"
)

// LessonScope says which lessons a caller may read: public ones; those of the
// network where the caller belongs to it; and all of the projects in which an
// organisation of Part takes part.
type LessonScope struct {
	Network bool
	Part    Scope
}

// AllLessons is the scope of those who read all.
var AllLessons = LessonScope{Network: true, Part: Everything}

// where is the condition on a table's columns sharing and project; empty for
// everything.
func (s LessonScope) where(table string, args *[]any) string {
	if !s.Network {
		return table + `.sharing = 'PUBLIC'`
	}
	condition := s.Part("pp.organisation", args)
	if condition == "1=1" {
		return ""
	}
	return `(` + table + `.sharing <> 'OWN' OR ` + table + `.project IN (SELECT pp.project FROM project_partners pp WHERE ` + condition + `))`
}

// insertWords stores the words that a lesson is found by.
func insertWords(tx *sqldb.Tx, l *domain.Lesson) {
	index := l.Index()
	length := index.Length()
	tx.Queue(`UPDATE lessons SET words = $2 WHERE id = $1`, l.ID, length)
	for word, weight := range index {
		tx.Queue(`INSERT INTO lesson_words (word, lesson, project, sharing, weight, words) VALUES ($1, $2, $3, $4, $5, $6)`,
			word, l.ID, l.Project, l.Sharing, weight, length)
	}
}

// LessonQuery is what is looked for in lessons.
type LessonQuery struct {
	Stems                    []string
	Tags                     []string
	Phase, Category, Outcome string // empty: all
	Limit                    int
}

// LessonHit is a lesson that was found.
type LessonHit struct {
	Lesson *domain.Lesson
	Score  int64 // millionths
}

// SearchLessons ranks the lessons of a scope that have one of the stems. What it
// counts for ranking are the lessons of the scope: nothing of others shows.
func SearchLessons(ctx context.Context, tx *sqldb.Tx, q LessonQuery, scope LessonScope) (hits []LessonHit, found int64, err error) {
	var args []any
	var n, total int64
	where := orTrue(scope.where("l", &args))
	if err := tx.QueryRow(ctx, `SELECT COUNT(*), CAST(COALESCE(SUM(l.words), 0) AS BIGINT) FROM lessons l WHERE `+where, args...).Scan(&n, &total); err != nil {
		return nil, 0, err
	}
	rarity, err := rarities(ctx, tx, q.Stems, scope, n)
	if err != nil || len(rarity) == 0 {
		return nil, 0, err
	}
	query, args := q.ranking(rarity, scope, n, total)
	type ranked struct {
		id    string
		score int64
	}
	best, err := collect(ctx, tx, func(r row) (ranked, error) {
		var x ranked
		err := r.Scan(&x.id, &x.score, &found)
		return x, err
	}, query, args...)
	if err != nil {
		return nil, 0, err
	}
	for _, x := range best {
		l, err := scanLesson(tx.QueryRow(ctx, `SELECT `+lessonColumns+` FROM lessons l WHERE l.id = $1`, x.id))
		if err != nil {
			return nil, 0, err
		}
		hits = append(hits, LessonHit{l, x.score})
	}
	return hits, found, nil
}

func orTrue(condition string) string {
	if condition == "" {
		return "1=1"
	}
	return condition
}

// rarity of one stem.
type rarity struct {
	stem  string
	value int64
}

// rarities counts in how many lessons of the scope each stem occurs.
func rarities(ctx context.Context, tx *sqldb.Tx, stems []string, scope LessonScope, n int64) ([]rarity, error) {
	var args []any
	in := list(stems, &args)
	where := orTrue(scope.where("w", &args))
	return collect(ctx, tx, func(r row) (rarity, error) {
		var x rarity
		var having int64
		err := r.Scan(&x.stem, &having)
		x.value = words.Rarity(n, having)
		return x, err
	}, `SELECT w.word, COUNT(*) FROM lesson_words w WHERE w.word IN (`+in+`) AND `+where+` GROUP BY w.word ORDER BY w.word`, args...)
}

// list writes placeholders for texts.
func list(texts []string, args *[]any) string {
	var b strings.Builder
	for i, t := range texts {
		*args = append(*args, t)
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(placeholder(*args))
	}
	return b.String()
}

// ranking writes the query that ranks: the formula of words.Score, in SQL.
func (q LessonQuery) ranking(rarity []rarity, scope LessonScope, n, total int64) (string, []any) {
	var args []any
	var cases strings.Builder
	stems := make([]string, len(rarity))
	for i, r := range rarity {
		stems[i] = r.stem
		args = append(args, r.stem)
		cases.WriteString(" WHEN " + placeholder(args) + " THEN " + strconv.FormatInt(r.value, 10))
	}
	number := func(n int64) string { return "CAST(" + strconv.FormatInt(n, 10) + " AS BIGINT)" }
	score := `CAST(SUM(CASE w.word` + cases.String() + ` ELSE 0 END * ` + number(words.Saturation) + ` * w.weight /
		(1000 * w.weight + ` + number(words.Floor) + ` + ` + number(words.Slope) + ` * w.words * ` + number(n) + ` / ` + number(max(total, 1)) + `)) AS BIGINT)`
	where := `w.word IN (` + list(stems, &args) + `)`
	where = and(where, scope.where("w", &args))
	from := "lesson_words w"
	if q.Phase != "" || q.Category != "" || q.Outcome != "" {
		from += " JOIN lessons l ON l.id = w.lesson"
	}
	for _, x := range []struct{ column, value string }{{"l.phase", q.Phase}, {"l.category", q.Category}, {"l.outcome", q.Outcome}} {
		if x.value != "" {
			args = append(args, x.value)
			where = and(where, x.column+" = "+placeholder(args))
		}
	}
	for _, tag := range q.Tags {
		args = append(args, tag)
		where = and(where, "EXISTS (SELECT 1 FROM lesson_tags lt WHERE lt.lesson = w.lesson AND lt.tag = "+placeholder(args)+")")
	}
	args = append(args, int64(q.Limit))
	return `SELECT r.lesson, r.score, COUNT(*) OVER () FROM (SELECT w.lesson AS lesson, ` + score + ` AS score FROM ` + from +
		` WHERE ` + where + ` GROUP BY w.lesson) r ORDER BY r.score DESC, r.lesson LIMIT ` + placeholder(args), args
}
