package portal

import (
	"context"
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
	Apply       map[string]string
}

// CreditEntry is the desk's form for a credit memo without goods, as typed.
type CreditEntry struct {
	Amount    string `form:"credit_amount"`
	Reason    string `form:"credit_reason"`
	InvoiceNo string `form:"credit_invoice"`
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
}

// DeskMoneyService is the staff's side of what is owed.
type DeskMoneyService interface {
	// AgingReport is by balance, the largest first; search narrows by number
	// or name.
	AgingReport(ctx context.Context, who Session, q AccountQuery, search string) (AgingReport, error)
	DeskAccount(ctx context.Context, who Session, customerNo string, q AccountQuery) (DeskAccount, error)
	DeskStatement(ctx context.Context, who Session, customerNo string, p Period) (Statement, error)

	DeskPayments(ctx context.Context, who Session, search, before string) (rows []DeskPayment, next string, err error)
	DeskPayment(ctx context.Context, who Session, paymentNo string) (PaymentDetail, error)
	// PostPayment enters a payment and applies it. It is CodeInvalid at the
	// fields of the entry, for an invoice at apply-<number>. The same key again
	// returns the payment that it made.
	PostPayment(ctx context.Context, who Session, customerNo string, e PaymentEntry) (paymentNo string, err error)
	// ReversePayment is for one that came back: what it paid is open again
	// from that day on.
	ReversePayment(ctx context.Context, who Session, paymentNo, on, reason string) error
	// ApplyCredit applies what is open of a payment or memo to an invoice; a
	// negative amount takes it back.
	ApplyCredit(ctx context.Context, who Session, kind, docNo, invoiceNo, amount string) error
	IssueCredit(ctx context.Context, who Session, customerNo string, e CreditEntry) (memoNo string, err error)

	// DeskInvoices lists all customers' invoices, the newest first; state is one
	// of those of InvoiceFilter.
	DeskInvoices(ctx context.Context, who Session, state, search, before string) (rows []DeskInvoice, next string, err error)
	DeskInvoice(ctx context.Context, who Session, invoiceNo string) (InvoiceDetail, error)
	ToInvoice(ctx context.Context, who Session) ([]ToInvoice, error)
	// InvoiceOrders invoices what has shipped of each, with the freight as typed
	// by order number (none: that of its shipments); those with nothing to
	// invoice any more are passed over. CodeInvalid at freight-<order number>.
	InvoiceOrders(ctx context.Context, who Session, orderNos []string, freight map[string]string) (invoiceNos []string, err error)

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

// FailedStatement is one that could not be made, with the reason.
type FailedStatement struct {
	ID         StatementID `json:"statement_id" db:"statement_id"`
	CustomerNo string      `json:"customer_no"`
	Name       string      `json:"name"`
	From       time.Time   `json:"from" db:"period_from"`
	To         time.Time   `json:"to" db:"period_to"`
	Error      string      `json:"error"`
}
