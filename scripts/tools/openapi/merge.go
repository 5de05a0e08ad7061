package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

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
			return fmt.Errorf("%s: %w", name, err)
		}
		for path, item := range at(doc, "paths") {
			if err := addPath(paths, path, item.(object)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
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

// addPath adds the operations of a path to those that are there: a path comes
// more than once, as /v1/needs/{name} and as /v1/needs/{need.name}.
func addPath(paths object, path string, operations object) error {
	item, ok := paths[path].(object)
	if !ok {
		item = object{}
		paths[path] = item
	}
	for method, operation := range operations {
		if _, twice := item[method]; twice {
			return fmt.Errorf("%s %s is declared twice", strings.ToUpper(method), path)
		}
		item[method] = operation
	}
	return nil
}
