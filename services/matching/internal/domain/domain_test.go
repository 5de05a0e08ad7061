package domain

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/matching/internal/domain/scoring"
	"github.com/trama-suite/trama/services/platform/errs"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func programme(t testing.TB) *Programme {
	t.Helper()
	p, err := NewProgramme("p", Programme{
		Demand: scoring.Need, Supplies: []scoring.Kind{scoring.Solution},
		Policy: scoring.Policy{Weights: []scoring.Weight{{Feature: scoring.Tag, Points: 100}}, Minimum: 50},
	}, noon)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func pair() (demand, supply scoring.Entry) {
	return scoring.Entry{Name: "needs/n", Organisation: "organisations/a", Tags: []string{"x"}},
		scoring.Entry{Name: "solutions/s", Organisation: "organisations/b", Tags: []string{"x"}}
}

func TestProgrammesThatCannotHold(t *testing.T) {
	for name, weights := range map[string][]scoring.Weight{
		"a feature twice":     {{Feature: scoring.Tag, Points: 1}, {Feature: scoring.Tag, Points: 2}},
		"a weight of nothing": {{Feature: scoring.Tag, Points: 0}},
		"a negative weight":   {{Feature: scoring.Tag, Points: -1}},
		"too much together":   {{Feature: scoring.Tag, Points: 600_000}, {Feature: scoring.Text, Points: 600_000}},
	} {
		_, err := NewProgramme("p", Programme{Policy: scoring.Policy{Weights: weights}}, noon)
		if errs.ReasonOf(err) != ReasonProgrammeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := NewProgramme("p", Programme{Policy: scoring.Policy{Weights: []scoring.Weight{{Feature: scoring.Tag, Points: 10}}, Minimum: 11}}, noon)
	if errs.ReasonOf(err) != ReasonProgrammeInvalid {
		t.Errorf("a minimum that nobody reaches: %v", err)
	}
}

func TestAChangeOfRulesAsksForNewCandidates(t *testing.T) {
	p := programme(t)
	to := *p
	to.Title = Text{Text: "other", Language: "en"}
	if again, err := p.Change(to, noon); err != nil || again {
		t.Errorf("a new title: recompute %v, %v", again, err)
	}
	to.Policy.Minimum = 1
	if again, err := p.Change(to, noon); err != nil || !again {
		t.Errorf("a new minimum: recompute %v, %v", again, err)
	}
	to.Supplies = []scoring.Kind{scoring.ServiceOffering}
	if _, err := p.Change(to, noon); errs.ReasonOf(err) != errs.InvalidUpdateMask {
		t.Errorf("new kinds: %v", err)
	}
}

func TestNoCandidateIsProposed(t *testing.T) {
	demand, supply := pair()
	supply.Tags = []string{"y"}
	_, _, err := Propose("m", programme(t), demand, supply, "", "", noon)
	if errs.ReasonOf(err) != ReasonNotACandidate || errs.KindOf(err) != errs.FailedPrecondition {
		t.Fatal(err)
	}
}

func TestWhoAnswersForWhom(t *testing.T) {
	m := &Match{ID: "m", DemandOrganisation: "a", SupplyOrganisation: "b"}
	for _, c := range []struct {
		owns  string
		asked Side
		want  Side
	}{
		{"a", "", DemandSide}, {"b", "", SupplySide}, {"a", DemandSide, DemandSide}, {"ab", SupplySide, SupplySide},
		{"a", SupplySide, ""}, {"b", DemandSide, ""}, {"ab", "", ""}, {"", "", ""}, {"", DemandSide, ""},
	} {
		owns := func(organisation string) bool {
			for _, o := range c.owns {
				if string(o) == organisation {
					return true
				}
			}
			return false
		}
		got, err := m.SideOf(owns, c.asked)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("owner of %q asking for %q: %q, %v", c.owns, c.asked, got, err)
		}
	}
}

// Under any order of answers and clock ticks: a match is active exactly when
// both sides said yes in time and nobody said no, and an ended match never moves.
func TestAMatchUnderAnyAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		demand, supply := pair()
		p := &Programme{ID: "p", AnswerDays: 5, Policy: scoring.Policy{Weights: []scoring.Weight{{Feature: scoring.Tag, Points: 1}}}}
		by := rapid.SampledFrom([]Side{"", DemandSide, SupplySide}).Draw(t, "proposed by")
		m, _, err := Propose("m", p, demand, supply, by, "", noon)
		if err != nil {
			t.Fatal(err)
		}
		yes := map[Side]bool{}
		if by != "" {
			yes[by] = true
		}
		want, now := Proposed, noon
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "hours")) * time.Hour)
			inTime := now.Before(m.ExpireTime)
			side := rapid.SampledFrom([]Side{DemandSide, SupplySide}).Draw(t, "side")
			before := *m
			var moved bool
			switch rapid.SampledFrom([]string{"accept", "decline", "expire"}).Draw(t, "step") {
			case "accept":
				event, err := m.Accept(side, now)
				moved = err == nil && event != ""
				if want == Proposed && inTime {
					yes[side] = true
					if yes[DemandSide] && yes[SupplySide] {
						want = Active
					}
				}
			case "decline":
				_, err := m.Decline(side, "no", now)
				moved = err == nil
				if want == Proposed && inTime {
					want = Declined
				}
			case "expire":
				_, moved = m.Expire(now)
				if want == Proposed && !inTime {
					want = Expired
				}
			}
			if m.State != want {
				t.Fatalf("state %s, want %s", m.State, want)
			}
			if before.State != Proposed && moved {
				t.Fatalf("an ended match moved from %s", before.State)
			}
			if moved != (m.Version == before.Version+1) {
				t.Fatalf("moved %v but the version went from %d to %d", moved, before.Version, m.Version)
			}
		}
	})
}
