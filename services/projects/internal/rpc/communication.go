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

// communications is the communication plan on the wire.
var communications = register[domain.Communication, *domain.Communication, *projectsv1.Communication]{show: showCommunication, write: writeCommunication, lists: store.Entries("COMMUNICATION_STATE_")}

func showCommunication(x *domain.Communication, today civil.Date) *projectsv1.Communication {
	return &projectsv1.Communication{
		Name: domain.NameOf(x), Title: textProto(x.Title), Audience: x.Audience, Channel: x.Channel,
		Frequency:    value[projectsv1.CommunicationFrequency](projectsv1.CommunicationFrequency_value, "COMMUNICATION_FREQUENCY_", x.Frequency),
		Organisation: x.Organisation, ResponsibleSubject: x.Responsible, NextDate: string(x.Due), LastDoneDate: string(x.LastDone), DoneCount: x.Done,
		State: value[projectsv1.CommunicationState](projectsv1.CommunicationState_value, "COMMUNICATION_STATE_", x.State), Overdue: domain.Overdue(x, today),
		CreateTime: timeProto(x.Created), UpdateTime: timeProto(x.Updated), Etag: platform.Etag(x.Version),
	}
}

func writeCommunication(x *domain.Communication, m *projectsv1.Communication) {
	x.Title, x.Audience, x.Channel = textOf(m.GetTitle()), m.GetAudience(), m.GetChannel()
	x.Frequency = word(projectsv1.CommunicationFrequency_name, "COMMUNICATION_FREQUENCY_", m.GetFrequency())
	x.Organisation, x.Responsible, x.Due = m.GetOrganisation(), m.GetResponsibleSubject(), civil.Date(m.GetNextDate())
}

// CreateCommunication adds an item of the communication plan.
func (s *Server) CreateCommunication(ctx context.Context, req *projectsv1.CreateCommunicationRequest) (*projectsv1.Communication, error) {
	return communications.create(ctx, s, req, req.GetParent(), req.GetCommunication())
}

// GetCommunication reads an item of the communication plan.
func (s *Server) GetCommunication(ctx context.Context, req *projectsv1.GetCommunicationRequest) (*projectsv1.Communication, error) {
	return communications.get(ctx, s, req.GetName())
}

// ListCommunications lists the communication plan.
func (s *Server) ListCommunications(ctx context.Context, req *projectsv1.ListCommunicationsRequest) (*projectsv1.ListCommunicationsResponse, error) {
	l, err := communications.list(ctx, s, req, req.GetParent())
	return &projectsv1.ListCommunicationsResponse{Communications: l.items, NextPageToken: l.next}, err
}

// UpdateCommunication changes an item of the communication plan.
func (s *Server) UpdateCommunication(ctx context.Context, req *projectsv1.UpdateCommunicationRequest) (*projectsv1.Communication, error) {
	return communications.update(ctx, s, req, req.GetCommunication(), req.GetUpdateMask())
}

// DeleteCommunication deletes an item of the communication plan.
func (s *Server) DeleteCommunication(ctx context.Context, req *projectsv1.DeleteCommunicationRequest) (*emptypb.Empty, error) {
	return communications.remove(ctx, s, req)
}

// LogCommunication logs that something was told.
func (s *Server) LogCommunication(ctx context.Context, req *projectsv1.LogCommunicationRequest) (*projectsv1.Communication, error) {
	return communications.step(ctx, s, req, true, func(ctx context.Context, _ *sqldb.Tx, p *domain.Project, x *domain.Communication) (domain.TrailEntry, error) {
		return x.Log(p, civil.Date(req.GetDoneDate()), civil.Date(req.GetNextDate()), s.act(ctx, req.GetNote()), s.today())
	})
}

// EndCommunication ends an item of the communication plan.
func (s *Server) EndCommunication(ctx context.Context, req *projectsv1.EndCommunicationRequest) (*projectsv1.Communication, error) {
	return communications.step(ctx, s, req, false, func(ctx context.Context, _ *sqldb.Tx, p *domain.Project, x *domain.Communication) (domain.TrailEntry, error) {
		return domain.MoveEntry(x, p, domain.CommunicationEnded, s.act(ctx, req.GetNote()))
	})
}
