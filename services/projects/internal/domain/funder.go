package domain

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/funding"
)

// Period is a stretch of time for which costs are planned and reported.
type Period struct {
	Key       string     `json:"key"`
	Start     civil.Date `json:"start"`
	End       civil.Date `json:"end"`
	ReportDue civil.Date `json:"reportDue,omitempty"`
	Closing   bool       `json:"closing,omitempty"` // may reach past the project's end
}

// HasFunder reports whether the key is that of a funder of the project.
func (c *Card) HasFunder(key string) bool {
	return slices.ContainsFunc(c.Funders, func(f Funder) bool { return f.Key == key })
}

// HasPeriod reports whether the key is that of a reporting period.
func (c *Card) HasPeriod(key string) bool {
	return slices.ContainsFunc(c.Periods, func(p Period) bool { return p.Key == key })
}

// PeriodOn returns the key of the reporting period in which a day lies, empty
// where it lies in none.
func (c *Card) PeriodOn(day civil.Date) string {
	for _, p := range c.Periods {
		if p.Start <= day && day <= p.End {
			return p.Key
		}
	}
	return ""
}

// Shares are the shares of the project's funders.
func (c *Card) Shares() []funding.Share {
	out := make([]funding.Share, len(c.Funders))
	for i, f := range c.Funders {
		out[i] = funding.Share{Fund: f.Key, BasisPoints: f.Share}
	}
	return out
}

// nameKeys gives funders and periods without a key the first free one.
func (c *Card) nameKeys() {
	c.Funders, c.Periods = slices.Clone(c.Funders), slices.Clone(c.Periods)
	name(c.Funders, "f", func(f *Funder) *string { return &f.Key })
	name(c.Periods, "p", func(p *Period) *string { return &p.Key })
}

func name[T any](items []T, prefix string, key func(*T) *string) {
	taken := map[string]bool{}
	for i := range items {
		taken[*key(&items[i])] = true
	}
	next := 1
	for i := range items {
		for k := key(&items[i]); *k == ""; next++ {
			if x := prefix + strconv.Itoa(next); !taken[x] {
				*k = x
			}
		}
	}
}

func (c *Card) checkFunders(currency string) error {
	var shares int32
	seen := map[string]bool{funding.Own: true}
	for i, f := range c.Funders {
		path := fmt.Sprintf("project.funders[%d]", i)
		if seen[f.Key] {
			return errs.InvalidField(FunderKeyWrong, path+".key", "%q is taken: every funder has its own, and `own` is the partners' contribution", f.Key)
		}
		seen[f.Key] = true
		if f.RuleSetVersion != 0 && f.RuleSet == "" {
			return errs.InvalidField(FieldMissing, path+".rule_set", "must be given with its version")
		}
		if err := checkAmount(path+".grant", f.Grant, currency, 0); err != nil {
			return err
		}
		if err := first(optionalDate(path+".eligible_from_date", f.EligibleFrom), optionalDate(path+".eligible_to_date", f.EligibleTo)); err != nil {
			return err
		}
		if f.EligibleTo != "" && f.EligibleTo < f.EligibleFrom {
			return errs.InvalidField(DatesWrong, path+".eligible_to_date", "must not be before eligible_from_date %s", f.EligibleFrom)
		}
		shares += f.Share
	}
	if shares > funding.Whole {
		return errs.InvalidField(SharesWrong, "project.funders", "the shares sum to %d, more than 10,000 basis points", shares)
	}
	return nil
}

func (c *Card) checkPeriods() error {
	seen := map[string]bool{}
	for i, p := range c.Periods {
		path := fmt.Sprintf("project.reporting_periods[%d]", i)
		if err := first(readDate(path+".start_date", p.Start), readDate(path+".end_date", p.End),
			optionalDate(path+".report_due_date", p.ReportDue)); err != nil {
			return err
		}
		switch {
		case seen[p.Key]:
			return errs.InvalidField(PeriodWrong, path+".key", "%q is the key of another period", p.Key)
		case p.End < p.Start:
			return errs.InvalidField(DatesWrong, path+".end_date", "must not be before start_date %s", p.Start)
		case p.ReportDue != "" && p.ReportDue < p.End:
			return errs.InvalidField(DatesWrong, path+".report_due_date", "must not be before end_date %s", p.End)
		case i > 0 && p.Start <= c.Periods[i-1].End:
			return errs.InvalidField(PeriodWrong, path+".start_date", "must be after %s, the end of the period %s: periods are in order and do not overlap",
				c.Periods[i-1].End, c.Periods[i-1].Key)
		case p.Closing && i < len(c.Periods)-1:
			return errs.InvalidField(PeriodWrong, path+".closing", "only the last period closes the project")
		case p.Start < c.Start:
			return errs.InvalidField(PeriodWrong, path+".start_date", "is before the project's start %s", c.Start)
		case p.End > c.End && !p.Closing:
			return errs.InvalidField(PeriodWrong, path+".end_date", "is after the project's end %s, where only a closing period may reach", c.End)
		}
		seen[p.Key] = true
	}
	return nil
}

// keepKeys refuses a card that drops funders or periods in use, or changes a
// period that is reported.
func (p *Project) keepKeys(next *Card, use Use) error {
	for key, users := range use.Funders {
		if users = users[:min(len(users), 10)]; !next.HasFunder(key) && len(users) > 0 {
			return InUse(FunderInUse, "the funder "+key, users)
		}
	}
	for key, users := range use.Periods {
		if users = users[:min(len(users), 10)]; !next.HasPeriod(key) && len(users) > 0 {
			return InUse(PeriodInUse, "the reporting period "+key, users)
		}
	}
	for _, period := range p.Periods {
		if users := use.Reported[period.Key]; len(users) > 0 && !slices.Contains(next.Periods, period) {
			return InUse(PeriodInUse, "the reporting period "+period.Key, users)
		}
	}
	return nil
}
