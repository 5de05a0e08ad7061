package rpc

import (
	"context"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// approvals are the gate requests on the wire. Nobody writes them: they come from
// the verbs below.
var approvals = register[domain.GateApproval, *domain.GateApproval, *projectsv1.GateApproval]{
	show: approvalProto, write: func(*domain.GateApproval, *projectsv1.GateApproval) {}, lists: store.Entries("GATE_APPROVAL_STATE_"),
}

// GetGateApproval reads a gate request.
func (s *Server) GetGateApproval(ctx context.Context, req *projectsv1.GetGateApprovalRequest) (*projectsv1.GateApproval, error) {
	return approvals.get(ctx, s, req.GetName())
}

// ListGateApprovals lists the gate requests of a project.
func (s *Server) ListGateApprovals(ctx context.Context, req *projectsv1.ListGateApprovalsRequest) (*projectsv1.ListGateApprovalsResponse, error) {
	l, err := approvals.list(ctx, s, req, req.GetParent())
	return &projectsv1.ListGateApprovalsResponse{GateApprovals: l.items, NextPageToken: l.next}, err
}

// RequestGate asks for a gate to be approved.
func (s *Server) RequestGate(ctx context.Context, req *projectsv1.RequestGateRequest) (*projectsv1.GateApproval, error) {
	project, key, err := gateOf(req.GetName())
	if err != nil {
		return nil, err
	}
	known, err := s.bodiesOf(ctx, project, "")
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.GateApproval, error) {
		p, err := lockProject(ctx, tx, project)
		if err != nil {
			return nil, under(req.GetName(), err)
		}
		g, err := store.Gate(ctx, tx, project, key)
		if err != nil {
			return nil, err
		}
		if err := platform.CheckEtag(g.Name(), req.GetEtag(), g.Version); err != nil {
			return nil, err
		}
		if pending, err := store.PendingApproval(ctx, tx, project); err != nil {
			return nil, err
		} else if pending != nil {
			return nil, errs.New(errs.FailedPrecondition, domain.RequestPending, "%s waits for a decision already", domain.NameOf(pending)).With("resource", domain.NameOf(pending))
		}
		x, err := s.request(ctx, tx, p, g, req.GetNote(), known)
		if err != nil {
			return nil, err
		}
		store.InsertEntry(tx, x)
		return approvalProto(x, s.today()), nil
	})
}

// request makes a request, still to be stored.
func (s *Server) request(ctx context.Context, tx *sqldb.Tx, p *domain.Project, g *domain.Gate, note string, known bodies) (*domain.GateApproval, error) {
	facts, err := store.Facts(ctx, tx, p, s.today())
	if err != nil {
		return nil, err
	}
	x, entry, err := p.RequestGate(s.newID(), g, facts, s.act(ctx, note))
	if err != nil {
		return nil, err
	}
	s.note(tx, entry)
	return x, s.allowAtExecution(ctx, tx, p, g, known)
}

// allowAtExecution refuses the gate to execution, at which the budget is kept as
// the approved one, to a budget that a funder's rules do not allow.
func (s *Server) allowAtExecution(ctx context.Context, tx *sqldb.Tx, p *domain.Project, g *domain.Gate, known bodies) error {
	if g.Key.To() != domain.Execution {
		return nil
	}
	return s.allowBudget(ctx, tx, p, known)
}

// pass approves a request and takes the project through its gate; the request is
// still to be stored.
func (s *Server) pass(ctx context.Context, tx *sqldb.Tx, p *domain.Project, g *domain.Gate, x *domain.GateApproval, note string, known bodies) (*projectsv1.Project, error) {
	facts, err := store.Facts(ctx, tx, p, s.today())
	if err != nil {
		return nil, err
	}
	// Allowed before it is approved: the budget may have changed since the request.
	if err := s.allowAtExecution(ctx, tx, p, g, known); err != nil {
		return nil, err
	}
	was := p.Version
	move, events, entry, err := p.Approve(x, g, facts, holds(ctx, p), s.act(ctx, note))
	if err != nil {
		return nil, err
	}
	s.note(tx, entry)
	return s.moved(ctx, tx, p, was, move, events...)
}

// decide locks a project and reads a gate request, lets change decide it, and
// stores it.
func (s *Server) decide(ctx context.Context, req stepRequest, change func(ctx context.Context, tx *sqldb.Tx, p *domain.Project, g *domain.Gate, x *domain.GateApproval) error) (*projectsv1.GateApproval, error) {
	return approvals.alter(ctx, s, req, req.GetName(), req.GetEtag(), false, func(ctx context.Context, tx *sqldb.Tx, p *domain.Project, x *domain.GateApproval) error {
		g, err := store.Gate(ctx, tx, p.ID, x.Gate)
		if err != nil {
			return err
		}
		return change(ctx, tx, p, g, x)
	})
}

// ApproveGate approves a gate request.
func (s *Server) ApproveGate(ctx context.Context, req *projectsv1.ApproveGateRequest) (*projectsv1.GateApproval, error) {
	project, _, err := childOf("gateApprovals", req.GetName())
	if err != nil {
		return nil, err
	}
	known, err := s.bodiesOf(ctx, project, "")
	if err != nil {
		return nil, err
	}
	return s.decide(ctx, req, func(ctx context.Context, tx *sqldb.Tx, p *domain.Project, g *domain.Gate, x *domain.GateApproval) error {
		_, err := s.pass(ctx, tx, p, g, x, req.GetNote(), known)
		return err
	})
}

// RejectGate rejects a gate request.
func (s *Server) RejectGate(ctx context.Context, req *projectsv1.RejectGateRequest) (*projectsv1.GateApproval, error) {
	return s.decide(ctx, req, func(ctx context.Context, tx *sqldb.Tx, p *domain.Project, g *domain.Gate, x *domain.GateApproval) error {
		entry, err := x.Reject(p, g, holds(ctx, p), s.act(ctx, req.GetReason()))
		if err == nil {
			s.note(tx, entry)
		}
		return err
	})
}

// WithdrawGate withdraws a gate request.
func (s *Server) WithdrawGate(ctx context.Context, req *projectsv1.WithdrawGateRequest) (*projectsv1.GateApproval, error) {
	return s.decide(ctx, req, func(ctx context.Context, tx *sqldb.Tx, p *domain.Project, g *domain.Gate, x *domain.GateApproval) error {
		entry, err := x.Withdraw(p, g, s.act(ctx, req.GetNote()))
		if err == nil {
			s.note(tx, entry)
		}
		return err
	})
}

// AdvanceProject asks for and approves the next gate in one step, or approves the
// request that waits.
func (s *Server) AdvanceProject(ctx context.Context, req *projectsv1.AdvanceProjectRequest) (*projectsv1.Project, error) {
	project, err := projectOf(req.GetName())
	if err != nil {
		return nil, err
	}
	known, err := s.bodiesOf(ctx, project, "")
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Project, error) {
		p, err := lockForMove(ctx, tx, req)
		if err != nil {
			return nil, err
		}
		if err := p.Writable(); err != nil {
			return nil, err
		}
		key, _ := p.NextGate()
		g, err := store.Gate(ctx, tx, p.ID, key)
		if err != nil {
			return nil, err
		}
		x, err := store.PendingApproval(ctx, tx, p.ID)
		if err != nil {
			return nil, err
		}
		fresh := x == nil
		if fresh {
			if x, err = s.request(ctx, tx, p, g, req.GetNote(), known); err != nil {
				return nil, err
			}
		}
		was := x.Version
		out, err := s.pass(ctx, tx, p, g, x, req.GetNote(), known)
		if err != nil {
			return nil, err
		}
		if fresh {
			store.InsertEntry(tx, x)
			return out, nil
		}
		return out, store.SaveEntry(ctx, tx, x, was)
	})
}
