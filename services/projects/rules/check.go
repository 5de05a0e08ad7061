package rules

import (
	"fmt"
	"slices"
	"strings"
)

func index(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }

// check looks at all of a document but its expressions.
func (s *Set) check(r *reader) {
	d, top := &s.doc, Place{1, 1}
	if !slug.MatchString(d.ID) {
		r.report(top, "id", "must be a slug such as erdf-2021-27: lower case letters, digits and hyphens, at most 40")
	}
	if d.Version < 1 || d.Version > 999_999 {
		r.report(top, "version", "must be 1 to 999,999")
	}
	if d.Programme != "" && !slug.MatchString(d.Programme) {
		r.report(top, "programme", "must be a slug")
	}
	if strings.TrimSpace(d.Funder) == "" {
		r.report(top, "funder", "must be given")
	}
	r.text(top, "title", d.Title)
	if d.EffectiveFrom == "" {
		r.report(top, "effective_from", "must be given")
	}
	if d.EffectiveTo != "" && d.EffectiveTo < d.EffectiveFrom {
		r.report(top, "effective_to", "%s is before effective_from %s", d.EffectiveTo, d.EffectiveFrom)
	}
	for _, l := range []struct {
		path      string
		have, max int
	}{
		{"rules", len(d.Rules), maxRules}, {"facts", len(d.Facts), maxFacts}, {"parameters", len(d.Parameters), maxParameters},
		{"categories", len(d.Categories), maxCategories}, {"options", len(d.Options), maxOptions}, {"columns", len(d.Columns), maxColumns},
	} {
		if l.have > l.max {
			r.report(top, l.path, "%d are given; at most %d are allowed", l.have, l.max)
		}
	}
	if len(d.Rules) == 0 {
		r.report(top, "rules", "a set has at least one rule")
	}
	seen := names{}
	for i, x := range d.Sources {
		path := index("sources", i)
		if seen.key(r, top, path+".key", slug.MatchString(x.Key), x.Key); strings.TrimSpace(x.Title) == "" {
			r.report(top, path+".title", "must be given")
		}
		s.sources[x.Key] = x
	}
	s.checkFigures(r)
	s.checkRules(r)
}

// checkFigures looks at parameters, categories, options and payments.
func (s *Set) checkFigures(r *reader) {
	d := &s.doc
	rates, seen := map[string]bool{}, names{}
	for i := range d.Parameters {
		p, path := &d.Parameters[i], index("parameters", i)
		seen.key(r, p.At, path+".name", ident.MatchString(p.Name), p.Name)
		r.text(p.At, path+".title", p.Title)
		s.cited(r, p.At, path, p.Cited)
		if !slices.Contains(units, p.Unit) {
			r.report(p.At, path+".unit", "must be one of %v", units)
			continue
		}
		value, err := p.Unit.parse(&p.Value)
		if err != nil {
			r.report(p.At, path+".value", "%s", err)
			continue
		}
		p.constant = value
		rates[p.Name] = p.Unit == UnitPercent
	}
	seen = names{}
	for i := range d.Categories {
		c, path := &d.Categories[i], index("categories", i)
		seen.key(r, c.At, path+".key", ident.MatchString(c.Key), c.Key)
		r.text(c.At, path+".title", c.Title)
		s.cited(r, c.At, path, c.Cited)
		if c.Allowed == nil {
			r.report(c.At, path+".allowed", "must be true or false")
			continue
		}
		s.allowed[c.Key] = *c.Allowed
		for _, t := range c.Takes {
			if !slices.Contains(Categories, t) {
				r.report(c.At, path+".takes", "%q is none of %v", shorten(t), Categories)
			}
			if _, taken := s.category[t]; !taken {
				s.category[t] = c.Key
			}
		}
	}
	seen = names{}
	for i := range d.Options {
		o, path := &d.Options[i], index("options", i)
		seen.key(r, o.At, path+".key", ident.MatchString(o.Key), o.Key)
		r.text(o.At, path+".title", o.Title)
		s.cited(r, o.At, path, o.Cited)
		r.oneOf(o.At, path+".category", o.Category, Categories)
		r.oneOf(o.At, path+".method", o.Method, Methods)
		if o.Method == "FLAT_RATE" {
			r.oneOf(o.At, path+".base", o.Base, append([]string{"STAFF"}, Bases...))
			if !rates[o.Rate] {
				r.report(o.At, path+".rate", "%q is not a parameter in percent", shorten(o.Rate))
			}
		} else if o.Base != "" || o.Rate != "" {
			r.report(o.At, path, "only a flat rate has a base and a rate")
		}
	}
	s.checkPayments(r, "payments", d.Payments, rates)
	s.checkPayments(r, "withholdings", d.Withholdings, rates)
}

func (s *Set) checkPayments(r *reader, list string, payments []Payment, rates map[string]bool) {
	seen := names{}
	for i := range payments {
		x, path := &payments[i], index(list, i)
		seen.key(r, x.At, path+".key", ident.MatchString(x.Key), x.Key)
		r.text(x.At, path+".title", x.Title)
		r.text(x.At, path+".condition", x.Condition)
		s.cited(r, x.At, path, x.Cited)
		r.oneOf(x.At, path+".of", x.Of, []string{"grant", "paid_costs", "payment"})
		if x.Share != "" && !rates[x.Share] {
			r.report(x.At, path+".share", "%q is not a parameter in percent", shorten(x.Share))
		}
	}
}

// checkRules looks at facts, rules and columns.
func (s *Set) checkRules(r *reader) {
	d := &s.doc
	facts := names{}
	for i := range d.Facts {
		f, path := &d.Facts[i], index("facts", i)
		facts.key(r, f.At, path+".name", free(f.Name), f.Name)
		if f.Scope == "" {
			f.Scope = ScopeBudget
		}
		r.oneOf(f.At, path+".scope", string(f.Scope), []string{string(ScopeBudget), string(ScopeClaim)})
		r.filled(f.At, path+".value", f.Value)
	}
	seen := names{}
	for i := range d.Rules {
		x, path := &d.Rules[i], index("rules", i)
		seen.key(r, x.At, path+".id", slug.MatchString(x.ID), x.ID)
		r.oneOf(x.At, path+".severity", string(x.Severity), []string{string(Block), string(Warn)})
		r.oneOf(x.At, path+".scope", string(x.Scope), []string{string(ScopeProject), string(ScopeOrganisation), string(ScopeBudget), string(ScopeLine), string(ScopeClaim), string(ScopeClaimLine)})
		r.filled(x.At, path+".title.it", x.Title.IT)
		r.filled(x.At, path+".title.en", x.Title.EN)
		r.filled(x.At, path+".check", x.Check)
		r.filled(x.At, path+".message.it", x.Message.IT)
		r.filled(x.At, path+".message.en", x.Message.EN)
		s.cited(r, x.At, path, x.Cited)
		if len(x.Values) > maxValues {
			r.report(x.At, path+".values", "%d are given; at most %d are allowed", len(x.Values), maxValues)
		}
		values := names{}
		for j := range x.Values {
			v, at := &x.Values[j], path+"."+index("values", j)
			values.key(r, v.At, at+".name", free(v.Name), v.Name)
			if facts[v.Name] {
				r.report(v.At, at+".name", "%q is a fact already", v.Name)
			}
			r.filled(v.At, at+".value", v.Value)
		}
	}
	seen = names{}
	for i := range d.Columns {
		c, path := &d.Columns[i], index("columns", i)
		seen.key(r, c.At, path+".key", ident.MatchString(c.Key), c.Key)
		r.text(c.At, path+".header", c.Header)
		r.filled(c.At, path+".value", c.Value)
		if c.Unit != "" {
			r.oneOf(c.At, path+".unit", string(c.Unit), []string{string(UnitMoney), string(UnitPercent), string(UnitCount)})
		}
	}
}

// free tells whether a name can be given to a fact or a value.
func free(name string) bool {
	if !ident.MatchString(name) || slices.Contains(reserved, name) {
		return false
	}
	return !slices.ContainsFunc(functions, func(f function) bool { return f.name == name })
}

// names tells of names that are given twice.
type names map[string]bool

func (n names) key(r *reader, at Place, path string, wellFormed bool, name string) {
	switch {
	case !wellFormed:
		r.report(at, path, "%q is not a name here: it must be lower case, begin with a letter, have at most 40 characters and not be one of the language's own", shorten(name))
	case n[name]:
		r.report(at, path, "%q is given twice", name)
	}
	n[name] = true
}

func (r *reader) text(at Place, path string, t Text) {
	if strings.TrimSpace(t.IT) == "" || strings.TrimSpace(t.EN) == "" {
		r.report(at, path, "must be given in Italian (it) and English (en)")
	}
}

func (r *reader) filled(at Place, path string, e Expression) {
	if strings.TrimSpace(e.Source) == "" {
		r.report(at, path, "must be given")
	}
}

func (r *reader) oneOf(at Place, path, value string, all []string) {
	if !slices.Contains(all, value) {
		r.report(at, path, "%q is none of %s", shorten(value), strings.Join(all, ", "))
	}
}

// cited looks at where a figure or rule comes from.
func (s *Set) cited(r *reader, at Place, path string, c Cited) {
	key, _, _ := strings.Cut(c.Source, " ")
	switch {
	case strings.TrimSpace(c.Source) == "":
		r.report(at, path+".source", "must be given: the key of a source, and the place in it")
	case s.sources[key].Key == "":
		r.report(at, path+".source", "%q is not the key of a source of this set", shorten(key))
	}
	switch {
	case c.Verified == nil:
		r.report(at, path+".verified", "must say true or false")
	case !*c.Verified && strings.TrimSpace(c.Note) == "":
		r.report(at, path+".note", "must say what could not be checked, as verified is false")
	}
}
