package store

import (
	"context"

	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/claims"
)

// Claims is what lists of claims can be filtered and ordered by.
var Claims = page.New(
	page.Column{Field: "id", SQL: "c.id", Kind: page.String},
	page.Column{Field: "organisation", SQL: "c.organisation", Kind: page.String},
	page.Column{Field: "funder", SQL: "c.funder", Kind: page.String},
	page.Column{Field: "funder_organisation", SQL: "c.funder_organisation", Kind: page.String},
	enum("state", "c.state", "CLAIM_STATE_"),
	page.Column{Field: "period", SQL: "c.period", Kind: page.String},
	page.Column{Field: "start_date", SQL: "c.start_date", Kind: page.String},
	page.Column{Field: "end_date", SQL: "c.end_date", Kind: page.String},
	page.Column{Field: "create_time", SQL: "c.created", Kind: page.Time, Orderable: true},
	page.Column{Field: "submit_time", SQL: "c.submitted", Kind: page.Time, Orderable: true},
)

const claimColumns = `c.id, c.project, p.currency, c.organisation, c.funder, c.funder_organisation, c.period, c.start_date, c.end_date, c.state,
	c.submitted, c.line_count, c.claimed, c.cut, c.parked, c.certified, c.funding, c.paid, c.version, c.created, c.updated, c.doc, p.doc`
const claimTables = `claims c JOIN projects p ON p.id = c.project`

// ClaimView is a claim with what those see of its project who see only the claim.
type ClaimView struct {
	*claims.Claim
	Card domain.Card // of its project: only what is in the card's document
}

func scanClaim(r row) (*ClaimView, error) {
	c := &claims.Claim{}
	v := &ClaimView{Claim: c}
	var s stamp
	var submitted int64
	var text, card string
	if err := r.Scan(&c.ID, &c.Project, &c.Currency, &c.Organisation, &c.Funder, &c.FunderOrganisation, &c.Period, &c.Start, &c.End, &c.State,
		&submitted, &c.Lines, &c.Claimed, &c.Cut, &c.Parked, &c.Certified, &c.Funding, &c.Paid, &s.version, &s.created, &s.updated, &text, &card); err != nil {
		return nil, err
	}
	if submitted > 0 {
		c.SubmittedAt = sqldb.Time(submitted)
	}
	c.Stamp = s.read()
	if err := readDoc(text, c); err != nil {
		return nil, err
	}
	return v, readDoc(card, &v.Card)
}

// Claim reads a claim of a project.
func Claim(ctx context.Context, tx *sqldb.Tx, project, id string) (*ClaimView, error) {
	c, err := scanClaim(tx.QueryRow(ctx, `SELECT `+claimColumns+` FROM `+claimTables+` WHERE c.project = $1 AND c.id = $2`, project, id))
	return c, absent(claims.Name(project, id), err)
}

// CountClaims counts the claims of a partner to a funder.
func CountClaims(ctx context.Context, tx *sqldb.Tx, project, organisation, funder string) (int64, error) {
	var n int64
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM claims WHERE project = $1 AND organisation = $2 AND funder = $3`, project, organisation, funder).Scan(&n)
	return n, err
}

// InsertClaim stores a new claim.
func InsertClaim(tx *sqldb.Tx, c *claims.Claim) {
	tx.Queue(`INSERT INTO claims (id, project, organisation, funder, funder_organisation, period, start_date, end_date, state, seen, submitted,
		line_count, claimed, cut, parked, certified, funding, paid, version, created, updated, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, 0, 0, 0, 0, 0, 0, $11, $12, $13, $14)`,
		c.ID, c.Project, c.Organisation, c.Funder, c.FunderOrganisation, c.Period, c.Start, c.End, c.State, c.State.Standing(),
		c.Version, micros(c.Created), micros(c.Updated), doc(c))
}

// SaveClaim stores a claim that was read at version was.
func SaveClaim(ctx context.Context, tx *sqldb.Tx, c *claims.Claim, was int64) error {
	var submitted int64
	if !c.SubmittedAt.IsZero() {
		submitted = micros(c.SubmittedAt)
	}
	n, err := tx.Exec(ctx, `UPDATE claims SET funder_organisation = $3, state = $4, seen = $5, submitted = $6, line_count = $7, claimed = $8, cut = $9,
		parked = $10, certified = $11, funding = $12, paid = $13, version = $14, updated = $15, doc = $16 WHERE id = $1 AND version = $2`,
		c.ID, was, c.FunderOrganisation, c.State, c.State.Standing(), submitted, c.Lines, c.Claimed, c.Cut,
		c.Parked, c.Certified, c.Funding, c.Paid, c.Version, micros(c.Updated), doc(c))
	return one(c.Name(), n, err)
}

// ClaimScope says which claims a caller sees: those of partners, all in projects
// that they lead, and those that were submitted to funders and stand.
type ClaimScope struct{ Partner, Lead, Funder Scope }

func (s ClaimScope) where(args *[]any) string {
	where := s.Partner("c.organisation", args)
	if where == "1=1" {
		return where
	}
	return "(" + where + " OR " + s.Lead("p.organisation", args) + " OR c.seen AND " + s.Funder("c.funder_organisation", args) + ")"
}

// ListClaims reads a page of the claims in the scope; an empty project is all.
func ListClaims(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, project string, scope ClaimScope) ([]*ClaimView, string, error) {
	q := page.Select{Columns: claimColumns, From: claimTables}
	q.Where = scope.where(&q.Args)
	if project != "" {
		q.Args = append(q.Args, project)
		q.Where = "c.project = " + placeholder(q.Args) + " AND " + q.Where
	}
	return page.List(ctx, tx, plan, q, scanner(scanClaim))
}

// GrantUsed is what a funder owes for the certified claims of a project, but one.
func GrantUsed(ctx context.Context, tx *sqldb.Tx, c *claims.Claim) (int64, error) {
	var n int64
	err := tx.QueryRow(ctx, `SELECT CAST(COALESCE(SUM(funding), 0) AS BIGINT) FROM claims WHERE project = $1 AND funder = $2 AND id <> $3
		AND state IN ('CERTIFIED', 'PAID')`, c.Project, c.Funder, c.ID).Scan(&n)
	return n, err
}

// FunderClaims reads the certified claims of a project to a funder, in the order
// of their numbers.
func FunderClaims(ctx context.Context, tx *sqldb.Tx, project, funder string) ([]*ClaimView, error) {
	return collect(ctx, tx, scanClaim, `SELECT `+claimColumns+` FROM `+claimTables+` WHERE c.project = $1 AND c.funder = $2
		AND c.state IN ('CERTIFIED', 'PAID') ORDER BY c.id`, project, funder)
}

// ClaimEvents is what the list of a claim's events is ordered by.
var ClaimEvents = page.New(page.Column{Field: "sequence", SQL: "h.sequence", Kind: page.Int})

// AddClaimEvent stores a step of a claim's history.
func AddClaimEvent(tx *sqldb.Tx, c *claims.Claim, e claims.Event) {
	tx.Queue(`INSERT INTO claim_events (claim, sequence, happened, doc) VALUES ($1, $2, $3, $4)`, c.ID, e.Sequence, micros(e.At), doc(e))
}

// ListClaimEvents reads a page of a claim's history.
func ListClaimEvents(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, claim string) ([]claims.Event, string, error) {
	q := page.Select{Columns: "h.sequence, h.happened, h.doc", From: "claim_events h", Where: "h.claim = $1", Args: []any{claim}}
	return page.List(ctx, tx, plan, q, scanner(func(r row) (claims.Event, error) {
		var e claims.Event
		var at int64
		var text string
		if err := r.Scan(&e.Sequence, &at, &text); err != nil {
			return e, err
		}
		e.At = sqldb.Time(at)
		return e, readDoc(text, &e)
	}))
}

// ClaimFindings is what the list of a claim's findings is ordered by.
var ClaimFindings = page.New(page.Column{Field: "sequence", SQL: "f.sequence", Kind: page.Int})

// ReplaceFindings stores what was found in a claim as it was submitted.
func ReplaceFindings(tx *sqldb.Tx, claim string, findings []claims.Finding) {
	tx.Queue(`DELETE FROM claim_findings WHERE claim = $1`, claim)
	for i, f := range findings {
		severity := "WARN"
		if f.Block {
			severity = "BLOCK"
		}
		tx.Queue(`INSERT INTO claim_findings (claim, sequence, severity, doc) VALUES ($1, $2, $3, $4)`, claim, int64(i+1), severity, doc(f))
	}
}

// ListClaimFindings reads a page of what was found in a claim.
func ListClaimFindings(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, claim string) ([]claims.Finding, string, error) {
	q := page.Select{Columns: "f.severity, f.doc", From: "claim_findings f", Where: "f.claim = $1", Args: []any{claim}}
	return page.List(ctx, tx, plan, q, scanner(func(r row) (claims.Finding, error) {
		var f claims.Finding
		var severity, text string
		if err := r.Scan(&severity, &text); err != nil {
			return f, err
		}
		f.Block = severity == "BLOCK"
		return f, readDoc(text, &f)
	}))
}
