package rpc

import (
	"context"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

func trailProto(x domain.TrailEntry) *projectsv1.TrailEntry {
	return &projectsv1.TrailEntry{
		Name: ids.Name("projects", x.Project, "trailEntries", x.ID), Resource: x.Resource, Action: x.Action, Artefact: x.Key,
		FromState: x.From, ToState: x.To, Actor: x.Actor, Role: roleProto(x.Role), Note: x.Note, Uri: x.URI, Sha256: x.SHA256,
		ExpireDate: string(x.Until), ActTime: timeProto(x.Time),
	}
}

// ListTrailEntries lists what was done to the gates and registers of a project.
func (s *Server) ListTrailEntries(ctx context.Context, req *projectsv1.ListTrailEntriesRequest) (*projectsv1.ListTrailEntriesResponse, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	plan, err := store.Trail.Plan(req, binding(ctx, project)...)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListTrailEntriesResponse, error) {
		if _, err := seeProject(ctx, tx, project); err != nil {
			return nil, err
		}
		items, next, err := store.ListTrail(ctx, tx, plan, project)
		return &projectsv1.ListTrailEntriesResponse{TrailEntries: each(items, trailProto), NextPageToken: next}, err
	})
}
