package suite

import (
	"os"
	"runtime/debug"
)

// garbagePercent lets the heap grow to three times what is in use before it is
// collected. What is in use is small (tens of MB) next to what requests leave
// behind, so Go's own 100 collects many times a second under load; at 400 a
// bulk import of 71,498 organisations took twice the memory for little speed.
const garbagePercent = 200

// TuneGarbage sets how often the process collects garbage, unless GOGC says
// otherwise. GOMEMLIMIT bounds the memory where that is wanted.
func TuneGarbage() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
}
