package rpc

import (
	"context"
	"maps"
	"slices"
	"time"

	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
	"github.com/trama-suite/trama/services/impact/internal/domain"
	"github.com/trama-suite/trama/services/impact/internal/domain/exact"
	"github.com/trama-suite/trama/services/impact/internal/domain/territory"
	"github.com/trama-suite/trama/services/impact/internal/store"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// rollUps implements impactv1.RollUpServiceServer.
type rollUps struct {
	impactv1.UnimplementedRollUpServiceServer
	*Server
}

func (s rollUps) viewer(scope auth.Scope) domain.Viewer {
	return domain.Viewer{All: scope.All, Organisations: scope.Organisations, Threshold: s.Threshold}
}

func checkTerritory(code string) error {
	if code == "" {
		return nil
	}
	if _, ok := territory.Locate(code); !ok {
		return errs.InvalidField(territory.Invalid, "territory", "%q is not a place that is known", code)
	}
	return nil
}

func (s rollUps) RollUp(ctx context.Context, req *impactv1.RollUpRequest) (*impactv1.RollUpResponse, error) {
	period, err := domain.ParsePeriod("start_date", req.GetStartDate(), "end_date", req.GetEndDate())
	if err != nil {
		return nil, err
	}
	if err := checkTerritory(req.GetTerritory()); err != nil {
		return nil, err
	}
	scope := auth.ScopeFrom(ctx)
	if o := req.GetOrganisation(); o != "" && !scope.Covers(o) {
		return nil, errs.AbsentResource(o)
	}
	asOf := s.instant(req.GetAsOfTime(), req.GetAsOfTime() != nil)
	question := domain.Question{
		Axis: word[domain.Axis](req.GetAxis()), Territory: req.GetTerritory(), Organisation: req.GetOrganisation(), Project: req.GetProject(),
	}
	var answers []domain.Report
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		i, err := s.indicator(ctx, tx, req.GetIndicator())
		if err != nil {
			return err
		}
		answers, err = reports(ctx, tx, s.viewer(scope), []domain.Indicator{i}, period, question, asOf)
		return err
	})
	if err != nil {
		return nil, err
	}
	return rollUpTo(answers[0]), nil
}

func (s rollUps) GetDashboard(ctx context.Context, req *impactv1.GetDashboardRequest) (*impactv1.Dashboard, error) {
	period, err := domain.ParsePeriod("start_date", req.GetStartDate(), "end_date", req.GetEndDate())
	if err != nil {
		return nil, err
	}
	if err := checkTerritory(req.GetTerritory()); err != nil {
		return nil, err
	}
	asOf := s.instant(req.GetAsOfTime(), req.GetAsOfTime() != nil)
	question := domain.Question{Axis: word[domain.Axis](req.GetAxis()), Territory: req.GetTerritory()}
	var answers []domain.Report
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		list, err := store.Headlines(ctx, tx)
		if err != nil {
			return err
		}
		answers, err = reports(ctx, tx, s.viewer(auth.ScopeFrom(ctx)), list, period, question, asOf)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &impactv1.Dashboard{}
	for _, r := range answers {
		out.RollUps = append(out.RollUps, rollUpTo(r))
	}
	return out, nil
}

// reports answers one question for several indicators, as the viewer may see it.
func reports(ctx context.Context, tx *sqldb.Tx, viewer domain.Viewer, list []domain.Indicator, period domain.Period, q domain.Question, asOf time.Time) ([]domain.Report, error) {
	rows, err := store.Rows(ctx, tx, list, period, store.Narrow{Organisation: q.Organisation, Project: q.Project}, asOf)
	if err != nil {
		return nil, err
	}
	known := domain.Context{Viewer: viewer}
	organisations, projects := map[string]bool{}, map[string]bool{}
	if q.Project != "" {
		projects[q.Project] = true
	}
	for _, some := range rows {
		for _, r := range some {
			organisations[r.Organisation] = true
			if r.Project != "" {
				projects[r.Project] = true
			}
		}
	}
	if known.Organisations, err = store.Organisations(ctx, tx, slices.Sorted(maps.Keys(organisations))); err != nil {
		return nil, err
	}
	if known.Projects, err = store.Projects(ctx, tx, slices.Sorted(maps.Keys(projects))); err != nil {
		return nil, err
	}
	if q.Project != "" && !takesPart(known, rows, q.Project) {
		return nil, errs.AbsentResource(q.Project)
	}
	if q.Organisation == "" && q.Project == "" {
		if known.Expected, known.ExpectedNodes, err = store.Expected(ctx, tx, q.Axis, q.Territory); err != nil {
			return nil, err
		}
	}
	out := make([]domain.Report, len(list))
	for n, i := range list {
		if !asOf.IsZero() {
			if i, err = store.VersionAt(ctx, tx, i, asOf); err != nil {
				return nil, err
			}
		}
		if out[n], err = domain.Build(i, rows[i.Name], q, known); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// takesPart reports whether the project is the viewer's to see: they see all, an
// organisation of theirs takes part in it, or, while nothing is known of it, has
// measured something in it.
func takesPart(known domain.Context, rows map[string][]domain.Row, project string) bool {
	v := known.Viewer
	p := known.Projects[project]
	if v.All || slices.ContainsFunc(v.Organisations, func(o string) bool { return o == p.Organisation || slices.Contains(p.Partners, o) }) {
		return true
	}
	if len(p.Partners) > 0 {
		return false
	}
	for _, some := range rows {
		for _, r := range some {
			if slices.Contains(v.Organisations, r.Organisation) {
				return true
			}
		}
	}
	return false
}

func (s rollUps) ListContributions(ctx context.Context, req *impactv1.ListContributionsRequest) (*impactv1.ListContributionsResponse, error) {
	scope := auth.ScopeFrom(ctx)
	plan, err := store.Contributions.Plan(req, append(bound(scope), req.GetParent())...)
	if err != nil {
		return nil, err
	}
	out := &impactv1.ListContributionsResponse{}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		i, err := s.indicator(ctx, tx, req.GetParent())
		if err != nil {
			return err
		}
		if !i.Automatic {
			return errs.InvalidField(errs.InvalidRequest, "parent", "%s is measured by hand: list its measurements", i.Name)
		}
		var args []any
		where := scope.Where("l.organisation", &args)
		list, next, err := store.ListContributions(ctx, tx, plan, i, where, args)
		out = &impactv1.ListContributionsResponse{NextPageToken: next}
		for _, l := range list {
			out.Contributions = append(out.Contributions, &impactv1.Contribution{
				Source: l.Fact, Organisation: l.Organisation, Project: l.Project, Date: l.Period.Start.String(), Value: quantity(l.State.Figure().Value),
			})
		}
		return err
	})
	return out, err
}

// figureDecimals is to how many digits a figure's decimal is rounded.
const figureDecimals = 12

func quantity(n *exact.Number) *impactv1.Quantity {
	if n == nil {
		return nil
	}
	return &impactv1.Quantity{Decimal: n.Decimal(figureDecimals), Exact: n.String()}
}

func rollUpTo(r domain.Report) *impactv1.RollUpResponse {
	out := &impactv1.RollUpResponse{Indicator: indicatorTo(r.Indicator), Total: figureTo(r.Total)}
	for _, p := range r.Parts {
		out.Parts = append(out.Parts, figureTo(p))
	}
	return out
}

func figureTo(p domain.Part) *impactv1.Figure {
	out := &impactv1.Figure{Node: p.Node, Title: p.Title, Others: p.Others, Withheld: p.Withheld}
	if p.Withheld {
		return out
	}
	f := p.Figure
	out.Value, out.Lower, out.Upper, out.Progress = quantity(f.Value), quantity(f.Lower), quantity(f.Upper), quantity(p.Progress)
	out.Estimated = f.Estimated
	if f.Value != nil {
		out.Qualifier = enum[impactv1.Qualifier](f.Qualifier.String())
	}
	for _, n := range f.Counts {
		out.CategoryCounts = append(out.CategoryCounts, quantity(&n))
	}
	out.Coverage = &impactv1.Coverage{Reporting: int32(p.Reporting), Expected: int32(p.Expected)}
	out.Contributors = &impactv1.Contributors{Organisations: int32(p.Reporting), Projects: int32(p.Projects), Values: f.Values}
	return out
}
