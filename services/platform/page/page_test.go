package page_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

var migrations = fstest.MapFS{"00001_items.sql": {Data: []byte(`-- +goose Up
CREATE TABLE items (
    id      TEXT    NOT NULL PRIMARY KEY,
    title   TEXT    NOT NULL,
    state   TEXT    NOT NULL,
    n       BIGINT  NOT NULL CHECK (n BETWEEN -1000000 AND 1000000),
    created BIGINT  NOT NULL CHECK (created BETWEEN 0 AND 9223372036854775807),
    sample  BOOLEAN NOT NULL CHECK (sample IN (TRUE, FALSE)),
    note    TEXT
);
CREATE INDEX items_title ON items (title, id);
`)}}

var schema = page.New(
	page.Column{Field: "id", SQL: "i.id"},
	page.Column{Field: "title", SQL: "i.title", Orderable: true},
	page.Column{Field: "state", SQL: "i.state", Orderable: true},
	page.Column{Field: "n", SQL: "i.n", Kind: page.Int, Orderable: true},
	page.Column{Field: "create_time", SQL: "i.created", Kind: page.Time, Orderable: true},
	page.Column{Field: "sample", SQL: "i.sample", Kind: page.Bool, Orderable: true},
	page.Column{Field: "details.note", SQL: "i.note"},
)

type item struct {
	ID, Title, State string
	N                int64
	Created          time.Time
	Sample           bool
	Note             *string
}

type request struct {
	size           int32
	token          string
	filter, orders string
}

func (r request) GetPageSize() int32   { return r.size }
func (r request) GetPageToken() string { return r.token }
func (r request) GetFilter() string    { return r.filter }
func (r request) GetOrderBy() string   { return r.orders }

func list(ctx context.Context, db *sqldb.DB, r request, bind ...string) (items []item, next string, err error) {
	plan, err := schema.Plan(r, bind...)
	if err != nil {
		return nil, "", err
	}
	err = db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		q := page.Select{Columns: "i.id, i.title, i.state, i.n, i.created, i.sample, i.note", From: "items i", Where: "i.id <> $1 OR i.id = $2", Args: []any{"none", "none"}}
		items, next, err = page.List(ctx, tx, plan, q, func(scan func(dest ...any) error) (item, error) {
			var it item
			var created int64
			err := scan(&it.ID, &it.Title, &it.State, &it.N, &created, &it.Sample, &it.Note)
			it.Created = sqldb.Time(created)
			return it, err
		})
		return err
	})
	return items, next, err
}

func insert(ctx context.Context, db *sqldb.DB, items ...item) error {
	return db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, it := range items {
			tx.Queue("INSERT INTO items (id, title, state, n, created, sample, note) VALUES ($1, $2, $3, $4, $5, $6, $7)",
				it.ID, it.Title, it.State, it.N, sqldb.Micros(it.Created), it.Sample, it.Note)
		}
		return nil
	})
}

// clear empties the table and fills it.
func refill(ctx context.Context, db *sqldb.DB, items ...item) error {
	err := db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		tx.Queue("DELETE FROM items")
		return nil
	})
	if err != nil {
		return err
	}
	return insert(ctx, db, items...)
}

func drawItem(t *rapid.T, id string) item {
	it := item{
		ID:      id,
		Title:   rapid.SampledFrom([]string{"", "Åsa", "a", "B", "b", "casa", "Casa", "é", "zz", "a'b", `q"`, "%", "日本"}).Draw(t, "title"),
		State:   rapid.SampledFrom([]string{"DRAFT", "PUBLISHED", "ARCHIVED"}).Draw(t, "state"),
		N:       rapid.Int64Range(-3, 3).Draw(t, "n"),
		Created: time.Date(2026, 1, 1, 0, 0, rapid.IntRange(0, 3).Draw(t, "created"), 0, time.UTC),
		Sample:  rapid.Bool().Draw(t, "sample"),
	}
	if rapid.Bool().Draw(t, "noted") {
		note := rapid.SampledFrom([]string{"", "care", "long care home"}).Draw(t, "note")
		it.Note = &note
	}
	return it
}

func drawItems(t *rapid.T) []item {
	items := make([]item, rapid.IntRange(0, 40).Draw(t, "items"))
	for i := range items {
		items[i] = drawItem(t, fmt.Sprintf("%03d", i*10))
	}
	return items
}

var comparers = map[string]func(a, b item) int{
	"id":          func(a, b item) int { return strings.Compare(a.ID, b.ID) },
	"title":       func(a, b item) int { return strings.Compare(a.Title, b.Title) },
	"state":       func(a, b item) int { return strings.Compare(a.State, b.State) },
	"n":           func(a, b item) int { return cmp.Compare(a.N, b.N) },
	"create_time": func(a, b item) int { return a.Created.Compare(b.Created) },
	"sample": func(a, b item) int {
		switch {
		case a.Sample == b.Sample:
			return 0
		case b.Sample:
			return -1
		}
		return 1
	},
}

// drawOrder returns an order_by and the comparison that it stands for.
func drawOrder(t *rapid.T) (string, func(a, b item) int) {
	fields := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"id", "title", "state", "n", "create_time", "sample"}), 0, 4, rapid.ID[string]).Draw(t, "order")
	var text []string
	var keys []func(a, b item) int
	desc := false
	for _, f := range fields {
		desc = rapid.Bool().Draw(t, "desc")
		cmp := comparers[f]
		if desc {
			keys = append(keys, func(a, b item) int { return cmp(b, a) })
			text = append(text, f+" desc")
		} else {
			keys = append(keys, cmp)
			text = append(text, f)
		}
	}
	tie := comparers["id"]
	return strings.Join(text, ", "), func(a, b item) int {
		for _, k := range keys {
			if c := k(a, b); c != 0 {
				return c
			}
		}
		if desc {
			return tie(b, a)
		}
		return tie(a, b)
	}
}

func ids(items []item) []string {
	out := make([]string, len(items))
	for i, it := range items {
		out[i] = it.ID
	}
	return out
}

// Paging with any size and order gives exactly the sorted list, also while rows
// come in before the cursor, which must neither show nor move anything.
func TestPagesMakeTheWholeList(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "pages", migrations)
		rapid.Check(t, func(rt *rapid.T) {
			items := drawItems(rt)
			if err := refill(t.Context(), db, items...); err != nil {
				rt.Fatal(err)
			}
			order, compare := drawOrder(rt)
			slices.SortFunc(items, compare)
			var got []item
			token := ""
			for pages := 0; ; pages++ {
				if pages > len(items) {
					rt.Fatalf("more pages than rows, order %q", order)
				}
				size := rapid.Int32Range(1, 12).Draw(rt, "size")
				batch, next, err := list(t.Context(), db, request{size: size, token: token, orders: order})
				if err != nil {
					rt.Fatal(err)
				}
				if len(batch) > int(size) || next != "" && len(batch) < int(size) {
					rt.Fatalf("page of %d has %d rows, next %q", size, len(batch), next)
				}
				got = append(got, batch...)
				if next == "" {
					break
				}
				token = next
				before := drawItem(rt, fmt.Sprintf("x%03d", pages))
				if compare(before, batch[len(batch)-1]) < 0 {
					if err := insert(t.Context(), db, before); err != nil {
						rt.Fatal(err)
					}
				}
			}
			if !slices.Equal(ids(got), ids(items)) {
				rt.Fatalf("order %q:\ngot  %v\nwant %v", order, ids(got), ids(items))
			}
		})
	})
}

func TestPageSize(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "sizes", migrations)
		var items []item
		for i := range 1005 {
			items = append(items, item{ID: fmt.Sprintf("%05d", i), State: "DRAFT"})
		}
		if err := insert(t.Context(), db, items...); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ ask, want int }{{0, 50}, {1, 1}, {1000, 1000}, {1001, 1000}, {1 << 30, 1000}} {
			got, next, err := list(t.Context(), db, request{size: int32(c.ask)})
			if err != nil || len(got) != c.want || next == "" {
				t.Errorf("page_size %d: %d rows, next %q, %v", c.ask, len(got), next, err)
			}
		}
	})
	if _, err := schema.Plan(request{size: -1}); errs.ReasonOf(err) != errs.InvalidRequest {
		t.Errorf("page_size -1: %v", err)
	}
}

func TestTokenIsBoundToTheRequest(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "tokens", migrations)
		if err := insert(t.Context(), db, item{ID: "a"}, item{ID: "b"}, item{ID: "c"}); err != nil {
			t.Fatal(err)
		}
		given := request{size: 1, filter: `id != "z"`, orders: "title"}
		_, token, err := list(t.Context(), db, given, "organisations/1", "scope")
		if err != nil || token == "" {
			t.Fatal(token, err)
		}
		given.token = token
		if got, _, err := list(t.Context(), db, given, "organisations/1", "scope"); err != nil || got[0].ID != "b" {
			t.Fatal(got, err)
		}
		resized := given
		resized.size = 2
		if _, _, err := list(t.Context(), db, resized, "organisations/1", "scope"); err != nil {
			t.Errorf("page_size may change while paging: %v", err)
		}
		for name, c := range map[string]struct {
			r    request
			bind []string
		}{
			"filter":       {request{size: 1, token: token, filter: `id != "y"`, orders: "title"}, []string{"organisations/1", "scope"}},
			"order":        {request{size: 1, token: token, filter: `id != "z"`, orders: "title desc"}, []string{"organisations/1", "scope"}},
			"parent":       {given, []string{"organisations/2", "scope"}},
			"no binding":   {given, nil},
			"split change": {given, []string{"organisations/1s", "cope"}},
			"garbage":      {request{token: "garbage"}, nil},
			"not base64":   {request{token: "%%%"}, nil},
			"cut":          {request{size: 1, token: token[:len(token)-2], filter: `id != "z"`, orders: "title"}, []string{"organisations/1", "scope"}},
			"long":         {request{size: 1, token: strings.Repeat("A", 1<<20)}, nil},
		} {
			_, _, err := list(t.Context(), db, c.r, c.bind...)
			if errs.ReasonOf(err) != errs.InvalidPageToken || errs.KindOf(err) != errs.Invalid {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestOrderByErrors(t *testing.T) {
	for _, order := range []string{"unknown", "title up", "title,,n", "details.note", "title, title desc", "title;", "id,title,state,n,create_time,sample", "drop table"} {
		_, err := schema.Plan(request{orders: order})
		if errs.ReasonOf(err) != errs.InvalidOrderBy || !strings.Contains(err.Error(), "order_by") {
			t.Errorf("%q: %v", order, err)
		}
	}
}

func TestWrongDeclarationsPanic(t *testing.T) {
	for name, columns := range map[string][]page.Column{
		"none":      nil,
		"no SQL":    {{Field: "id"}},
		"bad field": {{Field: "Id", SQL: "id"}},
		"twice":     {{Field: "id", SQL: "id"}, {Field: "id", SQL: "x"}},
		"bad kind":  {{Field: "id", SQL: "id", Kind: 9}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			page.New(columns...)
		})
	}
}

// Rows may be long: a page that would not fit in one message ends early, and the
// next one goes on where it ended.
func TestAPageOfLongRowsEndsEarly(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "items", migrations)
		var items []item
		for i := range 7 {
			items = append(items, item{ID: fmt.Sprint(i), State: strings.Repeat("x", 3<<20), Created: time.UnixMicro(1)})
		}
		if err := insert(t.Context(), db, items...); err != nil {
			t.Fatal(err)
		}
		var sizes []int
		var seen string
		for r := (request{size: 1000}); ; {
			got, next, err := list(t.Context(), db, r)
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, len(got))
			for _, it := range got {
				seen += it.ID
			}
			if r.token = next; next == "" {
				break
			}
		}
		if !slices.Equal(sizes, []int{3, 3, 1}) || seen != "0123456" {
			t.Errorf("pages of %v with %s", sizes, seen)
		}
	})
}
