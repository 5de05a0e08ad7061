package schedule

import "container/heap"

// Delay sets the LevelStart of a leaf and computes the early dates that depend on
// it. The late dates, floats and scheduled dates wait for the next other change:
// levelling delays many tasks and looks at early dates only. After an error the
// plan is as before.
func (p *Plan) Delay(id string, start Time) error {
	i, known := p.index[id]
	if !known {
		return &UnknownError{Task: id, Reference: id}
	}
	was := p.tasks[i].LevelStart
	if start != 0 && !p.within(start) {
		return &RangeError{Task: id}
	}
	p.tasks[i].LevelStart = start
	p.mark(i)
	p.propagateForward()
	err := p.outside()
	if err != nil {
		p.tasks[i].LevelStart = was
		p.mark(i)
		p.propagateForward()
		p.far = -1
	}
	return err
}

// Order returns the IDs of the leaves so that each comes after those that its
// early dates depend on, and of those that could be next the one with the least
// key, then the one added first.
func (p *Plan) Order(key func(id string) int64) []string {
	waits := make([]int32, 2*len(p.cells))
	ready := &queue{}
	var next []int32
	push := func(node int32) {
		q := queued{node: node, key: -1 << 62} // summaries do not wait their turn
		if p.cells[node>>1].group == nil {
			q.key = key(p.tasks[node>>1].ID)
		}
		heap.Push(ready, q)
	}
	for _, node := range p.order {
		if node < 0 {
			continue
		}
		next = p.predecessors(node, next[:0])
		if waits[node] = int32(len(next)); len(next) == 0 {
			push(node)
		}
	}
	out := make([]string, 0, p.living)
	for ready.Len() > 0 {
		node := heap.Pop(ready).(queued).node
		if p.cells[node>>1].group == nil {
			out = append(out, p.tasks[node>>1].ID)
		}
		next = p.successors(node, next[:0])
		for _, s := range next {
			if waits[s]--; waits[s] == 0 {
				push(s)
			}
		}
	}
	return out
}

type queued struct {
	node int32
	key  int64
}

type queue []queued

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	return q[i].key < q[j].key || q[i].key == q[j].key && q[i].node < q[j].node
}

func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

func (q *queue) Push(x any) { *q = append(*q, x.(queued)) }

func (q *queue) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	*q = (*q)[:last]
	return x
}
