// Package filetype says what a file is by looking at its content, and whether
// its name agrees. It takes the few kinds that projects need as evidence and
// refuses everything else: what a browser or an office program would run has no
// business among invoices. The work and the memory for a file are bounded by its
// size and by the limits below, whatever is in it.
package filetype

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Type is a kind of file.
type Type struct {
	// Media is the media type, without parameters.
	Media string
	// Name for people.
	Name string
	// Extensions in lower case, without the point; the first is the usual one.
	Extensions []string
}

// The kinds that are taken.
var (
	PDF      = Type{"application/pdf", "a PDF document", []string{"pdf"}}
	PNG      = Type{"image/png", "a PNG image", []string{"png"}}
	JPEG     = Type{"image/jpeg", "a JPEG image", []string{"jpg", "jpeg"}}
	XLSX     = Type{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "an Excel workbook", []string{"xlsx"}}
	DOCX     = Type{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "a Word document", []string{"docx"}}
	ODS      = Type{"application/vnd.oasis.opendocument.spreadsheet", "an OpenDocument spreadsheet", []string{"ods"}}
	ODT      = Type{"application/vnd.oasis.opendocument.text", "an OpenDocument text", []string{"odt"}}
	XML      = Type{"application/xml", "an XML document", []string{"xml"}}
	P7M      = Type{"application/pkcs7-mime", "a signed envelope (CAdES)", []string{"p7m"}}
	Calendar = Type{"text/calendar", "a calendar", []string{"ics"}}
	CSV      = Type{"text/csv", "a table in plain text", []string{"csv"}}
	Text     = Type{"text/plain", "plain text", []string{"txt", "md", "log"}}
)

// All lists the kinds that are taken.
var All = []Type{PDF, PNG, JPEG, XLSX, DOCX, ODS, ODT, XML, P7M, Calendar, CSV, Text}

// Why a content is refused, to be asked for with errors.Is.
var (
	// ErrRefused: none of the kinds that are taken.
	ErrRefused = errors.New("refused")
	// ErrDamaged: it begins as one of them and is broken.
	ErrDamaged = errors.New("damaged")
	// ErrBomb: it unpacks to more than is taken.
	ErrBomb = errors.New("too large once unpacked")
)

// Refusal is why a content is not taken.
type Refusal struct {
	kind error
	// Looks says what it looks like, as in "a program"; empty where that is not
	// known.
	Looks string
	// Text is for people.
	Text string
}

// Error returns the text for people.
func (r *Refusal) Error() string { return r.Text }

// Unwrap returns ErrRefused, ErrDamaged or ErrBomb.
func (r *Refusal) Unwrap() error { return r.kind }

func refuse(kind error, looks, format string, args ...any) error {
	return &Refusal{kind: kind, Looks: looks, Text: fmt.Sprintf(format, args...)}
}

// headSize is how much of the beginning of a content decides what it is.
const headSize = 4096

// signature is how a kind that is refused by name begins.
type signature struct {
	prefix, looks string
}

// refused are the kinds worth a name in the error.
var refused = []signature{
	{"\x7fELF", "a program (ELF)"}, {"MZ", "a program (Windows)"}, {"#!", "a script"},
	{"\xfe\xed\xfa\xce", "a program (Mach-O)"}, {"\xfe\xed\xfa\xcf", "a program (Mach-O)"}, {"\xce\xfa\xed\xfe", "a program (Mach-O)"},
	{"\xcf\xfa\xed\xfe", "a program (Mach-O)"}, {"\xca\xfe\xba\xbe", "a program (Java or Mach-O)"}, {"\x00asm", "a program (WebAssembly)"},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document (doc, xls, msg)"}, {"{\\rtf", "a rich text document"},
	{"GIF8", "a GIF image"}, {"\x1f\x8b", "a gzip archive"}, {"7z\xbc\xaf\x27\x1c", "a 7z archive"}, {"Rar!", "a RAR archive"},
	{"\xff\xfe", "a text in UTF-16"}, {"\xfe\xff", "a text in UTF-16"},
}

// Detect says what a content of that size is. The error is a *Refusal, or one of
// reading. A table in plain text is Text: only its name tells, see Agree.
func Detect(r io.ReaderAt, size int64) (Type, error) {
	head := make([]byte, min(size, headSize))
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return Type{}, err
	}
	switch {
	case bytes.HasPrefix(head, []byte("%PDF-")):
		return PDF, endsWith(r, size, 2048, "%%EOF", PDF)
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")):
		return PNG, endsWith(r, size, 16, "IEND", PNG)
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")):
		return JPEG, endsWith(r, size, 256, "\xff\xd9", JPEG)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return archive(r, size)
	case signed(head, size):
		return P7M, nil
	}
	for _, s := range refused {
		if bytes.HasPrefix(head, []byte(s.prefix)) {
			return Type{}, refuse(ErrRefused, s.looks, "the content is %s, which is not taken", s.looks)
		}
	}
	return text(r, size, head)
}

// endsWith checks that a mark stands in the last bytes: without it the file was
// broken off on its way.
func endsWith(r io.ReaderAt, size, within int64, mark string, t Type) error {
	tail := make([]byte, min(size, within))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !bytes.Contains(tail, []byte(mark)) {
		return refuse(ErrDamaged, t.Name, "the content begins as %s and has no end: it was broken off", t.Name)
	}
	return nil
}

// signedData is the object identifier 1.2.840.113549.1.7.2 in DER (PKCS #7
// signedData, RFC 2315, 14), which CAdES envelopes begin with (ETSI EN 319 122-1).
var signedData = []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02}

// signed reports whether a content is a PKCS #7 envelope of signed data, in DER
// or BER, whose outer length is that of the content.
func signed(head []byte, size int64) bool {
	if len(head) < 2 || head[0] != 0x30 {
		return false
	}
	rest, n := head[2:], int(head[1])
	switch {
	case n == 0x80: // of indefinite length
	case n < 0x80:
		if int64(n)+2 != size {
			return false
		}
	default:
		n &= 0x7f
		if n > 4 || len(rest) < n {
			return false
		}
		var length [8]byte
		copy(length[8-n:], rest)
		if int64(binary.BigEndian.Uint64(length[:])) != size-int64(n)-2 {
			return false
		}
		rest = rest[n:]
	}
	return bytes.HasPrefix(rest, signedData)
}

// byExtension returns the kind that an extension stands for.
func byExtension(extension string) (Type, bool) {
	for _, t := range All {
		if slices.Contains(t.Extensions, extension) {
			return t, true
		}
	}
	return Type{}, false
}
