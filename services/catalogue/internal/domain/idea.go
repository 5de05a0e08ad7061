package domain

import (
	"slices"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
)

// IdeaStage is how far an idea has come.
type IdeaStage string

// The stages, in order.
const (
	StageIdea    IdeaStage = "IDEA_STAGE_IDEA"
	StagePath    IdeaStage = "IDEA_STAGE_PATH"
	StageProject IdeaStage = "IDEA_STAGE_PROJECT"
	StageService IdeaStage = "IDEA_STAGE_SERVICE"
)

var ideaStages = []IdeaStage{StageIdea, StagePath, StageProject, StageService}

// Idea is what only an idea has.
type Idea struct {
	Stage               IdeaStage  `json:"stage"`
	Project             string     `json:"project,omitempty"`
	ServiceOffering     string     `json:"service_offering,omitempty"`
	Steps               []IdeaStep `json:"steps,omitempty"`
	TargetBeneficiaries []string   `json:"target_beneficiaries,omitempty"`
}

// IdeaStep is one step of an idea.
type IdeaStep struct {
	From   IdeaStage `json:"from"`
	To     IdeaStage `json:"to"`
	Reason string    `json:"reason"`
	Time   time.Time `json:"time"`
}

// Kind returns KindIdea.
func (*Idea) Kind() Kind { return KindIdea }

// Detail returns the stage.
func (i *Idea) Detail() string { return string(i.Stage) }

func (i *Idea) check(f *faults, _ time.Time) {
	if !slices.Contains(ideaStages, i.Stage) {
		f.add(EntryInvalid, "stage", "is none of idea, path, project, service")
	}
}

func (i *Idea) missing(*faults) {}

func (i *Idea) terms(add func(string, ...string)) {
	add("target_beneficiaries", i.TargetBeneficiaries...)
}

func (i *Idea) references(add func(string, string)) { add("service_offering", i.ServiceOffering) }

// Advance is what is asked of an idea that moves one stage on.
type Advance struct {
	To              IdeaStage
	Reason          string
	Project         string // for StageProject
	ServiceOffering string // for StageService
}

// Advance moves a published idea one stage on, never back and never over a
// stage. It never reaches the project stage without a project's name, nor the
// service stage without a service offering's.
func (e *Entry) Advance(a Advance, now time.Time) ([]Change, error) {
	idea, ok := e.Body.(*Idea)
	if !ok {
		return nil, errs.AbsentResource(e.Name)
	}
	if e.State != EntryPublished {
		return nil, e.refuse("is not published")
	}
	at := slices.Index(ideaStages, idea.Stage)
	if at+1 >= len(ideaStages) || a.To != ideaStages[at+1] {
		return nil, errs.New(errs.FailedPrecondition, IdeaStageIllegal, "%s is at %s and cannot go to %s: one stage at a time, never back",
			e.Name, idea.Stage, a.To).With("resource", e.Name).With("stage", string(idea.Stage))
	}
	if a.Reason == "" {
		return nil, errs.InvalidField(EntryInvalid, "reason", "is required")
	}
	next := *idea
	if _, ok := ids.Parse("projects/{project}", a.Project); a.To == StageProject && !ok {
		return nil, errs.InvalidField(IdeaProjectRequired, "project", "is required to reach the project stage: projects/{uuid}")
	} else if a.To != StageProject && a.Project != "" {
		return nil, errs.InvalidField(EntryInvalid, "project", "belongs to the project stage only")
	}
	if _, ok := ids.Parse("serviceOfferings/{offering}", a.ServiceOffering); a.To == StageService && !ok {
		return nil, errs.InvalidField(IdeaServiceRequired, "service_offering", "is required to reach the service stage: serviceOfferings/{uuid}")
	} else if a.To != StageService && a.ServiceOffering != "" {
		return nil, errs.InvalidField(EntryInvalid, "service_offering", "belongs to the service stage only")
	}
	switch a.To {
	case StageProject:
		next.Project = a.Project
	case StageService:
		next.ServiceOffering = a.ServiceOffering
	}
	next.Stage = a.To
	next.Steps = append(slices.Clone(idea.Steps), IdeaStep{From: idea.Stage, To: a.To, Reason: a.Reason, Time: now})
	e.Body = &next
	e.touch(now)
	advanced := e.tell(Advanced)
	advanced.From, advanced.To, advanced.Project = idea.Stage, a.To, next.Project
	return append([]Change{advanced}, e.changed()...), nil
}
