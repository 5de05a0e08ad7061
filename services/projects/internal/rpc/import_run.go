package rpc

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/money"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/funding"
	"github.com/trama-suite/trama/services/projects/internal/domain/ingest"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// maxAttributes is how many attributes a project may have.
const maxAttributes = 30

// importReason is why imported projects pass gates.
const importReason = "imported in this phase from "

// importRun is one import in its transaction.
type importRun struct {
	*Server
	mapping  *projectsv1.ProjectImportMapping
	kind     ingest.Kind
	currency string
	leads    map[string]string // organisations by tax code; empty: not in the catalogue
	records  []*ingest.Record
	outcomes []outcome                      // of records
	known    map[string]store.ImportedRow   // by key
	byCUP    map[string][]store.ImportedRow // projects of the source
	template *domain.Template
	paying   map[string]*account // by project
}

// outcome is what became of a record.
type outcome struct {
	what    projectsv1.ProjectImportOutcome
	project string // id
	phase   domain.Phase
}

const (
	created   = projectsv1.ProjectImportOutcome_PROJECT_IMPORT_OUTCOME_CREATED
	updated   = projectsv1.ProjectImportOutcome_PROJECT_IMPORT_OUTCOME_UPDATED
	unchanged = projectsv1.ProjectImportOutcome_PROJECT_IMPORT_OUTCOME_UNCHANGED
	refused   = projectsv1.ProjectImportOutcome_PROJECT_IMPORT_OUTCOME_REFUSED
)

func newImportRun(s *Server, m *projectsv1.ProjectImportMapping, leads map[string]string) *importRun {
	return &importRun{Server: s, mapping: m, kind: mappingOf(m).Rows, currency: cmp.Or(m.GetCurrencyCode(), "EUR"), leads: leads, paying: map[string]*account{}}
}

// take takes all records. Only a failure of the database is an error: what is
// wrong with a record is in its findings.
func (r *importRun) take(ctx context.Context, tx *sqldb.Tx) error {
	if err := r.load(ctx, tx); err != nil {
		return err
	}
	for _, record := range r.records {
		out := outcome{what: refused}
		if !record.Refused {
			var err error
			if out, err = r.one(ctx, tx, record); err != nil {
				e, wrong := errors.AsType[*errs.Error](err)
				if !wrong || e.Kind != errs.Invalid && e.Kind != errs.FailedPrecondition {
					return err
				}
				out = outcome{what: refused}
				record.Refuse(ingest.Rule, ruleField(e), "%s: %s", e.Reason, ruleText(e))
			}
		}
		if record.Refused {
			out = outcome{what: refused}
		}
		r.outcomes = append(r.outcomes, out)
	}
	return r.settle(ctx, tx)
}

func ruleField(e *errs.Error) string {
	if len(e.Fields) > 0 {
		return e.Fields[0].Path
	}
	return ""
}

func ruleText(e *errs.Error) string {
	if len(e.Fields) > 0 {
		return e.Fields[0].Description
	}
	return e.Message
}

// load reads what the records are about.
func (r *importRun) load(ctx context.Context, tx *sqldb.Tx) (err error) {
	var keys, cups []string
	for _, record := range r.records {
		if !record.Refused {
			keys = append(keys, record.Key)
			cups = append(cups, record.Text[ingest.CUP])
		}
	}
	if r.known, err = store.ImportedByKey(ctx, tx, r.mapping.GetSource(), string(r.kind), keys); err != nil {
		return err
	}
	if r.kind == ingest.Projects {
		r.template, err = store.Template(ctx, tx, domain.DefaultTemplateID)
		return err
	}
	slices.Sort(cups)
	r.byCUP, err = store.ImportedByCUP(ctx, tx, r.mapping.GetSource(), slices.Compact(cups))
	return err
}

func (r *importRun) one(ctx context.Context, tx *sqldb.Tx, record *ingest.Record) (outcome, error) {
	has, before := r.known[record.Key]
	if before && has.Hash == record.Hash() {
		return outcome{unchanged, has.Project, has.Phase}, nil
	}
	switch r.kind {
	case ingest.Projects:
		if before {
			return r.change(ctx, tx, record, has)
		}
		return r.create(ctx, tx, record)
	case ingest.Details:
		return r.detail(ctx, tx, record, before)
	default:
		return r.pay(ctx, tx, record, before)
	}
}

// remember notes what a record has become.
func (r *importRun) remember(tx *sqldb.Tx, record *ingest.Record, project, line string) {
	store.SaveImported(tx, store.ImportedRow{Source: r.mapping.GetSource(), Kind: string(r.kind), Key: record.Key, Hash: record.Hash(),
		CUP: record.Text[ingest.CUP], Project: project, Line: line})
}

func (r *importRun) minor(amount int64) money.Amount {
	return money.Amount{Minor: amount, Currency: r.currency}
}

// targets are the projects that a row of details or payments is about.
func (r *importRun) targets(record *ingest.Record) []store.ImportedRow {
	found := r.byCUP[record.Text[ingest.CUP]]
	if len(found) == 0 {
		record.Refuse(ingest.ProjectUnknown, "CUP", "no project of the source %s has the CUP %s", r.mapping.GetSource(), record.Text[ingest.CUP])
	}
	return found
}

// detail gives attributes to the projects that have a CUP.
func (r *importRun) detail(ctx context.Context, tx *sqldb.Tx, record *ingest.Record, before bool) (outcome, error) {
	targets := r.targets(record)
	if len(targets) > 1 {
		record.Note(ingest.CUPRepeated, "CUP", "%d projects have the CUP %s: all of them get the attributes", len(targets), record.Text[ingest.CUP])
	}
	var revised []func() error
	for _, target := range targets {
		p, err := store.LockProject(ctx, tx, target.Project)
		if err != nil {
			return outcome{}, err
		}
		card := p.Card
		card.Attributes = maps.Clone(card.Attributes)
		if card.Attributes == nil {
			card.Attributes = map[string]string{}
		}
		maps.Copy(card.Attributes, record.Attributes)
		if maps.Equal(card.Attributes, p.Attributes) {
			continue
		}
		was := p.Version
		event, err := r.revise(ctx, tx, p, card)
		if err != nil {
			return outcome{}, err
		}
		revised = append(revised, func() error {
			if err := store.SaveProject(ctx, tx, p, was); err != nil {
				return err
			}
			return r.tell(ctx, tx, p, event)
		})
	}
	for _, save := range revised { // once no project refuses
		if err := save(); err != nil {
			return outcome{}, err
		}
	}
	if record.Refused {
		return outcome{}, nil
	}
	out := outcome{what: created}
	if before {
		out.what = updated
	}
	if len(targets) == 1 {
		out.project = targets[0].Project
	}
	r.remember(tx, record, out.project, "")
	return out, nil
}

// revise changes a project's card, and stores nothing.
func (r *importRun) revise(ctx context.Context, tx *sqldb.Tx, p *domain.Project, card domain.Card) (domain.Event, error) {
	if err := fewAttributes(card); err != nil {
		return domain.Event{}, err
	}
	use, err := store.UseOf(ctx, tx, p.ID)
	if err != nil {
		return domain.Event{}, err
	}
	return p.Revise(card, use, r.now())
}

func fewAttributes(card domain.Card) error {
	if len(card.Attributes) > maxAttributes {
		return errs.InvalidField(domain.MappingWrong, "attributes", "would be %d, more than %d", len(card.Attributes), maxAttributes)
	}
	return nil
}

// report is what the caller reads of the import.
func (r *importRun) report() (*projectsv1.ImportProjectsResponse, error) {
	out := &projectsv1.ImportProjectsResponse{}
	var all, taken, not int64
	phases := map[domain.Phase]int32{}
	for i, record := range r.records {
		o := r.outcomes[i]
		line := &projectsv1.ProjectImportLine{Line: record.Line, Key: record.Key, Outcome: o.what}
		if o.project != "" {
			line.Project = ids.Name("projects", o.project)
		}
		into := &taken
		switch o.what {
		case created:
			out.Created++
		case updated:
			out.Updated++
		case unchanged:
			out.Unchanged++
		default:
			out.Refused++
			into = &not
		}
		if record.HasAmount {
			line.Amount = moneyProto(r.minor(record.Amount))
			var e1, e2 error
			all, e1 = funding.Add(all, record.Amount)
			*into, e2 = funding.Add(*into, record.Amount)
			if err := errors.Join(e1, e2); err != nil {
				return nil, errs.InvalidField(domain.TableWrong, "table", "the sum of the amounts does not fit: %s", err)
			}
		}
		if o.what != refused {
			phases[o.phase]++
			if len(record.Findings) > 0 {
				out.Odd++
			}
		}
		for _, f := range record.Findings {
			line.Findings = append(line.Findings, &projectsv1.ProjectImportFinding{Field: f.Field, Description: f.Text,
				Reason: value[projectsv1.ProjectImportReason](projectsv1.ProjectImportReason_value, "PROJECT_IMPORT_REASON_", f.Reason)})
		}
		out.Lines = append(out.Lines, line)
	}
	out.Total = int32(len(r.records))
	out.Amount, out.AmountTaken, out.AmountRefused = moneyProto(r.minor(all)), moneyProto(r.minor(taken)), moneyProto(r.minor(not))
	if r.kind == ingest.Projects {
		for _, phase := range domain.Phases {
			out.Phases = append(out.Phases, &projectsv1.ProjectImportPhaseCount{Phase: phaseProto(phase), ProjectCount: phases[phase]})
		}
	}
	return out, nil
}
