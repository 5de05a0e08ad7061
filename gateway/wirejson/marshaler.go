package wirejson

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Marshaler is the gateway's marshaler for application/json and
// application/merge-patch+json.
type Marshaler struct{}

var _ runtime.Marshaler = Marshaler{}

// Marshal encodes a message, or any other value with encoding/json.
func (Marshaler) Marshal(v any) ([]byte, error) {
	if m, ok := v.(proto.Message); ok {
		return Marshal(m)
	}
	return json.Marshal(v)
}

// Unmarshal decodes strictly: an unknown field is an error.
func (Marshaler) Unmarshal(data []byte, v any) error { return decode(data, v) }

// NewDecoder returns a decoder of one strict value.
func (Marshaler) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(v any) error {
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if len(data) == 0 {
			return io.EOF
		}
		return decode(data, v)
	})
}

// NewEncoder returns an encoder that writes one value after another.
func (m Marshaler) NewEncoder(w io.Writer) runtime.Encoder {
	return runtime.EncoderFunc(func(v any) error {
		b, err := m.Marshal(v)
		if err != nil {
			return err
		}
		_, err = w.Write(b)
		return err
	})
}

// ContentType is application/json whatever the value.
func (Marshaler) ContentType(any) string { return "application/json" }

func decode(data []byte, v any) error {
	m, ok := messageIn(v)
	if !ok {
		// A path parameter or a single field that is no message.
		if err := (&runtime.JSONPb{}).Unmarshal(data, v); err != nil {
			return explain(data, err)
		}
		return nil
	}
	if err := protojson.Unmarshal(data, m); err != nil {
		return explain(data, err)
	}
	return nil
}

// messageIn returns the message to decode into: v itself, or what v points to,
// as for a body that is one field of the request.
func messageIn(v any) (proto.Message, bool) {
	if m, ok := v.(proto.Message); ok {
		return m, true
	}
	field := reflect.ValueOf(v)
	if field.Kind() != reflect.Pointer || field.IsNil() || field.Elem().Kind() != reflect.Pointer {
		return nil, false
	}
	if field.Elem().IsNil() {
		if !field.Elem().Type().Implements(reflect.TypeFor[proto.Message]()) {
			return nil, false
		}
		field.Elem().Set(reflect.New(field.Elem().Type().Elem()))
	}
	m, ok := field.Elem().Interface().(proto.Message)
	return m, ok
}

// BodyError is a request body that does not decode. Its text is
// `field "<path>": <reason>`; the path is in JSON names and empty for the
// whole body.
type BodyError struct{ Path, Reason string }

// Error returns the text described at BodyError.
func (e *BodyError) Error() string { return fmt.Sprintf("field %q: %s", e.Path, e.Reason) }
