package domain

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
)

// NodeType is the kind of a theory's node, named as in the proto enum.
type NodeType string

// The kinds of nodes.
const (
	Input       NodeType = "INPUT"
	Activity    NodeType = "ACTIVITY"
	Output      NodeType = "OUTPUT"
	Outcome     NodeType = "OUTCOME"
	Impact      NodeType = "IMPACT"
	Assumed     NodeType = "ASSUMPTION"
	Risk        NodeType = "RISK"
	Stakeholder NodeType = "STAKEHOLDER"
)

// rank is a node's place along the chain, from 1; 0 for what is not of it.
func (t NodeType) rank() int {
	return 1 + slices.Index([]NodeType{Input, Activity, Output, Outcome, Impact}, t)
}

// LinkType is what a link says, named as in the proto enum.
type LinkType string

// The kinds of links.
const (
	LeadsTo     LinkType = "LEADS_TO"
	Underpins   LinkType = "UNDERPINS"
	Threatens   LinkType = "THREATENS"
	TakesPartIn LinkType = "TAKES_PART_IN"
	Benefits    LinkType = "BENEFITS"
)

// joins reports whether a link of this type may go from one kind to another.
func (t LinkType) joins(from, to NodeType) bool {
	switch t {
	case LeadsTo:
		return from.rank() > 0 && to.rank() >= from.rank()
	case Underpins:
		return from == Assumed && to.rank() > 0
	case Threatens:
		return from == Risk && (to.rank() > 0 || to == Assumed)
	case TakesPartIn:
		return from == Stakeholder && (to == Input || to == Activity)
	case Benefits:
		return from.rank() >= Output.rank() && to == Stakeholder
	}
	return false
}

// Verdict is what is known of an assumption, named as in the proto enum.
type Verdict string

// The verdicts.
const (
	Untested  Verdict = "UNTESTED"
	Supported Verdict = "SUPPORTED"
	Refuted   Verdict = "REFUTED"
)

// Node is one element of a theory of change.
type Node struct {
	Key         string   `json:"key"`
	Type        NodeType `json:"type"`
	Title       Text     `json:"title"`
	Description Text     `json:"description,omitzero"`
}

// Evidence is something observed that speaks for or against an assumption.
type Evidence struct {
	Finding Text    `json:"finding"`
	Verdict Verdict `json:"verdict"`
	Source  string  `json:"source,omitempty"`
	Date    Day     `json:"date"`
}

// Assumption is what must hold for a link to hold.
type Assumption struct {
	Key       string     `json:"key"`
	Statement Text       `json:"statement"`
	State     Verdict    `json:"state"`
	Evidence  []Evidence `json:"evidence,omitempty"`
}

// Link joins two nodes, from cause to effect.
type Link struct {
	From        string       `json:"from"`
	To          string       `json:"to"`
	Type        LinkType     `json:"type"`
	Assumptions []Assumption `json:"assumptions,omitempty"`
}

// Graph is what a theory says.
type Graph struct {
	Nodes []Node `json:"nodes"`
	Links []Link `json:"links,omitempty"`
}

// Theory is a theory of change: its working copy.
type Theory struct {
	Name         string `json:"-"`
	Organisation string `json:"-"` // empty: the network's
	Project      string `json:"-"`
	Title        Text   `json:"title"`
	Graph
	Published  int32     `json:"-"` // number of the last version
	Version    int64     `json:"-"` // of the row
	CreateTime time.Time `json:"-"`
	UpdateTime time.Time `json:"-"`
}

// TheoryVersion is a theory as published.
type TheoryVersion struct {
	Theory      string    `json:"-"`
	Number      int32     `json:"-"`
	Title       Text      `json:"title"`
	PublishTime time.Time `json:"-"`
	Graph
}

// Check checks the theory's graph: keys, links, assumptions, and that there is
// no cycle.
func (t Theory) Check() error {
	if err := title("title", t.Title, maxTitle); err != nil {
		return err
	}
	return t.check()
}

func (g Graph) check() error {
	kinds := make(map[string]NodeType, len(g.Nodes))
	for i, n := range g.Nodes {
		if _, twice := kinds[n.Key]; twice {
			return errs.InvalidField(NodeKeyInvalid, at("nodes", i)+".key", "%q is the key of another node too", n.Key)
		}
		if err := title(at("nodes", i)+".title", n.Title, maxNodeTitle); err != nil {
			return err
		}
		kinds[n.Key] = n.Type
	}
	type ends struct {
		from, to string
		kind     LinkType
	}
	seen := make(map[ends]bool, len(g.Links))
	for i, l := range g.Links {
		path := at("links", i)
		from, ok := kinds[l.From]
		if !ok {
			return errs.InvalidField(NodeKeyInvalid, path+".from", "no node has the key %q", l.From)
		}
		to, ok := kinds[l.To]
		if !ok {
			return errs.InvalidField(NodeKeyInvalid, path+".to", "no node has the key %q", l.To)
		}
		if !l.Type.joins(from, to) {
			return errs.InvalidField(LinkNotAllowed, path+".type", "%s does not go from %s (%s) to %s (%s)", l.Type, l.From, from, l.To, to)
		}
		if seen[ends{l.From, l.To, l.Type}] {
			return errs.InvalidField(LinkDuplicate, path, "%s already leads from %s to %s", l.Type, l.From, l.To)
		}
		seen[ends{l.From, l.To, l.Type}] = true
		if err := checkAssumptions(path, l.Assumptions); err != nil {
			return err
		}
	}
	if cycle := g.cycle(); cycle != nil {
		text := strings.Join(cycle, " → ")
		return errs.InvalidField(TheoryCycle, "links", "they lead in a circle: %s", text).With("cycle", text)
	}
	return nil
}

func checkAssumptions(path string, all []Assumption) error {
	keys := map[string]bool{}
	for i, a := range all {
		here := path + "." + at("assumptions", i)
		if keys[a.Key] {
			return errs.InvalidField(NodeKeyInvalid, here+".key", "%q is the key of another assumption of the link too", a.Key)
		}
		keys[a.Key] = true
		if err := title(here+".statement", a.Statement, 2000); err != nil {
			return err
		}
		if a.State != Untested && !slices.ContainsFunc(a.Evidence, func(e Evidence) bool { return e.Verdict == a.State }) {
			return errs.InvalidField(EvidenceMissing, here+".state", "%s needs a piece of evidence that finds so", a.State)
		}
	}
	return nil
}

// cycle returns the keys of a cycle, first and last the same, or nil.
func (g Graph) cycle() []string {
	next := make(map[string][]string, len(g.Nodes))
	for _, l := range g.Links {
		next[l.From] = append(next[l.From], l.To)
	}
	const (
		open = 1 // on the path being followed
		done = 2
	)
	state := make(map[string]int, len(g.Nodes))
	var path []string
	var visit func(key string) []string
	visit = func(key string) []string {
		state[key] = open
		path = append(path, key)
		for _, to := range next[key] {
			switch state[to] {
			case open:
				return append(slices.Clone(path[slices.Index(path, to):]), to)
			case done:
				continue
			}
			if found := visit(to); found != nil {
				return found
			}
		}
		state[key] = done
		path = path[:len(path)-1]
		return nil
	}
	for _, n := range g.Nodes {
		if state[n.Key] == 0 {
			if found := visit(n.Key); found != nil {
				return found
			}
		}
	}
	return nil
}

// NewTheory returns a new theory, checked.
func NewTheory(t Theory, now time.Time) (Theory, error) {
	if err := t.Check(); err != nil {
		return Theory{}, err
	}
	t.Published, t.Version, t.CreateTime, t.UpdateTime = 0, 1, now, now
	return t, nil
}

// Update returns the theory with a changed title, project and graph. measured
// holds the keys of the nodes that indicators measure: they cannot go.
func (t Theory) Update(change Theory, measured []string, now time.Time) (Theory, error) {
	if err := change.Check(); err != nil {
		return Theory{}, err
	}
	for _, key := range measured {
		if !change.HasNode(key) {
			return Theory{}, errs.New(errs.FailedPrecondition, NodeInUse, "node %s cannot be removed: an indicator measures it", key).With("node", key)
		}
	}
	t.Title, t.Project, t.Graph = change.Title, change.Project, change.Graph
	t.Version, t.UpdateTime = t.Version+1, now
	return t, nil
}

// HasNode reports whether the theory has a node with that key.
func (t Theory) HasNode(key string) bool {
	return slices.ContainsFunc(t.Nodes, func(n Node) bool { return n.Key == key })
}

// AddEvidence returns the theory with a piece of evidence more on an
// assumption, whose state becomes what the evidence finds, unless it settles
// nothing.
func (t Theory) AddEvidence(from, to, assumption string, e Evidence, now time.Time) (Theory, error) {
	links := slices.Clone(t.Links)
	for i, l := range links {
		if l.From != from || l.To != to {
			continue
		}
		j := slices.IndexFunc(l.Assumptions, func(a Assumption) bool { return a.Key == assumption })
		if j < 0 {
			continue
		}
		a := l.Assumptions[j]
		if len(a.Evidence) >= maxEvidence {
			return Theory{}, errs.New(errs.FailedPrecondition, EvidenceMissing, "assumption %s has %d pieces of evidence already, as many as it can hold", assumption, maxEvidence)
		}
		a.Evidence = append(slices.Clone(a.Evidence), e)
		if e.Verdict != Untested {
			a.State = e.Verdict
		}
		links[i].Assumptions = slices.Clone(l.Assumptions)
		links[i].Assumptions[j] = a
		t.Links = links
		t.Version, t.UpdateTime = t.Version+1, now
		return t, nil
	}
	return Theory{}, errs.New(errs.NotFound, AssumptionNotFound, "no link from %s to %s has an assumption %s", from, to, assumption)
}

// Publish freezes the working copy as the next version. last is the version
// before, if there is one: publishing the same again is refused.
func (t Theory) Publish(last *TheoryVersion, now time.Time) (Theory, TheoryVersion, error) {
	if last != nil && equalTheory(t, *last) {
		return Theory{}, TheoryVersion{}, errs.New(errs.FailedPrecondition, NothingToPublish,
			"%s has not changed since version %d was published", t.Name, last.Number)
	}
	t.Published++
	t.Version, t.UpdateTime = t.Version+1, now
	return t, TheoryVersion{Theory: t.Name, Number: t.Published, Title: t.Title, Graph: t.Graph, PublishTime: now}, nil
}

func equalTheory(t Theory, v TheoryVersion) bool {
	return reflect.DeepEqual(t.Title, v.Title) && reflect.DeepEqual(t.Graph, v.Graph)
}

// at names an element of a list, as field violations do.
func at(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }
