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

// Vocabularies is what lists of vocabularies can be filtered and ordered by.
var Vocabularies = page.New(
	page.Column{Field: "name", SQL: "name", Kind: page.String, Orderable: true},
	page.Column{Field: "code", SQL: "code", Kind: page.String, Orderable: true},
	page.Column{Field: "create_time", SQL: "created", Kind: page.Time, Orderable: true},
	page.Column{Field: "update_time", SQL: "updated", Kind: page.Time, Orderable: true},
	page.Column{Field: "version", SQL: "edition", Kind: page.String},
	page.Column{Field: "valid_from", SQL: "valid_from", Kind: page.String},
	page.Column{Field: "valid_to", SQL: "valid_to", Kind: page.String},
)

const vocabularyColumns = "name, code, edition, version, created, updated, doc"

// InsertVocabulary writes a new vocabulary. It reports false, and writes
// nothing, where that edition of the code exists.
func InsertVocabulary(ctx context.Context, tx *sqldb.Tx, v *domain.Vocabulary) (bool, error) {
	doc, err := json.Marshal(v.Profile)
	if err != nil {
		return false, fmt.Errorf("%s: %w", v.Name, err)
	}
	n, err := tx.Exec(ctx, `INSERT INTO vocabularies (name, code, edition, valid_from, valid_to, version, created, updated, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (code, edition) DO NOTHING`,
		v.Name, v.Code, v.Edition, v.Profile.ValidFrom, v.Profile.ValidTo, v.Version,
		sqldb.Micros(v.CreateTime), sqldb.Micros(v.UpdateTime), string(doc))
	return n > 0, err
}

// SaveVocabulary writes a changed vocabulary that was read at version was. One
// that somebody else has changed since then is CONCURRENT_UPDATE.
func SaveVocabulary(ctx context.Context, tx *sqldb.Tx, v *domain.Vocabulary, was int64) error {
	doc, err := json.Marshal(v.Profile)
	if err != nil {
		return fmt.Errorf("%s: %w", v.Name, err)
	}
	n, err := tx.Exec(ctx, `UPDATE vocabularies SET valid_from = $3, valid_to = $4, version = $5, updated = $6, doc = $7
		WHERE name = $1 AND version = $2`,
		v.Name, was, v.Profile.ValidFrom, v.Profile.ValidTo, v.Version, sqldb.Micros(v.UpdateTime), string(doc))
	if err == nil && n == 0 {
		return errs.New(errs.Conflict, errs.ConcurrentUpdate, "%s has just been changed: try again", v.Name).With("resource", v.Name)
	}
	return err
}

// Vocabulary reads one vocabulary; nil where there is none.
func Vocabulary(ctx context.Context, tx *sqldb.Tx, name string) (*domain.Vocabulary, error) {
	v, err := scanVocabulary(tx.QueryRow(ctx, "SELECT "+vocabularyColumns+" FROM vocabularies WHERE name = $1", name).Scan)
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, nil
	}
	return v, err
}

// TakeVocabularyTurn waits until no other change of the vocabulary's terms is
// under way, and keeps others waiting until the transaction ends. It reports
// false where there is no such vocabulary.
func TakeVocabularyTurn(ctx context.Context, tx *sqldb.Tx, name string) (bool, error) {
	n, err := tx.Exec(ctx, "UPDATE vocabularies SET turn = turn + 1 WHERE name = $1", name)
	return n > 0, err
}

// ListVocabularies reads one page of the vocabularies.
func ListVocabularies(ctx context.Context, tx *sqldb.Tx, plan *page.Plan) ([]*domain.Vocabulary, string, error) {
	return page.List(ctx, tx, plan, page.Select{Columns: vocabularyColumns, From: "vocabularies"}, scanVocabulary)
}

func scanVocabulary(scan func(dest ...any) error) (*domain.Vocabulary, error) {
	v := &domain.Vocabulary{}
	var created, updated int64
	var doc []byte
	if err := scan(&v.Name, &v.Code, &v.Edition, &v.Version, &created, &updated, &doc); err != nil {
		return nil, err
	}
	v.CreateTime, v.UpdateTime = sqldb.Time(created), sqldb.Time(updated)
	if err := json.Unmarshal(doc, &v.Profile); err != nil {
		return nil, fmt.Errorf("%s: %w", v.Name, err)
	}
	return v, nil
}
