package rpc

import (
	"slices"
	"strings"
	"testing"
	"time"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/platform/auth"
)

// The domain's reasons are the values of CatalogueError, all of them.
func TestReasonsAreThoseOfTheProto(t *testing.T) {
	var have, want []string
	for _, r := range domain.Reasons {
		have = append(have, string(r))
	}
	for name, number := range cataloguev1.CatalogueError_value {
		if number != 0 {
			want = append(want, strings.TrimPrefix(name, "CATALOGUE_ERROR_"))
		}
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Fatalf("the domain has\n%v\nthe proto has\n%v", have, want)
	}
}

// enumNames lists an enum's values but the unspecified one.
func enumNames(values map[int32]string) []string {
	var out []string
	for number, name := range values {
		if number != 0 {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// imported reads one line with one more column.
func imported(t *testing.T, field cataloguev1.ImportField, cell string) *domain.ImportLine {
	t.Helper()
	column := domain.ImportColumn{Column: "x", Field: domain.ImportField(field.String())}
	if field == cataloguev1.ImportField_IMPORT_FIELD_ATTRIBUTE || field == cataloguev1.ImportField_IMPORT_FIELD_FLAG {
		column.Attribute = "x"
	}
	lines, err := domain.ReadImport([]byte("cf,nome,x\n80051890152,A,"+cell+"\n"), domain.ImportOptions{Columns: []domain.ImportColumn{
		{Column: "cf", Field: domain.FieldTaxCode}, {Column: "nome", Field: domain.FieldDisplayName}, column,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return lines[0]
}

// Every legal form, kind and field of the proto is known to imports by its name.
func TestImportKnowsTheProtosEnums(t *testing.T) {
	for _, form := range enumNames(cataloguev1.LegalForm_name) {
		for _, cell := range []string{form, strings.ToLower(strings.TrimPrefix(form, "LEGAL_FORM_"))} {
			line := imported(t, cataloguev1.ImportField_IMPORT_FIELD_LEGAL_FORM, cell)
			if got := line.Fresh(domain.ImportOptions{}).LegalForm; len(line.Refusals) > 0 || got != form {
				t.Errorf("%s is read as %q, %v", cell, got, line.Refusals)
			}
		}
	}
	kinds := enumNames(cataloguev1.OrganisationKind_name)
	line := imported(t, cataloguev1.ImportField_IMPORT_FIELD_KIND, strings.Join(kinds, "|"))
	if got := line.Fresh(domain.ImportOptions{}).Kinds; !slices.Equal(got, kinds) {
		t.Errorf("got %v, %v, want %v", got, line.Refusals, kinds)
	}
	for number, name := range cataloguev1.ImportField_name {
		field := cataloguev1.ImportField(number)
		if number == 0 || field == cataloguev1.ImportField_IMPORT_FIELD_TAX_CODE || field == cataloguev1.ImportField_IMPORT_FIELD_DISPLAY_NAME {
			continue
		}
		value := map[cataloguev1.ImportField]string{
			cataloguev1.ImportField_IMPORT_FIELD_LEGAL_FORM: "ODV", cataloguev1.ImportField_IMPORT_FIELD_KIND: "fornitore",
			cataloguev1.ImportField_IMPORT_FIELD_VAT_NUMBER: "00577500101", cataloguev1.ImportField_IMPORT_FIELD_RUNTS_NUMBER: "4690",
			cataloguev1.ImportField_IMPORT_FIELD_COUNTRY_CODE: "ES", cataloguev1.ImportField_IMPORT_FIELD_REGION: "Valle d'Aosta",
			cataloguev1.ImportField_IMPORT_FIELD_MUNICIPALITY_CODE: "1272", cataloguev1.ImportField_IMPORT_FIELD_NUTS_CODE: "ITC11",
			cataloguev1.ImportField_IMPORT_FIELD_PROVINCE: "to", cataloguev1.ImportField_IMPORT_FIELD_WEBSITE: "example.org",
			cataloguev1.ImportField_IMPORT_FIELD_EMAIL: "info@example.org", cataloguev1.ImportField_IMPORT_FIELD_PHONE: "011 0000000",
		}[field]
		if value == "" {
			value = "Prova"
		}
		without, with := imported(t, field, ""), imported(t, field, value)
		if len(with.Refusals) > 0 || with.Fresh(domain.ImportOptions{}).Equal(without.Fresh(domain.ImportOptions{})) {
			t.Errorf("%s: %q is not taken: %v", name, value, with.Refusals)
		}
	}
}

// Every identifier type of the proto is known, and every state.
func TestDomainKnowsTheProtosEnums(t *testing.T) {
	for _, name := range enumNames(cataloguev1.IdentifierType_name) {
		if _, words := (domain.Identifier{Type: domain.IdentifierType(name)}).Check(); strings.Contains(words, "not known") {
			t.Errorf("%s is not known", name)
		}
	}
	states := []string{string(domain.OrganisationArchived), string(domain.OrganisationDraft), string(domain.OrganisationPublished)}
	if want := enumNames(cataloguev1.OrganisationState_name); !slices.Equal(states, want) {
		t.Errorf("states %v, want %v", states, want)
	}
	for number, name := range authzv1.Role_name {
		_, err := domain.NewMembership("m", "o", "s", name, 0, time.Unix(0, 0))
		if given := err == nil; given == (number == 0 || auth.NetworkRole(authzv1.Role(number))) {
			t.Errorf("%s can be given by a membership: %v", name, given)
		}
	}
}
