// Package store keeps the catalogue's records: SQL that reads as one text on both
// databases. Every function works in its caller's transaction.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// entryDoc is what of an entry has no column of its own. It is read into the Card
// and the Body that it points to.
type entryDoc struct {
	Card *domain.Card `json:"card"`
	Body domain.Body  `json:"body"`
}

const entryColumns = "name, kind, organisation, state, version, events, created, updated, published, doc"

// InsertEntry writes a new entry.
func InsertEntry(tx *sqldb.Tx, e *domain.Entry) error {
	doc, err := encodeEntry(e)
	if err != nil {
		return err
	}
	tx.Queue(`INSERT INTO entries (name, kind, organisation, state, visibility, category, detail, starts, version, events,
		created, updated, published, doc) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		e.Name, string(e.Body.Kind()), e.Organisation, string(e.State), string(e.Card.Visibility), e.Card.Category,
		e.Body.Detail(), starts(e), e.Version, e.Events,
		sqldb.Micros(e.CreateTime), sqldb.Micros(e.UpdateTime), sqldb.Micros(e.PublishTime), doc)
	return nil
}

// SaveEntry writes a changed entry that was read at version was. An entry that
// somebody else has changed since then is CONCURRENT_UPDATE.
func SaveEntry(ctx context.Context, tx *sqldb.Tx, e *domain.Entry, was int64) error {
	doc, err := encodeEntry(e)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `UPDATE entries SET state = $3, visibility = $4, category = $5, detail = $6, starts = $7, version = $8,
		events = $9, updated = $10, published = $11, doc = $12 WHERE name = $1 AND version = $2`,
		e.Name, was, string(e.State), string(e.Card.Visibility), e.Card.Category, e.Body.Detail(), starts(e), e.Version,
		e.Events, sqldb.Micros(e.UpdateTime), sqldb.Micros(e.PublishTime), doc)
	if err == nil && n == 0 {
		return errs.New(errs.Conflict, errs.ConcurrentUpdate, "%s has just been changed: try again", e.Name).With("resource", e.Name)
	}
	return err
}

// Entry reads one entry; nil where there is none.
func Entry(ctx context.Context, tx *sqldb.Tx, name string) (*domain.Entry, error) {
	e, err := scanEntry(tx.QueryRow(ctx, "SELECT "+entryColumns+" FROM entries WHERE name = $1", name).Scan)
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, nil
	}
	return e, err
}

// PublishedEntries reads those of the named entries that are published, in no
// particular order.
func PublishedEntries(ctx context.Context, tx *sqldb.Tx, names []string) ([]*domain.Entry, error) {
	var out []*domain.Entry
	err := inBatches(ctx, tx, "SELECT "+entryColumns+" FROM entries WHERE state = '"+string(domain.EntryPublished)+"' AND name IN ", names, func(rows *sqldb.Rows) error {
		e, err := scanEntry(rows.Scan)
		out = append(out, e)
		return err
	})
	return out, err
}

// parameters returns "$3,$4" for the values, which it appends to args.
func parameters(values []string, args *[]any) string {
	var b strings.Builder
	for i, v := range values {
		*args = append(*args, v)
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(len(*args)))
	}
	return b.String()
}

func starts(e *domain.Entry) int64 {
	if event, ok := e.Body.(*domain.Event); ok {
		return sqldb.Micros(event.StartTime)
	}
	return 0
}

func encodeEntry(e *domain.Entry) (string, error) {
	doc, err := json.Marshal(entryDoc{Card: &e.Card, Body: e.Body})
	if err != nil {
		return "", fmt.Errorf("entry %s: %w", e.Name, err)
	}
	return string(doc), nil
}

func scanEntry(scan func(dest ...any) error) (*domain.Entry, error) {
	e := &domain.Entry{}
	var row struct { // one allocation for what would be one each
		kind                        domain.Kind
		created, updated, published int64
		doc                         []byte
		parsed                      entryDoc
	}
	err := scan(&e.Name, (*string)(&row.kind), &e.Organisation, (*string)(&e.State), &e.Version, &e.Events, &row.created, &row.updated, &row.published, &row.doc)
	if err != nil {
		return nil, err
	}
	e.CreateTime, e.UpdateTime, e.PublishTime = sqldb.Time(row.created), sqldb.Time(row.updated), sqldb.Time(row.published)
	if e.Body = domain.NewBody(row.kind); e.Body == nil {
		return nil, fmt.Errorf("entry %s: unknown kind %q", e.Name, row.kind)
	}
	// A list decodes a document for each row; with encoding/json that took longer
	// than all the rest of the request.
	row.parsed = entryDoc{Card: &e.Card, Body: e.Body}
	if err := jsonv2.Unmarshal(row.doc, &row.parsed); err != nil {
		return nil, fmt.Errorf("entry %s: %w", e.Name, err)
	}
	return e, nil
}

// EntrySchema returns what lists of one kind of entries can be filtered and
// ordered by; detail is what that kind calls its Body.Detail.
func EntrySchema(detail string, more ...page.Column) *page.Schema {
	return page.New(append([]page.Column{
		{Field: "name", SQL: "name", Kind: page.String, Orderable: true},
		{Field: "create_time", SQL: "created", Kind: page.Time, Orderable: true},
		{Field: "update_time", SQL: "updated", Kind: page.Time, Orderable: true},
		{Field: "organisation", SQL: "organisation", Kind: page.String},
		{Field: "state", SQL: "state", Kind: page.String},
		{Field: "visibility", SQL: "visibility", Kind: page.String},
		{Field: "category", SQL: "category", Kind: page.String},
		{Field: detail, SQL: "detail", Kind: page.String},
	}, more...)...)
}

// ListEntries reads one page of the entries of a kind that meet a condition
// over the columns of the table.
func ListEntries(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, kind domain.Kind, where string, args []any) ([]*domain.Entry, string, error) {
	args = append(args, string(kind))
	return page.List(ctx, tx, plan, page.Select{
		Columns: entryColumns, From: "entries", Where: "kind = $" + strconv.Itoa(len(args)) + " AND (" + where + ")", Args: args,
	}, scanEntry)
}
