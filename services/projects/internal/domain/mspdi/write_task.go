package mspdi

import "strconv"

// tasks writes the rows in their order, which the plan gives: a summary stands
// before its subtasks, so that levels and numbers follow from the parents.
func (w *writer) tasks(p *Plan) {
	w.in("Task", func() { // the summary of the whole project, which programs expect
		w.integer("UID", 0)
		w.integer("ID", 0)
		w.text("Name", p.Title)
		w.integer("Type", 1)
		w.flag("IsNull", false)
		w.text("OutlineNumber", "0")
		w.text("OutlineLevel", "0")
		w.moment("Start", p.Start)
		w.moment("Finish", p.Finish)
		w.flag("Summary", true)
	})
	type place struct {
		level    int
		number   string
		children int
	}
	places := map[int64]*place{0: {}}
	for i := range p.Tasks {
		t := &p.Tasks[i]
		up := places[t.Parent]
		if up == nil {
			up = places[0]
		}
		up.children++
		at := &place{level: up.level + 1, number: strconv.Itoa(up.children)}
		if up.number != "" {
			at.number = up.number + "." + at.number
		}
		places[t.UID] = at
		w.in("Task", func() { w.task(t, i+1, at.level, at.number) })
	}
}

func (w *writer) task(t *Task, id, level int, number string) {
	w.integer("UID", t.UID)
	w.text("GUID", t.GUID)
	w.integer("ID", int64(id))
	w.text("Name", t.Name)
	w.flag("Active", true)
	w.flag("Manual", t.Manual)
	w.integer("Type", 1) // fixed duration: resources do not change the dates
	w.flag("IsNull", false)
	w.text("WBS", number)
	w.text("OutlineNumber", number)
	w.integer("OutlineLevel", int64(level))
	w.integer("Priority", int64(t.Priority))
	w.moment("Start", t.Start)
	w.moment("Finish", t.Finish)
	w.minutes("Duration", t.Minutes)
	w.integer("DurationFormat", map[bool]int64{false: formatDays, true: formatElapsedDays}[t.Elapsed])
	w.minutes("Work", t.Work)
	w.flag("EffortDriven", false)
	w.flag("Milestone", t.Milestone)
	w.flag("Summary", t.Summary)
	w.flag("Critical", t.Critical)
	w.moment("EarlyStart", t.EarlyStart)
	w.moment("EarlyFinish", t.EarlyFinish)
	w.moment("LateStart", t.LateStart)
	w.moment("LateFinish", t.LateFinish)
	w.integer("FreeSlack", 10*t.FreeSlack)
	w.integer("TotalSlack", 10*t.TotalSlack)
	w.integer("PercentComplete", int64(t.Percent))
	w.moment("ActualStart", t.ActualStart)
	w.moment("ActualFinish", t.ActualFinish)
	w.integer("ConstraintType", int64(t.Constraint))
	w.integer("CalendarUID", t.CalendarUID)
	w.moment("ConstraintDate", t.ConstraintDate)
	w.moment("Deadline", t.Deadline)
	w.text("Notes", t.Notes)
	for _, l := range t.Links {
		w.in("PredecessorLink", func() { w.link(l) })
	}
	for i, alias := range w.aliases {
		w.attribute(textFields[i], t.Attributes[alias])
	}
	for _, b := range t.Baselines {
		w.in("Baseline", func() {
			w.integer("Number", int64(b.Number))
			w.moment("Start", b.Start)
			w.moment("Finish", b.Finish)
			w.minutes("Duration", b.Minutes)
			w.integer("DurationFormat", formatDays)
			w.minutes("Work", b.Work)
		})
	}
}

func (w *writer) link(l Link) {
	w.integer("PredecessorUID", l.Predecessor)
	w.integer("Type", int64(l.Type))
	w.flag("CrossProject", false)
	lag, format := 10*l.Lag, int64(formatDays)
	switch {
	case l.Percent && l.Elapsed:
		lag, format = l.Lag, formatElapsedPercent
	case l.Percent:
		lag, format = l.Lag, formatPercent
	case l.Elapsed:
		format = formatElapsedDays
	}
	w.integer("LinkLag", lag)
	w.integer("LagFormat", format)
}
