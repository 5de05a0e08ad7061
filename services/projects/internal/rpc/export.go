package rpc

import (
	"context"
	"io"
	"iter"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/funding"
	"github.com/trama-suite/trama/services/projects/internal/report"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

func languageOf(code string) report.Language {
	if code == string(report.English) {
		return report.English
	}
	return report.Italian
}

func formatOf(f projectsv1.ExportFormat) report.Format {
	if f == projectsv1.ExportFormat_EXPORT_FORMAT_CSV {
		return report.CSV
	}
	return report.XLSX
}

// in is a text in a language: as it was written, or the translation.
func in(l report.Language, t domain.Text) string {
	if s := t.Translations[string(l)]; s != "" {
		return s
	}
	return t.Text
}

// sendTable streams a table as a file.
func sendTable(stream grpc.ServerStreamingServer[httpbody.HttpBody], t *report.Table, name string, f report.Format, l report.Language) error {
	media, extension := f.Media()
	return send(stream, media, name+"."+extension, func(w io.Writer) error { return t.Write(w, f, l) })
}

// organisationNames asks the catalogue what organisations are called; one that it
// does not have is called by its resource name. Not from within a transaction.
func (s *Server) organisationNames(ctx context.Context, organisations []string) (map[string]string, error) {
	out := map[string]string{}
	for _, o := range organisations {
		if out[o] != "" || o == "" {
			continue
		}
		found, err := s.organisations.GetOrganisation(ctx, &cataloguev1.GetOrganisationRequest{Name: o})
		if err != nil && status.Code(err) != codes.NotFound {
			return nil, errs.New(errs.Unavailable, errs.ServiceDown, "the catalogue does not answer: try again").Because(err)
		}
		if out[o] = found.GetDisplayName().GetText(); out[o] == "" {
			out[o] = o
		}
	}
	return out, nil
}

// ExportPortfolio writes the projects of the network as a table.
func (s *Server) ExportPortfolio(req *projectsv1.ExportPortfolioRequest, stream grpc.ServerStreamingServer[httpbody.HttpBody]) error {
	ctx, l := stream.Context(), languageOf(req.GetLanguageCode())
	selection := store.Selection{Organisation: req.GetOrganisation(), Territory: req.GetTerritory(), Programme: req.GetProgramme()}
	currencies, err := read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) ([]string, error) {
		return store.Currencies(ctx, tx, selection)
	})
	if err != nil {
		return err
	}
	t := &report.Table{Title: l.Pick("Portafoglio", "Portfolio"), Columns: portfolioColumns(l), Rows: s.portfolioRows(ctx, selection, l)}
	if len(currencies) == 1 {
		t.Total = l.Pick("Totale", "Total")
	}
	return sendTable(stream, t, l.Pick("portafoglio", "portfolio"), formatOf(req.GetFormat()), l)
}

func portfolioColumns(l report.Language) []report.Column {
	out := []report.Column{
		{Header: l.Pick("Progetto", "Project"), Width: 46}, {Header: l.Pick("Titolo", "Title"), Width: 60}, {Header: l.Pick("Acronimo", "Acronym"), Width: 14},
		{Header: "CUP", Width: 18}, {Header: l.Pick("Capofila", "Lead partner"), Width: 50}, {Header: l.Pick("Fase", "Phase"), Width: 14},
		{Header: l.Pick("Territorio", "Territory"), Width: 14}, {Header: l.Pick("Inizio", "Start"), Kind: report.Date}, {Header: l.Pick("Fine", "End"), Kind: report.Date},
		{Header: l.Pick("Valuta", "Currency"), Width: 8},
	}
	return append(out, moneyColumns(l.Pick("Finanziato", "Granted"), l.Pick("Previsto", "Planned"), l.Pick("Speso", "Spent"), l.Pick("Rendicontato", "Reported"),
		l.Pick("Certificato", "Certified"), l.Pick("Pagato", "Paid"))...)
}

func moneyColumns(headers ...string) []report.Column {
	out := make([]report.Column, len(headers))
	for i, h := range headers {
		out[i] = report.Column{Header: h, Kind: report.Money, Sum: true}
	}
	return out
}

// exportPage is how many projects are read in one transaction.
const exportPage = 1000

// portfolioRows reads the projects page by page, so that no transaction waits for
// whoever takes the file.
func (s *Server) portfolioRows(ctx context.Context, selection store.Selection, l report.Language) iter.Seq2[[]report.Cell, error] {
	return func(yield func([]report.Cell, error) bool) {
		for after := ""; ; {
			page, err := read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) ([]store.ProjectSum, error) {
				return store.ProjectSums(ctx, tx, selection, after, exportPage)
			})
			if err != nil {
				yield(nil, err)
				return
			}
			for _, p := range page {
				if !yield([]report.Cell{
					report.Words(p.Name()), report.Words(in(l, p.Title)), report.Words(p.Acronym), report.Words(p.CUP), report.Words(p.Lead), report.Words(l.Word(string(p.Phase))),
					report.Words(p.Territory), report.Day(string(p.Start)), report.Day(string(p.End)), report.Words(p.Currency),
					report.Number(p.Granted), report.Number(p.Planned), report.Number(p.Spent), report.Number(p.Reported), report.Number(p.Certified), report.Number(p.Paid),
				}, nil) {
					return
				}
				after = p.ID
			}
			if len(page) < exportPage {
				return
			}
		}
	}
}

// budget is what an export of a project's budget is made of.
type budget struct {
	project *domain.Project
	lines   []*domain.Line
	sums    *domain.Dimensions
	tasks   map[string]*domain.Task
}

// ExportBudget writes a project's budget as a table.
func (s *Server) ExportBudget(req *projectsv1.ExportBudgetRequest, stream grpc.ServerStreamingServer[httpbody.HttpBody]) error {
	project, err := projectOf(req.GetName())
	if err != nil {
		return err
	}
	ctx, l := stream.Context(), languageOf(req.GetLanguageCode())
	b, err := read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*budget, error) {
		p, err := seeProject(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		return readBudget(ctx, tx, p, costScope(ctx, p))
	})
	if err != nil {
		return err
	}
	var organisations []string
	for _, line := range b.lines {
		organisations = append(organisations, line.Organisation)
	}
	names, err := s.organisationNames(ctx, organisations)
	if err != nil {
		return err
	}
	t := &report.Table{Title: "Budget", Total: l.Pick("Totale", "Total"), Columns: b.columns(l), Rows: report.Slice(b.rows(l, names))}
	return sendTable(stream, t, "budget", formatOf(req.GetFormat()), l)
}

func readBudget(ctx context.Context, tx *sqldb.Tx, p *domain.Project, scope store.Scope) (*budget, error) {
	b := &budget{project: p, tasks: map[string]*domain.Task{}}
	var err error
	if b.lines, err = store.AllLines(ctx, tx, p.ID, scope); err != nil {
		return nil, err
	}
	costs, err := store.Costs(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	if b.sums, err = domain.Summarise(p, b.lines, costs); err != nil {
		return nil, tooLarge(p, err)
	}
	tasks, err := store.AllTasks(ctx, tx, p.ID)
	for _, t := range tasks {
		b.tasks[t.ID] = t
	}
	return b, err
}

func (b *budget) columns(l report.Language) []report.Column {
	out := []report.Column{
		{Header: "Partner", Width: 40}, {Header: l.Pick("Categoria", "Category"), Width: 30}, {Header: l.Pick("Pacchetto di lavoro", "Work package"), Width: 40},
		{Header: l.Pick("Descrizione", "Description"), Width: 50}, {Header: l.Pick("Metodo di costo", "Cost method"), Width: 18},
	}
	out = append(out, moneyColumns(l.Pick("Previsto", "Planned")+" "+b.project.Currency)...)
	for _, p := range b.project.Periods {
		out = append(out, moneyColumns(l.Pick("Periodo ", "Period ")+p.Key)...)
	}
	for _, f := range b.project.Funders {
		out = append(out, moneyColumns(f.DisplayName+" ("+f.Key+")")...)
	}
	return append(out, moneyColumns(l.Pick("Quota propria", "Own contribution"), l.Pick("Speso", "Spent"), l.Pick("Rendicontato", "Reported"),
		l.Pick("Certificato", "Certified"), l.Pick("Pagato", "Paid"), l.Pick("Residuo", "Left"))...)
}

// rows are the lines' cells. What is left is negative where a line is overspent.
func (b *budget) rows(l report.Language, names map[string]string) [][]report.Cell {
	figures := map[string]domain.Figures{}
	for _, x := range b.sums.Lines {
		figures[x.Key] = x.Figures
	}
	out := make([][]report.Cell, len(b.lines))
	for i, line := range b.lines {
		f, work := figures[line.ID], ""
		if t := b.tasks[line.WorkPackage]; t != nil {
			work = in(l, t.Title)
		}
		row := []report.Cell{report.Words(names[line.Organisation]), report.Words(l.Word(line.Category)), report.Words(work),
			report.Words(line.Description), report.Words(l.Word(string(line.Method))), report.Number(line.Amount.Minor)}
		for _, p := range b.project.Periods {
			row = append(row, part(line.Periods, p.Key))
		}
		funds := line.Funds(b.project)
		for _, fund := range b.project.Funders {
			row = append(row, part(funds, fund.Key))
		}
		out[i] = append(row, part(funds, funding.Own), report.Number(f.Spent), report.Number(f.Reported), report.Number(f.Certified), report.Number(f.Paid),
			report.Number(line.Amount.Minor-f.Spent)) // both between zero and the largest number
	}
	return out
}

func part(parts []funding.Part, key string) report.Cell {
	for _, p := range parts {
		if p.Key == key {
			return report.Number(p.Amount)
		}
	}
	return report.Number(0)
}

// partnersOf are the organisations of a project.
func partnersOf(p *domain.Project) []string {
	return each(p.Partners, func(x domain.Partner) string { return x.Organisation })
}
