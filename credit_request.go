package portal

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
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
		f = append(f, Figure{Field: "qty_" + no, Label: of + "the quantity asked for", Value: qty(&l.Qty), At: Nowhere, Needed: true},
			Figure{Field: "approved_" + no, Label: of + "what is approved", Value: qty(l.Approved), At: Nowhere},
			Figure{Field: "received_" + no, Label: of + "what came back", Value: qty(l.Received), At: Nowhere},
			Figure{Field: "reason_" + no, Label: of + "the reason", Value: l.Reason, At: Nowhere})
	}
	return append(f, Figure{Field: "lines", Label: "The number of lines", Value: strconv.Itoa(len(d.RequestLines)), At: Nowhere})
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

// ReturnReason is why something may be returned, and by which rules.
type ReturnReason struct {
	Code        string     `json:"reason_code" db:"reason_code"`
	Name        string     `json:"name"`
	GoodsReturn bool       `json:"goods_return"`
	NeedsText   bool       `json:"needs_text"`
	Until       *time.Time `json:"until"` // last day for this invoice; nil: no limit
	Late        bool       `json:"late"`  // that day has passed
}

// Rule is the reason's rules in words; "" where it has none. dates writes a day.
func (r ReturnReason) Rule(dates func(time.Time) string) string {
	var parts []string
	if r.Late {
		parts = append(parts, "was possible until "+dates(*r.Until))
	} else if r.Until != nil {
		parts = append(parts, "until "+dates(*r.Until))
	}
	if r.GoodsReturn {
		parts = append(parts, "we need the goods back")
	}
	if r.NeedsText {
		parts = append(parts, "say what happened")
	}
	return strings.Join(parts, ", ")
}

// ReturnableLine is a line of an invoice with what can still be returned of it.
type ReturnableLine struct {
	LineNo      int     `json:"line_no"`
	ItemNo      *string `json:"item_no"`
	Description string  `json:"description"`
	UOM         string  `json:"uom"`
	Qty         Qty     `json:"qty"` // invoiced
	Credited    Qty     `json:"qty_credited"`
	Pending     Qty     `json:"qty_pending"` // asked for by requests that are open
	Left        Qty     `json:"qty_left"`
	UnitPrice   *Price  `json:"unit_price"` // nil where prices are hidden
}

// Why says where the rest of the line has gone; "" where all of it is left.
func (l ReturnableLine) Why() string {
	var parts []string
	if l.Credited.IsPositive() {
		parts = append(parts, l.Credited.Decimal.String()+" credited")
	}
	if l.Pending.IsPositive() {
		parts = append(parts, l.Pending.Decimal.String()+" in open requests")
	}
	return strings.Join(parts, ", ")
}

// ReturnForm is what a request can be made of.
type ReturnForm struct {
	InvoiceNo   string           `json:"invoice_no"`
	InvoiceDate time.Time        `json:"invoice_date"`
	Adjustment  bool             `json:"-"` // nothing on it can be returned
	Lines       []ReturnableLine `json:"lines" db:"-"`
	Reasons     []ReturnReason   `json:"reasons" db:"-"`
	Photos      []Photo          `json:"photos" db:"-"` // kept under the form's key
}

// NothingLeft reports whether nothing of the invoice can be returned any more.
func (f ReturnForm) NothingLeft() bool {
	return f.Adjustment || !slices.ContainsFunc(f.Lines, func(l ReturnableLine) bool { return l.Left.IsPositive() })
}

// NewReturn is a request as it is sent.
type NewReturn struct {
	Key       string // made with the form: sent again, it finds the request it made
	InvoiceNo string
	Note      string
	Lines     []NewReturnLine
}

// NewReturnLine is a line of a request as it is sent. Qty is nil where what was
// typed is no quantity.
type NewReturnLine struct {
	LineNo     int // of the invoice
	Qty        *Qty
	ReasonCode string
	Note       string
}

// ReturnFinding is one objection to a request: see portal.request_return.
type ReturnFinding struct {
	Code   string
	Line   int
	Field  string
	Detail json.RawMessage
}

// Text is the objection in the customer's words.
func (f ReturnFinding) Text() (string, error) {
	var d struct {
		Left, Credited, Pending Qty
		UOM, Name, Until        string
		Whole                   bool
	}
	if len(f.Detail) > 0 {
		if err := json.Unmarshal(f.Detail, &d); err != nil {
			return "", fmt.Errorf("return finding %s: %w", f.Code, err)
		}
	}
	switch f.Code {
	case "no_lines":
		return "Say how many of which line you want to return.", nil
	case "qty":
		if d.Whole {
			return "Enter a quantity in " + d.UOM + ", in whole pieces.", nil
		}
		return "Enter a quantity, like 12.", nil
	case "over":
		text := d.Left.Decimal.String() + " left"
		if why := (ReturnableLine{Credited: d.Credited, Pending: d.Pending}).Why(); why != "" {
			text += ": " + why
		}
		return text + ".", nil
	case "reason":
		return "Choose why.", nil
	case "reason_late":
		if at, err := time.Parse(time.DateOnly, d.Until); err == nil {
			return d.Name + " was possible until " + at.Format("2 Jan 2006") + ". Please call us.", nil
		}
		return d.Name + " is no longer possible. Please call us.", nil
	case "text":
		return "Say what happened.", nil
	}
	return "This cannot be returned here. Please call us.", nil
}

// ReturnedLine is what has become of an invoice line by returns.
type ReturnedLine struct {
	LineNo   int `json:"line_no"`
	Invoiced Qty `json:"qty_invoiced"`
	Credited Qty `json:"qty_credited"`
	Pending  Qty `json:"qty_pending"`
	Left     Qty `json:"qty_left"`
}

// Why says where the rest of the line has gone; "" where all of it is left.
func (l ReturnedLine) Why() string {
	return ReturnableLine{Credited: l.Credited, Pending: l.Pending}.Why()
}

// InvoiceReturns is what the page of an invoice says about returns.
type InvoiceReturns struct {
	Lines    []ReturnedLine  `json:"lines" db:"-"`
	Requests []CreditRequest `json:"requests" db:"-"`
}

// Left is how much of a line can still be returned; zero for none.
func (r InvoiceReturns) Left(lineNo int) Qty {
	for _, l := range r.Lines {
		if l.LineNo == lineNo {
			return l.Left
		}
	}
	return Qty{}
}

// Any reports whether something can still be returned.
func (r InvoiceReturns) Any() bool {
	return slices.ContainsFunc(r.Lines, func(l ReturnedLine) bool { return l.Left.IsPositive() })
}

// Why says what of a line was returned; "" for nothing.
func (r InvoiceReturns) Why(lineNo int) string {
	for _, l := range r.Lines {
		if l.LineNo == lineNo {
			return l.Why()
		}
	}
	return ""
}

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
