package domain_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// modelItem is what the reference knows of an artefact.
type modelItem struct {
	key, check string
	waived     bool
	until      civil.Date
	done       bool // recorded or confirmed

}

// model is a plain reference of a project before its gates, told in the words of
// the rules: a number for the phase, lists, and no code of the domain.
type model struct {
	phase     int // 0 initiation … 4 closed
	cancelled int // the phase it was cancelled in, -1 otherwise
	gates     [4][]modelItem
	fourEyes  [4]bool
	pending   string // who has asked for the gate of the phase; empty for nobody
	lacking   map[string]bool
	today     civil.Date
}

func (m *model) missing(gate int) bool {
	for _, i := range m.gates[gate] {
		if i.waived && (i.until == "" || i.until >= m.today) {
			continue
		}
		switch i.check {
		case "DOCUMENT", "CONFIRMATION":
			if !i.done {
				return true
			}
		default:
			if m.lacking[i.check] {
				return true
			}
		}
	}
	return false
}

func (m *model) bendable(gate int) bool { return m.phase <= gate }

func (m *model) find(gate int, key string) *modelItem {
	for i := range m.gates[gate] {
		if m.gates[gate][i].key == key {
			return &m.gates[gate][i]
		}
	}
	return nil
}

// machine drives one project and the reference through the same random commands,
// legal and not.
type machine struct {
	m       model
	p       *domain.Project
	gates   []*domain.Gate
	pending *domain.GateApproval
	moves   []domain.PhaseMove
	version int64 // of the events so far: gap-free
}

func (m *machine) init(t *rapid.T) {
	template := domain.ShippedTemplate(rapid.SampledFrom(domain.ShippedTemplates).Draw(t, "template"))
	m.p = open(t)
	m.m = model{cancelled: -1, lacking: map[string]bool{}, today: "2026-01-05"}
	for i := range template.Gates {
		template.Gates[i].FourEyes = rapid.Bool().Draw(t, "four eyes")
		m.m.fourEyes[i] = template.Gates[i].FourEyes
		for _, item := range template.Gates[i].Items {
			m.m.gates[i] = append(m.m.gates[i], modelItem{key: item.Key, check: string(item.Check)})
		}
	}
	m.gates = template.GatesFor(m.p.ID, monday)
	m.moves = []domain.PhaseMove{m.p.Opening("who")}
	m.version = 1
	m.lack(t)
}

// facts are made so that exactly the checks that the reference calls lacking lack
// something.
func (m *machine) facts() domain.Facts {
	one := func(check domain.Check) int {
		if m.m.lacking[string(check)] {
			return 0
		}
		return 1
	}
	some := func(check domain.Check) []string {
		if m.m.lacking[string(check)] {
			return []string{"x"}
		}
		return nil
	}
	return domain.Facts{
		Today: m.m.today, CharterGaps: some(domain.CheckCharter), GovernanceGaps: some(domain.CheckGovernance), NeedGaps: some(domain.CheckNeedsMapped),
		Stakeholders: one(domain.CheckStakeholders), Risks: one(domain.CheckRisks), Tasks: one(domain.CheckWorkPlan), Deliverables: 1,
		Lines: one(domain.CheckBudget), Lessons: one(domain.CheckLessons), Communications: one(domain.CheckCommunications),
		Procurements: one(domain.CheckProcurements), NotAccepted: some(domain.CheckAccepted), NoCriteria: some(domain.CheckAcceptanceCriteria),
		Unassigned: some(domain.CheckResponsibilities), OpenProcurements: some(domain.CheckProcurementsSettled), OpenChecks: some(domain.CheckQualityPassed),
		OpenChanges: some(domain.CheckChangesSettled), OpenIssues: some(domain.CheckIssuesClosed), OpenClaims: len(some(domain.CheckCostsSettled)),
	}
}

// lack draws what the project's data lack.
func (m *machine) lack(t *rapid.T) {
	m.m.lacking = map[string]bool{}
	for _, gate := range m.m.gates {
		for _, i := range gate {
			if rapid.IntRange(0, 7).Draw(t, "lacks") == 0 {
				m.m.lacking[i.check] = true
			}
		}
	}
}

func (m *machine) draw(t *rapid.T) (int, string) {
	gate := rapid.IntRange(0, 3).Draw(t, "gate")
	keys := []string{"nothing"}
	for _, i := range m.m.gates[gate] {
		keys = append(keys, i.key)
	}
	return gate, rapid.SampledFrom(keys).Draw(t, "key")
}

// bent checks a command on a gate against what the reference says of it: refused,
// it leaves the gate as it was; done, it leaves one trace.
func (m *machine) bent(t *rapid.T, gate int, may bool, run func(g *domain.Gate) error) bool {
	g := m.gates[gate]
	version, entries := g.Version, len(g.History)
	err := run(g)
	if may != (err == nil) {
		t.Fatalf("gate %s in %s, may %v: %v", g.Key, m.p.Phase, may, err)
	}
	traces := int64(0)
	if may {
		traces = 1
	}
	if g.Version != version+traces || int64(len(g.History)-entries) != traces {
		t.Fatalf("version %d to %d, %d entries of the trail", version, g.Version, len(g.History)-entries)
	}
	return may
}

func (m *machine) record(t *rapid.T) {
	gate, key := m.draw(t)
	e := domain.Evidence{URI: rapid.SampledFrom([]string{"", "https://example.org/a"}).Draw(t, "uri")}
	i := m.m.find(gate, key)
	if m.bent(t, gate, m.m.bendable(gate) && i != nil && i.check == "DOCUMENT" && e.URI != "", func(g *domain.Gate) error { return g.Record(m.p, key, e, who) }) {
		i.done = true
	}
}

func (m *machine) confirm(t *rapid.T) {
	gate, key := m.draw(t)
	yes := rapid.Bool().Draw(t, "confirmed")
	i := m.m.find(gate, key)
	if m.bent(t, gate, m.m.bendable(gate) && i != nil && i.check == "CONFIRMATION", func(g *domain.Gate) error { return g.Confirm(m.p, key, yes, who) }) {
		i.done = yes
	}
}

func (m *machine) waive(t *rapid.T) {
	gate, key := m.draw(t)
	by := who
	by.Note = rapid.SampledFrom([]string{"", "small project"}).Draw(t, "reason")
	until := rapid.SampledFrom([]civil.Date{"", "2026-01-04", "2026-01-06", "2026-02-30"}).Draw(t, "until")
	holder := rapid.Bool().Draw(t, "approver")
	i := m.m.find(gate, key)
	may := m.m.bendable(gate) && i != nil && by.Note != "" && holder && until != "2026-02-30" && (until == "" || until >= m.m.today)
	if m.bent(t, gate, may, func(g *domain.Gate) error {
		return g.Waive(m.p, key, func(string) bool { return holder }, until, m.m.today, by)
	}) {
		i.waived, i.until = true, until
	}
}

func (m *machine) remove(t *rapid.T) {
	gate, key := m.draw(t)
	holder := rapid.Bool().Draw(t, "approver")
	i := m.m.find(gate, key)
	if m.bent(t, gate, m.m.bendable(gate) && i != nil && holder, func(g *domain.Gate) error {
		return g.Remove(m.p, key, func(string) bool { return holder }, who)
	}) {
		m.m.gates[gate] = slices.DeleteFunc(m.m.gates[gate], func(x modelItem) bool { return x.key == key })
	}
}

func (m *machine) require(t *rapid.T) {
	gate, key := m.draw(t)
	i := m.m.find(gate, key)
	if m.bent(t, gate, m.m.bendable(gate) && (i == nil || i.waived), func(g *domain.Gate) error {
		return g.Require(m.p, domain.Item{Key: key, Title: italian("x")}, who)
	}) {
		if i == nil {
			m.m.gates[gate] = append(m.m.gates[gate], modelItem{key: key, check: "DOCUMENT"})
		} else {
			i.waived = false
		}
	}
}

func (m *machine) request(t *rapid.T) {
	gate := rapid.IntRange(0, 3).Draw(t, "gate")
	if m.pending != nil { // the store holds that there is one at most
		return
	}
	by := who
	by.Actor = rapid.SampledFrom([]string{"who", "other"}).Draw(t, "asker")
	x, _, err := m.p.RequestGate("r", m.gates[gate], m.facts(), by)
	if may := m.m.phase == gate; may != (err == nil) {
		t.Fatalf("asking for gate %d in phase %d: %v", gate, m.m.phase, err)
	}
	if err == nil {
		if x.Ready() == m.m.missing(gate) {
			t.Fatalf("ready %v, missing %v", x.Ready(), m.m.missing(gate))
		}
		m.pending, m.m.pending = x, by.Actor
	}
}

func (m *machine) approve(t *rapid.T) {
	if m.pending == nil {
		return
	}
	m.decide(t, rapid.IntRange(0, 3).Draw(t, "gate"), rapid.Bool().Draw(t, "approver"))
}

func (m *machine) decide(t *rapid.T, gate int, holder bool) {
	by := who
	by.Actor = rapid.SampledFrom([]string{"who", "other"}).Draw(t, "approver's name")
	from := m.m.phase
	may := from == gate && !m.m.missing(gate) && holder && (!m.m.fourEyes[gate] || m.m.pending != by.Actor)
	move, events, _, err := m.p.Approve(m.pending, m.gates[gate], m.facts(), func(string) bool { return holder }, by)
	if may != (err == nil) {
		t.Fatalf("gate %d from phase %d, missing %v, approver %v, asked by %s: %v", gate, from, m.m.missing(gate), holder, m.m.pending, err)
	}
	if !may {
		return
	}
	m.m.phase++
	m.m.pending, m.pending = "", nil
	if (m.m.phase == 4) != (len(events) == 2) {
		t.Fatalf("events %v on the way to %d", events, m.m.phase)
	}
	m.moved(t, move, events...)
}

func (m *machine) reject(t *rapid.T) {
	if m.pending == nil {
		return
	}
	by := who
	by.Note = rapid.SampledFrom([]string{"", "incomplete"}).Draw(t, "reason")
	holder := rapid.Bool().Draw(t, "approver")
	_, err := m.pending.Reject(m.p, m.gates[m.m.phase], func(string) bool { return holder }, by)
	if (by.Note != "" && holder) != (err == nil) {
		t.Fatalf("rejecting because %q as approver %v: %v", by.Note, holder, err)
	}
	if err == nil {
		if _, err := m.pending.Withdraw(m.p, m.gates[m.m.phase], who); err == nil {
			t.Fatal("a rejected request was withdrawn")
		}
		m.pending, m.m.pending = nil, ""
	}
}

// overtake is what the service does to a request when the project goes another
// way.
func (m *machine) overtake(t *rapid.T) {
	if m.pending == nil || m.m.phase == 4 {
		return
	}
	if _, err := m.pending.Withdraw(m.p, m.gates[m.m.phase], who); err != nil {
		t.Fatal(err)
	}
	m.pending, m.m.pending = nil, ""
}

func (m *machine) goBack(t *rapid.T) {
	to := rapid.IntRange(0, 5).Draw(t, "to")
	phase := domain.Phase("NEVER")
	if to < 5 {
		phase = domain.Phases[to]
	}
	reason := rapid.SampledFrom([]string{"", "the funder asks for it"}).Draw(t, "reason")
	may := m.m.phase < 4 && reason != "" && to < m.m.phase
	if may {
		m.overtake(t)
	}
	move, event, err := m.p.Return(phase, "who", reason, monday)
	if may != (err == nil) {
		t.Fatalf("from %d back to %d because %q: %v", m.m.phase, to, reason, err)
	}
	if may {
		m.m.phase = to
		m.moved(t, move, event)
	}
}

func (m *machine) cancel(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "really") > 0 {
		return // otherwise no run gets far
	}
	by := who
	by.Note = rapid.SampledFrom([]string{"", "no money"}).Draw(t, "reason")
	may := m.m.phase < 4 && by.Note != ""
	if may {
		m.overtake(t)
	}
	move, event, err := m.p.Cancel(by)
	if may != (err == nil) {
		t.Fatalf("cancelling in %d because %q: %v", m.m.phase, by.Note, err)
	}
	if may {
		m.m.cancelled, m.m.phase = m.m.phase, 4
		m.moved(t, move, event)
	}
}

func (m *machine) reopen(t *rapid.T) {
	by := who
	by.Note = rapid.SampledFrom([]string{"", "closed by mistake"}).Draw(t, "reason")
	may := m.m.phase == 4 && by.Note != ""
	move, event, err := m.p.Reopen(by)
	if may != (err == nil) {
		t.Fatalf("opening again in %d because %q: %v", m.m.phase, by.Note, err)
	}
	if may {
		m.m.phase = 3
		if m.m.cancelled >= 0 {
			m.m.phase, m.m.cancelled = m.m.cancelled, -1
		}
		m.moved(t, move, event)
	}
}

func (m *machine) moved(t *rapid.T, move domain.PhaseMove, events ...domain.Event) {
	m.moves = append(m.moves, move)
	for _, e := range events {
		if m.version++; e.Version != m.version {
			t.Fatalf("event %+v, want version %d", e, m.version)
		}
	}
}

// check holds after every command.
func (m *machine) check(t *rapid.T) {
	if m.p.Phase != domain.Phases[m.m.phase] {
		t.Fatalf("in %s, the reference in %d", m.p.Phase, m.m.phase)
	}
	outcome := ""
	if m.m.phase == 4 {
		outcome = "COMPLETED"
		if m.m.cancelled >= 0 {
			outcome = "CANCELLED"
		}
	}
	if m.p.Outcome != outcome || (outcome == "") != m.p.Closed.IsZero() || (m.p.Writable() == nil) != (outcome == "") {
		t.Fatalf("outcome %q, closed at %s; want %q", m.p.Outcome, m.p.Closed, outcome)
	}
	if m.p.Version != m.version {
		t.Fatalf("version %d after %d events", m.p.Version, m.version)
	}
	at := domain.Phase("")
	for _, move := range m.moves { // the history leads to where the project is
		if move.From != at || move.From == move.To {
			t.Fatalf("the history jumps: %+v", m.moves)
		}
		at = move.To
	}
	if at != m.p.Phase {
		t.Fatalf("the history ends in %s, the project is in %s", at, m.p.Phase)
	}
	for i, g := range m.gates {
		var got, want []string
		for _, s := range g.Readiness(m.facts()) {
			got = append(got, fmt.Sprint(s.Item.Key, s.Item.Waived, s.Item.Until))
		}
		for _, x := range m.m.gates[i] {
			want = append(want, fmt.Sprint(x.key, x.waived, x.untilOf()))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("gate %s asks for %v, the reference for %v", g.Key, got, want)
		}
	}
}

func (i modelItem) untilOf() civil.Date {
	if i.waived {
		return i.until
	}
	return ""
}

// prepare does what people do before the next gate, so that runs get far.
func (m *machine) prepare(t *rapid.T) {
	if m.m.phase == 4 {
		return
	}
	m.m.lacking = map[string]bool{}
	for _, i := range m.m.gates[m.m.phase] {
		g, key := m.gates[m.m.phase], i.key
		var err error
		switch i.check {
		case "DOCUMENT":
			err = g.Record(m.p, key, domain.Evidence{SHA256: "00"}, who)
		case "CONFIRMATION":
			err = g.Confirm(m.p, key, true, who)
		}
		if err != nil {
			t.Fatal(err)
		}
		m.m.find(m.m.phase, key).done = true
	}
	if m.pending == nil {
		x, _, err := m.p.RequestGate("r", m.gates[m.m.phase], m.facts(), who)
		if err != nil {
			t.Fatal(err)
		}
		m.pending, m.m.pending = x, who.Actor
	}
	m.decide(t, m.m.phase, true)
}

func TestTheGateMachineIsItsReference(t *testing.T) {
	reached := map[string]bool{}
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{}
		m.init(t)
		t.Repeat(map[string]func(*rapid.T){
			"": m.check, "record": m.record, "confirm": m.confirm, "waive": m.waive, "remove": m.remove, "require": m.require,
			"lack": m.lack, "request": m.request, "approve": m.approve, "reject": m.reject, "return": m.goBack, "cancel": m.cancel,
			"reopen": m.reopen, "prepare": m.prepare, "prepare next": m.prepare, "prepare more": m.prepare,
			"a day": func(*rapid.T) { m.m.today = m.m.today.AddDays(1) },
		})
		for _, move := range m.moves {
			reached[string(move.From)+">"+string(move.To)] = true
		}
	})
	for _, want := range []string{"INITIATION>PLANNING", "CLOSING>CLOSED", "CLOSED>CLOSING"} {
		if !reached[want] {
			t.Errorf("no run went %s, only %v", want, reached)
		}
	}
}
