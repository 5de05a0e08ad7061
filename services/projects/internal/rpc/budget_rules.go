package rpc

import (
	"context"
	"fmt"
	"slices"
	"strings"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/claims"
	"github.com/trama-suite/trama/services/projects/internal/store"
	"github.com/trama-suite/trama/services/projects/rules"
)

// CheckBudget holds the budget against the funders' rules.
func (s *Server) CheckBudget(ctx context.Context, req *projectsv1.CheckBudgetRequest) (*projectsv1.CheckBudgetResponse, error) {
	project, err := projectOf(req.GetName())
	if err != nil {
		return nil, err
	}
	known, err := s.bodiesOf(ctx, project, "")
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.CheckBudgetResponse, error) {
		p, err := store.Project(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		if err := requireLead(ctx, p); err != nil {
			return nil, err
		}
		found, err := s.examineBudget(ctx, tx, p, known)
		if err != nil {
			return nil, err
		}
		show := findingProto(ctx, &claims.Claim{Currency: p.Currency})
		return &projectsv1.CheckBudgetResponse{
			Findings: each(found, func(f budgetFinding) *projectsv1.BudgetFinding {
				return &projectsv1.BudgetFinding{Funder: f.funder, Organisation: f.organisation, Finding: show(f.Finding)}
			}),
			Blocked: slices.ContainsFunc(found, func(f budgetFinding) bool { return f.Block }),
		}, nil
	})
}

// budgetFinding is what a funder's rule has found in the budget of a partner.
type budgetFinding struct {
	funder, organisation string
	claims.Finding
}

// examineBudget holds a project's budget against the rules of each funder, for
// each partner with a part in it.
func (s *Server) examineBudget(ctx context.Context, tx *sqldb.Tx, p *domain.Project, known bodies) ([]budgetFinding, error) {
	budget, err := store.AllLines(ctx, tx, p.ID, store.Everything)
	if err != nil {
		return nil, err
	}
	var out []budgetFinding
	for _, f := range p.Funders {
		set, err := s.rulesAt(ctx, tx, f.RuleSet, int64(f.RuleSetVersion))
		if err != nil {
			return nil, err
		}
		if set == nil {
			continue
		}
		paid, err := store.FunderClaims(ctx, tx, p.ID, f.Key)
		if err != nil {
			return nil, err
		}
		reported, err := store.ReportedOn(ctx, tx, &claims.Claim{Project: p.ID, Funder: f.Key})
		if err != nil {
			return nil, err
		}
		seen := map[string]bool{}
		for _, partner := range p.Partners {
			in := projectFacts(p, f, partner.Organisation, set, budget, nil, reported, paid, known)
			has := func(b rules.BudgetLine) bool { return b.Organisation == partner.Organisation }
			if !partner.Lead && !slices.ContainsFunc(in.Budget, has) {
				continue // with the lead, what looks at the project is looked at once at least
			}
			if in.Organisation.Choices, err = s.choices(ctx, tx, partner.Organisation, p.ID, set); err != nil {
				return nil, err
			}
			report, err := set.Evaluate(in)
			if err != nil {
				return nil, errs.New(errs.FailedPrecondition, domain.BudgetBlocked, "the budget cannot be held against %s: %s", f.RuleSet, err).With("resource", p.Name())
			}
			found := notEvaluated(f.RuleSet, set, &report)
			for _, y := range report.Findings {
				if y.Scope == rules.ScopeLine && !has(in.Budget[y.Index]) {
					continue // its partner's turn comes
				}
				x := ruleFinding(f.RuleSet, &y)
				x.Resource = y.Key
				found = append(found, x)
			}
			for _, x := range found {
				if key := fmt.Sprint(x.Rule, "\n", x.Resource, "\n", x.English); !seen[key] && len(out) < mostFindings {
					seen[key] = true
					out = append(out, budgetFinding{f.Key, partner.Organisation, x})
				}
			}
		}
	}
	return out, nil
}

// allowBudget refuses a budget that a funder's rules do not allow.
func (s *Server) allowBudget(ctx context.Context, tx *sqldb.Tx, p *domain.Project, known bodies) error {
	found, err := s.examineBudget(ctx, tx, p, known)
	if err != nil {
		return err
	}
	var names, words []string
	e := errs.New(errs.FailedPrecondition, domain.BudgetBlocked, "the rules of a funder do not allow the budget of %s", p.Name())
	for _, f := range found {
		if !f.Block || len(e.Fields) >= mostPlaces {
			continue
		}
		if !slices.Contains(names, f.Rule) {
			names, words = append(names, f.Rule), append(words, f.English)
		}
		path := f.Resource
		if path == "" {
			path = "budget"
		}
		e = e.WithField(path, errs.Reason(f.Rule), f.English)
	}
	if len(names) == 0 {
		return nil
	}
	e.Message += ": " + strings.Join(words, " ")
	return e.With("resource", p.Name()).With("rules", strings.Join(names, ","))
}
