package shop

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"
	"time"

	"portal.example/portal"
	"portal.example/portal/http/page"
)

// invoicesPage is a list of invoices with what narrows it.
type invoicesPage struct {
	portal.Invoices
	State  string        `json:"state"`
	Query  string        `json:"query"`
	From   string        `json:"from"`
	To     string        `json:"to"`
	Access portal.Access `json:"-"`
	page.FormErrors
}

// Link is the address of this list in a state.
func (p invoicesPage) Link(state string) string {
	return page.ListLink("/invoices", "state", state, "q", p.Query, "from", p.From, "to", p.To)
}

// ExportLink is the list as a file.
func (p invoicesPage) ExportLink() string {
	return page.ListLink("/invoices.csv", "state", p.State, "q", p.Query, "from", p.From, "to", p.To)
}

// NextLink is the next page's address, or "".
func (p invoicesPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return page.ListLink("/invoices", "state", p.State, "q", p.Query, "from", p.From, "to", p.To, "before", p.Next)
}

// Narrowed reports whether something is asked for beside a state.
func (p invoicesPage) Narrowed() bool { return p.Query != "" || p.From != "" || p.To != "" }

// mayInvoices refuses invoices to log-ins whose role does not see them.
func mayInvoices(q *page.Request) error {
	if !q.Frame.Rights.Invoices {
		return portal.Errorf(portal.CodeForbidden,
			"Your log-in does not see invoices. Ask whoever manages the log-ins of your account.")
	}
	return nil
}

// dayOf reads a date out of an address: nil where there is none.
func dayOf(v url.Values, name string) (*time.Time, error) {
	s := strings.TrimSpace(v.Get(name))
	if s == "" {
		return nil, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return nil, portal.Invalid(name, "Write the date as YYYY-MM-DD.")
	}
	if !portal.DayWithinReason(t) {
		return nil, portal.Invalid(name, "%s", portal.DayWords)
	}
	return &t, nil
}

func invoiceFilter(q *page.Request) (f portal.InvoiceFilter, err error) {
	v := q.URL.Query()
	f = portal.InvoiceFilter{State: v.Get("state"), Query: strings.TrimSpace(v.Get("q")), Before: v.Get("before")}
	if f.From, err = dayOf(v, "from"); err != nil {
		return f, err
	}
	if f.To, err = dayOf(v, "to"); err == nil && f.From != nil && f.To != nil && f.To.Before(*f.From) {
		err = portal.Invalid("to", "The last day lies before the first.")
	}
	return f, err
}

func (c *Counter) ListInvoices(q *page.Request) error {
	if err := mayInvoices(q); err != nil {
		return err
	}
	v := q.URL.Query()
	view := invoicesPage{State: v.Get("state"), Query: strings.TrimSpace(v.Get("q")), From: v.Get("from"), To: v.Get("to"),
		Access: q.Frame.Access}
	code := http.StatusOK
	f, err := invoiceFilter(q)
	if err == nil {
		view.Invoices, err = c.Invoices.Invoices(q.Context(), q.Who, f)
	}
	if err != nil {
		if portal.ErrorCode(err) != portal.CodeInvalid || page.WantsJSON(q.Request) {
			return err
		}
		view.FormErrors, code = page.FormErrorsOf(err), page.Status(err)
	}
	return c.Page(q, code, "shop/invoices", "Invoices", "invoices", view)
}

// ExportInvoices writes what the filter leaves as CSV.
func (c *Counter) ExportInvoices(q *page.Request) error {
	if err := mayInvoices(q); err != nil {
		return err
	}
	f, err := invoiceFilter(q)
	if err != nil {
		return err
	}
	f.Before = ""
	out := q.AttachCSV("invoices", q.Now())
	w := csv.NewWriter(out)
	head := []string{"invoice_no", "kind", "invoice_date", "due_date", "order_no", "po_no", "state",
		"total", "open_amount"}
	err = w.Write(head)
	if err == nil {
		err = c.Invoices.EachInvoice(q.Context(), q.Who, f, func(i portal.Invoice) error {
			return w.Write([]string{page.Cell(i.InvoiceNo), i.Kind, i.InvoiceDate.Format(time.DateOnly),
				i.DueDate.Format(time.DateOnly), page.Cell(page.Text(i.OrderNo)), page.Cell(page.Text(i.PONo)), i.State,
				page.PlainMoney(i.Total), page.PlainMoney(i.OpenAmount)})
		})
	}
	w.Flush()
	if err == nil {
		err = w.Error()
	}
	return c.Exported(q, out, "invoices", err)
}

// invoicePage is one invoice.
type invoicePage struct {
	portal.InvoiceDetail
	Access  portal.Access         `json:"-"`
	Returns portal.InvoiceReturns `json:"returns"`
}

func (c *Counter) invoiceOf(q *page.Request) (portal.InvoiceDetail, error) {
	if err := mayInvoices(q); err != nil {
		return portal.InvoiceDetail{}, err
	}
	return c.Invoices.Invoice(q.Context(), q.Who, q.Param("invoice_no"))
}

func (c *Counter) ShowInvoice(q *page.Request) error {
	invoice, err := c.invoiceOf(q)
	if err != nil {
		return err
	}
	returns, err := c.Credits.InvoiceReturns(q.Context(), q.Who, invoice.InvoiceNo)
	if err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "shop/invoice", "Invoice "+invoice.InvoiceNo,
		"invoices", invoicePage{invoice, q.Frame.Access, returns})
}

func (c *Counter) InvoicePDF(q *page.Request) error {
	invoice, err := c.invoiceOf(q)
	if err != nil {
		return err
	}
	return c.PrintInvoice(q, invoice)
}

func (c *Counter) PrintInvoice(q *page.Request, invoice portal.InvoiceDetail) error {
	paper, err := c.Printer.InvoicePDF(invoice)
	if err != nil {
		return err
	}
	return q.Paper(portal.Paper{Name: "invoice-" + invoice.InvoiceNo + ".pdf", MediaType: "application/pdf", Data: paper})
}
