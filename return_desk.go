package portal

import (
	"context"
	"time"
)

// DeskCreditRequest is a request in the staff's list.
type DeskCreditRequest struct {
	CreditRequest
	CustomerNo   string `json:"customer_no"`
	CustomerName string `json:"customer_name"`
	Value        Money  `json:"value"` // of what is asked for, or approved, at the invoice's prices
}

// DeskCreditRequests is one page of the staff's list.
type DeskCreditRequests struct {
	Requests []DeskCreditRequest `json:"requests"`
	Counts   map[string]int      `json:"counts"` // open requests by status
	Now      time.Time           `json:"-"`
	Next     string              `json:"next,omitempty"`
}

// DeskCreditRequestDetail is a request with what staff need to decide about it.
type DeskCreditRequestDetail struct {
	CreditRequestDetail
	CustomerNo   string                `json:"customer_no"`
	CustomerName string                `json:"customer_name"`
	InvoiceDate  time.Time             `json:"invoice_date"`
	InvoiceOpen  Money                 `json:"invoice_open"`
	Balance      Money                 `json:"balance"`
	Exposure     Money                 `json:"exposure"`
	CreditLimit  *Money                `json:"credit_limit"`
	LastYear     int                   `json:"requests_last_year"` // other requests of the customer
	Value        Money                 `json:"value"`
	Moves        []CreditRequestStatus `json:"moves"`
	Rooms        []ReturnedLine        `json:"rooms" db:"-"` // of the invoice lines, this request counted
}

// Room is what has become of an invoice line, this request counted.
func (d DeskCreditRequestDetail) Room(invoiceLineNo int) ReturnedLine {
	for _, r := range d.Rooms {
		if r.LineNo == invoiceLineNo {
			return r
		}
	}
	return ReturnedLine{}
}

// CreditDecision is what staff approve of a request: by line number, all of a
// line that is not named; 0 takes it out.
type CreditDecision struct {
	Qtys   map[int]Qty
	Notes  map[int]string
	Reason string
	From   CreditRequestStatus // what the decider saw; empty: not checked
	Shown  string              // CreditRequestDetail.Figures of what the decider saw; empty: not compared
}

// GoodsReceipt is what came back: by line number, all that was approved of a
// line that is not named. Lines of Restock go back on the shelf.
type GoodsReceipt struct {
	Qtys    map[int]Qty
	Restock []int
	Shown   string // as in CreditDecision
}

// ReturnDesk is the staff's side of returns.
type ReturnDesk interface {
	// Requests lists those that somebody has to do something about,
	// the oldest first; with another status or a query, the newest first.
	Requests(ctx context.Context, who Session, f CreditRequestFilter) (DeskCreditRequests, error)
	Request(ctx context.Context, who Session, requestNo string) (DeskCreditRequestDetail, error)
	Photo(ctx context.Context, who Session, requestNo string, id PhotoID) (PhotoData, error)
	ReviewRequest(ctx context.Context, who Session, requestNo string) error
	// DecideRequest approves, or with nothing left of it rejects, and returns
	// the status that the request has come to.
	DecideRequest(ctx context.Context, who Session, requestNo string, d CreditDecision) (CreditRequestStatus, error)
	RejectRequest(ctx context.Context, who Session, requestNo, reason, shown string) error
	ReceiveGoods(ctx context.Context, who Session, requestNo string, g GoodsReceipt) error
	// IssueMemo makes the credit memo; an empty number takes the next.
	IssueMemo(ctx context.Context, who Session, requestNo, memoNo, shown string) (string, error)
}
