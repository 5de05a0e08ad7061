package catalogue_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/testkit"
)

func TestVocabularies(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		h := startHouse(t, open)
		t.Run("vocabularies", func(t *testing.T) { vocabularies(t, h) })
		t.Run("terms", func(t *testing.T) { terms(t, h) })
		t.Run("import", func(t *testing.T) { termImport(t, h) })
		t.Run("sectors", func(t *testing.T) { sectors(t, h) })
	})
}

func (h *house) vocabulary(t *testing.T, code string) string {
	t.Helper()
	v, err := h.vocabularies.CreateVocabulary(h.operator, &cataloguev1.CreateVocabularyRequest{
		Vocabulary: &cataloguev1.Vocabulary{Code: code, Version: "1", Title: italian(code)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return v.GetName()
}

func (h *house) term(t *testing.T, vocabulary string, term *cataloguev1.Term) string {
	t.Helper()
	out, err := h.vocabularies.CreateTerm(h.operator, &cataloguev1.CreateTermRequest{Parent: vocabulary, Term: term})
	if err != nil {
		t.Fatal(err)
	}
	return out.GetName()
}

func vocabularies(t *testing.T, h *house) {
	create := func(version string) (*cataloguev1.Vocabulary, error) {
		return h.vocabularies.CreateVocabulary(h.operator, &cataloguev1.CreateVocabularyRequest{Vocabulary: &cataloguev1.Vocabulary{
			Code: "ateco", Version: version, Title: italian("ATECO"), ValidFrom: "2008-01-01", Source: "ISTAT", Licence: "CC-BY-4.0",
		}})
	}
	v, err := create("2007")
	if err != nil {
		t.Fatal(err)
	}
	_, err = create("2007")
	refused(t, err, errs.AlreadyExists, errs.Exists, "")
	if _, err := create("2025"); err != nil {
		t.Fatal(err)
	}
	updated, err := h.vocabularies.UpdateVocabulary(h.operator, &cataloguev1.UpdateVocabularyRequest{
		Vocabulary: &cataloguev1.Vocabulary{Name: v.GetName(), ValidTo: "2025-03-31", Etag: v.GetEtag()},
	})
	if err != nil || updated.GetValidTo() != "2025-03-31" || updated.GetTitle().GetText() != "ATECO" {
		t.Fatalf("got %v, %v", updated, err)
	}
	read, err := h.vocabularies.GetVocabulary(h.Anonymous(), &cataloguev1.GetVocabularyRequest{Name: v.GetName()})
	if err != nil || !proto.Equal(read, updated) {
		t.Fatalf("got %v, %v", read, err)
	}
	_, err = h.vocabularies.UpdateVocabulary(h.operator, &cataloguev1.UpdateVocabularyRequest{
		Vocabulary: &cataloguev1.Vocabulary{Name: v.GetName(), ValidTo: "2007-12-31"},
	})
	refused(t, err, errs.Invalid, "DATE_WRONG", "vocabulary.valid_to")
	_, err = h.vocabularies.UpdateVocabulary(h.operator, &cataloguev1.UpdateVocabularyRequest{
		Vocabulary: &cataloguev1.Vocabulary{Name: v.GetName(), Code: "other"},
	})
	refused(t, err, errs.Invalid, errs.InvalidUpdateMask, "update_mask")
	_, err = h.vocabularies.CreateVocabulary(h.As(authzv1.Role_ROLE_AUDITOR, ""), &cataloguev1.CreateVocabularyRequest{})
	refused(t, err, errs.PermissionDenied, errs.RoleMissing, "")
	list, err := h.vocabularies.ListVocabularies(h.Anonymous(), &cataloguev1.ListVocabulariesRequest{Filter: `code = "ateco"`, OrderBy: "create_time desc"})
	if err != nil || len(list.GetVocabularies()) != 2 {
		t.Fatalf("got %v, %v", list, err)
	}
}

func terms(t *testing.T, h *house) {
	v, other := h.vocabulary(t, "sectors"), h.vocabulary(t, "other")
	a := h.term(t, v, &cataloguev1.Term{Code: "a", Label: italian("Cura")})
	b := h.term(t, v, &cataloguev1.Term{Code: "b", Label: italian("Anziani"), Broader: a})
	foreign := h.term(t, other, &cataloguev1.Term{Code: "a", Label: italian("Altro")})
	_, err := h.vocabularies.CreateTerm(h.operator, &cataloguev1.CreateTermRequest{Parent: v, Term: &cataloguev1.Term{Code: "a", Label: italian("x")}})
	refused(t, err, errs.AlreadyExists, errs.Exists, "")
	_, err = h.vocabularies.CreateTerm(h.operator, &cataloguev1.CreateTermRequest{Parent: v, Term: &cataloguev1.Term{Code: "c", Label: italian("x"), Broader: foreign}})
	refused(t, err, errs.Invalid, errs.ReferenceNotFound, "term.broader")

	under := func(name, broader string) error {
		_, err := h.vocabularies.UpdateTerm(h.operator, &cataloguev1.UpdateTermRequest{
			Term: &cataloguev1.Term{Name: name, Broader: broader}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"broader"}},
		})
		return err
	}
	refused(t, under(a, b), errs.Invalid, "PARENT_CYCLE", "term.broader")
	refused(t, under(a, a), errs.Invalid, "PARENT_CYCLE", "term.broader")
	if err := under(b, ""); err != nil {
		t.Fatal(err)
	}
	// Two terms that are put under each other at the same time.
	results := make([]error, 2)
	var group sync.WaitGroup
	for i, pair := range [][2]string{{a, b}, {b, a}} {
		group.Go(func() { results[i] = under(pair[0], pair[1]) })
	}
	group.Wait()
	if (results[0] == nil) == (results[1] == nil) {
		t.Fatalf("got %v", results)
	}
	list, err := h.vocabularies.ListTerms(h.Anonymous(), &cataloguev1.ListTermsRequest{Parent: v, Filter: `label:"nzian"`})
	if err != nil || len(list.GetTerms()) != 1 || list.GetTerms()[0].GetName() != b {
		t.Fatalf("got %v, %v", list, err)
	}
	_, err = h.vocabularies.ListTerms(h.Anonymous(), &cataloguev1.ListTermsRequest{Parent: "vocabularies/0190a8f0-0000-7000-8000-00000000ffff"})
	refused(t, err, errs.NotFound, errs.Absent, "")
}

func termImport(t *testing.T, h *house) {
	v := h.vocabulary(t, "cofog")
	entries := func(n int) []*cataloguev1.TermEntry {
		out := make([]*cataloguev1.TermEntry, n)
		for i := range out {
			out[i] = &cataloguev1.TermEntry{Code: fmt.Sprint(i + 1), Label: italian(fmt.Sprintf("Voce %d", i+1))}
			if i > 0 {
				out[i].BroaderCode = fmt.Sprint((i + 1) / 2)
			}
		}
		return out
	}
	run := func(dry bool, terms ...*cataloguev1.TermEntry) (*cataloguev1.ImportTermsResponse, error) {
		return h.vocabularies.ImportTerms(h.operator, &cataloguev1.ImportTermsRequest{Parent: v, Terms: terms, ValidateOnly: dry})
	}
	want := func(got *cataloguev1.ImportTermsResponse, err error, created, updated, unchanged int32) {
		t.Helper()
		if err != nil || got.GetCreated() != created || got.GetUpdated() != updated || got.GetUnchanged() != unchanged {
			t.Fatalf("got %v, %v; want %d created, %d updated, %d unchanged", got, err, created, updated, unchanged)
		}
	}
	const n = 1500
	got, err := run(true, entries(n)...)
	want(got, err, n, 0, 0)
	got, err = run(false, entries(n)...)
	want(got, err, n, 0, 0)
	got, err = run(false, entries(n)...)
	want(got, err, 0, 0, n)
	changed := entries(3)
	changed[1].Label.Text = "Altro"
	got, err = run(false, changed...)
	want(got, err, 0, 1, 2)

	// One wrong entry, and nothing is written.
	for field, c := range map[string]struct {
		reason errs.Reason
		entry  *cataloguev1.TermEntry
	}{
		"terms[1].broader_code":    {errs.ReferenceNotFound, &cataloguev1.TermEntry{Code: "x", Label: italian("x"), BroaderCode: "none"}},
		"terms[1].code":            {"LINE_REPEATED", &cataloguev1.TermEntry{Code: "new", Label: italian("x")}},
		"terms[1].valid_to":        {"DATE_WRONG", &cataloguev1.TermEntry{Code: "x", Label: italian("x"), ValidFrom: "2026-02-01", ValidTo: "2026-01-31"}},
		"terms[1].label.text":      {"TEXT_WRONG", &cataloguev1.TermEntry{Code: "x", Label: italian(" ")}},
		"terms[1].broader_code ()": {"PARENT_CYCLE", &cataloguev1.TermEntry{Code: "1", Label: italian("Voce 1"), BroaderCode: "3"}},
	} {
		if c.reason == "PARENT_CYCLE" {
			field = "terms[1].broader_code"
		}
		_, err := run(false, &cataloguev1.TermEntry{Code: "new", Label: italian("Nuova")}, c.entry)
		refused(t, err, errs.Invalid, c.reason, field)
		list, err := h.vocabularies.ListTerms(h.operator, &cataloguev1.ListTermsRequest{Parent: v, Filter: `code = "new"`})
		if err != nil || len(list.GetTerms()) != 0 {
			t.Fatalf("%s: something was written: %v, %v", c.reason, list, err)
		}
	}
}

func sectors(t *testing.T, h *house) {
	v := h.vocabulary(t, "activities")
	care := h.term(t, v, &cataloguev1.Term{Code: "care", Label: italian("Cura")})
	ends := h.term(t, v, &cataloguev1.Term{Code: "ends", Label: italian("Fino a domani"), ValidTo: "2026-01-06"})
	o := cooperative(200)
	o.Sectors = []string{care, ends}
	created := h.create(t, o)

	h.Clock.Advance(72 * time.Hour)
	update := func(sectors ...string) error {
		_, err := h.organisations.UpdateOrganisation(h.operator, &cataloguev1.UpdateOrganisationRequest{
			Organisation: &cataloguev1.Organisation{Name: created.GetName(), Sectors: sectors},
		})
		return err
	}
	// A term that has ended may stay, but not come.
	if err := errors.Join(update(ends), update(care)); err != nil {
		t.Fatal(err)
	}
	refused(t, update(care, ends), errs.Invalid, "TERM_NOT_IN_FORCE", "organisation.sectors[1]")
	refused(t, update(care, v+"/terms/0190a8f0-0000-7000-8000-00000000ffff"), errs.Invalid, errs.ReferenceNotFound, "organisation.sectors[1]")
	refused(t, update("organisations/x"), errs.Invalid, errs.ReferenceNotFound, "organisation.sectors[0]")
}
