package schedule

// backward computes the late dates and the free float of a node from the nodes
// after it, and reports whether they have changed. The late dates are the exact
// inverse of the forward pass: the latest positions from which it would not move
// a bound.
func (p *Plan) backward(node int32) bool {
	i := node >> 1
	c := &p.cells[i]
	switch {
	case c.group == nil:
		l := p.lateLeaf(i)
		if l == c.late {
			return false
		}
		c.late = l
	case node&1 == 1:
		r := p.rollUp(c)
		if r == c.group.roll {
			return false
		}
		c.group.roll = r
	default:
		l := p.lateSummary(i)
		if l == c.group.limits {
			return false
		}
		c.group.limits = l
	}
	return true
}

func (p *Plan) lateLeaf(i int32) late {
	c, t := &p.cells[i], &p.tasks[i]
	e := &c.early
	if c.state == finished {
		return late{ls: e.es, lf: e.ef, start: e.start, finish: e.finish, cause: noCause, from: e.start, to: e.finish}
	}
	if c.point {
		return p.lateMilestone(i, c, t)
	}
	length := e.ef - e.es
	b := bound{axis: c.axis, length: length, start: c.axis.count(p.end) - length, cause: noCause}
	b.free = b.start
	if c.parent >= 0 {
		g := p.cells[c.parent].group
		l := &g.limits
		b.finishBy(l.finish, l.freeFinish, 0, l.finishCause)
		if g.lead == i && c.state == unstarted {
			b.startBy(l.start, l.freeStart, 0, l.startCause)
		}
	}
	for k := range c.out {
		x := &c.out[k]
		if x.typ.fromStart() && c.state == started {
			continue
		}
		p.after(c, x, &b)
	}
	if t.Constraint.Type.bounds() {
		b.atMost(ceiling(c, t, length), 2*i)
	}
	deadline := int(never)
	if t.Deadline != 0 {
		deadline = c.axis.count(t.Deadline) - length
		b.atMost(deadline, 2*i+1)
	}
	l := late{ls: b.start, lf: b.start + length, cause: b.cause, free: b.free - e.es}
	if t.lags() && c.state == unstarted {
		l.shift = max(0, min(l.free, deadline-e.es))
	}
	l.start, l.finish = c.axis.startAt(l.ls), c.axis.finishAt(l.lf)
	l.from, l.to = e.start, e.finish
	if l.shift > 0 {
		l.from, l.to = c.axis.startAt(e.es+l.shift), c.axis.finishAt(e.ef+l.shift)
	}
	return l
}

// lags reports whether the task is to be as late as possible. One that levelling
// has placed stays there.
func (t *Task) lags() bool { return t.Constraint.Type == ALAP && t.LevelStart == 0 }

// bound gathers the latest start of a task with a duration.
type bound struct {
	axis        *Axis
	length      int
	start, free int
	cause       int32
}

func (b *bound) atMost(start int, cause int32) {
	if start < b.start || start == b.start && cause < b.cause {
		b.start, b.cause = start, cause
	}
}

// finishBy takes instants that the finish and a lag after it must not pass.
func (b *bound) finishBy(late, free Time, lag int, cause int32) {
	if late < never {
		b.atMost(b.axis.count(late)-lag-b.length, cause)
	}
	if free < never {
		b.free = min(b.free, b.axis.count(free)-lag-b.length)
	}
}

// startBy takes instants that the beginning of work and a lag must not pass.
func (b *bound) startBy(late, free Time, lag int, cause int32) {
	if late < never {
		b.atMost(b.axis.count(late+1)-1-lag, cause)
	}
	if free < never {
		b.free = min(b.free, b.axis.count(free+1)-1-lag)
	}
}

// after takes the bounds that a link sets its predecessor c.
func (p *Plan) after(c *cell, x *edge, b *bound) {
	s := &p.cells[x.task]
	if s.axis == c.axis && !x.elapsed && !s.point && s.group == nil {
		if s.state == finished || s.state == started && !x.typ.toFinish() {
			return
		}
		late, free := s.late.ls, s.early.es+s.late.shift
		if x.typ.toFinish() {
			late, free = s.late.lf, s.early.ef+s.late.shift
		}
		late, free = late-x.lag, free-x.lag
		if !x.typ.fromStart() {
			late, free = late-b.length, free-b.length
		}
		b.atMost(late, s.late.cause)
		b.free = min(b.free, free)
		return
	}
	late, free, cause := p.limitOf(x)
	lag := x.lag
	if x.elapsed {
		if late < never {
			late -= Time(lag)
		}
		if free < never {
			free -= Time(lag)
		}
		lag = 0
	}
	if x.typ.fromStart() {
		b.startBy(late, free, lag, cause)
	} else {
		b.finishBy(late, free, lag, cause)
	}
}

// limitOf returns the latest instant for a link to a successor, and the latest
// that does not move its scheduled dates.
func (p *Plan) limitOf(x *edge) (late, free Time, cause int32) {
	s := &p.cells[x.task]
	switch {
	case s.group != nil:
		r := &s.group.roll
		return r.gateLate, r.gateFree, r.gateCause
	case s.state == finished || s.state == started && !x.typ.toFinish():
		return never, never, noCause
	case s.point:
		return s.late.finish, s.late.to, s.late.cause
	case x.typ.toFinish():
		return s.axis.startAt(s.late.lf), s.axis.startAt(s.early.ef + s.late.shift), s.late.cause
	}
	return s.late.start, s.late.from, s.late.cause
}

// instant gathers the latest instant of a milestone, or of an end of a summary.
type instant struct {
	late, free Time
	cause      int32
}

func (b *instant) atMost(late, free Time, cause int32) {
	if late < b.late || late == b.late && cause < b.cause {
		b.late, b.cause = late, cause
	}
	b.free = min(b.free, free)
}

func (p *Plan) lateMilestone(i int32, c *cell, t *Task) late {
	b := instant{p.end, p.end, noCause}
	if c.parent >= 0 {
		g := p.cells[c.parent].group
		b.atMost(g.limits.finish, g.limits.freeFinish, g.limits.finishCause)
		if g.lead == i {
			b.atMost(g.limits.start, g.limits.freeStart, g.limits.startCause)
		}
	}
	for k := range c.out {
		x := &c.out[k]
		late, free, cause := p.limitOf(x)
		b.atMost(c.axis.before(late, x), c.axis.before(free, x), cause)
	}
	if t.Constraint.Type.bounds() {
		b.atMost(t.Constraint.At, never, 2*i)
	}
	deadline := never
	if t.Deadline != 0 {
		deadline = t.Deadline
		b.atMost(deadline, never, 2*i+1)
	}
	e := &c.early
	w := c.axis.down(b.late)
	x := c.axis.count(w)
	l := late{ls: x, lf: x, start: w, finish: w, cause: b.cause, free: c.axis.count(b.free) - e.es, from: e.start, to: e.start}
	if to := c.axis.down(min(b.free, deadline)); t.lags() && to > e.start {
		l.shift, l.from, l.to = c.axis.count(to)-e.es, to, to
	}
	return l
}

// before returns the latest instant of a milestone, or of a summary's finish,
// from which a link's lag does not pass t.
func (a *Axis) before(t Time, x *edge) Time {
	switch {
	case x.lag == 0 || t >= never:
		return t
	case x.elapsed:
		return t - Time(x.lag)
	case a.Works(t):
		return a.startAt(a.count(t) - x.lag)
	}
	return a.finishAt(a.count(t) - x.lag)
}

// beforeFinish and beforeStart are the same for a summary, whose ends move by
// working minutes of its calendar to an end and to a beginning of work.
func (a *Axis) beforeFinish(t Time, x *edge) Time {
	if x.lag == 0 || x.elapsed || t >= never {
		return a.before(t, x)
	}
	return a.startAt(a.count(t) - x.lag)
}

func (a *Axis) beforeStart(t Time, x *edge) Time {
	if x.lag == 0 || x.elapsed || t >= never {
		return a.before(t, x)
	}
	return a.startAt(a.count(t+1) - 1 - x.lag)
}

func (p *Plan) lateSummary(i int32) limits {
	c, t := &p.cells[i], &p.tasks[i]
	finish, start := instant{never, never, noCause}, instant{never, never, noCause}
	if c.parent >= 0 {
		g := p.cells[c.parent].group
		finish.atMost(g.limits.finish, g.limits.freeFinish, g.limits.finishCause)
		if g.lead == i {
			start.atMost(g.limits.start, g.limits.freeStart, g.limits.startCause)
		}
	}
	for k := range c.out {
		x := &c.out[k]
		late, free, cause := p.limitOf(x)
		if x.typ.fromStart() {
			start.atMost(c.axis.beforeStart(late, x), c.axis.beforeStart(free, x), cause)
		} else {
			finish.atMost(c.axis.beforeFinish(late, x), c.axis.beforeFinish(free, x), cause)
		}
	}
	if t.Constraint.Type == FinishNoLaterThan {
		finish.atMost(t.Constraint.At, never, 2*i)
	}
	if t.Deadline != 0 {
		finish.atMost(t.Deadline, never, 2*i+1)
	}
	return limits{
		finish: finish.late, start: start.late, finishCause: finish.cause, startCause: start.cause,
		freeFinish: finish.free, freeStart: start.free,
	}
}

// rollUp sums up the children of a summary.
func (p *Plan) rollUp(c *cell) roll {
	r := roll{
		gateLate: never, gateFree: never, gateCause: noCause, lateStart: never, lateFinish: always,
		start: never, finish: always, cause: noCause,
	}
	for _, child := range c.group.children {
		x := &p.cells[child]
		var s roll
		if x.group != nil {
			s = x.group.roll
		} else {
			s = x.roll(p.tasks[child].Work)
		}
		g := instant{r.gateLate, r.gateFree, r.gateCause}
		g.atMost(s.gateLate, s.gateFree, s.gateCause)
		r.gateLate, r.gateFree, r.gateCause = g.late, g.free, g.cause
		r.lateStart, r.lateFinish = min(r.lateStart, s.lateStart), max(r.lateFinish, s.lateFinish)
		r.start, r.finish = min(r.start, s.start), max(r.finish, s.finish)
		r.work += s.work
		if s.open && (!r.open || s.free < r.free) {
			r.free = s.free
		}
		if s.open && (!r.open || s.float < r.float || s.float == r.float && s.cause < r.cause) {
			r.open, r.float, r.cause = true, s.float, s.cause
		}
	}
	return r
}

// roll is what a leaf adds to its summary.
func (c *cell) roll(work int64) roll {
	l := &c.late
	r := roll{
		gateLate: never, gateFree: never, gateCause: noCause, lateStart: l.start, lateFinish: l.finish,
		start: l.from, finish: l.to, open: c.state != finished, float: l.lf - c.early.ef, free: l.free - l.shift, cause: l.cause, work: work,
	}
	if c.state == unstarted {
		r.gateLate, r.gateFree, r.gateCause = l.start, l.from, l.cause
	}
	return r
}
