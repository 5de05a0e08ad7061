package demo

import (
	"context"
	"fmt"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
)

// plan is a project of the scenario and how far it goes.
type plan struct {
	key, lead    string
	title        string
	acronym      string
	start, end   string
	territory    string
	sectors      []string
	objectives   []string
	funder       *projectsv1.Funder // its organisation is a key
	partners     []string           // beside the lead
	stakeholders []*projectsv1.Stakeholder
	sample       bool // amounts and dates that the sources do not give are samples
	risks        []*projectsv1.Risk
	tasks        []job
	deliverables []deliverable
	lines        []line
	lessons      []lesson
	to           projectsv1.Phase
	// match, where set, is the need whose accepted match opens the project.
	match string
}

// job is a task: so many working days from a first day on, after others.
type job struct {
	key, title, organisation string
	parent, after            string // keys
	from                     string
	days                     int32
	percent                  int32
}

type deliverable struct {
	key, title, organisation, due string
	accepted                      bool
}

// line is a budget line with what was spent on it.
type line struct {
	key, organisation, description string
	category                       projectsv1.CostCategory
	amount                         *typev1.Money
	spent                          []expense
}

type expense struct {
	number, date, description string
	amount                    *typev1.Money
}

type lesson struct{ title, context, happened, recommendation string }

// phaseOrder is the order in which a project goes through the phases.
var phaseOrder = []projectsv1.Phase{
	projectsv1.Phase_PHASE_INITIATION, projectsv1.Phase_PHASE_PLANNING, projectsv1.Phase_PHASE_EXECUTION,
	projectsv1.Phase_PHASE_CLOSING, projectsv1.Phase_PHASE_CLOSED,
}

// card is the project card of a plan.
func (p plan) card(organisations map[string]string) *projectsv1.Project {
	out := &projectsv1.Project{
		Organisation: organisations[p.lead], Title: it(p.title), Acronym: p.acronym, CurrencyCode: "EUR", StartDate: p.start, EndDate: p.end,
		Territory: p.territory, Sectors: p.sectors, Stakeholders: p.stakeholders, Attributes: attributes(p.key),
		Partners: []*projectsv1.Partner{{Organisation: organisations[p.lead], Role: projectsv1.PartnerRole_PARTNER_ROLE_LEAD}},
		Team:     []*projectsv1.TeamMember{{Subject: "pm." + p.key + "@example.org", Role: projectsv1.TeamRole_TEAM_ROLE_MANAGER, Organisation: organisations[p.lead]}},
	}
	for _, o := range p.objectives {
		out.Objectives = append(out.Objectives, it(o))
	}
	if p.funder != nil {
		f := &projectsv1.Funder{DisplayName: p.funder.GetDisplayName(), Organisation: organisations[p.funder.GetOrganisation()], Programme: p.funder.GetProgramme(), Grant: p.funder.GetGrant()}
		out.Funders = []*projectsv1.Funder{f}
	}
	for _, o := range p.partners {
		out.Partners = append(out.Partners, &projectsv1.Partner{Organisation: organisations[o], Role: projectsv1.PartnerRole_PARTNER_ROLE_PARTNER})
	}
	if p.sample {
		out.Attributes["amounts_are_samples"] = "true"
	}
	return out
}

// projects loads the projects and takes each to its phase.
func (l *loader) projects(ctx context.Context, w *world) error {
	page := &projectsv1.ListProjectsResponse{}
	all, err := list(ctx, l, "/v1/projects", "", page, page.GetProjects)
	if err != nil {
		return err
	}
	have := byKey(all)
	for _, p := range plans {
		project := have[p.key]
		if p.match != "" {
			project, err = l.openFromMatch(ctx, w, p, all)
		} else if project == nil {
			project = &projectsv1.Project{}
			err = l.post(ctx, "/v1/projects", "project/"+p.key, p.card(w.organisations), project)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.key, err)
		}
		w.projects[p.key] = project.GetName()
		if err := l.carryOut(ctx, w, p, project); err != nil {
			return fmt.Errorf("%s: %w", p.key, err)
		}
	}
	return nil
}

func (l *loader) openFromMatch(ctx context.Context, w *world, p plan, all []*projectsv1.Project) (*projectsv1.Project, error) {
	match := w.matches[p.match]
	for _, have := range all {
		if have.GetMatch() == match {
			return have, nil
		}
	}
	out := &projectsv1.Project{}
	req := &projectsv1.OpenProjectFromMatchRequest{Match: match, Title: it(p.title), StartDate: p.start, EndDate: p.end, CurrencyCode: "EUR"}
	return out, l.post(ctx, "/v1/projects:openFromMatch", "project/"+p.key, req, out)
}

// carryOut plans the project, takes it through its gates, and records what was
// spent, delivered and learned. A closed project takes no more: it was closed
// last.
func (l *loader) carryOut(ctx context.Context, w *world, p plan, project *projectsv1.Project) error {
	if project.GetPhase() == projectsv1.Phase_PHASE_CLOSED {
		return nil
	}
	name := project.GetName()
	for _, step := range []func(context.Context, *world, plan, string) error{l.risks, l.tasks, l.responsibilities, l.budgetLines} {
		if err := step(ctx, w, p, name); err != nil {
			return err
		}
	}
	if err := l.advance(ctx, p, project, min(p.to, projectsv1.Phase_PHASE_EXECUTION)); err != nil {
		return err
	}
	for _, step := range []func(context.Context, *world, plan, string) error{l.deliverables, l.expenditures, l.lessons} {
		if err := step(ctx, w, p, name); err != nil {
			return err
		}
	}
	return l.advance(ctx, p, project, p.to)
}

// advance records the documents that each gate asks for, confirms the points of
// its checklist, and passes it.
func (l *loader) advance(ctx context.Context, p plan, project *projectsv1.Project, to projectsv1.Phase) error {
	for project.GetPhase() < to {
		gates := &projectsv1.ListGatesResponse{}
		if err := l.get(ctx, "/v1/"+project.GetName()+"/gates", gates); err != nil {
			return err
		}
		for _, g := range gates.GetGates() {
			if g.GetFrom() != project.GetPhase() {
				continue
			}
			for _, a := range g.GetArtefacts() {
				if a.GetReadiness() != projectsv1.Readiness_READINESS_MISSING {
					continue
				}
				if a.GetCheck() == projectsv1.ArtefactCheck_ARTEFACT_CHECK_CONFIRMATION {
					req := &projectsv1.ConfirmArtefactRequest{Artefact: a.GetArtefact(), Confirmed: true, Note: "Scenario dimostrativo"}
					if err := l.post(ctx, "/v1/"+g.GetName()+":confirm", "project/"+p.key+"/confirm/"+a.GetArtefact(), req, nil); err != nil {
						return err
					}
					continue
				}
				if a.GetCheck() != projectsv1.ArtefactCheck_ARTEFACT_CHECK_DOCUMENT {
					continue
				}
				req := &projectsv1.RecordArtefactRequest{Artefact: a.GetArtefact(), Uri: "https://example.org/" + p.key + "/" + a.GetArtefact() + ".pdf", Note: "Documento campione"}
				if err := l.post(ctx, "/v1/"+g.GetName()+":record", "project/"+p.key+"/artefact/"+a.GetArtefact(), req, nil); err != nil {
					return err
				}
			}
		}
		key := fmt.Sprintf("project/%s/advance-from-%d", p.key, project.GetPhase())
		if err := l.post(ctx, "/v1/"+project.GetName()+":advance", key, &projectsv1.AdvanceProjectRequest{Note: "Scenario dimostrativo"}, project); err != nil {
			return err
		}
	}
	return nil
}
