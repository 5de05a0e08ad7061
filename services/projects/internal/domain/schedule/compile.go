package schedule

import (
	"fmt"
	"slices"
)

// addTasks takes in the tasks and their hierarchy.
func (p *Plan) addTasks(tasks []Task) error {
	n := len(tasks)
	p.tasks, p.cells, p.living = slices.Clone(tasks), make([]cell, n), n
	for i := range p.tasks {
		if _, met := p.index[p.tasks[i].ID]; met {
			return &DuplicateError{ID: p.tasks[i].ID}
		}
		p.index[p.tasks[i].ID] = int32(i)
	}
	children := make([]int32, n)
	for i := range p.tasks {
		c := &p.cells[i]
		c.parent, c.live = -1, true
		if t := &p.tasks[i]; t.Parent != "" {
			parent, known := p.index[t.Parent]
			if !known {
				return &UnknownError{Task: t.ID, Reference: t.Parent}
			}
			c.parent = parent
			children[parent]++
		}
	}
	if err := p.checkParents(); err != nil {
		return err
	}
	flat := make([]int32, 0, n)
	for i, k := range children {
		if k > 0 {
			at := len(flat)
			flat = flat[:at+int(k)]
			p.cells[i].group = &group{children: flat[at:at:len(flat)], lead: -1}
		}
	}
	for i := range p.cells {
		if parent := p.cells[i].parent; parent >= 0 {
			g := p.cells[parent].group
			g.children = append(g.children, int32(i))
		}
	}
	for i := range p.cells {
		if err := p.read(int32(i)); err != nil {
			return err
		}
	}
	return nil
}

// checkParents refuses tasks that are above themselves.
func (p *Plan) checkParents() error {
	const met, good = 1, 2
	state := make([]uint8, len(p.cells))
	for i := range p.cells {
		at := int32(i)
		for at >= 0 && state[at] == 0 {
			state[at] = met
			at = p.cells[at].parent
		}
		if at >= 0 && state[at] == met {
			out := &CycleError{}
			for first := at; ; {
				out.Tasks = append(out.Tasks, p.tasks[at].ID)
				if at = p.cells[at].parent; at == first {
					return out
				}
			}
		}
		for at = int32(i); at >= 0 && state[at] == met; at = p.cells[at].parent {
			state[at] = good
		}
	}
	return nil
}

// read checks a task, but for its links, and takes over into its cell what the
// passes need.
func (p *Plan) read(i int32) error {
	c, t := &p.cells[i], &p.tasks[i]
	if err := p.check(t, c.group != nil); err != nil {
		return err
	}
	axis := p.base
	if t.Calendar != "" {
		if p.axes.calendars[t.Calendar] == nil {
			return &UnknownError{Task: t.ID, Reference: t.Calendar}
		}
		var err error
		if axis, err = p.axes.axis(t.Calendar); err != nil {
			return err
		}
	}
	c.axis, c.state, c.duration, c.point = axis, unstarted, t.Duration, t.Duration == 0
	c.done = t.Duration * t.Progress / 100
	switch {
	case t.ActualFinish != 0 || t.Duration == 0 && t.ActualStart != 0:
		c.state = finished
	case t.ActualStart != 0:
		c.state = started
	}
	if c.group != nil {
		c.state, c.point = unstarted, false
	}
	return nil
}

// check returns what is wrong with a task by itself.
func (p *Plan) check(t *Task, summary bool) error {
	wrong := func(field, format string, args ...any) error {
		return &TaskError{Task: t.ID, Field: field, Reason: fmt.Sprintf(format, args...)}
	}
	dated := t.Constraint.Type != ASAP && t.Constraint.Type != ALAP
	switch {
	case t.ID == "":
		return wrong("id", "must be given")
	case t.Duration < 0 || t.Duration > MaxDuration:
		return wrong("duration", "%d minutes is not between 0 and %d", t.Duration, MaxDuration)
	case t.Work < 0:
		return wrong("work", "must not be negative")
	case t.Progress < 0 || t.Progress > 100:
		return wrong("progress", "%d is not a percentage", t.Progress)
	case t.Constraint.Type > MustFinishOn:
		return wrong("constraint", "%d is no constraint", t.Constraint.Type)
	case dated && t.Constraint.At == 0:
		return wrong("constraint", "%s needs a date-time", t.Constraint.Type)
	case !dated && t.Constraint.At != 0:
		return wrong("constraint", "%s has no date-time", t.Constraint.Type)
	case t.ActualFinish != 0 && t.ActualStart == 0:
		return wrong("actual_start", "must be given where actual_finish is")
	case t.ActualFinish != 0 && t.ActualFinish < t.ActualStart:
		return wrong("actual_finish", "must not be before actual_start")
	case summary && dated && t.Constraint.Type != StartNoEarlierThan && t.Constraint.Type != FinishNoLaterThan,
		summary && t.Constraint.Type == ALAP, summary && t.Pinned:
		return &SummaryError{Task: t.ID, Field: "constraint", Reason: "may only be start no earlier than or finish no later than, not pinned"}
	}
	for _, d := range []struct {
		field string
		at    Time
	}{
		{"constraint", t.Constraint.At}, {"deadline", t.Deadline}, {"level_start", t.LevelStart},
		{"actual_start", t.ActualStart}, {"actual_finish", t.ActualFinish},
	} {
		if d.at != 0 && !p.within(d.at) {
			return wrong(d.field, "%s is outside the time that a plan may cover: %d years before the project's start to %d after", d.at, beforeYears, MaxYears)
		}
	}
	return nil
}

// addLinks takes in the links of all tasks.
func (p *Plan) addLinks() error {
	n, total := len(p.tasks), 0
	out := make([]int32, n)
	for i := range p.tasks {
		total += len(p.tasks[i].Links)
	}
	links := make([]Link, 0, total)
	ins := make([]edge, 0, total)
	for i := range p.tasks {
		t := &p.tasks[i]
		at := len(links)
		links = append(links, t.Links...)
		t.Links = links[at:len(links):len(links)]
		edges, err := p.edges(int32(i), ins)
		if err != nil {
			return err
		}
		p.cells[i].in = edges[at:len(edges):len(edges)]
		ins = edges
		for _, e := range p.cells[i].in {
			out[e.task]++
		}
	}
	flat := make([]edge, 0, total)
	for i, k := range out {
		at := len(flat)
		flat = flat[:at+int(k)]
		p.cells[i].out = flat[at:at:len(flat)]
	}
	for i := range p.cells {
		for _, e := range p.cells[i].in {
			from := &p.cells[e.task]
			e.task = int32(i)
			from.out = append(from.out, e)
		}
	}
	return nil
}

// edges appends the links of a task as edges, once they are checked.
func (p *Plan) edges(i int32, to []edge) ([]edge, error) {
	t := &p.tasks[i]
	at := len(to)
	for k, l := range t.Links {
		from, known := p.index[l.Predecessor]
		if !known {
			return nil, &UnknownError{Task: t.ID, Reference: l.Predecessor}
		}
		wrong := func(reason string) error {
			return &LinkError{Task: t.ID, Predecessor: l.Predecessor, Reason: reason}
		}
		switch {
		case l.Type > SF:
			return nil, wrong(fmt.Sprintf("%d is no link type", l.Type))
		case l.Lag < -MaxDuration || l.Lag > MaxDuration:
			return nil, wrong(fmt.Sprintf("a lag of %d minutes is not between -%d and %d", l.Lag, MaxDuration, MaxDuration))
		case from == i:
			return nil, &CycleError{Tasks: []string{t.ID}}
		case p.above(from, i) || p.above(i, from):
			return nil, wrong("one is part of the other")
		case p.cells[i].group != nil && l.Type.toFinish():
			return nil, &SummaryError{Task: t.ID, Field: "links", Reason: "a summary's finish cannot be linked to, only its start"}
		case k < 64 && slices.ContainsFunc(to[at:], func(e edge) bool { return e.task == from && e.typ == l.Type }):
			return nil, wrong("a second link of type " + l.Type.String())
		}
		to = append(to, edge{task: from, typ: l.Type, elapsed: l.Elapsed, lag: l.Lag})
	}
	if len(t.Links) > 64 {
		seen := make(map[edge]bool, len(t.Links))
		for _, e := range to[at:] {
			key := edge{task: e.task, typ: e.typ}
			if seen[key] {
				return nil, &LinkError{Task: t.ID, Predecessor: p.tasks[e.task].ID, Reason: "a second link of type " + e.typ.String()}
			}
			seen[key] = true
		}
	}
	return to, nil
}

// above reports whether a task is above another in the hierarchy.
func (p *Plan) above(up, i int32) bool {
	if p.cells[up].group == nil {
		return false
	}
	for at := p.cells[i].parent; at >= 0; at = p.cells[at].parent {
		if at == up {
			return true
		}
	}
	return false
}
