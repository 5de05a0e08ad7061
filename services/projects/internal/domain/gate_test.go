package domain_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

var (
	monday = time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)
	lead   = "organisations/00000000-0000-7000-8000-000000000001"
	second = "organisations/00000000-0000-7000-8000-000000000002"
)

func italian(text string) domain.Text { return domain.Text{Text: text, Language: "it"} }

func card() domain.Card {
	return domain.Card{Title: italian("Rete digitale"), Start: "2026-01-05", End: "2026-12-31",
		Partners: []domain.Partner{{Organisation: lead, Lead: true}, {Organisation: second}}}
}

func open(t interface{ Fatal(...any) }) *domain.Project {
	p, event, err := domain.OpenProject("p", lead, "EUR", "", card(), monday)
	if err != nil {
		t.Fatal(err)
	}
	if event.Version != 1 || event.What != domain.Opened {
		t.Fatal("opening gave", event)
	}
	return p
}

func anybody(string) bool { return true }

var who = domain.Act{Actor: "who", Note: "why", Time: monday}

func TestTheShippedTemplatesAreSound(t *testing.T) {
	for _, id := range domain.ShippedTemplates {
		t.Run(id, func(t *testing.T) { sound(t, domain.ShippedTemplate(id)) })
	}
}

func sound(t *testing.T, template *domain.Template) {
	if err := template.Check(); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, r := range template.Gates {
		for _, item := range r.Items {
			keys = append(keys, string(r.Gate)+"/"+item.Key)
			if item.Title.Language != "it" || item.Title.Translations["en"] == "" {
				t.Errorf("%s: title %+v", item.Key, item.Title)
			}
		}
	}
	for _, want := range []string{"rfp/business-case", "rfp/charter", "rfe/work-plan", "rfe/responsibilities", "rfe/procurement-plan", "rfc/accepted-deliverables", "rfc/changes-settled",
		"close/project-end-report", "close/lessons-learned", "close/issues-closed", "close/costs-settled", "close/documents-archived"} {
		if !slices.Contains(keys, want) {
			t.Errorf("the default does not ask for %s", want)
		}
	}
}

func TestWrongTemplatesAreRefused(t *testing.T) {
	rules := func(change func(r []domain.Rule) []domain.Rule) []domain.Rule {
		return change(domain.DefaultTemplate().Gates)
	}
	for name, c := range map[string]struct {
		rules  []domain.Rule
		reason errs.Reason
	}{
		"a gate missing":  {rules(func(r []domain.Rule) []domain.Rule { return r[1:] }), domain.TemplateWrong},
		"a gate twice":    {rules(func(r []domain.Rule) []domain.Rule { r[1].Gate = "rfp"; return r }), domain.TemplateWrong},
		"nobody approves": {rules(func(r []domain.Rule) []domain.Rule { r[2].Approvers = nil; return r }), domain.TemplateWrong},
		"a key twice":     {rules(func(r []domain.Rule) []domain.Rule { r[0].Items[1].Key = r[0].Items[0].Key; return r }), domain.ArtefactExists},
		"an empty title":  {rules(func(r []domain.Rule) []domain.Rule { r[0].Items[1].Title.Text = " "; return r }), domain.FieldMissing},
		"an unknown gate": {rules(func(r []domain.Rule) []domain.Rule { r[3].Gate = "rfx"; return r }), domain.TemplateWrong},
	} {
		if got := errs.ReasonOf(domain.DefaultTemplate().Replace(italian("x"), "", c.rules, monday)); got != c.reason {
			t.Errorf("%s: got %s, want %s", name, got, c.reason)
		}
	}
}

func TestARefusalNamesEachMissingArtefact(t *testing.T) {
	p := open(t)
	g := domain.DefaultTemplate().GatesFor(p.ID, monday)[0]
	facts := domain.Facts{CharterGaps: p.CharterGaps()}
	x, _, err := p.RequestGate("r", g, facts, who)
	if err != nil || x.Ready() {
		t.Fatal("asking gave", err, x.Ready())
	}
	_, _, _, err = p.Approve(x, g, facts, anybody, who)
	if errs.ReasonOf(err) != domain.GateNotReady {
		t.Fatal(err)
	}
	for _, want := range []string{"initiation-request", "business-case", "charter", "objectives", "territory", "funders", "MANAGER"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %s", err, want)
		}
	}
	_, _, _, err = p.Approve(x, g, domain.Facts{}, func(role string) bool { return role == "AUDITOR" }, who)
	if errs.ReasonOf(err) != domain.ApproverRole {
		t.Errorf("an auditor: %v", err)
	}
}

func TestWhoWaivedAnArtefactAnswersForIt(t *testing.T) {
	p := open(t)
	g := &domain.Gate{Project: p.ID, Key: "rfp", Approvers: []string{"NETWORK_OPERATOR"},
		Items: []domain.Item{{Key: "handed-over", Title: italian("Consegna"), Check: domain.CheckConfirmation}}}
	waiver := domain.Act{Actor: "approver", Note: "small", Time: who.Time}
	if err := g.Waive(p, "handed-over", anybody, "", "2026-01-05", waiver); err != nil {
		t.Fatal(err)
	}
	for _, confirmed := range []bool{true, false} {
		if err := g.Confirm(p, "handed-over", confirmed, who); err != nil {
			t.Fatal(err)
		}
		if by := g.Items[0].By; by == nil || by.Actor != "approver" {
			t.Errorf("confirmed %t: the waiver is by %+v", confirmed, by)
		}
	}
}
