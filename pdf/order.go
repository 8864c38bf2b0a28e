package pdf

import (
	"slices"

	"github.com/go-text/typesetting/bidi"
	classes "golang.org/x/text/unicode/bidi"
)

// leftToRight puts runs into the order in which they stand on the page: rule L2
// of the bidirectional algorithm, from the highest level down to the lowest odd one.
func leftToRight(runs []bidi.Run) []bidi.Run {
	var highest bidi.Level
	for _, r := range runs {
		highest = max(highest, r.Level)
	}
	for level := highest; level > 0; level-- {
		for i := 0; i < len(runs); i++ {
			end := i
			for end < len(runs) && runs[end].Level >= level {
				end++
			}
			slices.Reverse(runs[i:end])
			i = max(i, end-1)
		}
	}
	return runs
}

// apart parts numbers from the words beside them. Between Arabic and Latin, as in
// "Deli العربية 12 Main", a number belongs to the Arabic: it has a level of its own, two
// above the Latin. The library makes one run of all levels that go left to right, by which
// the Latin would change its place together with the number.
func apart(text []rune, runs []bidi.Run) (out []bidi.Run) {
	if !leftToRightText(text) {
		return runs // all Latin has the level of numbers
	}
	for i, r := range runs {
		if !r.IsLeftToRight() {
			out = append(out, r)
			continue
		}
		if i > 0 && r.Level == 2 {
			end := r.Start + leadingNumber(text[r.Start:r.End], lastStrong(text[:r.Start]) == classes.AL)
			if r.Start < end { // the library and this table know characters of different years
				out = append(out, bidi.Run{Start: r.Start, End: end, Level: 2})
				r.Start, r.Level = end, 0
			}
		}
		begin := r.End
		if i+1 < len(runs) {
			begin = r.Start + trailingNumber(text[r.Start:r.End])
		}
		if r.Start < begin {
			out = append(out, bidi.Run{Start: r.Start, End: begin, Level: r.Level})
		}
		if begin < r.End {
			out = append(out, bidi.Run{Start: begin, End: r.End, Level: 2})
		}
	}
	return out
}

func class(r rune) classes.Class {
	p, _ := classes.LookupRune(r)
	return p.Class()
}

// leftToRightText reports whether a text as a whole goes from left to right, by its
// first letter. Texts with signs that set directions are none of those.
func leftToRightText(text []rune) bool {
	first := classes.ON
	for _, r := range text {
		switch c := class(r); c {
		case classes.L, classes.R, classes.AL:
			if first == classes.ON {
				first = c
			}
		case classes.LRO, classes.RLO, classes.LRE, classes.RLE, classes.PDF, classes.LRI, classes.RLI, classes.FSI,
			classes.PDI, classes.Control:
			return false
		}
	}
	return first == classes.L || first == classes.ON
}

// lastStrong is the class of the last letter of a text.
func lastStrong(text []rune) classes.Class {
	for _, r := range slices.Backward(text) {
		if c := class(r); c == classes.L || c == classes.R || c == classes.AL {
			return c
		}
	}
	return classes.L
}

// leadingNumber is how many characters a number has that a text begins with: rules W1 to
// W5. Signs as % belong to it, but not behind Arabic letters.
func leadingNumber(text []rune, arabic bool) int {
	for i, r := range text {
		next := classes.ON
		if i+1 < len(text) {
			next = class(text[i+1])
		}
		switch c := class(r); {
		case c == classes.EN || c == classes.AN || c == classes.NSM || c == classes.BN:
		case c == classes.ET && !arabic:
		case (c == classes.CS || c == classes.ES) && (next == classes.EN || next == classes.AN):
		default:
			return i
		}
	}
	return len(text)
}

// trailingNumber is where a number in Arabic digits begins with which a text ends, its
// end if there is none. Before Arabic or Hebrew it belongs to that.
func trailingNumber(text []rune) int {
	begin := len(text)
	for i, r := range slices.Backward(text) {
		c := class(r)
		if c == classes.AN {
			begin = i
		} else if c != classes.CS && c != classes.NSM && c != classes.BN {
			break
		}
	}
	return begin
}
