package e2e

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/trama-suite/trama/gateway/rest"
	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/platform/auth"
)

// The roles that are held in an organisation, and those of tokens.
var (
	memberRoles = []authzv1.Role{
		authzv1.Role_ROLE_ORGANISATION_ADMIN, authzv1.Role_ROLE_PROJECT_MANAGER, authzv1.Role_ROLE_PROJECT_PARTNER,
		authzv1.Role_ROLE_TRAINER, authzv1.Role_ROLE_LEARNER, authzv1.Role_ROLE_SUPPLIER,
		authzv1.Role_ROLE_FUNDER,
	}
	tokenRoles = []authzv1.Role{
		authzv1.Role_ROLE_NETWORK_OPERATOR, authzv1.Role_ROLE_REGIONAL_OPERATOR, authzv1.Role_ROLE_AUDITOR, authzv1.Role_ROLE_SERVICE,
	}
)

func text(s string) *typev1.LocalizedText { return &typev1.LocalizedText{Text: s, LanguageCode: "it"} }

func euros(cents int64) *typev1.Money {
	return &typev1.Money{MinorUnits: cents, CurrencyCode: "EUR"}
}

// day is the date that many days from today.
func day(n int) string { return time.Now().UTC().AddDate(0, 0, n).Format(time.DateOnly) }

// post sends a message that must be accepted, and returns the answer.
func post[T proto.Message](t *testing.T, c *rest.Client, path string, in proto.Message, opts ...rest.Option) T {
	t.Helper()
	var none T
	out := none.ProtoReflect().Type().New().Interface().(T)
	if err := c.Post(t.Context(), "/v1/"+path, in, out, opts...); err != nil {
		t.Fatalf("POST %s: %v", path, err)
	}
	return out
}

// get reads what must be there.
func get[T proto.Message](t *testing.T, c *rest.Client, path string) T {
	t.Helper()
	var none T
	out := none.ProtoReflect().Type().New().Interface().(T)
	if err := c.Get(t.Context(), "/v1/"+path, out); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	return out
}

// organisation makes and publishes an organisation.
func (s *shape) organisation(t *testing.T, title string, kinds ...cataloguev1.OrganisationKind) string {
	t.Helper()
	op := s.operator(t)
	o := post[*cataloguev1.Organisation](t, op, "organisations", &cataloguev1.Organisation{
		DisplayName: text(title), LegalForm: cataloguev1.LegalForm_LEGAL_FORM_SOCIAL_COOPERATIVE_A, Kinds: kinds,
		Territory:   &cataloguev1.Territory{CountryCode: "IT", RegionCode: "IT-21", NutsCode: "ITC11"},
		Identifiers: []*cataloguev1.Identifier{{Type: cataloguev1.IdentifierType_IDENTIFIER_TYPE_OTHER, Scheme: "e2e", Value: unique()}},
	})
	post[*cataloguev1.Organisation](t, op, o.GetName()+":publish", nil)
	return o.GetName()
}

// world is one organisation with one of every resource. Its names are by the
// pattern of their resource, as HTTP routes and validation rules write it:
// "projects/*/tasks/*".
type world struct {
	organisation string
	names        map[string]string
	// public are names of resources that anybody may see.
	public map[string]bool
	// published are the need, the solution and the like that matching knows.
	need, solution, programme string
	// mspdi is a plan among the project's files.
	mspdi string
}

// subject of the member of a world's organisation with that role.
func (w *world) subject(role authzv1.Role) string {
	return auth.RoleName(role) + "@" + w.organisation
}

// newWorld makes an organisation with one of everything, through the API.
func newWorld(t *testing.T, s *shape, title string) *world {
	t.Helper()
	op := s.operator(t)
	w := &world{organisation: s.organisation(t, title), names: map[string]string{}, public: map[string]bool{}}
	w.keep("organisations/*", w.organisation)
	for _, role := range memberRoles {
		m := post[*cataloguev1.Membership](t, op, w.organisation+"/memberships", &cataloguev1.Membership{Subject: w.subject(role), Role: role})
		w.keep("organisations/*/memberships/*", m.GetName())
	}
	w.catalogue(t, op)
	w.matching(t, s, op)
	w.project(t, s, op)
	w.training(t, op)
	w.impact(t, op)
	return w
}

func (w *world) keep(pattern, name string) { w.names[pattern] = name }

func (w *world) catalogue(t *testing.T, op *rest.Client) {
	t.Helper()
	v := post[*cataloguev1.Vocabulary](t, op, "vocabularies", &cataloguev1.Vocabulary{
		Code: "prova-" + unique(), Version: "1", Title: text("Vocabolario di prova"),
	})
	w.keep("vocabularies/*", v.GetName())
	w.keep("vocabularies/*/terms/*", post[*cataloguev1.Term](t, op, v.GetName()+"/terms", &cataloguev1.Term{Code: "a", Label: text("A")}).GetName())
	own := w.organisation
	w.keep("solutions/*", post[*cataloguev1.Solution](t, op, "solutions", &cataloguev1.Solution{Organisation: own, Title: text("Bozza di soluzione")}).GetName())
	w.keep("serviceOfferings/*", post[*cataloguev1.ServiceOffering](t, op, "serviceOfferings", &cataloguev1.ServiceOffering{Organisation: own, Title: text("Bozza di servizio")}).GetName())
	w.keep("needs/*", post[*cataloguev1.Need](t, op, "needs", &cataloguev1.Need{Organisation: own, Title: text("Bozza di bisogno")}).GetName())
	w.keep("ideas/*", post[*cataloguev1.Idea](t, op, "ideas", &cataloguev1.Idea{Organisation: own, Title: text("Bozza di idea")}).GetName())
	w.keep("jobProfiles/*", post[*cataloguev1.JobProfile](t, op, "jobProfiles", &cataloguev1.JobProfile{Organisation: own, Title: text("Bozza di profilo")}).GetName())
	w.keep("events/*", post[*cataloguev1.Event](t, op, "events", &cataloguev1.Event{
		Organisation: own, Title: text("Bozza di evento"), StartTime: timestamppb.New(time.Now().Add(24 * time.Hour)), EndTime: timestamppb.New(time.Now().Add(26 * time.Hour)),
	}).GetName())
}

// unique is a text that was not there before.
func unique() string {
	counter++
	return fmt.Sprintf("%d-%d", time.Now().UnixNano(), counter)
}

// publishNeed makes and publishes a need that others in the network see.
func publishNeed(t *testing.T, c *rest.Client, owner, category string) *cataloguev1.Need {
	t.Helper()
	n := post[*cataloguev1.Need](t, c, "needs", &cataloguev1.Need{
		Organisation: owner, Title: text("Turni condivisi per l'assistenza domiciliare"), Description: text("I turni sono su carta"),
		Category: category, Tags: []string{"turni"}, Visibility: cataloguev1.EntryVisibility_ENTRY_VISIBILITY_NETWORK,
		Urgency: cataloguev1.NeedUrgency_NEED_URGENCY_HIGH,
		Evidence: []*cataloguev1.NeedEvidence{{
			Kind: cataloguev1.EvidenceKind_EVIDENCE_KIND_INTERVIEW, Date: day(-60), Note: "Intervista", Source: "intervista 7",
		}},
	})
	return post[*cataloguev1.Need](t, c, n.GetName()+":publish", nil)
}

// publishSolution makes and publishes a solution that others in the network see.
func publishSolution(t *testing.T, c *rest.Client, owner, category string) *cataloguev1.Solution {
	t.Helper()
	n := post[*cataloguev1.Solution](t, c, "solutions", &cataloguev1.Solution{
		Organisation: owner, Title: text("Turni in rete"), Description: text("Turni condivisi per chi assiste a domicilio"),
		NeedCategories: []string{category}, Tags: []string{"turni"}, Visibility: cataloguev1.EntryVisibility_ENTRY_VISIBILITY_NETWORK,
		Maturity: cataloguev1.SolutionMaturity_SOLUTION_MATURITY_MARKET,
	})
	return post[*cataloguev1.Solution](t, c, n.GetName()+":publish", nil)
}

// newProgramme makes a programme that matches by category and tags.
func newProgramme(t *testing.T, op *rest.Client) string {
	t.Helper()
	return post[*matchingv1.Programme](t, op, "programmes", &matchingv1.Programme{
		Title: text("Bisogni e soluzioni"), DemandKind: matchingv1.EntryKind_ENTRY_KIND_NEED,
		SupplyKinds: []matchingv1.EntryKind{matchingv1.EntryKind_ENTRY_KIND_SOLUTION},
		Features: []*matchingv1.Feature{
			{Kind: matchingv1.FeatureKind_FEATURE_KIND_CATEGORY, Weight: 600}, {Kind: matchingv1.FeatureKind_FEATURE_KIND_TAG, Weight: 400},
		},
		MinimumScore: 300, AnswerDays: 30,
	}).GetName()
}

// candidate waits until the pair is a candidate of the programme.
func candidate(t *testing.T, c *rest.Client, programme, need, solution string) *matchingv1.Candidate {
	t.Helper()
	var found *matchingv1.Candidate
	until(t, "the candidate "+need+" – "+solution, func() bool {
		for _, x := range get[*matchingv1.ListCandidatesResponse](t, c, programme+"/candidates?demand="+need).GetCandidates() {
			if x.GetSupply() == solution {
				found = x
			}
		}
		return found != nil
	})
	return found
}

func (w *world) matching(t *testing.T, s *shape, op *rest.Client) {
	t.Helper()
	category := "categoria " + w.organisation[len(w.organisation)-12:]
	supplier := s.organisation(t, "Fornitore", cataloguev1.OrganisationKind_ORGANISATION_KIND_SUPPLIER)
	w.need = publishNeed(t, op, w.organisation, category).GetName()
	w.solution = publishSolution(t, op, supplier, category).GetName()
	second := publishSolution(t, op, supplier, category).GetName()
	w.programme = newProgramme(t, op)
	w.keep("programmes/*", w.programme)
	candidate(t, op, w.programme, w.need, w.solution)
	candidate(t, op, w.programme, w.need, second)
	w.keep("matches/*", post[*matchingv1.Match](t, op, "matches:propose", &matchingv1.ProposeMatchRequest{
		Programme: w.programme, Demand: w.need, Supply: second,
	}).GetName())
}

// counter numbers what must not have the same number twice.
var counter int32

// spend records an expenditure with a document of its own.
func spend(t *testing.T, c *rest.Client, organisation, line string, cents int64) *projectsv1.Expenditure {
	t.Helper()
	return post[*projectsv1.Expenditure](t, c, projectOf(line)+"/expenditures", &projectsv1.Expenditure{
		Organisation: organisation, BudgetLine: line, Amount: euros(cents),
		Document: &projectsv1.Document{Issuer: "IT00000000000", Number: unique(), Date: day(-1)},
	})
}

// projectOf is the project that a resource within it belongs to.
func projectOf(name string) string { return name[:len("projects/")+36] }

// newCourse makes and publishes a course of one module of that many minutes.
func newCourse(t *testing.T, c *rest.Client, owner string, minutes int32) string {
	t.Helper()
	course := post[*trainingv1.Course](t, c, "courses", &trainingv1.Course{
		Organisation: owner, Title: text("Percorso coordinatori"),
		Modules: []*trainingv1.Module{{ModuleId: "digital-mindset", Title: text("Digital mindset"), Minutes: minutes}},
	}).GetName()
	return post[*trainingv1.Course](t, c, course+":publish", nil).GetName()
}

// openEdition makes an edition that takes enrolments and has no session yet: who
// enrols later cannot catch up with a session that is over.
func openEdition(t *testing.T, c *rest.Client, owner, course, project string) string {
	t.Helper()
	counter++
	e := post[*trainingv1.Edition](t, c, "editions", &trainingv1.Edition{
		Organisation: owner, Course: course, Kind: trainingv1.EditionKind_EDITION_KIND_COURSE, Number: counter, Capacity: 16, WaitingCap: 10,
		StartDate: day(-5), EndDate: day(30), Place: "Torino", Project: project,
	}).GetName()
	for _, verb := range []string{":schedule", ":open"} {
		post[*trainingv1.Edition](t, c, e+verb, nil)
	}
	return e
}

// hold starts the edition and gives it a session that is over.
func hold(t *testing.T, c *rest.Client, edition string, minutes int) *trainingv1.Session {
	t.Helper()
	start := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -3).Add(9 * time.Hour)
	session := post[*trainingv1.Session](t, c, edition+"/sessions", &trainingv1.Session{
		ModuleId: "digital-mindset", StartTime: timestamppb.New(start), EndTime: timestamppb.New(start.Add(time.Duration(minutes) * time.Minute)), Teacher: "Ada Neri",
	})
	post[*trainingv1.Edition](t, c, edition+":start", nil)
	return session
}

// attended is the attendance of a whole session.
func attended(enrolment string, session *trainingv1.Session) *trainingv1.RecordAttendanceRequest {
	return &trainingv1.RecordAttendanceRequest{Entries: []*trainingv1.AttendanceEntry{{
		Enrolment: enrolment, Intervals: []*trainingv1.Interval{{InTime: session.GetStartTime(), OutTime: session.GetEndTime()}},
	}}}
}

func (w *world) training(t *testing.T, op *rest.Client) {
	t.Helper()
	course := newCourse(t, op, w.organisation, 120)
	w.keep("courses/*", course)
	w.public[course] = true
	learner := post[*trainingv1.Learner](t, op, "learners", &trainingv1.Learner{
		Organisation: w.organisation, GivenName: "Anna", FamilyName: "Rossi", Subject: w.subject(authzv1.Role_ROLE_LEARNER),
	}).GetName()
	w.keep("learners/*", learner)
	enrol := func(edition string) string {
		return post[*trainingv1.Enrolment](t, op, "enrolments", &trainingv1.Enrolment{Edition: edition, Learner: learner}).GetName()
	}
	// An edition that was attended to the end, for a certificate.
	done := openEdition(t, op, w.organisation, course, "")
	e := enrol(done)
	session := hold(t, op, done, 120)
	post[*trainingv1.SessionRegister](t, op, session.GetName()+":recordAttendance", attended(e, session))
	post[*trainingv1.Enrolment](t, op, e+":complete", nil)
	w.keep("certificates/*", post[*trainingv1.Certificate](t, op, e+":issueCertificate", nil).GetName())
	// And one that takes enrolments.
	edition := openEdition(t, op, w.organisation, course, "")
	w.keep("editions/*", edition)
	w.keep("enrolments/*", enrol(edition))
	w.keep("editions/*/sessions/*", post[*trainingv1.Session](t, op, edition+"/sessions", &trainingv1.Session{
		ModuleId: "digital-mindset", StartTime: timestamppb.New(time.Now().Add(48 * time.Hour)), EndTime: timestamppb.New(time.Now().Add(50 * time.Hour)),
	}).GetName())
	another := newCourse(t, op, w.organisation, 60)
	w.keep("interests/*", post[*trainingv1.Interest](t, op, "interests", &trainingv1.Interest{Course: another, Learner: learner}).GetName())
	for _, name := range []string{another, done, edition} {
		w.public[name] = true
	}
}

func (w *world) impact(t *testing.T, op *rest.Client) {
	t.Helper()
	theory := post[*impactv1.Theory](t, op, "theories", &impactv1.Theory{
		Organisation: w.organisation, Title: text("Teoria"), Nodes: []*impactv1.Node{
			{Key: "a", Type: impactv1.NodeType_NODE_TYPE_ACTIVITY, Title: text("Corsi")}, {Key: "o", Type: impactv1.NodeType_NODE_TYPE_OUTPUT, Title: text("Persone")},
		},
		Links: []*impactv1.Link{{From: "a", To: "o", Type: impactv1.LinkType_LINK_TYPE_LEADS_TO, Assumptions: []*impactv1.Assumption{{Key: "x", Statement: text("Hanno tempo")}}}},
	}).GetName()
	w.keep("theories/*", theory)
	post[*impactv1.TheoryVersion](t, op, theory+":publish", nil)
	w.keep("theories/*/versions/*", theory+"/versions/1")
	indicator := post[*impactv1.Indicator](t, op, "indicators", &impactv1.Indicator{
		Organisation: w.organisation, Title: text("Ore di mentoring"), Unit: "h", Direction: impactv1.Direction_DIRECTION_INCREASE,
		Aggregation: impactv1.Aggregation_AGGREGATION_SUM,
	}).GetName()
	w.keep("indicators/*", indicator)
	w.keep("indicators/*/versions/*", indicator+"/versions/1")
	w.keep("measurements/*", post[*impactv1.Measurement](t, op, "measurements", &impactv1.Measurement{
		Indicator: indicator, Organisation: w.organisation, StartDate: day(-60), EndDate: day(-30), Value: &impactv1.MeasuredValue{Value: "75"},
	}).GetName())
}
