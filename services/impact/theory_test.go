package impact_test

import (
	"strings"
	"sync"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
)

func node(key string, kind impactv1.NodeType) *impactv1.Node {
	return &impactv1.Node{Key: key, Type: kind, Title: text(key)}
}

func leads(from, to string, assumptions ...*impactv1.Assumption) *impactv1.Link {
	return &impactv1.Link{From: from, To: to, Type: impactv1.LinkType_LINK_TYPE_LEADS_TO, Assumptions: assumptions}
}

// digital is a small theory of an organisation: training leads to skills and
// those to better care.
func digital(n byte) *impactv1.Theory {
	return &impactv1.Theory{
		Organisation: org(n), Project: project(n), Title: text("Digital skills"),
		Nodes: []*impactv1.Node{
			node("trainers", impactv1.NodeType_NODE_TYPE_INPUT), node("courses", impactv1.NodeType_NODE_TYPE_ACTIVITY),
			node("people-trained", impactv1.NodeType_NODE_TYPE_OUTPUT), node("skills", impactv1.NodeType_NODE_TYPE_OUTCOME),
			node("better-care", impactv1.NodeType_NODE_TYPE_IMPACT), node("turnover", impactv1.NodeType_NODE_TYPE_RISK),
		},
		Links: []*impactv1.Link{
			leads("trainers", "courses"), leads("courses", "people-trained"),
			leads("people-trained", "skills", &impactv1.Assumption{Key: "used-at-work", Statement: text("What is learnt is used at work")}),
			leads("skills", "better-care"),
			{From: "turnover", To: "skills", Type: impactv1.LinkType_LINK_TYPE_THREATENS},
		},
	}
}

func (e *env) theory(n byte) *impactv1.Theory {
	e.t.Helper()
	return must[*impactv1.Theory](e.t)(e.theories.CreateTheory(e.admin(n), &impactv1.CreateTheoryRequest{Theory: digital(n)}))
}

func TestTheoryOfChange(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		th := e.theory(1)
		if a := th.GetLinks()[2].GetAssumptions()[0]; a.GetState() != impactv1.AssumptionState_ASSUMPTION_STATE_UNTESTED {
			t.Errorf("new assumption = %v", a)
		}

		// A cycle is refused, and its nodes are named.
		_, err := e.theories.UpdateTheory(e.admin(1), &impactv1.UpdateTheoryRequest{
			Theory: &impactv1.Theory{
				Name: th.GetName(), Nodes: append(th.GetNodes(), node("skills-2", impactv1.NodeType_NODE_TYPE_OUTCOME), node("skills-3", impactv1.NodeType_NODE_TYPE_OUTCOME)),
				Links: append(th.GetLinks(), leads("skills", "skills-2"), leads("skills-2", "skills-3"), leads("skills-3", "skills")),
			},
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"nodes", "links"}},
		})
		refused(t, err, codes.InvalidArgument, "THEORY_CYCLE")
		for _, d := range status.Convert(err).Details() {
			if info, is := d.(*errdetails.ErrorInfo); is && info.GetMetadata()["cycle"] != "skills → skills-2 → skills-3 → skills" {
				t.Errorf("cycle = %q", info.GetMetadata()["cycle"])
			}
		}

		v1 := must[*impactv1.TheoryVersion](t)(e.theories.PublishTheory(e.admin(1), &impactv1.PublishTheoryRequest{Name: th.GetName(), Etag: th.GetEtag()}))
		if v1.GetName() != th.GetName()+"/versions/1" {
			t.Errorf("published %s", v1.GetName())
		}
		_, err = e.theories.PublishTheory(e.admin(1), &impactv1.PublishTheoryRequest{Name: th.GetName()})
		refused(t, err, codes.FailedPrecondition, "NOTHING_TO_PUBLISH")
		_, err = e.theories.PublishTheory(e.admin(1), &impactv1.PublishTheoryRequest{Name: th.GetName(), Etag: th.GetEtag()})
		refused(t, err, codes.Aborted, "STALE_ETAG")

		// Evidence changes the working copy, not what was published.
		th = must[*impactv1.Theory](t)(e.theories.RecordEvidence(e.admin(1), &impactv1.RecordEvidenceRequest{
			Name: th.GetName(), From: "people-trained", To: "skills", Assumption: "used-at-work",
			Evidence: &impactv1.Evidence{Finding: text("Nobody used it"), Verdict: impactv1.AssumptionState_ASSUMPTION_STATE_REFUTED, Date: "2026-01-04"},
		}))
		if a := th.GetLinks()[2].GetAssumptions()[0]; a.GetState() != impactv1.AssumptionState_ASSUMPTION_STATE_REFUTED || len(a.GetEvidence()) != 1 {
			t.Errorf("assumption = %v", a)
		}
		frozen := must[*impactv1.TheoryVersion](t)(e.theories.GetTheoryVersion(e.admin(1), &impactv1.GetTheoryVersionRequest{Name: v1.GetName()}))
		if !proto.Equal(frozen, v1) {
			t.Errorf("version 1 is now %v, was %v", frozen, v1)
		}
		must[*impactv1.TheoryVersion](t)(e.theories.PublishTheory(e.admin(1), &impactv1.PublishTheoryRequest{Name: th.GetName()}))
		list := must[*impactv1.ListTheoryVersionsResponse](t)(e.theories.ListTheoryVersions(e.admin(1), &impactv1.ListTheoryVersionsRequest{Parent: th.GetName()}))
		if len(list.GetTheoryVersions()) != 2 {
			t.Errorf("%d versions", len(list.GetTheoryVersions()))
		}
		_, err = e.theories.RecordEvidence(e.admin(1), &impactv1.RecordEvidenceRequest{
			Name: th.GetName(), From: "people-trained", To: "skills", Assumption: "other",
			Evidence: &impactv1.Evidence{Finding: text("x"), Verdict: impactv1.AssumptionState_ASSUMPTION_STATE_SUPPORTED, Date: "2026-01-04"},
		})
		refused(t, err, codes.NotFound, "ASSUMPTION_NOT_FOUND")
	})
}

func TestLintTheory(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		in := digital(1)
		in.Nodes = append(in.Nodes, node("alone", impactv1.NodeType_NODE_TYPE_STAKEHOLDER), node("wellbeing", impactv1.NodeType_NODE_TYPE_IMPACT))
		in.Links = append(in.Links, leads("people-trained", "better-care"))
		th := must[*impactv1.Theory](t)(e.theories.CreateTheory(e.admin(1), &impactv1.CreateTheoryRequest{Theory: in}))
		lint := func() string {
			var out []string
			for _, f := range must[*impactv1.LintTheoryResponse](t)(e.theories.LintTheory(e.admin(1), &impactv1.LintTheoryRequest{Name: th.GetName()})).GetFindings() {
				out = append(out, strings.TrimPrefix(f.GetKind().String(), "FINDING_KIND_")+" "+strings.Join(f.GetNodes(), ","))
			}
			return strings.Join(out, "; ")
		}
		want := "NODE_ISOLATED alone; IMPACT_UNREACHABLE wellbeing; NODE_ISOLATED wellbeing; OUTPUT_STRAIGHT_TO_IMPACT people-trained,better-care"
		if got := lint(); got != "OUTCOME_WITHOUT_INDICATOR skills; "+want {
			t.Errorf("found %s", got)
		}
		i := e.indicator(1, impactv1.Aggregation_AGGREGATION_MEAN, func(i *impactv1.Indicator) { i.Theory, i.Node = th.GetName(), "skills" })
		if got := lint(); got != want {
			t.Errorf("with an indicator found %s", got)
		}
		_, err := e.theories.UpdateTheory(e.admin(1), &impactv1.UpdateTheoryRequest{
			Theory: clone(th, func(t *impactv1.Theory) { t.Nodes, t.Links = t.Nodes[:2], t.Links[:1] }), UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"nodes", "links"}},
		})
		refused(t, err, codes.FailedPrecondition, "NODE_IN_USE")
		_, err = e.theories.DeleteTheory(e.admin(1), &impactv1.DeleteTheoryRequest{Name: th.GetName()})
		refused(t, err, codes.FailedPrecondition, "NODE_IN_USE")
		must[*impactv1.Indicator](t)(e.indicators.UpdateIndicator(e.admin(1), &impactv1.UpdateIndicatorRequest{
			Indicator: &impactv1.Indicator{Name: i.GetName()}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"theory", "node"}},
		}))
		_, err = e.theories.DeleteTheory(e.admin(1), &impactv1.DeleteTheoryRequest{Name: th.GetName()})
		ok(t, err)
		_, err = e.theories.GetTheory(e.admin(1), &impactv1.GetTheoryRequest{Name: th.GetName()})
		refused(t, err, codes.NotFound, "NOT_FOUND")
	})
}

func TestTheoryRefusesNonsense(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		for why, spoil := range map[string]func(*impactv1.Theory){
			"NODE_KEY_INVALID": func(t *impactv1.Theory) { t.Nodes[1].Key = "trainers" },
			"LINK_NOT_ALLOWED": func(t *impactv1.Theory) { t.Links[0] = leads("skills", "courses") },
			"LINK_DUPLICATE":   func(t *impactv1.Theory) { t.Links = append(t.Links, leads("trainers", "courses")) },
			"EVIDENCE_MISSING": func(t *impactv1.Theory) {
				t.Links[2].Assumptions[0].State = impactv1.AssumptionState_ASSUMPTION_STATE_SUPPORTED
			},
			"INVALID_REQUEST": func(t *impactv1.Theory) { t.Nodes[0].Type = 99 },
			// SQLite would store it and PostgreSQL fail.
			"INVALID_REQUEST ": func(t *impactv1.Theory) { t.Title = text("a\x00b") },
		} {
			_, err := e.theories.CreateTheory(e.admin(1), &impactv1.CreateTheoryRequest{Theory: clone(digital(1), spoil)})
			refused(t, err, codes.InvalidArgument, strings.TrimSpace(why))
		}
		if list := must[*impactv1.ListTheoriesResponse](t)(e.theories.ListTheories(e.operator(), &impactv1.ListTheoriesRequest{})); len(list.GetTheories()) != 0 {
			t.Errorf("%d theories were half-written", len(list.GetTheories()))
		}
	})
}

// Another organisation's rows and ids that do not exist look the same.
func TestOthersLookAbsent(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		th, i := e.theory(1), e.indicator(1, impactv1.Aggregation_AGGREGATION_SUM)
		m := e.accepted(draft(i.GetName(), 1, value("1")))
		other := e.As(manager, org(2))
		for _, name := range []string{th.GetName(), "theories/" + uuid('c', 1)} {
			_, err := e.theories.GetTheory(other, &impactv1.GetTheoryRequest{Name: name})
			refused(t, err, codes.NotFound, "NOT_FOUND")
			_, err = e.theories.PublishTheory(other, &impactv1.PublishTheoryRequest{Name: name})
			refused(t, err, codes.NotFound, "NOT_FOUND")
		}
		for _, name := range []string{m.GetName(), "measurements/" + uuid('c', 1)} {
			_, err := e.measurements.GetMeasurement(other, &impactv1.GetMeasurementRequest{Name: name})
			refused(t, err, codes.NotFound, "NOT_FOUND")
			_, err = e.measurements.WithdrawMeasurement(other, &impactv1.WithdrawMeasurementRequest{Name: name, Reason: "x"})
			refused(t, err, codes.NotFound, "NOT_FOUND")
			_, err = e.measurements.ListMeasurementChanges(other, &impactv1.ListMeasurementChangesRequest{Parent: name})
			refused(t, err, codes.NotFound, "NOT_FOUND")
		}
		for _, name := range []string{i.GetName(), "indicators/" + uuid('c', 1)} {
			_, err := e.rollUps.RollUp(other, &impactv1.RollUpRequest{Indicator: name, StartDate: "2026-01-01", EndDate: "2027-01-01"})
			refused(t, err, codes.NotFound, "NOT_FOUND")
		}
		_, err := e.theories.CreateTheory(other, &impactv1.CreateTheoryRequest{Theory: digital(1)})
		refused(t, err, codes.NotFound, "NOT_FOUND")
		if list := must[*impactv1.ListMeasurementsResponse](t)(e.measurements.ListMeasurements(other, &impactv1.ListMeasurementsRequest{})); len(list.GetMeasurements()) != 0 {
			t.Errorf("others' measurements are listed: %v", list)
		}
		if list := must[*impactv1.ListMeasurementsResponse](t)(e.measurements.ListMeasurements(e.As(auditor, ""), &impactv1.ListMeasurementsRequest{})); len(list.GetMeasurements()) != 1 {
			t.Errorf("the auditor sees %d measurements", len(list.GetMeasurements()))
		}
	})
}

// An indicator and the node that it measures come and go at the same time: never
// is there an indicator of a node that is gone.
func TestNoIndicatorOutlivesItsNode(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		as := e.admin(1)
		for range 12 {
			th := e.theory(1)
			var created, changed, deleted error
			var all sync.WaitGroup
			all.Go(func() {
				_, created = e.indicators.CreateIndicator(as, &impactv1.CreateIndicatorRequest{Indicator: &impactv1.Indicator{
					Organisation: org(1), Title: text("x"), Unit: "u", Direction: impactv1.Direction_DIRECTION_INCREASE,
					Aggregation: impactv1.Aggregation_AGGREGATION_SUM, Theory: th.GetName(), Node: "turnover",
				}})
			})
			all.Go(func() {
				_, changed = e.theories.UpdateTheory(as, &impactv1.UpdateTheoryRequest{
					Theory: &impactv1.Theory{Name: th.GetName(), Nodes: th.GetNodes()[:5], Links: th.GetLinks()[:4]},
				})
			})
			all.Go(func() { _, deleted = e.theories.DeleteTheory(as, &impactv1.DeleteTheoryRequest{Name: th.GetName()}) })
			all.Wait()
			if created == nil && (changed == nil || deleted == nil) {
				t.Fatalf("an indicator measures a node that is gone: changed %v, deleted %v", changed, deleted)
			}
			for _, err := range []error{created, changed, deleted} {
				if c := status.Code(err); c == codes.Internal || c == codes.Unknown {
					t.Fatal(err)
				}
			}
		}
	})
}
