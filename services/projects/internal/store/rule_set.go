package store

import (
	"context"

	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// RuleSets is what lists of rule sets can be filtered and ordered by.
var RuleSets = page.New(
	page.Column{Field: "slug", SQL: "r.slug", Kind: page.String},
	page.Column{Field: "programme", SQL: "r.programme", Kind: page.String},
	page.Column{Field: "shipped", SQL: "r.shipped", Kind: page.Bool},
	page.Column{Field: "create_time", SQL: "r.created", Kind: page.Time, Orderable: true},
)

// RuleSetVersions is the order of lists of versions.
var RuleSetVersions = page.New(page.Column{Field: "version", SQL: "v.version", Kind: page.Int})

const (
	ruleSetColumns        = `r.slug, r.programme, r.shipped, r.version, r.created, r.updated, r.doc`
	ruleSetVersionColumns = `v.slug, v.version, v.effective_from, v.effective_to, v.sha256, v.publisher, v.created`
)

func scanRuleSet(r row) (*domain.RuleSet, error) {
	s := &domain.RuleSet{}
	var at stamp
	var text string
	if err := r.Scan(&s.Slug, &s.Programme, &s.Shipped, &at.version, &at.created, &at.updated, &text); err != nil {
		return nil, err
	}
	s.Stamp = at.read()
	return s, readDoc(text, s)
}

func scanRuleSetVersion(r row) (*domain.RuleSetVersion, error) {
	v := &domain.RuleSetVersion{}
	var created int64
	if err := r.Scan(&v.Slug, &v.Number, &v.EffectiveFrom, &v.EffectiveTo, &v.SHA256, &v.Publisher, &created); err != nil {
		return nil, err
	}
	v.Created = sqldb.Time(created)
	return v, nil
}

// RuleSet reads a rule set.
func RuleSet(ctx context.Context, tx *sqldb.Tx, slug string) (*domain.RuleSet, error) {
	s, err := scanRuleSet(tx.QueryRow(ctx, `SELECT `+ruleSetColumns+` FROM rule_sets r WHERE r.slug = $1`, slug))
	return s, absent((&domain.RuleSet{Slug: slug}).Name(), err)
}

// RuleSetVersion reads a version without its source.
func RuleSetVersion(ctx context.Context, tx *sqldb.Tx, slug string, number int64) (*domain.RuleSetVersion, error) {
	v, err := scanRuleSetVersion(tx.QueryRow(ctx, `SELECT `+ruleSetVersionColumns+` FROM rule_set_versions v WHERE v.slug = $1 AND v.version = $2`, slug, number))
	return v, absent(domain.RuleSetVersionName(slug, number), err)
}

// RuleSetSource reads the document of a version.
func RuleSetSource(ctx context.Context, tx *sqldb.Tx, slug string, number int64) (string, error) {
	source, err := text(tx.QueryRow(ctx, `SELECT source FROM rule_set_versions WHERE slug = $1 AND version = $2`, slug, number))
	return source, absent(domain.RuleSetVersionName(slug, number), err)
}

// NewestRuleSetVersions reads all versions of a rule set without their sources,
// the newest first.
func NewestRuleSetVersions(ctx context.Context, tx *sqldb.Tx, slug string) ([]*domain.RuleSetVersion, error) {
	return collect(ctx, tx, scanRuleSetVersion, `SELECT `+ruleSetVersionColumns+` FROM rule_set_versions v WHERE v.slug = $1 ORDER BY v.version DESC`, slug)
}

// ListRuleSets reads a page of the rule sets.
func ListRuleSets(ctx context.Context, tx *sqldb.Tx, plan *page.Plan) ([]*domain.RuleSet, string, error) {
	return page.List(ctx, tx, plan, page.Select{Columns: ruleSetColumns, From: "rule_sets r"}, scanner(scanRuleSet))
}

// ListRuleSetVersions reads a page of a rule set's versions, without sources.
func ListRuleSetVersions(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, slug string) ([]*domain.RuleSetVersion, string, error) {
	return page.List(ctx, tx, plan, page.Select{
		Columns: ruleSetVersionColumns, From: "rule_set_versions v", Where: "v.slug = $1", Args: []any{slug},
	}, scanner(scanRuleSetVersion))
}

// AddRuleSetVersion stores a version that was published, and its set, which was
// read at version was (0 for none). Nothing of an earlier version is touched.
func AddRuleSetVersion(ctx context.Context, tx *sqldb.Tx, s *domain.RuleSet, v *domain.RuleSetVersion, was int64) error {
	n, err := tx.Exec(ctx, `INSERT INTO rule_sets (slug, programme, shipped, version, created, updated, doc) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (slug) DO UPDATE SET programme = $2, version = $4, updated = $6, doc = $7 WHERE rule_sets.version = $8`,
		s.Slug, s.Programme, s.Shipped, s.Version, micros(s.Created), micros(s.Updated), doc(s), was)
	if err := one(s.Name(), n, err); err != nil {
		return err
	}
	tx.Queue(`INSERT INTO rule_set_versions (slug, version, effective_from, effective_to, source, sha256, publisher, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		v.Slug, v.Number, v.EffectiveFrom, v.EffectiveTo, v.Source, v.SHA256, v.Publisher, micros(v.Created))
	return nil
}
