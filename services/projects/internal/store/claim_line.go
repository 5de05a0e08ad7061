package store

import (
	"context"
	"strings"

	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/claims"
)

// ClaimLines is what lists of a claim's lines can be filtered by.
var ClaimLines = page.New(
	page.Column{Field: "id", SQL: "l.id", Kind: page.String},
	enum("state", "l.state", "CLAIM_LINE_STATE_"),
	enum("category", "l.category", "COST_CATEGORY_"),
	page.Column{Field: "budget_line", SQL: "'projects/' || l.project || '/budgetLines/' || l.budget_line", Kind: page.String},
	page.Column{Field: "expenditure", SQL: "COALESCE('projects/' || l.project || '/expenditures/' || l.expenditure, '')", Kind: page.String},
)

const claimLineColumns = `l.id, l.claim, COALESCE(l.expenditure, ''), l.budget_line, l.category, l.state, l.claimed, l.cut, l.parked, l.funding, l.paid, l.version, l.doc`

func claimLineInto(l *claims.Line, text *string) []any {
	return []any{&l.ID, &l.Claim, &l.Expenditure, &l.BudgetLine, &l.Category, &l.State, &l.Claimed, &l.Cut, &l.ParkedSum, &l.Funding, &l.Paid, &l.Version, text}
}

func scanClaimLine(r row) (*claims.Line, error) {
	l := &claims.Line{}
	var text string
	if err := r.Scan(claimLineInto(l, &text)...); err != nil {
		return nil, err
	}
	return l, readLineDoc(text, l)
}

// readLineDoc reads what has no column; of a line of which nothing was decided
// that is nothing.
func readLineDoc(text string, l *claims.Line) error {
	if text == "{}" {
		return nil
	}
	return readDoc(text, l)
}

// ClaimLine reads a line of a claim.
func ClaimLine(ctx context.Context, tx *sqldb.Tx, project, claim, id string) (*claims.Line, error) {
	l, err := scanClaimLine(tx.QueryRow(ctx, `SELECT `+claimLineColumns+` FROM claim_lines l WHERE l.project = $1 AND l.claim = $2 AND l.id = $3`, project, claim, id))
	return l, absent(claims.LineName(project, claim, id), err)
}

// AllClaimLines reads the lines of a claim, in their order.
func AllClaimLines(ctx context.Context, tx *sqldb.Tx, claim string) ([]*claims.Line, error) {
	return collect(ctx, tx, scanClaimLine, `SELECT `+claimLineColumns+` FROM claim_lines l WHERE l.claim = $1 ORDER BY l.id`, claim)
}

// FlatClaimLines reads the computed lines of a claim.
func FlatClaimLines(ctx context.Context, tx *sqldb.Tx, claim string) ([]*claims.Line, error) {
	return collect(ctx, tx, scanClaimLine, `SELECT `+claimLineColumns+` FROM claim_lines l WHERE l.claim = $1 AND l.expenditure IS NULL ORDER BY l.id`, claim)
}

// ListClaimLines reads a page of a claim's lines.
func ListClaimLines(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, claim string) ([]*claims.Line, string, error) {
	return page.List(ctx, tx, plan, page.Select{Columns: claimLineColumns, From: "claim_lines l", Where: "l.claim = $1", Args: []any{claim}}, scanner(scanClaimLine))
}

// insertLinesAtOnce is how many lines one statement stores.
const insertLinesAtOnce = 50

// InsertClaimLines stores new lines of a claim.
func InsertClaimLines(tx *sqldb.Tx, c *claims.Claim, lines []*claims.Line) {
	for len(lines) > 0 {
		batch := lines[:min(len(lines), insertLinesAtOnce)]
		lines = lines[len(batch):]
		var args []any
		var rows strings.Builder
		for i, l := range batch {
			var expenditure any
			if l.Expenditure != "" {
				expenditure = l.Expenditure
			}
			if i > 0 {
				rows.WriteString(", ")
			}
			for j, x := range []any{l.ID, l.Claim, c.Project, c.Funder, expenditure, l.BudgetLine, l.Category, l.State,
				l.Claimed, l.Cut, l.ParkedSum, l.Funding, l.Paid, l.Version, doc(l)} {
				args = append(args, x)
				rows.WriteString(map[bool]string{true: "(", false: ", "}[j == 0] + placeholder(args))
			}
			rows.WriteByte(')')
		}
		tx.Queue(`INSERT INTO claim_lines (id, claim, project, funder, expenditure, budget_line, category, state, claimed, cut, parked, funding, paid, version, doc)
			VALUES `+rows.String(), args...)
	}
}

// SaveClaimLine stores a line, under its project's lock.
func SaveClaimLine(tx *sqldb.Tx, l *claims.Line) {
	tx.Queue(`UPDATE claim_lines SET budget_line = $2, category = $3, state = $4, claimed = $5, cut = $6, parked = $7, funding = $8, paid = $9,
		version = $10, doc = $11 WHERE id = $1`,
		l.ID, l.BudgetLine, l.Category, l.State, l.Claimed, l.Cut, l.ParkedSum, l.Funding, l.Paid, l.Version, doc(l))
}

// DeleteClaimLine deletes a line, under its project's lock.
func DeleteClaimLine(tx *sqldb.Tx, id string) {
	tx.Queue(`DELETE FROM claim_lines WHERE id = $1`, id)
}

// ClaimBase sums up what a claim's lines hold on each budget line, the computed
// ones left out.
func ClaimBase(ctx context.Context, tx *sqldb.Tx, claim string) ([]claims.Base, error) {
	return collect(ctx, tx, func(r row) (claims.Base, error) {
		var b claims.Base
		err := r.Scan(&b.BudgetLine, &b.Category, &b.Claimed, &b.Accepted, &b.Parked)
		return b, err
	}, `SELECT budget_line, category, CAST(SUM(claimed) AS BIGINT), CAST(SUM(claimed - cut - parked) AS BIGINT), CAST(SUM(parked) AS BIGINT)
		FROM claim_lines WHERE claim = $1 AND expenditure IS NOT NULL GROUP BY budget_line, category ORDER BY budget_line`, claim)
}

// held is what a claim's line keeps of its expenditure from other claims to the
// same funder: once it is certified, no longer what was parked.
const held = `CASE WHEN c.state IN ('CERTIFIED', 'PAID') THEN l.claimed - l.parked ELSE l.claimed END`

// reportedSum is what counts as reported of a line of a claim that stands: once it is
// certified, only what was accepted.
const reportedSum = `CASE WHEN c.state IN ('CERTIFIED', 'PAID') THEN l.claimed - l.cut - l.parked ELSE l.claimed END`

const availableColumns = expenditureColumns + `, b.category, b.method,
	(SELECT CAST(COALESCE(SUM(` + held + `), 0) AS BIGINT) FROM claim_lines l JOIN claims c ON c.id = l.claim
		WHERE l.expenditure = e.id AND c.funder = $2 AND c.id <> $3 AND c.state <> 'WITHDRAWN'),
	(SELECT COUNT(*) FROM claim_lines l WHERE l.expenditure = e.id AND l.claim = $3),
	COALESCE((SELECT MAX('projects/' || c.project || '/claims/' || c.id || '/lines/' || l.id) FROM claim_lines l JOIN claims c ON c.id = l.claim
		WHERE l.expenditure = e.id AND c.funder = $2 AND c.id <> $3 AND c.state IN ('CERTIFIED', 'PAID') AND l.state = 'PARKED'), '')`

func scanAvailable(r row) (*claims.Available, error) {
	a := &claims.Available{}
	var method domain.Method
	var inside int64
	e, err := scanExpenditure(scanFunc(func(dest ...any) error {
		return r.Scan(append(dest, &a.Category, &method, &a.Claimed, &inside, &a.ParkedIn)...)
	}))
	a.Expenditure, a.Flat, a.Inside = e, method == domain.FlatRate, inside > 0
	return a, err
}

// AvailableFor reads an expenditure of a claim's project with what other claims
// to the same funder hold of it; the error is sqldb.ErrNoRows where there is none.
func AvailableFor(ctx context.Context, tx *sqldb.Tx, c *claims.Claim, expenditure string) (*claims.Available, error) {
	return scanAvailable(tx.QueryRow(ctx, `SELECT `+availableColumns+` FROM `+expenditureTables+` JOIN budget_lines b ON b.id = e.line
		WHERE e.project = $1 AND e.id = $4`, c.Project, c.Funder, c.ID, expenditure))
}

// Collectable reads the recorded expenditures of a claim's partner whose document
// is of its days, and those of before that an earlier claim has parked.
func Collectable(ctx context.Context, tx *sqldb.Tx, c *claims.Claim) ([]*claims.Available, error) {
	return collect(ctx, tx, scanAvailable, `SELECT `+availableColumns+` FROM `+expenditureTables+` JOIN budget_lines b ON b.id = e.line
		WHERE e.project = $1 AND e.organisation = $4 AND e.state = 'RECORDED' AND e.document_date <= $6 AND (e.document_date >= $5
			OR EXISTS (SELECT 1 FROM claim_lines l JOIN claims c ON c.id = l.claim WHERE l.expenditure = e.id AND c.funder = $2
				AND c.state IN ('CERTIFIED', 'PAID') AND l.state = 'PARKED'))
		ORDER BY e.document_date, e.id LIMIT $7`, c.Project, c.Funder, c.ID, c.Organisation, c.Start, c.End, int64(claims.MaxLines+1))
}
