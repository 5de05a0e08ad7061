package rpc

import (
	"context"

	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
	"github.com/trama-suite/trama/services/matching/internal/domain"
	"github.com/trama-suite/trama/services/matching/internal/store"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// CreateProgramme implements ProgrammeService.
func (s *Server) CreateProgramme(ctx context.Context, req *matchingv1.CreateProgrammeRequest) (*matchingv1.Programme, error) {
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*matchingv1.Programme, error) {
		p, err := domain.NewProgramme(s.NewID(), programmeOf(req.GetProgramme()), s.now())
		if err != nil {
			return nil, err
		}
		if err := store.LockRecompute(ctx, tx); err != nil {
			return nil, err
		}
		if err := store.InsertProgramme(tx, p); err != nil {
			return nil, err
		}
		return programmeProto(p), store.RecomputeProgramme(ctx, tx, p)
	})
}

// GetProgramme implements ProgrammeService.
func (s *Server) GetProgramme(ctx context.Context, req *matchingv1.GetProgrammeRequest) (out *matchingv1.Programme, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		p, err := store.Programme(ctx, tx, id(req.GetName()))
		if err != nil {
			return absent(err, req.GetName())
		}
		out = programmeProto(p)
		return nil
	})
	return out, err
}

// ListProgrammes implements ProgrammeService.
func (s *Server) ListProgrammes(ctx context.Context, req *matchingv1.ListProgrammesRequest) (*matchingv1.ListProgrammesResponse, error) {
	plan, err := store.ProgrammePage.Plan(req)
	if err != nil {
		return nil, err
	}
	out := &matchingv1.ListProgrammesResponse{}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		programmes, next, err := store.ListProgrammes(ctx, tx, plan)
		out.Programmes, out.NextPageToken = convert(programmes, programmeProto), next
		return err
	})
	return out, err
}

// UpdateProgramme implements ProgrammeService.
func (s *Server) UpdateProgramme(ctx context.Context, req *matchingv1.UpdateProgrammeRequest) (*matchingv1.Programme, error) {
	name := req.GetProgramme().GetName()
	if _, ok := ids.Parse("programmes/{programme}", name); !ok { // a patch's name has no rule in the proto
		return nil, errs.InvalidField(errs.InvalidRequest, "programme.name", "is not a name of the form programmes/{uuid}")
	}
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*matchingv1.Programme, error) {
		if err := store.LockRecompute(ctx, tx); err != nil {
			return nil, err
		}
		p, err := store.Programme(ctx, tx, id(name))
		if err != nil {
			return nil, absent(err, name)
		}
		if err := rpc.CheckEtag(name, req.GetProgramme().GetEtag(), p.Version); err != nil {
			return nil, err
		}
		patched, err := rpc.UpdateMask("programme", programmeProto(p), req.GetProgramme(), req.GetUpdateMask())
		if err != nil {
			return nil, err
		}
		recompute, err := p.Change(programmeOf(patched), s.now())
		if err != nil {
			return nil, err
		}
		if err := store.UpdateProgramme(ctx, tx, p); err != nil {
			return nil, err
		}
		if recompute {
			if err := store.RecomputeProgramme(ctx, tx, p); err != nil {
				return nil, err
			}
		}
		return programmeProto(p), nil
	})
}
