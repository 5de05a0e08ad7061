package main

import (
	"regexp"
	"strings"
)

// rules are those rules of buf.validate that JSON Schema has a word for; what
// it has none for is said in the fields' comments.
type rules struct {
	Ignore string
	String struct {
		MinLen  int64 `json:",string"`
		MaxLen  int64 `json:",string"`
		Pattern string
		URI     bool
		Email   bool
		Const   string
		In      []string
	}
	Int32 struct{ Gte, Gt, Lte, Lt *int32 }
	Bytes struct {
		MaxLen int64 `json:",string"`
	}
	Repeated struct {
		MinItems int64 `json:",string"`
		MaxItems int64 `json:",string"`
		Unique   bool
		Items    *rules
	}
	Map struct {
		MaxPairs int64 `json:",string"`
		Keys     *rules
		Values   *rules
	}
}

// bind writes the rules into the schema of their field.
func (r rules) bind(schema object) {
	optional := r.Ignore == "IGNORE_IF_ZERO_VALUE"
	switch schema["type"] {
	case "string":
		r.bindString(schema, optional)
	case "integer":
		for keyword, bound := range map[string]*int32{
			"minimum": r.Int32.Gte, "exclusiveMinimum": r.Int32.Gt, "maximum": r.Int32.Lte, "exclusiveMaximum": r.Int32.Lt,
		} {
			if bound == nil {
				continue
			}
			if optional && strings.HasSuffix(strings.ToLower(keyword), "minimum") && *bound > 0 {
				schema["minimum"] = 0
				continue
			}
			schema[keyword] = *bound
		}
	case "array":
		if !optional {
			setPositive(schema, "minItems", r.Repeated.MinItems)
		}
		setPositive(schema, "maxItems", r.Repeated.MaxItems)
		if r.Repeated.Unique {
			schema["uniqueItems"] = true
		}
		if items := at(schema, "items"); items != nil && r.Repeated.Items != nil {
			r.Repeated.Items.bind(items)
		}
	case "object":
		setPositive(schema, "maxProperties", r.Map.MaxPairs)
		if r.Map.Keys != nil {
			names := object{"type": "string"}
			r.Map.Keys.bind(names)
			schema["propertyNames"] = names
		}
		if values := at(schema, "additionalProperties"); values != nil && r.Map.Values != nil {
			r.Map.Values.bind(values)
		}
	}
}

func (r rules) bindString(schema object, optional bool) {
	if schema["format"] == "byte" { // base64: four characters for three bytes
		setPositive(schema, "maxLength", (r.Bytes.MaxLen+2)/3*4)
		return
	}
	s := r.String
	setPositive(schema, "maxLength", s.MaxLen)
	if !optional {
		setPositive(schema, "minLength", s.MinLen)
	}
	if s.Pattern != "" {
		schema["pattern"] = s.Pattern
		if optional && !regexp.MustCompile(s.Pattern).MatchString("") {
			schema["pattern"] = "^$|" + s.Pattern
		}
	}
	switch {
	case optional: // an empty text is of no format
	case s.URI:
		schema["format"] = "uri"
	case s.Email:
		schema["format"] = "email"
	case s.Const != "":
		schema["const"] = s.Const
	case len(s.In) > 0:
		schema["enum"] = s.In
	}
}

func setPositive(schema object, keyword string, n int64) {
	if n > 0 {
		schema[keyword] = n
	}
}
