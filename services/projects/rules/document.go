package rules

import (
	"cel.dev/cel-go/common/types/ref"
	"go.yaml.in/yaml/v3"
)

// Document is a rule set as it is written; the guide beside this package
// explains every field.
type Document struct {
	ID            string      `yaml:"id"`
	Version       int64       `yaml:"version"`
	Title         Text        `yaml:"title"`
	Funder        string      `yaml:"funder"`
	Programme     string      `yaml:"programme"`
	EffectiveFrom Date        `yaml:"effective_from"`
	EffectiveTo   Date        `yaml:"effective_to"`
	Note          Text        `yaml:"note"`
	Sources       []Source    `yaml:"sources"`
	Parameters    []Parameter `yaml:"parameters"`
	Categories    []Category  `yaml:"categories"`
	Options       []Option    `yaml:"options"`
	Payments      []Payment   `yaml:"payments"`
	Withholdings  []Payment   `yaml:"withholdings"`
	Facts         []Fact      `yaml:"facts"`
	Rules         []Rule      `yaml:"rules"`
	Columns       []Column    `yaml:"columns"`
}

// Source is a document that rules and figures are taken from.
type Source struct {
	Key   string `yaml:"key"`
	Title string `yaml:"title"`
	URL   string `yaml:"url"` // for people; never fetched
}

// Cited is what every figure and rule says of where it comes from.
type Cited struct {
	// Source is the key of a source, then the place in it: "cpr art. 54 (b)".
	Source string `yaml:"source"`
	// Verified tells that somebody compared the text with the source.
	Verified *bool `yaml:"verified"`
	// Note says what is not certain; required where Verified is false.
	Note string `yaml:"note"`
}

// Parameter is a figure with a name, p.name in expressions.
type Parameter struct {
	Name  string `yaml:"name"`
	Title Text   `yaml:"title"`
	// Unit is money, percent, months, days, count, date, flag or text.
	Unit  Unit      `yaml:"unit"`
	Value yaml.Node `yaml:"value"`
	Cited `yaml:",inline"`

	At       Place `yaml:"-"`
	constant ref.Val
}

// Category is one of the funder's own cost categories, c.key in expressions.
type Category struct {
	Key   string `yaml:"key"`
	Title Text   `yaml:"title"`
	// Takes are the categories of the suite whose lines fall under it without
	// being told. The first category that takes one gets it.
	Takes []string `yaml:"takes"`
	// Allowed tells that its costs can be claimed at all.
	Allowed *bool `yaml:"allowed"`
	Cited   `yaml:",inline"`

	At Place `yaml:"-"`
}

// Option is a simplified way of counting cost that the funder allows.
type Option struct {
	Key      string `yaml:"key"`
	Title    Text   `yaml:"title"`
	Category string `yaml:"category"`
	Method   string `yaml:"method"`
	Base     string `yaml:"base"`
	// Rate is the name of the parameter that holds the highest rate; only for
	// flat rates.
	Rate  string `yaml:"rate"`
	Cited `yaml:",inline"`

	At Place `yaml:"-"`
}

// Payment is a payment that the funder makes, or a part that is kept back.
type Payment struct {
	Key   string `yaml:"key"`
	Title Text   `yaml:"title"`
	// Share is the name of the parameter that holds the share; empty where the
	// payment is what remains.
	Share string `yaml:"share"`
	// Of says of what the share is taken: grant, paid_costs or payment.
	Of string `yaml:"of"`
	// Condition says in words when it is due, or whom it concerns.
	Condition Text `yaml:"condition"`
	Cited     `yaml:",inline"`

	At Place `yaml:"-"`
}

// Fact is a value worked out once for a whole evaluation, by its name in
// expressions.
type Fact struct {
	Name string `yaml:"name"`
	// Scope is budget (the default) or claim; facts of a claim are known only to
	// rules of the scopes claim and claim_line.
	Scope Scope      `yaml:"scope"`
	Value Expression `yaml:"value"`

	At Place `yaml:"-"`
}

// Value is a value worked out for a rule at the place it looks at, by its name
// in the rule's expressions after it.
type Value struct {
	Name  string     `yaml:"name"`
	Value Expression `yaml:"value"`

	At Place `yaml:"-"`
}

// Rule is one rule.
type Rule struct {
	ID string `yaml:"id"`
	// Title says the rule in words; it may hold figures: {p.rate|percent}.
	Title    Template `yaml:"title"`
	Severity Severity `yaml:"severity"`
	Scope    Scope    `yaml:"scope"`
	// When is whether the rule applies (boolean; empty for always).
	When   Expression `yaml:"when"`
	Values []Value    `yaml:"values"`
	// Check is whether the rule is kept (boolean).
	Check Expression `yaml:"check"`
	// Amount concerned and Limit to keep, minor units; both may be empty.
	Amount Expression `yaml:"amount"`
	Limit  Expression `yaml:"limit"`
	// Message says what is wrong.
	Message Template `yaml:"message"`
	Cited   `yaml:",inline"`

	At Place `yaml:"-"`
}

// Column is a column of the report in the funder's form, worked out for each
// line of a claim.
type Column struct {
	Key    string `yaml:"key"`
	Header Text   `yaml:"header"`
	// Unit says how a number is to be shown: money, percent or count.
	Unit Unit `yaml:"unit"`
	// When is whether the cell is filled (boolean; empty for always).
	When  Expression `yaml:"when"`
	Value Expression `yaml:"value"`

	At   Place `yaml:"-"`
	kind Kind
}

// Template is a text with holes in both languages.
type Template struct {
	IT Expression `yaml:"it"`
	EN Expression `yaml:"en"`
}

// Expression is a text that is compiled, with the place where it stands.
type Expression struct {
	Source string
	At     Place
	style  yaml.Style
}

// Place is a line and a column of a document, from 1.
type Place struct{ Line, Column int }
