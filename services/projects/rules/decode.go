package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Limits of a document.
const (
	// MaxSource is how long a rule set or a sample may be, in bytes.
	MaxSource     = 512 << 10
	maxDepth      = 12
	maxNodes      = 50_000
	maxProblems   = 50
	maxExpression = 4_000
)

// Problem is one thing wrong with a document, with its place.
type Problem struct {
	// Line and Column count from 1; 0 where there is no place.
	Line, Column int
	// Path names the field, for example rules[3].check.
	Path string
	// Message says what is wrong, and what would be right.
	Message string
}

// String is "line:column: path: message".
func (p Problem) String() string {
	text := p.Message
	if p.Path != "" {
		text = p.Path + ": " + text
	}
	return fmt.Sprintf("%d:%d: %s", p.Line, p.Column, text)
}

// Problems is all that is wrong with a document, at most maxProblems.
type Problems []Problem

// Error is one line for each problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return strings.Join(lines, "\n")
}

// reader decodes a document strictly: an unknown key, a key given twice and a
// value of the wrong shape are problems with a place, and it goes on after one.
type reader struct {
	problems Problems
	nodes    int
}

func (r *reader) report(at Place, path, format string, args ...any) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, Problem{at.Line, at.Column, path, fmt.Sprintf(format, args...)})
	}
}

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

// read decodes source into out, a pointer to a struct.
func (r *reader) read(source []byte, out any) {
	if len(source) > MaxSource {
		r.report(Place{}, "", "the document has %d bytes; at most %d are allowed", len(source), MaxSource)
		return
	}
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	var doc, more yaml.Node
	if err := decoder.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			r.report(Place{1, 1}, "", "the document is empty")
			return
		}
		at, text := Place{1, 1}, err.Error()
		if m := yamlLine.FindStringSubmatch(text); m != nil {
			at.Line, _ = strconv.Atoi(m[1]) // digits, and an int's worth of lines
			text = strings.TrimPrefix(text, m[0])
		}
		r.report(at, "", "not YAML: %s", strings.TrimPrefix(text, "yaml: "))
		return
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		r.report(Place{max(more.Line, 1), 1}, "", "one document is expected, another follows")
		return
	}
	if len(doc.Content) != 1 || !r.plain(doc.Content[0], 0) {
		return
	}
	r.value(doc.Content[0], "", reflect.ValueOf(out).Elem())
}

// plain refuses anchors, aliases, tags of one's own and documents that are too
// deep or too large, before anything is built from them.
func (r *reader) plain(n *yaml.Node, depth int) bool {
	at := Place{n.Line, n.Column}
	r.nodes++
	switch {
	case r.nodes > maxNodes:
		r.report(at, "", "the document has more than %d values", maxNodes)
	case depth > maxDepth:
		r.report(at, "", "the document is nested deeper than %d levels", maxDepth)
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		r.report(at, "", "anchors and aliases are not allowed")
	case n.Style&yaml.TaggedStyle != 0:
		r.report(at, "", "tags are not allowed")
	default:
		for _, c := range n.Content {
			if !r.plain(c, depth+1) {
				return false
			}
		}
		return true
	}
	return false
}

var (
	nodeType       = reflect.TypeFor[yaml.Node]()
	expressionType = reflect.TypeFor[Expression]()
	dateType       = reflect.TypeFor[civil.Date]()
	placeType      = reflect.TypeFor[Place]()
)

func (r *reader) value(n *yaml.Node, path string, out reflect.Value) {
	at := Place{n.Line, n.Column}
	if n.Tag == "!!null" {
		return // as if it were not there
	}
	switch {
	case out.Type() == nodeType:
		out.Set(reflect.ValueOf(*n))
		return
	case out.Type() == expressionType:
		if n.Kind != yaml.ScalarNode {
			r.report(at, path, "must be text")
			return
		}
		if len(n.Value) > maxExpression {
			r.report(at, path, "has %d bytes; at most %d are allowed", len(n.Value), maxExpression)
			return
		}
		out.Set(reflect.ValueOf(Expression{Source: n.Value, At: at, style: n.Style}))
		return
	case out.Type() == dateType:
		date, err := civil.Parse(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil {
			r.report(at, path, "must be a day such as 2026-01-31")
			return
		}
		out.Set(reflect.ValueOf(date))
		return
	}
	switch out.Kind() {
	case reflect.Pointer:
		out.Set(reflect.New(out.Type().Elem()))
		r.value(n, path, out.Elem())
	case reflect.Struct:
		if n.Kind != yaml.MappingNode {
			r.report(at, path, "must be a mapping of fields")
			return
		}
		r.fields(n, path, out)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			r.report(at, path, "must be a list")
			return
		}
		out.Set(reflect.MakeSlice(out.Type(), len(n.Content), len(n.Content)))
		for i, c := range n.Content {
			r.value(c, fmt.Sprintf("%s[%d]", path, i), out.Index(i))
		}
	case reflect.String:
		if n.Kind != yaml.ScalarNode {
			r.report(at, path, "must be text")
			return
		}
		out.SetString(n.Value)
	case reflect.Int64:
		v, err := strconv.ParseInt(n.Value, 10, 64)
		if n.Kind != yaml.ScalarNode || err != nil {
			r.report(at, path, "must be a whole number")
			return
		}
		out.SetInt(v)
	case reflect.Bool:
		if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
			r.report(at, path, "must be true or false")
			return
		}
		out.SetBool(strings.EqualFold(n.Value, "true"))
	default:
		panic("rules: no way to read a " + out.Type().String())
	}
}

// fields decodes a mapping into a struct.
func (r *reader) fields(n *yaml.Node, path string, out reflect.Value) {
	known := map[string]reflect.Value{}
	collect(out, known, Place{n.Line, n.Column})
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		at := Place{key.Line, key.Column}
		field, ok := known[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || !ok:
			r.report(at, path, "there is no field %q here; the fields are %s", shorten(key.Value), strings.Join(sortedKeys(known), ", "))
		case seen[key.Value]:
			r.report(at, path, "the field %q is given twice", key.Value)
		default:
			r.value(n.Content[i+1], join(path, key.Value), field)
		}
		seen[key.Value] = true
	}
}

// collect finds the fields of a struct, those of embedded structs with them, and
// writes down the place where the mapping stands.
func collect(out reflect.Value, known map[string]reflect.Value, at Place) {
	for i := range out.NumField() {
		field := out.Type().Field(i)
		tag, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case field.Type == placeType:
			out.Field(i).Set(reflect.ValueOf(at))
		case options == "inline":
			collect(out.Field(i), known, at)
		case tag != "" && tag != "-":
			known[tag] = out.Field(i)
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// shorten cuts a stranger's text for an error message.
func shorten(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}
