package search

import (
	"fmt"
	"sync"
)

// cacheSize bounds how many answers are kept.
const cacheSize = 64

// cache keeps answers for as long as nothing in the index changes: the page that
// everybody opens first, with all facets over everything, costs as much as a
// catalogue is large.
type cache struct {
	mu      sync.Mutex
	at      uint64 // state of the index that the answers are of
	answers map[string]Result
}

// cacheKey quotes every text in the query, so that none can pass for a part of
// another query.
func cacheKey(q Query) string { return fmt.Sprintf("%#v", q) }

// get returns the answer of the index as it is at that state.
func (c *cache) get(key string, at uint64) (Result, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at != at {
		return Result{}, false
	}
	r, ok := c.answers[key]
	return r, ok
}

// put keeps an answer that was found at that state and no other.
func (c *cache) put(key string, at uint64, r Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at != at || c.answers == nil || len(c.answers) >= cacheSize {
		c.at, c.answers = at, map[string]Result{}
	}
	c.answers[key] = r
}
