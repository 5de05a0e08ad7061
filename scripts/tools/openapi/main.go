// Command openapi is the finishing step after protoc-gen-openapiv3: it merges
// the generator's documents, one for each proto file, into one OpenAPI 3.1
// document and adds what the generator cannot know and the Italian guidelines
// for REST APIs (AgID, Modello di interoperabilità) ask for: problem documents
// for errors, named path parameters, merge-patch bodies, contact and summary,
// the bearer scheme, the idempotency and condition headers, GET /status.
//
// Usage: openapi DIR > openapi.json
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

type object = map[string]any

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: openapi DIR > openapi.json")
	}
	doc, err := merge(os.DirFS(args[0]))
	if err != nil {
		return err
	}
	if err := finish(doc); err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", " ")
	return out.Encode(doc)
}

// merge reads all *.openapi.json below a folder into one document.
func merge(dir fs.FS) (object, error) {
	paths, schemas, tags := object{}, object{}, []any{}
	err := fs.WalkDir(dir, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".openapi.json") {
			return err
		}
		data, err := fs.ReadFile(dir, name)
		if err != nil {
			return err
		}
		var doc object
		if err := json.Unmarshal(data, &doc); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		for path, item := range at(doc, "paths") {
			merged, ok := paths[path].(object)
			if !ok {
				merged = object{}
				paths[path] = merged
			}
			for method, operation := range item.(object) {
				if _, twice := merged[method]; twice {
					return fmt.Errorf("%s: %s %s is declared twice", name, strings.ToUpper(method), path)
				}
				merged[method] = operation
			}
		}
		for key, schema := range at(doc, "components", "schemas") {
			schemas[key] = schema
		}
		if own, ok := doc["tags"].([]any); ok {
			tags = append(tags, own...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, errors.New("the folder holds no path")
	}
	slices.SortFunc(tags, func(a, b any) int {
		return strings.Compare(a.(object)["name"].(string), b.(object)["name"].(string))
	})
	return object{
		"openapi":    "3.1.0",
		"paths":      paths,
		"tags":       tags,
		"components": object{"schemas": schemas},
	}, nil
}

func at(o object, keys ...string) object {
	for _, k := range keys {
		o, _ = o[k].(object)
	}
	return o
}

func finish(doc object) error {
	doc["info"] = object{
		"title":     "Trama",
		"version":   "1.0.0",
		"summary":   "The network platform of social-economy consortia",
		"x-summary": "The network platform of social-economy consortia",
		"description": "Catalogue, matching, project lifecycle, training enrolment and impact measurement of a " +
			"network of social-economy organisations.\n\nEvery error is an RFC 9457 problem document. Create calls and custom " +
			"verbs take an `Idempotency-Key`; updates take `If-Match` with the resource's etag.",
		"termsOfService": "https://www.apache.org/licenses/LICENSE-2.0",
		"contact":        object{"name": "The Trama maintainers", "url": "https://github.com/trama-suite/trama"},
		"license":        object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		"x-api-id":       "8f6a4c8e-2f0e-5d43-9b51-6f2f6a1c7d10",
	}
	doc["servers"] = []any{object{"url": "/", "description": "The deployment that serves this document"}}
	doc["security"] = []any{object{"bearer": []any{}}, object{}}
	components := at(doc, "components")
	components["securitySchemes"] = object{"bearer": object{
		"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
		"description": "A token of the deployment's OpenID Connect issuer, or of `trama token`. A few public reads need none.",
	}}
	schemas := at(components, "schemas")
	delete(schemas, "google.rpc.Status")
	delete(schemas, "google.protobuf.Any")
	schemas["Problem"] = problemSchema()
	components["responses"] = object{"Problem": object{
		"description": "A problem document (RFC 9457): reason, detail, and each field that is wrong.",
		"content":     object{"application/problem+json": object{"schema": ref("schemas/Problem")}},
	}, "TooManyRequests": object{
		"description": "Too many requests: wait as long as Retry-After says.",
		"headers": object{
			"Retry-After":         header("Seconds to wait."),
			"RateLimit-Limit":     header("Requests in a window."),
			"RateLimit-Remaining": header("Requests left in the window."),
			"RateLimit-Reset":     header("Seconds until the window is full again."),
		},
		"content": object{"application/problem+json": object{"schema": ref("schemas/Problem")}},
	}}
	components["parameters"] = object{
		"IdempotencyKey": object{
			"name": "Idempotency-Key", "in": "header",
			"description": "Sets request_id: the same key with the same request gives the same answer and one effect.",
			"schema":      object{"type": "string", "maxLength": 128},
		},
		"IfMatch": object{
			"name": "If-Match", "in": "header",
			"description": "Sets etag: the call is refused with 412 where the resource has changed since.",
			"schema":      object{"type": "string", "maxLength": 128},
		},
	}
	paths := object{}
	for path, item := range at(doc, "paths") {
		renamed, names := namePathParameters(path)
		for method, operation := range item.(object) {
			if err := finishOperation(method, operation.(object), names); err != nil {
				return fmt.Errorf("%s %s: %w", method, path, err)
			}
		}
		paths[renamed] = item
	}
	paths["/status"] = statusPath()
	doc["paths"] = paths
	doc["tags"] = append(doc["tags"].([]any), object{"name": "Status", "description": "The state of the deployment."})
	return nil
}

// finishOperation mends one operation in place.
func finishOperation(method string, op object, names map[string]string) error {
	parameters, _ := op["parameters"].([]any)
	for _, p := range parameters {
		p := p.(object)
		if p["in"] == "path" {
			name, ok := names[p["name"].(string)]
			if !ok {
				return fmt.Errorf("path parameter %v is not in the path", p["name"])
			}
			p["name"] = name
		}
	}
	mutating := method != "get"
	if mutating {
		parameters = append(parameters, ref("parameters/IfMatch"))
		if method == "post" {
			parameters = append(parameters, ref("parameters/IdempotencyKey"))
		}
	}
	if len(parameters) > 0 {
		op["parameters"] = parameters
	}
	if content := at(op, "requestBody", "content"); method == "patch" && content != nil {
		content["application/merge-patch+json"] = content["application/json"]
	}
	responses := at(op, "responses")
	errorsOf := []string{"400", "401", "403", "500", "503", "default"}
	if len(names) > 0 {
		errorsOf = append(errorsOf, "404")
	}
	if mutating {
		errorsOf = append(errorsOf, "409", "412")
	}
	for _, status := range errorsOf {
		responses[status] = ref("responses/Problem")
	}
	responses["429"] = ref("responses/TooManyRequests")
	return nil
}

var parameter = regexp.MustCompile(`\{([^}]+)\}`)

// namePathParameters gives every parameter the singular of the collection it
// stands behind: /v1/projects/{name}/tasks/{name_1} becomes
// /v1/projects/{project}/tasks/{task}.
func namePathParameters(path string) (string, map[string]string) {
	names := map[string]string{}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		m := parameter.FindStringSubmatch(s)
		if m == nil || i == 0 {
			continue
		}
		names[m[1]] = singular(segments[i-1])
		segments[i] = parameter.ReplaceAllLiteralString(s, "{"+names[m[1]]+"}")
	}
	return strings.Join(segments, "/"), names
}

func singular(collection string) string {
	switch {
	case strings.HasSuffix(collection, "ies"):
		return strings.TrimSuffix(collection, "ies") + "y"
	case strings.HasSuffix(collection, "sses"), strings.HasSuffix(collection, "ches"):
		return strings.TrimSuffix(collection, "es")
	default:
		return strings.TrimSuffix(collection, "s")
	}
}

func ref(path string) object { return object{"$ref": "#/components/" + path} }

func header(description string) object {
	return object{"description": description, "schema": object{"type": "integer", "format": "int32"}}
}

func text(description string) object {
	return object{"type": "string", "description": description}
}

func problemSchema() object {
	return object{
		"type":        "object",
		"description": "What went wrong (RFC 9457).",
		"required":    []any{"type", "title", "status"},
		"properties": object{
			"type":     object{"type": "string", "format": "uri", "description": "urn:trama:problem:<domain>:<reason>."},
			"title":    text("The HTTP status in words."),
			"status":   object{"type": "integer", "format": "int32", "minimum": 100, "maximum": 599, "description": "The HTTP status."},
			"detail":   text("What is wrong, for people."),
			"instance": text("The path that was asked for."),
			"reason":   text("The reason for programs: a value of PlatformError or of the service's own error enum."),
			"domain":   text("Who gives the reason: trama, or <service>.trama."),
			"metadata": object{"type": "object", "additionalProperties": object{"type": "string"}, "description": "Facts for programs."},
			"fields": object{"type": "array", "description": "The fields that are wrong.", "items": object{
				"type": "object", "required": []any{"field", "description"},
				"properties": object{
					"field":       text("Path of the field in JSON names."),
					"reason":      text("The reason for programs."),
					"description": text("What is wrong and what would be right."),
				},
			}},
			"traceId": text("Finds the request in logs and traces."),
		},
	}
}

func statusPath() object {
	ok := object{"type": "object", "required": []any{"status"}, "properties": object{"status": text("ok, or what is wrong.")}}
	return object{"get": object{
		"tags":        []any{"Status"},
		"operationId": "Status",
		"summary":     "Says whether the deployment answers.",
		"security":    []any{object{}},
		"responses": object{
			"200":     object{"description": "It does.", "content": object{"application/json": object{"schema": ok}}},
			"429":     ref("responses/TooManyRequests"),
			"503":     ref("responses/Problem"),
			"default": ref("responses/Problem"),
		},
	}}
}
