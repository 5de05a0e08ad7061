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

// procurements is the procurement plan on the wire.
var procurements = register[domain.Procurement, *domain.Procurement, *projectsv1.Procurement]{show: showProcurement, write: writeProcurement, lists: store.Entries("PROCUREMENT_STATE_")}

func showProcurement(x *domain.Procurement, today civil.Date) *projectsv1.Procurement {
	return &projectsv1.Procurement{
		Name: domain.NameOf(x), Title: textProto(x.Title), Description: x.Description,
		Procedure:       value[projectsv1.ProcurementProcedure](projectsv1.ProcurementProcedure_value, "PROCUREMENT_PROCEDURE_", x.Procedure),
		EstimatedAmount: moneyProto(x.Estimated), PlannedDate: string(x.Due), Organisation: x.Organisation,
		BudgetLine: link(x.Project, "budgetLines", x.Line), Task: link(x.Project, "tasks", x.Task), Supplier: x.Supplier,
		ContractReference: x.Contract, ContractAmount: optionalMoney(x.Agreed), State: value[projectsv1.ProcurementState](projectsv1.ProcurementState_value, "PROCUREMENT_STATE_", x.State),
		Overdue:    domain.Overdue(x, today),
		CreateTime: timeProto(x.Created), UpdateTime: timeProto(x.Updated), Etag: platform.Etag(x.Version),
	}
}

func writeProcurement(x *domain.Procurement, m *projectsv1.Procurement) {
	x.Title, x.Description, x.Estimated = textOf(m.GetTitle()), m.GetDescription(), moneyOf(m.GetEstimatedAmount())
	x.Procedure = word(projectsv1.ProcurementProcedure_name, "PROCUREMENT_PROCEDURE_", m.GetProcedure())
	x.Due, x.Organisation, x.Supplier = civil.Date(m.GetPlannedDate()), m.GetOrganisation(), m.GetSupplier()
	x.Line, x.Task = idIn(x.Project, m.GetBudgetLine()), idIn(x.Project, m.GetTask())
	x.Contract, x.Agreed = m.GetContractReference(), moneyOf(m.GetContractAmount())
}

// CreateProcurement adds an item of the procurement plan.
func (s *Server) CreateProcurement(ctx context.Context, req *projectsv1.CreateProcurementRequest) (*projectsv1.Procurement, error) {
	return procurements.create(ctx, s, req, req.GetParent(), req.GetProcurement())
}

// GetProcurement reads an item of the procurement plan.
func (s *Server) GetProcurement(ctx context.Context, req *projectsv1.GetProcurementRequest) (*projectsv1.Procurement, error) {
	return procurements.get(ctx, s, req.GetName())
}

// ListProcurements lists the procurement plan.
func (s *Server) ListProcurements(ctx context.Context, req *projectsv1.ListProcurementsRequest) (*projectsv1.ListProcurementsResponse, error) {
	l, err := procurements.list(ctx, s, req, req.GetParent())
	return &projectsv1.ListProcurementsResponse{Procurements: l.items, NextPageToken: l.next}, err
}

// UpdateProcurement changes an item of the procurement plan.
func (s *Server) UpdateProcurement(ctx context.Context, req *projectsv1.UpdateProcurementRequest) (*projectsv1.Procurement, error) {
	return procurements.update(ctx, s, req, req.GetProcurement(), req.GetUpdateMask())
}

// DeleteProcurement deletes an item of the procurement plan.
func (s *Server) DeleteProcurement(ctx context.Context, req *projectsv1.DeleteProcurementRequest) (*emptypb.Empty, error) {
	return procurements.remove(ctx, s, req)
}

// MoveProcurement takes a purchase to another state.
func (s *Server) MoveProcurement(ctx context.Context, req *projectsv1.MoveProcurementRequest) (*projectsv1.Procurement, error) {
	return procurements.step(ctx, s, req, true, func(ctx context.Context, _ *sqldb.Tx, p *domain.Project, x *domain.Procurement) (domain.TrailEntry, error) {
		return domain.MoveEntry(x, p, word(projectsv1.ProcurementState_name, "PROCUREMENT_STATE_", req.GetState()), s.act(ctx, req.GetNote()))
	})
}
