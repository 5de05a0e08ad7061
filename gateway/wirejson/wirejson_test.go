package wirejson

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	validatepb "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
)

// The encoder must give what protojson gives, for messages with every kind of
// field: lists, maps, oneofs, presence, nesting in themselves, well-known types.
func TestMarshalEqualsProtojson(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	for _, m := range []proto.Message{
		&typev1.LocalizedText{}, &typev1.Money{}, &eventv1.Envelope{},
		&descriptorpb.FileDescriptorProto{}, &descriptorpb.FieldOptions{},
		&validatepb.FieldRules{}, &validatepb.Violations{},
		&timestamppb.Timestamp{}, &wrapperspb.DoubleValue{},
	} {
		for range 400 {
			m := m.ProtoReflect().New()
			fill(m, rnd, 4)
			requireEqual(t, m.Interface())
		}
	}
}

func TestNumbersAndTextAtTheirEdges(t *testing.T) {
	floats := []float64{0, 1, -1.5, 1e-6, 9.99e-7, 1e20, 1e21, 1.25e-9, 3e-300, math.MaxFloat64, math.NaN(), math.Inf(1), math.Inf(-1)}
	for _, f := range floats {
		requireEqual(t, &validatepb.DoubleRules{LessThan: &validatepb.DoubleRules_Lt{Lt: f}, In: []float64{f, -f}})
		requireEqual(t, &validatepb.FloatRules{In: []float32{float32(f)}})
	}
	requireEqual(t, &validatepb.Int64Rules{In: []int64{math.MinInt64, math.MaxInt64, 0}})
	requireEqual(t, &validatepb.UInt64Rules{In: []uint64{math.MaxUint64}})
	for _, s := range []string{"", "perché", "\"\\/\b\f\n\r\t\x00\x1f", "\u2028\u2029<>&", "𝒯rama"} {
		requireEqual(t, &typev1.LocalizedText{Text: s, Translations: map[string]string{s: s, "b": "", "a": "x"}})
	}
	for _, c := range []rune{0, 0x1f, ' ', '!', '"', '#', '[', '\\', ']', 0x7f, 0x80, 'è', 0x7fff, 0x10ffff} {
		for at := range 20 { // wherever it stands in words of eight bytes
			requireEqual(t, &typev1.LocalizedText{Text: strings.Repeat("a", at) + string(c) + strings.Repeat("b", 19-at)})
		}
	}
	for _, day := range []string{"0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2024-02-29T09:05:07Z", "9999-12-31T23:59:59Z"} {
		when, err := time.Parse(time.RFC3339, day)
		if err != nil {
			t.Fatal(err)
		}
		requireEqual(t, &eventv1.Envelope{EventTime: timestamppb.New(when)})
	}
	for _, nanos := range []int32{0, 1, 1000, 1_000_000, 123_456_789, 999_999_000} {
		requireEqual(t, &eventv1.Envelope{EventTime: &timestamppb.Timestamp{Seconds: 1_700_000_000, Nanos: nanos}})
	}
}

func TestRefusesWhatJSONCannotHold(t *testing.T) {
	for name, m := range map[string]proto.Message{
		"text that is not UTF-8":   &typev1.LocalizedText{Text: "\xff"},
		"a time outside 1 to 9999": &eventv1.Envelope{EventTime: &timestamppb.Timestamp{Seconds: math.MaxInt64}},
	} {
		if out, err := Marshal(m); err == nil {
			t.Errorf("%s gave %s", name, out)
		}
	}
}

func TestDecodeNamesTheField(t *testing.T) {
	for body, want := range map[string]string{
		`{"owner": 12}`:                        `field "owner"`,
		`{"aggregateVersion": "3", "nope": 1}`: `field "nope": unknown field "nope"`,
		"{\n  \"data\": {\"@type\": 3}\n}":     `field "data`,
		`{"eventTime": "yesterday"}`:           `field "eventTime"`,
		`{"owner": "x"`:                        `not well-formed JSON`,
		`{"owner": }`:                          `not well-formed JSON`,
		`[]`:                                   `field ""`,
		`{"aggregateVersion": 1e40}`:           `field "aggregateVersion"`,
		"{\"id\": \"\xff\"}":                   `UTF-8`,
	} {
		err := Marshaler{}.NewDecoder(strings.NewReader(body)).Decode(&eventv1.Envelope{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", body, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "\u00a0") {
			t.Errorf("%s: %q has protojson's random space", body, err)
		}
	}
	nested := `{"field": [{"name": "a"}, {"name": "b", "options": {"packed": "maybe"}}]}`
	err := Marshaler{}.Unmarshal([]byte(nested), &descriptorpb.DescriptorProto{})
	if err == nil || !strings.Contains(err.Error(), `"field[1].options.packed"`) {
		t.Errorf("nested: %v", err)
	}
}

// FuzzDecode: whatever the body, the decoder answers with an error or a message
// and never panics.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"owner": 12}`))
	f.Add([]byte("{\"data\":\n{\"@type\":\"x\"}}"))
	f.Add([]byte(`{"field": [{"options": {"packed": "maybe"}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var m descriptorpb.DescriptorProto
		if err := (Marshaler{}).Unmarshal(body, &m); err == nil {
			requireEqual(t, &m)
		}
	})
}

func requireEqual(t *testing.T, m proto.Message) {
	t.Helper()
	want, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(m)
	if err != nil {
		t.Fatalf("protojson: %v", err)
	}
	got, err := Marshal(m)
	if err != nil {
		t.Fatalf("%T: %v", m, err)
	}
	var compact bytes.Buffer // protojson adds spaces at random
	if err := json.Compact(&compact, want); err != nil {
		t.Fatal(err)
	}
	// json.Compact leaves escapes alone, so equal bytes means equal text.
	if !bytes.Equal(got, compact.Bytes()) {
		t.Fatalf("%T:\n got %s\nwant %s", m, got, compact.Bytes())
	}
}

// fill sets about half of the fields of m at random.
func fill(m protoreflect.Message, rnd *rand.Rand, depth int) {
	fields := m.Descriptor().Fields()
	switch m.Descriptor().FullName() {
	case "google.protobuf.Any":
		return
	case "google.protobuf.Timestamp", "google.protobuf.Duration":
		m.Set(fields.ByName("seconds"), protoreflect.ValueOfInt64(rnd.Int64N(1e9)))
		m.Set(fields.ByName("nanos"), protoreflect.ValueOfInt32(rnd.Int32N(1e9)))
		return
	case "google.protobuf.FieldMask", "google.protobuf.UninterpretedOption": // the latter has required fields
		return
	}
	for i := range fields.Len() {
		fd := fields.Get(i)
		if rnd.IntN(2) == 0 || (fd.Message() != nil && depth == 0) {
			continue
		}
		switch {
		case fd.IsMap():
			for range rnd.IntN(4) {
				m.Mutable(fd).Map().Set(random(fd.MapKey(), rnd).MapKey(), random(fd.MapValue(), rnd))
			}
		case fd.IsList():
			l := m.Mutable(fd).List()
			for range rnd.IntN(3) {
				if fd.Message() != nil {
					fill(l.AppendMutable().Message(), rnd, depth-1)
				} else {
					l.Append(random(fd, rnd))
				}
			}
		case fd.Message() != nil:
			fill(m.Mutable(fd).Message(), rnd, depth-1)
		default:
			m.Set(fd, random(fd, rnd))
		}
	}
}

func random(fd protoreflect.FieldDescriptor, rnd *rand.Rand) protoreflect.Value {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(rnd.IntN(2) == 0)
	case protoreflect.StringKind:
		return protoreflect.ValueOfString([]string{"", "è", "a\"b", "plain text", "\n"}[rnd.IntN(5)] + string(rune('a'+rnd.IntN(26))))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte{byte(rnd.IntN(256)), 0, 1}[:rnd.IntN(4)])
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(rnd.IntN(12)))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(rnd.Float32())
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(rnd.NormFloat64())
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(rnd.Uint32()))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(rnd.Uint32())
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(rnd.Uint64())
	default:
		return protoreflect.ValueOfInt64(rnd.Int64())
	}
}
