package scoring

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Rule is a condition that a pair must keep.
type Rule string

// The rules. The first two hold in every programme.
const (
	DifferentBodies Rule = "different_bodies" // the sides belong to different organisations
	CommonGround    Rule = "common_ground"    // they share a category, a sector, a tag or a word
	Territory       Rule = "territory"        // available where it is needed
	Language        Rule = "language"         // every required language is spoken
	Budget          Rule = "budget"           // the lowest price is within the ceiling
	Deadline        Rule = "deadline"         // still valid on the deadline
)

// Feature is a measure from 0 to 1 of how well a supply answers a demand.
type Feature string

// The features.
const (
	Category  Feature = "category"  // the supply serves the demand's category
	Sector    Feature = "sector"    // share of the demand's sectors covered
	Tag       Feature = "tag"       // share of the demand's tags covered
	Text      Feature = "text"      // cosine of the two sets of word stems
	Proximity Feature = "proximity" // nearness by ISO 3166 code
	Maturity  Feature = "maturity"  // maturity of the supply
)

// Weight gives a feature the points that a measure of 1 brings.
type Weight struct {
	Feature Feature
	Points  int64
}

// Policy is the part of a programme that judging needs.
type Policy struct {
	Rules   []Rule
	Weights []Weight
	Minimum int64 // points below which a pair is no candidate
}

// Term is one summand of a score. Evidence is what the sides share, in the
// demand's own words.
type Term struct {
	Feature  Feature
	Points   int64
	Weight   int64
	Evidence []string
}

// Check is one rule held against a pair.
type Check struct {
	Rule   Rule
	Kept   bool
	Detail string
}

// Verdict is what Judge finds: every check, every term, their sum.
type Verdict struct {
	Checks    []Check
	Terms     []Term
	Score     int64
	Candidate bool
}

// Judge holds a pair against a policy. It says all of why and why not: no check
// and no term is skipped because another one has failed.
func Judge(p Policy, demand, supply Entry) Verdict {
	v := Verdict{Candidate: true}
	for _, rule := range append([]Rule{DifferentBodies, CommonGround}, p.Rules...) {
		kept, detail := check(rule, demand, supply)
		v.Checks = append(v.Checks, Check{Rule: rule, Kept: kept, Detail: detail})
		v.Candidate = v.Candidate && kept
	}
	for _, w := range p.Weights {
		t := term(w, demand, supply)
		v.Terms = append(v.Terms, t)
		v.Score += t.Points
	}
	v.Candidate = v.Candidate && v.Score >= p.Minimum
	return v
}

func check(rule Rule, demand, supply Entry) (kept bool, detail string) {
	switch rule {
	case DifferentBodies:
		if demand.Organisation == supply.Organisation {
			return false, "both sides belong to one organisation"
		}
		return true, "the sides belong to different organisations"
	case CommonGround:
		if !shareKey(demand.Keys(), supply.Keys()) {
			return false, "the sides share no category, sector, tag or word"
		}
		return true, "the sides share a category, sector, tag or word"
	case Territory:
		if len(demand.Territories) == 0 || len(supply.Territories) == 0 {
			return true, "one side sets no limit of territory"
		}
		if code, _ := nearest(demand.Territories, supply.Territories); code != "" {
			return true, "available in " + code
		}
		return false, fmt.Sprintf("needed in %s, available in %s", strings.Join(demand.Territories, ", "), strings.Join(supply.Territories, ", "))
	case Language:
		return speaks(demand.Languages, supply.Languages)
	case Budget:
		switch {
		case demand.Currency == "" || supply.Currency == "":
			return true, "no ceiling or no price stated"
		case demand.Currency != supply.Currency:
			return false, fmt.Sprintf("ceiling in %s, price in %s", demand.Currency, supply.Currency)
		case supply.Money > demand.Money:
			return false, fmt.Sprintf("price from %s, ceiling %s", amount(supply), amount(demand))
		}
		return true, fmt.Sprintf("price from %s within the ceiling of %s", amount(supply), amount(demand))
	case Deadline:
		if demand.Day == "" || supply.Day == "" {
			return true, "no deadline or no last day stated"
		}
		if supply.Day < demand.Day {
			return false, fmt.Sprintf("needed until %s, valid until %s", demand.Day, supply.Day)
		}
		return true, fmt.Sprintf("valid until %s, needed by %s", supply.Day, demand.Day)
	}
	return false, "unknown rule " + string(rule)
}

func amount(e Entry) string {
	return fmt.Sprintf("%d.%02d %s", e.Money/100, e.Money%100, e.Currency)
}

// speaks: each required language must have one of the supply's with the same
// primary subtag (it-IT is spoken where it is).
func speaks(required, spoken []string) (kept bool, detail string) {
	if len(required) == 0 || len(spoken) == 0 {
		return true, "one side names no language"
	}
	for _, want := range required {
		if !slices.ContainsFunc(spoken, func(have string) bool { return primary(have) == primary(want) }) {
			return false, want + " is required and not spoken"
		}
	}
	return true, "speaks " + strings.Join(required, ", ")
}

func primary(tag string) string {
	p, _, _ := strings.Cut(strings.ToLower(tag), "-")
	return p
}

// shareKey reports whether two sorted lists have a word in common.
func shareKey(a, b []string) bool {
	for len(a) > 0 && len(b) > 0 {
		switch c := strings.Compare(a[0], b[0]); {
		case c == 0:
			return true
		case c < 0:
			a = a[1:]
		default:
			b = b[1:]
		}
	}
	return false
}

func term(w Weight, demand, supply Entry) Term {
	t := Term{Feature: w.Feature, Weight: w.Points}
	switch w.Feature {
	case Category:
		if shared := common([]string{demand.Category}, append(supply.Serves, supply.Category)); demand.Category != "" && len(shared) > 0 {
			t.Points, t.Evidence = w.Points, shared
		}
	case Sector:
		t.Evidence = common(demand.Sectors, supply.Sectors)
		t.Points = share(w.Points, t.Evidence, demand.Sectors)
	case Tag:
		t.Evidence = common(demand.Tags, supply.Tags)
		t.Points = share(w.Points, t.Evidence, demand.Tags)
	case Text:
		t.Evidence = common(demand.Stems, supply.Stems)
		if n := len(t.Evidence); n > 0 {
			// Salton and McGill's cosine for sets: |A∩B| / √(|A||B|).
			cosine := float64(n) / math.Sqrt(float64(len(demand.Stems))*float64(len(supply.Stems)))
			t.Points = int64(float64(w.Points) * min(cosine, 1))
		}
	case Proximity:
		switch code, same := nearest(demand.Territories, supply.Territories); {
		case len(demand.Territories) == 0 || len(supply.Territories) == 0:
			t.Points = w.Points
		case same:
			t.Points, t.Evidence = w.Points, []string{code}
		case code != "": // the whole country on one side, a region on the other
			t.Points, t.Evidence = w.Points/2, []string{code}
		}
	case Maturity:
		t.Points = w.Points * min(max(supply.Maturity, 0), 1000) / 1000
	}
	return t
}

// share is the part of the weight that found out of wanted earns.
func share(points int64, found, wanted []string) int64 {
	if len(wanted) == 0 {
		return 0
	}
	return points * int64(len(found)) / distinct(wanted)
}

// nearest returns the narrower code of the closest pair of which one contains
// the other (the country IT contains the region IT-21), and whether the two are
// the same; "" where none does.
func nearest(a, b []string) (code string, same bool) {
	for _, x := range a {
		for _, y := range b {
			switch {
			case x == y && (!same || x < code):
				code, same = x, true
			case !same && strings.HasPrefix(y, x+"-") && (code == "" || y < code):
				code = y
			case !same && strings.HasPrefix(x, y+"-") && (code == "" || x < code):
				code = x
			}
		}
	}
	return code, same
}
