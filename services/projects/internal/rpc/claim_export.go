package rpc

import (
	"context"
	"errors"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/claims"
	"github.com/trama-suite/trama/services/projects/internal/report"
	"github.com/trama-suite/trama/services/projects/internal/store"
	"github.com/trama-suite/trama/services/projects/rules"
)

// plainForm is the rule set whose columns stand in for those of a funder without
// any.
const plainForm = "own-funds"

// ExportClaim writes a claim in the columns of its funder.
func (s *Server) ExportClaim(req *projectsv1.ExportClaimRequest, stream grpc.ServerStreamingServer[httpbody.HttpBody]) error {
	project, id, err := claimOf(req.GetName())
	if err != nil {
		return err
	}
	ctx, l := stream.Context(), languageOf(req.GetLanguageCode())
	known, err := s.bodiesOf(ctx, project, id)
	if err != nil {
		return err
	}
	t, err := read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*report.Table, error) {
		p, v, err := seeClaim(ctx, tx, project, id, req.GetName())
		if err != nil {
			return nil, err
		}
		return s.claimTable(ctx, tx, p, v.Claim, known, l)
	})
	if err != nil {
		return err
	}
	return sendTable(stream, t, l.Pick("rendicontazione", "claim"), formatOf(req.GetFormat()), l)
}

// claimTable is a claim in the columns of the rules that hold for it.
func (s *Server) claimTable(ctx context.Context, tx *sqldb.Tx, p *domain.Project, c *claims.Claim, known bodies, l report.Language) (*report.Table, error) {
	g, err := s.gather(ctx, tx, p, c, &examination{})
	if err != nil {
		return nil, err
	}
	f := funderOf(p, c)
	set, _, err := s.setFor(ctx, tx, f, c)
	if err != nil {
		return nil, err
	}
	if set == nil || len(set.Columns()) == 0 {
		set, _ = rules.ShippedSet(plainForm)
	}
	facts, err := s.ruleInput(ctx, tx, p, f, c, set, g, known)
	if err != nil {
		return nil, err
	}
	if err := titleTasks(ctx, tx, p, &facts, l); err != nil {
		return nil, err
	}
	rows, err := set.Rows(facts)
	if failed := new(rules.EvaluationError); errors.As(err, &failed) {
		return nil, errs.New(errs.FailedPrecondition, domain.ClaimBlocked, "the columns of the funder's rules cannot be worked out: %s", failed).With("resource", c.Name())
	}
	if err != nil {
		return nil, errs.New(errs.FailedPrecondition, domain.ClaimTooLarge, "the claim cannot be written in the funder's columns: %s", err).With("resource", c.Name())
	}
	t := &report.Table{Title: l.Pick("Rendicontazione", "Claim"), Total: l.Pick("Totale", "Total")}
	titles := categoryTitles(set, l)
	for _, column := range set.Columns() {
		t.Columns = append(t.Columns, reportColumn(&column, l))
	}
	out := make([][]report.Cell, len(rows))
	for i, row := range rows {
		out[i] = make([]report.Cell, len(row))
		for j, cell := range row {
			out[i][j] = reportCell(cell, l)
			if title := titles[cell.Text]; set.Columns()[j].ShowsCategory() && title != "" {
				out[i][j] = report.Words(title)
			}
		}
	}
	t.Rows = report.Slice(out)
	return t, nil
}

// titleTasks puts the titles of work packages where the rules have their names:
// a funder knows them by those.
func titleTasks(ctx context.Context, tx *sqldb.Tx, p *domain.Project, facts *rules.Input, l report.Language) error {
	tasks, err := store.AllTasks(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	titles := map[string]string{}
	for _, t := range tasks {
		titles[domain.TaskName(p.ID, t.ID)] = in(l, t.Title)
	}
	for i := range facts.Budget {
		facts.Budget[i].WorkPackage = titles[facts.Budget[i].WorkPackage]
	}
	return nil
}

// categoryTitles are the set's own categories for people, by their keys.
func categoryTitles(set *rules.Set, l report.Language) map[string]string {
	out := map[string]string{}
	for _, c := range set.Document().Categories {
		out[c.Key] = l.Pick(c.Title.IT, c.Title.EN)
	}
	return out
}

func reportColumn(c *rules.Column, l report.Language) report.Column {
	out := report.Column{Header: l.Pick(c.Header.IT, c.Header.EN)}
	switch {
	case c.Kind() == rules.KindDate:
		out.Kind = report.Date
	case c.Kind() != rules.KindNumber:
		out.Width = 28
	case c.Unit == rules.UnitMoney:
		out.Kind, out.Sum = report.Money, true
	case c.Unit == rules.UnitPercent:
		out.Kind = report.Percent
	default:
		out.Kind = report.Count
	}
	return out
}

func reportCell(c rules.Cell, l report.Language) report.Cell {
	switch {
	case c.Empty:
		return report.Nothing()
	case c.Kind == rules.KindNumber:
		return report.Number(c.Number)
	case c.Kind == rules.KindDate:
		return report.Day(string(c.Date))
	case c.Kind == rules.KindFlag && c.Flag:
		return report.Words(l.Pick("sì", "yes"))
	case c.Kind == rules.KindFlag:
		return report.Words("no")
	}
	return report.Words(c.Text)
}
