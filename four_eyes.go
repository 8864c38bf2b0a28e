package portal

import (
	"context"
	"encoding/json"
	"time"
)

// EntryID is a row of portal.held_entry.
type EntryID int64

// HeldError says that what was entered waits for a second person: nothing is posted yet.
type HeldError struct{ ID EntryID }

func (e *HeldError) Error() string { return "waits for a second person" }

// HeldMessage is what who entered it reads.
const HeldMessage = "Entered. A second person with the duty Credit has to approve it before it is posted."

// EntryKind is what a second person decides about.
type EntryKind string

const (
	EntryPayment EntryKind = "payment" // a payment
	EntryCredit  EntryKind = "credit"  // a credit memo over an amount
	EntryReturn  EntryKind = "return"  // the credit memo of a return
	EntryRelease EntryKind = "release" // an order's credit; the amount is the order's total
)

// Label is how a list calls it.
func (k EntryKind) Label() string {
	switch k {
	case EntryPayment:
		return "Payment"
	case EntryCredit:
		return "Credit memo"
	case EntryReturn:
		return "Credit memo of a return"
	case EntryRelease:
		return "Release of credit"
	}
	return string(k)
}

// HeldEntry is what somebody entered and a second person approves.
type HeldEntry struct {
	ID           EntryID         `json:"entry_id" db:"entry_id"`
	Kind         EntryKind       `json:"kind"`
	CustomerNo   string          `json:"customer_no"`
	CustomerName string          `json:"customer_name"`
	Amount       Money           `json:"amount"`
	Args         json.RawMessage `json:"entered"`
	Status       string          `json:"status"` // WAITING, APPROVED, REJECTED
	EnteredBy    string          `json:"entered_by"`
	EnteredByID  LoginID         `json:"-" db:"entered_by_id"`
	EnteredAt    time.Time       `json:"entered_at"`
	DecidedBy    string          `json:"decided_by"`
	DecidedAt    *time.Time      `json:"decided_at"`
	Reason       string          `json:"reason"` // why it was rejected
	DocNo        string          `json:"doc_no"` // what it became
}

// EntryFigures are what was entered, by name.
type EntryFigures struct {
	Day         string        `json:"day"`
	Method      string        `json:"method"`
	Reference   string        `json:"reference"`
	InvoiceNos  []string      `json:"invoice_nos"`
	Amounts     []json.Number `json:"amounts"`
	OldestFirst bool          `json:"oldest_first"`
	Reason      string        `json:"reason"`
	InvoiceNo   string        `json:"invoice_no"`
	RequestNo   string        `json:"request_no"`
	OrderNo     string        `json:"order_no"`
}

// Figures reads what was entered.
func (e HeldEntry) Figures() (f EntryFigures) {
	_ = json.Unmarshal(e.Args, &f) // written by this program; what is not there is not shown
	return f
}

// HeldEntries is the list of what waits, and what was decided lately.
type HeldEntries struct {
	FromAmount *Money      `json:"from_amount"` // nil: nothing waits for anybody
	Waiting    []HeldEntry `json:"waiting"`
	Decided    []HeldEntry `json:"decided"`
}

// HeldService is the second person's side of what was entered at the desk.
type HeldService interface {
	Held(ctx context.Context, who Session) (HeldEntries, error)
	// Approve posts an entry under both names and returns the number of its document.
	// CodeConflict for who entered it, and where it has been decided.
	Approve(ctx context.Context, who Session, id EntryID) (docNo string, err error)
	// Reject leaves it unposted; the reason is for who entered it.
	Reject(ctx context.Context, who Session, id EntryID, reason string) error
}
