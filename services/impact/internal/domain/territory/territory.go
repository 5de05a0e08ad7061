// Package territory knows how places nest: municipality, NUTS 3, 2 and 1,
// country, and the regions of ISO 3166-2 beside them. For Italy it holds every
// municipality; elsewhere NUTS codes nest by their own letters.
//
// municipalities.csv and nuts.csv: ISTAT, SITUAS, 14 August 2026, with NUTS 2024
// codes, by way of onData's "liberiamoli-tutti"; CC BY 4.0.
package territory

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/trama-suite/trama/services/platform/errs"
)

// Invalid is the reason for a territory that is unknown or contradicts itself.
const Invalid errs.Reason = "TERRITORY_INVALID"

// Place is a place by its codes; what is not known is empty.
type Place struct {
	Country      string `json:"country,omitempty"`      // ISO 3166-1 alpha-2: "IT"
	Region       string `json:"region,omitempty"`       // ISO 3166-2 in lower case: "it-21"
	NUTS1        string `json:"nuts1,omitempty"`        // "ITC"
	NUTS2        string `json:"nuts2,omitempty"`        // "ITC1"
	NUTS3        string `json:"nuts3,omitempty"`        // "ITC11"
	Municipality string `json:"municipality,omitempty"` // ISTAT: "001272"
}

//go:embed municipalities.csv
var municipalitiesCSV string

//go:embed nuts.csv
var nutsCSV string

type municipality struct{ name, nuts3 string }

var load = sync.OnceValues(func() (map[string]municipality, map[string]string) {
	places := make(map[string]municipality, 8000)
	for line := range strings.Lines(municipalitiesCSV) {
		code, rest, _ := strings.Cut(strings.TrimSpace(line), ";")
		name, nuts, _ := strings.Cut(rest, ";")
		places[code] = municipality{name, nuts}
	}
	names := make(map[string]string, 140)
	for line := range strings.Lines(nutsCSV) {
		code, name, _ := strings.Cut(strings.TrimSpace(line), ";")
		names[code] = name
	}
	return places, names
})

// regions of Italy by NUTS 2, as ISO 3166-2 has them: Trento and Bolzano are
// one region and two NUTS 2.
var regions = map[string]string{
	"ITC1": "it-21", "ITC2": "it-23", "ITC3": "it-42", "ITC4": "it-25", "ITH1": "it-32", "ITH2": "it-32", "ITH3": "it-34",
	"ITH4": "it-36", "ITH5": "it-45", "ITI1": "it-52", "ITI2": "it-55", "ITI3": "it-57", "ITI4": "it-62", "ITF1": "it-65",
	"ITF2": "it-67", "ITF3": "it-72", "ITF4": "it-75", "ITF5": "it-77", "ITF6": "it-78", "ITG1": "it-82", "ITG2": "it-88",
}

// nutsOf is the inverse: the finest NUTS code that covers a whole region.
var nutsOf = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	for nuts, region := range regions {
		if _, twice := out[region]; twice {
			nuts = nuts[:3]
		}
		out[region] = nuts
	}
	return out
})

var (
	municipalityCode = regexp.MustCompile(`^[0-9]{6}$`)
	regionCode       = regexp.MustCompile(`^[a-z]{2}-[a-z0-9]{1,3}$`)
	countryCode      = regexp.MustCompile(`^[A-Z]{2}$`)
	nutsCode         = regexp.MustCompile(`^[A-Z]{2}[A-Z0-9]{1,3}$`)
)

// Locate returns the place with that code, of whatever level, and all the
// coarser places that it lies in as far as they follow from it.
func Locate(code string) (Place, bool) {
	municipalities, names := load()
	switch {
	case municipalityCode.MatchString(code):
		m, ok := municipalities[code]
		if !ok {
			return Place{}, false
		}
		p, _ := Locate(m.nuts3)
		p.Municipality = code
		return p, true
	case regionCode.MatchString(code):
		p := Place{}
		if nuts, ok := nutsOf()[code]; ok {
			p, _ = Locate(nuts)
		} else if strings.HasPrefix(code, "it-") {
			return Place{}, false
		}
		p.Country, p.Region = strings.ToUpper(code[:2]), code
		return p, true
	case nutsCode.MatchString(code):
		if strings.HasPrefix(code, "IT") && names[code] == "" {
			return Place{}, false
		}
		p := Place{Country: country(code[:2]), NUTS1: code[:3]}
		if len(code) >= 4 {
			p.NUTS2, p.Region = code[:4], regions[code[:4]]
		}
		if len(code) == 5 {
			p.NUTS3 = code
		}
		return p, true
	case countryCode.MatchString(code):
		return Place{Country: code}, true
	}
	return Place{}, false
}

// country returns the ISO 3166-1 code for the two letters of a NUTS code, which
// differ for Greece and the United Kingdom.
func country(nuts string) string {
	switch nuts {
	case "EL":
		return "GR"
	case "UK":
		return "GB"
	}
	return nuts
}

// Resolve returns the place of several codes, each of which may be empty. The
// finest decides; a coarser one that contradicts it is an error. All empty is
// no place.
func Resolve(countryCode, region, nuts, municipality string) (Place, error) {
	var out Place
	given := []struct{ field, code string }{
		{"municipality_code", municipality}, {"nuts_code", nuts}, {"region", region}, {"country_code", countryCode},
	}
	for _, g := range given {
		if g.code == "" {
			continue
		}
		p, ok := Locate(g.code)
		if !ok {
			return Place{}, errs.InvalidField(Invalid, g.field, "%q is not a place that is known", g.code)
		}
		if out.Country == "" {
			out = p
			continue
		}
		for _, level := range []struct {
			have *string
			said string
		}{{&out.Country, p.Country}, {&out.Region, p.Region}, {&out.NUTS1, p.NUTS1}, {&out.NUTS2, p.NUTS2}, {&out.NUTS3, p.NUTS3}} {
			switch {
			case *level.have == "" && g.code == level.said:
				*level.have = level.said // beyond what follows from the finest: Catalonia has ES51 and es-ct
			case *level.have != "" && level.said != "" && *level.have != level.said:
				return Place{}, errs.InvalidField(Invalid, g.field, "%q is in %s, but the finer code is in %s", g.code, level.said, *level.have)
			}
		}
	}
	return out, nil
}

// Nearest is Resolve for codes from elsewhere, which may be out of date: the
// first of them that is known, from the finest, decides and the others only
// complete it. A municipality that is no more is placed by its province.
func Nearest(countryCode, region, nuts, municipality string) Place {
	region = strings.ToLower(region)
	for {
		p, err := Resolve(countryCode, region, nuts, municipality)
		switch {
		case err == nil:
			return p
		case municipality != "":
			if nuts == "" {
				nuts = provinces()[municipality[:min(3, len(municipality))]]
			}
			municipality = ""
		case nuts != "":
			nuts = ""
		case region != "":
			region = ""
		default:
			return Place{}
		}
	}
}

// provinces maps the first three digits of ISTAT codes to NUTS 3, where all
// municipalities of the province are in one.
var provinces = sync.OnceValue(func() map[string]string {
	municipalities, _ := load()
	out := map[string]string{}
	for code, m := range municipalities {
		if known, ok := out[code[:3]]; ok && known != m.nuts3 {
			out[code[:3]] = ""
			continue
		}
		out[code[:3]] = m.nuts3
	}
	return out
})

// Key returns the place in short, as ParseKey reads it: its finest code, and its
// region where that does not follow.
func (p Place) Key() string {
	finest := p.finest()
	if derived, ok := Locate(finest); ok && derived.Region == p.Region {
		return finest
	}
	if finest == p.Region {
		return finest
	}
	return finest + "+" + p.Region
}

func (p Place) finest() string {
	for _, code := range []string{p.Municipality, p.NUTS3, p.NUTS2, p.NUTS1, p.Region, p.Country} {
		if code != "" {
			return code
		}
	}
	return ""
}

// ParseKey is Key's inverse. An unknown key is no place.
func ParseKey(key string) Place {
	finest, region, _ := strings.Cut(key, "+")
	p, _ := Locate(finest)
	if region != "" {
		p.Region = region
	}
	return p
}

// Title returns what people call the place with that code; empty where not known.
func Title(code string) string {
	municipalities, names := load()
	if m, ok := municipalities[code]; ok {
		return m.name
	}
	if name, ok := names[code]; ok {
		return name
	}
	switch {
	case code == "it-32":
		return "Trentino-Alto Adige/Südtirol"
	case regionCode.MatchString(code):
		return names[nutsOf()[code]]
	}
	return ""
}

// Within reports whether the place is, or lies in, the place with that code.
func (p Place) Within(code string) bool {
	return code != "" && (p.Municipality == code || p.NUTS3 == code || p.NUTS2 == code || p.NUTS1 == code ||
		p.Region == code || p.Country == code)
}

// String returns the codes, coarsest first, for people who look at logs.
func (p Place) String() string {
	return strings.Join(strings.Fields(fmt.Sprint(p.Country, " ", p.Region, " ", p.NUTS1, " ", p.NUTS2, " ", p.NUTS3, " ", p.Municipality)), " ")
}
