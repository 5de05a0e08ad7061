package training_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
)

// TestPathsOverREST asks for the paths that could be taken for one another: verbs
// on a collection, verbs on a resource, and documents under one.
func TestPathsOverREST(t *testing.T) {
	each(t, func(w *world) {
		mux := runtime.NewServeMux()
		for _, err := range []error{
			trainingv1.RegisterEditionServiceHandlerClient(t.Context(), mux, w.editions),
			trainingv1.RegisterSessionServiceHandlerClient(t.Context(), mux, w.sessions),
			trainingv1.RegisterEnrolmentServiceHandlerClient(t.Context(), mux, w.enrolments),
			trainingv1.RegisterAttendanceServiceHandlerClient(t.Context(), mux, w.attendance),
			trainingv1.RegisterCertificateServiceHandlerClient(t.Context(), mux, w.certificates),
			trainingv1.RegisterStatisticsServiceHandlerClient(t.Context(), mux, w.statistics),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		e := w.scheduled(w.course(), 1, 4, 0)
		x := w.session(e, "people", time.Date(2026, 1, 12, 9, 0, 0, 0, time.UTC), 60)
		w.open(e)
		n := must[*trainingv1.Enrolment](t)(w.enrol(e, w.person("Anna")))
		token := w.Token("test:network-operator", operator)
		for _, c := range []struct {
			method, path string
			status       int
			contains     string
		}{
			{"GET", "/v1/editions:audit", 200, `"editionCount":1`},
			{"GET", "/v1/" + e.GetName() + ":audit", 200, `"capacity":4`},
			{"GET", "/v1/" + e.GetName(), 200, `"number":1`},
			{"GET", "/v1/" + e.GetName() + "/calendar.ics", 200, "BEGIN:VCALENDAR\r\n"},
			{"GET", "/v1/" + e.GetName() + "/register", 200, "Anna"},
			{"GET", "/v1/" + e.GetName() + "/sessions", 200, x.GetName()},
			{"GET", "/v1/" + x.GetName(), 200, `"minutes":60`},
			{"GET", "/v1/" + x.GetName() + "/register", 200, "PENDING"},
			{"GET", "/v1/enrolments:mine", 200, "nextPageToken"},
			{"GET", "/v1/" + n.GetName(), 200, "ENROLLED"},
			{"GET", "/v1/certificates:verify?code=ABC", 404, ""},
			{"GET", "/v1/courseStatistics", 200, `"enrolledCount":"1"`},
			{"POST", "/v1/" + n.GetName() + ":cancel", 200, "CANCELLED"},
		} {
			req := httptest.NewRequestWithContext(t.Context(), c.method, c.path, strings.NewReader("{}"))
			req.Header.Set("Authorization", "Bearer "+token)
			answer := httptest.NewRecorder()
			mux.ServeHTTP(answer, req)
			body := strings.ReplaceAll(answer.Body.String(), `": `, `":`)
			if answer.Code != c.status || !strings.Contains(body, c.contains) {
				t.Errorf("%s %s: %d %s", c.method, c.path, answer.Code, body)
			}
			if strings.HasSuffix(c.path, ".ics") && !strings.HasPrefix(answer.Header().Get("Content-Type"), "text/calendar") {
				t.Errorf("%s: %s", c.path, answer.Header().Get("Content-Type"))
			}
		}
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/"+e.GetName()+"/calendar.ics", nil))
		if answer.Code != http.StatusOK {
			t.Errorf("a calendar program has no token: %d", answer.Code)
		}
	})
}
