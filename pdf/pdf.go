// Package pdf prints papers: invoices and statements, from the values that
// package portal names. The same input gives the same bytes.
//
// It computes nothing: every figure on a paper is one that it was given.
package pdf

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"codeberg.org/go-pdf/fpdf"
	"github.com/go-text/typesetting/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/text/encoding/charmap"

	"portal.example/portal"
)

// Press prints papers with a distributor's letterhead. It implements
// portal.Printer and is safe for concurrent use.
type Press struct{ head portal.Letterhead }

// New makes a press for a letterhead.
func New(head portal.Letterhead) *Press { return &Press{head} }

// The page is US Letter. What is printed stays within what Letter and A4 have
// in common, so that both take it without scaling.
const (
	pageWidth  = 215.9
	pageHeight = 279.4
	left       = 15.0
	right      = 200.0 // A4 is 210 wide
	top        = 14.0
	bottom     = 262.0
	width      = right - left
)

// Most papers need no letters beyond Windows-1252, and are set in Helvetica,
// which every reader of PDF has: a paper is a tenth of the size and made in a
// fifth of the time. One that needs more is set again in a font that it brings
// along.
const (
	plainFamily   = "Helvetica"
	unicodeFamily = "Go"
)

// goFace says which letters the font that papers bring along has.
var goFace = func() font.Cmap {
	face, err := font.ParseTTF(bytes.NewReader(goregular.TTF))
	if err != nil {
		panic(err) // it is part of the program
	}
	return face.Cmap
}()

// sheet is a paper being printed: a page with a cursor, and what its pages
// repeat.
type sheet struct {
	*fpdf.Fpdf
	family string
	lacks  bool // a letter that the plain font has not
	head   portal.Letterhead
	title  string // "Statement"
	of     string // what it is of: number or customer
	accent [3]int
	again  func() // heads of the table, repeated on every new page
}

// print sets a paper, once more in the other font where the first one lacks a
// letter.
//
// A fault of a library on the way is an error and no panic: whoever asked for
// one of many papers goes on with the others.
func (p *Press) print(title, of, subject string, dated time.Time, set func(*sheet)) (paper []byte, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			paper, err = nil, fmt.Errorf("pdf %s %s: fault while printing: %v", title, of, fault)
		}
	}()
	s := p.newSheet(plainFamily, title, of, subject, dated)
	if set(s); s.lacks {
		s = p.newSheet(unicodeFamily, title, of, subject, dated)
		set(s)
	}
	var buf bytes.Buffer
	if err := s.Output(&buf); err != nil {
		return nil, fmt.Errorf("pdf %s %s: %w", title, of, err)
	}
	return buf.Bytes(), nil
}

func (p *Press) newSheet(family, title, of, subject string, dated time.Time) *sheet {
	f := fpdf.NewCustom(&fpdf.InitType{UnitStr: "mm", Size: fpdf.SizeType{Wd: pageWidth, Ht: pageHeight}})
	// bytes must not depend on when it is printed
	f.SetCreationDate(dated)
	f.SetModificationDate(dated)
	f.SetCatalogSort(true)
	f.SetProducer(described(p.head.Name), false)
	f.SetTitle(described(subject), false)
	f.SetAuthor(described(p.head.Name), false)
	f.SetLang("en")
	f.SetMargins(left, top, pageWidth-right)
	f.SetAutoPageBreak(false, 0)
	f.AliasNbPages("{nb}")
	if family == unicodeFamily {
		f.AddUTF8FontFromBytes(family, "", goregular.TTF)
		f.AddUTF8FontFromBytes(family, "B", gobold.TTF)
	}
	s := &sheet{Fpdf: f, family: family, head: p.head, title: title, of: of, accent: rgb(p.head.Accent)}
	f.SetFooterFunc(s.footer)
	return s
}

// described is a text as a paper's properties want it: UTF-16 with its mark.
func described(text string) string {
	out := []byte{0xfe, 0xff}
	for _, unit := range utf16.Encode([]rune(text)) {
		out = binary.BigEndian.AppendUint16(out, unit)
	}
	return string(out)
}

// coded is a text as the font wants it.
func (s *sheet) coded(text string) string {
	if s.family == unicodeFamily {
		return strings.Map(func(r rune) rune {
			if _, has := goFace.Lookup(r); has || r < ' ' {
				return r
			}
			return '\u25a1'
		}, text)
	}
	plain, err := charmap.Windows1252.NewEncoder().String(strings.ReplaceAll(text, "−", "-"))
	if err != nil {
		s.lacks = true
		return text
	}
	return plain
}

// CellFormat is fpdf's, with the text coded for the font.
func (s *sheet) CellFormat(w, h float64, text, border string, ln int, align string, fill bool, link int, linkStr string) {
	s.Fpdf.CellFormat(w, h, s.coded(text), border, ln, align, fill, link, linkStr)
}

// GetStringWidth is fpdf's, with the text coded for the font.
func (s *sheet) GetStringWidth(text string) float64 { return s.Fpdf.GetStringWidth(s.coded(text)) }

// wrapped cuts a text into rows of a width, between words.
func (s *sheet) wrapped(text string, width float64) []string {
	var rows []string
	row := ""
	for _, word := range strings.Fields(text) {
		longer := strings.TrimSpace(row + " " + word)
		if row != "" && s.GetStringWidth(longer) > width {
			rows, row = append(rows, row), word
			continue
		}
		row = longer
	}
	return append(rows, row)
}

// first opens the first page, with the letterhead.
func (s *sheet) first() {
	s.AddPage()
	s.bar()
	s.SetXY(left, top+3)
	s.font("B", 15)
	s.CellFormat(110, 7, s.fit(s.head.Name, 110), "", 2, "L", false, 0, "")
	s.font("", 8)
	s.grey()
	for _, line := range []string{strings.TrimPrefix(s.head.Footer, s.head.Name+" · "), strings.Join(written(s.head.Phone, s.head.Email), " · ")} {
		if line != "" {
			s.CellFormat(110, 4, s.fit(line, 110), "", 2, "L", false, 0, "")
		}
	}
	s.black()
	s.SetXY(right-70, top+3)
	s.font("B", 15)
	s.CellFormat(70, 7, s.title, "", 2, "R", false, 0, "")
	s.font("", 9)
	s.CellFormat(70, 5, s.of, "", 2, "R", false, 0, "")
	s.SetXY(left, top+26)
}

// next opens a page that continues.
func (s *sheet) next() {
	s.AddPage()
	s.bar()
	s.SetXY(left, top+2)
	s.font("B", 9)
	s.CellFormat(width/2, 5, s.fit(s.head.Name, width/2), "", 0, "L", false, 0, "")
	s.font("", 9)
	s.CellFormat(width/2, 5, s.title+" "+s.of+", continued", "", 1, "R", false, 0, "")
	s.SetY(top + 10)
	if s.again != nil {
		s.again()
	}
}

// room makes sure of height on the page, on a new one if it must.
func (s *sheet) room(height float64) (isNew bool) {
	if s.GetY()+height <= bottom {
		return false
	}
	s.next()
	return true
}

// bar is the stripe of the brand's colour on top of each page.
func (s *sheet) bar() {
	s.SetFillColor(s.accent[0], s.accent[1], s.accent[2])
	s.Rect(left, top-4, width, 1.6, "F")
}

func (s *sheet) footer() {
	s.SetY(bottom + 5)
	s.font("", 7.5)
	s.grey()
	s.CellFormat(width*0.75, 4, s.fit(s.head.Footer, width*0.75), "", 0, "L", false, 0, "")
	s.CellFormat(width*0.25, 4, "Page "+strconv.Itoa(s.PageNo())+" of {nb}", "", 0, "R", false, 0, "")
	s.black()
}

func (s *sheet) font(style string, size float64) { s.SetFont(s.family, style, size) }

func (s *sheet) grey()  { s.SetTextColor(95, 95, 95) }
func (s *sheet) black() { s.SetTextColor(20, 20, 20) }

// rule draws a thin line across at the cursor.
func (s *sheet) rule() {
	s.SetDrawColor(190, 190, 190)
	s.SetLineWidth(0.2)
	s.Line(left, s.GetY(), right, s.GetY())
}

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

// row prints cells of a line; text that does not fit is cut, figures never are.
func (s *sheet) row(columns []column, height float64, cells ...string) {
	for i, c := range columns {
		text := cells[i]
		if c.align == "L" {
			text = s.fit(text, c.width-1)
		}
		s.CellFormat(c.width, height, text, "", 0, c.align, false, 0, "")
	}
	s.Ln(height)
}

// fit cuts text to a width, with an ellipsis.
func (s *sheet) fit(text string, width float64) string {
	text = strings.Join(strings.Fields(text), " ")
	if s.GetStringWidth(text) <= width {
		return text
	}
	runes := []rune(text)
	for len(runes) > 0 && s.GetStringWidth(string(runes)+"…") > width {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

// block prints a heading with lines below it, and returns where it ends.
func (s *sheet) block(x, y, w float64, heading string, lines []string) float64 {
	s.SetXY(x, y)
	s.font("B", 8)
	s.grey()
	s.CellFormat(w, 4.5, heading, "", 2, "L", false, 0, "")
	s.black()
	s.font("", 9)
	for _, line := range lines {
		s.SetX(x)
		s.CellFormat(w, 4.4, s.fit(line, w), "", 2, "L", false, 0, "")
	}
	return s.GetY()
}

// fact is a label and its value.
type fact struct{ label, value string }

// facts prints labels and values in two columns, and returns where they end.
func (s *sheet) facts(x, y, w float64, facts []fact) float64 {
	s.SetXY(x, y)
	for _, f := range facts {
		if f.value == "" {
			continue
		}
		s.SetX(x)
		s.font("", 8.5)
		s.grey()
		s.CellFormat(w*0.45, 4.6, f.label, "", 0, "L", false, 0, "")
		s.black()
		s.font("B", 8.5)
		s.CellFormat(w*0.55, 4.6, s.fit(f.value, w*0.55), "", 1, "R", false, 0, "")
	}
	return s.GetY()
}

// lines are the written lines of a text.
func lines(text string) []string { return written(strings.Split(text, "\n")...) }

// written leaves out what is empty.
func written(parts ...string) []string {
	var out []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

func day(t time.Time) string { return t.Format("2 Jan 2006") }

func dayOf(t *time.Time) string {
	if t == nil {
		return ""
	}
	return day(*t)
}

func money(m *portal.Money) string {
	if m == nil {
		return ""
	}
	return m.Shown()
}

// rgb reads "#rrggbb"; anything else is black.
func rgb(color string) (out [3]int) {
	n, err := strconv.ParseUint(strings.TrimPrefix(color, "#"), 16, 32)
	if err != nil {
		return out
	}
	return [3]int{int(n >> 16 & 0xff), int(n >> 8 & 0xff), int(n & 0xff)}
}
