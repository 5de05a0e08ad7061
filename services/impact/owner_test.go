package impact_test

import (
	"testing"

	"google.golang.org/grpc/codes"

	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
)

// An operator may create for any organisation, but not for one that nobody
// knows.
func TestAnOperatorNamesAnOrganisationThatExists(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		indicator := &impactv1.CreateIndicatorRequest{Indicator: &impactv1.Indicator{
			Organisation: org(1), Title: text("indicator"), Unit: "u",
			Direction: impactv1.Direction_DIRECTION_INCREASE, Aggregation: impactv1.Aggregation_AGGREGATION_SUM,
		}}
		must[*impactv1.Indicator](t)(e.indicators.CreateIndicator(e.operator(), indicator))
		e.NoOrganisation(org(1))
		_, err := e.indicators.CreateIndicator(e.operator(), indicator)
		refused(t, err, codes.InvalidArgument, "REFERENCE_NOT_FOUND")
		_, err = e.theories.CreateTheory(e.operator(), &impactv1.CreateTheoryRequest{Theory: digital(1)})
		refused(t, err, codes.InvalidArgument, "REFERENCE_NOT_FOUND")
	})
}
