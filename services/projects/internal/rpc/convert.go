package rpc

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/money"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// word is an enum value's name without its prefix, empty for the unspecified
// one: what the domain and the database know it by.
func word[E ~int32](names map[int32]string, prefix string, e E) string {
	if e == 0 {
		return ""
	}
	return strings.TrimPrefix(names[int32(e)], prefix)
}

// value is the inverse of word.
func value[E ~int32, S ~string](values map[string]int32, prefix string, s S) E {
	return E(values[prefix+string(s)])
}

func phaseProto(p domain.Phase) projectsv1.Phase {
	return value[projectsv1.Phase](projectsv1.Phase_value, "PHASE_", p)
}

func timeProto(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func textOf(t *typev1.LocalizedText) domain.Text {
	return domain.Text{Text: t.GetText(), Language: t.GetLanguageCode(), Translations: t.GetTranslations()}
}

func textProto(t domain.Text) *typev1.LocalizedText {
	if t.Text == "" && t.Language == "" && len(t.Translations) == 0 {
		return nil
	}
	return &typev1.LocalizedText{Text: t.Text, LanguageCode: t.Language, Translations: t.Translations}
}

func moneyOf(m *typev1.Money) money.Amount {
	return money.Amount{Minor: m.GetMinorUnits(), Currency: m.GetCurrencyCode()}
}

func moneyProto(a money.Amount) *typev1.Money {
	return &typev1.Money{MinorUnits: a.Minor, CurrencyCode: a.Currency}
}

// childID is the last segment of a name, empty for an empty one. The name's
// shape was checked by its pattern; that it is of the same project is checked by
// sameProject.
func childID(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// sameProject reports whether a name is empty or of something in the project.
func sameProject(project, name string) bool {
	return name == "" || strings.HasPrefix(name, ids.Name("projects", project)+"/")
}

func projectProto(p *domain.Project) *projectsv1.Project {
	out := &projectsv1.Project{
		Name: p.Name(), Organisation: p.Lead, Title: textProto(p.Title), Acronym: p.Acronym, Cup: p.CUP, CurrencyCode: p.Currency,
		StartDate: string(p.Start), EndDate: string(p.End), Territory: p.Territory, Sectors: p.Sectors, Needs: p.Needs, Match: p.Match,
		Attributes: p.Attributes, Phase: phaseProto(p.Phase), CloseTime: timeProto(p.Closed),
		CreateTime: timeProto(p.Created), UpdateTime: timeProto(p.Updated), Etag: platform.Etag(p.Version),
	}
	out.Charter, out.Outcome = charterProto(p.Charter), value[projectsv1.Outcome](projectsv1.Outcome_value, "OUTCOME_", p.Outcome)
	out.GateTemplate = ids.Name("gateTemplates", p.Template)
	for _, o := range p.Objectives {
		out.Objectives = append(out.Objectives, textProto(o))
	}
	for _, f := range p.Funders {
		out.Funders = append(out.Funders, &projectsv1.Funder{DisplayName: f.DisplayName, Organisation: f.Organisation,
			Programme: f.Programme, Grant: moneyProto(f.Grant), ShareBasisPoints: f.Share,
			Key: f.Key, RuleSet: f.RuleSet, RuleSetVersion: f.RuleSetVersion,
			EligibleFromDate: string(f.EligibleFrom), EligibleToDate: string(f.EligibleTo), IndirectMethodology: f.IndirectMethodology})
	}
	for _, x := range p.Periods {
		out.ReportingPeriods = append(out.ReportingPeriods, &projectsv1.ReportingPeriod{Key: x.Key, StartDate: string(x.Start), EndDate: string(x.End),
			ReportDueDate: string(x.ReportDue), Closing: x.Closing})
	}
	for _, x := range p.Partners {
		role := projectsv1.PartnerRole_PARTNER_ROLE_PARTNER
		if x.Lead {
			role = projectsv1.PartnerRole_PARTNER_ROLE_LEAD
		}
		out.Partners = append(out.Partners, &projectsv1.Partner{Organisation: x.Organisation, Role: role, ShareBasisPoints: x.Share,
			VatTreatment: value[projectsv1.VatTreatment](projectsv1.VatTreatment_value, "VAT_TREATMENT_", x.VAT)})
	}
	for _, m := range p.Team {
		out.Team = append(out.Team, &projectsv1.TeamMember{Subject: m.Subject, Organisation: m.Organisation,
			Role: value[projectsv1.TeamRole](projectsv1.TeamRole_value, "TEAM_ROLE_", m.Role)})
	}
	for _, x := range p.Stakeholders {
		out.Stakeholders = append(out.Stakeholders, &projectsv1.Stakeholder{DisplayName: x.DisplayName, Engagement: x.Engagement,
			Needs: x.Needs, Expectations: x.Expectations,
			CurrentEngagement: value[projectsv1.Engagement](projectsv1.Engagement_value, "ENGAGEMENT_", x.Current),
			DesiredEngagement: value[projectsv1.Engagement](projectsv1.Engagement_value, "ENGAGEMENT_", x.Desired),
			Interest:          value[projectsv1.Level](projectsv1.Level_value, "LEVEL_", x.Interest),
			Influence:         value[projectsv1.Level](projectsv1.Level_value, "LEVEL_", x.Influence)})
	}
	return out
}

// publicProject is a project as events carry it.
func publicProject(p *domain.Project) *projectsv1.Project {
	out := projectProto(p)
	out.Team, out.Stakeholders, out.Charter = nil, nil, nil
	return out
}

func cardOf(m *projectsv1.Project) domain.Card {
	c := domain.Card{
		Title: textOf(m.GetTitle()), Acronym: m.GetAcronym(), CUP: m.GetCup(), Start: civil.Date(m.GetStartDate()), End: civil.Date(m.GetEndDate()),
		Territory: m.GetTerritory(), Sectors: m.GetSectors(), Needs: m.GetNeeds(), Attributes: m.GetAttributes(),
	}
	c.Charter = charterOf(m.GetCharter())
	for _, o := range m.GetObjectives() {
		c.Objectives = append(c.Objectives, textOf(o))
	}
	for _, f := range m.GetFunders() {
		c.Funders = append(c.Funders, domain.Funder{DisplayName: f.GetDisplayName(), Organisation: f.GetOrganisation(),
			Programme: f.GetProgramme(), Grant: moneyOf(f.GetGrant()), Share: f.GetShareBasisPoints(),
			Key: f.GetKey(), RuleSet: f.GetRuleSet(), RuleSetVersion: f.GetRuleSetVersion(),
			EligibleFrom: civil.Date(f.GetEligibleFromDate()), EligibleTo: civil.Date(f.GetEligibleToDate()), IndirectMethodology: f.GetIndirectMethodology()})
	}
	for _, x := range m.GetReportingPeriods() {
		c.Periods = append(c.Periods, domain.Period{Key: x.GetKey(), Start: civil.Date(x.GetStartDate()), End: civil.Date(x.GetEndDate()),
			ReportDue: civil.Date(x.GetReportDueDate()), Closing: x.GetClosing()})
	}
	for _, x := range m.GetPartners() {
		c.Partners = append(c.Partners, domain.Partner{Organisation: x.GetOrganisation(), Share: x.GetShareBasisPoints(),
			Lead: x.GetRole() == projectsv1.PartnerRole_PARTNER_ROLE_LEAD, VAT: word(projectsv1.VatTreatment_name, "VAT_TREATMENT_", x.GetVatTreatment())})
	}
	for _, x := range m.GetTeam() {
		c.Team = append(c.Team, domain.TeamMember{Subject: x.GetSubject(), Organisation: x.GetOrganisation(),
			Role: word(projectsv1.TeamRole_name, "TEAM_ROLE_", x.GetRole())})
	}
	for _, x := range m.GetStakeholders() {
		c.Stakeholders = append(c.Stakeholders, domain.Stakeholder{DisplayName: x.GetDisplayName(), Engagement: x.GetEngagement(),
			Needs: x.GetNeeds(), Expectations: x.GetExpectations(),
			Current:   word(projectsv1.Engagement_name, "ENGAGEMENT_", x.GetCurrentEngagement()),
			Desired:   word(projectsv1.Engagement_name, "ENGAGEMENT_", x.GetDesiredEngagement()),
			Interest:  word(projectsv1.Level_name, "LEVEL_", x.GetInterest()),
			Influence: word(projectsv1.Level_name, "LEVEL_", x.GetInfluence())})
	}
	return c
}
