package store

import (
	"context"
	"fmt"

	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
)

// Certificates are the columns that lists of certificates filter and order by.
var Certificates = page.New(
	page.Column{Field: "name", SQL: "name"},
	page.Column{Field: "organisation", SQL: "organisation", Orderable: true},
	page.Column{Field: "course", SQL: "course", Orderable: true},
	page.Column{Field: "edition", SQL: "edition", Orderable: true},
	page.Column{Field: "enrolment", SQL: "enrolment", Orderable: true},
	page.Column{Field: "learner", SQL: "learner", Orderable: true},
	page.Column{Field: "number", SQL: "number", Orderable: true},
	page.Column{Field: "issue_time", SQL: "issued", Kind: page.Time, Orderable: true},
)

const certificateColumns = "name, enrolment, organisation, learner, learner_organisation, edition, course, number, code, issued, doc"

// certificateDoc is what of a certificate has no column.
type certificateDoc struct {
	Title       domain.Text         `json:"title"`
	Attended    int                 `json:"attended"`
	Scheduled   int                 `json:"scheduled"`
	Percent     int                 `json:"percent"`
	Competences []domain.Competence `json:"competences,omitempty"`
}

func scanCertificate(scan func(dest ...any) error) (*domain.Certificate, error) {
	var c domain.Certificate
	var issued int64
	var doc string
	err := scan(&c.Name, &c.Enrolment, &c.Organisation, &c.Learner, &c.LearnerOrganisation, &c.Edition, &c.Course, &c.Number, &c.Code, &issued, &doc)
	if err != nil {
		return nil, err
	}
	var d certificateDoc
	if err := unpack(c.Name, doc, &d); err != nil {
		return nil, err
	}
	c.Title, c.Attended, c.Scheduled, c.Percent, c.Competences = d.Title, d.Attended, d.Scheduled, d.Percent, d.Competences
	c.Issued = sqldb.Time(issued)
	return &c, nil
}

// InsertCertificate gives a certificate the issuer's next number of the year and
// writes it. Issuers number without gaps: whoever comes second waits for the
// first to commit.
func (s *Store) InsertCertificate(ctx context.Context, tx *sqldb.Tx, c *domain.Certificate) error {
	year := int64(c.Issued.Year())
	tx.Queue(`INSERT INTO certificate_numbers (organisation, year, last) VALUES ($1, $2, 1)
		ON CONFLICT (organisation, year) DO UPDATE SET last = certificate_numbers.last + 1`, c.Organisation, year)
	var last int64
	if err := tx.QueryRow(ctx, "SELECT last FROM certificate_numbers WHERE organisation = $1 AND year = $2", c.Organisation, year).Scan(&last); err != nil {
		return err
	}
	c.Number = fmt.Sprintf("%d/%06d", year, last)
	tx.Queue("INSERT INTO certificates ("+certificateColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
		c.Name, c.Enrolment, c.Organisation, c.Learner, c.LearnerOrganisation, c.Edition, c.Course, c.Number, c.Code, sqldb.Micros(c.Issued),
		pack(certificateDoc{Title: c.Title, Attended: c.Attended, Scheduled: c.Scheduled, Percent: c.Percent, Competences: c.Competences}))
	return nil
}

// Certificate reads a certificate.
func (s *Store) Certificate(ctx context.Context, tx *sqldb.Tx, name string) (*domain.Certificate, error) {
	c, err := scanCertificate(tx.QueryRow(ctx, "SELECT "+certificateColumns+" FROM certificates WHERE name = $1", name).Scan)
	return c, found(name, err)
}

// CertificateOf reads the certificate of an enrolment; nil where there is none.
func (s *Store) CertificateOf(ctx context.Context, tx *sqldb.Tx, enrolment string) (*domain.Certificate, error) {
	return maybe(scanCertificate(tx.QueryRow(ctx, "SELECT "+certificateColumns+" FROM certificates WHERE enrolment = $1", enrolment).Scan))
}

// CertificateBy reads the certificate with a verification code; nil where there is none.
func (s *Store) CertificateBy(ctx context.Context, tx *sqldb.Tx, code string) (*domain.Certificate, error) {
	return maybe(scanCertificate(tx.QueryRow(ctx, "SELECT "+certificateColumns+" FROM certificates WHERE code = $1", code).Scan))
}

// ListCertificates reads a page of certificates that meet a condition.
func (s *Store) ListCertificates(ctx context.Context, tx *sqldb.Tx, p *page.Plan, where string, args []any) ([]*domain.Certificate, string, error) {
	return page.List(ctx, tx, p, page.Select{Columns: certificateColumns, From: "certificates", Where: where, Args: args}, scanCertificate)
}
