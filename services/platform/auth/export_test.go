package auth

// CacheLen returns how many tokens the verifier remembers.
func CacheLen(v *Verifier) int {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return len(v.cache)
}

// ForgetTokens empties the verifier's memory.
func ForgetTokens(v *Verifier) {
	v.mu.Lock()
	defer v.mu.Unlock()
	clear(v.cache)
}
