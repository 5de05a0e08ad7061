package projects_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// fetch reads a file that is streamed, with its type and its name.
func fetch(stream grpc.ServerStreamingClient[httpbody.HttpBody], err error) (content []byte, mediaType, name string, _ error) {
	if err != nil {
		return nil, "", "", err
	}
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, "", "", err
		}
		if len(content) == 0 {
			mediaType = m.GetContentType()
		}
		content = append(content, m.GetData()...)
	}
	h, err := stream.Header()
	if d := h.Get("content-disposition"); len(d) == 1 {
		name = strings.TrimPrefix(d[0], "attachment; filename=")
	}
	return content, mediaType, name, err
}

func (s *suite) exportBudget(as context.Context, p *projectsv1.Project, f projectsv1.ExportFormat, language string) ([]byte, error) {
	b, media, name, err := fetch(s.ExportBudget(as, &projectsv1.ExportBudgetRequest{Name: p.GetName(), Format: f, LanguageCode: language}))
	if err == nil && (f == projectsv1.ExportFormat_EXPORT_FORMAT_CSV) != (media == "text/csv; charset=utf-8" && name == "budget.csv") {
		s.t.Errorf("%s as %s for %s", name, media, f)
	}
	return b, err
}

func table(t *testing.T, b []byte, sheet string) [][]string {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return must[[][]string](t)(f.GetRows(sheet))
}

func column(t *testing.T, rows [][]string, header string) []string {
	t.Helper()
	at := slices.Index(rows[0], header)
	if at < 0 {
		t.Fatalf("no column %q in %q", header, rows[0])
	}
	var out []string
	for _, r := range rows[1:] {
		if at < len(r) {
			out = append(out, r[at])
		} else {
			out = append(out, "")
		}
	}
	return out
}

func TestTheBudgetIsExported(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		w := build(t, s)
		rows := table(t, must[[]byte](t)(s.exportBudget(s.As(manager, leader), w.p, 0, "")), "Budget")
		if got := column(t, rows, "Previsto EUR"); !slices.Equal(got, []string{"10.00", "10.00", "10.00", "30.00"}) {
			t.Errorf("planned %v", got)
		}
		if got := column(t, rows, "Speso"); !slices.Equal(got, []string{"15.00", "15.00", "15.00", "45.00"}) {
			t.Errorf("spent %v", got)
		}
		if got := column(t, rows, "Residuo"); got[0] != "-5.00" || got[3] != "-15.00" {
			t.Errorf("left %v", got)
		}
		if funder, own := column(t, rows, "Fondazione Esempio (f1)"), column(t, rows, "Quota propria"); funder[3] != "15.00" || own[3] != "15.00" {
			t.Errorf("funder %v, own %v", funder, own)
		}
		if got := column(t, rows, "Categoria"); got[0] != "Personale" || rows[4][0] != "Totale" {
			t.Errorf("categories %v, last row %v", got, rows[4])
		}
		// A partner's file has its own costs only, and sums those.
		b := must[[]byte](t)(s.exportBudget(s.As(partner, member), w.p, projectsv1.ExportFormat_EXPORT_FORMAT_CSV, "en"))
		own := must[[][]string](t)(csv.NewReader(bytes.NewReader(b)).ReadAll())
		if len(own) != 3 || own[1][0] != member || own[2][0] != "Total" || column(t, own, "Spent")[1] != "15.00" || strings.Contains(string(b), other) {
			t.Errorf("a partner's export: %q", own)
		}
		_, err := s.exportBudget(s.As(manager, stranger), w.p, 0, "")
		refused(t, err, codes.NotFound, errs.Absent)
		_, err = s.exportBudget(s.As(manager, leader), w.p, 0, "fr")
		refused(t, err, codes.InvalidArgument, errs.InvalidRequest)
	})
}

func TestThePortfolioIsExported(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		w := build(t, s)
		second := s.project(func(p *projectsv1.Project) { p.Title = text("=cmd|' /C calc'!A0"); p.Territory = "it-25" })
		export := func(req *projectsv1.ExportPortfolioRequest) [][]string {
			b, _, name, err := fetch(s.ExportPortfolio(s.As(operator, ""), req))
			if err != nil {
				t.Fatal(err)
			}
			if req.GetFormat() != projectsv1.ExportFormat_EXPORT_FORMAT_CSV {
				if name != "portafoglio.xlsx" {
					t.Errorf("name %s", name)
				}
				return table(t, b, "Portafoglio")
			}
			r := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(b), "\ufeff")))
			r.Comma = ';'
			return must[[][]string](t)(r.ReadAll())
		}
		rows := export(&projectsv1.ExportPortfolioRequest{})
		if names := column(t, rows, "Progetto"); !slices.Equal(names, []string{w.p.GetName(), second.GetName(), "Totale"}) {
			t.Errorf("projects %v", names)
		}
		if spent, granted := column(t, rows, "Speso"), column(t, rows, "Finanziato"); spent[0] != "45.00" || spent[2] != "45.00" || granted[2] != "200,000.00" {
			t.Errorf("spent %v, granted %v", spent, granted)
		}
		if titles := column(t, rows, "Titolo"); titles[1] != second.GetTitle().GetText() {
			t.Errorf("titles %q", titles)
		}
		lines := export(&projectsv1.ExportPortfolioRequest{Territory: "it-25", Format: projectsv1.ExportFormat_EXPORT_FORMAT_CSV})
		if titles := column(t, lines, "Titolo"); len(titles) != 2 || titles[0] != "'=cmd|' /C calc'!A0" || column(t, lines, "Finanziato")[1] != "100000,00" {
			t.Errorf("%q", lines)
		}
		for _, as := range []context.Context{s.As(manager, leader), s.As(funder, bank)} {
			_, _, _, err := fetch(s.ExportPortfolio(as, &projectsv1.ExportPortfolioRequest{}))
			refused(t, err, codes.PermissionDenied, errs.RoleMissing)
		}
	})
}

func TestTheClosingReportIsTheLeads(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		w := build(t, s)
		report := func(as context.Context) ([]byte, error) {
			b, media, name, err := fetch(s.DownloadClosingReport(as, &projectsv1.DownloadClosingReportRequest{Name: w.p.GetName()}))
			if err == nil && (media != "application/pdf" || name != "rapporto-finale.pdf") {
				t.Errorf("%s, %s", media, name)
			}
			return b, err
		}
		b := must[[]byte](t)(report(s.As(manager, leader)))
		if !bytes.HasPrefix(b, []byte("%PDF-1.")) || len(b) < 3000 {
			t.Errorf("%d bytes", len(b))
		}
		if again := must[[]byte](t)(report(s.As(auditor, ""))); !bytes.Equal(again, b) {
			t.Error("the same data give other bytes")
		}
		_, err := report(s.As(manager, member))
		refused(t, err, codes.PermissionDenied, domain.LeadOnly)
		_, err = report(s.As(partner, leader))
		refused(t, err, codes.PermissionDenied, errs.RoleMissing)
		_, err = report(s.As(manager, stranger))
		refused(t, err, codes.NotFound, errs.Absent)
	})
}

// The export goes over the projects page by page and loses none.
func TestThePortfolioIsExportedWhole(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		const n = 1003 // more than a page
		p := s.project()
		if err := s.DB.Write(t.Context(), copies(p.GetName(), n-1)); err != nil {
			t.Fatal(err)
		}
		b, _, _, err := fetch(s.ExportPortfolio(s.As(operator, ""), &projectsv1.ExportPortfolioRequest{Format: projectsv1.ExportFormat_EXPORT_FORMAT_CSV, LanguageCode: "en"}))
		if err != nil {
			t.Fatal(err)
		}
		rows := must[[][]string](t)(csv.NewReader(bytes.NewReader(b)).ReadAll())
		if granted := column(t, rows, "Granted"); len(granted) != n+1 || granted[n] != fmt.Sprintf("%d.00", n*100_000) {
			t.Errorf("%d rows, total %s", len(granted)-1, granted[len(granted)-1])
		}
	})
}

// copies makes so many copies of a project, with its money and nothing else.
func copies(name string, n int) func(ctx context.Context, tx *sqldb.Tx) error {
	return func(ctx context.Context, tx *sqldb.Tx) error {
		for i := range n {
			tx.Queue(`INSERT INTO projects (id, organisation, match_name, currency, phase, territory, start_date, end_date, closed, granted, planned, spent, version, created, updated, doc)
				SELECT $1, organisation, NULL, currency, phase, territory, start_date, end_date, closed, granted, planned, spent, version, created, updated, doc FROM projects WHERE id = $2`,
				fmt.Sprintf("ffffffff-0000-7000-8000-%012d", i), strings.TrimPrefix(name, "projects/"))
		}
		return nil
	}
}
