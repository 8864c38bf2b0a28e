package shop

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
	"github.com/xuri/excelize/v2"

	"portal.example/portal"
	"portal.example/portal/http/page"
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
	Sheet   *sheetPart         `json:"sheet,omitempty"` // the file or pasted text that rows came from
	Access  portal.Access      `json:"-"`

	fromSheet []bool // of each line
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

// of adds what the form sent beside its rows.
func (p quickPage) of(f entryForm) quickPage {
	p.Sheet, p.fromSheet, p.Message = f.sheet, f.fromSheet, f.message
	return p
}

// FromSheet reports whether a row is of the file or the pasted text.
func (p quickPage) FromSheet(i int) bool { return i < len(p.fromSheet) && p.fromSheet[i] }

// Rows are the lines with empty ones below them to type into.
func (p quickPage) Rows() []portal.EntryLine {
	rows := p.Lines
	for len(rows) < max(blankRows, len(p.Lines)+spareRows) {
		rows = append(rows, portal.EntryLine{Line: len(rows) + 1})
	}
	return rows
}

func (c *Counter) ShowQuickOrder(q *page.Request) error {
	if err := mayOrder(q); err != nil {
		return err
	}
	return c.quickOrderPage(q, http.StatusOK, newQuickPage(nil, q.Frame.Access))
}

func (c *Counter) quickOrderPage(q *page.Request, status int, p quickPage) error {
	return c.Page(q, status, "shop/quick_order", "Quick order", "quick-order", p)
}

// SendQuickOrder checks rows, or with action=add puts those that are ready into the
// cart. Rows come as fields ref, uom, qty (each repeated, in step), as text
// pasted into paste, or as a file; what is wrong stays on the page. Where it is
// not clear which column of a file is what, that is asked, and nothing added.
func (c *Counter) SendQuickOrder(q *page.Request) error {
	if err := mayOrder(q); err != nil {
		return err
	}
	form, err := c.entryForm(q)
	if err != nil {
		return err
	}
	if q.PostForm.Get("action") == "add" && !form.stops() {
		return c.quickAdd(q, form)
	}
	lines, err := c.Entries.Resolve(q.Context(), q.Who, form.rows)
	if err != nil {
		return err
	}
	if q.URL.Query().Get("for") == "standing" { // rows of a standing order check themselves here, too
		for i := range lines {
			lines[i].Standing()
		}
	}
	p := newQuickPage(lines, q.Frame.Access).of(form)
	if len(lines) == 0 && p.Sheet == nil && p.Message == "" {
		p.Message = nothingTyped
	}
	return c.quickOrderPage(q, http.StatusOK, p)
}

const nothingTyped = "Type, scan, paste or upload what you need first."

// quickAdd puts the rows that are ready into the cart.
func (c *Counter) quickAdd(q *page.Request, form entryForm) error {
	lines, added, err := c.Entries.AddReady(q.Context(), q.Who, form.rows, false)
	if err != nil {
		return err
	}
	var bad []portal.EntryLine
	var from []bool
	for i, l := range lines {
		if !l.Ready() && !l.Blank() {
			bad, from = append(bad, l), append(from, form.fromSheet[i])
		}
	}
	form.fromSheet = from
	p := newQuickPage(bad, q.Frame.Access).of(form)
	if added > 0 && p.Sheet != nil {
		p.Sheet = &sheetPart{Taken: p.Sheet.Taken} // reading it again would order twice
	}
	p.Added = added
	told := fmt.Sprintf("%s added to the cart", page.Plural(added, "line", "lines"))
	if p.Sheet != nil && p.Sheet.Taken != "" {
		told += ". " + strings.TrimSuffix(p.Sheet.Taken, ".")
	}
	if page.WantsJSON(q.Request) {
		p.Message = told
		return page.WriteJSON(q.W, http.StatusOK, p)
	}
	switch {
	case len(bad) == 0 && added > 0 && p.Message == "":
		return q.Done("/cart", told)
	case len(bad) == 0 && added > 0:
		p.Message = told + ". " + p.Message
	case added > 0:
		p.Message = strings.TrimSpace(told + ". What is left below needs a look. " + p.Message)
	case len(bad) == 0 && p.Message == "":
		p.Message = nothingTyped
	}
	return c.quickOrderPage(q, http.StatusOK, p)
}

// QuickTemplate is a file to fill in: the customer's own items, quantities
// left empty.
func (c *Counter) QuickTemplate(q *page.Request) error {
	bought, err := c.Entries.BoughtBefore(q.Context(), q.Who, templateRows)
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
		buf.WriteString(page.ByteOrderMark)
		w := csv.NewWriter(&buf)
		err = w.WriteAll(safeCells(table))
	}
	if err != nil {
		return err
	}
	q.W.Header().Set("Content-Type", media)
	q.W.Header().Set("Content-Disposition", page.Disposition("attachment", name))
	q.W.Header().Set("Content-Length", strconv.Itoa(buf.Len()))
	_, _ = buf.WriteTo(q.W)
	return nil
}

// safeCells keeps a spreadsheet from taking text for a formula.
func safeCells(table [][]string) [][]string {
	for _, row := range table {
		for i := range row {
			row[i] = page.Cell(row[i])
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
