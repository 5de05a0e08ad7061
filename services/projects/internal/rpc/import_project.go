package rpc

import (
	"cmp"
	"context"
	"errors"
	"maps"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/ingest"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// create opens the project of a record, with one budget line, in its phase.
func (r *importRun) create(ctx context.Context, tx *sqldb.Tx, record *ingest.Record) (outcome, error) {
	now := r.now()
	lead, attributes := r.leadOf(record)
	if record.Refused {
		return outcome{}, nil
	}
	card := r.card(record, domain.Card{Attributes: attributes})
	if err := fewAttributes(card); err != nil {
		return outcome{}, err
	}
	p, opened, err := domain.OpenProject(r.newID(), lead, r.currency, "", card, now)
	if err != nil {
		return outcome{}, err
	}
	budget := &domain.Budget{Project: p, Totals: &domain.Totals{Planned: r.minor(0), Spent: r.minor(0)}}
	line := &domain.Line{ID: r.newID(), Project: p.ID, Organisation: lead, LinePlan: r.linePlan(record)}
	if _, err := budget.Add(line, now); err != nil {
		return outcome{}, err
	}
	gates := map[domain.GateKey]*domain.Gate{}
	for _, g := range r.template.GatesFor(p.ID, now) {
		gates[g.Key] = g
	}
	p.Template = r.template.ID
	opening := p.Opening(actor(ctx))
	moves, events, err := p.PassImported(gates, r.phase(record), actor(ctx), importReason+r.mapping.GetSource(), now)
	if err != nil {
		return outcome{}, err
	}
	if _, err := store.InsertProject(ctx, tx, p); err != nil {
		return outcome{}, err
	}
	for _, key := range domain.Gates {
		store.InsertGate(tx, gates[key])
	}
	store.InsertMove(tx, opening)
	for _, move := range moves {
		store.InsertMove(tx, move)
	}
	store.InsertLine(tx, line)
	store.SaveTotals(tx, p, budget.Totals)
	r.remember(tx, record, p.ID, line.ID)
	return outcome{created, p.ID, p.Phase}, r.tell(ctx, tx, p, append([]domain.Event{opened}, events...)...)
}

// leadOf finds the lead of a new project, and what is kept of an implementer that
// is not in the catalogue.
func (r *importRun) leadOf(record *ingest.Record) (string, map[string]string) {
	code, name := record.Text[ingest.ImplementerTaxCode], record.Text[ingest.ImplementerName]
	if lead := r.leads[code]; lead != "" {
		return lead, nil
	}
	fallback := r.mapping.GetFallbackOrganisation()
	if fallback == "" {
		record.Refuse(ingest.ImplementerUnknown, string(ingest.ImplementerTaxCode), "%q is not in the catalogue, and the mapping names no other lead", cmp.Or(code, name))
		return "", nil
	}
	attributes := map[string]string{}
	if name != "" {
		attributes["implementer"] = name
	}
	if code != "" {
		attributes["implementer_tax_code"] = code
		record.Note(ingest.ImplementerUnknown, string(ingest.ImplementerTaxCode), "%s is not in the catalogue: led by %s", code, fallback)
	}
	return fallback, attributes
}

func (r *importRun) phase(record *ingest.Record) domain.Phase {
	return cmp.Or(domain.Phase(record.Text[ingest.Phase]), domain.Initiation)
}

// card writes what a record says on a card.
func (r *importRun) card(record *ingest.Record, c domain.Card) domain.Card {
	if title := record.Text[ingest.Title]; title != c.Title.Text { // other words are not what was translated
		c.Title = domain.Text{Text: title, Language: cmp.Or(r.mapping.GetLanguageCode(), "it")}
	}
	c.Start, c.End = record.Start, record.End
	c.Acronym = cmp.Or(record.Text[ingest.Acronym], c.Acronym)
	c.CUP = cmp.Or(record.Text[ingest.CUP], c.CUP)
	c.Territory = cmp.Or(record.Text[ingest.Territory], c.Territory)
	if len(record.Sectors) > 0 {
		c.Sectors = record.Sectors
	}
	attributes := maps.Clone(c.Attributes)
	if attributes == nil {
		attributes = map[string]string{}
	}
	maps.Copy(attributes, record.Attributes)
	c.Attributes = attributes
	if name := record.Text[ingest.Funder]; name != "" && len(c.Funders) <= 1 { // people's own list of funders stays
		f := domain.Funder{}
		if len(c.Funders) == 1 {
			f = c.Funders[0]
		}
		f.DisplayName, f.Programme, f.Grant = name, record.Text[ingest.Programme], r.minor(record.Amount)
		c.Funders = []domain.Funder{f}
	}
	return c
}

func (r *importRun) linePlan(record *ingest.Record) domain.LinePlan {
	return domain.LinePlan{Category: cmp.Or(record.Text[ingest.Category], "OTHER"), Method: domain.RealCost,
		Description: record.Text[ingest.Description], Amount: r.minor(record.Amount)}
}

// change makes a project what its row says now. What people have written beside
// it stays. All rules are asked before anything is written.
func (r *importRun) change(ctx context.Context, tx *sqldb.Tx, record *ingest.Record, has store.ImportedRow) (outcome, error) {
	p, err := store.LockProject(ctx, tx, has.Project)
	if err != nil {
		return outcome{}, err
	}
	was, start := p.Version, p.Start
	event, err := r.revise(ctx, tx, p, r.card(record, p.Card))
	if err != nil {
		return outcome{}, err
	}
	amended, err := r.amend(ctx, tx, p, has.Line, record)
	if err != nil {
		return outcome{}, err
	}
	move, err := r.move(ctx, tx, p, record)
	if err != nil {
		return outcome{}, err
	}
	if err := store.SaveProject(ctx, tx, p, was); err != nil {
		return outcome{}, err
	}
	if err := errors.Join(amended(), move.save(ctx, r.Server, tx)); err != nil {
		return outcome{}, err
	}
	if err := r.tell(ctx, tx, p, append([]domain.Event{event}, move.events...)...); err != nil {
		return outcome{}, err
	}
	if p.Start != start {
		if err := r.recompute(ctx, tx, p); err != nil {
			return outcome{}, err
		}
	}
	r.remember(tx, record, p.ID, has.Line)
	return outcome{updated, p.ID, p.Phase}, r.refresh(ctx, tx, p)
}

// amend changes the amount of the imported budget line; the function that it
// returns stores it.
func (r *importRun) amend(ctx context.Context, tx *sqldb.Tx, p *domain.Project, id string, record *ingest.Record) (func() error, error) {
	line, err := store.Line(ctx, tx, p.ID, id)
	if errs.KindOf(err) == errs.NotFound || err == nil && (line.Amount.Minor == record.Amount || line.Method != domain.RealCost) {
		return func() error { return nil }, nil // people have planned otherwise since
	}
	if err != nil {
		return nil, err
	}
	budget, err := budgetOf(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	plan := line.LinePlan
	plan.Amount, plan.Periods = r.minor(record.Amount), nil
	next, others, err := budget.Revise(id, plan, r.now())
	if err != nil {
		return nil, err
	}
	return func() error {
		if err := store.SaveLine(ctx, tx, next, line.Version); err != nil {
			return err
		}
		return r.planned(ctx, tx, budget, others)
	}, nil
}

// importMove is what a change of phase by an import is to store.
type importMove struct {
	gates    map[domain.GateKey]*domain.Gate
	versions map[domain.GateKey]int64
	moves    []domain.PhaseMove
	events   []domain.Event
}

func (m *importMove) save(ctx context.Context, s *Server, tx *sqldb.Tx) error {
	for _, move := range m.moves {
		store.InsertMove(tx, move)
	}
	for key, g := range m.gates {
		if g.Version == m.versions[key] {
			continue
		}
		if err := store.SaveGate(ctx, tx, g, m.versions[key]); err != nil {
			return err
		}
		s.note(tx, g.History...)
	}
	return nil
}

// move takes a project to the phase of its row, on or back.
func (r *importRun) move(ctx context.Context, tx *sqldb.Tx, p *domain.Project, record *ingest.Record) (*importMove, error) {
	m := &importMove{gates: map[domain.GateKey]*domain.Gate{}, versions: map[domain.GateKey]int64{}}
	to, reason := domain.Phase(record.Text[ingest.Phase]), importReason+r.mapping.GetSource()
	if to == "" || to == p.Phase {
		return m, nil
	}
	if err := r.overtake(ctx, tx, p, reason); err != nil {
		return nil, err
	}
	if to.Before(p.Phase) {
		move, event, err := p.Return(to, actor(ctx), reason, r.now())
		m.moves, m.events = []domain.PhaseMove{move}, []domain.Event{event}
		return m, err
	}
	for _, key := range domain.Gates {
		g, err := store.Gate(ctx, tx, p.ID, key)
		if err != nil {
			return nil, err
		}
		m.gates[key], m.versions[key] = g, g.Version
	}
	var err error
	m.moves, m.events, err = p.PassImported(m.gates, to, actor(ctx), reason, r.now())
	return m, err
}
