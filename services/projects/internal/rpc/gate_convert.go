package rpc

import (
	"strconv"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/ids"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

func checkOf(c projectsv1.ArtefactCheck) domain.Check {
	return domain.Check(word(projectsv1.ArtefactCheck_name, "ARTEFACT_CHECK_", c))
}

func roleProto(role string) authzv1.Role {
	return value[authzv1.Role](authzv1.Role_value, "ROLE_", role)
}

func itemProto(i domain.Item) *projectsv1.Artefact {
	out := &projectsv1.Artefact{
		Artefact: i.Key, Title: textProto(i.Title), Check: value[projectsv1.ArtefactCheck](projectsv1.ArtefactCheck_value, "ARTEFACT_CHECK_", i.Check),
		Uri: i.URI, Sha256: i.SHA256, Bent: i.Bent, WaiverExpireDate: string(i.Until),
	}
	if i.By != nil {
		out.Actor, out.Role, out.Note, out.ActTime = i.By.Actor, roleProto(i.By.Role), i.By.Note, timeProto(i.By.Time)
	}
	return out
}

func gateProto(p *domain.Project, g *domain.Gate, facts domain.Facts, pending *domain.GateApproval) *projectsv1.Gate {
	out := &projectsv1.Gate{
		Name: g.Name(), From: phaseProto(g.Key.From()), To: phaseProto(g.Key.To()), Approvers: each(g.Approvers, roleProto),
		FourEyes: g.FourEyes, Passed: g.Key.From().Before(p.Phase) && p.Outcome != domain.Cancelled, Ready: true, UpdateTime: timeProto(g.Updated), Etag: platform.Etag(g.Version),
	}
	if pending != nil && pending.Gate == g.Key {
		out.PendingRequest = domain.NameOf(pending)
	}
	for _, s := range g.Readiness(facts) {
		m := itemProto(s.Item)
		m.Readiness = value[projectsv1.Readiness](projectsv1.Readiness_value, "READINESS_", s.State)
		m.Shortcomings = s.Shortcomings
		out.Ready = out.Ready && s.State != domain.Missing
		out.Artefacts = append(out.Artefacts, m)
	}
	return out
}

func moveProto(m domain.PhaseMove) *projectsv1.PhaseMove {
	return &projectsv1.PhaseMove{
		Name: ids.Name("projects", m.Project, "phaseMoves", strconv.FormatInt(m.Version, 10)),
		From: phaseProto(m.From), To: phaseProto(m.To), Actor: m.Actor, Reason: m.Reason, Waived: m.Waived, MoveTime: timeProto(m.Time),
	}
}

func approvalProto(x *domain.GateApproval, _ civil.Date) *projectsv1.GateApproval {
	return &projectsv1.GateApproval{
		Name: domain.NameOf(x), Gate: ids.Name("projects", x.Project, "gates", string(x.Gate)), Requester: x.Requester, Note: x.Note,
		Artefacts: each(x.Snapshot, snapshotProto), Ready: x.Ready(),
		State:   value[projectsv1.GateApprovalState](projectsv1.GateApprovalState_value, "GATE_APPROVAL_STATE_", x.State),
		Decider: x.Decider, DeciderRole: roleProto(x.DeciderRole), DecisionNote: x.DecisionNote, ArtefactsAtDecision: each(x.AtDecision, snapshotProto),
		DecideTime: timeProto(x.Decided), CreateTime: timeProto(x.Created), Etag: platform.Etag(x.Version),
	}
}

func snapshotProto(x domain.Snapshot) *projectsv1.ArtefactSnapshot {
	return &projectsv1.ArtefactSnapshot{Artefact: x.Key, Readiness: value[projectsv1.Readiness](projectsv1.Readiness_value, "READINESS_", x.State),
		Shortcomings: x.Shortcomings, WaivedBy: x.WaivedBy}
}

func templateProto(t *domain.Template) *projectsv1.GateTemplate {
	out := &projectsv1.GateTemplate{Name: t.Name(), Title: textProto(t.Title), Programme: t.Programme, Organisation: t.Organisation,
		UpdateTime: timeProto(t.Updated), Etag: platform.Etag(t.Version)}
	for _, r := range t.Gates {
		out.Gates = append(out.Gates, &projectsv1.GateRule{Gate: string(r.Gate), Approvers: each(r.Approvers, roleProto), FourEyes: r.FourEyes, Artefacts: each(r.Items, itemProto)})
	}
	return out
}

func rulesOf(m *projectsv1.GateTemplate) []domain.Rule {
	return each(m.GetGates(), func(r *projectsv1.GateRule) domain.Rule {
		return domain.Rule{
			Gate:      domain.GateKey(r.GetGate()),
			FourEyes:  r.GetFourEyes(),
			Approvers: each(r.GetApprovers(), func(x authzv1.Role) string { return word(authzv1.Role_name, "ROLE_", x) }),
			Items: each(r.GetArtefacts(), func(a *projectsv1.Artefact) domain.Item {
				return domain.Item{Key: a.GetArtefact(), Title: textOf(a.GetTitle()), Check: checkOf(a.GetCheck())}
			}),
		}
	})
}
