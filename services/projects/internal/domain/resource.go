package domain

import (
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
)

// MaxResources is how many resources a project may have.
const MaxResources = 2_000

// Resource is who or what does a project's work.
type Resource struct {
	ID      string `json:"-"`
	Project string `json:"-"`
	Stamp
	Means
}

// Means is what people write about a resource.
type Means struct {
	Title        Text   `json:"title"`
	Kind         string `json:"-"` // a ResourceKind of the proto, without its prefix
	Subject      string `json:"subject,omitempty"`
	Organisation string `json:"-"`
	Capacity     int32  `json:"capacity"` // hundredths of one whole
	Calendar     string `json:"calendar,omitempty"`
}

// Name returns the resource name.
func (r *Resource) Name() string { return ResourceName(r.Project, r.ID) }

// ResourceName returns the resource name of a resource of a project.
func ResourceName(project, id string) string { return ids.Name("projects", project, "resources", id) }

// NewResource makes a resource.
func NewResource(id string, p *Project, m Means, now time.Time) (*Resource, error) {
	if err := m.check(p); err != nil {
		return nil, err
	}
	return &Resource{ID: id, Project: p.ID, Stamp: NewStamp(now), Means: m}, nil
}

// Revise replaces what people write.
func (r *Resource) Revise(p *Project, m Means, now time.Time) error {
	if err := m.check(p); err != nil {
		return err
	}
	r.Means = m
	r.Touch(now)
	return nil
}

func (m *Means) check(p *Project) error {
	if m.Kind == "" {
		return errs.InvalidField(FieldMissing, "resource.kind", "must be given")
	}
	return first(p.Writable(), m.Title.require("resource.title"), p.RequirePartner("resource.organisation", m.Organisation))
}

// UsersOfResource names the tasks that a resource is assigned to.
func UsersOfResource(r *Resource, tasks []*Task) []string {
	var out []string
	for _, t := range tasks {
		for _, a := range t.Assignments {
			if a.Resource == r.ID {
				out = append(out, t.Name())
			}
		}
	}
	return out
}
