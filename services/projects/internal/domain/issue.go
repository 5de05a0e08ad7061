package domain

import (
	"slices"
)

// States of an issue.
const (
	IssueOpen       = "OPEN"
	IssueInProgress = "IN_PROGRESS"
	IssueResolved   = "RESOLVED"
	IssueClosed     = "CLOSED"
)

// Issues is the issue log.
var Issues = &Register{
	Collection: "issues", Field: "issue", Initial: IssueOpen,
	Steps: map[string][]string{
		IssueOpen:       {IssueInProgress, IssueResolved},
		IssueInProgress: {IssueOpen, IssueResolved},
		IssueResolved:   {IssueOpen, IssueClosed},
		IssueClosed:     {IssueOpen},
	},
	Settled: []string{IssueClosed}, Frozen: []string{IssueClosed}, Shared: true, Raised: true,
}

// Issue is something that has happened and must be dealt with.
type Issue struct {
	Entry
	Title       Text   `json:"title"`
	Description string `json:"description,omitempty"`
	Severity    int32  `json:"severity"` // 1 to 5
	Urgency     int32  `json:"urgency"`  // 1 to 5
	Owner       string `json:"owner,omitempty"`
	Risk        string `json:"risk,omitempty"`  // id
	Check       string `json:"check,omitempty"` // id of a quality check
	Resolution  string `json:"resolution,omitempty"`
}

// Register returns the issue log.
func (*Issue) Register() *Register { return Issues }

// Mentions returns what the issue is about.
func (x *Issue) Mentions() []Mention {
	return slices.Concat(named("issue.task", x.Project, "tasks", x.Task), named("issue.deliverable", x.Project, "deliverables", x.Deliverable),
		named("issue.risk", x.Project, Risks.Collection, x.Risk), named("issue.quality_check", x.Project, QualityChecks.Collection, x.Check))
}

func (x *Issue) check(*Project) error {
	x.Score = x.Severity * x.Urgency
	return first(x.Title.require("issue.title"), checkScale("issue.severity", x.Severity), checkScale("issue.urgency", x.Urgency),
		optionalDate("issue.due_date", x.Due))
}

func (x *Issue) enter(to, note string) error {
	switch {
	case to == IssueResolved:
		return wants(blank(x.Resolution), "issue.resolution", to)
	case to == IssueOpen && x.State != IssueInProgress:
		return wants(blank(note), "note", "opening again")
	default:
		return nil
	}
}
