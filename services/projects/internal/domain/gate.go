package domain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
)

// Check is how the presence of an artefact is told.
type Check string

// The checks: a document is recorded, all others are worked out from the data.
const (
	CheckDocument     Check = "DOCUMENT"
	CheckCharter      Check = "CHARTER"
	CheckStakeholders Check = "STAKEHOLDERS"
	CheckRisks        Check = "RISKS"
	CheckWorkPlan     Check = "WORK_PLAN"
	CheckDeliverables Check = "DELIVERABLES"
	CheckBudget       Check = "BUDGET"
	CheckAccepted     Check = "DELIVERABLES_ACCEPTED"
	CheckLessons      Check = "LESSONS"
)

// Gate is what one gate of one project asks for, and what is recorded.
type Gate struct {
	Project   string   `json:"-"` // id
	Key       GateKey  `json:"-"`
	Approvers []string `json:"approvers"` // roles, without their prefix
	Items     []Item   `json:"items"`
	History   []Change `json:"history,omitempty"`
	Stamp
}

// Item is one artefact that a gate asks for.
type Item struct {
	Key    string `json:"key"`
	Title  Text   `json:"title"`
	Check  Check  `json:"check"`
	Waived bool   `json:"waived,omitempty"`
	Bent   bool   `json:"bent,omitempty"` // differs from the template
	Evidence
}

// Evidence is where a document is, and what it is.
type Evidence struct {
	URI    string `json:"uri,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
}

func (e Evidence) missing() bool { return e.URI == "" && e.SHA256 == "" }

// Require returns an error where there is neither a link nor a checksum.
func (e Evidence) Require() error {
	if e.missing() {
		return errs.InvalidField(EvidenceMissing, "uri", "give a link, a checksum (sha256) or both")
	}
	return nil
}

// Change is one entry of a gate's history.
type Change struct {
	Key    string    `json:"key"`
	Action Action    `json:"action"`
	Actor  string    `json:"actor"`
	Reason string    `json:"reason,omitempty"`
	Time   time.Time `json:"time"`
	Evidence
}

// Action is what was done to an artefact.
type Action string

// The actions.
const (
	Recorded Action = "RECORDED"
	Required Action = "REQUIRED"
	Waived   Action = "WAIVED"
	Removed  Action = "REMOVED"
)

// Facts are the data from which presence is worked out.
type Facts struct {
	CharterGaps                                              []string
	Stakeholders, Risks, Tasks, Deliverables, Lines, Lessons int
	NotAccepted                                              []string // names of deliverables
}

// Readiness is whether an artefact is there.
type Readiness string

// The answers.
const (
	Present    Readiness = "PRESENT"
	Missing    Readiness = "MISSING"
	WaivedHere Readiness = "WAIVED"
)

// Status is the readiness of one artefact.
type Status struct {
	Item         Item
	State        Readiness
	Shortcomings []string
}

// Name returns the resource name.
func (g *Gate) Name() string { return ids.Name("projects", g.Project, "gates", string(g.Key)) }

// Readiness says of each artefact whether it is there.
func (g *Gate) Readiness(f Facts) []Status {
	out := make([]Status, len(g.Items))
	for i, item := range g.Items {
		out[i] = Status{Item: item, State: WaivedHere}
		if item.Waived {
			continue
		}
		out[i].Shortcomings = item.shortcomings(f)
		out[i].State = Present
		if len(out[i].Shortcomings) > 0 {
			out[i].State = Missing
		}
	}
	return out
}

func (i Item) shortcomings(f Facts) []string {
	atLeastOne := func(n int, what string) []string {
		if n > 0 {
			return nil
		}
		return []string{"no " + what}
	}
	switch i.Check {
	case CheckCharter:
		return f.CharterGaps
	case CheckStakeholders:
		return atLeastOne(f.Stakeholders, "stakeholder")
	case CheckRisks:
		return atLeastOne(f.Risks, "risk in the register")
	case CheckWorkPlan:
		return atLeastOne(f.Tasks, "task")
	case CheckDeliverables:
		return atLeastOne(f.Deliverables, "deliverable")
	case CheckBudget:
		return atLeastOne(f.Lines, "budget line")
	case CheckLessons:
		return atLeastOne(f.Lessons, "lesson learned")
	case CheckAccepted:
		if f.Deliverables == 0 {
			return []string{"no deliverable"}
		}
		out := make([]string, len(f.NotAccepted))
		for k, name := range f.NotAccepted {
			out[k] = "not accepted: " + name
		}
		return out
	default:
		if i.missing() {
			return []string{"neither a link nor a checksum is recorded"}
		}
		return nil
	}
}

// Record notes where a document is.
func (g *Gate) Record(p *Project, key string, e Evidence, actor, note string, now time.Time) error {
	i, err := g.item(p, key)
	if err != nil {
		return err
	}
	if g.Items[i].Check != CheckDocument {
		return errs.New(errs.FailedPrecondition, ArtefactComputed, "%s is worked out from the project's data: nothing can be recorded", key)
	}
	if err := e.Require(); err != nil {
		return err
	}
	g.Items[i].Evidence = e
	g.log(Change{Key: key, Action: Recorded, Actor: actor, Reason: note, Time: now, Evidence: e})
	return nil
}

// Require adds an artefact, or asks again for one that was waived.
func (g *Gate) Require(p *Project, item Item, actor, reason string, now time.Time) error {
	if err := g.open(p, reason); err != nil {
		return err
	}
	if item.Check == "" {
		item.Check = CheckDocument
	}
	at := g.index(item.Key)
	switch {
	case at >= 0 && !g.Items[at].Waived:
		return errs.New(errs.AlreadyExists, ArtefactExists, "the gate %s asks for %s already", g.Key, item.Key)
	case at >= 0:
		g.Items[at].Waived, g.Items[at].Bent = false, true
	case len(g.Items) >= maxItems:
		return errs.New(errs.FailedPrecondition, TemplateWrong, "a gate asks for at most %d artefacts", maxItems)
	default:
		if err := item.Title.require("title"); err != nil {
			return err
		}
		item.Bent = true
		g.Items = append(g.Items, item)
	}
	g.log(Change{Key: item.Key, Action: Required, Actor: actor, Reason: reason, Time: now})
	return nil
}

// maxItems bounds a gate.
const maxItems = 100

// Waive lets the gate open without an artefact.
func (g *Gate) Waive(p *Project, key, actor, reason string, now time.Time) error {
	if err := g.open(p, reason); err != nil {
		return err
	}
	i, err := g.item(p, key)
	if err != nil {
		return err
	}
	g.Items[i].Waived, g.Items[i].Bent = true, true
	g.log(Change{Key: key, Action: Waived, Actor: actor, Reason: reason, Time: now})
	return nil
}

// Remove takes an artefact off what the gate asks for.
func (g *Gate) Remove(p *Project, key, actor, reason string, now time.Time) error {
	if err := g.open(p, reason); err != nil {
		return err
	}
	i, err := g.item(p, key)
	if err != nil {
		return err
	}
	g.log(Change{Key: key, Action: Removed, Actor: actor, Reason: reason, Time: now, Evidence: g.Items[i].Evidence})
	g.Items = slices.Delete(g.Items, i, i+1)
	return nil
}

// open checks that the gate may still be bent, and that a reason is given.
func (g *Gate) open(p *Project, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return errs.InvalidField(FieldMissing, "reason", "must say why")
	}
	return g.ahead(p)
}

func (g *Gate) ahead(p *Project) error {
	if err := p.Writable(); err != nil {
		return err
	}
	if g.Key.From().Before(p.Phase) {
		return errs.New(errs.FailedPrecondition, GatePassed, "%s is past the gate %s: return it to an earlier phase first", p.Name(), g.Key).With("gate", g.Name())
	}
	return nil
}

func (g *Gate) item(p *Project, key string) (int, error) {
	if err := g.ahead(p); err != nil {
		return 0, err
	}
	i := g.index(key)
	if i < 0 {
		return 0, errs.InvalidField(ArtefactUnknown, "artefact", "the gate %s does not ask for %q", g.Key, key)
	}
	return i, nil
}

func (g *Gate) index(key string) int {
	return slices.IndexFunc(g.Items, func(i Item) bool { return i.Key == key })
}

func (g *Gate) log(c Change) {
	g.History = append(g.History, c)
	g.Touch(c.Time)
}

// Template is what the gates of new projects ask for.
type Template struct {
	Gates []Rule `json:"gates"`
	Stamp        // version 0 while it is the default
}

// Rule is what one gate asks for and who approves it.
type Rule struct {
	Gate      GateKey  `json:"gate"`
	Approvers []string `json:"approvers"`
	Items     []Item   `json:"items"`
}

// Replace puts other rules in the place of the template's.
func (t *Template) Replace(rules []Rule, now time.Time) error {
	next := Template{Gates: rules}
	if err := next.Check(); err != nil {
		return err
	}
	t.Gates = rules
	if t.Created.IsZero() {
		t.Created = now
	}
	t.Touch(now)
	return nil
}

// Check returns what is wrong with a template.
func (t *Template) Check() error {
	seen := map[GateKey]bool{}
	for i, r := range t.Gates {
		path := fmt.Sprintf("gate_template.gates[%d]", i)
		if !slices.Contains(Gates, r.Gate) || seen[r.Gate] {
			return errs.InvalidField(TemplateWrong, path+".gate", "each of rfp, rfe, rfc and close must stand once")
		}
		seen[r.Gate] = true
		if len(r.Approvers) == 0 {
			return errs.InvalidField(TemplateWrong, path+".approvers", "at least one role must approve the gate")
		}
		keys := map[string]bool{}
		for k, item := range r.Items {
			if keys[item.Key] {
				return errs.InvalidField(ArtefactExists, fmt.Sprintf("%s.artefacts[%d].artefact", path, k), "%q stands twice", item.Key)
			}
			keys[item.Key] = true
			if err := item.Title.require(fmt.Sprintf("%s.artefacts[%d].title", path, k)); err != nil {
				return err
			}
		}
	}
	if len(seen) != len(Gates) {
		return errs.InvalidField(TemplateWrong, "gate_template.gates", "each of rfp, rfe, rfc and close must stand once")
	}
	return nil
}

// GatesFor makes a new project's gates.
func (t *Template) GatesFor(project string, now time.Time) []*Gate {
	out := make([]*Gate, 0, len(t.Gates))
	for _, key := range Gates {
		i := slices.IndexFunc(t.Gates, func(r Rule) bool { return r.Gate == key })
		out = append(out, &Gate{
			Project: project, Key: key, Approvers: slices.Clone(t.Gates[i].Approvers),
			Items: slices.Clone(t.Gates[i].Items), Stamp: NewStamp(now),
		})
	}
	return out
}
