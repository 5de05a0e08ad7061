package store

import (
	"context"

	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Facts reads from what the presence of artefacts is told on a day.
func Facts(ctx context.Context, tx *sqldb.Tx, p *domain.Project, today civil.Date) (domain.Facts, error) {
	f := domain.Facts{Today: today, CharterGaps: p.CharterGaps(), GovernanceGaps: p.GovernanceGaps(), NeedGaps: p.NeedGaps(), Stakeholders: len(p.Stakeholders)}
	err := tx.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM register_entries WHERE project = $1 AND register = 'risks'),
		(SELECT COUNT(*) FROM tasks WHERE project = $1 AND NOT summary),
		(SELECT COUNT(*) FROM deliverables WHERE project = $1),
		(SELECT COUNT(*) FROM budget_lines WHERE project = $1),
		(SELECT COUNT(*) FROM lessons WHERE project = $1),
		(SELECT COUNT(*) FROM register_entries WHERE project = $1 AND register = 'communications'),
		(SELECT COUNT(*) FROM register_entries WHERE project = $1 AND register = 'procurements')`, p.ID).
		Scan(&f.Risks, &f.Tasks, &f.Deliverables, &f.Lines, &f.Lessons, &f.Communications, &f.Procurements)
	if err != nil {
		return f, err
	}
	if err := deliveries(ctx, tx, p, &f); err != nil {
		return f, err
	}
	if err := unsettled(ctx, tx, p, &f); err != nil {
		return f, err
	}
	return f, unassigned(ctx, tx, p, &f)
}

// deliveries finds the deliverables that are not accepted, and those that nobody
// could tell whether to accept.
func deliveries(ctx context.Context, tx *sqldb.Tx, p *domain.Project, f *domain.Facts) error {
	all, err := AllDeliverables(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	checked, err := collect(ctx, tx, text, `SELECT DISTINCT deliverable FROM register_entries WHERE project = $1 AND register = 'qualityChecks' AND deliverable <> ''`, p.ID)
	if err != nil {
		return err
	}
	has := make(map[string]bool, len(checked))
	for _, id := range checked {
		has[id] = true
	}
	for _, d := range all {
		if d.State != domain.Accepted {
			f.NotAccepted = append(f.NotAccepted, d.Name())
		}
		if len(d.Criteria) == 0 && !has[d.ID] {
			f.NoCriteria = append(f.NoCriteria, d.Name())
		}
	}
	return nil
}

// unsettled finds what still asks for something: entries of the registers, and
// claims. A certified claim for which nothing is owed does not.
func unsettled(ctx context.Context, tx *sqldb.Tx, p *domain.Project, f *domain.Facts) error {
	into := map[string]*[]string{
		domain.Procurements.Collection: &f.OpenProcurements, domain.ChangeRequests.Collection: &f.OpenChanges, domain.Issues.Collection: &f.OpenIssues,
	}
	rows, err := collect(ctx, tx, func(r row) ([2]string, error) {
		var x [2]string
		return x, r.Scan(&x[0], &x[1])
	}, `SELECT register, id FROM register_entries WHERE project = $1 AND pending AND register IN ('procurements', 'changeRequests', 'issues') ORDER BY id`, p.ID)
	if err != nil {
		return err
	}
	for _, x := range rows {
		*into[x[0]] = append(*into[x[0]], ids.Name("projects", p.ID, x[0], x[1]))
	}
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM claims
		WHERE project = $1 AND state NOT IN ('PAID', 'WITHDRAWN') AND NOT (state = 'CERTIFIED' AND paid = funding)`, p.ID).Scan(&f.OpenClaims); err != nil {
		return err
	}
	checks, err := AllEntries[domain.QualityCheck](ctx, tx, p.ID, "")
	if err != nil {
		return err
	}
	for _, x := range checks {
		if x.Mandatory && domain.Pending(x) {
			f.OpenChecks = append(f.OpenChecks, domain.NameOf(x))
		}
	}
	return nil
}

// unassigned finds the tasks for which nobody answers.
func unassigned(ctx context.Context, tx *sqldb.Tx, p *domain.Project, f *domain.Facts) error {
	gaps, err := ResponsibilityGaps(ctx, tx, p.ID)
	for _, g := range gaps {
		f.Unassigned = append(f.Unassigned, domain.TaskName(p.ID, g.Task))
	}
	return err
}

// ResponsibilityGaps finds the tasks for which the responsibility matrix is not
// complete.
func ResponsibilityGaps(ctx context.Context, tx *sqldb.Tx, project string) ([]domain.Gap, error) {
	tasks, err := AllTasks(ctx, tx, project)
	if err != nil {
		return nil, err
	}
	rows, err := AllEntries[domain.Responsibility](ctx, tx, project, "")
	if err != nil {
		return nil, err
	}
	nodes := make([]domain.PlanNode, len(tasks))
	for i, t := range tasks {
		nodes[i] = domain.PlanNode{ID: t.ID, Parent: t.Parent}
	}
	return domain.ResponsibilityGaps(nodes, rows), nil
}
