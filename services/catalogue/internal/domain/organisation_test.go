package domain_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/platform/errs"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const organisation = "organisations/0190a8f0-0000-7000-8000-000000000001"

func profile() domain.Profile {
	return domain.Profile{
		DisplayName: domain.LocalizedText{Text: "Cooperativa sociale Il Filo", LanguageCode: "it"},
		LegalForm:   "LEGAL_FORM_SOCIAL_COOPERATIVE_A",
		Territory:   domain.Territory{Country: "IT", Region: "IT-21", NUTS: "ITC11", MunicipalityCode: "001272", Province: "TO"},
		Identifiers: []domain.Identifier{{Type: domain.TaxCode, Value: "80051890152"}},
	}
}

// wantField checks that err is an Invalid error with a violation of that path
// and reason.
func wantField(t *testing.T, err error, path string, reason errs.Reason) {
	t.Helper()
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || e.Kind != errs.Invalid {
		t.Fatalf("got %v, want an error of the field %s", err, path)
	}
	for _, f := range e.Fields {
		if f.Path == path && f.Reason == reason {
			return
		}
	}
	t.Fatalf("got %+v, want %s with %s", e.Fields, path, reason)
}

func TestOrganisationFaults(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *domain.Profile)
		path   string
		reason errs.Reason
	}{
		"no name":      {func(p *domain.Profile) { p.DisplayName.Text = " " }, "display_name.text", domain.TextWrong},
		"long name":    {func(p *domain.Profile) { p.DisplayName.Text = strings.Repeat("à", 301) }, "display_name.text", domain.TextWrong},
		"no language":  {func(p *domain.Profile) { p.DisplayName.LanguageCode = "" }, "display_name.language_code", domain.TextWrong},
		"own language": {func(p *domain.Profile) { p.DisplayName.Translations = map[string]string{"IT": "x"} }, "display_name.translations[IT]", domain.TextWrong},
		"check digit": {func(p *domain.Profile) {
			p.Identifiers = append(p.Identifiers, domain.Identifier{Type: domain.VATNumber, Value: "80051890151"})
		}, "identifiers[1].value", domain.CheckDigitWrong},
		"identifier twice": {func(p *domain.Profile) {
			p.Identifiers = append(p.Identifiers, domain.Identifier{Type: domain.TaxCode, Value: "800.518.901.52"})
		}, "identifiers[1].value", domain.IdentifierRepeated},
		"scheme absent": {func(p *domain.Profile) {
			p.Identifiers[0] = domain.Identifier{Type: domain.OtherIdentifier, Value: "7"}
		}, "identifiers[0].scheme", domain.IdentifierShapeWrong},
		"scheme too much":    {func(p *domain.Profile) { p.Identifiers[0].Scheme = "x" }, "identifiers[0].scheme", domain.IdentifierShapeWrong},
		"country":            {func(p *domain.Profile) { p.Territory.Country = "XX" }, "territory.country_code", domain.ValueUnknown},
		"region elsewhere":   {func(p *domain.Profile) { p.Territory.Region = "ES-CT" }, "territory.region_code", domain.TerritoryInconsistent},
		"region unknown":     {func(p *domain.Profile) { p.Territory.Region = "IT-99" }, "territory.region_code", domain.ValueUnknown},
		"NUTS elsewhere":     {func(p *domain.Profile) { p.Territory.NUTS = "ES51" }, "territory.nuts_code", domain.TerritoryInconsistent},
		"NUTS of other":      {func(p *domain.Profile) { p.Territory.NUTS = "ITC4C" }, "territory.nuts_code", domain.TerritoryInconsistent},
		"municipality":       {func(p *domain.Profile) { p.Territory.MunicipalityCode = "1272" }, "territory.municipality_code", domain.ValueUnknown},
		"municipality where": {func(p *domain.Profile) { p.Territory = domain.Territory{Country: "ES", MunicipalityCode: "001272"} }, "territory.municipality_code", domain.TerritoryInconsistent},
		"municipality date":  {func(p *domain.Profile) { p.Territory.MunicipalityDate = "2022-02-30" }, "territory.municipality_date", domain.DateWrong},
		"own network":        {func(p *domain.Profile) { p.ParentNetwork = organisation }, "parent_network", domain.ParentCycle},
		"empty contact":      {func(p *domain.Profile) { p.Contacts = []domain.Contact{{Label: "info"}} }, "contacts[0]", domain.ValueMissing},
		"mail":               {func(p *domain.Profile) { p.Contacts = []domain.Contact{{Email: "info(at)example.org"}} }, "contacts[0].email", domain.ValueUnknown},
		"phone":              {func(p *domain.Profile) { p.Contacts = []domain.Contact{{Phone: "011 0000"}} }, "contacts[0].phone", domain.ValueUnknown},
		"website":            {func(p *domain.Profile) { p.Website = "javascript:alert(1)" }, "website", domain.ValueUnknown},
		"attribute key":      {func(p *domain.Profile) { p.Attributes = map[string]string{"Sample": "true"} }, "attributes[Sample]", domain.TextWrong},
		"attribute":          {func(p *domain.Profile) { p.Attributes = map[string]string{"note": strings.Repeat("x", 501)} }, "attributes[note]", domain.TextWrong},
		"assured tomorrow":   {func(p *domain.Profile) { p.AssuredDate = "2026-03-04" }, "assured_date", domain.DateWrong},
	} {
		t.Run(name, func(t *testing.T) {
			p := profile()
			c.change(&p)
			_, err := domain.NewOrganisation(organisation, p, noon)
			wantField(t, err, c.path, c.reason)
		})
	}
}

func TestOrganisationTellsAllFaultsAtOnce(t *testing.T) {
	p := profile()
	p.LegalForm, p.Website = "", "no"
	_, err := domain.NewOrganisation(organisation, p, noon)
	wantField(t, err, "legal_form", domain.ValueMissing)
	wantField(t, err, "website", domain.ValueUnknown)
}

// Whatever is done to an organisation, its events are numbered without gaps, the
// version grows with every change, and a refused step changes nothing.
func TestOrganisationLife(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, err := domain.NewOrganisation(organisation, profile(), noon)
		if err != nil {
			t.Fatal(err)
		}
		var told int64
		public := false
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			before := *o
			var changes []domain.Change
			var err error
			step := rapid.SampledFrom([]string{"publish", "archive", "restore", "same", "rename", "break"}).Draw(t, "step")
			switch step {
			case "publish":
				changes, err = o.Publish(noon)
			case "archive":
				changes, err = o.Archive(noon)
			case "restore":
				err = o.Restore(noon)
			case "same":
				changes, err = o.Update(o.Profile, noon)
			case "rename":
				p := o.Profile
				p.DisplayName.Text += "!"
				changes, err = o.Update(p, noon)
			case "break":
				p := o.Profile
				p.LegalForm = ""
				changes, err = o.Update(p, noon)
			}
			if err != nil {
				if len(changes) > 0 || o.Version != before.Version || o.State != before.State || !o.Profile.Equal(before.Profile) {
					t.Fatalf("%s was refused and yet changed something", step)
				}
				continue
			}
			if step == "same" {
				if o.Version != before.Version || len(changes) > 0 {
					t.Fatal("the same profile counts as a change")
				}
				continue
			}
			if o.Version != before.Version+1 {
				t.Fatalf("%s: version %d after %d", step, o.Version, before.Version)
			}
			for _, c := range changes {
				told++
				if c.Version != told {
					t.Fatalf("event %d has the version %d", told, c.Version)
				}
				public = c.What == domain.Published
			}
			if public != o.Public() {
				t.Fatalf("after %s the world takes it for public: %v; it is: %v", step, public, o.Public())
			}
		}
	})
}

func TestProfileSharesNothing(t *testing.T) {
	p := profile()
	p.Attributes = map[string]string{"sample": "true"}
	o, err := domain.NewOrganisation(organisation, p, noon)
	if err != nil {
		t.Fatal(err)
	}
	p.Attributes["sample"], p.Identifiers[0].Value = "no", "x"
	if o.Profile.Attributes["sample"] != "true" || o.Profile.Identifiers[0].Value != "80051890152" {
		t.Fatal("a change of the request's parts changed the organisation")
	}
}

func TestFindCycle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n = 8
		parents := map[string]string{}
		for i := range n {
			if p := rapid.IntRange(-1, n-1).Draw(t, "parent"); p >= 0 {
				parents[string(rune('a'+i))] = string(rune('a' + p))
			}
		}
		// Plainly: from some node, n steps up and still not at the top.
		want := false
		for start := range parents {
			at := start
			for range n + 1 {
				at = parents[at]
			}
			want = want || at != ""
		}
		at, got := domain.FindCycle(parents)
		if got != want {
			t.Fatalf("cycle %v, want %v in %v", got, want, parents)
		}
		if got {
			up := parents[at]
			for range n {
				if up == at {
					return
				}
				up = parents[up]
			}
			t.Fatalf("%s is not in a cycle of %v", at, parents)
		}
	})
}

func TestCheckTerms(t *testing.T) {
	known := map[string]domain.Validity{
		"a": {}, "past": {To: "2025-12-31"}, "soon": {From: "2026-03-03"}, "today": {From: "2026-03-02", To: "2026-03-02"},
	}
	if err := domain.CheckTerms("sectors", []string{"a", "today", "past"}, []string{"past"}, known, noon); err != nil {
		t.Fatal(err)
	}
	wantField(t, domain.CheckTerms("sectors", []string{"a", "past"}, nil, known, noon), "sectors[1]", domain.TermNotInForce)
	wantField(t, domain.CheckTerms("sectors", []string{"soon"}, nil, known, noon), "sectors[0]", domain.TermNotInForce)
	wantField(t, domain.CheckTerms("sectors", []string{"none"}, []string{"none"}, known, noon), "sectors[0]", errs.ReferenceNotFound)
}

func TestMembership(t *testing.T) {
	for _, role := range []string{"ROLE_NETWORK_OPERATOR", "ROLE_REGIONAL_OPERATOR", "ROLE_AUDITOR", "ROLE_SERVICE", "ROLE_UNSPECIFIED", ""} {
		_, err := domain.NewMembership("m", organisation, "s", role, 0, noon)
		wantField(t, err, "membership.role", domain.RoleNotOfOrganisation)
	}
	if _, err := domain.NewMembership("m", organisation, "s", "ROLE_LEARNER", domain.MaxMemberships, noon); errs.ReasonOf(err) != domain.TooManyMemberships {
		t.Fatal(err)
	}
	m, err := domain.NewMembership("m", organisation, "s", domain.RoleAdmin, domain.MaxMemberships-1, noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.End(false, 1); errs.ReasonOf(err) != domain.LastAdmin {
		t.Fatal(err)
	}
	if m.End(false, 2) != nil || m.End(true, 1) != nil {
		t.Fatal("an admin who is not the last one, or whom an operator removes, may go")
	}
}
