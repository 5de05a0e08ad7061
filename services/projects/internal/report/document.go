package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/phpdave11/gofpdf"
)

// Measures of the page, in millimetres: A4 with room for a punch.
const (
	marginLeft   = 18.0
	marginRight  = 18.0
	marginTop    = 18.0
	marginBottom = 20.0
	pageWidth    = 210.0
	pageHeight   = 297.0
	textWidth    = pageWidth - marginLeft - marginRight
	lineHeight   = 4.6
	tableLine    = 4.2
	cellPadding  = 1.2
	fontName     = "Helvetica"
	textSize     = 10.0
	// longRow is how many lines a row of a table has that is begun on this page
	// rather than kept whole.
	longRow   = 36
	tableSize = 8.5
)

// paper is what stands on every page.
type paper struct {
	title, kind, foot, page, of string
	at                          time.Time
}

// document is a PDF that is being written: running text and tables, in one of the
// fonts that every reader has, whose characters are those of Windows-1252.
type document struct {
	pdf   *gofpdf.Fpdf
	coded func(string) string
}

func newDocument(p paper) *document {
	pdf := gofpdf.New("P", "mm", "A4", "")
	d := &document{pdf: pdf, coded: pdf.UnicodeTranslatorFromDescriptor("")}
	pdf.SetCatalogSort(true) // else the objects' order changes from run to run
	pdf.SetCreationDate(p.at)
	pdf.SetModificationDate(p.at)
	pdf.SetTitle(p.title, true)
	pdf.SetSubject(p.kind, true)
	pdf.SetCreator("Trama", false)
	pdf.SetMargins(marginLeft, marginTop, marginRight)
	pdf.SetAutoPageBreak(false, marginBottom)
	pdf.AliasNbPages("{pages}")
	pdf.SetHeaderFunc(func() {
		d.font("", 8, 90)
		pdf.SetXY(marginLeft, 9)
		pdf.CellFormat(textWidth-50, 4, d.fit(p.title, textWidth-52), "", 0, "L", false, 0, "")
		pdf.CellFormat(50, 4, d.text(p.kind), "", 0, "R", false, 0, "")
		pdf.SetDrawColor(170, 180, 190)
		pdf.Line(marginLeft, 14, pageWidth-marginRight, 14)
		pdf.SetXY(marginLeft, marginTop)
	})
	pdf.SetFooterFunc(func() {
		d.font("", 6.5, 90)
		pdf.SetXY(marginLeft, pageHeight-13)
		pdf.CellFormat(textWidth-28, 4, d.text(p.foot), "", 0, "L", false, 0, "")
		pdf.CellFormat(28, 4, d.text(fmt.Sprintf("%s %d %s {pages}", p.page, pdf.PageNo(), p.of)), "", 0, "R", false, 0, "")
	})
	pdf.AddPage()
	return d
}

func (d *document) write(w io.Writer) error {
	d.pdf.Close()
	if err := d.pdf.Error(); err != nil {
		return fmt.Errorf("report: PDF: %w", err)
	}
	return d.pdf.Output(w)
}

func (d *document) font(style string, size float64, grey int) {
	d.pdf.SetFont(fontName, style, size)
	d.pdf.SetTextColor(grey, grey, grey)
}

// plainer puts characters that the font has in the place of some that it has not.
var plainer = strings.NewReplacer("\t", " ", "\u2011", "-", "\u202f", " ", "\u2009", " ", "\u2212", "-", "≤", "<=", "≥", ">=")

// text puts a text into the font's characters; what it has not becomes a point.
func (d *document) text(s string) string {
	return d.coded(plainer.Replace(clean(s)))
}

// fit shortens a text to one line of a width.
func (d *document) fit(s string, width float64) string {
	const most = 200 // no line has so many
	letters := []rune(s)
	letters = letters[:min(len(letters), most)]
	if len(letters) < most && d.pdf.GetStringWidth(d.text(s)) <= width {
		return d.text(s)
	}
	for len(letters) > 0 && d.pdf.GetStringWidth(d.text(string(letters)+"…")) > width {
		letters = letters[:len(letters)-1]
	}
	return d.text(strings.TrimRight(string(letters), " ") + "…")
}

// lines breaks a text into the lines of a width.
func (d *document) lines(s string, width float64) []string {
	var out []string
	for part := range strings.SplitSeq(d.text(s), "\n") {
		for _, l := range d.pdf.SplitLines([]byte(part), width) {
			out = append(out, string(l))
		}
		if part == "" {
			out = append(out, "")
		}
	}
	return out
}

// left is the room on the page.
func (d *document) left() float64 { return pageHeight - marginBottom - d.pdf.GetY() }

// room begins a page where there is less than that much room on this one.
func (d *document) room(height float64) {
	if d.left() < height {
		d.pdf.AddPage()
	}
}

func (d *document) print(lines []string, x, width, height float64, align string) {
	for _, l := range lines {
		d.room(height)
		d.pdf.SetX(x)
		d.pdf.CellFormat(width, height, l, "", 2, align, false, 0, "")
	}
}

func (d *document) cover(title string) {
	d.font("B", 18, 20)
	d.print(d.lines(title, textWidth), marginLeft, textWidth, 8.5, "L")
	d.pdf.Ln(2)
}

// heading begins a part. It never stands alone at the foot of a page.
func (d *document) heading(s string) {
	d.room(24)
	d.pdf.Ln(4)
	d.font("B", 12.5, 20)
	d.pdf.SetTextColor(30, 70, 110)
	d.print(d.lines(s, textWidth), marginLeft, textWidth, 6.5, "L")
	d.pdf.Ln(1)
}

func (d *document) subheading(s string) {
	d.room(16)
	d.pdf.Ln(1.5)
	d.font("B", textSize, 20)
	d.print(d.lines(s, textWidth), marginLeft, textWidth, lineHeight, "L")
}

func (d *document) paragraph(s string) {
	d.font("", textSize, 20)
	d.print(d.lines(s, textWidth), marginLeft, textWidth, lineHeight, "L")
	d.pdf.Ln(1)
}

// none says that a part has nothing.
func (d *document) none(n int, l Language) {
	if n == 0 {
		d.font("I", textSize, 90)
		d.print([]string{d.text(l.Pick("Nessuno.", "None."))}, marginLeft, textWidth, lineHeight, "L")
	}
}

// facts prints pairs of a name and a value; those without a value are left out.
func (d *document) facts(all [][2]string) {
	const names = 36.0
	for _, f := range all {
		if f[1] == "" {
			continue
		}
		d.font("", textSize, 20)
		value := d.lines(f[1], textWidth-names)
		d.room(lineHeight * float64(min(len(value), 8)))
		y := d.pdf.GetY()
		d.font("B", textSize, 60)
		d.pdf.SetX(marginLeft)
		d.pdf.CellFormat(names, lineHeight, d.text(f[0]), "", 0, "L", false, 0, "")
		d.font("", textSize, 20)
		d.pdf.SetXY(marginLeft+names, y)
		d.print(value, marginLeft+names, textWidth-names, lineHeight, "L")
		d.pdf.Ln(0.6)
	}
}

// column is one column of a table; its width is in millimetres.
type column struct {
	head  string
	width float64
	right bool
}

// table is a table; bold are the indices of the rows that have sums.
type table struct {
	columns []column
	rows    [][]string
	bold    []int
}

// table prints a table with its heading again on every page. A row goes to the
// next page whole; one that is longer than a page goes on there.
func (d *document) table(t table) {
	if len(t.rows) == 0 {
		return
	}
	d.room(18)
	d.tableHead(t)
	for i, row := range t.rows {
		style := ""
		if slices.Contains(t.bold, i) {
			style = "B"
		}
		d.font(style, tableSize, 20)
		cells, most := make([][]string, len(row)), 1
		for k, text := range row {
			cells[k] = d.lines(text, t.columns[k].width-2*cellPadding+2*d.pdf.GetCellMargin())
			most = max(most, len(cells[k]))
		}
		for from := 0; from < most; {
			fits := int((d.left() - 2*cellPadding) / tableLine)
			if fits < 1 || fits < most-from && from == 0 && most < longRow {
				d.pdf.AddPage()
				d.tableHead(t)
				d.font(style, tableSize, 20)
				continue
			}
			n := min(fits, most-from)
			d.tableRow(t, cells, from, n, style != "")
			from += n
		}
	}
	d.pdf.Ln(2)
}

// tableRow prints the lines from..from+n of a row's cells.
func (d *document) tableRow(t table, cells [][]string, from, n int, sum bool) {
	y, x := d.pdf.GetY(), marginLeft
	height := float64(n)*tableLine + 2*cellPadding
	if sum {
		d.pdf.SetFillColor(240, 243, 246)
		d.pdf.Rect(marginLeft, y, t.width(), height, "F")
	}
	for k, c := range t.columns {
		align := "L"
		if c.right {
			align = "R"
		}
		for i := range n {
			if from+i < len(cells[k]) {
				d.pdf.SetXY(x+cellPadding-d.pdf.GetCellMargin(), y+cellPadding+float64(i)*tableLine)
				d.pdf.CellFormat(c.width-2*cellPadding+2*d.pdf.GetCellMargin(), tableLine, cells[k][from+i], "", 0, align, false, 0, "")
			}
		}
		x += c.width
	}
	d.pdf.SetDrawColor(200, 208, 216)
	d.pdf.Line(marginLeft, y+height, marginLeft+t.width(), y+height)
	d.pdf.SetXY(marginLeft, y+height)
}

func (d *document) tableHead(t table) {
	d.font("B", tableSize, 255)
	cells, most := make([][]string, len(t.columns)), 1
	for k, c := range t.columns {
		cells[k] = d.lines(c.head, c.width-2*cellPadding+2*d.pdf.GetCellMargin())
		most = max(most, len(cells[k]))
	}
	d.pdf.SetFillColor(30, 70, 110)
	d.pdf.Rect(marginLeft, d.pdf.GetY(), t.width(), float64(most)*tableLine+2*cellPadding, "F")
	d.tableRow(t, cells, 0, most, false)
}

func (t *table) width() float64 {
	w := 0.0
	for _, c := range t.columns {
		w += c.width
	}
	return w
}

// signature draws a box to sign in.
func (d *document) signature(who, where, by string) {
	const height = 30.0
	d.room(height + 3)
	y := d.pdf.GetY() + 1
	d.pdf.SetDrawColor(120, 130, 140)
	d.pdf.Rect(marginLeft, y, textWidth, height, "D")
	d.font("B", textSize, 20)
	d.pdf.SetXY(marginLeft+2, y+2)
	d.pdf.CellFormat(textWidth-4, 5, d.fit(who, textWidth-8), "", 0, "L", false, 0, "")
	d.font("", 8.5, 90)
	for i, label := range []string{where, by} {
		x := marginLeft + 4 + float64(i)*textWidth/2
		d.pdf.Line(x, y+height-8, x+textWidth/2-10, y+height-8)
		d.pdf.SetXY(x, y+height-7)
		d.pdf.CellFormat(textWidth/2-10, 4, d.text(label), "", 0, "L", false, 0, "")
	}
	d.pdf.SetXY(marginLeft, y+height+2)
}
