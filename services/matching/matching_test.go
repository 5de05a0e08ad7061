package matching_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/matching"
	"github.com/trama-suite/trama/services/platform/app"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/testkit"
)

const (
	operator = authzv1.Role_ROLE_NETWORK_OPERATOR
	admin    = authzv1.Role_ROLE_ORGANISATION_ADMIN
	supplier = authzv1.Role_ROLE_SUPPLIER
)

func uuid(n int) string { return fmt.Sprintf("0190a000-0000-7000-8000-%012d", n) }

var (
	cooperative = "organisations/" + uuid(1)
	firm        = "organisations/" + uuid(2)
	otherFirm   = "organisations/" + uuid(3)
	stranger    = "organisations/" + uuid(4)
)

type fixture struct {
	*testkit.Env
	programmes matchingv1.ProgrammeServiceClient
	matches    matchingv1.MatchServiceClient
}

func start(t *testing.T, open testkit.OpenDB) *fixture {
	t.Helper()
	env := testkit.Start(t, open, func(ctx context.Context, d app.Deps) (*app.Service, error) {
		return matching.New(ctx, d, matching.Config{})
	})
	return &fixture{env, matchingv1.NewProgrammeServiceClient(env.Conn), matchingv1.NewMatchServiceClient(env.Conn)}
}

func text(s string) *typev1.LocalizedText {
	return &typev1.LocalizedText{Text: s, LanguageCode: "it"}
}

func aNeed(n int, category string, tags ...string) *cataloguev1.Need {
	return &cataloguev1.Need{
		Name: "needs/" + uuid(n), Organisation: cooperative, Title: text(fmt.Sprint("Bisogno ", n)),
		Category: category, Tags: tags, Visibility: cataloguev1.EntryVisibility_ENTRY_VISIBILITY_NETWORK,
	}
}

func aSolution(n int, owner, serves string, tags ...string) *cataloguev1.Solution {
	return &cataloguev1.Solution{
		Name: "solutions/" + uuid(n), Organisation: owner, Title: text(fmt.Sprint("Soluzione ", n)),
		NeedCategories: []string{serves}, Tags: tags, Visibility: cataloguev1.EntryVisibility_ENTRY_VISIBILITY_PUBLIC,
	}
}

func (f *fixture) programme(t *testing.T) *matchingv1.Programme {
	t.Helper()
	p, err := f.programmes.CreateProgramme(f.As(operator, ""), &matchingv1.CreateProgrammeRequest{Programme: &matchingv1.Programme{
		Title: text("Bisogni e soluzioni"), DemandKind: matchingv1.EntryKind_ENTRY_KIND_NEED,
		SupplyKinds: []matchingv1.EntryKind{matchingv1.EntryKind_ENTRY_KIND_SOLUTION},
		Features: []*matchingv1.Feature{
			{Kind: matchingv1.FeatureKind_FEATURE_KIND_CATEGORY, Weight: 600},
			{Kind: matchingv1.FeatureKind_FEATURE_KIND_TAG, Weight: 400},
		},
		MinimumScore: 300, AnswerDays: 10,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (f *fixture) candidates(t *testing.T, ctx context.Context, programme, need string) []*matchingv1.Candidate {
	t.Helper()
	got, err := f.matches.ListCandidates(ctx, &matchingv1.ListCandidatesRequest{Parent: programme, Demand: need})
	if err != nil {
		t.Fatal(err)
	}
	return got.GetCandidates()
}

func (f *fixture) publish(entries ...proto.Message) {
	for _, e := range entries {
		f.publishAt(1, e)
	}
}

func (f *fixture) publishAt(version int64, e proto.Message) {
	switch e := e.(type) {
	case *cataloguev1.Need:
		f.Apply("catalogue", e.GetName(), version, &cataloguev1.NeedPublished{Need: e})
	case *cataloguev1.Solution:
		f.Apply("catalogue", e.GetName(), version, &cataloguev1.SolutionPublished{Solution: e})
	}
}

func requireReason(t *testing.T, err error, code codes.Code, reason errs.Reason) {
	t.Helper()
	if status.Code(err) != code || errs.ReasonOf(rpc.FromStatus(err)) != reason {
		t.Fatalf("got %v, want %s %s", err, code, reason)
	}
}

func TestCandidatesFollowTheCatalogue(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		f := start(t, open)
		p := f.programme(t)
		need := aNeed(10, "home-care", "mobile", "planning")
		f.publish(need, aSolution(20, firm, "home-care", "mobile"), aSolution(21, otherFirm, "home-care"), aSolution(22, otherFirm, "fundraising"))
		got := f.candidates(t, f.As(operator, ""), p.GetName(), need.GetName())
		if len(got) != 2 || got[0].GetScore() != 800 || got[1].GetScore() != 600 {
			t.Fatalf("candidates %v", got)
		}
		for _, c := range got {
			var sum int64
			for _, term := range c.GetTerms() {
				sum += term.GetPoints()
			}
			if sum != c.GetScore() {
				t.Errorf("%s: terms sum to %d, score %d", c.GetSupply(), sum, c.GetScore())
			}
		}

		// A change is matched again; an older event that comes late changes nothing.
		f.publishAt(3, aSolution(21, otherFirm, "home-care", "mobile", "planning"))
		f.publishAt(2, aSolution(21, otherFirm, "nothing"))
		got = f.candidates(t, f.As(operator, ""), p.GetName(), need.GetName())
		if len(got) != 2 || got[0].GetSupply() != "solutions/"+uuid(21) || got[0].GetScore() != 1000 {
			t.Fatalf("after the change %v", got)
		}
		// What leaves the catalogue's view leaves the candidates.
		f.Apply("catalogue", "solutions/"+uuid(21), 4, &cataloguev1.SolutionArchived{Solution: "solutions/" + uuid(21)})
		hidden := aSolution(20, firm, "home-care", "mobile")
		hidden.Visibility = cataloguev1.EntryVisibility_ENTRY_VISIBILITY_OWN
		f.publishAt(2, hidden)
		if got = f.candidates(t, f.As(operator, ""), p.GetName(), need.GetName()); len(got) != 0 {
			t.Fatalf("still there: %v", got)
		}
	})
}

// Incremental computation must give what a computation of everything gives.
func TestIncrementalEqualsFull(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		f := start(t, open)
		p := f.programme(t)
		rnd := rand.New(rand.NewPCG(1, 2))
		words := []string{"a", "b", "c", "d"}
		some := func() (out []string) {
			for _, w := range words {
				if rnd.IntN(2) == 0 {
					out = append(out, w)
				}
			}
			return out
		}
		version := map[string]int64{}
		for range 60 {
			var e proto.Message
			var name string
			if n := rnd.IntN(6); rnd.IntN(2) == 0 {
				need := aNeed(100+n, words[rnd.IntN(4)], some()...)
				e, name = need, need.GetName()
			} else {
				s := aSolution(200+n, firm, words[rnd.IntN(4)], some()...)
				e, name = s, s.GetName()
			}
			version[name]++
			f.publishAt(version[name], e)
		}
		incremental := dump(f.candidates(t, f.As(operator, ""), p.GetName(), ""))
		// A rule that always holds here makes the service compute everything again.
		p.Rules = []matchingv1.Rule{matchingv1.Rule_RULE_LANGUAGE}
		if _, err := f.programmes.UpdateProgramme(f.As(operator, ""), &matchingv1.UpdateProgrammeRequest{
			Programme: p, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"rules"}},
		}); err != nil {
			t.Fatal(err)
		}
		full := dump(f.candidates(t, f.As(operator, ""), p.GetName(), ""))
		if incremental != full || strings.Count(full, "\n") < 5 {
			t.Fatalf("incremental:\n%s\nfull:\n%s", incremental, full)
		}
	})
}

func dump(candidates []*matchingv1.Candidate) string {
	var b strings.Builder
	for _, c := range candidates {
		fmt.Fprintln(&b, c.GetDemand(), c.GetSupply(), c.GetScore())
	}
	return b.String()
}

func TestFromProposalToAgreement(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		f := start(t, open)
		p := f.programme(t)
		need, solution := aNeed(10, "home-care"), aSolution(20, firm, "home-care")
		f.publish(need, solution, aSolution(22, otherFirm, "fundraising"))
		propose := &matchingv1.ProposeMatchRequest{Programme: p.GetName(), Demand: need.GetName(), Supply: solution.GetName(), RequestId: "r1"}

		m, err := f.matches.ProposeMatch(f.As(admin, cooperative), propose)
		if err != nil {
			t.Fatal(err)
		}
		if m.GetDemandAcceptTime() == nil || m.GetSupplyAcceptTime() != nil || m.GetScore() != 600 {
			t.Fatalf("proposed: %v", m)
		}
		again, err := f.matches.ProposeMatch(f.As(admin, cooperative), propose)
		if err != nil || !proto.Equal(m, again) {
			t.Fatalf("the same request again: %v, %v", again, err)
		}
		_, err = f.matches.ProposeMatch(f.As(operator, ""), &matchingv1.ProposeMatchRequest{Programme: p.GetName(), Demand: need.GetName(), Supply: solution.GetName()})
		requireReason(t, err, codes.AlreadyExists, "MATCH_EXISTS")
		_, err = f.matches.ProposeMatch(f.As(operator, ""), &matchingv1.ProposeMatchRequest{Programme: p.GetName(), Demand: need.GetName(), Supply: "solutions/" + uuid(22)})
		requireReason(t, err, codes.FailedPrecondition, "NOT_A_CANDIDATE")

		// Nobody answers for another body, and to strangers there is no match.
		_, err = f.matches.AcceptMatch(f.As(admin, cooperative), &matchingv1.AcceptMatchRequest{Name: m.GetName(), Side: matchingv1.Side_SIDE_SUPPLY})
		requireReason(t, err, codes.PermissionDenied, "SIDE_NOT_YOURS")
		_, err = f.matches.GetMatch(f.As(admin, stranger), &matchingv1.GetMatchRequest{Name: m.GetName()})
		requireReason(t, err, codes.NotFound, "NOT_FOUND")
		_, err = f.matches.AcceptMatch(f.As(admin, stranger), &matchingv1.AcceptMatchRequest{Name: m.GetName()})
		requireReason(t, err, codes.NotFound, "NOT_FOUND")
		_, err = f.matches.AcceptMatch(f.As(supplier, firm), &matchingv1.AcceptMatchRequest{Name: m.GetName(), Etag: "old"})
		requireReason(t, err, codes.Aborted, "STALE_ETAG")

		m, err = f.matches.AcceptMatch(f.As(supplier, firm), &matchingv1.AcceptMatchRequest{Name: m.GetName(), Etag: m.GetEtag()})
		if err != nil || m.GetState() != matchingv1.MatchState_MATCH_STATE_ACTIVE {
			t.Fatalf("accepted by both: %v, %v", m, err)
		}
		_, err = f.matches.DeclineMatch(f.As(supplier, firm), &matchingv1.DeclineMatchRequest{Name: m.GetName(), Reason: "too late"})
		requireReason(t, err, codes.FailedPrecondition, "MATCH_NOT_OPEN")

		if got := testkit.EventsOf[*matchingv1.MatchActivated](f.Env); len(got) != 1 || got[0].GetMatch().GetName() != m.GetName() {
			t.Fatalf("events: %v", got)
		}
		statistics, err := f.matches.GetMatchingStatistics(f.As(operator, ""), &matchingv1.GetMatchingStatisticsRequest{Programme: p.GetName()})
		if err != nil || statistics.GetDemandsMatched() != 1 || statistics.GetMatchesActive() != 1 || statistics.GetDemands() != 1 || statistics.GetSupplies() != 2 {
			t.Fatalf("statistics %v, %v", statistics, err)
		}
		for who, want := range map[string]int{cooperative: 1, firm: 1, otherFirm: 0} {
			list, err := f.matches.ListMatches(f.As(admin, who), &matchingv1.ListMatchesRequest{Filter: "state = MATCH_STATE_ACTIVE"})
			if err != nil || len(list.GetMatches()) != want {
				t.Errorf("%s sees %v, %v", who, list.GetMatches(), err)
			}
		}
	})
}

func TestProposalsExpire(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		f := start(t, open)
		p := f.programme(t)
		need, solution := aNeed(10, "home-care"), aSolution(20, firm, "home-care")
		f.publish(need, solution)
		m, err := f.matches.ProposeMatch(f.As(operator, ""), &matchingv1.ProposeMatchRequest{Programme: p.GetName(), Demand: need.GetName(), Supply: solution.GetName()})
		if err != nil {
			t.Fatal(err)
		}
		f.Clock.Advance(10 * 24 * time.Hour)
		_, err = f.matches.AcceptMatch(f.As(supplier, firm), &matchingv1.AcceptMatchRequest{Name: m.GetName()})
		requireReason(t, err, codes.FailedPrecondition, "MATCH_EXPIRED")
	})
}

// Not everything between two spaces is a word: PostgreSQL's index takes 2,704 bytes.
func TestWhatIsNoWordDoesNotStopAnEntry(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		f := start(t, open)
		p := f.programme(t)
		random := rand.New(rand.NewPCG(1, 2)) // so that it cannot be compressed
		var blob strings.Builder
		for range 20_000 {
			blob.WriteByte("abcdefghijklmnopqrstuvwxyz0123456789"[random.IntN(36)])
		}
		need, solution := aNeed(10, "home-care"), aSolution(20, firm, "home-care")
		need.Description, solution.Description = text(blob.String()), text(blob.String())
		f.publish(need, solution)
		if got := f.candidates(t, f.As(operator, ""), p.GetName(), need.GetName()); len(got) != 1 {
			t.Errorf("candidates %v", got)
		}
	})
}

// What was withdrawn after it was proposed can be declined and not agreed on.
func TestNobodyAgreesOnWhatIsGone(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		f := start(t, open)
		p := f.programme(t)
		need, solution := aNeed(10, "home-care"), aSolution(20, firm, "home-care")
		f.publish(need, solution)
		m, err := f.matches.ProposeMatch(f.As(admin, cooperative), &matchingv1.ProposeMatchRequest{Programme: p.GetName(), Demand: need.GetName(), Supply: solution.GetName()})
		if err != nil {
			t.Fatal(err)
		}
		f.Apply("catalogue", need.GetName(), 2, &cataloguev1.NeedArchived{Need: need.GetName()})
		_, err = f.matches.AcceptMatch(f.As(supplier, firm), &matchingv1.AcceptMatchRequest{Name: m.GetName()})
		requireReason(t, err, codes.FailedPrecondition, "MATCH_NOT_OPEN")
		m, err = f.matches.DeclineMatch(f.As(supplier, firm), &matchingv1.DeclineMatchRequest{Name: m.GetName(), Reason: "withdrawn"})
		if err != nil || m.GetState() != matchingv1.MatchState_MATCH_STATE_DECLINED {
			t.Fatalf("declined: %v, %v", m, err)
		}
	})
}

// Both sides of many matches answer at the same time: every match is active,
// exactly once, and every event has its version.
func TestBothSidesAnswerAtOnce(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		f := start(t, open)
		p := f.programme(t)
		const pairs = 12
		f.publish(aSolution(20, firm, "home-care"))
		var names []string
		for i := range pairs {
			need := aNeed(100+i, "home-care")
			f.publish(need)
			m, err := f.matches.ProposeMatch(f.As(operator, ""), &matchingv1.ProposeMatchRequest{Programme: p.GetName(), Demand: need.GetName(), Supply: "solutions/" + uuid(20)})
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, m.GetName())
		}
		var wg sync.WaitGroup
		for _, name := range names {
			for _, who := range []context.Context{f.As(admin, cooperative), f.As(supplier, firm)} {
				wg.Go(func() {
					for {
						_, err := f.matches.AcceptMatch(who, &matchingv1.AcceptMatchRequest{Name: name})
						if status.Code(err) != codes.Aborted { // the other side was first: read again
							if err != nil {
								t.Error(err)
							}
							return
						}
					}
				})
			}
		}
		wg.Wait()
		if got := testkit.EventsOf[*matchingv1.MatchActivated](f.Env); len(got) != pairs {
			t.Fatalf("%d matches were activated, want %d", len(got), pairs)
		}
	})
}

func TestOrganisationsSeeTheirOwnCandidates(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		f := start(t, open)
		p := f.programme(t)
		need := aNeed(10, "home-care", "mobile")
		f.publish(need, aSolution(20, firm, "home-care"), aSolution(21, otherFirm, "home-care"))
		for who, want := range map[string]int{cooperative: 2, firm: 1, otherFirm: 1, stranger: 0} {
			if got := f.candidates(t, f.As(admin, who), p.GetName(), ""); len(got) != want {
				t.Errorf("%s sees %d candidates, want %d", who, len(got), want)
			}
		}
		explain := &matchingv1.ExplainRequest{Programme: p.GetName(), Demand: need.GetName(), Supply: "solutions/" + uuid(21)}
		why, err := f.matches.Explain(f.As(admin, cooperative), explain)
		if err != nil || !why.GetCandidate() || why.GetRank() != 2 || len(why.GetRules()) != 2 || why.GetScore() != 600 {
			t.Fatalf("why: %v, %v", why, err)
		}
		_, err = f.matches.Explain(f.As(admin, stranger), explain)
		requireReason(t, err, codes.NotFound, "NOT_FOUND")
		// A stranger learns of no entry: the answer is the same whichever exists.
		for _, pair := range [][2]string{{need.GetName(), "solutions/" + uuid(99)}, {"needs/" + uuid(98), "solutions/" + uuid(21)}, {need.GetName(), "serviceOfferings/" + uuid(30)}} {
			for _, ask := range []func() error{
				func() error {
					_, err := f.matches.Explain(f.As(admin, stranger), &matchingv1.ExplainRequest{Programme: p.GetName(), Demand: pair[0], Supply: pair[1]})
					return err
				},
				func() error {
					_, err := f.matches.ProposeMatch(f.As(admin, stranger), &matchingv1.ProposeMatchRequest{Programme: p.GetName(), Demand: pair[0], Supply: pair[1]})
					return err
				},
			} {
				if err := ask(); err == nil || status.Convert(err).Message() != errs.AbsentResource(pair[0]).Message {
					t.Errorf("%v: %v", pair, err)
				}
			}
		}
		explain.Supply = "solutions/" + uuid(99)
		_, err = f.matches.Explain(f.As(admin, cooperative), explain)
		requireReason(t, err, codes.NotFound, "NOT_FOUND")
		if !strings.Contains(err.Error(), explain.Supply) {
			t.Errorf("the absent supply is not named: %v", err)
		}

		// Pages hold everything once, the best first.
		var seen []string
		req := &matchingv1.ListCandidatesRequest{Parent: p.GetName(), PageSize: 1}
		for {
			got, err := f.matches.ListCandidates(f.As(admin, cooperative), req)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range got.GetCandidates() {
				seen = append(seen, c.GetSupply())
			}
			if req.PageToken = got.GetNextPageToken(); req.PageToken == "" {
				break
			}
		}
		if len(seen) != 2 || seen[0] == seen[1] {
			t.Fatalf("pages gave %v", seen)
		}
	})
}

func TestProgrammesAreNamedByTheirNames(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		f := start(t, open)
		p := f.programme(t)
		for _, name := range []string{"", "needs/" + strings.TrimPrefix(p.GetName(), "programmes/"), strings.TrimPrefix(p.GetName(), "programmes/")} {
			_, err := f.programmes.UpdateProgramme(f.As(operator, ""), &matchingv1.UpdateProgrammeRequest{
				Programme:  &matchingv1.Programme{Name: name, MinimumScore: 1},
				UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"minimum_score"}},
			})
			requireReason(t, err, codes.InvalidArgument, errs.InvalidRequest)
		}
		_, err := f.matches.GetMatchingStatistics(f.As(operator, ""), &matchingv1.GetMatchingStatisticsRequest{Programme: "programmes/" + uuid(97)})
		requireReason(t, err, codes.NotFound, errs.Absent)
		if _, err := f.matches.GetMatchingStatistics(f.As(operator, ""), &matchingv1.GetMatchingStatisticsRequest{Programme: p.GetName()}); err != nil {
			t.Error(err)
		}
	})
}
