package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/catalogue/internal/store"
)

// solutionKind is what solutions have of their own.
var solutionKind = &entryKind[*cataloguev1.Solution]{
	kind:      domain.KindSolution,
	field:     "solution",
	schema:    store.EntrySchema("maturity"),
	toProto:   solutionToProto,
	body:      solutionBody,
	published: func(m *cataloguev1.Solution) proto.Message { return &cataloguev1.SolutionPublished{Solution: m} },
	archived:  func(name string) proto.Message { return &cataloguev1.SolutionArchived{Solution: name} },
}

type solutionServer struct {
	cataloguev1.UnimplementedSolutionServiceServer
	*entryServer
}

func (s solutionServer) CreateSolution(ctx context.Context, req *cataloguev1.CreateSolutionRequest) (*cataloguev1.Solution, error) {
	return createEntry(ctx, s.entryServer, solutionKind, req, req.GetSolution())
}

func (s solutionServer) GetSolution(ctx context.Context, req *cataloguev1.GetSolutionRequest) (*cataloguev1.Solution, error) {
	return getEntry(ctx, s.entryServer, solutionKind, req.GetName())
}

func (s solutionServer) ListSolutions(ctx context.Context, req *cataloguev1.ListSolutionsRequest) (*cataloguev1.ListSolutionsResponse, error) {
	items, next, err := listEntries(ctx, s.entryServer, solutionKind, req)
	if err != nil {
		return nil, err
	}
	return &cataloguev1.ListSolutionsResponse{Solutions: items, NextPageToken: next}, nil
}

func (s solutionServer) UpdateSolution(ctx context.Context, req *cataloguev1.UpdateSolutionRequest) (*cataloguev1.Solution, error) {
	return updateEntry(ctx, s.entryServer, solutionKind, req, req.GetSolution(), req.GetUpdateMask())
}

func (s solutionServer) PublishSolution(ctx context.Context, req *cataloguev1.PublishSolutionRequest) (*cataloguev1.Solution, error) {
	return changeEntry(ctx, s.entryServer, solutionKind, req, publishEntry)
}

func (s solutionServer) ArchiveSolution(ctx context.Context, req *cataloguev1.ArchiveSolutionRequest) (*cataloguev1.Solution, error) {
	return changeEntry(ctx, s.entryServer, solutionKind, req, archiveEntry)
}

func (s solutionServer) RestoreSolution(ctx context.Context, req *cataloguev1.RestoreSolutionRequest) (*cataloguev1.Solution, error) {
	return changeEntry(ctx, s.entryServer, solutionKind, req, restoreEntry(req.GetTargetState()))
}

func solutionToProto(e *domain.Entry) *cataloguev1.Solution {
	b, c := e.Body.(*domain.Solution), commonOf(e)
	return &cataloguev1.Solution{
		Name: c.name, Organisation: c.organisation, Title: c.title, Description: c.description, State: c.state,
		Visibility: c.visibility, Category: c.category, Sectors: c.sectors, Tags: c.tags, Territories: c.territories,
		ValidFrom: c.validFrom, ValidUntil: c.validUntil, Attributes: c.attributes, Licence: c.licence,
		AssuredDate: c.assuredDate, CreateTime: c.createTime, UpdateTime: c.updateTime, PublishTime: c.publishTime, Etag: c.etag,

		Maturity:            enumOf[cataloguev1.SolutionMaturity](cataloguev1.SolutionMaturity_value, b.Maturity),
		Technologies:        b.Technologies,
		TargetBeneficiaries: b.TargetBeneficiaries,
		PriceModel:          enumOf[cataloguev1.PriceModel](cataloguev1.PriceModel_value, b.PriceModel),
		PriceFrom:           moneyOf(b.PriceFrom),
		Languages:           b.Languages,
		Website:             b.Website,
		NeedCategories:      b.NeedCategories,
	}
}

func solutionBody(m *cataloguev1.Solution, _ domain.Body) domain.Body {
	return &domain.Solution{
		Maturity:            enumName[domain.SolutionMaturity](m.GetMaturity()),
		Technologies:        m.GetTechnologies(),
		TargetBeneficiaries: m.GetTargetBeneficiaries(),
		PriceModel:          enumName[domain.PriceModel](m.GetPriceModel()),
		PriceFrom:           amountOf(m.GetPriceFrom()),
		Languages:           m.GetLanguages(),
		Website:             m.GetWebsite(),
		NeedCategories:      m.GetNeedCategories(),
	}
}
