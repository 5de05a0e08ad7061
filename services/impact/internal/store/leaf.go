package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/trama-suite/trama/services/impact/internal/domain"
	"github.com/trama-suite/trama/services/impact/internal/domain/rollup"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Replace makes leaves what a fact contributes to an indicator from now on, in
// place of what it contributed before, unless a newer version of the fact's
// source has had its say already. What did not change is left alone, so that
// replaying an event changes nothing.
func Replace(ctx context.Context, tx *sqldb.Tx, measure rollup.Measure, fact, indicator string, version int64, leaves []domain.Leaf, now time.Time) error {
	// The guard is also the lock of the fact.
	newer, err := tx.Exec(ctx, `INSERT INTO facts (fact, indicator, version, revision) VALUES ($1, $2, $3, 1)
		ON CONFLICT (fact, indicator) DO UPDATE SET version = excluded.version, revision = facts.revision + 1 WHERE facts.version < excluded.version`,
		fact, indicator, version)
	if err != nil || newer == 0 {
		return err
	}
	return replace(ctx, tx, measure, fact, indicator, leaves, now)
}

// ReplaceAny is Replace for a fact whose leaves take every version into account,
// whichever comes last. The caller holds the fact by LockFact.
func ReplaceAny(ctx context.Context, tx *sqldb.Tx, measure rollup.Measure, fact, indicator string, leaves []domain.Leaf, now time.Time) error {
	return replace(ctx, tx, measure, fact, indicator, leaves, now)
}

// LockFact keeps other transactions from replacing a fact's leaves until this
// one ends.
func LockFact(ctx context.Context, tx *sqldb.Tx, fact, indicator string, version int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO facts (fact, indicator, version, revision) VALUES ($1, $2, $3, 1)
		ON CONFLICT (fact, indicator) DO UPDATE SET revision = facts.revision + 1,
		version = CASE WHEN facts.version < excluded.version THEN excluded.version ELSE facts.version END`, fact, indicator, version)
	return err
}

// stored is a leaf as it stands in the database.
type stored struct {
	domain.Leaf
	revision, part int64
	from           int64
}

// key tells whether two leaves are the same for the cells.
type key struct {
	organisation, project, place string
	period                       domain.Period
	value                        string
}

func keyOf(l domain.Leaf) key {
	return key{l.Organisation, l.Project, l.Place, l.Period, l.State.Encode()}
}

func replace(ctx context.Context, tx *sqldb.Tx, measure rollup.Measure, fact, indicator string, leaves []domain.Leaf, now time.Time) error {
	old, err := current(ctx, tx, measure, fact, indicator)
	if err != nil {
		return err
	}
	have := map[key][]stored{}
	for _, l := range old {
		have[keyOf(l.Leaf)] = append(have[keyOf(l.Leaf)], l)
	}
	var added []domain.Leaf
	for _, l := range leaves {
		k := keyOf(l)
		if same := have[k]; len(same) > 0 {
			have[k] = same[1:]
			continue
		}
		added = append(added, l)
	}
	var gone []stored
	for _, l := range old { // in the order of old, not of the map
		k := keyOf(l.Leaf)
		if slices.ContainsFunc(have[k], func(s stored) bool { return s.revision == l.revision && s.part == l.part }) {
			gone = append(gone, l)
		}
	}
	if len(gone) == 0 && len(added) == 0 {
		return nil
	}
	organisations := map[string]bool{}
	for _, l := range gone {
		organisations[l.Organisation] = true
	}
	for _, l := range added {
		organisations[l.Organisation] = true
	}
	names := make([]string, 0, len(organisations))
	for o := range organisations {
		names = append(names, o)
	}
	slices.Sort(names) // always in one order, so that no two writers wait for one another
	for _, o := range names {
		takeTurn(tx, indicator, o)
	}
	var revision int64
	if err := tx.QueryRow(ctx, "SELECT revision FROM facts WHERE fact = $1 AND indicator = $2", fact, indicator).Scan(&revision); err != nil {
		return err
	}
	at := sqldb.Micros(now)
	for _, l := range gone {
		tx.Queue("UPDATE leaves SET known_until = $5 WHERE fact = $1 AND indicator = $2 AND revision = $3 AND part = $4",
			fact, indicator, l.revision, l.part, max(at, l.from))
	}
	for n, l := range added {
		tx.Queue(`INSERT INTO leaves (fact, indicator, revision, part, organisation, project, place, start_day, end_day, value, known_from, known_until)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0)`,
			fact, indicator, revision, n, l.Organisation, l.Project, l.Place, int64(l.Period.Start), int64(l.Period.End), l.State.Encode(), at)
	}
	return refresh(ctx, tx, measure, indicator, gone, added)
}

// takeTurn makes this transaction wait for others that write the cells of an
// indicator and organisation, and they for it.
func takeTurn(tx *sqldb.Tx, indicator, organisation string) {
	tx.Queue(`INSERT INTO turns (indicator, organisation, turn) VALUES ($1, $2, 1)
		ON CONFLICT (indicator, organisation) DO UPDATE SET turn = turns.turn + 1`, indicator, organisation)
}

const leafColumns = "organisation, project, place, start_day, end_day, value"

func scanLeaf(scan func(dest ...any) error, measure rollup.Measure, l *domain.Leaf, more ...any) error {
	var value string
	err := scan(append([]any{&l.Organisation, &l.Project, &l.Place, &l.Period.Start, &l.Period.End, &value}, more...)...)
	if err != nil {
		return err
	}
	l.State, err = rollup.Decode(measure, value)
	return err
}

func current(ctx context.Context, tx *sqldb.Tx, measure rollup.Measure, fact, indicator string) ([]stored, error) {
	var out []stored
	err := each(ctx, tx, "SELECT "+leafColumns+`, revision, part, known_from FROM leaves
		WHERE fact = $1 AND indicator = $2 AND known_until = 0 ORDER BY revision, part`, []any{fact, indicator},
		func(scan func(dest ...any) error) error {
			l := stored{Leaf: domain.Leaf{Fact: fact, Indicator: indicator}}
			err := scanLeaf(scan, measure, &l.Leaf, &l.revision, &l.part, &l.from)
			out = append(out, l)
			return err
		})
	return out, err
}

// cell is where leaves are merged.
type cell struct {
	domain.Cell
	organisation, project, place string
}

// refresh brings the cells up to date. A cell that only gained leaves merges
// them; one that lost some is made anew from those it still has, as not every
// state can be taken out again (a maximum, a set).
func refresh(ctx context.Context, tx *sqldb.Tx, measure rollup.Measure, indicator string, gone []stored, added []domain.Leaf) error {
	type change struct {
		remake bool
		gained []rollup.State
	}
	changes := map[cell]*change{}
	at := func(l domain.Leaf, c domain.Cell) *change {
		k := cell{c, l.Organisation, l.Project, l.Place}
		if changes[k] == nil {
			changes[k] = &change{}
		}
		return changes[k]
	}
	for _, l := range gone {
		for _, c := range l.Period.Cells() {
			at(l.Leaf, c).remake = true
		}
	}
	for _, l := range added {
		for _, c := range l.Period.Cells() {
			ch := at(l, c)
			ch.gained = append(ch.gained, l.State)
		}
	}
	order := make([]cell, 0, len(changes))
	for c := range changes {
		order = append(order, c)
	}
	slices.SortFunc(order, func(a, b cell) int {
		return cmp.Or(cmp.Compare(a.organisation, b.organisation), cmp.Compare(a.Bucket, b.Bucket), cmp.Compare(a.Period.Start, b.Period.Start),
			cmp.Compare(a.Period.End, b.Period.End), cmp.Compare(a.project, b.project), cmp.Compare(a.place, b.place))
	})
	for _, c := range order {
		var states []rollup.State
		var err error
		if changes[c].remake {
			states, err = leavesIn(ctx, tx, measure, indicator, c)
		} else {
			states, err = cellState(ctx, tx, measure, indicator, c)
			states = append(states, changes[c].gained...)
		}
		if err != nil {
			return err
		}
		merged, err := rollup.Fold(measure, states)
		if err != nil {
			return err
		}
		if merged.Values() == 0 {
			tx.Queue(`DELETE FROM cells WHERE indicator = $1 AND bucket = $2 AND start_day = $3 AND end_day = $4
				AND organisation = $5 AND project = $6 AND place = $7`, c.args(indicator)...)
			continue
		}
		tx.Queue(`INSERT INTO cells (indicator, bucket, start_day, end_day, organisation, project, place, value)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (indicator, bucket, start_day, end_day, organisation, project, place) DO UPDATE SET value = excluded.value`,
			append(c.args(indicator), merged.Encode())...)
	}
	return nil
}

func (c cell) args(indicator string) []any {
	return []any{indicator, string(c.Bucket), int64(c.Period.Start), int64(c.Period.End), c.organisation, c.project, c.place}
}

func cellState(ctx context.Context, tx *sqldb.Tx, measure rollup.Measure, indicator string, c cell) ([]rollup.State, error) {
	var value string
	err := tx.QueryRow(ctx, `SELECT value FROM cells WHERE indicator = $1 AND bucket = $2 AND start_day = $3 AND end_day = $4
		AND organisation = $5 AND project = $6 AND place = $7`, c.args(indicator)...).Scan(&value)
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	state, err := rollup.Decode(measure, value)
	return []rollup.State{state}, err
}

// leavesIn returns the states of the leaves that a cell holds now.
func leavesIn(ctx context.Context, tx *sqldb.Tx, measure rollup.Measure, indicator string, c cell) ([]rollup.State, error) {
	within := "start_day >= $5 AND end_day <= $6"
	if c.Exact() {
		within = "start_day = $5 AND end_day = $6"
	}
	var out []rollup.State
	err := each(ctx, tx, "SELECT "+leafColumns+` FROM leaves WHERE known_until = 0 AND indicator = $1 AND organisation = $2
		AND project = $3 AND place = $4 AND `+within,
		[]any{indicator, c.organisation, c.project, c.place, int64(c.Period.Start), int64(c.Period.End)},
		func(scan func(dest ...any) error) error {
			var l domain.Leaf
			err := scanLeaf(scan, measure, &l)
			out = append(out, l.State)
			return err
		})
	return out, err
}
