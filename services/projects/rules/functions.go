package rules

import (
	"math"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/trama-suite/trama/services/platform/money"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// whole is the basis points of a whole.
const whole = 10_000

// function is what the language has beside the standard operators. The guide's
// table is made of it.
type function struct {
	name  string
	usage string
	about string
	opts  []cel.FunctionOpt
}

func unary(id string, arg, out *cel.Type, f func(ref.Val) ref.Val) cel.FunctionOpt {
	return cel.Overload(id, []*cel.Type{arg}, out, cel.UnaryBinding(f))
}

func binary(id string, a, b, out *cel.Type, f func(a, b ref.Val) ref.Val) cel.FunctionOpt {
	return cel.Overload(id, []*cel.Type{a, b}, out, cel.BinaryBinding(f))
}

// byCategory is a method of budgets that reads a sum of a category.
func byCategory(id string, get func(tally) int64) cel.FunctionOpt {
	return cel.MemberOverload(id, []*cel.Type{budgetType, cel.StringType}, cel.IntType, cel.BinaryBinding(func(b, category ref.Val) ref.Val {
		return types.Int(get(b.(*object[budgetData]).data.sums[string(category.(types.String))]))
	}))
}

var functions = []function{
	{"share", "share(amount, rate)", "rate basis points of an amount, rounded down to the minor unit", []cel.FunctionOpt{
		binary("share_int_int", cel.IntType, cel.IntType, cel.IntType, func(amount, rate ref.Val) ref.Val {
			return fraction(int64(amount.(types.Int)), int64(rate.(types.Int)), whole)
		}),
	}},
	{"pct", "pct(part, whole)", "the part in basis points of the whole, rounded down; an error where the whole is not above 0", []cel.FunctionOpt{
		binary("pct_int_int", cel.IntType, cel.IntType, cel.IntType, func(part, of ref.Val) ref.Val {
			return fraction(int64(part.(types.Int)), whole, int64(of.(types.Int)))
		}),
	}},
	{"pro_rata", "pro_rata(amount, part, whole)", "an amount times part over whole, rounded down to the minor unit; an error where the whole is not above 0", []cel.FunctionOpt{
		cel.Overload("pro_rata_int_int_int", []*cel.Type{cel.IntType, cel.IntType, cel.IntType}, cel.IntType, cel.FunctionBinding(func(a ...ref.Val) ref.Val {
			return fraction(int64(a[0].(types.Int)), int64(a[1].(types.Int)), int64(a[2].(types.Int)))
		})),
	}},
	{"least", "least(a, b)", "the smaller of two numbers", []cel.FunctionOpt{
		binary("least_int_int", cel.IntType, cel.IntType, cel.IntType, func(a, b ref.Val) ref.Val { return min(a.(types.Int), b.(types.Int)) }),
	}},
	{"greatest", "greatest(a, b)", "the greater of two numbers", []cel.FunctionOpt{
		binary("greatest_int_int", cel.IntType, cel.IntType, cel.IntType, func(a, b ref.Val) ref.Val { return max(a.(types.Int), b.(types.Int)) }),
	}},
	{"sum", "sum(list)", "the sum of a list of numbers; an error where it does not fit", []cel.FunctionOpt{
		unary("sum_list_int", cel.ListType(cel.IntType), cel.IntType, sum),
	}},
	{"distinct", "distinct(list)", "how many different texts a list holds", []cel.FunctionOpt{
		unary("distinct_list_string", cel.ListType(cel.StringType), cel.IntType, distinct),
	}},
	{"day", "day(\"2026-01-31\")", "a day of the calendar", []cel.FunctionOpt{
		unary("day_string", cel.StringType, dayType, func(s ref.Val) ref.Val {
			d, err := civil.Parse(string(s.(types.String)))
			if err != nil {
				return types.NewErr("day: %s", err)
			}
			return dayOf(d)
		}),
	}},
	{"add_days", "add_days(date, n)", "the day n days later; n may be negative", []cel.FunctionOpt{
		binary("add_days_day_int", dayType, cel.IntType, dayType, func(d, n ref.Val) ref.Val {
			return later(n, 400_000, func(n int) day { return d.(day) + day(n) })
		}),
	}},
	{"add_months", "add_months(date, n)", "the same day n months later, or that month's last day", []cel.FunctionOpt{
		binary("add_months_day_int", dayType, cel.IntType, dayType, func(d, n ref.Val) ref.Val {
			return later(n, 12_000, d.(day).addMonths)
		}),
	}},
	{"days", "days(first, last)", "days of a period, the first and last with them; 0 where the last is before the first", []cel.FunctionOpt{
		binary("days_day_day", dayType, dayType, cel.IntType, func(a, b ref.Val) ref.Val {
			return max(types.Int(b.(day))-types.Int(a.(day))+1, 0)
		}),
	}},
	{"months", "months(first, last)", "whole months of a period, the first and last day with them: 1 January to 31 December are 12", []cel.FunctionOpt{
		binary("months_day_day", dayType, dayType, cel.IntType, func(a, b ref.Val) ref.Val {
			return types.Int(a.(day).monthsUntil(b.(day)))
		}),
	}},
	{"year", "year(date)", "the year of a day", []cel.FunctionOpt{
		unary("year_day", dayType, cel.IntType, func(d ref.Val) ref.Val { return types.Int(d.(day).time().Year()) }),
	}},
	{"of", "budget.of(category), claim.of(category)", "planned in the budget, or claimed, in a category", []cel.FunctionOpt{
		byCategory("budget_of_string", func(t tally) int64 { return t.amount }),
		cel.MemberOverload("claim_of_string", []*cel.Type{claimType, cel.StringType}, cel.IntType, cel.BinaryBinding(func(c, category ref.Val) ref.Val {
			return types.Int(c.(*object[claimData]).data.sums[string(category.(types.String))])
		})),
	}},
	{"reported_of", "budget.reported_of(category)", "in earlier claims, in a category", []cel.FunctionOpt{
		byCategory("budget_reported_of_string", func(t tally) int64 { return t.reported }),
	}},
	{"claimed_of", "budget.claimed_of(category)", "in this claim, in a category", []cel.FunctionOpt{
		byCategory("budget_claimed_of_string", func(t tally) int64 { return t.claimed }),
	}},
	{"methods", "organisation.methods(category)", "the ways of counting cost that the organisation uses for a category in its other projects under this programme, each once", []cel.FunctionOpt{
		cel.MemberOverload("organisation_methods_string", []*cel.Type{organisationType, cel.StringType}, cel.ListType(cel.StringType), cel.BinaryBinding(func(o, category ref.Val) ref.Val {
			if m, ok := o.(*object[organisationData]).data.methods[string(category.(types.String))]; ok {
				return m
			}
			return noMethods
		})),
	}},
}

var noMethods = types.NewStringList(types.DefaultTypeAdapter, nil)

// standard is the standard library without what needs floating point, a clock,
// bytes, regular expressions or types at run time.
var standard = cel.StdLib(cel.StdLibSubset(&env.LibrarySubset{ExcludeFunctions: excluded(
	"matches", "timestamp", "duration", "double", "uint", "bytes", "dyn", "type",
	"getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds", "getMinutes", "getMonth", "getSeconds",
)}))

func excluded(names ...string) []*env.Function {
	var out []*env.Function
	for _, n := range names {
		out = append(out, env.NewFunction(n))
	}
	return out
}

// language is the environment without any variable: types, functions and the
// constants of the suite.
func language() []cel.EnvOption {
	p := newProvider()
	opts := []cel.EnvOption{
		standard, cel.CustomTypeProvider(p), cel.CustomTypeAdapter(p),
		cel.ParserRecursionLimit(48), cel.ParserExpressionSizeLimit(maxExpression),
	}
	for _, op := range []string{operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals} {
		opts = append(opts, cel.Function(op, cel.Overload("day"+op+"day", []*cel.Type{dayType, dayType}, cel.BoolType)))
	}
	for _, f := range functions {
		opts = append(opts, cel.Function(f.name, f.opts...))
	}
	for _, words := range [][]string{Categories, Methods, Bases} {
		for _, w := range words {
			opts = append(opts, cel.Constant(w, cel.StringType, types.String(w)))
		}
	}
	return opts
}

// The words of the suite, constants in expressions.
var (
	// Categories are the cost categories.
	Categories = []string{"STAFF", "OFFICE", "TRAVEL", "EXTERNAL", "EQUIPMENT", "INFRASTRUCTURE", "OTHER"}
	// Methods are the ways of counting cost.
	Methods = []string{"REAL", "FLAT_RATE", "UNIT_COST", "LUMP_SUM"}
	// Bases are what a flat rate is taken of: STAFF is a category too.
	Bases = []string{"DIRECT"}
)

func fraction(a, num, den int64) ref.Val {
	f, err := money.Fraction(money.Amount{Minor: a}, num, den)
	if err != nil {
		return types.WrapErr(err)
	}
	return types.Int(f.Minor)
}

func later(n ref.Val, most int64, f func(int) day) ref.Val {
	v := int64(n.(types.Int))
	if v < -most || v > most {
		return types.NewErr("%d is too far", v)
	}
	return f(int(v))
}

func sum(l ref.Val) ref.Val {
	var total int64
	for it := l.(traits.Lister).Iterator(); it.HasNext() == types.True; {
		v := int64(it.Next().(types.Int))
		if (v > 0 && total > math.MaxInt64-v) || (v < 0 && total < math.MinInt64-v) {
			return types.NewErr("the sum does not fit in 64 bits")
		}
		total += v
	}
	return types.Int(total)
}

func distinct(l ref.Val) ref.Val {
	var all []string
	for it := l.(traits.Lister).Iterator(); it.HasNext() == types.True; {
		all = append(all, string(it.Next().(types.String)))
	}
	slices.Sort(all)
	return types.Int(len(slices.Compact(all)))
}
