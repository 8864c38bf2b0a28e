package desk

import (
	"fmt"
	"net/http"
	"time"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// priceListPage is where price lists come and go.
type priceListPage struct {
	page.FormErrors
	What     portal.PriceList    `json:"-"`
	LeaveOut bool                `json:"-"`
	Result   *portal.PriceImport `json:"result,omitempty"`
	Took     time.Duration       `json:"-"`
	MaxMB    int                 `json:"-"`
}

// Lists are the choices of what a file holds.
func (priceListPage) Lists() []page.Option {
	return []page.Option{{Value: "levels", Label: "Level prices A to E"}, {Value: "contracts", Label: "Contracts"},
		{Value: "groups", Label: "Category prices"}, {Value: "breaks", Label: "Quantity breaks"}}
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
	counts := fmt.Sprintf("%s new, %s changed, %s unchanged", page.Plural(r.New, "price", "prices"), count(r.Changed),
		count(r.Unchanged))
	switch {
	case r.Applied && r.Bad > 0:
		return fmt.Sprintf("Loaded: %s. %s left out.", counts, page.Plural(r.Bad, "bad row was", "bad rows were"))
	case r.Applied:
		return "Loaded: " + counts + "."
	case r.Bad > 0:
		return fmt.Sprintf("Nothing was changed. Of %s, %s bad; the others would be: %s.", page.Plural(r.Rows, "row", "rows"),
			page.Plural(r.Bad, "is", "are"), counts)
	}
	return "Nothing was changed yet. Loading it would make: " + counts + "."
}

func count(n int) string {
	s, _ := page.Number(n, page.FormatQty) // an int is always a number
	return s
}

func (c *Counter) ListPriceLists(q *page.Request) error {
	return c.priceListPage(q, http.StatusOK, priceListPage{What: portal.PriceList(q.URL.Query().Get("what"))})
}

func (c *Counter) priceListPage(q *page.Request, code int, p priceListPage) error {
	p.MaxMB = portal.MaxPriceList >> 20
	if page.IsPart(q.Request) {
		return c.Render(q, http.StatusOK, "desk/prices", "price-result", page.View{Page: p})
	}
	return c.Page(q, code, "desk/prices", "Price lists", "prices", p)
}

// ImportPrices checks a file, or with action=load loads it. The file is read
// while it arrives on disk or in memory, and is gone with the request.
func (c *Counter) ImportPrices(q *page.Request) error {
	q.Body = http.MaxBytesReader(q.W, q.Body, portal.MaxPriceList+page.MaxForm)
	if err := q.ParseMultipartForm(1 << 20); err != nil {
		err := portal.Invalid("file", "The file could not be received. It may have up to %d MB.", portal.MaxPriceList>>20)
		return c.priceListRefused(q, priceListPage{}, err)
	}
	defer func() { _ = q.MultipartForm.RemoveAll() }() // temporary files
	var in struct {
		What     portal.PriceList `form:"what"`
		Action   string           `form:"action"`
		LeaveOut bool             `form:"leave_out"`
	}
	if err := q.Decode(&in); err != nil {
		return err
	}
	view := priceListPage{What: in.What, LeaveOut: in.LeaveOut}
	file, head, err := q.FormFile("file")
	if err != nil {
		return c.priceListRefused(q, view, portal.Invalid("file", "Choose a file first."))
	}
	defer file.Close()
	if head.Size > portal.MaxPriceList {
		return c.priceListRefused(q, view, portal.Invalid("file", "The file is larger than %d MB.", portal.MaxPriceList>>20))
	}
	start := time.Now()
	load := in.Action == "load"
	result, err := c.Prices.ImportPrices(q.Context(), q.Who, in.What, file,
		portal.ImportOptions{Apply: load, LeaveOut: in.LeaveOut})
	if err != nil {
		return c.priceListRefused(q, view, err)
	}
	view.Result, view.Took = &result, time.Since(start)
	code := http.StatusOK
	if load && !result.Applied {
		code = http.StatusUnprocessableEntity
	}
	return c.priceListPage(q, code, view)
}

// priceListRefused shows why a file was not taken, where it was chosen.
func (c *Counter) priceListRefused(q *page.Request, p priceListPage, err error) error {
	code := portal.ErrorCode(err)
	if page.WantsJSON(q.Request) || code != portal.CodeInvalid && code != portal.CodeConflict {
		return err
	}
	p.FormErrors = page.FormErrorsOf(err)
	return c.priceListPage(q, page.Status(err), p)
}

// ExportPrices streams a price list as CSV.
func (c *Counter) ExportPrices(q *page.Request) error {
	list := portal.PriceList(q.URL.Query().Get("what"))
	out := q.AttachCSV(string(list), q.Now())
	return c.Exported(q, out, string(list), c.Prices.ExportPrices(q.Context(), q.Who, list, out))
}
