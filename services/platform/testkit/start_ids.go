package testkit

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/trama-suite/trama/services/platform/ids"
)

// IDs returns a source of UUIDv7 (RFC 9562) that shows the clock's time, counts
// up within a millisecond, and is the same in every run with the same seed.
func IDs(seed uint64, now func() time.Time) ids.Source {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 0x7472616d61))
	var last uint64 // milliseconds in the upper 48 bits, a counter in the lower 12
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		last = max(last+1, uint64(now().UnixMilli())<<12)
		r := random.Uint64()
		return fmt.Sprintf("%08x-%04x-7%03x-%04x-%012x",
			last>>28, last>>12&0xffff, last&0xfff, r>>50|0x8000, r&(1<<48-1))
	}
}
