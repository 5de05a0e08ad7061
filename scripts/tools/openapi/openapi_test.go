package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

var update = flag.Bool("update", false, "write testdata/golden.json anew")

// TestGolden holds the document of a small library to the bytes on record.
// After a change that is meant: go test ./openapi -update, and read the diff.
func TestGolden(t *testing.T) {
	got := library(t, nil)
	const golden = "testdata/golden.json"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the document is not %s; -update writes it anew:\n%s", golden, firstDifference(got, want))
	}
	for range 20 { // map order must not show
		if !bytes.Equal(got, library(t, nil)) {
			t.Fatal("two runs gave different bytes")
		}
	}
}

// library builds the document of testdata, after edit has changed the generated
// one.
func library(t *testing.T, edit func(generated string) string) []byte {
	t.Helper()
	generated, err := os.ReadFile("testdata/library.openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	image, err := os.ReadFile("testdata/image.json")
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		generated = []byte(edit(string(generated)))
	}
	var out bytes.Buffer
	if err := build(fstest.MapFS{"trama/library.openapi.json": {Data: generated}}, image, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func firstDifference(got, want []byte) string {
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "got  " + g[i] + "\nwant " + w[i]
		}
	}
	return "one ends before the other"
}

// TestNothingIsLost: the path of a resource comes under as many names as it has
// bindings, and every operation must survive the renaming.
func TestNothingIsLost(t *testing.T) {
	var doc object
	if err := json.Unmarshal(library(t, nil), &doc); err != nil {
		t.Fatal(err)
	}
	item := at(doc, "paths", "/v1/rooms/{room}/books/{book}")
	if item["get"] == nil || item["patch"] == nil {
		t.Errorf("the book's path has %v, want get and patch", item)
	}
}

func TestRefusals(t *testing.T) {
	image, err := os.ReadFile("testdata/image.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ generated, want string }{
		"no path":        {`{"paths": {}}`, "the folder holds no path"},
		"unknown method": {`{"paths": {"/v1/x": {"get": {"operationId": "X_Y"}}}}`, "the image has no method X_Y"},
		"broken":         {`{`, "unexpected end"},
	} {
		err := build(fstest.MapFS{"a.openapi.json": {Data: []byte(test.generated)}}, image, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func TestProse(t *testing.T) {
	for in, want := range map[string]string{
		uncomment(" One\n two.\n"):          "One two.",
		"One\ntwo.\n\nThree\nfour.":         "One two.\n\nThree four.",
		"States:\n- one\n- two\nand more":   "States:\n- one\n- two and more",
		"Code:\n\n    a\n    b\n\nand text": "Code:\n\n    a\n    b\n\nand text",
		"a\n\n\n\nb":                        "a\n\nb",
	} {
		got := prose(in)
		if got != want {
			t.Errorf("prose(%q) = %q, want %q", in, got, want)
		}
		if again := prose(got); again != got {
			t.Errorf("prose of %q again is %q", got, again)
		}
	}
}

func TestFirstSentence(t *testing.T) {
	for in, want := range map[string][2]string{
		"Reads one.":                          {"Reads one.", ""},
		"Reads one. Error: NOT_FOUND.":        {"Reads one.", "Error: NOT_FOUND."},
		"Sums up, e.g. Monday. Then rests.":   {"Sums up, e.g. Monday.", "Then rests."},
		"Costs 1.50 a page. `Free` otherwise": {"Costs 1.50 a page.", "`Free` otherwise"},
		"Lists\n\nWhat it lists.":             {"Lists", "What it lists."},
	} {
		first, rest := firstSentence(in)
		if first != want[0] || rest != want[1] {
			t.Errorf("firstSentence(%q) = %q, %q, want %q", in, first, rest, want)
		}
	}
}

func TestSplitPattern(t *testing.T) {
	for in, want := range map[string][]string{
		"^rooms/[a-z/]+/books/(a|b/c)$": {"rooms", "[a-z/]+", "books", "(a|b/c)"},
		"^(rooms|racks)/[0-9]{1,3}$":    {"(rooms|racks)", "[0-9]{1,3}"},
		"^a/b|c/d$":                     nil,
		"a/b":                           nil,
		"":                              nil,
	} {
		if got := splitPattern(in); !slices.Equal(got, want) {
			t.Errorf("splitPattern(%q) = %q, want %q", in, got, want)
		}
	}
}
