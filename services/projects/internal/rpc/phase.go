package rpc

import (
	"context"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// lockForMove locks a project whose phase is to change, and checks its etag.
func lockForMove(ctx context.Context, tx *sqldb.Tx, req gateRequest) (*domain.Project, error) {
	id, err := projectOf(req.GetName())
	if err != nil {
		return nil, err
	}
	p, err := lockProject(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	return p, platform.CheckEtag(p.Name(), req.GetEtag(), p.Version)
}

// moved stores a project whose phase has changed.
func (s *Server) moved(ctx context.Context, tx *sqldb.Tx, p *domain.Project, was int64, move domain.PhaseMove, events ...domain.Event) (*projectsv1.Project, error) {
	if err := store.SaveProject(ctx, tx, p, was); err != nil {
		return nil, err
	}
	store.InsertMove(tx, move)
	if err := s.freezeAtExecution(ctx, tx, p, move); err != nil {
		return nil, err
	}
	if err := s.tell(ctx, tx, p, events...); err != nil {
		return nil, err
	}
	return projectProto(p), s.refresh(ctx, tx, p)
}

// ReturnProject takes a project back to an earlier phase.
func (s *Server) ReturnProject(ctx context.Context, req *projectsv1.ReturnProjectRequest) (*projectsv1.Project, error) {
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Project, error) {
		p, err := lockForMove(ctx, tx, req)
		if err != nil {
			return nil, err
		}
		was := p.Version
		to := domain.Phase(word(projectsv1.Phase_name, "PHASE_", req.GetPhase()))
		move, event, err := p.Return(to, actor(ctx), req.GetReason(), s.now())
		if err != nil {
			return nil, err
		}
		if err := s.overtake(ctx, tx, p, req.GetReason()); err != nil {
			return nil, err
		}
		return s.moved(ctx, tx, p, was, move, event)
	})
}

// CancelProject closes a project before its end.
func (s *Server) CancelProject(ctx context.Context, req *projectsv1.CancelProjectRequest) (*projectsv1.Project, error) {
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Project, error) {
		p, err := lockForMove(ctx, tx, req)
		if err != nil {
			return nil, err
		}
		if err := s.overtake(ctx, tx, p, req.GetReason()); err != nil {
			return nil, err
		}
		was := p.Version
		move, event, err := p.Cancel(s.act(ctx, req.GetReason()))
		if err != nil {
			return nil, err
		}
		return s.moved(ctx, tx, p, was, move, event)
	})
}

// ReopenProject opens a closed project again; the method is for operators.
func (s *Server) ReopenProject(ctx context.Context, req *projectsv1.ReopenProjectRequest) (*projectsv1.Project, error) {
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Project, error) {
		p, err := lockForMove(ctx, tx, req)
		if err != nil {
			return nil, err
		}
		was := p.Version
		move, event, err := p.Reopen(s.act(ctx, req.GetReason()))
		if err != nil {
			return nil, err
		}
		return s.moved(ctx, tx, p, was, move, event)
	})
}

// overtake withdraws the gate request that waits, as the project goes another
// way.
func (s *Server) overtake(ctx context.Context, tx *sqldb.Tx, p *domain.Project, reason string) error {
	x, err := store.PendingApproval(ctx, tx, p.ID)
	if err != nil || x == nil || p.Writable() != nil {
		return err
	}
	g, err := store.Gate(ctx, tx, p.ID, x.Gate)
	if err != nil {
		return err
	}
	was := x.Version
	entry, err := x.Withdraw(p, g, s.act(ctx, reason))
	if err != nil {
		return err
	}
	s.note(tx, entry)
	return store.SaveEntry(ctx, tx, x, was)
}
