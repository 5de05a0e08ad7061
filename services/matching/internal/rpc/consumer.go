package rpc

import (
	"context"
	"time"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/matching/internal/domain/scoring"
	"github.com/trama-suite/trama/services/matching/internal/store"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Handlers apply the catalogue's events: an entry that is published or changes
// has its candidates computed again, one that is taken out of view loses them.
func Handlers() []bus.Handler {
	return []bus.Handler{
		bus.On(func(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, e *cataloguev1.NeedPublished) error {
			return apply(ctx, tx, env, needEntry(e.GetNeed()), shown(e.GetNeed().GetVisibility()))
		}),
		bus.On(func(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, e *cataloguev1.NeedArchived) error {
			return apply(ctx, tx, env, gone(env, e.GetNeed(), scoring.Need), false)
		}),
		bus.On(func(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, e *cataloguev1.SolutionPublished) error {
			return apply(ctx, tx, env, solutionEntry(e.GetSolution()), shown(e.GetSolution().GetVisibility()))
		}),
		bus.On(func(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, e *cataloguev1.SolutionArchived) error {
			return apply(ctx, tx, env, gone(env, e.GetSolution(), scoring.Solution), false)
		}),
		bus.On(func(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, e *cataloguev1.ServiceOfferingPublished) error {
			return apply(ctx, tx, env, offeringEntry(e.GetServiceOffering()), shown(e.GetServiceOffering().GetVisibility()))
		}),
		bus.On(func(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, e *cataloguev1.ServiceOfferingArchived) error {
			return apply(ctx, tx, env, gone(env, e.GetServiceOffering(), scoring.ServiceOffering), false)
		}),
	}
}

// shown: an entry that only its own body may see is matched with nothing.
func shown(v cataloguev1.EntryVisibility) bool {
	return v != cataloguev1.EntryVisibility_ENTRY_VISIBILITY_OWN
}

func apply(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, e scoring.Entry, listed bool) error {
	if err := store.LockRecompute(ctx, tx); err != nil {
		return err
	}
	newer, err := store.PutEntry(ctx, tx, e, env.GetAggregateVersion(), listed)
	if err != nil || !newer {
		return err
	}
	return store.RecomputeEntry(ctx, tx, e, listed)
}

// gone is what is kept of an entry that was taken out of view.
func gone(env *eventv1.Envelope, name string, kind scoring.Kind) scoring.Entry {
	return scoring.Entry{Name: name, Kind: kind, Organisation: env.GetOwner()}
}

func needEntry(n *cataloguev1.Need) scoring.Entry {
	c := n.GetConstraints()
	return scoring.Entry{
		Name: n.GetName(), Kind: scoring.Need, Organisation: n.GetOrganisation(), Title: n.GetTitle().GetText(),
		Category: n.GetCategory(), Sectors: n.GetSectors(), Tags: n.GetTags(),
		Stems:       stems(n.GetTitle(), n.GetDescription(), n.GetDesiredOutcome()),
		Territories: either(c.GetTerritories(), n.GetTerritories()),
		Languages:   c.GetRequiredLanguages(),
		Money:       c.GetBudgetCeiling().GetMinorUnits(), Currency: c.GetBudgetCeiling().GetCurrencyCode(),
		Day: c.GetDeadline(),
	}
}

func solutionEntry(s *cataloguev1.Solution) scoring.Entry {
	return scoring.Entry{
		Name: s.GetName(), Kind: scoring.Solution, Organisation: s.GetOrganisation(), Title: s.GetTitle().GetText(),
		Category: s.GetCategory(), Serves: s.GetNeedCategories(), Sectors: s.GetSectors(),
		Tags:        append(append([]string{}, s.GetTags()...), s.GetTechnologies()...),
		Stems:       stems(s.GetTitle(), s.GetDescription()),
		Territories: s.GetTerritories(), Languages: s.GetLanguages(),
		Money: s.GetPriceFrom().GetMinorUnits(), Currency: s.GetPriceFrom().GetCurrencyCode(),
		Day: s.GetValidUntil(), Maturity: maturity[s.GetMaturity()],
	}
}

func offeringEntry(o *cataloguev1.ServiceOffering) scoring.Entry {
	e := scoring.Entry{
		Name: o.GetName(), Kind: scoring.ServiceOffering, Organisation: o.GetOrganisation(), Title: o.GetTitle().GetText(),
		Category: o.GetCategory(), Serves: o.GetNeedCategories(), Sectors: o.GetSectors(), Tags: o.GetTags(),
		Stems:       stems(o.GetTitle(), o.GetDescription()),
		Territories: o.GetTerritories(), Languages: o.GetLanguages(), Day: o.GetValidUntil(),
		Maturity: 500, // one that could be activated
	}
	if o.GetAvailability() == cataloguev1.OfferingAvailability_OFFERING_AVAILABILITY_OFFERED {
		e.Maturity = 1000
	}
	return e
}

// maturity in thousandths; one that is not said counts as a pilot.
var maturity = map[cataloguev1.SolutionMaturity]int64{
	cataloguev1.SolutionMaturity_SOLUTION_MATURITY_UNSPECIFIED: 500,
	cataloguev1.SolutionMaturity_SOLUTION_MATURITY_CONCEPT:     100,
	cataloguev1.SolutionMaturity_SOLUTION_MATURITY_PROTOTYPE:   300,
	cataloguev1.SolutionMaturity_SOLUTION_MATURITY_PILOT:       500,
	cataloguev1.SolutionMaturity_SOLUTION_MATURITY_MARKET:      900,
	cataloguev1.SolutionMaturity_SOLUTION_MATURITY_SCALED:      1000,
}

// stems are those of the texts as written; a translation says the same again.
func stems(texts ...*typev1.LocalizedText) []string {
	byLanguage := map[string][]string{}
	var languages []string
	for _, t := range texts {
		if t.GetText() == "" {
			continue
		}
		if _, seen := byLanguage[t.GetLanguageCode()]; !seen {
			languages = append(languages, t.GetLanguageCode())
		}
		byLanguage[t.GetLanguageCode()] = append(byLanguage[t.GetLanguageCode()], t.GetText())
	}
	var out []string
	for _, language := range languages {
		out = append(out, scoring.Stems(language, byLanguage[language]...)...)
	}
	return out
}

func either(first, second []string) []string {
	if len(first) > 0 {
		return first
	}
	return second
}

// expireEvery is how often proposals whose time is over are looked for. An
// answer is refused by the clock at once; this only makes it visible.
const expireEvery = time.Minute

// Expire ends proposals whose time is over, until its context ends.
func (s *Server) Expire(ctx context.Context) error {
	tick := time.NewTicker(expireEvery)
	defer tick.Stop()
	for {
		if err := s.ExpireOverdue(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// expireBatch is how many proposals one transaction ends.
const expireBatch = 200

// ExpireOverdue ends all proposals whose time is over by now.
func (s *Server) ExpireOverdue(ctx context.Context) error {
	for {
		var found int
		err := s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			now := s.now()
			overdue, err := store.Overdue(ctx, tx, now, expireBatch)
			if err != nil {
				return err
			}
			found = len(overdue)
			for _, m := range overdue {
				event, ok := m.Expire(now)
				if !ok {
					continue
				}
				err := store.UpdateMatch(ctx, tx, m)
				if errs.KindOf(err) == errs.Conflict {
					continue // answered, or ended by another replica, this moment
				}
				if err != nil {
					return err
				}
				if err := s.publish(ctx, tx, m, event); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || found < expireBatch {
			return err
		}
	}
}
