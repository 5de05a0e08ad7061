package rpc

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/emptypb"

	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
	"github.com/trama-suite/trama/services/impact/internal/domain"
	"github.com/trama-suite/trama/services/impact/internal/store"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// theories implements impactv1.TheoryServiceServer.
type theories struct {
	impactv1.UnimplementedTheoryServiceServer
	*Server
}

// read returns a theory that the caller may see.
func (s theories) read(ctx context.Context, tx *sqldb.Tx, name string) (domain.Theory, error) {
	t, err := store.Theory(ctx, tx, name)
	if err != nil {
		return domain.Theory{}, err
	}
	return t, visible(ctx, t.Organisation, name)
}

// edit returns a theory that the caller may change, as they last read it.
func (s theories) edit(ctx context.Context, tx *sqldb.Tx, name, etag string) (domain.Theory, error) {
	store.LockTheory(tx, name)
	t, err := store.Theory(ctx, tx, name)
	if err != nil {
		return domain.Theory{}, err
	}
	if err := writable(ctx, t.Organisation, name); err != nil {
		return domain.Theory{}, err
	}
	return t, platform.CheckEtag(name, etag, t.Version)
}

func (s theories) CreateTheory(ctx context.Context, req *impactv1.CreateTheoryRequest) (*impactv1.Theory, error) {
	organisation := req.GetTheory().GetOrganisation()
	if err := s.creatable(ctx, "theory.organisation", organisation); err != nil {
		return nil, err
	}
	in, err := theoryFrom(req.GetTheory())
	if err != nil {
		return nil, under("theory", err)
	}
	in.Name = "theories/" + s.NewID()
	t, err := domain.NewTheory(in, s.Now())
	if err != nil {
		return nil, under("theory", err)
	}
	return platform.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*impactv1.Theory, error) {
		return theoryTo(t), store.InsertTheory(ctx, tx, t)
	})
}

func (s theories) GetTheory(ctx context.Context, req *impactv1.GetTheoryRequest) (out *impactv1.Theory, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		t, err := s.read(ctx, tx, req.GetName())
		out = theoryTo(t)
		return err
	})
	return out, err
}

func (s theories) ListTheories(ctx context.Context, req *impactv1.ListTheoriesRequest) (*impactv1.ListTheoriesResponse, error) {
	scope := auth.ScopeFrom(ctx)
	plan, err := store.Theories.Plan(req, bound(scope)...)
	if err != nil {
		return nil, err
	}
	out := &impactv1.ListTheoriesResponse{}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		list, next, err := store.ListTheories(ctx, tx, plan, scope)
		out = &impactv1.ListTheoriesResponse{NextPageToken: next}
		for _, t := range list {
			out.Theories = append(out.Theories, theoryTo(t))
		}
		return err
	})
	return out, err
}

func (s theories) UpdateTheory(ctx context.Context, req *impactv1.UpdateTheoryRequest) (*impactv1.Theory, error) {
	patch := req.GetTheory()
	if _, err := parse("theories/{theory}", "theory.name", patch.GetName()); err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*impactv1.Theory, error) {
		t, err := s.edit(ctx, tx, patch.GetName(), patch.GetEtag())
		if err != nil {
			return nil, err
		}
		wanted, err := platform.UpdateMask("theory", theoryTo(t), patch, req.GetUpdateMask())
		if err != nil {
			return nil, err
		}
		change, err := theoryFrom(wanted)
		if err != nil {
			return nil, under("theory", err)
		}
		measured, err := store.MeasuredNodes(ctx, tx, t.Name, false)
		if err != nil {
			return nil, err
		}
		keys := make([]string, 0, len(measured))
		for key := range measured {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		if t, err = t.Update(change, keys, s.Now()); err != nil {
			return nil, under("theory", err)
		}
		return theoryTo(t), store.SaveTheory(ctx, tx, t)
	})
}

func (s theories) DeleteTheory(ctx context.Context, req *impactv1.DeleteTheoryRequest) (*emptypb.Empty, error) {
	err := s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		t, err := s.edit(ctx, tx, req.GetName(), req.GetEtag())
		if err != nil {
			return err
		}
		measured, err := store.MeasuredNodes(ctx, tx, t.Name, false)
		if err != nil {
			return err
		}
		if len(measured) > 0 {
			return errs.New(errs.FailedPrecondition, domain.NodeInUse, "%s cannot be deleted: indicators measure its nodes", t.Name)
		}
		return store.DeleteTheory(ctx, tx, t)
	})
	return &emptypb.Empty{}, err
}

func (s theories) PublishTheory(ctx context.Context, req *impactv1.PublishTheoryRequest) (*impactv1.TheoryVersion, error) {
	return platform.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*impactv1.TheoryVersion, error) {
		t, err := s.edit(ctx, tx, req.GetName(), req.GetEtag())
		if err != nil {
			return nil, err
		}
		var last *domain.TheoryVersion
		if t.Published > 0 {
			v, err := store.TheoryVersion(ctx, tx, t.Name, t.Published)
			if err != nil {
				return nil, err
			}
			last = &v
		}
		t, v, err := t.Publish(last, s.Now())
		if err != nil {
			return nil, err
		}
		if err := store.SaveTheory(ctx, tx, t); err != nil {
			return nil, err
		}
		return theoryVersionTo(v), store.InsertTheoryVersion(ctx, tx, v)
	})
}

func (s theories) GetTheoryVersion(ctx context.Context, req *impactv1.GetTheoryVersionRequest) (out *impactv1.TheoryVersion, err error) {
	parent, number, err := version(req.GetName())
	if err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		t, err := store.Theory(ctx, tx, parent)
		if err == nil {
			err = visible(ctx, t.Organisation, parent)
		}
		if err != nil {
			return absentVersion(req.GetName(), err)
		}
		v, err := store.TheoryVersion(ctx, tx, parent, number)
		out = theoryVersionTo(v)
		return err
	})
	return out, err
}

func (s theories) ListTheoryVersions(ctx context.Context, req *impactv1.ListTheoryVersionsRequest) (*impactv1.ListTheoryVersionsResponse, error) {
	plan, err := store.TheoryVersions.Plan(req, req.GetParent())
	if err != nil {
		return nil, err
	}
	out := &impactv1.ListTheoryVersionsResponse{}
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := s.read(ctx, tx, req.GetParent()); err != nil {
			return err
		}
		list, next, err := store.ListTheoryVersions(ctx, tx, plan, req.GetParent())
		out = &impactv1.ListTheoryVersionsResponse{NextPageToken: next}
		for _, v := range list {
			out.TheoryVersions = append(out.TheoryVersions, theoryVersionTo(v))
		}
		return err
	})
	return out, err
}

func (s theories) LintTheory(ctx context.Context, req *impactv1.LintTheoryRequest) (*impactv1.LintTheoryResponse, error) {
	var t domain.Theory
	var measured map[string]bool
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		if t, err = s.read(ctx, tx, req.GetName()); err != nil {
			return err
		}
		measured, err = store.MeasuredNodes(ctx, tx, t.Name, true)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &impactv1.LintTheoryResponse{}
	for _, f := range t.Lint(measured) {
		out.Findings = append(out.Findings, &impactv1.Finding{Kind: enum[impactv1.FindingKind](f.Kind), Nodes: f.Nodes, Message: f.Message})
	}
	return out, nil
}

func (s theories) RecordEvidence(ctx context.Context, req *impactv1.RecordEvidenceRequest) (*impactv1.Theory, error) {
	e, err := evidenceFrom(req.GetEvidence())
	if err != nil {
		return nil, under("evidence", err)
	}
	return platform.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*impactv1.Theory, error) {
		t, err := s.edit(ctx, tx, req.GetName(), req.GetEtag())
		if err != nil {
			return nil, err
		}
		if t, err = t.AddEvidence(req.GetFrom(), req.GetTo(), req.GetAssumption(), e, s.Now()); err != nil {
			return nil, err
		}
		return theoryTo(t), store.SaveTheory(ctx, tx, t)
	})
}

// bound is what a list's page token is bound to: the caller's scope.
func bound(scope auth.Scope) []string {
	if scope.All {
		return []string{"all"}
	}
	return scope.Organisations
}

// version reads a version's name into its parent's and its number.
func version(name string) (parent string, number int32, err error) {
	parent, text, _ := strings.Cut(name, "/versions/")
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return "", 0, errs.InvalidField(errs.InvalidRequest, "name", "%q does not end in a version's number", name)
	}
	return parent, int32(n), nil
}

// absentVersion makes the error about a version's parent one about the version.
func absentVersion(name string, err error) error {
	if errs.KindOf(err) == errs.NotFound {
		return errs.AbsentResource(name)
	}
	return err
}
