package earned

import (
	"math/big"
	"sort"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Measures are what is read out of the four values. A nil measure is undefined:
// its denominator is zero.
type Measures struct {
	// Budget is the budget at completion (BAC).
	Budget int64
	Point
	// Actual is the actual cost (AC) by which the measures are computed.
	Actual int64
	// CostVariance (CV) is EV − AC, ScheduleVariance (SV) EV − PV.
	CostVariance, ScheduleVariance int64
	// CPI is EV/AC, SPI is EV/PV.
	CPI, SPI *big.Rat
	// EstimateTypical is the estimate at completion (EAC) where costs go on as
	// they have: BAC/CPI. EstimateAtypical is the one where the rest costs what
	// was planned: AC + BAC − EV. EstimateCombined is the one where the rest
	// suffers by cost and by schedule: AC + (BAC−EV)/(CPI·SPI).
	EstimateTypical, EstimateAtypical, EstimateCombined *big.Rat
	// VarianceAtCompletion (VAC) is BAC − BAC/CPI.
	VarianceAtCompletion *big.Rat
	// TCPI is the cost performance that the rest needs for the budget to do:
	// (BAC−EV)/(BAC−AC). Negative once more than the budget is spent.
	TCPI *big.Rat
}

// Actual costs that measures can be computed by.
const (
	Booked = iota
	Reported
	Certified
)

// Measure computes the measures of a point by one of its actual costs.
func Measure(budget int64, at Point, actual int) Measures {
	ac := at.Booked
	switch actual {
	case Reported:
		ac = at.Reported
	case Certified:
		ac = at.Certified
	}
	m := Measures{Budget: budget, Point: at, Actual: ac, CostVariance: at.Earned - ac, ScheduleVariance: at.Earned - at.Planned}
	bac, ev, pv, cost := rat(budget), rat(at.Earned), rat(at.Planned), rat(ac)
	m.CPI, m.SPI = quotient(ev, cost), quotient(ev, pv)
	rest := new(big.Rat).Sub(bac, ev)
	m.EstimateAtypical = new(big.Rat).Add(cost, rest)
	if m.EstimateTypical = quotient(bac, m.CPI); m.EstimateTypical != nil {
		m.VarianceAtCompletion = new(big.Rat).Sub(bac, m.EstimateTypical)
	}
	if m.CPI != nil && m.SPI != nil {
		if more := quotient(rest, new(big.Rat).Mul(m.CPI, m.SPI)); more != nil {
			m.EstimateCombined = more.Add(more, cost)
		}
	}
	m.TCPI = quotient(rest, new(big.Rat).Sub(bac, cost))
	return m
}

func rat(n int64) *big.Rat { return new(big.Rat).SetInt64(n) }

// quotient is nil where the denominator is zero or undefined.
func quotient(a, b *big.Rat) *big.Rat {
	if b == nil || b.Sign() == 0 {
		return nil
	}
	return new(big.Rat).Quo(a, b)
}

// Minor rounds a measure that is an amount to the nearest minor unit, halves to
// the even one; false where it is undefined or more than an amount can hold.
func Minor(x *big.Rat) (int64, bool) {
	if x == nil {
		return 0, false
	}
	n, half := new(big.Int), new(big.Int)
	// floor(x + 1/2), less one where that was a half and the result odd.
	half.Mul(x.Num(), big.NewInt(2)).Add(half, x.Denom())
	double := new(big.Int).Mul(x.Denom(), big.NewInt(2))
	remainder := new(big.Int)
	n.DivMod(half, double, remainder)
	if remainder.Sign() == 0 && n.Bit(0) == 1 {
		n.Sub(n, big.NewInt(1))
	}
	return n.Int64(), n.IsInt64()
}

// Below reports whether a measure is below so many basis points; false where it
// is undefined.
func Below(x *big.Rat, basisPoints int64) bool {
	return x != nil && x.Cmp(big.NewRat(basisPoints, 10_000)) < 0
}

// Schedule is earned schedule at a day: time in place of money.
type Schedule struct {
	// Earned (ES) is the working day of the plan, with its fraction, by which
	// what is earned was planned to be: C + (EV−PVc)/(PVc+1−PVc).
	Earned *big.Rat
	// Actual (AT) is how many working days have gone by.
	Actual int64
	// SPI is SPI(t) = ES/AT; nil where no day has gone by.
	SPI *big.Rat
}

// EarnedSchedule computes earned schedule of a part at the end of a day; its
// Earned is nil where nothing is planned.
func (v *Value) EarnedSchedule(s Scope, day civil.Date) (Schedule, error) {
	out := Schedule{}
	var days []civil.Date // working days, in order
	for i := 1; i < len(v.worked); i++ {
		if v.worked[i] > v.worked[i-1] {
			d := civil.FromDays(v.first + i - 1)
			days = append(days, d)
			if d <= day {
				out.Actual++
			}
		}
	}
	// What is planned at the last day is planned at the last working day too.
	if last := civil.FromDays(v.first + len(v.worked) - 2); len(days) == 0 || days[len(days)-1] < last {
		days = append(days, last)
	}
	budget, err := v.Budget(s)
	if err != nil || budget == 0 {
		return out, err
	}
	now, err := v.At(s, day)
	if err != nil {
		return out, err
	}
	planned := func(i int) (int64, error) { // by the end of the i-th working day, from 1
		if i == 0 {
			return 0, nil
		}
		at, err := v.At(s, days[i-1])
		if err != nil {
			return 0, err
		}
		return at[0].Planned, nil
	}
	ev := now[0].Earned
	// C is the last whole day whose plan is earned, and not after the first on
	// which all of it is.
	end := sort.Search(len(days), func(i int) bool {
		if err != nil {
			return true
		}
		var pv int64
		pv, err = planned(i + 1)
		return pv >= budget || pv > ev
	}) + 1
	if err != nil {
		return out, err
	}
	end = min(end, len(days))
	next, err := planned(end)
	if err != nil {
		return out, err
	}
	if ev >= next {
		out.Earned = rat(int64(end))
	} else {
		c, err := planned(end - 1)
		if err != nil {
			return out, err
		}
		out.Earned = new(big.Rat).Add(rat(int64(end-1)), big.NewRat(ev-c, next-c))
	}
	out.SPI = quotient(out.Earned, rat(out.Actual))
	return out, nil
}
