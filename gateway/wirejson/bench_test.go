package wirejson

import (
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func BenchmarkAppend(b *testing.B) {
	m := protodesc.ToFileDescriptorProto(timestamppb.File_google_protobuf_timestamp_proto)
	m.MessageType = append(m.MessageType, protodesc.ToDescriptorProto(m.ProtoReflect().Descriptor()))
	for name, marshal := range map[string]func(proto.Message) ([]byte, error){
		"wirejson":  func(m proto.Message) ([]byte, error) { return Append(nil, m) },
		"protojson": protojson.MarshalOptions{EmitDefaultValues: true}.Marshal,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				out, err := marshal(m)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(out)))
			}
		})
	}
}
