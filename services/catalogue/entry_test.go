package catalogue_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/testkit"
)

// fields is a message in JSON with the proto's own field names.
type fields = map[string]any

// kinds of entries as their protos call them, with what each has of its own, as
// full as it can be.
func kindsOfEntries(organisation string) map[string]fields {
	return map[string]fields{
		"Solution": {
			"maturity": "SOLUTION_MATURITY_MARKET", "technologies": []any{"Power BI", "IoT"}, "target_beneficiaries": []any{"anziani"},
			"price_model": "PRICE_MODEL_SUBSCRIPTION", "price_from": fields{"minor_units": "4900", "currency_code": "EUR"},
			"languages": []any{"it", "ca"}, "website": "https://example.org/soluzione", "need_categories": []any{"digitalizzazione"},
		},
		"ServiceOffering": {
			"availability": "OFFERING_AVAILABILITY_ACTIVATABLE", "provider": organisation, "mode": "OFFERING_MODE_MENTORING",
			"duration_minutes": 4500, "eligibility": fields{"text": "Enti del Terzo settore", "language_code": "it"},
			"need_categories": []any{"formazione"}, "languages": []any{"it"},
		},
		"Need": {
			"evidence": []any{fields{"kind": "EVIDENCE_KIND_INTERVIEW", "date": "2025-11-03", "note": "Turni su carta", "source": "intervista 7"}},
			"urgency":  "NEED_URGENCY_HIGH",
			"constraints": fields{
				"budget_ceiling": fields{"minor_units": "1500000", "currency_code": "EUR"}, "deadline": "2026-09-30",
				"territories": []any{"IT-21"}, "required_languages": []any{"it"},
			},
			"desired_outcome": fields{"text": "Turni condivisi", "language_code": "it"},
		},
		"Idea": {"target_beneficiaries": []any{"caregiver"}},
		"JobProfile": {
			"area":        "JOB_AREA_OPERATIONS",
			"competences": []any{fields{"framework": "DigComp 3.0", "code": "2.4", "level": 5}},
			"duties":      []any{fields{"text": "Coordina i servizi", "language_code": "it"}},
		},
		"Event": {
			"kind": "EVENT_KIND_CORPORATE_MEETING", "start_time": "2026-02-10T08:30:00Z", "end_time": "2026-02-10T16:00:00Z",
			"time_zone": "Europe/Madrid", "place": "Torino", "link": "https://example.org/evento", "seats": 30,
			"organisers": []any{organisation}, "themes": []any{"intelligenza artificiale"},
		},
	}
}

// card is what all kinds have, as full as it can be.
func card(organisation, title string) fields {
	return fields{
		"organisation": organisation,
		"title":        fields{"text": title, "language_code": "it", "translations": fields{"en": "Translated"}},
		"description":  fields{"text": "Una descrizione", "language_code": "it"},
		"visibility":   "ENTRY_VISIBILITY_PUBLIC", "category": "digitalizzazione", "sectors": []any{"cura"}, "tags": []any{"pilota"},
		"territories": []any{"IT-21", "ES"}, "valid_from": "2026-01-01", "valid_until": "2026-12-31",
		"attributes": fields{"sample": "true"}, "licence": "CC-BY-4.0", "assured_date": "2026-01-05",
	}
}

func with(f fields, more fields) fields {
	out := maps.Clone(f)
	maps.Copy(out, more)
	return out
}

// call calls a method of a kind's service by name, with a request in JSON:
// call(ctx, "Need", "CreateNeed", …).
func (h *house) call(ctx context.Context, kind, method string, request fields) (proto.Message, error) {
	service := protoreflect.FullName("trama.catalogue.v1." + kind + "Service")
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(service.Append(protoreflect.Name(method)))
	if err != nil {
		return nil, err
	}
	m := d.(protoreflect.MethodDescriptor)
	req, resp := newMessage(m.Input()), newMessage(m.Output())
	raw, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	if err := protojson.Unmarshal(raw, req); err != nil {
		return nil, err
	}
	return resp, h.Conn.Invoke(ctx, "/"+string(service)+"/"+method, req, resp)
}

func newMessage(d protoreflect.MessageDescriptor) proto.Message {
	t, err := protoregistry.GlobalTypes.FindMessageByName(d.FullName())
	if err != nil {
		panic(err)
	}
	return t.New().Interface()
}

// must is call for what has to succeed.
func (h *house) must(t *testing.T, ctx context.Context, kind, method string, request fields) proto.Message {
	t.Helper()
	out, err := h.call(ctx, kind, method, request)
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return out
}

// entry is what the messages of all kinds have.
type entry interface {
	proto.Message
	GetName() string
	GetState() cataloguev1.EntryState
	GetEtag() string
}

func fieldOf(kind string) string {
	return map[string]string{"ServiceOffering": "service_offering", "JobProfile": "job_profile"}[kind] + map[bool]string{true: strings.ToLower(kind)}[kind != "ServiceOffering" && kind != "JobProfile"]
}

func (h *house) createEntry(t *testing.T, ctx context.Context, kind string, f fields) entry {
	t.Helper()
	return h.must(t, ctx, kind, "Create"+kind, fields{fieldOf(kind): f}).(entry)
}

func TestEntries(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		h := startHouse(t, open)
		mine := h.publish(t, h.create(t, cooperative(101)).GetName()).GetName()
		other := h.publish(t, h.create(t, cooperative(102)).GetName()).GetName()
		for kind, body := range kindsOfEntries(other) {
			t.Run("life of a "+kind, func(t *testing.T) { lifeOfAnEntry(t, h, kind, body, mine) })
		}
		t.Run("rights", func(t *testing.T) { rightsOnEntries(t, h, mine, other) })
		t.Run("references", func(t *testing.T) { referencesOfEntries(t, h, mine) })
		t.Run("ideas advance", func(t *testing.T) { ideasAdvance(t, h, mine) })
		t.Run("concurrent changes", func(t *testing.T) { concurrentChanges(t, h, mine) })
		t.Run("who finds what", func(t *testing.T) { whoFindsWhat(t, h, mine, other) })
		t.Run("searching", func(t *testing.T) { searching(t, h, mine) })
		t.Run("another replica", func(t *testing.T) { anotherReplica(t, h, mine) })
	})
}

// lifeOfAnEntry takes an entry through its whole life and holds the answers, the
// list and the events against it.
func lifeOfAnEntry(t *testing.T, h *house, kind string, body fields, mine string) {
	admin := h.admin(mine)
	full := with(card(mine, "Titolo di "+kind), body)
	create := fields{fieldOf(kind): full, "request_id": "create-" + kind}
	created := h.must(t, admin, kind, "Create"+kind, create).(entry)
	if again := h.must(t, admin, kind, "Create"+kind, create); !proto.Equal(again, created) {
		t.Errorf("the same request_id answered %v, want %v", again, created)
	}
	name := created.GetName()
	if created.GetState() != cataloguev1.EntryState_ENTRY_STATE_DRAFT || created.GetEtag() == "" {
		t.Errorf("created %v", created)
	}
	// What was sent is what is kept.
	raw, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(created)
	if err != nil {
		t.Fatal(err)
	}
	var kept fields
	if err := json.Unmarshal(raw, &kept); err != nil {
		t.Fatal(err)
	}
	for field, want := range full {
		if w, g := jsonText(want), jsonText(kept[field]); w != g {
			t.Errorf("%s: kept %s, want %s", field, g, w)
		}
	}
	read := func(ctx context.Context) (proto.Message, error) {
		return h.call(ctx, kind, "Get"+kind, fields{"name": name})
	}
	if got, err := read(admin); err != nil || !proto.Equal(got, created) {
		t.Errorf("read %v, %v; want %v", got, err, created)
	}
	_, err = read(h.Anonymous())
	refused(t, err, errs.NotFound, errs.Absent, "")

	published := h.must(t, admin, kind, "Publish"+kind, fields{"name": name, "etag": created.GetEtag()}).(entry)
	_, err = h.call(admin, kind, "Publish"+kind, fields{"name": name})
	refused(t, err, errs.FailedPrecondition, domain.WrongState, "")
	_, err = h.call(admin, kind, "Archive"+kind, fields{"name": name, "etag": created.GetEtag()})
	refused(t, err, errs.Conflict, errs.StaleEtag, "")
	if got, err := read(h.Anonymous()); err != nil || !proto.Equal(got, published) {
		t.Errorf("anonymously read %v, %v", got, err)
	}

	patch := fields{"name": name, "title": fields{"text": "Nuovo titolo", "language_code": "it"}, "etag": published.GetEtag()}
	updated := h.must(t, admin, kind, "Update"+kind, fields{fieldOf(kind): patch, "update_mask": "title"}).(entry)
	if updated.GetEtag() == published.GetEtag() || !strings.Contains(fmt.Sprint(updated), "Una descrizione") {
		t.Errorf("updated to %v", updated)
	}
	same := h.must(t, admin, kind, "Update"+kind, fields{fieldOf(kind): fields{"name": name, "tags": []any{"pilota"}}, "update_mask": "tags"}).(entry)
	if same.GetEtag() != updated.GetEtag() {
		t.Error("an update that changes nothing changed the version")
	}
	_, err = h.call(admin, kind, "Update"+kind, fields{fieldOf(kind): fields{"name": name, "description": fields{}}, "update_mask": "description"})
	refused(t, err, errs.Invalid, errs.InvalidRequest, "")
	_, err = h.call(admin, kind, "Update"+kind, fields{fieldOf(kind): fields{"name": name}, "update_mask": "description"})
	refused(t, err, errs.FailedPrecondition, domain.EntryIncomplete, fieldOf(kind)+".description")
	_, err = h.call(admin, kind, "Update"+kind, fields{fieldOf(kind): fields{"name": name, "organisation": "organisations/" + ids.New()}, "update_mask": "organisation"})
	refused(t, err, errs.Invalid, errs.InvalidUpdateMask, "")

	archived := h.must(t, admin, kind, "Archive"+kind, fields{"name": name}).(entry)
	_, err = read(h.Anonymous())
	refused(t, err, errs.NotFound, errs.Absent, "")
	_, err = h.call(admin, kind, "Update"+kind, fields{fieldOf(kind): patch, "update_mask": "title"})
	refused(t, err, errs.Conflict, errs.StaleEtag, "")
	_, err = h.call(admin, kind, "Update"+kind, fields{fieldOf(kind): with(patch, fields{"etag": archived.GetEtag()}), "update_mask": "title"})
	refused(t, err, errs.FailedPrecondition, domain.WrongState, "")
	restored := h.must(t, admin, kind, "Restore"+kind, fields{"name": name, "target_state": "ENTRY_STATE_PUBLISHED"}).(entry)
	if restored.GetState() != cataloguev1.EntryState_ENTRY_STATE_PUBLISHED {
		t.Errorf("restored to %s", restored.GetState())
	}

	var told []string
	for _, p := range h.Events() {
		if p.Envelope.GetAggregate() == name {
			told = append(told, fmt.Sprintf("%d %s %s", p.Envelope.GetAggregateVersion(), p.Data.ProtoReflect().Descriptor().Name(), p.Envelope.GetLicence()))
			if p.Envelope.GetOwner() != mine {
				t.Errorf("the event's owner is %s", p.Envelope.GetOwner())
			}
		}
	}
	want := []string{"1 " + kind + "Published CC-BY-4.0", "2 " + kind + "Published CC-BY-4.0", "3 " + kind + "Archived CC-BY-4.0", "4 " + kind + "Published CC-BY-4.0"}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

func jsonText(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func rightsOnEntries(t *testing.T, h *house, mine, other string) {
	need := with(card(mine, "Diritti"), kindsOfEntries(mine)["Need"])
	supplier := h.As(authzv1.Role_ROLE_SUPPLIER, mine)
	name := h.createEntry(t, supplier, "Need", need).GetName()
	for _, method := range []string{"GetNeed", "PublishNeed", "ArchiveNeed", "RestoreNeed"} {
		_, err := h.call(h.admin(other), "Need", method, fields{"name": name})
		refused(t, err, errs.NotFound, errs.Absent, "")
	}
	_, err := h.call(h.admin(other), "Need", "UpdateNeed", fields{"need": fields{"name": name, "tags": []any{"x"}}})
	refused(t, err, errs.NotFound, errs.Absent, "")
	_, err = h.call(h.admin(other), "Need", "CreateNeed", fields{"need": need})
	refused(t, err, errs.NotFound, errs.Absent, "")
	_, err = h.call(h.As(authzv1.Role_ROLE_LEARNER, mine), "Need", "PublishNeed", fields{"name": name})
	refused(t, err, errs.PermissionDenied, errs.RoleMissing, "")
	_, err = h.call(h.Anonymous(), "Need", "PublishNeed", fields{"name": name})
	refused(t, err, errs.Unauthenticated, errs.TokenAbsent, "")
	// An identifier of one kind is not one of another.
	_, err = h.call(h.operator, "Solution", "GetSolution", fields{"name": "solutions/" + strings.TrimPrefix(name, "needs/")})
	refused(t, err, errs.NotFound, errs.Absent, "")
	h.must(t, h.operator, "Need", "PublishNeed", fields{"name": name})
}

func referencesOfEntries(t *testing.T, h *house, mine string) {
	absent := "organisations/" + ids.New()
	draft := h.create(t, cooperative(103)).GetName()
	base := with(card(mine, "Riferimenti"), fields{})
	for name, c := range map[string]struct {
		kind  string
		more  fields
		as    context.Context
		field string
	}{
		"unknown owner":            {"Solution", fields{"organisation": absent}, h.operator, "solution.organisation"},
		"unknown term as category": {"Solution", fields{"category": "vocabularies/" + ids.New() + "/terms/" + ids.New()}, h.operator, "solution.category"},
		"unknown term as sector":   {"Need", fields{"sectors": []any{"cura", "vocabularies/" + ids.New() + "/terms/" + ids.New()}}, h.operator, "need.sectors[1]"},
		"unknown provider":         {"ServiceOffering", fields{"provider": absent}, h.operator, "service_offering.provider"},
		"another's draft":          {"ServiceOffering", fields{"provider": draft}, h.admin(mine), "service_offering.provider"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.call(c.as, c.kind, "Create"+c.kind, fields{fieldOf(c.kind): with(base, c.more)})
			refused(t, err, errs.Invalid, errs.ReferenceNotFound, c.field)
		})
	}
	withdrawnReferences(t, h, mine)
	for _, name := range []string{"", "ideas/" + ids.New(), "needs/" + strings.Repeat("x", 1<<20)} {
		_, err := h.call(h.operator, "Need", "UpdateNeed", fields{"need": fields{"name": name, "category": "a"}, "update_mask": "category"})
		refused(t, err, errs.Invalid, errs.InvalidRequest, "need.name")
	}
	_, err := h.call(h.operator, "Event", "CreateEvent", fields{"event": with(base, fields{
		"start_time": "2026-02-10T16:00:00Z", "end_time": "2026-02-10T08:00:00Z"})})
	refused(t, err, errs.Invalid, domain.EntryInvalid, "event.end_time")
	_, err = h.call(h.operator, "Need", "CreateNeed", fields{"need": with(base, fields{"urgency": 9})})
	refused(t, err, errs.Invalid, errs.InvalidRequest, "need.urgency")
	_, err = h.call(h.operator, "Need", "CreateNeed", fields{"need": with(base, fields{"title": fields{"text": strings.Repeat("à", 301), "language_code": "it"}})})
	refused(t, err, errs.Invalid, errs.InvalidRequest, "need.title")
}

// withdrawnReferences has an organisation archived that somebody's entry names:
// the entry can still be changed and archived, and not name it anew.
func withdrawnReferences(t *testing.T, h *house, mine string) {
	admin, partner := h.admin(mine), h.create(t, cooperative(104)).GetName()
	h.publish(t, partner)
	more := with(kindsOfEntries(mine)["ServiceOffering"], fields{"provider": partner})
	name := h.createEntry(t, admin, "ServiceOffering", with(card(mine, "Con un partner"), more)).GetName()
	h.must(t, admin, "ServiceOffering", "PublishServiceOffering", fields{"name": name})
	if _, err := h.organisations.ArchiveOrganisation(h.operator, &cataloguev1.ArchiveOrganisationRequest{Name: partner}); err != nil {
		t.Fatal(err)
	}
	h.must(t, admin, "ServiceOffering", "UpdateServiceOffering", fields{"service_offering": fields{"name": name, "tags": []any{"senza"}}})
	h.must(t, admin, "ServiceOffering", "ArchiveServiceOffering", fields{"name": name})
	h.must(t, admin, "ServiceOffering", "RestoreServiceOffering", fields{"name": name, "target_state": "ENTRY_STATE_DRAFT"})
	h.must(t, admin, "ServiceOffering", "UpdateServiceOffering", fields{"service_offering": fields{"name": name}, "update_mask": "provider"})
	_, err := h.call(admin, "ServiceOffering", "UpdateServiceOffering", fields{"service_offering": fields{"name": name, "provider": partner}})
	refused(t, err, errs.Invalid, errs.ReferenceNotFound, "service_offering.provider")
}

func ideasAdvance(t *testing.T, h *house, mine string) {
	admin := h.admin(mine)
	idea := h.createEntry(t, admin, "Idea", card(mine, "Idea che avanza")).GetName()
	advance := func(stage string, more fields) error {
		_, err := h.call(admin, "Idea", "AdvanceIdea", with(fields{"name": idea, "stage": "IDEA_STAGE_" + stage, "reason": "scelta dal tavolo"}, more))
		return err
	}
	refused(t, advance("PATH", nil), errs.FailedPrecondition, domain.WrongState, "")
	h.must(t, admin, "Idea", "PublishIdea", fields{"name": idea})
	refused(t, advance("PROJECT", fields{"project": "projects/" + ids.New()}), errs.FailedPrecondition, domain.IdeaStageIllegal, "")
	if err := advance("PATH", nil); err != nil {
		t.Fatal(err)
	}
	refused(t, advance("PROJECT", nil), errs.Invalid, domain.IdeaProjectRequired, "project")
	project := "projects/" + ids.New()
	if err := advance("PROJECT", fields{"project": project}); err != nil {
		t.Fatal(err)
	}
	refused(t, advance("SERVICE", nil), errs.Invalid, domain.IdeaServiceRequired, "service_offering")
	refused(t, advance("SERVICE", fields{"service_offering": "serviceOfferings/" + ids.New()}), errs.Invalid, errs.ReferenceNotFound, "service_offering")
	offering := h.createEntry(t, admin, "ServiceOffering", with(card(mine, "Servizio nato dall'idea"), kindsOfEntries(mine)["ServiceOffering"])).GetName()
	if err := advance("SERVICE", fields{"service_offering": offering}); err != nil {
		t.Fatal(err)
	}
	refused(t, advance("SERVICE", fields{"service_offering": offering}), errs.FailedPrecondition, domain.IdeaStageIllegal, "")

	// A card's update leaves the stage alone.
	got := h.must(t, admin, "Idea", "UpdateIdea", fields{"idea": fields{"name": idea, "tags": []any{"altro"}}}).(*cataloguev1.Idea)
	if got.GetStage() != cataloguev1.IdeaStage_IDEA_STAGE_SERVICE || got.GetProject() != project || got.GetServiceOffering() != offering || len(got.GetSteps()) != 3 {
		t.Errorf("the idea is %v", got)
	}
	list := h.must(t, admin, "Idea", "ListIdeas", fields{"filter": `stage = IDEA_STAGE_SERVICE AND organisation = "` + mine + `"`}).(*cataloguev1.ListIdeasResponse)
	if len(list.GetIdeas()) != 1 || list.GetIdeas()[0].GetName() != idea {
		t.Errorf("listed %v", list)
	}
	var told []string
	for _, e := range testkit.EventsOf[*cataloguev1.IdeaAdvanced](h.Env) {
		told = append(told, e.GetPreviousStage().String()+" "+e.GetStage().String()+" "+e.GetProject())
	}
	if want := []string{
		"IDEA_STAGE_IDEA IDEA_STAGE_PATH ", "IDEA_STAGE_PATH IDEA_STAGE_PROJECT " + project, "IDEA_STAGE_PROJECT IDEA_STAGE_SERVICE " + project,
	}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

// concurrentChanges has many callers change one entry at once, all with the etag
// that they read: one of them wins.
func concurrentChanges(t *testing.T, h *house, mine string) {
	admin := h.admin(mine)
	need := h.createEntry(t, admin, "Need", with(card(mine, "Conteso"), kindsOfEntries(mine)["Need"]))
	var won sync.Map
	var callers sync.WaitGroup
	for i := range 8 {
		callers.Go(func() {
			_, err := h.call(admin, "Need", "UpdateNeed", fields{
				"need": fields{"name": need.GetName(), "etag": need.GetEtag(), "tags": []any{fmt.Sprint(i)}}, "update_mask": "tags",
			})
			if err == nil {
				won.Store(i, true)
			} else if reason := errs.ReasonOf(rpc.FromStatus(err)); reason != errs.StaleEtag && reason != errs.ConcurrentUpdate {
				t.Errorf("a loser got %v", err)
			}
		})
	}
	callers.Wait()
	n := 0
	won.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d callers won, want 1", n)
	}
}
