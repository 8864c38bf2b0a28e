package portal

import (
	"time"
)

// CreditMemo is a credit memo, with amounts nil where prices are hidden.
type CreditMemo struct {
	MemoNo     string           `json:"memo_no"`
	MemoDate   time.Time        `json:"memo_date"`
	Reason     string           `json:"reason"`
	InvoiceNo  *string          `json:"invoice_no"`
	RequestNo  *string          `json:"request_no"`
	Total      *Money           `json:"total"`
	OpenAmount *Money           `json:"open_amount"`
	CustomerNo string           `json:"customer_no"`
	Customer   string           `json:"customer_name"`
	Lines      []CreditMemoLine `json:"lines" db:"-"`
	Applied    []AppliedCredit  `json:"applied" db:"-"`
}

// CreditMemoLine is one line of a credit memo, at the invoice line's price.
type CreditMemoLine struct {
	LineNo      int     `json:"line_no"`
	ItemNo      *string `json:"item_no"`
	InvoiceNo   *string `json:"invoice_no"`
	Description string  `json:"description"`
	UOM         string  `json:"uom"`
	Qty         Qty     `json:"qty"`
	UnitPrice   *Price  `json:"unit_price"`
	LineTotal   *Price  `json:"line_total"`
}

// AppliedCredit is a part of a credit memo that was applied to an invoice.
type AppliedCredit struct {
	InvoiceNo string    `json:"invoice_no"`
	On        time.Time `json:"applied_on" db:"applied_on"`
	Amount    *Money    `json:"amount"`
}
