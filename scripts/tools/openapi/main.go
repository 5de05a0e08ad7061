// Command openapi is the finishing step after protoc-gen-openapiv3: it merges
// the generator's documents, one for each proto file, into one OpenAPI 3.1
// document and adds what the generator does not say.
//
// From the protos' descriptors (buf build -o IMAGE.json): who may call a method
// (trama.authz.v1.access), the bounds of fields (buf.validate), what the values
// of an enum mean.
//
// For the Italian guidelines for REST APIs (AgID, Modello di interoperabilità):
// problem documents for errors, described path parameters, merge-patch bodies,
// the headers of answers, contact and summary, GET /status.
//
// Usage: openapi DIR IMAGE.json > openapi.json
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// object is a JSON object. Its keys are written in order, so equal documents
// are equal bytes.
type object = map[string]any

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}

func run(args []string, w io.Writer) error {
	if len(args) != 2 {
		return errors.New("usage: openapi DIR IMAGE.json > openapi.json")
	}
	image, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	return build(os.DirFS(args[0]), image, w)
}

// build writes the finished document of the generator's files and the image.
func build(generated fs.FS, image []byte, w io.Writer) error {
	protos, err := readImage(image)
	if err != nil {
		return err
	}
	doc, err := merge(generated)
	if err != nil {
		return err
	}
	if err := finish(doc, protos); err != nil {
		return err
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", " ")
	return out.Encode(doc)
}

// at follows keys into an object; nil where there is none.
func at(o object, keys ...string) object {
	for _, k := range keys {
		o, _ = o[k].(object)
	}
	return o
}

func ref(path string) object { return object{"$ref": "#/components/" + path} }
