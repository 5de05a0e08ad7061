package rpc

import (
	"context"
	"fmt"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/catalogue/internal/store"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// ImportTerms implements VocabularyService.
func (s *vocabularyServer) ImportTerms(ctx context.Context, req *cataloguev1.ImportTermsRequest) (*cataloguev1.ImportTermsResponse, error) {
	if err := checkName("parent", vocabularyName, req.GetParent()); err != nil {
		return nil, err
	}
	if req.GetValidateOnly() {
		var run *termImport
		err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
			if _, err = existingVocabulary(ctx, tx, req.GetParent()); err != nil {
				return err
			}
			run, err = s.planTerms(ctx, tx, req)
			return err
		})
		if err != nil {
			return nil, err
		}
		return run.counts(), nil
	}
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*cataloguev1.ImportTermsResponse, error) {
		if err := takeTurn(ctx, tx, req.GetParent()); err != nil {
			return nil, err
		}
		run, err := s.planTerms(ctx, tx, req)
		if err != nil {
			return nil, err
		}
		for _, t := range run.created {
			if err := store.InsertTerm(tx, t); err != nil {
				return nil, err
			}
		}
		for _, t := range run.updated {
			if err := store.SaveTerm(ctx, tx, t, t.Version-1); err != nil {
				return nil, err
			}
		}
		return run.counts(), nil
	})
}

// termImport is what an import of terms has to write.
type termImport struct {
	created, updated []*domain.Term
	unchanged        int32
}

func (r *termImport) counts() *cataloguev1.ImportTermsResponse {
	return &cataloguev1.ImportTermsResponse{
		Created: int32(len(r.created)), Updated: int32(len(r.updated)), Unchanged: r.unchanged,
	}
}

// planTerms works out what the import changes, and refuses it as a whole where
// anything in it is wrong.
func (s *vocabularyServer) planTerms(ctx context.Context, tx *sqldb.Tx, req *cataloguev1.ImportTermsRequest) (*termImport, error) {
	existing, err := store.TermsOf(ctx, tx, req.GetParent())
	if err != nil {
		return nil, err
	}
	byCode := make(map[string]*domain.Term, len(existing))
	names := make(map[string]string, len(existing)) // by code, of existing and new terms
	for _, t := range existing {
		byCode[t.Code], names[t.Code] = t, t.Name
	}
	lines := map[string]int{}
	for i, entry := range req.GetTerms() {
		if first, twice := lines[entry.GetCode()]; twice {
			return nil, errs.InvalidField(domain.LineRepeated, entryPath(i, "code"), "is the same as terms[%d].code", first)
		}
		lines[entry.GetCode()] = i
		if names[entry.GetCode()] == "" {
			names[entry.GetCode()] = ids.Name(req.GetParent(), "terms", s.NewID())
		}
	}
	run := &termImport{}
	for i, entry := range req.GetTerms() {
		if err := s.planTerm(run, byCode[entry.GetCode()], names, req.GetParent(), i, entry); err != nil {
			return nil, err
		}
	}
	return run, run.checkCycles(existing, lines)
}

func (s *vocabularyServer) planTerm(run *termImport, has *domain.Term, names map[string]string, vocabulary string, i int, entry *cataloguev1.TermEntry) error {
	profile := domain.TermProfile{
		Label: textFromProto(entry.GetLabel()), ExternalCode: entry.GetExternalCode(),
		ValidFrom: entry.GetValidFrom(), ValidTo: entry.GetValidTo(),
	}
	if code := entry.GetBroaderCode(); code != "" {
		if profile.Broader = names[code]; profile.Broader == "" {
			return errs.InvalidField(errs.ReferenceNotFound, entryPath(i, "broader_code"), "%s has no term with the code %s", vocabulary, code)
		}
	}
	if has == nil {
		t, err := domain.NewTerm(names[entry.GetCode()], vocabulary, entry.GetCode(), profile, s.now())
		if err != nil {
			return under(entryPath(i, ""), err)
		}
		run.created = append(run.created, t)
		return nil
	}
	was := has.Version
	if err := has.Update(profile, s.now()); err != nil {
		return under(entryPath(i, ""), err)
	}
	if has.Version == was {
		run.unchanged++
	} else {
		run.updated = append(run.updated, has)
	}
	return nil
}

// checkCycles looks for a cycle among the terms as they will be.
func (r *termImport) checkCycles(existing []*domain.Term, lines map[string]int) error {
	broader, codes := map[string]string{}, map[string]string{}
	for _, list := range [][]*domain.Term{existing, r.created} {
		for _, t := range list {
			broader[t.Name], codes[t.Name] = t.Profile.Broader, t.Code
		}
	}
	at, cycle := domain.FindCycle(broader)
	if !cycle {
		return nil
	}
	// The request has closed the cycle, so a term in it is one of its own.
	for {
		if i, ours := lines[codes[at]]; ours {
			return errs.InvalidField(domain.ParentCycle, entryPath(i, "broader_code"), "%s would be broader than itself", codes[at])
		}
		at = broader[at]
	}
}

func entryPath(i int, field string) string {
	if field == "" {
		return fmt.Sprintf("terms[%d]", i)
	}
	return fmt.Sprintf("terms[%d].%s", i, field)
}
