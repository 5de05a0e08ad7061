package domain

import (
	"cmp"
	"maps"
	"slices"

	"github.com/trama-suite/trama/services/impact/internal/domain/exact"
	"github.com/trama-suite/trama/services/impact/internal/domain/rollup"
	"github.com/trama-suite/trama/services/impact/internal/domain/territory"
)

// Organisation is what the catalogue tells of an organisation.
type Organisation struct {
	Name, Title, Parent string
	Published           bool
	Place               territory.Place
}

// Project is what the projects service tells of a project.
type Project struct {
	Name, Organisation, Title string // the organisation that leads it
	// Partners are the organisations that take part in it, or have, the lead among
	// them; empty where nothing is known of the project yet.
	Partners []string
}

// Has reports whether what an organisation measures may count in the project: an
// organisation names any project it likes, and only a partner's word counts.
func (p Project) Has(organisation string) bool {
	return len(p.Partners) == 0 || slices.Contains(p.Partners, organisation)
}

// Axis is along what a figure is broken down, named as in the proto enum.
type Axis string

// The axes.
const (
	Whole          Axis = ""
	ByProject      Axis = "PROJECT"
	ByOrganisation Axis = "ORGANISATION"
	ByMunicipality Axis = "MUNICIPALITY"
	ByNUTS3        Axis = "NUTS3"
	ByNUTS2        Axis = "NUTS2"
	ByNUTS1        Axis = "NUTS1"
	ByCountry      Axis = "COUNTRY"
	ByRegion       Axis = "REGION"
)

// of returns the node of a place on a territorial axis, and false for another axis.
func (a Axis) of(p territory.Place) (string, bool) {
	switch a {
	case ByMunicipality:
		return p.Municipality, true
	case ByNUTS3:
		return p.NUTS3, true
	case ByNUTS2:
		return p.NUTS2, true
	case ByNUTS1:
		return p.NUTS1, true
	case ByCountry:
		return p.Country, true
	case ByRegion:
		return p.Region, true
	}
	return "", false
}

// Territorial reports whether the axis is one of places.
func (a Axis) Territorial() bool {
	_, ok := a.of(territory.Place{})
	return ok
}

// Row is what one organisation contributes in one project and place.
type Row struct {
	Organisation, Project string
	Place                 string // a territory key; empty: where the organisation is
	State                 rollup.State
}

// Viewer is who looks at figures.
type Viewer struct {
	// All is true for operators, auditors and services.
	All bool
	// Organisations are the viewer's own, whose detail they see.
	Organisations []string
	// Threshold is how many other organisations must stand behind a figure
	// before the viewer sees it.
	Threshold int
}

// Context is what a report needs to know beside the rows.
type Context struct {
	Organisations map[string]Organisation
	Projects      map[string]Project
	// Expected counts the organisations that could report: in total, and at
	// each node of a territorial axis.
	Expected      int
	ExpectedNodes map[string]int
	Viewer        Viewer
}

// Question is what is asked of the rows.
type Question struct {
	Axis Axis
	// Territory keeps the report to a place; empty for everywhere.
	Territory string
	// Organisation and Project tell that the rows were narrowed already.
	Organisation, Project string
}

// Part is a figure at one node.
type Part struct {
	Node, Title  string
	Others       bool // all organisations but the viewer's own
	Withheld     bool
	Figure       rollup.Figure
	Progress     *exact.Number
	Reporting    int // organisations
	Expected     int
	Projects     int
	contributors set
	foreign      set // those of the contributors whose rows are not the viewer's to see
	projects     set
	states       []rollup.State
	state        rollup.State
}

type set map[string]bool

func newPart(node string) *Part {
	return &Part{Node: node, contributors: set{}, foreign: set{}, projects: set{}}
}

// Report is what an indicator's rows come to.
type Report struct {
	Indicator Indicator
	Total     Part
	Parts     []Part
}

// Build merges an indicator's rows along an axis, as the viewer may see it.
func Build(i Indicator, rows []Row, q Question, c Context) (Report, error) {
	b := builder{indicator: i, question: q, context: c, parts: map[string]*Part{}, places: map[string]territory.Place{}}
	for _, r := range rows {
		b.add(r)
	}
	return b.report()
}

type builder struct {
	indicator Indicator
	question  Question
	context   Context
	parts     map[string]*Part
	places    map[string]territory.Place
}

// others is the key of the part of all organisations but the viewer's.
const others = "\x00others"

// own reports whether the row is the viewer's to see in full: their
// organisation's, or of a project that it leads.
func (b *builder) own(r Row) bool {
	v := b.context.Viewer
	return v.All || slices.Contains(v.Organisations, r.Organisation) ||
		r.Project != "" && slices.Contains(v.Organisations, b.context.Projects[r.Project].Organisation)
}

// place returns where a row counts.
func (b *builder) place(r Row) territory.Place {
	if r.Place == "" {
		return b.context.Organisations[r.Organisation].Place
	}
	p, known := b.places[r.Place]
	if !known {
		p = territory.ParseKey(r.Place)
		b.places[r.Place] = p
	}
	return p
}

func (b *builder) add(r Row) {
	q := b.question
	if !b.context.Projects[r.Project].Has(r.Organisation) {
		if q.Project != "" {
			return
		}
		r.Project = ""
	}
	own := b.own(r)
	node := ""
	if q.Axis.Territorial() || q.Territory != "" {
		p := b.place(r)
		if q.Territory != "" && !p.Within(q.Territory) {
			return
		}
		node, _ = q.Axis.of(p)
	}
	switch {
	case (q.Axis == ByOrganisation || q.Axis == ByProject) && !own:
		node = others
	case q.Axis == ByOrganisation:
		node = r.Organisation
	case q.Axis == ByProject:
		node = r.Project
	}
	part := b.parts[node]
	if part == nil {
		part = newPart(node)
		if node == others {
			part.Node, part.Others = "", true
		}
		b.parts[node] = part
	}
	part.contributors[r.Organisation] = true
	if !own {
		part.foreign[r.Organisation] = true
	}
	if r.Project != "" {
		part.projects[r.Project] = true
	}
	part.states = append(part.states, r.State)
}

func (b *builder) report() (Report, error) {
	measure := b.indicator.Measure()
	total := newPart("")
	out := Report{Indicator: b.indicator, Parts: make([]Part, 0, len(b.parts))}
	for _, p := range b.parts {
		var err error
		if p.state, err = rollup.Fold(measure, p.states); err != nil {
			return Report{}, err
		}
		maps.Copy(total.contributors, p.contributors)
		maps.Copy(total.foreign, p.foreign)
		maps.Copy(total.projects, p.projects)
		out.Parts = append(out.Parts, *p)
	}
	slices.SortFunc(out.Parts, func(x, y Part) int {
		if x.Others != y.Others { // the others come last
			if x.Others {
				return 1
			}
			return -1
		}
		return cmp.Compare(x.Node, y.Node)
	})
	// The whole is the roll-up of the parts' roll-ups.
	for _, p := range out.Parts {
		total.states = append(total.states, p.state)
	}
	var err error
	if total.state, err = rollup.Fold(measure, total.states); err != nil {
		return Report{}, err
	}
	if b.question.Axis == Whole {
		out.Parts = nil
	}
	withhold(out.Parts, total, b.context.Viewer)
	b.finish(total, true)
	for n := range out.Parts {
		b.finish(&out.Parts[n], false)
	}
	out.Total = *total
	return out, nil
}

// withhold marks the figures that the viewer may not see: those with fewer
// organisations behind them, other than the viewer's own, than the threshold
// (the minimum frequency rule: Hundepool et al., Statistical Disclosure Control,
// 2012, ch. 4), and as many more as it takes that nothing can be found by taking
// the parts that are shown from the whole. Differences between two questions are
// not looked at here.
func withhold(parts []Part, total *Part, v Viewer) {
	if v.All {
		return
	}
	few := func(s set) bool { return len(s) > 0 && len(s) < v.Threshold }
	hidden := set{}
	for n := range parts {
		if few(parts[n].foreign) {
			parts[n].Withheld = true
			maps.Copy(hidden, parts[n].foreign)
		}
	}
	total.Withheld = few(total.foreign)
	for few(hidden) && !total.Withheld {
		next := -1
		for n, p := range parts {
			if !p.Withheld && len(p.foreign) > 0 && (next < 0 || len(p.foreign) < len(parts[next].foreign)) {
				next = n
			}
		}
		if next < 0 {
			total.Withheld = true
			return
		}
		parts[next].Withheld = true
		maps.Copy(hidden, parts[next].foreign)
	}
}

// finish makes a part's figure of its state.
func (b *builder) finish(p *Part, whole bool) {
	q := b.question
	if !whole && !p.Others {
		switch {
		case p.Node == "":
		case q.Axis == ByOrganisation:
			p.Title = b.context.Organisations[p.Node].Title
		case q.Axis == ByProject:
			p.Title = b.context.Projects[p.Node].Title
		default:
			p.Title = territory.Title(p.Node)
		}
	}
	if p.Withheld {
		return
	}
	p.Figure = p.state.Figure()
	p.Reporting, p.Projects = len(p.contributors), len(p.projects)
	p.Expected = b.expected(p, whole)
	target := whole && q.Territory == "" && q.Project == "" && (q.Organisation == "" || q.Organisation == b.indicator.Organisation)
	if target || b.indicator.Method.Intensive() {
		p.Progress = b.indicator.Progress(p.Figure.Value)
	}
}

// expected returns how many organisations could have reported at a part.
func (b *builder) expected(p *Part, whole bool) int {
	q := b.question
	everywhere := q.Organisation == "" && q.Project == "" && (whole || q.Axis.Territorial())
	if !b.indicator.Network() || !everywhere {
		return max(1, p.Reporting)
	}
	out := b.context.Expected
	if !whole {
		out = b.context.ExpectedNodes[p.Node]
	}
	for name := range p.contributors { // whoever reported and was not counted
		o := b.context.Organisations[name]
		node, _ := q.Axis.of(o.Place)
		counted := o.Published && (q.Territory == "" || o.Place.Within(q.Territory)) && (whole || node == p.Node)
		if !counted {
			out++
		}
	}
	return out
}
