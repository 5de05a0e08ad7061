package projects_test

import (
	"bytes"
	"context"
	"testing"

	"google.golang.org/grpc/codes"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
)

// The files that prove a cost are read by its partner and the lead, and by the
// funder as long as a claim with it stands.
func TestAFunderReadsTheFilesOfItsClaims(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.shared()
		l := s.line(p, member, 100_000)
		me, theirs := s.As(partner, member), s.As(funder, payer)
		f := s.uploaded(me, p, "fattura.pdf", pdf(1))
		foreign := s.uploaded(s.As(partner, other), p, "loro.pdf", pdf(2))
		must[*projectsv1.Expenditure](t)(s.CreateExpenditure(s.As(partner, other), &projectsv1.CreateExpenditureRequest{Parent: p.GetName(), Expenditure: func() *projectsv1.Expenditure {
			e := expenditure(s.line(p, other, 1_000), 10)
			e.Files = []string{foreign.GetName()}
			return e
		}()}))
		record := func(files ...string) (*projectsv1.Expenditure, error) {
			e := expenditure(l, 1_000)
			e.Files = files
			return s.CreateExpenditure(me, &projectsv1.CreateExpenditureRequest{Parent: p.GetName(), Expenditure: e})
		}
		for _, bad := range []string{foreign.GetName(), p.GetName() + "/files/00000000-0000-7000-8000-000000000009"} {
			_, err := record(bad)
			refused(t, err, codes.InvalidArgument, errs.ReferenceNotFound)
		}
		must[*projectsv1.Expenditure](t)(record(f.GetName()))
		c := s.claim(p, member, "f1")
		reads := func(as context.Context) error {
			got, err := s.download(as, f.GetName())
			if err == nil && !bytes.Equal(got, pdf(1)) {
				t.Error("another content")
			}
			return err
		}
		refused(t, reads(theirs), codes.NotFound, errs.Absent)
		s.submit(c)
		for _, as := range []context.Context{me, theirs, s.As(manager, leader)} {
			if err := reads(as); err != nil {
				t.Error(err)
			}
		}
		for _, as := range []context.Context{s.As(funder, otherPayer), s.As(partner, other), s.As(manager, stranger)} {
			refused(t, reads(as), codes.NotFound, errs.Absent)
		}
		_, err := s.DeleteFile(me, &projectsv1.DeleteFileRequest{Name: f.GetName()})
		if err == nil {
			t.Error("a file of a claim was deleted")
		}
		must[*projectsv1.Claim](t)(s.ReturnClaim(theirs, &projectsv1.ReturnClaimRequest{Name: c.GetName(), Reason: "x"}))
		refused(t, reads(theirs), codes.NotFound, errs.Absent)
	})
}
