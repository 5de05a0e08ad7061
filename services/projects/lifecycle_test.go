package projects_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/testkit"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

func TestAProjectGoesThroughItsGates(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		me := s.As(manager, leader)
		p := s.project()
		if p.GetPhase() != projectsv1.Phase_PHASE_INITIATION || p.GetEtag() == "" {
			t.Fatalf("opened as %v", p)
		}
		advance := func() (*projectsv1.Project, error) {
			return s.AdvanceProject(me, &projectsv1.AdvanceProjectRequest{Name: p.GetName(), Note: "approvato"})
		}
		_, err := advance()
		e := refused(t, err, codes.FailedPrecondition, domain.GateNotReady)
		if e.Metadata["missing"] != "initiation-request,business-case" {
			t.Errorf("missing %q", e.Metadata["missing"])
		}
		record := func(gate string, keys ...string) {
			t.Helper()
			for _, key := range keys {
				must[*projectsv1.Gate](t)(s.RecordArtefact(me, &projectsv1.RecordArtefactRequest{
					Name: p.GetName() + "/gates/" + gate, Artefact: key, Uri: "https://example.org/" + key}))
			}
		}
		record("rfp", "initiation-request", "business-case")
		p = must[*projectsv1.Project](t)(advance())

		// Planning: a gate that is passed stays as it is; the next asks for a plan.
		_, err = s.WaiveArtefact(me, &projectsv1.WaiveArtefactRequest{Name: p.GetName() + "/gates/rfp", Artefact: "charter", Reason: "tardi"})
		refused(t, err, codes.FailedPrecondition, domain.GatePassed)
		record("rfe", "handbook", "risk-plan", "quality-plan", "communication-plan", "acceptance-plan")
		must[*projectsv1.Gate](t)(s.WaiveArtefact(me, &projectsv1.WaiveArtefactRequest{Name: p.GetName() + "/gates/rfe", Artefact: "procurement-plan", Reason: "nessun acquisto"}))
		must[*projectsv1.Gate](t)(s.RemoveArtefact(me, &projectsv1.RemoveArtefactRequest{Name: p.GetName() + "/gates/rfe", Artefact: "stakeholder-matrix", Reason: "progetto piccolo"}))
		must[*projectsv1.Gate](t)(s.RequireArtefact(me, &projectsv1.RequireArtefactRequest{Name: p.GetName() + "/gates/rfe", Artefact: "privacy",
			Title: text("Valutazione d'impatto"), Reason: "dati sensibili"}))
		_, err = advance()
		e = refused(t, err, codes.FailedPrecondition, domain.GateNotReady)
		if e.Metadata["missing"] != "work-plan,budget,privacy" {
			t.Errorf("missing %q", e.Metadata["missing"])
		}
		_, err = s.RecordArtefact(me, &projectsv1.RecordArtefactRequest{Name: p.GetName() + "/gates/rfe", Artefact: "work-plan", Uri: "https://example.org/x"})
		refused(t, err, codes.FailedPrecondition, domain.ArtefactComputed)
		_, err = s.RecordArtefact(me, &projectsv1.RecordArtefactRequest{Name: p.GetName() + "/gates/rfe", Artefact: "privacy"})
		refused(t, err, codes.InvalidArgument, domain.EvidenceMissing)
		record("rfe", "privacy")
		s.answersFor(s.task(p, "Analisi", 10))
		s.line(p, leader, 5_000_000)
		gate := must[*projectsv1.Gate](t)(s.GetGate(me, &projectsv1.GetGateRequest{Name: p.GetName() + "/gates/rfe"}))
		var actions []string
		for _, c := range s.trail(p.GetName(), gate.GetName()) {
			actions = append(actions, c.GetAction()+" "+c.GetArtefact()+" "+c.GetNote())
			if c.GetActor() != testkit.Subject(manager, leader) {
				t.Errorf("done by %q", c.GetActor())
			}
		}
		if !gate.GetReady() || !slices.Contains(actions, "WAIVED procurement-plan nessun acquisto") || !slices.Contains(actions, "REMOVED stakeholder-matrix progetto piccolo") {
			t.Errorf("ready %v after %v", gate.GetReady(), actions)
		}
		p = must[*projectsv1.Project](t)(advance())

		// Execution: back to planning once, with a reason, and forward again.
		_, err = s.ReturnProject(me, &projectsv1.ReturnProjectRequest{Name: p.GetName(), Phase: projectsv1.Phase_PHASE_CLOSING, Reason: "x"})
		refused(t, err, codes.FailedPrecondition, domain.PhaseNotEarlier)
		p = must[*projectsv1.Project](t)(s.ReturnProject(me, &projectsv1.ReturnProjectRequest{Name: p.GetName(), Phase: projectsv1.Phase_PHASE_PLANNING, Reason: "il bando è cambiato"}))
		p = must[*projectsv1.Project](t)(advance())
		d := must[*projectsv1.Deliverable](t)(s.CreateDeliverable(me, &projectsv1.CreateDeliverableRequest{Parent: p.GetName(),
			Deliverable: &projectsv1.Deliverable{Title: text("Rapporto"), DueDate: "2026-06-30"}}))
		_, err = advance()
		if e = refused(t, err, codes.FailedPrecondition, domain.GateNotReady); !strings.Contains(e.Message, d.GetName()) {
			t.Errorf("%q does not name the deliverable", e.Message)
		}
		must[*projectsv1.Deliverable](t)(s.SubmitDeliverable(me, &projectsv1.SubmitDeliverableRequest{Name: d.GetName(), Uri: "https://example.org/r"}))
		must[*projectsv1.Deliverable](t)(s.AcceptDeliverable(me, &projectsv1.AcceptDeliverableRequest{Name: d.GetName()}))
		p = must[*projectsv1.Project](t)(advance())

		// Closing.
		record("close", "project-end-report")
		_, err = advance()
		refused(t, err, codes.FailedPrecondition, domain.GateNotReady)
		lesson := &projectsv1.Lesson{Title: text("Presto"), WhatHappened: text("Tardi"), Recommendation: text("Prima")}
		must[*projectsv1.Lesson](t)(s.CreateLesson(me, &projectsv1.CreateLessonRequest{Parent: p.GetName(), Lesson: lesson}))
		for _, key := range []string{"results-handed-over", "documents-archived"} {
			must[*projectsv1.Gate](t)(s.ConfirmArtefact(me, &projectsv1.ConfirmArtefactRequest{Name: p.GetName() + "/gates/close", Artefact: key, Confirmed: true, Note: "fatto"}))
		}
		p = must[*projectsv1.Project](t)(advance())
		if p.GetPhase() != projectsv1.Phase_PHASE_CLOSED || p.GetOutcome() != projectsv1.Outcome_OUTCOME_COMPLETED || p.GetCloseTime() == nil {
			t.Fatalf("closed as %v", p)
		}
		_, err = advance()
		refused(t, err, codes.FailedPrecondition, domain.ProjectClosed)
		_, err = s.CreateTask(me, &projectsv1.CreateTaskRequest{Parent: p.GetName(), Task: &projectsv1.Task{Title: text("x")}})
		refused(t, err, codes.FailedPrecondition, domain.ProjectClosed)
		must[*projectsv1.Lesson](t)(s.CreateLesson(me, &projectsv1.CreateLessonRequest{Parent: p.GetName(), Lesson: lesson}))

		moves := must[*projectsv1.ListPhaseMovesResponse](t)(s.ListPhaseMoves(me, &projectsv1.ListPhaseMovesRequest{Parent: p.GetName()})).GetPhaseMoves()
		var way []string
		for _, m := range moves {
			way = append(way, strings.TrimPrefix(m.GetTo().String(), "PHASE_"))
		}
		if got := strings.Join(way, " "); got != "INITIATION PLANNING EXECUTION PLANNING EXECUTION CLOSING CLOSED" {
			t.Errorf("history %s", got)
		}
		if !slices.Equal(moves[2].GetWaived(), []string{"procurement-plan"}) || moves[3].GetReason() != "il bando è cambiato" {
			t.Errorf("history %v", moves)
		}

		// The project's events: one for each version, and none twice.
		var kinds []string
		for _, e := range s.Events() {
			if e.Envelope.GetAggregate() != p.GetName() {
				continue
			}
			kinds = append(kinds, strings.TrimPrefix(string(e.Data.ProtoReflect().Descriptor().Name()), "Project"))
			if v := e.Envelope.GetAggregateVersion(); v != int64(len(kinds)) || e.Envelope.GetOwner() != leader {
				t.Errorf("event %d: version %d, owner %s", len(kinds), v, e.Envelope.GetOwner())
			}
			if m, ok := e.Data.(*projectsv1.ProjectOpened); ok && (len(m.GetProject().GetTeam()) > 0 || m.GetProject().GetTerritory() != "it-21") {
				t.Errorf("opened with %v", m.GetProject())
			}
		}
		if got := strings.Join(kinds, " "); got != "Opened PhaseChanged PhaseChanged PhaseChanged PhaseChanged PhaseChanged PhaseChanged Closed" {
			t.Errorf("events %s", got)
		}
	})
}

func TestTheNetworkBendsItsTemplate(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		boss := s.As(operator, "")
		template := must[*projectsv1.GateTemplate](t)(s.GetGateTemplate(s.As(partner, member), &projectsv1.GetGateTemplateRequest{Name: "gateTemplates/default"}))
		before := s.project()
		template.Gates[0].Artefacts = append(template.Gates[0].Artefacts[:1], &projectsv1.Artefact{Artefact: "ethics", Title: text("Etica"), Check: projectsv1.ArtefactCheck_ARTEFACT_CHECK_DOCUMENT})
		template = must[*projectsv1.GateTemplate](t)(s.UpdateGateTemplate(boss, &projectsv1.UpdateGateTemplateRequest{GateTemplate: template}))
		stale := proto.CloneOf(template)
		must[*projectsv1.GateTemplate](t)(s.UpdateGateTemplate(boss, &projectsv1.UpdateGateTemplateRequest{GateTemplate: template}))
		_, err := s.UpdateGateTemplate(boss, &projectsv1.UpdateGateTemplateRequest{GateTemplate: stale})
		refused(t, err, codes.Aborted, errs.StaleEtag)
		stale.Etag, stale.Gates = "", stale.Gates[1:]
		_, err = s.UpdateGateTemplate(boss, &projectsv1.UpdateGateTemplateRequest{GateTemplate: stale})
		refused(t, err, codes.InvalidArgument, domain.TemplateWrong)
		_, err = s.UpdateGateTemplate(s.As(admin, leader), &projectsv1.UpdateGateTemplateRequest{GateTemplate: template})
		refused(t, err, codes.PermissionDenied, errs.RoleMissing)

		keys := func(p *projectsv1.Project) (out []string) {
			gates := must[*projectsv1.ListGatesResponse](t)(s.ListGates(s.As(partner, other), &projectsv1.ListGatesRequest{Parent: p.GetName()})).GetGates()
			for _, a := range gates[0].GetArtefacts() {
				out = append(out, a.GetArtefact())
			}
			return out
		}
		if got := keys(before); !slices.Equal(got, []string{"initiation-request", "business-case", "charter"}) {
			t.Errorf("a project opened before asks for %v", got)
		}
		if got := keys(s.project()); !slices.Equal(got, []string{"initiation-request", "ethics"}) {
			t.Errorf("a project opened after asks for %v", got)
		}
	})
}

func TestCardsAreCreatedOnceAndChangedByMask(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		me := s.As(manager, leader)
		req := &projectsv1.CreateProjectRequest{Project: card(), RequestId: "k1"}
		a := must[*projectsv1.Project](t)(s.CreateProject(me, req))
		b := must[*projectsv1.Project](t)(s.CreateProject(me, req))
		if !proto.Equal(a, b) {
			t.Errorf("a repeated request gave %s, then %s", a.GetName(), b.GetName())
		}
		req.Project.Acronym = "RETE"
		_, err := s.CreateProject(me, req)
		refused(t, err, codes.AlreadyExists, errs.RequestIDReused)

		got := must[*projectsv1.Project](t)(s.UpdateProject(me, &projectsv1.UpdateProjectRequest{
			Project: &projectsv1.Project{Name: a.GetName(), Etag: a.GetEtag(), Acronym: "RETE"}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"acronym"}}}))
		want := proto.CloneOf(a)
		want.Acronym, want.Etag, want.UpdateTime = "RETE", got.GetEtag(), got.GetUpdateTime()
		if !proto.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if again := must[*projectsv1.Project](t)(s.GetProject(me, &projectsv1.GetProjectRequest{Name: a.GetName()})); !proto.Equal(again, got) {
			t.Errorf("read %v, want %v", again, got)
		}
		_, err = s.UpdateProject(me, &projectsv1.UpdateProjectRequest{Project: &projectsv1.Project{Name: a.GetName(), Etag: a.GetEtag(), Acronym: "X"}})
		refused(t, err, codes.Aborted, errs.StaleEtag)
		for _, path := range []string{"organisation", "currency_code", "phase", "match", "create_time", "nothing"} {
			_, err = s.UpdateProject(me, &projectsv1.UpdateProjectRequest{UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{path}},
				Project: &projectsv1.Project{Name: a.GetName(), Organisation: member, CurrencyCode: "SEK", Phase: projectsv1.Phase_PHASE_CLOSED, Match: "matches/x"}})
			refused(t, err, codes.InvalidArgument, errs.InvalidUpdateMask)
		}
		for name, change := range map[string]func(p *projectsv1.Project){
			"project.end_date":                      func(p *projectsv1.Project) { p.EndDate = "2026-13-01" },
			"project.title":                         func(p *projectsv1.Project) { p.Title = nil },
			"project.partners":                      func(p *projectsv1.Project) { p.Partners = p.Partners[1:] },
			"project.funders[0].grant":              func(p *projectsv1.Project) { p.Funders[0].Grant.CurrencyCode = "SEK" },
			"project.cup":                           func(p *projectsv1.Project) { p.Cup = "b11b23000110001" },
			"project.organisation":                  func(p *projectsv1.Project) { p.Organisation = "" },
			"project.currency_code":                 func(p *projectsv1.Project) { p.CurrencyCode = "" },
			"project.funders[0].share_basis_points": func(p *projectsv1.Project) { p.Funders[0].ShareBasisPoints = 10_001 },
		} {
			p := card()
			change(p)
			_, err := s.CreateProject(me, &projectsv1.CreateProjectRequest{Project: p})
			e := fieldsOf(t, err)
			if !slices.Contains(e, name) {
				t.Errorf("%s: the error names %v", name, e)
			}
		}
		list := must[*projectsv1.ListProjectsResponse](t)(s.ListProjects(me, &projectsv1.ListProjectsRequest{})).GetProjects()
		if len(list) != 1 {
			t.Errorf("%d projects after refused ones, want 1", len(list))
		}
		if n := len(testkit.EventsOf[*projectsv1.ProjectUpdated](s.Env)); n != 1 {
			t.Errorf("%d updates told of, want 1", n)
		}
	})
}
