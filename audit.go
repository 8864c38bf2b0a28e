package portal

import (
	"bytes"
	"context"
	"encoding/json"
	"time"
)

// AuditData is what changed, by column: [old, new]. Numbers are json.Number, as
// PostgreSQL wrote them: amounts never pass through a float.
type AuditData map[string]any

// UnmarshalJSON implements json.Unmarshaler.
func (d *AuditData) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var data map[string]any
	if err := decoder.Decode(&data); err != nil {
		return err
	}
	*d = data
	return nil
}

// MayAudit reports whether somebody reads the audit log: pages, menu and store ask here.
func (s Session) MayAudit() bool { return s.Role == RoleOps || s.Staff() && s.Has(DutyAdministrator) }

// AuditEntry is who changed what, and when. Of a change of Web Access, Data has
// for each column that changed its old and its new value. Subject is what it was
// done to: an item's or an order's number, a category's name.
type AuditEntry struct {
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	Program string    `json:"program"`
	Action  string    `json:"action"`
	Subject string    `json:"subject"`
	Data    AuditData `json:"data"`
}

// ActKind is what somebody did that changes no row: a row of portal.act_kind that
// the program may record. Other kinds are recorded by triggers.
type ActKind string

const (
	ActExport        ActKind = "export"    // a list as a file
	ActPaper         ActKind = "paper"     // a document as PDF
	ActPrint         ActKind = "print"     // a page, or a sheet for the printer
	ActMailRead      ActKind = "mail_read" // by an operator
	ActMailRetried   ActKind = "mail_retried"
	ActQueue         ActKind = "queue" // jobs or queues were changed
	ActProofStarted  ActKind = "proof_started"
	ActStatementsRun ActKind = "statements_run"
)

// Act is one thing that somebody did. Subject is what it was done to by its number
// or name; What says the rest: which list, how it was narrowed.
type Act struct {
	Kind       ActKind
	CustomerNo string // of what staff did; of a customer's own people the database knows it
	Subject    string
	What       string
	Asked      string // the filter, as the address has it
}

// ActRecorder writes acts into the audit log.
type ActRecorder interface {
	// Record writes an act of the session's owner. CodeUnauthorized once the
	// session is over.
	Record(ctx context.Context, who Session, act Act) error
}

// ActGroup is what an operator filters by.
type ActGroup string

// ActGroups are all of them, as the list of choices has them.
var ActGroups = []ActGroup{"sign_in", "people", "export", "acting", "operation", "refusal",
	"order", "money", "price", "stock", "setting"}

// Label is the group in words.
func (g ActGroup) Label() string {
	return map[ActGroup]string{"sign_in": "Log-ins", "people": "People and access", "export": "Exports and prints",
		"acting": "Acting for customers", "operation": "Operators", "refusal": "Refusals", "order": "Orders",
		"money": "Money", "price": "Prices", "stock": "Stock", "setting": "Settings"}[g]
}

// AuditFilter narrows the audit log; what is empty narrows nothing.
type AuditFilter struct {
	CustomerNo string
	Person     string // e-mail or name: who did it, or whose log-in it was done to
	Subject    string // a number or name in full
	Group      ActGroup
	Noun       string     // what kind of thing it was done to: order, invoice, item …
	From, To   *time.Time // days, in the company's zone
	Before     string     // the Next of the page before
}

// AuditRow is an entry of the audit log as its page shows it.
type AuditRow struct {
	ID int64 `json:"audit_id"`
	AuditEntry
	Group      ActGroup `json:"group"`
	Label      string   `json:"label"` // what was done, in words
	Noun       string   `json:"noun"`
	CustomerNo string   `json:"customer_no,omitempty"`
	Source     string   `json:"source,omitempty"` // the address it came from
	DBLogin    string   `json:"db_login"`         // of the database, which no program chooses
}

// AuditPage is a page of the audit log, the newest first.
type AuditPage struct {
	Rows []AuditRow `json:"rows"`
	Next string     `json:"next,omitempty"`
	// Begins is from when on the log is whole, where it was shortened.
	Begins *time.Time `json:"begins,omitempty"`
	// Labels are what the columns of Web Access are called.
	Labels map[string]string `json:"-"`
}

// AuditService shows the audit log to staff. Nobody changes it.
type AuditService interface {
	// Audit is a page. CodeInvalid at a field of the filter, CodeNotFound for a
	// customer that there is not.
	Audit(ctx context.Context, who Session, f AuditFilter) (AuditPage, error)
	// EachAudit calls f for every row that the filter leaves, the newest first,
	// until f returns an error. It reads in pages, so the log may be long.
	EachAudit(ctx context.Context, who Session, filter AuditFilter, f func(AuditRow) error) error
}
