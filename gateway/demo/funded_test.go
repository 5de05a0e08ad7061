package demo

import (
	"bytes"
	"testing"
)

// Who calls for the funded project alone gets it with all its figures.
func TestTheFundedProjectAlone(t *testing.T) {
	client, as := deployment(t)
	if _, err := Funded(t.Context(), client, Options{}); err == nil {
		t.Error("it was carried out by nobody")
	}
	got, err := Funded(t.Context(), client, Options{As: as, Progress: func(step string) { t.Log(step) }})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range got.Report.Differences() {
		t.Errorf("%s: the scenario says %s, the platform %s", d.What, d.Source, d.Platform)
	}
	if len(got.Report.Figures) < 15 || len(got.Partners) != 3 {
		t.Errorf("got %+v", got)
	}
}

// The amounts of the funded project, worked out by hand.
func TestTheFundedProjectAddsUp(t *testing.T) {
	want := map[string]sums{
		// 143,406.01 of documents and 13,140.07 of flat rates; of each line a quarter,
		// of the development three tenths, rounded down.
		grantMaker: {156_546_08, 0, 0, 156_546_08, 40_236_49},
		esf:        {158_146_09, 150_00, 1_600_01, 156_396_08, 91_637_64},
	}
	for key, got := range expectedClaims() {
		if got != want[key] {
			t.Errorf("%s: %+v, want %+v", key, got, want[key])
		}
	}
	for _, c := range fundedCosts {
		if c.date < fundedStart || c.date > fundedEnd || c.paid < c.date || c.asked > c.gross() {
			t.Errorf("%s does not hold together", c.number)
		}
	}
}

// A page has a cross-reference table whose offsets are those of its objects.
func TestPDFHoldsTogether(t *testing.T) {
	page := pdf("Città (più o meno)", `a\b`)
	for i, want := range []string{"1 0 obj", "2 0 obj", "3 0 obj", "4 0 obj", "5 0 obj"} {
		if n := bytes.Count(page, []byte(want+"\n")); n != 1 {
			t.Errorf("object %d is there %d times", i+1, n)
		}
	}
	if !bytes.HasPrefix(page, []byte("%PDF-1.4\n")) || !bytes.Contains(page, []byte(`(Citt\340 \(pi\371 o meno\))`)) || !bytes.Contains(page, []byte(`(a\\b)`)) {
		t.Errorf("%s", page)
	}
}
