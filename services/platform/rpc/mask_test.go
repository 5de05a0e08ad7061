package rpc_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/rpc"
)

func it(s string) *typev1.LocalizedText {
	return &typev1.LocalizedText{Text: s, LanguageCode: "it"}
}

func organisation() *cataloguev1.Organisation {
	return &cataloguev1.Organisation{
		Name: "organisations/1", DisplayName: it("Vol.To"), Description: it("Centro servizi"),
		LegalForm: 1, Territory: &cataloguev1.Territory{CountryCode: "IT", NutsCode: "ITC1"},
		Website: "https://volto.example.org", Sectors: []string{"terms/1"}, Attributes: map[string]string{"a": "1"},
		State: 2, CreateTime: timestamppb.New(timestamppb.Now().AsTime()), Etag: "v1",
	}
}

func TestUpdateMask(t *testing.T) {
	full := organisation()
	full.DisplayName, full.Description, full.Website, full.Etag, full.Name = it("Altro"), nil, "", "v0", "organisations/9"
	for name, c := range map[string]struct {
		patch  *cataloguev1.Organisation
		mask   []string
		change func(want *cataloguev1.Organisation)
		reason errs.Reason
		text   string
	}{
		"no mask sets what the patch has": {
			patch:  &cataloguev1.Organisation{DisplayName: it("Altro"), Sectors: []string{"terms/2"}},
			change: func(w *cataloguev1.Organisation) { w.DisplayName, w.Sectors = it("Altro"), []string{"terms/2"} },
		},
		"no mask, whole resource sent back": {
			patch:  full,
			change: func(w *cataloguev1.Organisation) { w.DisplayName = it("Altro") },
		},
		"a named field is set": {
			patch: &cataloguev1.Organisation{Website: "https://x.example.org", Description: it("ignored")}, mask: []string{"website"},
			change: func(w *cataloguev1.Organisation) { w.Website = "https://x.example.org" },
		},
		"a named field that is absent is cleared": {
			patch: &cataloguev1.Organisation{}, mask: []string{"website", "description", "sectors", "attributes"},
			change: func(w *cataloguev1.Organisation) {
				w.Website, w.Description, w.Sectors, w.Attributes = "", nil, nil, nil
			},
		},
		"a nested field": {
			patch: &cataloguev1.Organisation{Territory: &cataloguev1.Territory{RegionCode: "IT-21"}}, mask: []string{"territory.region_code", "territory.nuts_code"},
			change: func(w *cataloguev1.Organisation) { w.Territory.RegionCode, w.Territory.NutsCode = "IT-21", "" },
		},
		"a nested field after its whole": {
			patch: &cataloguev1.Organisation{Description: it("x")}, mask: []string{"description", "description.text"},
			change: func(w *cataloguev1.Organisation) { w.Description = it("x") },
		},
		"everything": {
			patch: full, mask: []string{"*"},
			change: func(w *cataloguev1.Organisation) { w.DisplayName, w.Description, w.Website = it("Altro"), nil, "" },
		},
		"whole resource, every field named": {
			patch: full, mask: []string{"name", "display_name", "territory", "state", "create_time", "etag", "legal_form"},
			change: func(w *cataloguev1.Organisation) { w.DisplayName = it("Altro") },
		},
		"unknown field":          {patch: full, mask: []string{"colour"}, reason: errs.InvalidUpdateMask, text: `no field "colour"`},
		"JSON name":              {patch: full, mask: []string{"displayName"}, reason: errs.InvalidUpdateMask, text: "displayName"},
		"unknown nested field":   {patch: full, mask: []string{"territory.planet"}, reason: errs.InvalidUpdateMask, text: "planet"},
		"into a scalar":          {patch: full, mask: []string{"website.host"}, reason: errs.InvalidUpdateMask, text: "website"},
		"into a list":            {patch: full, mask: []string{"identifiers.value"}, reason: errs.InvalidUpdateMask, text: "identifiers"},
		"into a map":             {patch: full, mask: []string{"attributes.a"}, reason: errs.InvalidUpdateMask, text: "attributes"},
		"empty path":             {patch: full, mask: []string{""}, reason: errs.InvalidUpdateMask},
		"star among others":      {patch: full, mask: []string{"*", "website"}, reason: errs.InvalidUpdateMask, text: "alone"},
		"output only":            {patch: &cataloguev1.Organisation{State: 3}, mask: []string{"state"}, reason: errs.InvalidUpdateMask, text: "organisation.state is set by the server"},
		"clearing output only":   {patch: &cataloguev1.Organisation{}, mask: []string{"create_time"}, reason: errs.InvalidUpdateMask, text: "create_time"},
		"inside of output only":  {patch: &cataloguev1.Organisation{}, mask: []string{"create_time.seconds"}, reason: errs.InvalidUpdateMask, text: "create_time"},
		"the result lacks":       {patch: &cataloguev1.Organisation{}, mask: []string{"territory"}, reason: errs.InvalidRequest, text: "organisation.territory"},
		"the result is no shape": {patch: &cataloguev1.Organisation{Website: "not a url"}, reason: errs.InvalidRequest, text: "organisation.website"},
	} {
		t.Run(name, func(t *testing.T) {
			current := organisation()
			current.CreateTime = full.CreateTime
			before, sent := proto.CloneOf(current), proto.CloneOf(c.patch)
			got, err := rpc.UpdateMask("organisation", current, c.patch, &fieldmaskpb.FieldMask{Paths: c.mask})
			if errs.ReasonOf(err) != c.reason || (err != nil && !strings.Contains(err.Error(), c.text)) {
				t.Fatalf("got %v, want %s with %q", err, c.reason, c.text)
			}
			if !proto.Equal(current, before) || !proto.Equal(c.patch, sent) {
				t.Error("the current resource or the patch was changed")
			}
			if err != nil {
				return
			}
			want := proto.CloneOf(before)
			c.change(want)
			if !proto.Equal(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

func TestUpdateMaskOfImmutableFields(t *testing.T) {
	current := &cataloguev1.Membership{Name: "organisations/1/memberships/1", Subject: "anna", Role: 3}
	for _, mask := range [][]string{nil, {"*"}, {"subject"}} {
		_, err := rpc.UpdateMask("membership", current, &cataloguev1.Membership{Subject: "bruno", Role: 3}, &fieldmaskpb.FieldMask{Paths: mask})
		if errs.ReasonOf(err) != errs.InvalidUpdateMask || !strings.Contains(err.Error(), "membership.subject cannot be changed") {
			t.Errorf("%v: %v", mask, err)
		}
		if got, err := rpc.UpdateMask("membership", current, &cataloguev1.Membership{Subject: "anna", Role: 3}, &fieldmaskpb.FieldMask{Paths: mask}); err != nil || !proto.Equal(got, current) {
			t.Errorf("the same value, %v: %v, %v", mask, got, err)
		}
	}
}

// A mask of whole fields gives, field by field, the patch's value where it is
// named and the current one where it is not.
func TestUpdateMaskFieldByField(t *testing.T) {
	mutable := []string{"display_name", "description", "kinds", "sectors", "parent_network", "website", "attributes", "source", "assured_date"}
	gen := rapid.Custom(func(t *rapid.T) *cataloguev1.Organisation {
		o := &cataloguev1.Organisation{DisplayName: it(rapid.StringMatching("[a-z]{1,5}").Draw(t, "name")), LegalForm: 1, Territory: &cataloguev1.Territory{CountryCode: "IT"}}
		if rapid.Bool().Draw(t, "description") {
			o.Description = it(rapid.StringMatching("[a-z]{0,5}").Draw(t, "text"))
		}
		o.Kinds = rapid.SliceOfNDistinct(rapid.SampledFrom([]cataloguev1.OrganisationKind{1, 2, 3}), 0, 3, rapid.ID).Draw(t, "kinds")
		o.Sectors = rapid.SliceOfNDistinct(rapid.StringMatching("terms/[a-f]"), 0, 3, rapid.ID).Draw(t, "sectors")
		o.ParentNetwork = rapid.SampledFrom([]string{"", "organisations/1", "organisations/2"}).Draw(t, "network")
		o.Website = rapid.SampledFrom([]string{"", "https://a.example.org", "https://b.example.org"}).Draw(t, "website")
		o.Attributes = rapid.MapOfN(rapid.StringMatching("[a-c]"), rapid.StringMatching("[a-z]{0,2}"), 0, 2).Draw(t, "attributes")
		o.Source = rapid.StringMatching("[a-z]{0,3}").Draw(t, "source")
		o.AssuredDate = rapid.SampledFrom([]string{"", "2026-01-31"}).Draw(t, "date")
		return o
	})
	rapid.Check(t, func(t *rapid.T) {
		current, patch := gen.Draw(t, "current"), gen.Draw(t, "patch")
		mask := rapid.SliceOfN(rapid.SampledFrom(mutable), 1, 6).Draw(t, "mask")
		got, err := rpc.UpdateMask("organisation", current, patch, &fieldmaskpb.FieldMask{Paths: mask})
		if err != nil {
			t.Fatal(err)
		}
		fields := got.ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			f := fields.Get(i)
			want := current.ProtoReflect()
			if slices.Contains(mask, string(f.Name())) {
				want = patch.ProtoReflect()
			}
			if !equal(got.ProtoReflect(), want, f) {
				t.Fatalf("%s with the mask %v: got %v, want %v", f.Name(), mask, got.ProtoReflect().Get(f), want.Get(f))
			}
		}
	})
}

func equal(a, b protoreflect.Message, f protoreflect.FieldDescriptor) bool {
	return a.Has(f) == b.Has(f) && a.Get(f).Equal(b.Get(f))
}

// organisations accepts every update that gets as far as its handler.
type organisations struct {
	cataloguev1.UnimplementedOrganisationServiceServer
}

func TestAPartialResourceNeedNotHaveWhatAWholeOneMust(t *testing.T) {
	f := newFixture(t, nil, func(r grpc.ServiceRegistrar) { cataloguev1.RegisterOrganisationServiceServer(r, organisations{}) })
	client := cataloguev1.NewOrganisationServiceClient(f.server.InProcess(nil))
	for name, c := range map[string]struct {
		req    *cataloguev1.UpdateOrganisationRequest
		passes bool
	}{
		"one good field": {&cataloguev1.UpdateOrganisationRequest{
			Organisation: &cataloguev1.Organisation{Website: "https://x.example.org"}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"website"}}}, true},
		"one good field, no mask": {&cataloguev1.UpdateOrganisationRequest{Organisation: &cataloguev1.Organisation{Website: "https://x.example.org"}}, true},
		"clearing what must be there": {&cataloguev1.UpdateOrganisationRequest{
			Organisation: &cataloguev1.Organisation{}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"display_name"}}}, false},
		"one bad field": {&cataloguev1.UpdateOrganisationRequest{
			Organisation: &cataloguev1.Organisation{Website: "no"}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"website"}}}, false},
		"a bad field that does not count": {&cataloguev1.UpdateOrganisationRequest{
			Organisation: &cataloguev1.Organisation{Website: "no"}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"source"}}}, true},
		"one bad nested field": {&cataloguev1.UpdateOrganisationRequest{
			Organisation: &cataloguev1.Organisation{Territory: &cataloguev1.Territory{NutsCode: "?"}}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"territory.nuts_code"}}}, false},
		"one good nested field": {&cataloguev1.UpdateOrganisationRequest{
			Organisation: &cataloguev1.Organisation{Territory: &cataloguev1.Territory{NutsCode: "ITC1"}}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"territory.nuts_code"}}}, true},
		"a nested field and then its whole, lacking": {&cataloguev1.UpdateOrganisationRequest{
			Organisation: &cataloguev1.Organisation{Territory: &cataloguev1.Territory{NutsCode: "ITC1"}}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"territory.nuts_code", "territory"}}}, false},
		"the whole, lacking, and then a nested field": {&cataloguev1.UpdateOrganisationRequest{
			Organisation: &cataloguev1.Organisation{Territory: &cataloguev1.Territory{NutsCode: "ITC1"}}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"territory", "territory.nuts_code"}}}, false},
		"whole resource, lacking": {&cataloguev1.UpdateOrganisationRequest{
			Organisation: &cataloguev1.Organisation{}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"*"}}}, false},
		"no resource":           {&cataloguev1.UpdateOrganisationRequest{}, false},
		"request_id too long":   {&cataloguev1.UpdateOrganisationRequest{Organisation: &cataloguev1.Organisation{}, RequestId: strings.Repeat("x", 129)}, false},
		"nothing at all to set": {&cataloguev1.UpdateOrganisationRequest{Organisation: &cataloguev1.Organisation{}}, true},
	} {
		_, err := client.UpdateOrganisation(f.operator(t), c.req)
		switch code := status.Code(err); {
		case c.passes && code != codes.Internal && code != codes.Unimplemented:
			t.Errorf("%s: %v; it should have reached the handler", name, err)
		case !c.passes && code != codes.InvalidArgument:
			t.Errorf("%s: %v; it should have been refused", name, err)
		}
	}
}
