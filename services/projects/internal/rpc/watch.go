package rpc

import (
	"context"
	"errors"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// refresh opens and closes a project's alerts, under its lock, so that they tell
// what is wrong now. What is read off earned value follows right after the
// commit, as it takes more than a change should wait for.
func (s *Server) refresh(ctx context.Context, tx *sqldb.Tx, p *domain.Project) error {
	changes, _, err := s.look(ctx, tx, p, nil)
	if err != nil {
		return err
	}
	tx.AfterCommit(s.wakeWatch)
	return s.apply(ctx, tx, changes, s.now())
}

// look compares a project with the rules. It also tells when it is to be looked at
// again where nothing changes: when an alert escalates, or tomorrow.
func (s *Server) look(ctx context.Context, tx *sqldb.Tx, p *domain.Project, measured *domain.Measured) (domain.Changes, time.Time, error) {
	now := s.now()
	rules, err := store.AlertRules(ctx, tx, p.ID)
	if err != nil {
		return domain.Changes{}, now, err
	}
	open, err := store.OpenAlerts(ctx, tx, p.ID)
	if err != nil {
		return domain.Changes{}, now, err
	}
	facts, err := store.FactsOf(ctx, tx, p, rules, s.today(), s.zone)
	if err != nil {
		return domain.Changes{}, now, err
	}
	facts.Measured = measured
	known := make(map[domain.Cause]bool, len(open))
	for _, a := range open {
		known[a.Cause] = true
	}
	byID := make(map[string]*domain.AlertRule, len(rules))
	for _, r := range rules {
		byID[r.ID] = r
	}
	// Performance is not measured before the execution: its alerts are over then.
	looked := func(k domain.AlertKind) bool { return measured != nil || !k.Measured() || !p.Performing() }
	changes := domain.Reconcile(p.ID, open, p.Look(rules, facts, known, s.today()), byID, looked, s.newID, now)
	next := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, s.zone)
	if p.Phase == domain.Closed {
		next = now.AddDate(100, 0, 0)
	}
	for _, list := range [][]*domain.Alert{open, changes.Opened} {
		for _, a := range list {
			if !a.Escalates.IsZero() && a.Escalates.Before(next) {
				next = a.Escalates
			}
		}
	}
	return changes, next, nil
}

// watchBatch is how many projects are looked for at a time.
const watchBatch = 100

// wakeWatch makes Watch look at once.
func (s *Server) wakeWatch() {
	select {
	case s.woken <- struct{}{}:
	default: // it is awake already
	}
}

// SeeDue looks at the projects that have changed or whose time has come. Each
// that has something to tell is a transaction of its own, and one that fails does
// not keep the others waiting.
func (s *Server) SeeDue(ctx context.Context) error {
	for {
		due, err := read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) ([]store.Due, error) {
			return store.DueWatches(ctx, tx, sqldb.Micros(s.now()), watchBatch)
		})
		if err != nil {
			return err
		}
		var failed []error
		var quiet []store.Due
		var rests []int64
		for _, d := range due {
			next, err := s.lookAt(ctx, d)
			switch {
			case errs.KindOf(err) == errs.Conflict: // it is changing: it will be due again
			case err != nil:
				failed = append(failed, err)
				next = s.now().Add(time.Minute)
			}
			if !next.IsZero() {
				quiet, rests = append(quiet, d), append(rests, sqldb.Micros(next))
			}
		}
		if len(quiet) > 0 {
			err := s.db.Write(ctx, func(_ context.Context, tx *sqldb.Tx) error {
				for i, d := range quiet {
					d.Rest(tx, rests[i])
				}
				return nil
			})
			failed = append(failed, err)
		}
		if err := errors.Join(failed...); err != nil || len(due) < watchBatch {
			return err
		}
	}
}

// lookAt looks at one project. It returns when to look again, where nothing
// was to be told; otherwise that is stored already.
func (s *Server) lookAt(ctx context.Context, d store.Due) (time.Time, error) {
	var measured *domain.Measured
	var changes domain.Changes
	var next time.Time
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		p, err := store.Project(ctx, tx, d.Project)
		if err != nil {
			return err
		}
		if p.Performing() {
			if measured, err = s.measure(ctx, tx, p); err != nil {
				return err
			}
		}
		changes, next, err = s.look(ctx, tx, p, measured)
		return err
	})
	if err != nil || changes.None() {
		return next, err
	}
	return time.Time{}, s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		p, err := store.LockProject(ctx, tx, d.Project)
		if err != nil {
			return err
		}
		changes, next, err := s.look(ctx, tx, p, measured)
		if err != nil {
			return err
		}
		store.Rest(tx, p.ID, sqldb.Micros(next))
		return s.apply(ctx, tx, changes, s.now())
	})
}

// keepChanges is how long changes of alerts are kept for those who come back to a
// stream.
const keepChanges = 30 * 24 * time.Hour

// Watch looks at what is due at once, when a project has changed, and at every
// interval, until its context ends.
func (s *Server) Watch(ctx context.Context, interval time.Duration) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var forgotten time.Time
	for {
		if err := s.SeeDue(ctx); err != nil {
			return err
		}
		if now := s.now(); now.Sub(forgotten) > time.Hour {
			if err := s.forgetChanges(ctx, now.Add(-keepChanges)); err != nil {
				return err
			}
			forgotten = now
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case <-s.woken:
		}
	}
}

// forgetChanges removes old changes, a batch to a transaction.
func (s *Server) forgetChanges(ctx context.Context, before time.Time) error {
	const batch = 1000
	for {
		var n int64
		err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			var err error
			n, err = store.ForgetAlertChanges(ctx, tx, sqldb.Micros(before), batch)
			return err
		})
		if err != nil || n < batch {
			return err
		}
	}
}
