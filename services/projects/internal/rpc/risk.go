package rpc

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// risks is the risk register on the wire.
var risks = register[domain.Risk, *domain.Risk, *projectsv1.Risk]{show: showRisk, write: writeRisk, lists: store.Entries("RISK_STATE_")}

func showRisk(x *domain.Risk, today civil.Date) *projectsv1.Risk {
	return &projectsv1.Risk{
		Name: domain.NameOf(x), Title: textProto(x.Title), Probability: x.Probability, Impact: x.Impact, Score: x.Score,
		Response: value[projectsv1.RiskResponse](projectsv1.RiskResponse_value, "RISK_RESPONSE_", x.Response), ResponseText: x.ResponseText,
		OwnerSubject: x.Owner, State: value[projectsv1.RiskState](projectsv1.RiskState_value, "RISK_STATE_", x.State), Organisation: x.Organisation, ReviewDate: string(x.Due),
		ResidualProbability: x.ResidualProbability, ResidualImpact: x.ResidualImpact, ResidualScore: x.Residual(),
		Task: link(x.Project, "tasks", x.Task), Issue: link(x.Project, "issues", x.Issue), Overdue: domain.Overdue(x, today),
		CreateTime: timeProto(x.Created), UpdateTime: timeProto(x.Updated), Etag: platform.Etag(x.Version),
	}
}

func writeRisk(x *domain.Risk, m *projectsv1.Risk) {
	x.Title, x.Probability, x.Impact = textOf(m.GetTitle()), m.GetProbability(), m.GetImpact()
	x.Response, x.ResponseText = word(projectsv1.RiskResponse_name, "RISK_RESPONSE_", m.GetResponse()), m.GetResponseText()
	x.Owner, x.Organisation, x.Due = m.GetOwnerSubject(), m.GetOrganisation(), civil.Date(m.GetReviewDate())
	x.ResidualProbability, x.ResidualImpact, x.Task = m.GetResidualProbability(), m.GetResidualImpact(), idIn(x.Project, m.GetTask())
	if state := word(projectsv1.RiskState_name, "RISK_STATE_", m.GetState()); state != "" {
		x.State = state
	}
}

// CreateRisk adds a risk.
func (s *Server) CreateRisk(ctx context.Context, req *projectsv1.CreateRiskRequest) (*projectsv1.Risk, error) {
	return risks.create(ctx, s, req, req.GetParent(), req.GetRisk())
}

// GetRisk reads a risk.
func (s *Server) GetRisk(ctx context.Context, req *projectsv1.GetRiskRequest) (*projectsv1.Risk, error) {
	return risks.get(ctx, s, req.GetName())
}

// ListRisks lists the risk register.
func (s *Server) ListRisks(ctx context.Context, req *projectsv1.ListRisksRequest) (*projectsv1.ListRisksResponse, error) {
	l, err := risks.list(ctx, s, req, req.GetParent())
	return &projectsv1.ListRisksResponse{Risks: l.items, NextPageToken: l.next}, err
}

// UpdateRisk changes a risk.
func (s *Server) UpdateRisk(ctx context.Context, req *projectsv1.UpdateRiskRequest) (*projectsv1.Risk, error) {
	return risks.update(ctx, s, req, req.GetRisk(), req.GetUpdateMask())
}

// DeleteRisk deletes a risk.
func (s *Server) DeleteRisk(ctx context.Context, req *projectsv1.DeleteRiskRequest) (*emptypb.Empty, error) {
	return risks.remove(ctx, s, req)
}

// RaiseIssue says that a risk has happened and opens an issue about it.
func (s *Server) RaiseIssue(ctx context.Context, req *projectsv1.RaiseIssueRequest) (*projectsv1.Issue, error) {
	project, id, err := childOf(domain.Risks.Collection, req.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Issue, error) {
		p, err := lockShared(ctx, tx, project, req.GetName())
		if err != nil {
			return nil, err
		}
		x, err := store.ReadEntry[domain.Risk](ctx, tx, project, id)
		if err != nil {
			return nil, err
		}
		if err := requireWriter(ctx, p, true, x.Organisation); err != nil {
			return nil, err
		}
		was := x.Version
		if err := platform.CheckEtag(req.GetName(), req.GetEtag(), was); err != nil {
			return nil, err
		}
		issue, done, err := x.RaiseIssue(p, s.newID(), req.GetUrgency(), civil.Date(req.GetDueDate()), req.GetDescription(), s.act(ctx, ""))
		if err != nil {
			return nil, err
		}
		if err := store.SaveEntry(ctx, tx, x, was); err != nil {
			return nil, err
		}
		store.InsertEntry(tx, issue)
		s.note(tx, done...)
		return showIssue(issue, s.today()), s.refresh(ctx, tx, p)
	})
}
