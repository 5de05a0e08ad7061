package store

import (
	"context"

	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Selection says over which projects a portfolio goes; empty fields select all.
type Selection struct {
	Organisation string // lead or partner
	Territory    string
	Programme    string
}

func (s Selection) where(args *[]any) string {
	where := ""
	add := func(value, before, after string) {
		if value != "" {
			*args = append(*args, value)
			where = and(where, before+placeholder(*args)+after)
		}
	}
	add(s.Organisation, "EXISTS (SELECT 1 FROM project_partners pp WHERE pp.project = p.id AND pp.organisation = ", ")")
	add(s.Territory, "p.territory = ", "")
	add(s.Programme, "EXISTS (SELECT 1 FROM project_programmes pr WHERE pr.project = p.id AND pr.programme = ", ")")
	if where == "" {
		return "1=1"
	}
	return where
}

// SplitAt is where the sums over projects are split: a database's own sum of
// large amounts overflows, or turns to another type; the sums of the parts above
// and below it do not, for any number of rows that a database can hold.
const SplitAt = 1_000_000

// PhaseSum is the part of a portfolio in one phase and one currency.
type PhaseSum struct {
	Phase                   domain.Phase
	Currency                string
	Projects, Late          int64
	Granted, Planned, Spent Split
}

// Split is a sum in two parts: High × SplitAt + Low.
type Split struct{ High, Low int64 }

// Portfolio sums up the selected projects by phase and currency, in no order.
func Portfolio(ctx context.Context, tx *sqldb.Tx, s Selection, today civil.Date) ([]PhaseSum, error) {
	args := []any{today}
	where := s.where(&args)
	split := func(column string) string {
		return `, CAST(SUM(` + column + ` / 1000000) AS BIGINT), CAST(SUM(` + column + ` % 1000000) AS BIGINT)`
	}
	return collect(ctx, tx, func(r row) (PhaseSum, error) {
		var x PhaseSum
		err := r.Scan(&x.Phase, &x.Currency, &x.Projects, &x.Late, &x.Granted.High, &x.Granted.Low,
			&x.Planned.High, &x.Planned.Low, &x.Spent.High, &x.Spent.Low)
		return x, err
	}, `SELECT p.phase, p.currency, COUNT(*), COUNT(CASE WHEN p.phase <> 'CLOSED' AND (p.end_date < $1 OR l.project IS NOT NULL) THEN 1 END)`+
		split("p.granted")+split("p.planned")+split("p.spent")+`
		FROM projects p LEFT JOIN (SELECT DISTINCT t.project FROM tasks t WHERE t.done < 100 AND NOT t.summary AND t.finish_date < $1) l ON l.project = p.id
		WHERE `+where+` GROUP BY p.phase, p.currency`, args...)
}

// CountOpenAlerts counts the open alerts of the selected projects.
func CountOpenAlerts(ctx context.Context, tx *sqldb.Tx, s Selection) (int64, error) {
	var args []any
	where := s.where(&args)
	var n int64
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM alerts a JOIN projects p ON p.id = a.project WHERE a.state = 'OPEN' AND `+where, args...).Scan(&n)
	return n, err
}
