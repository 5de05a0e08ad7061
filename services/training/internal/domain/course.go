package domain

import (
	"reflect"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
)

// CourseState says where a course stands; the proto explains each.
type CourseState string

// The states of a course.
const (
	CourseDraft     CourseState = "DRAFT"
	CoursePublished CourseState = "PUBLISHED"
	CourseArchived  CourseState = "ARCHIVED"
)

// Course is a training path (percorso).
type Course struct {
	Name, Organisation string
	State              CourseState
	Title, Description Text
	Audience           []string
	ThresholdPercent   int
	Modules            []Module
	Project            string
	Version            int64
	Created, Updated   time.Time
}

// Module is a part of a course, at one version.
type Module struct {
	// Key is the identifier within the course.
	Key string `json:"key"`
	// Version counts the module's texts from 1.
	Version     int          `json:"version"`
	Title       Text         `json:"title"`
	Minutes     int          `json:"minutes"`
	Outcomes    []Text       `json:"outcomes,omitempty"`
	Competences []Competence `json:"competences,omitempty"`
}

// Competence is one entry of a competence framework, whose version is part of
// its name.
type Competence struct {
	Framework string `json:"framework"`
	Code      string `json:"code"`
}

// NewCourse checks a new course and gives its modules their first versions.
// policy is the threshold for courses that name none.
func NewCourse(c Course, policy int, now time.Time) (*Course, error) {
	c.State, c.Version, c.Created, c.Updated = CourseDraft, 1, now, now
	if c.ThresholdPercent == 0 {
		c.ThresholdPercent = policy
	}
	modules := c.Modules
	c.Modules = nil
	if err := c.setModules(modules, nil); err != nil {
		return nil, err
	}
	return &c, nil
}

// Minutes returns the sum of the modules' minutes.
func (c *Course) Minutes() int {
	total := 0
	for _, m := range c.Modules {
		total += m.Minutes
	}
	return total
}

// Change applies the new particulars in next and returns the modules that got a
// new version. past tells the newest version that a module key ever had, so that
// a module taken out and put back does not start again at 1.
func (c *Course) Change(next Course, past map[string]int, now time.Time) error {
	if c.State == CourseArchived {
		return errs.New(errs.FailedPrecondition, CourseIsArchived, "an archived course cannot change")
	}
	if next.ThresholdPercent == 0 {
		return errs.InvalidField(errs.InvalidRequest, "course.threshold_percent", "must be from 1 to 100")
	}
	if c.State == CoursePublished && len(next.Modules) == 0 {
		return noModules()
	}
	if err := c.setModules(next.Modules, past); err != nil {
		return err
	}
	c.Title, c.Description, c.Audience = next.Title, next.Description, next.Audience
	c.ThresholdPercent, c.Project = next.ThresholdPercent, next.Project
	c.touch(now)
	return nil
}

// setModules takes over modules, each with its old version where nothing in it
// changed and with the next one where something did.
func (c *Course) setModules(modules []Module, past map[string]int) error {
	old := map[string]Module{}
	for _, m := range c.Modules {
		old[m.Key] = m
	}
	seen := map[string]bool{}
	out := make([]Module, 0, len(modules))
	for i, m := range modules {
		if seen[m.Key] {
			return errs.InvalidField(DuplicateModule, "course.modules["+number(i)+"].module_id", "%s stands twice", m.Key)
		}
		seen[m.Key] = true
		before, had := old[m.Key]
		m.Version = before.Version
		if !had || !reflect.DeepEqual(before, m) {
			m.Version = max(before.Version, past[m.Key]) + 1
		}
		out = append(out, m)
	}
	c.Modules = out
	return nil
}

// Publish shows a draft to the network.
func (c *Course) Publish(now time.Time) error {
	if c.State != CourseDraft {
		return illegal("a course", "published", c.State)
	}
	if len(c.Modules) == 0 {
		return noModules()
	}
	c.State = CoursePublished
	c.touch(now)
	return nil
}

// Archive retires a course.
func (c *Course) Archive(now time.Time) error {
	if c.State == CourseArchived {
		return illegal("a course", "archived", c.State)
	}
	c.State = CourseArchived
	c.touch(now)
	return nil
}

func (c *Course) touch(now time.Time) {
	c.Version++
	c.Updated = now
}

func noModules() error {
	return errs.New(errs.FailedPrecondition, CourseHasNoModules, "a published course needs at least one module")
}
