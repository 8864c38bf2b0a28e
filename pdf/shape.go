package pdf

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/go-text/typesetting/bidi"
	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
)

// perEm is how many units an em has wherever glyphs are measured here.
const perEm = 1000

// glyph is a letter's form at its place.
type glyph struct {
	font    *font.Font // nil: no font has the letter, a box with its code stands for it
	id      font.GID   // of a box, the character
	x, y    float64    // from the beginning of the text, in units of the em
	advance float64
	text    string // what it says; empty where a glyph before it says it too
}

// shaped is a line of text as glyphs, from left to right.
type shaped struct {
	glyphs []glyph
	width  float64 // in units of the em
	// Of each of the text's characters, in their order; of those that became glyphs together, the first has it all
	advances []float64
}

// reach is where each byte of the line's text begins, and where the last one ends,
// if its letters stood in the order of the text.
func (l shaped) reach(text string) []float64 {
	out := make([]float64, len(text)+1)
	n, at := 0, 0.0
	for i, r := range text {
		for k := range utf8.RuneLen(r) {
			out[i+k] = at
		}
		at += l.advances[n]
		n++
	}
	out[len(text)] = at
	return out
}

// shapedLines are the lines of one paper that were shaped: the same names and addresses
// stand in many places of it, and a line is measured before it is printed.
type shapedLines struct {
	lines map[letters]shaped
	held  int // characters of them
}

// letters are a text, upright or bold.
type letters struct {
	text string
	bold bool
}

// mostShaped is how many characters of shaped lines a paper holds, some 10 MB.
const mostShaped = 100_000

// shape sets one line, once a paper.
func (s *sheet) shape(text string) shaped {
	key := letters{text, s.bold}
	line, done := s.lines.lines[key]
	if done {
		return line
	}
	line = s.press.shapers.shape(text, s.bold)
	if s.lines.held += len(line.advances); s.lines.held > mostShaped || s.lines.lines == nil {
		s.lines.lines, s.lines.held = map[letters]shaped{}, len(line.advances)
	}
	s.lines.lines[key] = line
	return line
}

// shaper turns text into glyphs: it finds the fonts, the order of letters from
// left to right (Unicode's bidirectional algorithm), and the forms that letters
// take beside each other. Not safe for concurrent use: see shapers.
type shaper struct {
	library *library
	engine  shaping.HarfbuzzShaper
	split   shaping.Segmenter
	order   bidi.Paragraph
	faces   map[*font.Font]*font.Face
	bold    bool
}

// shapers are shapers at rest; each keeps what it has learnt of the fonts.
type shapers struct{ pool sync.Pool }

func newShapers(l *library) *shapers {
	return &shapers{sync.Pool{New: func() any { return &shaper{library: l, faces: map[*font.Font]*font.Face{}} }}}
}

// shape sets one line.
func (s *shapers) shape(text string, bold bool) shaped {
	one := s.pool.Get().(*shaper)
	line := one.shape(text, bold)
	s.pool.Put(one) // not after a panic: what it holds may be half done
	return line
}

func (s *shaper) shape(text string, bold bool) (line shaped) {
	s.bold = bold
	runes := []rune(text)
	if len(runes) == 0 {
		return line
	}
	line.advances = make([]float64, len(runes))
	levels := s.order.Segment(runes, bidi.Neutral)
	runs := make([]bidi.Run, levels.NumRuns())
	for i := range runs {
		runs[i] = levels.Run(i)
	}
	for _, run := range leftToRight(apart(runes, runs)) {
		input := shaping.Input{Text: runes, RunStart: run.Start, RunEnd: run.End, Direction: di.DirectionLTR,
			Size: fixed.I(perEm)}
		if !run.IsLeftToRight() {
			input.Direction = di.DirectionRTL
		}
		parts := slices.Clone(s.split.Split(input, s))
		if !run.IsLeftToRight() {
			slices.Reverse(parts)
		}
		for _, part := range parts {
			s.add(&line, runes, part)
		}
	}
	return line
}

// ResolveFace implements shaping.Fontmap: the built-in font if it has the
// letter, else one of the library.
func (s *shaper) ResolveFace(r rune) *font.Face {
	first := goRegular
	if s.bold {
		first = goBold
	}
	if _, has := first.Cmap.Lookup(r); !has {
		if f := s.library.find(r, s.bold); f != nil {
			first = f
		}
	}
	face := s.faces[first]
	if face == nil {
		face = font.NewFace(first)
		s.faces[first] = face
	}
	return face
}

// add shapes a run of one font and one direction.
func (s *shaper) add(line *shaped, runes []rune, part shaping.Input) {
	out := s.engine.ShapeNoExtents(part)
	units := func(v fixed.Int26_6) float64 { return float64(v) / 64 }
	for i := 0; i < len(out.Glyphs); {
		// a cluster: runes that became glyphs together
		end := i + 1
		for end < len(out.Glyphs) && out.Glyphs[end].TextIndex() == out.Glyphs[i].TextIndex() {
			end++
		}
		from := out.Glyphs[i].TextIndex()
		said := runes[from:min(from+out.Glyphs[i].RunesCount(), len(runes))]
		if slices.ContainsFunc(out.Glyphs[i:end], func(g shaping.Glyph) bool { return g.GlyphID == 0 }) {
			line.boxes(said, from)
			i = end
			continue
		}
		text := string(said)
		for _, g := range out.Glyphs[i:end] {
			if g.GlyphID != font.EmptyGlyph {
				line.glyphs = append(line.glyphs, glyph{font: part.Face.Font, id: g.GlyphID, x: line.width + units(g.XOffset),
					y: units(g.YOffset), advance: units(g.Advance), text: text})
				text = ""
			}
			line.width += units(g.Advance)
			line.advances[from] += units(g.Advance)
		}
		i = end
	}
}

// boxes stand for letters that no font has, which begin at a place of the text.
func (l *shaped) boxes(runes []rune, from int) {
	for i, r := range runes {
		if unseen(r) {
			continue
		}
		l.glyphs = append(l.glyphs, glyph{id: font.GID(r), x: l.width, advance: boxWidth, text: string(r)})
		l.width += boxWidth
		l.advances[from+i] = boxWidth
	}
}

// unseen are characters that have no form of their own.
func unseen(r rune) bool {
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Variation_Selector, r)
}

// holds reports whether a line must not break before a character: it belongs to
// the one before it.
func holds(before, r rune) bool {
	return unicode.Is(unicode.M, r) || unseen(r) || before == '\u200d' || '\U0001f3fb' <= r && r <= '\U0001f3ff'
}

// breaksAnywhere are scripts that are written without spaces.
func breaksAnywhere(word string) bool {
	return strings.IndexFunc(word, func(r rune) bool {
		return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao,
			unicode.Khmer, unicode.Myanmar)
	}) >= 0
}
