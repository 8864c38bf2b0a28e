package portal

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// NotificationKind names a kind of news: the rows of portal.news_kind.
type NotificationKind string

const (
	NotifyOrderReceived  NotificationKind = "order_received"
	NotifyOrderApproved  NotificationKind = "order_approved"
	NotifyOrderChanged   NotificationKind = "order_changed" // by the distributor
	NotifyOrderWaits     NotificationKind = "order_waits"   // fewer goods were counted than it had been given
	NotifyOrderRejected  NotificationKind = "order_rejected"
	NotifyOrderCancelled NotificationKind = "order_cancelled"
	NotifyOrderShipped   NotificationKind = "order_shipped" // a shipment of it, perhaps not all
	NotifyOrderDelivered NotificationKind = "order_delivered"
	NotifySignOffWaiting NotificationKind = "sign_off_waiting"
	NotifySignOffDecided NotificationKind = "sign_off_decided"
	NotifyStandingOrder  NotificationKind = "standing_order"
	NotifyReminder       NotificationKind = "cutoff_reminder"
	NotifyReturnDecided  NotificationKind = "return_decided"
	NotifyStatement      NotificationKind = "statement"

	// Links that set a password: always mailed, never in the portal.
	NotifyInvitation    NotificationKind = "invitation"
	NotifyPasswordReset NotificationKind = "password_reset"

	// What happened to a log-in: always mailed to its owner, never in the portal.
	NotifyNewDevice       NotificationKind = "new_device"
	NotifyPasswordChanged NotificationKind = "password_changed"
	NotifyFactorChanged   NotificationKind = "factor_changed"
)

// Label is how a kind is called where somebody chooses.
func (k NotificationKind) Label() string {
	switch k {
	case NotifyOrderReceived:
		return "Order received"
	case NotifyOrderApproved:
		return "Order approved"
	case NotifyOrderChanged:
		return "Order changed by us"
	case NotifyOrderWaits:
		return "Goods of an order ran out"
	case NotifyOrderRejected:
		return "Order rejected"
	case NotifyOrderCancelled:
		return "Order cancelled"
	case NotifyOrderShipped:
		return "Order shipped, with tracking"
	case NotifyOrderDelivered:
		return "Order delivered"
	case NotifySignOffWaiting:
		return "A colleague's order waits for your sign-off"
	case NotifySignOffDecided:
		return "Your request for a sign-off was decided"
	case NotifyStandingOrder:
		return "Standing order made, or not"
	case NotifyReminder:
		return "Reminder before the cutoff, when you have not ordered"
	case NotifyReturnDecided:
		return "Return decided"
	case NotifyStatement:
		return "Statement, as PDF"
	case NotifyInvitation:
		return "Invitation"
	case NotifyPasswordReset:
		return "New password"
	case NotifyNewDevice:
		return "Log-in from a new device"
	case NotifyPasswordChanged:
		return "Password changed"
	case NotifyFactorChanged:
		return "Second factor changed"
	}
	return string(k)
}

// NotificationFacts are what the words of a piece of news are made of: portal.notification.data.
// Other programs may leave any of them out.
type NotificationFacts struct {
	PONo         string    `json:"po_no"`
	Reason       string    `json:"reason"`
	Carrier      string    `json:"carrier"`
	TrackingNo   string    `json:"tracking_no"`
	ShipmentID   int64     `json:"shipment_id"`
	ChangeID     int64     `json:"change_id"` // the first of the changes
	By           string    `json:"by"`        // who asked, or decided
	Status       string    `json:"status"`
	OrderNo      string    `json:"order_no"`
	InvoiceNo    string    `json:"invoice_no"`
	DeliveryDate string    `json:"delivery_date"` // 2006-01-02
	Cutoff       time.Time `json:"cutoff"`
	From         string    `json:"from"` // of a statement, 2006-01-02
	To           string    `json:"to"`
	AsOf         string    `json:"as_of"`
	Text         string    `json:"text"` // words that are made already
	Link         string    `json:"link"`
	UserAgent    string    `json:"user_agent"` // of a log-in
	Source       string    `json:"source"`     // and the address it came from
	At           time.Time `json:"at"`
	Staff        bool      `json:"staff"` // it is about a log-in of staff
}

// NotificationContent is what somebody is told: on their pages and by mail, in the same words.
type NotificationContent struct {
	Kind  NotificationKind
	Ref   string // the document's number
	Facts NotificationFacts
}

// Title is one line with the document's number: the subject of a mail. Times
// are told in zone.
func (n NotificationContent) Title(zone *time.Location) string {
	switch n.Kind {
	case NotifyOrderReceived:
		return "Order " + n.Ref + " received"
	case NotifyOrderApproved:
		return "Order " + n.Ref + " approved"
	case NotifyOrderChanged:
		return "Order " + n.Ref + " changed"
	case NotifyOrderWaits:
		return "Order " + n.Ref + ": a part waits for stock"
	case NotifyOrderRejected:
		return "Order " + n.Ref + " rejected"
	case NotifyOrderCancelled:
		return "Order " + n.Ref + " cancelled"
	case NotifyOrderShipped:
		return "Order " + n.Ref + ": goods are on their way"
	case NotifyOrderDelivered:
		return "Order " + n.Ref + " delivered"
	case NotifySignOffWaiting:
		return "Request " + n.Ref + " waits for your sign-off"
	case NotifySignOffDecided:
		if n.Facts.Status == "APPROVED" {
			return fmt.Sprintf("Request %s signed off: order %s", n.Ref, n.Facts.OrderNo)
		}
		return "Request " + n.Ref + " was not signed off"
	case NotifyStandingOrder:
		title, _, _ := strings.Cut(n.Facts.Text, ". ")
		return strings.TrimSuffix(title, ".")
	case NotifyReminder:
		return fmt.Sprintf("Order by %s for delivery on %s", n.Facts.Cutoff.In(zone).Format("Mon 2 Jan 15:04"),
			notificationDay(n.Facts.DeliveryDate, "Mon 2 Jan"))
	case NotifyReturnDecided:
		return "Return " + n.Ref + " " + map[string]string{"APPROVED": "approved", "REJECTED": "rejected",
			"AWAITING_GOODS": "approved: please send the goods back", "CREDITED": "credited"}[n.Facts.Status]
	case NotifyStatement:
		switch {
		case n.Facts.From != "" && n.Facts.To != "":
			return fmt.Sprintf("Your statement from %s to %s", notificationDay(n.Facts.From, "2 Jan 2006"),
				notificationDay(n.Facts.To, "2 Jan 2006"))
		case n.Facts.AsOf != "":
			return "Your statement as of " + notificationDay(n.Facts.AsOf, "2 Jan 2006")
		}
		return strings.TrimSpace("Your statement " + n.Ref)
	case NotifyInvitation:
		return "Your log-in: set your password"
	case NotifyPasswordReset:
		return "Set a new password"
	case NotifyNewDevice:
		return "Your log-in was used on a new device"
	case NotifyPasswordChanged:
		return "Your password was changed"
	case NotifyFactorChanged:
		return "Your second factor was changed"
	}
	return strings.TrimSpace(n.Kind.Label() + " " + n.Ref)
}

// Text is a sentence or two beneath the title; may be empty.
func (n NotificationContent) Text() string {
	reason := strings.TrimSpace(n.Facts.Reason)
	switch n.Kind {
	case NotifyOrderReceived:
		return "Thank you. You hear from us when it is approved."
	case NotifyOrderApproved:
		return "We are getting it ready."
	case NotifyOrderChanged:
		return because("We changed quantities", reason)
	case NotifyOrderWaits:
		if reason == "" {
			return "Fewer are there than our books said. It keeps its place for the next that come in."
		}
		return "Fewer are there than our books said: " + reason + " keep their place for the next that come in."
	case NotifyOrderRejected:
		return because("Nothing of it will ship", reason)
	case NotifyOrderCancelled:
		return because("Nothing more of it will ship", reason)
	case NotifyOrderShipped:
		switch {
		case n.Facts.Carrier != "" && n.Facts.TrackingNo != "":
			return fmt.Sprintf("With %s, tracking number %s.", n.Facts.Carrier, n.Facts.TrackingNo)
		case n.Facts.TrackingNo != "":
			return "Tracking number " + n.Facts.TrackingNo + "."
		case n.Facts.Carrier != "":
			return "With " + n.Facts.Carrier + "."
		}
		return ""
	case NotifyOrderDelivered:
		return "Is something missing or damaged? Tell us."
	case NotifySignOffWaiting:
		return n.Facts.By + " asks you to sign off an order. It is sent to us when you do."
	case NotifySignOffDecided:
		if n.Facts.Status == "APPROVED" {
			return n.Facts.By + " signed it off, and it was sent."
		}
		return because(n.Facts.By+" said no", reason)
	case NotifyStandingOrder:
		_, rest, _ := strings.Cut(n.Facts.Text, ". ")
		return rest
	case NotifyReminder:
		return "You have not ordered for this delivery yet. What is ordered later comes with the next one."
	case NotifyReturnDecided:
		text := map[string]string{"APPROVED": "We accept it.", "REJECTED": "We cannot accept it.",
			"AWAITING_GOODS": "The credit follows when the goods are back.",
			"CREDITED":       "The credit is in your account."}[n.Facts.Status]
		if n.Facts.InvoiceNo != "" {
			text = "It is about invoice " + n.Facts.InvoiceNo + ". " + text
		}
		return because(strings.TrimSuffix(text, "."), reason)
	case NotifyStatement:
		return "It is under Account, as PDF."
	}
	return ""
}

// ofLogIn reports what is told of a log-in to its owner.
func (n NotificationContent) ofLogIn() bool {
	return n.Kind == NotifyNewDevice || n.Kind == NotifyPasswordChanged || n.Kind == NotifyFactorChanged
}

// because adds a reason to a sentence without its full stop.
func because(sentence, reason string) string {
	if reason == "" {
		return sentence + "."
	}
	if !strings.HasSuffix(reason, ".") && !strings.HasSuffix(reason, "!") && !strings.HasSuffix(reason, "?") {
		reason += "."
	}
	return sentence + ". Reason: " + reason
}

// Link is the page of it, a path of the portal.
func (n NotificationContent) Link() string {
	switch n.Kind {
	case NotifySignOffWaiting, NotifySignOffDecided:
		return "/approvals/" + InAddress(n.Ref)
	case NotifyStandingOrder:
		if strings.HasPrefix(n.Facts.Link, "/") {
			return n.Facts.Link
		}
		return "/standing-orders"
	case NotifyReminder:
		return "/catalog"
	case NotifyReturnDecided:
		return "/returns/" + InAddress(n.Ref)
	case NotifyStatement:
		return "/account"
	}
	if n.ofLogIn() {
		if n.Facts.Staff {
			return "/desk/profile"
		}
		return "/profile"
	}
	if strings.HasPrefix(string(n.Kind), "order_") {
		return "/orders/" + InAddress(n.Ref)
	}
	return "/"
}

// Tone is how it is shown: info, success, warning.
func (n NotificationContent) Tone() string {
	switch n.Kind {
	case NotifyOrderRejected, NotifyOrderCancelled, NotifyOrderChanged, NotifyOrderWaits,
		NotifySignOffWaiting, NotifyReminder:
		return "warning"
	case NotifyOrderApproved, NotifyOrderShipped, NotifyOrderDelivered:
		return "success"
	case NotifySignOffDecided, NotifyReturnDecided:
		if n.Facts.Status == "REJECTED" {
			return "warning"
		}
		return "success"
	}
	return "info"
}

// toldOtherwise reports news that an open page tells already, by the event of
// the document itself.
func (n NotificationContent) toldOtherwise() bool {
	return strings.HasPrefix(string(n.Kind), "order_") && n.Kind != NotifyOrderChanged || n.Kind == NotifyReturnDecided ||
		n.Kind == NotifyStatement
}

// notificationDay writes a date of the facts; what is none stays as it is.
func notificationDay(date, layout string) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return t.Format(layout)
}

// Notification is one entry of what somebody is told in the portal: news of
// their own log-in, or a Notice to all of the customer's.
type Notification struct {
	ID     string           `json:"id"` // "n12" of a log-in, "c12" of the customer
	At     time.Time        `json:"at"`
	Kind   NotificationKind `json:"kind"` // empty for a notice
	Ref    string           `json:"ref,omitempty"`
	Tone   string           `json:"tone"` // info, success, warning
	Title  string           `json:"title"`
	Text   string           `json:"text,omitempty"`
	Link   string           `json:"link,omitempty"` // a path of the portal, or empty
	ReadAt *time.Time       `json:"read_at"`
}

// Toast is what an open page says when it comes; empty where the page says it
// already.
func (n Notification) Toast() string {
	if n.Kind != "" && (NotificationContent{Kind: n.Kind}).toldOtherwise() {
		return ""
	}
	if n.Kind == "" {
		return strings.TrimSpace(n.Title + " " + n.Text)
	}
	return n.Title
}

// Notification makes the entry of a piece of news.
func (n NotificationContent) Notification(id string, at time.Time, readAt *time.Time,
	zone *time.Location) Notification {
	return Notification{ID: id, At: at, Kind: n.Kind, Ref: n.Ref, Tone: n.Tone(), Title: n.Title(zone), Text: n.Text(),
		Link: n.Link(), ReadAt: readAt}
}

// Notifications is a page of them, the newest first.
type Notifications struct {
	List   []Notification `json:"notifications"`
	Unread int            `json:"unread"`
	Next   string         `json:"next,omitempty"` // where the older ones begin; empty: there are none
}

// MailChoice is whether a log-in gets a kind by mail.
type MailChoice struct {
	Kind   NotificationKind `json:"kind"`
	ByMail bool             `json:"by_mail"`
}

// NotificationService shows a log-in what it is told and keeps what it chose.
type NotificationService interface {
	// Notifications are the newest, or those before a page's Next.
	Notifications(ctx context.Context, who Session, before string) (Notifications, error)
	// OpenNotification marks one read and returns where it leads; one that is
	// not the log-in's is CodeNotFound.
	OpenNotification(ctx context.Context, who Session, id string) (link string, err error)
	// ReadNotifications marks all read; notices to the customer are thereby
	// put away for all its log-ins.
	ReadNotifications(ctx context.Context, who Session) error

	// MailChoices are the kinds that the log-in's rights allow.
	MailChoices(ctx context.Context, who Session) ([]MailChoice, error)
	// ChooseMail sets which of those come by mail: the kinds named, no other.
	ChooseMail(ctx context.Context, who Session, kinds []NotificationKind) error
}
