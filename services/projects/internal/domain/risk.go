package domain

import (
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
)

// RiskOpen is the state of a risk that may still happen.
const RiskOpen = "OPEN"

// Risk is something that may happen to a project.
type Risk struct {
	ID      string `json:"-"`
	Project string `json:"-"`
	Stamp
	Assessment
}

// Assessment is what people write about a risk.
type Assessment struct {
	Title        Text   `json:"title"`
	Probability  int32  `json:"probability"` // 1 to 5
	Impact       int32  `json:"impact"`      // 1 to 5
	Response     string `json:"response,omitempty"`
	ResponseText string `json:"responseText,omitempty"`
	Owner        string `json:"owner,omitempty"`
	State        string `json:"-"`
}

// Name returns the resource name.
func (r *Risk) Name() string { return ids.Name("projects", r.Project, "risks", r.ID) }

// Score is probability × impact, the risk level of the PM² risk log.
func (a *Assessment) Score() int32 { return a.Probability * a.Impact }

// NewRisk registers a risk.
func NewRisk(id string, p *Project, a Assessment, now time.Time) (*Risk, error) {
	if err := a.check(p); err != nil {
		return nil, err
	}
	return &Risk{ID: id, Project: p.ID, Stamp: NewStamp(now), Assessment: a}, nil
}

// Revise replaces what people write.
func (r *Risk) Revise(p *Project, a Assessment, now time.Time) error {
	if err := a.check(p); err != nil {
		return err
	}
	r.Assessment = a
	r.Touch(now)
	return nil
}

func (a *Assessment) check(p *Project) error {
	if a.State == "" {
		a.State = RiskOpen
	}
	if err := first(p.Writable(), a.Title.require("risk.title")); err != nil {
		return err
	}
	for _, x := range []struct {
		path  string
		value int32
	}{{"risk.probability", a.Probability}, {"risk.impact", a.Impact}} {
		if x.value < 1 || x.value > 5 {
			return errs.InvalidField(ScoreWrong, x.path, "must be 1 to 5, is %d", x.value)
		}
	}
	return nil
}
