package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/catalogue/internal/store"
)

// serviceOfferingKind is what service offerings have of their own.
var serviceOfferingKind = &entryKind[*cataloguev1.ServiceOffering]{
	kind:    domain.KindServiceOffering,
	field:   "service_offering",
	schema:  store.EntrySchema("mode"),
	toProto: serviceOfferingToProto,
	body:    serviceOfferingBody,
	published: func(m *cataloguev1.ServiceOffering) proto.Message {
		return &cataloguev1.ServiceOfferingPublished{ServiceOffering: m}
	},
	archived: func(name string) proto.Message { return &cataloguev1.ServiceOfferingArchived{ServiceOffering: name} },
}

type serviceOfferingServer struct {
	cataloguev1.UnimplementedServiceOfferingServiceServer
	*entryServer
}

func (s serviceOfferingServer) CreateServiceOffering(ctx context.Context, req *cataloguev1.CreateServiceOfferingRequest) (*cataloguev1.ServiceOffering, error) {
	return createEntry(ctx, s.entryServer, serviceOfferingKind, req, req.GetServiceOffering())
}

func (s serviceOfferingServer) GetServiceOffering(ctx context.Context, req *cataloguev1.GetServiceOfferingRequest) (*cataloguev1.ServiceOffering, error) {
	return getEntry(ctx, s.entryServer, serviceOfferingKind, req.GetName())
}

func (s serviceOfferingServer) ListServiceOfferings(ctx context.Context, req *cataloguev1.ListServiceOfferingsRequest) (*cataloguev1.ListServiceOfferingsResponse, error) {
	items, next, err := listEntries(ctx, s.entryServer, serviceOfferingKind, req)
	if err != nil {
		return nil, err
	}
	return &cataloguev1.ListServiceOfferingsResponse{ServiceOfferings: items, NextPageToken: next}, nil
}

func (s serviceOfferingServer) UpdateServiceOffering(ctx context.Context, req *cataloguev1.UpdateServiceOfferingRequest) (*cataloguev1.ServiceOffering, error) {
	return updateEntry(ctx, s.entryServer, serviceOfferingKind, req, req.GetServiceOffering(), req.GetUpdateMask())
}

func (s serviceOfferingServer) PublishServiceOffering(ctx context.Context, req *cataloguev1.PublishServiceOfferingRequest) (*cataloguev1.ServiceOffering, error) {
	return changeEntry(ctx, s.entryServer, serviceOfferingKind, req, publishEntry)
}

func (s serviceOfferingServer) ArchiveServiceOffering(ctx context.Context, req *cataloguev1.ArchiveServiceOfferingRequest) (*cataloguev1.ServiceOffering, error) {
	return changeEntry(ctx, s.entryServer, serviceOfferingKind, req, archiveEntry)
}

func (s serviceOfferingServer) RestoreServiceOffering(ctx context.Context, req *cataloguev1.RestoreServiceOfferingRequest) (*cataloguev1.ServiceOffering, error) {
	return changeEntry(ctx, s.entryServer, serviceOfferingKind, req, restoreEntry(req.GetTargetState()))
}

func serviceOfferingToProto(e *domain.Entry) *cataloguev1.ServiceOffering {
	b, c := e.Body.(*domain.ServiceOffering), commonOf(e)
	return &cataloguev1.ServiceOffering{
		Name: c.name, Organisation: c.organisation, Title: c.title, Description: c.description, State: c.state,
		Visibility: c.visibility, Category: c.category, Sectors: c.sectors, Tags: c.tags, Territories: c.territories,
		ValidFrom: c.validFrom, ValidUntil: c.validUntil, Attributes: c.attributes, Licence: c.licence,
		AssuredDate: c.assuredDate, CreateTime: c.createTime, UpdateTime: c.updateTime, PublishTime: c.publishTime, Etag: c.etag,

		Availability:    enumOf[cataloguev1.OfferingAvailability](cataloguev1.OfferingAvailability_value, b.Availability),
		Provider:        b.Provider,
		Mode:            enumOf[cataloguev1.OfferingMode](cataloguev1.OfferingMode_value, b.Mode),
		DurationMinutes: int32(b.DurationMinutes),
		Eligibility:     textToProto(b.Eligibility),
		NeedCategories:  b.NeedCategories,
		Languages:       b.Languages,
	}
}

func serviceOfferingBody(m *cataloguev1.ServiceOffering, _ domain.Body) domain.Body {
	return &domain.ServiceOffering{
		Availability:    enumName[domain.OfferingAvailability](m.GetAvailability()),
		Provider:        m.GetProvider(),
		Mode:            enumName[domain.OfferingMode](m.GetMode()),
		DurationMinutes: int64(m.GetDurationMinutes()),
		Eligibility:     textFromProto(m.GetEligibility()),
		NeedCategories:  m.GetNeedCategories(),
		Languages:       m.GetLanguages(),
	}
}
