// Package sheet reads what people paste from a spreadsheet or upload as CSV or
// XLSX: it makes tables of cells under hard limits, finds out which columns hold
// the item, the quantity and the unit, and says where it is not sure.
//
// It never guesses about a quantity. What a code stands for it asks its caller.
package sheet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of what is read. They hold before anything is parsed or while it is,
// so that nobody's file costs more than some 40 MB and a second.
const (
	MaxBytes    = 8 << 20 // of a file, or of pasted text
	MaxColumns  = 128     // further ones are left out
	maxCell     = 4000    // bytes of a cell that are kept; Excel's own limit is 32,767 letters
	maxCells    = 200_000 // of one file, over all sheets that are read
	maxSheets   = 16      // that are looked at
	sampleRows  = 60      // of a sheet, to see what is in it
	maxReadings = 4       // sheets that somebody may choose from
)

// Kind says what stands in a cell.
type Kind uint8

const (
	Text Kind = iota
	// A number of a spreadsheet, exact: digits, perhaps a point; behind a space, the words that its format shows with it
	Number
	Day      // a date of a spreadsheet, as 2026-03-31
	Uncached // a formula whose result the file does not hold
	Fault    // a formula's error, as #REF!
)

// Cell is what stands in one cell, without spaces at its ends and without
// invisible characters.
type Cell struct {
	Text    string
	Kind    Kind
	Money   bool // shown with a currency sign
	Formula bool // calculated; Text is the result that the file holds
	Unlike  bool // shown as another number than the one it holds: 2.5 without decimals, or in thousands
	places  int8 // decimals that a number is shown with, -1 where the format does not say
}

// Row is a row that has something in it.
type Row struct {
	No    int // from 1, as in the file
	Cells []Cell
}

// Cell is the row's cell of a column, from 0, or an empty one.
func (r Row) Cell(i int) Cell {
	if i < 0 || i >= len(r.Cells) {
		return Cell{}
	}
	return r.Cells[i]
}

// Table is a sheet of a file, or what was pasted.
type Table struct {
	Name   string // of the sheet, "" where there is only one
	Hidden bool
	Rows   []Row
	More   bool // there are more rows or columns than were read
	// Separated by a sign that may also stand inside of a cell: a row with more
	// cells than others may have been cut wrongly.
	Separated bool
}

// Book is an open file. It is not safe for concurrent use and needs no closing;
// it reads from the file it was opened on.
type Book struct {
	xlsx *workbook
	text string
	size int // sheets
}

// ErrEmpty is of a file in which nothing stands.
var ErrEmpty = errors.New("nothing stands in it")

// Open opens a file of size bytes, CSV or XLSX told apart by its first bytes. An
// error is in words for who uploaded it.
func Open(file io.ReaderAt, size int64) (*Book, error) {
	if size > MaxBytes {
		return nil, fmt.Errorf("the file is larger than %d MB", MaxBytes>>20)
	}
	if size == 0 {
		return nil, ErrEmpty
	}
	start := make([]byte, min(size, 8))
	if _, err := file.ReadAt(start, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New("the file could not be received whole")
	}
	switch {
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		book, err := openWorkbook(file, size)
		if err != nil {
			return nil, err
		}
		return &Book{xlsx: book, size: len(book.sheets)}, nil
	case bytes.HasPrefix(start, []byte("\xd0\xcf\x11\xe0")):
		return nil, errors.New("this is an old Excel file (.xls), or one with a password; save it as .xlsx or .csv")
	case bytes.HasPrefix(start, []byte("%PDF")):
		return nil, errors.New("this is a PDF; save the list as .xlsx or .csv")
	}
	data := make([]byte, size)
	if _, err := file.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New("the file could not be received whole")
	}
	return &Book{text: decode(data), size: 1}, nil
}

// Paste opens pasted text.
func Paste(text string) (*Book, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("the text is larger than %d MB", MaxBytes>>20)
	}
	return &Book{text: strings.ToValidUTF8(text, ""), size: 1}, nil
}

// Table reads the first rows of a sheet, counted from 0.
func (b *Book) Table(n, maxRows int) (Table, error) {
	if b.xlsx != nil {
		return b.xlsx.table(n, maxRows)
	}
	return split(b.text, maxRows), nil
}

// clean is a cell's text without spaces at its ends, control characters,
// invisible ones, and a spreadsheet's ways to keep text from being a formula.
func clean(s string) string {
	if len(s) > maxCell {
		s = strings.ToValidUTF8(s[:maxCell], "")
	}
	if strings.IndexFunc(s, odd) >= 0 || !utf8.ValidString(s) {
		s = strings.Map(func(r rune) rune {
			switch {
			case r == '\n' || r == '\t' || r == '\r' || r == '\u00a0':
				return ' '
			case odd(r):
				return -1
			}
			return r
		}, strings.ToValidUTF8(s, ""))
	}
	return strings.TrimSpace(s)
}

// odd are characters that nobody sees, and those that stand for a space.
func odd(r rune) bool {
	return r == '\u00a0' || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// unguarded takes away what keeps a spreadsheet from reading a text as a
// formula: '-10X is -10X, and ="007" is 007.
func unguarded(s string) string {
	if rest, ok := strings.CutPrefix(s, "'"); ok && rest != "" && strings.ContainsRune("=+-@", rune(rest[0])) {
		return rest
	}
	if rest, ok := strings.CutPrefix(s, `="`); ok && strings.HasSuffix(rest, `"`) {
		return strings.TrimSpace(strings.ReplaceAll(strings.TrimSuffix(rest, `"`), `""`, `"`))
	}
	return s
}
