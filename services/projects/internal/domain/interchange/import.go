package interchange

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/mspdi"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

// Result is a plan that was made of a document; it is not computed yet.
type Result struct {
	Plan      *domain.Plan
	Baselines []*domain.Baseline
	// Rows are the document's tasks by the ids of the plan's.
	Rows    map[string]*mspdi.Task
	Dropped []mspdi.Dropped
	Links   int
	Work    int // assignments
}

// Context is what an import needs to know of the project.
type Context struct {
	Project  *domain.Project
	Settings *domain.Schedule
	// Known are the ids of the project's tasks: those that the document names keep
	// theirs.
	Known    map[string]bool
	Language string // of what is written in the document
	Today    civil.Date
	Now      time.Time
	NewID    func() string
}

// importer makes a plan of a document.
type importer struct {
	Context
	doc       *mspdi.Plan
	out       *Result
	drops     map[string]int
	ids       map[int64]string // of tasks
	rows      map[int64]*mspdi.Task
	calendars map[int64]string
	resources map[int64]string
}

// From makes a plan of a document. What the plan cannot hold is added to what the
// reader has dropped.
func From(doc *mspdi.Plan, c Context) *Result {
	settings := *c.Settings
	im := &importer{Context: c, doc: doc, drops: map[string]int{}, ids: map[int64]string{}, rows: map[int64]*mspdi.Task{},
		calendars: map[int64]string{}, resources: map[int64]string{},
		out: &Result{Plan: &domain.Plan{Project: c.Project, Settings: &settings}, Rows: map[string]*mspdi.Task{}, Dropped: slices.Clone(doc.Dropped)}}
	for i := range im.out.Dropped {
		d := im.out.Dropped[i]
		im.drops[d.Path+"\x00"+d.Reason] = i
	}
	im.importCalendars()
	im.importSettings()
	im.importResources()
	im.importTasks()
	im.importAssignments()
	im.importBaselines()
	slices.SortStableFunc(im.out.Dropped, func(a, b mspdi.Dropped) int { return cmp.Compare(a.Line, b.Line) })
	return im.out
}

func (im *importer) drop(line int, uid int64, path, reason string) {
	key := path + "\x00" + reason
	if i, known := im.drops[key]; known {
		im.out.Dropped[i].Count++
		return
	}
	if len(im.out.Dropped) >= maxDropped { // what a hostile document could still add is not told
		return
	}
	im.drops[key] = len(im.out.Dropped)
	im.out.Dropped = append(im.out.Dropped, mspdi.Dropped{Path: path, Reason: reason, Count: 1, Line: line, UID: uid})
}

func (im *importer) importSettings() {
	s := &im.out.Plan.Settings.Settings
	s.Calendar = im.calendars[im.doc.CalendarUID]
	s.Status = day(im.doc.Status)
	s.Baseline = ""
	s.Start = 0
	if !im.doc.Start.IsZero() {
		at := fromTime(im.doc.Start)
		// The first working minute of the project's first day is where it starts anyway.
		if first, err := im.out.Plan.Start(); day(im.doc.Start) != im.Project.Start || err == nil && at > first {
			s.Start = at
		}
	}
	if im.doc.FromFinish {
		im.drop(1, 0, "Project/ScheduleFromStart", "plans are computed from their start; what is as late as possible stays so")
	}
}

func day(t time.Time) civil.Date {
	if t.IsZero() {
		return ""
	}
	return civil.Date(t.Format(time.DateOnly))
}

func fromTime(t time.Time) schedule.Time {
	if t.IsZero() {
		return 0
	}
	return schedule.At(day(t), t.Hour()*60+t.Minute())
}

// Bounds of what people write.
const (
	maxTitle = 1_000
	maxNotes = 10_000
	maxUnits = 1_000_000 // in hundredths of one whole resource
)

// maxDropped bounds what is told of a document, as the reader bounds its part.
const maxDropped = 2_000

// units are hundredths of a share in ten-thousandths.
func (im *importer) units(n int64, line int, uid int64, path string) int32 {
	n = (n + 50) / 100
	if n > maxUnits {
		im.drop(line, uid, path, fmt.Sprintf("more than %d of one resource become as many", maxUnits/100))
	}
	return int32(min(max(1, n), maxUnits))
}

// cut shortens what is too long.
func (im *importer) cut(s string, most, line int, uid int64, path string) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	im.drop(line, uid, path, fmt.Sprintf("the text is longer than %d characters, of which the first are kept", most))
	return string([]rune(s)[:most])
}

func (im *importer) title(name, instead string, attributes map[string]string, line int, uid int64, path string) domain.Text {
	out := domain.Text{Text: im.cut(name, maxTitle, line, uid, path), Language: im.Language}
	if strings.TrimSpace(out.Text) == "" {
		out.Text = instead
		im.drop(line, uid, path, "there is no name: it is called by its number")
	}
	if l := attributes[fieldLanguage]; l != "" {
		out.Language = l
	}
	if t := attributes[fieldTranslations]; t != "" {
		if json.Unmarshal([]byte(t), &out.Translations) != nil {
			im.drop(line, uid, path, "the translations cannot be read")
		}
	}
	return out
}

func (im *importer) importTasks() {
	const path = "Project/Tasks/Task"
	for i := range im.doc.Tasks {
		x := &im.doc.Tasks[i]
		id := im.NewID()
		if im.Known[x.GUID] && im.out.Rows[x.GUID] == nil {
			id = x.GUID
		}
		im.ids[x.UID], im.rows[x.UID], im.out.Rows[id] = id, x, x
	}
	for i := range im.doc.Tasks {
		x := &im.doc.Tasks[i]
		t := &domain.Task{ID: im.ids[x.UID], Project: im.Project.ID, Stamp: domain.NewStamp(im.Now)}
		w := &t.Work
		w.Title = im.title(x.Name, fmt.Sprintf("UID %d", x.UID), x.Attributes, x.Line, x.UID, path+"/Name")
		w.Notes = im.cut(x.Notes, maxNotes, x.Line, x.UID, path+"/Notes")
		w.Parent = im.ids[x.Parent]
		w.Organisation = im.partner(x.Attributes[fieldOrganisation], x.Line, x.UID, path)
		w.Assignee = x.Attributes[fieldAssignee]
		w.Deadline = fromTime(x.Deadline)
		w.Calendar = im.calendars[x.CalendarUID]
		if w.Priority = int32(max(x.Priority, 1)); w.Priority == 500 {
			w.Priority = 0
		}
		im.dates(w, x)
		if !x.Summary {
			w.Minutes, w.Elapsed, w.Effort = x.Minutes, x.Elapsed, x.Work
			im.progress(w, x)
			if at, err := schedule.ParseTime(x.Attributes[fieldLevelled]); err == nil {
				w.LevelledStart = at
			}
		}
		im.links(w, x)
		im.others(x)
		im.out.Plan.Tasks = append(im.out.Plan.Tasks, t)
	}
}

// others notes the custom fields that are not ours.
func (im *importer) others(x *mspdi.Task) {
	for alias := range x.Attributes {
		if !strings.HasPrefix(alias, "Trama ") {
			im.drop(x.Line, x.UID, "Project/Tasks/Task/ExtendedAttribute", "the custom field "+quote(alias)+" is not part of the plan")
		}
	}
}

func quote(s string) string { return fmt.Sprintf("%.60q", s) }

func (im *importer) partner(name string, line int, uid int64, path string) string {
	if name != "" && !im.Project.HasPartner(name) {
		im.drop(line, uid, path+"/ExtendedAttribute", "the organisation in charge is not a partner of the project")
		return ""
	}
	return name
}

// dates takes over the constraint. A task that is scheduled by hand stands where
// it was put.
func (im *importer) dates(w *domain.Work, x *mspdi.Task) {
	const path = "Project/Tasks/Task/ConstraintType"
	c := domain.Constraint{Type: constraints[x.Constraint], At: fromTime(x.ConstraintDate)}
	if c.Type == schedule.ASAP || c.Type == schedule.ALAP {
		c.At = 0
	}
	held := c.Type == schedule.MustStartOn || c.Type == schedule.MustFinishOn || c.Type == schedule.StartNoLaterThan || c.Type == schedule.FinishNoLaterThan
	switch {
	case x.Attributes[fieldPinned] != "":
		c.Pinned = held
	case x.Manual && x.Summary:
		im.drop(x.Line, x.UID, "Project/Tasks/Task/Manual", "the dates of a summary are those of its subtasks")
	case x.Manual && !x.Start.IsZero():
		c = domain.Constraint{Type: schedule.MustStartOn, At: fromTime(x.Start), Pinned: true}
	case im.doc.Honour:
		c.Pinned = held
	}
	if x.Summary && c.Type != schedule.ASAP && c.Type != schedule.StartNoEarlierThan && c.Type != schedule.FinishNoLaterThan {
		im.drop(x.Line, x.UID, path, "of constraints a summary has only start no earlier than and finish no later than")
		c = domain.Constraint{}
	}
	if x.Summary {
		c.Pinned = false
	}
	w.Constraint = c
}

func (im *importer) progress(w *domain.Work, x *mspdi.Task) {
	const path = "Project/Tasks/Task/"
	w.Progress = int32(x.Percent)
	start, finish := day(x.ActualStart), day(x.ActualFinish)
	switch {
	case start > im.Today || finish > im.Today:
		im.drop(x.Line, x.UID, path+"ActualStart", "the actual dates are in the future")
	case finish != "" && (w.Progress != 100 || start == "" || finish < start):
		im.drop(x.Line, x.UID, path+"ActualFinish", "the task is not complete, or not started")
		w.ActualStart = start
	default:
		w.ActualStart, w.ActualFinish = start, finish
	}
}

func (im *importer) links(w *domain.Work, x *mspdi.Task) {
	const path = "Project/Tasks/Task/PredecessorLink"
	for _, l := range x.Links {
		from := im.rows[l.Predecessor]
		out := domain.Link{Task: im.ids[l.Predecessor], Type: linkTypes[l.Type], Lag: l.Lag, Elapsed: l.Elapsed}
		if x.Summary && (out.Type == schedule.FF || out.Type == schedule.SF) {
			im.drop(x.Line, x.UID, path, "a link holds the start of a summary, not its finish")
			continue
		}
		if l.Percent {
			out.Lag = from.Minutes * l.Lag / 100
			im.drop(x.Line, x.UID, path+"/LagFormat", "a lag in per cent of the predecessor's duration becomes minutes")
		}
		w.Links = append(w.Links, out)
		im.out.Links++
	}
}

func (im *importer) importResources() {
	const path = "Project/Resources/Resource"
	for _, x := range im.doc.Resources {
		r := &domain.Resource{ID: im.NewID(), Project: im.Project.ID, Stamp: domain.NewStamp(im.Now), Means: domain.Means{
			Title: im.title(x.Name, fmt.Sprintf("UID %d", x.UID), x.Attributes, 1, x.UID, path+"/Name"), Kind: "PERSON", Subject: x.Code,
			Organisation: im.partner(x.Attributes[fieldOrganisation], 1, x.UID, path), Capacity: im.units(x.MaxUnits, 1, x.UID, path+"/MaxUnits"),
			Calendar: im.calendars[x.CalendarUID]}}
		if x.Attributes[fieldKind] == "EQUIPMENT" {
			r.Kind = "EQUIPMENT"
		}
		if len(r.Subject) > 255 {
			r.Subject = ""
		}
		if x.Group != "" {
			im.drop(1, x.UID, path+"/Group", "groups of resources are not part of the plan")
		}
		im.resources[x.UID] = r.ID
		im.out.Plan.Resources = append(im.out.Plan.Resources, r)
	}
}

func (im *importer) importAssignments() {
	byID := map[string]*domain.Task{}
	for _, t := range im.out.Plan.Tasks {
		byID[t.ID] = t
	}
	for _, a := range im.doc.Assignments {
		x := im.rows[a.Task]
		if x.Summary {
			im.drop(x.Line, x.UID, "Project/Assignments/Assignment", "resources work on a summary's subtasks")
			continue
		}
		resource := im.resources[a.Resource]
		if resource == "" {
			continue
		}
		t := byID[im.ids[a.Task]]
		t.Assignments = append(t.Assignments, domain.Assignment{Resource: resource, Units: im.units(a.Units, x.Line, x.UID, "Project/Assignments/Assignment/Units")})
		im.out.Work++
	}
}

func (im *importer) importBaselines() {
	byNumber := map[int]*domain.Baseline{}
	for i := range im.doc.Tasks {
		x := &im.doc.Tasks[i]
		for _, b := range x.Baselines {
			if byNumber[b.Number] == nil {
				byNumber[b.Number] = &domain.Baseline{Project: im.Project.ID, Stamp: domain.NewStamp(im.Now),
					Title: domain.Text{Text: fmt.Sprintf("Baseline %d", b.Number), Language: im.Language}}
			}
			of := byNumber[b.Number]
			of.Tasks = append(of.Tasks, domain.BaselineTask{Task: im.ids[x.UID], Title: im.cut(x.Name, maxTitle, x.Line, x.UID, "Project/Tasks/Task/Name"),
				Start: fromTime(b.Start), Finish: fromTime(b.Finish), Minutes: b.Minutes, Effort: b.Work})
		}
	}
	for n := range 11 {
		if b := byNumber[n]; b != nil {
			b.ID = im.NewID()
			b.Sum()
			im.out.Baselines = append(im.out.Baselines, b)
		}
	}
}
