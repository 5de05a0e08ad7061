package bulk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// Put together again without the headings, the parts are the file, and every
// part says where it stands in it.
func TestPartsAreTheFile(t *testing.T) {
	var file strings.Builder
	file.WriteString("tax_code;name\n")
	for i := range 60_000 {
		if i%1000 == 7 { // a record over three lines
			fmt.Fprintf(&file, "%011d;\"on\nthree\nlines\"\r\n", i)
			continue
		}
		fmt.Fprintf(&file, "%011d;%s\n", i, strings.Repeat("x", 80))
	}
	for name, whole := range map[string]string{"ended": file.String(), "without a last line feed": strings.TrimSuffix(file.String(), "\n")} {
		lines := strings.SplitAfter(whole, "\n")
		s := newSplitter(strings.NewReader(whole))
		var together strings.Builder
		together.WriteString("tax_code;name\n")
		parts := 0
		for {
			part, first, err := s.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			parts++
			rows, ok := strings.CutPrefix(string(part), "tax_code;name\n")
			if !ok || len(part) > hardSize || strings.Count(rows, "\n") > partLines {
				t.Fatalf("%s: part %d has %d bytes, %d lines, and begins %.20q", name, parts, len(part), strings.Count(rows, "\n"), part)
			}
			if !strings.HasPrefix(rows, lines[first]) { // the row after its first line
				t.Fatalf("%s: part %d says line %d", name, parts, first)
			}
			together.WriteString(rows)
		}
		if together.String() != whole || parts < 2 {
			t.Fatalf("%s: %d parts do not make up the file", name, parts)
		}
	}
}

func TestAnEndlessQuoteDoesNotSwallowTheFile(t *testing.T) {
	s := newSplitter(strings.NewReader("a,b\n\"never ends\n" + strings.Repeat("row,row\n", 1_000_000)))
	for parts := 0; ; parts++ {
		part, _, err := s.next()
		if errors.Is(err, io.EOF) {
			if parts < 2 {
				t.Fatalf("%d parts", parts)
			}
			return
		}
		if err != nil || len(part) > hardSize+100 || bytes.Count(part, []byte{'\n'}) > partLines+1 {
			t.Fatalf("%d bytes, %d lines, %v", len(part), bytes.Count(part, []byte{'\n'}), err)
		}
	}
}

func TestAnEmptyFileHasNoPart(t *testing.T) {
	for _, file := range []string{"", "headings only\n"} {
		if _, _, err := newSplitter(strings.NewReader(file)).next(); !errors.Is(err, io.EOF) {
			t.Errorf("%q: %v", file, err)
		}
	}
}
