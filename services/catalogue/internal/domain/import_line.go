package domain

import (
	"maps"
	"slices"
	"strings"

	"github.com/trama-suite/trama/services/platform/errs"
)

// maxFindings is how many findings the report gives for one line.
const maxFindings = 3

// ImportLine is one line of an import, read and checked as far as it can be
// without knowing the organisations that exist.
type ImportLine struct {
	Line        int64
	TaxCode     Identifier // the key; zero where the line is refused for it
	Corrections []Finding
	Refusals    []Finding // not empty: the line is refused
	values      map[ImportField]string
	attributes  map[string]string
	legalForm   string // for a new organisation only, from a flag
}

// Identifiers lists the identifiers that the line gives, the key first.
func (l *ImportLine) Identifiers() []Identifier {
	out := []Identifier{l.TaxCode}
	for field, kind := range map[ImportField]IdentifierType{FieldVATNumber: VATNumber, FieldRUNTSNumber: RUNTSNumber} {
		if v := l.values[field]; v != "" {
			out = append(out, Identifier{Type: kind, Value: v})
		}
	}
	slices.SortFunc(out[1:], func(a, b Identifier) int { return strings.Compare(a.Key(), b.Key()) })
	return out
}

func (l *ImportLine) refuse(reason errs.Reason, field, description string) {
	if len(l.Refusals) < maxFindings {
		l.Refusals = append(l.Refusals, Finding{Field: field, Reason: reason, Description: description})
	}
}

func (l *ImportLine) correct(reason errs.Reason, field ImportField, from, to string) {
	if len(l.Corrections) < maxFindings {
		l.Corrections = append(l.Corrections, Finding{
			Field: field.path(), Reason: reason, Description: quote(from) + " taken as " + quote(to),
		})
	}
}

// limits are the longest values of fields in characters, where it is not the
// rule of the field itself that says so.
var limits = map[ImportField]int{
	FieldDisplayName: maxName, FieldDescription: maxDescription, FieldMunicipality: 120,
	FieldWebsite: maxWebsite, FieldEmail: 254, FieldPhone: 40, FieldAttribute: maxAttribute,
	FieldLegalForm: 100, FieldKind: 400, FieldRegion: 100,
}

// line reads the cells of one record.
func (m *mapping) line(r record) *ImportLine {
	l := &ImportLine{Line: r.line}
	if r.fault != nil {
		l.Refusals = []Finding{*r.fault}
		return l
	}
	for len(r.cells) > m.width && strings.TrimSpace(r.cells[len(r.cells)-1]) == "" {
		r.cells = r.cells[:len(r.cells)-1]
	}
	if len(r.cells) != m.width {
		l.refuse(LineBroken, "", "the line has "+itoa(len(r.cells))+" cells, the heading "+itoa(m.width))
		return l
	}
	l.values = make(map[ImportField]string, len(m.columns))
	l.attributes = map[string]string{}
	for _, c := range m.columns {
		l.take(c, r.cells[c.cell])
	}
	for _, must := range []ImportField{FieldTaxCode, FieldDisplayName} {
		if l.values[must] == "" && !l.refusedFor(must) {
			l.refuse(ValueMissing, must.path(), "must have a value")
		}
	}
	return l
}

func (l *ImportLine) refusedFor(field ImportField) bool {
	return slices.ContainsFunc(l.Refusals, func(f Finding) bool { return f.Field == field.path() })
}

// take reads one cell. An empty one says nothing about its field.
func (l *ImportLine) take(c boundColumn, cell string) {
	value := strings.Join(strings.Fields(cell), " ")
	if c.Field == FieldDescription {
		value = strings.TrimSpace(cell) // its line breaks are its own
	}
	if value == "" {
		return
	}
	if most, limited := limits[c.Field]; limited && len(value) > most && len([]rune(value)) > most {
		l.refuse(CellTooLong, c.Field.path(), "is longer than "+itoa(most)+" characters")
		return
	}
	switch c.Field {
	case FieldFlag:
		l.attributes[c.Attribute] = "true"
		if c.legalForm != "" {
			l.legalForm = c.legalForm
		}
		return
	case FieldAttribute:
		l.attributes[c.Attribute] = value
		return
	case FieldTaxCode:
		id, ok := l.identifier(c.Field, TaxCode, value)
		if ok {
			l.TaxCode, l.values[c.Field] = id, id.Value
		}
		return
	case FieldVATNumber, FieldRUNTSNumber:
		kind := VATNumber
		if c.Field == FieldRUNTSNumber {
			kind = RUNTSNumber
		}
		if id, ok := l.identifier(c.Field, kind, value); ok {
			l.values[c.Field] = id.Value
		}
		return
	}
	kept, fault := readers[c.Field](value)
	if fault != "" {
		l.refuse(ValueUnknown, c.Field.path(), quote(value)+" "+fault)
		return
	}
	if kept == value && value != cell && c.Field != FieldDescription || kept != value && tells[c.Field] {
		l.correct(ValueTidied, c.Field, cell, kept)
	}
	l.values[c.Field] = kept
}

// identifier tidies and checks an identifier, and mends what a spreadsheet does
// to it.
func (l *ImportLine) identifier(field ImportField, kind IdentifierType, value string) (Identifier, bool) {
	id := Identifier{Type: kind, Value: value}.Tidy()
	if restored, mended := id.RestoreZeros(); mended {
		l.correct(ZerosRestored, field, value, restored.Value)
		return restored, true
	}
	if reason, words := id.Check(); reason != "" {
		l.refuse(reason, field.path(), quote(value)+": "+words)
		return Identifier{}, false
	}
	if id.Value != value {
		l.correct(ValueTidied, field, value, id.Value)
	}
	return id, true
}

// Apply returns the profile as the line wants it: what it says replaces what was
// there, and what it does not say stays.
func (l *ImportLine) Apply(p Profile, options ImportOptions) Profile {
	p = p.tidy()
	p.DisplayName = options.text(p.DisplayName, l.values[FieldDisplayName])
	p.Description = options.text(p.Description, l.values[FieldDescription])
	set(&p.LegalForm, l.values[FieldLegalForm])
	if kinds := l.values[FieldKind]; kinds != "" {
		p.Kinds = strings.Split(kinds, "|")
	}
	for _, id := range l.Identifiers() {
		at := slices.IndexFunc(p.Identifiers, func(has Identifier) bool { return has.Type == id.Type })
		if at < 0 {
			p.Identifiers = append(p.Identifiers, id)
		} else {
			p.Identifiers[at] = id
		}
	}
	t := &p.Territory
	set(&t.Country, l.values[FieldCountryCode])
	set(&t.Region, l.values[FieldRegion])
	set(&t.NUTS, l.values[FieldNUTSCode])
	set(&t.Municipality, l.values[FieldMunicipality])
	set(&t.Province, l.values[FieldProvince])
	if code := l.values[FieldMunicipalityCode]; code != "" {
		t.MunicipalityCode = code
		set(&t.MunicipalityDate, options.MunicipalityDate)
	}
	if email, phone := l.values[FieldEmail], l.values[FieldPhone]; email != "" || phone != "" {
		if len(p.Contacts) == 0 {
			p.Contacts = []Contact{{Label: "info"}}
		}
		set(&p.Contacts[0].Email, email)
		set(&p.Contacts[0].Phone, phone)
	}
	set(&p.Website, l.values[FieldWebsite])
	if len(l.attributes) > 0 && p.Attributes == nil {
		p.Attributes = map[string]string{}
	}
	maps.Copy(p.Attributes, l.attributes)
	set(&p.Licence, options.Licence)
	set(&p.Source, options.Source)
	return p
}

// Fresh returns the profile of an organisation that the line creates.
func (l *ImportLine) Fresh(options ImportOptions) Profile {
	form := l.legalForm
	if form == "" {
		form = LegalFormOther
	}
	return l.Apply(Profile{
		LegalForm: form, Kinds: []string{KindListed}, Territory: Territory{Country: "IT"},
	}, options)
}

func set(to *string, value string) {
	if value != "" {
		*to = value
	}
}
