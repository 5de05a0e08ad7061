package report

import (
	"fmt"
	"io"
	"time"

	"github.com/xuri/excelize/v2"
)

// longestNumber is the largest number that a spreadsheet program holds exactly:
// fifteen digits.
const longestNumber = 999_999_999_999_999

// longestText is how many characters a cell holds.
const longestText = 32_767

// XLSX writes a table as a workbook of one sheet: the first row stays in place,
// numbers and days are such, texts are texts whatever they begin with, and the
// last row has the sums as they were added here. Rows go through a temporary
// file, not through memory.
func (t *Table) XLSX(w io.Writer) (err error) {
	f := excelize.NewFile()
	defer func() {
		if failed := f.Close(); err == nil {
			err = failed
		}
	}()
	b := &book{file: f}
	if err := b.begin(t); err != nil {
		return err
	}
	if err := t.rows(b.row); err != nil {
		return err
	}
	if err := b.stream.Flush(); err != nil {
		return err
	}
	// The time of writing would make every file another one.
	if err := f.SetDocProps(&excelize.DocProperties{Title: t.Title, Creator: "Trama", Created: epoch, Modified: epoch}); err != nil {
		return err
	}
	return f.Write(w)
}

// epoch stands where a format wants to know when it was written.
const epoch = "2000-01-01T00:00:00Z"

// book is a workbook that is being written.
type book struct {
	file    *excelize.File
	stream  *excelize.StreamWriter
	columns []Column
	styles  []int // of a column
	bold    []int // of a column in the last row
	next    int
	cells   []any
}

func (b *book) begin(t *Table) error {
	if err := b.file.SetSheetName("Sheet1", t.Title); err != nil {
		return err
	}
	var err error
	if b.stream, err = b.file.NewStreamWriter(t.Title); err != nil {
		return err
	}
	if err := b.style(t.Columns); err != nil {
		return err
	}
	for i, c := range t.Columns {
		if err := b.stream.SetColWidth(i+1, i+1, c.width()); err != nil {
			return err
		}
	}
	if err := b.stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	head, err := b.file.NewStyle(&excelize.Style{
		Font:      &excelize.Font{Bold: true},
		Fill:      excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E6ECF2"}},
		Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"},
	})
	if err != nil {
		return err
	}
	b.columns, b.cells, b.next = t.Columns, make([]any, len(t.Columns)), 2
	for i, c := range t.Columns {
		b.cells[i] = excelize.Cell{StyleID: head, Value: clean(c.Header)}
	}
	return b.stream.SetRow("A1", b.cells)
}

func (c Column) width() float64 {
	switch {
	case c.Width > 0:
		return min(c.Width, 255)
	case c.Kind == Text:
		return 28
	case c.Kind == Money:
		return 16
	}
	return 12
}

// formats are those of the cells, by kind.
func (c Column) format() *string {
	format := ""
	switch c.Kind {
	case Money, Percent:
		format = "#,##0.00"
	case Decimal:
		format = "#,##0.0000"
	case Date:
		format = "dd/mm/yyyy"
	case Count:
		format = "0"
	default:
		return nil
	}
	return &format
}

func (b *book) style(columns []Column) error {
	for _, c := range columns {
		plain, err := b.file.NewStyle(&excelize.Style{CustomNumFmt: c.format()})
		if err != nil {
			return err
		}
		bold, err := b.file.NewStyle(&excelize.Style{CustomNumFmt: c.format(), Font: &excelize.Font{Bold: true},
			Border: []excelize.Border{{Type: "top", Style: 1, Color: "000000"}}})
		if err != nil {
			return err
		}
		b.styles, b.bold = append(b.styles, plain), append(b.bold, bold)
	}
	return nil
}

func (b *book) row(cells []Cell, last bool) error {
	styles := b.styles
	if last {
		styles = b.bold
	}
	for i, cell := range cells {
		v, err := b.columns[i].value(cell)
		if err != nil {
			return err
		}
		b.cells[i] = excelize.Cell{StyleID: styles[i], Value: v}
	}
	at, err := excelize.CoordinatesToCellName(1, b.next)
	if err != nil {
		return err
	}
	b.next++
	return b.stream.SetRow(at, b.cells)
}

// value is what the workbook holds of a cell.
func (c Column) value(cell Cell) (any, error) {
	switch {
	case cell.Empty:
		return nil, nil
	case c.Kind == Date:
		day, err := time.Parse(time.DateOnly, cell.Text)
		if err != nil {
			return nil, fmt.Errorf("report: column %q: %w", c.Header, err)
		}
		return day, nil
	case c.Kind == Text, cell.Text != "":
		s := []rune(clean(cell.Text))
		return string(s[:min(len(s), longestText)]), nil
	case cell.Number > longestNumber, cell.Number < -longestNumber:
		return fixed(cell.Number, decimals(c.Kind), "."), nil // as text, rather than rounded
	}
	switch c.Kind {
	case Money, Percent:
		return float64(cell.Number) / 100, nil // the nearest double of so few digits prints as they are
	case Decimal:
		return float64(cell.Number) / 10_000, nil
	}
	return cell.Number, nil
}
