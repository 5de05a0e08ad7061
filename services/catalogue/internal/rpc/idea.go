package rpc

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/catalogue/internal/store"
)

// ideaKind is what ideas have of their own.
var ideaKind = &entryKind[*cataloguev1.Idea]{
	kind:      domain.KindIdea,
	field:     "idea",
	schema:    store.EntrySchema("stage"),
	toProto:   ideaToProto,
	body:      ideaBody,
	published: func(m *cataloguev1.Idea) proto.Message { return &cataloguev1.IdeaPublished{Idea: m} },
	archived:  func(name string) proto.Message { return &cataloguev1.IdeaArchived{Idea: name} },
}

type ideaServer struct {
	cataloguev1.UnimplementedIdeaServiceServer
	*entryServer
}

func (s ideaServer) CreateIdea(ctx context.Context, req *cataloguev1.CreateIdeaRequest) (*cataloguev1.Idea, error) {
	return createEntry(ctx, s.entryServer, ideaKind, req, req.GetIdea())
}

func (s ideaServer) GetIdea(ctx context.Context, req *cataloguev1.GetIdeaRequest) (*cataloguev1.Idea, error) {
	return getEntry(ctx, s.entryServer, ideaKind, req.GetName())
}

func (s ideaServer) ListIdeas(ctx context.Context, req *cataloguev1.ListIdeasRequest) (*cataloguev1.ListIdeasResponse, error) {
	items, next, err := listEntries(ctx, s.entryServer, ideaKind, req)
	if err != nil {
		return nil, err
	}
	return &cataloguev1.ListIdeasResponse{Ideas: items, NextPageToken: next}, nil
}

func (s ideaServer) UpdateIdea(ctx context.Context, req *cataloguev1.UpdateIdeaRequest) (*cataloguev1.Idea, error) {
	return updateEntry(ctx, s.entryServer, ideaKind, req, req.GetIdea(), req.GetUpdateMask())
}

func (s ideaServer) PublishIdea(ctx context.Context, req *cataloguev1.PublishIdeaRequest) (*cataloguev1.Idea, error) {
	return changeEntry(ctx, s.entryServer, ideaKind, req, publishEntry)
}

func (s ideaServer) ArchiveIdea(ctx context.Context, req *cataloguev1.ArchiveIdeaRequest) (*cataloguev1.Idea, error) {
	return changeEntry(ctx, s.entryServer, ideaKind, req, archiveEntry)
}

func (s ideaServer) RestoreIdea(ctx context.Context, req *cataloguev1.RestoreIdeaRequest) (*cataloguev1.Idea, error) {
	return changeEntry(ctx, s.entryServer, ideaKind, req, restoreEntry(req.GetTargetState()))
}

// AdvanceIdea moves an idea one stage on.
func (s ideaServer) AdvanceIdea(ctx context.Context, req *cataloguev1.AdvanceIdeaRequest) (*cataloguev1.Idea, error) {
	return changeEntry(ctx, s.entryServer, ideaKind, req, func(e *domain.Entry, now time.Time) ([]domain.Change, error) {
		return e.Advance(domain.Advance{
			To:              enumName[domain.IdeaStage](req.GetStage()),
			Reason:          req.GetReason(),
			Project:         req.GetProject(),
			ServiceOffering: req.GetServiceOffering(),
		}, now)
	})
}

func ideaToProto(e *domain.Entry) *cataloguev1.Idea {
	b, c := e.Body.(*domain.Idea), commonOf(e)
	var steps []*cataloguev1.IdeaStep
	for _, s := range b.Steps {
		steps = append(steps, &cataloguev1.IdeaStep{
			From:   enumOf[cataloguev1.IdeaStage](cataloguev1.IdeaStage_value, s.From),
			To:     enumOf[cataloguev1.IdeaStage](cataloguev1.IdeaStage_value, s.To),
			Reason: s.Reason,
			Time:   timeToProto(s.Time),
		})
	}
	return &cataloguev1.Idea{
		Name: c.name, Organisation: c.organisation, Title: c.title, Description: c.description, State: c.state,
		Visibility: c.visibility, Category: c.category, Sectors: c.sectors, Tags: c.tags, Territories: c.territories,
		ValidFrom: c.validFrom, ValidUntil: c.validUntil, Attributes: c.attributes, Licence: c.licence,
		AssuredDate: c.assuredDate, CreateTime: c.createTime, UpdateTime: c.updateTime, PublishTime: c.publishTime, Etag: c.etag,

		Stage:               enumOf[cataloguev1.IdeaStage](cataloguev1.IdeaStage_value, b.Stage),
		Project:             b.Project,
		ServiceOffering:     b.ServiceOffering,
		Steps:               steps,
		TargetBeneficiaries: b.TargetBeneficiaries,
	}
}

func ideaBody(m *cataloguev1.Idea, before domain.Body) domain.Body {
	idea := &domain.Idea{Stage: domain.StageIdea}
	if was, ok := before.(*domain.Idea); ok {
		// The stage and what hangs on it change by AdvanceIdea only.
		*idea = *was
	}
	idea.TargetBeneficiaries = m.GetTargetBeneficiaries()
	return idea
}
