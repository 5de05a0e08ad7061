package gateway

import (
	"crypto/sha256"
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/grpc/codes"

	"github.com/trama-suite/trama/services/platform/errs"
)

// RateLimit is a token bucket for each caller: the token's where there is one,
// the address's otherwise. The zero value does not limit.
type RateLimit struct {
	// PerSecond is how many requests a caller may make for each second; 0: any number.
	PerSecond float64
	// Burst is how many may come at once; 0: twice PerSecond.
	Burst int
}

// idle is how long a bucket is kept after its last use: longer than any bucket
// takes to fill, so that dropping one forgives nothing.
const idle = 10 * time.Minute

type bucket struct {
	*rate.Limiter
	used time.Time
}

type limiter struct {
	RateLimit
	now     func() time.Time
	mu      sync.Mutex
	buckets map[[16]byte]*bucket
	swept   time.Time
}

func (l RateLimit) middleware(now func() time.Time, next http.Handler) http.Handler {
	if l.PerSecond <= 0 {
		return next
	}
	if l.Burst <= 0 {
		l.Burst = max(1, int(math.Ceil(2*l.PerSecond)))
	}
	lim := &limiter{RateLimit: l, now: now, buckets: map[[16]byte]*bucket{}, swept: now()}
	window := int(math.Ceil(float64(l.Burst) / l.PerSecond))
	policy := fmt.Sprintf(`"default";q=%d;w=%d`, l.Burst, window)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		remaining, wait := lim.take(r)
		reset := int(math.Ceil((float64(l.Burst) - remaining) / l.PerSecond))
		left := max(0, int(remaining))
		h := w.Header()
		// draft-ietf-httpapi-ratelimit-headers, and the older trio that AgID's
		// guidelines name.
		h.Set("RateLimit-Policy", policy)
		h.Set("RateLimit", fmt.Sprintf(`"default";r=%d;t=%d`, left, reset))
		h.Set("RateLimit-Limit", strconv.Itoa(l.Burst))
		h.Set("RateLimit-Remaining", strconv.Itoa(left))
		h.Set("RateLimit-Reset", strconv.Itoa(reset))
		if wait > 0 {
			h.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
			writeProblem(w, r, newProblem(codes.ResourceExhausted, errs.RateLimited,
				"too many requests: wait as long as Retry-After says"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// take takes a request out of the caller's bucket. It returns how many are left
// and, where the bucket is empty, how long until the next.
func (l *limiter) take(r *http.Request) (remaining float64, wait time.Duration) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.swept) > idle {
		for key, b := range l.buckets {
			if now.Sub(b.used) > idle {
				delete(l.buckets, key)
			}
		}
		l.swept = now
	}
	key := callerKey(r)
	b, ok := l.buckets[key]
	if !ok {
		b = &bucket{Limiter: rate.NewLimiter(rate.Limit(l.PerSecond), l.Burst)}
		l.buckets[key] = b
	}
	b.used = now
	if !b.AllowN(now, 1) {
		missing := 1 - b.TokensAt(now)
		return 0, time.Duration(missing / l.PerSecond * float64(time.Second))
	}
	return b.TokensAt(now), 0
}

// callerKey tells callers apart without keeping their tokens.
func callerKey(r *http.Request) [16]byte {
	who := r.Header.Get("Authorization")
	if who == "" {
		who, _, _ = net.SplitHostPort(r.RemoteAddr)
	}
	sum := sha256.Sum256([]byte(who))
	return [16]byte(sum[:16])
}
