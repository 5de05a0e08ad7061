package rpc

import (
	"context"

	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
	"github.com/trama-suite/trama/services/training/internal/store"
)

// CreateCourse implements trainingv1.CourseServiceServer.
func (s *Server) CreateCourse(ctx context.Context, req *trainingv1.CreateCourseRequest) (*trainingv1.Course, error) {
	if err := s.Owners.Require(ctx, "course.organisation", req.GetCourse().GetOrganisation()); err != nil {
		return nil, err
	}
	course := courseOf(req.GetCourse())
	course.Name = s.name("courses")
	c, err := domain.NewCourse(course, s.Threshold, s.now())
	if err != nil {
		return nil, err
	}
	return rpc.Mutate(ctx, s.DB, req, func(_ context.Context, tx *sqldb.Tx) (*trainingv1.Course, error) {
		s.store.InsertCourse(tx, c)
		return courseTo(c), nil
	})
}

// GetCourse implements trainingv1.CourseServiceServer.
func (s *Server) GetCourse(ctx context.Context, req *trainingv1.GetCourseRequest) (*trainingv1.Course, error) {
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Course, error) {
		c, err := s.visibleCourse(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		return courseTo(c), nil
	})
}

// visibleCourse reads a course that the caller may see.
func (s *Server) visibleCourse(ctx context.Context, tx *sqldb.Tx, name string) (*domain.Course, error) {
	c, err := s.store.Course(ctx, tx, name)
	if err == nil && c.State == domain.CourseDraft && !readerOf(ctx).managed().Covers(c.Organisation) {
		return nil, errs.AbsentResource(name)
	}
	return c, err
}

// ListCourses implements trainingv1.CourseServiceServer.
func (s *Server) ListCourses(ctx context.Context, req *trainingv1.ListCoursesRequest) (*trainingv1.ListCoursesResponse, error) {
	var args []any
	where := readerOf(ctx).managed().Where("organisation", &args) + " OR state <> 'DRAFT'"
	plan, err := store.Courses.Plan(req, auth.CallerFrom(ctx).Subject)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.ListCoursesResponse, error) {
		list, next, err := s.store.ListCourses(ctx, tx, plan, where, args)
		return &trainingv1.ListCoursesResponse{Courses: convert(list, courseTo), NextPageToken: next}, err
	})
}

// changeCourse loads a course of the caller's, checks the etag, changes and saves it.
func (s *Server) changeCourse(ctx context.Context, tx *sqldb.Tx, name, etag string, change func(c *domain.Course) error) (*trainingv1.Course, error) {
	c, err := s.store.Course(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	if err := auth.Require(ctx, c.Organisation, name); err != nil {
		return nil, err
	}
	if err := rpc.CheckEtag(name, etag, c.Version); err != nil {
		return nil, err
	}
	if err := change(c); err != nil {
		return nil, err
	}
	return courseTo(c), s.store.SaveCourse(ctx, tx, c)
}

// UpdateCourse implements trainingv1.CourseServiceServer.
func (s *Server) UpdateCourse(ctx context.Context, req *trainingv1.UpdateCourseRequest) (*trainingv1.Course, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Course, error) {
		name := req.GetCourse().GetName()
		return s.changeCourse(ctx, tx, name, req.GetCourse().GetEtag(), func(c *domain.Course) error {
			next, err := rpc.UpdateMask("course", courseTo(c), req.GetCourse(), req.GetUpdateMask())
			if err != nil {
				return err
			}
			past, err := s.store.NewestModules(ctx, tx, name)
			if err != nil {
				return err
			}
			return c.Change(courseOf(next), past, now)
		})
	})
}

// PublishCourse implements trainingv1.CourseServiceServer.
func (s *Server) PublishCourse(ctx context.Context, req *trainingv1.PublishCourseRequest) (*trainingv1.Course, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Course, error) {
		return s.changeCourse(ctx, tx, req.GetName(), req.GetEtag(), func(c *domain.Course) error { return c.Publish(now) })
	})
}

// ArchiveCourse implements trainingv1.CourseServiceServer.
func (s *Server) ArchiveCourse(ctx context.Context, req *trainingv1.ArchiveCourseRequest) (*trainingv1.Course, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Course, error) {
		return s.changeCourse(ctx, tx, req.GetName(), req.GetEtag(), func(c *domain.Course) error { return c.Archive(now) })
	})
}
