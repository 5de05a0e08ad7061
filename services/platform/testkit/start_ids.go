package testkit

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

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
		var u uuid.UUID
		binary.BigEndian.PutUint64(u[:8], last>>12<<16|last&0xfff|0x7000)
		binary.BigEndian.PutUint64(u[8:], random.Uint64()&(1<<62-1)|1<<63)
		return u.String()
	}
}
