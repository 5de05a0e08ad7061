package interchange_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/interchange"
	"github.com/trama-suite/trama/services/projects/internal/domain/mspdi"
)

var now = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

const lead, member = "organisations/00000000-0000-7000-8000-000000000001", "organisations/00000000-0000-7000-8000-000000000002"

func project(start civil.Date) *domain.Project {
	return &domain.Project{ID: "p", Lead: lead, Card: domain.Card{Title: domain.Text{Text: "Rete", Language: "it"}, Start: start, End: "2030-12-31",
		Partners: []domain.Partner{{Organisation: lead, Lead: true}, {Organisation: member}}}}
}

// ids counts up.
func ids(from int) func() string {
	return func() string { from++; return fmt.Sprintf("00000000-0000-7000-8000-%012d", from) }
}

func take(doc *mspdi.Plan, p *domain.Project, known map[string]bool) *interchange.Result {
	return interchange.From(doc, interchange.Context{Project: p, Settings: &domain.Schedule{Project: p.ID}, Known: known, Language: "it",
		Today: "2026-06-01", Now: now, NewID: ids(1_000)})
}

// documents are those of other programs that are at hand.
func documents(t *testing.T) []string {
	t.Helper()
	dir := os.Getenv("TRAMA_DATA_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "..", "..", "shared", "data")
	}
	out, err := filepath.Glob(filepath.Join(dir, "mspdi", "*.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		t.Skip("no real data: set TRAMA_DATA_DIR to the folder with mspdi/*.xml")
	}
	return out
}

// TestTheDatesAreThoseOfMicrosoftProject holds what is computed against the dates
// that Microsoft Project has written: of every task, and of both ends of every
// link, with the floats.
func TestTheDatesAreThoseOfMicrosoftProject(t *testing.T) {
	for _, name := range documents(t) {
		in, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := mspdi.Read(in)
		_ = in.Close()
		if err != nil {
			t.Fatal(name, err)
		}
		r := take(doc, project("2026-01-05"), nil)
		if err := r.Plan.Compute(); err != nil {
			t.Fatal(name, err)
		}
		agreeing, differing, err := r.Compare()
		if err != nil {
			t.Fatal(err)
		}
		wrong := map[string]bool{}
		for _, d := range differing {
			wrong[d.Task.ID] = true
			t.Errorf("%s: task UID %d: %s to %s, in the document %s to %s: %s", filepath.Base(name), d.Row.UID,
				d.Task.Times.StartTime, d.Task.Times.FinishTime, d.ThenStart, d.ThenFinish, d.Reason)
		}
		pairs, agree, floats := 0, 0, 0
		for _, x := range r.Plan.Tasks {
			row := r.Rows[x.ID]
			if x.Times.Float == row.TotalSlack && x.Times.FreeFloat == row.FreeSlack && x.Times.Critical == row.Critical {
				floats++
			} else {
				t.Logf("%s: task UID %d: floats %d and %d, critical %v; in the document %d and %d, %v", filepath.Base(name), row.UID,
					x.Times.Float, x.Times.FreeFloat, x.Times.Critical, row.TotalSlack, row.FreeSlack, row.Critical)
			}
			for _, l := range x.Links {
				pairs++
				if !wrong[x.ID] && !wrong[l.Task] {
					agree++
				}
			}
		}
		t.Logf("%s: the dates of %d of %d tasks agree, both ends of %d of %d links; floats and criticality of %d tasks", filepath.Base(name),
			agreeing, agreeing+len(differing), agree, pairs, floats)
	}
}
