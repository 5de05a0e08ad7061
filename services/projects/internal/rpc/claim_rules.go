package rpc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/claims"
	"github.com/trama-suite/trama/services/projects/internal/store"
	"github.com/trama-suite/trama/services/projects/rules"
)

// blocking are the scopes whose findings keep a claim from being submitted. What
// is wrong with the project or its budget was for its approval, and warns here:
// the partner who claims cannot put it right.
var blocking = []rules.Scope{rules.ScopeOrganisation, rules.ScopeClaim, rules.ScopeClaimLine}

// setFor finds the rules that hold for a claim: of one that stands those of its
// submission, of another one those that the project has pinned. Nil where its
// funder has none.
func (s *Server) setFor(ctx context.Context, tx *sqldb.Tx, f domain.Funder, c *claims.Claim) (*rules.Set, string, error) {
	name, version := f.RuleSet, int64(f.RuleSetVersion)
	if c.State.Standing() {
		name, version = c.RuleSet, int64(c.RuleSetVersion)
	}
	switch {
	case name == "":
		return nil, "", nil
	case version == 0:
		set, err := s.ruleBook.Effective(ctx, tx, name, s.today())
		return set, name, err
	default:
		set, err := s.ruleBook.At(ctx, tx, name, version)
		return set, name, err
	}
}

// byRules holds a claim against its funder's rules, and notes which they were.
func (s *Server) byRules(ctx context.Context, tx *sqldb.Tx, p *domain.Project, c *claims.Claim, subjects []*claims.Subject, budget []*domain.Line,
	reported map[string]int64, x *examination) ([]claims.Finding, error) {
	var f domain.Funder
	for _, y := range p.Funders {
		if y.Key == c.Funder {
			f = y
		}
	}
	set, name, err := s.setFor(ctx, tx, f, c)
	if err != nil || set == nil {
		return nil, err
	}
	x.rules = claims.Rules{Set: name, Version: int32(set.Version())}
	in, err := s.ruleInput(ctx, tx, p, f, c, subjects, budget, reported)
	if err != nil {
		return nil, err
	}
	if in.Organisation.Choices, err = s.choices(ctx, tx, c, set); err != nil {
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
		resource[y.Key] = claims.LineName(c.Project, c.ID, subjects[i].Line.ID)
	}
	var out []claims.Finding
	for _, y := range report.Findings {
		if y.Scope == rules.ScopeLine && in.Budget[y.Index].Organisation != c.Organisation {
			continue // whoever sees the claim does not see other partners' lines by that
		}
		out = append(out, claims.Finding{
			Rule: y.Rule, Set: name, Version: int32(y.Version), Block: y.Severity == rules.Block && slices.Contains(blocking, y.Scope),
			Resource: cmp.Or(resource[y.Key], y.Key), Amount: y.Amount, Limit: y.Limit, Italian: y.Message.IT, English: y.Message.EN, Source: y.Source, Verified: y.Verified,
		})
	}
	return out, nil
}

// ruleInput gathers the facts that the rules look at.
func (s *Server) ruleInput(ctx context.Context, tx *sqldb.Tx, p *domain.Project, f domain.Funder, c *claims.Claim, subjects []*claims.Subject,
	budget []*domain.Line, reported map[string]int64) (rules.Input, error) {
	in := rules.Input{
		Project:      rules.Project{Name: p.Name(), Start: p.Start, End: p.End, Currency: p.Currency, Lead: p.Lead},
		Funder:       rules.Funder{Key: f.Key, Title: f.DisplayName, Grant: f.Grant.Minor},
		Organisation: rules.Organisation{Name: c.Organisation},
		Claim:        &rules.Claim{Name: c.Name(), Number: c.Number, Final: c.Final, PeriodStart: c.Start, PeriodEnd: c.End},
	}
	for _, y := range p.Partners {
		in.Project.Partners = append(in.Project.Partners, rules.Partner{Organisation: y.Organisation})
	}
	earlier, err := store.FunderClaims(ctx, tx, p.ID, c.Funder)
	if err != nil {
		return in, err
	}
	for _, y := range earlier {
		for _, payment := range y.Payments {
			if payment.Kind == claims.Advance {
				in.Funder.AdvancePaid += payment.Amount
			} else {
				in.Funder.InterimsPaid = append(in.Funder.InterimsPaid, payment.Amount)
			}
		}
	}
	claimed := map[string]bool{}
	for _, y := range subjects {
		claimed[y.Line.BudgetLine] = true
	}
	for _, b := range budget {
		if line, shared := ruleLine(p, b, c.Funder, reported[b.ID]); shared || claimed[b.ID] {
			in.Budget = append(in.Budget, line)
		}
	}
	for _, y := range subjects {
		line := rules.ClaimLine{Key: claims.LineName(c.Project, c.ID, y.Line.ID), BudgetLine: domain.LineName(p.ID, y.Line.BudgetLine), Amount: y.Line.Accepted()}
		if e := y.Expenditure; e != nil {
			line.Key = e.Name()
			describe(&line, e)
			in.Organisation.VATRecoverable = in.Organisation.VATRecoverable || e.Document.VATRecoverable
		} else {
			line.DocumentDate, line.PaymentDate, line.Description = c.End, c.End, fmt.Sprintf("flat rate, %s", y.Line.Category)
		}
		in.Claim.Lines = append(in.Claim.Lines, line)
	}
	return in, nil
}

func describe(line *rules.ClaimLine, e *domain.Expenditure) {
	d := e.Document
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

// ruleLine is a budget line as the rules see it; false where the funder has no
// share of it.
func ruleLine(p *domain.Project, b *domain.Line, funder string, reported int64) (rules.BudgetLine, bool) {
	out := rules.BudgetLine{Key: b.Name(), Organisation: b.Organisation, Category: b.Category, Description: b.Description, Method: string(b.Method),
		Amount: b.Amount.Minor, Reported: reported, Spent: b.Spent.Minor}
	for _, y := range b.Funding(p).Shares {
		if y.Fund == funder {
			out.FunderShare = int64(y.BasisPoints)
		}
	}
	if b.WorkPackage != "" {
		out.WorkPackage = domain.TaskName(p.ID, b.WorkPackage)
	}
	if b.Flat != nil {
		out.Rate, out.Base = int64(b.Flat.Rate), string(b.Flat.Base)
	}
	if b.Unit != nil {
		out.Units, out.UnitPrice = b.Unit.Units, b.Unit.Price.Minor
	}
	return out, out.FunderShare > 0
}

// choices reads the ways of counting cost that a claim's organisation has chosen
// in its other projects under rules of the same programme.
func (s *Server) choices(ctx context.Context, tx *sqldb.Tx, c *claims.Claim, set *rules.Set) ([]rules.Choice, error) {
	all, err := store.CostChoices(ctx, tx, c.Organisation, c.Project, rules.MaxChoices)
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
