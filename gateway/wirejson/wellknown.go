package wirejson

import (
	"reflect"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// wellKnown returns the writer of a google.protobuf message that has a JSON
// form of its own, nil for every other message.
func wellKnown(name protoreflect.FullName) func(e *encoder, ptr reflect.Value) {
	switch name {
	case "google.protobuf.Timestamp":
		return timestamp
	case "google.protobuf.Any", "google.protobuf.Duration", "google.protobuf.FieldMask",
		"google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue",
		"google.protobuf.BoolValue", "google.protobuf.StringValue", "google.protobuf.BytesValue",
		"google.protobuf.Int32Value", "google.protobuf.Int64Value",
		"google.protobuf.UInt32Value", "google.protobuf.UInt64Value",
		"google.protobuf.FloatValue", "google.protobuf.DoubleValue":
		return fallback
	}
	return nil
}

// timestamp writes RFC 3339 in UTC with 0, 3, 6 or 9 digits of fraction. One
// outside the years 1 to 9999 goes the slow way, which refuses it.
func timestamp(e *encoder, ptr reflect.Value) {
	ts := ptr.Interface().(*timestamppb.Timestamp)
	if ts.CheckValid() != nil {
		fallback(e, ptr)
		return
	}
	t := time.Unix(ts.Seconds, int64(ts.Nanos)).UTC()
	e.b = append(e.b, '"')
	e.b = t.AppendFormat(e.b, "2006-01-02T15:04:05")
	switch n := ts.Nanos; {
	case n == 0:
	case n%1e6 == 0:
		e.b = t.AppendFormat(e.b, ".000")
	case n%1e3 == 0:
		e.b = t.AppendFormat(e.b, ".000000")
	default:
		e.b = t.AppendFormat(e.b, ".000000000")
	}
	e.b = append(e.b, 'Z', '"')
}

const hex = "0123456789abcdef"

// appendString appends s as a JSON string, escaping what JSON demands and
// nothing else.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		start = i + 1
	}
	return append(append(b, s[start:]...), '"')
}
