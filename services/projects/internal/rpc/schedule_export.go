package rpc

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/ical"
	"github.com/trama-suite/trama/services/projects/internal/domain/interchange"
	"github.com/trama-suite/trama/services/projects/internal/domain/mspdi"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// fileName makes a name of a file of a project.
func fileName(p *domain.Project, extension string) string {
	name := p.Acronym
	if name == "" {
		name = "plan"
	}
	name = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '-'
		}
		return r
	}, name)
	return name + extension
}

// ExportSchedule writes the plan as Microsoft Project XML.
func (s *Server) ExportSchedule(req *projectsv1.ExportScheduleRequest, stream grpc.ServerStreamingServer[httpbody.HttpBody]) error {
	type export struct {
		doc  *mspdi.Plan
		name string
	}
	out, err := readPlan(stream.Context(), s, req.GetName(), func(ctx context.Context, tx *sqldb.Tx, plan *domain.Plan) (export, error) {
		baselines, err := store.AllBaselines(ctx, tx, plan.Project.ID)
		if err != nil {
			return export{}, err
		}
		for _, b := range baselines {
			if b.Tasks, err = store.AllBaselineTasks(ctx, tx, b.ID); err != nil {
				return export{}, err
			}
		}
		doc, err := interchange.To(plan, baselines)
		return export{doc, fileName(plan.Project, ".xml")}, err
	})
	if err != nil {
		return err
	}
	return send(stream, "application/xml", out.name, func(w io.Writer) error { return mspdi.Write(w, out.doc) })
}

// ExportCalendarFeed writes the plan's dates as an iCalendar feed.
func (s *Server) ExportCalendarFeed(req *projectsv1.ExportCalendarFeedRequest, stream grpc.ServerStreamingServer[httpbody.HttpBody]) error {
	type export struct {
		feed ical.Feed
		name string
	}
	out, err := readPlan(stream.Context(), s, req.GetName(), func(ctx context.Context, tx *sqldb.Tx, plan *domain.Plan) (export, error) {
		deliverables, err := store.AllDeliverables(ctx, tx, plan.Project.ID)
		if err != nil {
			return export{}, err
		}
		return export{feedOf(plan, deliverables, s.now()), fileName(plan.Project, ".ics")}, nil
	})
	if err != nil {
		return err
	}
	return send(stream, "text/calendar", out.name, out.feed.Write)
}

// feedOf are the dates that people have to keep.
func feedOf(plan *domain.Plan, deliverables []*domain.Deliverable, now time.Time) ical.Feed {
	p, zone := plan.Project, plan.Settings.Location()
	out := ical.Feed{Title: p.Title.Text, Zone: zone.String(), Now: now}
	add := func(kind, name, title string, day civil.Date, at schedule.Time, stamp domain.Stamp, done bool) {
		e := ical.Event{UID: kind + "@" + strings.ReplaceAll(name, "/", "."), Title: title, Day: day, Category: strings.ToUpper(kind), Details: name,
			Changed: stamp.Updated, Version: stamp.Version, Done: done}
		if at != 0 {
			e.At = instant(at, zone)
		}
		out.Events = append(out.Events, e)
	}
	for _, t := range plan.Tasks {
		if t.Minutes == 0 && !t.Times.Summary {
			stamp := t.Stamp
			stamp.Version += plan.Settings.PlanVersion // its day may change without anybody writing to it
			add("milestone", t.Name(), t.Title.Text, t.Times.Finish, 0, stamp, t.Complete())
		}
		if t.Deadline != 0 {
			add("deadline", t.Name(), t.Title.Text, t.Deadline.Date(), t.Deadline, t.Stamp, t.Complete())
		}
	}
	for _, d := range deliverables {
		add("deliverable", d.Name(), d.Title.Text, d.Due, 0, d.Stamp, d.State == domain.Accepted)
	}
	for _, x := range p.Periods {
		if x.ReportDue != "" {
			add("report", p.Name()+"/periods/"+x.Key, x.Key, x.ReportDue, 0, p.Stamp, false)
		}
	}
	add("end", p.Name(), p.Title.Text, p.End, 0, p.Stamp, p.Phase == domain.Closed)
	slices.SortStableFunc(out.Events, func(a, b ical.Event) int { return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.UID, b.UID)) })
	return out
}

// instant is a local date-time in its zone.
func instant(t schedule.Time, zone *time.Location) time.Time {
	day := time.Unix(int64(t.Date().Days())*86_400, 0).UTC()
	return time.Date(day.Year(), day.Month(), day.Day(), t.Minute()/60, t.Minute()%60, 0, 0, zone)
}
