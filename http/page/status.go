package page

import (
	"fmt"
	"reflect"
	"strings"

	"portal.example/portal"
)

// look is how the status of a document is shown: never by colour alone.
type look struct{ Word, class, icon string }

// looks holds every status of every kind of document. The classes are those of
// app.css.
var looks = map[string]look{
	// orders
	"SUBMITTED": {"Submitted", "status-new", "send"},
	"APPROVED":  {"Approved", "status-go", "check"},
	"PICKING":   {"Picking", "status-work", "package"},
	"SHIPPED":   {"Shipped", "status-way", "truck-delivery"},
	"DELIVERED": {"Delivered", "status-done", "circle-check"},
	"ON_HOLD":   {"On hold", "status-wait", "player-pause"},
	"REJECTED":  {"Rejected", "status-bad", "ban"},
	"CANCELLED": {"Cancelled", "status-off", "x"},
	"DELETED":   {"Deleted", "status-off", "x"},

	// invoices
	"OPEN":      {"Open", "status-new", "file-invoice"},
	"PART_PAID": {"Part paid", "status-work", "coin"},
	"PAST_DUE":  {"Past due", "status-bad", "alert-triangle"},
	"PAID":      {"Paid", "status-done", "circle-check"},

	// payments
	"RETURNED": {"Returned", "status-bad", "arrow-back-up"},

	// statements
	"QUEUED": {"In preparation", "status-wait", "hourglass"},
	"READY":  {"Ready", "status-done", "check"},
	"FAILED": {"Failed", "status-bad", "alert-triangle"},

	// return requests
	"REQUESTED":      {"Requested", "status-new", "send"},
	"IN_REVIEW":      {"In review", "status-wait", "eye"},
	"AWAITING_GOODS": {"Awaiting goods", "status-work", "package"},
	"CREDITED":       {"Credited", "status-done", "receipt-refund"},
	"WITHDRAWN":      {"Withdrawn", "status-off", "x"},

	// requests for a signature
	"WAITING":    {"Waits for sign-off", "status-wait", "hourglass"},
	"SIGNED_OFF": {"Signed off", "status-done", "check"},

	// stock
	"IN":  {"In stock", "status-done", "check"},
	"LOW": {"Low stock", "status-wait", "alert-triangle"},
	"OUT": {"Out of stock", "status-off", "x"},

	// switches
	"ACTIVE":   {"Active", "status-done", "check"},
	"PAUSED":   {"Paused", "status-off", "player-pause"},
	"INACTIVE": {"Inactive", "status-off", "ban"},

	// mails
	"MAIL_WAITING": {"Waiting", "status-wait", "hourglass"},
	"MAIL_SENT":    {"Sent", "status-done", "check"},
	"MAIL_KEPT":    {"Not sent", "status-off", "inbox"},
	"MAIL_FAILED":  {"Failed", "status-bad", "alert-triangle"},

	// what operators watch
	"GOOD":    {"Good", "status-done", "circle-check"},
	"LOOK":    {"Have a look", "status-wait", "eye"},
	"BAD":     {"Bad", "status-bad", "alert-triangle"},
	"UNKNOWN": {"Not known yet", "status-off", "help"},

	// log-ins
	"INVITED":    {"Invited", "status-new", "send"},
	"LINK_ENDED": {"Link has ended", "status-wait", "clock"},
}

// StatusLook finds the look of a status of whatever type, by value or by
// pointer, in either case. One that is new to the portal is shown as a plain
// word, so that a page never fails over it.
func StatusLook(v any) look {
	text := ""
	if r := reflect.Indirect(reflect.ValueOf(v)); r.IsValid() {
		text = fmt.Sprint(r.Interface())
	}
	code := strings.ToUpper(strings.ReplaceAll(text, " ", "_"))
	if l, ok := looks[code]; ok {
		return l
	}
	word := strings.ToLower(strings.ReplaceAll(code, "_", " "))
	if word != "" {
		word = strings.ToUpper(word[:1]) + word[1:]
	}
	return look{word, "status-off", "info-circle"}
}

// words is what the scripts say; {ref} stands for the document's number.
type words struct {
	Status map[string]string           `json:"status"` // of an order, by code
	Kinds  map[portal.EventKind]string `json:"kinds"`  // a kind that is not here changes in silence
	Many   string                      `json:"many"`   // {n} stands for how many
	Lost   string                      `json:"lost"`
	Back   string                      `json:"back"`
	Close  string                      `json:"close"`
	Undo   string                      `json:"undo"`
	Lookup lookupWords                 `json:"lookup"`
}

// lookupWords is what the suggestions below a field say; {text} is what was
// typed, {n} a quantity or how many.
type lookupWords struct {
	List    string            `json:"list"`
	None    string            `json:"none"`
	Found   string            `json:"found"` // for screen readers
	Call    string            `json:"call"`
	Number  string            `json:"number"`
	Stock   map[string]string `json:"stock"`  // by state
	CanBe   string            `json:"can_be"` // stock hidden
	CanNot  string            `json:"can_not"`
	Dropped string            `json:"dropped"`
	Yours   string            `json:"yours"` // before the customer's own item number
}

func liveWords() words {
	w := words{
		Status: make(map[string]string, len(looks)),
		Kinds: map[portal.EventKind]string{
			portal.EventOrder:     "{ref}: {status}",
			portal.EventInvoice:   "Invoice {ref} changed",
			portal.EventPayment:   "A payment was posted",
			portal.EventCredit:    "Return {ref}: {status}",
			portal.EventStatement: "A statement is ready",
			portal.EventAccess:    "Your account settings changed",
		},
		Many:  "{n} changes on this page",
		Lost:  "Live updates paused. Reconnecting…",
		Back:  "Up to date again",
		Close: "Close",
		Undo:  "Undo",
		Lookup: lookupWords{
			List:    "Items",
			None:    "No match for “{text}”",
			Found:   "{n} found",
			Call:    "Call for price",
			Number:  "{n} in stock",
			Stock:   map[string]string{"in": looks["IN"].Word, "low": looks["LOW"].Word, "out": looks["OUT"].Word},
			CanBe:   "Can be ordered",
			CanNot:  "Not available now",
			Dropped: "Discontinued",
			Yours:   "yours",
		},
	}
	for code, l := range looks {
		w.Status[code] = l.Word
	}
	return w
}

// StatusWord is the word of a status, "" for what is none.
func StatusWord(status string) string { return looks[status].Word }
