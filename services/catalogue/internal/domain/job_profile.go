package domain

import (
	"fmt"
	"strings"
	"time"
)

// JobArea is the area of work of a job profile.
type JobArea string

// JobProfile is what only a job profile has.
type JobProfile struct {
	Area        JobArea         `json:"area,omitempty"`
	Competences []Competence    `json:"competences,omitempty"`
	Duties      []LocalizedText `json:"duties,omitempty"`
}

// Competence is one competence at a level.
type Competence struct {
	Framework string `json:"framework"`
	Code      string `json:"code"`
	Level     int64  `json:"level,omitempty"` // 0: any
}

// Kind returns KindJobProfile.
func (*JobProfile) Kind() Kind { return KindJobProfile }

// Detail returns the area.
func (p *JobProfile) Detail() string { return string(p.Area) }

func (p *JobProfile) check(f *faults, _ time.Time) {
	seen := map[string]bool{}
	for i, c := range p.Competences {
		path := fmt.Sprintf("competences[%d]", i)
		if strings.TrimSpace(c.Framework) == "" || strings.TrimSpace(c.Code) == "" {
			f.add(EntryInvalid, path, "needs a framework and a code")
		}
		key := c.Framework + "\x00" + c.Code
		if seen[key] {
			f.add(EntryInvalid, path, "%s %s is there twice", c.Framework, c.Code)
		}
		seen[key] = true
	}
	for i, d := range p.Duties {
		f.text(fmt.Sprintf("duties[%d]", i), d, maxText)
	}
}

func (p *JobProfile) missing(f *faults) {
	if p.Area == "" {
		f.add(EntryIncomplete, "area", "is required to publish")
	}
}

func (p *JobProfile) terms(func(string, ...string)) {}

func (p *JobProfile) references(func(string, string)) {}
