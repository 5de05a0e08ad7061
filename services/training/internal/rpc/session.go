package rpc

import (
	"context"
	"time"

	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
	"github.com/trama-suite/trama/services/training/internal/store"
)

// editionOfSession returns the edition's name in a session's name, so that the
// edition can be locked before the session is read. A name of another shape
// belongs to nothing.
func editionOfSession(name string) string {
	parts, ok := ids.Parse("editions/{edition}/sessions/{session}", name)
	if !ok {
		return name
	}
	return ids.Name("editions", parts[0])
}

// lockedEdition locks an edition of the caller's and reads it. absent is the name
// that an answer to others mentions.
func (s *Server) lockedEdition(ctx context.Context, tx *sqldb.Tx, name, absent string, now time.Time) (*domain.Edition, error) {
	s.store.Lock(tx, name)
	e, err := s.store.Edition(ctx, tx, name, now)
	if err != nil {
		return nil, asAbsent(err, absent)
	}
	return e, auth.Require(ctx, e.Organisation, absent)
}

// CreateSession implements trainingv1.SessionServiceServer.
func (s *Server) CreateSession(ctx context.Context, req *trainingv1.CreateSessionRequest) (*trainingv1.Session, error) {
	now, session := s.now(), sessionOf(req.GetSession())
	session.Edition = req.GetParent()
	session.Name = ids.Name(req.GetParent(), "sessions", s.NewID())
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Session, error) {
		e, err := s.lockedEdition(ctx, tx, req.GetParent(), req.GetParent(), now)
		if err != nil {
			return nil, err
		}
		others, err := s.store.SessionsOf(ctx, tx, e.Name)
		if err != nil {
			return nil, err
		}
		x, err := domain.NewSession(session, e, others, now)
		if err != nil {
			return nil, err
		}
		if err := s.checkModule(ctx, tx, x, e); err != nil {
			return nil, err
		}
		s.store.InsertSession(tx, x)
		return sessionTo(x), nil
	})
}

// checkModule holds a session's module against those fixed at scheduling, or,
// before that, against the course's.
func (s *Server) checkModule(ctx context.Context, tx *sqldb.Tx, x *domain.Session, e *domain.Edition) error {
	modules := e.Modules
	if !e.Published && e.Course != "" && x.Module != "" {
		course, err := s.store.Course(ctx, tx, e.Course)
		if err != nil {
			return err
		}
		modules = course.Modules
	}
	return x.CheckModule(modules)
}

// GetSession implements trainingv1.SessionServiceServer.
func (s *Server) GetSession(ctx context.Context, req *trainingv1.GetSessionRequest) (*trainingv1.Session, error) {
	now := s.now()
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Session, error) {
		x, err := s.store.Session(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		e, err := s.store.Edition(ctx, tx, x.Edition, now)
		if err != nil {
			return nil, err
		}
		inside, err := s.insider(ctx, tx, e)
		if err != nil {
			return nil, asAbsent(err, req.GetName())
		}
		return shown(x, inside), nil
	})
}

// shown is a session as the caller may see it.
func shown(x *domain.Session, inside bool) *trainingv1.Session {
	out := sessionTo(x)
	if !inside {
		out.Link = ""
	}
	return out
}

// ListSessions implements trainingv1.SessionServiceServer.
func (s *Server) ListSessions(ctx context.Context, req *trainingv1.ListSessionsRequest) (*trainingv1.ListSessionsResponse, error) {
	now := s.now()
	if req.GetOrderBy() == "" {
		req.OrderBy = "start_time"
	}
	plan, err := store.Sessions.Plan(req, req.GetParent(), auth.CallerFrom(ctx).Subject)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.ListSessionsResponse, error) {
		e, err := s.store.Edition(ctx, tx, req.GetParent(), now)
		if err != nil {
			return nil, err
		}
		inside, err := s.insider(ctx, tx, e)
		if err != nil {
			return nil, err
		}
		list, next, err := s.store.ListSessions(ctx, tx, plan, e.Name)
		return &trainingv1.ListSessionsResponse{
			Sessions:      convert(list, func(x domain.Session) *trainingv1.Session { return shown(&x, inside) }),
			NextPageToken: next,
		}, err
	})
}

// changeSession locks the edition, loads a session of the caller's, checks the
// etag, changes and saves it.
func (s *Server) changeSession(ctx context.Context, tx *sqldb.Tx, name, etag string, now time.Time,
	change func(x *domain.Session, e *domain.Edition, attended bool) error,
) (*trainingv1.Session, error) {
	e, err := s.lockedEdition(ctx, tx, editionOfSession(name), name, now)
	if err != nil {
		return nil, err
	}
	x, err := s.store.Session(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	if err := rpc.CheckEtag(name, etag, x.Version); err != nil {
		return nil, err
	}
	attended, err := s.store.HasAttendance(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	if err := change(x, e, attended); err != nil {
		return nil, err
	}
	return sessionTo(x), s.store.SaveSession(ctx, tx, x)
}

// UpdateSession implements trainingv1.SessionServiceServer.
func (s *Server) UpdateSession(ctx context.Context, req *trainingv1.UpdateSessionRequest) (*trainingv1.Session, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Session, error) {
		return s.changeSession(ctx, tx, req.GetSession().GetName(), req.GetSession().GetEtag(), now,
			func(x *domain.Session, e *domain.Edition, attended bool) error {
				patched, err := rpc.UpdateMask("session", sessionTo(x), req.GetSession(), req.GetUpdateMask())
				if err != nil {
					return err
				}
				others, err := s.store.SessionsOf(ctx, tx, e.Name)
				if err != nil {
					return err
				}
				module := x.Module
				if err := x.Change(sessionOf(patched), e, others, attended, now); err != nil || x.Module == module {
					return err
				}
				return s.checkModule(ctx, tx, x, e)
			})
	})
}

// CancelSession implements trainingv1.SessionServiceServer.
func (s *Server) CancelSession(ctx context.Context, req *trainingv1.CancelSessionRequest) (*trainingv1.Session, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Session, error) {
		return s.changeSession(ctx, tx, req.GetName(), req.GetEtag(), now, func(x *domain.Session, e *domain.Edition, attended bool) error {
			return x.Cancel(e, attended, now)
		})
	})
}
