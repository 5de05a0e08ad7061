// Package proto is the contract of the suite. The Go packages are below
// gen/go; this one holds the OpenAPI document that is generated with them.
package proto

import _ "embed" // for OpenAPI

// OpenAPI is the OpenAPI 3.1 document of the REST API, as JSON.
//
//go:embed gen/openapi/openapi.json
var OpenAPI []byte
