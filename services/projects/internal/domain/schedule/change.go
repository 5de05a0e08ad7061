package schedule

import "slices"

// Update replaces a task, found by its ID. A change of its parent compiles the
// whole plan again; everything else computes only what depends on the change.
// After an error the plan is as before.
func (p *Plan) Update(t Task) error {
	i, known := p.index[t.ID]
	if !known {
		return &UnknownError{Task: t.ID, Reference: t.ID}
	}
	old := p.tasks[i]
	if t.Parent != old.Parent {
		tasks := p.given()
		tasks[slices.IndexFunc(tasks, func(x Task) bool { return x.ID == t.ID })] = t
		return p.renew(tasks)
	}
	t.Links = slices.Clone(t.Links)
	if err := p.replace(i, t); err != nil {
		return err
	}
	if err := p.propagate(); err != nil {
		p.restore(i, old)
		return err
	}
	return nil
}

// restore puts back a task that had been right.
func (p *Plan) restore(i int32, old Task) {
	err := p.replace(i, old)
	if err == nil {
		err = p.propagate()
	}
	if err != nil {
		panic("schedule: a plan that was right is no longer: " + err.Error())
	}
}

// replace takes over a task with its links and marks what to compute again.
func (p *Plan) replace(i int32, t Task) error {
	old := p.tasks[i]
	p.tasks[i] = t
	undo := func(err error) error {
		p.tasks[i] = old
		if wrong := p.read(i); wrong != nil {
			panic("schedule: a task that was right is no longer: " + wrong.Error())
		}
		return err
	}
	if err := p.read(i); err != nil {
		return undo(err)
	}
	if !slices.Equal(old.Links, t.Links) {
		edges, err := p.edges(i, nil)
		if err != nil {
			return undo(err)
		}
		if err := p.relink(i, edges); err != nil {
			return undo(err)
		}
	}
	p.mark(i)
	return nil
}

// mark lets a task and what looks at it be computed again.
func (p *Plan) mark(i int32) {
	c := &p.cells[i]
	for _, node := range []int32{main(i), p.entry(i)} {
		p.forwards.set(p.place[node])
		p.backwards.set(p.place[node])
	}
	p.markPredecessors(c)
	for k := range c.out { // a calendar or the kind of task decides how lags run
		p.forwards.set(p.place[p.entry(c.out[k].task)])
	}
	if c.parent >= 0 {
		p.backwards.set(p.place[gate(c.parent)])
	}
}

// relink gives a task other edges in; a cycle leaves those it had.
func (p *Plan) relink(i int32, edges []edge) error {
	c := &p.cells[i]
	old := c.in
	same := func(e edge) func(edge) bool {
		return func(x edge) bool { return x.task == e.task && x.typ == e.typ }
	}
	var put []edge // added so far
	c.in = slices.Clone(edges)
	for _, e := range edges {
		out := &p.cells[e.task].out
		mirror := e
		mirror.task = i
		if slices.ContainsFunc(old, same(e)) {
			(*out)[slices.IndexFunc(*out, same(mirror))] = mirror
			continue
		}
		*out = append(*out, mirror)
		put = append(put, e)
	}
	// The edges that go are still in the successors' lists while the new ones are
	// tried: take them out first, or a link that turns round would be a cycle.
	for _, e := range old {
		if !slices.ContainsFunc(edges, same(e)) {
			p.unmirror(e, i)
			p.backwards.set(p.place[main(e.task)])
		}
	}
	for _, e := range put {
		if err := p.connect(main(e.task), p.entry(i)); err != nil {
			p.unlink(i, old, edges)
			return err
		}
	}
	return nil
}

// unlink goes back from new edges to old ones. The order has room for the old
// ones only where nothing has moved, so they are connected again; they cannot
// make a cycle.
func (p *Plan) unlink(i int32, old, edges []edge) {
	for _, e := range edges {
		p.unmirror(e, i)
	}
	c := &p.cells[i]
	c.in = old
	for _, e := range old {
		mirror := e
		mirror.task = i
		p.cells[e.task].out = append(p.cells[e.task].out, mirror)
	}
	for _, e := range old {
		if err := p.connect(main(e.task), p.entry(i)); err != nil {
			panic("schedule: a plan without a cycle has got one: " + err.Error())
		}
	}
}

// unmirror takes an edge into task i out of its predecessor's list.
func (p *Plan) unmirror(e edge, i int32) {
	from := &p.cells[e.task]
	from.out = slices.DeleteFunc(from.out, func(x edge) bool { return x.task == i && x.typ == e.typ })
}

// AddLink adds a link to a task.
func (p *Plan) AddLink(task string, l Link) error {
	i, known := p.index[task]
	if !known {
		return &UnknownError{Task: task, Reference: task}
	}
	t := p.tasks[i]
	t.Links = append(slices.Clip(t.Links), l)
	return p.Update(t)
}

// RemoveLink removes the link of a type between two tasks.
func (p *Plan) RemoveLink(task, predecessor string, typ LinkType) error {
	i, known := p.index[task]
	if !known {
		return &UnknownError{Task: task, Reference: task}
	}
	t := p.tasks[i]
	k := slices.IndexFunc(t.Links, func(l Link) bool { return l.Predecessor == predecessor && l.Type == typ })
	if k < 0 {
		return &LinkError{Task: task, Predecessor: predecessor, Reason: "there is none of type " + typ.String()}
	}
	t.Links = slices.Delete(slices.Clone(t.Links), k, k+1)
	return p.Update(t)
}

// Add adds a task. The first subtask of a task makes that a summary and compiles
// the whole plan again. After an error the plan is as before.
func (p *Plan) Add(t Task) error {
	if _, known := p.index[t.ID]; known {
		return &DuplicateError{ID: t.ID}
	}
	parent := int32(-1)
	if t.Parent != "" {
		var known bool
		if parent, known = p.index[t.Parent]; !known {
			return &UnknownError{Task: t.ID, Reference: t.Parent}
		}
		if p.cells[parent].group == nil {
			return p.renew(append(p.given(), t))
		}
	}
	links := slices.Clone(t.Links)
	t.Links = nil
	i := int32(len(p.cells))
	p.tasks = append(p.tasks, t)
	p.cells = append(p.cells, cell{parent: parent, live: true})
	p.index[t.ID] = i
	p.living++
	p.place = append(p.place, int32(len(p.order)), -1)
	p.met = append(p.met, 0, 0)
	p.order = append(p.order, main(i))
	for len(p.forwards)*64 < len(p.order) {
		p.forwards, p.backwards = append(p.forwards, 0), append(p.backwards, 0)
	}
	if parent >= 0 {
		g := p.cells[parent].group
		g.children = append(g.children, i)
	}
	if err := p.read(i); err != nil {
		p.drop(i)
		return err
	}
	if parent >= 0 {
		if err := p.connect(main(i), main(parent)); err != nil {
			panic("schedule: a task without links is in a cycle: " + err.Error())
		}
	}
	t.Links = links
	err := p.replace(i, t)
	if err == nil {
		if err = p.propagate(); err == nil {
			return nil
		}
	}
	p.drop(i)
	if wrong := p.propagate(); wrong != nil {
		panic("schedule: a plan that was right is no longer: " + wrong.Error())
	}
	return err
}

// Remove removes a task that no other refers to, as a predecessor or as a
// parent. The last subtask of a task makes that a leaf and compiles the whole
// plan again. After an error the plan is as before.
func (p *Plan) Remove(id string) error {
	i, known := p.index[id]
	if !known {
		return &UnknownError{Task: id, Reference: id}
	}
	c := &p.cells[i]
	switch {
	case c.group != nil:
		return &UnknownError{Task: p.tasks[c.group.children[0]].ID, Reference: id}
	case len(c.out) > 0:
		return &UnknownError{Task: p.tasks[c.out[0].task].ID, Reference: id}
	case c.parent >= 0 && len(p.cells[c.parent].group.children) == 1, p.holes > 1_000 && p.holes > len(p.order)/2:
		return p.renew(slices.DeleteFunc(p.given(), func(t Task) bool { return t.ID == id }))
	}
	p.drop(i)
	return p.propagate() // less cannot reach further
}

// drop takes a leaf without successors out of the network.
func (p *Plan) drop(i int32) {
	c := &p.cells[i]
	p.markPredecessors(c)
	for _, e := range c.in {
		p.unmirror(e, i)
	}
	if c.parent >= 0 {
		g := p.cells[c.parent].group
		g.children = slices.DeleteFunc(g.children, func(x int32) bool { return x == i })
		if g.lead == i {
			g.lead = -1
		}
		p.forwards.set(p.place[main(c.parent)])
		p.backwards.set(p.place[gate(c.parent)])
	}
	delete(p.index, p.tasks[i].ID)
	p.order[p.place[main(i)]] = -1
	p.place[main(i)] = -1
	p.holes++
	p.living--
	p.tasks[i], p.cells[i] = Task{}, cell{parent: -1}
}

// given returns the tasks as they were given, with the changes since.
func (p *Plan) given() []Task {
	out := make([]Task, 0, p.living)
	for i := range p.tasks {
		if p.cells[i].live {
			out = append(out, p.tasks[i])
		}
	}
	return out
}

// renew compiles the plan again with other tasks.
func (p *Plan) renew(tasks []Task) error {
	q, err := New(p.settings, tasks)
	if err != nil {
		return err
	}
	*p = *q
	return nil
}
