package gateway

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Anybody may ask for the checks, so asking often must not mean checking often;
// and one who leaves early must not spoil the answer of the others.
func TestChecksAreSharedByThoseWhoAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		handler := checks(func(ctx context.Context) []CheckResult {
			runs++
			time.Sleep(checksFresh / 10)
			return []CheckResult{NewCheckResult("database", ctx.Err())}
		})
		ask := func(ctx context.Context) {
			w := httptest.NewRecorder()
			handler(w, httptest.NewRequestWithContext(ctx, "GET", "/checks", nil))
			if !strings.Contains(w.Body.String(), `"name":"database","ok":true`) {
				t.Errorf("answer %s", w.Body)
			}
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		ask(gone)
		var asking sync.WaitGroup
		for range 20 {
			asking.Go(func() { ask(t.Context()) })
		}
		asking.Wait()
		if runs != 1 {
			t.Errorf("%d runs, want 1", runs)
		}
		time.Sleep(checksFresh)
		ask(t.Context())
		if runs != 2 {
			t.Errorf("%d runs after a while, want 2", runs)
		}
	})
}
