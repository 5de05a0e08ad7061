package rules

import "strings"

// Explanation is what a set says, in words.
type Explanation struct {
	Title, Note  Text
	Sources      []string
	Figures      []Item
	Categories   []Item
	Options      []Item
	Payments     []Item
	Withholdings []Item
	Rules        []Item
	Columns      []Item
}

// Item is a figure, a rule or another part of a set.
type Item struct {
	Key   string
	Title Text
	// Value is the figure as people write it; of a rule its scope, of a category
	// the categories of the suite that it takes.
	Value Text
	// Blocking of a rule, Allowed of a category.
	Blocking, Allowed bool
	// Source is the document and the place in it, Verified whether somebody
	// compared, Remark what could not be checked.
	Source   string
	Verified bool
	Remark   string
	// Message of a rule, with its holes as they are written.
	Message Text
}

var scopeWords = map[Scope]Text{
	ScopeProject:      {"il progetto", "the project"},
	ScopeOrganisation: {"l'organizzazione in tutti i suoi progetti del programma", "the organisation in all its projects of the programme"},
	ScopeBudget:       {"il budget intero", "the budget whole"},
	ScopeLine:         {"ogni voce di budget", "each budget line"},
	ScopeClaim:        {"il rendiconto intero", "the claim whole"},
	ScopeClaimLine:    {"ogni spesa del rendiconto", "each expenditure of the claim"},
}

var ofWords = map[string]Text{
	"grant":      {"della somma concessa", "of the grant"},
	"paid_costs": {"delle spese pagate", "of the costs paid"},
	"payment":    {"di ogni erogazione", "of each payment"},
}

// Explain says in words what the set holds.
func (s *Set) Explain() Explanation {
	d := &s.doc
	e := Explanation{Title: d.Title, Note: d.Note}
	for _, x := range d.Sources {
		e.Sources = append(e.Sources, strings.TrimSpace(x.Title+" "+x.URL))
	}
	figures := map[string]Text{}
	for i := range d.Parameters {
		p := &d.Parameters[i]
		figures[p.Name] = Text{figure(p, italian), figure(p, english)}
		e.Figures = append(e.Figures, s.item(p.Name, p.Title, figures[p.Name], p.Cited))
	}
	for i := range d.Categories {
		c := &d.Categories[i]
		item := s.item(c.Key, c.Title, same(strings.Join(c.Takes, ", ")), c.Cited)
		item.Allowed = *c.Allowed
		e.Categories = append(e.Categories, item)
	}
	for i := range d.Options {
		o := &d.Options[i]
		value := same(o.Category + " " + o.Method)
		if o.Rate != "" {
			value = Text{
				value.IT + " di " + o.Base + ", al più " + figures[o.Rate].IT,
				value.EN + " of " + o.Base + ", at most " + figures[o.Rate].EN,
			}
		}
		e.Options = append(e.Options, s.item(o.Key, o.Title, value, o.Cited))
	}
	e.Payments, e.Withholdings = s.payments(d.Payments, figures), s.payments(d.Withholdings, figures)
	for i := range s.rules {
		r := &s.rules[i]
		item := s.item(r.ID, r.title, scopeWords[r.Scope], r.Cited)
		item.Blocking, item.Message = r.Severity == Block, Text{r.Message.IT.Source, r.Message.EN.Source}
		e.Rules = append(e.Rules, item)
	}
	for i := range d.Columns {
		e.Columns = append(e.Columns, Item{Key: d.Columns[i].Key, Title: d.Columns[i].Header, Verified: true})
	}
	return e
}

func (s *Set) payments(payments []Payment, figures map[string]Text) []Item {
	var out []Item
	for i := range payments {
		p := &payments[i]
		value := p.Condition
		if p.Share != "" {
			value = Text{
				figures[p.Share].IT + " " + ofWords[p.Of].IT + ". " + value.IT,
				figures[p.Share].EN + " " + ofWords[p.Of].EN + ". " + value.EN,
			}
		}
		out = append(out, s.item(p.Key, p.Title, value, p.Cited))
	}
	return out
}

func (s *Set) item(key string, title, value Text, c Cited) Item {
	return Item{Key: key, Title: title, Value: value, Source: s.cite(c.Source), Verified: *c.Verified, Remark: c.Note}
}

func same(s string) Text { return Text{s, s} }

// figure writes a parameter with its unit.
func figure(p *Parameter, in tongue) string {
	value := show(p.constant, p.Unit, "EUR", in)
	if words := unitWords[p.Unit]; words != (Text{}) {
		if in == italian {
			return value + " " + words.IT
		}
		return value + " " + words.EN
	}
	return value
}

var unitWords = map[Unit]Text{UnitMonths: {"mesi", "months"}, UnitDays: {"giorni", "days"}}
