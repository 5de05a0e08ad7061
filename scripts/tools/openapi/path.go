package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// wildcard is one * in the path template of a method.
type wildcard struct {
	field   string // the request's field that the * is a part of
	segment int    // which segment of that field's value
}

var (
	variable  = regexp.MustCompile(`\{([^=}]+)(?:=([^}]*))?\}`)
	parameter = regexp.MustCompile(`\{([^}]+)\}`)
)

// httpRule is a google.api.http option: texts, and further rules of its kind.
type httpRule map[string]any

func (r httpRule) text(key string) string {
	s, _ := r[key].(string)
	return s
}

// wildcards lists the wildcards of each of a method's paths, in path order.
func (r httpRule) wildcards() [][]wildcard {
	found := [][]wildcard{r.own()}
	more, _ := r["additionalBindings"].([]any)
	for _, x := range more {
		if rule, ok := x.(object); ok {
			found = append(found, httpRule(rule).own())
		}
	}
	return found
}

func (r httpRule) own() []wildcard {
	var found []wildcard
	for _, method := range []string{"get", "post", "patch", "put", "delete"} {
		for _, m := range variable.FindAllStringSubmatch(r.text(method), -1) {
			if m[2] == "" {
				m[2] = "*"
			}
			for i, s := range strings.Split(m[2], "/") {
				if s == "*" {
					found = append(found, wildcard{m[1], i})
				}
			}
		}
	}
	return found
}

// namePath gives every parameter of a path the singular of the collection it
// stands behind: /v1/projects/{name}/tasks/{name_1} becomes
// /v1/projects/{project}/tasks/{task}. It returns the parameters too.
func namePath(path string) (renamed string, names []string, collections []string) {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if i == 0 || !parameter.MatchString(s) {
			continue
		}
		name := singular(segments[i-1])
		names, collections = append(names, name), append(collections, segments[i-1])
		segments[i] = parameter.ReplaceAllLiteralString(s, "{"+name+"}")
	}
	return strings.Join(segments, "/"), names, collections
}

// pathParameters describes the parameters of a path from the pattern of the
// resource name that they are parts of.
func pathParameters(m *method, names, collections []string, uuids map[string]bool) ([]any, error) {
	binding := slices.IndexFunc(m.targets, func(w []wildcard) bool { return len(w) == len(names) })
	if binding < 0 {
		return nil, fmt.Errorf("%d path parameters, and no path of the method has so many wildcards", len(names))
	}
	var parameters []any
	for i, w := range m.targets[binding] {
		f := m.input.field(jsonPath(w.field))
		if f == nil {
			return nil, fmt.Errorf("no field %s", w.field)
		}
		parameters = append(parameters, object{
			"name": names[i], "in": "path", "required": true,
			"schema":      segmentSchema(f.rules.String.Pattern, w.segment, uuids[collections[i]]),
			"description": fmt.Sprintf("Which %s: the part after `%s/` in its resource name.", spaced(names[i]), collections[i]),
		})
	}
	return parameters, nil
}

const uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

// isUUID says whether a pattern is one of those that the protos have for UUIDs.
func isUUID(pattern string) bool { return pattern == uuid || pattern == "[0-9a-f-]{36}" }

// segmentSchema is the schema of one segment of a resource name. Where the name
// has no pattern it is a UUID if those of the collection are elsewhere.
func segmentSchema(pattern string, segment int, uuidElsewhere bool) object {
	own := "[^/]+"
	if segments := splitPattern(pattern); segment < len(segments) {
		own = segments[segment]
	} else if uuidElsewhere {
		own = uuid
	}
	if isUUID(own) {
		return object{"type": "string", "format": "uuid", "minLength": 36, "maxLength": 36}
	}
	return object{"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^" + own + "$"}
}

// splitPattern splits the pattern of a resource name at the slashes between its
// segments; nil where the pattern as a whole is a choice.
func splitPattern(pattern string) []string {
	pattern, anchored := strings.CutPrefix(pattern, "^")
	pattern, closed := strings.CutSuffix(pattern, "$")
	if !anchored || !closed {
		return nil
	}
	var segments []string
	depth, start := 0, 0
	for i, r := range pattern {
		switch {
		case strings.ContainsRune("([{", r):
			depth++
		case strings.ContainsRune(")]}", r):
			depth--
		case r == '|' && depth == 0:
			return nil
		case r == '/' && depth == 0:
			segments = append(segments, pattern[start:i])
			start = i + 1
		}
	}
	return append(segments, pattern[start:])
}

// jsonPath turns a field path of a proto (budget_line.name) into JSON names.
func jsonPath(path string) string {
	words := strings.Split(path, "_")
	for i, w := range words[1:] {
		if w != "" {
			words[i+1] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, "")
}

// withoutPath keeps the parameters that are not in the path.
func withoutPath(parameters []any) []any {
	return slices.DeleteFunc(parameters, func(p any) bool { return p.(object)["in"] == "path" })
}
