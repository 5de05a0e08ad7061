package rpc

import (
	"context"
	"time"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
	"github.com/trama-suite/trama/services/projects/rules"
)

func ruleSetProto(s *domain.RuleSet) *projectsv1.RuleSet {
	return &projectsv1.RuleSet{
		Name: s.Name(), Title: textProto(s.Title), Funder: s.Funder, Programme: s.Programme, Version: int32(s.Version), Shipped: s.Shipped,
		CreateTime: timeProto(s.Created), UpdateTime: timeProto(s.Updated), Etag: platform.Etag(s.Version),
	}
}

func ruleSetVersionProto(v *domain.RuleSetVersion) *projectsv1.RuleSetVersion {
	return &projectsv1.RuleSetVersion{
		Name: v.Name(), Version: int32(v.Number), EffectiveFromDate: string(v.EffectiveFrom), EffectiveToDate: string(v.EffectiveTo),
		Source: v.Source, Sha256: v.SHA256, Publisher: v.Publisher, CreateTime: timeProto(v.Created),
	}
}

// ruleSetVersionOf reads slug and number out of a version's name.
func ruleSetVersionOf(name string) (string, int64, error) {
	slug, number, ok := domain.ParseRuleSetName(name)
	if !ok || number == 0 {
		return "", 0, errs.AbsentResource(name)
	}
	return slug, number, nil
}

// SeedRuleSets stores the versions that come with the program and are not there
// yet. One that is there stays as it is.
func (s *Server) SeedRuleSets(ctx context.Context) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, x := range rules.AllShipped() {
			versions, err := store.NewestRuleSetVersions(ctx, tx, x.Set.ID())
			if err != nil {
				return err
			}
			if len(versions) > 0 && versions[0].Number >= x.Set.Version() {
				continue
			}
			if _, err := s.publish(ctx, tx, x.Set, string(x.Source), "", s.now()); err != nil {
				return err
			}
		}
		return nil
	})
}

// publish adds a version to its rule set. What has no publisher comes with the
// program.
func (s *Server) publish(ctx context.Context, tx *sqldb.Tx, set *rules.Set, source, publisher string, now time.Time) (*domain.RuleSetVersion, error) {
	var last *domain.RuleSetVersion
	was := int64(0)
	old, err := store.RuleSet(ctx, tx, set.ID())
	switch {
	case errs.KindOf(err) == errs.NotFound:
		old = nil
	case err != nil:
		return nil, err
	default:
		was = old.Version
		if last, err = store.RuleSetVersion(ctx, tx, old.Slug, old.Version); err != nil {
			return nil, err
		}
	}
	v := &domain.RuleSetVersion{Source: source, Publisher: publisher}
	next, err := v.Publish(old, last, set, publisher == "", now)
	if err != nil {
		return nil, err
	}
	return v, store.AddRuleSetVersion(ctx, tx, next, v, was)
}

// GetRuleSet reads a rule set.
func (s *Server) GetRuleSet(ctx context.Context, req *projectsv1.GetRuleSetRequest) (*projectsv1.RuleSet, error) {
	slug, err := ruleSetOf(req.GetName())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.RuleSet, error) {
		r, err := store.RuleSet(ctx, tx, slug)
		if err != nil {
			return nil, err
		}
		return ruleSetProto(r), nil
	})
}

// ListRuleSets lists the rule sets.
func (s *Server) ListRuleSets(ctx context.Context, req *projectsv1.ListRuleSetsRequest) (*projectsv1.ListRuleSetsResponse, error) {
	plan, err := store.RuleSets.Plan(req)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListRuleSetsResponse, error) {
		items, next, err := store.ListRuleSets(ctx, tx, plan)
		return &projectsv1.ListRuleSetsResponse{RuleSets: each(items, ruleSetProto), NextPageToken: next}, err
	})
}

// GetRuleSetVersion reads a version with its source.
func (s *Server) GetRuleSetVersion(ctx context.Context, req *projectsv1.GetRuleSetVersionRequest) (*projectsv1.RuleSetVersion, error) {
	slug, number, err := ruleSetVersionOf(req.GetName())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.RuleSetVersion, error) {
		v, err := store.RuleSetVersion(ctx, tx, slug, number)
		if err != nil {
			return nil, err
		}
		if v.Source, err = store.RuleSetSource(ctx, tx, slug, number); err != nil {
			return nil, err
		}
		return ruleSetVersionProto(v), nil
	})
}

// ListRuleSetVersions lists the versions of a rule set.
func (s *Server) ListRuleSetVersions(ctx context.Context, req *projectsv1.ListRuleSetVersionsRequest) (*projectsv1.ListRuleSetVersionsResponse, error) {
	slug, err := ruleSetOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	plan, err := store.RuleSetVersions.Plan(req, slug)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListRuleSetVersionsResponse, error) {
		if _, err := store.RuleSet(ctx, tx, slug); err != nil {
			return nil, err
		}
		items, next, err := store.ListRuleSetVersions(ctx, tx, plan, slug)
		return &projectsv1.ListRuleSetVersionsResponse{RuleSetVersions: each(items, ruleSetVersionProto), NextPageToken: next}, err
	})
}

// PublishRuleSet publishes a version.
func (s *Server) PublishRuleSet(ctx context.Context, req *projectsv1.PublishRuleSetRequest) (*projectsv1.RuleSetVersion, error) {
	set, err := domain.LoadRuleSet("source", req.GetSource())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.RuleSetVersion, error) {
		v, err := s.publish(ctx, tx, set, req.GetSource(), auth.CallerFrom(ctx).Subject, s.now())
		if err != nil {
			return nil, err
		}
		return ruleSetVersionProto(v), nil
	})
}

// CheckRuleSet compiles a document, and says what is wrong with it or what it
// holds.
func (s *Server) CheckRuleSet(_ context.Context, req *projectsv1.CheckRuleSetRequest) (*projectsv1.CheckRuleSetResponse, error) {
	set, err := rules.Load([]byte(req.GetSource()))
	if err == nil {
		return &projectsv1.CheckRuleSetResponse{Explanation: explanationProto(set)}, nil
	}
	problems, ok := err.(rules.Problems) //nolint:errorlint // Load returns nothing else
	if !ok {
		return nil, err
	}
	out := &projectsv1.CheckRuleSetResponse{}
	for _, p := range problems {
		out.Problems = append(out.Problems, &projectsv1.RuleSetProblem{Line: int32(p.Line), Column: int32(p.Column), Path: p.Path, Message: p.Message})
	}
	return out, nil
}

// ExplainRuleSet says in words what a version holds.
func (s *Server) ExplainRuleSet(ctx context.Context, req *projectsv1.ExplainRuleSetRequest) (*projectsv1.RuleSetExplanation, error) {
	slug, number, err := ruleSetVersionOf(req.GetName())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.RuleSetExplanation, error) {
		set, err := s.ruleBook.At(ctx, tx, ids.Name("ruleSets", slug), number)
		if err != nil {
			return nil, err
		}
		return explanationProto(set), nil
	})
}

func explanationProto(set *rules.Set) *projectsv1.RuleSetExplanation {
	e := set.Explain()
	return &projectsv1.RuleSetExplanation{
		RuleSet: ids.Name("ruleSets", set.ID()), Version: int32(set.Version()),
		Title: ruleTextProto(e.Title), Note: ruleTextProto(e.Note), Sources: e.Sources,
		Figures: each(e.Figures, ruleItemProto), Categories: each(e.Categories, ruleItemProto), CostOptions: each(e.Options, ruleItemProto),
		Payments: each(e.Payments, ruleItemProto), Withholdings: each(e.Withholdings, ruleItemProto),
		Rules: each(e.Rules, ruleItemProto), Columns: each(e.Columns, ruleItemProto),
	}
}

func ruleItemProto(i rules.Item) *projectsv1.RuleSetItem {
	return &projectsv1.RuleSetItem{
		Key: i.Key, Title: ruleTextProto(i.Title), Value: ruleTextProto(i.Value), Blocking: i.Blocking, Source: i.Source,
		Verified: i.Verified, Remark: i.Remark, Message: ruleTextProto(i.Message), Allowed: i.Allowed,
	}
}

func ruleTextProto(t rules.Text) *typev1.LocalizedText { return textProto(domain.RuleSetText(t)) }
