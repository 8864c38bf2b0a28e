package portal

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// AgingRow is one customer in the aging report.
type AgingRow struct {
	CustomerNo string `json:"customer_no"`
	Name       string `json:"name"`
	Aging
	CreditLimit *Money `json:"credit_limit"`
	CreditHold  bool   `json:"credit_hold"`
}

// AgingReport is what all customers owed on a day. Total is the sum of all
// rows, also of those that a search or a page leaves out.
type AgingReport struct {
	AsOf  time.Time  `json:"as_of"`
	Today time.Time  `json:"-"`
	Basis string     `json:"basis"`
	Rows  []AgingRow `json:"customers"`
	Total Aging      `json:"total"`
	Count int        `json:"customers_owing"`
}

// OpenInvoice is an invoice that a payment can be applied to.
type OpenInvoice struct {
	InvoiceNo   string    `json:"invoice_no"`
	InvoiceDate time.Time `json:"invoice_date"`
	DueDate     time.Time `json:"due_date"`
	PONo        *string   `json:"po_no"`
	Total       Money     `json:"total"`
	OpenAmount  Money     `json:"open_amount"`
}

// OpenCredit is a payment or credit memo of which something is not applied.
type OpenCredit struct {
	Kind  string    `json:"kind"` // payment, credit_memo
	DocNo string    `json:"doc_no"`
	Date  time.Time `json:"date" db:"doc_date"`
	Total Money     `json:"total"`
	Open  Money     `json:"open_amount" db:"open_amount"`
}

// DeskAccount is a customer's account as staff see it.
type DeskAccount struct {
	CustomerNo   string `json:"customer_no"`
	CustomerName string `json:"customer_name"`
	Account
	Invoices []OpenInvoice `json:"open_invoices"` // the oldest 200 by due date
	Credits  []OpenCredit  `json:"open_credits"`
}

// PaymentEntry is the desk's form for money that came in, as typed. Apply has
// amounts by invoice number.
type PaymentEntry struct {
	Amount      string `form:"amount"`
	Date        string `form:"payment_date"`
	Method      string `form:"method"`
	Reference   string `form:"reference"`
	Key         string `form:"key"`
	OldestFirst bool   `form:"oldest_first"`
	Shown       string `form:"shown"` // DeskAccount.Figures of the form's page; empty: not compared
	Apply       map[string]string
}

// CreditUse is the desk's form that applies what is open of a payment or credit
// memo to an invoice, as typed.
type CreditUse struct {
	Kind      string `form:"kind"` // payment, credit_memo
	DocNo     string `form:"doc_no"`
	InvoiceNo string `form:"invoice_no"`
	Amount    string `form:"amount"` // negative: taken back
	Shown     string `form:"shown"`  // DeskAccount.Figures of the form's page; empty: not compared
}

// OpenFigure is what a page shows open of an invoice, a payment or a credit
// memo. Kind is invoice, payment, credit_memo.
func OpenFigure(kind, no string, open Money) Figure {
	f := Figure{Field: kind + "-" + no, Label: "Open of " + strings.ReplaceAll(kind, "_", " ") + " " + no,
		Value: open.StringFixed(2), At: "amount"}
	if kind == "invoice" {
		f.At = "apply-" + no
	}
	return f
}

// Figures are what the page shows open.
func (a DeskAccount) Figures() Figures {
	var f Figures
	for _, i := range a.Invoices {
		f = append(f, OpenFigure("invoice", i.InvoiceNo, i.OpenAmount))
	}
	for _, c := range a.Credits {
		f = append(f, OpenFigure(c.Kind, c.DocNo, c.Open))
	}
	return f
}

// Figures are what the page of a payment shows of its use.
func (p PaymentDetail) Figures() Figures {
	var uses strings.Builder
	for _, u := range p.Uses {
		uses.WriteString(u.InvoiceNo + " " + u.Amount.StringFixed(2) + "\n")
	}
	return Figures{
		{Field: "open", Label: "What is not applied of it", Value: p.Open.StringFixed(2), At: Nowhere},
		{Field: "uses", Label: "What it was applied to", Value: ShownDigest(uses.String()), At: Nowhere, Unsaid: true},
	}
}

// CreditEntry is the desk's form for a credit memo without goods, as typed.
type CreditEntry struct {
	Amount    string `form:"credit_amount"`
	Reason    string `form:"credit_reason"`
	InvoiceNo string `form:"credit_invoice"`
	Shown     string `form:"shown"` // DeskAccount.Figures of the form's page; empty: not compared
}

// DeskPayment is a row of the desk's list of payments.
type DeskPayment struct {
	Payment
	CustomerNo   string `json:"customer_no"`
	CustomerName string `json:"customer_name"`
}

// DeskInvoice is a row of the desk's list of invoices.
type DeskInvoice struct {
	Invoice
	CustomerNo   string `json:"customer_no"`
	CustomerName string `json:"customer_name"`
}

// ToInvoice is an order of which something has shipped and is not invoiced.
type ToInvoice struct {
	OrderNo      string    `json:"order_no"`
	CustomerNo   string    `json:"customer_no"`
	CustomerName string    `json:"customer_name"`
	Status       string    `json:"status"`
	ShippedAt    time.Time `json:"shipped_at"`
	Lines        int       `json:"lines"`
	Amount       Money     `json:"amount"` // merchandise
	Freight      Money     `json:"freight"`
	Quantities   string    `json:"-"` // a digest of the lines' quantities
}

// Figures are what pages show of it.
func (o ToInvoice) Figures() Figures {
	of := "Order " + o.OrderNo + ": "
	f := Figures{
		{Field: "lines", Label: of + "lines to invoice", Value: strconv.Itoa(o.Lines)},
		{Field: "amount", Label: of + "merchandise to invoice", Value: o.Amount.StringFixed(2)},
		{Field: "freight", Label: of + "freight", Value: o.Freight.StringFixed(2)},
		{Field: "quantities", Label: of + "what shipped", Value: o.Quantities, Unsaid: true},
	}
	for i := range f {
		f[i].At = "freight-" + o.OrderNo
	}
	return f
}

// Shown is what pages show of it, as their forms carry it.
func (o ToInvoice) Shown() string { return o.Figures().Shown() }

// FailedStatement is one that could not be made, with the reason.
type FailedStatement struct {
	ID         StatementID `json:"statement_id" db:"statement_id"`
	CustomerNo string      `json:"customer_no"`
	Name       string      `json:"name"`
	From       time.Time   `json:"from" db:"period_from"`
	To         time.Time   `json:"to" db:"period_to"`
	Error      string      `json:"error"`
}

// MoneyDesk is the staff's side of what customers owe and have paid.
type MoneyDesk interface {
	// AgingReport is by balance, the largest first; search narrows by number
	// or name.
	AgingReport(ctx context.Context, who Session, q AccountQuery, search string) (AgingReport, error)
	Account(ctx context.Context, who Session, customerNo string, q AccountQuery) (DeskAccount, error)
	Statement(ctx context.Context, who Session, customerNo string, p Period) (Statement, error)
	Payments(ctx context.Context, who Session, search, before string) (rows []DeskPayment, next string, err error)
	Payment(ctx context.Context, who Session, paymentNo string) (PaymentDetail, error)
	// PostPayment enters a payment and applies it. It is CodeInvalid at the
	// fields of the entry, for an invoice at apply-<number>. The same key again
	// returns the payment that it made.
	PostPayment(ctx context.Context, who Session, customerNo string, e PaymentEntry) (paymentNo string, err error)
	// ReversePayment is for one that came back: what it paid is open again
	// from that day on. It is CodeConflict where the payment is used otherwise
	// than shown (PaymentDetail.Figures; empty: not compared).
	ReversePayment(ctx context.Context, who Session, paymentNo, on, reason, shown string) error
	// ApplyCredit is CodeConflict where the page showed other amounts open.
	ApplyCredit(ctx context.Context, who Session, use CreditUse) error
	IssueCredit(ctx context.Context, who Session, customerNo string, e CreditEntry) (memoNo string, err error)
}

// InvoiceDesk is the staff's side of invoices.
type InvoiceDesk interface {
	// Invoices lists all customers' invoices, the newest first; state is one
	// of those of InvoiceFilter.
	Invoices(ctx context.Context, who Session, state, search, before string) (rows []DeskInvoice, next string, err error)
	Invoice(ctx context.Context, who Session, invoiceNo string) (InvoiceDetail, error)
	ToInvoice(ctx context.Context, who Session) ([]ToInvoice, error)
	// InvoiceOrders invoices what has shipped of each, with the freight as typed
	// by order number (none: that of its shipments); those with nothing to
	// invoice any more are passed over. CodeInvalid at freight-<order number>,
	// CodeConflict there where more or less waits than shown (ToInvoice.Shown by
	// order number; none: not compared).
	InvoiceOrders(ctx context.Context, who Session, orderNos []string, freight,
		shown map[string]string) (invoiceNos []string, err error)
}

// StatementDesk is the operators' side of the monthly statements.
type StatementDesk interface {
	// StatementRuns are the monthly runs, the newest first.
	StatementRuns(ctx context.Context, who Session) ([]StatementRun, error)
	// FailedStatements are those that could not be made.
	FailedStatements(ctx context.Context, who Session) ([]FailedStatement, error)
	// BeginStatementRun begins a run over a period; CodeConflict where there
	// was one.
	BeginStatementRun(ctx context.Context, who Session, from, to time.Time) error
	// RetryStatements puts what failed back into the queue.
	RetryStatements(ctx context.Context, who Session) (n int, err error)
}
