package domain

import (
	"fmt"

	"github.com/trama-suite/trama/services/platform/errs"
)

// Responsibilities is the responsibility assignment matrix (RACI); the id of an
// entry is that of its task.
var Responsibilities = &Register{Collection: "responsibilities", Field: "responsibility", Initial: "VALID", Settled: []string{"VALID"}}

// The parts that are asked for.
const (
	Responsible = "RESPONSIBLE"
	Accountable = "ACCOUNTABLE"
)

// Responsibility says who answers for a task.
type Responsibility struct {
	Entry
	Assignments []RaciAssignment `json:"assignments"`
}

// RaciAssignment gives a part to a partner, to a role of the team or to a person.
type RaciAssignment struct {
	Part         string `json:"part"`
	Organisation string `json:"organisation"`
	TeamRole     string `json:"teamRole,omitempty"`
	Subject      string `json:"subject,omitempty"`
}

// Register returns the matrix.
func (*Responsibility) Register() *Register { return Responsibilities }

// Mentions returns the task.
func (x *Responsibility) Mentions() []Mention {
	return named("responsibility.task", x.Project, "tasks", x.Task)
}

func (x *Responsibility) check(p *Project) error {
	if x.Task == "" {
		return errs.InvalidField(FieldMissing, "responsibility.task", "must name the task")
	}
	seen := map[RaciAssignment]bool{}
	for i, a := range x.Assignments {
		path := fmt.Sprintf("responsibility.assignments[%d]", i)
		if seen[a] {
			return errs.InvalidField(ResponsibilityWrong, path, "stands twice")
		}
		seen[a] = true
		if err := p.RequirePartner(path+".organisation", a.Organisation); err != nil {
			return err
		}
	}
	if n := x.count(Accountable); n > 1 {
		return errs.InvalidField(ResponsibilityWrong, "responsibility.assignments", "exactly one is accountable, not %d", n)
	}
	return nil
}

func (x *Responsibility) count(part string) int {
	n := 0
	for _, a := range x.Assignments {
		if a.Part == part {
			n++
		}
	}
	return n
}

// Gaps says what the row lacks, for people.
func (x *Responsibility) Gaps() []string {
	var out []string
	if x.count(Accountable) != 1 {
		out = append(out, "nobody is accountable")
	}
	if x.count(Responsible) == 0 {
		out = append(out, "nobody is responsible")
	}
	return out
}

// PlanNode is a task as the matrix looks at it.
type PlanNode struct{ ID, Parent string }

// Gap is a task for which the matrix is not complete.
type Gap struct {
	Task                                   string // id
	AccountableMissing, ResponsibleMissing bool
}

// ResponsibilityGaps returns the tasks without subtasks, in the order given, that
// have neither themselves nor by a task above them an accountable, or a
// responsible. The nearest row that names one holds.
func ResponsibilityGaps(tasks []PlanNode, rows []*Responsibility) []Gap {
	parent := make(map[string]string, len(tasks))
	summary := map[string]bool{}
	for _, t := range tasks {
		parent[t.ID] = t.Parent
		summary[t.Parent] = true
	}
	has := map[string]Gap{}
	for _, r := range rows {
		has[r.Task] = Gap{AccountableMissing: r.count(Accountable) == 0, ResponsibleMissing: r.count(Responsible) == 0}
	}
	var out []Gap
	for _, t := range tasks {
		if summary[t.ID] {
			continue
		}
		gap := Gap{Task: t.ID, AccountableMissing: true, ResponsibleMissing: true}
		// No plan is deeper than it has tasks, so a circle ends too.
		for id, n := t.ID, 0; id != "" && n <= len(tasks); id, n = parent[id], n+1 {
			if row, ok := has[id]; ok {
				gap.AccountableMissing = gap.AccountableMissing && row.AccountableMissing
				gap.ResponsibleMissing = gap.ResponsibleMissing && row.ResponsibleMissing
			}
		}
		if gap.AccountableMissing || gap.ResponsibleMissing {
			out = append(out, gap)
		}
	}
	return out
}
