package shop

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"portal.example/portal"
	"portal.example/portal/http/page"
	"portal.example/portal/internal/sheet"
)

// previewRows is how many rows are shown beside a question.
const previewRows = 5

// entryForm is what a form of order rows sent: rows that were typed, and those
// of a file or of pasted text.
type entryForm struct {
	rows      []portal.EntryRow
	fromSheet []bool // of each row
	message   string // what is odd about all of them
	failed    bool   // a file or pasted text could not be read
	sheet     *sheetPart
}

// asks reports whether something has to be answered before rows are taken.
func (f entryForm) asks() bool { return f.sheet != nil && f.sheet.Ask != nil }

// stops reports whether rows have to be looked at first, whatever the button.
func (f entryForm) stops() bool { return f.asks() || f.failed }

// sheetPart is what a page shows of a file or pasted text beside its rows.
type sheetPart struct {
	Taken string    `json:"taken,omitempty"` // which columns were taken
	Ask   *sheetAsk `json:"ask,omitempty"`
	// Carry is the table itself, to be sent again as the field sheet with an
	// answer: col_item and so on, as sheetAsk names them.
	Carry  string `json:"sheet"`
	Answer string `json:"-"` // the columns that were taken, for the next form
}

// entryForm reads the rows of whichever form they came in.
func (c *Counter) entryForm(q *page.Request) (f entryForm, err error) {
	media, _, _ := mime.ParseMediaType(q.Header.Get("Content-Type"))
	if media == "multipart/form-data" {
		q.Body = http.MaxBytesReader(q.W, q.Body, sheet.MaxBytes+page.MaxForm)
		if err := q.ParseMultipartForm(1 << 20); err != nil { // larger files wait on disk
			return f, &portal.Error{Code: portal.CodeInvalid,
				Message: fmt.Sprintf("The file could not be received. It may have up to %d MB.", sheet.MaxBytes>>20), Err: err}
		}
		defer func() { _ = q.MultipartForm.RemoveAll() }() // temporary files
	}
	if err := q.Decode(&struct{}{}); err != nil {
		return f, err
	}
	choice, fresh, err := c.sheetSent(q)
	if err != nil {
		if portal.ErrorCode(err) != portal.CodeInvalid {
			return f, err
		}
		f.message, f.failed = portal.ErrorMessage(err), true
	}
	f.typed(q, choice != nil && !fresh)
	if choice == nil {
		return f, nil
	}
	err = c.readSheet(q, &f, choice, fresh)
	if len(f.rows) > portal.MaxEntryRows {
		f.rows, f.fromSheet = f.rows[:portal.MaxEntryRows], f.fromSheet[:portal.MaxEntryRows]
		f.say(fmt.Sprintf("Only the first %d rows were taken.", portal.MaxEntryRows))
	}
	return f, err
}

func (f *entryForm) say(text string) {
	if f.message != "" {
		text = f.message + " " + text
	}
	f.message = text
}

// typed takes the rows in the form's fields. Those that came from a sheet are
// left out where that is read again.
func (f *entryForm) typed(q *page.Request, again bool) {
	reread := again && (q.PostForm.Get("action") == "columns" || answered(q))
	uoms, qtys, from := q.PostForm["uom"], q.PostForm["qty"], q.PostForm["from"]
	problems, was := q.PostForm["problem"], q.PostForm["was"]
	for i, ref := range q.PostForm["ref"] {
		row := portal.EntryRow{Ref: ref, UOM: nth(uoms, i), Qty: nth(qtys, i), Pick: nth(q.PostForm["pick"], i),
			Sure: nth(q.PostForm["sure"], i)}
		if problem := nth(problems, i); problem != "" && nth(was, i) == row.Qty { // nobody has mended it
			row.Problem = problem
		}
		ofSheet := again && nth(from, i) != ""
		if ofSheet && reread || row.Blank() && !page.WantsJSON(q.Request) { // programs count on their rows' numbers
			continue
		}
		f.rows, f.fromSheet = append(f.rows, row), append(f.fromSheet, ofSheet)
	}
}

func nth(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// answered reports whether the form answers which column is what.
func answered(q *page.Request) bool { return q.PostForm.Has("col_item") }

// sheetSent is the file, the pasted text or the tables that the form carries;
// nil where there is none. fresh ones were not on a page before.
func (c *Counter) sheetSent(q *page.Request) (choice *sheet.Choice, fresh bool, err error) {
	var book *sheet.Book
	if text := q.PostForm.Get("paste"); strings.TrimSpace(text) != "" {
		book, err = sheet.Paste(text)
	} else if file, head, none := q.FormFile("file"); none == nil {
		defer file.Close()
		book, err = sheet.Open(io.NewSectionReader(file, 0, head.Size), head.Size)
	} else if carried := q.PostForm.Get("sheet"); carried != "" && q.PostForm.Get("action") != "drop" {
		choice, err = c.carried(q, carried)
		return choice, false, err
	} else {
		return nil, false, nil
	}
	if err == nil {
		// some rows more, since titles and a head may stand above
		choice, err = sheet.Choose(book, portal.MaxEntryRows+templateRows, c.lookUp(q))
	}
	switch e, internal := errors.AsType[*lookupError](err); {
	case internal:
		return nil, true, e.error
	case errors.Is(err, sheet.ErrEmpty):
		return nil, true, portal.Errorf(portal.CodeInvalid, "Nothing stands in it: there is nothing to order.")
	case err != nil:
		return nil, true, portal.Errorf(portal.CodeInvalid, "This could not be read: %s.", err)
	}
	return choice, true, nil
}

// carried are the tables of a form, read again.
func (c *Counter) carried(q *page.Request, text string) (*sheet.Choice, error) {
	tables, err := sheet.Carried(text)
	if err != nil {
		return nil, portal.Errorf(portal.CodeInvalid, "This could not be read: %s.", err)
	}
	choice := &sheet.Choice{}
	for _, t := range tables {
		study, err := sheet.NewStudy(t, c.lookUp(q))
		if err != nil {
			return nil, err
		}
		choice.Studies = append(choice.Studies, study)
	}
	return choice, nil
}

// lookupError tells the database's failures from what is wrong with a file.
type lookupError struct{ error }

func (e *lookupError) Unwrap() error { return e.error }

// lookUp says what codes stand for to the customer who asks.
func (c *Counter) lookUp(q *page.Request) sheet.Lookup {
	return func(codes []string) ([]sheet.Found, error) {
		rows := make([]portal.EntryRow, len(codes))
		for i, code := range codes {
			rows[i].Ref = code
		}
		lines, err := c.Entries.Resolve(q.Context(), q.Who, rows)
		if err != nil {
			return nil, &lookupError{err}
		}
		out := make([]sheet.Found, len(codes))
		for i, l := range lines {
			if len(l.Choices) > 0 { // which one is asked in the row
				out[i].Item = l.Choices[0].ItemNo
			}
			if l.Item != nil {
				out[i] = sheet.Found{Item: l.Item.ItemNo, Unit: l.Item.UOM, Units: l.Item.Units, Fractional: l.Item.Fractional}
			}
		}
		return out, nil
	}
}

// readSheet takes the rows of a sheet, or asks which column is what.
func (c *Counter) readSheet(q *page.Request, f *entryForm, choice *sheet.Choice, fresh bool) error {
	action := q.PostForm.Get("action")
	n, _ := strconv.Atoi(q.PostForm.Get("col_sheet"))
	if n < 0 || n >= len(choice.Studies) {
		n = 0
	}
	study := choice.Studies[n]
	tables := make([]sheet.Table, len(choice.Studies))
	for i := range choice.Studies {
		tables[i] = choice.Studies[i].Table
	}
	f.sheet = &sheetPart{Carry: sheet.Carry(tables)}
	switched := q.PostForm.Has("col_shown") && q.PostForm.Get("col_shown") != strconv.Itoa(n)
	if !fresh && action != "columns" && !answered(q) {
		// its rows stand on the page already
		if reading, ok := study.With(columnsOf(q.PostForm.Get("taken"))); ok {
			f.sheet.Taken, f.sheet.Answer = takenText(study, reading.Columns, sheet.Entries{}), q.PostForm.Get("taken")
		} else {
			f.sheet = nil
		}
		return nil
	}
	if answered(q) && !switched {
		return c.answerSheet(q, f, choice, n)
	}
	reading, before, err := c.remembered(q, study)
	if err != nil {
		return err
	}
	if choice.Doubt && !switched {
		reading.Doubts = append(reading.Doubts, sheet.DoubtSheet)
	}
	if action == "columns" || !reading.Sure() {
		if chosen, ok := study.With(columnsOf(q.PostForm.Get("taken"))); ok && action == "columns" {
			reading.Columns = chosen.Columns
		}
		f.sheet.Ask = askOf(choice, n, reading)
		return nil
	}
	c.takeSheet(f, choice, n, reading.Columns)
	if before {
		f.sheet.Taken += " Read as you said before."
	}
	return nil
}

// answerSheet takes the rows as it was said, and remembers that.
func (c *Counter) answerSheet(q *page.Request, f *entryForm, choice *sheet.Choice, n int) error {
	study := choice.Studies[n]
	reading, complete := study.With(answerOf(q))
	if q.PostForm.Get("col_quantity") == "" || q.PostForm.Get("col_unit") == "" && !page.WantsJSON(q.Request) {
		complete = false
	}
	if !complete || !reading.Sure() {
		if !complete {
			reading = sheet.Reading{Columns: answerOf(q)}
		}
		f.sheet.Ask = askOf(choice, n, reading)
		f.sheet.Ask.failed = true
		f.sheet.Ask.Item, f.sheet.Ask.Quantity, f.sheet.Ask.Unit = q.PostForm.Get("col_item"), q.PostForm.Get("col_quantity"),
			q.PostForm.Get("col_unit")
		return nil
	}
	columns := reading.Columns
	err := c.Columns.RememberEntryColumns(q.Context(), q.Who, study.Shape, portal.EntryColumns{Head: columns.Head,
		Item: columns.Item, Quantity: columns.Quantity, Unit: columns.Unit, AllUnits: columns.AllUnits,
		Sign: signText(columns.Sign)})
	if err != nil {
		return err
	}
	c.takeSheet(f, choice, n, columns)
	return nil
}

// remembered is how a table is read: as the customer said before, else by what
// stands in it.
func (c *Counter) remembered(q *page.Request, study *sheet.Study) (reading sheet.Reading, before bool, err error) {
	was, found, err := c.Columns.EntryColumns(q.Context(), q.Who, study.Shape)
	if err != nil {
		return reading, false, err
	}
	if found {
		columns := sheet.Columns{Head: was.Head, Item: was.Item, Quantity: was.Quantity, Unit: was.Unit,
			AllUnits: was.AllUnits}
		if was.Sign != "" {
			columns.Sign = was.Sign[0]
		}
		if reading, ok := study.With(columns); ok {
			return reading, true, nil
		}
	}
	return study.Read(), false, nil
}

// takeSheet adds the rows of a sheet, and says how they were read.
func (c *Counter) takeSheet(f *entryForm, choice *sheet.Choice, n int, columns sheet.Columns) {
	study := choice.Studies[n]
	entries := study.Entries(columns)
	for _, e := range entries.Rows {
		row := portal.EntryRow{Ref: e.Ref, UOM: e.UOM, Qty: e.Qty, Problem: e.Problem}
		if qty, err := decimal.NewFromString(e.Qty); err == nil && e.Problem == "" {
			row.Qty = portal.Qty{Decimal: qty}.Typed() // 1.125 is not to become a thousand when it is read again
		}
		if e.Clash { // said where the unit is looked up, so that a choice mends it
			row.Problem = ""
		}
		f.rows = append(f.rows, row)
		f.fromSheet = append(f.fromSheet, true)
	}
	f.sheet.Taken, f.sheet.Answer = takenText(study, columns, entries), taken(columns)
	for _, name := range choice.Others {
		f.sheet.Taken += " The sheet “" + name + "” was not read."
	}
	switch uncached := slices.ContainsFunc(entries.Rows,
		func(e sheet.Entry) bool { return strings.HasPrefix(e.Problem, "The quantity is a formula") }); {
	case len(entries.Rows) == 0 && entries.LeftOut > 0:
		f.say("No row has a quantity: there is nothing to order.")
	case len(entries.Rows) == 0:
		f.say("There are names of columns and no rows below them: there is nothing to order.")
	case uncached:
		f.say("Some quantities are formulas whose results are not saved in the file. Open it in a spreadsheet, save it, " +
			"and send it again, or type them.")
	case columns.Quantity < 0:
		f.say("There is no column with quantities: type how many you need.")
	}
	if entries.More {
		f.say(fmt.Sprintf("There was more than can be taken at once: at most %d rows and %d columns.",
			portal.MaxEntryRows, sheet.MaxColumns))
	}
}

// takenText says in one line which columns were taken.
func takenText(study *sheet.Study, c sheet.Columns, e sheet.Entries) string {
	if c.Item < 0 { // a head and nothing below
		return ""
	}
	names := study.Names()
	called := func(i int) string {
		if strings.HasPrefix(names[i], "column ") {
			return names[i]
		}
		return "“" + names[i] + "”"
	}
	text := "Item from " + called(c.Item)
	if c.Quantity >= 0 {
		text += ", quantity from " + called(c.Quantity)
	}
	switch {
	case c.Unit >= 0:
		text += ", unit from " + called(c.Unit)
	case c.AllUnits != "":
		text += ", unit " + c.AllUnits
	}
	if study.Name != "" {
		text += ", sheet “" + study.Name + "”"
	}
	text += "."
	if c.Sign == ',' {
		text += " The comma is the decimal sign."
	}
	more := func(n int, one, many, told string) {
		if n > 0 {
			text += " " + page.Plural(n, one, many) + " " + told + "."
		}
	}
	more(e.Titles, "row", "rows", "above passed over")
	more(e.LeftOut, "row", "rows", "without a quantity left out")
	more(e.Totals, "row", "rows", "of totals left out")
	more(e.Days, "quantity is a date", "quantities are dates", "in the file")
	if e.Formula {
		text += " Quantities are formulas: their saved results were taken."
	}
	return text
}

func columnText(i int, none string) string {
	if i < 0 {
		return none
	}
	return strconv.Itoa(i)
}

func signText(sign byte) string {
	if sign == 0 {
		return ""
	}
	return string(rune(sign))
}

// answerOf is what the form says of the columns.
func answerOf(q *page.Request) sheet.Columns {
	v := q.PostForm
	c := sheet.Columns{Head: v.Get("col_head") != "", Item: columnOf(v.Get("col_item")),
		Quantity: columnOf(v.Get("col_quantity")), Unit: columnOf(v.Get("col_unit"))}
	if all, ok := strings.CutPrefix(v.Get("col_unit"), "="); ok && len(all) <= 40 {
		c.AllUnits = all
	}
	if sign := v.Get("col_sign"); sign == "." || sign == "," {
		c.Sign = sign[0]
	}
	return c
}

func columnOf(s string) int {
	i, err := strconv.Atoi(s)
	if err != nil || i < 0 {
		return -1
	}
	return i
}

// taken is an answer as one field of a form, and columnsOf reads it.
func taken(c sheet.Columns) string {
	return fmt.Sprintf("%t %d %d %d %d %s", c.Head, c.Item, c.Quantity, c.Unit, c.Sign, c.AllUnits)
}

func columnsOf(s string) sheet.Columns {
	c := sheet.Columns{Item: -1}
	// What does not fit is refused by its use
	_, _ = fmt.Sscan(s, &c.Head, &c.Item, &c.Quantity, &c.Unit, &c.Sign, &c.AllUnits)
	return c
}
