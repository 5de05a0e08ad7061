// Package rest is a client of the gateway's REST API for our own tools and
// tests: messages of the contract in, messages or problems out.
package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Client calls one deployment as one caller. It is safe for concurrent use.
type Client struct {
	// Base is the gateway's URL, without a slash at the end.
	Base string
	// Token is the bearer token; empty for an anonymous caller.
	Token string
	// HTTP makes the calls; nil: http.DefaultClient.
	HTTP *http.Client
}

// Problem is an RFC 9457 problem document, as an error.
type Problem struct {
	Status   int               `json:"status"`
	Title    string            `json:"title"`
	Detail   string            `json:"detail"`
	Reason   string            `json:"reason"`
	Domain   string            `json:"domain"`
	Metadata map[string]string `json:"metadata"`
	Fields   []ProblemField    `json:"fields"`
	TraceID  string            `json:"traceId"`
}

// ProblemField is one field that is wrong.
type ProblemField struct {
	Field       string `json:"field"`
	Reason      string `json:"reason"`
	Description string `json:"description"`
}

// Error says what is wrong, with every field.
func (p *Problem) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s: %s", p.Status, p.Reason, p.Detail)
	for _, f := range p.Fields {
		if !strings.Contains(p.Detail, f.Description) {
			fmt.Fprintf(&b, "; %s: %s", f.Field, f.Description)
		}
	}
	return b.String()
}

// ReasonOf returns the reason of a problem, empty where err is none.
func ReasonOf(err error) string {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p.Reason
	}
	return ""
}

// Option changes one call.
type Option func(*http.Request)

// IdempotencyKey makes a create or a custom verb safe to repeat.
func IdempotencyKey(key string) Option {
	return func(r *http.Request) { r.Header.Set("Idempotency-Key", key) }
}

// IfMatch makes a call conditional on the resource's etag.
func IfMatch(etag string) Option {
	return func(r *http.Request) { r.Header.Set("If-Match", `"`+etag+`"`) }
}

// Get reads path ("/v1/needs?pageSize=10") into out.
func (c *Client) Get(ctx context.Context, path string, out proto.Message) error {
	return c.call(ctx, http.MethodGet, path, nil, out, nil)
}

// Post sends in to path and reads the answer into out. A nil in sends {}.
func (c *Client) Post(ctx context.Context, path string, in, out proto.Message, opts ...Option) error {
	return c.call(ctx, http.MethodPost, path, in, out, opts)
}

// Patch sends the changed fields of a resource.
func (c *Client) Patch(ctx context.Context, path string, in, out proto.Message, opts ...Option) error {
	return c.call(ctx, http.MethodPatch, path, in, out, opts)
}

// Delete deletes a resource.
func (c *Client) Delete(ctx context.Context, path string, opts ...Option) error {
	return c.call(ctx, http.MethodDelete, path, nil, nil, opts)
}

// Upload sends a file as it is and reads the answer into out. An empty media type
// leaves it to the server to find it in the content.
func (c *Client) Upload(ctx context.Context, path, mediaType string, content []byte, out proto.Message, opts ...Option) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Base+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	if mediaType != "" {
		req.Header.Set("Content-Type", mediaType)
	}
	return c.answer(req, out, opts)
}

// Download reads a file whole, and its media type.
func (c *Client) Download(ctx context.Context, path string) (content []byte, mediaType string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Base+path, nil)
	if err != nil {
		return nil, "", err
	}
	header, content, err := c.send(req, nil)
	return content, header.Get("Content-Type"), err
}

func (c *Client) call(ctx context.Context, method, path string, in, out proto.Message, opts []Option) error {
	var body io.Reader
	if method == http.MethodPost || method == http.MethodPatch {
		encoded := []byte("{}")
		if in != nil {
			var err error
			if encoded, err = protojson.Marshal(in); err != nil {
				return err
			}
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, body)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.answer(req, out, opts)
}

// answer makes a call and reads the message that it is answered with.
func (c *Client) answer(req *http.Request, out proto.Message, opts []Option) error {
	_, body, err := c.send(req, opts)
	if err != nil || out == nil {
		return err
	}
	// A newer deployment may know more than we do.
	return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(body, out)
}

// send makes a call as the caller and reads the answer, which is an error where
// it is a refusal.
func (c *Client) send(req *http.Request, opts []Option) (http.Header, []byte, error) {
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	for _, opt := range opts {
		opt(req)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return nil, nil, err
	}
	if res.StatusCode >= 300 {
		return nil, nil, problem(res, body)
	}
	return res.Header, body, nil
}

func problem(res *http.Response, body []byte) error {
	var p Problem
	if err := json.Unmarshal(body, &p); err != nil || p.Status == 0 {
		return fmt.Errorf("%s %s: %s and no problem document", res.Request.Method, res.Request.URL.Path, res.Status)
	}
	return &p
}
