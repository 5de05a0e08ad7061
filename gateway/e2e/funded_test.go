package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"

	"github.com/trama-suite/trama/gateway/demo"
	"github.com/trama-suite/trama/gateway/rest"
)

// refusals notes every answer of 400 to 499, but for those that say that
// something is there already.
type refusals struct {
	mu  sync.Mutex
	all []rest.Problem
}

// RoundTrip implements http.RoundTripper.
func (x *refusals) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || res.StatusCode < 400 || res.StatusCode >= 500 {
		return res, err
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	var p rest.Problem
	if err := json.Unmarshal(body, &p); err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.all = append(x.all, p)
	return res, nil
}

// TestTheFundedProject: a project with three partners and two funders goes through
// all its phases over REST, each person with a token of their own. It is refused
// at a gate for an artefact that is missing and in a claim for a cost that is not
// eligible, corrected, claimed, certified, paid and closed; and everybody sees of
// it what they may.
func TestTheFundedProject(t *testing.T) {
	eachShape(t, func(t *testing.T, s *shape) {
		refused := &refusals{}
		as := func(subject string) (*rest.Client, error) {
			return &rest.Client{Base: s.base, Token: s.token(t, subject), HTTP: &http.Client{Transport: refused, Timeout: time.Minute}}, nil
		}
		op := s.operator(t)
		op.HTTP.Transport = refused
		heard := false
		funded, err := demo.Funded(t.Context(), op, demo.Options{As: as, Patience: time.Minute, Progress: func(step string) {
			if strings.HasSuffix(step, "claims") {
				hearAnAlert(t, s)
				heard = true
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(funded.Report)
		for _, d := range funded.Report.Differences() {
			t.Errorf("%s: the scenario says %s, the platform %s", d.What, d.Source, d.Platform)
		}
		if !heard {
			t.Error("no alert was listened to")
		}
		wantRefusals(t, refused.all)
		f := &fundedFixture{s: s, project: funded.Project, FundedProject: funded}
		t.Run("views", f.views)
		t.Run("tables", f.tables)
		t.Run("plan", f.plan)
		t.Run("closed", f.closed)
	})
}

// wantRefusals holds what was refused against the two that the story has.
func wantRefusals(t *testing.T, got []rest.Problem) {
	t.Helper()
	var reasons []string
	for _, p := range got {
		reasons = append(reasons, p.Reason)
	}
	if !slices.Equal(reasons, []string{"GATE_NOT_READY", "CLAIM_BLOCKED"}) {
		t.Fatalf("refused for %v", reasons)
	}
	gate, claim := got[0], got[1]
	if gate.Detail != "the gate rfp stays shut: missing business-case (neither a link nor a checksum is recorded)" || gate.Metadata["missing"] != "business-case" {
		t.Errorf("the gate was refused with %+v", gate)
	}
	words := "10,000.00\u00a0€ of document FT 45/2023 is eligible, not 12,200.00\u00a0€."
	if len(claim.Fields) != 1 || claim.Fields[0].Reason != "vat" || claim.Metadata["rules"] != "vat" ||
		!strings.Contains(claim.Fields[0].Description, words) || !strings.Contains(claim.Detail, words) {
		t.Errorf("the claim was refused with %+v", claim)
	}
}

// fundedFixture is the funded project and who looks at it.
type fundedFixture struct {
	*demo.FundedProject
	s       *shape
	project string
}

func (f *fundedFixture) of(t *testing.T, subject string) *rest.Client { return f.s.as(t, subject) }

// hearAnAlert follows the alerts of the project, still under way, as its manager
// while one line is overspent, and puts that right.
func hearAnAlert(t *testing.T, s *shape) {
	t.Helper()
	manager := s.as(t, demo.FundedManager)
	var project *projectsv1.Project
	for _, p := range get[*projectsv1.ListProjectsResponse](t, manager, "projects?pageSize=1000").GetProjects() {
		if p.GetAcronym() == "PROSSIMA" {
			project = p
		}
	}
	var line *projectsv1.BudgetLine
	for _, b := range get[*projectsv1.ListBudgetLinesResponse](t, manager, project.GetName()+"/budgetLines?pageSize=1000").GetBudgetLines() {
		if b.GetDescription() == "Revisione contabile e comunicazione" {
			line = b
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	alerts := follow(ctx, t, s.base+"/v1/"+project.GetName()+"/alerts:stream", manager.Token)
	spent := post[*projectsv1.Expenditure](t, manager, project.GetName()+"/expenditures", &projectsv1.Expenditure{
		Organisation: line.GetOrganisation(), BudgetLine: line.GetName(), Amount: &typev1.Money{MinorUnits: 5_000_00, CurrencyCode: "EUR"},
		Document: &projectsv1.Document{Issuer: "Fornitore campione", Number: "FT doppia", Date: "2024-11-04"},
	})
	for a := range alerts {
		if a.GetKind() == projectsv1.AlertKind_ALERT_KIND_LINE_OVERSPENT && a.GetCause() == line.GetName() && a.GetState() == projectsv1.AlertState_ALERT_STATE_OPEN {
			break
		}
	}
	if ctx.Err() != nil {
		t.Fatalf("no alert came of %s", line.GetName())
	}
	post[*projectsv1.Expenditure](t, manager, spent.GetName()+":void", &projectsv1.VoidExpenditureRequest{Reason: "Registrata due volte"})
	for a := range alerts {
		if a.GetCause() == line.GetName() && a.GetState() == projectsv1.AlertState_ALERT_STATE_CLOSED {
			return
		}
	}
	t.Fatal("the alert did not close")
}

// follow reads the alerts in a stream of Server-Sent Events, until ctx ends.
func follow(ctx context.Context, t *testing.T, address, token string) <-chan *projectsv1.Alert {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("the stream answers %s, %s", res.Status, res.Header.Get("Content-Type"))
	}
	out := make(chan *projectsv1.Alert, 100)
	go func() {
		defer close(out)
		defer func() { _ = res.Body.Close() }()
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			a := &projectsv1.Alert{}
			if ok && protojson.Unmarshal([]byte(data), a) == nil {
				out <- a
			}
		}
	}()
	return out
}

// views: each partner reads the plan and its own costs, each funder what was
// submitted to it, and who takes no part the lessons only.
func (f *fundedFixture) views(t *testing.T) {
	all := get[*projectsv1.ListExpendituresResponse](t, f.of(t, demo.FundedManager), f.project+"/expenditures?pageSize=1000").GetExpenditures()
	claims := get[*projectsv1.ListClaimsResponse](t, f.of(t, demo.FundedManager), f.project+"/claims?pageSize=1000").GetClaims()
	if len(all) != 16 || len(claims) != 12 {
		t.Errorf("the lead sees %d expenditures and %d claims, want 16 and 12", len(all), len(claims))
	}
	for n := 1; n < len(f.Partners); n++ {
		partner := f.of(t, demo.FundedPartner(n))
		if tasks := get[*projectsv1.ListTasksResponse](t, partner, f.project+"/tasks?pageSize=1000").GetTasks(); len(tasks) != 13 {
			t.Errorf("partner %d sees %d tasks, want all 13", n, len(tasks))
		}
		seen := get[*projectsv1.ListExpendituresResponse](t, partner, f.project+"/expenditures?pageSize=1000").GetExpenditures()
		if len(seen) == 0 {
			t.Errorf("partner %d does not see its own costs", n)
		}
		for _, e := range seen {
			if e.GetOrganisation() != f.Partners[n] {
				t.Errorf("partner %d sees a cost of %s", n, e.GetOrganisation())
			}
		}
		for _, e := range all {
			want := ""
			if e.GetOrganisation() != f.Partners[n] {
				want = "NOT_FOUND"
			}
			f.wantReason(t, partner, e.GetName(), want)
		}
		for _, c := range claims {
			want := ""
			if c.GetOrganisation() != f.Partners[n] {
				want = "NOT_FOUND"
			}
			f.wantReason(t, partner, c.GetName(), want)
		}
	}
	for n, key := range []string{"fondazione", "fse"} {
		controller := f.of(t, demo.FundedController(n))
		for _, c := range claims {
			want := ""
			if c.GetFunder() != key {
				want = "NOT_FOUND"
			}
			f.wantReason(t, controller, c.GetName(), want)
		}
		f.wantReason(t, controller, f.project+"/budgetSummary", "anything")
	}
	outsider := f.of(t, demo.FundedOutsider)
	for _, name := range []string{f.project, f.project + "/tasks", f.project + "/claims", f.project + "/closingReport", claims[0].GetName(), all[0].GetName()} {
		f.wantReason(t, outsider, name, "anything")
	}
	hits := get[*projectsv1.SearchLessonsResponse](t, outsider, "lessons:search?query="+url.QueryEscape("IVA recuperabile imponibile")).GetHits()
	if len(hits) == 0 || hits[0].GetLesson().GetTitle().GetText() != "Fatture con IVA recuperabile" {
		t.Errorf("somebody else finds %v", hits)
	}
	if hits := get[*projectsv1.SearchLessonsResponse](t, &rest.Client{Base: f.s.base}, "lessons:search?query=IVA").GetHits(); len(hits) != 0 {
		t.Errorf("a stranger finds %v", hits)
	}
}

// wantReason reads a resource: "" where it must be there, "anything" where any
// refusal will do.
func (f *fundedFixture) wantReason(t *testing.T, c *rest.Client, name, want string) {
	t.Helper()
	_, _, err := c.Download(t.Context(), "/v1/"+name)
	got := rest.ReasonOf(err)
	if want == "anything" && got != "" {
		return
	}
	if got != want || (want == "") != (err == nil) {
		t.Errorf("GET %s is answered with %v, want the reason %q", name, err, want)
	}
}

// closed: nothing is added any more, and the report is there to hand in.
func (f *fundedFixture) closed(t *testing.T) {
	manager := f.of(t, demo.FundedManager)
	err := manager.Post(t.Context(), "/v1/"+f.project+"/tasks", &projectsv1.Task{Title: text("Ancora una")}, nil)
	if reason := rest.ReasonOf(err); reason != "PROJECT_CLOSED" {
		t.Errorf("a task after the end is answered with %v", err)
	}
	report, media, err := manager.Download(t.Context(), "/v1/"+f.project+"/closingReport")
	if err != nil || media != "application/pdf" || !bytes.HasPrefix(report, []byte("%PDF-")) || len(report) < 5_000 {
		t.Errorf("the report is %d bytes of %s, %v", len(report), media, err)
	}
	again, err := demo.Funded(t.Context(), f.s.operator(t), demo.Options{As: func(subject string) (*rest.Client, error) { return f.of(t, subject), nil }})
	if err != nil {
		t.Fatal(err)
	}
	if again.Report.String() != f.Report.String() {
		t.Errorf("loaded again it reports\n%s\nfirst it was\n%s", again.Report, f.Report)
	}
}
