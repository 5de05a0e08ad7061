package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Organisations is what lists of organisations can be filtered and ordered by.
var Organisations = page.New(
	page.Column{Field: "name", SQL: "name", Kind: page.String, Orderable: true},
	page.Column{Field: "display_name", SQL: "display_name", Kind: page.String, Orderable: true},
	page.Column{Field: "create_time", SQL: "created", Kind: page.Time, Orderable: true},
	page.Column{Field: "update_time", SQL: "updated", Kind: page.Time, Orderable: true},
	page.Column{Field: "state", SQL: "state", Kind: page.String},
	page.Column{Field: "legal_form", SQL: "legal_form", Kind: page.String},
	page.Column{Field: "kinds", SQL: "kinds", Kind: page.String},
	page.Column{Field: "sectors", SQL: "sectors", Kind: page.String},
	page.Column{Field: "country_code", SQL: "country", Kind: page.String},
	page.Column{Field: "region_code", SQL: "region", Kind: page.String},
	page.Column{Field: "nuts_code", SQL: "nuts", Kind: page.String},
	page.Column{Field: "municipality_code", SQL: "municipality_code", Kind: page.String},
	page.Column{Field: "province", SQL: "province", Kind: page.String},
	page.Column{Field: "parent_network", SQL: "parent_network", Kind: page.String},
)

const organisationColumns = "name, state, version, events, created, updated, published, doc"

// InsertOrganisation writes a new organisation and takes its identifiers. An
// identifier that another one holds makes the transaction fail (sqldb.IsUnique).
func InsertOrganisation(tx *sqldb.Tx, o *domain.Organisation) error {
	doc, err := json.Marshal(o.Profile)
	if err != nil {
		return fmt.Errorf("%s: %w", o.Name, err)
	}
	p, t := &o.Profile, &o.Profile.Territory
	tx.Queue(`INSERT INTO organisations (name, state, display_name, legal_form, country, region, nuts, municipality_code, province,
		parent_network, version, events, created, updated, published, doc, kinds, sectors)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		o.Name, string(o.State), p.DisplayName.Text, p.LegalForm, t.Country, t.Region, t.NUTS, t.MunicipalityCode, t.Province,
		p.ParentNetwork, o.Version, o.Events,
		sqldb.Micros(o.CreateTime), sqldb.Micros(o.UpdateTime), sqldb.Micros(o.PublishTime), string(doc),
		strings.Join(p.Kinds, " "), strings.Join(p.Sectors, " "))
	takeIdentifiers(tx, o, nil)
	return nil
}

// SaveOrganisation writes a changed organisation that was read at version was,
// holding the identifiers held. An organisation that somebody else has changed
// since then is CONCURRENT_UPDATE.
func SaveOrganisation(ctx context.Context, tx *sqldb.Tx, o *domain.Organisation, was int64, held []domain.Identifier) error {
	doc, err := json.Marshal(o.Profile)
	if err != nil {
		return fmt.Errorf("%s: %w", o.Name, err)
	}
	p, t := &o.Profile, &o.Profile.Territory
	n, err := tx.Exec(ctx, `UPDATE organisations SET state = $3, display_name = $4, legal_form = $5, country = $6, region = $7, nuts = $8,
		municipality_code = $9, province = $10, parent_network = $11, version = $12, events = $13, updated = $14, published = $15, doc = $16,
		kinds = $17, sectors = $18 WHERE name = $1 AND version = $2`,
		o.Name, was, string(o.State), p.DisplayName.Text, p.LegalForm, t.Country, t.Region, t.NUTS, t.MunicipalityCode, t.Province,
		p.ParentNetwork, o.Version, o.Events, sqldb.Micros(o.UpdateTime), sqldb.Micros(o.PublishTime), string(doc),
		strings.Join(p.Kinds, " "), strings.Join(p.Sectors, " "))
	if err != nil {
		return err
	}
	if n == 0 {
		return errs.New(errs.Conflict, errs.ConcurrentUpdate, "%s has just been changed: try again", o.Name).With("resource", o.Name)
	}
	takeIdentifiers(tx, o, held)
	return nil
}

// takeIdentifiers gives up the identifiers that the organisation held and holds
// no longer, and takes those that are new.
func takeIdentifiers(tx *sqldb.Tx, o *domain.Organisation, held []domain.Identifier) {
	now := map[string]bool{}
	for _, id := range o.Profile.Identifiers {
		if id.Unique() {
			now[id.Key()] = true
		}
	}
	had := map[string]bool{}
	for _, id := range held {
		had[id.Key()] = true
		if id.Unique() && !now[id.Key()] {
			tx.Queue("DELETE FROM organisation_identifiers WHERE identifier = $1 AND organisation = $2", id.Key(), o.Name)
		}
	}
	for _, id := range o.Profile.Identifiers {
		if id.Unique() && !had[id.Key()] {
			tx.Queue("INSERT INTO organisation_identifiers (identifier, organisation) VALUES ($1, $2)", id.Key(), o.Name)
		}
	}
}

// Organisation reads one organisation; nil where there is none.
func Organisation(ctx context.Context, tx *sqldb.Tx, name string) (*domain.Organisation, error) {
	o, err := scanOrganisation(tx.QueryRow(ctx, "SELECT "+organisationColumns+" FROM organisations WHERE name = $1", name).Scan)
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, nil
	}
	return o, err
}

// OrganisationsByName reads the named organisations, those that exist.
func OrganisationsByName(ctx context.Context, tx *sqldb.Tx, names []string) (map[string]*domain.Organisation, error) {
	out := make(map[string]*domain.Organisation, len(names))
	err := inBatches(ctx, tx, "SELECT "+organisationColumns+" FROM organisations WHERE name IN ", names, func(rows *sqldb.Rows) error {
		o, err := scanOrganisation(rows.Scan)
		if err == nil {
			out[o.Name] = o
		}
		return err
	})
	return out, err
}

// IdentifierHolders returns who holds the identifiers, by key; those that nobody
// holds are absent.
func IdentifierHolders(ctx context.Context, tx *sqldb.Tx, keys []string) (map[string]string, error) {
	out := make(map[string]string, len(keys))
	err := inBatches(ctx, tx, "SELECT identifier, organisation FROM organisation_identifiers WHERE identifier IN ", keys, func(rows *sqldb.Rows) error {
		var key, organisation string
		err := rows.Scan(&key, &organisation)
		out[key] = organisation
		return err
	})
	return out, err
}

// ListOrganisations reads one page of the organisations that meet a condition
// over the columns of the table.
func ListOrganisations(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, where string, args []any) ([]*domain.Organisation, string, error) {
	return page.List(ctx, tx, plan, page.Select{
		Columns: organisationColumns, From: "organisations", Where: where, Args: args,
	}, scanOrganisation)
}

// TakeParentTurn waits until no other change of a parent network is under way,
// and keeps others waiting until the transaction ends.
func TakeParentTurn(ctx context.Context, tx *sqldb.Tx) error {
	_, err := tx.Exec(ctx, "UPDATE parent_network_turn SET turn = turn + 1 WHERE id = 1")
	return err
}

// Networks returns the parent network of the organisation, that one's own, and
// so on to the top.
func Networks(ctx context.Context, tx *sqldb.Tx, name string) ([]string, error) {
	var out []string
	seen := map[string]bool{}
	for name != "" && !seen[name] {
		seen[name] = true
		out = append(out, name)
		err := tx.QueryRow(ctx, "SELECT parent_network FROM organisations WHERE name = $1", name).Scan(&name)
		if errors.Is(err, sqldb.ErrNoRows) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return out[min(1, len(out)):], nil
}

func scanOrganisation(scan func(dest ...any) error) (*domain.Organisation, error) {
	o := &domain.Organisation{}
	var created, updated, published int64
	var doc []byte
	if err := scan(&o.Name, &o.State, &o.Version, &o.Events, &created, &updated, &published, &doc); err != nil {
		return nil, err
	}
	o.CreateTime, o.UpdateTime, o.PublishTime = sqldb.Time(created), sqldb.Time(updated), sqldb.Time(published)
	if err := jsonv2.Unmarshal(doc, &o.Profile); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Name, err)
	}
	return o, nil
}

// batch is how many values a condition names at most; a statement for a full
// batch has the same text every time.
const batch = 500

// inBatches runs a query that ends in IN with the values, so many at a time.
func inBatches(ctx context.Context, tx *sqldb.Tx, query string, values []string, each func(rows *sqldb.Rows) error) error {
	for len(values) > 0 {
		n := min(batch, len(values))
		args := make([]any, 0, n)
		text := query + "(" + parameters(values[:n], &args) + ")"
		if err := eachRow(ctx, tx, text, args, each); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

func eachRow(ctx context.Context, tx *sqldb.Tx, query string, args []any, each func(rows *sqldb.Rows) error) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // what ends the reading early is told by Err
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
