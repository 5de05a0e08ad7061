package rpc

import (
	"context"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/catalogue/internal/store"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// vocabularyServer implements VocabularyService; the methods on terms are in
// term.go.
type vocabularyServer struct {
	cataloguev1.UnimplementedVocabularyServiceServer
	Base
}

// CreateVocabulary implements VocabularyService.
func (s *vocabularyServer) CreateVocabulary(ctx context.Context, req *cataloguev1.CreateVocabularyRequest) (*cataloguev1.Vocabulary, error) {
	in := req.GetVocabulary()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*cataloguev1.Vocabulary, error) {
		v, err := domain.NewVocabulary(ids.Name("vocabularies", s.NewID()), in.GetCode(), in.GetVersion(), vocabularyFromProto(in), s.now())
		if err != nil {
			return nil, under("vocabulary", err)
		}
		fresh, err := store.InsertVocabulary(ctx, tx, v)
		if err != nil {
			return nil, err
		}
		if !fresh {
			return nil, errs.New(errs.AlreadyExists, errs.Exists, "the vocabulary %s has a version %s already", v.Code, v.Edition)
		}
		return vocabularyToProto(v), nil
	})
}

// GetVocabulary implements VocabularyService.
func (s *vocabularyServer) GetVocabulary(ctx context.Context, req *cataloguev1.GetVocabularyRequest) (*cataloguev1.Vocabulary, error) {
	if err := checkName("name", vocabularyName, req.GetName()); err != nil {
		return nil, err
	}
	var v *domain.Vocabulary
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		v, err = existingVocabulary(ctx, tx, req.GetName())
		return err
	})
	if err != nil {
		return nil, err
	}
	return vocabularyToProto(v), nil
}

// ListVocabularies implements VocabularyService.
func (s *vocabularyServer) ListVocabularies(ctx context.Context, req *cataloguev1.ListVocabulariesRequest) (*cataloguev1.ListVocabulariesResponse, error) {
	plan, err := store.Vocabularies.Plan(req)
	if err != nil {
		return nil, err
	}
	resp := &cataloguev1.ListVocabulariesResponse{}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		list, next, err := store.ListVocabularies(ctx, tx, plan)
		resp.NextPageToken = next
		for _, v := range list {
			resp.Vocabularies = append(resp.Vocabularies, vocabularyToProto(v))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// UpdateVocabulary implements VocabularyService.
func (s *vocabularyServer) UpdateVocabulary(ctx context.Context, req *cataloguev1.UpdateVocabularyRequest) (*cataloguev1.Vocabulary, error) {
	patch := req.GetVocabulary()
	if err := checkName("vocabulary.name", vocabularyName, patch.GetName()); err != nil {
		return nil, err
	}
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*cataloguev1.Vocabulary, error) {
		v, err := existingVocabulary(ctx, tx, patch.GetName())
		if err != nil {
			return nil, err
		}
		if err := rpc.CheckEtag(v.Name, patch.GetEtag(), v.Version); err != nil {
			return nil, err
		}
		merged, err := rpc.UpdateMask("vocabulary", vocabularyToProto(v), patch, req.GetUpdateMask())
		if err != nil {
			return nil, err
		}
		was := v.Version
		if err := v.Update(vocabularyFromProto(merged), s.now()); err != nil {
			return nil, under("vocabulary", err)
		}
		if v.Version != was {
			if err := store.SaveVocabulary(ctx, tx, v, was); err != nil {
				return nil, err
			}
		}
		return vocabularyToProto(v), nil
	})
}

func existingVocabulary(ctx context.Context, tx *sqldb.Tx, name string) (*domain.Vocabulary, error) {
	v, err := store.Vocabulary(ctx, tx, name)
	if err == nil && v == nil {
		err = errs.AbsentResource(name)
	}
	return v, err
}

func vocabularyToProto(v *domain.Vocabulary) *cataloguev1.Vocabulary {
	p := &v.Profile
	return &cataloguev1.Vocabulary{
		Name: v.Name, Code: v.Code, Version: v.Edition,
		Title: textToProto(p.Title), Description: textToProto(p.Description), Source: p.Source, Licence: p.Licence,
		ValidFrom: p.ValidFrom, ValidTo: p.ValidTo,
		CreateTime: timeToProto(v.CreateTime), UpdateTime: timeToProto(v.UpdateTime), Etag: rpc.Etag(v.Version),
	}
}

func vocabularyFromProto(v *cataloguev1.Vocabulary) domain.VocabularyProfile {
	return domain.VocabularyProfile{
		Title: textFromProto(v.GetTitle()), Description: textFromProto(v.GetDescription()),
		Source: v.GetSource(), Licence: v.GetLicence(), ValidFrom: v.GetValidFrom(), ValidTo: v.GetValidTo(),
	}
}
