package demo

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
)

// Report is what a network operator sees once the scenario is loaded. Nothing
// in it depends on ids or on time.
type Report struct {
	// Sections are the state of the network.
	Sections []Section
	// Figures are those of the sources next to the platform's.
	Figures []Figure
}

// Section is a part of the report: lines of a label and a value.
type Section struct {
	Title string
	Lines [][2]string
}

// Figure is one figure of the sources and what the platform answers.
type Figure struct{ What, Source, Platform string }

// Same reports whether the platform answers what the sources say.
func (f Figure) Same() bool { return f.Source == f.Platform }

// Differences returns the figures in which the platform does not answer what
// the sources say.
func (r *Report) Differences() []Figure {
	var out []Figure
	for _, f := range r.Figures {
		if !f.Same() {
			out = append(out, f)
		}
	}
	return out
}

// String is the report as aligned plain text.
func (r *Report) String() string {
	var b strings.Builder
	for _, s := range r.Sections {
		fmt.Fprintf(&b, "%s\n", strings.ToUpper(s.Title))
		for _, line := range s.Lines {
			fmt.Fprintf(&b, "  %s  %s\n", padded(line[0], 40), line[1])
		}
	}
	fmt.Fprintf(&b, "%s  %s  %s\n", padded("FIGURES OF THE SOURCES", 58), padded("source", 9), "platform")
	for _, f := range r.Figures {
		mark := ""
		if !f.Same() {
			mark = "  ≠"
		}
		fmt.Fprintf(&b, "  %s  %s  %s%s\n", padded(f.What, 56), padded(f.Source, 9), f.Platform, mark)
	}
	if n := len(r.Differences()); n > 0 {
		fmt.Fprintf(&b, "%d of %d figures differ\n", n, len(r.Figures))
	} else {
		fmt.Fprintf(&b, "all %d figures agree\n", len(r.Figures))
	}
	return b.String()
}

func padded(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

// report asks the platform for everything that it says.
func (l *loader) report(ctx context.Context) (*Report, error) {
	out := &Report{}
	a := &answers{}
	for _, gather := range []func(context.Context, *answers) error{
		l.gatherCatalogue, l.gatherMatching, l.gatherProjects, l.gatherFunded, l.gatherTraining, l.gatherImpact,
	} {
		if err := gather(ctx, a); err != nil {
			return nil, err
		}
	}
	out.Sections = a.sections()
	out.Figures = a.figures()
	return out, nil
}

// amount is a sum of money as people read it.
func amount(m *typev1.Money) string {
	minor, sign := m.GetMinorUnits(), ""
	if minor < 0 {
		minor, sign = -minor, "-"
	}
	return fmt.Sprintf("%s%s.%02d %s", sign, thousands(minor/100), minor%100, m.GetCurrencyCode())
}

// thousands writes a number with its digits in groups of three.
func thousands(n int64) string {
	digits := fmt.Sprint(n)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// hours is a number of minutes as hours and minutes.
func hours(minutes int64) string {
	return fmt.Sprintf("%s h %02d min", thousands(minutes/60), minutes%60)
}
