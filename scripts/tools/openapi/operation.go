package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// operation is one operation with the method behind it.
type operation struct {
	object
	method  *method
	verb    string // get, post, patch, delete
	path    string
	schemas object // components.schemas
	protos  *image
}

// finish mends the operation in place.
func (o operation) finish(names, collections []string) error {
	o.describe()
	if err := o.finishParameters(names, collections); err != nil {
		return err
	}
	if err := o.finishBody(); err != nil {
		return err
	}
	return o.finishResponses(len(names) > 0)
}

// describe makes the first sentence of the RPC's comment the summary and the
// rest the description, with who may call.
func (o operation) describe() {
	summary, _ := o.object["summary"].(string)
	description, _ := o.object["description"].(string)
	first, rest := firstSentence(paragraphs(prose(summary), prose(description)))
	_, name, _ := strings.Cut(o.object["operationId"].(string), "_")
	if verb, named := strings.CutPrefix(first, name+" "); named { // GetNeed returns …
		first = strings.ToUpper(verb[:1]) + verb[1:]
	}
	o.object["summary"] = strings.TrimSuffix(first, ".")
	o.object["description"] = paragraphs(rest, o.method.access.describe(o.protos))
	if o.method.access.Anonymous {
		o.object["security"] = []any{object{}, object{"bearer": []any{}}}
	}
}

// describe says in words who may call. The image has all roles, and the zero
// value.
func (a access) describe(protos *image) string {
	var roles []string
	for _, r := range a.Roles {
		roles = append(roles, strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(r, "ROLE_"), "_", " ")))
	}
	var parts []string
	if a.Anonymous {
		parts = append(parts, "Open to everyone, also without a token.")
	}
	switch {
	case len(roles) > 0 && len(roles) == len(protos.enums["trama.authz.v1.Role"])-1:
		parts = append(parts, "Roles: any.")
	case len(roles) > 0:
		parts = append(parts, "Roles: "+strings.Join(roles, ", ")+".")
	}
	switch a.Scope {
	case "SCOPE_ORGANISATION":
		public := ""
		if a.Anonymous {
			public = "beyond what is public, "
		}
		parts = append(parts, "Scope: "+public+"the organisations in which the caller holds one of these roles; for network operators, auditors and services, all.")
	case "SCOPE_SELF":
		parts = append(parts, "Scope: the caller's own person.")
	}
	return strings.Join(parts, " ")
}

func (o operation) finishParameters(names, collections []string) error {
	parameters, err := pathParameters(o.method, names, collections, o.protos.uuids)
	if err != nil {
		return err
	}
	generated, _ := o.object["parameters"].([]any)
	for _, p := range withoutPath(generated) {
		p := p.(object)
		if f := o.method.input.field(p["name"].(string)); f != nil {
			f.rules.bind(at(p, "schema"))
		}
		parameters = append(parameters, p)
	}
	if o.verb != "get" && o.method.has("etag") {
		parameters = append(parameters, ref("parameters/IfMatch"))
	}
	if o.method.has("requestId") {
		parameters = append(parameters, ref("parameters/IdempotencyKey"))
	}
	delete(o.object, "parameters")
	if len(parameters) > 0 {
		o.object["parameters"] = parameters
	}
	return nil
}

// finishBody binds the rules of an inline body, and makes a merge patch of an
// update's.
func (o operation) finishBody() error {
	content := at(o.object, "requestBody", "content")
	if content == nil {
		return nil
	}
	schema := at(content, "application/json", "schema")
	if schema == nil {
		return fmt.Errorf("the body is not JSON")
	}
	bindFields(o.method.input, schema)
	if o.verb != "patch" {
		return nil
	}
	target, _ := schema["$ref"].(string)
	name := strings.TrimPrefix(target, schemaPrefix)
	resource := at(o.schemas, name)
	if resource == nil {
		return fmt.Errorf("the patch is not of a resource")
	}
	o.schemas[name+"Patch"] = patchSchema(resource)
	at(o.object, "requestBody")["content"] = object{
		"application/merge-patch+json": object{"schema": ref("schemas/" + name + "Patch")},
	}
	return nil
}

// patchSchema is a resource's schema for a merge patch: nothing is required,
// null clears what is not required of the resource, and what the server sets is
// not there.
func patchSchema(resource object) object {
	patch, properties := maps.Clone(resource), object{}
	required, _ := resource["required"].([]any)
	for name, property := range at(resource, "properties") {
		property := property.(object)
		switch {
		case property["readOnly"] == true:
		case name == "name", name == "etag", slices.Contains(required, any(name)):
			properties[name] = property
		default:
			properties[name] = nullable(property)
		}
	}
	delete(patch, "required")
	patch["properties"] = properties
	patch["description"] = "A merge patch (RFC 7396): what it leaves out stays as it is, null clears. An object within it is sent whole."
	return patch
}

// nullable is the schema that also takes null.
func nullable(schema object) object {
	either := maps.Clone(schema)
	if target, ok := schema["$ref"]; ok {
		delete(either, "$ref")
		either["anyOf"] = []any{object{"$ref": target}, object{"type": "null"}}
	} else if plain, ok := schema["type"].(string); ok {
		either["type"] = []any{plain, "null"}
	}
	return either
}

func (o operation) finishResponses(named bool) error {
	answers := at(o.object, "responses")
	ok := at(answers, "200")
	if ok == nil {
		return fmt.Errorf("there is no answer 200")
	}
	description, _ := ok["description"].(string)
	first, _ := firstSentence(prose(description))
	ok["description"] = first
	switch target := at(ok, "content", "application/json", "schema")["$ref"]; target {
	case schemaPrefix + "google.api.HttpBody":
		ok["description"] = "The file."
		ok["content"] = fileContent(o.path)
	case nil: // google.protobuf.Empty
		ok["description"] = "Done; an empty object."
	}
	sent := object{}
	for _, h := range append([]string{"Cache-Control"}, rateHeaders...) {
		sent[h] = ref("headers/" + h)
	}
	if o.method.output.fields["etag"] != nil {
		sent["ETag"] = ref("headers/ETag")
	}
	ok["headers"] = sent

	for status, name := range problems {
		switch status {
		case "404":
			if !named {
				continue
			}
		case "409":
			if o.verb == "get" {
				continue
			}
		case "412":
			if o.verb == "get" || !o.method.has("etag") {
				continue
			}
		}
		answers[status] = ref("responses/" + name)
	}
	return nil
}
