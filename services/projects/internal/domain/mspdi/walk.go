package mspdi

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Limits bound what reading a document may cost.
type Limits struct {
	Bytes  int64 // of the document
	Tokens int   // of XML
	Tasks  int
	Links  int
	Others int // calendar days, resources, assignments: of each
}

// DefaultLimits hold any plan of a funded project many times over, and are read
// in seconds.
var DefaultLimits = Limits{Bytes: 64 << 20, Tokens: 12_000_000, Tasks: 20_000, Links: 100_000, Others: 50_000}

const (
	maxDepth = 32
	// maxToken bounds one piece of text, comment or attribute.
	maxToken = 1 << 20
)

// guard bounds how much is read in all, and between two tokens.
type guard struct {
	from    io.Reader
	left    int64
	pending int
	failed  error
}

var (
	errSize  = errors.New("the document is larger than allowed")
	errToken = errors.New("a single text or comment is longer than 1 MiB")
)

func (g *guard) Read(p []byte) (int, error) {
	if g.failed != nil {
		return 0, g.failed
	}
	if g.left <= 0 {
		var one [1]byte
		if n, err := g.from.Read(one[:]); n == 0 {
			return 0, err
		}
		g.failed = errSize
		return 0, g.failed
	}
	n, err := g.from.Read(p[:min(int64(len(p)), g.left)])
	g.left -= int64(n)
	if g.pending += n; g.pending > maxToken {
		g.failed = errToken
		return 0, g.failed
	}
	if err != nil && err != io.EOF {
		g.failed = err // not the document's fault
	}
	return n, err
}

// Tokens under names of their own.
type (
	textToken  = xml.CharData
	startToken = xml.StartElement
	endToken   = xml.EndElement
)

// walker pulls elements out of a document.
type walker struct {
	guard  *guard
	xml    *xml.Decoder
	tokens int
	limits Limits
	path   []string
	drops  drops
	uid    int64 // of the task, resource or assignment that is being read
}

func newWalker(from io.Reader, limits Limits) *walker {
	w := &walker{guard: &guard{from: from, left: limits.Bytes}, limits: limits, drops: drops{seen: map[dropKey]int{}}}
	w.xml = xml.NewDecoder(w.guard)
	w.xml.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		switch strings.ToLower(charset) {
		case "utf-8", "us-ascii":
			return in, nil
		}
		return nil, fmt.Errorf("the encoding is %s, but only UTF-8 is read", quote(charset))
	}
	return w
}

func (w *walker) line() int {
	line, _ := w.xml.InputPos()
	return line
}

func (w *walker) fail(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Line: w.line(), Path: strings.Join(w.path, "/"), Text: fmt.Sprintf(format, args...)}
}

// broken is about a value; of a task, resource or assignment it names the UID.
func (w *walker) broken(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if w.uid > 0 {
		text = fmt.Sprintf("UID %d: %s", w.uid, text)
	}
	return w.fail(Broken, "%s", text)
}

// next returns the next token that matters.
func (w *walker) next() (xml.Token, error) {
	for {
		t, err := w.xml.Token()
		w.guard.pending = 0
		if err != nil {
			return nil, w.xmlError(err)
		}
		if w.tokens++; w.tokens > w.limits.Tokens {
			return nil, w.fail(TooLarge, "the document has more than %d pieces of XML", w.limits.Tokens)
		}
		switch t.(type) {
		case xml.Directive:
			return nil, w.fail(Malformed, "a document type declaration (DOCTYPE) is refused")
		case xml.Comment, xml.ProcInst:
			continue
		}
		return t, nil
	}
}

func (w *walker) xmlError(err error) error {
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, errSize), errors.Is(err, errToken):
		return w.fail(TooLarge, "%s", err)
	case w.guard.failed != nil:
		return w.guard.failed
	case errors.As(err, &syntax):
		return w.fail(Malformed, "this is not well-formed XML: %s", syntax.Msg)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return w.fail(Malformed, "the document is truncated")
	}
	return w.fail(Malformed, "%s", err)
}

// root enters the document's element.
func (w *walker) root() error {
	for {
		t, err := w.next()
		if err != nil {
			return err
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			if text, is := t.(xml.CharData); is && strings.Trim(string(text), " \t\r\n\ufeff") != "" {
				return w.fail(Malformed, "this is not a Microsoft Project XML document")
			}
			continue
		}
		if start.Name.Local != "Project" || start.Name.Space != Namespace {
			return w.fail(Malformed, "the root element is %s in the namespace %s, but must be Project in %s", quote(start.Name.Local), quote(start.Name.Space), Namespace)
		}
		w.path = append(w.path, "Project")
		return nil
	}
}

// each calls read for every child of the element that was entered, up to its
// end. Read must consume the child: by text, each or skip.
func (w *walker) each(read func(name string) error) error {
	for {
		t, err := w.next()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.EndElement:
			w.path = w.path[:len(w.path)-1]
			return nil
		case xml.StartElement:
			if len(w.path) >= maxDepth {
				return w.fail(TooLarge, "elements are nested more than %d deep", maxDepth)
			}
			w.path = append(w.path, t.Name.Local)
			if t.Name.Space != Namespace {
				w.drop("it is of the namespace " + quote(t.Name.Space))
				err = w.skip()
			} else {
				err = read(t.Name.Local)
			}
			if err != nil {
				return err
			}
		}
	}
}

// skip passes over the element that was entered.
func (w *walker) skip() error {
	return w.each(func(string) error { return w.skip() })
}

// text reads the element that was entered, which has no children.
func (w *walker) text() (string, error) {
	var out strings.Builder
	for {
		t, err := w.next()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.CharData:
			if out.Write(t); out.Len() > maxToken {
				return "", w.fail(TooLarge, "%s", errToken)
			}
		case xml.StartElement:
			return "", w.broken("holds an element %s where a value is due", quote(t.Name.Local))
		case xml.EndElement:
			w.path = w.path[:len(w.path)-1]
			return out.String(), nil
		}
	}
}

// The readers of values name the element in their errors, so they keep the path
// until the value is understood.
func value[T any](w *walker, into *T, parse func(string) (T, error)) error {
	name := w.path[len(w.path)-1]
	s, err := w.text()
	if _, plain := any(into).(*string); !plain {
		s = strings.TrimSpace(s)
	}
	if err != nil || s == "" {
		return err
	}
	if *into, err = parse(s); err != nil {
		w.path = append(w.path, name)
		return w.broken("%s", err)
	}
	return nil
}

func (w *walker) integer(into *int64) error {
	return value(w, into, func(s string) (int64, error) {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s is not a whole number", quote(s))
		}
		return n, nil
	})
}

// within reads a whole number of a range.
func (w *walker) within(into *int, least, most int) error {
	return value(w, into, func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("%s is not a whole number from %d to %d", quote(s), least, most)
		}
		return n, nil
	})
}

func (w *walker) flag(into *bool) error {
	return value(w, into, func(s string) (bool, error) {
		switch s {
		case "1", "true", "-1":
			return true, nil
		case "0", "false":
			return false, nil
		}
		return false, fmt.Errorf("%s is neither 0 nor 1", quote(s))
	})
}

func (w *walker) words(into *string) error {
	return value(w, into, func(s string) (string, error) { return s, nil })
}

func (w *walker) moment(into *time.Time) error { return value(w, into, parseTime) }
func (w *walker) minutes(into *int64) error    { return value(w, into, parseMinutes) }
func (w *walker) units(into *int64) error      { return value(w, into, parseUnits) }

// tenths reads tenths of minutes.
func (w *walker) tenths(into *int64) error {
	return value(w, into, func(s string) (int64, error) {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || !(f >= -10*maxMinutes && f <= 10*maxMinutes) {
			return 0, fmt.Errorf("%s is not a number of tenths of minutes", quote(s))
		}
		return int64(f / 10), nil
	})
}
