package rules

import (
	"reflect"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// day is a civil date in expressions: days since 1970-01-01. It compares, and
// has no time and no zone.
type day int32

// noDay stands for a date that is not given; an expression that reads one
// without asking has() fails.
const noDay day = -1 << 31

var dayType = cel.ObjectType("trama.Day", traits.ComparerType)

func dayOf(d Date) day {
	if d == "" {
		return noDay
	}
	return day(d.Days())
}

func (d day) date() civil.Date { return civil.FromDays(int(d)) }
func (d day) time() time.Time  { return time.Unix(int64(d)*86400, 0).UTC() }

func (d day) ConvertToNative(t reflect.Type) (any, error) {
	return types.String(d.date()).ConvertToNative(t)
}

func (d day) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.StringType:
		return types.String(d.date())
	case types.TypeType:
		return dayType
	}
	return types.NewErr("a day cannot be made a %s", t.TypeName())
}

func (d day) Equal(other ref.Val) ref.Val { o, ok := other.(day); return types.Bool(ok && o == d) }
func (d day) Type() ref.Type              { return dayType }
func (d day) Value() any                  { return d }

func (d day) Compare(other ref.Val) ref.Val {
	o, ok := other.(day)
	switch {
	case !ok:
		return types.MaybeNoSuchOverloadErr(other)
	case d < o:
		return types.IntNegOne
	case d > o:
		return types.IntOne
	}
	return types.IntZero
}

// addMonths is the same day of a later month, or that month's last day where it
// has no such day: 31 January and one month is 28 or 29 February.
func (d day) addMonths(n int) day {
	t := d.time()
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return day(first.AddDate(0, 0, min(t.Day(), last)-1).Unix() / 86400)
}

// monthsUntil counts the whole months of a period with its first and last day in
// it: 1 January to 31 December are 12.
func (d day) monthsUntil(last day) int {
	end := (last + 1).time()
	start := d.time()
	n := (end.Year()-start.Year())*12 + int(end.Month()) - int(start.Month())
	for n > 0 && d.addMonths(n) > last+1 {
		n--
	}
	return max(n, 0)
}
