// Package bulk sends a large CSV file of organisations through the REST API,
// in parts that one request may hold, and adds up the reports.
package bulk

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/trama-suite/trama/gateway/rest"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
)

// partSize is about how much of the file one request carries; base64 in JSON
// makes it a third larger, and a body may have 4 MiB.
const partSize = 2 << 20

// partLines is how many lines of the file one request carries besides the
// headings: an import takes 8,000.
const partLines = 7_999

// hardSize is where a part is cut at a line even inside quotes: a quote that
// never ends must not swallow the file.
const hardSize = 2_800_000

// Report is the sum of the parts' reports.
type Report struct {
	Total, Accepted, Corrected, Unchanged, Refused, Created, Updated int
	// Parts is how many requests it took.
	Parts int
}

// Organisations imports the file r with a request as the pattern: its csv and
// first_line are set for each part. line, which may be nil, gets every line
// that was not simply accepted.
func Organisations(ctx context.Context, c *rest.Client, r io.Reader, pattern *cataloguev1.ImportOrganisationsRequest, line func(*cataloguev1.ImportLine)) (Report, error) {
	var sum Report
	parts := newSplitter(r)
	for {
		part, firstLine, err := parts.next()
		if errors.Is(err, io.EOF) {
			return sum, nil
		}
		if err != nil {
			return sum, err
		}
		req := &cataloguev1.ImportOrganisationsRequest{
			Csv: part, FirstLine: firstLine, Preset: pattern.GetPreset(), Columns: pattern.GetColumns(),
			LanguageCode: pattern.GetLanguageCode(), MunicipalityDate: pattern.GetMunicipalityDate(),
			Source: pattern.GetSource(), Licence: pattern.GetLicence(), ValidateOnly: pattern.GetValidateOnly(),
		}
		var answer cataloguev1.ImportOrganisationsResponse
		if err := c.Post(ctx, "/v1/organisations:import", req, &answer); err != nil {
			return sum, fmt.Errorf("part from line %d: %w", firstLine, err)
		}
		sum.add(&answer)
		if line != nil {
			for _, l := range answer.GetLines() {
				if l.GetOutcome() != cataloguev1.ImportOutcome_IMPORT_OUTCOME_ACCEPTED && l.GetOutcome() != cataloguev1.ImportOutcome_IMPORT_OUTCOME_UNCHANGED {
					line(l)
				}
			}
		}
	}
}

func (r *Report) add(a *cataloguev1.ImportOrganisationsResponse) {
	r.Parts++
	r.Total += int(a.GetTotal())
	r.Accepted += int(a.GetAccepted())
	r.Corrected += int(a.GetCorrected())
	r.Unchanged += int(a.GetUnchanged())
	r.Refused += int(a.GetRefused())
	r.Created += int(a.GetCreated())
	r.Updated += int(a.GetUpdated())
}

// splitter cuts a CSV file into parts, each with the headings in front.
type splitter struct {
	in       *bufio.Reader
	headings []byte
	line     int64 // number of the next line, from 1
}

func newSplitter(r io.Reader) *splitter {
	return &splitter{in: bufio.NewReaderSize(r, 1<<20), line: 1}
}

// next returns the next part and the number that its first line has, or would
// have: headings are put in front of every part, so for the second part on
// that is the line before its first row. io.EOF after the last.
func (s *splitter) next() (part []byte, firstLine int64, err error) {
	if s.headings == nil {
		if s.headings, err = s.record(hardSize, partLines); err != nil {
			return nil, 0, err
		}
	}
	firstLine = s.line - 1
	end := s.line + partLines
	var b bytes.Buffer
	b.Write(s.headings)
	if n := len(s.headings); n > 0 && s.headings[n-1] != '\n' {
		b.WriteByte('\n')
	}
	start := b.Len()
	for b.Len() < partSize && s.line < end {
		row, err := s.record(hardSize-b.Len(), end-s.line)
		b.Write(row)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, err
		}
	}
	if b.Len() == start {
		return nil, 0, io.EOF
	}
	return b.Bytes(), firstLine, nil
}

// record reads lines until the quotes are even, or until most bytes or lines
// are read.
func (s *splitter) record(most int, lines int64) ([]byte, error) {
	var out []byte
	quotes := 0
	for {
		row, err := s.in.ReadBytes('\n')
		out = append(out, row...)
		quotes += bytes.Count(row, []byte{'"'})
		if len(row) > 0 {
			s.line++
			lines--
		}
		switch {
		case errors.Is(err, io.EOF) && len(out) > 0:
			return out, nil
		case err != nil:
			return out, err
		case quotes%2 == 0 || len(out) >= most || lines <= 0:
			return out, nil
		}
	}
}
