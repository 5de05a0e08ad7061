// Package ids makes identifiers and reads resource names. Identifiers are
// UUIDv7 (RFC 9562): unique across regions without asking anyone, and in order
// of time, which keeps indexes dense and lists stable.
package ids

import (
	"strings"

	"github.com/google/uuid"
)

// Source makes identifiers. Production uses New; tests use a seeded source, so
// that a failure can be replayed.
type Source func() string

// New returns a fresh UUIDv7 in its canonical form.
func New() string { return uuid.Must(uuid.NewV7()).String() }

// Valid reports whether id is a UUID in canonical form (lower case, hyphens).
func Valid(id string) bool {
	if len(id) != 36 {
		return false
	}
	u, err := uuid.Parse(id)
	return err == nil && u.String() == id
}

// Name joins collections and identifiers to a resource name:
// Name("projects", p, "tasks", t) is "projects/<p>/tasks/<t>".
func Name(segments ...string) string { return strings.Join(segments, "/") }

// Parse reads the identifiers out of a resource name by its pattern, whose
// variables stand in braces: Parse("projects/{project}/tasks/{task}", name)
// returns the two identifiers. It reports false where the name does not have
// the pattern's shape or an identifier is not a valid one.
func Parse(pattern, name string) ([]string, bool) {
	var out []string
	for {
		p, patternRest, patternMore := strings.Cut(pattern, "/")
		n, nameRest, nameMore := strings.Cut(name, "/")
		if patternMore != nameMore {
			return nil, false
		}
		if strings.HasPrefix(p, "{") {
			if !Valid(n) {
				return nil, false
			}
			out = append(out, n)
		} else if p != n {
			return nil, false
		}
		if !patternMore {
			return out, true
		}
		pattern, name = patternRest, nameRest
	}
}
