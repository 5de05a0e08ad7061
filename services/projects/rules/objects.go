package rules

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// object is a record as expressions see it. Its fields are read by the functions
// of the tables below: no reflection, and nothing is copied.
type object[T any] struct {
	kind *cel.Type
	data T
}

func (o *object[T]) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a %s cannot be made a %v", o.kind.TypeName(), t)
}

func (o *object[T]) ConvertToType(t ref.Type) ref.Val {
	return types.NewErr("a %s cannot be made a %s", o.kind.TypeName(), t.TypeName())
}

func (o *object[T]) Equal(other ref.Val) ref.Val { return types.Bool(other == ref.Val(o)) }
func (o *object[T]) Type() ref.Type              { return o.kind }
func (o *object[T]) Value() any                  { return o }

// member is a field of a record.
type member struct {
	name  string
	kind  *cel.Type
	about string // for the guide
	get   func(any) (any, error)
	set   func(any) bool
}

func always(any) bool { return true }

// reading makes the reader of a field of T.
func reading[T any](name string, kind *cel.Type, about string, get func(*T) ref.Val) member {
	return member{name: name, kind: kind, about: about, set: always, get: func(o any) (any, error) {
		return get(&o.(*object[T]).data), nil
	}}
}

func number[T any](name, about string, get func(*T) int64) member {
	return reading(name, cel.IntType, about, func(d *T) ref.Val { return types.Int(get(d)) })
}

func text[T any](name, about string, get func(*T) string) member {
	m := reading(name, cel.StringType, about, func(d *T) ref.Val { return types.String(get(d)) })
	m.set = func(o any) bool { return get(&o.(*object[T]).data) != "" }
	return m
}

func flag[T any](name, about string, get func(*T) bool) member {
	return reading(name, cel.BoolType, about, func(d *T) ref.Val { return types.Bool(get(d)) })
}

// UnknownFactError tells that a rule asks for a fact that nobody has told.
type UnknownFactError struct {
	// Fact as rules write it, for example organisation.vat_recoverable.
	Fact string
}

// Error names the fact.
func (e *UnknownFactError) Error() string { return e.Fact + " is not known" }

// told is a truth value that may not be known; fact is its name with that of its
// record. An expression that is settled without it does not need it.
func told[T any](fact, about string, get func(*T) *bool) member {
	read := func(o any) *bool { return get(&o.(*object[T]).data) }
	return member{name: fact[strings.IndexByte(fact, '.')+1:], kind: cel.BoolType, about: about + "; may be unknown",
		set: func(o any) bool { return read(o) != nil },
		get: func(o any) (any, error) {
			if b := read(o); b != nil {
				return types.Bool(*b), nil
			}
			return nil, &UnknownFactError{fact}
		}}
}

// toldText is a text that may not be known.
func toldText[T any](fact, about string, get func(*T) string) member {
	read := func(o any) string { return get(&o.(*object[T]).data) }
	return member{name: fact[strings.IndexByte(fact, '.')+1:], kind: cel.StringType, about: about + "; may be unknown",
		set: func(o any) bool { return read(o) != "" },
		get: func(o any) (any, error) {
			if s := read(o); s != "" {
				return types.String(s), nil
			}
			return nil, &UnknownFactError{fact}
		}}
}

func date[T any](name, about string, get func(*T) day) member {
	return member{
		name: name, kind: dayType, about: about,
		set: func(o any) bool { return get(&o.(*object[T]).data) != noDay },
		get: func(o any) (any, error) {
			d := get(&o.(*object[T]).data)
			if d == noDay {
				return nil, fmt.Errorf("%s is not given; ask has() first", name)
			}
			return d, nil
		},
	}
}

func list[T any](name string, of *cel.Type, about string, get func(*T) ref.Val) member {
	return reading(name, cel.ListType(of), about, get)
}

// The types of expressions.
var (
	projectType      = cel.ObjectType("trama.Project")
	partnerType      = cel.ObjectType("trama.Partner")
	funderType       = cel.ObjectType("trama.Funder")
	organisationType = cel.ObjectType("trama.Organisation")
	choiceType       = cel.ObjectType("trama.Choice")
	budgetType       = cel.ObjectType("trama.Budget")
	budgetLineType   = cel.ObjectType("trama.BudgetLine")
	claimType        = cel.ObjectType("trama.Claim")
	claimLineType    = cel.ObjectType("trama.ClaimLine")
)

// The records behind them.
type (
	projectData struct {
		Project
		start, end day
		partners   ref.Val
	}
	funderData struct {
		Funder
		from, to day
		paid     int64
		interims ref.Val
	}
	organisationData struct {
		Organisation
		choices ref.Val
		methods map[string]ref.Val
	}
	budgetData struct {
		lines ref.Val
		sums  map[string]tally
	}
	budgetLineData struct {
		BudgetLine
		index   int
		allowed bool
		claimed int64
	}
	claimData struct {
		Claim
		start, end day
		lines      ref.Val
		sums       map[string]int64
	}
	claimLineData struct {
		ClaimLine
		index          int
		document, paid day
		recoverable    *bool
		budget         *object[budgetLineData]
	}
)

// tally is what a budget says of a category; that of the empty category is the
// whole.
type tally struct{ amount, reported, claimed, spent int64 }

// records lists the fields of every type. The guide's tables are made of it.
var records = map[*cel.Type][]member{
	projectType: {
		text("name", "resource name", func(d *projectData) string { return d.Name }),
		date("start", "first day", func(d *projectData) day { return d.start }),
		date("end", "last day", func(d *projectData) day { return d.end }),
		text("currency", "currency of all amounts", func(d *projectData) string { return d.Currency }),
		text("lead", "resource name of the lead partner", func(d *projectData) string { return d.Lead }),
		list("partners", partnerType, "all partners, the lead with them", func(d *projectData) ref.Val { return d.partners }),
	},
	partnerType: {
		text("organisation", "resource name", func(d *Partner) string { return d.Organisation }),
		toldText("partner.kind", "legal kind, for example SOCIAL_COOPERATIVE_A", func(d *Partner) string { return d.Kind }),
		told("partner.profit", "works for profit", func(d *Partner) *bool { return d.Profit }),
	},
	funderType: {
		text("key", "key in the project", func(d *funderData) string { return d.Key }),
		text("title", "name", func(d *funderData) string { return d.Title }),
		number("grant", "amount granted; 0 when not known", func(d *funderData) int64 { return d.Grant }),
		date("eligible_from", "first day of eligibility; the project's where the funder gives none", func(d *funderData) day { return d.from }),
		date("eligible_to", "last day of eligibility; the project's where the funder gives none", func(d *funderData) day { return d.to }),
		number("advance_paid", "paid in advance", func(d *funderData) int64 { return d.AdvancePaid }),
		list("interims_paid", cel.IntType, "the payments after the advance, in order", func(d *funderData) ref.Val { return d.interims }),
		number("paid", "all payments so far", func(d *funderData) int64 { return d.paid }),
		flag("indirect_methodology", "the funder accepted a calculation of indirect costs", func(d *funderData) bool { return d.IndirectMethodology }),
	},
	organisationType: {
		text("name", "resource name of the body that claims", func(d *organisationData) string { return d.Name }),
		toldText("organisation.kind", "legal kind", func(d *organisationData) string { return d.Kind }),
		told("organisation.profit", "works for profit", func(d *organisationData) *bool { return d.Profit }),
		told("organisation.vat_recoverable", "recovers the VAT on its purchases", func(d *organisationData) *bool { return d.VATRecoverable }),
		list("choices", choiceType, "ways of counting cost in its other projects under this programme", func(d *organisationData) ref.Val { return d.choices }),
	},
	choiceType: {
		text("project", "resource name of the other project", func(d *Choice) string { return d.Project }),
		text("category", "cost category", func(d *Choice) string { return d.Category }),
		text("method", "REAL, FLAT_RATE, UNIT_COST or LUMP_SUM", func(d *Choice) string { return d.Method }),
	},
	budgetType: {
		number("amount", "planned, whole", func(d *budgetData) int64 { return d.sums[""].amount }),
		number("reported", "in earlier claims, whole", func(d *budgetData) int64 { return d.sums[""].reported }),
		number("claimed", "in this claim, whole", func(d *budgetData) int64 { return d.sums[""].claimed }),
		number("spent", "booked, whole", func(d *budgetData) int64 { return d.sums[""].spent }),
		list("lines", budgetLineType, "the lines", func(d *budgetData) ref.Val { return d.lines }),
	},
	budgetLineType: {
		text("key", "key, mostly the resource name", func(d *budgetLineData) string { return d.Key }),
		number("index", "place in the budget, from 0", func(d *budgetLineData) int64 { return int64(d.index) }),
		text("organisation", "the partner whose cost it is", func(d *budgetLineData) string { return d.Organisation }),
		text("category", "category of the suite", func(d *budgetLineData) string { return d.Category }),
		text("funder_category", "category of this set; empty where none takes the line", func(d *budgetLineData) string { return d.FunderCategory }),
		flag("allowed", "a category of this set takes the line, and its costs are allowed", func(d *budgetLineData) bool { return d.allowed }),
		text("description", "what it is for", func(d *budgetLineData) string { return d.Description }),
		text("work_package", "task under which the cost falls", func(d *budgetLineData) string { return d.WorkPackage }),
		text("method", "REAL, FLAT_RATE, UNIT_COST or LUMP_SUM", func(d *budgetLineData) string { return d.Method }),
		number("rate", "rate of a flat rate", func(d *budgetLineData) int64 { return d.Rate }),
		text("base", "base of a flat rate, STAFF or DIRECT", func(d *budgetLineData) string { return d.Base }),
		number("units", "units of a unit cost", func(d *budgetLineData) int64 { return d.Units }),
		number("unit_price", "price of a unit", func(d *budgetLineData) int64 { return d.UnitPrice }),
		number("amount", "planned", func(d *budgetLineData) int64 { return d.Amount }),
		number("funder_share", "share of the funder", func(d *budgetLineData) int64 { return d.FunderShare }),
		number("reported", "in earlier claims", func(d *budgetLineData) int64 { return d.Reported }),
		number("claimed", "in this claim; 0 without one", func(d *budgetLineData) int64 { return d.claimed }),
		number("spent", "booked", func(d *budgetLineData) int64 { return d.Spent }),
	},
	claimType: {
		text("name", "resource name", func(d *claimData) string { return d.Name }),
		number("number", "counts the partner's claims to this funder, from 1", func(d *claimData) int64 { return d.Number }),
		flag("final", "it is the last, for the balance", func(d *claimData) bool { return d.Final }),
		date("period_start", "first day of the reporting period", func(d *claimData) day { return d.start }),
		date("period_end", "last day of the reporting period", func(d *claimData) day { return d.end }),
		number("amount", "claimed, whole", func(d *claimData) int64 { return d.sums[""] }),
		list("lines", claimLineType, "the lines", func(d *claimData) ref.Val { return d.lines }),
	},
	claimLineType: {
		text("key", "key, mostly the expenditure's resource name", func(d *claimLineData) string { return d.Key }),
		number("index", "place in the claim, from 0", func(d *claimLineData) int64 { return int64(d.index) }),
		reading("budget", budgetLineType, "the budget line it is booked on", func(d *claimLineData) ref.Val { return d.budget }),
		text("category", "category of the suite", func(d *claimLineData) string { return d.budget.data.Category }),
		text("funder_category", "category of this set", func(d *claimLineData) string { return d.budget.data.FunderCategory }),
		flag("allowed", "a category of this set takes the line, and its costs are allowed", func(d *claimLineData) bool { return d.budget.data.allowed }),
		text("method", "that of the budget line", func(d *claimLineData) string { return d.budget.data.Method }),
		number("amount", "claimed", func(d *claimLineData) int64 { return d.Amount }),
		number("net", "net amount of the document", func(d *claimLineData) int64 { return d.Net }),
		number("vat", "VAT of the document", func(d *claimLineData) int64 { return d.VAT }),
		number("gross", "gross amount of the document", func(d *claimLineData) int64 { return d.Gross }),
		told("line.vat_recoverable", "the VAT of the document is recovered, as the document or the organisation says", func(d *claimLineData) *bool { return d.recoverable }),
		text("issuer", "issuer of the document, by VAT number where it has one", func(d *claimLineData) string { return d.Issuer }),
		text("number", "number of the document", func(d *claimLineData) string { return d.Number }),
		date("document_date", "day of the document", func(d *claimLineData) day { return d.document }),
		date("payment_date", "day of payment", func(d *claimLineData) day { return d.paid }),
		number("documents", "files that prove the cost", func(d *claimLineData) int64 { return d.Documents }),
		flag("payment_proof", "a file proves the payment", func(d *claimLineData) bool { return d.PaymentProof }),
		text("description", "what was bought", func(d *claimLineData) string { return d.Description }),
	},
}

// provider tells CEL of the records.
type provider struct {
	*types.Registry
	kinds   map[string]*cel.Type
	members map[string]map[string]*types.FieldType
}

// newProvider returns the types of records and the standard ones.
func newProvider() *provider {
	registry, err := types.NewRegistry()
	if err != nil {
		panic(err) // no message types are given that could be wrong
	}
	p := &provider{Registry: registry, kinds: map[string]*cel.Type{}, members: map[string]map[string]*types.FieldType{}}
	for kind, members := range records {
		fields := map[string]*types.FieldType{}
		for _, m := range members {
			fields[m.name] = &types.FieldType{Type: m.kind, IsSet: m.set, GetFrom: m.get}
		}
		p.kinds[kind.TypeName()], p.members[kind.TypeName()] = kind, fields
	}
	return p
}

// FindStructType implements types.Provider.
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if kind, ok := p.kinds[name]; ok {
		return types.NewTypeTypeWithParam(kind), true
	}
	return p.Registry.FindStructType(name)
}

// FindStructFieldNames implements types.Provider.
func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	if fields, ok := p.members[name]; ok {
		return sortedKeys(fields), true
	}
	return nil, false
}

// FindStructFieldType implements types.Provider.
func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	f, ok := p.members[name][field]
	return f, ok
}

// NewValue implements types.Provider: rules make no records.
func (p *provider) NewValue(name string, _ map[string]ref.Val) ref.Val {
	return types.NewErr("a %s cannot be made in a rule", name)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
