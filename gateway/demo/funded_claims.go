package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/trama-suite/trama/gateway/rest"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// fundedClaims takes a claim of every partner to every funder for every period
// from its draft to its payment.
func (l *loader) fundedClaims(ctx context.Context, w *world, who *cast, project *projectsv1.Project) error {
	if project.GetPhase() != projectsv1.Phase_PHASE_EXECUTION {
		return nil
	}
	for _, period := range fundedPeriods {
		for _, partner := range fundedPartners {
			for _, f := range patrons {
				if err := l.claim(ctx, who, project.GetName(), w.organisations[partner], partner, f, period[0]); err != nil {
					return fmt.Errorf("%s to %s, %s: %w", partner, f.key, period[0], err)
				}
			}
		}
	}
	return nil
}

// listClaims reads the claims that the caller may see and that were not withdrawn.
func (l *loader) listClaims(ctx context.Context, project string) ([]*projectsv1.Claim, error) {
	page := &projectsv1.ListClaimsResponse{}
	return list(ctx, l, "/v1/"+project+"/claims", `state != "CLAIM_STATE_WITHDRAWN"`, page, page.GetClaims)
}

// claim takes one claim all the way, from wherever it is.
func (l *loader) claim(ctx context.Context, who *cast, project, organisation, partner string, f patron, period string) error {
	all, err := l.listClaims(ctx, project)
	if err != nil {
		return err
	}
	key := "project/" + projectFunded + "/claim/" + partner + "/" + f.key + "/" + period
	c := &projectsv1.Claim{}
	for _, x := range all {
		if x.GetOrganisation() == organisation && x.GetFunder() == f.key && x.GetPeriod() == period {
			c = x
		}
	}
	claimant, controller := who.partners[partner], who.controllers[f.key]
	if c.GetName() == "" {
		in := &projectsv1.Claim{Organisation: organisation, Funder: f.key, Period: period, Final: period == secondYear}
		if err := claimant.post(ctx, "/v1/"+project+"/claims", key, in, c); err != nil {
			return err
		}
	}
	if c.GetState() == projectsv1.ClaimState_CLAIM_STATE_DRAFT {
		if err := claimant.prepare(ctx, project, partner, period, key, c); err != nil {
			return err
		}
	}
	if c.GetState() == projectsv1.ClaimState_CLAIM_STATE_SUBMITTED {
		if err := controller.post(ctx, "/v1/"+c.GetName()+":startControl", key+"/control", nil, c); err != nil {
			return err
		}
	}
	if c.GetState() == projectsv1.ClaimState_CLAIM_STATE_IN_CONTROL {
		if err := controller.control(ctx, project, f.key, period, key, c); err != nil {
			return err
		}
		if err := controller.post(ctx, "/v1/"+c.GetName()+":certify", key+"/certify", nil, c); err != nil {
			return err
		}
	}
	if c.GetState() != projectsv1.ClaimState_CLAIM_STATE_CERTIFIED {
		return nil
	}
	pay := &projectsv1.ClaimPayment{Kind: projectsv1.ClaimPaymentKind_CLAIM_PAYMENT_KIND_BALANCE, Amount: c.GetFunding(), Date: "2025-03-31", Reference: "Mandato campione"}
	return controller.post(ctx, "/v1/"+c.GetName()+":recordPayment", key+"/pay", &projectsv1.RecordClaimPaymentRequest{Payment: pay}, c)
}

// prepare collects the costs of a claim and hands it in. Where a cost is not
// eligible the claim is refused: the cost is corrected, with the reason that the
// platform gave, and the claim handed in again.
func (l *loader) prepare(ctx context.Context, project, partner, period, key string, c *projectsv1.Claim) error {
	if err := l.post(ctx, "/v1/"+c.GetName()+":collect", key+"/collect", nil, c); err != nil {
		return err
	}
	for _, x := range fundedCosts {
		if x.asked == 0 || x.period != period || lineOf(x.line).partner != partner {
			continue
		}
		have, err := l.expenditureNumbers(ctx, project)
		if err != nil {
			return err
		}
		wrong := have[x.number]
		if wrong.GetAmount().GetMinorUnits() == x.asked {
			if err := l.correct(ctx, key, c, wrong, x.amount); err != nil {
				return err
			}
		}
		if err := l.takeAgain(ctx, key, c, wrong, x.amount); err != nil {
			return err
		}
	}
	return l.post(ctx, "/v1/"+c.GetName()+":submit", key+"/submit", nil, c)
}

// correct hands in a claim with a cost that is not eligible, sees it refused, and
// records what of the cost is, with the reason of the refusal.
func (l *loader) correct(ctx context.Context, key string, c *projectsv1.Claim, wrong *projectsv1.Expenditure, eligible int64) error {
	err := l.post(ctx, "/v1/"+c.GetName()+":submit", key+"/too-much", nil, nil)
	problem, ok := errors.AsType[*rest.Problem](err)
	if !ok || problem.Reason != "CLAIM_BLOCKED" {
		return fmt.Errorf("a claim with a cost that is not eligible was answered with %w, not refused for it", orNone(err))
	}
	check := &projectsv1.CheckClaimResponse{}
	if err := l.post(ctx, "/v1/"+c.GetName()+":check", key+"/check", nil, check); err != nil {
		return err
	}
	var why []string
	for _, f := range check.GetFindings() {
		if f.GetSeverity() == projectsv1.ClaimFindingSeverity_CLAIM_FINDING_SEVERITY_BLOCK {
			why = append(why, f.GetMessage().GetText())
		}
	}
	return l.patch(ctx, "/v1/"+wrong.GetName(), &projectsv1.Expenditure{Amount: cents(eligible), AmountNote: strings.Join(why, " ")}, nil)
}

// takeAgain replaces the line of a corrected cost in a claim.
func (l *loader) takeAgain(ctx context.Context, key string, c *projectsv1.Claim, corrected *projectsv1.Expenditure, eligible int64) error {
	page := &projectsv1.ListClaimLinesResponse{}
	lines, err := list(ctx, l, "/v1/"+c.GetName()+"/lines", "", page, page.GetLines)
	if err != nil {
		return err
	}
	for _, x := range lines {
		if x.GetExpenditure() != corrected.GetName() || x.GetClaimed().GetMinorUnits() <= eligible {
			continue
		}
		if err := l.post(ctx, "/v1/"+c.GetName()+":removeLines", key+"/remove", &projectsv1.RemoveClaimLinesRequest{Lines: []string{x.GetName()}}, nil); err != nil {
			return err
		}
	}
	return l.post(ctx, "/v1/"+c.GetName()+":collect", key+"/collect-again", nil, c)
}

// control decides of the lines that are not accepted as they are.
func (l *loader) control(ctx context.Context, project, funder, period, key string, c *projectsv1.Claim) error {
	page := &projectsv1.ListClaimLinesResponse{}
	lines, err := list(ctx, l, "/v1/"+c.GetName()+"/lines", "", page, page.GetLines)
	if err != nil {
		return err
	}
	have, err := l.expenditureNumbers(ctx, project)
	if err != nil {
		return err
	}
	for _, x := range lines {
		number := ""
		for n, e := range have {
			if e.GetName() == x.GetExpenditure() {
				number = n
			}
		}
		r := rulingOf(funder, period, number)
		if r == nil || x.GetDecided() {
			continue
		}
		if r.cut > 0 {
			err = l.post(ctx, "/v1/"+x.GetName()+":correct", key+"/correct/"+slug(number), &projectsv1.CorrectClaimLineRequest{Cut: cents(r.cut), Reason: r.reason}, nil)
		} else {
			err = l.post(ctx, "/v1/"+x.GetName()+":park", key+"/park/"+slug(number), &projectsv1.ParkClaimLineRequest{Reason: r.reason}, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
