package sheet

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Entry is a row as it is to be ordered.
type Entry struct {
	No      int    // the row's number in the file
	Ref     string // the item's code, as it stands there
	UOM     string // "" where no unit is said
	Qty     string // digits and a point; as it stands there where Problem says why it is no quantity
	Problem string // in words, "" if there is none
	Clash   bool   // the problem is a unit beside the quantity that is not the row's
}

// Entries are a table's rows under a reading, with what is to be said of them all.
type Entries struct {
	Rows    []Entry
	LeftOut int  // rows without a quantity
	Totals  int  // rows of sums
	Titles  int  // rows above the head
	Formula bool // quantities are calculated, as saved in the file
	Days    int  // quantities that are dates
	More    bool // there are more rows than were read
}

// Entries makes rows of the table. Only for a reading without doubts may they be
// ordered.
func (s *Study) Entries(c Columns) Entries {
	out := Entries{More: s.More}
	start := s.start
	if s.Head >= 0 && !c.Head {
		start = s.Head
	}
	out.Titles = start
	if c.Head && s.Head >= 0 {
		out.Titles = s.Head
	}
	widest := s.widest()
	for _, row := range s.Rows[start:] {
		ref, cell := row.Cell(c.Item).Text, row.Cell(c.Quantity)
		if c.Head && s.repeatsHead(row) || ref == "" && cell.Text == "" && cell.Kind != Uncached {
			continue
		}
		if s.isTotal(row, c.Item) {
			out.Totals++
			continue
		}
		e := Entry{No: row.No, Ref: ref, UOM: row.Cell(c.Unit).Text, Qty: cell.Text}
		if c.AllUnits != "" {
			e.UOM = c.AllUnits
		}
		if c.Quantity >= 0 {
			e.take(cell, c)
		}
		if e.Problem == "" && widest > 0 && len(row.Cells) > widest && e.Qty != "" {
			e.Problem = "This row has more columns than the others: a separator may stand inside of a cell."
			for _, c := range row.Cells[widest:] { // so it is no quantity by itself
				e.Qty += " | " + c.Text
			}
			e.Qty = cut(e.Qty)
		}
		// an order form comes back with most quantities empty
		if c.Quantity >= 0 && e.Problem == "" && (e.Qty == "" || e.Qty == "0") && c.Head {
			out.LeftOut++
			continue
		}
		out.Formula = out.Formula || cell.Formula && cell.Kind != Uncached
		if cell.Kind == Day {
			out.Days++
		}
		out.Rows = append(out.Rows, e)
	}
	return out
}

// take reads the cell of a quantity.
func (e *Entry) take(cell Cell, c Columns) {
	a, number := numberOf(cell)
	value := a.read(c.Sign)
	switch {
	case cell.Kind == Uncached:
		e.Problem = "The quantity is a formula whose result is not saved in the file. Type the quantity."
	case cell.Kind == Fault:
		e.Problem = cell.Text + " is a formula's error, no quantity."
	case cell.Kind == Day:
		e.Problem = cell.Text + " is a date, no quantity."
	case cell.Text == "":
	case !number:
		e.Problem = fmt.Sprintf("“%s” is no quantity.", cut(cell.Text))
	case a.money:
		e.Problem = fmt.Sprintf("“%s” is an amount of money, no quantity.", cut(cell.Text))
	case a.percent:
		e.Problem = fmt.Sprintf("“%s” is a percentage, no quantity.", cut(cell.Text))
	case a.negative:
		e.Problem = fmt.Sprintf("“%s” is below zero: enter a quantity above zero.", cut(cell.Text))
	case value == "":
		e.Problem = fmt.Sprintf("“%s” does not fit the decimal sign of the other quantities.", cut(cell.Text))
	case cell.Unlike:
		e.Problem = fmt.Sprintf("The cell holds %s and shows another number. Type the quantity.", cut(cell.Text))
	case !countable(a):
		e.Problem = fmt.Sprintf("“%s” looks like a code, not like a quantity.", cut(cell.Text))
	case a.unit != "" && e.UOM != "" && !strings.EqualFold(strings.TrimSuffix(e.UOM, "."), a.unit):
		e.Clash = true
		e.Problem = fmt.Sprintf("“%s” says %s, but the row's unit is %s.", cut(cell.Text), strings.ToUpper(a.unit), e.UOM)
	default:
		e.Qty = value
		if a.unit != "" {
			e.UOM = strings.ToUpper(a.unit)
		}
	}
	if e.Problem != "" && len(e.Qty) > longestProbe {
		e.Qty = cut(e.Qty)
	}
}

// cut is a text short enough for a sentence.
func cut(s string) string {
	r := []rune(s)
	if len(r) <= 40 {
		return s
	}
	return strings.TrimRightFunc(string(r[:40]), unicode.IsSpace) + "…"
}

// widest is how many columns a row may have where a separator may also stand
// inside of a cell: as many as the head, else as most rows have. 0 is any number.
func (s *Study) widest() int {
	if !s.Separated {
		return 0
	}
	if s.headKnown {
		return len(s.Rows[s.Head].Cells)
	}
	counts := map[int]int{}
	for _, row := range s.Rows[s.start:] {
		counts[len(row.Cells)]++
	}
	best := 0
	for n, rows := range counts {
		if rows > counts[best] || rows == counts[best] && n > best {
			best = n
		}
	}
	return best
}

// sign is the decimal sign of the quantities, by the whole column; and where that
// leaves two readings, by items that are sold in whole units, if each of them can
// be read in one way only.
func (s *Study) sign(c Columns) (sign byte, sure bool) {
	list, items := s.amounts(c)
	sign, sure = decimalSign(list)
	if sure {
		return sign, true
	}
	point, comma := true, true
	for i, a := range list {
		if a.clear() {
			point, comma = point && a.point != "", comma && a.comma != ""
			continue
		}
		if items[i].Item == "" || items[i].Fractional {
			return 0, false
		}
		whole := func(s string) bool { return !strings.Contains(s, ".") }
		if whole(a.point) == whole(a.comma) { // 1,000 is one or a thousand
			return 0, false
		}
		point, comma = point && whole(a.point), comma && whole(a.comma)
	}
	switch {
	case point && !comma:
		return '.', true
	case comma && !point:
		return ',', true
	}
	return 0, false
}

// amounts are the numbers of the column of quantities that are text, with the
// items of their rows.
func (s *Study) amounts(c Columns) (list []amount, items []Found) {
	if c.Quantity < 0 {
		return nil, nil
	}
	start := s.start
	if s.Head >= 0 && !c.Head {
		start = s.Head
	}
	for _, row := range s.Rows[start:] {
		if a, number := numberOf(row.Cell(c.Quantity)); number && row.Cell(c.Quantity).Kind == Text &&
			!s.isTotal(row, c.Item) {
			list, items = append(list, a), append(items, s.found[row.Cell(c.Item).Text])
		}
	}
	return list, items
}

// SignExample is a quantity that says different things with a decimal point and
// with a decimal comma, and what it says: "1,250", "1250", "1.25".
func (s *Study) SignExample(c Columns) (typed, point, comma string) {
	if c.Quantity < 0 {
		return "", "", ""
	}
	for _, row := range s.Rows[s.start:] {
		cell := row.Cell(c.Quantity)
		if a, number := numberOf(cell); number && a.point != a.comma {
			if a.point != "" && a.comma != "" {
				return cell.Text, a.point, a.comma
			}
			if typed == "" {
				typed, point, comma = cell.Text, a.point, a.comma
			}
		}
	}
	return typed, point, comma
}

// Names are what the columns are called: by their heads, else by letters as in a
// spreadsheet.
func (s *Study) Names() []string {
	out := make([]string, s.width)
	for i := range out {
		if s.Head >= 0 {
			out[i] = cut(s.Rows[s.Head].Cell(i).Text)
		}
		if out[i] == "" {
			out[i] = "column " + letters(i)
		}
	}
	for i := range out { // two of one name
		if slices.Index(out, out[i]) < i {
			out[i] += " (column " + letters(i) + ")"
		}
	}
	return out
}

// letters is the name of a column in a spreadsheet: A, B … Z, AA.
func letters(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return letters(i/26-1) + string(rune('A'+i%26))
}

// Preview are the first rows, the head apart, and whether there is one.
func (s *Study) Preview(n int) (rows [][]string) {
	for _, row := range s.Rows[s.start:min(len(s.Rows), s.start+n)] {
		cells := make([]string, s.width)
		for i := range cells {
			cells[i] = cut(row.Cell(i).Text)
		}
		rows = append(rows, cells)
	}
	return rows
}

// HeadText is the row that looks like one of names, as text.
func (s *Study) HeadText() string {
	if s.Head < 0 {
		return ""
	}
	var cells []string
	for _, c := range s.Rows[s.Head].Cells {
		if c.Text != "" {
			cells = append(cells, cut(c.Text))
		}
	}
	return strings.Join(cells, " · ")
}
