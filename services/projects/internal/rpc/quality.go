package rpc

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// qualityChecks are the quality checks on the wire.
var qualityChecks = register[domain.QualityCheck, *domain.QualityCheck, *projectsv1.QualityCheck]{show: showQualityCheck, write: writeQualityCheck, lists: store.Entries("QUALITY_CHECK_STATE_")}

func showQualityCheck(x *domain.QualityCheck, today civil.Date) *projectsv1.QualityCheck {
	return &projectsv1.QualityCheck{
		Name: domain.NameOf(x), Criterion: textProto(x.Criterion), Method: x.Method, Task: link(x.Project, "tasks", x.Task),
		Deliverable: link(x.Project, "deliverables", x.Deliverable), Mandatory: x.Mandatory, Organisation: x.Organisation, PlannedDate: string(x.Due),
		Findings: x.Findings, CheckDate: string(x.Checked), CheckerSubject: x.Checker, Round: x.Round, Issue: link(x.Project, "issues", x.Issue),
		State: value[projectsv1.QualityCheckState](projectsv1.QualityCheckState_value, "QUALITY_CHECK_STATE_", x.State), Overdue: domain.Overdue(x, today),
		CreateTime: timeProto(x.Created), UpdateTime: timeProto(x.Updated), Etag: platform.Etag(x.Version),
	}
}

func writeQualityCheck(x *domain.QualityCheck, m *projectsv1.QualityCheck) {
	x.Criterion, x.Method, x.Mandatory = textOf(m.GetCriterion()), m.GetMethod(), m.GetMandatory()
	x.Task, x.Deliverable = idIn(x.Project, m.GetTask()), idIn(x.Project, m.GetDeliverable())
	x.Organisation, x.Due = m.GetOrganisation(), civil.Date(m.GetPlannedDate())
}

// CreateQualityCheck adds a quality check.
func (s *Server) CreateQualityCheck(ctx context.Context, req *projectsv1.CreateQualityCheckRequest) (*projectsv1.QualityCheck, error) {
	return qualityChecks.create(ctx, s, req, req.GetParent(), req.GetQualityCheck())
}

// GetQualityCheck reads a quality check.
func (s *Server) GetQualityCheck(ctx context.Context, req *projectsv1.GetQualityCheckRequest) (*projectsv1.QualityCheck, error) {
	return qualityChecks.get(ctx, s, req.GetName())
}

// ListQualityChecks lists the quality checks.
func (s *Server) ListQualityChecks(ctx context.Context, req *projectsv1.ListQualityChecksRequest) (*projectsv1.ListQualityChecksResponse, error) {
	l, err := qualityChecks.list(ctx, s, req, req.GetParent())
	return &projectsv1.ListQualityChecksResponse{QualityChecks: l.items, NextPageToken: l.next}, err
}

// UpdateQualityCheck changes a quality check.
func (s *Server) UpdateQualityCheck(ctx context.Context, req *projectsv1.UpdateQualityCheckRequest) (*projectsv1.QualityCheck, error) {
	return qualityChecks.update(ctx, s, req, req.GetQualityCheck(), req.GetUpdateMask())
}

// DeleteQualityCheck deletes a quality check.
func (s *Server) DeleteQualityCheck(ctx context.Context, req *projectsv1.DeleteQualityCheckRequest) (*emptypb.Empty, error) {
	return qualityChecks.remove(ctx, s, req)
}

// RecordQualityCheck records the result of a check, and opens an issue about a
// failure where asked.
func (s *Server) RecordQualityCheck(ctx context.Context, req *projectsv1.RecordQualityCheckRequest) (*projectsv1.QualityCheck, error) {
	return qualityChecks.step(ctx, s, req, true, func(ctx context.Context, tx *sqldb.Tx, p *domain.Project, x *domain.QualityCheck) (domain.TrailEntry, error) {
		maker, err := makerOf(ctx, tx, x)
		if err != nil {
			return domain.TrailEntry{}, err
		}
		if domain.SelfCheck(p, x.Organisation, maker) && !leads(ctx, p) {
			return domain.TrailEntry{}, errs.New(errs.PermissionDenied, domain.SelfChecked, "%s has made what %s checks", maker, domain.NameOf(x)).With("resource", domain.NameOf(x))
		}
		entry, err := x.Record(p, req.GetPassed(), req.GetFindings(), civil.Date(req.GetCheckDate()), s.act(ctx, ""), s.today())
		if err != nil || req.GetPassed() || !req.GetOpenIssue() {
			return entry, err
		}
		x.Issue = s.newID()
		return entry, s.add(ctx, tx, p, x.Issue, x.FailureIssue(maker))
	})
}

// makerOf is the partner in charge of what is checked; empty for the lead, and
// for something deleted since.
func makerOf(ctx context.Context, tx *sqldb.Tx, x *domain.QualityCheck) (string, error) {
	if x.Deliverable != "" {
		d, err := store.Deliverable(ctx, tx, x.Project, x.Deliverable)
		if err != nil {
			return "", err
		}
		return d.Organisation, nil
	}
	t, err := store.Task(ctx, tx, x.Project, x.Task)
	if errs.KindOf(err) == errs.NotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return t.Organisation, nil
}

// ReplanQualityCheck plans a check again. What is accepted is not checked any
// more: it would have to be returned first.
func (s *Server) ReplanQualityCheck(ctx context.Context, req *projectsv1.ReplanQualityCheckRequest) (*projectsv1.QualityCheck, error) {
	return qualityChecks.step(ctx, s, req, false, func(ctx context.Context, tx *sqldb.Tx, p *domain.Project, x *domain.QualityCheck) (domain.TrailEntry, error) {
		if x.Deliverable != "" {
			d, err := store.Deliverable(ctx, tx, p.ID, x.Deliverable)
			if err != nil {
				return domain.TrailEntry{}, err
			}
			if err := d.Open(p); err != nil {
				return domain.TrailEntry{}, err
			}
		}
		return x.Replan(p, civil.Date(req.GetPlannedDate()), s.act(ctx, req.GetNote()))
	})
}
