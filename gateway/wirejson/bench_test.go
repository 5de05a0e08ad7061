package wirejson

import (
	"encoding/json"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
)

// BenchmarkList encodes a list of 50 needs, by ours, by protojson with the same
// result, and by encoding/json from the generated structs, which gives other
// JSON but is what a plain handler would use.
func BenchmarkList(b *testing.B) {
	m := &cataloguev1.ListNeedsResponse{NextPageToken: "AUo1mW5Lr0Qn0dQwfhp0JG5lZWRzLzAxOThjMGRl"}
	for range 50 {
		now := &timestamppb.Timestamp{Seconds: 1_769_851_800, Nanos: 123_456_000}
		m.Needs = append(m.Needs, &cataloguev1.Need{
			Name: "needs/0198c0de-0000-7000-8000-000000000001", Organisation: "organisations/0198c0de-0000-7000-8000-000000000002",
			Title:    &typev1.LocalizedText{Text: "Pianificare i turni dell'assistenza domiciliare, perché chi manca si sostituisca", LanguageCode: "it"},
			State:    cataloguev1.EntryState_ENTRY_STATE_PUBLISHED,
			Category: "assistenza", Tags: []string{"turni", "mobile"}, Licence: "CC-BY-4.0", Attributes: map[string]string{"sample": "true"},
			Visibility: cataloguev1.EntryVisibility_ENTRY_VISIBILITY_NETWORK, CreateTime: now, UpdateTime: now, Etag: "1",
		})
	}
	for _, way := range []struct {
		name    string
		marshal func() ([]byte, error)
	}{
		{"wirejson", func() ([]byte, error) { return Marshaler{}.Marshal(m) }},
		{"protojson", func() ([]byte, error) { return protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(m) }},
		{"encoding-json", func() ([]byte, error) { return json.Marshal(m) }},
	} {
		b.Run(way.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				out, err := way.marshal()
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(out)))
			}
		})
	}
}
