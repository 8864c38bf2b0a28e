package pdf

import (
	"slices"
	"sort"
	"strings"
)

// wrapped cuts a text into rows of a width: between words, and within a word that
// is wider than a row or of a script that is written without spaces. A text has
// one row at least.
func (s *sheet) wrapped(text string, width float64) []string {
	text = strings.Join(strings.Fields(printable(text)), " ")
	if s.GetStringWidth(text) <= width {
		return []string{text}
	}
	p := paragraph{sheet: s, text: text}
	if _, ok := s.coded(text); !ok {
		p.reach = s.shape(text).reach(text)
	}
	var rows []string
	for from := 0; from < len(text); {
		end := p.row(from, width)
		rows = append(rows, strings.TrimSpace(text[from:end]))
		for from = end; from < len(text) && text[from] == ' '; from++ {
		}
	}
	return rows
}

// paragraph is a text that is being cut into rows. One that is shaped is shaped
// once, and cut by what its letters take up there: shaping anew for each try costs
// seconds for a text of a thousand letters.
type paragraph struct {
	sheet *sheet
	text  string
	reach []float64 // where each byte's letter begins, in units of the em; nil: the font of the paper is measured
	cuts  []int     // where it may be cut within words, once that is asked
}

// wide is how wide a part of the text is, nearly so where it is shaped: letters
// may take other forms at a row's ends.
func (p *paragraph) wide(from, to int) float64 {
	if p.reach == nil {
		return p.sheet.GetStringWidth(p.text[from:to])
	}
	_, size := p.sheet.GetFontSize()
	return (p.reach[to] - p.reach[from]) * size / perEm
}

// row is where the row that begins at a place ends. One that was cut by a shaped
// text is measured as it will stand, and cut shorter until it fits.
func (p *paragraph) row(from int, width float64) int {
	end := p.cut(from, width)
	if p.reach == nil {
		return end
	}
	for room := width; ; {
		over := p.sheet.GetStringWidth(strings.TrimSpace(p.text[from:end])) - width
		if over <= 0 {
			return end
		}
		room -= max(over, width/100)
		shorter := p.cut(from, room)
		if shorter >= end && room <= 0 { // a letter wider than the row
			return end
		}
		end = shorter
	}
}

// cut is where a row ends that begins at a place: behind as many words as fit, or
// within one.
func (p *paragraph) cut(from int, width float64) int {
	end := from // behind the words that fit
	for end < len(p.text) {
		word := end
		if end > from {
			word++ // the space
		}
		next := len(p.text)
		if at := strings.IndexByte(p.text[word:], ' '); at >= 0 {
			next = word + at
		}
		if p.wide(from, next) > width {
			if end > from && !breaksAnywhere(p.text[word:next]) {
				return end
			}
			return p.fitting(from, next, width)
		}
		end = next
	}
	return end
}

// fitting is the place up to which a part of the text fits into a width: behind one
// letter at least, and none is parted from its marks.
func (p *paragraph) fitting(from, to int, width float64) int {
	if p.cuts == nil {
		p.cuts = cuts(p.text)
	}
	first, _ := slices.BinarySearch(p.cuts, from+1)
	past, _ := slices.BinarySearch(p.cuts, to)
	if first == past {
		return to
	}
	n := sort.Search(past-first, func(i int) bool { return p.wide(from, p.cuts[first+i]) > width })
	return p.cuts[first+max(n-1, 0)]
}

// cuts are the places where a text may be cut: not before what belongs to the
// letter before it.
func cuts(text string) (out []int) {
	var before rune
	for i, r := range text {
		if i > 0 && !holds(before, r) {
			out = append(out, i)
		}
		before = r
	}
	return out
}
