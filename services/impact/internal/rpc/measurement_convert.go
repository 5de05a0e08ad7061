package rpc

import (
	"slices"
	"strconv"

	"google.golang.org/protobuf/types/known/timestamppb"

	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
	"github.com/trama-suite/trama/services/impact/internal/domain"
	"github.com/trama-suite/trama/services/impact/internal/domain/exact"
	"github.com/trama-suite/trama/services/impact/internal/domain/rollup"
	"github.com/trama-suite/trama/services/impact/internal/domain/territory"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
)

// contentFrom reads what a revision says.
func contentFrom(m *impactv1.Measurement) (domain.Content, error) {
	out := domain.Content{Project: m.GetProject(), Method: m.GetMethod(), Source: m.GetSource()}
	var err error
	if out.Period, err = domain.ParsePeriod("start_date", m.GetStartDate(), "end_date", m.GetEndDate()); err != nil {
		return domain.Content{}, err
	}
	if t := m.GetTerritory(); t != nil {
		p, err := territory.Resolve(t.GetCountryCode(), t.GetRegion(), t.GetNutsCode(), t.GetMunicipalityCode())
		if err != nil {
			return domain.Content{}, under("territory", err)
		}
		if p != (territory.Place{}) {
			out.Place = &p
		}
	}
	if out.Value, err = valueFrom(m.GetValue()); err != nil {
		return domain.Content{}, under("value", err)
	}
	out.Qualifier = rollup.Exact
	if q, ok := rollup.ParseQualifier(word[string](m.GetQualifier())); ok {
		out.Qualifier = q
	}
	for n, s := range m.GetShares() {
		share, err := exact.Parse(s.GetShare())
		if err != nil {
			return domain.Content{}, errs.InvalidField(domain.NumberInvalid, "shares["+strconv.Itoa(n)+"].share", "%v", err)
		}
		out.Shares = append(out.Shares, domain.Share{Organisation: s.GetOrganisation(), Share: share})
	}
	return out, nil
}

func valueFrom(v *impactv1.MeasuredValue) (domain.Value, error) {
	out := domain.Value{Count: v.Count}
	for _, f := range []struct {
		name, text string
		into       **exact.Number
	}{
		{"value", v.GetValue(), &out.Value}, {"numerator", v.GetNumerator(), &out.Numerator},
		{"denominator", v.GetDenominator(), &out.Denominator}, {"weight", v.GetWeight(), &out.Weight},
	} {
		n, err := decimal(f.name, f.text)
		if err != nil {
			return domain.Value{}, err
		}
		*f.into = n
	}
	if len(v.GetCategoryCounts()) > 0 {
		out.Counts = slices.Clone(v.GetCategoryCounts())
	}
	return out, nil
}

func measurementTo(m domain.Measurement) *impactv1.Measurement {
	c := m.Content
	out := &impactv1.Measurement{
		Name: m.Name, Indicator: m.Indicator, Organisation: m.Organisation, Project: c.Project,
		StartDate: c.Period.Start.String(), EndDate: c.Period.End.String(), Qualifier: enum[impactv1.Qualifier](c.Qualifier.String()),
		Method: c.Method, Source: c.Source, State: enum[impactv1.MeasurementState](m.State), Revision: m.Revision,
		AcceptedRevision: m.AcceptedRevision, Reason: m.Reason, IndicatorVersion: c.IndicatorNumber,
		CreateTime: timestamppb.New(m.CreateTime), UpdateTime: timestamppb.New(m.UpdateTime), Etag: platform.Etag(m.Version),
		Value: &impactv1.MeasuredValue{
			Value: decimalTo(c.Value.Value), Numerator: decimalTo(c.Value.Numerator), Denominator: decimalTo(c.Value.Denominator),
			Weight: decimalTo(c.Value.Weight), Count: c.Value.Count, CategoryCounts: c.Value.Counts,
		},
	}
	if p := c.Place; p != nil {
		nuts := p.NUTS1
		for _, finer := range []string{p.NUTS2, p.NUTS3} {
			if finer != "" {
				nuts = finer
			}
		}
		out.Territory = &impactv1.Territory{CountryCode: p.Country, Region: p.Region, NutsCode: nuts, MunicipalityCode: p.Municipality}
	}
	for _, s := range c.Shares {
		text := s.Share.String()
		if d := s.Share.Decimal(decimals); exact.MustParse(d).Equal(s.Share) {
			text = d
		}
		out.Shares = append(out.Shares, &impactv1.PartnerShare{Organisation: s.Organisation, Share: text})
	}
	return out
}
