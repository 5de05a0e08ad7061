package store

import (
	"context"

	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// Expenditures is what lists of expenditures can be filtered and ordered by.
var Expenditures = page.New(
	page.Column{Field: "id", SQL: "e.id", Kind: page.String},
	page.Column{Field: "organisation", SQL: "e.organisation", Kind: page.String},
	page.Column{Field: "budget_line", SQL: "'projects/' || e.project || '/budgetLines/' || e.line", Kind: page.String},
	enum("state", "e.state", "EXPENDITURE_STATE_"),
	page.Column{Field: "document_date", SQL: "e.document_date", Kind: page.String, Orderable: true},
	page.Column{Field: "create_time", SQL: "e.created", Kind: page.Time, Orderable: true},
)

const expenditureColumns = `e.id, e.project, e.organisation, e.line, e.document_date, e.document_total, e.amount, e.reported, e.certified, e.paid,
	e.reported_date, e.certified_date, p.currency, e.state, e.version, e.created, e.updated, e.doc`
const expenditureTables = `expenditures e JOIN projects p ON p.id = e.project`

const (
	recorded = "RECORDED"
	voided   = "VOIDED"
)

func expenditureState(e *domain.Expenditure) string {
	if e.Void {
		return voided
	}
	return recorded
}

func scanExpenditure(r row) (*domain.Expenditure, error) {
	e := &domain.Expenditure{}
	var s stamp
	var currency, state, text string
	if err := r.Scan(&e.ID, &e.Project, &e.Organisation, &e.Line, &e.Document.Date, &e.Document.Gross.Minor, &e.Amount.Minor,
		&e.Reported.Minor, &e.Certified.Minor, &e.Paid.Minor, &e.ReportedDate, &e.CertifiedDate, &currency, &state,
		&s.version, &s.created, &s.updated, &text); err != nil {
		return nil, err
	}
	e.Amount.Currency, e.Document.Gross.Currency = currency, currency
	e.Reported.Currency, e.Certified.Currency, e.Paid.Currency = currency, currency, currency
	e.Void = state == voided
	e.Stamp = s.read()
	return e, readDoc(text, e)
}

// Expenditure reads an expenditure of a project.
func Expenditure(ctx context.Context, tx *sqldb.Tx, project, id string) (*domain.Expenditure, error) {
	e, err := scanExpenditure(tx.QueryRow(ctx, `SELECT `+expenditureColumns+` FROM `+expenditureTables+` WHERE e.project = $1 AND e.id = $2`, project, id))
	return e, absent(domain.ExpenditureName(project, id), err)
}

// InsertExpenditure stores a new expenditure.
func InsertExpenditure(tx *sqldb.Tx, e *domain.Expenditure) {
	d := e.Identity()
	tx.Queue(`INSERT INTO expenditures (id, project, organisation, line, document_date, document, document_key, document_paper, document_total, amount, state,
		version, created, updated, doc) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		e.ID, e.Project, e.Organisation, e.Line, e.Document.Date, d.Base(), d.Key(), d.Paper(), e.Document.Gross.Minor, e.Amount.Minor,
		expenditureState(e), e.Version, micros(e.Created), micros(e.Updated), doc(e))
}

// SaveExpenditure stores an expenditure that was read at version was.
func SaveExpenditure(ctx context.Context, tx *sqldb.Tx, e *domain.Expenditure, was int64) error {
	d := e.Identity()
	n, err := tx.Exec(ctx, `UPDATE expenditures SET line = $3, document_date = $4, document = $5, document_key = $6, document_paper = $7, document_total = $8, amount = $9,
		state = $10, version = $11, updated = $12, doc = $13 WHERE id = $1 AND version = $2`,
		e.ID, was, e.Line, e.Document.Date, d.Base(), d.Key(), d.Paper(), e.Document.Gross.Minor, e.Amount.Minor,
		expenditureState(e), e.Version, micros(e.Updated), doc(e))
	return one(e.Name(), n, err)
}

// ListExpenditures reads a page of a project's expenditures that are in the
// scope.
func ListExpenditures(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, project string, scope CostScope) ([]*domain.Expenditure, string, error) {
	q := page.Select{Columns: expenditureColumns, From: expenditureTables, Args: []any{project}}
	q.Where = "e.project = $1 AND (" + scope.expenditures(&q.Args) + ")"
	return page.List(ctx, tx, plan, q, scanner(scanExpenditure))
}

// CostScope says whose costs a caller sees: those of partners, and those that
// were submitted to funders.
type CostScope struct{ Partner, Funder Scope }

func (s CostScope) expenditures(args *[]any) string {
	where := s.Partner("e.organisation", args)
	if where == "1=1" {
		return where
	}
	return where + ` OR EXISTS (SELECT 1 FROM claim_lines l JOIN claims c ON c.id = l.claim WHERE l.expenditure = e.id AND c.seen AND ` +
		s.Funder("c.funder_organisation", args) + `)`
}

// ShownTo reports whether an expenditure is in a claim that was submitted to a
// funder of the scope.
func ShownTo(ctx context.Context, tx *sqldb.Tx, expenditure string, scope Scope) (bool, error) {
	args := []any{expenditure}
	found, err := collect(ctx, tx, text, `SELECT c.id FROM claim_lines l JOIN claims c ON c.id = l.claim
		WHERE l.expenditure = $1 AND c.seen AND `+scope("c.funder_organisation", &args)+` LIMIT 1`, args...)
	return len(found) > 0, err
}

// AnyShownTo reports whether a claim of a project was submitted to a funder of
// the scope.
func AnyShownTo(ctx context.Context, tx *sqldb.Tx, project string, scope Scope) (bool, error) {
	args := []any{project}
	found, err := collect(ctx, tx, text, `SELECT c.id FROM claims c WHERE c.project = $1 AND c.seen AND `+scope("c.funder_organisation", &args)+` LIMIT 1`, args...)
	return len(found) > 0, err
}

// StandingClaims names the claims that were submitted, stand, and hold an
// expenditure. One whose control is over does not hold what it has parked: that
// is parked so that its partner can put it right.
func StandingClaims(ctx context.Context, tx *sqldb.Tx, expenditure string) ([]string, error) {
	return collect(ctx, tx, text, `SELECT 'projects/' || c.project || '/claims/' || c.id FROM claim_lines l JOIN claims c ON c.id = l.claim
		WHERE l.expenditure = $1 AND c.state IN (`+standing+`) AND NOT (c.state IN ('CERTIFIED', 'PAID') AND l.state IN ('PARKED', 'REINCLUDED'))
		ORDER BY c.id`, expenditure)
}

// standing are the states of claims that were submitted and stand.
const standing = `'SUBMITTED', 'IN_CONTROL', 'CERTIFIED', 'PAID'`

// mostSame is how many expenditures with the same document are read.
const mostSame = 1000

// SameDocuments reads the other recorded expenditures, in the whole network, with
// a document of the same issuer, number and date, or of the same number, date and
// total where the issuer of one is known by name only.
func SameDocuments(ctx context.Context, tx *sqldb.Tx, e *domain.Expenditure) ([]domain.SameDocument, error) {
	base := e.Identity().Base()
	if base == "" {
		return nil, nil
	}
	out, err := collect(ctx, tx, scanSame, sameColumns+` WHERE e.document = $1 AND e.document <> '' AND e.id <> $2 AND e.state = 'RECORDED' ORDER BY e.id LIMIT $3`,
		base, e.ID, int64(mostSame))
	if err != nil {
		return nil, err
	}
	papers, err := collect(ctx, tx, scanSame, sameColumns+` WHERE e.document_paper = $1 AND e.document_paper <> '' AND e.document <> '' AND e.document <> $2
		AND (substr(e.document, 1, 1) = '~' OR substr($2, 1, 1) = '~') AND e.id <> $3 AND e.state = 'RECORDED' ORDER BY e.id LIMIT $4`,
		e.Identity().Paper(), base, e.ID, int64(mostSame))
	return append(out, papers...), err
}
