package domain

import (
	"strings"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/money"
)

// Bounds of a project's budget.
const (
	MaxLines    = 2_000
	MaxVersions = 1_000
)

// BudgetVersion is an approved budget, kept as it was.
type BudgetVersion struct {
	ID          string       `json:"-"`
	Project     string       `json:"-"`
	Number      int          `json:"-"`
	Created     time.Time    `json:"-"`
	Reason      string       `json:"reason"`
	Flexibility int32        `json:"flexibility"` // basis points
	Phase       Phase        `json:"phase"`
	CreatedBy   string       `json:"createdBy"`
	Lines       []FrozenLine `json:"lines"`
	Funders     []Funder     `json:"funders,omitempty"`
}

// FrozenLine is a line as it was, with what a live one has in columns.
type FrozenLine struct {
	Line
	ID           string    `json:"id"`
	Organisation string    `json:"organisation"`
	Category     string    `json:"category"`
	WorkPackage  string    `json:"workPackage,omitempty"`
	Method       Method    `json:"method"`
	Deliverable  string    `json:"deliverable,omitempty"`
	Amount       int64     `json:"amount"`
	Version      int64     `json:"version"`
	Created      time.Time `json:"created"`
	Updated      time.Time `json:"updated"`
}

// Name returns the resource name.
func (v *BudgetVersion) Name() string { return ids.Name("projects", v.Project, "budgetVersions", v.ID) }

// Freeze keeps the budget as it is as the approved one, after so many before.
func (b *Budget) Freeze(id, reason string, flexibility int32, before int, actor string, now time.Time) (*BudgetVersion, error) {
	if err := b.Project.Writable(); err != nil {
		return nil, err
	}
	if strings.TrimSpace(reason) == "" {
		return nil, errs.InvalidField(FieldMissing, "budget_version.reason", "must say why this budget holds")
	}
	if before >= MaxVersions {
		return nil, errs.New(errs.FailedPrecondition, BudgetLimit, "%s has %d budget versions already", b.Project.Name(), before)
	}
	v := &BudgetVersion{ID: id, Project: b.Project.ID, Number: before + 1, Created: now, Reason: reason, Flexibility: flexibility,
		Phase: b.Project.Phase, CreatedBy: actor, Funders: b.Project.Funders}
	for _, l := range b.Lines {
		v.Lines = append(v.Lines, FrozenLine{Line: *l, ID: l.ID, Organisation: l.Organisation, Category: l.Category, WorkPackage: l.WorkPackage,
			Method: l.Method, Deliverable: l.Deliverable, Amount: l.Amount.Minor, Version: l.Version, Created: l.Created, Updated: l.Updated})
	}
	return v, nil
}

// Budget returns the lines as they were, in the project as its funders were then.
func (v *BudgetVersion) Budget(p *Project) (*Project, []*Line) {
	then := *p
	then.Funders = v.Funders
	lines := make([]*Line, len(v.Lines))
	for i, f := range v.Lines {
		l := f.Line
		l.ID, l.Project, l.Organisation, l.Category, l.WorkPackage = f.ID, v.Project, f.Organisation, f.Category, f.WorkPackage
		l.Method, l.Deliverable = f.Method, f.Deliverable
		l.Amount = money.Amount{Minor: f.Amount, Currency: p.Currency}
		l.Spent = money.Amount{Currency: p.Currency}
		l.Stamp = Stamp{Version: f.Version, Created: f.Created, Updated: f.Updated}
		lines[i] = &l
	}
	return &then, lines
}
