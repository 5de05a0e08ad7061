package domain

import (
	"slices"
	"strings"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// States of a quality check.
const (
	CheckPlanned = "PLANNED"
	CheckPassed  = "PASSED"
	CheckFailed  = "FAILED"
)

// QualityChecks is the register of quality checks.
var QualityChecks = &Register{
	Collection: "qualityChecks", Field: "quality_check", Initial: CheckPlanned,
	Steps: map[string][]string{
		CheckPlanned: {CheckPassed, CheckFailed},
		CheckFailed:  {CheckPassed, CheckFailed, CheckPlanned},
		CheckPassed:  {CheckPlanned},
	},
	Settled: []string{CheckPassed}, Frozen: []string{CheckPassed},
}

// QualityCheck is one check of a task or deliverable; Due is when it is planned.
type QualityCheck struct {
	Entry
	Criterion Text       `json:"criterion"`
	Method    string     `json:"method,omitempty"`
	Mandatory bool       `json:"mandatory,omitempty"`
	Findings  string     `json:"findings,omitempty"`
	Checked   civil.Date `json:"checked,omitempty"`
	Checker   string     `json:"checker,omitempty"`
	Round     int32      `json:"round,omitempty"`
	Issue     string     `json:"issue,omitempty"` // id
}

// Register returns the register of quality checks.
func (*QualityCheck) Register() *Register { return QualityChecks }

// Mentions returns what is checked.
func (x *QualityCheck) Mentions() []Mention {
	return slices.Concat(named("quality_check.task", x.Project, "tasks", x.Task), named("quality_check.deliverable", x.Project, "deliverables", x.Deliverable))
}

func (x *QualityCheck) check(*Project) error {
	if (x.Task == "") == (x.Deliverable == "") {
		return errs.InvalidField(FieldMissing, "quality_check.deliverable", "give the task or the deliverable that is checked, one of them")
	}
	return first(x.Criterion.require("quality_check.criterion"), optionalDate("quality_check.planned_date", x.Due))
}

// Record notes a result. maker is the partner in charge of the thing checked, and
// checker the one that checks, each the lead's where empty.
func (x *QualityCheck) Record(p *Project, passed bool, findings string, day civil.Date, by Act, today civil.Date) (TrailEntry, error) {
	to := CheckPassed
	if !passed {
		to = CheckFailed
	}
	if day == "" {
		day = today
	}
	if err := first(wants(!passed && blank(findings), "findings", to), optionalDate("check_date", day), notLater("check_date", day, today)); err != nil {
		return TrailEntry{}, err
	}
	by.Note = findings
	entry, err := MoveEntry(x, p, to, by)
	if err != nil {
		return entry, err
	}
	x.Findings, x.Checked, x.Checker, x.Issue = findings, day, by.Actor, ""
	x.Round++
	return entry, nil
}

// SelfCheck reports whether the partner that made something would check it. The
// lead answers for all and may.
func SelfCheck(p *Project, checker, maker string) bool {
	return checker != "" && checker != p.Lead && checker == maker
}

// RequireChecks returns nil where the quality checks of a deliverable let it be
// accepted: each mandatory one is passed, and there is one where it wants one.
func (d *Deliverable) RequireChecks(checks []*QualityCheck) error {
	var mandatory int
	var open []string
	for _, x := range checks {
		if !x.Mandatory {
			continue
		}
		mandatory++
		if x.State != CheckPassed {
			open = append(open, NameOf(x))
		}
	}
	if len(open) > 0 {
		return errs.New(errs.FailedPrecondition, ChecksOpen, "%s cannot be accepted: not passed yet: %s", d.Name(), strings.Join(open, ", ")).
			With("checks", strings.Join(open, ","))
	}
	if d.CheckRequired && mandatory == 0 {
		return errs.New(errs.FailedPrecondition, ChecksOpen, "%s cannot be accepted without a mandatory quality check, and has none", d.Name())
	}
	return nil
}

// Replan plans a check again, on another day where one is given.
func (x *QualityCheck) Replan(p *Project, day civil.Date, by Act) (TrailEntry, error) {
	if err := optionalDate("planned_date", day); err != nil {
		return TrailEntry{}, err
	}
	entry, err := MoveEntry(x, p, CheckPlanned, by)
	if err == nil && day != "" {
		x.Due = day
	}
	return entry, err
}

// FailureIssue is the issue about a failed check, for who made the thing.
func (x *QualityCheck) FailureIssue(maker string) *Issue {
	urgency := int32(3)
	if x.Mandatory {
		urgency = 5
	}
	return &Issue{Entry: Entry{Organisation: maker, Task: x.Task, Deliverable: x.Deliverable}, Title: x.Criterion, Description: x.Findings,
		Severity: 3, Urgency: urgency, Check: x.ID}
}
