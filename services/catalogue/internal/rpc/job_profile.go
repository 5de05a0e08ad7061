package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/catalogue/internal/store"
)

// jobProfileKind is what job profiles have of their own.
var jobProfileKind = &entryKind[*cataloguev1.JobProfile]{
	kind:      domain.KindJobProfile,
	field:     "job_profile",
	schema:    store.EntrySchema("area"),
	toProto:   jobProfileToProto,
	body:      jobProfileBody,
	published: func(m *cataloguev1.JobProfile) proto.Message { return &cataloguev1.JobProfilePublished{JobProfile: m} },
	archived:  func(name string) proto.Message { return &cataloguev1.JobProfileArchived{JobProfile: name} },
}

type jobProfileServer struct {
	cataloguev1.UnimplementedJobProfileServiceServer
	*entryServer
}

func (s jobProfileServer) CreateJobProfile(ctx context.Context, req *cataloguev1.CreateJobProfileRequest) (*cataloguev1.JobProfile, error) {
	return createEntry(ctx, s.entryServer, jobProfileKind, req, req.GetJobProfile())
}

func (s jobProfileServer) GetJobProfile(ctx context.Context, req *cataloguev1.GetJobProfileRequest) (*cataloguev1.JobProfile, error) {
	return getEntry(ctx, s.entryServer, jobProfileKind, req.GetName())
}

func (s jobProfileServer) ListJobProfiles(ctx context.Context, req *cataloguev1.ListJobProfilesRequest) (*cataloguev1.ListJobProfilesResponse, error) {
	items, next, err := listEntries(ctx, s.entryServer, jobProfileKind, req)
	if err != nil {
		return nil, err
	}
	return &cataloguev1.ListJobProfilesResponse{JobProfiles: items, NextPageToken: next}, nil
}

func (s jobProfileServer) UpdateJobProfile(ctx context.Context, req *cataloguev1.UpdateJobProfileRequest) (*cataloguev1.JobProfile, error) {
	return updateEntry(ctx, s.entryServer, jobProfileKind, req, req.GetJobProfile(), req.GetUpdateMask())
}

func (s jobProfileServer) PublishJobProfile(ctx context.Context, req *cataloguev1.PublishJobProfileRequest) (*cataloguev1.JobProfile, error) {
	return changeEntry(ctx, s.entryServer, jobProfileKind, req, publishEntry)
}

func (s jobProfileServer) ArchiveJobProfile(ctx context.Context, req *cataloguev1.ArchiveJobProfileRequest) (*cataloguev1.JobProfile, error) {
	return changeEntry(ctx, s.entryServer, jobProfileKind, req, archiveEntry)
}

func (s jobProfileServer) RestoreJobProfile(ctx context.Context, req *cataloguev1.RestoreJobProfileRequest) (*cataloguev1.JobProfile, error) {
	return changeEntry(ctx, s.entryServer, jobProfileKind, req, restoreEntry(req.GetTargetState()))
}

func jobProfileToProto(e *domain.Entry) *cataloguev1.JobProfile {
	b, c := e.Body.(*domain.JobProfile), commonOf(e)
	var competences []*cataloguev1.Competence
	for _, c := range b.Competences {
		competences = append(competences, &cataloguev1.Competence{
			Framework: c.Framework, Code: c.Code, Level: int32(c.Level),
		})
	}
	var duties []*typev1.LocalizedText
	for _, d := range b.Duties {
		duties = append(duties, textToProto(d))
	}
	return &cataloguev1.JobProfile{
		Name: c.name, Organisation: c.organisation, Title: c.title, Description: c.description, State: c.state,
		Visibility: c.visibility, Category: c.category, Sectors: c.sectors, Tags: c.tags, Territories: c.territories,
		ValidFrom: c.validFrom, ValidUntil: c.validUntil, Attributes: c.attributes, Licence: c.licence,
		AssuredDate: c.assuredDate, CreateTime: c.createTime, UpdateTime: c.updateTime, PublishTime: c.publishTime, Etag: c.etag,

		Area:        enumOf[cataloguev1.JobArea](cataloguev1.JobArea_value, b.Area),
		Competences: competences,
		Duties:      duties,
	}
}

func jobProfileBody(m *cataloguev1.JobProfile, _ domain.Body) domain.Body {
	profile := &domain.JobProfile{Area: enumName[domain.JobArea](m.GetArea())}
	for _, c := range m.GetCompetences() {
		profile.Competences = append(profile.Competences, domain.Competence{
			Framework: c.GetFramework(), Code: c.GetCode(), Level: int64(c.GetLevel()),
		})
	}
	for _, d := range m.GetDuties() {
		profile.Duties = append(profile.Duties, textFromProto(d))
	}
	return profile
}
