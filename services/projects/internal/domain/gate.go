package domain

import (
	"slices"
	"strings"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Gate is what one gate of one project asks for, and what is recorded.
type Gate struct {
	Project   string       `json:"-"` // id
	Key       GateKey      `json:"-"`
	Approvers []string     `json:"approvers"` // roles, without their prefix
	FourEyes  bool         `json:"fourEyes,omitempty"`
	Items     []Item       `json:"items"`
	History   []TrailEntry `json:"-"` // what was done since it was read
	Stamp
}

// Item is one artefact that a gate asks for.
type Item struct {
	Key       string     `json:"key"`
	Title     Text       `json:"title"`
	Check     Check      `json:"check"`
	Waived    bool       `json:"waived,omitempty"`
	Until     civil.Date `json:"until,omitempty"` // last day of the waiver
	Confirmed bool       `json:"confirmed,omitempty"`
	By        *Act       `json:"by,omitempty"`   // who waived or confirmed it
	Bent      bool       `json:"bent,omitempty"` // differs from the template
	Evidence
}

// waived reports whether the item is waived on a day.
func (i *Item) waived(today civil.Date) bool {
	return i.Waived && (i.Until == "" || i.Until >= today)
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

// Action is what was done to an artefact or a gate.
type Action = string

// The actions.
const (
	Recorded    Action = "RECORDED"
	Confirmed   Action = "CONFIRMED"
	Unconfirmed Action = "UNCONFIRMED"
	Required    Action = "REQUIRED"
	Waived      Action = "WAIVED"
	Removed     Action = "REMOVED"
)

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
		if item.waived(f.Today) {
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

// Record notes where a document is.
func (g *Gate) Record(p *Project, key string, e Evidence, by Act) error {
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
	g.log(key, Recorded, by).Evidence = e
	return nil
}

// Confirm ticks a point of the checklist, or takes that back.
func (g *Gate) Confirm(p *Project, key string, confirmed bool, by Act) error {
	i, err := g.item(p, key)
	if err != nil {
		return err
	}
	if g.Items[i].Check != CheckConfirmation {
		return errs.New(errs.FailedPrecondition, ArtefactNotConfirmed, "%s is not a point that people confirm", key)
	}
	action, who := Confirmed, &by
	if !confirmed {
		action, who = Unconfirmed, nil
	}
	g.Items[i].Confirmed = confirmed
	if !g.Items[i].Waived { // who waived it answers for that, whoever ticks it
		g.Items[i].By = who
	}
	g.log(key, action, by)
	return nil
}

// Require adds an artefact, or asks again for one that was waived.
func (g *Gate) Require(p *Project, item Item, by Act) error {
	if err := g.open(p, by.Note); err != nil {
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
		g.Items[at].Waived, g.Items[at].Until, g.Items[at].By, g.Items[at].Bent = false, "", nil, true
	case len(g.Items) >= maxItems:
		return errs.New(errs.FailedPrecondition, TemplateWrong, "a gate asks for at most %d artefacts", maxItems)
	default:
		if err := item.Title.require("title"); err != nil {
			return err
		}
		item.Bent = true
		g.Items = append(g.Items, item)
	}
	g.log(item.Key, Required, by)
	return nil
}

// maxItems bounds a gate.
const maxItems = 100

// Waive lets the gate open without an artefact, for ever or until a day. It is
// for those who may approve the gate.
func (g *Gate) Waive(p *Project, key string, holds func(role string) bool, until, today civil.Date, by Act) error {
	if err := g.open(p, by.Note); err != nil {
		return err
	}
	i, err := g.item(p, key)
	if err != nil {
		return err
	}
	if by.Role, err = g.approver(holds); err != nil {
		return err
	}
	if err := optionalDate("expire_date", until); err != nil {
		return err
	}
	if until != "" && until < today {
		return errs.InvalidField(DatesWrong, "expire_date", "%s is past: today is %s", until, today)
	}
	g.waive(i, until, by)
	return nil
}

func (g *Gate) waive(i int, until civil.Date, by Act) {
	g.Items[i].Waived, g.Items[i].Until, g.Items[i].Bent, g.Items[i].By = true, until, true, &by
	g.log(g.Items[i].Key, Waived, by).Until = until
}

// approver is the first of the gate's roles that somebody has.
func (g *Gate) approver(holds func(role string) bool) (string, error) {
	for _, role := range g.Approvers {
		if holds(role) {
			return role, nil
		}
	}
	return "", errs.New(errs.PermissionDenied, ApproverRole, "the gate %s is approved by one of: %s", g.Key, strings.Join(g.Approvers, ", ")).With("gate", g.Name())
}

// Remove takes an artefact off what the gate asks for. As it goes further than a
// waiver, it is for those who may approve the gate too.
func (g *Gate) Remove(p *Project, key string, holds func(role string) bool, by Act) error {
	if err := g.open(p, by.Note); err != nil {
		return err
	}
	i, err := g.item(p, key)
	if err != nil {
		return err
	}
	if by.Role, err = g.approver(holds); err != nil {
		return err
	}
	g.log(key, Removed, by).Evidence = g.Items[i].Evidence
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

// log puts something on the trail, and returns it.
func (g *Gate) log(key, action string, by Act) *TrailEntry {
	g.History = append(g.History, TrailEntry{Project: g.Project, Resource: g.Name(), Action: action, Key: key,
		Actor: by.Actor, Role: by.Role, Note: by.Note, Time: by.Time})
	g.Touch(by.Time)
	return &g.History[len(g.History)-1]
}
