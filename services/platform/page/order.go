package page

import (
	"strings"

	"go.einride.tech/aip/ordering"

	"github.com/trama-suite/trama/services/platform/errs"
)

// maxOrderFields bounds an order_by. More decides nothing in practice.
const maxOrderFields = 5

type sortKey struct {
	column *Column
	desc   bool
}

// parseOrder reads an order_by and ends it with the column that is unique, in
// the direction of the field before it, so that one index can serve both.
func (s *Schema) parseOrder(text string) ([]sortKey, error) {
	var parsed ordering.OrderBy
	if err := parsed.UnmarshalString(text); err != nil {
		return nil, errs.InvalidField(errs.InvalidOrderBy, "order_by", `cannot be read: write fields separated by commas, each perhaps followed by " desc"`)
	}
	if len(parsed.Fields) > maxOrderFields {
		return nil, errs.InvalidField(errs.InvalidOrderBy, "order_by", "must not have more than %d fields", maxOrderFields)
	}
	var order []sortKey
	seen := map[string]bool{}
	for _, f := range parsed.Fields {
		c := s.byField[f.Path]
		switch {
		case c == nil || !c.Orderable:
			return nil, errs.InvalidField(errs.InvalidOrderBy, "order_by", "cannot order by %q; the fields to order by are: %s", f.Path, s.fields(true))
		case seen[f.Path]:
			return nil, errs.InvalidField(errs.InvalidOrderBy, "order_by", "names %q twice", f.Path)
		}
		seen[f.Path] = true
		order = append(order, sortKey{column: c, desc: f.Desc})
	}
	unique := &s.columns[0]
	if !seen[unique.Field] {
		order = append(order, sortKey{column: unique, desc: len(order) > 0 && order[len(order)-1].desc})
	}
	return order, nil
}

// orderBy is the ORDER BY clause's list.
func orderBy(order []sortKey) string {
	terms := make([]string, len(order))
	for i, k := range order {
		terms[i] = k.column.SQL
		if k.desc {
			terms[i] += " DESC"
		}
	}
	return strings.Join(terms, ", ")
}

// afterKeys is the condition for the rows behind the keys. Where all keys run
// one way it compares rows, which an index answers at once; otherwise it is
// spelt out, with a plain bound on the first key for the index.
func afterKeys(order []sortKey, keys []any, args *[]any) string {
	params := make([]string, len(keys))
	columns := make([]string, len(keys))
	same := true
	for i, k := range order {
		params[i] = param(args, keys[i])
		columns[i] = k.column.SQL
		same = same && k.desc == order[0].desc
	}
	if same {
		return "(" + strings.Join(columns, ", ") + ")" + operator(order[0].desc) + "(" + strings.Join(params, ", ") + ")"
	}
	last := len(order) - 1
	sql := columns[last] + operator(order[last].desc) + params[last]
	for i := last - 1; i >= 0; i-- {
		op := operator(order[i].desc)
		sql = columns[i] + op + params[i] + " OR " + columns[i] + " = " + params[i] + " AND (" + sql + ")"
		if i == 0 {
			sql = columns[0] + strings.TrimSpace(op) + "= " + params[0] + " AND (" + sql + ")"
		}
	}
	return sql
}

func operator(desc bool) string {
	if desc {
		return " < "
	}
	return " > "
}
