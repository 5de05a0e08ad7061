package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/trama-suite/trama/services/matching/internal/domain"
	"github.com/trama-suite/trama/services/matching/internal/domain/scoring"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// programmeDoc is what no column holds.
type programmeDoc struct {
	Title      domain.Text    `json:"title"`
	Demand     scoring.Kind   `json:"demand"`
	Supplies   []scoring.Kind `json:"supplies"`
	Policy     scoring.Policy `json:"policy"`
	AnswerDays int            `json:"answer_days"`
}

const programmeColumns = "id, version, create_time, update_time, doc"

// ProgrammePage is how programmes are listed.
var ProgrammePage = page.New(
	page.Column{Field: "name", SQL: "id", Kind: page.String, Orderable: true},
	page.Column{Field: "create_time", SQL: "create_time", Kind: page.Time, Orderable: true},
	page.Column{Field: "update_time", SQL: "update_time", Kind: page.Time, Orderable: true},
)

// InsertProgramme saves a new programme.
func InsertProgramme(tx *sqldb.Tx, p *domain.Programme) error {
	doc, err := encodeProgramme(p)
	if err != nil {
		return err
	}
	tx.Queue(`INSERT INTO programmes (`+programmeColumns+`) VALUES ($1, $2, $3, $4, $5)`,
		p.ID, p.Version, sqldb.Micros(p.CreateTime), sqldb.Micros(p.UpdateTime), doc)
	return nil
}

// UpdateProgramme saves a changed programme, whose version before was one less.
func UpdateProgramme(ctx context.Context, tx *sqldb.Tx, p *domain.Programme) error {
	doc, err := encodeProgramme(p)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `UPDATE programmes SET version = $1, update_time = $2, doc = $3 WHERE id = $4 AND version = $5`,
		p.Version, sqldb.Micros(p.UpdateTime), doc, p.ID, p.Version-1)
	return updated(n, err, "programmes/"+p.ID)
}

// Programme returns a programme; sqldb.ErrNoRows where there is none.
func Programme(ctx context.Context, tx *sqldb.Tx, id string) (*domain.Programme, error) {
	return scanProgramme(tx.QueryRow(ctx, `SELECT `+programmeColumns+` FROM programmes WHERE id = $1`, id).Scan)
}

// Programmes returns all programmes, in order of creation.
func Programmes(ctx context.Context, tx *sqldb.Tx) ([]*domain.Programme, error) {
	rows, err := tx.Query(ctx, `SELECT `+programmeColumns+` FROM programmes ORDER BY create_time, id`)
	if err != nil {
		return nil, err
	}
	return collect(rows, func() (*domain.Programme, error) { return scanProgramme(rows.Scan) })
}

// ListProgrammes returns a page of programmes.
func ListProgrammes(ctx context.Context, tx *sqldb.Tx, p *page.Plan) ([]*domain.Programme, string, error) {
	return page.List(ctx, tx, p, page.Select{Columns: programmeColumns, From: "programmes", Where: "1=1"}, scanProgramme)
}

func encodeProgramme(p *domain.Programme) (string, error) {
	doc, err := json.Marshal(programmeDoc{p.Title, p.Demand, p.Supplies, p.Policy, p.AnswerDays})
	return string(doc), err
}

func scanProgramme(scan func(dest ...any) error) (*domain.Programme, error) {
	var p domain.Programme
	var created, changed int64
	var raw []byte
	if err := scan(&p.ID, &p.Version, &created, &changed, &raw); err != nil {
		return nil, err
	}
	var doc programmeDoc
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("programme %s: %w", p.ID, err)
	}
	p.Title, p.Demand, p.Supplies, p.Policy, p.AnswerDays = doc.Title, doc.Demand, doc.Supplies, doc.Policy, doc.AnswerDays
	p.CreateTime, p.UpdateTime = sqldb.Time(created), sqldb.Time(changed)
	return &p, nil
}

// updated turns an update that found no row into the error for it: somebody
// else has changed the row since it was read.
func updated(rows int64, err error, name string) error {
	if err == nil && rows == 0 {
		return errs.New(errs.Conflict, errs.ConcurrentUpdate, "%s was changed at the same time: try again", name).With("resource", name)
	}
	return err
}
