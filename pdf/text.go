package pdf

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// Texts are set in one of three ways. What Windows-1252 holds is set in
// Helvetica, which every reader of PDF has: a paper is a tenth of the size and
// made in a fifth of the time. Where a paper has more Latin, Greek or Cyrillic,
// all of it is set in Go, a font that it brings along. And a line with any other
// letter is set from the glyphs of whatever fonts have it (shape.go, glyphs.go).
const (
	plainFamily   = "Helvetica"
	unicodeFamily = "Go"
)

// pageCount stands for the number of pages until it is known. No text has its
// first character: see printable.
const pageCount = "\x1e{nb}"

// printable is a text as papers take it: composed, on one line, and without
// bytes that are no text.
func printable(text string) string {
	if plain(text) {
		return text
	}
	text = norm.NFC.String(strings.ToValidUTF8(text, "\ufffd"))
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
}

func plain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// coded is a text as the paper's font wants it; not ok where that font lacks a
// letter of it.
func (s *sheet) coded(text string) (coded string, ok bool) {
	if plain(text) {
		return text, true
	}
	inGo := !strings.ContainsFunc(text, func(r rune) bool {
		_, has := goRegular.Cmap.Lookup(r)
		return !has || unicode.Is(unicode.M, r) || r > 0xffff
	})
	if s.family == unicodeFamily {
		return text, inGo
	}
	coded, err := charmap.Windows1252.NewEncoder().String(strings.ReplaceAll(text, "−", "-"))
	if err != nil {
		s.lacks = s.lacks || inGo
		return "", false
	}
	return coded, true
}

// CellFormat is fpdf's, for any text.
func (s *sheet) CellFormat(w, h float64, text, border string, ln int, align string, fill bool,
	link int, linkStr string) {
	text, pages, numbered := strings.Cut(text, pageCount)
	text = printable(text)
	if numbered {
		text += pageCount + pages
	}
	coded, ok := s.coded(text)
	if ok || numbered {
		if numbered {
			coded = text
		}
		s.Fpdf.CellFormat(w, h, coded, border, ln, align, fill, link, linkStr)
		return
	}
	x, y := s.GetXY()
	s.Fpdf.CellFormat(w, h, "", border, ln, align, fill, link, linkStr)
	line := s.shape(text)
	points, size := s.GetFontSize()
	dx := s.GetCellMargin()
	if strings.Contains(align, "R") {
		dx = w - s.GetCellMargin() - line.width*size/perEm
	}
	k := s.GetConversionRatio()
	r, g, b := s.GetTextColor()
	// the baseline is where fpdf has it
	s.RawWriteStr(fmt.Sprintf("q %s %s %s rg %s Q", channel(r), channel(g), channel(b),
		s.drawn.show(line, (x+dx)*k, (pageHeight-(y+.5*h+.3*size))*k, points)))
}

func channel(v int) string { return decimal(float64(v) / 255) }

// GetStringWidth is fpdf's, for any text.
func (s *sheet) GetStringWidth(text string) float64 {
	text = printable(text)
	if coded, ok := s.coded(text); ok {
		return s.Fpdf.GetStringWidth(coded)
	}
	_, size := s.GetFontSize()
	return s.shape(text).width * size / perEm
}
