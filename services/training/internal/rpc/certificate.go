package rpc

import (
	"context"
	"crypto/rand"
	"strings"

	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
	"github.com/trama-suite/trama/services/training/internal/store"
)

// IssueCertificate implements trainingv1.CertificateServiceServer.
func (s *Server) IssueCertificate(ctx context.Context, req *trainingv1.IssueCertificateRequest) (*trainingv1.Certificate, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Certificate, error) {
		n, err := s.store.Enrolment(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		e, err := s.lockedEdition(ctx, tx, n.Edition, n.Name, now)
		if err != nil {
			return nil, err
		}
		issued, err := s.store.CertificateOf(ctx, tx, n.Name)
		if err != nil {
			return nil, err
		}
		if issued != nil {
			return certificateTo(issued), nil
		}
		if n, err = s.store.Enrolment(ctx, tx, n.Name); err != nil {
			return nil, err
		}
		earlier, err := s.store.Earlier(ctx, tx, n)
		if err != nil {
			return nil, err
		}
		c, err := domain.NewCertificate(n, e, earlier, e.Use.Minutes)
		if err != nil {
			return nil, err
		}
		// 26 letters and digits, 130 random bits: knowing the code is the right to ask.
		c.Name, c.Code, c.Issued = s.name("certificates"), rand.Text(), now
		if err := s.store.InsertCertificate(ctx, tx, c); err != nil {
			return nil, err
		}
		return certificateTo(c), nil
	})
}

// GetCertificate implements trainingv1.CertificateServiceServer.
func (s *Server) GetCertificate(ctx context.Context, req *trainingv1.GetCertificateRequest) (*trainingv1.Certificate, error) {
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Certificate, error) {
		c, err := s.store.Certificate(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		if v := readerOf(ctx); !v.managed().Covers(c.Organisation) {
			own, err := s.ownOrAdministered(ctx, tx, v, c.Learner, c.LearnerOrganisation)
			if err != nil {
				return nil, err
			}
			if !own {
				return nil, errs.AbsentResource(c.Name)
			}
		}
		return certificateTo(c), nil
	})
}

// ListCertificates implements trainingv1.CertificateServiceServer.
func (s *Server) ListCertificates(ctx context.Context, req *trainingv1.ListCertificatesRequest) (*trainingv1.ListCertificatesResponse, error) {
	var args []any
	where := auth.ScopeFrom(ctx).Where("organisation", &args)
	plan, err := store.Certificates.Plan(req, auth.CallerFrom(ctx).Subject)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.ListCertificatesResponse, error) {
		list, next, err := s.store.ListCertificates(ctx, tx, plan, where, args)
		return &trainingv1.ListCertificatesResponse{Certificates: convert(list, certificateTo), NextPageToken: next}, err
	})
}

// VerifyCertificate implements trainingv1.CertificateServiceServer.
func (s *Server) VerifyCertificate(ctx context.Context, req *trainingv1.VerifyCertificateRequest) (*trainingv1.CertificateVerification, error) {
	code := strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(req.GetCode()))
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.CertificateVerification, error) {
		c, err := s.store.CertificateBy(ctx, tx, code)
		if err != nil {
			return nil, err
		}
		if c == nil {
			return nil, errs.New(errs.NotFound, errs.Absent, "no certificate has this code")
		}
		out := &trainingv1.CertificateVerification{
			Number: c.Number, Organisation: c.Organisation, Title: textTo(c.Title),
			AttendedMinutes: int32(c.Attended), ScheduledMinutes: int32(c.Scheduled), IssueTime: timeTo(c.Issued),
		}
		l, err := s.store.Learner(ctx, tx, c.Learner)
		switch {
		case errs.KindOf(err) == errs.NotFound:
		case err != nil:
			return nil, err
		default:
			out.HolderInitials = l.Initials()
		}
		return out, nil
	})
}
