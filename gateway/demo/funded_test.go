package demo

import (
	"testing"
	"time"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// The funded project alone: all its calls, with nothing lost.
func TestTheFundedProject(t *testing.T) {
	client, as := deployment(t)
	l := &loader{client: client, patience: 10 * time.Second, progress: func(step string) { t.Log(step) }, people: as}
	w := newWorld()
	if err := l.organisations(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	needs, err := fill(t.Context(), l, needShelf(), needsOf(w.organisations))
	if err != nil {
		t.Fatal(err)
	}
	w.needs = needs
	if err := l.funded(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	a := &answers{}
	project, err := l.findFunded(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a.projects = byKey([]*projectsv1.Project{project})
	if err := l.gatherFunded(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	r := &Report{Sections: a.fundedSection(), Figures: a.fundedFigures()}
	t.Log(r)
	for _, d := range r.Differences() {
		t.Errorf("%s: the scenario says %s, the platform %s", d.What, d.Source, d.Platform)
	}
}
