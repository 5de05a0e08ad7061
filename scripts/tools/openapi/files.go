package main

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// fileTypes are the media types of answers that are files, by the extension of
// the path or by its last word: the verb, or the resource.
var fileTypes = map[string][]string{
	".ics": {"text/calendar"}, ".csv": {"text/csv"}, ".pdf": {"application/pdf"}, ".xml": {"application/xml"},
	"ical": {"text/calendar"}, "mspdi": {"application/xml"}, "closingReport": {"application/pdf"},
	"export": tables, "exportBudget": tables, "exportPortfolio": tables,
}

var tables = []string{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "text/csv"}

// fileContent describes an answer that is a file. One whose path does not tell
// its type may be of any.
func fileContent(p string) object {
	last := path.Base(p)
	types := fileTypes[path.Ext(last)]
	if types == nil {
		types = fileTypes[last[strings.LastIndexByte(last, ':')+1:]]
	}
	if types == nil {
		types = []string{"application/octet-stream"}
	}
	content := object{}
	for _, media := range types {
		schema := object{"type": "string"}
		if !strings.HasPrefix(media, "text/") && media != "application/xml" {
			schema["format"] = "binary"
		}
		content[media] = object{"schema": schema}
	}
	return content
}

// uploadID and uploadPath are the one call that streams a body: the generator has
// no form for it, and the gateway binds it by itself.
const (
	uploadID     = "FileService_UploadFile"
	uploadHeader = "trama.projects.v1.UploadFileHeader"
	uploadPath   = "/v1/projects/{project}/files"
)

// uploadParameters say what the fields of the header are for.
var uploadParameters = map[string]string{
	"displayName":  "The file's name.",
	"mediaType":    "What the client thinks it is; the content decides.",
	"organisation": "The partner whose file it is; without it, the caller's own.",
	"sha256":       "SHA-256 of the content in hexadecimal, to have it checked.",
	"visibility":   "Who in the project reads it besides the lead.",
}

// uploadOperation describes the upload of a file; nil where the protos have none.
func uploadOperation(protos *image) (object, error) {
	m := protos.methods[uploadID]
	if m == nil {
		return nil, nil
	}
	header := protos.messages[uploadHeader]
	if header == nil {
		return nil, fmt.Errorf("%s has no header", uploadID)
	}
	binary := func() object { return object{"schema": object{"type": "string", "format": "binary"}} }
	project := segmentSchema(header.field("parent").rules.String.Pattern, 1, true)
	parameters := []any{object{"name": "project", "in": "path", "required": true, "schema": project,
		"description": "Which project: the part after `projects/` in its resource name."}}
	for _, name := range slices.Sorted(maps.Keys(header.fields)) {
		if name == "parent" {
			continue
		}
		schema := object{"type": "string"}
		if name == "visibility" {
			schema = ref("schemas/trama.projects.v1.FileVisibility")
		}
		header.fields[name].rules.bind(schema)
		parameters = append(parameters, object{"name": name, "in": "query", "schema": schema, "description": uploadParameters[name]})
	}
	out := object{
		"operationId": uploadID, "tags": []any{"FileService"},
		"summary": "Uploads a file",
		"description": paragraphs("The body is the file's content as it is, or a form with one part that has a file name. Its name is `displayName`, or in Content-Disposition. "+
			"The same content again, by the same partner in the same project, gives the file that there is already. A body that breaks off leaves nothing.", m.access.describe(protos)),
		"parameters": append(parameters, object{"name": "Content-Disposition", "in": "header", "schema": object{"type": "string", "maxLength": 1024},
			"description": "The file's name as `filename` (RFC 6266), where the query has no `displayName`."}),
		"requestBody": object{"required": true, "description": "The file.", "content": object{
			"application/octet-stream": binary(),
			"multipart/form-data": object{"schema": object{"type": "object", "required": []any{"file"},
				"properties": object{"file": object{"type": "string", "format": "binary"}}}},
		}},
		"responses": object{"200": object{"description": "The file as it is kept.",
			"content": object{"application/json": object{"schema": ref("schemas/trama.projects.v1.File")}}}},
	}
	return out, nil
}

// finishUpload adds the upload's path.
func finishUpload(paths object, protos *image, schemas object) error {
	upload, err := uploadOperation(protos)
	if err != nil || upload == nil {
		return err
	}
	o := operation{object: upload, method: protos.methods[uploadID], verb: "post", path: uploadPath, schemas: schemas, protos: protos}
	if err := o.finishResponses(true); err != nil {
		return err
	}
	delete(at(upload, "responses"), "412")
	at(upload, "responses")["413"] = ref("responses/Problem")
	return addPath(paths, uploadPath, object{"post": upload})
}
