package domain_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

var (
	monday = time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)
	lead   = "organisations/00000000-0000-7000-8000-000000000001"
	second = "organisations/00000000-0000-7000-8000-000000000002"
)

func italian(text string) domain.Text { return domain.Text{Text: text, Language: "it"} }

func card() domain.Card {
	return domain.Card{Title: italian("Rete digitale"), Start: "2026-01-05", End: "2026-12-31",
		Partners: []domain.Partner{{Organisation: lead, Lead: true}, {Organisation: second}}}
}

func open(t interface{ Fatal(...any) }) *domain.Project {
	p, event, err := domain.OpenProject("p", lead, "EUR", "", card(), monday)
	if err != nil {
		t.Fatal(err)
	}
	if event.Version != 1 || event.What != domain.Opened {
		t.Fatal("opening gave", event)
	}
	return p
}

func anybody(string) bool { return true }

func TestTheDefaultTemplateIsSound(t *testing.T) {
	template := domain.DefaultTemplate()
	if err := template.Check(); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, r := range template.Gates {
		for _, item := range r.Items {
			keys = append(keys, string(r.Gate)+"/"+item.Key)
			if item.Title.Language != "it" || item.Title.Translations["en"] == "" {
				t.Errorf("%s: title %+v", item.Key, item.Title)
			}
		}
	}
	for _, want := range []string{"rfp/business-case", "rfp/charter", "rfe/work-plan", "rfe/procurement-plan", "rfc/accepted-deliverables", "close/project-end-report", "close/lessons-learned"} {
		if !slices.Contains(keys, want) {
			t.Errorf("the default does not ask for %s", want)
		}
	}
}

func TestWrongTemplatesAreRefused(t *testing.T) {
	rules := func(change func(r []domain.Rule) []domain.Rule) []domain.Rule {
		return change(domain.DefaultTemplate().Gates)
	}
	for name, c := range map[string]struct {
		rules  []domain.Rule
		reason errs.Reason
	}{
		"a gate missing":  {rules(func(r []domain.Rule) []domain.Rule { return r[1:] }), domain.TemplateWrong},
		"a gate twice":    {rules(func(r []domain.Rule) []domain.Rule { r[1].Gate = "rfp"; return r }), domain.TemplateWrong},
		"nobody approves": {rules(func(r []domain.Rule) []domain.Rule { r[2].Approvers = nil; return r }), domain.TemplateWrong},
		"a key twice":     {rules(func(r []domain.Rule) []domain.Rule { r[0].Items[1].Key = r[0].Items[0].Key; return r }), domain.ArtefactExists},
		"an empty title":  {rules(func(r []domain.Rule) []domain.Rule { r[0].Items[1].Title.Text = " "; return r }), domain.FieldMissing},
		"an unknown gate": {rules(func(r []domain.Rule) []domain.Rule { r[3].Gate = "rfx"; return r }), domain.TemplateWrong},
	} {
		if got := errs.ReasonOf(domain.DefaultTemplate().Replace(c.rules, monday)); got != c.reason {
			t.Errorf("%s: got %s, want %s", name, got, c.reason)
		}
	}
}

func TestARefusalNamesEachMissingArtefact(t *testing.T) {
	p := open(t)
	g := domain.DefaultTemplate().GatesFor(p.ID, monday)[0]
	_, _, err := p.Advance(g, domain.Facts{CharterGaps: p.CharterGaps()}, anybody, "who", "", monday)
	if errs.ReasonOf(err) != domain.GateNotReady {
		t.Fatal(err)
	}
	for _, want := range []string{"initiation-request", "business-case", "charter", "objectives", "territory", "funders", "MANAGER"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %s", err, want)
		}
	}
	_, _, err = p.Advance(g, domain.Facts{}, func(role string) bool { return role == "AUDITOR" }, "who", "", monday)
	if errs.ReasonOf(err) != domain.ApproverRole {
		t.Errorf("an auditor: %v", err)
	}
}

// machine drives one project through random commands, legal and not, and holds it
// against the rules told in words.
type machine struct {
	p     *domain.Project
	gates []*domain.Gate
	facts domain.Facts
	moves []domain.PhaseMove
	// versions of the events so far: gap-free.
	version int64
}

func (m *machine) Init(t *rapid.T) {
	m.p = open(t)
	m.gates = domain.DefaultTemplate().GatesFor(m.p.ID, monday)
	m.moves = []domain.PhaseMove{m.p.Opening("who")}
	m.version = 1
}

func (m *machine) gate(t *rapid.T) *domain.Gate { return rapid.SampledFrom(m.gates).Draw(t, "gate") }

func (m *machine) key(t *rapid.T, g *domain.Gate) string {
	keys := []string{"nothing"}
	for _, i := range g.Items {
		keys = append(keys, i.Key)
	}
	return rapid.SampledFrom(keys).Draw(t, "key")
}

// bend runs a command on a gate: it must fail where the project is past it or
// closed, and leave the gate as it was.
func (m *machine) bend(t *rapid.T, g *domain.Gate, run func() error) {
	items, version, entries := slices.Clone(g.Items), g.Version, len(g.History)
	err := run()
	past := g.Key.From().Before(m.p.Phase) || m.p.Phase == domain.Closed
	if past && err == nil {
		t.Fatalf("the gate %s was bent in %s", g.Key, m.p.Phase)
	}
	if err != nil && (!slices.Equal(keysOf(items), keysOf(g.Items)) || g.Version != version || len(g.History) != entries) {
		t.Fatalf("a refused change has changed the gate: %v", err)
	}
	if err == nil && (g.Version != version+1 || len(g.History) != entries+1) {
		t.Fatalf("a change without its trace")
	}
}

func keysOf(items []domain.Item) []string {
	out := make([]string, len(items))
	for i, x := range items {
		out[i] = fmt.Sprint(x.Key, x.Waived, x.URI)
	}
	return out
}

func (m *machine) record(t *rapid.T) {
	g := m.gate(t)
	e := domain.Evidence{URI: rapid.SampledFrom([]string{"", "https://example.org/a"}).Draw(t, "uri")}
	m.bend(t, g, func() error { return g.Record(m.p, m.key(t, g), e, "who", "", monday) })
}

func (m *machine) waive(t *rapid.T) {
	g := m.gate(t)
	reason := rapid.SampledFrom([]string{"", "small project"}).Draw(t, "reason")
	m.bend(t, g, func() error { return g.Waive(m.p, m.key(t, g), "who", reason, monday) })
}

func (m *machine) remove(t *rapid.T) {
	g := m.gate(t)
	m.bend(t, g, func() error { return g.Remove(m.p, m.key(t, g), "who", "why", monday) })
}

func (m *machine) require(t *rapid.T) {
	g := m.gate(t)
	m.bend(t, g, func() error {
		return g.Require(m.p, domain.Item{Key: m.key(t, g), Title: italian("x")}, "who", "why", monday)
	})
}

func (m *machine) work(t *rapid.T) {
	m.facts = domain.Facts{
		CharterGaps:  rapid.SampledFrom([][]string{nil, {"territory"}}).Draw(t, "gaps"),
		Stakeholders: rapid.IntRange(0, 1).Draw(t, "stakeholders"), Tasks: rapid.IntRange(0, 1).Draw(t, "tasks"),
		Deliverables: rapid.IntRange(0, 2).Draw(t, "deliverables"), Lines: rapid.IntRange(0, 1).Draw(t, "lines"),
		Lessons: rapid.IntRange(0, 1).Draw(t, "lessons"), Risks: rapid.IntRange(0, 1).Draw(t, "risks"),
		NotAccepted: rapid.SampledFrom([][]string{nil, {"d"}}).Draw(t, "not accepted"),
	}
}

func (m *machine) advance(t *rapid.T) {
	g := m.gate(t)
	from := m.p.Phase
	missing := false
	for _, s := range g.Readiness(m.facts) {
		missing = missing || s.State == domain.Missing
	}
	move, events, err := m.p.Advance(g, m.facts, anybody, "who", "", monday)
	mayGo := from != domain.Closed && g.Key.From() == from && !missing
	if mayGo != (err == nil) {
		t.Fatalf("from %s by %s, missing %v: %v", from, g.Key, missing, err)
	}
	if err != nil {
		if m.p.Phase != from {
			t.Fatal("a refused gate has moved the project")
		}
		return
	}
	if m.p.Phase != g.Key.To() || move.From != from || move.To != m.p.Phase {
		t.Fatalf("from %s to %s with %+v", from, m.p.Phase, move)
	}
	if (m.p.Phase == domain.Closed) != (len(events) == 2) {
		t.Fatalf("events %v on the way to %s", events, m.p.Phase)
	}
	m.note(t, move, events...)
}

func (m *machine) goBack(t *rapid.T) {
	from := m.p.Phase
	to := rapid.SampledFrom(append(slices.Clone(domain.Phases), "", "NEVER")).Draw(t, "to")
	reason := rapid.SampledFrom([]string{"", "the funder asks for it"}).Draw(t, "reason")
	move, event, err := m.p.Return(to, "who", reason, monday)
	may := from != domain.Closed && reason != "" && slices.Contains(domain.Phases, to) && to.Before(from)
	if may != (err == nil) {
		t.Fatalf("from %s back to %s because %q: %v", from, to, reason, err)
	}
	if err == nil {
		m.note(t, move, event)
	} else if m.p.Phase != from {
		t.Fatal("a refused return has moved the project")
	}
}

func (m *machine) note(t *rapid.T, move domain.PhaseMove, events ...domain.Event) {
	m.moves = append(m.moves, move)
	for _, e := range events {
		if m.version++; e.Version != m.version {
			t.Fatalf("event %+v, want version %d", e, m.version)
		}
	}
}

// check holds after every command.
func (m *machine) check(t *rapid.T) {
	if !slices.Contains(domain.Phases, m.p.Phase) {
		t.Fatalf("phase %q", m.p.Phase)
	}
	if m.p.Version != m.version {
		t.Fatalf("version %d after %d events", m.p.Version, m.version)
	}
	if (m.p.Phase == domain.Closed) != !m.p.Closed.IsZero() {
		t.Fatalf("in %s, closed at %s", m.p.Phase, m.p.Closed)
	}
	at := domain.Phase("")
	for _, move := range m.moves { // the history leads to where the project is
		if move.From != at {
			t.Fatalf("the history jumps: %+v", m.moves)
		}
		at = move.To
	}
	if at != m.p.Phase {
		t.Fatalf("the history ends in %s, the project is in %s", at, m.p.Phase)
	}
}

func TestGateMachine(t *testing.T) {
	reached := map[domain.Phase]bool{}
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{}
		m.Init(t)
		t.Repeat(map[string]func(*rapid.T){
			"": m.check, "record": m.record, "waive": m.waive, "remove": m.remove, "require": m.require,
			"work": m.work, "advance": m.advance, "return": m.goBack,
			"prepare": func(t *rapid.T) { // what people do before a gate, so that runs get far
				g := m.gate(t)
				for _, i := range slices.Clone(g.Items) {
					if i.Check == domain.CheckDocument {
						_ = g.Record(m.p, i.Key, domain.Evidence{SHA256: "00"}, "who", "", monday)
					} else {
						_ = g.Waive(m.p, i.Key, "who", "why", monday)
					}
				}
			},
			"advance the next": func(t *rapid.T) {
				if key, ok := m.p.NextGate(); ok {
					i := slices.Index(domain.Gates, key)
					if move, events, err := m.p.Advance(m.gates[i], m.facts, anybody, "who", "", monday); err == nil {
						m.note(t, move, events...)
					}
				}
			},
		})
		reached[m.p.Phase] = true
	})
	if !reached[domain.Closed] || !reached[domain.Execution] {
		t.Errorf("the commands reached only %v", reached)
	}
}
