package domain

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/rules"
)

// RuleSet is a funder's rules over all their versions. Its stamp's version is the
// number of the newest.
type RuleSet struct {
	Slug      string `json:"-"`
	Programme string `json:"-"`
	Shipped   bool   `json:"-"`
	Title     Text   `json:"title"`
	Funder    string `json:"funder"`
	Stamp
}

// Name returns the resource name.
func (s *RuleSet) Name() string { return ids.Name("ruleSets", s.Slug) }

// RuleSetVersion is one version of a rule set. It never changes.
type RuleSetVersion struct {
	Slug          string
	Number        int64
	EffectiveFrom civil.Date
	EffectiveTo   civil.Date
	Source        string
	SHA256        string
	Publisher     string
	Created       time.Time
}

// Name returns the resource name.
func (v *RuleSetVersion) Name() string { return RuleSetVersionName(v.Slug, v.Number) }

// RuleSetVersionName returns the resource name of a version.
func RuleSetVersionName(slug string, number int64) string {
	return fmt.Sprintf("%s/versions/%d", ids.Name("ruleSets", slug), number)
}

var ruleSetName = regexp.MustCompile(`^ruleSets/([a-z][a-z0-9-]{0,39})(?:/versions/([1-9][0-9]{0,5}))?$`)

// ParseRuleSetName reads the slug out of a rule set's name, and the number out of
// a version's: 0 where the name is a set's.
func ParseRuleSetName(name string) (slug string, number int64, ok bool) {
	m := ruleSetName.FindStringSubmatch(name)
	if m == nil {
		return "", 0, false
	}
	number, _ = strconv.ParseInt(m[2], 10, 64) // nothing, or six digits
	return m[1], number, true
}

// LoadRuleSet compiles a document. What is wrong with it is told as violations
// of the field.
func LoadRuleSet(path, source string) (*rules.Set, error) {
	set, err := rules.Load([]byte(source))
	if err == nil {
		return set, nil
	}
	problems, ok := err.(rules.Problems) //nolint:errorlint // Load returns nothing else
	if !ok {
		return nil, err
	}
	e := errs.New(errs.Invalid, RuleSetWrong, "the rule set has %d problems; the first: %s", len(problems), problems[0])
	for _, p := range problems {
		e = e.WithField(path, RuleSetWrong, p.String())
	}
	return nil, e
}

// RuleSetText is a text of a rule set.
func RuleSetText(t rules.Text) Text {
	if t == (rules.Text{}) {
		return Text{}
	}
	return Text{Text: t.IT, Language: "it", Translations: map[string]string{"en": t.EN}}
}

// Publish adds a version to a rule set: last is its newest one, both nil for the
// first. It returns the set as it is then.
func (v *RuleSetVersion) Publish(old *RuleSet, last *RuleSetVersion, set *rules.Set, shipped bool, now time.Time) (*RuleSet, error) {
	next := &RuleSet{
		Slug: set.ID(), Programme: set.Programme(), Shipped: shipped,
		Title: RuleSetText(set.Title()), Funder: set.Document().Funder, Stamp: NewStamp(now),
	}
	expected := int64(1)
	if old != nil {
		if old.Shipped != shipped {
			return nil, errs.New(errs.FailedPrecondition, RuleSetShipped, "%s comes with the program: publish under an id of your own", old.Name()).With("resource", old.Name())
		}
		expected, next.Created = old.Version+1, old.Created
	}
	if set.Version() != expected {
		return nil, errs.InvalidField(RuleSetVersionWrong, "source", "the version must be %d, the next of %s, and is %d", expected, next.Name(), set.Version())
	}
	if last != nil && (set.EffectiveFrom() <= last.EffectiveFrom || set.EffectiveFrom() <= last.EffectiveTo) {
		return nil, errs.InvalidField(RuleSetDatesOverlap, "source", "effective_from %s is not after what version %d says: %s to %s",
			set.EffectiveFrom(), last.Number, last.EffectiveFrom, last.EffectiveTo)
	}
	sum := sha256.Sum256([]byte(v.Source))
	v.Slug, v.Number, v.SHA256, v.Created = set.ID(), set.Version(), hex.EncodeToString(sum[:]), now
	v.EffectiveFrom, v.EffectiveTo = set.EffectiveFrom(), set.EffectiveTo()
	next.Version = v.Number
	return next, nil
}

// InForce returns the version that is in force on a day: the newest that has
// begun, where it has not ended.
func InForce(name string, newestFirst []*RuleSetVersion, day civil.Date) (*RuleSetVersion, error) {
	for _, v := range newestFirst {
		if v.EffectiveFrom > day {
			continue
		}
		if v.EffectiveTo != "" && v.EffectiveTo < day {
			break
		}
		return v, nil
	}
	return nil, errs.New(errs.FailedPrecondition, RuleSetNotInForce, "no version of %s is in force on %s", name, day).With("resource", name)
}
