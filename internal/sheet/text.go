package sheet

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decode is a text file as UTF-8: UTF-16 with its mark, else as it is if it is
// UTF-8, else as Windows writes it.
func decode(data []byte) string {
	for _, u := range []struct {
		mark string
		hi   int
	}{{"\xff\xfe", 1}, {"\xfe\xff", 0}} {
		rest, ok := bytes.CutPrefix(data, []byte(u.mark))
		if !ok {
			continue
		}
		units := make([]uint16, len(rest)/2)
		for i := range units {
			units[i] = uint16(rest[2*i+u.hi])<<8 | uint16(rest[2*i+1-u.hi])
		}
		var b strings.Builder
		b.Grow(len(units))
		for i := 0; i < len(units); i++ {
			r := rune(units[i])
			if utf16.IsSurrogate(r) && i+1 < len(units) {
				r = utf16.DecodeRune(r, rune(units[i+1]))
				i++
			}
			b.WriteRune(r)
		}
		return b.String()
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if utf8.Valid(data) {
		return string(data)
	}
	var b strings.Builder
	b.Grow(len(data) + len(data)/8)
	for _, c := range data { // Latin-1 is near enough to what Windows writes
		b.WriteRune(rune(c))
	}
	return b.String()
}

// split cuts text into rows of cells: at tabs, semicolons, commas or bars, or at
// spaces where lines have nothing else ("OIL5 12").
func split(text string, maxRows int) Table {
	text = strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\x00", "")
	no := 1
	sep, text, told := sepLine(text)
	if told {
		no++
	} else {
		sep = separator(text)
	}
	t := Table{Separated: sep != '\t'}
	cells := 0
	for text != "" {
		if len(t.Rows) >= maxRows || cells >= maxCells {
			t.More = strings.TrimSpace(text) != ""
			break
		}
		var row []Cell
		var lines int
		row, text, lines, t.More = record(text, sep, t.More)
		if row = trimmed(row); len(row) > 0 {
			t.Rows = append(t.Rows, Row{No: no, Cells: row})
			cells += len(row)
		}
		no += lines
	}
	return t
}

// sepLine reads the line sep=; that Excel writes and obeys.
func sepLine(text string) (sep byte, rest string, ok bool) {
	first, rest, _ := strings.Cut(text, "\n")
	first = strings.Trim(strings.TrimRight(first, "\r"), `"`)
	if len(first) == 5 && strings.EqualFold(first[:4], "sep=") {
		return first[4], rest, true
	}
	return 0, text, false
}

// separator is what most of the first lines have. A comma between two digits of
// a line that has spaces is taken for a decimal sign.
func separator(text string) byte {
	const signs = "\t;,|"
	var counts [len(signs)]int
	lines := 0
	for line := range strings.Lines(text[:min(len(text), 64<<10)]) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		for i := range len(signs) {
			if strings.IndexByte(line, signs[i]) >= 0 && !(signs[i] == ',' && decimalCommas(line)) {
				counts[i]++
			}
		}
		if lines++; lines == 50 {
			break
		}
	}
	best, most := byte(' '), 0
	for i := range len(signs) {
		if counts[i] > most {
			best, most = signs[i], counts[i]
		}
	}
	return best
}

func decimalCommas(line string) bool {
	if !strings.ContainsAny(line, " \t") {
		return false
	}
	for i := range len(line) {
		if line[i] == ',' && !(i > 0 && i+1 < len(line) && digit(line[i-1]) && digit(line[i+1])) {
			return false
		}
	}
	return true
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// record cuts the first row off a text. lines says how many lines it took; more
// is set where the row has more columns than are kept.
func record(text string, sep byte, more bool) ([]Cell, string, int, bool) {
	var row []Cell
	add := func(s string, quoted bool) {
		if len(row) == MaxColumns {
			more = more || s != ""
			return
		}
		if s = clean(s); s != "" || sep != ' ' || quoted {
			row = append(row, Cell{Text: unguarded(s), places: -1})
		}
	}
	lines := 1
	for {
		if field, rest, n, ok := quotedField(text, sep); ok {
			add(field, true)
			lines += n
			text = rest
		} else {
			end := 0
			for end < len(text) && text[end] != sep && text[end] != '\n' && text[end] != '\r' {
				end++
			}
			add(text[:end], false)
			text = text[end:]
		}
		switch {
		case text == "":
			return row, "", lines, more
		case text[0] == sep:
			text = text[1:]
		case strings.HasPrefix(text, "\r\n"):
			return row, text[2:], lines, more
		default: // \n, or the \r of an old Macintosh
			return row, text[1:], lines, more
		}
	}
}

// quotedField reads a field in quotes, in which separators, line ends and "" may
// stand. ok is false where the text does not begin with one that also ends: its
// quote is a sign like others, as in 3" pipe.
func quotedField(text string, sep byte) (field, rest string, lines int, ok bool) {
	start := 0
	if sep != ' ' {
		for start < len(text) && text[start] == ' ' {
			start++
		}
	}
	if start >= len(text) || text[start] != '"' {
		return "", "", 0, false
	}
	const longest = 16 << 10 // an unclosed quote does not swallow the file
	limit := min(len(text), start+longest)
	for i := start + 1; i < limit; i++ {
		switch {
		case text[i] == '\n':
			if lines++; lines > 20 {
				return "", "", 0, false
			}
		case text[i] != '"':
		case i+1 < len(text) && text[i+1] == '"':
			i++
		default:
			after := i + 1
			for sep != ' ' && after < len(text) && text[after] == ' ' {
				after++
			}
			if after < len(text) && text[after] != sep && text[after] != '\n' && text[after] != '\r' {
				return "", "", 0, false
			}
			return strings.ReplaceAll(text[start+1:i], `""`, `"`), text[after:], lines, true
		}
	}
	return "", "", 0, false
}

// trimmed is a row without the empty cells at its end.
func trimmed(row []Cell) []Cell {
	for len(row) > 0 && row[len(row)-1].Text == "" && row[len(row)-1].Kind != Uncached {
		row = row[:len(row)-1]
	}
	return row
}
