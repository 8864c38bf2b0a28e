package portal

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Invoice is one row of a list of invoices. Total is nil where the customer may
// not see prices, OpenAmount also where it may not see its balance: what is
// open tells what was paid.
type Invoice struct {
	InvoiceNo   string    `json:"invoice_no"`
	Kind        string    `json:"kind"` // invoice, adjustment
	OrderNo     *string   `json:"order_no"`
	PONo        *string   `json:"po_no"`
	InvoiceDate time.Time `json:"invoice_date"`
	DueDate     time.Time `json:"due_date"`
	Total       *Money    `json:"total"`
	OpenAmount  *Money    `json:"open_amount"`
	State       string    `json:"state"` // OPEN, PART_PAID, PAID, PAST_DUE
}

// InvoiceLine is one line of an invoice, at the price of its order line.
type InvoiceLine struct {
	LineNo      int     `json:"line_no"`
	ItemNo      *string `json:"item_no"`
	Description string  `json:"description"`
	UOM         string  `json:"uom"`
	Qty         Qty     `json:"qty"`
	UnitPrice   *Price  `json:"unit_price"`
	LineTotal   *Price  `json:"line_total"`
}

// Applied is what was taken off an invoice: a payment, a credit memo, or one of
// them taken back, which is negative.
type Applied struct {
	Kind   string    `json:"kind"` // payment, credit_memo
	DocNo  string    `json:"doc_no"`
	On     time.Time `json:"applied_on" db:"applied_on"`
	Amount Money     `json:"amount"`
}

// InvoiceDetail is the invoice page and paper.
type InvoiceDetail struct {
	Invoice
	CustomerNo   string        `json:"customer_no"`
	CustomerName string        `json:"customer_name"`
	BillTo       string        `json:"bill_to"` // lines below the name
	TermsDays    int           `json:"terms_days"`
	RemitTo      string        `json:"remit_to"`
	Currency     string        `json:"currency"`
	Merchandise  *Money        `json:"merchandise"` // before tax and freight
	TaxRate      Rate          `json:"tax_rate"`
	Tax          *Money        `json:"tax"`
	Freight      *Money        `json:"freight"`
	ShipTo       *ShipTo       `json:"ship_to" db:"-"`
	Lines        []InvoiceLine `json:"lines" db:"-"`
	// Applied is what was paid and credited; nil where the balance is hidden.
	Applied []Applied `json:"applied,omitempty" db:"-"`
}

// BillToLines are the written lines of the bill-to address.
func (i InvoiceDetail) BillToLines() []string { return writtenLines(i.BillTo) }

// RemitToLines are the lines of the address that payments go to.
func (i InvoiceDetail) RemitToLines() []string { return writtenLines(i.RemitTo) }

// writtenLines leaves out what is empty.
func writtenLines(text string) []string {
	return slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return strings.TrimSpace(line) == "" })
}

// States that a list of invoices can be narrowed to.
const (
	InvoicesOpen    = "open"
	InvoicesPastDue = "past_due"
	InvoicesPaid    = "paid"
)

// InvoiceFilter narrows a list of invoices. The zero value is all, newest
// first.
type InvoiceFilter struct {
	State  string     // one of the constants above, or empty
	Query  string     // part of an invoice, order or PO number
	From   *time.Time // invoice dates, both ends included
	To     *time.Time
	Before string // paging: the cursor of the last row seen
}

// Invoices is one page of a list of invoices.
type Invoices struct {
	Invoices []Invoice `json:"invoices"`
	Next     string    `json:"next,omitempty"` // cursor of the next page; empty on the last
}

// InvoiceService shows a customer its invoices.
type InvoiceService interface {
	Invoices(ctx context.Context, who Session, f InvoiceFilter) (Invoices, error)
	// EachInvoice tells all that the filter leaves, newest first, and stops at
	// the first error of tell.
	EachInvoice(ctx context.Context, who Session, f InvoiceFilter, tell func(Invoice) error) error
	// Invoice is CodeNotFound for an invoice that is not the customer's.
	Invoice(ctx context.Context, who Session, invoiceNo string) (InvoiceDetail, error)
}
