package level

// packing puts the amounts of several resources side by side into machine words,
// so that one subtraction compares them all. Each lane has a guard bit on top.
type packing struct {
	words    int
	capacity []uint64
	demand   []uint64 // words for each activity
	guard    uint64
}

func pack(capacities []int, demands [][]int) packing {
	bits, most := 16, 0
	for _, c := range capacities {
		most = max(most, c)
	}
	p := packing{guard: 0x8000_8000_8000_8000}
	if most >= 1<<15 {
		bits, p.guard = 32, 0x8000_0000_8000_0000
	}
	lanes := 64 / bits
	p.words = max(1, (len(capacities)+lanes-1)/lanes)
	put := func(amounts []int, to []uint64) {
		for r, a := range amounts {
			to[r/lanes] |= uint64(a) << (r % lanes * bits)
		}
	}
	p.capacity = make([]uint64, p.words)
	put(capacities, p.capacity)
	p.demand = make([]uint64, p.words*len(demands))
	for i, d := range demands {
		fits := make([]int, len(d))
		for r := range d {
			fits[r] = min(d[r], capacities[r]) // one of no duration may ask for more
		}
		put(fits, p.demand[i*p.words:(i+1)*p.words])
	}
	return p
}

// profile is what is free of all resources at each time.
type profile struct {
	packing
	free []uint64
}

func newProfile(p packing, horizon int) profile {
	return profile{packing: p, free: make([]uint64, p.words*(horizon+1))}
}

// clear makes everything free up to a time.
func (p *profile) clear(until int) {
	if p.words == 1 {
		c := p.capacity[0]
		for t := range p.free[:until] {
			p.free[t] = c
		}
		return
	}
	for t := range until {
		copy(p.free[t*p.words:], p.capacity)
	}
}

// fits reports whether activity i fits at time t.
func (p *profile) fits(i, t int) bool {
	if p.words == 1 {
		return ((p.free[t]|p.guard)-p.demand[i])&p.guard == p.guard
	}
	for k := range p.words {
		if ((p.free[t*p.words+k]|p.guard)-p.demand[i*p.words+k])&p.guard != p.guard {
			return false
		}
	}
	return true
}

// take uses what activity i needs from a time to another.
func (p *profile) take(i, from, to int) {
	for t := from; t < to; t++ {
		for k := range p.words {
			p.free[t*p.words+k] -= p.demand[i*p.words+k]
		}
	}
}

// earliest returns the first start at or after t where activity i fits for d.
func (p *profile) earliest(i, t, d int) int {
	for at := t + d - 1; at >= t; at-- { // from the end: a conflict skips most
		if !p.fits(i, at) {
			t = at + 1
			at = t + d
		}
	}
	return t
}

// latest returns the last start at or before t where activity i fits for d;
// negative for none.
func (p *profile) latest(i, t, d int) int {
	for at := t; t >= 0 && at < t+d; at++ {
		if !p.fits(i, at) {
			t = at - d
			at = t - 1
		}
	}
	return t
}
