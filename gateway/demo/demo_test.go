package demo

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/gateway/rest"
	"github.com/trama-suite/trama/gateway/suite"
	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/config"
)

// The check digit of real codes, published by the bodies themselves: INPS,
// Agenzia delle Entrate, Politecnico di Torino, Università di Torino.
func TestCheckDigitsOfRealCodes(t *testing.T) {
	for _, code := range []string{"80078750587", "06363391001", "00518460019", "80088230018"} {
		if got := checkDigit(code[:10]); got != int(code[10]-'0') {
			t.Errorf("%s: check digit %d", code, got)
		}
	}
}

// A code with one digit changed, or two neighbours swapped, has another check
// digit, except that the pair 0 and 9 looks the same swapped.
func TestCheckDigitsTellSlips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ten := rapid.StringMatching(`[0-9]{10}`).Draw(t, "digits")
		i := rapid.IntRange(0, 9).Draw(t, "place")
		other := rapid.RuneFrom([]rune("0123456789")).Draw(t, "digit")
		slip := ten[:i] + string(other) + ten[i+1:]
		if slip != ten && checkDigit(slip) == checkDigit(ten) {
			t.Fatalf("%s and %s have the same check digit", ten, slip)
		}
		if i == 9 || ten[i] == ten[i+1] || ten[i:i+2] == "09" || ten[i:i+2] == "90" {
			return
		}
		swapped := ten[:i] + string(ten[i+1]) + string(ten[i]) + ten[i+2:]
		if checkDigit(swapped) == checkDigit(ten) {
			t.Fatalf("%s and %s have the same check digit", ten, swapped)
		}
	})
}

func names() map[string]string {
	out := map[string]string{}
	for _, o := range organisationsOf() {
		out[o.GetAttributes()[demoKey]] = "organisations/" + o.GetAttributes()[demoKey]
	}
	return out
}

func TestOrganisationsAreAsTheSourcesCountThem(t *testing.T) {
	all := organisationsOf()
	keyed := byKey(all)
	if len(keyed) != len(all) {
		t.Errorf("%d organisations have %d keys", len(all), len(keyed))
	}
	for _, c := range []struct {
		what, name, value string
		want              int
	}{
		{"bodies engaged", "i3s_role", "ets", 44}, {"firms engaged", "i3s_role", "ict", 35},
		{"firms of the chain", "chain", "filiera-digital-4-social", 30}, {"bodies surveyed", "dcs_survey", "true", 41},
	} {
		if got := having(keyed, c.name, c.value); got != c.want {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
	}
	a := &answers{organisations: keyed}
	countries := map[string]bool{}
	for _, o := range a.partnersOf(doImpact) {
		countries[o.GetTerritory().GetCountryCode()] = true
	}
	if n := len(a.partnersOf(doImpact)); n != 9 || len(countries) != 6 {
		t.Errorf("DO Impact: %d partners in %d countries, want 9 in 6", n, len(countries))
	}
	codes := map[string]bool{}
	for _, o := range all {
		isSample := o.GetAttributes()["sample"] == "true"
		if isSample != strings.Contains(o.GetDisplayName().GetText(), "campione") {
			t.Errorf("%s: a sample must say so in name and attribute, and nothing else may", o.GetDisplayName().GetText())
		}
		if !isSample && (len(o.GetIdentifiers()) > 0 || len(o.GetContacts()) > 0) {
			t.Errorf("%s is real and has invented identifiers or contacts", o.GetDisplayName().GetText())
		}
		for _, c := range o.GetContacts() {
			if !strings.HasSuffix(c.GetEmail(), "@example.org") || c.GetPhone() != "" {
				t.Errorf("contact %v of %s is not reserved for examples", c, o.GetDisplayName().GetText())
			}
		}
		for _, id := range o.GetIdentifiers() {
			v := id.GetValue()
			if len(v) != 11 || checkDigit(v[:10]) != int(v[10]-'0') || codes[v] || v[7:10] != "999" {
				t.Errorf("%s: tax code %s", o.GetDisplayName().GetText(), v)
			}
			codes[v] = true
		}
	}
}

func TestCatalogueIsAsTheSourcesCountIt(t *testing.T) {
	o := names()
	needs, solutions, ideas, events := needsOf(o), solutionsOf(o), ideasOf(o), eventsOf(o)
	for what, c := range map[string][2]int{
		"needs": {len(byKey(needs)), 16}, "solutions": {len(byKey(solutions)), 32}, "ideas": {len(byKey(ideas)), 16},
		"ideas singled out": {having(byKey(ideas), "singled_out", "true"), 10}, "job profiles": {len(byKey(profilesOf(o))), 10},
		"services": {len(byKey(offeringsOf(o))), len(offerings)}, "all events": {len(byKey(events)), len(happenings())},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %d, want %d", what, c[0], c[1])
		}
	}
	kinds := map[cataloguev1.EventKind]int{}
	for _, e := range events {
		if e.GetAttributes()["initiative"] == i3s {
			kinds[e.GetKind()]++
		}
		if !e.GetEndTime().AsTime().After(e.GetStartTime().AsTime()) {
			t.Errorf("%s ends before it starts", e.GetTitle().GetText())
		}
	}
	want := map[cataloguev1.EventKind]int{thematic: 5, corporate: 1, researchMeeting: 2, workingTable: 5}
	if !maps.Equal(kinds, want) {
		t.Errorf("events of I3S %v, want %v", kinds, want)
	}
	askers, firms, titles := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, n := range needs {
		askers[n.GetOrganisation()] = true
		if len(n.GetEvidence()) == 0 {
			t.Errorf("%s has no evidence", n.GetTitle().GetText())
		}
	}
	for _, s := range solutions {
		firms[s.GetOrganisation()], titles[s.GetTitle().GetText()] = true, true
	}
	if len(askers) != 16 || len(firms) != 30 || len(titles) != 32 {
		t.Errorf("%d bodies asked, %d firms with %d titles, want 16, 30, 32", len(askers), len(firms), len(titles))
	}
	for _, f := range offerings {
		if o[f.provider] == "" {
			t.Errorf("%s: no provider %s", f.key, f.provider)
		}
	}
}

func TestTrainingIsAsTheSourcesCountIt(t *testing.T) {
	want := expected(true)
	if want.people != operatorsToTrain {
		t.Errorf("%d people with a seat, want 300", want.people)
	}
	var seats, editions int
	for _, r := range runs() {
		if len(r.enrolled)+len(r.joined) > r.capacity {
			t.Errorf("%s: %d people on %d seats", r.key, len(r.enrolled)+len(r.joined), r.capacity)
		}
		for _, group := range [][]int{r.enrolled, r.joined, r.waiting} {
			for _, n := range group {
				if n < 0 || n >= learnerCount() {
					t.Errorf("%s: there is no learner %d", r.key, n)
				}
			}
		}
		if r.course == coordinatorTitle {
			seats, editions = seats+r.capacity, editions+1
		}
		minutes := map[string]int{}
		for _, m := range r.meetings {
			minutes[m.module] += m.minutes
		}
		if r.course == coordinatorTitle && len(r.meetings) > 0 {
			for _, m := range coordinatorModules() {
				if minutes[m.GetModuleId()] != int(m.GetMinutes()) {
					t.Errorf("%s: %d minutes held of the module %s, planned are %d", r.key, minutes[m.GetModuleId()], m.GetModuleId(), m.GetMinutes())
				}
			}
		}
	}
	if editions != 8 || seats != 8*16 {
		t.Errorf("coordinators: %d editions, %d seats", editions, seats)
	}
	total := int32(0)
	for _, m := range coordinatorModules() {
		total += m.GetMinutes()
	}
	if total != coordinatorMinutes || len(coordinatorModules()) != 4 {
		t.Errorf("coordinators' path: %d minutes in %d modules", total, len(coordinatorModules()))
	}
	if full := runs()[runningEditions+plannedEditions]; len(full.enrolled) != full.capacity || len(full.waiting) == 0 {
		t.Error("no edition is full with people waiting")
	}
	if roleOf(0) == trainingv1.LearnerRole_LEARNER_ROLE_UNSPECIFIED {
		t.Error("learners have no role")
	}
}

func TestPlansHoldTogether(t *testing.T) {
	o := names()
	keys, documents := map[string]bool{}, map[string]bool{}
	over := 0
	for _, p := range plans {
		if keys[p.key] {
			t.Errorf("two plans have the key %s", p.key)
		}
		keys[p.key] = true
		partners := append(slices.Clone(p.partners), p.lead)
		known := map[string]bool{"": true}
		for _, x := range p.tasks {
			if !known[x.parent] || !known[x.after] || !slices.Contains(partners, x.organisation) {
				t.Errorf("%s: task %s refers to what is not there before it", p.key, x.key)
			}
			known[x.key] = true
		}
		for _, b := range p.lines {
			var spent int64
			if !slices.Contains(partners, b.organisation) || o[b.organisation] == "" {
				t.Errorf("%s: line %s is of no partner", p.key, b.key)
			}
			for _, x := range b.spent {
				if documents[x.number] || x.date < p.start || x.date > p.end {
					t.Errorf("%s: document %s twice or outside the project", p.key, x.number)
				}
				documents[x.number], spent = true, spent+x.amount.GetMinorUnits()
			}
			if spent > b.amount.GetMinorUnits() {
				over++
			}
		}
	}
	if over != overspentLines {
		t.Errorf("%d lines are overspent, want %d", over, overspentLines)
	}
}

// deployment runs the whole suite in this process.
func deployment(t *testing.T) (*rest.Client, func(subject string) (*rest.Client, error)) {
	t.Helper()
	t.Setenv("OTEL_SDK_DISABLED", "true")
	cfg, err := config.Load("", nil, map[string]string{"data": t.TempDir(), "http": "127.0.0.1:0", "grpc": "127.0.0.1:0", "log_level": "error"})
	if err != nil {
		t.Fatal(err)
	}
	running, err := suite.Start(t.Context(), cfg, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := running.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	issuer, err := suite.OpenLocalIssuer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	as := func(subject string, roles ...auth.Role) (*rest.Client, error) {
		token, err := issuer.Mint(subject, roles, time.Hour)
		return &rest.Client{Base: "http://" + running.HTTP, Token: token}, err
	}
	client, err := as("demo-test", authzv1.Role_ROLE_NETWORK_OPERATOR)
	if err != nil {
		t.Fatal(err)
	}
	return client, func(subject string) (*rest.Client, error) { return as(subject) }
}

// through makes the clients of all people call through a transport.
func through(as func(subject string) (*rest.Client, error), transport http.RoundTripper) func(subject string) (*rest.Client, error) {
	return func(subject string) (*rest.Client, error) {
		client, err := as(subject)
		if err == nil {
			client.HTTP = &http.Client{Transport: transport}
		}
		return client, err
	}
}

// The first loading goes through a proxy that loses answers: every few calls
// the server has done what it was asked and the caller does not hear of it. The
// second finds everything there. Both reports are the same, and say what the
// sources say.
func TestTheScenarioLoadsTwiceAndCountsOnce(t *testing.T) {
	client, as := deployment(t)
	if _, err := Run(t.Context(), client, Options{ReportOnly: true}); err == nil {
		t.Error("an empty deployment got a report")
	}
	lossy := &forgetful{next: http.DefaultTransport}
	first, err := Run(t.Context(), &rest.Client{Base: client.Base, Token: client.Token, HTTP: &http.Client{Transport: lossy}}, Options{As: through(as, lossy)})
	if err != nil {
		t.Fatal(err)
	}
	if lossy.lost.Load() == 0 {
		t.Error("no answer was lost")
	}
	for _, f := range first.Differences() {
		t.Errorf("%s: %s in the sources, %s here", f.What, f.Source, f.Platform)
	}
	again := &counting{next: http.DefaultTransport}
	second, err := Run(t.Context(), &rest.Client{Base: client.Base, Token: client.Token, HTTP: &http.Client{Transport: again}}, Options{As: through(as, again)})
	if err != nil {
		t.Fatal(err)
	}
	if first.String() != second.String() {
		t.Errorf("the second report differs\n%s\n%s", first, second)
	}
	if n := again.writes.Load(); n > 0 {
		t.Errorf("the second loading wrote %d times", n)
	}
	if n := strings.Count(first.String(), "\n"); n > 110 {
		t.Errorf("the report has %d lines", n)
	}
	want := expected(true)
	for _, line := range []string{
		hours(int64(want.minutes)), fmt.Sprintf("%d completed", want.trained), "16,343.05 EUR of 15,000.00 EUR", "2: 1 task late, 1 line overspent",
		"6: 1 initiation, 1 planning, 2 execution, 2 closed", "20 editions, 0 broken rules",
	} {
		if !strings.Contains(first.String(), line) {
			t.Errorf("the report does not say %q:\n%s", line, first)
		}
	}
}

// forgetful loses every eleventh answer.
type forgetful struct {
	next  http.RoundTripper
	calls atomic.Int64
	lost  atomic.Int64
}

// RoundTrip implements http.RoundTripper.
func (f *forgetful) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := f.next.RoundTrip(r)
	if err != nil || f.calls.Add(1)%11 != 0 {
		return res, err
	}
	f.lost.Add(1)
	if err := res.Body.Close(); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("the answer to %s %s was lost", r.Method, r.URL.Path)
}

// counting counts the calls that write.
type counting struct {
	next   http.RoundTripper
	writes atomic.Int64
}

// RoundTrip implements http.RoundTripper.
func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet {
		c.writes.Add(1)
	}
	return c.next.RoundTrip(r)
}

// What cannot pass is not tried again; what can, under the same key each time.
func TestOnlyPassingFailuresAreTriedAgain(t *testing.T) {
	var mu sync.Mutex
	var keys []string
	answers := []int{http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusBadRequest, http.StatusOK}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		status := answers[len(keys)]
		keys = append(keys, r.Header.Get("Idempotency-Key"))
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"status": %d, "reason": "TEST"}`, status)
	}))
	defer server.Close()
	l := &loader{client: &rest.Client{Base: server.URL}, patience: 10 * time.Second}
	err := l.post(t.Context(), "/v1/needs", "a", nil, nil)
	if rest.ReasonOf(err) != "TEST" || !strings.Contains(err.Error(), "400") {
		t.Errorf("got %v, want the refusal", err)
	}
	if !slices.Equal(keys, []string{keyPrefix + "a", keyPrefix + "a", keyPrefix + "a"}) {
		t.Errorf("keys %v", keys)
	}
}

// What does not come in time is named, with what is missing of it.
func TestPatienceEnds(t *testing.T) {
	l := &loader{patience: time.Millisecond}
	err := l.until(t.Context(), "the alerts", func(context.Context) (string, error) { return "1 of 2 are open", nil })
	if err == nil || !strings.Contains(err.Error(), "the alerts: 1 of 2 are open") {
		t.Errorf("got %v", err)
	}
}

func TestMetricIsFound(t *testing.T) {
	text := "# HELP process_resident_memory_bytes x\nprocess_resident_memory_bytes_other 3\nprocess_resident_memory_bytes{a=\"b\"} 1.5e+08\n"
	if got := metric(strings.NewReader(text), "process_resident_memory_bytes"); got != 150_000_000 {
		t.Errorf("got %d", got)
	}
	if got := metric(strings.NewReader(text), "absent"); got != 0 {
		t.Errorf("got %d of what is not there", got)
	}
}
