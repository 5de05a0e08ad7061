package rpc

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/rules"
)

const call = `
id: %s
version: %d
title: {it: Bando, en: Call}
funder: Fondazione
effective_from: %s
effective_to: %s
sources: [{key: call, title: Bando}]
rules:
  - id: always
    title: {it: sempre, en: always}
    scope: project
    severity: warn
    check: project.currency == "EUR"
    message: {it: no, en: no}
    source: call
    verified: true
`

// TestRuleBook: a version is found by its number for ever and by a day while it
// is in force, and no more than so many are kept compiled.
func TestRuleBook(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "projects", os.DirFS("../../migrations"))
		now := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
		s := &Server{db: db, zone: time.UTC, clock: func() time.Time { return now }, ruleBook: newRuleBook()}
		ctx := t.Context()
		for range 2 { // a second start changes nothing
			if err := s.SeedRuleSets(ctx); err != nil {
				t.Fatal(err)
			}
		}
		add := func(id string, version int, from, to string) {
			t.Helper()
			source := fmt.Sprintf(call, id, version, from, to)
			set, err := rules.Load([]byte(source))
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
				_, err := s.publish(ctx, tx, set, source, "op", now)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		add("a", 1, "2024-01-01", "2024-12-31")
		add("a", 2, "2026-01-01", "")
		add("a", 3, "2026-07-01", "2026-12-31")
		find := func(name string, version int64, day civil.Date) (set *rules.Set, err error) {
			err = db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
				var err error
				if day != "" {
					set, err = s.ruleBook.Effective(ctx, tx, name, day)
				} else {
					set, err = s.ruleBook.At(ctx, tx, name, version)
				}
				return err
			})
			return set, err
		}
		for day, want := range map[civil.Date]int64{
			"2023-12-31": 0, "2024-01-01": 1, "2024-12-31": 1, "2025-06-01": 0,
			"2026-01-01": 2, "2026-06-30": 2, "2026-07-01": 3, "2026-12-31": 3, "2027-01-01": 0,
		} {
			set, err := find("ruleSets/a", 0, day)
			if want == 0 {
				if errs.ReasonOf(err) != domain.RuleSetNotInForce {
					t.Errorf("%s: %v", day, err)
				}
			} else if err != nil || set.Version() != want {
				t.Errorf("%s: %v, %v", day, set, err)
			}
		}
		one, err := find("ruleSets/a", 1, "")
		if err != nil || one.Version() != 1 {
			t.Fatal(one, err)
		}
		if again, _ := find("ruleSets/a", 1, ""); again != one {
			t.Error("compiled twice")
		}
		for _, name := range []string{"ruleSets/none", "ruleSets/A", "a", "ruleSets/a/versions/1", ""} {
			if _, err := find(name, 1, ""); errs.KindOf(err) != errs.NotFound {
				t.Errorf("%q: %v", name, err)
			}
			if _, err := find(name, 0, "2026-01-01"); errs.KindOf(err) != errs.NotFound {
				t.Errorf("%q: %v", name, err)
			}
		}
		for i := range maxCompiled + 5 {
			id := fmt.Sprintf("many-%d", i)
			add(id, 1, "2026-01-01", "")
			if _, err := find("ruleSets/"+id, 1, ""); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(s.ruleBook.byHash); n != maxCompiled || s.ruleBook.recency.Len() != n {
			t.Errorf("%d sets are kept", n)
		}
		if again, err := find("ruleSets/a", 1, ""); err != nil || again == one || again.Version() != 1 {
			t.Errorf("after it was forgotten: %v", err)
		}
	})
}
