package mspdi

import "slices"

// settle checks what only the whole document tells: that UIDs are unique, that
// references lead somewhere, and who is below whom.
func (r *reader) settle() error {
	defer func() { sortDropped(r.drops.list) }()
	p := r.plan
	if p.MinutesPerDay < 1 || p.MinutesPerDay > 24*60 {
		return at(1, "Project/MinutesPerDay", "%d is not from 1 to 1,440", p.MinutesPerDay)
	}
	if err := r.settleCalendars(); err != nil {
		return err
	}
	if err := r.settleTasks(); err != nil {
		return err
	}
	return r.settleResources()
}

func (r *reader) settleCalendars() error {
	p := r.plan
	byUID := map[int64]*Calendar{}
	for i := range p.Calendars {
		c := &p.Calendars[i]
		if byUID[c.UID] != nil {
			return at(c.line, "Project/Calendars/Calendar", "UID %d stands twice", c.UID)
		}
		byUID[c.UID] = c
	}
	for _, c := range p.Calendars {
		steps := 0
		for up := &c; up.Base != NoCalendar; steps++ {
			next := byUID[up.Base]
			if next == nil {
				return at(c.line, "Project/Calendars/Calendar", "UID %d: the base calendar %d is not in the document", c.UID, up.Base)
			}
			if steps > len(p.Calendars) {
				return at(c.line, "Project/Calendars/Calendar", "UID %d: the base calendars go round in a circle", c.UID)
			}
			up = next
		}
	}
	// A calendar that is named and absent is the program's standard one.
	missing := func(uid *int64, path string, line int, of int64) {
		if *uid >= 0 && byUID[*uid] == nil {
			r.drops.add(path, "the calendar is not in the document", line, of)
			*uid = NoCalendar
		}
		if *uid < 0 {
			*uid = NoCalendar
		}
	}
	missing(&p.CalendarUID, "Project/CalendarUID", 1, 0)
	for i := range p.Tasks {
		t := &p.Tasks[i]
		missing(&t.CalendarUID, "Project/Tasks/Task/CalendarUID", t.Line, t.UID)
	}
	for i := range p.Resources {
		x := &p.Resources[i]
		if x.CalendarUID >= 0 && byUID[x.CalendarUID] == nil {
			x.CalendarUID = NoCalendar // written even where the calendar is not
		}
		x.CalendarUID = max(x.CalendarUID, NoCalendar)
	}
	return nil
}

func (r *reader) settleTasks() error {
	p := r.plan
	const path = "Project/Tasks/Task"
	index := make(map[int64]int, len(p.Tasks))
	for i := range p.Tasks {
		t := &p.Tasks[i]
		if j, twice := index[t.UID]; twice {
			return at(t.Line, path, "UID %d stands twice, first at line %d", t.UID, p.Tasks[j].Line)
		}
		if _, twice := r.gone[t.UID]; twice {
			return at(t.Line, path, "UID %d stands twice", t.UID)
		}
		index[t.UID] = i
	}
	r.outline()
	for i := range p.Tasks {
		t := &p.Tasks[i]
		if t.Constraint > AsLateAsPossible && t.ConstraintDate.IsZero() {
			return at(t.Line, path, "UID %d: the constraint has no date", t.UID)
		}
		kept := t.Links[:0]
		for _, l := range t.Links {
			_, known := index[l.Predecessor]
			why := r.gone[l.Predecessor]
			switch {
			case l.Predecessor == t.UID:
				return at(l.line, path+"/PredecessorLink", "UID %d is linked to itself", t.UID)
			case !known && why != "":
				r.drops.add(path+"/PredecessorLink", "of the predecessor: "+why, l.line, t.UID)
			case !known:
				return at(l.line, path+"/PredecessorLink", "UID %d: the predecessor %d is not in the document", t.UID, l.Predecessor)
			case slices.ContainsFunc(kept, func(k Link) bool { return k.Predecessor == l.Predecessor && k.Type == l.Type }):
				r.drops.add(path+"/PredecessorLink", "the same two tasks are linked in the same way already", l.line, t.UID)
			default:
				kept = append(kept, l)
			}
		}
		t.Links = kept
		if t.LevelingDelay != 0 {
			r.drops.add(path+"/LevelingDelay", "delays of levelling are computed here, or become a constraint", t.Line, t.UID)
		}
	}
	for _, c := range r.values {
		alias := r.fields[c.field]
		switch {
		case c.resource && c.at < len(p.Resources):
			r.resolve(&p.Resources[c.at].Attributes, alias, "Project/Resources/Resource", p.Resources[c.at].UID, c)
		case !c.resource && c.at < len(p.Tasks):
			r.resolve(&p.Tasks[c.at].Attributes, alias, path, p.Tasks[c.at].UID, c)
		}
	}
	return nil
}

func (r *reader) resolve(into *map[string]string, alias, path string, uid int64, c custom) {
	if alias == "" {
		r.drops.add(path+"/ExtendedAttribute", whyCustom, c.line, uid)
		return
	}
	if *into == nil {
		*into = map[string]string{}
	}
	(*into)[alias] = c.text
}

// outline finds each task's summary from the levels; a level that is jumped over
// counts as one.
func (r *reader) outline() {
	p := r.plan
	var above []*Task
	for i := range p.Tasks {
		t := &p.Tasks[i]
		for len(above) > 0 && above[len(above)-1].level >= t.level {
			above = above[:len(above)-1]
		}
		t.Summary = false // what has subtasks is one, whatever the file says
		if len(above) > 0 {
			t.Parent = above[len(above)-1].UID
			above[len(above)-1].Summary = true
		}
		above = append(above, t)
	}
}

func (r *reader) settleResources() error {
	p := r.plan
	tasks, resources := map[int64]bool{}, map[int64]ResourceType{}
	for _, t := range p.Tasks {
		tasks[t.UID] = true
	}
	for _, x := range p.Resources {
		if _, twice := resources[x.UID]; twice {
			return at(x.line, "Project/Resources/Resource", "UID %d stands twice", x.UID)
		}
		resources[x.UID] = x.Type
		if x.Type != WorkResource {
			r.drops.add("Project/Resources/Resource", "materials and costs are not resources of a plan", x.line, x.UID)
		}
	}
	const path = "Project/Assignments/Assignment"
	kept := p.Assignments[:0]
	type pair struct{ task, resource int64 }
	seen := map[pair]bool{}
	for _, a := range p.Assignments {
		kind, known := resources[a.Resource]
		why, gone := r.gone[a.Task]
		switch {
		case gone:
			if why != rootTask {
				r.drops.add(path, "of the task: "+why, a.line, a.Task)
			}
		case !tasks[a.Task]:
			return at(a.line, path, "the task %d is not in the document", a.Task)
		case !known && a.Resource == 0:
		case !known:
			return at(a.line, path, "the resource %d is not in the document", a.Resource)
		case kind != WorkResource:
			r.drops.add(path, "materials and costs are not resources of a plan", a.line, a.Task)
		case seen[pair{a.Task, a.Resource}]:
			r.drops.add(path, "the resource is assigned to the task already", a.line, a.Task)
		default:
			seen[pair{a.Task, a.Resource}] = true
			kept = append(kept, a)
		}
	}
	p.Assignments = kept
	p.Resources = slices.DeleteFunc(p.Resources, func(x Resource) bool { return x.Type != WorkResource })
	return nil
}
