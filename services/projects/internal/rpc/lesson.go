package rpc

import (
	"context"
	"slices"
	"strings"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/words"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// publicLicence is that of lessons shared with everybody.
const publicLicence = "CC-BY-4.0"

func lessonProto(l *domain.Lesson) *projectsv1.Lesson {
	return &projectsv1.Lesson{
		Name: l.Name(), Title: textProto(l.Title), Context: textProto(l.Context), WhatHappened: textProto(l.WhatHappened),
		Recommendation: textProto(l.Recommendation), Tags: l.Tags, Sharing: value[projectsv1.Sharing](projectsv1.Sharing_value, "SHARING_", l.Sharing),
		Organisation: l.Organisation, CreateTime: timeProto(l.Created), UpdateTime: timeProto(l.Updated), Etag: platform.Etag(l.Version),
		Phase: phaseProto(l.Phase), Category: l.Category, Outcome: value[projectsv1.LessonOutcome](projectsv1.LessonOutcome_value, "LESSON_OUTCOME_", l.Outcome),
	}
}

func learnedOf(m *projectsv1.Lesson) (domain.Learned, domain.Sharing) {
	return domain.Learned{
		Title: textOf(m.GetTitle()), Context: textOf(m.GetContext()), WhatHappened: textOf(m.GetWhatHappened()),
		Recommendation: textOf(m.GetRecommendation()), Tags: tagsOf(m.GetTags()),
		Phase: domain.Phase(word(projectsv1.Phase_name, "PHASE_", m.GetPhase())), Category: categoryName(m.GetCategory()),
		Outcome: word(projectsv1.LessonOutcome_name, "LESSON_OUTCOME_", m.GetOutcome()),
	}, domain.Sharing(word(projectsv1.Sharing_name, "SHARING_", m.GetSharing()))
}

// categoryName writes a category in lower case.
func categoryName(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// lessonScope says which lessons the caller may read. Whoever holds one of the
// method's roles anywhere belongs to the network.
func lessonScope(ctx context.Context) store.LessonScope {
	scope := auth.ScopeFrom(ctx)
	return store.LessonScope{Network: scope.All || len(scope.Organisations) > 0, Part: scope.Where}
}

// tagsOf writes tags in lower case, each once.
func tagsOf(tags []string) []string {
	var out []string
	for _, t := range tags {
		if t = strings.ToLower(strings.TrimSpace(t)); t != "" && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

func (s *Server) tellLesson(ctx context.Context, tx *sqldb.Tx, l *domain.Lesson) error {
	licence := ""
	if l.Sharing == domain.SharePublic {
		licence = publicLicence
	}
	return s.emit(ctx, tx, l.Name(), l.Version, l.Organisation, licence, l.Updated, &projectsv1.LessonPublished{Lesson: lessonProto(l)})
}

// CreateLesson writes a lesson.
func (s *Server) CreateLesson(ctx context.Context, req *projectsv1.CreateLessonRequest) (*projectsv1.Lesson, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Lesson, error) {
		p, err := lockProject(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		learned, sharing := learnedOf(req.GetLesson())
		l, err := domain.NewLesson(s.newID(), p, learned, sharing, s.now())
		if err != nil {
			return nil, err
		}
		store.InsertLesson(tx, l)
		return lessonProto(l), s.tellLesson(ctx, tx, l)
	})
}

// GetLesson reads a lesson that is shared with the caller.
func (s *Server) GetLesson(ctx context.Context, req *projectsv1.GetLessonRequest) (*projectsv1.Lesson, error) {
	project, id, err := childOf("lessons", req.GetName())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Lesson, error) {
		l, err := store.Lesson(ctx, tx, project, id, lessonScope(ctx))
		if err != nil {
			return nil, err
		}
		return lessonProto(l), nil
	})
}

// ListLessons lists the lessons shared with the caller. A project that the caller
// does not see shows those of its lessons that are shared, and no error.
func (s *Server) ListLessons(ctx context.Context, req *projectsv1.ListLessonsRequest) (*projectsv1.ListLessonsResponse, error) {
	project, err := parentOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	tags := tagsOf(req.GetTags())
	plan, err := store.Lessons.Plan(req, binding(ctx, append(tags, project, auth.CallerFrom(ctx).Subject)...)...)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListLessonsResponse, error) {
		items, next, err := store.ListLessons(ctx, tx, plan, project, tags, lessonScope(ctx))
		return &projectsv1.ListLessonsResponse{Lessons: each(items, lessonProto), NextPageToken: next}, err
	})
}

// UpdateLesson changes a lesson.
func (s *Server) UpdateLesson(ctx context.Context, req *projectsv1.UpdateLessonRequest) (*projectsv1.Lesson, error) {
	patch := req.GetLesson()
	project, id, err := childOf("lessons", patch.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Lesson, error) {
		_, l, err := lockChild(ctx, tx, project, id, patch.GetName(), patch.GetEtag(),
			func(ctx context.Context, tx *sqldb.Tx, project, id string) (*domain.Lesson, error) {
				return store.Lesson(ctx, tx, project, id, store.AllLessons)
			})
		if err != nil {
			return nil, err
		}
		m, err := platform.UpdateMask("lesson", lessonProto(l), patch, req.GetUpdateMask())
		if err != nil {
			return nil, err
		}
		was := l.Version
		learned, sharing := learnedOf(m)
		if err := l.Revise(learned, sharing, s.now()); err != nil {
			return nil, err
		}
		if err := store.SaveLesson(ctx, tx, l, was); err != nil {
			return nil, err
		}
		return lessonProto(l), s.tellLesson(ctx, tx, l)
	})
}

// Bounds of a search.
const (
	mostStems    = 16
	defaultFound = 20
)

// SearchLessons ranks the lessons that are shared with the caller.
func (s *Server) SearchLessons(ctx context.Context, req *projectsv1.SearchLessonsRequest) (*projectsv1.SearchLessonsResponse, error) {
	q := store.LessonQuery{
		Tags: tagsOf(req.GetTags()), Phase: word(projectsv1.Phase_name, "PHASE_", req.GetPhase()), Category: categoryName(req.GetCategory()),
		Outcome: word(projectsv1.LessonOutcome_name, "LESSON_OUTCOME_", req.GetOutcome()), Limit: int(req.GetPageSize()),
	}
	if q.Limit == 0 {
		q.Limit = defaultFound
	}
	for _, stem := range words.Stems(req.GetQuery()) {
		if !slices.Contains(q.Stems, stem) && len(q.Stems) < mostStems {
			q.Stems = append(q.Stems, stem)
		}
	}
	if len(q.Stems) == 0 {
		return &projectsv1.SearchLessonsResponse{}, nil // only words that say nothing
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.SearchLessonsResponse, error) {
		hits, found, err := store.SearchLessons(ctx, tx, q, lessonScope(ctx))
		out := &projectsv1.SearchLessonsResponse{TotalSize: int32(found)}
		for _, h := range hits {
			out.Hits = append(out.Hits, &projectsv1.LessonHit{Lesson: lessonProto(h.Lesson), Score: float64(h.Score) / 1e6})
		}
		return out, err
	})
}
