package desk

import (
	"encoding/csv"
	"errors"
	"net/http"
	"strings"
	"time"

	"portal.example/portal"
	"portal.example/portal/http/page"
	"portal.example/portal/http/shop"
)

// agingPage is what all customers owe.
type agingPage struct {
	portal.AgingReport
	Query string `json:"query"`
	Asked string `json:"-"`
	Rule  string `json:"rule"`
	page.FormErrors
}

// Bases are the choices of the filter.
func (agingPage) Bases() []page.Option { return shop.AccountPage{}.Bases() }

// ExportLink is the report as a file.
func (p agingPage) ExportLink() string {
	return page.ListLink("/desk/aging.csv", "as_of", p.AsOf.Format(time.DateOnly), "basis", p.Basis, "q", p.Query)
}

// agingRows is how many customers the page lists; the file has all.
const agingRows = 500

// More is how many rows the page leaves out.
func (p agingPage) More() int { return max(len(p.Rows)-agingRows, 0) }

// Shown are the rows that the page lists.
func (p agingPage) Shown() []portal.AgingRow { return p.Rows[:min(len(p.Rows), agingRows)] }

func (c *Counter) ShowAging(q *page.Request) error {
	v := q.URL.Query()
	view := agingPage{Query: strings.TrimSpace(v.Get("q")), Asked: v.Get("as_of")}
	code := http.StatusOK
	query, err := shop.AccountQuery(q)
	if err == nil {
		view.AgingReport, err = c.Money.AgingReport(q.Context(), q.Who, query, view.Query)
	}
	if portal.ErrorCode(err) == portal.CodeInvalid && !page.WantsJSON(q.Request) {
		view.FormErrors, code = page.FormErrorsOf(err), page.Status(err)
		view.AgingReport, err = c.Money.AgingReport(q.Context(), q.Who, portal.AccountQuery{}, view.Query)
	}
	if err != nil {
		return err
	}
	view.Rule = portal.AgingRule(view.Basis)
	return c.Page(q, code, "desk/aging", "Aging", "money", view)
}

func (c *Counter) ExportAging(q *page.Request) error {
	query, err := shop.AccountQuery(q)
	if err != nil {
		return err
	}
	report, err := c.Money.AgingReport(q.Context(), q.Who, query, q.URL.Query().Get("q"))
	if err != nil {
		return err
	}
	w := csv.NewWriter(q.AttachCSV("aging", report.AsOf))
	lines := [][]string{{"customer_no", "name", "as_of", "basis", "current", "days_30", "days_60", "days_90",
		"balance", "past_due"}}
	for _, r := range report.Rows {
		lines = append(lines, []string{page.Cell(r.CustomerNo), page.Cell(r.Name), report.AsOf.Format(time.DateOnly),
			report.Basis, page.PlainMoney(&r.Current), page.PlainMoney(&r.Days30), page.PlainMoney(&r.Days60),
			page.PlainMoney(&r.Days90), page.PlainMoney(&r.Balance), page.PlainMoney(&r.PastDue)})
	}
	return w.WriteAll(lines)
}

// accountPage is one customer's account with what staff do to it.
type accountPage struct {
	shop.AccountPage
	CustomerNo   string               `json:"customer_no"`
	CustomerName string               `json:"customer_name"`
	Invoices     []portal.OpenInvoice `json:"open_invoices"`
	Credits      []portal.OpenCredit  `json:"open_credits"`

	Entry  portal.PaymentEntry `json:"-"`
	Credit portal.CreditEntry  `json:"-"`
	Use    portal.CreditUse    `json:"-"`
	Shown  string              `json:"-"` // what the page shows open, for its forms to carry
}

// Methods are how payments come in.
func (accountPage) Methods() []page.Option {
	return []page.Option{{Value: "check", Label: "Check"}, {Value: "ach", Label: "Bank transfer"},
		{Value: "card", Label: "Card"}, {Value: "cash", Label: "Cash"}}
}

func (c *Counter) ShowAccount(q *page.Request) error {
	return c.accountPage(q, accountPage{}, nil)
}

// AccountPage shows the account; after a refused form with what was typed
// and why.
func (c *Counter) accountPage(q *page.Request, view accountPage, refused error) error {
	base, code, err := shop.AccountPageOf(q, func(query portal.AccountQuery) (portal.Account, error) {
		a, err := c.Money.Account(q.Context(), q.Who, q.Param("customer_no"), query)
		view.CustomerNo, view.CustomerName, view.Invoices, view.Credits = a.CustomerNo, a.CustomerName, a.Invoices, a.Credits
		view.Shown = a.Figures().Shown()
		return a.Account, err
	})
	if err != nil {
		return err
	}
	view.AccountPage = base
	if refused != nil {
		view.FormErrors, code = page.FormErrorsOf(refused), page.Status(refused)
	}
	if view.Entry.Key == "" {
		view.Entry.Key = page.NewKey()
	}
	if view.Entry.Date == "" {
		view.Entry.Date = view.Account.Today.Format(time.DateOnly)
	}
	return c.Page(q, code, "desk/account", "Account of "+view.CustomerName, "money", view)
}

func (c *Counter) PostPayment(q *page.Request) error {
	var e portal.PaymentEntry
	if err := q.Decode(&e); err != nil {
		return err
	}
	e.Apply = page.ByNumber(q.PostForm, "apply-")
	no := q.Param("customer_no")
	paymentNo, err := c.Money.PostPayment(q.Context(), q.Who, no, e)
	switch {
	case err == nil && page.WantsJSON(q.Request):
		return page.WriteJSON(q.W, http.StatusOK, map[string]any{"ok": true, "payment_no": paymentNo})
	case err == nil:
		return q.Done(page.DeskPath("payments", paymentNo), "Payment "+paymentNo+" entered")
	case page.ShownOnPage(q, err):
		return c.accountPage(q, accountPage{Entry: e}, page.AtNumber(err, "apply-"))
	}
	return err
}

func (c *Counter) IssueCredit(q *page.Request) error {
	var e portal.CreditEntry
	if err := q.Decode(&e); err != nil {
		return err
	}
	no := q.Param("customer_no")
	memoNo, err := c.Money.IssueCredit(q.Context(), q.Who, no, e)
	switch {
	case err == nil && page.WantsJSON(q.Request):
		return page.WriteJSON(q.W, http.StatusOK, map[string]any{"ok": true, "memo_no": memoNo})
	case err == nil:
		return q.Done(page.DeskPath("customers", no)+"/account", "Credit memo "+memoNo+" issued")
	case page.ShownOnPage(q, err):
		return c.accountPage(q, accountPage{Credit: e}, err)
	}
	return err
}

// ApplyCredit applies what is open of a payment or memo, from the account's
// page or the payment's own.
func (c *Counter) ApplyCredit(q *page.Request) error {
	var form portal.CreditUse
	if err := q.Decode(&form); err != nil {
		return err
	}
	err := c.Money.ApplyCredit(q.Context(), q.Who, form)
	switch {
	case err == nil:
		return q.Done(page.DeskPath("customers", q.Param("customer_no"))+"/account", "Applied to invoice "+form.InvoiceNo)
	case page.ShownOnPage(q, err):
		view := accountPage{Use: form}
		if e, ok := errors.AsType[*portal.Error](err); ok { // the page has other fields of these names
			for i := range e.Fields {
				e.Fields[i].Field = "use_" + e.Fields[i].Field
			}
		}
		return c.accountPage(q, view, err)
	}
	return err
}

func (c *Counter) ShowStatement(q *page.Request) error {
	no := q.Param("customer_no")
	view, code, err := shop.StatementPageOf(q, page.DeskPath("customers", no)+"/statement",
		func(p portal.Period) (portal.Statement, error) {
			return c.Money.Statement(q.Context(), q.Who, no, p)
		})
	if err != nil {
		return err
	}
	return c.Page(q, code, "desk/statement", "Statement of "+view.CustomerName, "money", view)
}

func (c *Counter) StatementPDF(q *page.Request) error {
	period, err := shop.PeriodOf(q)
	if err != nil {
		return err
	}
	statement, err := c.Money.Statement(q.Context(), q.Who, q.Param("customer_no"), period)
	if err != nil {
		return err
	}
	return c.shop.PrintStatement(q, statement)
}

// paymentsPage is what came in, from all customers.
type paymentsPage struct {
	Payments []portal.DeskPayment `json:"payments"`
	Next     string               `json:"next,omitempty"`
	Query    string               `json:"query"`
}

// NextLink is the next page's address, or "".
func (p paymentsPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return page.ListLink("/desk/payments", "q", p.Query, "before", p.Next)
}

func (c *Counter) ListPayments(q *page.Request) error {
	v := q.URL.Query()
	view := paymentsPage{Query: page.SearchText(q)}
	var err error
	if view.Payments, view.Next, err = c.Money.Payments(q.Context(), q.Who, view.Query, v.Get("before")); err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "desk/payments", "Payments", "money", view)
}

// paymentPage is one payment.
type paymentPage struct {
	portal.PaymentDetail
	Today string `json:"-"`
	On    string `json:"-"` // as typed
	Why   string `json:"-"`
	page.FormErrors
}

func (c *Counter) ShowPayment(q *page.Request) error {
	return c.paymentPage(q, paymentPage{}, nil)
}

func (c *Counter) paymentPage(q *page.Request, view paymentPage, refused error) error {
	var err error
	if view.PaymentDetail, err = c.Money.Payment(q.Context(), q.Who, q.Param("payment_no")); err != nil {
		return err
	}
	view.FormErrors = page.FormErrorsOf(refused)
	view.Today = q.Today()
	return c.Page(q, page.Status(refused), "desk/payment", "Payment "+view.PaymentNo, "money", view)
}

func (c *Counter) ReversePayment(q *page.Request) error {
	var form struct {
		On     string `form:"reversed_on"`
		Reason string `form:"reason"`
		Shown  string `form:"shown"` // the payment's use as the page shows it
	}
	if err := q.Decode(&form); err != nil {
		return err
	}
	no := q.Param("payment_no")
	err := c.Money.ReversePayment(q.Context(), q.Who, no, form.On, form.Reason, form.Shown)
	switch {
	case err == nil:
		return q.Done(page.DeskPath("payments", no), "Payment "+no+" returned")
	case page.ShownOnPage(q, err):
		return c.paymentPage(q, paymentPage{On: form.On, Why: form.Reason}, err)
	}
	return err
}

// invoicesPage is the invoices of all customers.
type invoicesPage struct {
	Invoices []portal.DeskInvoice `json:"invoices"`
	Next     string               `json:"next,omitempty"`
	State    string               `json:"state"`
	Query    string               `json:"query"`
}

// States are what the list can be narrowed to.
func (invoicesPage) States() []page.Option {
	return []page.Option{{Value: "", Label: "All"}, {Value: portal.InvoicesOpen, Label: "Open"},
		{Value: portal.InvoicesPastDue, Label: "Past due"}, {Value: portal.InvoicesPaid, Label: "Paid"}}
}

// Link is the address of this list in a state.
func (p invoicesPage) Link(state string) string {
	return page.ListLink("/desk/invoices", "state", state, "q", p.Query)
}

// NextLink is the next page's address, or "".
func (p invoicesPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return page.ListLink("/desk/invoices", "state", p.State, "q", p.Query, "before", p.Next)
}

func (c *Counter) ListInvoices(q *page.Request) error {
	v := q.URL.Query()
	view := invoicesPage{State: v.Get("state"), Query: page.SearchText(q)}
	var err error
	if view.Invoices, view.Next, err = c.Invoices.Invoices(q.Context(), q.Who, view.State, view.Query,
		v.Get("before")); err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "desk/invoices", "Invoices", "money", view)
}

func (c *Counter) ShowInvoice(q *page.Request) error {
	invoice, err := c.Invoices.Invoice(q.Context(), q.Who, q.Param("invoice_no"))
	if err != nil {
		return err
	}
	return c.Page(q, http.StatusOK, "desk/invoice", "Invoice "+invoice.InvoiceNo, "money", invoice)
}

func (c *Counter) InvoicePDF(q *page.Request) error {
	invoice, err := c.Invoices.Invoice(q.Context(), q.Who, q.Param("invoice_no"))
	if err != nil {
		return err
	}
	return c.shop.PrintInvoice(q, invoice)
}

// invoicingPage is what waits for an invoice.
type invoicingPage struct {
	Orders  []portal.ToInvoice `json:"orders"`
	Freight map[string]string  `json:"-"` // as typed, by order number
	page.FormErrors
}

// FreightOf is what stands in an order's field: what was typed, or what its
// shipments say.
func (p invoicingPage) FreightOf(o portal.ToInvoice) string {
	if typed, ok := p.Freight[o.OrderNo]; ok {
		return typed
	}
	return o.Freight.StringFixed(2)
}

func (c *Counter) ShowInvoicing(q *page.Request) error { return c.invoicingPage(q, nil, nil) }

func (c *Counter) invoicingPage(q *page.Request, freight map[string]string, refused error) error {
	orders, err := c.Invoices.ToInvoice(q.Context(), q.Who)
	if err != nil {
		return err
	}
	return c.Page(q, page.Status(refused), "desk/invoicing", "To invoice",
		"money", invoicingPage{orders, freight, page.FormErrorsOf(refused)})
}

func (c *Counter) InvoiceOrders(q *page.Request) error {
	var form struct {
		OrderNo []string `form:"order_no"`
	}
	if err := q.Decode(&form); err != nil {
		return err
	}
	freight, shown := page.ByNumber(q.PostForm, "freight-"), page.ByNumber(q.PostForm, "shown-")
	var err error
	var made []string
	if len(form.OrderNo) == 0 {
		err = portal.Invalid("order_no", "Select the orders to invoice.")
	} else {
		made, err = c.Invoices.InvoiceOrders(q.Context(), q.Who, form.OrderNo, freight, shown)
	}
	switch {
	case err == nil && page.WantsJSON(q.Request):
		return page.WriteJSON(q.W, http.StatusOK, map[string]any{"ok": true, "invoice_nos": made})
	case err == nil:
		return q.Done("/desk/invoicing", page.Plural(len(made), "invoice made", "invoices made"))
	case page.ShownOnPage(q, err):
		return c.invoicingPage(q, freight, page.AtNumber(err, "freight-"))
	}
	return err
}
