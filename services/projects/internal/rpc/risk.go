package rpc

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

func riskProto(r *domain.Risk) *projectsv1.Risk {
	return &projectsv1.Risk{
		Name: r.Name(), Title: textProto(r.Title), Probability: r.Probability, Impact: r.Impact, Score: r.Score(),
		Response: value[projectsv1.RiskResponse](projectsv1.RiskResponse_value, "RISK_RESPONSE_", r.Response), ResponseText: r.ResponseText,
		OwnerSubject: r.Owner, State: value[projectsv1.RiskState](projectsv1.RiskState_value, "RISK_STATE_", r.State),
		CreateTime: timeProto(r.Created), UpdateTime: timeProto(r.Updated), Etag: platform.Etag(r.Version),
	}
}

func assessmentOf(m *projectsv1.Risk) domain.Assessment {
	return domain.Assessment{
		Title: textOf(m.GetTitle()), Probability: m.GetProbability(), Impact: m.GetImpact(),
		Response: word(projectsv1.RiskResponse_name, "RISK_RESPONSE_", m.GetResponse()), ResponseText: m.GetResponseText(),
		Owner: m.GetOwnerSubject(), State: word(projectsv1.RiskState_name, "RISK_STATE_", m.GetState()),
	}
}

// CreateRisk registers a risk.
func (s *Server) CreateRisk(ctx context.Context, req *projectsv1.CreateRiskRequest) (*projectsv1.Risk, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Risk, error) {
		p, err := lockProject(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		r, err := domain.NewRisk(s.newID(), p, assessmentOf(req.GetRisk()), s.now())
		if err != nil {
			return nil, err
		}
		store.InsertRisk(tx, r)
		return riskProto(r), nil
	})
}

// GetRisk reads a risk.
func (s *Server) GetRisk(ctx context.Context, req *projectsv1.GetRiskRequest) (*projectsv1.Risk, error) {
	project, id, err := childOf("risks", req.GetName())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Risk, error) {
		if err := seeIn(ctx, tx, project, req.GetName()); err != nil {
			return nil, err
		}
		r, err := store.Risk(ctx, tx, project, id)
		if err != nil {
			return nil, err
		}
		return riskProto(r), nil
	})
}

// ListRisks lists the risk register.
func (s *Server) ListRisks(ctx context.Context, req *projectsv1.ListRisksRequest) (*projectsv1.ListRisksResponse, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	plan, err := store.Risks.Plan(req, binding(ctx, project)...)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListRisksResponse, error) {
		if _, err := seeProject(ctx, tx, project); err != nil {
			return nil, err
		}
		items, next, err := store.ListRisks(ctx, tx, plan, project)
		return &projectsv1.ListRisksResponse{Risks: each(items, riskProto), NextPageToken: next}, err
	})
}

// UpdateRisk changes a risk.
func (s *Server) UpdateRisk(ctx context.Context, req *projectsv1.UpdateRiskRequest) (*projectsv1.Risk, error) {
	patch := req.GetRisk()
	project, id, err := childOf("risks", patch.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Risk, error) {
		p, r, err := lockChild(ctx, tx, project, id, patch.GetName(), patch.GetEtag(), store.Risk)
		if err != nil {
			return nil, err
		}
		m, err := platform.UpdateMask("risk", riskProto(r), patch, req.GetUpdateMask())
		if err != nil {
			return nil, err
		}
		was := r.Version
		if err := r.Revise(p, assessmentOf(m), s.now()); err != nil {
			return nil, err
		}
		return riskProto(r), store.SaveRisk(ctx, tx, r, was)
	})
}

// DeleteRisk deletes a risk.
func (s *Server) DeleteRisk(ctx context.Context, req *projectsv1.DeleteRiskRequest) (*emptypb.Empty, error) {
	project, id, err := childOf("risks", req.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*emptypb.Empty, error) {
		p, r, err := lockChild(ctx, tx, project, id, req.GetName(), req.GetEtag(), store.Risk)
		if err != nil {
			return nil, err
		}
		if err := p.Writable(); err != nil {
			return nil, err
		}
		return &emptypb.Empty{}, store.DeleteRisk(ctx, tx, r, r.Version)
	})
}
