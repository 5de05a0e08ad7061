package ids

import (
	"slices"
	"strings"
	"testing"
)

func TestNewIsValidAndInOrder(t *testing.T) {
	var all []string
	for range 1000 {
		id := New()
		if !Valid(id) || id[14] != '7' {
			t.Fatalf("%q is no UUIDv7", id)
		}
		all = append(all, id)
	}
	if !slices.IsSorted(all) || len(slices.Compact(all)) != 1000 {
		t.Error("identifiers repeat, or are out of order")
	}
}

func TestParse(t *testing.T) {
	a, b := New(), New()
	if got, ok := Parse("projects/{project}/tasks/{task}", Name("projects", a, "tasks", b)); !ok || !slices.Equal(got, []string{a, b}) {
		t.Errorf("got %v, %v", got, ok)
	}
	for _, name := range []string{
		"", "projects", "projects/", "projects/" + a, "projects/" + a + "/tasks", "projects/" + a + "/tasks/", "tasks/" + a + "/tasks/" + b,
		"projects/" + a + "/tasks/" + b + "/more", "projects/" + strings.ToUpper(a) + "/tasks/" + b, "projects/{" + a + "}/tasks/" + b,
		"projects/" + strings.ReplaceAll(a, "-", "") + "/tasks/" + b, "/projects/" + a + "/tasks/" + b,
	} {
		if got, ok := Parse("projects/{project}/tasks/{task}", name); ok {
			t.Errorf("%q was read as %v", name, got)
		}
	}
}

// FuzzParse: what parses is exactly what Name puts together.
func FuzzParse(f *testing.F) {
	f.Add("projects/" + New() + "/tasks/" + New())
	f.Add("projects//tasks/")
	f.Fuzz(func(t *testing.T, name string) {
		got, ok := Parse("projects/{project}/tasks/{task}", name)
		if ok && Name("projects", got[0], "tasks", got[1]) != name {
			t.Fatalf("%q was read as %v", name, got)
		}
	})
}
