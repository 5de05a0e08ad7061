package rpc

import (
	"context"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
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
func showGate(ctx context.Context, tx *sqldb.Tx, p *domain.Project, g *domain.Gate) (*projectsv1.Gate, error) {
	facts, err := store.Facts(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	return gateProto(p, g, facts), nil
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
		return showGate(ctx, tx, p, g)
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
		facts, err := store.Facts(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		out := &projectsv1.ListGatesResponse{}
		for _, key := range domain.Gates {
			g, err := store.Gate(ctx, tx, project, key)
			if err != nil {
				return nil, err
			}
			out.Gates = append(out.Gates, gateProto(p, g, facts))
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
	return showGate(ctx, tx, p, g)
}

// RecordArtefact notes where a document is.
func (s *Server) RecordArtefact(ctx context.Context, req *projectsv1.RecordArtefactRequest) (*projectsv1.Gate, error) {
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Gate, error) {
		return s.alterGate(ctx, tx, req, func(p *domain.Project, g *domain.Gate) error {
			return g.Record(p, req.GetArtefact(), domain.Evidence{URI: req.GetUri(), SHA256: req.GetSha256()}, actor(ctx), req.GetNote(), s.now())
		})
	})
}

// RequireArtefact adds an artefact to a gate.
func (s *Server) RequireArtefact(ctx context.Context, req *projectsv1.RequireArtefactRequest) (*projectsv1.Gate, error) {
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Gate, error) {
		return s.alterGate(ctx, tx, req, func(p *domain.Project, g *domain.Gate) error {
			item := domain.Item{Key: req.GetArtefact(), Title: textOf(req.GetTitle()), Check: checkOf(req.GetCheck())}
			return g.Require(p, item, actor(ctx), req.GetReason(), s.now())
		})
	})
}

// WaiveArtefact waives an artefact.
func (s *Server) WaiveArtefact(ctx context.Context, req *projectsv1.WaiveArtefactRequest) (*projectsv1.Gate, error) {
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Gate, error) {
		return s.alterGate(ctx, tx, req, func(p *domain.Project, g *domain.Gate) error {
			return g.Waive(p, req.GetArtefact(), actor(ctx), req.GetReason(), s.now())
		})
	})
}

// RemoveArtefact removes an artefact from a gate.
func (s *Server) RemoveArtefact(ctx context.Context, req *projectsv1.RemoveArtefactRequest) (*projectsv1.Gate, error) {
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Gate, error) {
		return s.alterGate(ctx, tx, req, func(p *domain.Project, g *domain.Gate) error {
			return g.Remove(p, req.GetArtefact(), actor(ctx), req.GetReason(), s.now())
		})
	})
}

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

// AdvanceProject approves the next gate.
func (s *Server) AdvanceProject(ctx context.Context, req *projectsv1.AdvanceProjectRequest) (*projectsv1.Project, error) {
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
		facts, err := store.Facts(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		was := p.Version
		move, events, err := p.Advance(g, facts, holds(ctx, p), actor(ctx), req.GetNote(), s.now())
		if err != nil {
			return nil, err
		}
		return s.moved(ctx, tx, p, was, move, events...)
	})
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
		return s.moved(ctx, tx, p, was, move, event)
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

// GetGateTemplate reads the network's template.
func (s *Server) GetGateTemplate(ctx context.Context, _ *projectsv1.GetGateTemplateRequest) (*projectsv1.GateTemplate, error) {
	t, err := read(ctx, s, store.Template)
	if err != nil {
		return nil, err
	}
	return templateProto(t), nil
}

// UpdateGateTemplate replaces the network's template.
func (s *Server) UpdateGateTemplate(ctx context.Context, req *projectsv1.UpdateGateTemplateRequest) (*projectsv1.GateTemplate, error) {
	patch := req.GetGateTemplate()
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.GateTemplate, error) {
		t, err := store.Template(ctx, tx)
		if err != nil {
			return nil, err
		}
		if err := platform.CheckEtag("gateTemplate", patch.GetEtag(), t.Version); err != nil {
			return nil, err
		}
		m, err := platform.UpdateMask("gate_template", templateProto(t), patch, req.GetUpdateMask())
		if err != nil {
			return nil, err
		}
		was := t.Version
		if err := t.Replace(rulesOf(m), s.now()); err != nil {
			return nil, err
		}
		return templateProto(t), store.SaveTemplate(ctx, tx, t, was)
	})
}
