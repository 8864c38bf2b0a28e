package pdf

import "time"

// Formed is a glyph of a line, as tests look at it.
type Formed struct {
	Text    string // empty where the glyph before it says it
	Box     bool   // no font has the letter
	Nominal bool   // the form that the letter has by itself
}

// Form shapes a line.
func (p *Press) Form(text string) (out []Formed) {
	for _, g := range p.shapers.shape(text, false).glyphs {
		f := Formed{Text: g.text, Box: g.font == nil}
		if runes := []rune(g.text); !f.Box && len(runes) == 1 {
			id, _ := g.font.Cmap.Lookup(runes[0])
			f.Nominal = id == g.id
		}
		out = append(out, f)
	}
	return out
}

// Rows wraps a text as a paper does, and says of each row how wide it is and
// whether it could be cut.
func (p *Press) Rows(text string, width float64) (rows []string, widths []float64, whole []bool) {
	s := p.newSheet(plainFamily, "", "", "", time.Time{})
	s.font("", 9)
	rows = s.wrapped(text, width)
	for _, row := range rows {
		widths = append(widths, s.GetStringWidth(row))
		whole = append(whole, len(cuts(row)) == 0)
	}
	return rows, widths, whole
}

// Printable is a text as papers take it.
func Printable(text string) string { return printable(text) }
