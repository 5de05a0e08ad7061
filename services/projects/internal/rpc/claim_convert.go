package rpc

import (
	"context"
	"strings"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/claims"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// minor is an amount in the currency of a claim.
func minor(c *claims.Claim, amount int64) *typev1.Money {
	return &typev1.Money{MinorUnits: amount, CurrencyCode: c.Currency}
}

func optionalMinor(c *claims.Claim, amount *int64) *typev1.Money {
	if amount == nil {
		return nil
	}
	return minor(c, *amount)
}

func claimState(s claims.State) projectsv1.ClaimState {
	return value[projectsv1.ClaimState](projectsv1.ClaimState_value, "CLAIM_STATE_", s)
}

func claimProto(v *store.ClaimView) *projectsv1.Claim {
	c := v.Claim
	out := &projectsv1.Claim{
		Name: c.Name(), Organisation: c.Organisation, Funder: c.Funder, Period: c.Period, StartDate: string(c.Start), EndDate: string(c.End),
		Final: c.Final, Number: int32(c.Number), State: claimState(c.State), FunderOrganisation: c.FunderOrganisation, LineCount: int32(c.Lines),
		Claimed: minor(c, c.Claimed), Cut: minor(c, c.Cut), Parked: minor(c, c.Parked), Accepted: minor(c, c.Accepted()),
		Certified: minor(c, c.Certified), Funding: minor(c, c.Funding), OverGrant: minor(c, c.OverGrant), Paid: minor(c, c.Paid),
		RuleSet: c.RuleSet, RuleSetVersion: c.RuleSetVersion, WarningCount: int32(c.Warnings),
		ProjectTitle: textProto(v.Card.Title), ProjectCup: v.Card.CUP, SubmittedBy: c.SubmittedBy, CertifiedBy: c.CertifiedBy, Reason: c.Reason,
		SubmitTime: timeProto(c.SubmittedAt), CreateTime: timeProto(c.Created), UpdateTime: timeProto(c.Updated), Etag: platform.Etag(c.Version),
	}
	for _, x := range c.Payments {
		p := &projectsv1.ClaimPayment{
			Kind:   value[projectsv1.ClaimPaymentKind](projectsv1.ClaimPaymentKind_value, "CLAIM_PAYMENT_KIND_", x.Kind),
			Amount: minor(c, x.Amount), Date: string(x.Date), Reference: x.Reference, RecordedBy: x.RecordedBy, CreateTime: timeProto(x.At),
		}
		if x.Withheld > 0 {
			p.Withheld = minor(c, x.Withheld)
		}
		out.Payments = append(out.Payments, p)
	}
	return out
}

// eventClaim is a claim as events carry it: without who did what and all free
// text.
func eventClaim(v *store.ClaimView) *projectsv1.Claim {
	out := claimProto(v)
	out.ProjectTitle, out.SubmittedBy, out.CertifiedBy, out.Reason = nil, "", "", ""
	for _, p := range out.Payments {
		p.RecordedBy, p.Reference = "", ""
	}
	return out
}

func claimLineProto(c *claims.Claim) func(l *claims.Line) *projectsv1.ClaimLine {
	return func(l *claims.Line) *projectsv1.ClaimLine {
		out := &projectsv1.ClaimLine{
			Name: claims.LineName(c.Project, c.ID, l.ID), BudgetLine: domain.LineName(c.Project, l.BudgetLine), Category: l.Category,
			State:   value[projectsv1.ClaimLineState](projectsv1.ClaimLineState_value, "CLAIM_LINE_STATE_", l.State),
			Claimed: minor(c, l.Claimed), Cut: minor(c, l.Cut), Parked: minor(c, l.ParkedSum), Accepted: minor(c, l.Accepted()),
			Funding: minor(c, l.Funding), Paid: minor(c, l.Paid), ShareBasisPoints: l.Share, Decided: l.Decided, Reason: l.Reason,
			DecidedBy: l.DecidedBy, DecideTime: timeProto(l.DecidedAt), ParkedIn: l.ParkedIn, ReincludedIn: l.ReincludedIn,
		}
		if !l.Computed() {
			out.Expenditure = domain.ExpenditureName(c.Project, l.Expenditure)
		}
		return out
	}
}

func findingProto(ctx context.Context, c *claims.Claim) func(f claims.Finding) *projectsv1.ClaimFinding {
	return func(f claims.Finding) *projectsv1.ClaimFinding {
		out := &projectsv1.ClaimFinding{
			Rule: f.Rule, RuleSet: f.Set, RuleSetVersion: f.Version, Severity: projectsv1.ClaimFindingSeverity_CLAIM_FINDING_SEVERITY_WARN,
			Resource: f.Resource, Amount: optionalMinor(c, f.Amount), Limit: optionalMinor(c, f.Limit), Source: f.Source, Verified: f.Verified,
			Message: &typev1.LocalizedText{LanguageCode: "it", Text: f.Italian, Translations: map[string]string{"en": f.English}},
		}
		if f.Block {
			out.Severity = projectsv1.ClaimFindingSeverity_CLAIM_FINDING_SEVERITY_BLOCK
		}
		out.Places, out.Elsewhere = placesFor(ctx, f.Places)
		return out
	}
}

// placesFor names the places that the caller may see; elsewhere tells that there
// are others.
func placesFor(ctx context.Context, all []domain.SameDocument) (places []string, elsewhere bool) {
	for _, x := range all {
		if !seesPlace(ctx, x) {
			elsewhere = true
		} else if len(places) < mostPlaces {
			places = append(places, domain.ExpenditureName(x.Project, x.Expenditure))
		}
	}
	return places, elsewhere
}

func claimEventProto(c *claims.Claim) func(e claims.Event) *projectsv1.ClaimEvent {
	return func(e claims.Event) *projectsv1.ClaimEvent {
		out := &projectsv1.ClaimEvent{Sequence: e.Sequence, Time: timeProto(e.At), Actor: e.By, What: e.What, State: claimState(e.State),
			Amount: optionalMinor(c, e.Amount), Reason: e.Reason}
		if e.Line != "" {
			out.Line = claims.LineName(c.Project, c.ID, e.Line)
		}
		return out
	}
}

// listOf joins names for an error's metadata.
func listOf(names []string) string { return strings.Join(names, ",") }
