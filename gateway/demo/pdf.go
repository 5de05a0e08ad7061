package demo

import (
	"bytes"
	"fmt"
	"strings"
)

// pdf is a page of A4 with lines of text, as a document of PDF 1.4 (ISO 32000-1,
// 7.5). Characters outside Latin-1 are left out: its font has no others.
func pdf(lines ...string) []byte {
	var text strings.Builder
	text.WriteString("BT /F1 11 Tf 56 780 Td 16 TL\n")
	for _, line := range lines {
		text.WriteByte('(')
		for _, r := range line {
			switch {
			case r == '(' || r == ')' || r == '\\':
				text.WriteByte('\\')
				text.WriteRune(r)
			case r >= ' ' && r < 0x7f:
				text.WriteRune(r)
			case r >= 0xa0 && r <= 0xff:
				fmt.Fprintf(&text, "\\%03o", r)
			}
		}
		text.WriteString(") Tj T*\n")
	}
	text.WriteString("ET")
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	var offsets []int
	for i, object := range []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", text.Len(), text.String()),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
	} {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, start)
	return b.Bytes()
}
