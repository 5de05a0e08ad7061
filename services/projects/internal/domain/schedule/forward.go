package schedule

// forward computes the early dates of a node from those of the nodes before it,
// and reports whether they have changed.
func (p *Plan) forward(node int32) bool {
	i := node >> 1
	c := &p.cells[i]
	switch {
	case c.group == nil:
		e := p.earlyLeaf(i)
		if e == c.early {
			return false
		}
		if e.finish > p.last || e.start < p.first {
			p.far = i
		}
		c.early = e
	case node&1 == 1:
		w := p.floor(c)
		if t := &p.tasks[i]; t.Constraint.Type == StartNoEarlierThan {
			w = max(w, t.Constraint.At)
		}
		for k := range c.in {
			w = max(w, p.point(&c.in[k]))
		}
		if w == c.group.gate {
			return false
		}
		c.group.gate = w
	default:
		e, lead := early{start: never, finish: always}, int32(-1)
		for _, child := range c.group.children {
			x := &p.cells[child].early
			if x.start < e.start {
				e.start, lead = x.start, child
			}
			e.finish = max(e.finish, x.finish)
		}
		e.es, e.ef = c.axis.count(e.start), c.axis.count(e.finish)
		if e == c.early && lead == c.group.lead {
			return false
		}
		if was := c.group.lead; was != lead {
			p.backwards.set(p.place[main(lead)])
			if was >= 0 && p.cells[was].live {
				p.backwards.set(p.place[main(was)])
			}
		}
		c.early, c.group.lead = e, lead
	}
	return true
}

// floor is the instant before which the task may not start whatever its links.
func (p *Plan) floor(c *cell) Time {
	if c.parent < 0 {
		return p.settings.Start
	}
	return p.cells[c.parent].group.gate
}

func (p *Plan) earlyLeaf(i int32) early {
	c, t := &p.cells[i], &p.tasks[i]
	if c.state == finished {
		finish := max(t.ActualStart, t.ActualFinish) // a milestone may have its start only
		return early{c.axis.count(t.ActualStart), c.axis.count(finish), t.ActualStart, finish}
	}
	if c.point {
		return p.earlyMilestone(c, t)
	}
	es, ef := c.axis.count(max(p.floor(c), t.LevelStart)), minPosition
	switch t.Constraint.Type {
	case StartNoEarlierThan, MustStartOn:
		es = max(es, c.axis.count(t.Constraint.At))
	case FinishNoEarlierThan, MustFinishOn:
		ef = c.axis.count(t.Constraint.At)
	}
	for k := range c.in {
		e := &c.in[k]
		if c.state == started && !e.typ.toFinish() {
			continue
		}
		x, ok := p.position(e, c.axis)
		if !ok {
			x = c.axis.count(p.point(e))
		}
		if e.typ.toFinish() {
			ef = max(ef, x)
		} else {
			es = max(es, x)
		}
	}
	if c.state == started {
		return p.earlyStarted(c, t, ef)
	}
	if p.settings.Status != 0 && t.Progress < 100 {
		es = max(es, c.axis.count(p.settings.Status)-c.done)
	}
	es = max(es, ef-c.duration)
	if t.Pinned {
		es = min(es, ceiling(c, t, c.duration))
	}
	return early{es, es + c.duration, c.axis.startAt(es), c.axis.finishAt(es + c.duration)}
}

// minPosition is before all positions, and far from an overflow.
const minPosition = int(always)

// earlyStarted keeps the start and lets the finish wait for the status date and
// for the links to it, which demand at least ef.
func (p *Plan) earlyStarted(c *cell, t *Task, ef int) early {
	e := early{es: c.axis.count(t.ActualStart), start: t.ActualStart}
	e.ef = max(e.es+c.duration, ef)
	if rest := c.duration - c.done; rest > 0 && p.settings.Status != 0 {
		e.ef = max(e.ef, c.axis.count(p.settings.Status)+rest)
	}
	if t.Pinned {
		e.ef = max(e.es, min(e.ef, ceiling(c, t, 0)))
	}
	e.finish = c.axis.finishAt(e.ef)
	return e
}

// earlyMilestone is an instant: the latest of those that hold it, moved into
// working time where it falls outside.
func (p *Plan) earlyMilestone(c *cell, t *Task) early {
	w := max(p.floor(c), t.LevelStart)
	switch t.Constraint.Type {
	case StartNoEarlierThan, MustStartOn, FinishNoEarlierThan, MustFinishOn:
		w = max(w, t.Constraint.At)
	}
	for k := range c.in {
		w = max(w, p.point(&c.in[k]))
	}
	if t.Progress < 100 {
		w = max(w, p.settings.Status)
	}
	if t.Pinned && t.Constraint.Type.bounds() {
		w = min(w, t.Constraint.At)
	}
	w = c.axis.up(w)
	x := c.axis.count(w)
	return early{x, x, w, w}
}

// bounds reports whether a constraint of the type bounds the dates from above.
func (t ConstraintType) bounds() bool {
	return t == StartNoLaterThan || t == FinishNoLaterThan || t == MustStartOn || t == MustFinishOn
}

// ceiling is the latest start that a leaf's own constraint allows, where it takes
// so many minutes. The start of a started task is past demanding.
func ceiling(c *cell, t *Task, length int) int {
	switch {
	case t.Constraint.Type == FinishNoLaterThan || t.Constraint.Type == MustFinishOn:
		return c.axis.count(t.Constraint.At) - length
	case t.Constraint.Type.bounds() && c.state == unstarted:
		return c.axis.count(t.Constraint.At)
	}
	return int(never)
}

// position is where a link puts its successor's end on the successor's axis; not
// ok where that takes the clock.
func (p *Plan) position(e *edge, axis *Axis) (x int, ok bool) {
	c := &p.cells[e.task]
	if c.axis != axis || e.elapsed || c.point || c.group != nil {
		return 0, false
	}
	if e.typ.fromStart() {
		return c.early.es + e.lag, true
	}
	return c.early.ef + e.lag, true
}

// point is the instant before which a link's successor may not start or finish.
func (p *Plan) point(e *edge) Time {
	c := &p.cells[e.task]
	w, x := c.early.finish, c.early.ef
	if e.typ.fromStart() {
		w, x = c.early.start, c.early.es
	}
	switch {
	case e.lag == 0:
		return w
	case e.elapsed:
		return w + Time(e.lag)
	case e.typ.fromStart() && !c.point || c.point && c.axis.finishAt(x) != w:
		return c.axis.startAt(x + e.lag)
	}
	return c.axis.finishAt(x + e.lag)
}

// up moves an instant outside working time to the next beginning of work; an end
// of work is within.
func (a *Axis) up(t Time) Time {
	x := a.count(t)
	if t == a.finishAt(x) {
		return t
	}
	return a.startAt(x)
}

// down moves an instant outside working time to the last end of work; a
// beginning of work is within.
func (a *Axis) down(t Time) Time {
	x := a.count(t)
	if t == a.startAt(x) {
		return t
	}
	return a.finishAt(x)
}
