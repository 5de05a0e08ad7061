package territory

import (
	"testing"

	"github.com/trama-suite/trama/services/platform/errs"
)

func TestLocate(t *testing.T) {
	for code, want := range map[string]string{
		"001272": "IT it-21 ITC ITC1 ITC11 001272", // Torino
		"ITC11":  "IT it-21 ITC ITC1 ITC11",
		"it-21":  "IT it-21 ITC ITC1",
		"it-32":  "IT it-32 ITH",
		"ITH20":  "IT it-32 ITH ITH2 ITH20",
		"ES511":  "ES ES5 ES51 ES511",
		"EL30":   "GR EL3 EL30",
		"LV":     "LV",
		"es-ct":  "ES es-ct",
	} {
		p, ok := Locate(code)
		if !ok || p.String() != want {
			t.Errorf("Locate(%q) = %s, %v, want %s", code, p, ok, want)
		}
		if back := ParseKey(p.Key()); back != p {
			t.Errorf("%s has the key %q, which is %s", p, p.Key(), back)
		}
	}
	for _, code := range []string{"", "999999", "it-99", "ITZ", "ITC99", "Torino", "00127"} {
		if p, ok := Locate(code); ok {
			t.Errorf("Locate(%q) = %s, want nothing", code, p)
		}
	}
}

func TestResolve(t *testing.T) {
	p, err := Resolve("ES", "es-ct", "ES51", "")
	if err != nil || p.String() != "ES es-ct ES5 ES51" || ParseKey(p.Key()) != p {
		t.Errorf("Catalonia = %s, %v", p, err)
	}
	if p, err = Resolve("IT", "it-21", "", "001272"); err != nil || p.NUTS3 != "ITC11" {
		t.Errorf("Torino = %s, %v", p, err)
	}
	for _, codes := range [][4]string{{"FR", "", "", "001272"}, {"", "it-25", "", "001272"}, {"", "", "ITC4", "001272"}, {"", "", "", "123456"}} {
		if p, err := Resolve(codes[0], codes[1], codes[2], codes[3]); errs.ReasonOf(err) != Invalid {
			t.Errorf("%v = %s, %v, want %s", codes, p, err, Invalid)
		}
	}
}

func TestNearestPlacesWhatIsOutOfDate(t *testing.T) {
	for _, c := range []struct{ country, region, nuts, municipality, want string }{
		{"IT", "IT-21", "", "001999", "IT it-21 ITC ITC1 ITC11"}, // a municipality that was merged away
		{"IT", "IT-21", "ITC99", "", "IT it-21 ITC ITC1"},
		{"IT", "IT-99", "", "", "IT"},
		{"", "", "", "", ""},
	} {
		if got := Nearest(c.country, c.region, c.nuts, c.municipality).String(); got != c.want {
			t.Errorf("%+v is placed in %q", c, got)
		}
	}
}

// Every municipality nests up to the country, and has a name at every level.
func TestMunicipalitiesNest(t *testing.T) {
	municipalities, _ := load()
	if len(municipalities) != 7894 {
		t.Fatalf("%d municipalities, want 7,894", len(municipalities))
	}
	for code := range municipalities {
		p, ok := Locate(code)
		if !ok || p.Country != "IT" || p.Region == "" || len(p.NUTS1) != 3 || len(p.NUTS2) != 4 || len(p.NUTS3) != 5 {
			t.Fatalf("%s nests as %s", code, p)
		}
		for _, level := range []string{code, p.NUTS3, p.NUTS2, p.NUTS1, p.Region} {
			if Title(level) == "" || !p.Within(level) {
				t.Fatalf("%s: level %s has no name, or does not hold it", code, level)
			}
		}
	}
}
