package rules

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"go.yaml.in/yaml/v3"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Unit is what a figure is counted in.
type Unit string

// The units.
const (
	UnitMoney   Unit = "money"   // written 1500.00, in expressions minor units
	UnitPercent Unit = "percent" // written 12.5, in expressions basis points
	UnitMonths  Unit = "months"
	UnitDays    Unit = "days"
	UnitCount   Unit = "count"
	UnitDate    Unit = "date"
	UnitFlag    Unit = "flag" // true or false
	UnitText    Unit = "text"
)

var units = []Unit{UnitMoney, UnitPercent, UnitMonths, UnitDays, UnitCount, UnitDate, UnitFlag, UnitText}

// kind is the type of a figure in expressions.
func (u Unit) kind() *cel.Type {
	switch u {
	case UnitDate:
		return dayType
	case UnitFlag:
		return cel.BoolType
	case UnitText:
		return cel.StringType
	}
	return cel.IntType
}

// parse reads a figure as it is written.
func (u Unit) parse(n *yaml.Node) (ref.Val, error) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return nil, fmt.Errorf("must be given")
	}
	switch u {
	case UnitMoney, UnitPercent:
		v, err := hundredths(n.Value)
		return types.Int(v), err
	case UnitMonths, UnitDays, UnitCount:
		v, err := strconv.ParseInt(n.Value, 10, 32)
		if err != nil || v < 0 {
			return nil, fmt.Errorf("must be a whole number, 0 or more")
		}
		return types.Int(v), nil
	case UnitDate:
		d, err := civil.Parse(n.Value)
		if err != nil {
			return nil, err
		}
		return dayOf(d), nil
	case UnitFlag:
		if n.Tag != "!!bool" {
			return nil, fmt.Errorf("must be true or false")
		}
		return types.Bool(strings.EqualFold(n.Value, "true")), nil
	}
	return types.String(n.Value), nil
}

// hundredths reads a number with at most two decimals: euros as cents, percent
// as basis points.
func hundredths(s string) (int64, error) {
	units, decimals, point := strings.Cut(s, ".")
	wrong := fmt.Errorf("%q must be a number, 0 or more, with at most two decimals after a point", shorten(s))
	if point && (len(decimals) == 0 || len(decimals) > 2) || len(units) == 0 || strings.Trim(units+decimals, "0123456789") != "" {
		return 0, wrong
	}
	v, err := strconv.ParseInt(units+(decimals + "00")[:2], 10, 64)
	if err != nil || v > math.MaxInt64/whole {
		return 0, wrong
	}
	return v, nil
}
