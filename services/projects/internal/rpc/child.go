package rpc

import (
	"context"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/page"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// seeIn returns nil where the caller may see the project that something of that
// name is in. To others it is the thing that does not exist: its error must not
// tell whether the project does.
func seeIn(ctx context.Context, tx *sqldb.Tx, project, name string) error {
	_, err := seeProject(ctx, tx, project)
	return under(name, err)
}

// under names the thing itself in the error for a project that is not there.
func under(name string, err error) error {
	if errs.KindOf(err) == errs.NotFound {
		return errs.AbsentResource(name)
	}
	return err
}

// versioned is something in a project that has an etag.
type versioned interface {
	Name() string
	CurrentVersion() int64
}

// lockChild locks a project that the caller leads, reads something in it, and
// checks the etag.
func lockChild[T versioned](ctx context.Context, tx *sqldb.Tx, project, id, name, etag string,
	load func(ctx context.Context, tx *sqldb.Tx, project, id string) (T, error)) (*domain.Project, T, error) {
	var none T
	p, err := lockProject(ctx, tx, project)
	if err != nil {
		return nil, none, under(name, err)
	}
	x, err := load(ctx, tx, project, id)
	if err != nil {
		return nil, none, err
	}
	if err := platform.CheckEtag(x.Name(), etag, x.CurrentVersion()); err != nil {
		return nil, none, err
	}
	return p, x, nil
}

// lockAny locks and reads a project, whoever asks.
func lockAny(ctx context.Context, tx *sqldb.Tx, project, name string) (*domain.Project, error) {
	p, err := store.LockProject(ctx, tx, project)
	return p, under(name, err)
}

// lockShared locks and reads a project that the caller sees. To others something
// of that name in it does not exist.
func lockShared(ctx context.Context, tx *sqldb.Tx, project, name string) (*domain.Project, error) {
	p, err := lockAny(ctx, tx, project, name)
	if err != nil {
		return nil, err
	}
	return p, under(name, takesPart(ctx, p))
}

// readChild reads something in a project that the caller may see.
func readChild[T, M any](ctx context.Context, s *Server, collection, name string,
	load func(ctx context.Context, tx *sqldb.Tx, project, id string) (T, error), convert func(T) M) (M, error) {
	var none M
	project, id, err := childOf(collection, name)
	if err != nil {
		return none, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (M, error) {
		if err := seeIn(ctx, tx, project, name); err != nil {
			return none, err
		}
		x, err := load(ctx, tx, project, id)
		if err != nil {
			return none, err
		}
		return convert(x), nil
	})
}

// listRequest is a list of what is in a project.
type listRequest interface {
	page.Request
	GetParent() string
}

// listChildren reads a page of what is in a project that the caller may see.
func listChildren[T any](ctx context.Context, s *Server, columns *page.Schema, req listRequest,
	list func(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, project string) ([]T, string, error)) (items []T, next string, err error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, "", err
	}
	plan, err := columns.Plan(req, binding(ctx, project)...)
	if err != nil {
		return nil, "", err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := seeProject(ctx, tx, project); err != nil {
			return err
		}
		items, next, err = list(ctx, tx, plan, project)
		return err
	})
	return items, next, err
}
