package gateway

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// strictQuery reads query parameters into a request as the mux does, and
// refuses a parameter that the request does not have: a misspelt filter must
// not give everything.
type strictQuery struct{ runtime.DefaultQueryParser }

// Parse implements runtime.QueryParameterParser.
func (q *strictQuery) Parse(m proto.Message, values url.Values, filter *utilities.DoubleArray) error {
	for key := range values {
		if !hasField(m.ProtoReflect().Descriptor(), key) {
			return fmt.Errorf("field %q: there is no such parameter", key)
		}
	}
	return q.DefaultQueryParser.Parse(m, values, filter)
}

// hasField reports whether a message has the field that a parameter names, by
// its JSON or proto name: pageSize, need.title.text, attributes[key].
func hasField(d protoreflect.MessageDescriptor, parameter string) bool {
	parameter, _, _ = strings.Cut(parameter, "[")
	for name := range strings.SplitSeq(parameter, ".") {
		if d == nil {
			return false
		}
		field := d.Fields().ByJSONName(name)
		if field == nil {
			field = d.Fields().ByTextName(name)
		}
		if field == nil {
			return false
		}
		d = field.Message()
	}
	return true
}
