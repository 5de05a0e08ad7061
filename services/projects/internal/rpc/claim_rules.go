package rpc

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/claims"
	"github.com/trama-suite/trama/services/projects/internal/store"
	"github.com/trama-suite/trama/services/projects/rules"
)

// setFor finds the rules that hold for a claim: of one that stands those of its
// submission, of another one those that the project has pinned. Nil where its
// funder has none.
func (s *Server) setFor(ctx context.Context, tx *sqldb.Tx, f domain.Funder, c *claims.Claim) (*rules.Set, string, error) {
	name, version := f.RuleSet, int64(f.RuleSetVersion)
	if c.State.Standing() {
		name, version = c.RuleSet, int64(c.RuleSetVersion)
	}
	set, err := s.rulesAt(ctx, tx, name, version)
	return set, name, err
}

// rulesAt finds a version of a rule set, of which 0 is the one in force today;
// nil where there is no rule set.
func (s *Server) rulesAt(ctx context.Context, tx *sqldb.Tx, name string, version int64) (*rules.Set, error) {
	switch {
	case name == "":
		return nil, nil
	case version == 0:
		return s.ruleBook.Effective(ctx, tx, name, s.today())
	default:
		return s.ruleBook.At(ctx, tx, name, version)
	}
}

// funderOf is the funder of a project that a claim is for.
func funderOf(p *domain.Project, c *claims.Claim) (f domain.Funder) {
	for _, y := range p.Funders {
		if y.Key == c.Funder {
			f = y
		}
	}
	return f
}

// byRules holds a claim against its funder's rules, and notes which they were.
func (s *Server) byRules(ctx context.Context, tx *sqldb.Tx, p *domain.Project, c *claims.Claim, g *gathered, known bodies, x *examination) ([]claims.Finding, error) {
	f := funderOf(p, c)
	set, name, err := s.setFor(ctx, tx, f, c)
	if err != nil || set == nil {
		return nil, err
	}
	x.rules = claims.Rules{Set: name, Version: int32(set.Version())}
	in, err := s.ruleInput(ctx, tx, p, f, c, set, g, known)
	if err != nil {
		return nil, err
	}
	if in.Organisation.Choices, err = s.choices(ctx, tx, c.Organisation, c.Project, set); err != nil {
		return nil, err
	}
	report, err := set.Evaluate(in)
	if failed := new(rules.EvaluationError); errors.As(err, &failed) {
		return nil, errs.New(errs.FailedPrecondition, domain.ClaimBlocked, "the funder's rules cannot be worked out: %s", failed).With("resource", c.Name())
	}
	if err != nil {
		return nil, errs.New(errs.FailedPrecondition, domain.ClaimTooLarge, "the claim cannot be held against the funder's rules: %s", err).With("resource", c.Name())
	}
	resource := map[string]string{} // people know a cost by its expenditure, the claim by its line
	for i, y := range in.Claim.Lines {
		resource[y.Key] = claims.LineName(c.Project, c.ID, g.subjects[i].Line.ID)
	}
	var out []claims.Finding
	for _, y := range report.Findings {
		if y.Scope == rules.ScopeLine && in.Budget[y.Index].Organisation != c.Organisation {
			continue // whoever sees the claim does not see other partners' lines by that
		}
		found := ruleFinding(name, &y)
		// What the project or its funder's payments break stops the budget, not the
		// claim of a partner, who cannot put it right.
		found.Block = found.Block && y.Scope != rules.ScopeProject
		found.Resource = cmp.Or(resource[y.Key], y.Key)
		out = append(out, found)
	}
	return append(out, notEvaluated(name, set, &report)...), nil
}

// ruleInput gathers the facts that the rules look at.
func (s *Server) ruleInput(ctx context.Context, tx *sqldb.Tx, p *domain.Project, f domain.Funder, c *claims.Claim, set *rules.Set, g *gathered,
	known bodies) (rules.Input, error) {
	paid, err := store.FunderClaims(ctx, tx, p.ID, c.Funder)
	if err != nil {
		return rules.Input{}, err
	}
	claimed := map[string]bool{}
	for _, y := range g.subjects {
		claimed[y.Line.BudgetLine] = true
	}
	in := projectFacts(p, f, c.Organisation, set, g.budget, claimed, g.reported, paid, known)
	in.Claim = claimFacts(c, g.subjects)
	return in, nil
}

// claimFacts are a claim as the rules see it.
func claimFacts(c *claims.Claim, subjects []*claims.Subject) *rules.Claim {
	out := &rules.Claim{Name: c.Name(), Number: c.Number, Final: c.Final, PeriodStart: c.Start, PeriodEnd: c.End}
	for _, y := range subjects {
		line := rules.ClaimLine{Key: claims.LineName(c.Project, c.ID, y.Line.ID), BudgetLine: domain.LineName(c.Project, y.Line.BudgetLine), Amount: y.Line.Accepted()}
		if e := y.Expenditure; e != nil {
			line.Key = e.Name()
			describe(&line, e)
		} else {
			line.DocumentDate, line.PaymentDate, line.Description = c.End, c.End, fmt.Sprintf("flat rate, %s", y.Line.Category)
		}
		out.Lines = append(out.Lines, line)
	}
	return out
}

func describe(line *rules.ClaimLine, e *domain.Expenditure) {
	d := e.Document
	line.VATRecoverable = d.VATRecoverable
	line.Gross, line.Issuer, line.Number, line.DocumentDate = d.Gross.Minor, d.IssuerID, d.Number, d.Date
	line.Description, line.Documents = e.Description, int64(len(e.Files))
	if d.Net != nil {
		line.Net = d.Net.Minor
	}
	if d.VAT != nil {
		line.VAT = d.VAT.Minor
	}
	if line.Issuer == "" {
		line.Issuer = d.Issuer
	}
	if e.Payment != nil {
		line.PaymentDate, line.PaymentProof = e.Payment.Date, len(e.Payment.Files) > 0
	}
}

// choices reads the ways of counting cost that an organisation has chosen
// in its other projects under rules of the same programme.
func (s *Server) choices(ctx context.Context, tx *sqldb.Tx, organisation, project string, set *rules.Set) ([]rules.Choice, error) {
	all, err := store.CostChoices(ctx, tx, organisation, project, rules.MaxChoices)
	if err != nil {
		return nil, err
	}
	programmes := map[string]string{}
	var out []rules.Choice
	for _, x := range all {
		for _, f := range x.Card.Funders {
			if f.RuleSet == "" || f.RuleSetVersion == 0 {
				continue
			}
			key := fmt.Sprint(f.RuleSet, " ", f.RuleSetVersion)
			if _, known := programmes[key]; !known {
				other, err := s.ruleBook.At(ctx, tx, f.RuleSet, int64(f.RuleSetVersion))
				if err != nil {
					return nil, err
				}
				programmes[key] = other.Programme()
			}
			if programmes[key] == set.Programme() {
				out = append(out, rules.Choice{Project: x.Project, Category: x.Category, Method: string(x.Method)})
				break
			}
		}
	}
	return out, nil
}
