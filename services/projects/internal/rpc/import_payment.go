package rpc

import (
	"cmp"
	"context"
	"slices"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/ingest"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// account is a project on which payments of this import are booked.
type account struct {
	project *domain.Project
	line    *domain.Line
	totals  *domain.Totals
}

// accountOf locks and reads the project and the budget line that a payment goes
// on.
func (r *importRun) accountOf(ctx context.Context, tx *sqldb.Tx, row store.ImportedRow) (*account, error) {
	if a := r.paying[row.Project]; a != nil {
		return a, nil
	}
	p, err := store.LockProject(ctx, tx, row.Project)
	if err != nil {
		return nil, err
	}
	line, err := store.Line(ctx, tx, p.ID, row.Line)
	if err != nil {
		return nil, err
	}
	totals, err := store.Totals(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	r.paying[row.Project] = &account{p, line, totals}
	return r.paying[row.Project], nil
}

// pay books a payment as an expenditure on the project's imported line.
func (r *importRun) pay(ctx context.Context, tx *sqldb.Tx, record *ingest.Record, before bool) (outcome, error) {
	targets := r.targets(record)
	if len(targets) > 1 {
		record.Refuse(ingest.ProjectAmbiguous, "CUP", "%d projects have the CUP %s: it is not known which one was paid", len(targets), record.Text[ingest.CUP])
	}
	if before {
		record.Refuse(ingest.KeyRepeated, "", "was imported before with other content: void the expenditure, and import it under another key")
	}
	if record.Refused {
		return outcome{}, nil
	}
	a, err := r.accountOf(ctx, tx, targets[0])
	if err != nil {
		return outcome{}, err
	}
	amount := r.minor(record.Amount)
	e := &domain.Expenditure{ID: r.newID(), Project: a.project.ID, Organisation: a.line.Organisation, RecordedBy: actor(ctx), Cost: domain.Cost{
		Line: a.line.ID, Amount: amount, Description: record.Text[ingest.Description],
		Document: domain.Document{Issuer: record.Text[ingest.DocumentIssuer], Number: number(record), Date: record.Day},
	}}
	within := !a.line.Overspent()
	if err := a.totals.Record(a.project, a.line, e, r.today(), r.now()); err != nil {
		return outcome{}, err
	}
	if within && a.line.Overspent() {
		record.Note(ingest.Overpaid, string(ingest.Money), "with this payment %d minor units are paid, %d were planned", a.line.Spent.Minor, a.line.Amount.Minor)
	}
	store.InsertExpenditure(tx, e)
	r.remember(tx, record, a.project.ID, e.ID)
	return outcome{created, a.project.ID, a.project.Phase}, r.emit(ctx, tx, e.Name(), e.Version, e.Organisation, "", e.Updated,
		&projectsv1.ExpenditureRecorded{Expenditure: eventExpenditure(e), Project: a.project.Name(), ProjectOrganisation: a.project.Lead})
}

// number is the number of a payment's document, at most as long as one may be.
func number(record *ingest.Record) string {
	out := []rune(cmp.Or(record.Text[ingest.DocumentNumber], record.Key))
	return string(out[:min(len(out), 100)])
}

// settle stores what payments have changed of their projects.
func (r *importRun) settle(ctx context.Context, tx *sqldb.Tx) error {
	var paid []string
	for id := range r.paying {
		paid = append(paid, id)
	}
	slices.Sort(paid)
	for _, id := range paid {
		a := r.paying[id]
		store.SaveSpent(tx, a.line)
		store.SaveTotals(tx, a.project, a.totals)
		if err := r.refresh(ctx, tx, a.project); err != nil {
			return err
		}
	}
	return nil
}
