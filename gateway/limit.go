package gateway

import (
	"crypto/sha256"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/grpc/codes"

	"github.com/trama-suite/trama/services/platform/errs"
)

// RateLimit is a token bucket for each caller. A bearer token has a bucket of its
// own from the first answer on that proves it good; until then, as without a
// token, the bucket is the address's (of IPv6 its /64), so that invented tokens
// make no callers. The zero value does not limit.
type RateLimit struct {
	// PerSecond is how many requests a caller may make for each second; 0: any number.
	PerSecond float64
	// Burst is how many may come at once; 0: twice PerSecond.
	Burst int
}

const (
	// idle is how long a bucket is kept at least after its last use.
	idle = 10 * time.Minute
	// maxBuckets bounds how many callers are told apart.
	maxBuckets = 100_000
)

type bucket struct {
	*rate.Limiter
	used time.Time
}

// caller is what a bucket is kept by: a hash, so that no token stays in memory.
type caller [16]byte

type limiter struct {
	RateLimit
	now     func() time.Time
	keep    time.Duration // after the last use; no bucket takes longer to fill
	mu      sync.Mutex
	buckets map[caller]*bucket
	swept   time.Time
}

func (l RateLimit) middleware(now func() time.Time, next http.Handler) http.Handler {
	if l.PerSecond <= 0 {
		return next
	}
	if l.Burst <= 0 {
		l.Burst = max(1, int(math.Ceil(2*l.PerSecond)))
	}
	window := int(math.Ceil(float64(l.Burst) / l.PerSecond))
	lim := &limiter{
		RateLimit: l, now: now, keep: max(idle, time.Duration(window)*time.Second),
		buckets: map[caller]*bucket{}, swept: now(),
	}
	policy := fmt.Sprintf(`"default";q=%d;w=%d`, l.Burst, window)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := r.Header.Get("Authorization")
		remaining, wait, proven := lim.take(token, r.RemoteAddr)
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
		if token == "" || proven {
			next.ServeHTTP(w, r)
			return
		}
		seen := &statusWriter{ResponseWriter: w}
		next.ServeHTTP(seen, r)
		if seen.provesToken() {
			lim.admit(token)
		}
	})
}

// take takes a request out of the caller's bucket. It returns how many are left;
// where the bucket is empty, how long until the next; and whether the bucket is
// the token's own.
func (l *limiter) take(token, address string) (remaining float64, wait time.Duration, proven bool) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.swept) > idle {
		l.sweep(now)
	}
	var b *bucket
	if token != "" {
		b, proven = l.buckets[tokenKey(token)]
	}
	if b == nil {
		b = l.bucket(addressKey(address), now)
	}
	b.used = now
	if !b.AllowN(now, 1) {
		missing := 1 - b.TokensAt(now)
		return 0, time.Duration(missing / l.PerSecond * float64(time.Second)), proven
	}
	return b.TokensAt(now), 0, proven
}

// admit gives a token that has been found good its own bucket, out of which the
// request that proved it is taken too.
func (l *limiter) admit(token string) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bucket(tokenKey(token), now).AllowN(now, 1)
}

// bucket returns the bucket of a caller, a full one where there is none.
func (l *limiter) bucket(key caller, now time.Time) *bucket {
	if b, ok := l.buckets[key]; ok {
		return b
	}
	if len(l.buckets) >= maxBuckets {
		l.sweep(now)
		for key := range l.buckets { // still full: forgive some, rather than grow
			if len(l.buckets) <= maxBuckets*7/8 {
				break
			}
			delete(l.buckets, key)
		}
	}
	b := &bucket{Limiter: rate.NewLimiter(rate.Limit(l.PerSecond), l.Burst), used: now}
	l.buckets[key] = b
	return b
}

// sweep drops the buckets that are full again.
func (l *limiter) sweep(now time.Time) {
	for key, b := range l.buckets {
		if now.Sub(b.used) > l.keep {
			delete(l.buckets, key)
		}
	}
	l.swept = now
}

func tokenKey(token string) caller { return hashed("token " + token) }

func addressKey(remote string) caller {
	host, err := netip.ParseAddrPort(remote)
	if err != nil {
		return hashed("address " + remote)
	}
	address := host.Addr().Unmap()
	if address.Is6() {
		// Whoever has one address of a /64 has them all.
		network, _ := address.WithZone("").Prefix(64)
		return hashed("address " + network.String())
	}
	return hashed("address " + address.String())
}

func hashed(who string) caller {
	sum := sha256.Sum256([]byte(who))
	return caller(sum[:len(caller{})])
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// provesToken reports whether a service has looked at the request's token and
// found it good: it did what was asked, or said that the caller may not. Other
// answers may come from before that.
func (w *statusWriter) provesToken() bool {
	return w.status >= 200 && w.status < 300 || w.status == http.StatusForbidden
}
