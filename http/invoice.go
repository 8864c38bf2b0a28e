package http

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"
	"time"

	"portal.example/portal"
)

// invoicesPage is a list of invoices with what narrows it.
type invoicesPage struct {
	portal.Invoices
	State  string        `json:"state"`
	Query  string        `json:"query"`
	From   string        `json:"from"`
	To     string        `json:"to"`
	Access portal.Access `json:"-"`
	formErrors
}

// Link is the address of this list in a state.
func (p invoicesPage) Link(state string) string {
	return listLink("/invoices", "state", state, "q", p.Query, "from", p.From, "to", p.To)
}

// ExportLink is the list as a file.
func (p invoicesPage) ExportLink() string {
	return listLink("/invoices.csv", "state", p.State, "q", p.Query, "from", p.From, "to", p.To)
}

// NextLink is the next page's address, or "".
func (p invoicesPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return listLink("/invoices", "state", p.State, "q", p.Query, "from", p.From, "to", p.To, "before", p.Next)
}

// Narrowed reports whether something is asked for beside a state.
func (p invoicesPage) Narrowed() bool { return p.Query != "" || p.From != "" || p.To != "" }

// mayInvoices refuses invoices to log-ins whose role does not see them.
func mayInvoices(q *request) error {
	if !q.frame.Rights.Invoices {
		return portal.Errorf(portal.CodeForbidden, "Your log-in does not see invoices. Ask whoever manages the log-ins of your account.")
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

func invoiceFilter(q *request) (f portal.InvoiceFilter, err error) {
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

func (s *Server) invoices(q *request) error {
	if err := mayInvoices(q); err != nil {
		return err
	}
	v := q.URL.Query()
	page := invoicesPage{State: v.Get("state"), Query: strings.TrimSpace(v.Get("q")), From: v.Get("from"), To: v.Get("to"), Access: q.frame.Access}
	code := http.StatusOK
	f, err := invoiceFilter(q)
	if err == nil {
		page.Invoices, err = s.Invoices.Invoices(q.Context(), q.who, f)
	}
	if err != nil {
		if portal.ErrorCode(err) != portal.CodeInvalid || wantsJSON(q.Request) {
			return err
		}
		page.formErrors, code = formErrorsOf(err), status(err)
	}
	return s.page(q, code, "invoices", "Invoices", "invoices", page)
}

// exportInvoices writes what the filter leaves as CSV.
func (s *Server) exportInvoices(q *request) error {
	if err := mayInvoices(q); err != nil {
		return err
	}
	f, err := invoiceFilter(q)
	if err != nil {
		return err
	}
	f.Before = ""
	q.attachCSV("invoices", q.now())
	out := &startedWriter{Writer: q.w}
	w := csv.NewWriter(out)
	head := []string{"invoice_no", "kind", "invoice_date", "due_date", "order_no", "po_no", "state", "total", "open_amount"}
	err = w.Write(head)
	if err == nil {
		err = s.Invoices.EachInvoice(q.Context(), q.who, f, func(i portal.Invoice) error {
			return w.Write([]string{cell(i.InvoiceNo), i.Kind, i.InvoiceDate.Format(time.DateOnly), i.DueDate.Format(time.DateOnly), cell(text(i.OrderNo)),
				cell(text(i.PONo)), i.State, plainMoney(i.Total), plainMoney(i.OpenAmount)})
		})
	}
	w.Flush()
	if err == nil {
		err = w.Error()
	}
	return s.exported(q, out, "invoices", err)
}

// cell keeps a spreadsheet from taking text for a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// plainMoney is an amount for programs; empty where it is not shown.
func plainMoney(m *portal.Money) string {
	if m == nil {
		return ""
	}
	return m.StringFixed(2)
}

// invoicePage is one invoice.
type invoicePage struct {
	portal.InvoiceDetail
	Access  portal.Access         `json:"-"`
	Returns portal.InvoiceReturns `json:"returns"`
}

func (s *Server) invoiceOf(q *request) (portal.InvoiceDetail, error) {
	if err := mayInvoices(q); err != nil {
		return portal.InvoiceDetail{}, err
	}
	return s.Invoices.Invoice(q.Context(), q.who, q.param("invoice_no"))
}

func (s *Server) invoice(q *request) error {
	invoice, err := s.invoiceOf(q)
	if err != nil {
		return err
	}
	returns, err := s.Credits.InvoiceReturns(q.Context(), q.who, invoice.InvoiceNo)
	if err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "invoice", "Invoice "+invoice.InvoiceNo, "invoices", invoicePage{invoice, q.frame.Access, returns})
}

func (s *Server) invoicePDF(q *request) error {
	invoice, err := s.invoiceOf(q)
	if err != nil {
		return err
	}
	return s.printInvoice(q, invoice)
}

func (s *Server) printInvoice(q *request, invoice portal.InvoiceDetail) error {
	paper, err := s.Printer.InvoicePDF(invoice)
	if err != nil {
		return err
	}
	return q.paper(portal.Paper{Name: "invoice-" + invoice.InvoiceNo + ".pdf", MediaType: "application/pdf", Data: paper})
}

// paper answers with a document, shown in the browser.
func (q *request) paper(p portal.Paper) error {
	h := q.w.Header()
	h.Set("Content-Type", p.MediaType)
	h.Set("Content-Disposition", disposition("inline", p.Name))
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = q.w.Write(p.Data) // the visitor may be gone
	return nil
}

// disposition says how an answer is shown and what its file is called: the name
// in full, and before it one in ASCII for what cannot read that (RFC 6266).
func disposition(how, name string) string {
	name = portal.FileName(name)
	names := how + `; filename="` + strings.Map(fileRune, name) + `"`
	if strings.ContainsFunc(name, func(r rune) bool { return fileRune(r) != r }) {
		names += "; filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	}
	return names
}

// fileRune keeps a name to letters, digits and the plainest signs.
func fileRune(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '-', r == '_':
		return r
	}
	return '_'
}
