package http

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
	"github.com/xuri/excelize/v2"

	"portal.example/portal"
	"portal.example/portal/internal/sheet"
)

// blankRows is how many empty rows a quick order begins with, and spareRows how
// many stand below those that are filled.
const (
	blankRows = 10
	spareRows = 3
)

// templateRows is how many of the customer's items the template is filled with.
const templateRows = 500

// quickPage is the quick order: its rows and what is to say of them.
type quickPage struct {
	Lines   []portal.EntryLine `json:"lines"`
	Added   int                `json:"added"`
	Ready   int                `json:"ready"`
	Bad     int                `json:"bad"`
	Total   *portal.Money      `json:"total"` // of the rows that are ready
	Message string             `json:"message,omitempty"`
	Access  portal.Access      `json:"-"`
}

func newQuickPage(lines []portal.EntryLine, access portal.Access) quickPage {
	p := quickPage{Lines: lines, Access: access}
	sum := decimal.Zero
	for _, l := range lines {
		switch {
		case l.Ready():
			p.Ready++
			if l.Item.LineTotal != nil {
				sum = sum.Add(l.Item.LineTotal.Decimal)
				p.Total = &portal.Money{Decimal: sum}
			}
		case !l.Blank():
			p.Bad++
		}
	}
	return p
}

// Rows are the lines with empty ones below them to type into.
func (p quickPage) Rows() []portal.EntryLine {
	rows := p.Lines
	for len(rows) < max(blankRows, len(p.Lines)+spareRows) {
		rows = append(rows, portal.EntryLine{Line: len(rows) + 1})
	}
	return rows
}

func (s *Server) quickOrderForm(q *request) error {
	if err := mayOrder(q); err != nil {
		return err
	}
	return s.quickOrderPage(q, http.StatusOK, newQuickPage(nil, q.frame.Access))
}

func (s *Server) quickOrderPage(q *request, status int, p quickPage) error {
	return s.page(q, status, "quick_order", "Quick order", "quick-order", p)
}

// quickOrder checks rows, or with action=add puts those that are ready into the
// cart. Rows come as fields ref, uom, qty (each repeated, in step), as text
// pasted into paste, or as a file; what is wrong stays on the page.
func (s *Server) quickOrder(q *request) error {
	if err := mayOrder(q); err != nil {
		return err
	}
	rows, message, err := s.quickRows(q)
	if err != nil {
		return err
	}
	if q.PostForm.Get("action") != "add" {
		lines, err := s.Entries.Resolve(q.Context(), q.who, rows)
		if err != nil {
			return err
		}
		if q.URL.Query().Get("for") == "standing" { // rows of a standing order check themselves here, too
			for i := range lines {
				lines[i].Standing()
			}
		}
		p := newQuickPage(lines, q.frame.Access)
		p.Message = message
		return s.quickOrderPage(q, http.StatusOK, p)
	}
	lines, added, err := s.Entries.AddReady(q.Context(), q.who, rows, false)
	if err != nil {
		return err
	}
	var bad []portal.EntryLine
	for _, l := range lines {
		if !l.Ready() && !l.Blank() {
			bad = append(bad, l)
		}
	}
	p := newQuickPage(bad, q.frame.Access)
	p.Added = added
	told := fmt.Sprintf("%s added to the cart", plural(added, "line", "lines"))
	if wantsJSON(q.Request) {
		p.Message = told
		return writeJSON(q.w, http.StatusOK, p)
	}
	if len(bad) == 0 && added > 0 {
		return q.done("/cart", told)
	}
	if p.Message = message; added > 0 {
		p.Message = told + ". What is left below needs a look."
	} else if len(bad) == 0 {
		p.Message = "Type, scan, paste or upload what you need first."
	}
	return s.quickOrderPage(q, http.StatusOK, p)
}

// quickRows reads the rows of whichever form they came in. message tells what
// is odd about all of them.
func (s *Server) quickRows(q *request) (rows []portal.EntryRow, message string, err error) {
	media, _, _ := mime.ParseMediaType(q.Header.Get("Content-Type"))
	if media == "multipart/form-data" {
		q.Body = http.MaxBytesReader(q.w, q.Body, sheet.MaxBytes+maxForm)
		if err := q.ParseMultipartForm(sheet.MaxBytes); err != nil {
			return nil, "", &portal.Error{Code: portal.CodeInvalid, Message: fmt.Sprintf("The file could not be received. It may have up to %d MB.", sheet.MaxBytes>>20), Err: err}
		}
		defer func() { _ = q.MultipartForm.RemoveAll() }() // temporary files
	}
	if err := q.decode(&struct{}{}); err != nil {
		return nil, "", err
	}
	refs, uoms, qtys := q.PostForm["ref"], q.PostForm["uom"], q.PostForm["qty"]
	for i, ref := range refs {
		row := portal.EntryRow{Ref: ref, UOM: sheet.Cell(uoms, i), Qty: sheet.Cell(qtys, i),
			Pick: sheet.Cell(q.PostForm["pick"], i), Sure: sheet.Cell(q.PostForm["sure"], i)}
		if !row.Blank() || wantsJSON(q.Request) { // programs count on their rows' numbers
			rows = append(rows, row)
		}
	}
	var table [][]string
	if text := q.PostForm.Get("paste"); strings.TrimSpace(text) != "" {
		table, err = sheet.Parse(text, portal.MaxEntryRows+1)
	} else if file, _, none := q.FormFile("file"); none == nil {
		defer file.Close()
		table, err = sheet.Read(file, portal.MaxEntryRows+1)
	}
	switch {
	case errors.Is(err, sheet.ErrTooMany):
		message = fmt.Sprintf("Only the first %d rows were taken.", portal.MaxEntryRows)
	case err != nil:
		return rows, "This could not be read: " + err.Error() + ".", nil
	}
	more, err := s.entryRows(q, table)
	rows = append(rows, more...)
	if len(rows) > portal.MaxEntryRows {
		rows = rows[:portal.MaxEntryRows]
		message = fmt.Sprintf("Only the first %d rows were taken.", portal.MaxEntryRows)
	}
	return rows, message, err
}

// entryRows makes rows of a table whose columns are guessed.
func (s *Server) entryRows(q *request, table [][]string) ([]portal.EntryRow, error) {
	if len(table) == 0 {
		return nil, nil
	}
	var failed error
	c := sheet.Guess(table, func(cells []string) int {
		probe := make([]portal.EntryRow, len(cells))
		for i, cell := range cells {
			probe[i] = portal.EntryRow{Ref: cell}
		}
		lines, err := s.Entries.Resolve(q.Context(), q.who, probe)
		if err != nil {
			failed = err
		}
		n := 0
		for _, l := range lines {
			if l.Item != nil {
				n++
			}
		}
		return n
	})
	if failed != nil {
		return nil, failed
	}
	if c.Head {
		table = table[1:]
	}
	var rows []portal.EntryRow
	for _, cells := range table {
		row := portal.EntryRow{Ref: sheet.Cell(cells, c.Ref), UOM: sheet.Cell(cells, c.UOM), Qty: decimalPoint(sheet.Cell(cells, c.Qty))}
		if c.Qty < 0 {
			row.Qty = "1" // a list of codes
		}
		// a template comes back with most quantities empty
		if row.Ref != "" && row.Qty == "" && c.Head || row.Blank() {
			continue
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// decimalPoint takes the thousands' commas of a spreadsheet away: 1,200 is not
// one and a fifth.
func decimalPoint(s string) string {
	if parts := strings.Split(s, ","); len(parts) > 1 {
		whole := true
		for i, part := range parts {
			digits, _, _ := strings.Cut(part, ".")
			whole = whole && (i == 0 && len(digits) <= 3 && digits != "" || i > 0 && len(digits) == 3)
		}
		if whole {
			return strings.Join(parts, "")
		}
	}
	return s
}

// quickTemplate is a file to fill in: the customer's own items, quantities
// left empty.
func (s *Server) quickTemplate(q *request) error {
	bought, err := s.Entries.BoughtBefore(q.Context(), q.who, templateRows)
	if err != nil {
		return err
	}
	table := [][]string{{"Item number", "Description", "Unit", "Quantity"}}
	for _, b := range bought {
		table = append(table, []string{b.Ref, b.Description, b.UOM, ""})
	}
	var buf bytes.Buffer
	name, media := "order.csv", "text/csv; charset=utf-8"
	if q.URL.Query().Get("format") == "xlsx" {
		name, media = "order.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
		err = writeXLSX(&buf, table)
	} else {
		buf.WriteString("\ufeff") // or Excel takes it for Windows' own encoding
		w := csv.NewWriter(&buf)
		err = w.WriteAll(safeCells(table))
	}
	if err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", media)
	q.w.Header().Set("Content-Disposition", disposition("attachment", name))
	q.w.Header().Set("Content-Length", strconv.Itoa(buf.Len()))
	_, _ = buf.WriteTo(q.w)
	return nil
}

// safeCells keeps a spreadsheet from taking text for a formula.
func safeCells(table [][]string) [][]string {
	for _, row := range table {
		for i := range row {
			row[i] = cell(row[i])
		}
	}
	return table
}

func writeXLSX(buf *bytes.Buffer, table [][]string) error {
	f := excelize.NewFile()
	defer f.Close()
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		return err
	}
	for column, width := range []float64{16, 44, 8, 10} {
		if err := w.SetColWidth(column+1, column+1, width); err != nil {
			return err
		}
	}
	for i, row := range table {
		cells := make([]any, len(row))
		for k, cell := range row {
			cells[k] = cell
		}
		if err := w.SetRow("A"+strconv.Itoa(i+1), cells); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = f.WriteTo(buf)
	return err
}
