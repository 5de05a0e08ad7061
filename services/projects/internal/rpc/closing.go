package rpc

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/report"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// DownloadClosingReport writes the project-end report.
func (s *Server) DownloadClosingReport(req *projectsv1.DownloadClosingReportRequest, stream grpc.ServerStreamingServer[httpbody.HttpBody]) error {
	project, err := projectOf(req.GetName())
	if err != nil {
		return err
	}
	ctx := stream.Context()
	c := &closing{language: languageOf(req.GetLanguageCode()), zone: s.zone}
	p, err := read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*domain.Project, error) {
		p, err := store.Project(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		if err := requireLead(ctx, p); err != nil {
			return nil, err
		}
		return p, s.readClosing(ctx, tx, p, c)
	})
	if err != nil {
		return err
	}
	names, err := s.organisationNames(ctx, partnersOf(p))
	if err != nil {
		return err
	}
	document := c.document(p, names)
	document.Generated = s.now()
	name := c.language.Pick("rapporto-finale", "closing-report")
	if p.Acronym != "" {
		name += "-" + strings.ToLower(p.Acronym)
	}
	return send(stream, "application/pdf", name+".pdf", func(w io.Writer) error { return document.PDF(w) })
}

// closing is what the report is made of, as it was read.
type closing struct {
	language     report.Language
	zone         *time.Location
	gates        []*domain.Gate
	facts        domain.Facts
	moves        []domain.PhaseMove
	deliverables []*domain.Deliverable
	budget       *budget
	risks        []*domain.Risk
	issues       []*domain.Issue
	decisions    []*domain.Decision
	changes      []*domain.ChangeRequest
	checks       []*domain.QualityCheck
	approvals    []*domain.GateApproval
	lessons      []*domain.Lesson
}

func (s *Server) readClosing(ctx context.Context, tx *sqldb.Tx, p *domain.Project, c *closing) (err error) {
	for _, key := range domain.Gates {
		g, err := store.Gate(ctx, tx, p.ID, key)
		if err != nil {
			return err
		}
		c.gates = append(c.gates, g)
	}
	if c.facts, err = store.Facts(ctx, tx, p, s.today()); err != nil {
		return err
	}
	if c.moves, err = store.AllMoves(ctx, tx, p.ID); err != nil {
		return err
	}
	if c.deliverables, err = store.AllDeliverables(ctx, tx, p.ID); err != nil {
		return err
	}
	if c.budget, err = readBudget(ctx, tx, p, store.Everything); err != nil {
		return err
	}
	if c.risks, err = store.AllRisks(ctx, tx, p.ID); err != nil {
		return err
	}
	if c.issues, err = store.AllEntries[domain.Issue](ctx, tx, p.ID, ""); err != nil {
		return err
	}
	if c.decisions, err = store.AllEntries[domain.Decision](ctx, tx, p.ID, ""); err != nil {
		return err
	}
	if c.changes, err = store.AllEntries[domain.ChangeRequest](ctx, tx, p.ID, ""); err != nil {
		return err
	}
	if c.checks, err = store.AllEntries[domain.QualityCheck](ctx, tx, p.ID, ""); err != nil {
		return err
	}
	if c.approvals, err = store.AllEntries[domain.GateApproval](ctx, tx, p.ID, ""); err != nil {
		return err
	}
	c.lessons, err = store.LessonsOf(ctx, tx, p.ID)
	return err
}

// day is the day of an instant where the deployment is; empty for none.
func (c *closing) day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(c.zone).Format(time.DateOnly)
}

func (c *closing) document(p *domain.Project, names map[string]string) *report.Closing {
	l := c.language
	out := &report.Closing{
		Language: l, Name: p.Name(), Title: in(l, p.Title), Acronym: p.Acronym, CUP: p.CUP, Lead: names[p.Lead], Territory: p.Territory, Currency: p.Currency,
		Start: string(p.Start), End: string(p.End), Closed: c.day(p.Closed), Phase: string(p.Phase), Outcome: p.Outcome, Sectors: p.Sectors,
		Objectives: each(p.Objectives, func(t domain.Text) string { return in(l, t) }),
		Partners: each(p.Partners, func(x domain.Partner) report.ClosingPartner {
			return report.ClosingPartner{Name: names[x.Organisation], Lead: x.Lead, Share: x.Share}
		}),
		Funders: each(p.Funders, func(f domain.Funder) report.ClosingFunder {
			return report.ClosingFunder{Name: f.DisplayName, Programme: f.Programme, Grant: f.Grant.Minor, Share: f.Share}
		}),
		Moves: each(c.moves, func(m domain.PhaseMove) report.ClosingMove {
			return report.ClosingMove{Date: c.day(m.Time), From: string(m.From), To: string(m.To), Reason: m.Reason}
		}),
		Deliverables: each(c.deliverables, func(d *domain.Deliverable) report.ClosingDeliverable {
			return report.ClosingDeliverable{Title: in(l, d.Title), Partner: names[d.Organisation], Due: string(d.Due), State: string(d.State)}
		}),
		Costs: c.costs(p, names),
		Risks: each(c.risks, func(r *domain.Risk) report.ClosingRisk {
			response := l.Word(r.Response)
			if r.ResponseText != "" {
				response = strings.TrimPrefix(response+": "+r.ResponseText, ": ")
			}
			return report.ClosingRisk{Title: in(l, r.Title), Score: r.Score, Response: response, State: r.State}
		}),
		Issues: each(c.issues, func(x *domain.Issue) report.ClosingIssue {
			return report.ClosingIssue{Title: in(l, x.Title), Resolution: x.Resolution, State: x.State}
		}),
		Lessons: each(c.lessons, func(x *domain.Lesson) report.ClosingLesson {
			return report.ClosingLesson{Title: in(l, x.Title), Context: in(l, x.Context), Happened: in(l, x.WhatHappened), Recommendation: in(l, x.Recommendation)}
		}),
	}
	c.logs(out)
	for _, g := range c.gates {
		out.Gates = append(out.Gates, c.gate(g))
	}
	return out
}

// logs are the decisions that were taken, the changes that were approved and the
// quality checks.
func (c *closing) logs(out *report.Closing) {
	l := c.language
	for _, x := range c.decisions {
		if x.Outcome != "" {
			out.Decisions = append(out.Decisions, report.ClosingDecision{Date: string(x.Day), Title: in(l, x.Title), Outcome: x.Outcome, State: x.State})
		}
	}
	for _, x := range c.changes {
		if x.State == domain.ChangeApproved || x.State == domain.ChangeImplemented {
			out.Changes = append(out.Changes, report.ClosingChange{Title: in(l, x.Title), Reason: x.Reason, Days: x.ImpactDays, Cost: x.ImpactCost.Minor, State: x.State})
		}
	}
	titles := map[string]string{}
	for _, d := range c.deliverables {
		titles[d.ID] = in(l, d.Title)
	}
	for _, x := range c.checks {
		out.Checks = append(out.Checks, report.ClosingCheck{Deliverable: titles[x.Deliverable], Criterion: in(l, x.Criterion), Date: string(x.Checked),
			Findings: x.Findings, State: x.State})
	}
}

// gate is how a gate stands: approved when the project last went through it.
func (c *closing) gate(g *domain.Gate) report.ClosingGate {
	out := report.ClosingGate{Key: string(g.Key), Artefacts: len(g.Items)}
	for _, m := range c.moves {
		if m.From == g.Key.From() && m.To == g.Key.To() {
			out.Approved = c.day(m.Time)
		}
	}
	for _, x := range c.approvals {
		if x.Gate == g.Key && x.State == domain.ApprovalApproved {
			out.Role, out.Note = x.DeciderRole, x.DecisionNote
		}
	}
	for _, s := range g.Readiness(c.facts) {
		switch s.State {
		case domain.Missing:
			out.Missed++
		case domain.WaivedHere:
			w := report.ClosingWaiver{Artefact: in(c.language, s.Item.Title)}
			if by := s.Item.By; by != nil {
				w.Date, w.Reason = c.day(by.Time), by.Note
			}
			out.Waivers = append(out.Waivers, w)
		}
	}
	return out
}

// costs are the figures by partner and category, partners in the project's order,
// categories in that of the proto.
func (c *closing) costs(p *domain.Project, names map[string]string) []report.ClosingCost {
	figures := map[string]domain.Figures{}
	for _, x := range c.budget.sums.Lines {
		figures[x.Key] = x.Figures
	}
	type place struct{ partner, category int }
	at := map[place]int{}
	var places []place
	var out []report.ClosingCost
	for _, line := range c.budget.lines {
		k := place{slices.Index(partnersOf(p), line.Organisation), int(projectsv1.CostCategory_value["COST_CATEGORY_"+line.Category])}
		if _, there := at[k]; !there {
			at[k] = len(out)
			places = append(places, k)
			out = append(out, report.ClosingCost{Partner: names[line.Organisation], Category: line.Category})
		}
		x, f := &out[at[k]], figures[line.ID] // the sums of all lines fit: they were summed up
		x.Planned, x.Spent, x.Reported, x.Certified = x.Planned+f.Planned, x.Spent+f.Spent, x.Reported+f.Reported, x.Certified+f.Certified
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.partner, b.partner), cmp.Compare(a.category, b.category))
	})
	return each(places, func(k place) report.ClosingCost { return out[at[k]] })
}
