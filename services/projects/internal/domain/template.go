package domain

import (
	_ "embed"
	"encoding/json"
)

// The default asks for the artefacts of the PM² guide (European Commission,
// "PM² Project Management Methodology Guide 3.1").
//
//go:embed template.json
var defaultTemplate []byte

// DefaultTemplate returns the template of a network that has none of its own.
func DefaultTemplate() *Template {
	t := &Template{}
	if err := json.Unmarshal(defaultTemplate, t); err != nil {
		panic("domain: template.json: " + err.Error())
	}
	return t
}
