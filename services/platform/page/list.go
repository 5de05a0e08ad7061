package page

import (
	"context"
	"strconv"

	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Select is the query behind a list, without its ORDER BY and LIMIT.
type Select struct {
	// Columns to select, for example "n.id, n.doc".
	Columns string
	// From is what follows FROM, joins included. Each row must appear once.
	From string
	// Where is a condition with $1, $2 … for Args; empty for none.
	Where string
	// Args are the arguments of Where.
	Args []any
}

// maxBytes is how much text the rows of a page hold before it ends, whatever its
// size: half of what a caller over gRPC takes as one message.
const maxBytes = 8 << 20

// List reads the plan's page; one of very long rows ends early (AIP-158). scan is called once for each row and must call its
// argument once, with a destination for each of the select's columns. nextToken
// is empty on the last page. Rows that are added or removed while somebody pages
// never make another row appear twice or go missing.
func List[T any](ctx context.Context, tx *sqldb.Tx, p *Plan, q Select, scan func(scan func(dest ...any) error) (T, error)) (items []T, nextToken string, err error) {
	query, args := p.query(q)
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	keys := p.destinations()
	var all []any // the row's destinations, made once
	held := 0
	scanRow := func(dest ...any) error {
		all = append(append(all[:0], dest...), keys...)
		if err := rows.Scan(all...); err != nil {
			return err
		}
		for _, d := range dest {
			switch d := d.(type) {
			case *[]byte:
				held += len(*d)
			case *string:
				held += len(*d)
			}
		}
		return nil
	}
	items = make([]T, 0, min(p.size, DefaultSize))
	for rows.Next() {
		if len(items) == p.size || held >= maxBytes { // one more than the page holds: keys are of the row before
			return items, encodeToken(p.binding, p.order, keys), rows.Close()
		}
		item, err := scan(scanRow)
		if err != nil {
			return nil, "", err
		}
		items = append(items, item)
	}
	return items, "", rows.Err()
}

// query builds the statement: the select's columns and, behind them, the keys.
func (p *Plan) query(q Select) (string, []any) {
	args := append(make([]any, 0, len(q.Args)+len(p.order)+8), q.Args...)
	sql := "SELECT " + q.Columns
	for _, k := range p.order {
		sql += ", " + k.column.SQL
	}
	sql += " FROM " + q.From
	join := " WHERE "
	and := func(condition string) {
		sql += join + "(" + condition + ")"
		join = " AND "
	}
	if q.Where != "" {
		and(q.Where)
	}
	if p.condition != nil {
		and(p.condition(&args))
	}
	if p.after != nil {
		and(afterKeys(p.order, p.after, &args))
	}
	return sql + " ORDER BY " + orderBy(p.order) + " LIMIT " + param(&args, int64(p.size+1)), args
}

// destinations returns what the keys of a row are scanned into.
func (p *Plan) destinations() []any {
	keys := make([]any, len(p.order))
	for i, k := range p.order {
		switch k.column.Kind {
		case String:
			keys[i] = new(string)
		case Bool:
			keys[i] = new(bool)
		default:
			keys[i] = new(int64)
		}
	}
	return keys
}

// param appends an argument and returns its placeholder.
func param(args *[]any, arg any) string {
	*args = append(*args, arg)
	return "$" + strconv.Itoa(len(*args))
}
