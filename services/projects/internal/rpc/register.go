package rpc

import (
	"context"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/money"
	"github.com/trama-suite/trama/services/platform/page"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// entry is an entry of a register as it is on the wire.
type entry interface {
	proto.Message
	GetName() string
	GetEtag() string
}

// register answers the calls on one register: what differs between registers is
// how an entry is written on the wire, and their rules in the domain.
type register[T any, X store.EntryOf[T], M entry] struct {
	show  func(x X, today civil.Date) M
	write func(x X, m M) // takes over what people write
	lists *page.Schema
	// lead, where set, is what of an entry only the lead changes, beside who is
	// in charge of it.
	lead func(x X) string
	// idOf, where set, gives the id of a new entry.
	idOf func(x X) string
}

func (r register[T, X, M]) of() *domain.Register { return X(new(T)).Register() }

// requireWriter returns nil where the caller may write the entries of a register
// that a partner is in charge of.
func requireWriter(ctx context.Context, p *domain.Project, shared bool, organisation string) error {
	if shared && organisation != "" {
		return requireCharge(ctx, p, organisation)
	}
	return requireLead(ctx, p)
}

// checkMentions returns an error where an entry refers to what is not in the
// project, beside what it referred to before: that may have been deleted since.
func checkMentions(ctx context.Context, tx *sqldb.Tx, x domain.Registered, before []domain.Mention) error {
	fresh := slices.DeleteFunc(x.Mentions(), func(m domain.Mention) bool {
		return slices.ContainsFunc(before, func(b domain.Mention) bool { return b.Name == m.Name })
	})
	unknown, err := store.Unknown(ctx, tx, x.Head().Project, fresh)
	if err != nil || unknown == nil {
		return err
	}
	return errs.InvalidField(errs.ReferenceNotFound, unknown.Path, "%s is not in the project", unknown.Name)
}

// note keeps on the trail what was done.
func (s *Server) note(tx *sqldb.Tx, entries ...domain.TrailEntry) {
	for _, e := range entries {
		e.ID = s.newID()
		store.InsertTrail(tx, e)
	}
}

func (s *Server) act(ctx context.Context, note string) domain.Act {
	return domain.Act{Actor: actor(ctx), Note: note, Time: s.now()}
}

// add makes and stores an entry of what is written in x.
func (s *Server) add(ctx context.Context, tx *sqldb.Tx, p *domain.Project, id string, x domain.Registered) error {
	entry, err := domain.AddEntry(x, id, p, s.act(ctx, ""))
	if err != nil {
		return err
	}
	if err := checkMentions(ctx, tx, x, nil); err != nil {
		return err
	}
	if found, err := store.EntryExists(ctx, tx, x); err != nil {
		return err
	} else if found {
		return errs.New(errs.AlreadyExists, domain.EntryExists, "there is %s already", domain.NameOf(x)).With("resource", domain.NameOf(x))
	}
	store.InsertEntry(tx, x)
	s.note(tx, entry)
	return nil
}

func (r register[T, X, M]) create(ctx context.Context, s *Server, req proto.Message, parent string, m M) (M, error) {
	var none M
	project, err := projectOf(parent)
	if err != nil {
		return none, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (M, error) {
		p, err := lockShared(ctx, tx, project, parent)
		if err != nil {
			return none, err
		}
		x := X(new(T))
		x.Head().Project = p.ID
		r.write(x, m)
		if err := requireWriter(ctx, p, r.of().Raised, x.Head().Organisation); err != nil {
			return none, err
		}
		id := s.newID()
		if r.idOf != nil {
			id = r.idOf(x)
		}
		if err := s.add(ctx, tx, p, id, x); err != nil {
			return none, err
		}
		return r.show(x, s.today()), s.refresh(ctx, tx, p)
	})
}

func (r register[T, X, M]) get(ctx context.Context, s *Server, name string) (M, error) {
	var none M
	project, id, err := childOf(r.of().Collection, name)
	if err != nil {
		return none, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (M, error) {
		if err := seeIn(ctx, tx, project, name); err != nil {
			return none, err
		}
		x, err := store.ReadEntry[T, X](ctx, tx, project, id)
		if err != nil {
			return none, err
		}
		return r.show(x, s.today()), nil
	})
}

// listing is one page of a register.
type listing[M any] struct {
	items []M
	next  string
}

func (r register[T, X, M]) list(ctx context.Context, s *Server, req page.Request, parent string) (listing[M], error) {
	project, err := projectOf(parent)
	if err != nil {
		return listing[M]{}, err
	}
	plan, err := r.lists.Plan(req, binding(ctx, project, r.of().Collection)...)
	if err != nil {
		return listing[M]{}, err
	}
	today := s.today()
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (listing[M], error) {
		if _, err := seeProject(ctx, tx, project); err != nil {
			return listing[M]{}, err
		}
		items, next, err := store.ListEntries[T, X](ctx, tx, plan, project)
		return listing[M]{each(items, func(x X) M { return r.show(x, today) }), next}, err
	})
}

// alter reads an entry that the caller may write, lets change alter it, and
// stores it. Partners may where shared, if they are in charge of it.
func (r register[T, X, M]) alter(ctx context.Context, s *Server, req proto.Message, name, etag string, shared bool,
	change func(ctx context.Context, tx *sqldb.Tx, p *domain.Project, x X) error) (M, error) {
	var none M
	project, id, err := childOf(r.of().Collection, name)
	if err != nil {
		return none, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (M, error) {
		p, err := lockShared(ctx, tx, project, name)
		if err != nil {
			return none, err
		}
		x, err := store.ReadEntry[T, X](ctx, tx, project, id)
		if err != nil {
			return none, err
		}
		if err := requireWriter(ctx, p, shared, x.Head().Organisation); err != nil {
			return none, err
		}
		was := x.CurrentVersion()
		if err := platform.CheckEtag(name, etag, was); err != nil {
			return none, err
		}
		if err := change(ctx, tx, p, x); err != nil {
			return none, err
		}
		if err := store.SaveEntry(ctx, tx, x, was); err != nil {
			return none, err
		}
		return r.show(x, s.today()), s.refresh(ctx, tx, p)
	})
}

// update changes what people write. Only the lead hands an entry to another
// partner.
func (r register[T, X, M]) update(ctx context.Context, s *Server, req proto.Message, patch M, mask *fieldmaskpb.FieldMask) (M, error) {
	return r.alter(ctx, s, req, patch.GetName(), patch.GetEtag(), r.of().Shared, func(ctx context.Context, tx *sqldb.Tx, p *domain.Project, x X) error {
		if err := domain.Editable(x); err != nil {
			return err
		}
		if slices.Contains(r.of().Reviewed, x.Head().State) {
			if err := requireLead(ctx, p); err != nil {
				return err
			}
		}
		m, err := platform.UpdateMask(r.of().Field, r.show(x, s.today()), patch, mask)
		if err != nil {
			return err
		}
		charge, bound, mentions := x.Head().Organisation, r.bound(x), x.Mentions()
		r.write(x, m)
		if charge != x.Head().Organisation || bound != r.bound(x) {
			if err := requireLead(ctx, p); err != nil {
				return err
			}
		}
		if err := domain.ReviseEntry(x, p, s.now()); err != nil {
			return err
		}
		return checkMentions(ctx, tx, x, mentions)
	})
}

// bound is what of an entry only the lead changes, beside who is in charge.
func (r register[T, X, M]) bound(x X) string {
	if r.lead == nil {
		return ""
	}
	return r.lead(x)
}

// step is a verb that does something to an entry and keeps it on the trail.
func (r register[T, X, M]) step(ctx context.Context, s *Server, req stepRequest, shared bool,
	do func(ctx context.Context, tx *sqldb.Tx, p *domain.Project, x X) (domain.TrailEntry, error)) (M, error) {
	return r.alter(ctx, s, req, req.GetName(), req.GetEtag(), shared, func(ctx context.Context, tx *sqldb.Tx, p *domain.Project, x X) error {
		entry, err := do(ctx, tx, p, x)
		if err != nil {
			return err
		}
		s.note(tx, entry)
		return nil
	})
}

// stepRequest is what the requests of verbs have in common.
type stepRequest interface {
	proto.Message
	GetName() string
	GetEtag() string
}

func (r register[T, X, M]) remove(ctx context.Context, s *Server, req stepRequest) (*emptypb.Empty, error) {
	project, id, err := childOf(r.of().Collection, req.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*emptypb.Empty, error) {
		p, err := lockShared(ctx, tx, project, req.GetName())
		if err != nil {
			return nil, err
		}
		x, err := store.ReadEntry[T, X](ctx, tx, project, id)
		if err != nil {
			return nil, err
		}
		if err := requireLead(ctx, p); err != nil {
			return nil, err
		}
		if err := platform.CheckEtag(req.GetName(), req.GetEtag(), x.CurrentVersion()); err != nil {
			return nil, err
		}
		entry, err := domain.DropEntry(x, p, s.act(ctx, ""))
		if err != nil {
			return nil, err
		}
		if err := store.DeleteEntry(ctx, tx, x, x.CurrentVersion()); err != nil {
			return nil, err
		}
		s.note(tx, entry)
		return &emptypb.Empty{}, s.refresh(ctx, tx, p)
	})
}

// link is the resource name of something in a project, empty for an empty id.
func link(project, collection, id string) string {
	if id == "" {
		return ""
	}
	return ids.Name("projects", project, collection, id)
}

// idIn is the id in the name of something in the project; the whole name where it
// is of another, which the check of mentions then refuses.
func idIn(project, name string) string {
	if !sameProject(project, name) {
		return name
	}
	return childID(name)
}

// optionalMoney is an amount that may be absent.
func optionalMoney(a money.Amount) *typev1.Money {
	if a.Currency == "" {
		return nil
	}
	return moneyProto(a)
}
