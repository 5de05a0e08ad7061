package e2e

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
)

// shared are the kinds of resources that belong to the network, or that everybody
// in it sees.
var shared = map[string]bool{
	"vocabularies/*": true, "vocabularies/*/terms/*": true, "programmes/*": true,
	"courses/*": true, "editions/*": true, "editions/*/sessions/*": true,
	"organisations/*": true, "ruleSets/*": true, "ruleSets/*/versions/*": true, "alertRules/*": true, "gateTemplates/*": true,
}

// publicReads are the methods of scope ORGANISATION that may answer about
// another organisation's resource, and why.
var publicReads = map[string]string{
	"OrganisationService.GetOrganisation":    "a published organisation is public",
	"OrganisationService.LookupOrganisation": "a published organisation is public",
	"RollUpService.ListContributions":        "automatic indicators are the network's; what is listed is the caller's",
	"LessonService.ListLessons":              "lists what is shared with the caller, of any project: nothing, here",
	"MatchService.ListCandidates":            "programmes are the network's; its candidates are filtered to the caller's",
}

// readByAll are methods that change what an organisation owns and the whole
// network reads: that it is there is no secret.
var readByAll = map[string]bool{"GateService.UpdateGateTemplate": true, "GateService.DeleteGateTemplate": true}

// openToAll are methods of scope SELF that are about the caller's own person and
// name what the network offers everybody.
var openToAll = map[string]string{
	"EnrolmentService.JoinEdition":    "editions take people of every organisation",
	"InterestService.ExpressInterest": "courses take people of every organisation",
}

// targetFields name the fields that decide whose resource it is, where that is
// not what the path names.
var targetFields = map[string][]binding{
	"InterestService.CreateInterest":   {{"interest.learner", "learners/*"}},
	"EnrolmentService.CreateEnrolment": {{"enrolment.learner", "learners/*"}},
	"MatchService.Explain":             {{"demand", "needs/*"}, {"supply", "(solutions|serviceOfferings)/*"}},
	"MatchService.ProposeMatch":        {{"demand", "needs/*"}, {"supply", "(solutions|serviceOfferings)/*"}},
}

// valueTargets are methods whose resource is named by a value that an override
// sets, not by a resource name.
var valueTargets = map[string]bool{
	"OrganisationService.LookupOrganisation": true,
	"CertificateService.VerifyCertificate":   true,
	"IndicatorService.CreateIndicator":       true,
	"TheoryService.CreateTheory":             true,
	"GateService.CreateGateTemplate":         true,
}

// domainRefusals are methods whose minimal request is refused by a rule that is
// looked at after the rights, with INVALID_ARGUMENT.
var domainRefusals = map[string]bool{}

// unstable are reads whose answers change by themselves.
var unstable = map[string]bool{
	"DashboardService.GetDashboard": true, "DashboardService.QueryPortfolio": true, // carry the time
	"AlertService.StreamAlerts":           true, // carries where it begins
	"ScheduleService.ExportCalendarFeed":  true, // carries the time
	"ExportService.DownloadClosingReport": true, // carries the time
}

// networkRoutes are routes of methods of scope ORGANISATION that are about what
// is the network's: all members read it, only operators change it.
var networkRoutes = map[string]bool{
	"/v1/alertRules": true, "/v1/{name=alertRules/*}": true, "/v1/{alert_rule.name=alertRules/*}": true,
}

// notForFunders are reads that admit a funder's people, as everybody, and show
// them nothing of their own organisation's: a funder reads what was submitted to
// it, and what is published.
var notForFunders = map[string]bool{
	"EventService.GetEvent": true, "IdeaService.GetIdea": true, "JobProfileService.GetJobProfile": true, "NeedService.GetNeed": true,
	"ServiceOfferingService.GetServiceOffering": true, "SolutionService.GetSolution": true, "LessonService.GetLesson": true,
}

// actsForOthers reports whether a caller of a method of scope SELF may act for
// others by a role of the network.
func actsForOthers(m method, c caller) bool {
	return m.access.GetScope() == authzv1.Scope_SCOPE_SELF && slices.Contains(tokenRoles, c.role)
}

// theirOwn reports whether, in a method of scope SELF, the fixture's resource is the
// caller's own.
func theirOwn(c caller) bool { return c.role == authzv1.Role_ROLE_LEARNER }

// ownerOf is the organisation that a request names as the owner.
func (w *world) ownerOf(v variant) string {
	if v == absent {
		return "organisations/" + absentID
	}
	return w.organisation
}

// override completes a minimal request where the domain's rules want more.
type override func(t *testing.T, x *matrix, w *world, v variant, req proto.Message)

// set is an override that needs nothing but the request.
func set[M proto.Message](change func(M)) override {
	return func(_ *testing.T, _ *matrix, _ *world, _ variant, req proto.Message) { change(req.(M)) }
}

var overrides = map[string]override{
	"AccessService.CreateMembership": set(func(r *cataloguev1.CreateMembershipRequest) {
		r.Membership.Role, r.Membership.Subject = authzv1.Role_ROLE_LEARNER, "e2e-"+unique()
	}),
	// There is no etag: a membership of its own is made to be deleted.
	"AccessService.DeleteMembership": func(t *testing.T, x *matrix, w *world, v variant, req proto.Message) {
		if x.granting && (v == own || v == other) {
			req.(*cataloguev1.DeleteMembershipRequest).Name = post[*cataloguev1.Membership](t, x.operator(t), w.organisation+"/memberships",
				&cataloguev1.Membership{Subject: "e2e-" + unique(), Role: authzv1.Role_ROLE_LEARNER}).GetName()
		}
	},
	"OrganisationService.LookupOrganisation": func(t *testing.T, x *matrix, w *world, v variant, req proto.Message) {
		r := req.(*cataloguev1.LookupOrganisationRequest)
		id := get[*cataloguev1.Organisation](t, x.operator(t), w.organisation).GetIdentifiers()[0]
		r.Type, r.Scheme, r.Value = id.GetType(), id.GetScheme(), id.GetValue()
		if v == absent {
			r.Value = absentID
		}
	},
	"ImportService.ImportOrganisations": set(func(r *cataloguev1.ImportOrganisationsRequest) {
		r.Csv, r.ValidateOnly = []byte("tax_code,display_name\n"), true
	}),
	"CertificateService.VerifyCertificate": func(t *testing.T, x *matrix, w *world, v variant, req proto.Message) {
		r := req.(*trainingv1.VerifyCertificateRequest)
		r.Code = get[*trainingv1.Certificate](t, x.operator(t), w.names["certificates/*"]).GetVerificationCode()
		if v == absent {
			r.Code = "NESSUNO"
		}
	},
	"ExpenditureService.CreateExpenditure": set(func(r *projectsv1.CreateExpenditureRequest) {
		r.Expenditure.Amount = euros(100)
		r.Expenditure.Document = &projectsv1.Document{Issuer: "Fornitore", Number: unique(), Date: day(-1)}
	}),
	"ExpenditureService.UpdateExpenditure": set(func(r *projectsv1.UpdateExpenditureRequest) {
		r.Expenditure.AmountNote, r.UpdateMask = "Prova", &fieldmaskpb.FieldMask{Paths: []string{"amount_note"}}
	}),
	"ClaimService.CreateClaim": func(_ *testing.T, _ *matrix, w *world, _ variant, req proto.Message) {
		c := req.(*projectsv1.CreateClaimRequest).Claim
		c.Organisation, c.Funder, c.StartDate, c.EndDate = w.organisation, "f1", "", ""
	},
	"FileService.UploadFile": set(func(r *projectsv1.UploadFileRequest) { r.GetHeader().DisplayName = "prova.pdf" }),
	"AlertRuleService.CreateAlertRule": set(func(r *projectsv1.CreateAlertRuleRequest) {
		r.AlertRule, r.AlertRuleId = alertRule(), ruleSetID()
	}),
	"RuleSetService.PublishRuleSet": set(func(r *projectsv1.PublishRuleSetRequest) { r.Source = ruleSet(ruleSetID()) }),
	"RuleSetService.CheckRuleSet":   set(func(r *projectsv1.CheckRuleSetRequest) { r.Source = ruleSet("prova") }),
	"ScheduleService.UpdateSchedule": set(func(r *projectsv1.UpdateScheduleRequest) {
		r.Schedule.StatusDate, r.UpdateMask = day(0), &fieldmaskpb.FieldMask{Paths: []string{"status_date"}}
	}),
	"ScheduleService.ImportSchedule": func(_ *testing.T, _ *matrix, w *world, _ variant, req proto.Message) {
		r := req.(*projectsv1.ImportScheduleRequest)
		r.File, r.DryRun, r.Mode = w.mspdi, true, projectsv1.ImportMode_IMPORT_MODE_REPLACE
	},
	"PlanService.BatchUpdateTasks": func(_ *testing.T, _ *matrix, w *world, v variant, req proto.Message) {
		r := req.(*projectsv1.BatchUpdateTasksRequest)
		task := w.names["projects/*/tasks/*"]
		if v == absent {
			task = uuid.ReplaceAllString(task, absentID)
		}
		r.Requests = []*projectsv1.UpdateTaskRequest{{
			Task: &projectsv1.Task{Name: task, Title: text("Prova")}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"title"}},
		}}
	},
	"ProjectImportService.ImportProjects": set(func(r *projectsv1.ImportProjectsRequest) {
		r.Table, r.ValidateOnly = []byte("id;titolo\n"), true
		r.Mapping = &projectsv1.ProjectImportMapping{
			Rows: projectsv1.ProjectImportRows_PROJECT_IMPORT_ROWS_PROJECTS, Source: "prova", KeyColumns: []string{"id"}, Values: []*projectsv1.ProjectImportValue{
				{Field: projectsv1.ProjectImportField_PROJECT_IMPORT_FIELD_TITLE, Column: "titolo"},
				{Field: projectsv1.ProjectImportField_PROJECT_IMPORT_FIELD_AMOUNT, Constant: "1"},
				{Field: projectsv1.ProjectImportField_PROJECT_IMPORT_FIELD_START_DATE, Constant: "2024-01-01"},
				{Field: projectsv1.ProjectImportField_PROJECT_IMPORT_FIELD_END_DATE, Constant: "2026-12-31"},
			},
		}
	}),
	"BudgetService.CreateBudgetLine": func(_ *testing.T, _ *matrix, w *world, _ variant, req proto.Message) {
		line := req.(*projectsv1.CreateBudgetLineRequest).BudgetLine
		line.Organisation, line.Category, line.Amount = w.organisation, projectsv1.CostCategory_COST_CATEGORY_STAFF, euros(100)
	},
	"BudgetService.CreateBudgetVersion": set(func(r *projectsv1.CreateBudgetVersionRequest) { r.BudgetVersion.Reason = "Prova" }),
	"RollUpService.ListContributions": func(_ *testing.T, _ *matrix, _ *world, v variant, req proto.Message) {
		if v != absent {
			req.(*impactv1.ListContributionsRequest).Parent = peopleEnrolled
		}
	},
	"IndicatorService.CreateIndicator": func(_ *testing.T, _ *matrix, w *world, v variant, req proto.Message) {
		req.(*impactv1.CreateIndicatorRequest).Indicator.Organisation = w.ownerOf(v)
	},
	"TheoryService.CreateTheory": func(_ *testing.T, _ *matrix, w *world, v variant, req proto.Message) {
		req.(*impactv1.CreateTheoryRequest).Theory.Organisation = w.ownerOf(v)
	},
	"RiskService.CreateRisk": func(_ *testing.T, _ *matrix, w *world, _ variant, req proto.Message) {
		r := req.(*projectsv1.CreateRiskRequest).Risk
		r.Probability, r.Impact, r.Organisation = 1, 1, w.organisation
	},
	"EditionService.CreateEdition": func(t *testing.T, x *matrix, w *world, v variant, req proto.Message) {
		r := req.(*trainingv1.CreateEditionRequest)
		counter++
		r.Edition.Course, r.Edition.Number = w.names["courses/*"], counter
	},
	"EnrolmentService.JoinEdition": func(_ *testing.T, x *matrix, w *world, _ variant, req proto.Message) {
		req.(*trainingv1.JoinEditionRequest).Person = &trainingv1.Person{GivenName: "Ida", FamilyName: "Verdi", Organisation: x.own.organisation}
	},
	"InterestService.ExpressInterest": func(_ *testing.T, x *matrix, w *world, _ variant, req proto.Message) {
		req.(*trainingv1.ExpressInterestRequest).Person = &trainingv1.Person{GivenName: "Ida", FamilyName: "Verdi", Organisation: x.own.organisation}
	},
	"MeasurementService.CreateMeasurement": set(func(r *impactv1.CreateMeasurementRequest) {
		counter++
		r.Measurement.Value.Value = "1"
		r.Measurement.StartDate, r.Measurement.EndDate = day(int(-2*counter)-1000), day(int(-2*counter)-999)
	}),
	"IssueService.CreateIssue": func(_ *testing.T, _ *matrix, w *world, _ variant, req proto.Message) {
		i := req.(*projectsv1.CreateIssueRequest).Issue
		i.Severity, i.Urgency, i.Organisation = 1, 1, w.organisation
	},
	"ChangeService.CreateChangeRequest": func(_ *testing.T, _ *matrix, w *world, _ variant, req proto.Message) {
		req.(*projectsv1.CreateChangeRequestRequest).ChangeRequest.Organisation = w.organisation
	},
	"ProcurementService.CreateProcurement": set(func(r *projectsv1.CreateProcurementRequest) {
		r.Procurement.Procedure, r.Procurement.PlannedDate = projectsv1.ProcurementProcedure_PROCUREMENT_PROCEDURE_QUOTES, day(20)
	}),
	"QualityService.CreateQualityCheck": func(_ *testing.T, _ *matrix, w *world, _ variant, req proto.Message) {
		req.(*projectsv1.CreateQualityCheckRequest).QualityCheck.Deliverable = w.names["projects/*/deliverables/*"]
	},
	"GateService.CreateGateTemplate": func(_ *testing.T, _ *matrix, w *world, v variant, req proto.Message) {
		r := req.(*projectsv1.CreateGateTemplateRequest)
		r.GateTemplate, r.GateTemplateId = gateTemplate(w.ownerOf(v)), ruleSetID()
	},
	"TheoryService.RecordEvidence": set(func(r *impactv1.RecordEvidenceRequest) {
		r.From, r.To, r.Assumption, r.Evidence.Date = "a", "o", "x", day(-1)
	}),
}
