package http

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"portal.example/portal"
)

// priceListPage is where price lists come and go.
type priceListPage struct {
	formErrors
	What     portal.PriceList    `json:"-"`
	LeaveOut bool                `json:"-"`
	Result   *portal.PriceImport `json:"result,omitempty"`
	Took     time.Duration       `json:"-"`
	MaxMB    int                 `json:"-"`
}

// Lists are the choices of what a file holds.
func (priceListPage) Lists() []option {
	return []option{{"levels", "Level prices A to E"}, {"contracts", "Contracts"}, {"groups", "Category prices"}, {"breaks", "Quantity breaks"}}
}

// Formats are the columns of each list.
func (p priceListPage) Formats() []priceFormat {
	var out []priceFormat
	for i, list := range portal.PriceLists {
		f := priceFormat{List: list, Label: p.Lists()[i].Label}
		for _, c := range list.Columns() {
			f.Columns = append(f.Columns, c.Name)
		}
		out = append(out, f)
	}
	return out
}

type priceFormat struct {
	List    portal.PriceList
	Label   string
	Columns []string
}

// Told is the outcome in a line.
func (p priceListPage) Told() string {
	r := p.Result
	counts := fmt.Sprintf("%s new, %s changed, %s unchanged", plural(r.New, "price", "prices"), count(r.Changed), count(r.Unchanged))
	switch {
	case r.Applied && r.Bad > 0:
		return fmt.Sprintf("Loaded: %s. %s left out.", counts, plural(r.Bad, "bad row was", "bad rows were"))
	case r.Applied:
		return "Loaded: " + counts + "."
	case r.Bad > 0:
		return fmt.Sprintf("Nothing was changed. Of %s, %s bad; the others would be: %s.", plural(r.Rows, "row", "rows"), plural(r.Bad, "is", "are"), counts)
	}
	return "Nothing was changed yet. Loading it would make: " + counts + "."
}

func count(n int) string {
	s, _ := number(n, formatQty) // an int is always a number
	return s
}

func (s *Server) priceLists(q *request) error {
	return s.priceListPage(q, http.StatusOK, priceListPage{What: portal.PriceList(q.URL.Query().Get("what"))})
}

func (s *Server) priceListPage(q *request, code int, p priceListPage) error {
	p.MaxMB = portal.MaxPriceList >> 20
	if isHTMX(q.Request) {
		return s.render(q, http.StatusOK, "desk_prices", "price-result", view{Page: p})
	}
	return s.page(q, code, "desk_prices", "Price lists", "prices", p)
}

// importPrices checks a file, or with action=load loads it. The file is read
// while it arrives on disk or in memory, and is gone with the request.
func (s *Server) importPrices(q *request) error {
	q.Body = http.MaxBytesReader(q.w, q.Body, portal.MaxPriceList+maxForm)
	if err := q.ParseMultipartForm(1 << 20); err != nil {
		err := portal.Invalid("file", "The file could not be received. It may have up to %d MB.", portal.MaxPriceList>>20)
		return s.priceListRefused(q, priceListPage{}, err)
	}
	defer func() { _ = q.MultipartForm.RemoveAll() }() // temporary files
	var in struct {
		What     portal.PriceList `form:"what"`
		Action   string           `form:"action"`
		LeaveOut bool             `form:"leave_out"`
	}
	if err := q.decode(&in); err != nil {
		return err
	}
	page := priceListPage{What: in.What, LeaveOut: in.LeaveOut}
	file, head, err := q.FormFile("file")
	if err != nil {
		return s.priceListRefused(q, page, portal.Invalid("file", "Choose a file first."))
	}
	defer file.Close()
	if head.Size > portal.MaxPriceList {
		return s.priceListRefused(q, page, portal.Invalid("file", "The file is larger than %d MB.", portal.MaxPriceList>>20))
	}
	start := time.Now()
	load := in.Action == "load"
	result, err := s.Desk.ImportPrices(q.Context(), q.who, in.What, file, portal.ImportOptions{Apply: load, LeaveOut: in.LeaveOut})
	if err != nil {
		return s.priceListRefused(q, page, err)
	}
	page.Result, page.Took = &result, time.Since(start)
	code := http.StatusOK
	if load && !result.Applied {
		code = http.StatusUnprocessableEntity
	}
	return s.priceListPage(q, code, page)
}

// priceListRefused shows why a file was not taken, where it was chosen.
func (s *Server) priceListRefused(q *request, p priceListPage, err error) error {
	code := portal.ErrorCode(err)
	if wantsJSON(q.Request) || code != portal.CodeInvalid && code != portal.CodeConflict {
		return err
	}
	p.formErrors = formErrorsOf(err)
	return s.priceListPage(q, status(err), p)
}

// exportPrices streams a price list as CSV.
func (s *Server) exportPrices(q *request) error {
	list := portal.PriceList(q.URL.Query().Get("what"))
	out := &startedWriter{Writer: q.w}
	if list.Columns() != nil {
		q.attachCSV(string(list), q.now())
	}
	return s.exported(q, out, string(list), s.Desk.ExportPrices(q.Context(), q.who, list, out))
}

// attachCSV announces a list of a day as a file.
func (q *request) attachCSV(list string, day time.Time) {
	q.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	q.w.Header().Set("Content-Disposition", disposition("attachment", list+"-"+day.Format(time.DateOnly)+".csv"))
}

// exported ends an export. Half a file must not look like a whole one: what
// broke off is cut, and what did not begin is an answer like any other.
func (s *Server) exported(q *request, out *startedWriter, list string, err error) error {
	if err == nil {
		return nil
	}
	if out.started {
		s.Logger.Error("export broke off", "request", requestID(q.Context()), "list", list, "error", err)
		panic(http.ErrAbortHandler)
	}
	q.w.Header().Del("Content-Disposition")
	return err
}

// startedWriter knows whether anything was written.
type startedWriter struct {
	io.Writer
	started bool
}

func (w *startedWriter) Write(b []byte) (int, error) {
	w.started = true
	return w.Writer.Write(b)
}
