package http

import (
	"crypto/rand"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"portal.example/portal"
)

// agingPage is what all customers owe.
type agingPage struct {
	portal.AgingReport
	Query string `json:"query"`
	Asked string `json:"-"`
	Rule  string `json:"rule"`
	formErrors
}

// Bases are the choices of the filter.
func (agingPage) Bases() []option { return accountPage{}.Bases() }

// ExportLink is the report as a file.
func (p agingPage) ExportLink() string {
	return listLink("/desk/aging.csv", "as_of", p.AsOf.Format(time.DateOnly), "basis", p.Basis, "q", p.Query)
}

// agingRows is how many customers the page lists; the file has all.
const agingRows = 500

// More is how many rows the page leaves out.
func (p agingPage) More() int { return max(len(p.Rows)-agingRows, 0) }

// Shown are the rows that the page lists.
func (p agingPage) Shown() []portal.AgingRow { return p.Rows[:min(len(p.Rows), agingRows)] }

func (s *Server) deskAging(q *request) error {
	v := q.URL.Query()
	page := agingPage{Query: strings.TrimSpace(v.Get("q")), Asked: v.Get("as_of")}
	code := http.StatusOK
	query, err := accountQuery(q)
	if err == nil {
		page.AgingReport, err = s.Desk.AgingReport(q.Context(), q.who, query, page.Query)
	}
	if portal.ErrorCode(err) == portal.CodeInvalid && !wantsJSON(q.Request) {
		page.formErrors, code = formErrorsOf(err), status(err)
		page.AgingReport, err = s.Desk.AgingReport(q.Context(), q.who, portal.AccountQuery{}, page.Query)
	}
	if err != nil {
		return err
	}
	page.Rule = portal.AgingRule(page.Basis)
	return s.page(q, code, "desk_aging", "Aging", "money", page)
}

func (s *Server) exportAging(q *request) error {
	query, err := accountQuery(q)
	if err != nil {
		return err
	}
	report, err := s.Desk.AgingReport(q.Context(), q.who, query, q.URL.Query().Get("q"))
	if err != nil {
		return err
	}
	q.attachCSV("aging", report.AsOf)
	w := csv.NewWriter(q.w)
	lines := [][]string{{"customer_no", "name", "as_of", "basis", "current", "days_30", "days_60", "days_90", "balance", "past_due"}}
	for _, r := range report.Rows {
		lines = append(lines, []string{cell(r.CustomerNo), cell(r.Name), report.AsOf.Format(time.DateOnly), report.Basis, plainMoney(&r.Current), plainMoney(&r.Days30),
			plainMoney(&r.Days60), plainMoney(&r.Days90), plainMoney(&r.Balance), plainMoney(&r.PastDue)})
	}
	return w.WriteAll(lines)
}

// deskAccountPage is one customer's account with what staff do to it.
type deskAccountPage struct {
	accountPage
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
func (deskAccountPage) Methods() []option {
	return []option{{"check", "Check"}, {"ach", "Bank transfer"}, {"card", "Card"}, {"cash", "Cash"}}
}

func (s *Server) deskAccount(q *request) error {
	return s.deskAccountPage(q, deskAccountPage{}, nil)
}

// deskAccountPage shows the account; after a refused form with what was typed
// and why.
func (s *Server) deskAccountPage(q *request, page deskAccountPage, refused error) error {
	base, code, err := accountPageOf(q, func(query portal.AccountQuery) (portal.Account, error) {
		a, err := s.Desk.DeskAccount(q.Context(), q.who, q.param("customer_no"), query)
		page.CustomerNo, page.CustomerName, page.Invoices, page.Credits = a.CustomerNo, a.CustomerName, a.Invoices, a.Credits
		page.Shown = a.Figures().Shown()
		return a.Account, err
	})
	if err != nil {
		return err
	}
	page.accountPage = base
	if refused != nil {
		page.formErrors, code = formErrorsOf(refused), status(refused)
	}
	if page.Entry.Key == "" {
		page.Entry.Key = newKey()
	}
	if page.Entry.Date == "" {
		page.Entry.Date = page.Account.Today.Format(time.DateOnly)
	}
	return s.page(q, code, "desk_account", "Account of "+page.CustomerName, "money", page)
}

// newKey names a form, so that sending it twice does it once.
func newKey() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (s *Server) postPayment(q *request) error {
	var e portal.PaymentEntry
	if err := q.decode(&e); err != nil {
		return err
	}
	e.Apply = byNumber(q.PostForm, "apply-")
	no := q.param("customer_no")
	paymentNo, err := s.Desk.PostPayment(q.Context(), q.who, no, e)
	switch {
	case err == nil && wantsJSON(q.Request):
		return writeJSON(q.w, http.StatusOK, map[string]any{"ok": true, "payment_no": paymentNo})
	case err == nil:
		return q.done(deskPath("payments", paymentNo), "Payment "+paymentNo+" entered")
	case shownOnPage(q, err):
		return s.deskAccountPage(q, deskAccountPage{Entry: e}, atNumber(err, "apply-"))
	}
	return err
}

func (s *Server) issueCredit(q *request) error {
	var e portal.CreditEntry
	if err := q.decode(&e); err != nil {
		return err
	}
	no := q.param("customer_no")
	memoNo, err := s.Desk.IssueCredit(q.Context(), q.who, no, e)
	switch {
	case err == nil && wantsJSON(q.Request):
		return writeJSON(q.w, http.StatusOK, map[string]any{"ok": true, "memo_no": memoNo})
	case err == nil:
		return q.done(deskPath("customers", no)+"/account", "Credit memo "+memoNo+" issued")
	case shownOnPage(q, err):
		return s.deskAccountPage(q, deskAccountPage{Credit: e}, err)
	}
	return err
}

// applyCredit applies what is open of a payment or memo, from the account's
// page or the payment's own.
func (s *Server) applyCredit(q *request) error {
	var form portal.CreditUse
	if err := q.decode(&form); err != nil {
		return err
	}
	err := s.Desk.ApplyCredit(q.Context(), q.who, form)
	switch {
	case err == nil:
		return q.done(deskPath("customers", q.param("customer_no"))+"/account", "Applied to invoice "+form.InvoiceNo)
	case shownOnPage(q, err):
		page := deskAccountPage{Use: form}
		if e, ok := errors.AsType[*portal.Error](err); ok { // the page has other fields of these names
			for i := range e.Fields {
				e.Fields[i].Field = "use_" + e.Fields[i].Field
			}
		}
		return s.deskAccountPage(q, page, err)
	}
	return err
}

func (s *Server) deskStatement(q *request) error {
	no := q.param("customer_no")
	page, code, err := statementPageOf(q, deskPath("customers", no)+"/statement", func(p portal.Period) (portal.Statement, error) {
		return s.Desk.DeskStatement(q.Context(), q.who, no, p)
	})
	if err != nil {
		return err
	}
	return s.page(q, code, "desk_statement", "Statement of "+page.CustomerName, "money", page)
}

func (s *Server) deskStatementPDF(q *request) error {
	period, err := periodOf(q)
	if err != nil {
		return err
	}
	statement, err := s.Desk.DeskStatement(q.Context(), q.who, q.param("customer_no"), period)
	if err != nil {
		return err
	}
	return s.printStatement(q, statement)
}

// deskPaymentsPage is what came in, from all customers.
type deskPaymentsPage struct {
	Payments []portal.DeskPayment `json:"payments"`
	Next     string               `json:"next,omitempty"`
	Query    string               `json:"query"`
}

// NextLink is the next page's address, or "".
func (p deskPaymentsPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return listLink("/desk/payments", "q", p.Query, "before", p.Next)
}

func (s *Server) deskPayments(q *request) error {
	v := q.URL.Query()
	page := deskPaymentsPage{Query: deskSearch(q)}
	var err error
	if page.Payments, page.Next, err = s.Desk.DeskPayments(q.Context(), q.who, page.Query, v.Get("before")); err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "desk_payments", "Payments", "money", page)
}

// deskPaymentPage is one payment.
type deskPaymentPage struct {
	portal.PaymentDetail
	Today string `json:"-"`
	On    string `json:"-"` // as typed
	Why   string `json:"-"`
	formErrors
}

func (s *Server) deskPayment(q *request) error {
	return s.deskPaymentPage(q, deskPaymentPage{}, nil)
}

func (s *Server) deskPaymentPage(q *request, page deskPaymentPage, refused error) error {
	var err error
	if page.PaymentDetail, err = s.Desk.DeskPayment(q.Context(), q.who, q.param("payment_no")); err != nil {
		return err
	}
	code := http.StatusOK
	if refused != nil {
		page.formErrors, code = formErrorsOf(refused), status(refused)
	}
	page.Today = q.today()
	return s.page(q, code, "desk_payment", "Payment "+page.PaymentNo, "money", page)
}

func (s *Server) reversePayment(q *request) error {
	var form struct {
		On     string `form:"reversed_on"`
		Reason string `form:"reason"`
		Shown  string `form:"shown"` // the payment's use as the page shows it
	}
	if err := q.decode(&form); err != nil {
		return err
	}
	no := q.param("payment_no")
	err := s.Desk.ReversePayment(q.Context(), q.who, no, form.On, form.Reason, form.Shown)
	switch {
	case err == nil:
		return q.done(deskPath("payments", no), "Payment "+no+" returned")
	case shownOnPage(q, err):
		return s.deskPaymentPage(q, deskPaymentPage{On: form.On, Why: form.Reason}, err)
	}
	return err
}

// deskInvoicesPage is the invoices of all customers.
type deskInvoicesPage struct {
	Invoices []portal.DeskInvoice `json:"invoices"`
	Next     string               `json:"next,omitempty"`
	State    string               `json:"state"`
	Query    string               `json:"query"`
}

// States are what the list can be narrowed to.
func (deskInvoicesPage) States() []option {
	return []option{{"", "All"}, {portal.InvoicesOpen, "Open"}, {portal.InvoicesPastDue, "Past due"}, {portal.InvoicesPaid, "Paid"}}
}

// Link is the address of this list in a state.
func (p deskInvoicesPage) Link(state string) string {
	return listLink("/desk/invoices", "state", state, "q", p.Query)
}

// NextLink is the next page's address, or "".
func (p deskInvoicesPage) NextLink() string {
	if p.Next == "" {
		return ""
	}
	return listLink("/desk/invoices", "state", p.State, "q", p.Query, "before", p.Next)
}

func (s *Server) deskInvoices(q *request) error {
	v := q.URL.Query()
	page := deskInvoicesPage{State: v.Get("state"), Query: deskSearch(q)}
	var err error
	if page.Invoices, page.Next, err = s.Desk.DeskInvoices(q.Context(), q.who, page.State, page.Query, v.Get("before")); err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "desk_invoices", "Invoices", "money", page)
}

func (s *Server) deskInvoicePage(q *request) error {
	invoice, err := s.Desk.DeskInvoice(q.Context(), q.who, q.param("invoice_no"))
	if err != nil {
		return err
	}
	return s.page(q, http.StatusOK, "desk_invoice", "Invoice "+invoice.InvoiceNo, "money", invoice)
}

func (s *Server) deskInvoicePDF(q *request) error {
	invoice, err := s.Desk.DeskInvoice(q.Context(), q.who, q.param("invoice_no"))
	if err != nil {
		return err
	}
	return s.printInvoice(q, invoice)
}

// invoicingPage is what waits for an invoice.
type invoicingPage struct {
	Orders  []portal.ToInvoice `json:"orders"`
	Freight map[string]string  `json:"-"` // as typed, by order number
	formErrors
}

// FreightOf is what stands in an order's field: what was typed, or what its
// shipments say.
func (p invoicingPage) FreightOf(o portal.ToInvoice) string {
	if typed, ok := p.Freight[o.OrderNo]; ok {
		return typed
	}
	return o.Freight.StringFixed(2)
}

func (s *Server) deskInvoicing(q *request) error { return s.invoicingPage(q, nil, nil) }

func (s *Server) invoicingPage(q *request, freight map[string]string, refused error) error {
	orders, err := s.Desk.ToInvoice(q.Context(), q.who)
	if err != nil {
		return err
	}
	code := http.StatusOK
	if refused != nil {
		code = status(refused)
	}
	return s.page(q, code, "desk_invoicing", "To invoice", "money", invoicingPage{orders, freight, formErrorsOf(refused)})
}

func (s *Server) invoiceMany(q *request) error {
	var form struct {
		OrderNo []string `form:"order_no"`
	}
	if err := q.decode(&form); err != nil {
		return err
	}
	freight, shown := byNumber(q.PostForm, "freight-"), byNumber(q.PostForm, "shown-")
	err := error(nil)
	var made []string
	if len(form.OrderNo) == 0 {
		err = portal.Invalid("order_no", "Tick the orders to invoice.")
	} else {
		made, err = s.Desk.InvoiceOrders(q.Context(), q.who, form.OrderNo, freight, shown)
	}
	switch {
	case err == nil && wantsJSON(q.Request):
		return writeJSON(q.w, http.StatusOK, map[string]any{"ok": true, "invoice_nos": made})
	case err == nil:
		return q.done("/desk/invoicing", plural(len(made), "invoice made", "invoices made"))
	case shownOnPage(q, err):
		return s.invoicingPage(q, freight, atNumber(err, "freight-"))
	}
	return err
}

// runsPage is the monthly statements as operators see them.
type runsPage struct {
	Runs   []portal.StatementRun    `json:"runs"`
	Failed []portal.FailedStatement `json:"failed"`
	From   string                   `json:"-"`
	To     string                   `json:"-"`
	formErrors
}

func (s *Server) statementRuns(q *request) error { return s.runsPage(q, runsPage{}, nil) }

func (s *Server) runsPage(q *request, page runsPage, refused error) error {
	var err error
	if page.Runs, err = s.Desk.StatementRuns(q.Context(), q.who); err != nil {
		return err
	}
	if page.Failed, err = s.Desk.FailedStatements(q.Context(), q.who); err != nil {
		return err
	}
	code := http.StatusOK
	if refused != nil {
		page.formErrors, code = formErrorsOf(refused), status(refused)
	}
	if page.From == "" && page.To == "" {
		now := q.now()
		first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
		page.From, page.To = first.AddDate(0, -1, 0).Format(time.DateOnly), first.AddDate(0, 0, -1).Format(time.DateOnly)
	}
	return s.page(q, code, "ops_statements", "Statements", "statements", page)
}

func (s *Server) beginRun(q *request) error {
	var form struct {
		From string `form:"from"`
		To   string `form:"to"`
	}
	if err := q.decode(&form); err != nil {
		return err
	}
	from, err := time.Parse(time.DateOnly, form.From)
	if err != nil || !portal.DayWithinReason(from) {
		err = portal.Invalid("from", "Write the date as YYYY-MM-DD. %s", portal.DayWords)
	}
	to, errTo := time.Parse(time.DateOnly, form.To)
	if err == nil && (errTo != nil || !portal.DayWithinReason(to)) {
		err = portal.Invalid("to", "Write the date as YYYY-MM-DD. %s", portal.DayWords)
	}
	if err == nil {
		err = s.Desk.BeginStatementRun(q.Context(), q.who, from, to)
	}
	switch {
	case err == nil:
		return q.done("/ops/statements", "The run has begun")
	case shownOnPage(q, err):
		return s.runsPage(q, runsPage{From: form.From, To: form.To}, err)
	}
	return err
}

func (s *Server) retryStatements(q *request) error {
	n, err := s.Desk.RetryStatements(q.Context(), q.who)
	if err != nil {
		return err
	}
	return q.done("/ops/statements", plural(n, "statement queued again", "statements queued again"))
}
