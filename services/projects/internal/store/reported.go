package store

import (
	"context"

	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/claims"
)

// SettleReported brings what is reported, certified and paid of a claim's
// expenditures, and of its project, in step with the claims, after one of its
// lines or its state changed. Where several funders were shown the same cost,
// the most that one of them was shown counts.
func SettleReported(ctx context.Context, tx *sqldb.Tx, c *claims.Claim, today civil.Date) error {
	most := func(sum, states string) string {
		return `COALESCE((SELECT MAX(x.s) FROM (SELECT CAST(SUM(` + sum + `) AS BIGINT) AS s FROM claim_lines l JOIN claims c ON c.id = l.claim
			WHERE l.expenditure = expenditures.id AND c.state IN (` + states + `) GROUP BY c.funder) x), 0)`
	}
	const final = `'CERTIFIED', 'PAID'`
	ours := ` WHERE id IN (SELECT expenditure FROM claim_lines WHERE claim = $1 AND expenditure IS NOT NULL)`
	if _, err := tx.Exec(ctx, `UPDATE expenditures SET reported = `+most(reportedSum, standing)+`, certified = `+most(`l.claimed - l.cut - l.parked`, final)+`,
		paid = COALESCE((SELECT CAST(SUM(l.paid) AS BIGINT) FROM claim_lines l WHERE l.expenditure = expenditures.id), 0)`+ours, c.ID); err != nil {
		return err
	}
	tx.Queue(`UPDATE expenditures SET reported_date = CASE WHEN reported = 0 THEN '' WHEN reported_date = '' THEN $2 ELSE reported_date END,
		certified_date = CASE WHEN certified = 0 THEN '' WHEN certified_date = '' THEN $2 ELSE certified_date END`+ours, c.ID, today)
	flat := func(sum, states string) string {
		return `COALESCE((SELECT CAST(SUM(y.m) AS BIGINT) FROM (SELECT MAX(x.s) AS m FROM (SELECT l.budget_line, c.funder, CAST(SUM(` + sum + `) AS BIGINT) AS s
			FROM claims c JOIN claim_lines l ON l.claim = c.id WHERE c.project = $1 AND l.expenditure IS NULL AND c.state IN (` + states + `)
			GROUP BY l.budget_line, c.funder) x GROUP BY x.budget_line) y), 0)`
	}
	var reported, certified, paid int64
	if err := tx.QueryRow(ctx, `SELECT CAST(COALESCE(SUM(reported), 0) AS BIGINT) + `+flat(reportedSum, standing)+`,
		CAST(COALESCE(SUM(certified), 0) AS BIGINT) + `+flat(`l.claimed - l.cut - l.parked`, final)+`,
		COALESCE((SELECT CAST(SUM(paid) AS BIGINT) FROM claims WHERE project = $1), 0) FROM expenditures WHERE project = $1`, c.Project).
		Scan(&reported, &certified, &paid); err != nil {
		return err
	}
	tx.Queue(`UPDATE projects SET reported = $2, certified = $3, paid = $4 WHERE id = $1`, c.Project, reported, certified, paid)
	return nil
}

// ofClaim selects the documents of a claim's expenditures. Who looks for documents
// says too that they are not empty: the databases use the partial index only then.
const ofClaim = `SELECT e.document_key FROM claim_lines l JOIN expenditures e ON e.id = l.expenditure WHERE l.claim = $1 AND e.document_key <> ''`

// LockDocuments takes the lock on what is claimed of a claim's documents, in the
// whole network, until the transaction ends. Who holds it sees all that others
// have claimed.
func LockDocuments(ctx context.Context, tx *sqldb.Tx, c *claims.Claim) error {
	if _, err := tx.Exec(ctx, `INSERT INTO claimed_documents (document_key, total, claimed)
		SELECT DISTINCT e.document_key, e.document_total, 0 FROM claim_lines l JOIN expenditures e ON e.id = l.expenditure
		WHERE l.claim = $1 AND e.document_key <> '' ORDER BY e.document_key ON CONFLICT (document_key) DO NOTHING`, c.ID); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE claimed_documents SET locks = locks + 1 WHERE document_key IN (`+ofClaim+`)`, c.ID)
	return err
}

// SettleDocuments brings what is claimed of a claim's documents in step with what
// is reported of the expenditures, under the lock on them.
func SettleDocuments(ctx context.Context, tx *sqldb.Tx, c *claims.Claim) error {
	_, err := tx.Exec(ctx, `UPDATE claimed_documents SET claimed = (SELECT CAST(COALESCE(SUM(x.reported), 0) AS BIGINT) FROM expenditures x
		WHERE x.document_key = claimed_documents.document_key AND x.document_key <> '') WHERE document_key IN (`+ofClaim+`)`, c.ID)
	return err
}

// CheckedLines reads all lines of a claim with what they are checked by.
func CheckedLines(ctx context.Context, tx *sqldb.Tx, c *claims.Claim) ([]*claims.Subject, error) {
	out, err := collect(ctx, tx, func(r row) (*claims.Subject, error) {
		x := &claims.Subject{Line: &claims.Line{}}
		var text string
		dest := claimLineInto(x.Line, &text)
		var err error
		x.Expenditure, err = scanExpenditure(scanFunc(func(more ...any) error { return r.Scan(append(dest, more...)...) }))
		if err != nil {
			return nil, err
		}
		return x, readLineDoc(text, x.Line)
	}, `SELECT `+claimLineColumns+`, `+expenditureColumns+` FROM claim_lines l JOIN expenditures e ON e.id = l.expenditure
		JOIN projects p ON p.id = e.project WHERE l.claim = $1 ORDER BY l.id`, c.ID)
	if err != nil {
		return nil, err
	}
	at := make(map[string]*claims.Subject, len(out))
	for _, x := range out {
		at[x.Line.Expenditure] = x
	}
	if err := elsewhere(ctx, tx, c, at); err != nil {
		return nil, err
	}
	flats, err := FlatClaimLines(ctx, tx, c.ID)
	for _, l := range flats {
		out = append(out, &claims.Subject{Line: l})
	}
	return out, err
}

// elsewhere fills in what other claims hold.
func elsewhere(ctx context.Context, tx *sqldb.Tx, c *claims.Claim, at map[string]*claims.Subject) error {
	if _, err := collect(ctx, tx, func(r row) (bool, error) {
		var id string
		var held, standing int64
		if err := r.Scan(&id, &held, &standing); err != nil {
			return false, err
		}
		at[id].Held, at[id].Standing = held, standing
		return true, nil
	}, `SELECT l.expenditure, CAST(SUM(`+held+`) AS BIGINT), CAST(SUM(CASE WHEN c.state IN (`+standing+`) THEN `+reportedSum+` ELSE 0 END) AS BIGINT)
		FROM claim_lines x JOIN claim_lines l ON l.expenditure = x.expenditure JOIN claims c ON c.id = l.claim
		WHERE x.claim = $1 AND l.claim <> $1 AND c.funder = $2 AND c.state <> 'WITHDRAWN' GROUP BY l.expenditure`, c.ID, c.Funder); err != nil {
		return err
	}
	claimed := map[string]int64{}
	_, err := collect(ctx, tx, func(r row) (bool, error) {
		var key string
		var sum int64
		err := r.Scan(&key, &sum)
		claimed[key] = sum
		return true, err
	}, `SELECT x.document_key, CAST(SUM(x.reported) AS BIGINT) FROM expenditures x WHERE x.document_key IN (`+ofClaim+`) AND x.document_key <> '' AND x.reported > 0 GROUP BY x.document_key`, c.ID)
	for _, x := range at {
		x.ClaimedAll = claimed[x.Expenditure.Identity().Key()]
	}
	return err
}

// Funded sums up, by the expenditures of a claim, what funders owe for them by
// other claims that stand: what was certified, and of what is not yet the share.
func Funded(ctx context.Context, tx *sqldb.Tx, c *claims.Claim) (map[string]int64, error) {
	out := map[string]int64{}
	_, err := collect(ctx, tx, func(r row) (bool, error) {
		var l claims.Line
		var state claims.State
		var text string
		if err := r.Scan(append(claimLineInto(&l, &text), &state)...); err != nil {
			return false, err
		}
		owed := l.Funding
		if !state.Final() {
			err := readLineDoc(text, &l)
			if err == nil {
				owed, err = l.Owed()
			}
			if err != nil {
				return false, err
			}
		}
		out[l.Expenditure] += owed
		return true, nil
	}, `SELECT `+claimLineColumns+`, c.state FROM claim_lines x JOIN claim_lines l ON l.expenditure = x.expenditure JOIN claims c ON c.id = l.claim
		WHERE x.claim = $1 AND l.claim <> $1 AND c.state IN (`+standing+`)`, c.ID)
	return out, err
}

// ClaimedWith reads the expenditures of which something is reported and whose
// document is the one of a key.
func ClaimedWith(ctx context.Context, tx *sqldb.Tx, key string) ([]domain.SameDocument, error) {
	return collect(ctx, tx, scanSame, sameColumns+` WHERE e.document_key = $1 AND e.document_key <> '' AND e.reported > 0 ORDER BY e.id LIMIT $2`, key, int64(mostSame))
}

// OtherTotals reads, by the id of a claim's expenditure, the recorded
// expenditures with a document of the same issuer, number and date but another
// total.
func OtherTotals(ctx context.Context, tx *sqldb.Tx, c *claims.Claim) (map[string][]domain.SameDocument, error) {
	return alike(ctx, tx, c, `e.document = a.document AND e.document_key <> a.document_key`)
}

// OtherIssuers reads, by the id of a claim's expenditure, the recorded
// expenditures with a document of the same number, date and total but another
// issuer, where one of both is known by name only.
func OtherIssuers(ctx context.Context, tx *sqldb.Tx, c *claims.Claim) (map[string][]domain.SameDocument, error) {
	return alike(ctx, tx, c, `e.document_paper = a.document_paper AND a.document_paper <> '' AND e.document_paper <> '' AND e.document <> a.document
		AND (substr(e.document, 1, 1) = '~' OR substr(a.document, 1, 1) = '~')`)
}

// alike reads, by the id of a claim's expenditure, the recorded expenditures e
// whose documents are like its own, a.
func alike(ctx context.Context, tx *sqldb.Tx, c *claims.Claim, like string) (map[string][]domain.SameDocument, error) {
	out := map[string][]domain.SameDocument{}
	_, err := collect(ctx, tx, func(r row) (bool, error) {
		var id string
		x, err := scanSame(scanFunc(func(dest ...any) error { return r.Scan(append(dest, &id)...) }))
		out[id] = append(out[id], x)
		return true, err
	}, `SELECT e.id, e.project, e.organisation, p.organisation, e.document_key, e.amount, a.id
		FROM claim_lines l JOIN expenditures a ON a.id = l.expenditure JOIN expenditures e ON `+like+` JOIN projects p ON p.id = e.project
		WHERE l.claim = $1 AND a.document <> '' AND e.document <> '' AND e.state = 'RECORDED'
		ORDER BY a.id, e.id LIMIT $2`, c.ID, int64(mostSame))
	return out, err
}

const sameColumns = `SELECT e.id, e.project, e.organisation, p.organisation, e.document_key, e.amount FROM ` + expenditureTables

func scanSame(r row) (domain.SameDocument, error) {
	var s domain.SameDocument
	err := r.Scan(&s.Expenditure, &s.Project, &s.Organisation, &s.Lead, &s.Key, &s.Amount)
	return s, err
}

// ReportedOn sums up, by budget line, what certified and standing claims to a
// funder hold, but for one claim.
func ReportedOn(ctx context.Context, tx *sqldb.Tx, c *claims.Claim) (map[string]int64, error) {
	out := map[string]int64{}
	_, err := collect(ctx, tx, func(r row) (bool, error) {
		var id string
		var sum int64
		err := r.Scan(&id, &sum)
		out[id] = sum
		return true, err
	}, `SELECT l.budget_line, CAST(SUM(`+reportedSum+`) AS BIGINT) FROM claims c JOIN claim_lines l ON l.claim = c.id
		WHERE c.project = $1 AND c.funder = $2 AND c.id <> $3 AND c.state IN (`+standing+`) GROUP BY l.budget_line`, c.Project, c.Funder, c.ID)
	return out, err
}

// Completed tells which lump sums of a project are due: by the id of the
// deliverable that was accepted, and of the task that is done.
func Completed(ctx context.Context, tx *sqldb.Tx, project string) (map[string]bool, error) {
	out := map[string]bool{}
	_, err := collect(ctx, tx, func(r row) (bool, error) {
		id, err := text(r)
		out[id] = true
		return true, err
	}, `SELECT id FROM deliverables WHERE project = $1 AND state = 'ACCEPTED' UNION ALL SELECT id FROM tasks WHERE project = $1 AND done = 100`, project)
	return out, err
}

// CostChoice is a way of counting cost in a project.
type CostChoice struct {
	Project  string // resource name
	Category string
	Method   domain.Method
	Card     domain.Card // only what is in the card's document
}

// CostChoices reads the ways of counting cost that an organisation uses in other
// projects, at most so many.
func CostChoices(ctx context.Context, tx *sqldb.Tx, organisation, but string, most int) ([]CostChoice, error) {
	return collect(ctx, tx, func(r row) (CostChoice, error) {
		var x CostChoice
		var id, card string
		if err := r.Scan(&id, &x.Category, &x.Method, &card); err != nil {
			return x, err
		}
		x.Project = ids.Name("projects", id)
		return x, readDoc(card, &x.Card)
	}, `SELECT b.project, b.category, b.method, p.doc FROM (SELECT DISTINCT project, category, method FROM budget_lines WHERE organisation = $1 AND project <> $2) b
		JOIN projects p ON p.id = b.project ORDER BY b.project, b.category, b.method LIMIT $3`, organisation, but, int64(most))
}
