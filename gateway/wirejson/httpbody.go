package wirejson

import (
	"google.golang.org/genproto/googleapis/api/httpbody"
)

// HTTPBody is Marshaler, and lets an RPC answer with bytes of its own type (a
// calendar, a spreadsheet) by returning google.api.HttpBody.
type HTTPBody struct{ Marshaler }

// Marshal returns the bytes of an HttpBody as they are.
func (h HTTPBody) Marshal(v any) ([]byte, error) {
	if body, ok := v.(*httpbody.HttpBody); ok {
		return body.GetData(), nil
	}
	return h.Marshaler.Marshal(v)
}

// ContentType returns the HttpBody's own type.
func (h HTTPBody) ContentType(v any) string {
	if body, ok := v.(*httpbody.HttpBody); ok {
		return body.GetContentType()
	}
	return h.Marshaler.ContentType(v)
}
