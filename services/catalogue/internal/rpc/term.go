package rpc

import (
	"context"
	"strings"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/catalogue/internal/store"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// CreateTerm implements VocabularyService.
func (s *vocabularyServer) CreateTerm(ctx context.Context, req *cataloguev1.CreateTermRequest) (*cataloguev1.Term, error) {
	if err := checkName("parent", vocabularyName, req.GetParent()); err != nil {
		return nil, err
	}
	in := req.GetTerm()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*cataloguev1.Term, error) {
		if err := takeTurn(ctx, tx, req.GetParent()); err != nil {
			return nil, err
		}
		taken, err := store.TermCodeTaken(ctx, tx, req.GetParent(), in.GetCode())
		if err != nil {
			return nil, err
		}
		if taken {
			return nil, errs.New(errs.AlreadyExists, errs.Exists, "%s has a term with the code %s already", req.GetParent(), in.GetCode())
		}
		t, err := domain.NewTerm(ids.Name(req.GetParent(), "terms", s.NewID()), req.GetParent(), in.GetCode(), termFromProto(in), s.now())
		if err == nil {
			err = checkBroader(ctx, tx, t)
		}
		if err != nil {
			return nil, under("term", err)
		}
		if err := store.InsertTerm(tx, t); err != nil {
			return nil, err
		}
		return termToProto(t), nil
	})
}

// GetTerm implements VocabularyService.
func (s *vocabularyServer) GetTerm(ctx context.Context, req *cataloguev1.GetTermRequest) (*cataloguev1.Term, error) {
	if err := checkName("name", termName, req.GetName()); err != nil {
		return nil, err
	}
	var t *domain.Term
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		t, err = existingTerm(ctx, tx, req.GetName())
		return err
	})
	if err != nil {
		return nil, err
	}
	return termToProto(t), nil
}

// ListTerms implements VocabularyService.
func (s *vocabularyServer) ListTerms(ctx context.Context, req *cataloguev1.ListTermsRequest) (*cataloguev1.ListTermsResponse, error) {
	if err := checkName("parent", vocabularyName, req.GetParent()); err != nil {
		return nil, err
	}
	plan, err := store.Terms.Plan(req, req.GetParent())
	if err != nil {
		return nil, err
	}
	resp := &cataloguev1.ListTermsResponse{}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := existingVocabulary(ctx, tx, req.GetParent()); err != nil {
			return err
		}
		list, next, err := store.ListTerms(ctx, tx, plan, req.GetParent())
		resp.NextPageToken = next
		for _, t := range list {
			resp.Terms = append(resp.Terms, termToProto(t))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// UpdateTerm implements VocabularyService.
func (s *vocabularyServer) UpdateTerm(ctx context.Context, req *cataloguev1.UpdateTermRequest) (*cataloguev1.Term, error) {
	patch := req.GetTerm()
	if err := checkName("term.name", termName, patch.GetName()); err != nil {
		return nil, err
	}
	vocabulary, _, _ := strings.Cut(patch.GetName(), "/terms/")
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*cataloguev1.Term, error) {
		if err := takeTurn(ctx, tx, vocabulary); errs.KindOf(err) == errs.NotFound {
			return nil, errs.AbsentResource(patch.GetName())
		} else if err != nil {
			return nil, err
		}
		t, err := existingTerm(ctx, tx, patch.GetName())
		if err != nil {
			return nil, err
		}
		if err := rpc.CheckEtag(t.Name, patch.GetEtag(), t.Version); err != nil {
			return nil, err
		}
		merged, err := rpc.UpdateMask("term", termToProto(t), patch, req.GetUpdateMask())
		if err != nil {
			return nil, err
		}
		was, broader := t.Version, t.Profile.Broader
		err = t.Update(termFromProto(merged), s.now())
		if err == nil && t.Profile.Broader != broader {
			err = checkBroader(ctx, tx, t)
		}
		if err != nil {
			return nil, under("term", err)
		}
		if t.Version != was {
			if err := store.SaveTerm(ctx, tx, t, was); err != nil {
				return nil, err
			}
		}
		return termToProto(t), nil
	})
}

// takeTurn keeps other changes of a vocabulary's terms waiting.
func takeTurn(ctx context.Context, tx *sqldb.Tx, vocabulary string) error {
	exists, err := store.TakeVocabularyTurn(ctx, tx, vocabulary)
	if err == nil && !exists {
		err = errs.AbsentResource(vocabulary)
	}
	return err
}

// checkBroader refuses a broader term that is not of the vocabulary, or below
// the term itself.
func checkBroader(ctx context.Context, tx *sqldb.Tx, t *domain.Term) error {
	if t.Profile.Broader == "" {
		return nil
	}
	broader, err := store.BroaderTerms(ctx, tx, t.Vocabulary)
	if err != nil {
		return err
	}
	if _, exists := broader[t.Profile.Broader]; !exists {
		return errs.InvalidField(errs.ReferenceNotFound, "broader", "%s is not a term of %s", t.Profile.Broader, t.Vocabulary).
			With("resource", t.Profile.Broader)
	}
	broader[t.Name] = t.Profile.Broader
	if _, cycle := domain.FindCycle(broader); cycle {
		return errs.InvalidField(domain.ParentCycle, "broader", "%s is narrower than %s itself", t.Profile.Broader, t.Name)
	}
	return nil
}

func existingTerm(ctx context.Context, tx *sqldb.Tx, name string) (*domain.Term, error) {
	t, err := store.Term(ctx, tx, name)
	if err == nil && t == nil {
		err = errs.AbsentResource(name)
	}
	return t, err
}

func termToProto(t *domain.Term) *cataloguev1.Term {
	p := &t.Profile
	return &cataloguev1.Term{
		Name: t.Name, Code: t.Code, Label: textToProto(p.Label), Broader: p.Broader, ExternalCode: p.ExternalCode,
		ValidFrom: p.ValidFrom, ValidTo: p.ValidTo,
		CreateTime: timeToProto(t.CreateTime), UpdateTime: timeToProto(t.UpdateTime), Etag: rpc.Etag(t.Version),
	}
}

func termFromProto(t *cataloguev1.Term) domain.TermProfile {
	return domain.TermProfile{
		Label: textFromProto(t.GetLabel()), Broader: t.GetBroader(), ExternalCode: t.GetExternalCode(),
		ValidFrom: t.GetValidFrom(), ValidTo: t.GetValidTo(),
	}
}
