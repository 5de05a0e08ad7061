package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/catalogue/internal/store"
	"github.com/trama-suite/trama/services/platform/page"
)

// eventKind is what events have of their own.
var eventKind = &entryKind[*cataloguev1.Event]{
	kind:  domain.KindEvent,
	field: "event",
	schema: store.EntrySchema("kind",
		page.Column{Field: "start_time", SQL: "starts", Kind: page.Time, Orderable: true}),
	toProto:   eventToProto,
	body:      eventBody,
	published: func(m *cataloguev1.Event) proto.Message { return &cataloguev1.EventPublished{Event: m} },
	archived:  func(name string) proto.Message { return &cataloguev1.EventArchived{Event: name} },
}

type eventServer struct {
	cataloguev1.UnimplementedEventServiceServer
	*entryServer
}

func (s eventServer) CreateEvent(ctx context.Context, req *cataloguev1.CreateEventRequest) (*cataloguev1.Event, error) {
	return createEntry(ctx, s.entryServer, eventKind, req, req.GetEvent())
}

func (s eventServer) GetEvent(ctx context.Context, req *cataloguev1.GetEventRequest) (*cataloguev1.Event, error) {
	return getEntry(ctx, s.entryServer, eventKind, req.GetName())
}

func (s eventServer) ListEvents(ctx context.Context, req *cataloguev1.ListEventsRequest) (*cataloguev1.ListEventsResponse, error) {
	items, next, err := listEntries(ctx, s.entryServer, eventKind, req)
	if err != nil {
		return nil, err
	}
	return &cataloguev1.ListEventsResponse{Events: items, NextPageToken: next}, nil
}

func (s eventServer) UpdateEvent(ctx context.Context, req *cataloguev1.UpdateEventRequest) (*cataloguev1.Event, error) {
	return updateEntry(ctx, s.entryServer, eventKind, req, req.GetEvent(), req.GetUpdateMask())
}

func (s eventServer) PublishEvent(ctx context.Context, req *cataloguev1.PublishEventRequest) (*cataloguev1.Event, error) {
	return changeEntry(ctx, s.entryServer, eventKind, req, publishEntry)
}

func (s eventServer) ArchiveEvent(ctx context.Context, req *cataloguev1.ArchiveEventRequest) (*cataloguev1.Event, error) {
	return changeEntry(ctx, s.entryServer, eventKind, req, archiveEntry)
}

func (s eventServer) RestoreEvent(ctx context.Context, req *cataloguev1.RestoreEventRequest) (*cataloguev1.Event, error) {
	return changeEntry(ctx, s.entryServer, eventKind, req, restoreEntry(req.GetTargetState()))
}

func eventToProto(e *domain.Entry) *cataloguev1.Event {
	b, c := e.Body.(*domain.Event), commonOf(e)
	return &cataloguev1.Event{
		Name: c.name, Organisation: c.organisation, Title: c.title, Description: c.description, State: c.state,
		Visibility: c.visibility, Category: c.category, Sectors: c.sectors, Tags: c.tags, Territories: c.territories,
		ValidFrom: c.validFrom, ValidUntil: c.validUntil, Attributes: c.attributes, Licence: c.licence,
		AssuredDate: c.assuredDate, CreateTime: c.createTime, UpdateTime: c.updateTime, PublishTime: c.publishTime, Etag: c.etag,

		Kind:       enumOf[cataloguev1.EventKind](cataloguev1.EventKind_value, b.EventKind),
		StartTime:  timeToProto(b.StartTime),
		EndTime:    timeToProto(b.EndTime),
		TimeZone:   b.TimeZone,
		Place:      b.Place,
		Link:       b.Link,
		Seats:      int32(b.Seats),
		Organisers: b.Organisers,
		Themes:     b.Themes,
	}
}

func eventBody(m *cataloguev1.Event, _ domain.Body) domain.Body {
	zone := m.GetTimeZone()
	if zone == "" {
		zone = domain.DefaultTimeZone
	}
	return &domain.Event{
		EventKind:  enumName[domain.EventKind](m.GetKind()),
		StartTime:  instantOf(m.GetStartTime()),
		EndTime:    instantOf(m.GetEndTime()),
		TimeZone:   zone,
		Place:      m.GetPlace(),
		Link:       m.GetLink(),
		Seats:      int64(m.GetSeats()),
		Organisers: m.GetOrganisers(),
		Themes:     m.GetThemes(),
	}
}
