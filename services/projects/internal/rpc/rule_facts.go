package rpc

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/claims"
	"github.com/trama-suite/trama/services/projects/internal/store"
	"github.com/trama-suite/trama/services/projects/rules"
)

// bodies are partners as the catalogue has them, by resource name. One that is
// not there is not known to the rules.
type bodies map[string]cataloguev1.LegalForm

// bodiesOf asks the catalogue for the partners of a project, where a rule of its
// funders asks for their legal forms. Not from within a transaction. claim is the
// id of one whose pinned rules count too, or empty.
func (s *Server) bodiesOf(ctx context.Context, project, claim string) (bodies, error) {
	var partners []string
	err := s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		p, err := store.Project(ctx, tx, project)
		if err != nil {
			return unless(err, nil) // whoever asks says so
		}
		pins := make([]domain.Funder, len(p.Funders), len(p.Funders)+1)
		copy(pins, p.Funders)
		if claim != "" {
			v, err := store.Claim(ctx, tx, project, claim)
			if err != nil {
				return unless(err, nil)
			}
			pins = append(pins, domain.Funder{RuleSet: v.RuleSet, RuleSetVersion: v.RuleSetVersion})
		}
		for _, f := range pins {
			set, err := s.rulesAt(ctx, tx, f.RuleSet, int64(f.RuleSetVersion))
			if err != nil {
				return err
			}
			if set != nil && slices.ContainsFunc(set.Reads(), asksForm) {
				partners = partnersOf(p)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := bodies{}
	for _, name := range partners {
		o, err := s.organisations.GetOrganisation(ctx, &cataloguev1.GetOrganisationRequest{Name: name})
		if err != nil && status.Code(err) != codes.NotFound {
			return nil, errs.New(errs.Unavailable, errs.ServiceDown, "the catalogue does not answer: try again").Because(err)
		}
		out[name] = o.GetLegalForm()
	}
	return out, nil
}

// asksForm reports whether what a rule reads follows from a legal form.
func asksForm(field string) bool {
	return strings.HasSuffix(field, ".kind") || strings.HasSuffix(field, ".profit")
}

// kind is the legal form of a body, empty where it is not known.
func (b bodies) kind(organisation string) string {
	if f := b[organisation]; f != cataloguev1.LegalForm_LEGAL_FORM_OTHER {
		return word(cataloguev1.LegalForm_name, "LEGAL_FORM_", f)
	}
	return ""
}

// profit tells whether a body works for profit, as far as its form says: of a
// consortium and of one whose form is not known it does not. Bodies of the third
// sector may not share out profits (legislative decree 117/2017, art. 8; social
// enterprises 112/2017, art. 3).
func (b bodies) profit(organisation string) *bool {
	switch b[organisation] {
	case cataloguev1.LegalForm_LEGAL_FORM_UNSPECIFIED, cataloguev1.LegalForm_LEGAL_FORM_OTHER, cataloguev1.LegalForm_LEGAL_FORM_CONSORTIUM:
		return nil
	case cataloguev1.LegalForm_LEGAL_FORM_COMPANY, cataloguev1.LegalForm_LEGAL_FORM_BENEFIT_COMPANY, cataloguev1.LegalForm_LEGAL_FORM_SOLE_TRADER:
		return new(true)
	}
	return new(false)
}

// recovers is what a partner has stated on its VAT; nil for nothing.
func recovers(p *domain.Project, organisation string) *bool {
	for _, x := range p.Partners {
		if x.Organisation == organisation && x.VAT != "" {
			return new(x.VAT == domain.VATRecovered)
		}
	}
	return nil
}

// projectFacts are what the rules of a funder see of a project, its budget and
// one partner: the lines that the funder has a share of, and those claimed, by
// id, whatever its share. reported is what earlier claims hold of the lines, paid are those
// claims to the funder that were paid.
func projectFacts(p *domain.Project, f domain.Funder, organisation string, set *rules.Set, budget []*domain.Line, claimed map[string]bool,
	reported map[string]int64, paid []*store.ClaimView, known bodies) rules.Input {
	in := rules.Input{
		Project: rules.Project{Name: p.Name(), Start: p.Start, End: p.End, Currency: p.Currency, Lead: p.Lead},
		Funder: rules.Funder{Key: f.Key, Title: f.DisplayName, Grant: f.Grant.Minor, EligibleFrom: f.EligibleFrom, EligibleTo: f.EligibleTo,
			IndirectMethodology: f.IndirectMethodology},
		Organisation: rules.Organisation{Name: organisation, Kind: known.kind(organisation), Profit: known.profit(organisation), VATRecoverable: recovers(p, organisation)},
	}
	for _, y := range p.Partners {
		in.Project.Partners = append(in.Project.Partners, rules.Partner{Organisation: y.Organisation, Kind: known.kind(y.Organisation), Profit: known.profit(y.Organisation)})
	}
	var payments []claims.Payment
	for _, y := range paid {
		payments = append(payments, y.Payments...)
	}
	slices.SortStableFunc(payments, func(a, b claims.Payment) int { return cmp.Compare(a.Date, b.Date) })
	for _, y := range payments {
		if y.Kind == claims.Advance {
			in.Funder.AdvancePaid += y.Amount
		} else {
			in.Funder.InterimsPaid = append(in.Funder.InterimsPaid, y.Amount)
		}
	}
	for _, b := range budget {
		if line, shared := ruleLine(p, b, f.Key, set, reported[b.ID]); shared || claimed[b.ID] {
			in.Budget = append(in.Budget, line)
		}
	}
	return in
}

// ruleLine is a budget line as the rules see it; false where the funder has no
// share of it.
func ruleLine(p *domain.Project, b *domain.Line, funder string, set *rules.Set, reported int64) (rules.BudgetLine, bool) {
	out := rules.BudgetLine{Key: b.Name(), Organisation: b.Organisation, Category: b.Category, Description: b.Description, Method: string(b.Method),
		Amount: b.Amount.Minor, Reported: reported, Spent: b.Spent.Minor}
	for _, y := range b.Funding(p).Shares {
		if y.Fund == funder {
			out.FunderShare = int64(y.BasisPoints)
		}
	}
	if c := b.Categories[funder]; set.HasCategory(c) { // it was one of the version of then
		out.FunderCategory = c
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

// ruleFinding is what a rule has found, still without its place.
func ruleFinding(set string, y *rules.Finding) claims.Finding {
	return claims.Finding{
		Rule: y.Rule, Set: set, Version: int32(y.Version), Block: y.Severity == rules.Block,
		Amount: y.Amount, Limit: y.Limit, Italian: y.Message.IT, English: y.Message.EN, Source: y.Source, Verified: y.Verified,
	}
}

// unknownFacts say in Italian and English what a rule lacked.
var unknownFacts = map[string][2]string{
	"line.vat_recoverable":         {"la dichiarazione IVA del partner", "the partner's statement on VAT"},
	"organisation.vat_recoverable": {"la dichiarazione IVA del partner", "the partner's statement on VAT"},
	"organisation.kind":            {"la forma giuridica dell'organizzazione", "the organisation's legal form"},
	"organisation.profit":          {"se l'organizzazione abbia scopo di lucro", "whether the organisation works for profit"},
	"partner.kind":                 {"la forma giuridica di un partner", "a partner's legal form"},
	"partner.profit":               {"se un partner abbia scopo di lucro", "whether a partner works for profit"},
}

// notEvaluated warns of the rules that could not be evaluated for want of a fact.
func notEvaluated(name string, set *rules.Set, report *rules.Report) []claims.Finding {
	var out []claims.Finding
	for i, y := range report.Outcomes {
		if len(y.Unknown) == 0 {
			continue
		}
		rule := &set.Document().Rules[i]
		var it, en []string
		for _, fact := range y.Unknown {
			it, en = append(it, unknownFacts[fact][0]+" ("+fact+")"), append(en, unknownFacts[fact][1]+" ("+fact+")")
		}
		out = append(out, claims.Finding{
			Rule: y.Rule, Set: name, Version: int32(report.Version), Source: rule.Source, Verified: *rule.Verified,
			Italian: "Regola non valutata, manca: " + strings.Join(it, ", ") + ".", English: "Rule not evaluated, for want of: " + strings.Join(en, ", ") + ".",
		})
	}
	return out
}
