package rpc

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// ruleName is the resource name of a rule, in a project or in the network.
func ruleName(project, id string) string {
	if project == "" {
		return ids.Name("alertRules", id)
	}
	return ids.Name("projects", project, "alertRules", id)
}

// ruleOf reads the identifiers out of a rule's name.
func ruleOf(name string) (project, id string, err error) {
	before, id, found := strings.Cut(name, "alertRules/")
	if !found {
		return "", "", errs.AbsentResource(name)
	}
	if before == "" {
		return "", id, nil
	}
	project, err = projectOf(strings.TrimSuffix(before, "/"))
	return project, id, under(name, err)
}

func ruleProto(project string, r *domain.AlertRule) *projectsv1.AlertRule {
	out := &projectsv1.AlertRule{
		Name: ruleName(project, r.ID), Kind: value[projectsv1.AlertKind](projectsv1.AlertKind_value, "ALERT_KIND_", r.Kind),
		Title: textProto(r.Title), Disabled: r.Disabled, Severity: severityProto(r.Severity), Threshold: r.Threshold, ClearThreshold: r.Clear,
		Days: r.Days, Recipients: each(r.Recipients, recipientProto), EscalateTo: each(r.EscalateTo, recipientProto),
		Origin: value[projectsv1.AlertRuleOrigin](projectsv1.AlertRuleOrigin_value, "ALERT_RULE_ORIGIN_", r.Level), Etag: platform.Etag(r.Version),
	}
	if r.EscalateAfter > 0 {
		out.EscalateAfter = durationpb.New(r.EscalateAfter)
	}
	for _, c := range r.Changes {
		out.Changes = append(out.Changes, &projectsv1.AlertRuleChange{Time: timeProto(c.Time), ActorSubject: c.Actor, Reason: c.Reason})
	}
	return out
}

// writeRule puts what people write into a rule.
func writeRule(r *domain.AlertRule, m *projectsv1.AlertRule) {
	recipient := func(x projectsv1.AlertRecipient) domain.Recipient {
		return domain.Recipient(word(projectsv1.AlertRecipient_name, "ALERT_RECIPIENT_", x))
	}
	r.Title, r.Disabled, r.Threshold, r.Clear, r.Days = textOf(m.GetTitle()), m.GetDisabled(), m.GetThreshold(), m.ClearThreshold, m.GetDays()
	r.Severity = domain.Severity(word(projectsv1.AlertSeverity_name, "ALERT_SEVERITY_", m.GetSeverity()))
	r.Recipients, r.EscalateTo = each(m.GetRecipients(), recipient), each(m.GetEscalateTo(), recipient)
	r.EscalateAfter = m.GetEscalateAfter().AsDuration()
}

// lockRules makes sure that the caller may change the rules of a level, and locks
// its project.
func lockRules(ctx context.Context, tx *sqldb.Tx, project, name string) (*domain.Project, error) {
	if project != "" {
		p, err := lockProject(ctx, tx, project)
		return p, under(name, err)
	}
	if !auth.ScopeFrom(ctx).All {
		return nil, errs.New(errs.PermissionDenied, errs.RoleMissing, "only operators change the network's alert rules")
	}
	return nil, nil
}

// GetAlertRule reads a rule.
func (s *Server) GetAlertRule(ctx context.Context, req *projectsv1.GetAlertRuleRequest) (*projectsv1.AlertRule, error) {
	project, id, err := ruleOf(req.GetName())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.AlertRule, error) {
		if project != "" {
			if err := seeIn(ctx, tx, project, req.GetName()); err != nil {
				return nil, err
			}
		}
		r, _, err := ruleIn(ctx, tx, project, id)
		if err != nil {
			return nil, err
		}
		return ruleProto(project, r), nil
	})
}

// ruleIn reads a rule as it holds, and how many rules hold.
func ruleIn(ctx context.Context, tx *sqldb.Tx, project, id string) (*domain.AlertRule, int, error) {
	rules, err := store.AlertRules(ctx, tx, project)
	if err != nil {
		return nil, 0, err
	}
	i := slices.IndexFunc(rules, func(r *domain.AlertRule) bool { return r.ID == id })
	if i < 0 {
		return nil, len(rules), errs.AbsentResource(ruleName(project, id))
	}
	return rules[i], len(rules), nil
}

// ListAlertRules lists the rules that hold.
func (s *Server) ListAlertRules(ctx context.Context, req *projectsv1.ListAlertRulesRequest) (*projectsv1.ListAlertRulesResponse, error) {
	project := childID(req.GetParent())
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListAlertRulesResponse, error) {
		if project != "" {
			if _, err := seeProject(ctx, tx, project); err != nil {
				return nil, err
			}
		}
		rules, err := store.AlertRules(ctx, tx, project)
		return &projectsv1.ListAlertRulesResponse{AlertRules: each(rules, func(r *domain.AlertRule) *projectsv1.AlertRule { return ruleProto(project, r) })}, err
	})
}

// CreateAlertRule adds a rule to a level.
func (s *Server) CreateAlertRule(ctx context.Context, req *projectsv1.CreateAlertRuleRequest) (*projectsv1.AlertRule, error) {
	project := childID(req.GetParent())
	name := ruleName(project, req.GetAlertRuleId())
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.AlertRule, error) {
		p, err := lockRules(ctx, tx, project, req.GetParent())
		if err != nil {
			return nil, err
		}
		_, n, err := ruleIn(ctx, tx, project, req.GetAlertRuleId())
		if err == nil {
			return nil, errs.New(errs.AlreadyExists, errs.Exists, "%s exists already: change it", name).With("resource", name)
		}
		if errs.KindOf(err) != errs.NotFound {
			return nil, err
		}
		if n >= domain.MostAlertRules {
			return nil, errs.New(errs.FailedPrecondition, domain.AlertRuleWrong, "%d rules hold already", n)
		}
		r := &domain.AlertRule{ID: req.GetAlertRuleId(), Stamp: domain.NewStamp(s.now()),
			Kind: domain.AlertKind(word(projectsv1.AlertKind_name, "ALERT_KIND_", req.GetAlertRule().GetKind()))}
		writeRule(r, req.GetAlertRule())
		return s.putRule(ctx, tx, p, project, r, req.GetReason(), 0)
	})
}

// putRule checks and stores a rule of a level that was read at version was.
func (s *Server) putRule(ctx context.Context, tx *sqldb.Tx, p *domain.Project, project string, r *domain.AlertRule, reason string, was int64) (*projectsv1.AlertRule, error) {
	if err := r.Set(actor(ctx), reason, s.now()); err != nil {
		return nil, err
	}
	r.Level = domain.RuleOfNetwork
	if project != "" {
		r.Level = domain.RuleOfProject
	}
	if err := store.PutAlertRule(ctx, tx, project, ruleName(project, r.ID), r, was); err != nil {
		return nil, err
	}
	if p != nil {
		if err := s.refresh(ctx, tx, p); err != nil {
			return nil, err
		}
	}
	return ruleProto(project, r), nil
}

// UpdateAlertRule changes a rule at a level.
func (s *Server) UpdateAlertRule(ctx context.Context, req *projectsv1.UpdateAlertRuleRequest) (*projectsv1.AlertRule, error) {
	patch := req.GetAlertRule()
	project, id, err := ruleOf(patch.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.AlertRule, error) {
		p, err := lockRules(ctx, tx, project, patch.GetName())
		if err != nil {
			return nil, err
		}
		r, _, err := ruleIn(ctx, tx, project, id)
		if err != nil {
			return nil, err
		}
		if err := platform.CheckEtag(ruleName(project, id), patch.GetEtag(), r.Version); err != nil {
			return nil, err
		}
		m, err := platform.UpdateMask("alert_rule", ruleProto(project, r), patch, req.GetUpdateMask())
		if err != nil {
			return nil, err
		}
		was := r.Version
		if own := r.Level == domain.RuleOfProject; r.Level == domain.RuleShipped || (project != "") != own {
			// What another level says is taken over, and bent here from now on.
			was, r.Stamp, r.Changes = 0, domain.NewStamp(s.now()), nil
		} else {
			r.Touch(s.now())
		}
		writeRule(r, m)
		return s.putRule(ctx, tx, p, project, r, req.GetReason(), was)
	})
}

// DeleteAlertRule takes back what a level has changed of a rule.
func (s *Server) DeleteAlertRule(ctx context.Context, req *projectsv1.DeleteAlertRuleRequest) (*emptypb.Empty, error) {
	project, id, err := ruleOf(req.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*emptypb.Empty, error) {
		p, err := lockRules(ctx, tx, project, req.GetName())
		if err != nil {
			return nil, err
		}
		r, _, err := ruleIn(ctx, tx, project, id)
		if err != nil {
			return nil, err
		}
		if own := r.Level == domain.RuleOfProject; r.Level == domain.RuleShipped || (project != "") != own {
			return nil, errs.AbsentResource(req.GetName())
		}
		if err := platform.CheckEtag(req.GetName(), req.GetEtag(), r.Version); err != nil {
			return nil, err
		}
		if err := store.DeleteAlertRule(ctx, tx, project, req.GetName(), r); err != nil || p == nil {
			return &emptypb.Empty{}, err
		}
		return &emptypb.Empty{}, s.refresh(ctx, tx, p)
	})
}
