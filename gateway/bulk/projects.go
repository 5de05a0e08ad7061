package bulk

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/trama-suite/trama/gateway/rest"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// ProjectReport is the sum of the parts' reports on a table of projects, details
// or payments. Amounts are minor units of the mapping's currency.
type ProjectReport struct {
	Total, Created, Updated, Unchanged, Refused, Odd int
	Amount, AmountTaken, AmountRefused               int64
	// Phases are how many projects are in each phase; empty but for projects.
	Phases map[projectsv1.Phase]int
	// Parts is how many requests it took.
	Parts int
}

// Projects imports the table r: CSV in parts, each with the headings, and an Excel
// workbook in one. That a key stands twice is seen within a part only. line, which
// may be nil, gets every row that is refused or odd.
func Projects(ctx context.Context, c *rest.Client, r io.Reader, mapping *projectsv1.ProjectImportMapping, dryRun bool, line func(*projectsv1.ProjectImportLine)) (ProjectReport, error) {
	sum := ProjectReport{Phases: map[projectsv1.Phase]int{}}
	in := bufio.NewReaderSize(r, 1<<20)
	next := newSplitter(in).next
	if magic, err := in.Peek(4); err == nil && bytes.Equal(magic, []byte("PK\x03\x04")) {
		next = workbook(in)
	}
	for {
		part, firstLine, err := next()
		if errors.Is(err, io.EOF) {
			return sum, nil
		}
		if err != nil {
			return sum, err
		}
		var answer projectsv1.ImportProjectsResponse
		req := &projectsv1.ImportProjectsRequest{Table: part, Mapping: mapping, FirstLine: firstLine, ValidateOnly: dryRun}
		if err := c.Post(ctx, "/v1/projects:import", req, &answer); err != nil {
			return sum, fmt.Errorf("part from line %d: %w", firstLine, err)
		}
		sum.add(&answer)
		for _, l := range answer.GetLines() {
			if line != nil && len(l.GetFindings()) > 0 {
				line(l)
			}
		}
	}
}

// workbook gives a whole workbook as the only part.
func workbook(r io.Reader) func() ([]byte, int64, error) {
	done := false
	return func() ([]byte, int64, error) {
		if done {
			return nil, 0, io.EOF
		}
		done = true
		content, err := io.ReadAll(io.LimitReader(r, hardSize+1))
		if err == nil && len(content) > hardSize {
			err = fmt.Errorf("the workbook has more than %d bytes: save it as CSV, which is sent in parts", hardSize)
		}
		return content, 1, err
	}
}

func (r *ProjectReport) add(a *projectsv1.ImportProjectsResponse) {
	r.Parts++
	r.Total += int(a.GetTotal())
	r.Created += int(a.GetCreated())
	r.Updated += int(a.GetUpdated())
	r.Unchanged += int(a.GetUnchanged())
	r.Refused += int(a.GetRefused())
	r.Odd += int(a.GetOdd())
	r.Amount += a.GetAmount().GetMinorUnits()
	r.AmountTaken += a.GetAmountTaken().GetMinorUnits()
	r.AmountRefused += a.GetAmountRefused().GetMinorUnits()
	for _, p := range a.GetPhases() {
		r.Phases[p.GetPhase()] += int(p.GetProjectCount())
	}
}
