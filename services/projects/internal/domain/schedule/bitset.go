package schedule

import "math/bits"

// bitset is the work still to do, by position in the topological order.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) set(i int32) { b[i>>6] |= 1 << (i & 63) }

// next takes the lowest bit at or after word w, and returns its word; -1 for
// none.
func (b bitset) next(w int) (bit int32, word int) {
	for ; w < len(b); w++ {
		if x := b[w]; x != 0 {
			b[w] = x & (x - 1)
			return int32(w<<6 + bits.TrailingZeros64(x)), w
		}
	}
	return -1, w
}

// previous takes the highest bit at or before word w.
func (b bitset) previous(w int) (bit int32, word int) {
	for ; w >= 0; w-- {
		if x := b[w]; x != 0 {
			k := 63 - bits.LeadingZeros64(x)
			b[w] = x &^ (1 << k)
			return int32(w<<6 + k), w
		}
	}
	return -1, w
}
