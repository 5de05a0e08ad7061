package e2e

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// repeated is a text that goes on for a size, made as it is read.
type repeated struct {
	text string
	left int64
	at   int
}

// Read implements io.Reader.
func (r *repeated) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) && int64(n) < r.left {
		c := copy(p[n:min(len(p), n+int(min(r.left-int64(n), 1<<20)))], r.text[r.at:])
		r.at, n = (r.at+c)%len(r.text), n+c
	}
	r.left -= int64(n)
	return n, nil
}

// book is a workbook of one sheet, with that at its end, after so many spaces.
func book(t *testing.T, end string, spaces int64) []byte {
	t.Helper()
	const head, office = `<?xml version="1.0" encoding="UTF-8"?>`, "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	rel := func(kind, target string) string {
		return head + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="` + office + `/` + kind + `" Target="` + target + `"/></Relationships>`
	}
	const main = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, part := range [][2]string{
		{"[Content_Types].xml", head + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`},
		{"_rels/.rels", rel("officeDocument", "xl/workbook.xml")},
		{"xl/workbook.xml", head + `<workbook ` + main + ` xmlns:r="` + office + `"><sheets><sheet name="Foglio" sheetId="1" r:id="rId1"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", rel("worksheet", "worksheets/sheet1.xml")},
		{"xl/worksheets/sheet1.xml", head + `<worksheet ` + main + `><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c></row></sheetData>` + end + `</worksheet>`},
	} {
		w, err := z.Create(part[0])
		if err != nil {
			t.Fatal(err)
		}
		content := io.Reader(strings.NewReader(part[1]))
		if strings.HasSuffix(part[0], "sheet1.xml") {
			content = io.MultiReader(content, &repeated{text: strings.Repeat(" ", 1<<16), left: spaces})
		}
		if _, err := io.Copy(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// mspdiOf is a document of Microsoft Project with that inside.
func mspdiOf(inside string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><Project xmlns="http://schemas.microsoft.com/project">` + inside + `</Project>`
}

// badProjectInputs are the wrong requests of projects in depth.
func badProjectInputs(w *world, second string) []bad {
	n := w.names
	p, organisation := "/v1/"+n["projects/*"], w.organisation
	task, line := n["projects/*/tasks/*"], n["projects/*/budgetLines/*"]
	absentOf := func(name string) string { return name[:strings.LastIndex(name, "/")+1] + absentID }
	title := `"title": {"text": "Prova", "languageCode": "it"}`
	money := func(units, currency string) string {
		return `{"minorUnits": "` + units + `", "currencyCode": "` + currency + `"}`
	}
	budget := func(amount, more string) string {
		return `{"organisation": "` + organisation + `", "category": "COST_CATEGORY_STAFF", "amount": ` + amount + more + `}`
	}
	bill := func(amount, date, more string) string {
		return `{"organisation": "` + organisation + `", "budgetLine": "` + line + `", "amount": ` + amount + `, "document": {"issuer": "x", "number": "` + unique() + `", "date": "` + date + `"}` + more + `}`
	}
	source := func(replacements ...string) string {
		text, _ := json.Marshal(strings.NewReplacer(replacements...).Replace(ruleSet("guasto"))) // a text always has JSON
		return `{"source": ` + string(text) + `}`
	}
	card := func(more string) string {
		return `{"organisation": "` + organisation + `", ` + title + `, "currencyCode": "EUR", "startDate": "` + day(1) + `", "endDate": "` + day(90) + `"` + more + `}`
	}
	return []bad{
		// The plan.
		{"a task after itself", "PATCH", "/v1/" + task + "?updateMask=predecessors", `{"predecessors": [{"task": "` + task + `"}]}`, nil, 409, "TASK_CYCLE", ""},
		{"a cycle", "PATCH", "/v1/" + task + "?updateMask=predecessors", `{"predecessors": [{"task": "` + second + `"}]}`, nil, 409, "TASK_CYCLE", ""},
		{"a link to an absent task", "POST", p + "/tasks", `{` + title + `, "predecessors": [{"task": "` + absentOf(task) + `"}]}`, nil, 409, "TASK_UNKNOWN", ""},
		{"a parent that is absent", "POST", p + "/tasks", `{` + title + `, "parentTask": "` + absentOf(task) + `"}`, nil, 409, "TASK_UNKNOWN", ""},
		{"a negative duration", "POST", p + "/tasks", `{` + title + `, "durationMinutes": "-1"}`, nil, 400, "INVALID_REQUEST", "task.durationMinutes"},
		{"a constraint without its time", "POST", p + "/tasks", `{` + title + `, "constraint": {"type": "CONSTRAINT_TYPE_MUST_START_ON"}}`, nil, 400, "CONSTRAINT_WRONG", "task.constraint.time"},
		{"a date of a constraint that is none", "POST", p + "/tasks", `{` + title + `, "constraint": {"type": "CONSTRAINT_TYPE_MUST_START_ON", "time": "2026-02-30T08:00"}}`, nil, 400, "DATES_WRONG", "task.constraint.time"},
		{"a plan of more than a century", "POST", p + "/tasks", `{` + title + `, "durationMinutes": "50000000"}`, nil, 409, "SCHEDULE_RANGE", ""},
		{"a batch whose second task is wrong", "POST", p + "/tasks:batchCreate", `{"tasks": [{` + title + `}, {` + title + `, "calendar": "` + absentOf(n["projects/*/calendars/*"]) + `"}]}`, nil, 400, "CALENDAR_UNKNOWN", "tasks[1].calendar"},
		{"working times that overlap", "POST", p + "/calendars", `{` + title + `, "weekDays": [{"day": 1, "workingTimes": [{"start": "08:00", "end": "12:00"}, {"start": "11:00", "end": "13:00"}]}]}`, nil, 400, "CALENDAR_WRONG", "calendar.weekDays[0].workingTimes[1].start"},
		{"a time zone of nowhere", "PATCH", "/v1/" + n["projects/*/schedule"] + "?updateMask=timeZone", `{"timeZone": "Europe/Atlantide"}`, nil, 400, "TIME_ZONE_UNKNOWN", "schedule.timeZone"},
		// Money.
		{"negative money", "POST", p + "/budgetLines", budget(money("-1", "EUR"), ""), nil, 400, "AMOUNT_WRONG", "budgetLine.amount"},
		{"money beyond any number", "POST", p + "/budgetLines", budget(money("9223372036854775808", "EUR"), ""), nil, 400, "INVALID_REQUEST", "amount.minorUnits"},
		{"totals that overflow", "POST", p + "/budgetLines", budget(money("9223372036854775807", "EUR"), ""), nil, 400, "AMOUNT_WRONG", "budgetLine.amount"},
		{"another currency", "POST", p + "/budgetLines", budget(money("100", "USD"), ""), nil, 400, "CURRENCY_MISMATCH", "budgetLine.amount"},
		{"no currency", "POST", p + "/budgetLines", budget(money("100", "ZZ"), ""), nil, 400, "INVALID_REQUEST", "budgetLine.amount.currencyCode"},
		{"shares that do not sum", "POST", p + "/budgetLines", budget(money("100", "EUR"), `, "funderShares": [{"funder": "f1", "shareBasisPoints": 8000}, {"funder": "own", "shareBasisPoints": 1999}]`), nil, 400, "SHARES_WRONG", "budgetLine.funderShares"},
		{"a share of nobody", "POST", p + "/budgetLines", budget(money("100", "EUR"), `, "funderShares": [{"funder": "f9", "shareBasisPoints": 10000}]`), nil, 400, "FUNDER_KEY_WRONG", "budgetLine.funderShares[0].funder"},
		{"periods that do not sum", "POST", p + "/budgetLines", budget(money("100", "EUR"), `, "periodAmounts": [{"period": "p1", "amount": `+money("99", "EUR")+`}]`), nil, 400, "PERIOD_AMOUNTS_WRONG", "budgetLine.periodAmounts"},
		{"units times price that overflow", "POST", p + "/budgetLines", `{"organisation": "` + organisation + `", "category": "COST_CATEGORY_STAFF", "costMethod": "COST_METHOD_UNIT_COST", "unitCost": {"unit": "h", "unitsE4": "10000000000000", "unitPrice": ` + money("9223372036854775807", "EUR") + `}}`, nil, 400, "AMOUNT_WRONG", "budgetLine.unitCost.unitPrice"},
		{"a line of a stranger", "POST", p + "/budgetLines", strings.Replace(budget(money("100", "EUR"), ""), organisation, "organisations/"+absentID, 1), nil, 400, "NOT_A_PARTNER", "budgetLine.organisation"},
		{"partners' shares that do not sum", "POST", "/v1/projects", card(`, "partners": [{"organisation": "` + organisation + `", "role": "PARTNER_ROLE_LEAD", "shareBasisPoints": 9999}]`), nil, 400, "SHARES_WRONG", "project.partners"},
		{"a grant of another currency", "POST", "/v1/projects", card(`, "funders": [{"displayName": "F", "grant": ` + money("100", "CHF") + `}]`), nil, 400, "CURRENCY_MISMATCH", "project.funders[0].grant"},
		{"periods that overlap", "POST", "/v1/projects", card(`, "reportingPeriods": [{"startDate": "` + day(1) + `", "endDate": "` + day(30) + `"}, {"startDate": "` + day(30) + `", "endDate": "` + day(60) + `"}]`), nil, 400, "PERIOD_WRONG", "project.reportingPeriods[1].startDate"},
		{"rules that are not there", "POST", "/v1/projects", card(`, "funders": [{"displayName": "F", "grant": ` + money("100", "EUR") + `, "ruleSet": "ruleSets/nessuno"}]`), nil, 400, "REFERENCE_NOT_FOUND", "project.funders[0].ruleSet"},
		{"an end before the start", "POST", "/v1/projects", strings.Replace(card(""), day(90), day(0), 1), nil, 400, "DATES_WRONG", "project.endDate"},
		// Costs and claims.
		{"a cost before the project", "POST", p + "/expenditures", bill(money("100", "EUR"), day(-31), ""), nil, 400, "EXPENDITURE_OUTSIDE_DATES", "expenditure.document.date"},
		{"a cost in another currency", "POST", p + "/expenditures", bill(money("100", "GBP"), day(-1), ""), nil, 400, "CURRENCY_MISMATCH", "expenditure.amount"},
		{"a cost of nothing", "POST", p + "/expenditures", bill(money("0", "EUR"), day(-1), ""), nil, 400, "AMOUNT_WRONG", "expenditure.amount"},
		{"spending that overflows", "POST", p + "/expenditures", bill(money("9223372036854775807", "EUR"), day(-1), ""), nil, 400, "AMOUNT_WRONG", "expenditure.amount"},
		{"a file that is not there", "POST", p + "/expenditures", bill(money("100", "EUR"), day(-1), `, "files": ["`+absentOf(n["projects/*/files/*"])+`"]`), nil, 400, "REFERENCE_NOT_FOUND", "expenditure.files[0]"},
		{"a payment in the future", "POST", p + "/expenditures", bill(money("100", "EUR"), day(-1), `, "payment": {"date": "`+day(3)+`"}`), nil, 400, "DATES_WRONG", "expenditure.payment.date"},
		{"an issuer whose VAT number is wrong", "POST", p + "/expenditures", strings.Replace(bill(money("100", "EUR"), day(-1), ""), `"issuer": "x"`, `"issuer": "x", "issuerId": "12345678902"`, 1), nil, 400, "ISSUER_ID_WRONG", "expenditure.document.issuerId"},
		{"a claim to nobody", "POST", p + "/claims", `{"organisation": "` + organisation + `", "funder": "f9"}`, nil, 400, "FUNDER_KEY_WRONG", "claim.funder"},
		{"a claim of a period that is not there", "POST", p + "/claims", `{"organisation": "` + organisation + `", "funder": "f1", "period": "p9"}`, nil, 400, "PERIOD_WRONG", "claim.period"},
		// Rule sets.
		{"rules that are not YAML", "POST", "/v1/ruleSets:publish", `{"source": "a: [b"}`, nil, 400, "RULE_SET_WRONG", "source"},
		{"rules that do not compile", "POST", "/v1/ruleSets:publish", source("project.currency ==", "project.valuta =="), nil, 400, "RULE_SET_WRONG", "source"},
		{"rules of another type", "POST", "/v1/ruleSets:publish", source(`project.currency == "EUR"`, `project.currency + "EUR"`), nil, 400, "RULE_SET_WRONG", "source"},
		{"rules with an unknown key", "POST", "/v1/ruleSets:publish", source("rules:", "sorpresa: 1\nrules:"), nil, 400, "RULE_SET_WRONG", "source"},
		{"rules that never end", "POST", "/v1/ruleSets:publish", source("scope: project", "scope: claim", `project.currency == "EUR"`,
			`claim.lines.all(a, claim.lines.all(b, claim.lines.all(c, claim.lines.all(d, a.amount + b.amount + c.amount + d.amount >= 0))))`), nil, 400, "RULE_SET_WRONG", "source"},
		{"rules of aliases without end", "POST", "/v1/ruleSets:publish", source("rules:", "note: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c]\nrules:"), nil, 400, "RULE_SET_WRONG", "source"},
	}
}

// badFile is a file that must be refused, when it is uploaded or when it is read.
type badFile struct {
	name, title string // of the file, of the case
	content     io.Reader
	status      int
	reason      string
	says        string // in a field's description or in the detail
}

func badFiles(t *testing.T) []badFile {
	t.Helper()
	text := strings.NewReader
	return []badFile{
		{"a.pdf", "not what its name says", bytes.NewReader(append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), make([]byte, 100)...)), 400, "FILE_DAMAGED", "PNG image"},
		{"a.pdf", "a program", bytes.NewReader(append([]byte("MZ\x90\x00"), make([]byte, 200)...)), 400, "FILE_TYPE_REFUSED", "program (Windows)"},
		{"a.pdf", "a page", text("<html><script>alert(1)</script></html>"), 400, "FILE_TYPE_REFUSED", "web page"},
		{"a.pdf", "nothing", text(""), 400, "FILE_EMPTY", "empty"},
		{"a.xlsx", "an archive bomb", bytes.NewReader(book(t, "", 1<<30)), 400, "FILE_BOMB", ""},
		{"a.xlsx", "a broken archive", text("PK\x03\x04nonsense"), 400, "FILE_DAMAGED", "broken off"},
		{"a.xml", "100 MB", io.MultiReader(text(`<?xml version="1.0"?><Project xmlns="http://schemas.microsoft.com/project"><Tasks>`), &repeated{text: "<Task><UID>1</UID></Task>", left: 100 << 20}), 413, "BODY_TOO_LARGE", "20971520 bytes"},
	}
}

// badPlans are files that are taken, and refused as a plan.
func badPlans() []badFile {
	text := strings.NewReader
	tasks := func(inside string) io.Reader { return text(mspdiOf(`<Tasks>` + inside + `</Tasks>`)) }
	one := `<Task><UID>1</UID><ID>1</ID><Name>Uno</Name><Duration>PT8H0M0S</Duration>%s</Task>`
	return []badFile{
		{"a.xml", "cut off", text(smallPlan[:len(smallPlan)-40]), 400, "FILE_DAMAGED", "broken off"},
		{"a.xml", "an entity bomb", text(`<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>` + mspdiOf(`<Name>&b;</Name>`)[len(`<?xml version="1.0" encoding="UTF-8"?>`):]), 400, "FILE_TYPE_REFUSED", "DOCTYPE"},
		{"a.xml", "an external entity", text(`<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd">` + mspdiOf("")[len(`<?xml version="1.0" encoding="UTF-8"?>`):]), 400, "FILE_TYPE_REFUSED", "DOCTYPE"},
		{"a.xml", "another document", text(`<?xml version="1.0"?><rss version="2.0"><channel/></rss>`), 400, "PLAN_FILE_WRONG", "line 1: the root element is \"rss\""},
		{"a.xml", "very deep", text(mspdiOf(strings.Repeat("<a>", 20_000) + strings.Repeat("</a>", 20_000))), 400, "PLAN_FILE_TOO_LARGE", "nested more than 32 deep"},
		{"a.xml", "a link to an absent task", tasks(fmt.Sprintf(one, `<PredecessorLink><PredecessorUID>9</PredecessorUID><Type>1</Type></PredecessorLink>`)), 400, "PLAN_FILE_WRONG", "line 1, Project/Tasks/Task/PredecessorLink: UID 1: the predecessor 9"},
		{"a.xml", "a cycle", tasks(fmt.Sprintf(one, `<PredecessorLink><PredecessorUID>2</PredecessorUID><Type>1</Type></PredecessorLink>`) +
			strings.Replace(fmt.Sprintf(one, `<PredecessorLink><PredecessorUID>1</PredecessorUID><Type>1</Type></PredecessorLink>`), "<UID>1</UID><ID>1</ID>", "<UID>2</UID><ID>2</ID>", 1)), 409, "TASK_CYCLE", "task UID 2 (line 1) → task UID 1 (line 1)"},
		{"a.xml", "a duration that is none", text(strings.Replace(smallPlan, "PT8H0M0S", "otto ore", 1)), 400, "PLAN_FILE_WRONG", "Project/Tasks/Task/Duration: UID 1: \"otto ore\""},
		{"a.pdf", "no plan at all", bytes.NewReader(document(1)), 400, "PLAN_FILE_WRONG", "not a Microsoft Project XML document"},
	}
}

// badTables are tables of projects that cannot be read as a whole, and what the
// refusal says.
func badTables(t *testing.T) map[string][]byte {
	t.Helper()
	return map[string][]byte{
		"unmerge A1:B2":    book(t, `<mergeCells count="1"><mergeCell ref="A1:B2"/></mergeCells>`, 0),
		"unzip size":       book(t, "", 1<<30),
		"PDF document":     document(1),
		"line 2 has other": []byte("id;titolo\n1;\xe8\xe8\n"),
		"no column":        []byte("a;b\n1;2\n"),
	}
}

// TestBadInputOfProjects: what is wrong with plans, money, claims, rules and files
// is told by status, reason, place and words, and leaves nothing behind.
func TestBadInputOfProjects(t *testing.T) {
	eachShape(t, func(t *testing.T, s *shape) {
		w, op := newWorld(t, s, "Errori"), s.operator(t)
		second := post[*projectsv1.Task](t, op, w.names["projects/*"]+"/tasks", &projectsv1.Task{
			Title: text("Dopo"), DurationMinutes: 480, Predecessors: []*projectsv1.Link{{Task: w.names["projects/*/tasks/*"]}},
		}).GetName()
		read := func() string { return projectsOnly(s.digest(t, w)) }
		unchanged := func(t *testing.T, before string) {
			t.Helper()
			if after := read(); before != after {
				t.Errorf("refused requests have changed something:\n%s", difference(before, after))
			}
		}
		before := read()
		for _, b := range badProjectInputs(w, second) {
			t.Run(b.name, func(t *testing.T) {
				requireProblem(t, s.do(t, request{method: b.method, path: b.path, token: op.Token, body: strings.NewReader(b.body)}), b.status, b.reason, b.field)
			})
		}
		upload := func(t *testing.T, f badFile) answer {
			return s.do(t, request{method: http.MethodPost, path: "/v1/" + w.names["projects/*"] + "/files?displayName=" + f.name, token: op.Token, body: f.content,
				header: map[string]string{"Content-Type": "application/octet-stream"}})
		}
		for _, f := range badFiles(t) {
			t.Run("file: "+f.title, func(t *testing.T) { f.require(t, upload(t, f)) })
		}
		for says, table := range badTables(t) {
			t.Run("table: "+says, func(t *testing.T) {
				body, err := json.Marshal(map[string]any{"table": table, "mapping": map[string]any{"rows": "PROJECT_IMPORT_ROWS_PROJECTS", "source": "prova", "keyColumns": []string{"id"}, "values": []any{
					map[string]string{"field": "PROJECT_IMPORT_FIELD_TITLE", "column": "titolo"}, map[string]string{"field": "PROJECT_IMPORT_FIELD_AMOUNT", "constant": "1"},
					map[string]string{"field": "PROJECT_IMPORT_FIELD_START_DATE", "constant": "2024-01-01"}, map[string]string{"field": "PROJECT_IMPORT_FIELD_END_DATE", "constant": "2026-01-01"},
				}}})
				if err != nil {
					t.Fatal(err)
				}
				a := s.do(t, request{method: http.MethodPost, path: "/v1/projects:import", token: op.Token, body: bytes.NewReader(body)})
				if a.status != http.StatusBadRequest || len(a.problem().Fields) != 1 || !strings.Contains(a.problem().Detail, says) {
					t.Errorf("%d %.400s", a.status, a.body)
				}
			})
		}
		unchanged(t, before)
		for _, f := range badPlans() {
			t.Run("plan: "+f.title, func(t *testing.T) {
				a := upload(t, f)
				if a.status == http.StatusOK { // the file is taken; as a plan it is not
					var file struct{ Name string }
					if err := json.Unmarshal(a.body, &file); err != nil {
						t.Fatal(err)
					}
					before := read()
					a = s.do(t, request{method: http.MethodPost, path: "/v1/" + w.names["projects/*/schedule"] + ":import", token: op.Token,
						body: strings.NewReader(`{"file": "` + file.Name + `", "mode": "IMPORT_MODE_REPLACE"}`)})
					unchanged(t, before)
				}
				f.require(t, a)
			})
		}
	})
}

// require checks that an answer refuses the file as it should.
func (f badFile) require(t *testing.T, a answer) {
	t.Helper()
	requireProblem(t, a, f.status, f.reason, "")
	if !strings.Contains(a.problem().Detail, f.says) {
		t.Errorf("%q does not say %q", a.problem().Detail, f.says)
	}
}

// projectsOnly leaves out what other services, which follow events, answer.
func projectsOnly(digest string) string {
	var out []string
	for line := range strings.Lines(digest) {
		if !strings.HasPrefix(line, "RollUpService.") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}
