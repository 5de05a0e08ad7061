package domain_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/money"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

func toDate(s string) civil.Date { return civil.Date(s) }

func TestWrongCardsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(c *domain.Card)
		reason errs.Reason
	}{
		"no title":            {func(c *domain.Card) { c.Title.Text = "\t" }, domain.FieldMissing},
		"no start":            {func(c *domain.Card) { c.Start = "" }, domain.FieldMissing},
		"30 February":         {func(c *domain.Card) { c.End = "2026-02-30" }, domain.DatesWrong},
		"end before start":    {func(c *domain.Card) { c.End = "2026-01-04" }, domain.DatesWrong},
		"no lead":             {func(c *domain.Card) { c.Partners[0].Lead = false }, domain.LeadPartner},
		"two leads":           {func(c *domain.Card) { c.Partners[1].Lead = true }, domain.LeadPartner},
		"another lead":        {func(c *domain.Card) { c.Partners = []domain.Partner{{Organisation: second, Lead: true}} }, domain.LeadPartner},
		"a partner twice":     {func(c *domain.Card) { c.Partners[1].Organisation = lead }, domain.PartnerDuplicate},
		"shares short of all": {func(c *domain.Card) { c.Partners[0].Share = 9_999 }, domain.SharesWrong},
		"funders above all": {func(c *domain.Card) {
			c.Funders = []domain.Funder{{DisplayName: "a", Grant: eur(1), Share: 6_000}, {DisplayName: "b", Grant: eur(1), Share: 4_001}}
		}, domain.SharesWrong},
		"a grant in crowns": {func(c *domain.Card) { c.Funders = []domain.Funder{{DisplayName: "a", Grant: sek(1)}} }, domain.CurrencyMismatch},
		"a negative grant":  {func(c *domain.Card) { c.Funders = []domain.Funder{{DisplayName: "a", Grant: eur(-1)}} }, domain.AmountWrong},
		"a stranger in the team": {func(c *domain.Card) {
			c.Team = []domain.TeamMember{{Subject: "s", Role: "MEMBER", Organisation: "organisations/x"}}
		}, domain.NotAPartner},
	} {
		x := card()
		c.change(&x)
		if _, _, err := domain.OpenProject("p", lead, "EUR", "", x, monday); errs.ReasonOf(err) != c.reason || errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: got %v, want %s", name, err, c.reason)
		}
		p := open(t)
		if _, err := p.Revise(x, domain.Use{}, monday); errs.ReasonOf(err) != c.reason || p.Version != 1 || p.Title.Text != card().Title.Text {
			t.Errorf("%s in a revision: got %v, want %s", name, err, c.reason)
		}
	}
}

func sek(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "SEK"} }

func TestWhatIsInUseStays(t *testing.T) {
	p := open(t)
	alone := card()
	alone.Partners = alone.Partners[:1]
	if _, err := p.Revise(alone, domain.Use{Partners: []string{second}}, monday); errs.ReasonOf(err) != domain.PartnerInUse {
		t.Errorf("a partner with lines: %v", err)
	}
	shorter := card()
	shorter.End = "2026-06-30"
	use := domain.Use{FirstDocument: "2026-02-01", LastDocument: "2026-07-01"}
	if _, err := p.Revise(shorter, use, monday); errs.ReasonOf(err) != domain.ExpenditureOutsideDates {
		t.Errorf("an expenditure left outside: %v", err)
	}
	use.LastDocument = "2026-06-30"
	if _, err := p.Revise(shorter, use, monday); err != nil || p.Version != 2 {
		t.Errorf("an expenditure on the last day: %v, version %d", err, p.Version)
	}
}

func TestProgressIsWeightedByDuration(t *testing.T) {
	p := open(t)
	compute := func(tasks []*domain.Task) error {
		return (&domain.Plan{Project: p, Settings: &domain.Schedule{Project: p.ID}, Tasks: tasks}).Compute()
	}
	task := func(id, parent string, duration int64, progress int32) *domain.Task {
		return &domain.Task{ID: id, Project: p.ID, Work: domain.Work{Parent: parent, Minutes: 480 * duration, Progress: progress}}
	}
	tasks := []*domain.Task{task("wp", "", 99, 7), task("a", "wp", 9, 100), task("b", "wp", 1, 0), task("c", "", 10, 10), task("m", "", 0, 0)}
	if err := compute(tasks); err != nil {
		t.Fatal(err)
	}
	if tasks[0].Done != 90 {
		t.Errorf("the work package is at %d %%, want 90", tasks[0].Done)
	}
	if got, ok := domain.Progress(tasks); !ok || got != 50 { // (9×100 + 10×10) / 20
		t.Errorf("the plan is at %d %%, want 50", got)
	}
	if _, ok := domain.Progress(nil); ok {
		t.Error("a plan without tasks has progress")
	}
	milestones := []*domain.Task{task("x", "", 0, 100), task("y", "", 0, 0), task("z", "", 0, 0)}
	if got, _ := domain.Progress(milestones); got != 33 {
		t.Errorf("one milestone of three: %d %%, want 33", got)
	}
	// All the work is done, and the milestone at its end not reached.
	almost := []*domain.Task{task("wp", "", 0, 0), task("a", "wp", 5, 100), task("m", "wp", 0, 0)}
	if err := compute(almost); err != nil {
		t.Fatal(err)
	}
	if got, _ := domain.Progress(almost); got != 99 || almost[0].Done != 99 || almost[0].Complete() {
		t.Errorf("the plan is at %d %%, the work package at %d %%, want 99", got, almost[0].Done)
	}
}

func TestAPlanHasSoManyLevels(t *testing.T) {
	p := open(t)
	var tasks []*domain.Task
	for i := range domain.MaxLevels + 1 {
		x := &domain.Task{ID: fmt.Sprint(i), Project: p.ID}
		if i > 0 {
			x.Parent = tasks[i-1].ID
		}
		tasks = append(tasks, x)
	}
	plan := &domain.Plan{Project: p, Settings: &domain.Schedule{Project: p.ID}, Tasks: tasks[:domain.MaxLevels]}
	if err := plan.Compute(); err != nil {
		t.Fatal(err)
	}
	plan.Tasks = tasks
	if err := plan.Compute(); errs.ReasonOf(err) != domain.PlanFull {
		t.Errorf("one level more: %v", err)
	}
}

func TestReconcileOpensOnceAndClosesWhatIsGone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []*domain.Alert
		rules := map[string]*domain.AlertRule{}
		for _, r := range domain.AlertRules(nil, nil) {
			rules[r.ID] = r
		}
		n := 0
		newID := func() string { n++; return fmt.Sprint(n) }
		for range rapid.IntRange(1, 6).Draw(t, "rounds") {
			organisation := rapid.SampledFrom([]string{"o1", "o2"}).Draw(t, "organisation")
			causes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) domain.Cause {
				return domain.Cause{Rule: rapid.SampledFrom([]string{"task-late", "line-overspent"}).Draw(t, "rule"),
					Resource: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "resource"), Organisation: organisation}
			}), 0, 6).Draw(t, "causes")
			var open []*domain.Alert
			for _, a := range all {
				if a.Closed.IsZero() {
					open = append(open, a)
				}
			}
			var found []domain.Finding
			for _, c := range causes {
				found = append(found, domain.Finding{Cause: c})
			}
			changes := domain.Reconcile("p", open, found, rules, func(domain.AlertKind) bool { return true }, newID, monday)
			all = append(all, changes.Opened...)
			for _, a := range changes.Closed {
				if a.Closed.IsZero() || a.Version != 2 {
					t.Fatalf("closed %+v", a)
				}
			}
			wrong, alerted := map[domain.Cause]bool{}, map[domain.Cause]int{}
			for _, c := range causes {
				wrong[c] = true
			}
			for _, a := range all {
				if a.Closed.IsZero() {
					alerted[a.Cause]++
				}
			}
			if len(wrong) != len(alerted) {
				t.Fatalf("causes %v, open alerts %v", wrong, alerted)
			}
			for c, times := range alerted {
				if !wrong[c] || times != 1 {
					t.Fatalf("%v has %d open alerts; it is a cause: %v", c, times, wrong[c])
				}
			}
		}
	})
}

func TestDeliverableStates(t *testing.T) {
	p := open(t)
	evidence := domain.Evidence{URI: "https://example.org/d"}
	rapid.Check(t, func(t *rapid.T) {
		d, err := domain.NewDeliverable("d", p, domain.Promise{Title: italian("Relazione"), Due: "2026-03-01"}, monday)
		if err != nil {
			t.Fatal(err)
		}
		next := map[string]map[domain.DeliveryState]domain.DeliveryState{
			"submit": {domain.Planned: domain.Submitted, domain.Returned: domain.Submitted},
			"accept": {domain.Submitted: domain.Accepted},
			"return": {domain.Submitted: domain.Returned, domain.Accepted: domain.Returned},
		}
		for range rapid.IntRange(1, 12).Draw(t, "commands") {
			was, version := d.State, d.Version
			verb := rapid.SampledFrom([]string{"submit", "accept", "return"}).Draw(t, "verb")
			switch verb {
			case "submit":
				err = d.Submit(p, evidence, monday)
			case "accept":
				err = d.Accept(p, nil, monday)
			default:
				err = d.Return(p, "incomplete", monday)
			}
			want, legal := next[verb][was]
			if legal != (err == nil) || legal && (d.State != want || d.Version != version+1) || !legal && (d.State != was || d.Version != version) {
				t.Fatalf("%s in %s: now %s, %v", verb, was, d.State, err)
			}
		}
	})
}
