package rpc

import (
	"context"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/catalogue/internal/search"
	"github.com/trama-suite/trama/services/catalogue/internal/store"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/outbox"
	"github.com/trama-suite/trama/services/platform/page"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// RegisterEntries registers the services of the six kinds of entries and the
// search over the index.
func RegisterEntries(r grpc.ServiceRegistrar, b Base, index *search.Index) {
	s := &entryServer{b}
	cataloguev1.RegisterSolutionServiceServer(r, solutionServer{entryServer: s})
	cataloguev1.RegisterServiceOfferingServiceServer(r, serviceOfferingServer{entryServer: s})
	cataloguev1.RegisterNeedServiceServer(r, needServer{entryServer: s})
	cataloguev1.RegisterIdeaServiceServer(r, ideaServer{entryServer: s})
	cataloguev1.RegisterJobProfileServiceServer(r, jobProfileServer{entryServer: s})
	cataloguev1.RegisterEventServiceServer(r, eventServer{entryServer: s})
	cataloguev1.RegisterSearchServiceServer(r, searchServer{db: b.DB, index: index})
}

type entryServer struct{ Base }

// noteAfter has Changed told, once the transaction is committed, of an event of
// something that can be found by searching.
func (b Base) noteAfter(tx *sqldb.Tx, name string, event int64) {
	if b.Changed != nil {
		tx.AfterCommit(func() { b.Changed(name, event) })
	}
}

// entryKind is what one kind of entries has of its own, between its proto and
// the domain. The methods of all kinds are the generic functions below.
type entryKind[M entryMessage] struct {
	kind      domain.Kind
	field     string // of Create and Update requests
	schema    *page.Schema
	toProto   func(*domain.Entry) M
	body      func(m M, before domain.Body) domain.Body // before is nil at creation
	published func(M) proto.Message
	archived  func(name string) proto.Message
}

func createEntry[M entryMessage](ctx context.Context, s *entryServer, k *entryKind[M], req proto.Message, m M) (M, error) {
	var none M
	if m.GetOrganisation() == "" {
		return none, errs.InvalidField(domain.EntryInvalid, k.field+".organisation", "is required: organisations/{uuid}")
	}
	if err := auth.Require(ctx, m.GetOrganisation(), m.GetOrganisation()); err != nil {
		return none, err
	}
	return platform.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (M, error) {
		now := s.now()
		e, err := domain.NewEntry(s.NewID(), m.GetOrganisation(), cardOf(m), k.body(m, nil), now)
		if err != nil {
			return none, under(k.field, err)
		}
		owner, err := store.Organisation(ctx, tx, e.Organisation)
		if err != nil {
			return none, err
		}
		if owner == nil {
			return none, errs.InvalidField(errs.ReferenceNotFound, k.field+".organisation", "%s does not exist", e.Organisation).
				With("resource", e.Organisation)
		}
		if err := s.checkUses(ctx, tx, e, nil, nil, now); err != nil {
			return none, under(k.field, err)
		}
		if err := store.InsertEntry(tx, e); err != nil {
			return none, err
		}
		return k.toProto(e), nil
	})
}

func getEntry[M entryMessage](ctx context.Context, s *entryServer, k *entryKind[M], name string) (M, error) {
	var none M
	var e *domain.Entry
	err := s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		e, err = store.Entry(ctx, tx, name)
		return err
	})
	if err != nil {
		return none, err
	}
	if e == nil || e.Body.Kind() != k.kind || !visible(ctx, e) {
		return none, errs.AbsentResource(name)
	}
	return k.toProto(e), nil
}

func listEntries[M entryMessage](ctx context.Context, s *entryServer, k *entryKind[M], req page.Request) ([]M, string, error) {
	scope := auth.ScopeFrom(ctx)
	var args []any
	where := visibleWhere(scope, &args)
	bind := []string{string(k.kind), where}
	for _, a := range args {
		bind = append(bind, a.(string))
	}
	plan, err := k.schema.Plan(req, bind...)
	if err != nil {
		return nil, "", err
	}
	var entries []*domain.Entry
	var next string
	err = s.DB.Read(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		entries, next, err = store.ListEntries(ctx, tx, plan, k.kind, where, args)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	out := make([]M, len(entries))
	for i, e := range entries {
		out[i] = k.toProto(e)
	}
	return out, next, nil
}

func updateEntry[M entryMessage](ctx context.Context, s *entryServer, k *entryKind[M], req proto.Message, patch M, mask *fieldmaskpb.FieldMask) (M, error) {
	var none M
	if err := checkName(k.field+".name", k.kind.Collection()+"/{"+k.field+"}", patch.GetName()); err != nil {
		return none, err // a patch's name has no rule in the proto
	}
	return mutateEntry(ctx, s, k, req, patch.GetName(), patch.GetEtag(), func(ctx context.Context, tx *sqldb.Tx, e *domain.Entry, now time.Time) ([]domain.Change, error) {
		terms, references := e.Terms(), e.References()
		merged, err := platform.UpdateMask(k.field, k.toProto(e), patch, mask)
		if err != nil {
			return nil, err
		}
		changes, err := e.Update(cardOf(merged), k.body(merged, e.Body), now)
		if err == nil {
			err = s.checkUses(ctx, tx, e, terms, references, now)
		}
		return changes, under(k.field, err)
	}, none)
}

// verb is a request of a custom method on an entry.
type verb interface {
	proto.Message
	GetName() string
	GetEtag() string
}

// transition is what a custom method does to an entry.
type transition func(e *domain.Entry, now time.Time) ([]domain.Change, error)

func publishEntry(e *domain.Entry, now time.Time) ([]domain.Change, error) { return e.Publish(now) }

func archiveEntry(e *domain.Entry, now time.Time) ([]domain.Change, error) { return e.Archive(now) }

func restoreEntry(to cataloguev1.EntryState) transition {
	return func(e *domain.Entry, now time.Time) ([]domain.Change, error) {
		return e.Restore(enumName[domain.EntryState](to), now)
	}
}

func changeEntry[M entryMessage](ctx context.Context, s *entryServer, k *entryKind[M], req verb, change transition) (M, error) {
	var none M
	return mutateEntry(ctx, s, k, req, req.GetName(), req.GetEtag(), func(ctx context.Context, tx *sqldb.Tx, e *domain.Entry, now time.Time) ([]domain.Change, error) {
		references := e.References()
		changes, err := change(e, now)
		if err == nil {
			err = s.checkReferences(ctx, tx, e, references)
		}
		return changes, err
	}, none)
}

// mutateEntry is every change of an entry that is there: load, check rights and
// etag, change, save, tell.
func mutateEntry[M entryMessage](
	ctx context.Context, s *entryServer, k *entryKind[M], req proto.Message, name, etag string,
	change func(ctx context.Context, tx *sqldb.Tx, e *domain.Entry, now time.Time) ([]domain.Change, error), none M,
) (M, error) {
	return platform.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (M, error) {
		e, err := store.Entry(ctx, tx, name)
		if err != nil {
			return none, err
		}
		if e == nil || e.Body.Kind() != k.kind {
			return none, errs.AbsentResource(name)
		}
		if err := auth.Require(ctx, e.Organisation, name); err != nil {
			return none, err
		}
		if err := platform.CheckEtag(name, etag, e.Version); err != nil {
			return none, err
		}
		was := e.Version
		changes, err := change(ctx, tx, e, s.now())
		if err != nil {
			return none, err
		}
		m := k.toProto(e)
		if e.Version == was {
			return m, nil
		}
		if err := store.SaveEntry(ctx, tx, e, was); err != nil {
			return none, err
		}
		for _, c := range changes {
			if err := s.Outbox.Add(ctx, tx, outbox.Event{
				Aggregate: e.Name, Version: c.Version, Owner: e.Organisation, Licence: e.Licence(),
				Time: e.UpdateTime, Data: k.message(e, m, c),
			}); err != nil {
				return none, err
			}
			s.noteAfter(tx, e.Name, c.Version)
		}
		return m, nil
	})
}

func (k *entryKind[M]) message(e *domain.Entry, m M, c domain.Change) proto.Message {
	switch c.What {
	case domain.Archived:
		return k.archived(e.Name)
	case domain.Advanced:
		return &cataloguev1.IdeaAdvanced{
			Idea:          e.Name,
			Stage:         enumOf[cataloguev1.IdeaStage](cataloguev1.IdeaStage_value, c.To),
			PreviousStage: enumOf[cataloguev1.IdeaStage](cataloguev1.IdeaStage_value, c.From),
			Project:       c.Project,
		}
	default:
		return k.published(m)
	}
}

// checkUses checks everything that a written entry names, where it named terms
// and references before.
func (s *entryServer) checkUses(ctx context.Context, tx *sqldb.Tx, e *domain.Entry, terms, references []domain.Use, now time.Time) error {
	if named := e.Terms(); len(named) > 0 {
		known, err := store.TermValidities(ctx, tx, namesOf(named))
		if err != nil {
			return err
		}
		if err := e.CheckTerms(known, terms, now); err != nil {
			return err
		}
	}
	return s.checkReferences(ctx, tx, e, references)
}

// checkReferences checks that the organisations and service offerings that the
// entry names exist and are the caller's to see. What it named before may have
// been withdrawn since: that must not keep its owner from mending or archiving
// the entry.
func (s *entryServer) checkReferences(ctx context.Context, tx *sqldb.Tx, e *domain.Entry, before []domain.Use) error {
	had := namesOf(before)
	for _, u := range e.References() {
		if slices.Contains(had, u.Name) {
			continue
		}
		there, err := s.visibleName(ctx, tx, u.Name)
		if err != nil {
			return err
		}
		if !there {
			return errs.InvalidField(errs.ReferenceNotFound, u.Path, "%s does not exist, or is not yours to see", u.Name).With("resource", u.Name)
		}
	}
	return nil
}

func (s *entryServer) visibleName(ctx context.Context, tx *sqldb.Tx, name string) (bool, error) {
	if _, ok := ids.Parse("organisations/{organisation}", name); ok {
		o, err := store.Organisation(ctx, tx, name)
		return o != nil && (o.Public() || auth.ScopeFrom(ctx).Covers(o.Name)), err
	}
	e, err := store.Entry(ctx, tx, name)
	return e != nil && visible(ctx, e), err
}

// readerOf returns as whom the caller reads. A token without any role in the
// network reads like nobody.
func readerOf(scope auth.Scope) search.Reader {
	return search.Reader{All: scope.All, Anonymous: !scope.All && len(scope.Organisations) == 0, Organisations: scope.Organisations}
}

// visible reports whether the caller may see the entry.
func visible(ctx context.Context, e *domain.Entry) bool {
	scope := auth.ScopeFrom(ctx)
	return scope.Covers(e.Organisation) || e.State == domain.EntryPublished && readerOf(scope).May(audienceOf(e))
}

// visibleWhere is visible as a condition on the table of entries.
func visibleWhere(scope auth.Scope, args *[]any) string {
	own := scope.Where("organisation", args)
	if scope.All {
		return own
	}
	*args = append(*args, string(domain.EntryPublished), string(domain.VisibleToPublic))
	published, public := placeholder(len(*args)-1), placeholder(len(*args))
	if readerOf(scope).Anonymous {
		return "state = " + published + " AND visibility = " + public + " OR " + own
	}
	*args = append(*args, string(domain.VisibleToNetwork))
	return "state = " + published + " AND visibility IN (" + public + "," + placeholder(len(*args)) + ") OR " + own
}

func audienceOf(e *domain.Entry) string {
	switch e.Card.Visibility {
	case domain.VisibleToPublic:
		return search.AudiencePublic
	case domain.VisibleToNetwork:
		return search.AudienceNetwork
	default:
		return search.AudienceOf(e.Organisation)
	}
}

func namesOf(uses []domain.Use) []string {
	out := make([]string, len(uses))
	for i, u := range uses {
		out[i] = u.Name
	}
	slices.Sort(out)
	return slices.Compact(out)
}
