package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/trama-suite/trama/services/matching/internal/domain"
	"github.com/trama-suite/trama/services/matching/internal/domain/scoring"
	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// matchDoc is what no column holds.
type matchDoc struct {
	DemandTitle    string         `json:"demand_title"`
	SupplyTitle    string         `json:"supply_title"`
	Terms          []scoring.Term `json:"terms"`
	Note           string         `json:"note,omitempty"`
	DemandAccepted time.Time      `json:"demand_accepted,omitzero"`
	SupplyAccepted time.Time      `json:"supply_accepted,omitzero"`
	DeclinedBy     domain.Side    `json:"declined_by,omitempty"`
	DeclineReason  string         `json:"decline_reason,omitempty"`
}

const matchColumns = `id, version, programme, demand, demand_organisation, supply, supply_organisation,
	state, score, expire_time, create_time, update_time, doc`

// MatchPage is how matches are listed. References in filters are resource names.
var MatchPage = page.New(
	page.Column{Field: "name", SQL: "id", Kind: page.String, Orderable: true},
	page.Column{Field: "programme", SQL: "'programmes/' || programme", Kind: page.String},
	page.Column{Field: "demand", SQL: "demand", Kind: page.String},
	page.Column{Field: "supply", SQL: "supply", Kind: page.String},
	page.Column{Field: "demand_organisation", SQL: "demand_organisation", Kind: page.String},
	page.Column{Field: "supply_organisation", SQL: "supply_organisation", Kind: page.String},
	page.Column{Field: "state", SQL: "'MATCH_STATE_' || UPPER(state)", Kind: page.String},
	page.Column{Field: "score", SQL: "score", Kind: page.Int, Orderable: true},
	page.Column{Field: "create_time", SQL: "create_time", Kind: page.Time, Orderable: true},
	page.Column{Field: "update_time", SQL: "update_time", Kind: page.Time, Orderable: true},
)

// InsertMatch saves a new match. It reports false where the pair has a live one.
func InsertMatch(ctx context.Context, tx *sqldb.Tx, m *domain.Match) (bool, error) {
	doc, err := encodeMatch(m)
	if err != nil {
		return false, err
	}
	n, err := tx.Exec(ctx, `INSERT INTO matches (`+matchColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING`,
		m.ID, m.Version, m.Programme, m.Demand, m.DemandOrganisation, m.Supply, m.SupplyOrganisation,
		string(m.State), m.Score, sqldb.Micros(m.ExpireTime), sqldb.Micros(m.CreateTime), sqldb.Micros(m.UpdateTime), doc)
	return n == 1, err
}

// LiveMatch returns the id of a pair's proposed or active match;
// sqldb.ErrNoRows where it has none.
func LiveMatch(ctx context.Context, tx *sqldb.Tx, programme, demand, supply string) (id string, err error) {
	err = tx.QueryRow(ctx, `SELECT id FROM matches
		WHERE programme = $1 AND demand = $2 AND supply = $3 AND state IN ('proposed', 'active')`, programme, demand, supply).Scan(&id)
	return id, err
}

// UpdateMatch saves a changed match, whose version before was one less.
func UpdateMatch(ctx context.Context, tx *sqldb.Tx, m *domain.Match) error {
	doc, err := encodeMatch(m)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `UPDATE matches SET version = $1, state = $2, update_time = $3, doc = $4 WHERE id = $5 AND version = $6`,
		m.Version, string(m.State), sqldb.Micros(m.UpdateTime), doc, m.ID, m.Version-1)
	return updated(n, err, "matches/"+m.ID)
}

// Match returns a match; sqldb.ErrNoRows where there is none.
func Match(ctx context.Context, tx *sqldb.Tx, id string) (*domain.Match, error) {
	return scanMatch(tx.QueryRow(ctx, `SELECT `+matchColumns+` FROM matches WHERE id = $1`, id).Scan)
}

// ListMatches returns a page of the matches within a condition.
func ListMatches(ctx context.Context, tx *sqldb.Tx, p *page.Plan, within string, args []any) ([]*domain.Match, string, error) {
	return page.List(ctx, tx, p, page.Select{Columns: matchColumns, From: "matches", Where: within, Args: args}, scanMatch)
}

// Overdue returns up to limit proposals whose time is over, the oldest first.
func Overdue(ctx context.Context, tx *sqldb.Tx, now time.Time, limit int) ([]*domain.Match, error) {
	rows, err := tx.Query(ctx, `SELECT `+matchColumns+` FROM matches
		WHERE state = 'proposed' AND expire_time <= $1 ORDER BY expire_time, id LIMIT $2`, sqldb.Micros(now), limit)
	if err != nil {
		return nil, err
	}
	return collect(rows, func() (*domain.Match, error) { return scanMatch(rows.Scan) })
}

// Statistics are counts for the network's report.
type Statistics struct {
	Demands, Supplies, DemandsWithCandidates, DemandsMatched int64
	ByState                                                  map[domain.State]int64
}

// CountAll counts, of one programme or, where that is empty, of all.
func CountAll(ctx context.Context, tx *sqldb.Tx, programme string) (Statistics, error) {
	s := Statistics{ByState: map[domain.State]int64{}}
	err := tx.QueryRow(ctx, `
		SELECT
			(SELECT COUNT(*) FROM entries WHERE kind = 'need' AND listed),
			(SELECT COUNT(*) FROM entries WHERE kind <> 'need' AND listed),
			(SELECT COUNT(DISTINCT demand) FROM candidates WHERE $1 = '' OR programme = $1),
			(SELECT COUNT(DISTINCT demand) FROM matches WHERE state = 'active' AND ($1 = '' OR programme = $1))`, programme).
		Scan(&s.Demands, &s.Supplies, &s.DemandsWithCandidates, &s.DemandsMatched)
	if err != nil {
		return s, err
	}
	rows, err := tx.Query(ctx, `SELECT state, COUNT(*) FROM matches WHERE $1 = '' OR programme = $1 GROUP BY state`, programme)
	if err != nil {
		return s, err
	}
	_, err = collect(rows, func() (n int64, err error) {
		var state string
		err = rows.Scan(&state, &n)
		s.ByState[domain.State(state)] = n
		return n, err
	})
	return s, err
}

func encodeMatch(m *domain.Match) (string, error) {
	doc, err := json.Marshal(matchDoc{m.DemandTitle, m.SupplyTitle, m.Terms, m.Note, m.DemandAccepted, m.SupplyAccepted, m.DeclinedBy, m.DeclineReason})
	return string(doc), err
}

func scanMatch(scan func(dest ...any) error) (*domain.Match, error) {
	var m domain.Match
	var state string
	var expires, created, changed int64
	var raw []byte
	err := scan(&m.ID, &m.Version, &m.Programme, &m.Demand, &m.DemandOrganisation, &m.Supply, &m.SupplyOrganisation,
		&state, &m.Score, &expires, &created, &changed, &raw)
	if err != nil {
		return nil, err
	}
	var doc matchDoc
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("match %s: %w", m.ID, err)
	}
	m.State = domain.State(state)
	m.DemandTitle, m.SupplyTitle, m.Terms, m.Note = doc.DemandTitle, doc.SupplyTitle, doc.Terms, doc.Note
	m.DemandAccepted, m.SupplyAccepted, m.DeclinedBy, m.DeclineReason = doc.DemandAccepted, doc.SupplyAccepted, doc.DeclinedBy, doc.DeclineReason
	m.ExpireTime, m.CreateTime, m.UpdateTime = sqldb.Time(expires), sqldb.Time(created), sqldb.Time(changed)
	return &m, nil
}
