package portal

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// CreditRequestStatus is where a request to return goods stands.
type CreditRequestStatus string

const (
	CreditRequested     CreditRequestStatus = "REQUESTED"
	CreditInReview      CreditRequestStatus = "IN_REVIEW"
	CreditApproved      CreditRequestStatus = "APPROVED" // maybe fewer
	CreditRejected      CreditRequestStatus = "REJECTED"
	CreditAwaitingGoods CreditRequestStatus = "AWAITING_GOODS"
	CreditCredited      CreditRequestStatus = "CREDITED" // has its credit memo
	CreditWithdrawn     CreditRequestStatus = "WITHDRAWN"
)

// Limits of a request. Photos are counted by the database as well.
const (
	MaxReturnPhotos = 6
	MaxReturnNote   = 1000 // letters, of a line and of the request
)

// CreditRequest is one row of a list of requests.
type CreditRequest struct {
	ID          CreditRequestID     `json:"-" db:"request_id"`
	RequestNo   string              `json:"request_no"`
	Status      CreditRequestStatus `json:"status"`
	InvoiceNo   string              `json:"invoice_no"`
	Lines       int                 `json:"lines_count"`
	Asked       Qty                 `json:"asked_qty"`    // over all lines, in their units
	Approved    *Qty                `json:"approved_qty"` // nil until decided
	Part                            // how much of it is approved
	Reasons     []string            `json:"reasons"`
	Photos      int                 `json:"photos_count"`
	MemoNo      *string             `json:"memo_no"`
	Amount      *Money              `json:"credited"` // of the memo; nil without one, or where it is hidden
	RequestedAt time.Time           `json:"requested_at"`
}

// Open reports whether something has yet to become of the request.
func (r CreditRequest) Open() bool {
	return r.Status != CreditRejected && r.Status != CreditCredited && r.Status != CreditWithdrawn
}

// Fewer reports whether less was approved than asked for, but not nothing.
func (r CreditRequest) Fewer() bool {
	return r.Approved != nil && r.Approved.LessThan(r.Asked.Decimal) && r.Approved.IsPositive()
}

// Undecided reports whether somebody has yet to say what becomes of it.
func (r CreditRequest) Undecided() bool {
	return r.Status == CreditRequested || r.Status == CreditInReview
}

// ApprovedWords say how much of what was asked for is approved.
func (r CreditRequest) ApprovedWords() string {
	if r.Approved == nil {
		return ""
	}
	return r.of(*r.Approved, r.Asked)
}

// CreditRequestLine is one line of a request, in the unit of its invoice line.
type CreditRequestLine struct {
	LineNo        int     `json:"line_no"`
	InvoiceLineNo int     `json:"invoice_line_no"`
	ItemNo        *string `json:"item_no"`
	Description   string  `json:"description"`
	UOM           string  `json:"uom"`
	Qty           Qty     `json:"qty"`
	Approved      *Qty    `json:"qty_approved"` // nil until decided
	Received      *Qty    `json:"qty_received"` // nil until the goods are back, or need not be
	Credited      *Qty    `json:"qty_credited"` // nil without a credit memo
	ReasonCode    string  `json:"reason_code"`
	Reason        string  `json:"reason"`
	GoodsReturn   bool    `json:"goods_return"` // these goods must come back
	Note          string  `json:"note"`
	DecisionNote  string  `json:"decision_note"` // why fewer
	UnitPrice     *Price  `json:"unit_price"`    // of the invoice; nil where prices are hidden
}

// Fewer reports whether less was approved of the line than asked for.
func (l CreditRequestLine) Fewer() bool {
	return l.Approved != nil && l.Approved.LessThan(l.Qty.Decimal)
}

// CreditStep is one row of a request's history.
type CreditStep struct {
	From       *CreditRequestStatus `json:"from"`
	To         CreditRequestStatus  `json:"to"`
	At         time.Time            `json:"at"`
	Actor      string               `json:"actor"`
	ByCustomer bool                 `json:"by_customer"`
	Reason     *string              `json:"reason"`
}

// Photo is what is told of a photo; PhotoData is the photo itself.
type Photo struct {
	ID      PhotoID   `json:"photo_id" db:"photo_id"`
	Name    string    `json:"name"`
	Width   int       `json:"width"`
	Height  int       `json:"height"`
	Bytes   int       `json:"bytes"`
	AddedAt time.Time `json:"added_at"`
}

// PhotoData is a photo to be kept or shown: JPEG, PNG or WebP by its content.
type PhotoData struct {
	Name          string
	MediaType     string
	Width, Height int
	Data          []byte
}

// CreditRequestDetail is the page of a request.
type CreditRequestDetail struct {
	CreditRequest
	StatusReason  *string             `json:"status_reason"`
	Note          string              `json:"note"`
	RequestedBy   string              `json:"requested_by"`
	GoodsReturn   bool                `json:"goods_return"` // some goods must come back
	GoodsAt       *time.Time          `json:"goods_received_at" db:"goods_received_at"`
	RequestLines  []CreditRequestLine `json:"lines" db:"-"`
	History       []CreditStep        `json:"history" db:"-"`
	RequestPhotos []Photo             `json:"photos" db:"-"`
}

// Figures are what the page of a request shows that somebody decides on.
func (d CreditRequestDetail) Figures() Figures {
	qty := func(q *Qty) string {
		if q == nil {
			return ""
		}
		return shownQty(*q)
	}
	f := Figures{{Field: "status", Label: "The request", Value: strings.ToLower(string(d.Status)), At: Nowhere}}
	for _, l := range d.RequestLines {
		no, of := strconv.Itoa(l.LineNo), l.Description+": "
		f = append(f, Figure{Field: "qty_" + no, Label: of + "the quantity asked for", Value: qty(&l.Qty), At: Nowhere,
			Needed: true},
			Figure{Field: "approved_" + no, Label: of + "what is approved", Value: qty(l.Approved), At: Nowhere},
			Figure{Field: "received_" + no, Label: of + "what came back", Value: qty(l.Received), At: Nowhere},
			Figure{Field: "reason_" + no, Label: of + "the reason", Value: l.Reason, At: Nowhere})
	}
	return append(f, Figure{Field: "lines", Label: "The number of lines",
		Value: strconv.Itoa(len(d.RequestLines)), At: Nowhere})
}

// Shown is what the page shows of the request, as its forms carry it.
func (d CreditRequestDetail) Shown() string { return d.Figures().Shown() }

// CreditRequests is one page of a list of requests.
type CreditRequests struct {
	Requests []CreditRequest `json:"requests"`
	Next     string          `json:"next,omitempty"` // cursor of the next page; empty on the last
}

// CreditRequestFilter narrows a list of requests. The zero value is all, the
// newest first.
type CreditRequestFilter struct {
	Status string // a status, "open", or empty
	Query  string // part of a request's or an invoice's number; at the desk of a customer's as well
	Before string // paging: the cursor of the last row seen
}

// CreditRequestService is a customer's side of returns. What is not the
// customer's is CodeNotFound.
type CreditRequestService interface {
	CreditRequests(ctx context.Context, who Session, f CreditRequestFilter) (CreditRequests, error)
	CreditRequest(ctx context.Context, who Session, requestNo string) (CreditRequestDetail, error)
	// ReturnForm is for one of the customer's invoices; key is the form's.
	ReturnForm(ctx context.Context, who Session, invoiceNo, key string) (ReturnForm, error)
	// RequestReturn makes the request, once for a key, and returns its number.
	// A refusal is a *Error whose fields have the invoice line in Line.
	RequestReturn(ctx context.Context, who Session, r NewReturn) (requestNo string, err error)
	WithdrawRequest(ctx context.Context, who Session, requestNo string) error

	// AddPhoto keeps a photo under a form's key, DropPhotos forgets those of a
	// form that was not sent. AddRequestPhoto is for a request that nobody has
	// decided on.
	AddPhoto(ctx context.Context, who Session, key string, p PhotoData) error
	DropPhotos(ctx context.Context, who Session, key string, ids []PhotoID) error
	AddRequestPhotos(ctx context.Context, who Session, requestNo string, photos []PhotoData) error
	// Photo is one of a request; of requestNo "new", of a form not sent yet.
	Photo(ctx context.Context, who Session, requestNo string, id PhotoID) (PhotoData, error)

	InvoiceReturns(ctx context.Context, who Session, invoiceNo string) (InvoiceReturns, error)
	// CreditMemo is CodeNotFound where the balance is hidden, too.
	CreditMemo(ctx context.Context, who Session, memoNo string) (CreditMemo, error)
}
