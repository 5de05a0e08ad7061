package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// image is what the descriptors say, by name.
type image struct {
	methods  map[string]*method     // by operationId: <Service>_<Method>
	messages map[string]*message    // by full name
	enums    map[string][]valueNote // by full name
	uuids    map[string]bool        // collections whose ids are UUIDs
}

// method is one RPC.
type method struct {
	input   *message
	output  *message
	access  access
	body    string // google.api.http body: a field, "*" or nothing
	targets [][]wildcard
}

// access is trama.authz.v1.Access.
type access struct {
	Roles     []string `json:"roles"`
	Scope     string   `json:"scope"`
	Anonymous bool     `json:"anonymous"`
}

// message is a message type with its fields by JSON name.
type message struct {
	fields map[string]*field
}

// field is one field of a message.
type field struct {
	rules   rules
	message *message // of a message field, nil of others
}

// valueNote is one value of an enum with its comment.
type valueNote struct{ name, comment string }

// The parts of a FileDescriptorProto in JSON that are of use here.
type fileDescriptor struct {
	Package     string
	MessageType []messageDescriptor
	EnumType    []enumDescriptor
	Service     []struct {
		Name   string
		Method []struct {
			Name       string
			InputType  string
			OutputType string
			Options    struct {
				Access *access  `json:"[trama.authz.v1.access]"`
				HTTP   httpRule `json:"[google.api.http]"`
			}
		}
	}
	SourceCodeInfo struct {
		Location []struct {
			Path            []int
			LeadingComments string
		}
	}
}

type messageDescriptor struct {
	Name  string
	Field []struct {
		Name     string
		JSONName string `json:"jsonName"`
		TypeName string
		Options  struct {
			Rules rules `json:"[buf.validate.field]"`
		}
	}
	NestedType []messageDescriptor
	EnumType   []enumDescriptor
}

type enumDescriptor struct {
	Name  string
	Value []struct{ Name string }
}

// readImage reads the JSON form of a FileDescriptorSet.
func readImage(data []byte) (*image, error) {
	var set struct{ File []fileDescriptor }
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("the image: %w", err)
	}
	img := &image{methods: map[string]*method{}, messages: map[string]*message{}, enums: map[string][]valueNote{}, uuids: map[string]bool{}}
	for _, f := range set.File {
		comments := map[string]string{}
		for _, l := range f.SourceCodeInfo.Location {
			comments[fmt.Sprint(l.Path)] = uncomment(l.LeadingComments)
		}
		img.addEnums(f.Package, []int{5}, f.EnumType, comments)
		for i, m := range f.MessageType {
			img.addMessage(f.Package, []int{4, i}, m, comments)
		}
	}
	for _, f := range set.File {
		for _, s := range f.Service {
			for _, m := range s.Method {
				if m.Options.Access == nil { // not ours
					continue
				}
				id := s.Name + "_" + m.Name
				if img.methods[id] != nil {
					return nil, fmt.Errorf("two methods have the operation id %s", id)
				}
				img.methods[id] = &method{
					input:   img.message(m.InputType),
					output:  img.message(m.OutputType),
					access:  *m.Options.Access,
					body:    m.Options.HTTP.text("body"),
					targets: m.Options.HTTP.wildcards(),
				}
			}
		}
	}
	return img, nil
}

// message returns the message of a name, which may start with a point. Messages
// refer to each other, so one may be empty until its descriptor has been read.
func (img *image) message(name string) *message {
	name = strings.TrimPrefix(name, ".")
	m, ok := img.messages[name]
	if !ok {
		m = &message{fields: map[string]*field{}}
		img.messages[name] = m
	}
	return m
}

func (img *image) addMessage(scope string, path []int, d messageDescriptor, comments map[string]string) {
	name := scope + "." + d.Name
	m := img.message(name)
	for _, f := range d.Field {
		added := &field{rules: f.Options.Rules}
		img.noteIDs(f.Options.Rules.String.Pattern)
		if f.TypeName != "" {
			added.message = img.message(f.TypeName)
		}
		m.fields[f.JSONName] = added
	}
	img.addEnums(name, slices.Concat(path, []int{4}), d.EnumType, comments)
	for i, n := range d.NestedType {
		img.addMessage(name, slices.Concat(path, []int{3, i}), n, comments)
	}
}

// noteIDs notes the collections whose ids are UUIDs by the pattern of a resource
// name, so that a path parameter has its format also where its own field, as
// in an update's resource, has no pattern.
func (img *image) noteIDs(pattern string) {
	segments := splitPattern(pattern)
	for i := 1; i < len(segments); i++ {
		if isUUID(segments[i]) {
			img.uuids[segments[i-1]] = true
		}
	}
}

// addEnums notes the comments of values; path is that of the enums' list (see
// google.protobuf.SourceCodeInfo).
func (img *image) addEnums(scope string, path []int, enums []enumDescriptor, comments map[string]string) {
	for i, e := range enums {
		var values []valueNote
		for v, value := range e.Value {
			location := slices.Concat(path, []int{i, 2, v})
			values = append(values, valueNote{value.Name, prose(comments[fmt.Sprint(location)])})
		}
		img.enums[scope+"."+e.Name] = values
	}
}

// field follows JSON names (editions.state) from m.
func (m *message) field(path string) *field {
	for {
		name, rest, deeper := strings.Cut(path, ".")
		f := m.fields[name]
		if f == nil || !deeper {
			return f
		}
		if f.message == nil {
			return nil
		}
		m, path = f.message, rest
	}
}

// has says whether m, or the resource in its body field, has a field.
func (m *method) has(name string) bool {
	if m.input.fields[name] != nil {
		return true
	}
	body := m.input.fields[m.body]
	return body != nil && body.message != nil && body.message.fields[name] != nil
}
