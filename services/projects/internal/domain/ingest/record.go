package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Reason is what is odd about a row: a ProjectImportReason of the proto, without
// its prefix.
type Reason string

// The reasons.
const (
	RowBroken          Reason = "ROW_BROKEN"
	KeyMissing         Reason = "KEY_MISSING"
	KeyRepeated        Reason = "KEY_REPEATED"
	ValueMissing       Reason = "VALUE_MISSING"
	ValueUnknown       Reason = "VALUE_UNKNOWN"
	ValueCorrected     Reason = "VALUE_CORRECTED"
	ValueCut           Reason = "VALUE_CUT"
	CUPWrong           Reason = "CUP_WRONG"
	CUPRepeated        Reason = "CUP_REPEATED"
	AmountWrong        Reason = "AMOUNT_WRONG"
	AmountNotPositive  Reason = "AMOUNT_NOT_POSITIVE"
	AmountRounded      Reason = "AMOUNT_ROUNDED"
	DateWrong          Reason = "DATE_WRONG"
	ImplementerUnknown Reason = "IMPLEMENTER_UNKNOWN"
	ProjectUnknown     Reason = "PROJECT_UNKNOWN"
	ProjectAmbiguous   Reason = "PROJECT_AMBIGUOUS"
	Overpaid           Reason = "OVERPAID"
	Formula            Reason = "FORMULA"
	Rule               Reason = "RULE"
)

// maxFindings is how many findings are kept of one row.
const maxFindings = 10

// CUPAsGiven is the attribute that keeps a CUP that is none.
const CUPAsGiven = "cup_as_given"

// Finding is something to know about a row.
type Finding struct {
	Field  string
	Reason Reason
	Text   string
}

// Record is what a row holds.
type Record struct {
	Line       int64
	Key        string
	Text       map[Field]string
	Sectors    []string
	Attributes map[string]string
	HasAmount  bool
	Amount     int64 // minor units
	Start, End civil.Date
	Day        civil.Date // of a payment
	Refused    bool
	Findings   []Finding
}

// Note adds a finding.
func (r *Record) Note(reason Reason, field, format string, args ...any) {
	if len(r.Findings) < maxFindings {
		r.Findings = append(r.Findings, Finding{field, reason, brief(fmt.Sprintf(format, args...), 300)})
	}
}

// Refuse adds a finding for which the row is not taken.
func (r *Record) Refuse(reason Reason, field, format string, args ...any) {
	r.Refused = true
	if len(r.Findings) == maxFindings { // the one that matters must be told
		r.Findings = r.Findings[:maxFindings-1]
	}
	r.Note(reason, field, format, args...)
}

// Copy is a record of its own, for a transaction that may be run again.
func (r *Record) Copy() *Record {
	out := *r
	out.Findings = slices.Clone(r.Findings)
	return &out
}

// Hash tells what a row holds from anything else that it could hold.
func (r *Record) Hash() string {
	b, err := json.Marshal([]any{r.Text, r.Sectors, r.Attributes, r.HasAmount, r.Amount, r.Start, r.End, r.Day})
	if err != nil {
		panic("ingest: " + err.Error()) // plain maps always marshal
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Records reads the rows of a table by a mapping. firstLine is the number of the
// table's first line in the file that it is a part of.
func Records(t *Table, m Mapping, firstLine int64) ([]*Record, error) {
	b, err := bind(t, m)
	if err != nil {
		return nil, err
	}
	out := make([]*Record, len(t.Rows))
	seen := map[string]int64{}
	for i, row := range t.Rows {
		r := b.record(row)
		r.Line += max(firstLine, 1) - 1
		b.unrepeated(r, seen)
		out[i] = r
	}
	if m.Rows == Projects {
		sharedCUPs(out)
	}
	return out, nil
}

func (b *bound) record(row Row) *Record {
	r := &Record{Line: row.Line, Text: map[Field]string{}, Attributes: map[string]string{}}
	if row.Broken != "" {
		r.Refuse(RowBroken, "", "%s", row.Broken)
		return r
	}
	var key []string
	for _, at := range b.key {
		key = append(key, strings.TrimSpace(row.Cells[at]))
	}
	if r.Key = brief(strings.Join(key, "|"), 400); strings.Trim(r.Key, "|") == "" {
		r.Refuse(KeyMissing, strings.Join(b.KeyColumns, ", "), "all columns of the key are empty")
	}
	for _, cell := range row.Formulas {
		r.Note(Formula, cell, "is a formula: its last computed value is taken")
	}
	for _, v := range b.values {
		b.take(r, v, row)
	}
	b.complete(r)
	return r
}

// take reads one value.
func (b *bound) take(r *Record, v boundValue, row Row) {
	value, name := v.Constant, string(v.Field)
	if v.at >= 0 {
		value, name = strings.TrimSpace(row.Cells[v.at]), b.table.Headings[v.at]
	}
	if len(v.taken) > 0 && value != "" {
		taken, known := v.taken[fold(value)]
		if !known {
			r.Note(ValueUnknown, name, "%q is not in the mapping: left empty", brief(value, 100))
		}
		value = taken
	}
	if value == "" {
		return
	}
	if most := longest[v.Field]; most > 0 && len([]rune(value)) > most {
		r.Note(ValueCut, name, "is longer than %d characters: cut", most)
		value = brief(value, most)
	}
	switch v.Field {
	case Attribute:
		r.Attributes[v.Attribute] = value
	case Sector:
		if !slices.Contains(r.Sectors, value) {
			r.Sectors = append(r.Sectors, value)
		}
	case Money:
		b.takeAmount(r, name, value)
	case StartDate:
		r.Start = b.takeDate(r, name, value)
	case EndDate:
		r.End = b.takeDate(r, name, value)
	case PaymentDate:
		r.Day = b.takeDate(r, name, value)
	case CUP:
		b.takeCUP(r, name, value)
	case Phase, Category:
		b.takeWord(r, v, name, value)
	default:
		r.Text[v.Field] = value
	}
}

// takeWord reads a phase or category that no table of values has checked.
func (b *bound) takeWord(r *Record, v boundValue, name, value string) {
	known := slices.Contains(categories, value)
	if v.Field == Phase {
		known = slices.Contains(domain.Phases, domain.Phase(value))
	}
	if !known {
		r.Note(ValueUnknown, name, "%q is no %s: left empty", brief(value, 100), strings.ToLower(string(v.Field)))
		return
	}
	r.Text[v.Field] = value
}

func (b *bound) takeAmount(r *Record, name, value string) {
	decimal := byte('.')
	numberCell := b.table.Sheet && plainNumber.MatchString(value) // is written with a point
	if b.DecimalSeparator == "," && !numberCell {
		decimal = ','
	}
	amount, rounded, err := Amount(value, decimal)
	if err != nil {
		r.Refuse(AmountWrong, name, "%s", err)
		return
	}
	if rounded {
		r.Note(AmountRounded, name, "%q taken as %d.%02d", value, amount/100, max(amount%100, -(amount%100)))
	}
	r.Amount, r.HasAmount = amount, true
	if amount < 0 || amount == 0 && b.Rows == Payments {
		r.Refuse(AmountNotPositive, name, "%q is not more than zero", value)
	}
}

func (b *bound) takeDate(r *Record, name, value string) civil.Date {
	day, err := b.table.date(value, b.layout)
	if err != nil {
		r.Refuse(DateWrong, name, "%s", err)
	}
	return day
}

var cupShape = regexp.MustCompile(`^[A-Z][0-9]{2}[A-Z0-9][0-9]{11}$`)

// takeCUP reads a public investment code. Projects may have one that is none; it
// is kept as an attribute.
func (b *bound) takeCUP(r *Record, name, value string) {
	upper := strings.ToUpper(value)
	switch {
	case cupShape.MatchString(upper):
		if upper != value {
			r.Note(ValueCorrected, name, "%q taken as %q", value, upper)
		}
		r.Text[CUP] = upper
	case b.Rows == Projects:
		r.Note(CUPWrong, name, "%q is not a CUP: kept as the attribute %s", brief(value, 100), CUPAsGiven)
		r.Attributes[CUPAsGiven] = brief(value, longest[Attribute])
	default:
		r.Refuse(CUPWrong, name, "%q is not a CUP", brief(value, 100))
	}
}

// complete looks for what the row lacks.
func (b *bound) complete(r *Record) {
	has := func(f Field) bool {
		switch f {
		case Money:
			return r.HasAmount
		case StartDate:
			return r.Start != ""
		case EndDate:
			return r.End != ""
		case PaymentDate:
			return r.Day != ""
		case Attribute:
			return true // a row may have none of them
		}
		return r.Text[f] != ""
	}
	for _, v := range b.values {
		needed := slices.Contains(fields[b.Rows].needed, v.Field)
		switch {
		case has(v.Field) || r.Refused && needed:
		case v.Field == Money && b.Rows == Projects:
			r.Note(ValueMissing, v.Column, "there is no amount: planned as zero")
		case needed:
			r.Refuse(ValueMissing, v.Column, "must have a value")
		case (v.Field == CUP || v.Field == ImplementerTaxCode || v.Field == Phase) && !r.told(v.Column):
			r.Note(ValueMissing, v.Column, "is empty")
		}
	}
}

// told reports whether there is a finding on a column already.
func (r *Record) told(column string) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return fold(f.Field) == fold(column) })
}

// unrepeated refuses a row whose key an earlier one has. Payments that are equal
// are several payments, and are counted.
func (b *bound) unrepeated(r *Record, seen map[string]int64) {
	if r.Key == "" {
		return
	}
	first, twice := seen[r.Key]
	switch {
	case b.Rows == Payments:
		seen[r.Key]++
		if twice {
			r.Key = fmt.Sprintf("%s|#%d", r.Key, first+1)
		}
	case twice:
		r.Refuse(KeyRepeated, strings.Join(b.KeyColumns, ", "), "is the same as in line %d", first)
	default:
		seen[r.Key] = r.Line
	}
}

// sharedCUPs notes the rows that share their CUP with others.
func sharedCUPs(records []*Record) {
	lines := map[string][]int64{}
	for _, r := range records {
		if cup := r.Text[CUP]; cup != "" {
			lines[cup] = append(lines[cup], r.Line)
		}
	}
	for _, r := range records {
		if all := lines[r.Text[CUP]]; len(all) > 1 {
			r.Note(CUPRepeated, "CUP", "%s is in the lines %s", r.Text[CUP], brief(strings.Trim(fmt.Sprint(all), "[]"), 200))
		}
	}
}
