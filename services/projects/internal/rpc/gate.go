package rpc

import (
	"context"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// gateOf reads the gate out of its name.
func gateOf(name string) (project string, key domain.GateKey, err error) {
	for _, key := range domain.Gates {
		if id, ok := ids.Parse("projects/{project}/gates/"+string(key), name); ok {
			return id[0], key, nil
		}
	}
	return "", "", errs.AbsentResource(name)
}

// showGate encodes a gate with its readiness.
func showGate(ctx context.Context, tx *sqldb.Tx, p *domain.Project, g *domain.Gate, today civil.Date) (*projectsv1.Gate, error) {
	facts, err := store.Facts(ctx, tx, p, today)
	if err != nil {
		return nil, err
	}
	pending, err := store.PendingApproval(ctx, tx, p.ID)
	return gateProto(p, g, facts, pending), err
}

// GetGate reads a gate.
func (s *Server) GetGate(ctx context.Context, req *projectsv1.GetGateRequest) (*projectsv1.Gate, error) {
	project, key, err := gateOf(req.GetName())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Gate, error) {
		p, err := seeProject(ctx, tx, project)
		if err != nil {
			return nil, under(req.GetName(), err)
		}
		g, err := store.Gate(ctx, tx, project, key)
		if err != nil {
			return nil, err
		}
		return showGate(ctx, tx, p, g, s.today())
	})
}

// ListGates lists the four gates.
func (s *Server) ListGates(ctx context.Context, req *projectsv1.ListGatesRequest) (*projectsv1.ListGatesResponse, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListGatesResponse, error) {
		p, err := seeProject(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		facts, err := store.Facts(ctx, tx, p, s.today())
		if err != nil {
			return nil, err
		}
		pending, err := store.PendingApproval(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		out := &projectsv1.ListGatesResponse{}
		for _, key := range domain.Gates {
			g, err := store.Gate(ctx, tx, project, key)
			if err != nil {
				return nil, err
			}
			out.Gates = append(out.Gates, gateProto(p, g, facts, pending))
		}
		return out, nil
	})
}

// gateRequest is what the requests that bend a gate have in common.
type gateRequest interface {
	GetName() string
	GetEtag() string
}

// alterGate reads a gate, lets change alter it, and stores it.
func (s *Server) alterGate(ctx context.Context, tx *sqldb.Tx, req gateRequest, change func(p *domain.Project, g *domain.Gate) error) (*projectsv1.Gate, error) {
	project, key, err := gateOf(req.GetName())
	if err != nil {
		return nil, err
	}
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
	was := g.Version
	if err := change(p, g); err != nil {
		return nil, err
	}
	if err := store.SaveGate(ctx, tx, g, was); err != nil {
		return nil, err
	}
	s.note(tx, g.History...)
	return showGate(ctx, tx, p, g, s.today())
}

// RecordArtefact notes where a document is.
func (s *Server) RecordArtefact(ctx context.Context, req *projectsv1.RecordArtefactRequest) (*projectsv1.Gate, error) {
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Gate, error) {
		return s.alterGate(ctx, tx, req, func(p *domain.Project, g *domain.Gate) error {
			return g.Record(p, req.GetArtefact(), domain.Evidence{URI: req.GetUri(), SHA256: req.GetSha256()}, s.act(ctx, req.GetNote()))
		})
	})
}

// ConfirmArtefact ticks a point of a gate's checklist, or takes that back.
func (s *Server) ConfirmArtefact(ctx context.Context, req *projectsv1.ConfirmArtefactRequest) (*projectsv1.Gate, error) {
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Gate, error) {
		return s.alterGate(ctx, tx, req, func(p *domain.Project, g *domain.Gate) error {
			return g.Confirm(p, req.GetArtefact(), req.GetConfirmed(), s.act(ctx, req.GetNote()))
		})
	})
}

// RequireArtefact adds an artefact to a gate.
func (s *Server) RequireArtefact(ctx context.Context, req *projectsv1.RequireArtefactRequest) (*projectsv1.Gate, error) {
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Gate, error) {
		return s.alterGate(ctx, tx, req, func(p *domain.Project, g *domain.Gate) error {
			item := domain.Item{Key: req.GetArtefact(), Title: textOf(req.GetTitle()), Check: checkOf(req.GetCheck())}
			return g.Require(p, item, s.act(ctx, req.GetReason()))
		})
	})
}

// WaiveArtefact waives an artefact.
func (s *Server) WaiveArtefact(ctx context.Context, req *projectsv1.WaiveArtefactRequest) (*projectsv1.Gate, error) {
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Gate, error) {
		return s.alterGate(ctx, tx, req, func(p *domain.Project, g *domain.Gate) error {
			return g.Waive(p, req.GetArtefact(), holds(ctx, p), civil.Date(req.GetExpireDate()), s.today(), s.act(ctx, req.GetReason()))
		})
	})
}

// RemoveArtefact removes an artefact from a gate.
func (s *Server) RemoveArtefact(ctx context.Context, req *projectsv1.RemoveArtefactRequest) (*projectsv1.Gate, error) {
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Gate, error) {
		return s.alterGate(ctx, tx, req, func(p *domain.Project, g *domain.Gate) error {
			return g.Remove(p, req.GetArtefact(), holds(ctx, p), s.act(ctx, req.GetReason()))
		})
	})
}

// ListPhaseMoves lists the history of phases.
func (s *Server) ListPhaseMoves(ctx context.Context, req *projectsv1.ListPhaseMovesRequest) (*projectsv1.ListPhaseMovesResponse, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	plan, err := store.PhaseMoves.Plan(req, binding(ctx, project)...)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListPhaseMovesResponse, error) {
		if _, err := seeProject(ctx, tx, project); err != nil {
			return nil, err
		}
		items, next, err := store.ListMoves(ctx, tx, plan, project)
		return &projectsv1.ListPhaseMovesResponse{PhaseMoves: each(items, moveProto), NextPageToken: next}, err
	})
}
