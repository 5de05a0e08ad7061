package domain

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// ImportField is what a column of an import holds.
type ImportField string

// The fields of an import.
const (
	FieldTaxCode          ImportField = "IMPORT_FIELD_TAX_CODE"
	FieldDisplayName      ImportField = "IMPORT_FIELD_DISPLAY_NAME"
	FieldDescription      ImportField = "IMPORT_FIELD_DESCRIPTION"
	FieldLegalForm        ImportField = "IMPORT_FIELD_LEGAL_FORM"
	FieldKind             ImportField = "IMPORT_FIELD_KIND"
	FieldVATNumber        ImportField = "IMPORT_FIELD_VAT_NUMBER"
	FieldRUNTSNumber      ImportField = "IMPORT_FIELD_RUNTS_NUMBER"
	FieldCountryCode      ImportField = "IMPORT_FIELD_COUNTRY_CODE"
	FieldRegion           ImportField = "IMPORT_FIELD_REGION"
	FieldNUTSCode         ImportField = "IMPORT_FIELD_NUTS_CODE"
	FieldMunicipalityCode ImportField = "IMPORT_FIELD_MUNICIPALITY_CODE"
	FieldMunicipality     ImportField = "IMPORT_FIELD_MUNICIPALITY"
	FieldProvince         ImportField = "IMPORT_FIELD_PROVINCE"
	FieldWebsite          ImportField = "IMPORT_FIELD_WEBSITE"
	FieldEmail            ImportField = "IMPORT_FIELD_EMAIL"
	FieldPhone            ImportField = "IMPORT_FIELD_PHONE"
	FieldAttribute        ImportField = "IMPORT_FIELD_ATTRIBUTE"
	FieldFlag             ImportField = "IMPORT_FIELD_FLAG"
)

// path is what findings call the field.
func (f ImportField) path() string {
	return strings.ToLower(strings.TrimPrefix(string(f), "IMPORT_FIELD_"))
}

// ImportColumn says what one column holds.
type ImportColumn struct {
	Column    string // its heading
	Field     ImportField
	Attribute string // key, for FieldAttribute and FieldFlag
	legalForm string // of a new organisation whose flag is set
}

// FivePerMilleColumns maps the list of the beneficiaries of the Italian five per
// mille of 2022.
func FivePerMilleColumns() []ImportColumn {
	columns := []ImportColumn{
		{Column: "codice_fiscale", Field: FieldTaxCode},
		{Column: "denominazione", Field: FieldDisplayName},
		{Column: "regione", Field: FieldRegion},
		{Column: "pr", Field: FieldProvince},
		{Column: "nome_comune", Field: FieldMunicipality},
		{Column: "codice_comune", Field: FieldMunicipalityCode},
		{Column: "asd", Field: FieldFlag, Attribute: "asd", legalForm: LegalFormAmateurSportsClub},
		{Column: "comuni", Field: FieldFlag, Attribute: "comuni", legalForm: LegalFormPublicBody},
	}
	for _, flag := range []string{
		"ets_e_onlus", "ricerca_scientifica", "ricerca_sanitaria", "beni_culturali_e_paesaggistici", "enti_gestori_aree_protette",
	} {
		columns = append(columns, ImportColumn{Column: flag, Field: FieldFlag, Attribute: flag})
	}
	return columns
}

// headings are the names under which the default mapping knows a field.
var headings = map[string]ImportField{
	"tax_code": FieldTaxCode, "codice_fiscale": FieldTaxCode, "cf": FieldTaxCode,
	"display_name": FieldDisplayName, "name": FieldDisplayName, "denominazione": FieldDisplayName,
	"ragione_sociale": FieldDisplayName, "nome": FieldDisplayName,
	"description": FieldDescription, "descrizione": FieldDescription,
	"legal_form": FieldLegalForm, "forma_giuridica": FieldLegalForm,
	"kind": FieldKind, "ruolo": FieldKind,
	"vat_number": FieldVATNumber, "partita_iva": FieldVATNumber, "p_iva": FieldVATNumber, "piva": FieldVATNumber,
	"runts_number": FieldRUNTSNumber, "runts": FieldRUNTSNumber, "repertorio": FieldRUNTSNumber,
	"country_code": FieldCountryCode, "country": FieldCountryCode, "paese": FieldCountryCode,
	"region": FieldRegion, "region_code": FieldRegion, "regione": FieldRegion,
	"nuts_code": FieldNUTSCode, "nuts": FieldNUTSCode,
	"municipality_code": FieldMunicipalityCode, "codice_comune": FieldMunicipalityCode, "istat": FieldMunicipalityCode,
	"municipality": FieldMunicipality, "comune": FieldMunicipality, "nome_comune": FieldMunicipality,
	"province": FieldProvince, "provincia": FieldProvince, "pr": FieldProvince,
	"website": FieldWebsite, "sito": FieldWebsite, "sito_web": FieldWebsite,
	"email": FieldEmail, "mail": FieldEmail,
	"phone": FieldPhone, "telefono": FieldPhone,
}

// heading makes the names of columns comparable.
func heading(s string) string {
	return strings.ReplaceAll(strings.ToLower(fold(s)), " ", "_")
}

// mapping says what each cell of a line holds.
type mapping struct {
	width   int
	columns []boundColumn
}

type boundColumn struct {
	ImportColumn
	cell int
}

// bind finds the columns of a mapping in the heading of a table. Without any
// column the default mapping takes what it knows.
func bind(head []string, columns []ImportColumn) (*mapping, error) {
	m := &mapping{width: len(head)}
	at := map[string]int{}
	var f faults
	for i, h := range head {
		name := heading(h)
		if _, twice := at[name]; twice && name != "" {
			f.add(ImportHeaderWrong, "csv", "the heading has the column %s twice", quote(h))
			continue
		}
		at[name] = i
		if field, known := headings[name]; known && len(columns) == 0 {
			m.columns = append(m.columns, boundColumn{ImportColumn{Column: h, Field: field}, i})
		}
	}
	for i, c := range columns {
		path := "columns[" + itoa(i) + "]"
		cell, there := at[heading(c.Column)]
		if !there {
			f.add(ImportHeaderWrong, path+".column", "the heading has no column %s", quote(c.Column))
			continue
		}
		if withKey := c.Field == FieldAttribute || c.Field == FieldFlag; withKey != (c.Attribute != "") {
			f.add(ImportHeaderWrong, path+".attribute", "is the key of an attribute or flag, and only of these")
		}
		m.columns = append(m.columns, boundColumn{c, cell})
	}
	m.once(&f)
	if err := f.err(); err != nil {
		return nil, err
	}
	return m, nil
}

// once checks that the key and the name have a column, and no field has two.
func (m *mapping) once(f *faults) {
	seen := map[string]bool{}
	for _, c := range m.columns {
		key := c.Field.path() + "/" + c.Attribute
		if seen[key] {
			f.add(ImportHeaderWrong, "csv", "two columns hold %s", strings.TrimSuffix(key, "/"))
		}
		seen[key] = true
	}
	for _, field := range []ImportField{FieldTaxCode, FieldDisplayName} {
		if !slices.ContainsFunc(m.columns, func(c boundColumn) bool { return c.Field == field }) {
			f.add(ImportHeaderWrong, "csv", "no column holds %s", field.path())
		}
	}
}

// quote shows what a table says, cut to what a report can bear.
func quote(s string) string {
	const most = 32 // bytes
	if len(s) > most {
		cut := most
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return `"` + s + `"`
}
