package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/trama-suite/trama/services/matching/internal/domain"
	"github.com/trama-suite/trama/services/matching/internal/domain/scoring"
	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Candidate is a pair that keeps its programme's rules.
type Candidate struct {
	Demand             string
	DemandOrganisation string
	DemandTitle        string
	Supply             string
	SupplyOrganisation string
	SupplyTitle        string
	Score              int64
	Terms              []scoring.Term
}

type candidateDoc struct {
	DemandTitle string         `json:"demand_title"`
	SupplyTitle string         `json:"supply_title"`
	Terms       []scoring.Term `json:"terms"`
}

// CandidatePage is how candidates are listed, within one programme.
var CandidatePage = page.New(
	page.Column{Field: "id", SQL: "id", Kind: page.String, Orderable: true},
	page.Column{Field: "score", SQL: "score", Kind: page.Int, Orderable: true},
)

// LockRecompute makes the transaction the only one that computes candidates.
func LockRecompute(ctx context.Context, tx *sqldb.Tx) error {
	_, err := tx.Exec(ctx, `UPDATE recompute_lock SET n = n + 1 WHERE id = 1`)
	return err
}

// RecomputeEntry computes the candidates in which an entry stands, in all
// programmes.
func RecomputeEntry(ctx context.Context, tx *sqldb.Tx, e scoring.Entry, listed bool) error {
	tx.Queue(`DELETE FROM candidates WHERE demand = $1`, e.Name)
	tx.Queue(`DELETE FROM candidates WHERE supply = $1`, e.Name)
	if !listed {
		return nil
	}
	programmes, err := Programmes(ctx, tx)
	if err != nil {
		return err
	}
	neighbours, err := Neighbours(ctx, tx, e.Name)
	if err != nil {
		return err
	}
	for _, p := range programmes {
		for _, other := range neighbours {
			demand, supply, ok := p.Sides(e, other)
			if !ok {
				continue
			}
			if err := insertCandidate(tx, p, demand, supply); err != nil {
				return err
			}
		}
	}
	return nil
}

// RecomputeProgramme computes all candidates of a programme.
func RecomputeProgramme(ctx context.Context, tx *sqldb.Tx, p *domain.Programme) error {
	tx.Queue(`DELETE FROM candidates WHERE programme = $1`, p.ID)
	demands, err := EntryNames(ctx, tx, p.Demand)
	if err != nil {
		return err
	}
	for _, name := range demands {
		demand, err := Entry(ctx, tx, name)
		if err != nil {
			return err
		}
		neighbours, err := Neighbours(ctx, tx, name)
		if err != nil {
			return err
		}
		for _, other := range neighbours {
			if demand, supply, ok := p.Sides(demand, other); ok {
				if err := insertCandidate(tx, p, demand, supply); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func insertCandidate(tx *sqldb.Tx, p *domain.Programme, demand, supply scoring.Entry) error {
	verdict := scoring.Judge(p.Policy, demand, supply)
	if !verdict.Candidate {
		return nil
	}
	doc, err := json.Marshal(candidateDoc{demand.Title, supply.Title, verdict.Terms})
	if err != nil {
		return err
	}
	tx.Queue(`
		INSERT INTO candidates (programme, id, demand, demand_organisation, supply, supply_organisation, score, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		p.ID, supply.Name+"|"+demand.Name, demand.Name, demand.Organisation, supply.Name, supply.Organisation, verdict.Score, string(doc))
	return nil
}

// ListCandidates returns a page of a programme's candidates, of one demand or,
// where that is empty, of all; within, given by a condition and its arguments
// after the first two, narrows them to what the caller may see.
func ListCandidates(ctx context.Context, tx *sqldb.Tx, p *page.Plan, programme, demand string, within string, args []any) ([]Candidate, string, error) {
	return page.List(ctx, tx, p, page.Select{
		Columns: "demand, demand_organisation, supply, supply_organisation, score, doc",
		From:    "candidates",
		Where:   "programme = $1 AND ($2 = '' OR demand = $2) AND " + within,
		Args:    append([]any{programme, demand}, args...),
	}, func(scan func(dest ...any) error) (Candidate, error) {
		var c Candidate
		var raw []byte
		if err := scan(&c.Demand, &c.DemandOrganisation, &c.Supply, &c.SupplyOrganisation, &c.Score, &raw); err != nil {
			return c, err
		}
		var doc candidateDoc
		if err := json.Unmarshal(raw, &doc); err != nil {
			return c, fmt.Errorf("candidate: %w", err)
		}
		c.DemandTitle, c.SupplyTitle, c.Terms = doc.DemandTitle, doc.SupplyTitle, doc.Terms
		return c, nil
	})
}

// Rank returns the place that a supply with a score has, or would have, among
// the candidates of a demand; 1 is the best.
func Rank(ctx context.Context, tx *sqldb.Tx, programme, demand, supply string, score int64) (int64, error) {
	var above int64
	err := tx.QueryRow(ctx, `
		SELECT COUNT(*) FROM candidates
		WHERE programme = $1 AND demand = $2 AND supply <> $3 AND (score > $4 OR (score = $4 AND supply < $3))`,
		programme, demand, supply, score).Scan(&above)
	return above + 1, err
}
