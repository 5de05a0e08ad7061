package portfolio

import "github.com/trama-suite/trama/services/projects/internal/domain/civil"

// Book is many projects in memory, by parts each of which is replaced as a
// whole. Words are kept once and stand for numbers, and the projects of a part
// lie side by side, so that a query goes over 100,000 projects in a few
// milliseconds. A project with two partners takes about 300 bytes; words that no
// project has any more stay until there is a new book.
type Book struct {
	parts   map[string]*part
	columns [columns]dictionary
}

// column is one of the columns of words.
type column int

const (
	leads column = iota
	currencies
	phases
	territories
	years
	funders
	programmes
	sectors
	organisations
	columns
)

// dictionary numbers the words of a column; 0 is the empty one.
type dictionary struct {
	numbers map[string]uint32
	words   []string
}

func (d *dictionary) number(word string) uint32 {
	n, known := d.numbers[word]
	if !known {
		n = uint32(len(d.words))
		d.numbers[word] = n
		d.words = append(d.words, word)
	}
	return n
}

// part is the projects of a part.
type part struct {
	rows    []row
	parties []party
	lists   []uint32
}

// row is a project: words by their numbers, days as yyyymmdd, 0 for none.
type row struct {
	amounts                Amounts
	open                   int64
	words                  [funders]uint32
	start, end, unfinished int32
	// Where its words begin in lists: the funders', the programmes', the sectors';
	// the last is where they end.
	lists [4]uint32
	// Where its partners begin and end in parties.
	parties          [2]uint32
	closed, critical bool
}

// party is what of a project is a partner's.
type party struct {
	amounts      Amounts
	organisation uint32
}

// list returns the words of a project in a column of which it may have several.
func (p *part) list(r *row, c column) []uint32 {
	i := c - funders
	return p.lists[r.lists[i]:r.lists[i+1]]
}

func (p *part) partiesOf(r *row) []party { return p.parties[r.parties[0]:r.parties[1]] }

// late reports whether the project's end or a task's finish is past and it is not
// closed.
func (r *row) late(today int32) bool {
	return !r.closed && (r.end < today || r.unfinished != 0 && r.unfinished < today)
}

// atRisk reports whether a critical alert is open.
func (r *row) atRisk() bool { return !r.closed && r.critical }

// dayOf is a day as a number in the order of days; 0 for none.
func dayOf(d civil.Date) int32 {
	var n int32
	for _, c := range []byte(d) {
		if c != '-' {
			n = n*10 + int32(c-'0')
		}
	}
	return n
}

// NewBook returns a book without projects.
func NewBook() *Book {
	b := &Book{parts: map[string]*part{}}
	for c := range b.columns {
		b.columns[c] = dictionary{numbers: map[string]uint32{"": 0}, words: []string{""}}
	}
	return b
}

// Put replaces the projects of a part.
func (b *Book) Put(name string, projects []*Project) {
	if len(projects) == 0 {
		delete(b.parts, name)
		return
	}
	p := &part{rows: make([]row, 0, len(projects))}
	for _, x := range projects {
		p.rows = append(p.rows, b.row(p, x))
	}
	b.parts[name] = p
}

func (b *Book) row(p *part, x *Project) row {
	r := row{amounts: x.Amounts, open: x.Open, start: dayOf(x.Start), end: dayOf(x.End), unfinished: dayOf(x.Unfinished),
		closed: x.Phase == Closed, critical: x.Critical > 0}
	for c, word := range [funders]string{leads: x.Lead, currencies: x.Currency, phases: x.Phase, territories: x.Territory, years: string(x.Start[:min(4, len(x.Start))])} {
		r.words[c] = b.columns[c].number(word)
	}
	for i, list := range [][]string{x.Funders, x.Programmes, x.Sectors} {
		r.lists[i] = uint32(len(p.lists))
		for _, word := range list {
			p.lists = append(p.lists, b.columns[funders+column(i)].number(word))
		}
	}
	r.lists[3] = uint32(len(p.lists))
	r.parties[0] = uint32(len(p.parties))
	for _, partner := range x.Partners {
		p.parties = append(p.parties, party{partner.Amounts, b.columns[organisations].number(partner.Organisation)})
	}
	r.parties[1] = uint32(len(p.parties))
	return r
}
