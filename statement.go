package portal

import (
	"context"
	"time"
)

// StatementID identifies a stored statement.
type StatementID int64

// Period is what a statement covers: the documents from From to To, both
// included, and the aging as of AsOf. Nil takes the default: To is today, or
// AsOf if that is given; From the first of To's month; AsOf is To.
type Period struct {
	From, To, AsOf *time.Time
}

// Resolve fills in the defaults. An AsOf before To ends the period there: what
// was posted later was not known.
func (p Period) Resolve(today time.Time) (from, to, asOf time.Time, err error) {
	to = today
	switch {
	case p.To != nil:
		to = *p.To
	case p.AsOf != nil:
		to = *p.AsOf
	}
	asOf = to
	if p.AsOf != nil {
		asOf = *p.AsOf
	}
	if asOf.Before(to) {
		to = asOf
	}
	from = time.Date(to.Year(), to.Month(), 1, 0, 0, 0, 0, time.UTC)
	if p.From != nil {
		from = *p.From
	}
	switch {
	case to.Before(from):
		return from, to, asOf, Invalid("from", "The first day must not lie after the last.")
	case asOf.After(today):
		return from, to, asOf, Invalid("as_of", "Choose a day up to today.")
	case to.After(today):
		return from, to, asOf, Invalid("to", "Choose a day up to today.")
	}
	return from, to, asOf, nil
}

// Movement is one document on a statement, with the balance after it. Payments
// and credits are negative.
type Movement struct {
	Date      time.Time  `json:"date" db:"doc_date"`
	Kind      string     `json:"kind"` // invoice, adjustment, credit_memo, payment, reversal
	DocNo     string     `json:"doc_no"`
	DueDate   *time.Time `json:"due_date"`
	Reference string     `json:"reference"`
	Amount    Money      `json:"amount"`
	Balance   Money      `json:"balance"`
}

// KindWord is what a document is called on a statement.
func (m Movement) KindWord() string { return DocumentWord(m.Kind) }

// DocumentWord is what a kind of document is called on papers and lists.
func DocumentWord(kind string) string {
	switch kind {
	case "invoice":
		return "Invoice"
	case "adjustment":
		return "Adjustment"
	case "credit_memo":
		return "Credit memo"
	case "payment":
		return "Payment"
	case "reversal":
		return "Payment returned"
	}
	return kind
}

// Statement is a customer's account over a period. Opening and the movements
// add up to Closing; with what was posted after the period, up to the as-of
// day, to the balance of the aging.
type Statement struct {
	CustomerNo   string     `json:"customer_no"`
	CustomerName string     `json:"customer_name"`
	BillTo       string     `json:"bill_to"` // lines below the name
	From         time.Time  `json:"from" db:"-"`
	To           time.Time  `json:"to" db:"-"`
	AsOf         time.Time  `json:"as_of" db:"-"`
	Basis        string     `json:"basis"`
	Currency     string     `json:"currency"`
	Company      string     `json:"company"`
	RemitTo      string     `json:"remit_to"`
	TermsDays    int        `json:"terms_days"`
	Opening      Money      `json:"opening_balance"`
	Closing      Money      `json:"closing_balance"`
	Later        Money      `json:"posted_later" db:"-"` // after To, up to AsOf
	Aging        Aging      `json:"aging" db:"-"`
	Lines        []Movement `json:"documents" db:"-"`
}

// BillToLines are the written lines of the bill-to address.
func (s Statement) BillToLines() []string { return writtenLines(s.BillTo) }

// RemitToLines are the lines of the address that payments go to.
func (s Statement) RemitToLines() []string { return writtenLines(s.RemitTo) }

// SentPaper is a stored statement in a list.
type SentPaper struct {
	ID          StatementID `json:"statement_id" db:"statement_id"`
	From        time.Time   `json:"from" db:"period_from"`
	To          time.Time   `json:"to" db:"period_to"`
	Status      string      `json:"status"` // QUEUED, READY, FAILED
	RequestedBy string      `json:"requested_by"`
	RequestedAt time.Time   `json:"requested_at"`
	Closing     *Money      `json:"closing_balance"` // nil until it is ready
}

// Paper is a document ready to be read or printed.
type Paper struct {
	Name      string // file name
	MediaType string
	Data      []byte
}

// Printer makes papers. Safe for concurrent use; the same input gives the same
// bytes.
type Printer interface {
	StatementPDF(s Statement) ([]byte, error)
	InvoicePDF(i InvoiceDetail) ([]byte, error)
}

// StatementRun is a monthly run as operators see it.
type StatementRun struct {
	ID         int64      `json:"run_id" db:"run_id"`
	From       time.Time  `json:"from" db:"period_from"`
	To         time.Time  `json:"to" db:"period_to"`
	StartedAt  time.Time  `json:"started_at"`
	StartedBy  string     `json:"started_by"`
	FinishedAt *time.Time `json:"finished_at"`
	Wanted     int        `json:"wanted"` // statements of it
	Ready      int        `json:"ready"`
	Failed     int        `json:"failed"`
}

// Share is how much of the run is done, in percent.
func (r StatementRun) Share() int {
	if r.Wanted == 0 {
		return 100
	}
	return (r.Ready + r.Failed) * 100 / r.Wanted
}

// StatementMaker makes the statements that wait to be made.
type StatementMaker interface {
	// BeginMonthlyRun begins the run over last month if that is due and not
	// begun, and returns how many statements it asks for; 0: nothing to do.
	BeginMonthlyRun(ctx context.Context) (wanted int, err error)
	// MakeStatements makes up to n statements that wait, in one transaction
	// together with their documents and mails. Several may run at once, in one
	// process or many; what one is at, the others pass over. One that cannot be
	// made is marked so and holds up nobody. Returns how many were dealt with.
	MakeStatements(ctx context.Context, n int) (done int, err error)
}
