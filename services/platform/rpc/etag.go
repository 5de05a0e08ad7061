package rpc

import (
	"strconv"

	"github.com/trama-suite/trama/services/platform/errs"
)

// Etag returns the etag of a resource's version (AIP-154): opaque to callers,
// plain text without quotes so that it stands well in JSON.
func Etag(version int64) string { return "v" + strconv.FormatInt(version, 36) }

// CheckEtag returns nil where etag is the one of the version, or empty: a caller
// who sends none does not care what they overwrite. Otherwise STALE_ETAG, which
// names the resource. Quotes and a weakness mark around it, as HTTP's If-Match
// has them, do not matter.
func CheckEtag(name, etag string, version int64) error {
	if len(etag) > 2 && etag[:2] == "W/" {
		etag = etag[2:]
	}
	if n := len(etag); n >= 2 && etag[0] == '"' && etag[n-1] == '"' {
		etag = etag[1 : n-1]
	}
	if etag == "" || etag == Etag(version) {
		return nil
	}
	return errs.Stale(name)
}
