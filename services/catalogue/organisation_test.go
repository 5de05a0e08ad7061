package catalogue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/catalogue"
	"github.com/trama-suite/trama/services/platform/app"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/testkit"
)

// house is a running catalogue with clients of part of its services.
type house struct {
	*testkit.Env
	organisations cataloguev1.OrganisationServiceClient
	access        cataloguev1.AccessServiceClient
	vocabularies  cataloguev1.VocabularyServiceClient
	imports       cataloguev1.ImportServiceClient
	operator      context.Context
}

func startHouse(t *testing.T, open testkit.OpenDB) *house {
	t.Helper()
	env := testkit.Start(t, open, func(ctx context.Context, deps app.Deps) (*app.Service, error) {
		return catalogue.New(ctx, deps, catalogue.Config{})
	})
	return &house{
		Env:           env,
		organisations: cataloguev1.NewOrganisationServiceClient(env.Conn),
		access:        cataloguev1.NewAccessServiceClient(env.Conn),
		vocabularies:  cataloguev1.NewVocabularyServiceClient(env.Conn),
		imports:       cataloguev1.NewImportServiceClient(env.Conn),
		operator:      env.As(authzv1.Role_ROLE_NETWORK_OPERATOR, ""),
	}
}

// admin is somebody who administers the organisation.
func (h *house) admin(organisation string) context.Context {
	return h.As(authzv1.Role_ROLE_ORGANISATION_ADMIN, organisation)
}

// taxCode returns the nth of a row of valid codes of bodies.
func taxCode(n int) string {
	ten := fmt.Sprintf("%010d", 9000000000+n)
	sum := 0
	for i, c := range ten {
		d := int(c - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return ten + fmt.Sprint((10-sum%10)%10)
}

func italian(text string) *typev1.LocalizedText {
	return &typev1.LocalizedText{Text: text, LanguageCode: "it"}
}

func cooperative(n int) *cataloguev1.Organisation {
	return &cataloguev1.Organisation{
		DisplayName: italian(fmt.Sprintf("Cooperativa %d", n)),
		LegalForm:   cataloguev1.LegalForm_LEGAL_FORM_SOCIAL_COOPERATIVE_A,
		Kinds:       []cataloguev1.OrganisationKind{cataloguev1.OrganisationKind_ORGANISATION_KIND_MEMBER},
		Identifiers: []*cataloguev1.Identifier{{Type: cataloguev1.IdentifierType_IDENTIFIER_TYPE_TAX_CODE, Value: taxCode(n)}},
		Territory:   &cataloguev1.Territory{CountryCode: "IT", RegionCode: "IT-21", Municipality: "Torino"},
	}
}

func (h *house) create(t *testing.T, o *cataloguev1.Organisation) *cataloguev1.Organisation {
	t.Helper()
	out, err := h.organisations.CreateOrganisation(h.operator, &cataloguev1.CreateOrganisationRequest{Organisation: o})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (h *house) publish(t *testing.T, name string) *cataloguev1.Organisation {
	t.Helper()
	out, err := h.organisations.PublishOrganisation(h.operator, &cataloguev1.PublishOrganisationRequest{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// refused checks the kind and reason of an error, and that one of its fields is
// the one named; an empty field asks for none.
func refused(t *testing.T, err error, kind errs.Kind, reason errs.Reason, field string) {
	t.Helper()
	e, ok := errors.AsType[*errs.Error](rpc.FromStatus(err))
	if !ok || e.Kind != kind || e.Reason != reason {
		t.Fatalf("got %v, want %s", err, reason)
	}
	if field != "" && !slices.ContainsFunc(e.Fields, func(f errs.Field) bool { return f.Path == field }) {
		t.Fatalf("got the fields %+v, want %s", e.Fields, field)
	}
}

func TestOrganisations(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		h := startHouse(t, open)
		t.Run("life", func(t *testing.T) { organisationLife(t, h) })
		t.Run("visibility", func(t *testing.T) { organisationVisibility(t, h) })
		t.Run("identifiers", func(t *testing.T) { organisationIdentifiers(t, h) })
		t.Run("networks", func(t *testing.T) { organisationNetworks(t, h) })
		t.Run("updates", func(t *testing.T) { organisationUpdates(t, h) })
		t.Run("lists", func(t *testing.T) { organisationLists(t, h) })
		t.Run("bad input", func(t *testing.T) { organisationBadInput(t, h) })
	})
}

// A draft tells the world nothing; from its publication on every change does,
// numbered without gaps.
func organisationLife(t *testing.T, h *house) {
	req := &cataloguev1.CreateOrganisationRequest{Organisation: cooperative(1), RequestId: "life"}
	o, err := h.organisations.CreateOrganisation(h.operator, req)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := h.organisations.CreateOrganisation(h.operator, req); err != nil || !proto.Equal(again, o) {
		t.Fatalf("the same request again: %v, %v", again, err)
	}
	if o.GetState() != cataloguev1.OrganisationState_ORGANISATION_STATE_DRAFT || o.GetCreateTime().AsTime() != h.Clock.Now().UTC() {
		t.Fatalf("got %v", o)
	}
	admin := h.admin(o.GetName())
	rename := func(text string) *cataloguev1.Organisation {
		t.Helper()
		out, err := h.organisations.UpdateOrganisation(admin, &cataloguev1.UpdateOrganisationRequest{
			Organisation: &cataloguev1.Organisation{Name: o.GetName(), DisplayName: italian(text)},
			UpdateMask:   &fieldmaskpb.FieldMask{Paths: []string{"display_name"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	rename("Bozza")
	if _, err := h.organisations.PublishOrganisation(admin, &cataloguev1.PublishOrganisationRequest{Name: o.GetName(), Etag: o.GetEtag()}); err != nil {
		refused(t, err, errs.Conflict, errs.StaleEtag, "")
	} else {
		t.Fatal("published with an old etag")
	}
	h.publish(t, o.GetName())
	_, err = h.organisations.PublishOrganisation(admin, &cataloguev1.PublishOrganisationRequest{Name: o.GetName()})
	refused(t, err, errs.FailedPrecondition, "WRONG_STATE", "")
	rename("Il Filo")
	rename("Il Filo") // the same again is no change
	if _, err := h.organisations.ArchiveOrganisation(admin, &cataloguev1.ArchiveOrganisationRequest{Name: o.GetName()}); err != nil {
		t.Fatal(err)
	}
	_, err = h.organisations.UpdateOrganisation(admin, &cataloguev1.UpdateOrganisationRequest{
		Organisation: &cataloguev1.Organisation{Name: o.GetName(), DisplayName: italian("x")},
	})
	refused(t, err, errs.FailedPrecondition, "WRONG_STATE", "")
	if _, err := h.organisations.RestoreOrganisation(admin, &cataloguev1.RestoreOrganisationRequest{Name: o.GetName()}); err != nil {
		t.Fatal(err)
	}
	h.publish(t, o.GetName())

	want := []string{"published 1 Bozza", "published 2 Il Filo", "archived 3", "published 4 Il Filo"}
	testkit.AwaitEvent(h.Followed, func(env *eventv1.Envelope, _ *cataloguev1.OrganisationPublished) bool {
		return env.GetAggregate() == o.GetName() && env.GetAggregateVersion() == 4
	})
	var got []string
	for _, p := range h.Followed.All() {
		if p.Envelope.GetAggregate() != o.GetName() {
			continue
		}
		switch m := p.Data.(type) {
		case *cataloguev1.OrganisationPublished:
			got = append(got, fmt.Sprintf("published %d %s", p.Envelope.GetAggregateVersion(), m.GetOrganisation().GetDisplayName().GetText()))
		case *cataloguev1.OrganisationArchived:
			got = append(got, fmt.Sprintf("archived %d", p.Envelope.GetAggregateVersion()))
		}
		if p.Envelope.GetOwner() != o.GetName() || p.Envelope.GetLicence() != "LicenseRef-internal" {
			t.Errorf("envelope %v", p.Envelope)
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("events %q, want %q", got, want)
	}
}

func organisationVisibility(t *testing.T, h *house) {
	mine, other := h.create(t, cooperative(10)), h.create(t, cooperative(11))
	own := h.As(authzv1.Role_ROLE_LEARNER, mine.GetName())
	get := func(ctx context.Context, name string) error {
		_, err := h.organisations.GetOrganisation(ctx, &cataloguev1.GetOrganisationRequest{Name: name})
		return err
	}
	listed := func(ctx context.Context) bool {
		t.Helper()
		resp, err := h.organisations.ListOrganisations(ctx, &cataloguev1.ListOrganisationsRequest{
			PageSize: 1000, Filter: `name = "` + mine.GetName() + `" OR name = "` + other.GetName() + `"`,
		})
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(resp.GetOrganisations(), func(o *cataloguev1.Organisation) bool { return o.GetName() == mine.GetName() })
	}
	look := func(ctx context.Context) error {
		_, err := h.organisations.LookupOrganisation(ctx, &cataloguev1.LookupOrganisationRequest{
			Type: cataloguev1.IdentifierType_IDENTIFIER_TYPE_TAX_CODE, Value: taxCode(10),
		})
		return err
	}
	strangers := []context.Context{h.Anonymous(), h.admin(other.GetName()), h.AsSubject("nobody")}
	insiders := []context.Context{h.operator, own, h.As(authzv1.Role_ROLE_REGIONAL_OPERATOR, "")}
	for _, state := range []string{"draft", "archived"} {
		for i, ctx := range strangers {
			refused(t, get(ctx, mine.GetName()), errs.NotFound, errs.Absent, "")
			refused(t, look(ctx), errs.NotFound, errs.Absent, "")
			if listed(ctx) {
				t.Fatalf("stranger %d finds a %s organisation in the list", i, state)
			}
		}
		for i, ctx := range insiders {
			if err := errors.Join(get(ctx, mine.GetName()), look(ctx)); err != nil || !listed(ctx) {
				t.Fatalf("insider %d does not see the %s organisation: %v", i, state, err)
			}
		}
		if state == "draft" {
			h.publish(t, mine.GetName())
			for i, ctx := range slices.Concat(strangers, insiders) {
				if err := errors.Join(get(ctx, mine.GetName()), look(ctx)); err != nil || !listed(ctx) {
					t.Fatalf("caller %d does not see the published organisation: %v", i, err)
				}
			}
			if _, err := h.organisations.ArchiveOrganisation(h.operator, &cataloguev1.ArchiveOrganisationRequest{Name: mine.GetName()}); err != nil {
				t.Fatal(err)
			}
		}
	}
	// Another organisation's id and an absent one give the same answer.
	absent := "organisations/0190a8f0-0000-7000-8000-00000000ffff"
	notMine := get(h.admin(other.GetName()), mine.GetName()).Error()
	notThere := get(h.admin(other.GetName()), absent).Error()
	if strings.ReplaceAll(notMine, mine.GetName(), "") != strings.ReplaceAll(notThere, absent, "") {
		t.Fatalf("%s\nand\n%s\ntell which exists", notMine, notThere)
	}
	_, err := h.organisations.ArchiveOrganisation(h.admin(other.GetName()), &cataloguev1.ArchiveOrganisationRequest{Name: mine.GetName()})
	refused(t, err, errs.NotFound, errs.Absent, "")
	_, err = h.organisations.ArchiveOrganisation(own, &cataloguev1.ArchiveOrganisationRequest{Name: mine.GetName()})
	refused(t, err, errs.PermissionDenied, errs.RoleMissing, "")
	_, err = h.organisations.CreateOrganisation(h.admin(mine.GetName()), &cataloguev1.CreateOrganisationRequest{Organisation: cooperative(12)})
	refused(t, err, errs.PermissionDenied, errs.RoleMissing, "")
}

func organisationIdentifiers(t *testing.T, h *house) {
	wrong := cooperative(20)
	wrong.Identifiers = append(wrong.Identifiers, &cataloguev1.Identifier{
		Type: cataloguev1.IdentifierType_IDENTIFIER_TYPE_VAT_NUMBER, Value: "00577500102",
	})
	_, err := h.organisations.CreateOrganisation(h.operator, &cataloguev1.CreateOrganisationRequest{Organisation: wrong})
	refused(t, err, errs.Invalid, "CHECK_DIGIT_WRONG", "organisation.identifiers[1].value")

	first := h.create(t, cooperative(20))
	_, err = h.organisations.CreateOrganisation(h.operator, &cataloguev1.CreateOrganisationRequest{Organisation: cooperative(20)})
	refused(t, err, errs.AlreadyExists, "IDENTIFIER_TAKEN", "organisation.identifiers[0].value")

	// An identifier that is given up can be taken by another.
	update := func(name, code string) error {
		_, err := h.organisations.UpdateOrganisation(h.operator, &cataloguev1.UpdateOrganisationRequest{
			Organisation: &cataloguev1.Organisation{Name: name, Identifiers: []*cataloguev1.Identifier{
				{Type: cataloguev1.IdentifierType_IDENTIFIER_TYPE_TAX_CODE, Value: code},
				{Type: cataloguev1.IdentifierType_IDENTIFIER_TYPE_CUP, Value: "B11B23000110001"},
			}},
		})
		return err
	}
	second := h.create(t, cooperative(21))
	refused(t, update(second.GetName(), taxCode(20)), errs.AlreadyExists, "IDENTIFIER_TAKEN", "organisation.identifiers[0].value")
	if err := errors.Join(update(first.GetName(), taxCode(22)), update(second.GetName(), taxCode(20))); err != nil {
		t.Fatal(err)
	}
	found, err := h.organisations.LookupOrganisation(h.operator, &cataloguev1.LookupOrganisationRequest{
		Type: cataloguev1.IdentifierType_IDENTIFIER_TYPE_TAX_CODE, Value: " " + taxCode(20),
	})
	if err != nil || found.GetName() != second.GetName() {
		t.Fatalf("got %v, %v", found, err)
	}

	// Of many who take the same identifier at the same time one gets it.
	const callers = 8
	results := make([]error, callers)
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			_, results[i] = h.organisations.CreateOrganisation(h.operator, &cataloguev1.CreateOrganisationRequest{Organisation: cooperative(23)})
		})
	}
	group.Wait()
	won := 0
	for _, err := range results {
		if err == nil {
			won++
			continue
		}
		refused(t, err, errs.AlreadyExists, "IDENTIFIER_TAKEN", "")
	}
	if won != 1 {
		t.Fatalf("%d of %d took the identifier", won, callers)
	}
}

func organisationNetworks(t *testing.T, h *house) {
	join := func(ctx context.Context, name, network string) error {
		_, err := h.organisations.UpdateOrganisation(ctx, &cataloguev1.UpdateOrganisationRequest{
			Organisation: &cataloguev1.Organisation{Name: name, ParentNetwork: network},
			UpdateMask:   &fieldmaskpb.FieldMask{Paths: []string{"parent_network"}},
		})
		return err
	}
	a, b, c := h.create(t, cooperative(30)).GetName(), h.create(t, cooperative(31)).GetName(), h.create(t, cooperative(32)).GetName()
	if err := errors.Join(join(h.operator, b, a), join(h.operator, c, b)); err != nil {
		t.Fatal(err)
	}
	refused(t, join(h.operator, a, c), errs.Invalid, "PARENT_CYCLE", "organisation.parent_network")
	refused(t, join(h.operator, a, a), errs.Invalid, "PARENT_CYCLE", "organisation.parent_network")
	refused(t, join(h.operator, a, "organisations/0190a8f0-0000-7000-8000-00000000ffff"), errs.Invalid, errs.ReferenceNotFound, "organisation.parent_network")
	// A draft network that is not the caller's does not exist for them.
	d := h.create(t, cooperative(33)).GetName()
	refused(t, join(h.admin(d), d, a), errs.Invalid, errs.ReferenceNotFound, "organisation.parent_network")
	h.publish(t, a)
	if err := errors.Join(join(h.admin(d), d, a), join(h.operator, d, "")); err != nil {
		t.Fatal(err)
	}

	// Two that join each other at the same time do not close a cycle.
	for range 5 {
		var group sync.WaitGroup
		results := make([]error, 2)
		for i, pair := range [][2]string{{a, d}, {d, a}} {
			group.Go(func() { results[i] = join(h.operator, pair[0], pair[1]) })
		}
		group.Wait()
		if (results[0] == nil) == (results[1] == nil) {
			t.Fatalf("joining each other: %v and %v", results[0], results[1])
		}
		if err := errors.Join(join(h.operator, a, ""), join(h.operator, d, "")); err != nil {
			t.Fatal(err)
		}
	}
}

func organisationUpdates(t *testing.T, h *house) {
	o := h.create(t, cooperative(40))
	full := proto.CloneOf(o)
	full.Description = &typev1.LocalizedText{Text: "Cura e lavoro", LanguageCode: "it", Translations: map[string]string{"sv": "Omsorg och arbete"}}
	full.Contacts = []*cataloguev1.Contact{{Label: "info", Email: "info@example.org", Phone: "+390110000000"}}
	full.Website, full.Attributes = "https://example.org", map[string]string{"sample": "true"}
	full.Licence, full.Source, full.AssuredDate = "CC-BY-4.0", "RUNTS 2025", "2026-01-05"
	full.Identifiers = append(full.Identifiers, &cataloguev1.Identifier{
		Type: cataloguev1.IdentifierType_IDENTIFIER_TYPE_OTHER, Scheme: "es-registre", Value: "B-1",
	})
	got, err := h.organisations.UpdateOrganisation(h.operator, &cataloguev1.UpdateOrganisationRequest{
		Organisation: full, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"*"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	read, err := h.organisations.GetOrganisation(h.operator, &cataloguev1.GetOrganisationRequest{Name: o.GetName()})
	if err != nil || !proto.Equal(read, got) {
		t.Fatalf("read %v, %v; answered %v", read, err, got)
	}
	want := proto.CloneOf(full)
	want.UpdateTime, want.Etag = got.GetUpdateTime(), got.GetEtag()
	if !proto.Equal(got, want) || got.GetEtag() == o.GetEtag() {
		t.Fatalf("got %v\nwant %v", got, want)
	}
	same, err := h.organisations.UpdateOrganisation(h.operator, &cataloguev1.UpdateOrganisationRequest{Organisation: got})
	if err != nil || same.GetEtag() != got.GetEtag() {
		t.Fatalf("the same again: %v, %v", same, err)
	}
	_, err = h.organisations.UpdateOrganisation(h.operator, &cataloguev1.UpdateOrganisationRequest{Organisation: full})
	refused(t, err, errs.Conflict, errs.StaleEtag, "")
	_, err = h.organisations.UpdateOrganisation(h.operator, &cataloguev1.UpdateOrganisationRequest{
		Organisation: &cataloguev1.Organisation{Name: o.GetName(), State: cataloguev1.OrganisationState_ORGANISATION_STATE_PUBLISHED},
		UpdateMask:   &fieldmaskpb.FieldMask{Paths: []string{"state"}},
	})
	refused(t, err, errs.Invalid, errs.InvalidUpdateMask, "update_mask")
}

func organisationLists(t *testing.T, h *house) {
	var want []string
	for n := range 7 {
		o := cooperative(50 + n)
		o.LegalForm = cataloguev1.LegalForm_LEGAL_FORM_FOUNDATION
		o.Territory = &cataloguev1.Territory{CountryCode: "ES", RegionCode: "ES-CT", NutsCode: "ES51"}
		want = append(want, h.create(t, o).GetName())
	}
	var got []string
	req := &cataloguev1.ListOrganisationsRequest{
		PageSize: 3, OrderBy: "display_name desc",
		Filter: `legal_form = "LEGAL_FORM_FOUNDATION" AND region_code = "ES-CT" AND state = "ORGANISATION_STATE_DRAFT"`,
	}
	for {
		resp, err := h.organisations.ListOrganisations(h.operator, req)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range resp.GetOrganisations() {
			got = append(got, o.GetName())
		}
		if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	slices.Reverse(got)
	if !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	supplier := cooperative(57)
	supplier.Kinds = append(supplier.Kinds, cataloguev1.OrganisationKind_ORGANISATION_KIND_SUPPLIER)
	name := h.create(t, supplier).GetName()
	resp, err := h.organisations.ListOrganisations(h.operator, &cataloguev1.ListOrganisationsRequest{Filter: `kinds:"ORGANISATION_KIND_SUPPLIER"`})
	if err != nil || len(resp.GetOrganisations()) != 1 || resp.GetOrganisations()[0].GetName() != name {
		t.Fatalf("got %v, %v", resp, err)
	}
	_, err = h.organisations.ListOrganisations(h.operator, &cataloguev1.ListOrganisationsRequest{Filter: "doc = 1"})
	refused(t, err, errs.Invalid, errs.InvalidFilter, "filter")
	_, err = h.organisations.ListOrganisations(h.operator, &cataloguev1.ListOrganisationsRequest{OrderBy: "doc"})
	refused(t, err, errs.Invalid, errs.InvalidOrderBy, "order_by")
}

func organisationBadInput(t *testing.T, h *house) {
	_, err := h.organisations.GetOrganisation(h.operator, &cataloguev1.GetOrganisationRequest{Name: "organisations/1"})
	refused(t, err, errs.Invalid, errs.InvalidRequest, "name")
	for field, change := range map[string]func(o *cataloguev1.Organisation){
		"organisation.display_name":           func(o *cataloguev1.Organisation) { o.DisplayName = nil },
		"organisation.legal_form":             func(o *cataloguev1.Organisation) { o.LegalForm = 99 },
		"organisation.territory.country_code": func(o *cataloguev1.Organisation) { o.Territory.CountryCode = "Italia" },
		"organisation.sectors[0]":             func(o *cataloguev1.Organisation) { o.Sectors = []string{"vocabularies/x/terms/y"} },
	} {
		o := cooperative(60)
		change(o)
		_, err := h.organisations.CreateOrganisation(h.operator, &cataloguev1.CreateOrganisationRequest{Organisation: o})
		e, ok := errors.AsType[*errs.Error](rpc.FromStatus(err))
		if !ok || e.Kind != errs.Invalid || !slices.ContainsFunc(e.Fields, func(f errs.Field) bool { return f.Path == field }) {
			t.Errorf("%s: got %v", field, err)
		}
	}
	_, err = h.organisations.LookupOrganisation(h.operator, &cataloguev1.LookupOrganisationRequest{
		Type: cataloguev1.IdentifierType_IDENTIFIER_TYPE_TAX_CODE, Value: "80051890153",
	})
	refused(t, err, errs.Invalid, "CHECK_DIGIT_WRONG", "value")
}
