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
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// publicLicence is that of lessons shared with everybody.
const publicLicence = "CC-BY-4.0"

func lessonProto(l *domain.Lesson) *projectsv1.Lesson {
	return &projectsv1.Lesson{
		Name: l.Name(), Title: textProto(l.Title), Context: textProto(l.Context), WhatHappened: textProto(l.WhatHappened),
		Recommendation: textProto(l.Recommendation), Tags: l.Tags, Sharing: value[projectsv1.Sharing](projectsv1.Sharing_value, "SHARING_", l.Sharing),
		Organisation: l.Organisation, CreateTime: timeProto(l.Created), UpdateTime: timeProto(l.Updated), Etag: platform.Etag(l.Version),
	}
}

func learnedOf(m *projectsv1.Lesson) (domain.Learned, domain.Sharing) {
	return domain.Learned{
		Title: textOf(m.GetTitle()), Context: textOf(m.GetContext()), WhatHappened: textOf(m.GetWhatHappened()),
		Recommendation: textOf(m.GetRecommendation()), Tags: tagsOf(m.GetTags()),
	}, domain.Sharing(word(projectsv1.Sharing_name, "SHARING_", m.GetSharing()))
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
		l, err := store.Lesson(ctx, tx, project, id, auth.ScopeFrom(ctx).Where)
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
	plan, err := store.Lessons.Plan(req, binding(ctx, append(tags, project)...)...)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListLessonsResponse, error) {
		items, next, err := store.ListLessons(ctx, tx, plan, project, tags, auth.ScopeFrom(ctx).Where)
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
				return store.Lesson(ctx, tx, project, id, store.Everything)
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
