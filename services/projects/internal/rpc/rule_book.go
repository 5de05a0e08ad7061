package rpc

import (
	"container/list"
	"context"
	"sync"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/store"
	"github.com/trama-suite/trama/services/projects/rules"
)

// maxCompiled is how many compiled rule sets are kept: each is a few hundred
// kilobytes, and compiling takes some milliseconds.
const maxCompiled = 64

// ruleBook finds rule sets, compiled. What it keeps is known by the digest of the
// document, so it can never be old.
type ruleBook struct {
	mu      sync.Mutex
	byHash  map[string]*list.Element // of compiledSet
	recency list.List                // the last used first
}

type compiledSet struct {
	sha256 string
	set    *rules.Set
}

func newRuleBook() *ruleBook { return &ruleBook{byHash: map[string]*list.Element{}} }

// At returns a version of a rule set.
func (b *ruleBook) At(ctx context.Context, tx *sqldb.Tx, name string, version int64) (*rules.Set, error) {
	slug, err := ruleSetOf(name)
	if err != nil {
		return nil, err
	}
	v, err := store.RuleSetVersion(ctx, tx, slug, version)
	if err != nil {
		return nil, err
	}
	return b.compiled(ctx, tx, v)
}

// Effective returns the version that is in force on a day: a rule set that does
// not exist is absent, one of which no version is in force RULE_SET_NOT_IN_FORCE.
func (b *ruleBook) Effective(ctx context.Context, tx *sqldb.Tx, name string, day civil.Date) (*rules.Set, error) {
	slug, err := ruleSetOf(name)
	if err != nil {
		return nil, err
	}
	versions, err := store.NewestRuleSetVersions(ctx, tx, slug)
	if err != nil {
		return nil, err
	}
	if len(versions) == 0 {
		return nil, errs.AbsentResource(name)
	}
	v, err := domain.InForce(name, versions, day)
	if err != nil {
		return nil, err
	}
	return b.compiled(ctx, tx, v)
}

// compiled returns a version as it is kept, or compiles its source.
func (b *ruleBook) compiled(ctx context.Context, tx *sqldb.Tx, v *domain.RuleSetVersion) (*rules.Set, error) {
	if set := b.find(v.SHA256); set != nil {
		return set, nil
	}
	source, err := store.RuleSetSource(ctx, tx, v.Slug, v.Number)
	if err != nil {
		return nil, err
	}
	set, err := domain.LoadRuleSet("rule_set", source)
	if err != nil {
		return nil, err
	}
	b.keep(v.SHA256, set)
	return set, nil
}

func (b *ruleBook) find(sha256 string) *rules.Set {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.byHash[sha256]
	if e == nil {
		return nil
	}
	b.recency.MoveToFront(e)
	return e.Value.(compiledSet).set
}

func (b *ruleBook) keep(sha256 string, set *rules.Set) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byHash[sha256] != nil {
		return
	}
	b.byHash[sha256] = b.recency.PushFront(compiledSet{sha256, set})
	for b.recency.Len() > maxCompiled {
		delete(b.byHash, b.recency.Remove(b.recency.Back()).(compiledSet).sha256)
	}
}

// ruleSetOf reads the slug out of a rule set's name.
func ruleSetOf(name string) (string, error) {
	slug, number, ok := domain.ParseRuleSetName(name)
	if !ok || number != 0 {
		return "", errs.AbsentResource(name)
	}
	return slug, nil
}
