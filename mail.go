package portal

import (
	"context"
	"time"
)

// MailID identifies a mail.
type MailID int64

// Mail is a mail to be written: what it is about and who reads it. What the
// reader may not see is not in it.
type Mail struct {
	ID        MailID
	MessageID string // the first part of the Message-ID; stays the same in every try
	To        string
	ToName    string // may be empty
	NotificationContent
	Customer string // its name; empty for staff
	HasLogin bool   // of an invitation: its reader has a log-in elsewhere, so the link makes none
	Secret   string // of the link in invitations and password resets; empty once it is gone
	Zone     *time.Location
	Currency string // "USD"

	SeePrices bool
	Order     *MailOrder
	Document  *MailDocument // to attach
}

// MailOrder is the document that a mail is about: an order, one of its
// shipments, a request for a signature, a return. Amounts are nil where the
// reader sees no prices.
type MailOrder struct {
	OrderNo      string     `json:"order_no"`
	PONo         string     `json:"po_no"`
	SubmittedAt  *time.Time `json:"submitted_at"`
	DeliveryDate string     `json:"delivery_date"` // 2006-01-02
	ShipTo       string     `json:"ship_to"`
	Total        *Money     `json:"total"`
	TrackingURL  string     `json:"tracking_url"` // complete
	Open         bool       `json:"open"`         // of a shipment's order: more of it is to come
	Count        int        `json:"count"`        // of lines; Lines may be fewer
	Lines        []MailLine `json:"lines"`
}

// MailLine is one line of it.
type MailLine struct {
	ItemNo      string `json:"item_no"`
	Description string `json:"description"`
	UOM         string `json:"uom"`
	Qty         Qty    `json:"qty"`
	Was         *Qty   `json:"was"` // of a change: the quantity before
	Note        string `json:"note"`
	Total       *Money `json:"total"`
}

// MailDocument is a file that goes with a mail.
type MailDocument struct {
	Name      string
	MediaType string
	Data      []byte
}

// Letter is a mail as it was written. Where the mail has a secret, SecretMark
// stands in its place.
type Letter struct {
	Subject string
	Text    string
	HTML    string
}

// SecretMark stands in a letter where the secret of its link goes, so that no
// letter that is kept has it.
const SecretMark = "~link~"

// Postman writes mails and hands them to a mail server. Safe for concurrent use.
type Postman interface {
	// Write makes the letter of a mail.
	Write(m Mail) (Letter, error)
	// Send returns nil once the server has taken the letter, a *MailRefusal
	// when no further try can help, else an error to try again after.
	Send(ctx context.Context, m Mail, l Letter) error
	// Keeps reports that there is no mail server: letters are written and kept.
	Keeps() bool
}

// MailRefusal is a mail server's refusal for good.
type MailRefusal struct {
	Words string // the server's
}

func (r *MailRefusal) Error() string { return "mail refused: " + r.Words }

// What MailQueue.Deliver did.
const (
	MailSent    = "sent"
	MailKept    = "kept"
	MailFailed  = "failed"  // for good
	MailBusy    = "busy"    // somebody else is sending it: ask again soon
	MailSettled = "settled" // nothing to do: sent before, or gone
	MailQueued  = "queued"  // waits
)

// MailQueue is the mails that wait.
type MailQueue interface {
	// Deliver has a mail written and sent, and records what became of it. The
	// mail's row is locked meanwhile, so that two never send it at once; the
	// mail counts as sent when the server took it. An error means that it
	// waits on and is to be tried again; with last, that it failed for good.
	Deliver(ctx context.Context, id MailID, last bool, by Postman) (outcome string, err error)
	// MailReset queues the link to a new password for whoever logs in with an
	// address; sent says whether there is such a log-in. See
	// ResetService.ForgotPassword.
	MailReset(ctx context.Context, email string) (sent bool, err error)
	// RemindCutoffs tells customers of a route's cutoff that is near, and
	// returns how many.
	RemindCutoffs(ctx context.Context) (customers int, err error)
}

// MailRow is a mail as operators see it in a list.
type MailRow struct {
	ID         MailID           `json:"mail_id" db:"mail_id"`
	Kind       NotificationKind `json:"kind"`
	To         string           `json:"to" db:"recipient"`
	CustomerNo string           `json:"customer_no"`
	Subject    string           `json:"subject"` // empty: not written yet
	Status     string           `json:"status"`
	Attempts   int              `json:"attempts"`
	LastError  string           `json:"last_error"`
	CreatedAt  time.Time        `json:"created_at"`
	SentAt     *time.Time       `json:"sent_at"`
}

// MailDetail is one mail with its letter.
type MailDetail struct {
	MailRow
	MessageID  string     `json:"message_id"` // its first part
	TriedAt    *time.Time `json:"tried_at"`
	Attachment string     `json:"attachment,omitempty"` // the file's name
	Text       string     `json:"text" db:"body_text"`
	HTML       string     `json:"-" db:"body_html"`
}

// MailFilter narrows the list of mails. Empty members narrow nothing.
type MailFilter struct {
	Status string
	Kind   NotificationKind
	Query  string // part of the address
	Before MailID // those before it
}

// MailList is a page of mails, the newest first.
type MailList struct {
	Mails  []MailRow      `json:"mails"`
	Counts map[string]int `json:"counts"` // by status, of all
	Next   MailID         `json:"next,omitempty"`
}

// MailService shows the mails to operators; anybody else is CodeForbidden.
type MailService interface {
	Mails(ctx context.Context, who Session, filter MailFilter) (MailList, error)
	Mail(ctx context.Context, who Session, id MailID) (MailDetail, error)
	// RetryMail queues a mail that failed or was kept once more. It is
	// CodeConflict for any other.
	RetryMail(ctx context.Context, who Session, id MailID) error
}

// ResetService lets somebody who has forgotten a password set a new one, by a
// link that is mailed.
type ResetService interface {
	// ForgotPassword asks for the link. It does the same for every address,
	// whether anybody logs in with it or not. CodeTooMany where a source (SourceOf)
	// asks too often.
	ForgotPassword(ctx context.Context, email, source string) error
	// ResetOf is whose link a token is; CodeNotFound once it has been used or
	// has ended.
	ResetOf(ctx context.Context, token string) (email string, err error)
	// ResetPassword sets the password: the link is used up, and all sessions
	// of the log-in end.
	ResetPassword(ctx context.Context, token, password string) error
}

// MailArgs asks for a mail to be sent. Triggers enqueue it with the mail's row.
type MailArgs struct {
	MailID MailID `json:"mail_id"`
}

// Kind is the job's name in the queue.
func (MailArgs) Kind() string { return "mail" }

// PasswordResetArgs asks for the link to a new password, for an address as it
// was typed.
type PasswordResetArgs struct {
	Email string `json:"email"`
}

// Kind is the job's name in the queue.
func (PasswordResetArgs) Kind() string { return "password_reset" }

// CutoffRemindersArgs asks whom to remind of a cutoff.
type CutoffRemindersArgs struct{}

// Kind is the job's name in the queue.
func (CutoffRemindersArgs) Kind() string { return "cutoff_reminders" }
