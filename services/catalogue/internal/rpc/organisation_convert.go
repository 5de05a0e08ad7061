package rpc

import (
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/platform/rpc"
)

func organisationToProto(o *domain.Organisation) *cataloguev1.Organisation {
	p := &o.Profile
	out := &cataloguev1.Organisation{
		Name:          o.Name,
		DisplayName:   textToProto(p.DisplayName),
		Description:   textToProto(p.Description),
		LegalForm:     cataloguev1.LegalForm(cataloguev1.LegalForm_value[p.LegalForm]),
		Territory:     territoryToProto(p.Territory),
		Sectors:       p.Sectors,
		ParentNetwork: p.ParentNetwork,
		Website:       p.Website,
		Attributes:    p.Attributes,
		Licence:       p.Licence,
		Source:        p.Source,
		AssuredDate:   p.AssuredDate,
		State:         cataloguev1.OrganisationState(cataloguev1.OrganisationState_value[string(o.State)]),
		CreateTime:    timeToProto(o.CreateTime),
		UpdateTime:    timeToProto(o.UpdateTime),
		PublishTime:   timeToProto(o.PublishTime),
		Etag:          rpc.Etag(o.Version),
	}
	for _, kind := range p.Kinds {
		out.Kinds = append(out.Kinds, cataloguev1.OrganisationKind(cataloguev1.OrganisationKind_value[kind]))
	}
	for _, id := range p.Identifiers {
		out.Identifiers = append(out.Identifiers, &cataloguev1.Identifier{
			Type:  cataloguev1.IdentifierType(cataloguev1.IdentifierType_value[string(id.Type)]),
			Value: id.Value, Scheme: id.Scheme,
		})
	}
	for _, c := range p.Contacts {
		out.Contacts = append(out.Contacts, &cataloguev1.Contact{Label: c.Label, Email: c.Email, Phone: c.Phone})
	}
	return out
}

func territoryToProto(t domain.Territory) *cataloguev1.Territory {
	return &cataloguev1.Territory{
		CountryCode: t.Country, RegionCode: t.Region, NutsCode: t.NUTS,
		MunicipalityCode: t.MunicipalityCode, MunicipalityDate: t.MunicipalityDate,
		Municipality: t.Municipality, Province: t.Province,
	}
}

func profileFromProto(o *cataloguev1.Organisation) domain.Profile {
	p := domain.Profile{
		DisplayName:   textFromProto(o.GetDisplayName()),
		Description:   textFromProto(o.GetDescription()),
		LegalForm:     o.GetLegalForm().String(),
		Territory:     territoryFromProto(o.GetTerritory()),
		Sectors:       o.GetSectors(),
		ParentNetwork: o.GetParentNetwork(),
		Website:       o.GetWebsite(),
		Attributes:    o.GetAttributes(),
		Licence:       o.GetLicence(),
		Source:        o.GetSource(),
		AssuredDate:   o.GetAssuredDate(),
	}
	for _, kind := range o.GetKinds() {
		p.Kinds = append(p.Kinds, kind.String())
	}
	for _, id := range o.GetIdentifiers() {
		p.Identifiers = append(p.Identifiers, identifierFromProto(id.GetType(), id.GetValue(), id.GetScheme()))
	}
	for _, c := range o.GetContacts() {
		p.Contacts = append(p.Contacts, domain.Contact{Label: c.GetLabel(), Email: c.GetEmail(), Phone: c.GetPhone()})
	}
	return p
}

func territoryFromProto(t *cataloguev1.Territory) domain.Territory {
	return domain.Territory{
		Country: t.GetCountryCode(), Region: t.GetRegionCode(), NUTS: t.GetNutsCode(),
		MunicipalityCode: t.GetMunicipalityCode(), MunicipalityDate: t.GetMunicipalityDate(),
		Municipality: t.GetMunicipality(), Province: t.GetProvince(),
	}
}

func identifierFromProto(kind cataloguev1.IdentifierType, value, scheme string) domain.Identifier {
	return domain.Identifier{Type: domain.IdentifierType(kind.String()), Value: value, Scheme: scheme}
}
