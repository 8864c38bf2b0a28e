package portal

import (
	"context"
	"time"
)

// OpenDocument is a document of which something was open on a day. Credits and
// payments are negative.
type OpenDocument struct {
	Kind      string     `json:"kind"` // invoice, adjustment, credit_memo, payment
	DocNo     string     `json:"doc_no"`
	Date      time.Time  `json:"date" db:"doc_date"`
	DueDate   *time.Time `json:"due_date"`
	Reference string     `json:"reference"` // PO number, reason, or how it was paid
	Total     Money      `json:"total"`
	Amount    Money      `json:"open_amount"`
	Age       int        `json:"age"`    // days, by the basis
	Bucket    int        `json:"bucket"` // 0 current, 1 30–59, 2 60–89, 3 90 and more
	Overdue   bool       `json:"overdue"`
	InBucket  int        `json:"-"` // how many documents its bucket has; only the oldest are listed
}

// Payment is money that came in. Open is what of it is not applied.
type Payment struct {
	PaymentNo  string     `json:"payment_no"`
	Date       time.Time  `json:"payment_date" db:"payment_date"`
	Method     string     `json:"method"`
	Reference  string     `json:"reference"`
	Amount     Money      `json:"amount"`
	Open       Money      `json:"open_amount" db:"open_amount"`
	ReversedOn *time.Time `json:"reversed_on"` // it came back; nil: it has not
	Reason     *string    `json:"reversed_reason" db:"reversed_reason"`
}

// PaymentUse is one invoice that a payment was applied to.
type PaymentUse struct {
	InvoiceNo string    `json:"invoice_no"`
	On        time.Time `json:"applied_on" db:"applied_on"`
	Amount    Money     `json:"amount"` // negative: taken back
}

// PaymentDetail is one payment with what it paid.
type PaymentDetail struct {
	Payment
	CustomerNo   string       `json:"customer_no"`
	CustomerName string       `json:"customer_name"`
	EnteredBy    string       `json:"entered_by,omitempty"` // staff only
	Uses         []PaymentUse `json:"applied" db:"-"`
}

// ReasonText is why it came back, as a sentence; empty where it has not, or
// nobody wrote it.
func (p PaymentDetail) ReasonText() string {
	if p.Reason == nil || *p.Reason == "" {
		return ""
	}
	return " Reason: " + *p.Reason + "."
}

// Payments is one page of a list of payments, the newest first.
type Payments struct {
	Payments []Payment `json:"payments"`
	Next     string    `json:"next,omitempty"` // cursor of the next page; empty on the last
}

// Account is what a customer owes, as of a day.
type Account struct {
	AsOf        time.Time      `json:"as_of"`
	Today       time.Time      `json:"-"`
	Basis       string         `json:"basis"`
	Currency    string         `json:"currency"`
	Aging       Aging          `json:"aging" db:"-"`
	Open        []OpenDocument `json:"open_documents" db:"-"`  // the oldest 100 of each bucket
	Payments    []Payment      `json:"recent_payments" db:"-"` // the newest 10, up to the day
	Statements  []SentPaper    `json:"statements" db:"-"`      // the newest 24
	CreditLimit *Money         `json:"credit_limit"`           // nil: none
	CreditRoom  *Money         `json:"credit_room"`            // what of it is free today; nil without a limit
}

// AccountQuery asks for an account. A nil day is today, an empty basis the
// company's.
type AccountQuery struct {
	AsOf  *time.Time
	Basis string
}

// Validate checks the basis.
func (q AccountQuery) Validate() error {
	if q.Basis != "" && q.Basis != BasisInvoiceDate && q.Basis != BasisDueDate {
		return Invalid("basis", "Choose invoice date or due date.")
	}
	return nil
}

// AccountService shows a customer what it owes. All of it is CodeForbidden for
// a customer that may not see its balance, and for log-ins whose role does not
// see the account.
type AccountService interface {
	Account(ctx context.Context, who Session, q AccountQuery) (Account, error)
	Payments(ctx context.Context, who Session, before string) (Payments, error)
	// Payment is CodeNotFound for one that is not the customer's.
	Payment(ctx context.Context, who Session, paymentNo string) (PaymentDetail, error)

	// Statement computes a statement; nothing is stored.
	Statement(ctx context.Context, who Session, p Period) (Statement, error)
	// RequestStatement has one made, stored and told; the trigger enqueues the
	// job.
	RequestStatement(ctx context.Context, who Session, p Period) (StatementID, error)
	// StatementPaper is a stored statement: CodeNotFound for another
	// customer's, or one that is not ready.
	StatementPaper(ctx context.Context, who Session, id StatementID) (Paper, error)
}
