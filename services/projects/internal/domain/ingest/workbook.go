package ingest

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// Bounds of a workbook.
const (
	maxUnzipped = 64 << 20 // bytes of all parts together
	maxSheetRow = 100_000  // number of the last row
	maxMerged   = 5        // ranges named in the error
)

func readWorkbook(content []byte, sheet string) (*Table, error) {
	file, err := excelize.OpenReader(bytes.NewReader(content), excelize.Options{
		UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: maxUnzipped, // all in memory, nothing in temporary files
		RawCellValue: true,
	})
	if err != nil {
		return nil, wrong("cannot be read as an Excel workbook (.xlsx): %s", err)
	}
	defer func() { _ = file.Close() }() // it has nothing open
	sheets := file.GetSheetList()
	switch {
	case len(sheets) == 0:
		return nil, wrong("is a workbook without a sheet")
	case sheet == "":
		sheet = sheets[0]
	case !slices.Contains(sheets, sheet):
		return nil, errs.InvalidField(domain.MappingWrong, "mapping.sheet", "there is no sheet %q; there are: %s", sheet, strings.Join(sheets, ", "))
	}
	marks, err := markedCells(content, sheet)
	if err != nil {
		return nil, wrong("cannot be read as an Excel workbook (.xlsx): %s", err)
	}
	if len(marks.merged) > 0 {
		return nil, wrong("the sheet %q has merged cells, in which it is not clear what belongs where: unmerge %s",
			sheet, strings.Join(marks.merged[:min(len(marks.merged), maxMerged)], ", "))
	}
	t := &Table{Sheet: true}
	if props, err := file.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		t.From1904 = *props.Date1904
	}
	return t, t.fill(file, sheet, marks.formulas)
}

func (t *Table) fill(file *excelize.File, sheet string, formulas map[int64][]string) error {
	rows, err := file.Rows(sheet)
	if err != nil {
		return wrong("the sheet %q cannot be read: %s", sheet, err)
	}
	defer func() { _ = rows.Close() }()
	for line := int64(1); rows.Next(); line++ {
		if line > maxSheetRow {
			return wrong("the sheet %q goes beyond row %d", sheet, maxSheetRow)
		}
		cells, err := rows.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			return wrong("row %d of the sheet %q cannot be read: %s", line, sheet, err)
		}
		for len(cells) < len(t.Headings) { // trailing empty cells are not in the file
			cells = append(cells, "")
		}
		if done, err := t.add(Row{Line: line, Cells: cells, Formulas: formulas[line]}); done || err != nil {
			return err
		}
	}
	if err := rows.Error(); err != nil {
		return wrong("the sheet %q cannot be read: %s", sheet, err)
	}
	if t.Headings == nil {
		return wrong("the sheet %q is empty: the first row holds the headings", sheet)
	}
	return nil
}

// marks are what the values of cells do not tell.
type marks struct {
	merged   []string           // ranges
	formulas map[int64][]string // references by row
}

// markedCells reads which cells of a sheet are formulas or merged.
func markedCells(content []byte, sheet string) (marks, error) {
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return marks{}, err
	}
	part, err := partOf(archive, sheet)
	if err != nil {
		return marks{}, err
	}
	out := marks{formulas: map[int64][]string{}}
	var cell string
	var row int64
	count := 0
	return out, eachElement(archive, part, func(e xml.StartElement) error {
		switch e.Name.Local {
		case "row":
			row++
			if n := number(attribute(e, "r")); n > 0 {
				row = n
			}
		case "c":
			cell = attribute(e, "r")
		case "f":
			if count++; count <= MaxRows*MaxColumns {
				out.formulas[row] = append(out.formulas[row], cell)
			}
		case "mergeCell":
			if len(out.merged) < maxMerged {
				out.merged = append(out.merged, attribute(e, "ref"))
			}
		}
		return nil
	})
}

// partOf finds the part of the archive that holds a sheet.
func partOf(archive *zip.Reader, sheet string) (string, error) {
	relation, target := "", ""
	err := eachElement(archive, "xl/workbook.xml", func(e xml.StartElement) error {
		if e.Name.Local == "sheet" && attribute(e, "name") == sheet {
			relation = attribute(e, "id")
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	err = eachElement(archive, "xl/_rels/workbook.xml.rels", func(e xml.StartElement) error {
		if e.Name.Local == "Relationship" && attribute(e, "Id") == relation {
			target = attribute(e, "Target")
		}
		return nil
	})
	if err == nil && target == "" {
		err = errors.New("the sheet has no part")
	}
	if strings.HasPrefix(target, "/") {
		return strings.TrimPrefix(target, "/"), err
	}
	return path.Join("xl", target), err
}

// eachElement goes through the elements of a part.
func eachElement(archive *zip.Reader, part string, see func(xml.StartElement) error) error {
	file, err := archive.Open(part)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	d := xml.NewDecoder(io.LimitReader(file, maxUnzipped))
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e, start := token.(xml.StartElement); start {
			if err := see(e); err != nil {
				return err
			}
		}
	}
}

func attribute(e xml.StartElement, local string) string {
	for _, a := range e.Attr {
		if a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

func number(s string) int64 {
	var n int64
	for _, c := range s {
		if c < '0' || c > '9' || n > 10_000_000 {
			return 0
		}
		n = n*10 + int64(c-'0')
	}
	return n
}
