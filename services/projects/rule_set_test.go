package projects_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/rules"
)

// bando is a rule set of one rule.
func bando(id string, version int, from, to string, months int) string {
	return fmt.Sprintf(`
id: %s
version: %d
title: {it: Bando di prova, en: Trial call}
funder: Fondazione Prova
effective_from: %s
effective_to: %s
sources: [{key: call, title: Bando}]
parameters:
  - {name: months_max, title: {it: durata, en: duration}, unit: months, value: %d, source: call art. 3, verified: true}
rules:
  - id: duration
    title: {it: "Al più {p.months_max} mesi", en: "At most {p.months_max} months"}
    scope: project
    severity: block
    check: months(project.start, project.end) <= p.months_max
    message: {it: troppo lungo, en: too long}
    source: call art. 3
    verified: true
`, id, version, from, to, months)
}

func TestRuleSets(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		c := projectsv1.NewRuleSetServiceClient(s.Conn)
		me, op := s.As(manager, leader), s.As(operator, "")

		list := must[*projectsv1.ListRuleSetsResponse](t)(c.ListRuleSets(me, &projectsv1.ListRuleSetsRequest{}))
		if len(list.GetRuleSets()) != len(rules.AllShipped()) {
			t.Fatalf("%d rule sets from the start", len(list.GetRuleSets()))
		}
		for i, r := range list.GetRuleSets() {
			want := rules.AllShipped()[i]
			if r.GetName() != "ruleSets/"+want.Set.ID() || !r.GetShipped() || r.GetVersion() != 1 || r.GetTitle().GetText() != want.Set.Title().IT {
				t.Errorf("%v", r)
			}
			v := must[*projectsv1.RuleSetVersion](t)(c.GetRuleSetVersion(me, &projectsv1.GetRuleSetVersionRequest{Name: r.GetName() + "/versions/1"}))
			if v.GetSource() != string(want.Source) || v.GetPublisher() != "" {
				t.Errorf("%s: not the shipped text", r.GetName())
			}
			e := must[*projectsv1.RuleSetExplanation](t)(c.ExplainRuleSet(me, &projectsv1.ExplainRuleSetRequest{Name: v.GetName()}))
			if len(e.GetRules()) != len(want.Set.Document().Rules) || len(e.GetFigures()) == 0 {
				t.Errorf("%s: %v", r.GetName(), e)
			}
		}

		publish := func(ctx context.Context, source string) (*projectsv1.RuleSetVersion, error) {
			return c.PublishRuleSet(ctx, &projectsv1.PublishRuleSetRequest{Source: source})
		}
		_, err := publish(me, bando("bando-a", 1, "2026-01-01", "", 12))
		refused(t, err, codes.PermissionDenied, "ROLE_MISSING")
		_, err = publish(op, bando("own-funds", 2, "2026-01-01", "", 12))
		refused(t, err, codes.FailedPrecondition, domain.RuleSetShipped)
		_, err = publish(op, bando("bando-a", 2, "2026-01-01", "", 12))
		refused(t, err, codes.InvalidArgument, domain.RuleSetVersionWrong)

		first := must[*projectsv1.RuleSetVersion](t)(publish(op, bando("bando-a", 1, "2026-01-01", "2026-06-30", 12)))
		if first.GetName() != "ruleSets/bando-a/versions/1" || first.GetPublisher() == "" || len(first.GetSha256()) != 64 {
			t.Errorf("%v", first)
		}
		for _, wrong := range []struct{ from, to string }{{"2026-01-01", ""}, {"2025-01-01", ""}, {"2026-06-30", ""}} {
			_, err = publish(op, bando("bando-a", 2, wrong.from, wrong.to, 24))
			refused(t, err, codes.InvalidArgument, domain.RuleSetDatesOverlap)
		}
		_, err = publish(op, bando("bando-a", 1, "2027-01-01", "", 24))
		refused(t, err, codes.InvalidArgument, domain.RuleSetVersionWrong)
		second := must[*projectsv1.RuleSetVersion](t)(publish(op, bando("bando-a", 2, "2026-07-01", "", 24)))

		// The first version is as it was, to the byte.
		again := must[*projectsv1.RuleSetVersion](t)(c.GetRuleSetVersion(me, &projectsv1.GetRuleSetVersionRequest{Name: first.GetName()}))
		if !proto.Equal(again, first) {
			t.Errorf("a version changed: %v", again)
		}
		versions := must[*projectsv1.ListRuleSetVersionsResponse](t)(c.ListRuleSetVersions(me, &projectsv1.ListRuleSetVersionsRequest{Parent: "ruleSets/bando-a"}))
		if v := versions.GetRuleSetVersions(); len(v) != 2 || v[0].GetName() != first.GetName() || v[1].GetName() != second.GetName() || v[0].GetSource() != "" {
			t.Errorf("%v", versions)
		}
		set := must[*projectsv1.RuleSet](t)(c.GetRuleSet(me, &projectsv1.GetRuleSetRequest{Name: "ruleSets/bando-a"}))
		if set.GetVersion() != 2 || set.GetShipped() {
			t.Errorf("%v", set)
		}
		own := must[*projectsv1.ListRuleSetsResponse](t)(c.ListRuleSets(me, &projectsv1.ListRuleSetsRequest{Filter: "shipped = false"}))
		if len(own.GetRuleSets()) != 1 || own.GetRuleSets()[0].GetName() != set.GetName() {
			t.Errorf("%v", own)
		}
		e := must[*projectsv1.RuleSetExplanation](t)(c.ExplainRuleSet(me, &projectsv1.ExplainRuleSetRequest{Name: first.GetName()}))
		if got := e.GetRules()[0].GetTitle(); got.GetText() != "Al più 12 mesi" || got.GetTranslations()["en"] != "At most 12 months" {
			t.Errorf("%v", got)
		}

		for _, name := range []string{"ruleSets/none/versions/1", "ruleSets/bando-a/versions/3"} {
			_, err = c.GetRuleSetVersion(me, &projectsv1.GetRuleSetVersionRequest{Name: name})
			refused(t, err, codes.NotFound, "NOT_FOUND")
			_, err = c.ExplainRuleSet(me, &projectsv1.ExplainRuleSetRequest{Name: name})
			refused(t, err, codes.NotFound, "NOT_FOUND")
		}
		_, err = c.GetRuleSet(me, &projectsv1.GetRuleSetRequest{Name: "ruleSets/none"})
		refused(t, err, codes.NotFound, "NOT_FOUND")
		_, err = c.ListRuleSetVersions(me, &projectsv1.ListRuleSetVersionsRequest{Parent: "ruleSets/none"})
		refused(t, err, codes.NotFound, "NOT_FOUND")
		for _, ctx := range []context.Context{s.As(learner, leader), s.As(authzv1.Role_ROLE_SUPPLIER, leader)} {
			_, err = c.ListRuleSets(ctx, &projectsv1.ListRuleSetsRequest{})
			refused(t, err, codes.PermissionDenied, "ROLE_MISSING")
		}
	})
}

func TestRuleSetsThatAreWrong(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		c := projectsv1.NewRuleSetServiceClient(s.Conn)
		source := strings.Replace(bando("bando-b", 1, "2026-01-01", "", 12), "<= p.months_max", "<= p.month_max", 1)
		check := must[*projectsv1.CheckRuleSetResponse](t)(c.CheckRuleSet(s.As(manager, leader), &projectsv1.CheckRuleSetRequest{Source: source}))
		if p := check.GetProblems(); len(p) != 1 || p[0].GetPath() != "rules[0].check" || p[0].GetLine() != 16 || p[0].GetColumn() != 50 || !strings.Contains(p[0].GetMessage(), "month_max") {
			t.Errorf("%v", check)
		}
		_, err := c.PublishRuleSet(s.As(operator, ""), &projectsv1.PublishRuleSetRequest{Source: source})
		e := refused(t, err, codes.InvalidArgument, domain.RuleSetWrong)
		if len(e.Fields) != 1 || e.Fields[0].Path != "source" || !strings.Contains(e.Fields[0].Description, "16:50") {
			t.Errorf("%+v", e)
		}
		good := must[*projectsv1.CheckRuleSetResponse](t)(c.CheckRuleSet(s.As(manager, leader), &projectsv1.CheckRuleSetRequest{Source: bando("bando-b", 1, "2026-01-01", "", 12)}))
		if len(good.GetProblems()) != 0 || good.GetExplanation().GetRuleSet() != "ruleSets/bando-b" {
			t.Errorf("%v", good)
		}
		if _, err := c.GetRuleSet(s.As(manager, leader), &projectsv1.GetRuleSetRequest{Name: "ruleSets/bando-b"}); err == nil {
			t.Error("a check saved")
		}
	})
}
