package projects_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain/document"
)

// fill records expenditures on a line, straight into the database.
func (s *suite) fill(l *projectsv1.BudgetLine, n int) {
	s.t.Helper()
	project, line := projectOf(l.GetName())[len("projects/"):], l.GetName()[len(l.GetName())-36:]
	if err := s.DB.Write(s.t.Context(), func(_ context.Context, tx *sqldb.Tx) error {
		for i := range n {
			d := document.Document{IssuerID: "01234567897", Number: fmt.Sprint("FT ", i), Date: "2026-02-02", Total: 12_200, Currency: "EUR"}
			tx.Queue(`INSERT INTO expenditures (id, project, organisation, line, document_date, document, document_key, document_total, amount, state, version, created, updated, doc)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'RECORDED', 1, 1, 1, $10)`,
				fmt.Sprintf("00000000-0000-7000-9000-%012d", i), project, l.GetOrganisation(), line, d.Date, d.Base(), d.Key(), d.Total, d.Total,
				fmt.Sprintf(`{"document":{"issuer":"Fornitore","issuerId":"01234567897","number":"FT %[1]d"},"recordedBy":"x","description":"servizi di prova",
					"files":["projects/%[2]s/files/00000000-0000-7000-8000-000000000002"],"payment":{"date":"2026-02-20","reference":"CRO 1","files":["projects/%[2]s/files/00000000-0000-7000-8000-000000000001"]}}`, i, project))
		}
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
}

// A claim of thousands of lines goes all the way, and pages.
func TestALargeClaim(t *testing.T) {
	const n = 2_000
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.shared(func(p *projectsv1.Project) {
			p.Funders[0].RuleSet, p.Funders[0].RuleSetVersion = "ruleSets/erdf-interreg-2021-27", 1
			p.Funders[0].Grant = eur(100_000_000)
		})
		l := must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: member, Category: external, Amount: eur(100_000_000)}))
		s.fill(l, n)
		me, controller := s.As(partner, member), s.As(funder, payer)
		timed := func(what string, run func()) {
			start := time.Now()
			run()
			t.Logf("%s of %d lines: %s", what, n, time.Since(start).Round(time.Millisecond))
		}
		var c *projectsv1.Claim
		timed("collect", func() { c = s.claim(p, member, "f1") })
		if c.GetLineCount() != n || c.GetClaimed().GetMinorUnits() != n*12_200 {
			t.Fatalf("collected %v", c)
		}
		for range 3 {
			timed("check", func() {
				if got := must[*projectsv1.CheckClaimResponse](t)(s.CheckClaim(me, &projectsv1.CheckClaimRequest{Name: c.GetName()})); got.GetBlocked() {
					t.Errorf("blocked by %v", got.GetFindings()[0])
				}
			})
		}
		timed("submit", func() { c = s.submit(c) })
		seen := 0
		for req := (&projectsv1.ListClaimLinesRequest{Parent: c.GetName(), PageSize: 1000}); ; {
			got := must[*projectsv1.ListClaimLinesResponse](t)(s.ListClaimLines(controller, req))
			seen += len(got.GetLines())
			if req.PageToken = got.GetNextPageToken(); req.PageToken == "" {
				break
			}
		}
		if seen != n {
			t.Errorf("%d lines by pages", seen)
		}
		must[*projectsv1.Claim](t)(s.StartClaimControl(controller, &projectsv1.StartClaimControlRequest{Name: c.GetName()}))
		timed("certify", func() {
			c = must[*projectsv1.Claim](t)(s.CertifyClaim(controller, &projectsv1.CertifyClaimRequest{Name: c.GetName()}))
		})
		if c.GetFunding().GetMinorUnits() != n*6_100 {
			t.Errorf("certified %v", c)
		}
	})
}
