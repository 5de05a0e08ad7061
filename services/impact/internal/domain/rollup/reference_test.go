package rollup

import (
	"math/big"
	"slices"
)

// reference computes a figure's value straight from the observations, by the
// definition of each method and with math/big, sharing no code with the states.
func reference(m Measure, all []Observation) *big.Rat {
	if len(all) == 0 {
		return nil
	}
	rat := func(n interface{ String() string }) *big.Rat {
		r, _ := new(big.Rat).SetString(n.String())
		return r
	}
	product := func(x, y *big.Rat) *big.Rat { return new(big.Rat).Mul(x, y) }
	top, bottom := new(big.Rat), new(big.Rat)
	quotient := func() *big.Rat {
		if bottom.Sign() == 0 {
			return nil
		}
		return new(big.Rat).Quo(top, bottom)
	}
	switch m.Method {
	case Sum:
		for _, o := range all {
			top.Add(top, product(rat(o.Value), rat(o.Share)))
		}
		return top
	case Ratio:
		for _, o := range all {
			top.Add(top, product(rat(o.Numerator), rat(o.Share)))
			bottom.Add(bottom, product(rat(o.Denominator), rat(o.Share)))
		}
		return quotient()
	case Mean, WeightedMean:
		for _, o := range all {
			w := rat(o.Weight)
			if m.Method == Mean {
				w = new(big.Rat).SetInt64(o.Count)
			}
			w = product(w, rat(o.Share))
			top.Add(top, product(rat(o.Value), w))
			bottom.Add(bottom, w)
		}
		return quotient()
	case Minimum, Maximum:
		best := rat(all[0].Value)
		for _, o := range all {
			if c := rat(o.Value).Cmp(best); (m.Method == Minimum && c < 0) || (m.Method == Maximum && c > 0) {
				best = rat(o.Value)
			}
		}
		return best
	case StockLast:
		type instant struct{ end, start int32 }
		last := map[string]instant{}
		for _, o := range all {
			at, known := last[o.Holder]
			if !known || o.End > at.end || (o.End == at.end && o.Start > at.start) {
				last[o.Holder] = instant{o.End, o.Start}
			}
		}
		for _, o := range all {
			if last[o.Holder] == (instant{o.End, o.Start}) {
				top.Add(top, product(rat(o.Value), rat(o.Share)))
			}
		}
		return top
	case OrdinalHistogram:
		totals := make([]*big.Rat, m.Categories)
		for i := range totals {
			totals[i] = new(big.Rat)
			for _, o := range all {
				totals[i].Add(totals[i], product(new(big.Rat).SetInt64(o.Counts[i]), rat(o.Share)))
			}
			bottom.Add(bottom, totals[i])
		}
		if bottom.Sign() == 0 {
			return nil
		}
		bottom.Mul(bottom, big.NewRat(1, 2))
		for i, n := range totals {
			if top.Add(top, n); top.Cmp(bottom) >= 0 {
				return new(big.Rat).SetInt64(int64(i + 1))
			}
		}
	case UniqueCount:
		keys := map[string]bool{}
		most := new(big.Rat)
		for _, o := range all {
			if o.Key != "" {
				keys[o.Key] = true
			} else if v := rat(o.Value); v.Cmp(most) > 0 && o.Qualifier != AtMost {
				most = v
			}
		}
		known := new(big.Rat).SetInt64(int64(len(keys)))
		return slices.MaxFunc([]*big.Rat{known, most}, (*big.Rat).Cmp)
	}
	return nil
}
