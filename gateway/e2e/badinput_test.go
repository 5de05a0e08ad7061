package e2e

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/platform/auth"
)

// bad is a request that must be refused, and how.
type bad struct {
	name         string
	method, path string
	body         string
	header       map[string]string
	status       int
	reason       string
	field        string // that the problem names; empty: none needs to be
}

const operatorRole = authzv1.Role_ROLE_NETWORK_OPERATOR

func badInputs(w *world) []bad {
	n := w.names
	need, organisation := w.need, w.organisation
	missing := func(kind string) string { return kind + "/" + absentID }
	entry := func(more string) string {
		return `{"organisation": "` + organisation + `", "title": {"text": "Prova", "languageCode": "it"}` + more + `}`
	}
	body := func(identifier string) string {
		return `{"displayName": {"text": "Ente", "languageCode": "it"}, "legalForm": "LEGAL_FORM_ASSOCIATION", "territory": {"countryCode": "IT"}, "identifiers": [` + identifier + `]}`
	}
	return []bad{
		// JSON.
		{"cut off", "POST", "/v1/needs", `{"title": `, nil, 400, "INVALID_REQUEST", "body"},
		{"not JSON", "POST", "/v1/needs", `title=Prova`, nil, 400, "INVALID_REQUEST", "body"},
		{"an array", "POST", "/v1/needs", `[]`, nil, 400, "INVALID_REQUEST", ""},
		{"two values", "POST", "/v1/needs", entry("") + `{}`, nil, 400, "INVALID_REQUEST", "body"},
		{"empty body", "POST", "/v1/needs", ``, nil, 400, "INVALID_REQUEST", ""},
		{"nothing in it", "POST", "/v1/needs", `{}`, nil, 400, "ENTRY_INVALID", "need.organisation"},
		{"null", "POST", "/v1/needs", `null`, nil, 400, "INVALID_REQUEST", ""},
		{"not UTF-8", "POST", "/v1/needs", entry(`, "category": "a` + "\xff\xfe" + `"`), nil, 400, "INVALID_REQUEST", ""},
		{"very deep", "POST", "/v1/needs", `{"title":` + strings.Repeat(`{"a":`, 20_000) + strings.Repeat("}", 20_001), nil, 400, "INVALID_REQUEST", ""},
		{"a name twice", "POST", "/v1/needs", entry(`, "category": "a", "category": "b"`), nil, 400, "INVALID_REQUEST", "category"},
		// Types and fields.
		{"number for an object", "POST", "/v1/needs", `{"title": 5}`, nil, 400, "INVALID_REQUEST", "title"},
		{"text for a number", "POST", "/v1/events", entry(`, "seats": "many"`), nil, 400, "INVALID_REQUEST", "seats"},
		{"too large a number", "POST", "/v1/events", entry(`, "seats": 3000000000`), nil, 400, "INVALID_REQUEST", "seats"},
		{"part of a number", "POST", "/v1/events", entry(`, "seats": 1.5`), nil, 400, "INVALID_REQUEST", "seats"},
		{"no instant", "POST", "/v1/events", entry(`, "startTime": "domani"`), nil, 400, "INVALID_REQUEST", "startTime"},
		{"no value of the enum", "POST", "/v1/needs", entry(`, "urgency": "NEED_URGENCY_WILD"`), nil, 400, "INVALID_REQUEST", "urgency"},
		{"a number that is no value of the enum", "POST", "/v1/needs", entry(`, "urgency": 77`), nil, 400, "INVALID_REQUEST", "need.urgency"},
		{"unknown field", "POST", "/v1/needs", entry(`, "colour": "red"`), nil, 400, "INVALID_REQUEST", "colour"},
		{"unknown field within", "POST", "/v1/needs", entry(`, "evidence": [{}, {"colour": "red"}]`), nil, 400, "INVALID_REQUEST", "evidence[1].colour"},
		{"unknown parameter", "GET", "/v1/needs?colour=red", "", nil, 400, "INVALID_REQUEST", "colour"},
		{"text for a parameter that is a number", "GET", "/v1/needs?pageSize=ten", "", nil, 400, "INVALID_REQUEST", "pageSize"},
		{"a date that is none", "POST", "/v1/needs", entry(`, "validFrom": "2026-02-30"`), nil, 400, "DATE_WRONG", "need.validFrom"},
		{"a date of another form", "POST", "/v1/needs", entry(`, "validFrom": "30/02/2026"`), nil, 400, "INVALID_REQUEST", "need.validFrom"},
		// Identifiers.
		{"wrong check digit of a tax code", "POST", "/v1/organisations", body(`{"type": "IDENTIFIER_TYPE_TAX_CODE", "value": "12345678901"}`), nil, 400, "CHECK_DIGIT_WRONG", "organisation.identifiers[0].value"},
		{"wrong check digit of a VAT number", "POST", "/v1/organisations", body(`{"type": "IDENTIFIER_TYPE_VAT_NUMBER", "value": "12345678902"}`), nil, 400, "CHECK_DIGIT_WRONG", "organisation.identifiers[0].value"},
		{"shape of a VAT number", "POST", "/v1/organisations", body(`{"type": "IDENTIFIER_TYPE_VAT_NUMBER", "value": "12"}`), nil, 400, "IDENTIFIER_SHAPE_WRONG", "organisation.identifiers[0].value"},
		{"name that is no name", "GET", "/v1/needs/nessuno", "", nil, 400, "INVALID_REQUEST", "name"},
		// References.
		{"organisation that is not there", "POST", "/v1/needs", strings.Replace(entry(""), organisation, missing("organisations"), 1), nil, 400, "REFERENCE_NOT_FOUND", "need.organisation"},
		{"parent network that is not there", "POST", "/v1/organisations", strings.Replace(body(""), `"identifiers"`, `"parentNetwork": "`+missing("organisations")+`", "identifiers"`, 1), nil, 400, "REFERENCE_NOT_FOUND", "organisation.parentNetwork"},
		{"budget line that is not there", "POST", "/v1/" + n["projects/*"] + "/expenditures", `{"organisation": "` + organisation + `", "budgetLine": "` + n["projects/*"] + "/" + missing("budgetLines") +
			`", "document": {"issuer": "x", "number": "1", "date": "` + day(-1) + `"}, "amount": {"minorUnits": "100", "currencyCode": "EUR"}}`, nil, 400, "REFERENCE_NOT_FOUND", "expenditure.budgetLine"},
		{"edition that is not there", "POST", "/v1/enrolments", `{"edition": "` + missing("editions") + `", "learner": "` + n["learners/*"] + `"}`, nil, 400, "REFERENCE_NOT_FOUND", "enrolment.edition"},
		{"course that is not there", "POST", "/v1/interests", `{"course": "` + missing("courses") + `", "learner": "` + n["learners/*"] + `"}`, nil, 400, "REFERENCE_NOT_FOUND", "interest.course"},
		{"indicator that is not there", "POST", "/v1/measurements", `{"indicator": "` + missing("indicators") + `", "organisation": "` + organisation + `", "startDate": "2026-01-01", "endDate": "2026-02-01", "value": {"value": "1"}}`,
			nil, 400, "REFERENCE_NOT_FOUND", "measurement.indicator"},
		{"match that is not there", "POST", "/v1/projects:openFromMatch", `{"match": "` + missing("matches") + `", "title": {"text": "P", "languageCode": "it"}, "startDate": "` + day(1) + `", "endDate": "` + day(9) + `", "currencyCode": "EUR"}`,
			nil, 404, "NOT_FOUND", ""},
		{"resource that is not there", "GET", "/v1/" + missing("projects"), "", nil, 404, "NOT_FOUND", ""},
		// States.
		{"archiving what has changed meanwhile", "POST", "/v1/" + n["solutions/*"] + ":archive", `{"etag": "v0"}`, nil, 412, "STALE_ETAG", ""},
		{"a gate whose artefacts are missing", "POST", "/v1/" + n["projects/*"] + ":advance", `{}`, nil, 409, "GATE_NOT_READY", ""},
		{"a draft idea becomes a service", "POST", "/v1/" + n["ideas/*"] + ":advance", `{"stage": "IDEA_STAGE_SERVICE", "reason": "x"}`, nil, 409, "WRONG_STATE", ""},
		{"closing an edition that has not begun", "POST", "/v1/" + n["editions/*"] + ":close", `{}`, nil, 409, "ILLEGAL_TRANSITION", ""},
		{"completing before the edition runs", "POST", "/v1/" + n["enrolments/*"] + ":complete", `{}`, nil, 409, "EDITION_NOT_RUNNING", ""},
		{"accepting a measurement that was not submitted", "POST", "/v1/" + n["measurements/*"] + ":accept", `{}`, nil, 409, "STATE_NOT_ALLOWED", ""},
		{"a project of a match that is not accepted", "POST", "/v1/projects:openFromMatch", `{"match": "` + n["matches/*"] + `", "title": {"text": "P", "languageCode": "it"}, "startDate": "` + day(1) + `", "endDate": "` + day(9) + `", "currencyCode": "EUR"}`,
			nil, 409, "MATCH_NOT_ACTIVE", ""},
		{"stale etag in the body", "PATCH", "/v1/" + need, `{"category": "x", "etag": "v0"}`, nil, 412, "STALE_ETAG", ""},
		// Lengths.
		{"a long title", "POST", "/v1/needs", strings.Replace(entry(""), "Prova", strings.Repeat("è", 301), 1), nil, 400, "INVALID_REQUEST", "need.title"},
		{"a long text", "POST", "/v1/needs", entry(`, "description": {"languageCode": "it", "text": "` + strings.Repeat("x", 20_001) + `"}`), nil, 400, "INVALID_REQUEST", "need.description.text"},
		{"a long idempotency key", "POST", "/v1/needs", entry(""), map[string]string{"Idempotency-Key": strings.Repeat("k", 129)}, 400, "INVALID_REQUEST", "requestId"},
		{"many tags", "POST", "/v1/needs", entry(`, "tags": ["` + strings.Join(strings.Split(strings.Repeat("x", 51), ""), `","`) + `"]`), nil, 400, "INVALID_REQUEST", "need.tags"},
		{"a long filter", "GET", "/v1/needs?filter=" + strings.Repeat("x", 2001), "", nil, 400, "INVALID_REQUEST", "filter"},
		// Lists.
		{"page token of nobody", "GET", "/v1/needs?pageToken=abc", "", nil, 400, "INVALID_PAGE_TOKEN", "pageToken"},
		{"filter that does not parse", "GET", "/v1/needs?filter=" + escape(`state = (`), "", nil, 400, "INVALID_FILTER", "filter"},
		{"filter by an unknown field", "GET", "/v1/needs?filter=" + escape(`colour = "red"`), "", nil, 400, "INVALID_FILTER", "filter"},
		{"filter by a wrong type", "GET", "/v1/projects?filter=" + escape(`create_time > "ieri"`), "", nil, 400, "INVALID_FILTER", "filter"},
		{"order by an unknown field", "GET", "/v1/needs?orderBy=colour", "", nil, 400, "INVALID_ORDER_BY", "orderBy"},
		{"order that does not parse", "GET", "/v1/needs?orderBy=" + escape("title sideways"), "", nil, 400, "INVALID_ORDER_BY", "orderBy"},
		{"negative page size", "GET", "/v1/needs?pageSize=-1", "", nil, 400, "INVALID_REQUEST", "pageSize"},
		{"update mask of an unknown field", "PATCH", "/v1/" + need + "?updateMask=colour", `{"category": "x"}`, nil, 400, "INVALID_UPDATE_MASK", "updateMask"},
		{"update of what never changes", "PATCH", "/v1/" + need + "?updateMask=organisation", `{"organisation": "` + missing("organisations") + `"}`, nil, 400, "INVALID_UPDATE_MASK", "updateMask"},
		// Paths and methods.
		{"unknown path", "GET", "/v1/nothing", "", nil, 404, "NOT_FOUND", ""},
		{"unknown path outside the API", "GET", "/nothing", "", nil, 404, "NOT_FOUND", ""},
		{"unknown verb", "POST", "/v1/" + need + ":dance", `{}`, nil, 405, "INVALID_REQUEST", ""},
		{"wrong method", "PUT", "/v1/needs", `{}`, nil, 405, "INVALID_REQUEST", ""},
		{"wrong method of a resource", "DELETE", "/v1/" + need, "", nil, 405, "INVALID_REQUEST", ""},
		{"wrong method of an operation", "POST", "/readyz", `{}`, nil, 405, "INVALID_REQUEST", ""},
		{"method by a header", "POST", "/v1/" + need, `{}`, map[string]string{"X-HTTP-Method-Override": "PATCH"}, 405, "INVALID_REQUEST", ""},
		// CSV.
		{"CSV without bytes", "POST", "/v1/organisations:import", `{}`, nil, 400, "INVALID_REQUEST", "csv"},
		{"CSV that is no base64", "POST", "/v1/organisations:import", `{"csv": "%%%"}`, nil, 400, "INVALID_REQUEST", "csv"},
		{"CSV without the columns", "POST", "/v1/organisations:import", `{"csv": "` + csv("a,b\n1,2\n") + `"}`, nil, 400, "IMPORT_HEADER_WRONG", ""},
		{"CSV whose column is not there", "POST", "/v1/organisations:import", `{"csv": "` + csv("a,b\n1,2\n") + `", "columns": [{"column": "x", "field": "IMPORT_FIELD_TAX_CODE"}]}`,
			nil, 400, "IMPORT_HEADER_WRONG", "columns[0].column"},
	}
}

func csv(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// requireProblem checks that an answer is a whole problem document.
func requireProblem(t *testing.T, a answer, status int, reason, field string) {
	t.Helper()
	p := a.problem()
	if a.status != status || p.Status != status || p.Reason != reason || p.Detail == "" || p.Title == "" || !strings.Contains(string(a.body), `"type":"urn:trama:problem:`) {
		t.Errorf("got %d %.400s, want %d %s", a.status, a.body, status, reason)
		return
	}
	for _, f := range p.Fields {
		if f.Description == "" || strings.Contains(f.Field, "_") {
			t.Errorf("field %q with the description %q", f.Field, f.Description)
		}
		if f.Field == field {
			return
		}
	}
	if field != "" {
		t.Errorf("no field %s in %.400s", field, a.body)
	}
}

// TestBadInput: whatever is wrong is told by status, reason and field, and
// leaves nothing behind.
func TestBadInput(t *testing.T) {
	eachShape(t, func(t *testing.T, s *shape) {
		w := newWorld(t, s, "Errori")
		before := s.digest(t, w)
		token := s.operator(t).Token
		for _, b := range badInputs(w) {
			t.Run(b.name, func(t *testing.T) {
				r := request{method: b.method, path: b.path, token: token, header: b.header}
				if b.method != http.MethodGet && b.method != http.MethodDelete {
					r.body = strings.NewReader(b.body)
				}
				requireProblem(t, s.do(t, r), b.status, b.reason, b.field)
			})
		}
		if after := s.digest(t, w); before != after {
			t.Errorf("refused requests have changed something:\n%s", difference(before, after))
		}
	})
}

// endless is a body of unknown length.
type endless struct{ io.Reader }

func TestBodiesOverFourMebibytes(t *testing.T) {
	eachShape(t, func(t *testing.T, s *shape) {
		big := `{"title": {"text": "` + strings.Repeat("x", 4<<20) + `", "languageCode": "it"}}`
		token := s.operator(t).Token
		for name, body := range map[string]io.Reader{"told": strings.NewReader(big), "chunked": endless{strings.NewReader(big)}} {
			t.Run(name, func(t *testing.T) {
				requireProblem(t, s.do(t, request{method: http.MethodPost, path: "/v1/needs", token: token, body: body}), http.StatusRequestEntityTooLarge, "BODY_TOO_LARGE", "")
			})
		}
		// What is just below is looked at, and refused for its own fault.
		below := `{"title": {"text": "` + strings.Repeat("x", 4<<20-100) + `", "languageCode": "it"}}`
		requireProblem(t, s.do(t, request{method: http.MethodPost, path: "/v1/needs", token: token, body: strings.NewReader(below)}), http.StatusBadRequest, "INVALID_REQUEST", "need.title.text")
	})
}

func TestTokensThatAreNotAccepted(t *testing.T) {
	eachShape(t, func(t *testing.T, s *shape) {
		issuer := func(audience string, now func() time.Time) *auth.LocalIssuer {
			return must(auth.OpenLocalIssuer(s.keyFile, audience, now))
		}
		mint := func(i *auth.LocalIssuer) string {
			return must(i.Mint("e2e-operator", []auth.Role{operatorRole}, time.Hour))
		}
		_, stranger := must2(ed25519.GenerateKey(rand.Reader))
		good := mint(s.tokens)
		parts := strings.Split(good, ".")
		encode := base64.RawURLEncoding.EncodeToString
		for name, c := range map[string]struct{ authorization, reason string }{
			"none":                   {"", "TOKEN_ABSENT"},
			"expired":                {"Bearer " + mint(issuer("", func() time.Time { return time.Now().Add(-2 * time.Hour) })), "TOKEN_EXPIRED"},
			"not valid yet":          {"Bearer " + mint(issuer("", func() time.Time { return time.Now().Add(2 * time.Hour) })), "TOKEN_EXPIRED"},
			"for another audience":   {"Bearer " + mint(issuer("altro", time.Now)), "TOKEN_AUDIENCE"},
			"by another key":         {"Bearer " + mint(auth.NewLocalIssuer(stranger, "", time.Now)), "TOKEN_INVALID"},
			"no algorithm":           {"Bearer " + encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + ".", "TOKEN_INVALID"},
			"a symmetric algorithm":  {"Bearer " + encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + parts[1] + "." + parts[2], "TOKEN_INVALID"},
			"changed":                {"Bearer " + parts[0] + "." + encode([]byte(`{"iss":"urn:trama:local","sub":"x","aud":"trama","exp":9999999999,"trama_roles":["network-operator"]}`)) + "." + parts[2], "TOKEN_INVALID"},
			"no token at all":        {"Bearer prova", "TOKEN_INVALID"},
			"two parts":              {"Bearer " + parts[0] + "." + parts[1], "TOKEN_INVALID"},
			"another scheme":         {"Basic b2xnYTpvbGdh", "TOKEN_INVALID"},
			"very long":              {"Bearer " + strings.Repeat("a", 30_000), "TOKEN_INVALID"},
			"odd characters":         {"Bearer \u00e8\u00e8.\u00e8.\u00e8", "TOKEN_INVALID"},
			"a token and a half one": {"Bearer " + good + " x", "TOKEN_INVALID"},
		} {
			t.Run(name, func(t *testing.T) {
				header := map[string]string{}
				if c.authorization != "" {
					header["Authorization"] = c.authorization
				}
				a := s.do(t, request{method: http.MethodGet, path: "/v1/portfolio", header: header})
				requireProblem(t, a, http.StatusUnauthorized, c.reason, "")
				if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
					t.Errorf("WWW-Authenticate %q", a.header.Get("WWW-Authenticate"))
				}
				// Where anybody may read, a wrong token is still wrong.
				if c.authorization != "" {
					requireProblem(t, s.do(t, request{method: http.MethodGet, path: "/v1/needs", header: header}), http.StatusUnauthorized, c.reason, "")
				}
			})
		}
	})
}

func must2[A, B any](a A, b B, err error) (A, B) {
	if err != nil {
		panic(err)
	}
	return a, b
}

// TestImportWithBrokenLines: what is wrong in a CSV file is told line by line, and
// does not keep the good lines out; imported again, they change nothing.
func TestImportWithBrokenLines(t *testing.T) {
	eachShape(t, func(t *testing.T, s *shape) {
		op := s.operator(t)
		// An eleven-digit code with the right last digit (Luhn), not seen before.
		code := taxCode(time.Now().UnixNano())
		file := "codice fiscale;nome;regione\n" +
			code + ";Cooperativa importata;IT-21\n" + // line 2: good
			"12345678901;Cifra di controllo;IT-21\n" + // 3: wrong check digit
			";Senza codice;IT-21\n" + // 4: no code
			"\"" + taxCode(1) + ";virgolette aperte\n" // 5: a quote that never ends
		request := &cataloguev1.ImportOrganisationsRequest{Csv: []byte(file), Columns: []*cataloguev1.ImportColumn{
			{Column: "codice fiscale", Field: cataloguev1.ImportField_IMPORT_FIELD_TAX_CODE},
			{Column: "nome", Field: cataloguev1.ImportField_IMPORT_FIELD_DISPLAY_NAME},
			{Column: "regione", Field: cataloguev1.ImportField_IMPORT_FIELD_REGION},
		}}
		dry, ok := proto.Clone(request).(*cataloguev1.ImportOrganisationsRequest)
		if !ok {
			t.Fatal("no clone")
		}
		dry.ValidateOnly = true
		lookup := "/v1/organisations:lookup?type=IDENTIFIER_TYPE_TAX_CODE&value=" + code
		report := post[*cataloguev1.ImportOrganisationsResponse](t, op, "organisations:import", dry)
		wantReport(t, report)
		if err := op.Get(t.Context(), lookup, nil); statusOf(err) != http.StatusNotFound {
			t.Errorf("the dry run has written: %v", err)
		}
		wantReport(t, post[*cataloguev1.ImportOrganisationsResponse](t, op, "organisations:import", request))
		if err := op.Get(t.Context(), lookup, nil); err != nil {
			t.Errorf("the good line is not there: %v", err)
		}
		again := post[*cataloguev1.ImportOrganisationsResponse](t, op, "organisations:import", request)
		if again.GetCreated() != 0 {
			t.Errorf("the second import made %d", again.GetCreated())
		}
	})
}

func wantReport(t *testing.T, report *cataloguev1.ImportOrganisationsResponse) {
	t.Helper()
	refused := map[int64]string{}
	for _, l := range report.GetLines() {
		if l.GetOutcome() == cataloguev1.ImportOutcome_IMPORT_OUTCOME_REFUSED {
			refused[l.GetLine()] = l.GetFindings()[0].GetReason()
		}
	}
	if report.GetCreated() != 1 || refused[3] != "CHECK_DIGIT_WRONG" || refused[4] != "VALUE_MISSING" || refused[5] != "LINE_BROKEN" || len(refused) != 3 {
		t.Errorf("%v: %v", refused, report)
	}
}

// taxCode is the tax code of a body with those digits: ten of them and the check
// digit of Luhn.
func taxCode(n int64) string {
	digits := fmt.Sprintf("9%09d", n%1_000_000_000)
	sum := 0
	for i, d := range digits {
		v := int(d - '0')
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return digits + fmt.Sprint((10-sum%10)%10)
}
