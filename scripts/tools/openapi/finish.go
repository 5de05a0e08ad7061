package main

import (
	"fmt"
	"regexp"
	"strings"
)

// finish turns the merged document into the one that is served.
func finish(doc object, protos *image) error {
	doc["info"] = info()
	doc["servers"] = servers()
	doc["security"] = []any{object{"bearer": []any{}}}
	components := at(doc, "components")
	components["securitySchemes"] = object{"bearer": object{
		"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
		"description": "A token of the deployment's OpenID Connect issuer, or of `trama token`.",
	}}
	components["headers"] = headers()
	components["responses"] = responses()
	components["parameters"] = conditions()

	schemas := at(components, "schemas")
	for name, schema := range schemas {
		finishSchema(schema.(object), name, protos)
	}
	paths := object{}
	for path, item := range at(doc, "paths") {
		renamed, names, collections := namePath(path)
		for verb, op := range item.(object) {
			o := operation{object: op.(object), verb: verb, path: renamed, schemas: schemas, protos: protos}
			o.method = protos.methods[again.ReplaceAllLiteralString(fmt.Sprint(o.object["operationId"]), "")]
			if o.method == nil {
				return fmt.Errorf("%s %s: the image has no method %v", verb, path, o.object["operationId"])
			}
			if err := o.finish(names, collections); err != nil {
				return fmt.Errorf("%s %s: %w", verb, path, err)
			}
		}
		if err := addPath(paths, renamed, item.(object)); err != nil {
			return err
		}
	}
	if err := finishUpload(paths, protos, schemas); err != nil {
		return fmt.Errorf("%s: %w", uploadPath, err)
	}
	paths["/status"] = statusPath()
	doc["paths"] = paths
	schemas["Problem"] = problemSchema()
	doc["tags"] = append(doc["tags"].([]any), object{"name": "Status", "description": "The state of the deployment."})

	unwrap(doc)
	prune(doc)
	return shorten(doc)
}

// again is what the generator puts behind the operation id of a method's further
// paths.
var again = regexp.MustCompile(`_\d+$`)

func info() object {
	const summary = "The network platform of social-economy consortia"
	return object{
		"title":     "Trama",
		"version":   "1.0.0",
		"summary":   summary,
		"x-summary": summary,
		"description": "Catalogue, matching, project lifecycle, training enrolment and impact measurement of a " +
			"network of social-economy organisations.\n\nEvery error is a problem document (RFC 9457). Create calls and custom " +
			"verbs take an `Idempotency-Key`; what changes a resource takes its etag in `If-Match`. A resource that belongs " +
			"to others and one that does not exist give the same answer, 404.",
		"termsOfService": "https://www.apache.org/licenses/LICENSE-2.0",
		"contact":        object{"name": "The Trama maintainers", "url": "https://github.com/trama-suite/trama"},
		"license":        object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		"x-api-id":       "8f6a4c8e-2f0e-5d43-9b51-6f2f6a1c7d10",
	}
}

// servers names first whoever serves the document, so that its reference page
// calls the right one. Its URL is relative and may be plain HTTP on one's own
// machine only, which the guidelines' checker wants marked x-sandbox.
func servers() []any {
	return []any{
		object{"url": "/", "description": "The deployment that serves this document", "x-sandbox": true},
		object{"url": "https://{host}", "description": "A deployment of a network", "variables": object{
			"host": object{"default": "trama.example.org", "description": "Its host name."},
		}},
	}
}

// finishSchema adds to a message's schema the rules of its fields, and to an
// enum's what its values mean.
func finishSchema(schema object, name string, protos *image) {
	if values := protos.enums[name]; values != nil {
		var b strings.Builder
		for _, v := range values {
			if v.comment != "" {
				fmt.Fprintf(&b, "- `%s`: %s\n", v.name, strings.ReplaceAll(v.comment, "\n", " "))
			}
		}
		description, _ := schema["description"].(string)
		schema["description"] = paragraphs(prose(description), b.String())
		return
	}
	if m := protos.messages[name]; m != nil {
		bindFields(m, schema)
	}
}

// bindFields writes the rules of a message's fields into the properties.
func bindFields(m *message, schema object) {
	for name, property := range at(schema, "properties") {
		if f := m.fields[name]; f != nil {
			f.rules.bind(property.(object))
		}
	}
}

// unwrap makes running text of every description below v.
func unwrap(v any) {
	switch v := v.(type) {
	case object:
		for key, member := range v {
			if text, ok := member.(string); ok && key == "description" {
				v[key] = prose(text)
				continue
			}
			unwrap(member)
		}
	case []any:
		for _, member := range v {
			unwrap(member)
		}
	}
}

const schemaPrefix = "#/components/schemas/"

// refs calls fn for every object below v that refers to a schema.
func refs(v any, fn func(o object, name string)) {
	switch v := v.(type) {
	case object:
		if target, ok := v["$ref"].(string); ok {
			if name, ok := strings.CutPrefix(target, schemaPrefix); ok {
				fn(v, name)
			}
		}
		for _, member := range v {
			refs(member, fn)
		}
	case []any:
		for _, member := range v {
			refs(member, fn)
		}
	}
}

// prune drops the schemas that no operation comes to.
func prune(doc object) {
	schemas := at(doc, "components", "schemas")
	used := map[string]bool{}
	var use func(_ object, name string)
	use = func(_ object, name string) {
		if !used[name] {
			used[name] = true
			refs(schemas[name], use)
		}
	}
	refs(doc["paths"], use)
	refs(at(doc, "components", "responses"), use)
	for name := range schemas {
		if !used[name] {
			delete(schemas, name)
		}
	}
}

// shorten names schemas as people do: trama.catalogue.v1.Need is Need. Where two
// packages have a type of one name, both keep the package's: CatalogueTerm.
func shorten(doc object) error {
	schemas := at(doc, "components", "schemas")
	owners := map[string]int{}
	for name := range schemas {
		_, base := splitName(name)
		owners[base]++
	}
	short := func(name string) string {
		service, base := splitName(name)
		if owners[base] > 1 && service != "" {
			return strings.ToUpper(service[:1]) + service[1:] + base
		}
		return base
	}
	renamed := object{}
	for name, schema := range schemas {
		if renamed[short(name)] != nil {
			return fmt.Errorf("two schemas would be called %s", short(name))
		}
		renamed[short(name)] = schema
	}
	refs(doc, func(o object, name string) { o["$ref"] = schemaPrefix + short(name) })
	at(doc, "components")["schemas"] = renamed
	return nil
}

// splitName splits trama.catalogue.v1.Need.Kind into catalogue and NeedKind.
func splitName(name string) (service, base string) {
	parts := strings.Split(name, ".")
	if len(parts) < 4 {
		return "", parts[len(parts)-1]
	}
	return parts[1], strings.Join(parts[3:], "")
}
