package e2e

import (
	"bytes"
	csvtext "encoding/csv"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"

	"github.com/trama-suite/trama/gateway/demo"
	"github.com/trama-suite/trama/gateway/rest"
)

// sheet reads a table from a file, as rows of text.
func sheet(t *testing.T, c *rest.Client, path, format string) [][]string {
	t.Helper()
	content, media, err := c.Download(t.Context(), "/v1/"+path+"&languageCode=en&format=EXPORT_FORMAT_"+format)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	if format == "CSV" {
		rows, err = csvtext.NewReader(bytes.NewReader(content)).ReadAll()
	} else {
		var book *excelize.File
		if book, err = excelize.OpenReader(bytes.NewReader(content)); err == nil {
			defer func() { _ = book.Close() }()
			rows, err = book.GetRows(book.GetSheetList()[0], excelize.Options{RawCellValue: true})
		}
	}
	if err != nil || len(rows) < 2 {
		t.Fatalf("%s (%s) has %d rows: %v", path, media, len(rows), err)
	}
	return rows
}

// columnSum adds up the column that begins so, without the last row, and returns
// it with what the last row says.
func columnSum(t *testing.T, rows [][]string, header string) (sum, total string) {
	t.Helper()
	at := slices.IndexFunc(rows[0], func(h string) bool { return strings.HasPrefix(h, header) })
	if at < 0 {
		t.Fatalf("no column %q in %q", header, rows[0])
	}
	out := new(big.Rat)
	for _, r := range rows[1 : len(rows)-1] {
		if at >= len(r) || r[at] == "" {
			continue
		}
		v, ok := new(big.Rat).SetString(r[at])
		if !ok {
			t.Fatalf("column %q has %q", header, r[at])
		}
		out.Add(out, v)
	}
	last := rows[len(rows)-1]
	if at < len(last) {
		if v, ok := new(big.Rat).SetString(last[at]); ok {
			total = v.FloatString(2)
		}
	}
	return out.FloatString(2), total
}

func decimal(m interface{ GetMinorUnits() int64 }) string {
	return big.NewRat(m.GetMinorUnits(), 100).FloatString(2)
}

// tables: budget and portfolio as spreadsheet and as text add up to what the API
// says, to the cent.
func (f *fundedFixture) tables(t *testing.T) {
	manager := f.of(t, demo.FundedManager)
	total := get[*projectsv1.BudgetSummary](t, manager, f.project+"/budgetSummary").GetTotals().GetTotal()
	filter := url.Values{"filter": {`programme = "Prossimità digitale (bando campione)"`}}
	portfolio := get[*projectsv1.Portfolio](t, f.s.operator(t), "portfolio?"+filter.Encode()).GetTotal().GetTotals()
	if len(portfolio) != 1 {
		t.Fatalf("the portfolio is %v", portfolio)
	}
	for _, format := range []string{"XLSX", "CSV"} {
		t.Run(format, func(t *testing.T) {
			rows := sheet(t, manager, f.project+":exportBudget?", format)
			for header, want := range map[string]string{"Planned": decimal(total.GetPlanned()), "Spent": decimal(total.GetSpent()), "Reported": decimal(total.GetReported()), "Certified": decimal(total.GetCertified()), "Paid": decimal(total.GetPaid())} {
				if sum, last := columnSum(t, rows, header); sum != want || last != want {
					t.Errorf("budget, %s: the rows make %s, the total is %s, want %s", header, sum, last, want)
				}
			}
			programme := url.Values{"programme": {"Prossimità digitale (bando campione)"}}
			rows = sheet(t, f.s.operator(t), "portfolio:export?"+programme.Encode(), format)
			for header, want := range map[string]string{"Planned": decimal(portfolio[0].GetPlanned()), "Spent": decimal(portfolio[0].GetSpent()), "Reported": decimal(portfolio[0].GetReported()), "Paid": decimal(portfolio[0].GetPaid())} {
				if sum, last := columnSum(t, rows, header); sum != want || last != want {
					t.Errorf("portfolio, %s: the rows make %s, the total is %s, want %s", header, sum, last, want)
				}
			}
		})
	}
}

// plan: what is exported to MS Project comes back the same in another project,
// and calendar programs get a feed.
func (f *fundedFixture) plan(t *testing.T) {
	manager := f.of(t, demo.FundedManager)
	before := get[*projectsv1.Schedule](t, manager, f.project+"/schedule")
	document, media, err := manager.Download(t.Context(), "/v1/"+f.project+"/schedule:mspdi")
	if err != nil || !bytes.Contains(document, []byte("http://schemas.microsoft.com/project")) {
		t.Fatalf("the plan is %d bytes of %s: %v", len(document), media, err)
	}
	other := post[*projectsv1.Project](t, manager, "projects", &projectsv1.Project{
		Organisation: f.Partners[0], Title: text("Copia del piano"), CurrencyCode: "EUR", StartDate: "2023-01-09", EndDate: "2024-12-20",
		Partners: []*projectsv1.Partner{{Organisation: f.Partners[0], Role: projectsv1.PartnerRole_PARTNER_ROLE_LEAD}},
	})
	file := &projectsv1.File{}
	if err := manager.Upload(t.Context(), "/v1/"+other.GetName()+"/files?displayName=piano.xml", "application/xml", document, file); err != nil {
		t.Fatal(err)
	}
	imported := post[*projectsv1.ImportScheduleResponse](t, manager, other.GetName()+"/schedule:import", &projectsv1.ImportScheduleRequest{File: file.GetName()})
	after := get[*projectsv1.Schedule](t, manager, other.GetName()+"/schedule")
	if !imported.GetApplied() || imported.GetTaskCount() != 13 || imported.GetDifferingCount() != 0 || after.GetFinishTime() != before.GetFinishTime() || after.GetCriticalCount() != before.GetCriticalCount() {
		t.Errorf("imported %v\nbefore %v\nafter %v", imported, before, after)
	}
	tasks := map[string]string{}
	for _, x := range get[*projectsv1.ListTasksResponse](t, manager, f.project+"/tasks?pageSize=1000").GetTasks() {
		tasks[x.GetTitle().GetText()] = fmt.Sprint(x.GetStartTime(), x.GetFinishTime(), x.GetTotalFloatMinutes(), x.GetCritical())
	}
	for _, x := range get[*projectsv1.ListTasksResponse](t, manager, other.GetName()+"/tasks?pageSize=1000").GetTasks() {
		if got := fmt.Sprint(x.GetStartTime(), x.GetFinishTime(), x.GetTotalFloatMinutes(), x.GetCritical()); got != tasks[x.GetTitle().GetText()] {
			t.Errorf("%s was %s, is %s", x.GetTitle().GetText(), tasks[x.GetTitle().GetText()], got)
		}
	}
	feed, media, err := manager.Download(t.Context(), "/v1/"+f.project+"/schedule:ical")
	if err != nil || !strings.HasPrefix(media, "text/calendar") || !bytes.HasPrefix(feed, []byte("BEGIN:VCALENDAR\r\n")) || !bytes.Contains(feed, []byte("Sportelli consegnati ai Comuni")) {
		t.Errorf("the feed is %s, %v:\n%s", media, err, feed)
	}
}
