package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/catalogue/internal/store"
)

// needKind is what needs have of their own.
var needKind = &entryKind[*cataloguev1.Need]{
	kind:      domain.KindNeed,
	field:     "need",
	schema:    store.EntrySchema("urgency"),
	toProto:   needToProto,
	body:      needBody,
	published: func(m *cataloguev1.Need) proto.Message { return &cataloguev1.NeedPublished{Need: m} },
	archived:  func(name string) proto.Message { return &cataloguev1.NeedArchived{Need: name} },
}

type needServer struct {
	cataloguev1.UnimplementedNeedServiceServer
	*entryServer
}

func (s needServer) CreateNeed(ctx context.Context, req *cataloguev1.CreateNeedRequest) (*cataloguev1.Need, error) {
	return createEntry(ctx, s.entryServer, needKind, req, req.GetNeed())
}

func (s needServer) GetNeed(ctx context.Context, req *cataloguev1.GetNeedRequest) (*cataloguev1.Need, error) {
	return getEntry(ctx, s.entryServer, needKind, req.GetName())
}

func (s needServer) ListNeeds(ctx context.Context, req *cataloguev1.ListNeedsRequest) (*cataloguev1.ListNeedsResponse, error) {
	items, next, err := listEntries(ctx, s.entryServer, needKind, req)
	if err != nil {
		return nil, err
	}
	return &cataloguev1.ListNeedsResponse{Needs: items, NextPageToken: next}, nil
}

func (s needServer) UpdateNeed(ctx context.Context, req *cataloguev1.UpdateNeedRequest) (*cataloguev1.Need, error) {
	return updateEntry(ctx, s.entryServer, needKind, req, req.GetNeed(), req.GetUpdateMask())
}

func (s needServer) PublishNeed(ctx context.Context, req *cataloguev1.PublishNeedRequest) (*cataloguev1.Need, error) {
	return changeEntry(ctx, s.entryServer, needKind, req, publishEntry)
}

func (s needServer) ArchiveNeed(ctx context.Context, req *cataloguev1.ArchiveNeedRequest) (*cataloguev1.Need, error) {
	return changeEntry(ctx, s.entryServer, needKind, req, archiveEntry)
}

func (s needServer) RestoreNeed(ctx context.Context, req *cataloguev1.RestoreNeedRequest) (*cataloguev1.Need, error) {
	return changeEntry(ctx, s.entryServer, needKind, req, restoreEntry(req.GetTargetState()))
}

func needToProto(e *domain.Entry) *cataloguev1.Need {
	b, c := e.Body.(*domain.Need), commonOf(e)
	var evidence []*cataloguev1.NeedEvidence
	for _, e := range b.Evidence {
		evidence = append(evidence, &cataloguev1.NeedEvidence{
			Kind: enumOf[cataloguev1.EvidenceKind](cataloguev1.EvidenceKind_value, e.Kind), Date: e.Date, Note: e.Note, Source: e.Source,
		})
	}
	var constraints *cataloguev1.NeedConstraints
	if n := b.Constraints; n.BudgetCeiling != nil || n.Deadline != "" || len(n.Territories)+len(n.RequiredLanguages) > 0 {
		constraints = &cataloguev1.NeedConstraints{
			BudgetCeiling: moneyOf(n.BudgetCeiling), Deadline: n.Deadline, Territories: n.Territories, RequiredLanguages: n.RequiredLanguages,
		}
	}
	return &cataloguev1.Need{
		Name: c.name, Organisation: c.organisation, Title: c.title, Description: c.description, State: c.state,
		Visibility: c.visibility, Category: c.category, Sectors: c.sectors, Tags: c.tags, Territories: c.territories,
		ValidFrom: c.validFrom, ValidUntil: c.validUntil, Attributes: c.attributes, Licence: c.licence,
		AssuredDate: c.assuredDate, CreateTime: c.createTime, UpdateTime: c.updateTime, PublishTime: c.publishTime, Etag: c.etag,

		Evidence:       evidence,
		Urgency:        enumOf[cataloguev1.NeedUrgency](cataloguev1.NeedUrgency_value, b.Urgency),
		Constraints:    constraints,
		DesiredOutcome: textToProto(b.DesiredOutcome),
	}
}

func needBody(m *cataloguev1.Need, _ domain.Body) domain.Body {
	var evidence []domain.Evidence
	for _, e := range m.GetEvidence() {
		evidence = append(evidence, domain.Evidence{
			Kind: enumName[domain.EvidenceKind](e.GetKind()), Date: e.GetDate(), Note: e.GetNote(), Source: e.GetSource(),
		})
	}
	return &domain.Need{
		Evidence: evidence,
		Urgency:  enumName[domain.NeedUrgency](m.GetUrgency()),
		Constraints: domain.NeedConstraints{
			BudgetCeiling:     amountOf(m.GetConstraints().GetBudgetCeiling()),
			Deadline:          m.GetConstraints().GetDeadline(),
			Territories:       m.GetConstraints().GetTerritories(),
			RequiredLanguages: m.GetConstraints().GetRequiredLanguages(),
		},
		DesiredOutcome: textFromProto(m.GetDesiredOutcome()),
	}
}
