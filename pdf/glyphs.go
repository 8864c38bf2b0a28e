package pdf

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
)

// perFont is how many glyphs a font of type 3 takes: a code is a byte.
const perFont = 255

// drawn are the glyphs of a paper that its text fonts have not, as fonts of type
// 3: a program that draws each glyph, from its outline in whatever font it comes
// from, and a table of what each glyph says, by which readers search and copy.
type drawn struct {
	codes  map[drawnKey]int // counted over all fonts
	glyphs []glyph          // by code
	faces  map[*font.Font]*font.Face
	packer *zlib.Writer // used again: it is large
}

// drawnKey tells glyphs apart: the same form may say different things.
type drawnKey struct {
	font *font.Font
	id   font.GID
	text string
}

// code is the number of a glyph in this paper, from 0.
func (d *drawn) code(g glyph) int {
	key := drawnKey{g.font, g.id, g.text}
	n, known := d.codes[key]
	if !known {
		if d.codes == nil {
			d.codes = map[drawnKey]int{}
		}
		n = len(d.glyphs)
		d.codes[key] = n
		d.glyphs = append(d.glyphs, g)
	}
	return n
}

// show is the page's text operators for a line of glyphs whose beginning is at x,
// y, both in points.
func (d *drawn) show(line shaped, x, y, size float64) string {
	var out strings.Builder
	out.WriteString("BT")
	fontNo, pen, penY, open := -1, 0.0, 0.0, false
	for _, g := range line.glyphs {
		n := d.code(g)
		first := d.glyphs[n]
		if n/perFont != fontNo {
			if open {
				out.WriteString("> Tj")
				open = false
			}
			fontNo = n / perFont
			fmt.Fprintf(&out, " /T%d %s Tf", fontNo, decimal(size))
		}
		if !open || math.Abs(pen-g.x) > 0.5 || penY != g.y {
			if open {
				out.WriteString("> Tj")
			}
			fmt.Fprintf(&out, " 1 0 0 1 %s %s Tm <", decimal(x+g.x*size/perEm), decimal(y+g.y*size/perEm))
			open = true
		}
		fmt.Fprintf(&out, "%02x", n%perFont+1)
		pen, penY = g.x+math.Round(first.advance), g.y
	}
	if open {
		out.WriteString("> Tj")
	}
	out.WriteString(" ET")
	return out.String()
}

// decimal writes a number as PDF has it, to a thousandth.
func decimal(v float64) string {
	return strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64)
}

// addTo appends the fonts to a paper, as an update of it: a PDF may be continued
// behind its end, and the resources of all pages, object 2 of the library's
// papers, are written again there with the fonts in them.
func (d *drawn) addTo(paper []byte) ([]byte, error) {
	if len(d.glyphs) == 0 {
		return paper, nil
	}
	end, err := readEnd(paper)
	if err != nil {
		return nil, err
	}
	u := update{out: paper, next: end.size}
	var names strings.Builder
	for from := 0; from < len(d.glyphs); from += perFont {
		n := d.addFont(&u, d.glyphs[from:min(from+perFont, len(d.glyphs))])
		fmt.Fprintf(&names, "/T%d %d 0 R\n", from/perFont, n)
	}
	head, rest, ok := bytes.Cut(end.resources, []byte("/Font <<\n"))
	if !ok {
		return nil, fmt.Errorf("its resources name no fonts")
	}
	u.write(2, string(head)+"/Font <<\n"+names.String()+string(rest))
	return u.close(end), nil
}

// addFont writes one font and returns the number of its object.
func (d *drawn) addFont(u *update, glyphs []glyph) int {
	var procs, differences, widths strings.Builder
	for i, g := range glyphs {
		fmt.Fprintf(&procs, "/g%d %d 0 R ", i+1, u.add(d.stream(d.program(g))))
		fmt.Fprintf(&differences, "/g%d ", i+1)
		fmt.Fprintf(&widths, "%d ", int(math.Round(g.advance)))
	}
	says := u.add(d.stream(toUnicode(glyphs)))
	return u.add(fmt.Sprintf("<</Type /Font /Subtype /Type3 /FontBBox [0 0 0 0] /FontMatrix [0.001 0 0 0.001 0 "+
		"0]\n/CharProcs <<%s>>\n"+
		"/Encoding <</Type /Encoding /Differences [1 %s]>>\n/FirstChar 1 /LastChar %d /Widths [%s]\n/ToUnicode %d 0 R "+
		"/Resources <<>>>>",
		procs.String(), differences.String(), len(glyphs), widths.String(), says))
}

// program draws a glyph, in the colour that text has where it stands.
func (d *drawn) program(g glyph) string {
	var path strings.Builder
	if g.font == nil {
		d.box(&path, rune(g.id))
	} else {
		d.outline(&path, g.font, g.id, 1, 0, 0)
	}
	return fmt.Sprintf("%d 0 -1000 -1500 3000 2500 d1\n%s", int(math.Round(g.advance)), path.String())
}

// outline draws the outline of a glyph, scaled and moved.
func (d *drawn) outline(path *strings.Builder, f *font.Font, id font.GID, scale, dx, dy float64) {
	if d.faces == nil {
		d.faces = map[*font.Font]*font.Face{}
	}
	face := d.faces[f]
	if face == nil {
		face = font.NewFace(f)
		d.faces[f] = face
	}
	data, ok := face.GlyphDataOutline(id)
	if !ok || len(data.Segments) == 0 {
		return
	}
	scale *= perEm / float64(f.Upem())
	at := func(p opentype.SegmentPoint) (float64, float64) {
		return float64(p.X)*scale + dx, float64(p.Y)*scale + dy
	}
	var x, y float64
	for i, s := range data.Segments {
		ax, ay := at(s.Args[0])
		bx, by := at(s.Args[1])
		cx, cy := at(s.Args[2])
		switch s.Op {
		case opentype.SegmentOpMoveTo:
			if i > 0 {
				path.WriteString("h ")
			}
			fmt.Fprintf(path, "%s %s m ", short(ax), short(ay))
			x, y = ax, ay
		case opentype.SegmentOpLineTo:
			fmt.Fprintf(path, "%s %s l ", short(ax), short(ay))
			x, y = ax, ay
		case opentype.SegmentOpQuadTo: // a quadratic curve as a cubic one
			fmt.Fprintf(path, "%s %s %s %s %s %s c ", short(x+(ax-x)*2/3), short(y+(ay-y)*2/3), short(bx+(ax-bx)*2/3),
				short(by+(ay-by)*2/3), short(bx), short(by))
			x, y = bx, by
		case opentype.SegmentOpCubeTo:
			fmt.Fprintf(path, "%s %s %s %s %s %s c ", short(ax), short(ay), short(bx), short(by), short(cx), short(cy))
			x, y = cx, cy
		}
	}
	path.WriteString("h f\n")
}

// short writes a coordinate to a tenth of a thousandth of the em.
func short(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// boxWidth is how wide a box with a code is.
const boxWidth = 720.0

// box is a frame with the character's number in it, two or three digits a row.
func (d *drawn) box(path *strings.Builder, r rune) {
	path.WriteString("50 -80 620 880 re 85 -45 550 810 re f*\n")
	code := fmt.Sprintf("%04X", r)
	if len(code) > 4 {
		code = fmt.Sprintf("%06X", r)
	}
	row := len(code) / 2
	scale := 0.42
	if row == 3 {
		scale = 0.29
	}
	step := 510 / float64(row)
	for i, digit := range code {
		id, _ := goBold.Cmap.Lookup(digit)
		y := 400.0
		if i >= row {
			y = 50
		}
		d.outline(path, goBold, id, scale, 110+float64(i%row)*step, y)
	}
}

// toUnicode is the table of what glyphs say. One that a glyph before it speaks
// for says a space of no width.
func toUnicode(glyphs []glyph) string {
	var out strings.Builder
	out.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /Says def\n/CMapType 2 " +
		"def\n" +
		"1 begincodespacerange\n<00> <ff>\nendcodespacerange\n")
	for from := 0; from < len(glyphs); from += 100 {
		part := glyphs[from:min(from+100, len(glyphs))]
		fmt.Fprintf(&out, "%d beginbfchar\n", len(part))
		for i, g := range part {
			text := g.text
			if text == "" {
				text = "\u200b"
			}
			fmt.Fprintf(&out, "<%02x> <", from+i+1)
			for _, unit := range utf16.Encode([]rune(text)) {
				fmt.Fprintf(&out, "%04x", unit)
			}
			out.WriteString(">\n")
		}
		out.WriteString("endbfchar\n")
	}
	out.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend")
	return out.String()
}

// stream is an object of compressed bytes.
func (d *drawn) stream(text string) string {
	var packed bytes.Buffer
	if d.packer == nil {
		d.packer = zlib.NewWriter(&packed)
	} else {
		d.packer.Reset(&packed)
	}
	_, _ = d.packer.Write([]byte(text)) // into memory
	_ = d.packer.Close()
	return fmt.Sprintf("<</Filter /FlateDecode /Length %d>>\nstream\n%s\nendstream", packed.Len(), packed.String())
}
