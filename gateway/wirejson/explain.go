package wirejson

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

// protojson says where by line and column only, and randomises the space after
// "proto:" so that nobody depends on its words; we depend on the numbers.
var position = regexp.MustCompile(`\(line (\d+):(\d+)\)`)

// explain turns an error of protojson into one that names the field.
func explain(data []byte, err error) error {
	text := strings.ReplaceAll(err.Error(), "\u00a0", " ")
	text = strings.TrimPrefix(text, "proto: ")
	at := position.FindStringSubmatch(text)
	if at == nil {
		if strings.Contains(text, "unexpected EOF") {
			return &BodyError{Reason: "not well-formed JSON: it ends too early"}
		}
		return &BodyError{Reason: strings.TrimPrefix(text, "syntax error ")}
	}
	line, _ := strconv.Atoi(at[1])
	column, _ := strconv.Atoi(at[2])
	reason := strings.TrimSpace(position.ReplaceAllString(text, ""))
	reason = strings.TrimPrefix(reason, "syntax error : ")
	reason = strings.TrimPrefix(strings.TrimPrefix(reason, "syntax error"), ": ")
	reason = strings.TrimPrefix(reason, ": ")
	// protojson also calls a value of the wrong type a syntax error.
	if strings.HasPrefix(text, "syntax error") && !json.Valid(data) {
		return &BodyError{Reason: "not well-formed JSON at line " + at[1] + ", column " + at[2] + ": " + reason}
	}
	return &BodyError{Path: pathAt(data, line, column), Reason: reason}
}

// pathAt returns the path of the JSON value or name that begins at a line and
// column (both from 1), such as identifiers[1].value.
func pathAt(data []byte, line, column int) string {
	offset := int64(column - 1)
	for i := 1; i < line; i++ {
		newline := bytes.IndexByte(data[offset-int64(column-1):], '\n')
		if newline < 0 {
			return ""
		}
		offset += int64(newline) + 1
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var stack []frame
	for {
		token, err := decoder.Token()
		if err != nil {
			return join(stack)
		}
		if delimiter, ok := token.(json.Delim); ok && (delimiter == '}' || delimiter == ']') {
			stack = stack[:len(stack)-1]
			continue
		}
		isName := false
		if n := len(stack); n > 0 {
			isName = stack[n-1].next(token)
		}
		if decoder.InputOffset() > offset {
			return join(stack)
		}
		if delimiter, ok := token.(json.Delim); ok && !isName {
			stack = append(stack, frame{array: delimiter == '[', index: -1})
		}
	}
}

// frame is one object or array that the walk is inside of.
type frame struct {
	array bool
	index int    // the present item, for an array
	name  string // the present member, for an object
	named bool   // the name was read, its value comes next
}

// next takes the next token of the frame; it reports whether the token is the
// name of a member.
func (f *frame) next(token json.Token) bool {
	if f.array {
		f.index++
		return false
	}
	if f.named {
		f.named = false
		return false
	}
	f.name, _ = token.(string)
	f.named = true
	return true
}

func join(stack []frame) string {
	var b strings.Builder
	for _, f := range stack {
		switch {
		case f.array && f.index >= 0:
			b.WriteString("[" + strconv.Itoa(f.index) + "]")
		case !f.array && f.name != "":
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(f.name)
		}
	}
	return b.String()
}
