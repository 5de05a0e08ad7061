package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Terms is what lists of terms can be filtered and ordered by.
var Terms = page.New(
	page.Column{Field: "name", SQL: "name", Kind: page.String, Orderable: true},
	page.Column{Field: "code", SQL: "code", Kind: page.String, Orderable: true},
	page.Column{Field: "label", SQL: "label", Kind: page.String, Orderable: true},
	page.Column{Field: "create_time", SQL: "created", Kind: page.Time, Orderable: true},
	page.Column{Field: "update_time", SQL: "updated", Kind: page.Time, Orderable: true},
	page.Column{Field: "broader", SQL: "broader", Kind: page.String},
	page.Column{Field: "external_code", SQL: "external_code", Kind: page.String},
	page.Column{Field: "valid_from", SQL: "valid_from", Kind: page.String},
	page.Column{Field: "valid_to", SQL: "valid_to", Kind: page.String},
)

const termColumns = "name, vocabulary, code, version, created, updated, doc"

// InsertTerm writes a new term. A code that the vocabulary has already makes the
// transaction fail (sqldb.IsUnique).
func InsertTerm(tx *sqldb.Tx, t *domain.Term) error {
	doc, err := json.Marshal(t.Profile)
	if err != nil {
		return fmt.Errorf("%s: %w", t.Name, err)
	}
	p := &t.Profile
	tx.Queue(`INSERT INTO terms (name, vocabulary, code, label, broader, external_code, valid_from, valid_to, version, created, updated, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		t.Name, t.Vocabulary, t.Code, p.Label.Text, p.Broader, p.ExternalCode, p.ValidFrom, p.ValidTo, t.Version,
		sqldb.Micros(t.CreateTime), sqldb.Micros(t.UpdateTime), string(doc))
	return nil
}

// SaveTerm writes a changed term that was read at version was. One that somebody
// else has changed since then is CONCURRENT_UPDATE.
func SaveTerm(ctx context.Context, tx *sqldb.Tx, t *domain.Term, was int64) error {
	doc, err := json.Marshal(t.Profile)
	if err != nil {
		return fmt.Errorf("%s: %w", t.Name, err)
	}
	p := &t.Profile
	n, err := tx.Exec(ctx, `UPDATE terms SET label = $3, broader = $4, external_code = $5, valid_from = $6, valid_to = $7, version = $8,
		updated = $9, doc = $10 WHERE name = $1 AND version = $2`,
		t.Name, was, p.Label.Text, p.Broader, p.ExternalCode, p.ValidFrom, p.ValidTo, t.Version, sqldb.Micros(t.UpdateTime), string(doc))
	if err == nil && n == 0 {
		return errs.New(errs.Conflict, errs.ConcurrentUpdate, "%s has just been changed: try again", t.Name).With("resource", t.Name)
	}
	return err
}

// Term reads one term; nil where there is none.
func Term(ctx context.Context, tx *sqldb.Tx, name string) (*domain.Term, error) {
	t, err := scanTerm(tx.QueryRow(ctx, "SELECT "+termColumns+" FROM terms WHERE name = $1", name).Scan)
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, nil
	}
	return t, err
}

// TermCodeTaken reports whether the vocabulary has a term of that code.
func TermCodeTaken(ctx context.Context, tx *sqldb.Tx, vocabulary, code string) (bool, error) {
	var n int64
	err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM terms WHERE vocabulary = $1 AND code = $2", vocabulary, code).Scan(&n)
	return n > 0, err
}

// TermsOf reads all terms of a vocabulary.
func TermsOf(ctx context.Context, tx *sqldb.Tx, vocabulary string) ([]*domain.Term, error) {
	var out []*domain.Term
	err := eachRow(ctx, tx, "SELECT "+termColumns+" FROM terms WHERE vocabulary = $1", []any{vocabulary}, func(rows *sqldb.Rows) error {
		t, err := scanTerm(rows.Scan)
		out = append(out, t)
		return err
	})
	return out, err
}

// BroaderTerms returns what is above each term of a vocabulary, by name.
func BroaderTerms(ctx context.Context, tx *sqldb.Tx, vocabulary string) (map[string]string, error) {
	out := map[string]string{}
	err := eachRow(ctx, tx, "SELECT name, broader FROM terms WHERE vocabulary = $1", []any{vocabulary}, func(rows *sqldb.Rows) error {
		var name, broader string
		err := rows.Scan(&name, &broader)
		out[name] = broader
		return err
	})
	return out, err
}

// TermValidities returns when the named terms are in force, those that exist. A
// term is in force while its vocabulary is, too.
func TermValidities(ctx context.Context, tx *sqldb.Tx, names []string) (map[string]domain.Validity, error) {
	out := make(map[string]domain.Validity, len(names))
	err := inBatches(ctx, tx, `SELECT t.name, t.valid_from, t.valid_to, v.valid_from, v.valid_to FROM terms t
		JOIN vocabularies v ON v.name = t.vocabulary WHERE t.name IN `, names, func(rows *sqldb.Rows) error {
		var name string
		var term, vocabulary domain.Validity
		err := rows.Scan(&name, &term.From, &term.To, &vocabulary.From, &vocabulary.To)
		out[name] = term.Within(vocabulary)
		return err
	})
	return out, err
}

// ListTerms reads one page of a vocabulary's terms.
func ListTerms(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, vocabulary string) ([]*domain.Term, string, error) {
	return page.List(ctx, tx, plan, page.Select{
		Columns: termColumns, From: "terms", Where: "vocabulary = $1", Args: []any{vocabulary},
	}, scanTerm)
}

func scanTerm(scan func(dest ...any) error) (*domain.Term, error) {
	t := &domain.Term{}
	var created, updated int64
	var doc []byte
	if err := scan(&t.Name, &t.Vocabulary, &t.Code, &t.Version, &created, &updated, &doc); err != nil {
		return nil, err
	}
	t.CreateTime, t.UpdateTime = sqldb.Time(created), sqldb.Time(updated)
	if err := json.Unmarshal(doc, &t.Profile); err != nil {
		return nil, fmt.Errorf("%s: %w", t.Name, err)
	}
	return t, nil
}
