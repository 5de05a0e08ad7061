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
	t := time.Unix(ts.Seconds, 0).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	e.b = appendDigits(append(e.b, '"'), year, 4)
	e.b = appendDigits(append(e.b, '-'), int(month), 2)
	e.b = appendDigits(append(e.b, '-'), day, 2)
	e.b = appendDigits(append(e.b, 'T'), hour, 2)
	e.b = appendDigits(append(e.b, ':'), minute, 2)
	e.b = appendDigits(append(e.b, ':'), second, 2)
	switch n := int(ts.Nanos); {
	case n == 0:
	case n%1e6 == 0:
		e.b = appendDigits(append(e.b, '.'), n/1e6, 3)
	case n%1e3 == 0:
		e.b = appendDigits(append(e.b, '.'), n/1e3, 6)
	default:
		e.b = appendDigits(append(e.b, '.'), n, 9)
	}
	e.b = append(e.b, 'Z', '"')
}

// appendDigits appends n, which is not negative and fits, in that many digits.
func appendDigits(b []byte, n, digits int) []byte {
	b = append(b, "000000000"[:digits]...)
	for i := len(b) - 1; n > 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return b
}
