package store

import (
	"context"
	"slices"
	"time"

	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// FactsOf reads what the rules look at in a project on a day, without what is
// measured. Days begin and end where zone says.
func FactsOf(ctx context.Context, tx *sqldb.Tx, p *domain.Project, rules []*domain.AlertRule, today civil.Date, zone *time.Location) (*domain.WatchFacts, error) {
	f := &domain.WatchFacts{Claimed: map[string]int64{}, ClaimedPeriods: map[string]bool{}}
	days, float := domain.Horizon(rules)
	until := today.AddDays(int(days))
	var err error
	f.Tasks, err = collect(ctx, tx, func(r row) (domain.TaskFact, error) {
		var t domain.TaskFact
		var text string
		if err := r.Scan(&t.ID, &t.Organisation, &t.Finish, &t.Float, &text); err != nil {
			return t, err
		}
		var work struct {
			Minutes int64 `json:"minutes"`
		}
		err := readDoc(text, &work)
		t.Milestone = work.Minutes == 0
		return t, err
	}, `SELECT id, organisation, finish_date, float_minutes, doc FROM tasks
		WHERE project = $1 AND done < 100 AND NOT summary AND (finish_date <= $2 OR float_minutes < $3) ORDER BY id`, p.ID, until, float*domain.MinutesPerDay)
	if err != nil {
		return nil, err
	}
	f.Deliverables, err = collect(ctx, tx, func(r row) (domain.DeliverableFact, error) {
		var d domain.DeliverableFact
		err := r.Scan(&d.ID, &d.Organisation, &d.Due)
		return d, err
	}, `SELECT id, organisation, due_date FROM deliverables WHERE project = $1 AND state IN ('PLANNED', 'RETURNED') AND due_date <= $2 ORDER BY id`, p.ID, until)
	if err != nil {
		return nil, err
	}
	f.Entries, err = entriesOf(ctx, tx, p.ID, today, zone)
	if err != nil {
		return nil, err
	}
	f.Lines, err = collect(ctx, tx, func(r row) (domain.LineFact, error) {
		var l domain.LineFact
		err := r.Scan(&l.ID, &l.Organisation, &l.Amount, &l.Spent)
		return l, err
	}, `SELECT id, organisation, amount, spent FROM budget_lines WHERE project = $1 AND spent > 0 ORDER BY id`, p.ID)
	if err != nil {
		return nil, err
	}
	if err := tx.QueryRow(ctx, `SELECT planned, spent FROM projects WHERE id = $1`, p.ID).Scan(&f.Planned, &f.Spent); err != nil {
		return nil, err
	}
	_, err = collect(ctx, tx, func(r row) (struct{}, error) {
		var funder, period string
		var funding int64
		err := r.Scan(&funder, &period, &funding)
		f.Claimed[funder] += funding
		f.ClaimedPeriods[period] = true
		return struct{}{}, err
	}, `SELECT funder, period, funding FROM claims WHERE project = $1 AND state IN ('SUBMITTED', 'IN_CONTROL', 'CERTIFIED', 'PAID')`, p.ID)
	return f, err
}

// entriesOf reads what of a project's registers may be wrong on a day: failed
// quality checks, which are in the charge of whoever made the thing, issues that
// are not solved, and what is overdue.
func entriesOf(ctx context.Context, tx *sqldb.Tx, project string, today civil.Date, zone *time.Location) ([]domain.EntryFact, error) {
	return collect(ctx, tx, func(r row) (domain.EntryFact, error) {
		var x domain.EntryFact
		var created int64
		var text string
		if err := r.Scan(&x.Register, &x.ID, &x.Organisation, &x.State, &x.Due, &created, &text); err != nil {
			return x, err
		}
		x.Noted = civil.Of(sqldb.Time(created).In(zone))
		var check struct {
			Round int32 `json:"round"`
		}
		err := readDoc(text, &check)
		x.Round = check.Round
		return x, err
	}, `SELECT e.register, e.id, CASE WHEN e.state = 'FAILED' THEN COALESCE((SELECT d.organisation FROM deliverables d WHERE d.id = e.deliverable),
			(SELECT t.organisation FROM tasks t WHERE t.id = e.task), e.organisation) ELSE e.organisation END, e.state, e.due, e.created, e.doc
		FROM register_entries e WHERE e.project = $1 AND e.pending AND (e.register = 'qualityChecks' AND e.state = 'FAILED'
			OR e.register = 'issues' AND e.state IN ('OPEN', 'IN_PROGRESS') OR e.due <> '' AND e.due < $2) ORDER BY e.register, e.id`, project, today)
}

// Due is a project whose rules are to be looked at.
type Due struct {
	Project string
	changes int64
}

// DueWatches reads the projects whose rules are to be looked at by now, the
// longest overdue first, at most limit.
func DueWatches(ctx context.Context, tx *sqldb.Tx, now int64, limit int) ([]Due, error) {
	return collect(ctx, tx, func(r row) (Due, error) {
		var d Due
		err := r.Scan(&d.Project, &d.changes)
		return d, err
	}, `SELECT project, changes FROM watches WHERE due <= $1 ORDER BY due, project LIMIT $2`, now, limit)
}

// Rest sets when a project is to be looked at again, unless it has changed since
// it was read.
func (d Due) Rest(tx *sqldb.Tx, due int64) {
	tx.Queue(`UPDATE watches SET due = $3 WHERE project = $1 AND changes = $2`, d.Project, d.changes, due)
}

// Rest sets when a project is to be looked at again, under its lock.
func Rest(tx *sqldb.Tx, project string, due int64) {
	tx.Queue(`UPDATE watches SET due = $2 WHERE project = $1`, project, due)
}

// scanRule reads a rule of a level.
func scanRule(r row) (*domain.AlertRule, error) {
	x := &domain.AlertRule{Level: domain.RuleOfProject}
	var s stamp
	var project, text string
	if err := r.Scan(&project, &x.ID, &s.version, &s.created, &s.updated, &text); err != nil {
		return nil, err
	}
	if project == "" {
		x.Level = domain.RuleOfNetwork
	}
	x.Stamp = s.read()
	return x, readDoc(text, x)
}

// AlertRules reads the rules that hold in a project; in the network where project
// is empty.
func AlertRules(ctx context.Context, tx *sqldb.Tx, project string) ([]*domain.AlertRule, error) {
	bent, err := collect(ctx, tx, scanRule, `SELECT project, id, version, created, updated, doc FROM alert_rules WHERE project IN ('', $1)`, project)
	if err != nil {
		return nil, err
	}
	ofProject := func(r *domain.AlertRule) bool { return r.Level == domain.RuleOfProject }
	return domain.AlertRules(slices.DeleteFunc(slices.Clone(bent), ofProject),
		slices.DeleteFunc(slices.Clone(bent), func(r *domain.AlertRule) bool { return !ofProject(r) })), nil
}

// PutAlertRule stores a rule of a level that was read at version was, 0 where the
// level had none.
func PutAlertRule(ctx context.Context, tx *sqldb.Tx, project, name string, r *domain.AlertRule, was int64) error {
	if was == 0 {
		n, err := tx.Exec(ctx, `INSERT INTO alert_rules (project, id, version, created, updated, doc) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (project, id) DO NOTHING`,
			project, r.ID, r.Version, micros(r.Created), micros(r.Updated), doc(r))
		return one(name, n, err)
	}
	n, err := tx.Exec(ctx, `UPDATE alert_rules SET version = $4, updated = $5, doc = $6 WHERE project = $1 AND id = $2 AND version = $3`,
		project, r.ID, was, r.Version, micros(r.Updated), doc(r))
	return one(name, n, err)
}

// DeleteAlertRule removes what a level has changed of a rule, read at version
// was.
func DeleteAlertRule(ctx context.Context, tx *sqldb.Tx, project, name string, r *domain.AlertRule) error {
	n, err := tx.Exec(ctx, `DELETE FROM alert_rules WHERE project = $1 AND id = $2 AND version = $3`, project, r.ID, r.Version)
	return one(name, n, err)
}
