package pdf

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
