package page_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

// truth is SQL's: a comparison with an absent value is neither true nor false.
type truth int

const (
	no truth = iota
	unknown
	yes
)

func of(b bool) truth {
	if b {
		return yes
	}
	return no
}

// drawFilter draws a filter and the plain Go function that it stands for.
func drawFilter(t *rapid.T, deep int) (string, func(item) truth) {
	kind := rapid.IntRange(0, 8).Draw(t, "node")
	if deep == 0 {
		kind = rapid.IntRange(3, 8).Draw(t, "leaf")
	}
	switch kind {
	case 0, 1:
		left, l := drawFilter(t, deep-1)
		right, r := drawFilter(t, deep-1)
		if kind == 0 {
			return "(" + left + ") AND (" + right + ")", func(i item) truth { return min(l(i), r(i)) }
		}
		return "(" + left + ") OR (" + right + ")", func(i item) truth { return max(l(i), r(i)) }
	case 2:
		inner, f := drawFilter(t, deep-1)
		return "NOT (" + inner + ")", func(i item) truth { return yes - f(i) }
	case 3:
		n := rapid.Int64Range(-3, 3).Draw(t, "n")
		return drawComparison(t, "n", fmt.Sprint(n), func(i item) int { return compareInt(i.N, n) })
	case 4:
		at := time.Date(2026, 1, 1, 0, 0, rapid.IntRange(0, 3).Draw(t, "at"), 0, time.UTC)
		return drawComparison(t, "create_time", fmt.Sprintf("%q", at.Format(time.RFC3339)), func(i item) int { return i.Created.Compare(at) })
	case 5:
		title := rapid.SampledFrom([]string{"", "a", "Casa", "é", "a'b", "%"}).Draw(t, "title")
		return drawComparison(t, "title", `"`+title+`"`, func(i item) int { return strings.Compare(i.Title, title) })
	case 6:
		flag := rapid.Bool().Draw(t, "flag")
		return fmt.Sprintf("sample = %v", flag), func(i item) truth { return of(i.Sample == flag) }
	case 7:
		part := rapid.SampledFrom([]string{"a", "C", "'", "%", "é"}).Draw(t, "part")
		return fmt.Sprintf(`title:"%s"`, part), func(i item) truth { return of(strings.Contains(i.Title, part)) }
	default:
		note := rapid.SampledFrom([]string{"", "care"}).Draw(t, "note")
		return fmt.Sprintf(`details.note != "%s"`, note), func(i item) truth {
			if i.Note == nil {
				return unknown
			}
			return of(*i.Note != note)
		}
	}
}

func compareInt(a, b int64) int { return int(max(-1, min(1, a-b))) }

func drawComparison(t *rapid.T, field, value string, compare func(item) int) (string, func(item) truth) {
	op := rapid.SampledFrom([]string{"=", "!=", "<", "<=", ">", ">="}).Draw(t, "op")
	space := rapid.SampledFrom([]string{"", " "}).Draw(t, "space")
	return field + space + op + space + value, func(i item) truth {
		c := compare(i)
		switch op {
		case "=":
			return of(c == 0)
		case "!=":
			return of(c != 0)
		case "<":
			return of(c < 0)
		case "<=":
			return of(c <= 0)
		case ">":
			return of(c > 0)
		}
		return of(c >= 0)
	}
}

// A filter finds on both databases what the plain function finds.
func TestFilterMatchesReference(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "filters", migrations)
		rapid.Check(t, func(rt *rapid.T) {
			items := drawItems(rt)
			if err := refill(t.Context(), db, items...); err != nil {
				rt.Fatal(err)
			}
			for range 8 {
				filter, match := drawFilter(rt, 3)
				var want []string
				for _, it := range items {
					if match(it) == yes {
						want = append(want, it.ID)
					}
				}
				got, _, err := list(t.Context(), db, request{size: 1000, filter: filter})
				if err != nil {
					rt.Fatalf("%s: %v", filter, err)
				}
				if !slices.Equal(ids(got), want) && len(got)+len(want) > 0 {
					rt.Fatalf("%s:\ngot  %v\nwant %v", filter, ids(got), want)
				}
			}
		})
	})
}

func TestFilterForms(t *testing.T) {
	note := "care home"
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "forms", migrations)
		err := insert(t.Context(), db,
			item{ID: "1", Title: "organisations/7", State: "DRAFT", N: -2, Created: time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC), Note: &note},
			item{ID: "2", Title: "b", State: "PUBLISHED", N: 5, Created: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), Sample: true})
		if err != nil {
			t.Fatal(err)
		}
		for filter, want := range map[string]string{
			"":                           "1,2",
			"   ":                        "1,2",
			"state = PUBLISHED":          "2",
			`state = "PUBLISHED"`:        "2",
			"state=DRAFT":                "1",
			"title = organisations/7":    "1",
			"n = -2":                     "1",
			"n > -2":                     "2",
			`create_time < "2026-02-01"`: "1",
			`create_time = "2026-01-31T01:00:00+01:00"`: "1",
			"sample = true":                       "2",
			"NOT sample = true":                   "1",
			"-sample = true":                      "1",
			"details.note:care":                   "1",
			`details.note:"e h"`:                  "1",
			`details.note:"CARE"`:                 "",
			"details.note:*":                      "1",
			"NOT details.note:*":                  "2",
			"n:*":                                 "1,2",
			"n = 5 OR n = 6 AND state = DRAFT":    "", // OR binds tighter
			"n = 5 OR (n = -2 AND state = DRAFT)": "1,2",
			`title = "'; DROP TABLE items; --"`:   "",
		} {
			got, _, err := list(t.Context(), db, request{filter: filter})
			if err != nil || strings.Join(ids(got), ",") != want {
				t.Errorf("%s: %v %v, want %s", filter, ids(got), err, want)
			}
		}
	})
}

func TestFilterErrors(t *testing.T) {
	for filter, hint := range map[string]string{
		"unknown = 1":               "the fields are: id, title",
		"secret.path = 1":           "the fields are",
		"n = abc":                   "whole number",
		"n = 1.5":                   "whole number",
		"n = 99999999999999999999":  "", // more than a BIGINT
		"n:1":                       "colon",
		"n = n":                     "whole number",
		"title = 5":                 "quotation marks",
		`title:""`:                  "empty",
		"sample > false":            "= or !=",
		"sample = 1":                "true or false",
		`create_time > "yesterday"`: "2026-01-31",
		"create_time > 5":           "2026-01-31",
		"title":                     "comparison",
		`"text"`:                    "comparison",
		`"x" = title`:               "field comes first",
		"title = a title = b":       "join them",
		"size(title) = 1":           "field comes first",
		"size(title)":               "function",
		"title = lower(title)":      "expression",
		"title = (a OR b)":          "expression",
		"title = ":                  "cannot be read",
		"(title = a":                "cannot be read",
		"title = a)":                "cannot be read",
		"title = 'a":                "cannot be read",
		"title ~ a":                 "",
		"title = \"\x00\"":          "",
		"title = \"\xff\"":          "",
		strings.Repeat("(", 20) + "n = 1" + strings.Repeat(")", 20): "nest",
		strings.Repeat("n = 1 AND ", 70) + "n = 1":                  "more than 64",
		`title = "` + strings.Repeat("a", 3000) + `"`:               "longer",
	} {
		_, err := schema.Plan(request{filter: filter})
		if errs.KindOf(err) != errs.Invalid || errs.ReasonOf(err) != errs.InvalidFilter || !strings.Contains(err.Error(), "filter: ") || !strings.Contains(err.Error(), hint) {
			t.Errorf("%.60q: %v, want a hint at %q", filter, err, hint)
		}
	}
}

// FuzzFilter holds that any text is a filter that runs, or an errs.Invalid about
// the filter.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{"state = PUBLISHED", `n > -2 AND NOT (title:"a" OR create_time < "2026-01-31")`, "-n=0x10", "a.b.c:*", "((((", "NOT", "title = \"\\u0000\"", "n = --5", "f(g(h(1)))"} {
		f.Add(seed)
	}
	db := fuzzDB(f)
	f.Fuzz(func(t *testing.T, filter string) {
		_, _, err := list(t.Context(), db, request{filter: filter})
		if err != nil && errs.ReasonOf(err) != errs.InvalidFilter {
			t.Fatalf("%q: %v", filter, err)
		}
	})
}

// FuzzPageToken holds that any text is a token that runs, or an errs.Invalid
// about the token.
func FuzzPageToken(f *testing.F) {
	db := fuzzDB(f)
	r := request{size: 1, orders: "title, n desc, sample"}
	_, token, err := list(f.Context(), db, r)
	if err != nil || token == "" {
		f.Fatal(token, err)
	}
	f.Add(token)
	f.Add(token[:20])
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		_, _, err := list(t.Context(), db, request{size: 1, orders: r.orders, token: token})
		if err != nil && errs.ReasonOf(err) != errs.InvalidPageToken {
			t.Fatalf("%q: %v", token, err)
		}
	})
}

// fuzzDB is in a file: what is fuzzed is the same on both databases, and a
// PostgreSQL server for each of the fuzzer's workers would only be slow.
func fuzzDB(f *testing.F) *sqldb.DB {
	db, err := sqldb.Open(f.Context(), sqldb.Config{URL: "sqlite:" + f.TempDir(), Schema: "fuzz"}, migrations)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { db.Close() })
	if err := insert(f.Context(), db, item{ID: "1", Title: "a"}, item{ID: "2", Title: "b", N: 2}); err != nil {
		f.Fatal(err)
	}
	return db
}
