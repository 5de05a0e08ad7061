package sqldb

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A query is put together from pieces of which it is known what they are; only
// the parameters may change.
func TestTranslateChangesParametersOnly(t *testing.T) {
	literal := rapid.Custom(func(t *rapid.T) string {
		inside := rapid.StringOf(rapid.SampledFrom([]rune("$19'\"-/* \nxé?"))).Draw(t, "inside")
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			return "'" + strings.ReplaceAll(inside, "'", "''") + "'"
		case 1:
			return `"` + strings.ReplaceAll(inside, `"`, `""`) + `"`
		case 2:
			return "--" + strings.ReplaceAll(inside, "\n", "") + "\n"
		case 3:
			return "/*" + strings.ReplaceAll(inside, "*", "") + "*/"
		}
		return rapid.StringMatching(`[a-zé_][a-z0-9$é_]*`).Draw(t, "identifier") + " "
	})
	plain := rapid.SampledFrom([]string{" ", ", ", "(", ")", " = ", " - ", " / ", " * ", "7 ", "$", "?", ";\n"})
	rapid.Check(t, func(t *rapid.T) {
		var in, want strings.Builder
		for range rapid.IntRange(0, 12).Draw(t, "pieces") {
			switch rapid.IntRange(0, 2).Draw(t, "piece") {
			case 0:
				n := rapid.StringMatching(`[1-9][0-9]{0,2}`).Draw(t, "n")
				in.WriteString(" $" + n + " ")
				want.WriteString(" ?" + n + " ")
			case 1:
				s := literal.Draw(t, "literal")
				in.WriteString(s)
				want.WriteString(s)
			case 2:
				s := plain.Draw(t, "plain")
				in.WriteString(s + " ")
				want.WriteString(s + " ")
			}
		}
		if got := translate(in.String()); got != want.String() {
			t.Fatalf("%q\ngot  %q\nwant %q", in.String(), got, want.String())
		}
	})
}

func TestTranslate(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "",
		"$1":                    "?1",
		"a=$1 OR b=$12":         "a=?1 OR b=?12",
		"($1,$2)":               "(?1,?2)",
		"'$1'$1":                "'$1'?1",
		"'it''s $1' || $1":      "'it''s $1' || ?1",
		"'open $1":              "'open $1",
		"/* $1 */$1/* $1":       "/* $1 */?1/* $1",
		"--$1\n$1--$1":          "--$1\n?1--$1",
		"a$1 + $1":              "a$1 + ?1",
		`"c $1" = $1`:           `"c $1" = ?1`,
		"$":                     "$",
		"$x":                    "$x",
		"replace(a, $1, '')=$2": "replace(a, ?1, '')=?2",
	} {
		if got := translate(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
