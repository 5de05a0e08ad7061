package domain

import (
	"regexp"
	"slices"
	"strings"
)

// Territory is where an organisation has its seat.
type Territory struct {
	Country          string `json:"country"`                     // ISO 3166-1 alpha-2
	Region           string `json:"region,omitempty"`            // ISO 3166-2
	NUTS             string `json:"nuts,omitempty"`              // of any level
	MunicipalityCode string `json:"municipality_code,omitempty"` // ISTAT
	MunicipalityDate string `json:"municipality_date,omitempty"` // a day on which the code is in force
	Municipality     string `json:"municipality,omitempty"`
	Province         string `json:"province,omitempty"` // Italian abbreviation
}

// countries are the codes of ISO 3166-1 alpha-2.
var countries = strings.Fields(`
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR
GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP
KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT
MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ
UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW`)

// italianRegion is one of the twenty regions.
type italianRegion struct {
	iso   string
	nuts2 []string // NUTS 2024: Trentino-Alto Adige has one for each province
	names []string // without accents and punctuation, as fold gives them
}

var italianRegions = []italianRegion{
	{"IT-21", []string{"ITC1"}, []string{"PIEMONTE"}},
	{"IT-23", []string{"ITC2"}, []string{"VALLE D AOSTA", "VALLE D AOSTA VALLEE D AOSTE"}},
	{"IT-25", []string{"ITC4"}, []string{"LOMBARDIA"}},
	{"IT-32", []string{"ITH1", "ITH2"}, []string{"TRENTINO ALTO ADIGE", "TRENTINO ALTO ADIGE TRENTO", "TRENTINO ALTO ADIGE BOLZANO", "TRENTINO ALTO ADIGE SUDTIROL"}},
	{"IT-34", []string{"ITH3"}, []string{"VENETO"}},
	{"IT-36", []string{"ITH4"}, []string{"FRIULI VENEZIA GIULIA"}},
	{"IT-42", []string{"ITC3"}, []string{"LIGURIA"}},
	{"IT-45", []string{"ITH5"}, []string{"EMILIA ROMAGNA"}},
	{"IT-52", []string{"ITI1"}, []string{"TOSCANA"}},
	{"IT-55", []string{"ITI2"}, []string{"UMBRIA"}},
	{"IT-57", []string{"ITI3"}, []string{"MARCHE"}},
	{"IT-62", []string{"ITI4"}, []string{"LAZIO"}},
	{"IT-65", []string{"ITF1"}, []string{"ABRUZZO"}},
	{"IT-67", []string{"ITF2"}, []string{"MOLISE"}},
	{"IT-72", []string{"ITF3"}, []string{"CAMPANIA"}},
	{"IT-75", []string{"ITF4"}, []string{"PUGLIA"}},
	{"IT-77", []string{"ITF5"}, []string{"BASILICATA"}},
	{"IT-78", []string{"ITF6"}, []string{"CALABRIA"}},
	{"IT-82", []string{"ITG1"}, []string{"SICILIA"}},
	{"IT-88", []string{"ITG2"}, []string{"SARDEGNA"}},
}

var regionsByName, regionsByISO = indexRegions()

func indexRegions() (byName map[string]string, byISO map[string]italianRegion) {
	byName, byISO = map[string]string{}, map[string]italianRegion{}
	for _, r := range italianRegions {
		byISO[r.iso] = r
		for _, name := range r.names {
			byName[name] = r.iso
		}
	}
	return byName, byISO
}

// RegionByName returns the ISO 3166-2 code of an Italian region by its name,
// whatever its case, accents and punctuation.
func RegionByName(name string) (string, bool) {
	iso, ok := regionsByName[fold(name)]
	return iso, ok
}

// fold makes names comparable: upper case, without the accents that Italian
// has, everything but letters and digits one space.
func fold(s string) string {
	var b strings.Builder
	space := false
	for _, r := range strings.ToUpper(s) {
		switch r {
		case 'À', 'Á':
			r = 'A'
		case 'È', 'É':
			r = 'E'
		case 'Ì', 'Í':
			r = 'I'
		case 'Ò', 'Ó':
			r = 'O'
		case 'Ù', 'Ú', 'Ü':
			r = 'U'
		}
		if r < '0' || r > '9' && r < 'A' || r > 'Z' && r < 0x80 || r == '’' {
			space = b.Len() > 0
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

var (
	regionShape       = regexp.MustCompile(`^[A-Z]{2}-[A-Z0-9]{1,3}$`)
	nutsShape         = regexp.MustCompile(`^[A-Z]{2}[A-Z0-9]{0,3}$`)
	municipalityShape = regexp.MustCompile(`^[0-9]{6}$`)
	provinceShape     = regexp.MustCompile(`^[A-Z]{2}$`)
)

// territory holds the codes of a territory against their shapes and against
// each other.
func (f *faults) territory(path string, t Territory) {
	if _, known := slices.BinarySearch(countries, t.Country); !known {
		f.add(ValueUnknown, path+".country_code", "is not a country of ISO 3166-1")
		return
	}
	switch {
	case t.Region == "":
	case !regionShape.MatchString(t.Region):
		f.add(ValueUnknown, path+".region_code", "is not a code of ISO 3166-2, for example IT-21")
	case !strings.HasPrefix(t.Region, t.Country+"-"):
		f.add(TerritoryInconsistent, path+".region_code", "%s is not a region of %s", t.Region, t.Country)
	case t.Country == "IT" && regionsByISO[t.Region].iso == "":
		f.add(ValueUnknown, path+".region_code", "%s is none of the twenty regions of Italy", t.Region)
	}
	f.nuts(path+".nuts_code", t)
	if t.MunicipalityCode != "" {
		switch {
		case !municipalityShape.MatchString(t.MunicipalityCode):
			f.add(ValueUnknown, path+".municipality_code", "an ISTAT code of a municipality has six digits")
		case t.Country != "IT":
			f.add(TerritoryInconsistent, path+".municipality_code", "ISTAT has no codes for %s", t.Country)
		}
	}
	if t.Province != "" {
		switch {
		case !provinceShape.MatchString(t.Province):
			f.add(ValueUnknown, path+".province", "is not an abbreviation of two letters")
		case t.Country != "IT":
			f.add(TerritoryInconsistent, path+".province", "is only for Italy")
		}
	}
	f.date(path+".municipality_date", t.MunicipalityDate)
	f.length(path+".municipality", t.Municipality, 120)
}

// nuts holds a NUTS code against country and region. NUTS writes EL for Greece
// and UK for the United Kingdom.
func (f *faults) nuts(path string, t Territory) {
	if t.NUTS == "" {
		return
	}
	if !nutsShape.MatchString(t.NUTS) {
		f.add(ValueUnknown, path, "is not a NUTS code, for example ITC11")
		return
	}
	country := t.Country
	switch country {
	case "GR":
		country = "EL"
	case "GB":
		country = "UK"
	}
	if t.NUTS[:2] != country {
		f.add(TerritoryInconsistent, path, "%s is not in %s", t.NUTS, t.Country)
		return
	}
	region, italian := regionsByISO[t.Region]
	if !italian {
		return
	}
	for _, nuts2 := range region.nuts2 {
		n := min(len(t.NUTS), len(nuts2))
		if t.NUTS[:n] == nuts2[:n] {
			return
		}
	}
	f.add(TerritoryInconsistent, path, "%s is not in %s", t.NUTS, t.Region)
}
