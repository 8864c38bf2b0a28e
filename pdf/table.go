package pdf

import "strings"

// column is one of a table.
type column struct {
	name  string
	width float64
	align string // L, R
}

// headRow prints the heads of a table.
func (s *sheet) headRow(columns []column) {
	s.font("B", 8)
	s.SetFillColor(240, 240, 240)
	for _, c := range columns {
		s.CellFormat(c.width, 6, c.name, "", 0, c.align, true, 0, "")
	}
	s.Ln(6)
	s.font("", 8.5)
}

// tallest is how high a row may be and still be kept on one page.
const tallest = 100.0

// row prints cells of a line. Texts wrap within their columns, figures stand in
// the first row and are never cut. The row is kept on one page, unless it is
// taller than half of one.
func (s *sheet) row(columns []column, height float64, cells ...string) {
	const below = 4.0 // height of the rows after the first
	wraps := make([][]string, len(columns))
	most := 1
	for i, c := range columns {
		wraps[i] = []string{cells[i]}
		if c.align == "L" && strings.TrimSpace(cells[i]) != "" {
			wraps[i] = s.wrapped(cells[i], c.width-2*s.GetCellMargin()-0.3)
		}
		most = max(most, len(wraps[i]))
	}
	if whole := height + below*float64(most-1); whole <= tallest {
		s.room(whole + 0.4)
	}
	for n := range most {
		high := below
		if n == 0 {
			high = height
		}
		s.room(high)
		for i, c := range columns {
			text := ""
			if n < len(wraps[i]) {
				text = wraps[i][n]
			}
			s.CellFormat(c.width, high, text, "", 0, c.align, false, 0, "")
		}
		s.Ln(high)
	}
}

// part is a piece of text beside others: an address under its heading, or facts
// with their labels.
type part struct {
	x, width float64
	heading  string
	lines    []string
	facts    []fact
}

// fact is a label and its value.
type fact struct{ label, value string }

// partRow is one printed row of a part.
type partRow struct {
	label, text  string
	height, size float64
	style        string // of the text
	align        string
	grey         bool
}

// beside prints parts next to each other, and leaves the cursor below them. Where
// one of them is too long for what is left of the page, they are kept together on
// the next; where for a whole page, they stand below each other.
func (s *sheet) beside(parts ...part) {
	rows := make([][]partRow, len(parts))
	most := 0.0
	for i, p := range parts {
		rows[i] = s.partRows(p)
		high := 0.0
		for _, r := range rows[i] {
			high += r.height
		}
		most = max(most, high)
	}
	together := most <= bottom-top-30
	if together {
		s.room(most)
	}
	y := s.GetY()
	end := y
	for i, p := range parts {
		if together {
			s.SetY(y)
		}
		for _, r := range rows[i] {
			s.partRow(p, r)
		}
		end = max(end, s.GetY())
		if !together {
			end = s.GetY()
		}
	}
	s.SetY(end)
}

// partRows wraps a part into rows.
func (s *sheet) partRows(p part) (out []partRow) {
	if p.heading != "" {
		out = append(out, partRow{text: p.heading, height: 4.5, size: 8, style: "B", align: "L", grey: true})
	}
	s.font("", 9)
	for _, line := range p.lines {
		for _, row := range s.wrapped(line, p.width-2*s.GetCellMargin()) {
			out = append(out, partRow{text: row, height: 4.4, size: 9, align: "L"})
		}
	}
	s.font("B", 8.5)
	for _, f := range p.facts {
		if strings.TrimSpace(f.value) == "" {
			continue
		}
		for i, row := range s.wrapped(f.value, p.width*0.55-2*s.GetCellMargin()) {
			label := f.label
			if i > 0 {
				label = ""
			}
			out = append(out, partRow{label: label, text: row, height: 4.6, size: 8.5, style: "B", align: "R"})
		}
	}
	return out
}

func (s *sheet) partRow(p part, r partRow) {
	s.room(r.height)
	s.SetX(p.x)
	x, w := p.x, p.width
	if r.align == "R" {
		s.font("", r.size)
		s.grey()
		s.CellFormat(w*0.45, r.height, r.label, "", 0, "L", false, 0, "")
		x, w = x+w*0.45, w*0.55
	}
	s.black()
	if r.grey {
		s.grey()
	}
	s.font(r.style, r.size)
	s.SetX(x)
	s.CellFormat(w, r.height, r.text, "", 1, r.align, false, 0, "")
	s.black()
}
