package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
	"github.com/trama-suite/trama/services/impact/internal/domain"
	"github.com/trama-suite/trama/services/impact/internal/store"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/outbox"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// measurements implements impactv1.MeasurementServiceServer.
type measurements struct {
	impactv1.UnimplementedMeasurementServiceServer
	*Server
}

// measured returns the indicator of a measurement.
func (s measurements) measured(ctx context.Context, tx *sqldb.Tx, name string) (domain.Indicator, error) {
	i, err := s.indicator(ctx, tx, name)
	if errs.KindOf(err) == errs.NotFound {
		return domain.Indicator{}, errs.InvalidField(errs.ReferenceNotFound, "measurement.indicator", "%s does not exist, or is not yours to see", name).With("resource", name)
	}
	return i, err
}

func (s measurements) CreateMeasurement(ctx context.Context, req *impactv1.CreateMeasurementRequest) (*impactv1.Measurement, error) {
	in := req.GetMeasurement()
	if err := auth.Require(ctx, in.GetOrganisation(), in.GetOrganisation()); err != nil {
		return nil, err
	}
	content, err := contentFrom(in)
	if err != nil {
		return nil, under("measurement", err)
	}
	draft := domain.Measurement{Name: "measurements/" + s.NewID(), Indicator: in.GetIndicator(), Organisation: in.GetOrganisation(), Content: content}
	return platform.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*impactv1.Measurement, error) {
		i, err := s.measured(ctx, tx, draft.Indicator)
		if err != nil {
			return nil, err
		}
		m, err := domain.NewMeasurement(draft, i, s.Now())
		if err != nil {
			return nil, under("measurement", err)
		}
		return measurementTo(m), store.InsertMeasurement(ctx, tx, m, auth.CallerFrom(ctx).Subject)
	})
}

func (s measurements) GetMeasurement(ctx context.Context, req *impactv1.GetMeasurementRequest) (out *impactv1.Measurement, err error) {
	at := s.instant(req.GetAsOfTime(), req.GetAsOfTime() != nil)
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var m domain.Measurement
		var err error
		if at.IsZero() {
			m, err = store.Measurement(ctx, tx, req.GetName())
		} else {
			m, err = store.MeasurementAt(ctx, tx, req.GetName(), at)
		}
		if err != nil {
			return err
		}
		out = measurementTo(m)
		return auth.Require(ctx, m.Organisation, m.Name)
	})
	return out, err
}

func (s measurements) ListMeasurements(ctx context.Context, req *impactv1.ListMeasurementsRequest) (*impactv1.ListMeasurementsResponse, error) {
	scope := auth.ScopeFrom(ctx)
	plan, err := store.Measurements.Plan(req, bound(scope)...)
	if err != nil {
		return nil, err
	}
	out := &impactv1.ListMeasurementsResponse{}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		list, next, err := store.ListMeasurements(ctx, tx, plan, scope)
		out = &impactv1.ListMeasurementsResponse{NextPageToken: next}
		for _, m := range list {
			out.Measurements = append(out.Measurements, measurementTo(m))
		}
		return err
	})
	return out, err
}

// step takes a measurement one step on: load, check who and what was read, apply
// the rule, save. after, where it is not nil, does what else belongs to the step.
func (s measurements) step(ctx context.Context, tx *sqldb.Tx, name, etag string,
	rule func(m domain.Measurement, i domain.Indicator) (domain.Measurement, error),
	after func(m domain.Measurement, i domain.Indicator) error,
) (*impactv1.Measurement, error) {
	m, err := store.Measurement(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	if err := auth.Require(ctx, m.Organisation, name); err != nil {
		return nil, err
	}
	if err := platform.CheckEtag(name, etag, m.Version); err != nil {
		return nil, err
	}
	i, err := store.Indicator(ctx, tx, m.Indicator)
	if err != nil {
		return nil, err
	}
	before := m.Version
	if m, err = rule(m, i); err != nil {
		return nil, err
	}
	if m.Version == before { // an update that changes nothing
		return measurementTo(m), nil
	}
	if err := store.SaveMeasurement(ctx, tx, m, auth.CallerFrom(ctx).Subject); err != nil {
		return nil, err
	}
	if after != nil {
		err = after(m, i)
	}
	return measurementTo(m), err
}

func (s measurements) UpdateMeasurement(ctx context.Context, req *impactv1.UpdateMeasurementRequest) (*impactv1.Measurement, error) {
	patch := req.GetMeasurement()
	if _, err := parse("measurements/{measurement}", "measurement.name", patch.GetName()); err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*impactv1.Measurement, error) {
		return s.step(ctx, tx, patch.GetName(), patch.GetEtag(), func(m domain.Measurement, i domain.Indicator) (domain.Measurement, error) {
			wanted, err := platform.UpdateMask("measurement", measurementTo(m), patch, req.GetUpdateMask())
			if err != nil {
				return domain.Measurement{}, err
			}
			content, err := contentFrom(wanted)
			if err != nil {
				return domain.Measurement{}, under("measurement", err)
			}
			out, err := m.Revise(content, i, s.Now())
			return out, under("measurement", err)
		}, nil)
	})
}

func (s measurements) SubmitMeasurement(ctx context.Context, req *impactv1.SubmitMeasurementRequest) (*impactv1.Measurement, error) {
	return platform.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*impactv1.Measurement, error) {
		return s.step(ctx, tx, req.GetName(), req.GetEtag(), func(m domain.Measurement, i domain.Indicator) (domain.Measurement, error) {
			others, err := store.Series(ctx, tx, m)
			if err != nil {
				return domain.Measurement{}, err
			}
			return m.Submit(i, others, s.Now())
		}, nil)
	})
}

// mayAccept says who answers for an indicator: the network's operators for the
// network's own, the organisation's administrators (or an operator) for its.
func mayAccept(ctx context.Context, i domain.Indicator) error {
	if i.Network() && !auth.ScopeFrom(ctx).All {
		return errs.New(errs.PermissionDenied, domain.AcceptanceNotOwn, "%s is an indicator of the network: its operator accepts or returns what is measured", i.Name)
	}
	return nil
}

func (s measurements) AcceptMeasurement(ctx context.Context, req *impactv1.AcceptMeasurementRequest) (*impactv1.Measurement, error) {
	return platform.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*impactv1.Measurement, error) {
		return s.step(ctx, tx, req.GetName(), req.GetEtag(), func(m domain.Measurement, i domain.Indicator) (domain.Measurement, error) {
			if err := mayAccept(ctx, i); err != nil {
				return domain.Measurement{}, err
			}
			others, err := store.Series(ctx, tx, m)
			if err != nil {
				return domain.Measurement{}, err
			}
			return m.Accept(i, others, s.Now())
		}, func(m domain.Measurement, i domain.Indicator) error {
			leaves, err := m.Leaves(i)
			if err != nil {
				return err
			}
			if err := store.Replace(ctx, tx, i.Measure(), m.Name, i.Name, m.Version, leaves, s.Now()); err != nil {
				return err
			}
			return s.publish(ctx, tx, m, &impactv1.MeasurementAccepted{Measurement: measurementTo(m)})
		})
	})
}

func (s measurements) publish(ctx context.Context, tx *sqldb.Tx, m domain.Measurement, data proto.Message) error {
	return s.Outbox.Add(ctx, tx, outbox.Event{Aggregate: m.Name, Version: m.Version, Owner: m.Organisation, Time: m.UpdateTime, Data: data})
}

func (s measurements) ReturnMeasurement(ctx context.Context, req *impactv1.ReturnMeasurementRequest) (*impactv1.Measurement, error) {
	return platform.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*impactv1.Measurement, error) {
		return s.step(ctx, tx, req.GetName(), req.GetEtag(), func(m domain.Measurement, i domain.Indicator) (domain.Measurement, error) {
			if err := mayAccept(ctx, i); err != nil {
				return domain.Measurement{}, err
			}
			return m.Return(req.GetReason(), s.Now())
		}, nil)
	})
}

func (s measurements) WithdrawMeasurement(ctx context.Context, req *impactv1.WithdrawMeasurementRequest) (*impactv1.Measurement, error) {
	return platform.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*impactv1.Measurement, error) {
		counted := false
		return s.step(ctx, tx, req.GetName(), req.GetEtag(), func(m domain.Measurement, _ domain.Indicator) (domain.Measurement, error) {
			var err error
			m, counted, err = m.Withdraw(req.GetReason(), s.Now())
			return m, err
		}, func(m domain.Measurement, i domain.Indicator) error {
			if !counted {
				return nil
			}
			if err := store.Replace(ctx, tx, i.Measure(), m.Name, i.Name, m.Version, nil, s.Now()); err != nil {
				return err
			}
			told := measurementTo(m)
			told.Reason = "" // free text: somebody may have written a name into it
			return s.publish(ctx, tx, m, &impactv1.MeasurementWithdrawn{Measurement: told})
		})
	})
}

func (s measurements) ListMeasurementChanges(ctx context.Context, req *impactv1.ListMeasurementChangesRequest) (*impactv1.ListMeasurementChangesResponse, error) {
	plan, err := store.Changes.Plan(req, req.GetParent())
	if err != nil {
		return nil, err
	}
	out := &impactv1.ListMeasurementChangesResponse{}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		m, err := store.Measurement(ctx, tx, req.GetParent())
		if err != nil {
			return err
		}
		if err := auth.Require(ctx, m.Organisation, m.Name); err != nil {
			return err
		}
		list, next, err := store.ListChanges(ctx, tx, plan, m.Name)
		out = &impactv1.ListMeasurementChangesResponse{NextPageToken: next}
		for _, c := range list {
			change := measurementTo(c.Measurement)
			out.Changes = append(out.Changes, &impactv1.MeasurementChange{Measurement: change, ChangeTime: timestamppb.New(c.Time), Actor: c.Actor})
		}
		return err
	})
	return out, err
}
