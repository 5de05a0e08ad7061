package filetype_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/trama-suite/trama/services/projects/internal/domain/filetype"
)

const pdf = "%PDF-1.7\n%\xe2\xe3\n1 0 obj\n%%EOF\n"

// packed makes an archive of parts: name, content, name, content.
func packed(parts ...string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		method := zip.Deflate
		if parts[i] == "mimetype" {
			method = zip.Store
		}
		f, _ := w.CreateHeader(&zip.FileHeader{Name: parts[i], Method: method})
		_, _ = io.WriteString(f, parts[i+1])
	}
	_ = w.Close()
	return b.String()
}

// lying makes an archive whose part unpacks to more than it says.
func lying(size int, says uint64) string {
	var squeezed bytes.Buffer
	f, _ := flate.NewWriter(&squeezed, flate.BestCompression)
	content := make([]byte, size)
	_, _ = f.Write(content)
	_ = f.Close()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range []string{"[Content_Types].xml", "xl/workbook.xml"} {
		_, _ = w.Create(name)
	}
	raw, _ := w.CreateRaw(&zip.FileHeader{Name: "xl/a.xml", Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(content), CompressedSize64: uint64(squeezed.Len()), UncompressedSize64: says})
	_, _ = raw.Write(squeezed.Bytes())
	_ = w.Close()
	return b.String()
}

var (
	sheet    = packed("[Content_Types].xml", "<Types/>", "xl/workbook.xml", "<workbook/>")
	word     = packed("[Content_Types].xml", "<Types/>", "word/document.xml", "<document/>")
	ods      = packed("mimetype", filetype.ODS.Media, "content.xml", "<x/>")
	envelope = "\x30\x82\x00\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x02\x30\x00"
)

func TestWhatIsTaken(t *testing.T) {
	for content, want := range map[string]filetype.Type{
		pdf: filetype.PDF, "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR....IEND\xaeB\x60\x82": filetype.PNG, "\xff\xd8\xff\xe0....\xff\xd9": filetype.JPEG,
		sheet: filetype.XLSX, word: filetype.DOCX, ods: filetype.ODS, packed("mimetype", filetype.ODT.Media, "content.xml", "<x/>"): filetype.ODT,
		`<?xml version="1.0" encoding="UTF-8"?><Project xmlns="http://schemas.microsoft.com/project"/>`:                                                                       filetype.XML,
		"\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"windows-1252\"?>\n<?xml-stylesheet href=\"x.xsl\"?><p:FatturaElettronica xmlns:p=\"urn:x\">\xe0</p:FatturaElettronica>": filetype.XML,
		"<root><a/></root>": filetype.XML, envelope: filetype.P7M,
		"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n": filetype.Calendar, "Voce;Importo\nCittà;1,00\n": filetype.Text, "a": filetype.Text, "\xef\xbb\xbfperché\t€": filetype.Text,
		strings.Repeat("à", 40_000): filetype.Text, "< 5 euro": filetype.Text,
	} {
		got, err := filetype.Detect(strings.NewReader(content), int64(len(content)))
		if err != nil || got.Media != want.Media {
			t.Errorf("%.40q is %s, %v; want %s", content, got.Name, err, want.Name)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	parts := []string{"[Content_Types].xml", "", "xl/workbook.xml", ""}
	for i := range 10_001 {
		parts = append(parts, fmt.Sprint(i), "")
	}
	for name, c := range map[string]struct {
		content string
		kind    error
	}{
		"ELF": {"\x7fELF\x02\x01", filetype.ErrRefused}, "Windows program": {"MZ\x90\x00", filetype.ErrRefused}, "script": {"#!/bin/sh\nrm -rf /", filetype.ErrRefused},
		"web page": {"\ufeff \n<!DOCTYPE HTML><html>", filetype.ErrRefused}, "web page in capitals": {"<SCRIPT>alert(1)</SCRIPT>", filetype.ErrRefused},
		"image": {`<svg onload="x"/>`, filetype.ErrRefused}, "image behind a prolog": {`<?xml version="1.0"?><!-- x --><svg xmlns="http://www.w3.org/2000/svg"/>`, filetype.ErrRefused},
		"image under a prefix": {`<?xml version="1.0"?><s:a xmlns:s="http://www.w3.org/2000/svg"/>`, filetype.ErrRefused},
		"page as XML":          {`<?xml version="1.0"?><x xmlns="http://www.w3.org/1999/xhtml"/>`, filetype.ErrRefused},
		"entity bomb":          {`<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>`, filetype.ErrRefused},
		"style sheet":          {`<?xml version="1.0"?><xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform"/>`, filetype.ErrRefused},
		"UTF-16":               {"\xff\xfea\x00", filetype.ErrRefused}, "Windows-1252": {"citt\xe0;1", filetype.ErrRefused}, "binary": {"a\x00b", filetype.ErrRefused},
		"half a letter": {"perch\xc3", filetype.ErrRefused}, "old Office": {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", filetype.ErrRefused},
		"other archive": {packed("a.exe", "MZ"), filetype.ErrRefused}, "macros": {packed("[Content_Types].xml", "", "xl/workbook.xml", "", "xl/vbaProject.bin", ""), filetype.ErrRefused},
		"half a PDF": {pdf[:20], filetype.ErrDamaged}, "half a PNG": {"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", filetype.ErrDamaged},
		"half an archive": {sheet[:len(sheet)-30], filetype.ErrDamaged}, "half a calendar": {"BEGIN:VCALENDAR\n", filetype.ErrDamaged},
		"half XML": {`<?xml version="1.0"?><a><b`, filetype.ErrDamaged}, "archive of nothing": {"PK\x03\x04", filetype.ErrDamaged},
		"bomb":           {packed("[Content_Types].xml", "", "xl/workbook.xml", strings.Repeat("\x00", 20<<20)), filetype.ErrBomb},
		"lying bomb":     {lying(20<<20, 100), filetype.ErrDamaged},
		"too many parts": {packed(parts...), filetype.ErrBomb}, "envelope of another length": {envelope + "x", filetype.ErrRefused},
	} {
		_, err := filetype.Detect(strings.NewReader(c.content), int64(len(c.content)))
		refusal := new(filetype.Refusal)
		right := errors.Is(err, c.kind) || name == "lying bomb" && errors.Is(err, filetype.ErrBomb)
		if !errors.As(err, &refusal) || !right || refusal.Text == "" {
			t.Errorf("%s: %v, want %v", name, err, c.kind)
		}
	}
}

func TestNames(t *testing.T) {
	for raw, want := range map[string]string{
		"fattura.pdf": "fattura.pdf", "../../etc/passwd": "passwd", `C:\Documenti\fattura.pdf`: "fattura.pdf", "a\u202efdp.exe": "afdp.exe", "a\x00\x1b\n b.pdf": "a b.pdf",
		"  .pdf": ".pdf", "citta\u0300.pdf": "città.pdf", "a\u200b\ufeffb": "ab", "": "", "...": "", "con.pdf": "_con.pdf", `x<>:"|?*.pdf`: "x_______.pdf",
		strings.Repeat("à", 300) + ".pdf": strings.Repeat("à", 196) + ".pdf", "\xff\xfe.pdf": ".pdf",
	} {
		if got := filetype.CleanName(raw); got != want {
			t.Errorf("%q becomes %q, want %q", raw, got, want)
		}
	}
	for _, c := range []struct {
		name string
		kind filetype.Type
		want string
		ok   bool
	}{
		{"a.pdf", filetype.PDF, "a.pdf", true}, {"a.PDF", filetype.PDF, "a.PDF", true}, {"a.jpeg", filetype.JPEG, "a.jpeg", true}, {"a.png", filetype.PDF, "a.png", false},
		{"a.csv", filetype.Text, "a.csv", true}, {"a.pdf.p7m", filetype.P7M, "a.pdf.p7m", true}, {"a.exe", filetype.Text, "a.exe", false}, {"a.pdf", filetype.XLSX, "a.pdf", false},
		{"", filetype.PDF, "file.pdf", true}, {"Dott. Rossi", filetype.PDF, "Dott. Rossi.pdf", true}, {"a", filetype.XLSX, "a.xlsx", true}, {".pdf", filetype.PDF, ".pdf.pdf", true},
	} {
		if got, _, _, ok := filetype.Agree(c.name, c.kind); ok != c.ok || ok && got != c.want {
			t.Errorf("%q as %s: %q, %v", c.name, c.kind.Name, got, ok)
		}
	}
}

// Whatever comes, there is an answer of ours, and a name that is safe.
func FuzzDetect(f *testing.F) {
	for _, seed := range []string{pdf, sheet, ods, envelope, "<?xml version='1.0'?><a/>", "BEGIN:VCALENDAR", "à\xc3", "PK\x03\x04PK\x05\x06" + strings.Repeat("\x00", 30)} {
		f.Add([]byte(seed), "a.pdf")
	}
	f.Fuzz(func(t *testing.T, content []byte, name string) {
		if len(content) == 0 {
			return
		}
		kind, err := filetype.Detect(bytes.NewReader(content), int64(len(content)))
		if err != nil && !errors.As(err, new(*filetype.Refusal)) {
			t.Errorf("%v", err)
		}
		clean := filetype.CleanName(name)
		if strings.ContainsAny(clean, "/\\\x00\n\u202e") || len([]rune(clean)) > 201 || filetype.CleanName(clean) != clean {
			t.Errorf("%q becomes %q, then %q", name, clean, filetype.CleanName(clean))
		}
		if err == nil {
			filetype.Agree(clean, kind)
		}
	})
}
