package rules

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"cel.dev/cel-go/cel"
)

// variables are what expressions of each scope see.
var variables = []struct {
	name  string
	kind  *cel.Type
	about string
}{
	{"project", projectType, "every scope"},
	{"funder", funderType, "every scope"},
	{"organisation", organisationType, "every scope: the body that claims"},
	{"budget", budgetType, "every scope: all lines in which the funder has a share"},
	{"own", budgetType, "every scope: those of the organisation that claims"},
	{"claim", claimType, "claim, claim_line"},
	{"line (scope line)", budgetLineType, "line: a budget line"},
	{"line (scope claim_line)", claimLineType, "claim_line, columns: an expenditure of the claim"},
}

// tables are the guide's tables of variables, fields and functions.
func tables() string {
	var b strings.Builder
	name := func(t *cel.Type) string {
		if elements := t.Parameters(); len(elements) == 1 {
			return "list of " + word(elements[0])
		}
		return word(t)
	}
	b.WriteString("| Variable | Type | Where |\n|---|---|---|\n")
	for _, v := range variables {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", v.name, name(v.kind), v.about)
	}
	for _, kind := range []*cel.Type{projectType, partnerType, funderType, organisationType, choiceType, budgetType, budgetLineType, claimType, claimLineType} {
		fmt.Fprintf(&b, "\n**%s**\n\n| Field | Type | Meaning |\n|---|---|---|\n", word(kind))
		for _, m := range records[kind] {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", m.name, name(m.kind), m.about)
		}
	}
	b.WriteString("\n| Function | Meaning |\n|---|---|\n")
	for _, f := range functions {
		fmt.Fprintf(&b, "| `%s` | %s |\n", f.usage, f.about)
	}
	return b.String()
}

var blocks = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// TestGuide: the guide's tables are those of the code, its examples compile, the
// sample claim is read, and evaluates to what the guide says; and it names every
// field of a document and of the facts.
func TestGuide(t *testing.T) {
	raw, err := os.ReadFile("GUIDE.md")
	if err != nil {
		t.Fatal(err)
	}
	guide := string(raw)
	if want := tables(); !strings.Contains(guide, want) {
		t.Errorf("the guide's tables are old; they should be:\n%s", want)
	}
	examples := blocks.FindAllStringSubmatch(guide, -1)
	if len(examples) != 3 {
		t.Fatalf("%d examples", len(examples))
	}
	in, err := LoadInput([]byte(examples[2][1]))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]string{{"meals"}, {"hourly-rate", "offset"}} {
		set, err := Load([]byte(examples[i][1]))
		if err != nil {
			t.Errorf("example %d:\n%v", i+1, err)
			continue
		}
		var got []string
		for _, f := range evaluate(t, set, in).Findings {
			got = append(got, f.Rule)
			if !strings.Contains(guide, strings.ReplaceAll(f.Message.EN, "\u00a0", " ")) {
				t.Errorf("the guide does not show %q", f.Message.EN)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("example %d breaks %v, want %v", i+1, got, want)
		}
	}
	for _, kind := range []reflect.Type{reflect.TypeFor[Document](), reflect.TypeFor[Input]()} {
		fields(kind, func(name string) {
			if !strings.Contains(guide, "`"+name+"`") {
				t.Errorf("the guide does not name the field %s of %s", name, kind.Name())
			}
		})
	}
	for _, word := range append(append(append([]string{}, Categories...), Methods...), Bases...) {
		if !strings.Contains(guide, word) {
			t.Errorf("the guide does not name %s", word)
		}
	}
}

// fields walks over the fields of a document by their names.
func fields(kind reflect.Type, see func(string)) {
	for kind.Kind() == reflect.Slice || kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	if kind.Kind() != reflect.Struct || kind == nodeType || kind == expressionType {
		return
	}
	for i := range kind.NumField() {
		tag, options, _ := strings.Cut(kind.Field(i).Tag.Get("yaml"), ",")
		if tag == "-" || tag == "" && options != "inline" {
			continue
		}
		if tag != "" {
			see(tag)
		}
		fields(kind.Field(i).Type, see)
	}
}
