package domain

import (
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// States of a risk.
const (
	RiskOpen     = "OPEN"
	RiskHappened = "HAPPENED"
	RiskClosed   = "CLOSED"
)

// Risks is the risk register. What a risk's state is, people write.
var Risks = &Register{
	Collection: "risks", Field: "risk", Initial: RiskOpen,
	Steps:   map[string][]string{RiskOpen: {RiskHappened, RiskClosed}},
	Settled: []string{RiskHappened, RiskClosed}, Shared: true, Raised: true,
}

// Risk is something that may happen to a project; Due is when it is looked at
// again.
type Risk struct {
	Entry
	Title               Text   `json:"title"`
	Probability         int32  `json:"probability"` // 1 to 5
	Impact              int32  `json:"impact"`      // 1 to 5
	ResidualProbability int32  `json:"residualProbability,omitempty"`
	ResidualImpact      int32  `json:"residualImpact,omitempty"`
	Response            string `json:"response,omitempty"`
	ResponseText        string `json:"responseText,omitempty"`
	Owner               string `json:"owner,omitempty"`
	Issue               string `json:"issue,omitempty"` // id
}

// Register returns the risk register.
func (*Risk) Register() *Register { return Risks }

// Mentions returns the task it concerns.
func (x *Risk) Mentions() []Mention { return named("risk.task", x.Project, "tasks", x.Task) }

// Residual is the score once the response works, 0 while not assessed.
func (x *Risk) Residual() int32 { return x.ResidualProbability * x.ResidualImpact }

// check sets the score: probability × impact, the risk level of the PM² risk log.
func (x *Risk) check(*Project) error {
	if err := first(x.Title.require("risk.title"), checkScale("risk.probability", x.Probability), checkScale("risk.impact", x.Impact),
		optionalDate("risk.review_date", x.Due)); err != nil {
		return err
	}
	x.Score = x.Probability * x.Impact
	if (x.ResidualProbability == 0) != (x.ResidualImpact == 0) {
		return errs.InvalidField(ScoreWrong, "risk.residual_impact", "give residual_probability and residual_impact together, or neither")
	}
	if x.Residual() == 0 {
		return nil
	}
	if x.Residual() > x.Score {
		return errs.InvalidField(ScoreWrong, "risk.residual_probability", "the residual score %d is above the score %d", x.Residual(), x.Score)
	}
	return first(checkScale("risk.residual_probability", x.ResidualProbability), checkScale("risk.residual_impact", x.ResidualImpact))
}

// RaiseIssue says that the risk has happened and makes an issue of it.
func (x *Risk) RaiseIssue(p *Project, id string, urgency int32, due civil.Date, description string, by Act) (*Issue, []TrailEntry, error) {
	issue := &Issue{Entry: Entry{Organisation: x.Organisation, Task: x.Task, Due: due}, Title: x.Title, Description: description,
		Severity: x.Impact, Urgency: urgency, Owner: x.Owner, Risk: x.ID}
	moved, err := MoveEntry(x, p, RiskHappened, by)
	if err != nil {
		return nil, nil, err
	}
	x.Issue = id
	created, err := AddEntry(issue, id, p, by)
	return issue, []TrailEntry{moved, created}, err
}
