package rpc

import (
	"context"
	"errors"
	"strconv"
	"strings"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/interchange"
	"github.com/trama-suite/trama/services/projects/internal/domain/mspdi"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// mostDifferences is how many tasks with other dates an import tells of.
const mostDifferences = 1_000

// ImportSchedule reads an uploaded Microsoft Project document into the plan. The
// document is read outside the transaction, as often as the call is tried.
func (s *Server) ImportSchedule(ctx context.Context, req *projectsv1.ImportScheduleRequest) (*projectsv1.ImportScheduleResponse, error) {
	project, err := scheduleOf(req.GetName())
	if err != nil {
		return nil, err
	}
	f, err := read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*domain.File, error) {
		p, err := seeProject(ctx, tx, project)
		if err != nil {
			return nil, under(req.GetName(), err)
		}
		if err := requireLead(ctx, p); err != nil {
			return nil, err
		}
		if !sameProject(project, req.GetFile()) {
			return nil, errs.InvalidField(domain.FileUnknown, "file", "%s is not a file of the project", req.GetFile())
		}
		f, _, err := readableFile(ctx, tx, req.GetFile())
		if errs.KindOf(err) == errs.NotFound {
			return nil, errs.InvalidField(domain.FileUnknown, "file", "%s is not a file of the project", req.GetFile())
		}
		return f, err
	})
	if err != nil {
		return nil, err
	}
	doc, err := s.readDocument(ctx, f)
	if err != nil {
		return nil, err
	}
	if req.GetDryRun() {
		return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ImportScheduleResponse, error) {
			p, err := seeProject(ctx, tx, project)
			if err != nil {
				return nil, under(req.GetName(), err)
			}
			out, _, err := s.takeIn(ctx, tx, p, req, doc)
			return out, err
		})
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ImportScheduleResponse, error) {
		p, err := lockProject(ctx, tx, project)
		if err != nil {
			return nil, under(req.GetName(), err)
		}
		out, in, err := s.takeIn(ctx, tx, p, req, doc)
		if err != nil {
			return nil, err
		}
		out.Applied = true
		if err := s.storeImport(ctx, tx, in); err != nil {
			return nil, err
		}
		return out, s.refresh(ctx, tx, p)
	})
}

// readDocument reads a file as Microsoft Project XML.
func (s *Server) readDocument(ctx context.Context, f *domain.File) (*mspdi.Plan, error) {
	content, err := s.openFile(ctx, f)
	if err != nil {
		return nil, err
	}
	defer func() { _ = content.Close() }()
	doc, err := mspdi.Read(content)
	if e, ok := errors.AsType[*mspdi.Error](err); ok {
		reason := domain.PlanFileWrong
		if e.Kind == mspdi.TooLarge {
			reason = domain.PlanFileTooLarge
		}
		return nil, errs.InvalidField(reason, "file", "%s", e).With("line", strconv.Itoa(e.Line)).With("path", e.Path)
	}
	return doc, err
}

// taken is an import that is about to be stored.
type taken struct {
	*interchange.Result
	old       *domain.Plan
	baselines int // that are there already
}

// takeIn makes a plan of a document and computes it. It stores nothing.
func (s *Server) takeIn(ctx context.Context, tx *sqldb.Tx, p *domain.Project, req *projectsv1.ImportScheduleRequest, doc *mspdi.Plan) (*projectsv1.ImportScheduleResponse, *taken, error) {
	if err := p.Writable(); err != nil {
		return nil, nil, err
	}
	old, err := wholePlan(ctx, tx, p)
	if err != nil {
		return nil, nil, err
	}
	replace := req.GetMode() == projectsv1.ImportMode_IMPORT_MODE_REPLACE
	switch {
	case !replace && len(old.Tasks) > 0:
		return nil, nil, errs.New(errs.FailedPrecondition, domain.PlanNotEmpty, "the plan has %d tasks already: import with IMPORT_MODE_REPLACE to replace them", len(old.Tasks)).
			With("resource", req.GetName())
	case req.GetPlanVersion() != 0 && req.GetPlanVersion() != old.Settings.PlanVersion:
		return nil, nil, errs.Stale(req.GetName())
	}
	there, err := store.AllBaselines(ctx, tx, p.ID)
	if err != nil {
		return nil, nil, err
	}
	known := map[string]bool{}
	for _, t := range old.Tasks {
		known[t.ID] = true
	}
	in := &taken{old: old, baselines: len(there), Result: interchange.From(doc, interchange.Context{Project: p, Settings: old.Settings, Known: known,
		Language: p.Title.Language, Today: s.today(), Now: s.now(), NewID: s.newID})}
	if err := in.Plan.Compute(); err != nil {
		return nil, nil, in.locate(err)
	}
	if err := in.check(); err != nil {
		return nil, nil, err
	}
	out, err := importProto(in)
	return out, in, err
}

// check returns an error where the document holds what nobody may write: no
// change to it would be taken afterwards.
func (in *taken) check() error {
	if c, r := len(in.Plan.Calendars), len(in.Plan.Resources); c > domain.MaxCalendars || r > domain.MaxResources {
		return errs.InvalidField(domain.PlanFileTooLarge, "file", "a plan has at most %d calendars and %d resources, this one %d and %d",
			domain.MaxCalendars, domain.MaxResources, c, r)
	}
	wrong := func(what string, uid int64, line int, err error) error {
		return errs.InvalidField(domain.PlanFileWrong, "file", "%s UID %d (line %d): %s", what, uid, line, err).With("line", strconv.Itoa(line))
	}
	for _, t := range in.Plan.Tasks {
		if err := platform.Validate(taskProto(t, "")); err != nil {
			row := in.Rows[t.ID]
			return wrong("task", row.UID, row.Line, err)
		}
	}
	for _, c := range in.Plan.Calendars {
		if err := platform.Validate(calendarProto(c)); err != nil {
			return errs.InvalidField(domain.PlanFileWrong, "file", "calendar %q: %s", c.Title.Text, err)
		}
	}
	for _, r := range in.Plan.Resources {
		if err := platform.Validate(resourceProto(r)); err != nil {
			return errs.InvalidField(domain.PlanFileWrong, "file", "resource %q: %s", r.Title.Text, err)
		}
	}
	return nil
}

// locate says of an error about the new plan which rows of the document it is
// about: the names of tasks that are not stored mean nothing to anybody.
func (in *taken) locate(err error) error {
	e, ok := errors.AsType[*errs.Error](err)
	if !ok {
		return err
	}
	out := e.Under("file")
	var replace []string
	for _, t := range in.Plan.Tasks {
		row := in.Rows[t.ID]
		replace = append(replace, t.Name(), "task UID "+strconv.FormatInt(row.UID, 10)+" (line "+strconv.Itoa(row.Line)+")")
	}
	words := strings.NewReplacer(replace...)
	out.Message = words.Replace(out.Message)
	for k, v := range out.Metadata {
		out.Metadata[k] = words.Replace(v)
	}
	return out
}

func importProto(in *taken) (*projectsv1.ImportScheduleResponse, error) {
	plan := in.Plan
	out := &projectsv1.ImportScheduleResponse{TaskCount: int32(len(plan.Tasks)), LinkCount: int32(in.Links), CalendarCount: int32(len(plan.Calendars)),
		ResourceCount: int32(len(plan.Resources)), AssignmentCount: int32(in.Work), FinishTime: plan.Finish().String()}
	if room := domain.MaxBaselines - in.baselines; len(in.Baselines) > room {
		in.Dropped = append(in.Dropped, mspdi.Dropped{Path: "Project/Tasks/Task/Baseline", Count: len(in.Baselines) - room, Reason: "the project has as many baselines as it may"})
		in.Baselines = in.Baselines[:room]
	}
	out.BaselineCount = int32(len(in.Baselines))
	for _, d := range in.Dropped {
		out.Dropped = append(out.Dropped, &projectsv1.ImportDrop{Path: d.Path, Reason: d.Reason, Count: int32(d.Count), Line: int32(d.Line), Uid: d.UID})
	}
	agreeing, differing, err := in.Compare()
	if err != nil {
		return nil, err
	}
	out.AgreeingCount, out.DifferingCount = int32(agreeing), int32(len(differing))
	for _, d := range differing[:min(len(differing), mostDifferences)] {
		out.Differences = append(out.Differences, &projectsv1.ImportDifference{Uid: d.Row.UID, Title: d.Task.Title.Text,
			DocumentStartTime: d.ThenStart.String(), DocumentFinishTime: d.ThenFinish.String(),
			StartTime: d.Task.Times.StartTime.String(), FinishTime: d.Task.Times.FinishTime.String(), Reason: d.Reason})
	}
	return out, nil
}

// storeImport replaces the plan that is there by the one that was read.
func (s *Server) storeImport(ctx context.Context, tx *sqldb.Tx, in *taken) error {
	now := map[string]*domain.Task{}
	for _, t := range in.Plan.Tasks {
		now[t.ID] = t
	}
	before := store.ComputedOf(in.old.Tasks)
	needed, err := store.NeededTasks(ctx, tx, in.Plan.Project.ID)
	if err != nil {
		return err
	}
	for _, t := range in.old.Tasks {
		kept := now[t.ID]
		if kept == nil {
			if users := needed[t.ID]; len(users) > 0 {
				return domain.InUse(domain.TaskInUse, t.Name(), users)
			}
			if err := store.DeleteTask(ctx, tx, t, t.Version); err != nil {
				return err
			}
			continue
		}
		kept.Stamp = t.Stamp
		kept.Touch(s.now())
		if err := store.SaveTask(ctx, tx, kept, t.Version); err != nil {
			return err
		}
	}
	for _, c := range in.old.Calendars {
		if err := store.DeleteCalendar(ctx, tx, c, c.Version); err != nil {
			return err
		}
	}
	for _, r := range in.old.Resources {
		if err := store.DeleteResource(ctx, tx, r, r.Version); err != nil {
			return err
		}
	}
	for _, c := range in.Plan.Calendars {
		store.InsertCalendar(tx, c)
	}
	for _, r := range in.Plan.Resources {
		store.InsertResource(tx, r)
	}
	for _, b := range in.Baselines {
		store.InsertBaseline(tx, b)
	}
	in.Plan.Settings.Moved(s.newID())
	in.Plan.Settings.Touch(s.now())
	store.SaveSchedule(tx, in.Plan.Settings)
	store.SaveTimes(tx, in.Plan.Tasks, before)
	return nil
}
