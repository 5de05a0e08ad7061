package rpc_test

import (
	"errors"
	"strings"
	"testing"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/rpc"
)

// An error is not larger than what its reader can use: a megabyte of empty
// words, each of them wrong, must not become gigabytes of complaints.
func TestAnErrorIsNotLargerThanItsRequest(t *testing.T) {
	for name, c := range map[string]struct {
		req  *cataloguev1.SearchRequest
		want int
	}{
		"all that is wrong": { // three empty words, not unique, and the query
			&cataloguev1.SearchRequest{Categories: make([]string, 3), Query: strings.Repeat("x", 4001)}, 5},
		"all that is long": {
			&cataloguev1.SearchRequest{Categories: make([]string, 3), Query: strings.Repeat("x", 1<<20)}, 5},
		"no more than is read":   {&cataloguev1.SearchRequest{Categories: make([]string, 1000)}, 100},
		"the first of very many": {&cataloguev1.SearchRequest{Categories: make([]string, 1<<19)}, 1},
	} {
		e, ok := errors.AsType[*errs.Error](rpc.Validate(c.req))
		if !ok || e.Kind != errs.Invalid || e.Reason != errs.InvalidRequest || len(e.Fields) != c.want {
			t.Errorf("%s: %d fields, want %d", name, len(e.Fields), c.want)
		}
	}
}
