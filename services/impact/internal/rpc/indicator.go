package rpc

import (
	"context"
	"strconv"

	"google.golang.org/protobuf/types/known/timestamppb"

	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
	"github.com/trama-suite/trama/services/impact/internal/domain"
	"github.com/trama-suite/trama/services/impact/internal/domain/rollup"
	"github.com/trama-suite/trama/services/impact/internal/store"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// indicators implements impactv1.IndicatorServiceServer.
type indicators struct {
	impactv1.UnimplementedIndicatorServiceServer
	*Server
}

// indicator returns an indicator that the caller may see.
func (s *Server) indicator(ctx context.Context, tx *sqldb.Tx, name string) (domain.Indicator, error) {
	i, err := store.Indicator(ctx, tx, name)
	if err != nil {
		return domain.Indicator{}, err
	}
	return i, visible(ctx, i.Organisation, name)
}

// checkNode checks that the theory and node that an indicator measures are there
// and are its owner's, or the network's.
func checkNode(ctx context.Context, tx *sqldb.Tx, i domain.Indicator) error {
	if i.Theory == "" {
		return nil
	}
	store.LockTheory(tx, i.Theory)
	t, err := store.Theory(ctx, tx, i.Theory)
	if errs.KindOf(err) == errs.NotFound || err == nil && t.Organisation != "" && t.Organisation != i.Organisation {
		return errs.InvalidField(errs.ReferenceNotFound, "theory", "%s does not exist, or is not the indicator's owner's", i.Theory).With("resource", i.Theory)
	}
	if err != nil {
		return err
	}
	if !t.HasNode(i.Node) {
		return errs.InvalidField(errs.ReferenceNotFound, "node", "%s has no node %q", i.Theory, i.Node).With("resource", i.Theory)
	}
	return nil
}

func (s indicators) CreateIndicator(ctx context.Context, req *impactv1.CreateIndicatorRequest) (*impactv1.Indicator, error) {
	organisation := req.GetIndicator().GetOrganisation()
	if err := s.creatable(ctx, "indicator.organisation", organisation); err != nil {
		return nil, err
	}
	in, err := indicatorFrom(req.GetIndicator())
	if err != nil {
		return nil, under("indicator", err)
	}
	in.Name = "indicators/" + s.NewID()
	i, err := domain.NewIndicator(in, s.Now())
	if err != nil {
		return nil, under("indicator", err)
	}
	return platform.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*impactv1.Indicator, error) {
		if err := checkNode(ctx, tx, i); err != nil {
			return nil, under("indicator", err)
		}
		return indicatorTo(i), store.InsertIndicator(ctx, tx, i)
	})
}

func (s indicators) GetIndicator(ctx context.Context, req *impactv1.GetIndicatorRequest) (out *impactv1.Indicator, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		i, err := s.indicator(ctx, tx, req.GetName())
		out = indicatorTo(i)
		return err
	})
	return out, err
}

func (s indicators) ListIndicators(ctx context.Context, req *impactv1.ListIndicatorsRequest) (*impactv1.ListIndicatorsResponse, error) {
	scope := auth.ScopeFrom(ctx)
	plan, err := store.Indicators.Plan(req, bound(scope)...)
	if err != nil {
		return nil, err
	}
	out := &impactv1.ListIndicatorsResponse{}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		list, next, err := store.ListIndicators(ctx, tx, plan, scope)
		out = &impactv1.ListIndicatorsResponse{NextPageToken: next}
		for _, i := range list {
			out.Indicators = append(out.Indicators, indicatorTo(i))
		}
		return err
	})
	return out, err
}

// edit changes an indicator that the caller may write, as they last read it.
func (s indicators) edit(ctx context.Context, tx *sqldb.Tx, name, etag string, change func(i domain.Indicator) (domain.Indicator, error)) (*impactv1.Indicator, error) {
	before, err := store.Indicator(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	if err := writable(ctx, before.Organisation, name); err != nil {
		return nil, err
	}
	if err := platform.CheckEtag(name, etag, before.Version); err != nil {
		return nil, err
	}
	after, err := change(before)
	if err != nil {
		return nil, err
	}
	return indicatorTo(after), store.SaveIndicator(ctx, tx, before, after)
}

func (s indicators) UpdateIndicator(ctx context.Context, req *impactv1.UpdateIndicatorRequest) (*impactv1.Indicator, error) {
	patch := req.GetIndicator()
	if _, err := parse("indicators/{indicator}", "indicator.name", patch.GetName()); err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*impactv1.Indicator, error) {
		return s.edit(ctx, tx, patch.GetName(), patch.GetEtag(), func(i domain.Indicator) (domain.Indicator, error) {
			wanted, err := platform.UpdateMask("indicator", indicatorTo(i), patch, req.GetUpdateMask())
			if err != nil {
				return domain.Indicator{}, err
			}
			change, err := indicatorFrom(wanted)
			if err != nil {
				return domain.Indicator{}, under("indicator", err)
			}
			out, err := i.Update(change, s.Now())
			if err == nil {
				err = checkNode(ctx, tx, out)
			}
			return out, under("indicator", err)
		})
	})
}

func (s indicators) RetireIndicator(ctx context.Context, req *impactv1.RetireIndicatorRequest) (*impactv1.Indicator, error) {
	return platform.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*impactv1.Indicator, error) {
		return s.edit(ctx, tx, req.GetName(), req.GetEtag(), func(i domain.Indicator) (domain.Indicator, error) { return i.Retire(s.Now()) })
	})
}

func (s indicators) GetIndicatorVersion(ctx context.Context, req *impactv1.GetIndicatorVersionRequest) (out *impactv1.IndicatorVersion, err error) {
	parent, number, err := version(req.GetName())
	if err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		i, err := s.indicator(ctx, tx, parent)
		if err != nil {
			return absentVersion(req.GetName(), err)
		}
		v, err := store.VersionOf(ctx, tx, i, number)
		out = indicatorVersionTo(v)
		return err
	})
	return out, err
}

func (s indicators) ListIndicatorVersions(ctx context.Context, req *impactv1.ListIndicatorVersionsRequest) (*impactv1.ListIndicatorVersionsResponse, error) {
	plan, err := store.IndicatorVersions.Plan(req, req.GetParent())
	if err != nil {
		return nil, err
	}
	out := &impactv1.ListIndicatorVersionsResponse{}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		i, err := s.indicator(ctx, tx, req.GetParent())
		if err != nil {
			return err
		}
		list, next, err := store.ListIndicatorVersions(ctx, tx, plan, i)
		out = &impactv1.ListIndicatorVersionsResponse{NextPageToken: next}
		for _, v := range list {
			out.IndicatorVersions = append(out.IndicatorVersions, indicatorVersionTo(v))
		}
		return err
	})
	return out, err
}

func indicatorFrom(i *impactv1.Indicator) (domain.Indicator, error) {
	out := domain.Indicator{
		Organisation: i.GetOrganisation(), Title: textFrom(i.GetTitle()), Description: textFrom(i.GetDescription()), Unit: i.GetUnit(),
		Direction: word[domain.Direction](i.GetDirection()), Theory: i.GetTheory(), Node: i.GetNode(), Headline: i.GetHeadline(),
	}
	out.Method, _ = rollup.ParseMethod(word[string](i.GetAggregation()))
	for _, c := range i.GetCategories() {
		out.Categories = append(out.Categories, textFrom(c))
	}
	for _, c := range i.GetCodes() {
		out.Codes = append(out.Codes, domain.ExternalCode{Scheme: word[domain.CodeScheme](c.GetScheme()), Code: c.GetCode()})
	}
	var err error
	if out.Baseline, err = decimal("baseline", i.GetBaseline()); err != nil {
		return domain.Indicator{}, err
	}
	if t := i.GetTarget(); t != nil {
		value, err := decimal("target.value", t.GetValue())
		if err != nil {
			return domain.Indicator{}, err
		}
		date, err := day("target.date", t.GetDate())
		if err != nil {
			return domain.Indicator{}, err
		}
		out.Target = &domain.Target{Value: *value, Date: date}
	}
	return out, nil
}

func indicatorTo(i domain.Indicator) *impactv1.Indicator {
	out := &impactv1.Indicator{
		Name: i.Name, Organisation: i.Organisation, Title: textTo(i.Title), Description: textTo(i.Description), Unit: i.Unit,
		Direction: enum[impactv1.Direction](i.Direction), Aggregation: enum[impactv1.Aggregation](i.Method.String()),
		Baseline: decimalTo(i.Baseline), Theory: i.Theory, Node: i.Node, Headline: i.Headline, Automatic: i.Automatic, Retired: i.Retired,
		Version: i.Number, CreateTime: timestamppb.New(i.CreateTime), UpdateTime: timestamppb.New(i.UpdateTime), Etag: platform.Etag(i.Version),
	}
	for _, c := range i.Categories {
		out.Categories = append(out.Categories, textTo(c))
	}
	for _, c := range i.Codes {
		out.Codes = append(out.Codes, &impactv1.ExternalCode{Scheme: enum[impactv1.CodeScheme](c.Scheme), Code: c.Code})
	}
	if i.Target != nil {
		out.Target = &impactv1.Target{Value: decimalTo(&i.Target.Value), Date: i.Target.Date.String()}
	}
	return out
}

func indicatorVersionTo(v store.IndicatorVersion) *impactv1.IndicatorVersion {
	out := indicatorTo(v.Indicator)
	out.Etag = "" // a version never changes
	return &impactv1.IndicatorVersion{
		Name: v.Indicator.Name + "/versions/" + strconv.Itoa(int(v.Indicator.Number)), Indicator: out, CreateTime: timestamppb.New(v.CreateTime),
	}
}
