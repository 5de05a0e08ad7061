package store

import (
	"context"
	"time"

	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Breach is one broken invariant of an edition's seats.
type Breach struct {
	// Edition is its resource name.
	Edition string
	// Invariant: CAPACITY, WAITING_CAP, ONE_CLAIM or SEQUENCE.
	Invariant string
	// Counted is what there is, Limit what there may be at most.
	Counted, Limit int
}

// auditMax bounds what one audit reports.
const auditMax = 1000

// audits find the breaches of each invariant, straight from the rows; $1 is the
// present instant and $2 an edition, or empty for all.
var audits = []struct{ invariant, query string }{
	{"CAPACITY", `SELECT e.name, c.n, e.capacity FROM editions e JOIN (
		SELECT edition, COUNT(*) AS n FROM enrolments
		WHERE state IN ('ENROLLED', 'COMPLETED') OR (state = 'OFFERED' AND offer_expires > $1) GROUP BY edition) c ON c.edition = e.name
		WHERE c.n > e.capacity AND ($2 = '' OR e.name = $2) ORDER BY e.name LIMIT 1000`},
	{"WAITING_CAP", `SELECT e.name, c.n, e.waiting_cap FROM editions e JOIN (
		SELECT edition, COUNT(*) AS n FROM enrolments WHERE state = 'WAITING' GROUP BY edition) c ON c.edition = e.name
		WHERE c.n > e.waiting_cap AND CAST($1 AS BIGINT) >= 0 AND ($2 = '' OR e.name = $2) ORDER BY e.name LIMIT 1000`},
	{"ONE_CLAIM", `SELECT edition, COUNT(*), 1 FROM enrolments
		WHERE (state IN ('ENROLLED', 'COMPLETED', 'WAITING') OR (state = 'OFFERED' AND offer_expires > $1)) AND ($2 = '' OR edition = $2)
		GROUP BY edition, learner HAVING COUNT(*) > 1 ORDER BY edition LIMIT 1000`},
	{"SEQUENCE", `SELECT edition, COUNT(*), 1 FROM enrolments WHERE CAST($1 AS BIGINT) >= 0 AND ($2 = '' OR edition = $2)
		GROUP BY edition, sequence HAVING COUNT(*) > 1 ORDER BY edition LIMIT 1000`},
}

// Audit counts the seats of an edition, or of all where it is empty, afresh and
// returns every broken invariant, and how many editions were looked at.
func (s *Store) Audit(ctx context.Context, tx *sqldb.Tx, edition string, now time.Time) ([]Breach, int, error) {
	var breaches []Breach
	for _, a := range audits {
		rows, err := tx.Query(ctx, a.query, sqldb.Micros(now), edition)
		some, err := collect(rows, err, func(scan func(dest ...any) error) (Breach, error) {
			b := Breach{Invariant: a.invariant}
			return b, scan(&b.Edition, &b.Counted, &b.Limit)
		})
		if err != nil {
			return nil, 0, err
		}
		breaches = append(breaches, some...)
	}
	var editions int
	err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM editions WHERE $1 = '' OR name = $1", edition).Scan(&editions)
	return breaches[:min(len(breaches), auditMax)], editions, err
}
