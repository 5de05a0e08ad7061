package domain

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/money"
)

const (
	someID      = "01900000-0000-7000-8000-000000000001"
	someOwner   = "organisations/01900000-0000-7000-8000-0000000000aa"
	someProject = "projects/01900000-0000-7000-8000-0000000000bb"
	someService = "serviceOfferings/01900000-0000-7000-8000-0000000000cc"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func someCard() Card {
	return Card{
		Title:       LocalizedText{Text: "Titolo", LanguageCode: "it"},
		Description: LocalizedText{Text: "Descrizione", LanguageCode: "it"},
	}
}

// completeBody returns a body of the kind that can be published.
func completeBody(kind Kind) Body {
	switch kind {
	case KindServiceOffering:
		return &ServiceOffering{Availability: "OFFERING_AVAILABILITY_OFFERED", Mode: "OFFERING_MODE_LAB"}
	case KindNeed:
		return &Need{Urgency: "NEED_URGENCY_HIGH"}
	case KindIdea:
		return &Idea{Stage: StageIdea}
	case KindJobProfile:
		return &JobProfile{Area: "JOB_AREA_COMMUNICATION"}
	case KindEvent:
		return &Event{EventKind: "EVENT_KIND_WEBINAR", StartTime: start, EndTime: start.Add(time.Hour), TimeZone: DefaultTimeZone, Link: "https://example.org"}
	default:
		return &Solution{}
	}
}

// TestLifeOfAnEntry walks random paths of actions through the life of entries of
// every kind and holds each step against the table of the specification.
func TestLifeOfAnEntry(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(Kinds()).Draw(t, "kind")
		e, err := NewEntry(someID, someOwner, someCard(), completeBody(kind), start)
		if err != nil {
			t.Fatal(err)
		}
		state, told, now := EntryDraft, int64(0), start
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			now = now.Add(time.Minute)
			before := *e
			action := rapid.SampledFrom([]string{"publish", "archive", "restore", "restorePublished", "update", "same"}).Draw(t, "action")
			var changes []Change
			var err error
			want, legal, event := state, true, ChangeKind(0)
			switch action {
			case "publish":
				changes, err = e.Publish(now)
				want, legal, event = EntryPublished, state == EntryDraft, Published
			case "archive":
				changes, err = e.Archive(now)
				want, legal = EntryArchived, state != EntryArchived
				if state == EntryPublished {
					event = Archived
				}
			case "restore":
				changes, err = e.Restore("", now)
				want, legal = EntryDraft, state == EntryArchived
			case "restorePublished":
				changes, err = e.Restore(EntryPublished, now)
				want, legal, event = EntryPublished, state == EntryArchived, Published
			case "update":
				card := e.Card
				card.Title.Text += "."
				changes, err = e.Update(card, e.Body, now)
				legal = state != EntryArchived
				if state == EntryPublished {
					event = Published
				}
			case "same":
				changes, err = e.Update(e.Card, e.Body, now)
				legal = state != EntryArchived
			}
			if !legal {
				if errs.ReasonOf(err) != WrongState || e.Version != before.Version || e.State != before.State || len(changes) != 0 {
					t.Fatalf("%s in %s: %v, %v, %+v; want WRONG_STATE and nothing changed", action, state, err, changes, e)
				}
				continue
			}
			if err != nil || e.State != want {
				t.Fatalf("%s in %s: state %s, %v; want %s", action, state, e.State, err, want)
			}
			state = want
			if action == "same" {
				if e.Version != before.Version || len(changes) != 0 || e.UpdateTime != before.UpdateTime {
					t.Fatalf("an update that changes nothing changed %+v to %+v, %v", before, *e, changes)
				}
				continue
			}
			if e.Version != before.Version+1 || e.UpdateTime != now {
				t.Fatalf("%s: version %d after %d at %s", action, e.Version, before.Version, e.UpdateTime)
			}
			if event == 0 {
				if len(changes) != 0 {
					t.Fatalf("%s in %s told %v, want nothing", action, before.State, changes)
				}
				continue
			}
			told++
			if len(changes) != 1 || changes[0].What != event || changes[0].Version != told || e.Events != told {
				t.Fatalf("%s in %s told %v, want event %d of kind %d", action, before.State, changes, told, event)
			}
			if want == EntryPublished && action != "update" && e.PublishTime != now {
				t.Fatalf("%s: publish time %s, want %s", action, e.PublishTime, now)
			}
		}
	})
}

// TestIdeaStages walks random advances: one stage at a time, never back, never
// to a project without a project's name.
func TestIdeaStages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, err := NewEntry(someID, someOwner, someCard(), completeBody(KindIdea), start)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Publish(start); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 10).Draw(t, "steps") {
			before := *e
			was := *e.Body.(*Idea)
			a := Advance{
				To:              rapid.SampledFrom(ideaStages).Draw(t, "to"),
				Reason:          rapid.SampledFrom([]string{"", "maturo", "maturo"}).Draw(t, "reason"),
				Project:         rapid.SampledFrom([]string{"", "projects/x", someProject, someProject}).Draw(t, "project"),
				ServiceOffering: rapid.SampledFrom([]string{"", "", someService}).Draw(t, "service"),
			}
			changes, err := e.Advance(a, start.Add(time.Hour))
			is := e.Body.(*Idea)
			next := slices.Index(ideaStages, a.To) == slices.Index(ideaStages, was.Stage)+1
			legal := next && a.Reason != "" &&
				(a.To == StageProject) == (a.Project == someProject) && (a.To == StageProject || a.Project == "") &&
				(a.To == StageService) == (a.ServiceOffering == someService)
			if legal != (err == nil) {
				t.Fatalf("advance %+v from %s: %v", a, was.Stage, err)
			}
			if err != nil {
				if e.Version != before.Version || is.Stage != was.Stage || len(changes) != 0 {
					t.Fatalf("a refused advance changed %+v to %+v", before, *e)
				}
				continue
			}
			if len(changes) != 2 || changes[0].What != Advanced || changes[0].From != was.Stage || changes[0].To != a.To ||
				changes[1].What != Published || changes[1].Version != changes[0].Version+1 || e.Events != changes[1].Version {
				t.Fatalf("advance %+v told %+v", a, changes)
			}
			if len(was.Steps)+1 != len(is.Steps) || is.Steps[len(was.Steps)].To != a.To {
				t.Fatalf("steps %+v after %+v", is.Steps, was.Steps)
			}
		}
		idea := e.Body.(*Idea)
		if slices.Index(ideaStages, idea.Stage) >= 2 && idea.Project != someProject {
			t.Fatalf("stage %s without a project", idea.Stage)
		}
	})
}

func TestDraftAndOtherKindsDoNotAdvance(t *testing.T) {
	a := Advance{To: StagePath, Reason: "maturo"}
	draft, _ := NewEntry(someID, someOwner, someCard(), completeBody(KindIdea), start)
	if _, err := draft.Advance(a, start); errs.ReasonOf(err) != WrongState {
		t.Errorf("a draft advanced: %v", err)
	}
	need, _ := NewEntry(someID, someOwner, someCard(), completeBody(KindNeed), start)
	if _, err := need.Advance(a, start); errs.ReasonOf(err) != errs.Absent {
		t.Errorf("a need advanced: %v", err)
	}
}

func TestPublishingAsksForACompleteEntry(t *testing.T) {
	for kind, missing := range map[Kind][]string{
		KindSolution:        {"description"},
		KindServiceOffering: {"description", "availability", "mode"},
		KindNeed:            {"description", "urgency"},
		KindIdea:            {"description"},
		KindJobProfile:      {"description", "area"},
		KindEvent:           {"description", "kind", "place"},
	} {
		body := NewBody(kind)
		switch b := body.(type) {
		case *Idea:
			b.Stage = StageIdea
		case *Event:
			*b = Event{StartTime: start, EndTime: start.Add(time.Hour), TimeZone: DefaultTimeZone}
		}
		card := someCard()
		card.Description = LocalizedText{}
		e, err := NewEntry(someID, someOwner, card, body, start)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		_, err = e.Publish(start)
		if errs.ReasonOf(err) != EntryIncomplete || !slices.Equal(paths(err), missing) || e.State != EntryDraft {
			t.Errorf("%s: publishing said %v, want ENTRY_INCOMPLETE for %v", kind, err, missing)
		}
	}
}

func TestRulesOfContent(t *testing.T) {
	event := func(change func(*Event)) Body {
		e := completeBody(KindEvent).(*Event)
		change(e)
		return e
	}
	for name, c := range map[string]struct {
		card func(*Card)
		body Body
		path string
	}{
		"no title":               {card: func(c *Card) { c.Title.Text = "  " }, path: "title.text"},
		"no language":            {card: func(c *Card) { c.Title.LanguageCode = "" }, path: "title.language_code"},
		"translation of itself":  {card: func(c *Card) { c.Title.Translations = map[string]string{"IT": "x"} }, path: "title.translations[IT]"},
		"ends before it begins":  {card: func(c *Card) { c.ValidFrom, c.ValidUntil = "2026-05-02", "2026-05-01" }, path: "valid_until"},
		"no such day":            {card: func(c *Card) { c.ValidFrom = "2026-02-30" }, path: "valid_from"},
		"assured in the future":  {card: func(c *Card) { c.AssuredDate = "2026-03-03" }, path: "assured_date"},
		"negative price":         {body: &Solution{PriceFrom: &money.Amount{Minor: -1, Currency: "EUR"}}, path: "price_from"},
		"free at a price":        {body: &Solution{PriceModel: "PRICE_MODEL_FREE", PriceFrom: &money.Amount{Minor: 1, Currency: "EUR"}}, path: "price_from"},
		"evidence of tomorrow":   {body: &Need{Evidence: []Evidence{{Kind: "EVIDENCE_KIND_SURVEY", Date: "2027-01-01"}}}, path: "evidence[0].date"},
		"evidence of no kind":    {body: &Need{Evidence: []Evidence{{Date: "2026-01-01"}}}, path: "evidence[0].kind"},
		"no budget":              {body: &Need{Constraints: NeedConstraints{BudgetCeiling: &money.Amount{Currency: "EUR"}}}, path: "constraints.budget_ceiling"},
		"wrong deadline":         {body: &Need{Constraints: NeedConstraints{Deadline: "2026-13-01"}}, path: "constraints.deadline"},
		"competence twice":       {body: &JobProfile{Competences: []Competence{{"DigComp", "1.1", 3}, {"DigComp", "1.1", 5}}}, path: "competences[1]"},
		"empty duty":             {body: &JobProfile{Duties: []LocalizedText{{LanguageCode: "it"}}}, path: "duties[0].text"},
		"ends when it starts":    {body: event(func(e *Event) { e.EndTime = e.StartTime }), path: "end_time"},
		"too long":               {body: event(func(e *Event) { e.EndTime = e.StartTime.AddDate(2, 0, 0) }), path: "end_time"},
		"no start":               {body: event(func(e *Event) { e.StartTime = time.Time{} }), path: "start_time"},
		"the server's time zone": {body: event(func(e *Event) { e.TimeZone = "Local" }), path: "time_zone"},
		"no such time zone":      {body: event(func(e *Event) { e.TimeZone = "Europe/Turin" }), path: "time_zone"},
	} {
		card, body := someCard(), c.body
		if c.card != nil {
			c.card(&card)
		}
		if body == nil {
			body = &Solution{}
		}
		if _, err := NewEntry(someID, someOwner, card, body, start); errs.KindOf(err) != errs.Invalid || !slices.Contains(paths(err), c.path) {
			t.Errorf("%s: %v, want a violation of %s", name, err, c.path)
		}
	}
	if _, err := NewEntry(someID, "organisations/x", someCard(), &Solution{}, start); !slices.Contains(paths(err), "organisation") {
		t.Errorf("a wrong owner: %v", err)
	}
}

func TestTermsMustExistAndNewOnesBeInForce(t *testing.T) {
	const care, old, gone = "vocabularies/a/terms/care", "vocabularies/a/terms/old", "vocabularies/a/terms/gone"
	card := someCard()
	card.Category, card.Sectors, card.Tags = care, []string{"parola", old}, []string{gone}
	e, err := NewEntry(someID, someOwner, card, &Solution{NeedCategories: []string{old}}, start)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]Validity{care: {From: "2020-01-01"}, old: {To: "2025-12-31"}}
	if got := paths(e.CheckTerms(known, nil, start)); !slices.Equal(got, []string{"sectors[1]", "tags[0]", "need_categories[0]"}) {
		t.Errorf("new terms: violations of %v", got)
	}
	if got := paths(e.CheckTerms(known, e.Terms(), start)); !slices.Equal(got, []string{"tags[0]"}) {
		t.Errorf("terms named before: violations of %v", got)
	}
}

func TestOwnEntriesNeverTravelUnderALicence(t *testing.T) {
	card := someCard()
	card.Licence, card.Visibility = "CC-BY-4.0", VisibleToOwn
	e, err := NewEntry(someID, someOwner, card, &Solution{}, start)
	if err != nil || e.Licence() != LicenceInternal {
		t.Errorf("licence %v, %v", e, err)
	}
}

func paths(err error) []string {
	e, ok := errors.AsType[*errs.Error](err)
	if !ok {
		return nil
	}
	var out []string
	for _, f := range e.Fields {
		out = append(out, f.Path)
	}
	return out
}
