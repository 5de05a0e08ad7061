package domain_test

import (
	"testing"

	"golang.org/x/text/language"

	"github.com/trama-suite/trama/services/catalogue/internal/domain"
)

// The countries are those of CLDR with two letters, less the codes that ISO
// 3166-1 only reserves or has withdrawn.
func TestCountries(t *testing.T) {
	notISO := map[string]bool{"AC": true, "AN": true, "CP": true, "CQ": true, "CS": true, "DG": true, "EA": true, "EZ": true, "FQ": true, "IC": true, "NT": true, "PC": true,
		"SU": true, "TA": true, "UN": true, "XK": true, "YU": true}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string(a) + string(b)
			region, err := language.ParseRegion(code)
			want := err == nil && region.IsCountry() && region.String() == code && region.Canonicalize() == region && !notISO[code]
			p := profile()
			p.Territory = domain.Territory{Country: code}
			_, err = domain.NewOrganisation(organisation, p, noon)
			if got := err == nil; got != want {
				t.Errorf("%s is a country: %v, want %v", code, got, want)
			}
		}
	}
}

func TestRegionByName(t *testing.T) {
	for name, want := range map[string]string{
		"PIEMONTE": "IT-21", "Valle d'Aosta": "IT-23", "VALLE D’AOSTA": "IT-23", "Valle d'Aosta/Vallée d'Aoste": "IT-23",
		"emilia-romagna": "IT-45", "EMILIA ROMAGNA": "IT-45", "Friuli-Venezia Giulia": "IT-36",
		"TRENTINO ALTO ADIGE (BOLZANO)": "IT-32", "Trentino-Alto Adige/Südtirol": "IT-32", " Sicilia ": "IT-82",
		"Padania": "", "": "",
	} {
		if got, ok := domain.RegionByName(name); got != want || ok != (want != "") {
			t.Errorf("%q is %q, %v; want %q", name, got, ok, want)
		}
	}
}
