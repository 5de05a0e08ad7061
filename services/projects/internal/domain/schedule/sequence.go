package schedule

import (
	"slices"
)

// sequence is a topological order of the nodes that is kept while links come and
// go: Pearce and Kelly, "A dynamic topological sort algorithm for directed
// acyclic graphs", ACM Journal of Experimental Algorithmics 11, 2006. A link that
// goes against it moves only the nodes between its ends.
type sequence struct {
	order []int32 // nodes; -1 where one was removed
	place []int32 // position of a node; -1 for none
	holes int
	met   []uint32 // by node, the search that met it last
	turn  uint32
}

// sort makes the first order (Kahn, "Topological sorting of large networks",
// 1962).
func (p *Plan) sort() error {
	n := len(p.cells)
	p.order, p.place, p.met = make([]int32, 0, 2*n), make([]int32, 2*n), make([]uint32, 2*n)
	waits := make([]int32, 2*n)
	nodes := 0
	for i := range p.cells {
		c := &p.cells[i]
		p.place[gate(int32(i))] = -1
		entry, k := p.entry(int32(i)), len(c.in)
		if c.parent >= 0 {
			k++
		}
		waits[entry] = int32(k)
		nodes++
		if c.group != nil {
			nodes++
			waits[main(int32(i))] = int32(len(c.group.children))
		}
		if k == 0 {
			p.order = append(p.order, entry)
		}
	}
	var next []int32
	for k := 0; k < len(p.order); k++ {
		p.place[p.order[k]] = int32(k)
		next = p.successors(p.order[k], next[:0])
		for _, s := range next {
			if waits[s]--; waits[s] == 0 {
				p.order = append(p.order, s)
			}
		}
	}
	if len(p.order) < nodes {
		return p.cycle(waits)
	}
	return nil
}

// cycle names one cycle: every node that still waits has one before it that
// waits too, so walking back must meet itself.
func (p *Plan) cycle(waits []int32) *CycleError {
	at := int32(slices.IndexFunc(waits, func(k int32) bool { return k > 0 }))
	seen := map[int32]int{}
	var walk, before []int32
	for {
		if from, met := seen[at]; met {
			walk = walk[from:]
			break
		}
		seen[at] = len(walk)
		walk = append(walk, at)
		before = p.predecessors(at, before[:0])
		at = before[slices.IndexFunc(before, func(b int32) bool { return waits[b] > 0 })]
	}
	slices.Reverse(walk)
	return p.named(walk)
}

// named turns a ring of nodes into tasks. Where it goes through a summary from
// top to bottom, the summary stands for what is between.
func (p *Plan) named(ring []int32) *CycleError {
	best := shorten(ring)
	for k, tried := 0, 0; k < len(ring) && tried < 16; k++ {
		if ring[k]&1 == 1 { // what begins at another gate may leave out more
			tried++
			if s := shorten(slices.Concat(ring[k:], ring[:k])); len(s) < len(best) {
				best = s
			}
		}
	}
	out := &CycleError{}
	for _, task := range best {
		out.Tasks = append(out.Tasks, p.tasks[task].ID)
	}
	return out
}

// shorten returns the tasks of a ring of nodes, without what is between the two
// nodes of a summary.
func shorten(ring []int32) []int32 {
	var out []int32
	gates := map[int32]int{}
	for _, n := range ring {
		task := n >> 1
		if from, met := gates[task]; met && n&1 == 0 {
			out = out[:from+1]
			continue
		}
		if n&1 == 1 {
			gates[task] = len(out)
		}
		out = append(out, task)
	}
	return out
}

// connect makes room in the order for an edge that is in the network already. A
// cycle leaves the order as it was.
func (p *Plan) connect(from, to int32) error {
	low, high := p.place[to], p.place[from]
	if low > high {
		return nil
	}
	if from == to {
		return p.named([]int32{from})
	}
	p.turn += 2
	after, err := p.reach(from, to, high)
	if err != nil {
		return err
	}
	before := p.reachBack(from, low)
	byPlace := func(a, b int32) int { return int(p.place[a] - p.place[b]) }
	slices.SortFunc(after, byPlace)
	slices.SortFunc(before, byPlace)
	moved := append(before, after...)
	places := make([]int32, len(moved))
	for k, n := range moved {
		places[k] = p.place[n]
	}
	slices.Sort(places)
	for k, n := range moved {
		p.place[n] = places[k]
		p.order[places[k]] = n
	}
	return nil
}

// reach returns the nodes at and after to, up to position high. Meeting from is a
// cycle.
func (p *Plan) reach(from, to, high int32) ([]int32, error) {
	type step struct{ node, by int32 }
	found := []step{{to, -1}}
	p.met[to] = p.turn
	var next []int32
	for k := 0; k < len(found); k++ {
		next = p.successors(found[k].node, next[:0])
		for _, s := range next {
			if s == from {
				ring := []int32{from}
				for at := int32(k); at >= 0; at = found[at].by {
					ring = append(ring, found[at].node)
				}
				slices.Reverse(ring[1:])
				return nil, p.named(ring)
			}
			if p.place[s] < high && p.met[s] != p.turn {
				p.met[s] = p.turn
				found = append(found, step{s, int32(k)})
			}
		}
	}
	out := make([]int32, len(found))
	for k, f := range found {
		out[k] = f.node
	}
	return out, nil
}

// reachBack returns the nodes at and before from, down to position low.
func (p *Plan) reachBack(from, low int32) []int32 {
	turn := p.turn + 1
	found := []int32{from}
	p.met[from] = turn
	var next []int32
	for k := 0; k < len(found); k++ {
		next = p.predecessors(found[k], next[:0])
		for _, s := range next {
			if p.place[s] > low && p.met[s] != turn {
				p.met[s] = turn
				found = append(found, s)
			}
		}
	}
	return found
}
