package domain_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/money"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

func TestWhenACommunicationIsNext(t *testing.T) {
	p := open(t)
	for _, c := range []struct {
		frequency  string
		done, next civil.Date
	}{
		{domain.Weekly, "2025-12-29", "2026-01-05"}, {domain.Monthly, "2025-12-31", "2026-01-31"}, {domain.Monthly, "2024-01-31", "2024-02-29"},
		{domain.Monthly, "2025-01-31", "2025-02-28"}, {domain.Quarterly, "2025-11-30", "2026-02-28"}, {domain.Yearly, "2024-02-29", "2025-02-28"},
		{domain.AsNeeded, "2026-01-05", ""}, {domain.Once, "2026-01-05", ""},
	} {
		x := &domain.Communication{Title: italian("x"), Audience: "a", Channel: "c", Frequency: c.frequency}
		if _, err := domain.AddEntry(x, "c", p, who); err != nil {
			t.Fatal(err)
		}
		if _, err := x.Log(p, c.done, "", who, "2026-01-05"); err != nil || x.Due != c.next || (x.State == domain.CommunicationEnded) != (c.frequency == domain.Once) {
			t.Errorf("%s after %s: %s, %s, %v", c.frequency, c.done, x.Due, x.State, err)
		}
	}
}

// TestGapsOfTheMatrix holds the gaps against the rule told task by task: whoever
// is above it counts.
func TestGapsOfTheMatrix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "tasks")
		tasks := make([]domain.PlanNode, n)
		for i := range tasks {
			tasks[i].ID = fmt.Sprint("t", i)
			if above := rapid.IntRange(-1, i-1).Draw(t, "above"); above >= 0 {
				tasks[i].Parent = fmt.Sprint("t", above)
			}
		}
		parts := map[string][]string{}
		var rows []*domain.Responsibility
		for i := range tasks {
			if !rapid.Bool().Draw(t, "row") {
				continue
			}
			row := &domain.Responsibility{Entry: domain.Entry{Task: tasks[i].ID}}
			for _, part := range []string{domain.Accountable, domain.Responsible, "INFORMED"} {
				if rapid.Bool().Draw(t, part) {
					row.Assignments = append(row.Assignments, domain.RaciAssignment{Part: part, Organisation: lead})
					parts[tasks[i].ID] = append(parts[tasks[i].ID], part)
				}
			}
			rows = append(rows, row)
		}
		var want []domain.Gap
		for i := range tasks {
			if slices.ContainsFunc(tasks, func(x domain.PlanNode) bool { return x.Parent == tasks[i].ID }) {
				continue
			}
			var have []string
			for at := i; at >= 0; {
				have = append(have, parts[tasks[at].ID]...)
				at = slices.IndexFunc(tasks, func(x domain.PlanNode) bool { return x.ID == tasks[at].Parent })
			}
			gap := domain.Gap{Task: tasks[i].ID, AccountableMissing: !slices.Contains(have, domain.Accountable), ResponsibleMissing: !slices.Contains(have, domain.Responsible)}
			if gap.AccountableMissing || gap.ResponsibleMissing {
				want = append(want, gap)
			}
		}
		if got := domain.ResponsibilityGaps(tasks, rows); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

// TestEntriesKeepToTheirSteps drives each register through random steps: an entry
// is always in a state that its register knows, and a refused step changes
// nothing.
func TestEntriesKeepToTheirSteps(t *testing.T) {
	states := map[string][]string{
		"issues": {"OPEN", "IN_PROGRESS", "RESOLVED", "CLOSED"}, "decisions": {"DRAFT", "TAKEN", "SUPERSEDED"},
		"changeRequests": {"PROPOSED", "UNDER_REVIEW", "APPROVED", "REJECTED", "IMPLEMENTED", "WITHDRAWN"},
		"procurements":   {"PLANNED", "LAUNCHED", "AWARDED", "DELIVERED", "CLOSED", "CANCELLED"}, "qualityChecks": {"PLANNED", "PASSED", "FAILED"},
		"communications": {"ACTIVE", "ENDED"}, "risks": {"OPEN", "HAPPENED", "CLOSED"},
	}
	legal := []string{
		"issues OPEN>IN_PROGRESS", "issues OPEN>RESOLVED", "issues IN_PROGRESS>OPEN", "issues IN_PROGRESS>RESOLVED", "issues RESOLVED>OPEN", "issues RESOLVED>CLOSED", "issues CLOSED>OPEN",
		"decisions DRAFT>TAKEN", "decisions TAKEN>SUPERSEDED",
		"changeRequests PROPOSED>UNDER_REVIEW", "changeRequests PROPOSED>WITHDRAWN", "changeRequests UNDER_REVIEW>APPROVED", "changeRequests UNDER_REVIEW>REJECTED",
		"changeRequests UNDER_REVIEW>WITHDRAWN", "changeRequests APPROVED>IMPLEMENTED",
		"procurements PLANNED>LAUNCHED", "procurements PLANNED>CANCELLED", "procurements LAUNCHED>AWARDED", "procurements LAUNCHED>PLANNED", "procurements LAUNCHED>CANCELLED",
		"procurements AWARDED>DELIVERED", "procurements DELIVERED>CLOSED",
		"qualityChecks PLANNED>PASSED", "qualityChecks PLANNED>FAILED", "qualityChecks FAILED>PASSED", "qualityChecks FAILED>FAILED", "qualityChecks FAILED>PLANNED", "qualityChecks PASSED>PLANNED",
		"communications ACTIVE>ENDED", "risks OPEN>HAPPENED", "risks OPEN>CLOSED",
	}
	rapid.Check(t, func(t *rapid.T) {
		p := open(t)
		x := rapid.SampledFrom([]domain.Registered{
			&domain.Issue{Title: italian("x"), Severity: 1, Urgency: 1, Resolution: "x"}, &domain.Decision{Title: italian("x")},
			&domain.ChangeRequest{Title: italian("x"), Reason: "x", Affects: []string{"projects/p/tasks/t"}},
			&domain.Procurement{Title: italian("x"), Procedure: "OPEN", Estimated: money.Amount{Minor: 1, Currency: "EUR"}, Agreed: money.Amount{Minor: 1, Currency: "EUR"}, Contract: "x", Supplier: second, Entry: domain.Entry{Due: "2026-02-01"}},
			&domain.QualityCheck{Criterion: italian("x"), Entry: domain.Entry{Task: "t"}}, &domain.Communication{Title: italian("x"), Audience: "x", Channel: "x"},
			&domain.Risk{Title: italian("x"), Probability: 1, Impact: 1},
		}).Draw(t, "entry")
		x.Head().State = ""
		if _, err := domain.AddEntry(x, "e", p, who); err != nil {
			t.Fatal(err)
		}
		all := states[x.Register().Collection]
		for range rapid.IntRange(0, 10).Draw(t, "steps") {
			from, version := x.Head().State, x.CurrentVersion()
			to := rapid.SampledFrom(append([]string{"", "NEVER"}, all...)).Draw(t, "to")
			entry, err := domain.MoveEntry(x, p, to, who)
			may := slices.Contains(legal, x.Register().Collection+" "+from+">"+to)
			if may != (err == nil) {
				t.Fatalf("%s from %s to %s: %v", x.Register().Collection, from, to, err)
			}
			if err != nil && (x.Head().State != from || x.CurrentVersion() != version || errs.ReasonOf(err) != domain.EntryState) {
				t.Fatalf("a refused step has changed the entry: %v", err)
			}
			if err == nil && (x.Head().State != to || x.CurrentVersion() != version+1 || entry.Actor != who.Actor || from != to && (entry.From != from || entry.To != to)) {
				t.Fatalf("to %s with %+v", to, entry)
			}
			if !slices.Contains(all, x.Head().State) {
				t.Fatalf("state %q", x.Head().State)
			}
		}
	})
}
