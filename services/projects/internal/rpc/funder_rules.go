package rpc

import (
	"context"
	"fmt"
	"slices"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// pinRules fills in the versions of the funders' rule sets: that which was pinned
// before where a funder keeps its rule set, else the one that is in force today.
// A version that is given must exist. was are the funders before.
func (s *Server) pinRules(ctx context.Context, tx *sqldb.Tx, card *domain.Card, was []domain.Funder) error {
	card.Funders = slices.Clone(card.Funders)
	for i := range card.Funders {
		f := &card.Funders[i]
		if f.RuleSet == "" {
			continue
		}
		kept := slices.IndexFunc(was, func(x domain.Funder) bool { return x.Key == f.Key && x.RuleSet == f.RuleSet })
		var err error
		switch {
		case f.RuleSetVersion != 0:
			_, err = s.ruleBook.At(ctx, tx, f.RuleSet, int64(f.RuleSetVersion))
		case kept >= 0 && f.Key != "":
			f.RuleSetVersion = was[kept].RuleSetVersion
		default:
			set, absent := s.ruleBook.Effective(ctx, tx, f.RuleSet, s.today())
			if err = absent; err == nil {
				f.RuleSetVersion = int32(set.Version())
			}
		}
		path := fmt.Sprintf("project.funders[%d].rule_set", i)
		switch errs.KindOf(err) {
		case errs.NotFound:
			return errs.InvalidField(errs.ReferenceNotFound, path, "there is no such version of %s", f.RuleSet).With("resource", f.RuleSet)
		case errs.FailedPrecondition:
			return errs.InvalidField(errs.ReasonOf(err), path, "no version of %s is in force", f.RuleSet)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
