package domain

import (
	"net/mail"
	"net/url"
	"strings"
)

// readers turn the text of a cell into the value that is kept, or say what is
// wrong with it.
var readers = map[ImportField]func(value string) (kept, fault string){
	FieldDisplayName:      asIs,
	FieldDescription:      asIs,
	FieldMunicipality:     asIs,
	FieldLegalForm:        readLegalForm,
	FieldKind:             readKinds,
	FieldCountryCode:      upperCase,
	FieldRegion:           readRegion,
	FieldNUTSCode:         upperCase,
	FieldMunicipalityCode: readMunicipalityCode,
	FieldProvince:         upperCase,
	FieldWebsite:          readWebsite,
	FieldEmail:            readEmail,
	FieldPhone:            readPhone,
}

// tells are the fields of which a changed value is worth a correction in the
// report; in the others one form stands for the other by design.
var tells = map[ImportField]bool{FieldMunicipalityCode: true, FieldWebsite: true, FieldPhone: true}

func asIs(value string) (string, string) { return value, "" }

func upperCase(value string) (string, string) { return strings.ToUpper(value), "" }

// legalForms knows a legal form by the name of its value and by what Italians
// call it for short.
var legalForms = names("LEGAL_FORM_", []string{
	"SOCIAL_COOPERATIVE_A", "SOCIAL_COOPERATIVE_B", "SOCIAL_COOPERATIVE_AB", "CONSORTIUM", "VOLUNTEER_ORGANISATION",
	"SOCIAL_PROMOTION_ASSOCIATION", "ASSOCIATION", "AMATEUR_SPORTS_CLUB", "FOUNDATION", "SOCIAL_ENTERPRISE",
	"BENEFIT_COMPANY", "COMPANY", "SOLE_TRADER", "PUBLIC_BODY", "RESEARCH_BODY", "RELIGIOUS_BODY", "INFORMAL_GROUP", "OTHER",
}, map[string]string{
	"ODV": "VOLUNTEER_ORGANISATION", "APS": "SOCIAL_PROMOTION_ASSOCIATION", "ASD": "AMATEUR_SPORTS_CLUB",
	"FONDAZIONE": "FOUNDATION", "IMPRESA SOCIALE": "SOCIAL_ENTERPRISE", "ASSOCIAZIONE": "ASSOCIATION",
	"CONSORZIO": "CONSORTIUM", "COOPERATIVA SOCIALE A": "SOCIAL_COOPERATIVE_A", "COOPERATIVA SOCIALE B": "SOCIAL_COOPERATIVE_B",
	"COOPERATIVA SOCIALE A B": "SOCIAL_COOPERATIVE_AB", "ENTE PUBBLICO": "PUBLIC_BODY", "SOCIETA BENEFIT": "BENEFIT_COMPANY",
	"ENTE RELIGIOSO": "RELIGIOUS_BODY", "ALTRO": "OTHER",
})

var organisationKinds = names("ORGANISATION_KIND_", []string{
	"MEMBER", "SUPPLIER", "NETWORK", "FUNDER", "TRAINING_PROVIDER", "RESEARCH_PARTNER", "PUBLIC_PARTNER", "LISTED",
}, map[string]string{"FORNITORE": "SUPPLIER", "ENTE ADERENTE": "MEMBER", "RETE": "NETWORK"})

// names maps what a cell may say, folded, to the name of an enum's value.
func names(prefix string, values []string, aliases map[string]string) map[string]string {
	out := map[string]string{}
	for _, v := range values {
		out[fold(v)] = prefix + v
		out[fold(prefix+v)] = prefix + v
	}
	for alias, v := range aliases {
		out[alias] = prefix + v
	}
	return out
}

func readLegalForm(value string) (string, string) {
	form, known := legalForms[fold(value)]
	if !known {
		return "", "is not a legal form"
	}
	return form, ""
}

func readKinds(value string) (string, string) {
	var out []string
	seen := map[string]bool{}
	for part := range strings.SplitSeq(value, "|") {
		kind, known := organisationKinds[fold(part)]
		if !known {
			return "", "is not a part that a body plays in the network"
		}
		if !seen[kind] {
			seen[kind] = true
			out = append(out, kind)
		}
	}
	return strings.Join(out, "|"), ""
}

func readRegion(value string) (string, string) {
	if iso, known := RegionByName(value); known {
		return iso, ""
	}
	if code := strings.ToUpper(value); regionShape.MatchString(code) {
		return code, ""
	}
	return "", "is neither a region of Italy nor a code of ISO 3166-2"
}

// readMunicipalityCode puts back the zeros that spreadsheets drop.
func readMunicipalityCode(value string) (string, string) {
	if !allDigits(value) || len(value) > 6 || len(value) < 4 {
		return "", "is not an ISTAT code of a municipality, which has six digits"
	}
	return strings.Repeat("0", 6-len(value)) + value, ""
}

func readWebsite(value string) (string, string) {
	if !strings.Contains(value, "://") {
		value = "https://" + value
	}
	u, err := url.Parse(value)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || !strings.Contains(u.Host, ".") || strings.Contains(value, " ") {
		return "", "is not the address of a web site"
	}
	return value, ""
}

func readEmail(value string) (string, string) {
	if a, err := mail.ParseAddress(value); err != nil || a.Address != value {
		return "", "is not a mail address"
	}
	return value, ""
}

// readPhone writes a number in international form; without a prefix it is an
// Italian one.
func readPhone(value string) (string, string) {
	number := strings.NewReplacer(" ", "", ".", "", "/", "", "-", "", "(", "", ")", "").Replace(value)
	switch {
	case strings.HasPrefix(number, "00"):
		number = "+" + number[2:]
	case !strings.HasPrefix(number, "+"):
		number = "+39" + number
	}
	if !phoneShape.MatchString(number) {
		return "", "is not a telephone number"
	}
	return number, ""
}
