package domain

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/platform/errs"
)

func named(s string) Text { return Text{Text: s, Language: "en"} }

// reaches tells by plain search whether links lead from one node to another.
func reaches(links []Link, from, to string, seen map[string]bool) bool {
	for _, l := range links {
		if l.From != from || seen[l.To] {
			continue
		}
		if l.To == to {
			return true
		}
		seen[l.To] = true
		if reaches(links, l.To, to, seen) {
			return true
		}
	}
	return false
}

// A graph is refused exactly where a node reaches itself, and the cycle that is
// named is one: its links are there, and it ends where it starts.
func TestCyclesAreFoundAndNamed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 7).Draw(t, "nodes")
		g := Graph{}
		for i := range n {
			g.Nodes = append(g.Nodes, Node{Key: fmt.Sprint("n", i), Type: Outcome, Title: named("node")})
		}
		seen := map[[2]int]bool{}
		for range rapid.IntRange(0, 12).Draw(t, "links") {
			e := [2]int{rapid.IntRange(0, n-1).Draw(t, "from"), rapid.IntRange(0, n-1).Draw(t, "to")}
			if !seen[e] {
				seen[e] = true
				g.Links = append(g.Links, Link{From: fmt.Sprint("n", e[0]), To: fmt.Sprint("n", e[1]), Type: LeadsTo})
			}
		}
		cyclic := slices.ContainsFunc(g.Nodes, func(n Node) bool { return reaches(g.Links, n.Key, n.Key, map[string]bool{}) })
		err := g.check()
		if got := errs.ReasonOf(err) == TheoryCycle; got != cyclic {
			t.Fatalf("%v: %v, cyclic is %v", g.Links, err, cyclic)
		}
		if !cyclic {
			return
		}
		refused, _ := errors.AsType[*errs.Error](err)
		path := strings.Split(refused.Metadata["cycle"], " → ")
		if len(path) < 2 || path[0] != path[len(path)-1] {
			t.Fatalf("the cycle named is %v", path)
		}
		for i := range len(path) - 1 {
			if !slices.ContainsFunc(g.Links, func(l Link) bool { return l.From == path[i] && l.To == path[i+1] }) {
				t.Fatalf("%v names a link that is not there", path)
			}
		}
	})
}

func TestLinksJoinWhatTheyMay(t *testing.T) {
	for _, c := range []struct {
		kind     LinkType
		from, to NodeType
		want     bool
	}{
		{LeadsTo, Input, Activity, true}, {LeadsTo, Outcome, Outcome, true}, {LeadsTo, Output, Impact, true},
		{LeadsTo, Outcome, Activity, false}, {LeadsTo, Risk, Outcome, false}, {LeadsTo, Input, Stakeholder, false},
		{Underpins, Assumed, Outcome, true}, {Underpins, Risk, Outcome, false},
		{Threatens, Risk, Assumed, true}, {Threatens, Risk, Stakeholder, false},
		{TakesPartIn, Stakeholder, Activity, true}, {TakesPartIn, Stakeholder, Impact, false},
		{Benefits, Outcome, Stakeholder, true}, {Benefits, Activity, Stakeholder, false},
	} {
		if got := c.kind.joins(c.from, c.to); got != c.want {
			t.Errorf("%s from %s to %s: %v, want %v", c.kind, c.from, c.to, got, c.want)
		}
	}
}

// Changing the working copy, or adding evidence, leaves the theory it was made
// of as it was: published versions share its graph.
func TestEvidenceDoesNotReachBack(t *testing.T) {
	before := Theory{Title: named("t"), Graph: Graph{
		Nodes: []Node{{Key: "a", Type: Activity, Title: named("a")}, {Key: "b", Type: Output, Title: named("b")}},
		Links: []Link{{From: "a", To: "b", Type: LeadsTo, Assumptions: []Assumption{{Key: "x", Statement: named("x"), State: Untested}}}},
	}}
	after, err := before.AddEvidence("a", "b", "x", Evidence{Finding: named("seen"), Verdict: Supported, Date: 20260101}, time.Unix(0, 0))
	if err != nil || after.Links[0].Assumptions[0].State != Supported {
		t.Fatalf("after = %+v, %v", after, err)
	}
	if a := before.Links[0].Assumptions[0]; a.State != Untested || len(a.Evidence) != 0 {
		t.Errorf("before = %+v", a)
	}
	settled, err := after.AddEvidence("a", "b", "x", Evidence{Finding: named("unclear"), Verdict: Untested, Date: 20260102}, time.Unix(0, 0))
	if err != nil || settled.Links[0].Assumptions[0].State != Supported {
		t.Errorf("evidence that settles nothing made it %+v, %v", settled.Links[0].Assumptions[0], err)
	}
	if err := after.Check(); err != nil {
		t.Errorf("a theory with evidence: %v", err)
	}
}
