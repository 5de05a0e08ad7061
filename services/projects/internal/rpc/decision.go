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

// decisions is the decision log on the wire.
var decisions = register[domain.Decision, *domain.Decision, *projectsv1.Decision]{show: showDecision, write: writeDecision, lists: store.Entries("DECISION_STATE_")}

func showDecision(x *domain.Decision, _ civil.Date) *projectsv1.Decision {
	return &projectsv1.Decision{
		Name: domain.NameOf(x), Title: textProto(x.Title), Question: x.Question, Options: x.Options, Outcome: x.Outcome, Reason: x.Reason,
		Deciders: x.Deciders, DecideDate: string(x.Day), About: x.About, Supersedes: link(x.Project, "decisions", x.Supersedes),
		SupersededBy: link(x.Project, "decisions", x.SupersededBy), State: value[projectsv1.DecisionState](projectsv1.DecisionState_value, "DECISION_STATE_", x.State),
		CreateTime: timeProto(x.Created), UpdateTime: timeProto(x.Updated), Etag: platform.Etag(x.Version),
	}
}

func writeDecision(x *domain.Decision, m *projectsv1.Decision) {
	x.Title, x.Question, x.Options, x.Outcome, x.Reason = textOf(m.GetTitle()), m.GetQuestion(), m.GetOptions(), m.GetOutcome(), m.GetReason()
	x.Deciders, x.Day, x.About, x.Supersedes = m.GetDeciders(), civil.Date(m.GetDecideDate()), m.GetAbout(), idIn(x.Project, m.GetSupersedes())
}

// CreateDecision adds a decision.
func (s *Server) CreateDecision(ctx context.Context, req *projectsv1.CreateDecisionRequest) (*projectsv1.Decision, error) {
	return decisions.create(ctx, s, req, req.GetParent(), req.GetDecision())
}

// GetDecision reads a decision.
func (s *Server) GetDecision(ctx context.Context, req *projectsv1.GetDecisionRequest) (*projectsv1.Decision, error) {
	return decisions.get(ctx, s, req.GetName())
}

// ListDecisions lists the decision log.
func (s *Server) ListDecisions(ctx context.Context, req *projectsv1.ListDecisionsRequest) (*projectsv1.ListDecisionsResponse, error) {
	l, err := decisions.list(ctx, s, req, req.GetParent())
	return &projectsv1.ListDecisionsResponse{Decisions: l.items, NextPageToken: l.next}, err
}

// UpdateDecision changes a decision.
func (s *Server) UpdateDecision(ctx context.Context, req *projectsv1.UpdateDecisionRequest) (*projectsv1.Decision, error) {
	return decisions.update(ctx, s, req, req.GetDecision(), req.GetUpdateMask())
}

// DeleteDecision deletes a decision.
func (s *Server) DeleteDecision(ctx context.Context, req *projectsv1.DeleteDecisionRequest) (*emptypb.Empty, error) {
	return decisions.remove(ctx, s, req)
}

// TakeDecision makes a decision final, and supersedes the one before.
func (s *Server) TakeDecision(ctx context.Context, req *projectsv1.TakeDecisionRequest) (*projectsv1.Decision, error) {
	return decisions.alter(ctx, s, req, req.GetName(), req.GetEtag(), false, func(ctx context.Context, tx *sqldb.Tx, p *domain.Project, x *domain.Decision) error {
		var before *domain.Decision
		if x.Supersedes != "" {
			var err error
			if before, err = store.ReadEntry[domain.Decision](ctx, tx, p.ID, x.Supersedes); err != nil {
				return err
			}
		}
		done, err := x.Take(p, before, s.act(ctx, ""), s.today())
		if err != nil {
			return err
		}
		s.note(tx, done...)
		if before == nil {
			return nil
		}
		return store.SaveEntry(ctx, tx, before, before.Version-1)
	})
}
