package rpc

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

func baselineProto(b *domain.Baseline) *projectsv1.Baseline {
	return &projectsv1.Baseline{Name: b.Name(), Title: textProto(b.Title), TaskCount: b.Count, StartTime: b.Start.String(), FinishTime: b.Finish.String(),
		CreateTime: timeProto(b.Created), Etag: platform.Etag(b.Version)}
}

// CreateBaseline copies the plan's dates.
func (s *Server) CreateBaseline(ctx context.Context, req *projectsv1.CreateBaselineRequest) (*projectsv1.Baseline, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Baseline, error) {
		p, err := lockProject(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		plan, err := wholePlan(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		there, err := store.AllBaselines(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		b, err := domain.NewBaseline(s.newID(), plan, textOf(req.GetBaseline().GetTitle()), len(there), s.now())
		if err != nil {
			return nil, err
		}
		store.InsertBaseline(tx, b)
		return baselineProto(b), nil
	})
}

// GetBaseline reads a baseline.
func (s *Server) GetBaseline(ctx context.Context, req *projectsv1.GetBaselineRequest) (*projectsv1.Baseline, error) {
	return readChild(ctx, s, "baselines", req.GetName(), store.Baseline, baselineProto)
}

// ListBaselines lists the baselines of a project.
func (s *Server) ListBaselines(ctx context.Context, req *projectsv1.ListBaselinesRequest) (*projectsv1.ListBaselinesResponse, error) {
	items, next, err := listChildren(ctx, s, store.Baselines, req, store.ListBaselines)
	if err != nil {
		return nil, err
	}
	return &projectsv1.ListBaselinesResponse{Baselines: each(items, baselineProto), NextPageToken: next}, nil
}

// ListBaselineTasks lists what a baseline holds.
func (s *Server) ListBaselineTasks(ctx context.Context, req *projectsv1.ListBaselineTasksRequest) (*projectsv1.ListBaselineTasksResponse, error) {
	got, ok := ids.Parse("projects/{project}/baselines/{baseline}", req.GetParent())
	if !ok {
		return nil, errs.AbsentResource(req.GetParent())
	}
	list, err := store.BaselineTasks.Plan(req, binding(ctx, got...)...)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListBaselineTasksResponse, error) {
		if err := seeIn(ctx, tx, got[0], req.GetParent()); err != nil {
			return nil, err
		}
		if _, err := store.Baseline(ctx, tx, got[0], got[1]); err != nil {
			return nil, err
		}
		items, next, err := store.ListBaselineTasks(ctx, tx, list, got[1])
		return &projectsv1.ListBaselineTasksResponse{NextPageToken: next, Tasks: each(items, func(t domain.BaselineTask) *projectsv1.BaselineTask {
			return &projectsv1.BaselineTask{Task: domain.TaskName(got[0], t.Task), Title: t.Title, StartTime: t.Start.String(), FinishTime: t.Finish.String(),
				DurationMinutes: t.Minutes, WorkMinutes: t.Effort}
		})}, err
	})
}

// DeleteBaseline deletes a baseline. The schedule that measures against it does
// so against the last one made.
func (s *Server) DeleteBaseline(ctx context.Context, req *projectsv1.DeleteBaselineRequest) (*emptypb.Empty, error) {
	project, id, err := childOf("baselines", req.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*emptypb.Empty, error) {
		p, b, err := lockChild(ctx, tx, project, id, req.GetName(), req.GetEtag(), store.Baseline)
		if err != nil {
			return nil, err
		}
		if err := p.Writable(); err != nil {
			return nil, err
		}
		x, err := store.Schedule(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		if x.Baseline == id {
			x.Baseline = ""
			x.Touch(s.now())
			store.SaveSchedule(tx, x)
		}
		store.DeleteBaseline(tx, b)
		return &emptypb.Empty{}, nil
	})
}
