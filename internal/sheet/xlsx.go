package sheet

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
)

// Limits of an XLSX file, in bytes as they are after unpacking. What is beyond a
// sheet's rows is not even unpacked.
const (
	mostParts   = 2000      // files in the zip
	mostXML     = 48 << 20  // unpacked, over all that is read of one file
	mostTags    = 1_500_000 // over all that is read of one file
	mostStrings = 400_000   // texts that the sheets share
	mostText    = 10 << 20  // of them together
	mostStyles  = 20_000    // formats of cells
	mostColumns = 16384     // that Excel itself knows
)

// workbook is an XLSX file as far as tables need it.
type workbook struct {
	zip      map[string]*zip.File
	sheets   []sheetPart
	styles   []format    // by the style's number
	texts    []byte      // the shared texts, one after another
	ends     []uint32    // where each ends in texts
	scanner  *xmlScanner // of all parts, one after another: its buffer is large
	from1904 bool
	budget   int64 // bytes that may still be unpacked
	cells    int   // that may still be read
	tags     int   // that were read
}

type sheetPart struct {
	name, part string
	hidden     bool
}

// openWorkbook reads what all sheets share.
func openWorkbook(file io.ReaderAt, size int64) (*workbook, error) {
	unreadable := errors.New("this Excel file cannot be read; is it whole, and without a password?")
	if manyParts(file, size) {
		return nil, errTooMuch
	}
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return nil, unreadable
	}
	w := &workbook{zip: map[string]*zip.File{}, budget: mostXML, cells: maxCells}
	for _, f := range archive.File {
		w.zip[strings.ToLower(strings.TrimPrefix(path.Clean("/"+f.Name), "/"))] = f
	}
	for _, read := range []func() error{w.readSheets, w.readStyles, w.readTexts} {
		if err := read(); err != nil {
			if errors.Is(err, errBrokenXML) {
				return nil, unreadable
			}
			return nil, err
		}
	}
	if len(w.sheets) == 0 {
		return nil, errors.New("the Excel file has no sheet")
	}
	return w, nil
}

// manyParts counts the zip's files before archive/zip makes a struct of each.
func manyParts(file io.ReaderAt, size int64) bool {
	mark := []byte("PK\x01\x02")
	buf := make([]byte, 64<<10)
	n := 0
	for at := int64(0); at < size; at += int64(len(buf) - len(mark) + 1) {
		k, err := file.ReadAt(buf, at)
		n += bytes.Count(buf[:k], mark)
		if n > mostParts || err != nil && !errors.Is(err, io.EOF) {
			return true
		}
	}
	return false
}

// budgetReader stops where a file unpacks to more than may be read.
type budgetReader struct {
	r io.Reader
	w *workbook
}

func (b budgetReader) Read(p []byte) (int, error) {
	if b.w.budget <= 0 {
		return 0, errTooMuch
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.w.budget)])
	b.w.budget -= int64(n)
	return n, err
}

// scan calls do for each tag of a part, until it returns false. A part that is
// not there has none.
func (w *workbook) scan(part string, wantText bool, do func(x *xmlScanner) (more bool, err error)) error {
	f := w.zip[strings.ToLower(part)]
	if f == nil {
		return nil
	}
	r, err := f.Open()
	if err != nil {
		return errBrokenXML
	}
	defer r.Close()
	if w.scanner == nil {
		w.scanner = newXMLScanner(nil)
	}
	x := w.scanner
	x.r.Reset(budgetReader{r, w})
	for {
		err := x.next(wantText)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if w.tags++; w.tags > mostTags {
			return errTooMuch
		}
		if more, err := do(x); err != nil || !more {
			return err
		}
	}
}

// readSheets finds the sheets in their order, by the workbook and what it names.
func (w *workbook) readSheets() error {
	book := "xl/workbook.xml"
	err := w.scan("_rels/.rels", false, func(x *xmlScanner) (bool, error) {
		if x.open && x.is("Relationship") && strings.HasSuffix(x.attr("Type"), "/officeDocument") {
			book = strings.TrimPrefix(path.Clean("/"+x.attr("Target")), "/")
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	targets := map[string]string{}
	dir := path.Dir(book)
	err = w.scan(dir+"/_rels/"+path.Base(book)+".rels", false, func(x *xmlScanner) (bool, error) {
		if x.open && x.is("Relationship") && strings.HasSuffix(x.attr("Type"), "/worksheet") && len(targets) < mostParts {
			target := x.attr("Target")
			if !strings.HasPrefix(target, "/") {
				target = path.Join("/", dir, target)
			}
			targets[x.attr("Id")] = strings.TrimPrefix(path.Clean(target), "/")
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	return w.scan(book, false, func(x *xmlScanner) (bool, error) {
		switch {
		case !x.open:
		case x.is("workbookPr"):
			w.from1904 = x.attr("date1904") == "1" || x.attr("date1904") == "true"
		case x.is("sheet"):
			part := targets[x.attr("id")]
			if w.zip[strings.ToLower(part)] != nil {
				w.sheets = append(w.sheets,
					sheetPart{clean(x.attr("name")), part, x.attr("state") != "" && x.attr("state") != "visible"})
			}
		}
		return len(w.sheets) < maxSheets, nil
	})
}

// readTexts keeps the texts that cells share, in one piece.
func (w *workbook) readTexts() error {
	part := "xl/sharedStrings.xml"
	if w.zip[strings.ToLower(part)] == nil {
		for name := range w.zip {
			if strings.HasSuffix(name, "/sharedstrings.xml") {
				part = name
			}
		}
	}
	begin, spoken := 0, false
	return w.scan(part, true, func(x *xmlScanner) (bool, error) {
		switch {
		case x.is("si") && x.open:
			begin = len(w.texts)
			if !x.shut {
				break
			}
			fallthrough
		case x.is("si"):
			w.ends = append(w.ends, uint32(len(w.texts)))
		case x.is("rPh"): // how Japanese is spoken
			spoken = x.open && !x.shut
		case x.is("t") && x.shut && !x.open && !spoken:
			room := maxCell - (len(w.texts) - begin)
			w.texts = append(w.texts, x.text[:max(0, min(room, len(x.text)))]...)
		}
		if len(w.ends) > mostStrings || len(w.texts) > mostText {
			return false, errTooMuch
		}
		return true, nil
	})
}

func (w *workbook) text(index string) string {
	i, err := strconv.Atoi(index)
	if err != nil || i < 0 || i >= len(w.ends) {
		return ""
	}
	begin := uint32(0)
	if i > 0 {
		begin = w.ends[i-1]
	}
	return string(w.texts[begin:w.ends[i]])
}

// table reads the first rows of a sheet.
func (w *workbook) table(n, maxRows int) (Table, error) {
	part := w.sheets[n]
	r := sheetReader{w: w, maxRows: maxRows}
	r.table.Hidden = part.hidden
	if len(w.sheets) > 1 {
		r.table.Name = part.name
	}
	if err := w.scan(part.part, true, r.tag); err != nil {
		if errors.Is(err, errBrokenXML) {
			err = errors.New("the sheet “" + part.name + "” cannot be read: " + err.Error())
		}
		return Table{}, err
	}
	r.endRow()
	return r.table, nil
}

// sheetReader takes the cells of a sheet as its tags come by.
type sheetReader struct {
	w       *workbook
	maxRows int
	table   Table
	row     Row
	column  int // of the cell, from 0
	kind    string
	style   int
	inCell  bool
	formula bool
	value   []byte
	valued  bool
	spoken  bool
}

func (r *sheetReader) tag(x *xmlScanner) (bool, error) {
	switch {
	case x.is("row") && x.open:
		r.endRow()
		if len(r.table.Rows) >= r.maxRows || r.w.cells <= 0 {
			r.table.More = true
			return false, nil
		}
		no := numberAttr(x, "r")
		if no <= r.row.No || no > 1<<21 {
			no = r.row.No + 1
		}
		r.row, r.column, r.inCell = Row{No: no}, -1, false
	case x.is("c"):
		if x.open {
			r.beginCell(x)
		}
		if x.shut && r.inCell { // a broken file may end what it has not begun
			r.endCell()
			r.inCell = false
		}
	case x.is("f") && x.open:
		r.formula = true
	case x.is("v") && x.shut && !x.open:
		r.value, r.valued = append(r.value[:0], x.text...), true
	case x.is("rPh"):
		r.spoken = x.open && !x.shut
	case x.is("t") && x.shut && !x.open && !r.spoken: // of an inline text
		if len(r.value) < maxCell {
			r.value = append(r.value, x.text...)
		}
		r.valued = true
	case x.is("sheetData") && x.shut:
		return false, nil
	}
	return true, nil
}

func (r *sheetReader) beginCell(x *xmlScanner) {
	r.column++
	r.inCell = true
	if at := columnOf(x.attr("r")); at >= 0 {
		r.column = at
	}
	r.kind, r.formula, r.valued, r.value = x.attr("t"), false, false, r.value[:0]
	r.style = numberAttr(x, "s")
}

// numberAttr is an attribute as a number, 0 where there is none. It makes no
// error of what is not there: there are millions of them.
func numberAttr(x *xmlScanner, name string) int {
	text := x.attr(name)
	if text == "" {
		return 0
	}
	n, _ := strconv.Atoi(text)
	return n
}

// columnOf is the column of a reference as AB12, from 0; -1 is none.
func columnOf(ref string) int {
	n := 0
	for _, c := range []byte(ref) {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c < 'A' || c > 'Z' {
			break
		}
		if n = n*26 + int(c-'A') + 1; n > mostColumns {
			return mostColumns
		}
	}
	return n - 1
}

func (r *sheetReader) endCell() {
	if r.column >= MaxColumns || r.w.cells <= 0 {
		r.table.More = r.table.More || r.valued
		return
	}
	c := r.cell()
	if c.Text == "" && c.Kind != Uncached {
		return
	}
	for len(r.row.Cells) <= r.column {
		r.row.Cells = append(r.row.Cells, Cell{places: -1})
		r.w.cells--
	}
	r.row.Cells[r.column] = c
}

func (r *sheetReader) cell() Cell {
	c := Cell{Formula: r.formula, places: -1}
	if !r.valued {
		if r.formula {
			c.Kind = Uncached
		}
		return c
	}
	switch value := string(r.value); r.kind {
	case "s":
		c.Text = clean(r.w.text(value))
	case "str", "inlineStr":
		c.Text = clean(value)
	case "b":
		c.Text = map[string]string{"1": "TRUE", "0": "FALSE"}[value]
	case "e":
		c.Text, c.Kind = clean(value), Fault
	case "d":
		c.Text, _, _ = strings.Cut(clean(value), "T")
		c.Kind = Day
	default:
		f := format{places: -1}
		if r.style >= 0 && r.style < len(r.w.styles) {
			f = r.w.styles[r.style]
		}
		f.show(&c, clean(value), r.w.from1904)
	}
	return c
}

func (r *sheetReader) endRow() {
	if len(r.row.Cells) > 0 {
		r.table.Rows = append(r.table.Rows, r.row)
		r.row.Cells = nil
	}
}
