package level

import (
	"fmt"

	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

// Precedence ties two activities with a least time lag.
type Precedence struct {
	From, To int // indices of activities
	Type     schedule.LinkType
	Lag      int // time units; negative is a lead
}

// Instance is a project to schedule: activities that are not interrupted, and
// renewable resources.
type Instance struct {
	Durations   []int   // time units, by activity
	Demands     [][]int // by activity, of each resource while it runs
	Capacities  []int   // by resource
	Precedences []Precedence
}

// InstanceError says what is wrong with an instance.
type InstanceError struct{ Field, Reason string }

func (e *InstanceError) Error() string { return e.Field + ": " + e.Reason }

// Limits of an instance.
const (
	MaxActivities = 5_000
	MaxResources  = 64
	MaxHorizon    = 2_000_000 // time units times resources
	maxAmount     = 1 << 29
)

// arc says that an activity starts no earlier than so long after the start of
// another: all link types come down to that.
type arc struct{ to, lag int }

// network is a compiled instance.
type network struct {
	n         int
	durations []int
	after     [][]arc // to successors
	before    [][]arc // to predecessors
	order     []int   // topological
	resources packing
	demands   [][]int // as given
	capacity  []int
	tail      []int // longest way from an activity's start to the end
	head      []int // longest way to its start
	horizon   int
	loose     bool // a successor may start or finish before its predecessor finishes
}

// compile checks an instance.
func (in *Instance) compile() (*network, error) {
	n := len(in.Durations)
	wrong := func(field, format string, args ...any) (*network, error) {
		return nil, &InstanceError{Field: field, Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case n > MaxActivities:
		return wrong("durations", "%d activities, at most %d are allowed", n, MaxActivities)
	case len(in.Capacities) > MaxResources:
		return wrong("capacities", "%d resources, at most %d are allowed", len(in.Capacities), MaxResources)
	case len(in.Demands) != n:
		return wrong("demands", "of %d activities, there are %d", len(in.Demands), n)
	}
	w := &network{n: n, durations: in.Durations, demands: in.Demands, capacity: in.Capacities, after: make([][]arc, n), before: make([][]arc, n)}
	for r, c := range in.Capacities {
		if c < 0 || c > maxAmount {
			return wrong(fmt.Sprintf("capacities[%d]", r), "%d is not between 0 and %d", c, maxAmount)
		}
	}
	for i, d := range in.Durations {
		if d < 0 || d > MaxHorizon {
			return wrong(fmt.Sprintf("durations[%d]", i), "%d is not between 0 and %d", d, MaxHorizon)
		}
		if len(in.Demands[i]) != len(in.Capacities) {
			return wrong(fmt.Sprintf("demands[%d]", i), "of %d resources, there are %d", len(in.Demands[i]), len(in.Capacities))
		}
		for r, k := range in.Demands[i] {
			if k < 0 || k > maxAmount {
				return wrong(fmt.Sprintf("demands[%d][%d]", i, r), "%d is not between 0 and %d", k, maxAmount)
			}
			if d > 0 && k > in.Capacities[r] {
				return wrong(fmt.Sprintf("demands[%d][%d]", i, r), "%d is more than the capacity %d: there is no schedule", k, in.Capacities[r])
			}
		}
		w.horizon += d
	}
	for k, p := range in.Precedences {
		field := fmt.Sprintf("precedences[%d]", k)
		switch {
		case p.From < 0 || p.From >= n || p.To < 0 || p.To >= n:
			return wrong(field, "from %d to %d, there are %d activities", p.From, p.To, n)
		case p.Type > schedule.SF:
			return wrong(field, "%d is no link type", p.Type)
		case p.Lag < -MaxHorizon || p.Lag > MaxHorizon:
			return wrong(field, "a lag of %d is not between -%d and %d", p.Lag, MaxHorizon, MaxHorizon)
		}
		lag := p.Lag
		if p.Type == schedule.FS || p.Type == schedule.FF {
			lag += in.Durations[p.From]
		}
		if p.Type == schedule.FF || p.Type == schedule.SF {
			lag -= in.Durations[p.To]
		}
		w.loose = w.loose || lag < in.Durations[p.From]
		w.after[p.From] = append(w.after[p.From], arc{p.To, lag})
		w.before[p.To] = append(w.before[p.To], arc{p.From, lag})
		w.horizon += max(0, p.Lag)
	}
	if w.horizon*max(1, len(in.Capacities)) > MaxHorizon {
		return wrong("durations", "they reach %d time units with %d resources: use a coarser unit", w.horizon, len(in.Capacities))
	}
	if err := w.sort(); err != nil {
		return nil, err
	}
	w.measure()
	w.resources = pack(in.Capacities, in.Demands)
	return w, nil
}

func (w *network) sort() error {
	waits := make([]int, w.n)
	for i := range w.n {
		if waits[i] = len(w.before[i]); waits[i] == 0 {
			w.order = append(w.order, i)
		}
	}
	for k := 0; k < len(w.order); k++ {
		for _, a := range w.after[w.order[k]] {
			if waits[a.to]--; waits[a.to] == 0 {
				w.order = append(w.order, a.to)
			}
		}
	}
	if len(w.order) < w.n {
		for i, k := range waits {
			if k > 0 {
				return &InstanceError{Field: "precedences", Reason: fmt.Sprintf("a cycle leads to activity %d", i)}
			}
		}
	}
	return nil
}

// measure computes the longest ways before and after each activity.
func (w *network) measure() {
	w.head, w.tail = make([]int, w.n), make([]int, w.n)
	for _, i := range w.order {
		for _, a := range w.before[i] {
			w.head[i] = max(w.head[i], w.head[a.to]+a.lag)
		}
	}
	for k := w.n - 1; k >= 0; k-- {
		i := w.order[k]
		w.tail[i] = w.durations[i]
		for _, a := range w.after[i] {
			w.tail[i] = max(w.tail[i], w.tail[a.to]+a.lag)
		}
	}
}

// Verify returns what is wrong with a schedule of the instance, nothing if it
// keeps all precedences and capacities.
func (in *Instance) Verify(starts []int) error {
	if len(starts) != len(in.Durations) {
		return &InstanceError{Field: "starts", Reason: fmt.Sprintf("of %d activities, there are %d", len(starts), len(in.Durations))}
	}
	w, err := in.compile()
	if err != nil {
		return err
	}
	for i, s := range starts {
		if s < 0 {
			return &InstanceError{Field: "starts", Reason: fmt.Sprintf("activity %d starts at %d", i, s)}
		}
		for _, a := range w.after[i] {
			if starts[a.to] < s+a.lag {
				return &InstanceError{Field: "starts", Reason: fmt.Sprintf("activity %d starts at %d, too early after %d at %d", a.to, starts[a.to], i, s)}
			}
		}
	}
	for r, c := range in.Capacities {
		for i, s := range starts { // a peak begins where an activity does
			used := 0
			for j, t := range starts {
				if t <= s && s < t+in.Durations[j] {
					used += in.Demands[j][r]
				}
			}
			if in.Durations[i] > 0 && used > c {
				return &InstanceError{Field: "starts", Reason: fmt.Sprintf("%d of resource %d are used at %d, there are %d", used, r, s, c)}
			}
		}
	}
	return nil
}
