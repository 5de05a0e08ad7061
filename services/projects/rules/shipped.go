package rules

import (
	"cmp"
	"embed"
	"fmt"
	"slices"
	"sync"
)

//go:embed sets/*.yaml
var files embed.FS

// shipped are the sets of this build, compiled when they are first asked for.
var shipped = sync.OnceValue(func() []Shipped {
	entries, err := files.ReadDir("sets")
	if err != nil {
		panic(err) // they are in the program
	}
	var out []Shipped
	for _, e := range entries {
		source, err := files.ReadFile("sets/" + e.Name())
		if err != nil {
			panic(err)
		}
		set, err := Load(source)
		if err != nil {
			panic(fmt.Sprintf("rules: the shipped set %s: %s", e.Name(), err)) // a test loads them all
		}
		out = append(out, Shipped{set, source})
	}
	slices.SortFunc(out, func(a, b Shipped) int {
		return cmp.Or(cmp.Compare(a.Set.ID(), b.Set.ID()), cmp.Compare(a.Set.Version(), b.Set.Version()))
	})
	return out
})

// Shipped is a rule set that comes with the program, with its source text.
type Shipped struct {
	Set    *Set
	Source []byte
}

// AllShipped returns the sets that come with the program, by id and version.
func AllShipped() []Shipped { return slices.Clone(shipped()) }

// ShippedSet returns the newest version of a set that comes with the program.
func ShippedSet(id string) (*Set, bool) {
	var found *Set
	for _, s := range shipped() {
		if s.Set.ID() == id {
			found = s.Set
		}
	}
	return found, found != nil
}
