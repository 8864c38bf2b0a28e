// Package pdf makes invoices, statements and the other papers as PDF, from the
// values of package portal. The same input gives the same bytes.
//
// It computes no figures: each one on a paper was handed to it.
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
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"

	"portal.example/portal"
)

// Press prints papers with a distributor's letterhead. It implements
// portal.Printer and is safe for concurrent use.
type Press struct {
	head    portal.Letterhead
	shapers *shapers
	logo    *logo // nil: there is none, or none that can be drawn
}

// New makes a press for a letterhead. Letters that the built-in fonts have not
// are taken from the fonts in the folders, in their order; what none has is
// printed as a box with the character's number.
func New(head portal.Letterhead, fontDirs ...string) *Press {
	return &Press{head: head, shapers: newShapers(newLibrary(fontDirs)), logo: newLogo(head.Logo)}
}

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

// sheet is a paper being printed: a page with a cursor, and what its pages
// repeat.
type sheet struct {
	*fpdf.Fpdf
	press  *Press
	family string
	bold   bool
	lacks  bool // a letter that the other family has
	drawn  drawn
	lines  shapedLines
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
		lines := s.lines
		s = p.newSheet(unicodeFamily, title, of, subject, dated)
		s.lines = lines
		set(s)
	}
	var buf bytes.Buffer
	if err := s.Output(&buf); err != nil {
		return nil, fmt.Errorf("pdf %s %s: %w", title, of, err)
	}
	if paper, err = s.drawn.addTo(buf.Bytes()); err != nil {
		return nil, fmt.Errorf("pdf %s %s: %w", title, of, err)
	}
	return paper, nil
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
	f.AliasNbPages(pageCount)
	if family == unicodeFamily {
		f.AddUTF8FontFromBytes(family, "", goregular.TTF)
		f.AddUTF8FontFromBytes(family, "B", gobold.TTF)
	}
	s := &sheet{Fpdf: f, press: p, family: family, head: p.head, title: title, of: of, accent: rgb(p.head.Accent)}
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

// first opens the first page, with the letterhead.
func (s *sheet) first() {
	s.AddPage()
	s.bar()
	at, room := left, 110.0
	if w := s.logo(left, top+3); w > 0 {
		at, room = left+w+2, room-w-2
	}
	s.SetXY(at, top+3)
	s.font("B", 15)
	s.rows(at, room, 7, "L", s.wrapped(s.head.Name, room-2))
	s.font("", 8)
	s.grey()
	for _, line := range []string{strings.TrimPrefix(s.head.Footer, s.head.Name+" · "),
		strings.Join(written(s.head.Phone, s.head.Email), " · ")} {
		if line != "" {
			s.rows(at, room, 4, "L", s.wrapped(line, room-2))
		}
	}
	s.black()
	end := s.GetY()
	s.SetXY(right-70, top+3)
	s.font("B", 15)
	s.rows(right-70, 70, 7, "R", []string{s.title})
	s.font("", 9)
	s.rows(right-70, 70, 5, "R", s.wrapped(s.of, 68))
	s.SetXY(left, max(top+26, end+4, s.GetY()+4))
}

// headRows is how many rows a name or number takes in the head of a page that
// continues: it stands in full on the first page, and a head as high as the page
// would leave no room for anything else.
const headRows = 6

// next opens a page that continues.
func (s *sheet) next() {
	bold, again := s.bold, s.again
	points, _ := s.GetFontSize()
	s.again = nil
	s.AddPage()
	s.bar()
	s.SetXY(left, top+2)
	s.font("B", 9)
	s.rows(left, width/2, 5, "L", first(s.wrapped(s.head.Name, width/2-2)))
	end := s.GetY()
	s.SetY(top + 2)
	s.font("", 9)
	s.rows(left+width/2, width/2, 5, "R", first(s.wrapped(s.title+" "+s.of+", continued", width/2-2)))
	s.SetY(max(top+10, end+3, s.GetY()+3))
	if s.again = again; again != nil {
		again()
	}
	style := ""
	if bold {
		style = "B"
	}
	s.font(style, points)
}

func first(rows []string) []string { return rows[:min(len(rows), headRows)] }

// rows prints rows of a text below each other. What would be below the page's end
// goes on on the next one.
func (s *sheet) rows(x, w, height float64, align string, rows []string) {
	for _, row := range rows {
		s.room(height)
		s.SetX(x)
		s.CellFormat(w, height, row, "", 2, align, false, 0, "")
	}
}

// room makes sure of height on the page, on a new one if it must.
func (s *sheet) room(height float64) {
	if s.GetY()+height > bottom {
		s.next()
	}
}

// bar is the stripe of the brand's colour on top of each page.
func (s *sheet) bar() {
	s.SetFillColor(s.accent[0], s.accent[1], s.accent[2])
	s.Rect(left, top-4, width, 1.6, "F")
}

func (s *sheet) footer() {
	s.font("", 7.5)
	s.grey()
	for i, row := range s.wrapped(s.head.Footer, width*0.75-2) {
		s.SetXY(left, bottom+5+3.4*float64(i))
		s.CellFormat(width*0.75, 4, row, "", 0, "L", false, 0, "")
	}
	s.SetXY(left+width*0.75, bottom+5)
	s.CellFormat(width*0.25, 4, "Page "+strconv.Itoa(s.PageNo())+" of "+pageCount, "", 0, "R", false, 0, "")
	s.black()
}

func (s *sheet) font(style string, size float64) {
	s.bold = style == "B"
	s.SetFont(s.family, style, size)
}

func (s *sheet) grey()  { s.SetTextColor(95, 95, 95) }
func (s *sheet) black() { s.SetTextColor(20, 20, 20) }

// rule draws a thin line across at the cursor.
func (s *sheet) rule() {
	s.SetDrawColor(190, 190, 190)
	s.SetLineWidth(0.2)
	s.Line(left, s.GetY(), right, s.GetY())
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
