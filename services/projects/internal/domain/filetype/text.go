package filetype

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

var bom = []byte("\xef\xbb\xbf")

// markup is how documents begin that a browser would run, in lower case.
var markup = []string{"<!doctype html", "<html", "<head", "<body", "<script", "<svg", "<iframe", "<!--", "<style", "<meta", "<link", "<object", "<embed", "<img", "<a ", "<?php", "<%"}

// text says what a content is that has no signature.
func text(r io.ReaderAt, size int64, head []byte) (Type, error) {
	begin := bytes.TrimLeft(bytes.TrimPrefix(head, bom), " \t\r\n")
	lower := strings.ToLower(string(begin[:min(len(begin), 64)]))
	if strings.HasPrefix(lower, "<?xml") {
		if err := document(r, size); err != nil {
			return Type{}, err
		}
		return XML, closed(r, size)
	}
	for _, m := range markup {
		if strings.HasPrefix(lower, m) {
			return Type{}, refuse(ErrRefused, "a web page", "the content is a web page, a vector image or a script (it begins with %q), which is not taken", m)
		}
	}
	if strings.HasPrefix(lower, "<") && document(r, size) == nil {
		return XML, nil
	}
	if err := plain(r, size); err != nil {
		return Type{}, err
	}
	if strings.HasPrefix(lower, "begin:vcalendar") {
		tail := make([]byte, min(size, 64))
		if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
			return Type{}, err
		}
		if !strings.Contains(strings.ToUpper(string(tail)), "END:VCALENDAR") {
			return Type{}, refuse(ErrDamaged, Calendar.Name, "the content begins as a calendar and has no END:VCALENDAR")
		}
		return Calendar, nil
	}
	return Text, nil
}

// closed checks that a document ends with a tag.
func closed(r io.ReaderAt, size int64) error {
	tail := make([]byte, min(size, 256))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !bytes.HasSuffix(bytes.TrimRight(tail, " \t\r\n\x00"), []byte(">")) {
		return refuse(ErrDamaged, XML.Name, "the content begins as an XML document and does not end with a tag: it was broken off")
	}
	return nil
}

// plain checks that a content is text in UTF-8 without control characters.
func plain(r io.ReaderAt, size int64) error {
	buffer := make([]byte, 32<<10)
	kept := 0
	for offset := int64(0); offset < size; {
		n, err := r.ReadAt(buffer[kept:], offset)
		if n == 0 && err != nil {
			return err
		}
		offset += int64(n)
		chunk := buffer[:kept+n]
		for len(chunk) > 0 {
			c, width := utf8.DecodeRune(chunk)
			if c == utf8.RuneError && width == 1 {
				if !utf8.FullRune(chunk) && offset < size {
					break // the rest of it is in the next piece
				}
				return refuse(ErrRefused, "", "the content is none of the kinds that are taken, nor text in UTF-8: byte %d is not (a table from a spreadsheet program must be saved as \"CSV UTF-8\")", offset-int64(len(chunk)))
			}
			if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' || c == 0x7f {
				return refuse(ErrRefused, "", "the content is none of the kinds that are taken, nor text: byte %d is the control character %#x", offset-int64(len(chunk)), c)
			}
			chunk = chunk[width:]
		}
		kept = copy(buffer, chunk)
	}
	return nil
}

// charsets are the encodings of XML that are taken; all of them have ASCII at
// its place, which is all that is looked at here.
var charsets = map[string]bool{"utf-8": true, "us-ascii": true, "ascii": true, "iso-8859-1": true, "iso-8859-15": true, "windows-1252": true}

// maxProlog is how far into a document its root may be, in bytes.
const maxProlog = 64 << 10

// document checks that a content is XML that no browser runs: up to its root
// element there is no document type, so no entity, and the root is no page and
// no image.
func document(r io.ReaderAt, size int64) error {
	d := xml.NewDecoder(io.NewSectionReader(r, 0, min(size, maxProlog)))
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if !charsets[strings.ToLower(label)] {
			return nil, fmt.Errorf("the encoding %q is not taken", label)
		}
		return in, nil
	}
	for {
		token, err := d.RawToken()
		if err != nil {
			return refuse(ErrDamaged, XML.Name, "the content begins as an XML document and is none: %s", strings.TrimPrefix(err.Error(), "XML syntax error on "))
		}
		switch token := token.(type) {
		case xml.Directive:
			return refuse(ErrRefused, "an XML document with a document type", "an XML document with a document type (<!DOCTYPE) is not taken: it may define entities")
		case xml.ProcInst:
			if token.Target == "xml-stylesheet" {
				continue // names a sheet for reading, as Italian invoices do
			}
		case xml.StartElement:
			return root(token)
		case xml.CharData:
			if len(bytes.TrimSpace(bytes.TrimPrefix(token, bom))) > 0 {
				return refuse(ErrDamaged, XML.Name, "the content begins as an XML document and has text in front of its root")
			}
		}
	}
}

func root(e xml.StartElement) error {
	web := false
	for _, a := range e.Attr {
		if a.Name.Local == "xmlns" || a.Name.Space == "xmlns" {
			web = web || strings.Contains(a.Value, "www.w3.org/1999/xhtml") || strings.Contains(a.Value, "www.w3.org/2000/svg")
		}
	}
	switch strings.ToLower(e.Name.Local) {
	case "html", "svg", "script", "stylesheet", "transform":
		web = true
	}
	if web {
		return refuse(ErrRefused, "a web page", "the content is a web page, a vector image or a style sheet (its root is <%.40s>), which is not taken", e.Name.Local)
	}
	return nil
}
