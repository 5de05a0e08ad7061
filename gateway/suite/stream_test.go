package suite

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/platform/app"
	"github.com/trama-suite/trama/services/platform/testkit"
	"github.com/trama-suite/trama/services/projects"

	"github.com/trama-suite/trama/gateway"
)

const lead = "organisations/00000000-0000-7000-8000-000000000001"

// event is one Server-Sent Event; without data it is a heartbeat.
type event struct{ id, name, data string }

// follow opens a stream of events; they arrive on the channel, which is closed
// with the stream.
func follow(t *testing.T, ctx context.Context, url, token, last string) (<-chan event, *http.Response) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Origin", "https://portale.example.org")
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	out := make(chan event, 100)
	go func() {
		defer close(out)
		var e event
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			field, value, _ := strings.Cut(lines.Text(), ": ")
			switch {
			case lines.Text() == "" && e.id != "":
				out <- e
				e = event{}
			case field == "id":
				e.id = value
			case field == "event":
				e.name = value
			case field == "data":
				e.data += value
			}
		}
	}()
	return out, resp
}

// next is the next event with data.
func next(t *testing.T, events <-chan event) event {
	t.Helper()
	for {
		select {
		case e, more := <-events:
			if !more {
				t.Fatal("the stream ended")
			}
			if e.data != "" {
				return e
			}
		case <-time.After(20 * time.Second):
			t.Fatal("no event in 20 s")
		}
	}
}

func TestAlertsAreStreamedAsServerSentEvents(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		env := testkit.Start(t, open, func(ctx context.Context, d app.Deps) (*app.Service, error) {
			return projects.New(ctx, d, projects.Config{StreamHeartbeat: 50 * time.Millisecond})
		})
		stopping := make(chan struct{})
		handler, err := gateway.New(t.Context(), gateway.Config{
			Origins: []string{"https://portale.example.org"}, RateLimit: gateway.RateLimit{PerSecond: 1000}, Stopping: stopping,
			Operations: gateway.Operations{
				Ready: func(context.Context) error { return nil }, Checks: func(context.Context) []gateway.CheckResult { return nil },
				Metrics: http.NotFoundHandler(),
			},
			Tracer: tracenoop.NewTracerProvider(), Meter: noop.NewMeterProvider(), Propagator: propagation.TraceContext{}, Now: time.Now,
		}, map[string]grpc.ClientConnInterface{"projects": env.Conn})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewUnstartedServer(handler)
		// Shorter than the stream lives: the server's bounds are not the stream's.
		server.Config.ReadTimeout, server.Config.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
		server.Start()
		t.Cleanup(server.Close)

		as := env.As(authzv1.Role_ROLE_PROJECT_MANAGER, lead)
		token := env.Token(testkit.Subject(authzv1.Role_ROLE_PROJECT_MANAGER, lead))
		p, err := projectsv1.NewProjectServiceClient(env.Conn).CreateProject(as, &projectsv1.CreateProjectRequest{Project: &projectsv1.Project{
			Organisation: lead, Title: &typev1.LocalizedText{Text: "Rete", LanguageCode: "it"}, CurrencyCode: "EUR", StartDate: "2026-01-05", EndDate: "2026-12-31"}})
		if err != nil {
			t.Fatal(err)
		}
		budget := projectsv1.NewBudgetServiceClient(env.Conn)
		eur := func(minor int64) *typev1.Money { return &typev1.Money{MinorUnits: minor, CurrencyCode: "EUR"} }
		line, err := budget.CreateBudgetLine(as, &projectsv1.CreateBudgetLineRequest{Parent: p.GetName(), BudgetLine: &projectsv1.BudgetLine{
			Organisation: lead, Category: projectsv1.CostCategory_COST_CATEGORY_OTHER, Amount: eur(100)}})
		if err != nil {
			t.Fatal(err)
		}
		events, resp := follow(t, t.Context(), server.URL+"/v1/projects/-/alerts:stream", token, "")
		for header, want := range map[string]string{
			"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", "Access-Control-Allow-Origin": "https://portale.example.org",
		} {
			if got := resp.Header.Get(header); resp.StatusCode != http.StatusOK || got != want {
				t.Fatalf("%d %s: %q, want %q", resp.StatusCode, header, got, want)
			}
		}
		// Well past the server's own bounds the stream is alive.
		first := <-events
		for range 6 {
			if beat, more := <-events; !more || beat.id == "" || beat.data != "" {
				t.Fatalf("heartbeat %+v, %v", beat, more)
			}
		}
		expenditures := projectsv1.NewExpenditureServiceClient(env.Conn)
		spend := func(n int) {
			t.Helper()
			_, err := expenditures.CreateExpenditure(as, &projectsv1.CreateExpenditureRequest{Parent: p.GetName(), Expenditure: &projectsv1.Expenditure{
				Organisation: lead, BudgetLine: line.GetName(), Amount: eur(101),
				Document: &projectsv1.Document{Issuer: "Ditta", Number: fmt.Sprint(n), Date: "2026-01-05", Net: eur(101), Vat: eur(0), Gross: eur(101)}}})
			if err != nil {
				t.Fatal(err)
			}
		}
		spend(1)
		committed := time.Now()
		opened := next(t, events)
		t.Logf("commit to event: %s", time.Since(committed).Round(10*time.Microsecond))
		var alert struct{ Name, State, Kind, Cause string }
		if err := json.Unmarshal([]byte(opened.data), &alert); err != nil || opened.name != "alert" ||
			alert.State != "ALERT_STATE_OPEN" || alert.Kind != "ALERT_KIND_LINE_OVERSPENT" || alert.Cause != line.GetName() {
			t.Errorf("%+v: %+v, %v", opened, alert, err)
		}
		if time.Since(committed) > time.Second {
			t.Errorf("the event took %s", time.Since(committed))
		}
		// Back with the id of before, the event comes again; with its own, the next.
		again, _ := follow(t, t.Context(), server.URL+"/v1/"+p.GetName()+"/alerts:stream", token, first.id)
		if e := next(t, again); e.id != opened.id || e.data != opened.data {
			t.Errorf("resumed with %+v", e)
		}
		line.Amount = eur(1000)
		resumed, _ := follow(t, t.Context(), server.URL+"/v1/"+p.GetName()+"/alerts:stream", token, opened.id)
		if _, err := budget.UpdateBudgetLine(as, &projectsv1.UpdateBudgetLineRequest{BudgetLine: &projectsv1.BudgetLine{Name: line.GetName(), Amount: eur(1000)}}); err != nil {
			t.Fatal(err)
		}
		if e := next(t, resumed); !strings.Contains(e.data, "ALERT_STATE_CLOSED") {
			t.Errorf("resumed with %+v", e)
		}

		// What cannot be followed is refused as any call is.
		for path, want := range map[string]int{
			"/v1/projects/-/alerts:stream?resumeToken=x":                              http.StatusBadRequest,
			"/v1/projects/-/alerts:stream?other=1":                                    http.StatusBadRequest,
			"/v1/projects/-/alerts:stream?resumeToken=999999":                         http.StatusBadRequest,
			"/v1/projects/00000000-0000-7000-8000-00000000000f/alerts:stream":         http.StatusNotFound,
			"/v1/projects/-/alerts:stream?resumeToken=" + opened.id + "&mine=perhaps": http.StatusBadRequest,
		} {
			_, resp := follow(t, t.Context(), server.URL+path, token, "")
			if resp.StatusCode != want || resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s: %d %s, want %d", path, resp.StatusCode, resp.Header.Get("Content-Type"), want)
			}
		}
		if _, resp := follow(t, t.Context(), server.URL+"/v1/projects/-/alerts:stream", "none", ""); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("without a good token: %d", resp.StatusCode)
		}

		// Streams end when the process stops, without being cut.
		close(stopping)
		deadline := time.After(10 * time.Second)
		for open := true; open; {
			select {
			case _, open = <-events:
			case <-deadline:
				t.Fatal("the stream did not end")
			}
		}
	})
}
