package domain

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
)

// The shipped templates ask for the artefacts of the PM² guide (European
// Commission, "PM² Project Management Methodology Guide 3.1"): the default takes
// plans as documents, the other as what the registers hold.
//
//go:embed templates/*.json
var shippedTemplates embed.FS

// DefaultTemplateID is the template of a project that no other is for.
const DefaultTemplateID = "default"

// ShippedTemplates lists the ids of the templates that are always there.
var ShippedTemplates = []string{DefaultTemplateID, "registers"}

// ShippedTemplate returns a template as shipped, nil where none of that id is.
func ShippedTemplate(id string) *Template {
	if !slices.Contains(ShippedTemplates, id) {
		return nil
	}
	text, err := shippedTemplates.ReadFile("templates/" + id + ".json")
	t := &Template{ID: id}
	if err == nil {
		err = json.Unmarshal(text, t)
	}
	if err != nil {
		panic("domain: template " + id + ": " + err.Error())
	}
	return t
}

// DefaultTemplate returns the default as shipped.
func DefaultTemplate() *Template { return ShippedTemplate(DefaultTemplateID) }

// Template is what the gates of new projects ask for: the network's default, or
// one for a programme or a body.
type Template struct {
	ID           string `json:"-"`
	Title        Text   `json:"title"`
	Programme    string `json:"-"`
	Organisation string `json:"-"`
	Gates        []Rule `json:"gates"`
	Stamp               // version 0 while it is as shipped
}

// Name returns the resource name.
func (t *Template) Name() string { return ids.Name("gateTemplates", t.ID) }

// Rule is what one gate asks for and who approves it.
type Rule struct {
	Gate      GateKey  `json:"gate"`
	Approvers []string `json:"approvers"`
	FourEyes  bool     `json:"fourEyes,omitempty"`
	Items     []Item   `json:"items"`
}

// CompareTemplates orders the default first, and then by id.
func CompareTemplates(a, b *Template) int {
	if (a.ID == DefaultTemplateID) != (b.ID == DefaultTemplateID) {
		if a.ID == DefaultTemplateID {
			return -1
		}
		return 1
	}
	return strings.Compare(a.ID, b.ID)
}

// Replace puts another title, programme and rules in the place of the
// template's. The default is for no programme.
func (t *Template) Replace(title Text, programme string, rules []Rule, now time.Time) error {
	next := Template{Title: title, Gates: rules}
	if err := next.Check(); err != nil {
		return err
	}
	if t.ID == DefaultTemplateID && programme != "" {
		return errs.InvalidField(TemplateWrong, "gate_template.programme", "the network's default is for no programme in particular")
	}
	t.Title, t.Programme, t.Gates = title, programme, rules
	if t.Created.IsZero() {
		t.Created = now
	}
	t.Touch(now)
	return nil
}

// Check returns what is wrong with a template.
func (t *Template) Check() error {
	if err := t.Title.require("gate_template.title"); err != nil {
		return err
	}
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
			Project: project, Key: key, Approvers: slices.Clone(t.Gates[i].Approvers), FourEyes: t.Gates[i].FourEyes,
			Items: slices.Clone(t.Gates[i].Items), Stamp: NewStamp(now),
		})
	}
	return out
}
