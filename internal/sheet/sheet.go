// Package sheet reads what people paste from a spreadsheet or upload as CSV or
// XLSX into rows of cells, and guesses which column is what.
package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// Limits of what is read.
const (
	MaxBytes   = 8 << 20
	maxColumns = 64
)

// ErrTooMany is returned with the first rows when there are more than asked
// for.
var ErrTooMany = errors.New("too many rows")

// Read reads a file, CSV or XLSX told apart by its first bytes. Rows without
// any text are kept as empty ones, so that a row's number is that in the file.
// An error is in words for who uploaded it.
func Read(file io.Reader, maxRows int) ([][]string, error) {
	data, err := io.ReadAll(io.LimitReader(file, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("the file could not be read: %w", err)
	}
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("the file is larger than %d MB", MaxBytes>>20)
	}
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return readXLSX(data, maxRows)
	case bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0")):
		return nil, errors.New("this is an old Excel file (.xls); save it as .xlsx or .csv")
	}
	return Parse(text(data), maxRows)
}

// text is the file as UTF-8: UTF-16 with its mark, else as it is if it is UTF-8,
// else what Windows writes.
func text(data []byte) string {
	for _, u := range []struct {
		mark string
		hi   int
	}{{"\xff\xfe", 1}, {"\xfe\xff", 0}} {
		if rest, ok := bytes.CutPrefix(data, []byte(u.mark)); ok {
			var b strings.Builder
			for i := 0; i+1 < len(rest); i += 2 {
				b.WriteRune(rune(rest[i+u.hi])<<8 | rune(rest[i+1-u.hi]))
			}
			return b.String()
		}
	}
	if utf8.Valid(data) {
		return strings.TrimPrefix(string(data), "\ufeff")
	}
	var b strings.Builder
	for _, c := range data { // Latin-1 is near enough to what Windows writes
		b.WriteRune(rune(c))
	}
	return b.String()
}

// Parse reads pasted text: lines of cells separated by tabs, semicolons or
// commas, or by spaces where a line has nothing else ("OIL5 12").
func Parse(text string, maxRows int) ([][]string, error) {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\x00", ""), "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	comma := separator(text)
	var rows [][]string
	if comma == ' ' {
		for line := range strings.Lines(text) {
			rows = append(rows, strings.Fields(line))
			if len(rows) > maxRows {
				return rows[:maxRows], ErrTooMany
			}
		}
		return tidy(rows), nil
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes, r.ReuseRecord = comma, -1, true, false
	line := 0
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return tidy(rows), nil
		}
		if err != nil {
			return nil, fmt.Errorf("line %d cannot be read", line+1)
		}
		// the reader leaves empty lines out; their numbers still count
		at, _ := r.FieldPos(0)
		for line+1 < at && len(rows) < maxRows {
			rows = append(rows, nil)
			line++
		}
		rows = append(rows, cells[:min(len(cells), maxColumns)])
		line, _ = r.FieldPos(len(cells) - 1)
		if len(rows) > maxRows {
			return tidy(rows[:maxRows]), ErrTooMany
		}
	}
}

// separator is what most lines have.
func separator(text string) rune {
	counts := map[rune]int{}
	n := 0
	for line := range strings.Lines(text) {
		for _, sep := range "\t;," {
			if strings.ContainsRune(line, sep) {
				counts[sep]++
			}
		}
		if n++; n == 50 {
			break
		}
	}
	best, most := ' ', 0
	for _, sep := range "\t;," {
		if counts[sep] > most {
			best, most = sep, counts[sep]
		}
	}
	return best
}

func readXLSX(data []byte, maxRows int) ([][]string, error) {
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{RawCellValue: true, UnzipSizeLimit: 64 << 20, UnzipXMLSizeLimit: 16 << 20})
	if err != nil {
		return nil, errors.New("this Excel file cannot be read; is it whole, and without a password?")
	}
	defer f.Close()
	sheets := f.GetSheetList()
	if len(sheets) == 0 {
		return nil, errors.New("the Excel file has no sheet")
	}
	list, err := f.Rows(sheets[0])
	if err != nil {
		return nil, errors.New("the first sheet cannot be read")
	}
	defer list.Close()
	var rows [][]string
	for list.Next() {
		cells, err := list.Columns()
		if err != nil {
			return nil, fmt.Errorf("row %d cannot be read", len(rows)+1)
		}
		rows = append(rows, cells[:min(len(cells), maxColumns)])
		if len(rows) > maxRows {
			return tidy(rows[:maxRows]), ErrTooMany
		}
	}
	return tidy(rows), nil
}

// tidy trims cells, and drops empty rows at the end.
func tidy(rows [][]string) [][]string {
	for _, cells := range rows {
		for i, c := range cells {
			cells[i] = strings.ToValidUTF8(strings.TrimSpace(strings.ReplaceAll(c, "\x00", "")), "")
		}
	}
	for len(rows) > 0 && !slices.ContainsFunc(rows[len(rows)-1], func(c string) bool { return c != "" }) {
		rows = rows[:len(rows)-1]
	}
	return rows
}

// Columns says which column is what, from 0; -1 is none.
type Columns struct {
	Ref, UOM, Qty int
	Head          bool // the first row names the columns
}

var names = map[string][]string{
	"ref": {"item", "item no", "item no.", "item number", "item_no", "itemno", "code", "item code", "product", "product code", "sku", "article", "article no", "stockcode", "stock code", "barcode", "ean", "upc", "part", "part no", "part number", "your number", "your code"},
	"uom": {"uom", "unit", "units", "unit of measure", "pack", "u/m", "um"},
	"qty": {"qty", "quantity", "qty.", "order qty", "order quantity", "amount", "count", "ordered", "number", "pcs"},
}

// Guess finds the columns: by their names in the first row, else by what is in
// them. known says how many of some cells are items; the column where most are
// is the item's.
func Guess(rows [][]string, known func(cells []string) int) Columns {
	c := Columns{Ref: -1, UOM: -1, Qty: -1}
	if len(rows) == 0 {
		return c
	}
	for i, cell := range rows[0] {
		name := strings.ToLower(strings.TrimSpace(cell))
		for what, at := range map[string]*int{"ref": &c.Ref, "uom": &c.UOM, "qty": &c.Qty} {
			if *at < 0 && slices.Contains(names[what], name) {
				*at = i
			}
		}
	}
	c.Head = c.Ref >= 0 || c.Qty >= 0
	body := rows
	if c.Head {
		body = rows[1:]
	}
	width := 0
	for _, cells := range body {
		width = max(width, len(cells))
	}
	column := func(i int) (cells []string) {
		for _, row := range body[:min(len(body), 100)] {
			if i < len(row) && row[i] != "" {
				cells = append(cells, row[i])
			}
		}
		return cells
	}
	if c.Ref < 0 {
		most := 0
		for i := range width {
			if i == c.Qty || i == c.UOM {
				continue
			}
			if n := known(column(i)); n > most {
				c.Ref, most = i, n
			}
		}
		if c.Ref < 0 {
			c.Ref = 0
			if c.Qty == 0 {
				c.Ref = 1
			}
		}
	}
	if c.Qty < 0 {
		most := 0
		for i := range width {
			if n := count(column(i), isNumber); i != c.Ref && i != c.UOM && n > most {
				c.Qty, most = i, n
			}
		}
	}
	if c.UOM < 0 && !c.Head {
		most := 0
		for i := range width {
			cells := column(i)
			if n := count(cells, isUnit); i != c.Ref && i != c.Qty && n > most && n == len(cells) {
				c.UOM, most = i, n
			}
		}
	}
	return c
}

// isUnit reports whether a cell looks like a unit of measure: EA, CS, BOX.
func isUnit(s string) bool {
	return len(s) <= 4 && strings.Trim(strings.ToUpper(s), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func count(cells []string, is func(string) bool) (n int) {
	for _, c := range cells {
		if is(c) {
			n++
		}
	}
	return n
}

func isNumber(s string) bool {
	return s != "" && len(s) <= 12 && strings.Trim(s, "0123456789.,") == "" && strings.ContainsAny(s, "0123456789")
}

// Cell is a row's cell, or "" where the row is shorter.
func Cell(row []string, i int) string {
	if i < 0 || i >= len(row) {
		return ""
	}
	return row[i]
}
