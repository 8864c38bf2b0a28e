package importcsv

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"portal.example/portal"
)

// fault is what is wrong with a cell, or with a row where column is empty.
type fault struct {
	Column string `json:"column"`
	Value  string `json:"value"`
	Reason string `json:"reason"`
}

// unreadable is a file that cannot be read at all.
type unreadable struct{ fault }

func (u unreadable) Error() string { return u.Reason }

// reader reads a file row by row. It is for one goroutine.
type reader struct {
	kind    fileKind
	csv     *csv.Reader
	either  bool // decimals may stand after a comma or a point: no comma is between the cells
	decimal Decimal
	signs   []signs // by column, where either
	at      []int   // where in the file each column is; -1: nowhere
	width   int     // named columns
	rows    int
	badRows int
}

// newReader reads the head of a file. An error that is an unreadable is for the
// report.
func newReader(file io.Reader, kind fileKind) (*reader, error) {
	r := &reader{kind: kind}
	in := bufio.NewReaderSize(file, 256<<10)
	start, err := in.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	refuse := func(column, value, format string, args ...any) error {
		return unreadable{fault{column, value, fmt.Sprintf(format, args...)}}
	}
	switch {
	case bytes.HasPrefix(start, []byte("\ufeff")):
		_, _ = in.Discard(3)
		start = start[3:]
	case bytes.HasPrefix(start, []byte("PK\x03\x04")), bytes.HasPrefix(start, []byte("\xd0\xcf\x11\xe0")):
		return nil, refuse("", "", "This is an Excel workbook. Save it as “CSV UTF-8”.")
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return nil, refuse("", "", "This is UTF-16 (“Unicode text”). Save it as “CSV UTF-8”.")
	}
	line, _, _ := bytes.Cut(start, []byte("\n"))
	r.csv = csv.NewReader(in)
	r.csv.FieldsPerRecord = -1
	r.csv.ReuseRecord = true
	if bytes.Count(line, []byte(";")) > bytes.Count(line, []byte(",")) {
		r.csv.Comma = ';'
		r.either = true
	} else if bytes.Count(line, []byte("\t")) > bytes.Count(line, []byte(",")) {
		r.csv.Comma = '\t'
		r.either = true
	}
	head, err := r.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, refuse("", "", "The file is empty: its first line names the columns.")
	}
	if _, ok := errors.AsType[*csv.ParseError](err); ok {
		return nil, refuse("", "", "The first line cannot be read: it must name the columns.")
	}
	if err != nil {
		return nil, err
	}
	r.at = slices.Repeat([]int{-1}, len(kind.columns))
	for k, cell := range head {
		name := strings.ToLower(strings.TrimSpace(cell))
		i := kind.index(name)
		switch {
		case name == "":
			if strings.Join(head[k:], "") == "" {
				continue // a spreadsheet's empty columns at the right
			}
			return nil, refuse("", "", "Column %d has no name.", k+1)
		case i < 0:
			return nil, refuse(shown(name), shown(name), "There is no such column. The columns are: %s.", kind.names())
		case r.at[i] >= 0:
			return nil, refuse(name, name, "This column is there twice.")
		}
		r.at[i] = k
		r.width = k + 1
	}
	for i, c := range kind.columns {
		if c.required && r.at[i] < 0 {
			return nil, refuse(c.name, "", "This column is missing. The columns are: %s.", kind.names())
		}
	}
	return r, nil
}

func (f fileKind) names() string {
	all := make([]string, len(f.columns))
	for i, c := range f.columns {
		all[i] = c.name
	}
	return strings.Join(all, ", ")
}

// present are the names of the columns that the file has.
func (r *reader) present() []string {
	var names []string
	for i, c := range r.kind.columns {
		if r.at[i] >= 0 {
			names = append(names, c.name)
		}
	}
	return names
}

// copyTo writes the rows for COPY in its text format: line, problems, and the
// columns. A cell that is bad is null, and its row's problems say why; the
// others are there, so that what refers to the row finds it.
func (r *reader) copyTo(w io.Writer, progress func()) error {
	out := bufio.NewWriterSize(w, 256<<10)
	cells := make([]string, len(r.kind.columns))
	given := make([]bool, len(r.kind.columns))
	for {
		record, err := r.csv.Read()
		if errors.Is(err, io.EOF) {
			return out.Flush()
		}
		clear(cells)
		clear(given)
		var line int
		var faults []fault
		if bad, ok := errors.AsType[*csv.ParseError](err); ok {
			line = bad.StartLine
			faults = []fault{{Reason: "This line cannot be read: a quotation mark is not closed, or stands inside a cell."}}
		} else if err != nil {
			return err
		} else {
			if !slices.ContainsFunc(record, func(c string) bool { return strings.TrimSpace(c) != "" }) {
				continue
			}
			line, _ = r.csv.FieldPos(0)
			faults = r.row(record, cells, given)
		}
		r.rows++
		if len(faults) > 0 {
			r.badRows++
		}
		if err := writeRow(out, line, faults, cells, given); err != nil {
			return err
		}
		if r.rows%10_000 == 0 {
			progress()
		}
	}
}

func writeRow(out *bufio.Writer, line int, faults []fault, cells []string, given []bool) error {
	fmt.Fprintf(out, "%d\t", line)
	if len(faults) == 0 {
		out.WriteString(`\N`)
	} else {
		problems, err := json.Marshal(faults)
		if err != nil {
			return err
		}
		copyText(out, string(problems))
	}
	for i, cell := range cells {
		out.WriteByte('\t')
		if given[i] {
			copyText(out, cell)
		} else {
			out.WriteString(`\N`)
		}
	}
	return out.WriteByte('\n') // a bufio.Writer keeps the first error
}

// copyText writes a value as COPY's text format has it.
func copyText(out *bufio.Writer, s string) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			out.WriteString(`\\`)
		case '\t':
			out.WriteString(`\t`)
		case '\n':
			out.WriteString(`\n`)
		case '\r':
			out.WriteString(`\r`)
		default:
			out.WriteByte(s[i])
		}
	}
}

// row reads a record into cells; an empty cell is not given.
func (r *reader) row(record, cells []string, given []bool) (faults []fault) {
	for k := r.width; k < len(record); k++ {
		if strings.TrimSpace(record[k]) != "" {
			return []fault{{Value: shown(record[k]), Reason: fmt.Sprintf("There are %d cells, but the first line names %d "+
				"columns. Is there a separator inside a cell without quotation marks?", len(record), r.width)}}
		}
	}
	for i, c := range r.kind.columns {
		if r.at[i] < 0 {
			continue
		}
		var cell string
		if r.at[i] < len(record) {
			cell = c.clean(unguard(strings.TrimSpace(record[r.at[i]])))
		}
		if cell == "" {
			if c.required {
				faults = append(faults, fault{c.name, "", "This is empty."})
			}
			continue
		}
		read, reason := r.cell(i, c, cell)
		if reason != "" {
			faults = append(faults, fault{c.name, shown(cell), reason})
			continue
		}
		cells[i], given[i] = read, true
	}
	return faults
}

// cell checks a cell and returns it as the database reads it, or what is wrong.
func (r *reader) cell(at int, c column, cell string) (read, reason string) {
	if !utf8.ValidString(cell) {
		return "", "This is not UTF-8; Windows-1252 or Latin-1, by the look of it. Save the file as “CSV UTF-8”, or " +
			"convert it: iconv -f WINDOWS-1252 -t UTF-8."
	}
	switch c.kind {
	case barcode:
		return readBarcode(cell, c.most())
	case text, longText:
		if most := c.most(); utf8.RuneCountInString(cell) > most {
			return "", fmt.Sprintf("This is longer than %d characters.", most)
		}
		if strings.ContainsFunc(cell, isControl) {
			return "", "This holds control characters, which are not text."
		}
		return cell, ""
	case money:
		return r.number(at, cell, 2, false)
	case price:
		return r.number(at, cell, 4, false)
	case amount:
		return r.number(at, cell, 4, true)
	case quantity:
		return r.number(at, cell, 6, true)
	case measure:
		return r.number(at, cell, 6, false)
	case count:
		if len(cell) > 6 || strings.Trim(cell, "0123456789") != "" {
			return "", "This is not a whole number: write 30."
		}
		return cell, ""
	case date:
		d, err := time.Parse(time.DateOnly, cell)
		if err != nil || d.Year() < 1900 {
			return "", "This is not a date: write 2026-06-30."
		}
		return cell, ""
	case yesNo:
		switch strings.ToLower(cell) {
		case "yes", "y", "true", "t", "1":
			return "true", ""
		case "no", "n", "false", "f", "0":
			return "false", ""
		}
		return "", "This is neither yes nor no."
	case choice:
		for _, one := range c.of {
			if strings.EqualFold(one, cell) {
				return one, ""
			}
		}
		return "", "This is none of: " + strings.Join(c.of, ", ") + "."
	case levelList:
		return readLevels(cell)
	}
	return cell, ""
}

// readBarcode takes a code as it is, and the digits of one that a spreadsheet
// took for a number while none is lost.
func readBarcode(cell string, most int) (read, reason string) {
	code := portal.PlainCode(cell)
	switch {
	case strings.ContainsFunc(cell, unicode.IsControl):
		return "", "This holds control characters, which are not text."
	case utf8.RuneCountInString(code) > most:
		return "", fmt.Sprintf("This is longer than %d characters.", most)
	case portal.ShortenedNumber(code):
		return "", "A spreadsheet has made a number of this and dropped its last digits. Format the column as text, and " +
			"export it again."
	}
	return portal.WholeNumber(code), ""
}

// readLevels reads "ABC", "A B C" or "A,B,C" as an array of PostgreSQL.
func readLevels(cell string) (read, reason string) {
	var found []string
	for _, c := range strings.ToUpper(cell) {
		switch {
		case 'A' <= c && c <= 'E':
			found = append(found, string(c))
		case !strings.ContainsRune(" ,;/+", c):
			return "", "These are not levels: A to E, like A B."
		}
	}
	if len(found) == 0 {
		return "", "These are not levels: A to E, like A B."
	}
	slices.Sort(found)
	return "{" + strings.Join(slices.Compact(found), ",") + "}", ""
}

// shown is a cell as a report quotes it: short, on one line, in UTF-8, with a
// mark for each control character, which PostgreSQL would not keep.
func shown(cell string) string {
	cell = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !unicode.IsSpace(r) {
			return '�'
		}
		return r
	}, cell)
	return clip(strings.Join(strings.Fields(strings.ToValidUTF8(cell, "�")), " "))
}

func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

// unguard takes away the apostrophe that keeps a spreadsheet from taking a cell
// for a formula, as exports of the desk set it.
func unguard(cell string) string {
	if len(cell) > 1 && cell[0] == '\'' && strings.ContainsRune("=+-@'", rune(cell[1])) {
		return cell[1:]
	}
	return cell
}
